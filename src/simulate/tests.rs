//! Drives the simulator over real HTTP, as its users will.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use base64::Engine as _;
use reqwest::{Client, Method, Response, StatusCode};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Action, Fault, Options, Simulator, config};

const V1: &str = "/exness-ham/api/reports/clients/";
const V2: &str = "/exness-ham/api/v2/reports/clients/";
const XM: &str = "/xm/api/trader-statistics/trader-list?startTime=2010-01-01&endTime=2026-12-31";

/// One who has signed in to Ham and has the token of XM.
struct Visitor {
    simulator: Simulator,
    http: Client,
    token: String,
}

impl Visitor {
    async fn new() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let simulator = Simulator::start(options, None).await.unwrap();
        let http = Client::builder()
            .user_agent("test")
            .no_proxy()
            .build()
            .unwrap();
        let mut visitor = Self {
            simulator,
            http,
            token: String::new(),
        };
        visitor.login().await;
        visitor.simulator.clear_ledger();
        visitor
    }

    async fn login(&mut self) {
        let answer: Value = self
            .try_login("ham", "sim-ham-password")
            .await
            .json_value()
            .await;
        self.token = answer["token"]
            .as_str()
            .unwrap()
            .strip_prefix("JWT ")
            .unwrap()
            .to_owned();
    }

    async fn try_login(&self, name: &str, password: &str) -> Response {
        let url = format!("{}/exness-{name}/api/v2/auth/", self.simulator.url());
        let body = json!({ "login": format!("partner-{name}@example.test"), "password": password });
        self.http
            .post(url)
            .body(body.to_string())
            .send()
            .await
            .unwrap()
    }

    async fn send(&self, path: &str) -> reqwest::Result<Response> {
        let authorization = if path.starts_with("/xm") {
            "Bearer sim-xm-token".to_owned()
        } else {
            format!("JWT {}", self.token)
        };
        let request = self
            .http
            .request(Method::GET, format!("{}{path}", self.simulator.url()));
        request.header("authorization", authorization).send().await
    }

    async fn get(&self, path: &str) -> Response {
        self.send(path).await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    /// Reads a list page by page to its announced count, and gives the keys in the order they came.
    async fn pages(&self, path: &str, ordering: &str, key: &str) -> Vec<String> {
        let (mut keys, mut offset) = (Vec::new(), 0);
        loop {
            let page = self
                .json(&format!("{path}?limit=100&offset={offset}{ordering}"))
                .await;
            let rows = page["data"].as_array().unwrap();
            keys.extend(rows.iter().map(|row| row[key].to_string()));
            offset += 100;
            if offset >= page["totals"]["count"].as_u64().unwrap() {
                return keys;
            }
        }
    }

    fn fault(&self, fault: Fault) {
        self.simulator.set_faults(vec![fault]);
    }
}

/// The exact sum of a field, read from the JSON text without floats.
fn sum(rows: &[Value], field: &str) -> Decimal {
    let amount = |row: &Value| {
        let text = row[field]
            .as_str()
            .map_or_else(|| row[field].to_string(), str::to_owned);
        if text == "null" {
            Decimal::ZERO
        } else {
            text.parse().unwrap()
        }
    };
    rows.iter().map(amount).sum()
}

fn decimal(value: &Value) -> Decimal {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
        .parse()
        .unwrap()
}

