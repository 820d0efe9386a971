//! Insights of brokers: figures against what the simulated sources hold, files against tables.

use std::collections::BTreeMap;

use calamine::{Data, Reader as _, Xlsx};
use concord::insights::Insight;
use concord::model::amount::parse_sum;
use jiff::ToSpan as _;
use serde_json::{Value, json};

use super::server::Server;
use crate::support::{World, on_both};

/// The lines of an insight.
pub async fn lines(server: &Server, name: &str, query: &str) -> Vec<Value> {
    let document = server.get(&format!("/api/v1/insights/{name}?{query}")).await;
    let items = document["items"].as_array().unwrap().clone();
    assert_eq!((&document["total"], &document["next"]), (&json!(items.len()), &Value::Null));
    items
}

/// A figure of every line, by what the line is about; unknown left out.
pub fn by(lines: &[Value], name: &str, figure: &str) -> BTreeMap<String, String> {
    let pair = |line: &Value| {
        let of = line[name].as_str().unwrap_or("unknown").to_owned();
        let value = line[figure].as_str().map(str::to_owned);
        Some((of, value.or_else(|| Some(line[figure].as_i64()?.to_string()))?))
    };
    lines.iter().filter_map(pair).collect()
}

/// Clients of a system by the month they registered in, as the source has them.
fn registered(world: &World, systems: &[&str]) -> BTreeMap<String, i64> {
    let mut months = BTreeMap::new();
    for system in systems {
        let (stream, field) =
            if *system == "xm" { ("traders", "signUpDate") } else { ("clients", "reg_date") };
        for row in world.sim.rows(system, stream) {
            *months.entry(row[field].as_str().unwrap()[..7].to_owned()).or_default() += 1;
        }
    }
    months
}

/// Ten clients of Janischa registered lately: one each on ten of the last days, and one of today.
fn lately(world: &World) -> Vec<String> {
    let today = concord::sync::today();
    let mut rows = world.sim.rows("janischa", "clients");
    let days: Vec<String> = (0..10).map(|n| today.saturating_sub((n * 5_i64).days()).to_string()).collect();
    for (row, day) in rows.iter_mut().zip(&days) {
        row["reg_date"] = json!(day);
    }
    world.sim.replace_rows("janischa", "clients", rows);
    days
}

