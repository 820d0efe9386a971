//! What must hold whatever happened: sums and counts that add up, customers that are the sum of their
//! records, an audit whose chain verifies.

use concord::model::Sums;
use concord::model::amount::{
    AMOUNT, NET, POINTS_IN, POINTS_OUT, REWARD_USD, SHOPPED, TRADED, VOLUME_LOTS, VOLUME_MLN_USD,
};
use serde_json::Value;

use super::World;

impl World {
    /// `concord sync` to its end; the document it prints, after a look at its exit code and at
    /// everything in it that can be counted again.
    pub async fn sync(&self, code: i32, args: &[&str]) -> Value {
        let args: Vec<&str> = ["sync"].into_iter().chain(args.iter().copied()).collect();
        let document = self.json(code, &args).await;
        self.adds_up(&document).await;
        document
    }

    /// Checks a document of `sync` against the database.
    pub async fn adds_up(&self, document: &Value) {
        for run in document["runs"].as_array().unwrap() {
            for stage in run["stages"].as_array().unwrap() {
                let what = format!("{}/{}", run["system"], stage["name"]);
                counts_add_up(&what, stage);
                if stage["stored"]["count"].is_null() || stage["status"] == "running" {
                    continue;
                }
                let (count, sums) = self.live(&text(run, "system"), &text(stage, "name")).await;
                assert_eq!(stage["stored"]["count"], count, "{what}: stored");
                for (name, stored) in stage["stored"]["sums"].as_object().unwrap() {
                    let counted = sums.get(name).unwrap_or(&Value::Null);
                    assert_eq!(stored, counted, "{what}: stored {name}");
                }
            }
        }
        let sum = |list: &str, name: &str| -> i64 {
            document[list].as_array().unwrap().iter().map(|one| one[name].as_i64().unwrap()).sum()
        };
        let visible = "SELECT COUNT(*) FROM customer WHERE hidden = 0 AND gone = 0 AND purchases IS";
        // Owners have the clients of brokers, not who is known to a CRM or a finance system.
        let brokers = self.number(&format!("{visible} NULL AND kind IS NULL")).await;
        assert_eq!(sum("owners", "clients"), brokers, "clients of the owners");
        let shops = self.number(&format!("{visible} NOT NULL")).await;
        assert_eq!(sum("shops", "customers"), shops, "customers of the shops");
    }

    /// Live records of a stream and their sums, counted by a statement of its own.
    async fn live(&self, system: &str, stream: &str) -> (i64, serde_json::Map<String, Value>) {
        let table = match stream {
            "clients" => "party",
            "accounts" | "traders" => "account",
            "cards" => "card",
            "customers" => "person",
            "products" => "product",
            "identities" | "contacts" => "contact",
            "quotes" | "invoices" => "document",
            _ => "entry",
        };
        // A windowed list is told about from the first day on that is asked for.
        let since = if stream == "purchases" { self.first_day().await } else { String::new() };
        let among = format!(
            "FROM {table} t JOIN stream s ON s.id = t.stream_id WHERE s.system = '{system}' AND s.name = '{stream}' AND t.gone_run IS NULL{since}"
        );
        let mut sums = Sums::default();
        let measures: &[concord::model::Measure] = match stream {
            "clients" => &TRADED,
            "accounts" | "traders" => &TRADED[..3],
            "opening_balances" | "purchases" => &[AMOUNT],
            "points" => &[POINTS_IN, POINTS_OUT],
            "quotes" | "invoices" => &[NET],
            _ => &[],
        };
        for measure in measures.iter().copied() {
            let sum = self.number(&format!("SELECT CAST(SUM({}) AS BIGINT) {among}", measure.name)).await;
            sums.set(measure, i128::from(sum));
        }
        let Value::Object(sums) = serde_json::to_value(&sums).unwrap() else { unreachable!() };
        (self.number(&format!("SELECT COUNT(*) {among}")).await, sums)
    }
}