#[tokio::test]
async fn counts_and_totals_are_those_of_the_rows() {
    let visitor = Visitor::new().await;
    let accounts = visitor.json(V1).await;
    let rows = accounts["data"].as_array().unwrap();
    assert_eq!(
        (rows.len(), &accounts["totals"]["count"]),
        (1363, &json!(1363))
    );
    assert_eq!(accounts["totals"]["client_uid_count"], 664);
    for field in ["volume_lots", "volume_mln_usd", "reward", "reward_usd"] {
        assert_eq!(
            decimal(&accounts["totals"][field]),
            sum(rows, field),
            "{field}"
        );
    }
    assert!(rows.iter().any(|row| row["reward_usd"] == "null"));

    let clients = visitor
        .json(&format!("{V2}?limit=1000&ordering=client_uid"))
        .await;
    let clients_rows = clients["data"].as_array().unwrap();
    assert_eq!(
        (clients_rows.len(), &clients["totals"]["count"]),
        (664, &json!(664))
    );
    let mut by_client: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for row in rows {
        by_client
            .entry(row["client_uid"].as_str().unwrap())
            .or_default()
            .push(row.clone());
    }
    assert_eq!(by_client.values().map(Vec::len).max(), Some(9));
    for client in clients_rows {
        let own = &by_client[&client["client_uid"].as_str().unwrap()[..8]];
        for field in ["volume_lots", "volume_mln_usd", "reward_usd"] {
            assert_eq!(
                sum(std::slice::from_ref(client), field),
                sum(own, field),
                "{field}"
            );
        }
    }
    for field in ["volume_lots", "volume_mln_usd", "reward_usd"] {
        assert_eq!(
            decimal(&clients["totals"][field]),
            decimal(&accounts["totals"][field]),
            "{field}"
        );
    }

    let traders = visitor.json(XM).await;
    let traders = traders.as_array().unwrap();
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    let distinct: BTreeSet<String> = traders.iter().map(|row| text(&row["clientId"])).collect();
    assert_eq!((traders.len(), distinct.len()), (1216, 1216));

    let truth = visitor.simulator.truth();
    assert_eq!(truth["janischa"]["accounts"]["count"], 357);
    assert_eq!(truth["janischa"]["clients"]["count"], 259);
    assert_eq!(
        truth["ham"]["accounts"]["sums"]["reward_usd"],
        sum(rows, "reward_usd").to_string()
    );
}

#[tokio::test]
async fn some_clients_have_several_traders_when_asked_for() {
    let visitor = Visitor::with(Options {
        xm_several: true,
        ..Options::default()
    })
    .await;
    let truth = visitor.simulator.truth();
    assert_eq!(truth["xm"]["traders"]["count"], 1216);
    assert!(truth["xm"]["traders"]["clients"].as_u64().unwrap() < 900);
}

