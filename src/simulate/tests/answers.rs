//! What is served when nothing goes wrong: data, pages, doors, changes, settings.

use super::*;

/// The exact sum of a field, read from the JSON text without floats.
fn sum(rows: &[Value], field: &str) -> Decimal {
    let amount = |row: &Value| {
        let text = row[field].as_str().map_or_else(|| row[field].to_string(), str::to_owned);
        if text == "null" { Decimal::ZERO } else { text.parse().unwrap() }
    };
    rows.iter().map(amount).sum()
}

fn decimal(value: &Value) -> Decimal {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).parse().unwrap()
}

#[tokio::test]
async fn counts_and_totals_are_those_of_the_rows() {
    let visitor = Visitor::new().await;
    let accounts = visitor.json(V1).await;
    let rows = accounts["data"].as_array().unwrap();
    assert_eq!((rows.len(), &accounts["totals"]["count"]), (1363, &json!(1363)));
    assert_eq!(accounts["totals"]["client_uid_count"], 664);
    for field in ["volume_lots", "volume_mln_usd", "reward", "reward_usd"] {
        assert_eq!(decimal(&accounts["totals"][field]), sum(rows, field), "{field}");
    }
    assert!(rows.iter().any(|row| row["reward_usd"] == "null"));

    let clients = visitor.json(&format!("{V2}?limit=1000&ordering=client_uid")).await;
    let clients_rows = clients["data"].as_array().unwrap();
    assert_eq!((clients_rows.len(), &clients["totals"]["count"]), (664, &json!(664)));
    let mut by_client: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for row in rows {
        by_client.entry(row["client_uid"].as_str().unwrap()).or_default().push(row.clone());
    }
    assert_eq!(by_client.values().map(Vec::len).max(), Some(9));
    for client in clients_rows {
        let own = &by_client[&client["client_uid"].as_str().unwrap()[..8]];
        for field in ["volume_lots", "volume_mln_usd", "reward_usd"] {
            assert_eq!(sum(std::slice::from_ref(client), field), sum(own, field), "{field}");
        }
    }
    for field in ["volume_lots", "volume_mln_usd", "reward_usd"] {
        assert_eq!(decimal(&clients["totals"][field]), decimal(&accounts["totals"][field]), "{field}");
    }

    let traders = visitor.json(XM).await;
    let traders = traders.as_array().unwrap();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let distinct: BTreeSet<String> = traders.iter().map(|row| text(&row["clientId"])).collect();
    assert_eq!((traders.len(), distinct.len()), (1216, 1216));

    let truth = visitor.simulator.truth();
    assert_eq!(truth["janischa"]["accounts"]["count"], 357);
    assert_eq!(truth["janischa"]["clients"]["count"], 259);
    assert_eq!(truth["ham"]["accounts"]["sums"]["reward_usd"], sum(rows, "reward_usd").to_string());
}