#[tokio::test(flavor = "multi_thread")]
async fn new_clients_are_counted_on_their_days() {
    on_both(async |world| {
        let days = lately(world);
        world.sync(0, &[]).await;
        let server = Server::start(world).await;
        let shown = lines(&server, "new-by-day", "").await;
        assert_eq!((shown.len(), shown[0]["period"].as_str()), (60, Some(days[0].as_str())));
        for line in &shown {
            let there = days.iter().any(|day| line["period"] == day.as_str());
            assert_eq!(line["clients"], i64::from(there), "{line}");
        }
        for (query, systems) in [
            ("", vec!["ham", "janischa", "xm"]),
            ("system=xm", vec!["xm"]),
            ("owner=JANISCHA", vec!["janischa"]),
            ("owner=Ham&system=ham", vec!["ham"]),
        ] {
            let shown = lines(&server, "new-by-month", query).await;
            let expected = registered(world, &systems);
            let counted: BTreeMap<String, i64> = shown
                .iter()
                .filter(|line| line["clients"] != 0)
                .map(|line| (line["period"].as_str().unwrap().to_owned(), line["clients"].as_i64().unwrap()))
                .collect();
            assert_eq!(counted, expected, "{query}");
            // Every month until now is there once, the latest first.
            let months: Vec<&str> = shown.iter().map(|line| line["period"].as_str().unwrap()).collect();
            assert!(months.windows(2).all(|two| two[0] > two[1]), "{months:?}");
            assert_eq!(months[0], &concord::sync::today().to_string()[..7]);
        }
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_and_countries_come_to_what_the_sources_say() {
    on_both(async |world| {
        world.sync(0, &[]).await;
        let server = Server::start(world).await;
        let truth = world.sim.truth();
        let cents = |text: &str| parse_sum(text, 2).unwrap();
        let of = |system: &str, measure: &str| {
            truth[system]["accounts"]["sums"][measure].as_str().unwrap().to_owned()
        };
        let owners = lines(&server, "owners", "").await;
        let rewards = by(&owners, "name", "reward_usd");
        assert_eq!(cents(&rewards["Janischa"]), cents(&of("janischa", "reward_usd")));
        assert_eq!(cents(&rewards["Ham"]), cents(&of("ham", "reward_usd")));
        let lots = by(&owners, "name", "volume_lots");
        assert_eq!(parse_sum(&lots["Janischa"], 8), parse_sum(&of("janischa", "volume_lots"), 8));
        assert_eq!(
            by(&owners, "name", "clients"),
            BTreeMap::from([("Ham", "1880"), ("Janischa", "259")].map(|(o, n)| (o.to_owned(), n.to_owned())))
        );
        // XM sends neither volume nor reward: that is not zero.
        let xm = lines(&server, "owners", "system=xm").await;
        assert_eq!(
            (&xm[0]["clients"], &xm[0]["reward_usd"], &xm[0]["volume_lots"]),
            (&json!(1216), &Value::Null, &Value::Null)
        );
        let mut rebates: BTreeMap<String, i128> = BTreeMap::new();
        let mut clients: BTreeMap<String, i64> = BTreeMap::new();
        for row in world.sim.rows("janischa", "clients") {
            let country = row["client_country"].as_str().unwrap().to_owned();
            *clients.entry(country.clone()).or_default() += 1;
            let rebate = row["rebate_amount_usd"].to_string();
            *rebates.entry(country).or_default() += cents(rebate.trim_matches('"'));
        }
        let countries = lines(&server, "countries", "system=janischa").await;
        let counted = by(&countries, "name", "clients");
        assert_eq!(counted, clients.into_iter().map(|(c, n)| (c, n.to_string())).collect());
        let counted = by(&countries, "name", "rebate_usd");
        assert_eq!(counted.into_iter().map(|(c, sum)| (c, cents(&sum))).collect::<BTreeMap<_, _>>(), rebates);
        let rewards: Vec<i128> =
            countries.iter().filter_map(|line| line["reward_usd"].as_str().map(cents)).collect();
        assert!(rewards.windows(2).all(|two| two[0] >= two[1]) && rewards.len() > 5, "{rewards:?}");
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_rest_since_the_last_trade_of_any_account() {
    on_both(async |world| {
        // Some accounts of Janischa traded lately; another account of the same client long ago.
        let today = concord::sync::today();
        let ago = [0_i64, 30, 31, 90, 91, 180, 181];
        let mut rows = world.sim.rows("janischa", "accounts");
        let traded: Vec<usize> = (0..rows.len()).filter(|at| rows[*at]["trade_fn"].is_string()).collect();
        for (at, days) in traded.iter().zip(ago) {
            rows[*at]["trade_fn"] = json!(today.saturating_sub(days.days()).to_string());
        }
        let mut last: BTreeMap<String, Option<String>> = BTreeMap::new();
        for row in &rows {
            let day = row["trade_fn"].as_str().map(str::to_owned);
            let known = last.entry(row["client_uid"].as_str().unwrap().to_owned()).or_default();
            *known = day.max(known.take());
        }
        world.sim.replace_rows("janischa", "accounts", rows);
        // What the list of clients says counts as well.
        for row in world.sim.rows("janischa", "clients") {
            let uid = row["client_uid"].as_str().unwrap()[..8].to_owned();
            let known = last.entry(uid).or_default();
            *known = row["trade_fn"].as_str().map(str::to_owned).max(known.take());
        }
        world.sync(0, &["janischa", "xm"]).await;
        let mut expected: BTreeMap<String, i64> = BTreeMap::new();
        for day in last.values() {
            let class = match day
                .as_deref()
                .map(|day| (today - day.parse::<jiff::civil::Date>().unwrap()).get_days())
            {
                None => "none",
                Some(..=30) => "0-30",
                Some(..=90) => "31-90",
                Some(..=180) => "91-180",
                Some(_) => "over-180",
            };
            *expected.entry(class.to_owned()).or_default() += 1;
        }
        let server = Server::start(world).await;
        let shown = lines(&server, "inactive", "system=janischa").await;
        let counted = |class: &str| {
            shown.iter().find(|line| line["class"] == class).unwrap()["clients"].as_i64().unwrap()
        };
        for class in ["0-30", "31-90", "91-180", "over-180"] {
            assert_eq!(counted(class), expected.get(class).copied().unwrap_or(0), "{class}");
        }
        assert_eq!(counted("never") + counted("unknown"), expected["none"]);
        assert!(counted("0-30") >= 1 && counted("never") > 0, "{shown:?}");
        // XM says nothing of trades.
        let xm = lines(&server, "inactive", "system=xm").await;
        let unknown: Vec<&Value> = xm.iter().filter(|line| line["clients"] != 0).collect();
        assert_eq!(
            (unknown.len(), &unknown[0]["class"], &unknown[0]["clients"]),
            (1, &json!("unknown"), &json!(1216))
        );
        server.end().await;
    })
    .await;
}

/// Holds the files of an insight against its lines, and gives the header.
pub async fn files_equal(server: &Server, name: &str, query: &str) -> Vec<String> {
    let expected = lines(server, name, query).await;
    let path = |format: &str| format!("/api/v1/insights/{name}/export?format={format}&{query}");
    let file = server.call("viewer", "GET", &path("csv"), None).await;
    assert_eq!(file.status, 200, "{name}");
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(file.header("content-disposition").unwrap().contains(&format!("{name}.csv")));
    let mut reader = csv::Reader::from_reader(&file.body[3..]);
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows: Vec<Vec<String>> =
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    assert_eq!(rows.len(), expected.len(), "{name}");
    // Every figure of a line is in its row, and no other.
    let known = [
        "currency",
        "clients",
        "accounts",
        "volume_lots",
        "volume_mln_usd",
        "receipts",
        "average_bill",
        "returned",
        "returns",
        "reward_usd",
        "rebate_usd",
        "purchases",
        "spent",
        "points",
    ];
    for (row, line) in rows.iter().zip(&expected) {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut figures: Vec<String> =
            known.iter().filter_map(|name| line.get(*name)).filter(|v| !v.is_null()).map(text).collect();
        let mut written: Vec<String> = row[1..].iter().filter(|cell| !cell.is_empty()).cloned().collect();
        figures.sort();
        written.sort();
        assert_eq!(written, figures, "{name}: {line}");
    }
    let file = server.call("viewer", "GET", &path("xlsx"), None).await;
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(std::io::Cursor::new(file.body)).unwrap();
    let sheet = book.sheet_names()[0].clone();
    let range = book.worksheet_range(&sheet).unwrap();
    let cell = |data: &Data| match data {
        Data::Float(number) => number.to_string(),
        other => other.to_string(),
    };
    let plain = |text: &String| match text.parse::<f64>() {
        Ok(number) => number.to_string(),
        Err(_) => text.clone(),
    };
    assert_eq!(range.rows().next().unwrap().iter().map(cell).collect::<Vec<_>>(), header, "{name}");
    for (shown, row) in range.rows().skip(1).zip(&rows) {
        assert_eq!(
            shown.iter().map(cell).collect::<Vec<_>>(),
            row.iter().map(plain).collect::<Vec<_>>(),
            "{name}"
        );
    }
    assert_eq!(range.rows().count(), rows.len() + 1);
    header
}

#[tokio::test(flavor = "multi_thread")]
async fn files_hold_the_lines_and_what_is_wrong_is_said() {
    on_both(async |world| {
        world.sync(0, &[]).await;
        let server = Server::start(world).await;
        for insight in Insight::ALL.into_iter().filter(|insight| !insight.is_of_shops()) {
            let header = files_equal(&server, insight.word(), "owner=ham").await;
            assert!(header.iter().all(|name| !name.starts_with("insight")), "{header:?}");
        }
        assert_eq!(lines(&server, "purchases", "").await, Vec::<Value>::new(), "nobody has bought anything");
        assert_eq!(lines(&server, "owners", "owner=Nobody").await, Vec::<Value>::new());
        let entries = server.get("/api/v1/audit?action=export").await;
        assert_eq!((&entries["total"], &entries["items"][0]["subject"]), (&json!(10), &json!("insights")));
        for (path, status) in [
            ("/api/v1/insights/none", 404),
            ("/api/v1/insights/none/export", 404),
            ("/api/v1/insights/owners?colour=red", 400),
            ("/api/v1/insights/owners?system=hamm", 400),
            ("/api/v1/insights/owners?system=%00", 400),
            ("/api/v1/insights/owners?owner=%00", 400),
            ("/api/v1/insights/owners/export?format=pdf", 400),
        ] {
            server.call("viewer", "GET", path, None).await.problem(status);
        }
        server.end().await;
    })
    .await;
}