#[tokio::test]
async fn only_a_fixed_order_reads_every_row_once() {
    let visitor = Visitor::new().await;
    for (path, ordering, key) in [
        (V1, "&ordering=client_account", "client_account"),
        (V1, "&ordering=-reg_date,id", "id"),
        (V2, "&ordering=client_uid", "client_uid"),
    ] {
        let keys = visitor.pages(path, ordering, key).await;
        let distinct: BTreeSet<&String> = keys.iter().collect();
        assert_eq!(keys.len(), distinct.len(), "{ordering}");
    }
    let keys = visitor.pages(V1, "", "id").await;
    let distinct: BTreeSet<&String> = keys.iter().collect();
    assert_eq!(keys.len(), 1363);
    assert!(
        distinct.len() < 1363,
        "rows come twice, so others are missed"
    );
    assert_eq!(
        visitor.json(V2).await["data"].as_array().unwrap().len(),
        100
    );
    assert_eq!(
        visitor.get(&format!("{V1}?ordering=name")).await.status(),
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn orders_and_filters_hold() {
    let visitor = Visitor::new().await;
    let page = visitor
        .json(&format!("{V1}?limit=1000&ordering=client_account"))
        .await;
    let numbers: Vec<u64> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["client_account"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(numbers.is_sorted());
    let page = visitor
        .json(&format!(
            "{V1}?ordering=-reg_date&reg_date_from=2024-01-01&reg_date_to=2024-12-31"
        ))
        .await;
    let rows = page["data"].as_array().unwrap();
    let dates: Vec<&str> = rows
        .iter()
        .map(|row| row["reg_date"].as_str().unwrap())
        .collect();
    assert!(!dates.is_empty() && dates.iter().rev().is_sorted());
    assert!(dates.iter().all(|date| date.starts_with("2024")));
    assert_eq!(page["totals"]["count"], rows.len());
    assert_eq!(
        decimal(&page["totals"]["reward_usd"]),
        sum(rows, "reward_usd")
    );
    assert_eq!(
        visitor.get(&format!("{V2}?client_uid=abc")).await.status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert_eq!(
        visitor
            .get(&format!("{V1}?client_account=abc"))
            .await
            .status(),
        StatusCode::BAD_REQUEST
    );
    let one = visitor
        .json(&format!("{V1}?client_account={}", numbers[5]))
        .await;
    assert_eq!(one["totals"]["count"], 1);
}

#[tokio::test]
async fn the_door_is_kept_as_the_brokers_keep_it() {
    let visitor = Visitor::new().await;
    let refused = visitor.try_login("ham", "wrong").await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        refused.text().await.unwrap(),
        r#"{"detail":"AuthenticationFailed"}"#
    );
    let answer: Value = visitor
        .try_login("janischa", "sim-janischa-password")
        .await
        .json_value()
        .await;
    let token = answer["token"].as_str().unwrap();
    let payload = token.split('.').nth(1).unwrap();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(payload)
        .unwrap();
    assert!(serde_json::from_slice::<Value>(&payload).unwrap()["exp"].is_u64());

    let url = format!("{}{V1}?limit=1", visitor.simulator.url());
    let bearer = visitor
        .http
        .get(&url)
        .header("authorization", format!("Bearer {}", visitor.token));
    assert_eq!(bearer.send().await.unwrap().status(), StatusCode::OK);
    let foreign = visitor
        .http
        .get(&url)
        .header("authorization", format!("JWT {token}"))
        .send()
        .await
        .unwrap();
    assert_eq!(foreign.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        foreign.text().await.unwrap(),
        r#"{"message":"NotAuthenticated"}"#
    );
    let nameless = Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(&url)
        .send()
        .await
        .unwrap();
    assert_eq!(nameless.status(), StatusCode::FORBIDDEN);
    assert!(nameless.text().await.unwrap().starts_with('<'));
    let slashless = visitor.get("/exness-ham/api/reports/clients").await;
    assert_eq!(slashless.status(), StatusCode::NOT_FOUND);
    assert!(slashless.text().await.unwrap().starts_with('<'));
    let xm = visitor
        .http
        .get(format!("{}{XM}", visitor.simulator.url()))
        .bearer_auth("wrong")
        .send()
        .await
        .unwrap();
    assert_eq!(xm.status(), StatusCode::UNAUTHORIZED);
    assert!(xm.text().await.unwrap().starts_with('<'));
}

#[tokio::test]
async fn a_token_ends_with_its_life() {
    let mut visitor = Visitor::with(Options {
        token_life: Duration::ZERO,
        ..Options::default()
    })
    .await;
    assert_eq!(visitor.get(V1).await.status(), StatusCode::UNAUTHORIZED);
    visitor.login().await;
    assert_eq!(visitor.get(V1).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn xm_answers_its_smaller_questions() {
    let visitor = Visitor::new().await;
    let row = visitor.simulator.rows("xm", "traders").remove(0);
    let login = row["traderId"].to_string().replace('"', "");
    let trader = visitor.json(&format!("/xm/api/traders/{login}")).await;
    assert_eq!(
        (trader["loginID"].to_string(), &trader["accountType"]),
        (login, &row["accountType"])
    );
    assert_eq!(
        visitor.get("/xm/api/traders/1").await.status(),
        StatusCode::NOT_FOUND
    );
    let window = "startTime=2010-01-01&endTime=2026-12-31";
    assert!(
        visitor
            .json(&format!("/xm/api/trader-statistics/lot-rebate?{window}"))
            .await["lotRebate"]
            .is_number()
    );
    assert_eq!(
        visitor
            .json(&format!(
                "/xm/api/trader-statistics/trades?{window}&traderIds=1"
            ))
            .await,
        json!([])
    );
    assert_eq!(
        visitor.json(&XM.replace("2026-12-31", "2010-01-02")).await,
        json!([])
    );
}

#[tokio::test]
async fn one_seed_serves_the_same_bytes() {
    let (one, other) = (Visitor::new().await, Visitor::new().await);
    let third = Visitor::with(Options {
        seed: 2,
        ..Options::default()
    })
    .await;
    for path in [
        V1,
        V2,
        XM,
        "/exness-ham/api/reports/clients/?limit=50&offset=50",
    ] {
        let bytes = one.get(path).await.bytes().await.unwrap();
        assert_eq!(
            bytes,
            other.get(path).await.bytes().await.unwrap(),
            "{path}"
        );
        assert_ne!(
            bytes,
            third.get(path).await.bytes().await.unwrap(),
            "{path}"
        );
    }
}

#[tokio::test]
async fn scale_multiplies_everything() {
    let visitor = Visitor::with(Options {
        scale: 3,
        ..Options::default()
    })
    .await;
    let truth = visitor.simulator.truth();
    assert_eq!(truth["ham"]["accounts"]["count"], 3 * 1363);
    assert_eq!(truth["ham"]["clients"]["clients"], 3 * 664);
    assert_eq!(truth["xm"]["traders"]["clients"], 3 * 1216);
    let prefixes: BTreeSet<String> = ["ham", "janischa"]
        .iter()
        .flat_map(|system| visitor.simulator.rows(system, "clients"))
        .map(|row| row["client_uid"].as_str().unwrap()[..8].to_owned())
        .collect();
    assert_eq!(prefixes.len(), 3 * (664 + 259));
}

#[tokio::test]
async fn changes_are_real_and_repeatable() {
    let (one, other) = (Visitor::new().await, Visitor::new().await);
    for (system, stream, changed) in [
        ("ham", "accounts", 137),
        ("ham", "clients", 67),
        ("xm", "traders", 122),
    ] {
        let before = one.simulator.raw_rows(system, stream);
        assert_eq!(one.simulator.change(system, stream, 10.0), changed);
        let after = one.simulator.raw_rows(system, stream);
        assert_eq!(
            before
                .iter()
                .zip(&after)
                .filter(|(old, new)| old != new)
                .count() as u64,
            changed
        );
        other.simulator.change(system, stream, 10.0);
        assert_eq!(after, other.simulator.raw_rows(system, stream));
    }
    let page = one.json(V1).await;
    assert_eq!(
        decimal(&page["totals"]["reward"]),
        sum(page["data"].as_array().unwrap(), "reward")
    );

    let url = format!("{}/_sim/change", one.simulator.url());
    let body = json!({ "system": "ham", "stream": "accounts", "percent": 100 }).to_string();
    let answer: Value = one
        .http
        .post(&url)
        .body(body)
        .send()
        .await
        .unwrap()
        .json_value()
        .await;
    assert_eq!(answer, json!({ "changed": 1363 }));
    let body = json!({ "system": "ham", "stream": "nothing", "percent": 1 }).to_string();
    assert_eq!(
        one.http
            .post(&url)
            .body(body)
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn planted_rows_are_served_as_they_are() {
    let visitor = Visitor::new().await;
    let rows = [
        r#"{"id":1,"client_account":"7","reward_usd":"۱۲٫۴۰","volume_lots":1e400}"#,
        r#"{"client_account":"8","reward_usd":12345678901234567890123456789012.1,"comment":"<script>"}"#,
        r#"{"client_account":9,"reward_usd":1e2}"#,
        "no json",
    ];
    visitor.simulator.replace_raw_rows(
        "ham",
        "accounts",
        rows.iter().map(|row| (*row).to_owned()).collect(),
    );
    let text = visitor
        .get(&format!("{V1}?ordering=client_account"))
        .await
        .text()
        .await
        .unwrap();
    assert!(rows.iter().all(|row| text.contains(row)), "{text}");
    assert!(text.contains(r#""count":4,"volume_mln_usd":0,"#), "{text}");
    assert!(text.contains(r#""reward_usd":"112.40""#), "{text}");
    visitor.simulator.replace_rows(
        "xm",
        "traders",
        vec![json!({ "traderId": 1, "country": "=1+1" })],
    );
    assert_eq!(
        visitor.json(XM).await,
        json!([{ "traderId": 1, "country": "=1+1" }])
    );
}

#[tokio::test]
async fn the_ledger_tells_what_was_asked() {
    let visitor = Visitor::new().await;
    visitor.fault(
        Fault::new("ham", "v2/reports", Action::Status)
            .value(json!({ "code": 429, "retry_after": "1" })),
    );
    let throttled = visitor.get(V2).await;
    assert_eq!(throttled.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(throttled.headers()["retry-after"], "1");
    visitor
        .get(&format!("{V1}?limit=7&api_token=very-secret"))
        .await;
    visitor.get(XM).await;
    visitor.try_login("ham", "very-secret").await;
    let url = format!("{}/_sim/ledger?system=ham", visitor.simulator.url());
    let text = visitor
        .http
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(!text.contains("very-secret") && !text.contains(&visitor.token));
    let entries = visitor.simulator.ledger("ham");
    let told: Vec<_> = entries
        .iter()
        .map(|entry| (entry.path.as_str(), entry.status, entry.rows, entry.fault))
        .collect();
    let login = "/exness-ham/api/v2/auth/";
    assert_eq!(
        told,
        [
            (V2, 429, 0, Some(Action::Status)),
            (V1, 200, 7, None),
            (login, 401, 0, None)
        ]
    );
    assert_eq!(visitor.simulator.ledger("*").len(), 4);
    visitor.simulator.clear_ledger();
    assert!(visitor.simulator.ledger("").is_empty());
}

#[tokio::test]
async fn faults_are_counted_and_end() {
    let visitor = Visitor::new().await;
    let url = format!("{}/_sim/faults", visitor.simulator.url());
    let faults =
        r#"[{"system":"ham","path":"/api/reports","nth":2,"times":2,"do":"status","value":503}]"#;
    assert_eq!(
        visitor
            .http
            .post(&url)
            .body(faults)
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::OK
    );
    visitor.get(V2).await;
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(
            visitor
                .get(&format!("{V1}?limit=1"))
                .await
                .status()
                .as_u16(),
        );
    }
    assert_eq!(codes, [200, 503, 503, 200]);
    let left: Value = visitor
        .http
        .get(&url)
        .send()
        .await
        .unwrap()
        .json_value()
        .await;
    assert_eq!(
        (&left[0]["seen"], &left[0]["left"], &left[0]["do"]),
        (&json!(4), &json!(0), &json!("status"))
    );
    let wrong = visitor
        .http
        .post(&url)
        .body(r#"[{"do":"explode"}]"#)
        .send()
        .await
        .unwrap();
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    visitor.fault(Fault::new("*", "", Action::Status).times(0));
    for path in [V1, XM, V1] {
        assert_eq!(
            visitor.get(path).await.status(),
            StatusCode::INTERNAL_SERVER_ERROR
        );
    }
}

#[tokio::test]
async fn answers_break_as_planned() {
    let mut visitor = Visitor::new().await;
    let path = &format!("{V1}?ordering=client_account&limit=20&offset=20");
    let whole = visitor.get(path).await.bytes().await.unwrap();

    visitor.fault(Fault::new("ham", "", Action::Html));
    let page = visitor.get(path).await;
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.text().await.unwrap().starts_with("<!DOCTYPE html>"));

    visitor.fault(Fault::new("ham", "", Action::Truncate));
    let cut = visitor.get(path).await;
    assert_eq!(cut.content_length(), Some(whole.len() as u64 / 2));
    assert_eq!(cut.bytes().await.unwrap(), whole.slice(..whole.len() / 2));

    visitor.simulator.clear_ledger();
    for (action, rows) in [(Action::DropBefore, 0), (Action::DropAfter, 20)] {
        // The client may repeat a request on a fresh connection by itself, so the fault stays.
        visitor.fault(Fault::new("ham", "", action).times(0));
        assert!(visitor.send(path).await.is_err(), "{action:?}");
        let entry = visitor.simulator.ledger("ham").pop().unwrap();
        assert_eq!(
            (entry.status, entry.rows, entry.fault),
            (0, rows, Some(action))
        );
    }
    visitor.fault(Fault::new("ham", "", Action::DropAfter).value("half"));
    assert!(visitor.get(path).await.bytes().await.is_err());

    visitor.fault(Fault::new("ham", "", Action::Empty).times(2));
    assert_eq!(
        visitor.get(path).await.text().await.unwrap(),
        r#"{"data":[],"totals":{"count":0}}"#
    );
    visitor.fault(Fault::new("ham", "", Action::Empty).value("page"));
    let page = visitor.json(path).await;
    assert_eq!(
        (&page["data"], &page["totals"]["count"]),
        (&json!([]), &json!(1363))
    );
    visitor.fault(Fault::new("*", "", Action::Empty).value("body"));
    assert!(visitor.get(path).await.bytes().await.unwrap().is_empty());
    visitor.fault(Fault::new("xm", "", Action::Empty));
    assert_eq!(visitor.json(XM).await, json!([]));

    visitor.fault(Fault::new("ham", "", Action::Expire));
    for _ in 0..2 {
        assert_eq!(visitor.get(path).await.status(), StatusCode::UNAUTHORIZED);
    }
    visitor.login().await;
    assert_eq!(visitor.get(path).await.bytes().await.unwrap(), whole);
    visitor.fault(Fault::new("xm", "", Action::Expire));
    assert_eq!(visitor.get(XM).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(visitor.get(XM).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn pages_mislead_as_planned() {
    let visitor = Visitor::new().await;
    let ordering = "&ordering=client_account";
    let right = visitor.pages(V1, ordering, "id").await;
    for (action, rows, distinct) in [
        (Action::Duplicate, 1363, 1358),
        (Action::Reorder, 1363, 1263),
        (Action::ForgetTotal, 1362, 1362),
    ] {
        visitor.fault(Fault::new("ham", "/api/reports", action).nth(3));
        let keys = visitor.pages(V1, ordering, "id").await;
        let known: BTreeSet<&String> = keys.iter().collect();
        assert_eq!((keys.len(), known.len()), (rows, distinct), "{action:?}");
        assert_eq!(keys[..200], right[..200], "{action:?}");
    }
    visitor.fault(Fault::new("ham", "", Action::Duplicate).times(0));
    let beyond = visitor
        .json(&format!("{V1}?limit=10&offset=5000{ordering}"))
        .await;
    assert_eq!(beyond["data"], json!([]));
    for (action, rows) in [
        (Action::Duplicate, 1221),
        (Action::Reorder, 1216),
        (Action::ForgetTotal, 1215),
    ] {
        visitor.fault(Fault::new("xm", "", action));
        assert_eq!(
            visitor.json(XM).await.as_array().unwrap().len(),
            rows,
            "{action:?}"
        );
    }
}

#[tokio::test]
async fn answers_take_their_time_as_planned() {
    let visitor = Visitor::new().await;
    let path = &format!("{V1}?ordering=client_account&limit=1");
    let whole = visitor.get(path).await.bytes().await.unwrap();
    let begun = Instant::now();
    visitor.fault(Fault::new("ham", "", Action::Late).value(60));
    assert_eq!(visitor.get(path).await.bytes().await.unwrap(), whole);
    assert!(begun.elapsed() >= Duration::from_millis(60));
    let begun = Instant::now();
    visitor.fault(Fault::new("ham", "", Action::Slow).value(2));
    assert_eq!(visitor.get(path).await.bytes().await.unwrap(), whole);
    assert!(begun.elapsed() >= Duration::from_millis(2 * whole.len() as u64 / 16));

    visitor.fault(Fault::new("ham", "", Action::Hang).times(0));
    let request = visitor
        .http
        .get(format!("{}{path}", visitor.simulator.url()))
        .timeout(Duration::from_millis(50));
    assert!(request.send().await.unwrap_err().is_timeout());
    assert_eq!(
        visitor.simulator.ledger("ham").pop().unwrap().fault,
        Some(Action::Hang)
    );
}

#[tokio::test]
async fn it_stops_in_the_middle_of_anything_and_its_port_is_free_again() {
    let visitor = Visitor::new().await;
    visitor.fault(Fault::new("ham", "", Action::Hang).times(0));
    let url = visitor.simulator.url();
    let waiting = tokio::spawn(visitor.http.get(format!("{url}{V1}")).send());
    while visitor.simulator.ledger("ham").is_empty() {
        tokio::task::yield_now().await;
    }
    let begun = Instant::now();
    visitor.simulator.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(4));
    assert!(waiting.await.unwrap().is_err());
    let port = url.rsplit(':').next().unwrap().parse().unwrap();
    let again = Simulator::start(Options::default(), Some(port))
        .await
        .unwrap();
    assert_eq!(again.url(), url);
}

#[test]
fn the_configuration_is_whole() {
    let text = config("http://127.0.0.1:9");
    let config: toml::Table = text.parse().unwrap();
    assert_eq!(
        config["systems"]["janischa"]["base_url"].as_str(),
        Some("http://127.0.0.1:9/exness-janischa")
    );
    assert_eq!(
        config["systems"]["xm"]["token"].as_str(),
        Some("sim-xm-token")
    );
    assert_eq!(config["owners"]["K.kan"].as_str(), Some("Ham"));
    assert!(
        config["systems"]
            .as_table()
            .unwrap()
            .values()
            .all(|system| system["allow_plaintext"].as_bool() == Some(true))
    );
}

/// Reads an answer as JSON.
trait JsonValue {
    async fn json_value(self) -> Value;
}

impl JsonValue for Response {
    async fn json_value(self) -> Value {
        serde_json::from_str(&self.text().await.unwrap()).unwrap()
    }
}