#[tokio::test]
async fn some_clients_have_several_traders_when_asked_for() {
    let visitor = Visitor::with(Options { xm_several: true, ..Options::default() }).await;
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
    assert!(distinct.len() < 1363, "rows come twice, so others are missed");
    assert_eq!(visitor.json(V2).await["data"].as_array().unwrap().len(), 100);
    assert_eq!(visitor.get(&format!("{V1}?ordering=name")).await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn orders_and_filters_hold() {
    let visitor = Visitor::new().await;
    let page = visitor.json(&format!("{V1}?limit=1000&ordering=client_account")).await;
    let numbers: Vec<u64> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["client_account"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(numbers.is_sorted());
    let page = visitor
        .json(&format!("{V1}?ordering=-reg_date&reg_date_from=2024-01-01&reg_date_to=2024-12-31"))
        .await;
    let rows = page["data"].as_array().unwrap();
    let dates: Vec<&str> = rows.iter().map(|row| row["reg_date"].as_str().unwrap()).collect();
    assert!(!dates.is_empty() && dates.iter().rev().is_sorted());
    assert!(dates.iter().all(|date| date.starts_with("2024")));
    assert_eq!(page["totals"]["count"], rows.len());
    assert_eq!(decimal(&page["totals"]["reward_usd"]), sum(rows, "reward_usd"));
    assert_eq!(
        visitor.get(&format!("{V2}?client_uid=abc")).await.status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert_eq!(visitor.get(&format!("{V1}?client_account=abc")).await.status(), StatusCode::BAD_REQUEST);
    let one = visitor.json(&format!("{V1}?client_account={}", numbers[5])).await;
    assert_eq!(one["totals"]["count"], 1);
}

#[tokio::test]
async fn the_door_is_kept_as_the_brokers_keep_it() {
    let visitor = Visitor::new().await;
    let refused = visitor.try_login("ham", "wrong").await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(refused.text().await.unwrap(), r#"{"detail":"AuthenticationFailed"}"#);
    let answer: Value = visitor.try_login("janischa", "sim-janischa-password").await.json_value().await;
    let token = answer["token"].as_str().unwrap();
    let payload = token.split('.').nth(1).unwrap();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    assert!(serde_json::from_slice::<Value>(&payload).unwrap()["exp"].is_u64());

    let url = format!("{}{V1}?limit=1", visitor.simulator.url());
    let bearer = visitor.http.get(&url).header("authorization", format!("Bearer {}", visitor.token));
    assert_eq!(bearer.send().await.unwrap().status(), StatusCode::OK);
    let foreign =
        visitor.http.get(&url).header("authorization", format!("JWT {token}")).send().await.unwrap();
    assert_eq!(foreign.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(foreign.text().await.unwrap(), r#"{"message":"NotAuthenticated"}"#);
    let nameless = Client::builder().no_proxy().build().unwrap().get(&url).send().await.unwrap();
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
    let mut visitor = Visitor::with(Options { token_life: Duration::ZERO, ..Options::default() }).await;
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
    assert_eq!((trader["loginID"].to_string(), &trader["accountType"]), (login, &row["accountType"]));
    assert_eq!(visitor.get("/xm/api/traders/1").await.status(), StatusCode::NOT_FOUND);
    let window = "startTime=2010-01-01&endTime=2026-12-31";
    assert!(
        visitor.json(&format!("/xm/api/trader-statistics/lot-rebate?{window}")).await["lotRebate"]
            .is_number()
    );
    assert_eq!(
        visitor.json(&format!("/xm/api/trader-statistics/trades?{window}&traderIds=1")).await,
        json!([])
    );
    assert_eq!(visitor.json(&XM.replace("2026-12-31", "2010-01-02")).await, json!([]));
}

#[tokio::test]
async fn one_seed_serves_the_same_bytes() {
    let (one, other) = (Visitor::new().await, Visitor::new().await);
    let third = Visitor::with(Options { seed: 2, ..Options::default() }).await;
    for path in [V1, V2, XM, "/exness-ham/api/reports/clients/?limit=50&offset=50"] {
        let bytes = one.get(path).await.bytes().await.unwrap();
        assert_eq!(bytes, other.get(path).await.bytes().await.unwrap(), "{path}");
        assert_ne!(bytes, third.get(path).await.bytes().await.unwrap(), "{path}");
    }
}

#[tokio::test]
async fn scale_multiplies_everything() {
    let visitor = Visitor::with(Options { scale: 3, ..Options::default() }).await;
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
    for (system, stream, changed) in
        [("ham", "accounts", 137), ("ham", "clients", 67), ("xm", "traders", 122)]
    {
        let before = one.simulator.raw_rows(system, stream);
        assert_eq!(one.simulator.change(system, stream, 10.0), changed);
        let after = one.simulator.raw_rows(system, stream);
        assert_eq!(before.iter().zip(&after).filter(|(old, new)| old != new).count() as u64, changed);
        other.simulator.change(system, stream, 10.0);
        assert_eq!(after, other.simulator.raw_rows(system, stream));
    }
    let page = one.json(V1).await;
    assert_eq!(decimal(&page["totals"]["reward"]), sum(page["data"].as_array().unwrap(), "reward"));

    let url = format!("{}/_sim/change", one.simulator.url());
    let body = json!({ "system": "ham", "stream": "accounts", "percent": 100 }).to_string();
    let answer: Value = one.http.post(&url).body(body).send().await.unwrap().json_value().await;
    assert_eq!(answer, json!({ "changed": 1363 }));
    let body = json!({ "system": "ham", "stream": "nothing", "percent": 1 }).to_string();
    assert_eq!(one.http.post(&url).body(body).send().await.unwrap().status(), StatusCode::BAD_REQUEST);
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
    visitor.simulator.replace_raw_rows("ham", "accounts", rows.iter().map(|row| (*row).to_owned()).collect());
    let text = visitor.get(&format!("{V1}?ordering=client_account")).await.text().await.unwrap();
    assert!(rows.iter().all(|row| text.contains(row)), "{text}");
    assert!(text.contains(r#""count":4,"volume_mln_usd":0,"#), "{text}");
    assert!(text.contains(r#""reward_usd":"112.40""#), "{text}");
    visitor.simulator.replace_rows("xm", "traders", vec![json!({ "traderId": 1, "country": "=1+1" })]);
    assert_eq!(visitor.json(XM).await, json!([{ "traderId": 1, "country": "=1+1" }]));
}

#[test]
fn the_configuration_is_whole() {
    let text = config("http://127.0.0.1:9");
    let config: toml::Table = text.parse().unwrap();
    assert_eq!(
        config["systems"]["janischa"]["base_url"].as_str(),
        Some("http://127.0.0.1:9/exness-janischa")
    );
    assert_eq!(config["systems"]["xm"]["token"].as_str(), Some("sim-xm-token"));
    assert_eq!(config["owners"]["K.kan"].as_str(), Some("Ham"));
    assert!(
        config["systems"]
            .as_table()
            .unwrap()
            .values()
            .all(|system| system["allow_plaintext"].as_bool() == Some(true))
    );
}