impl World {
    /// The condition of the last run's window.
    async fn first_day(&self) -> String {
        let days = self.number("SELECT COALESCE(days, 365) FROM run ORDER BY id DESC LIMIT 1").await;
        let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let first = today.checked_sub(jiff::Span::new().days(days)).unwrap();
        format!(" AND t.day >= '{first}'")
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap().to_owned()
}

/// `read = Σ dispositions`, reasons count what they explain, and `unexplained` is what it says.
pub fn counts_add_up(what: &str, stage: &Value) {
    let count = |name: &str| stage["counts"][name].as_i64().unwrap();
    let parts = ["created", "updated", "unchanged", "duplicate", "excluded", "rejected"];
    assert_eq!(count("read"), parts.iter().map(|name| count(name)).sum::<i64>(), "{what}: {stage:#}");
    for disposition in ["duplicate", "excluded", "rejected"] {
        let reasons = stage["reasons"].as_array().unwrap().iter();
        let told: i64 =
            reasons.filter(|r| r["disposition"] == disposition).map(|r| r["count"].as_i64().unwrap()).sum();
        assert_eq!(told, count(disposition), "{what}: reasons of {disposition}");
    }
    if let Some(source) = stage["source"]["count"].as_i64() {
        let explained = count("read") - count("duplicate") + stage["not_read"].as_i64().unwrap();
        assert_eq!(stage["unexplained"], source - explained, "{what}: unexplained");
    }
}

/// Everything that must hold at the end of a scenario.
pub async fn all(world: &World) {
    pages(world).await;
    customers(world).await;
    while world.store.seal().await.unwrap() > 0 {}
    let checked = world.store.verify_audit().await.unwrap();
    assert_eq!((checked.unsealed, checked.broken), (0, Vec::new()), "the audit");
}

/// The pages of the last pass of each stage are all its rows, and numbered without a gap.
async fn pages(world: &World) {
    let sql = "SELECT CAST(s.run_id AS TEXT) || ' ' || s.name FROM stage s \
        LEFT JOIN (SELECT run_id, position, pass, COUNT(*) AS pages, MAX(number) AS last, CAST(SUM(rows_read) AS BIGINT) AS r \
        FROM page WHERE rows_read > 0 OR number = 1 GROUP BY run_id, position, pass) p \
        ON p.run_id = s.run_id AND p.position = s.position AND p.pass = s.passes \
        WHERE s.pages > 0 AND COALESCE(p.r, -1) <> s.done";
    assert_eq!(world.texts(sql).await, Vec::<String>::new(), "stages whose pages do not add up");
}

/// Customers are the sums of their records, once no run is under way.
async fn customers(world: &World) {
    let waiting = "SELECT (SELECT COUNT(*) FROM touched) + (SELECT COUNT(*) FROM run WHERE status IN ('queued', 'running'))";
    if world.number(waiting).await > 0 {
        return;
    }
    for measure in [REWARD_USD, VOLUME_LOTS, VOLUME_MLN_USD] {
        let name = measure.name;
        let records = format!("SELECT CAST(SUM({name}) AS BIGINT) FROM account WHERE gone_run IS NULL");
        let theirs =
            format!("SELECT CAST(SUM({name}) AS BIGINT) FROM customer WHERE hidden = 0 AND gone = 0");
        assert_eq!(world.number(&theirs).await, world.number(&records).await, "{name} of all customers");
        let summary = format!("SELECT CAST(SUM({name}) AS BIGINT) FROM customer_summary WHERE gone = 0");
        assert_eq!(world.number(&summary).await, world.number(&theirs).await, "{name} of the summary");
    }
    for name in SHOPPED.map(|measure| measure.name).into_iter().chain(["purchases"]) {
        let [summary, theirs] = ["customer_summary", "customer WHERE hidden = 0"]
            .map(|from| format!("SELECT CAST(SUM({name}) AS BIGINT) FROM {from}"));
        assert_eq!(world.number(&summary).await, world.number(&theirs).await, "{name} of the summary");
    }
    let wrong = "SELECT c.system || ' ' || c.key FROM customer c WHERE c.hidden = 0 AND c.gone = 0 AND \
        c.accounts <> (SELECT COUNT(*) FROM account a WHERE a.customer_id = c.id AND a.gone_run IS NULL) \
        + (SELECT COUNT(*) FROM card d WHERE d.customer_id = c.id AND d.gone_run IS NULL)";
    assert_eq!(world.texts(wrong).await, Vec::<String>::new(), "customers with another number of accounts");
    let nobodys = "SELECT a.key FROM account a LEFT JOIN customer c ON c.id = a.customer_id WHERE a.gone_run IS NULL AND COALESCE(c.hidden, 1) = 1";
    assert_eq!(world.texts(nobodys).await, Vec::<String>::new(), "accounts that no list shows");
    let nobodys = "SELECT a.key FROM card a LEFT JOIN customer c ON c.id = a.customer_id WHERE a.gone_run IS NULL AND COALESCE(c.hidden, 1) = 1";
    assert_eq!(world.texts(nobodys).await, Vec::<String>::new(), "cards that no list shows");
    for (column, sum) in [
        ("clients", "COUNT(*)"),
        ("accounts", "SUM(accounts)"),
        ("opening", "SUM(opening)"),
        ("purchased", "SUM(purchased)"),
        ("spent", "SUM(spent)"),
        ("points", "SUM(points)"),
    ] {
        let summary = format!(
            "SELECT CAST(SUM({column}) AS BIGINT) FROM customer_summary WHERE gone = 0 AND purchases IS NOT NULL"
        );
        let theirs = format!(
            "SELECT CAST({sum} AS BIGINT) FROM customer WHERE hidden = 0 AND gone = 0 AND purchases IS NOT NULL"
        );
        assert_eq!(world.number(&summary).await, world.number(&theirs).await, "{column} of the shops");
    }
    let spent = "SELECT CAST(SUM(spent) AS BIGINT) FROM customer WHERE hidden = 0";
    let paid = "SELECT CAST(SUM(amount) AS BIGINT) FROM entry WHERE gone_run IS NULL";
    assert_eq!(world.number(spent).await, world.number(paid).await, "what all customers spent");
    let nobodys = "SELECT p.key FROM party p LEFT JOIN customer c ON c.id = p.customer_id WHERE p.gone_run IS NULL AND COALESCE(c.hidden, 1) = 1";
    assert_eq!(world.texts(nobodys).await, Vec::<String>::new(), "clients that no list shows");
}
