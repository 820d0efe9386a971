//! Pages as the API sends them, and pages and rows it should not send.

use proptest::prelude::*;

use super::super::http::tests::{Server, brisk, json, serve, status};
use super::super::http::{Gate, Limits};
use super::*;

const UID: &str = "3f9a01bc-1111-4222-8333-444455556666";

fn exness(url: &str) -> Exness {
    toml::from_str(&format!("base_url = \"{url}\"\nlogin = \"partner@example.test\"\npassword = \"p4ss\""))
        .unwrap()
}

fn client_row(name: &str, value: &str) -> Result<Party, Reject> {
    let mut row = serde_json::json!({
        "client_uid": UID, "partner_account": "1100000000000000001", "reg_date": "2025-07-01",
        "client_country": "TH", "volume_lots": 1.25, "volume_mln_usd": 0.1432, "reward_usd": "12.40",
        "rebate_amount_usd": 3.1, "trade_fn": "2025-07-15", "client_status": "Active",
        "kyc_passed": true, "ftd_received": true, "ftt_made": false, "client_balance": 3
    });
    row[name] = serde_json::Value::Null;
    // The token is put in as text, so that numbers no float can hold arrive as they are.
    let text = row.to_string().replace(&format!("\"{name}\":null"), &format!("\"{name}\":{value}"));
    client(&text)
}

fn account_row(name: &str, value: &str) -> Result<Account, Reject> {
    let mut row = serde_json::json!({
        "id": 801234567, "partner_account": "1100000000000000001", "partner_account_name": "partner",
        "client_uid": "3f9a01bc", "country": "TH", "currency": "USD", "reg_date": "2025-07-01",
        "volume_lots": 1.25, "volume_mln_usd": 0.1432, "trade_fn": null, "reward": "12.40",
        "reward_usd": "12.40", "comment": null, "client_account": "140000001",
        "client_account_type": "Standard Cent"
    });
    row[name] = serde_json::Value::Null;
    let text = row.to_string().replace(&format!("\"{name}\":null"), &format!("\"{name}\":{value}"));
    account(&text)
}

#[test]
fn a_client_is_read() {
    let read = client_row("comment", "null").unwrap();
    let expected = Party {
        client_key: "3f9a01bc".into(),
        country: Some("TH".into()),
        status: Some("ACTIVE".into()),
        flags: Some("kyc_passed ftd_received".into()),
        partner_account: Some("1100000000000000001".into()),
        registered: Some("2025-07-01".into()),
        last_trade: Some("2025-07-15".into()),
        volume_lots: Some(125_000_000),
        volume_mln_usd: Some(14_320_000),
        reward_usd: Some(1240),
        rebate_usd: Some(310),
    };
    assert_eq!(read, expected);
    let bare = client(&format!("{{\"client_uid\":\"{}\"}}", UID.to_uppercase())).unwrap();
    assert_eq!(bare, Party { client_key: "3f9a01bc".into(), ..Party::default() });
}

#[test]
fn an_account_is_read() {
    let read = account_row("comment", "null").unwrap();
    let expected = Account {
        client_key: Some("3f9a01bc".into()),
        number: "140000001".into(),
        kind: Some("Standard Cent".into()),
        currency: Some("USD".into()),
        country: Some("TH".into()),
        partner_account: Some("1100000000000000001".into()),
        opened: Some("2025-07-01".into()),
        volume_lots: Some(125_000_000),
        volume_mln_usd: Some(14_320_000),
        reward: Some(1240),
        reward_usd: Some(1240),
        ..Account::default()
    };
    assert_eq!(read, expected);
}

#[test]
fn the_amounts_of_a_row_that_is_left_out_are_its_own() {
    let exness: Exness = toml::from_str("login = \"a\"\npassword = \"b\"").unwrap();
    let raw = r#"{"reg_date":"soon","volume_lots":"1.5","reward_usd":12.4,"rebate_amount_usd":"0.25"}"#;
    let sums = exness.amounts(&STREAMS[0], raw);
    let sum = |measure| sums.get(measure);
    assert_eq!(
        [sum(VOLUME_LOTS), sum(REWARD_USD), sum(REBATE_USD)],
        [Some(150_000_000), Some(1240), Some(25)]
    );
    assert_eq!(sum(VOLUME_MLN_USD), Some(0));
}

#[test]
fn amounts_are_exact_or_refused() {
    for (value, expected) in [
        ("12.4", Ok(Some(1240))),
        ("\"12.40\"", Ok(Some(1240))),
        ("\"۱۲٫۴۰\"", Ok(Some(1240))),
        ("\"null\"", Ok(None)),
        ("null", Ok(None)),
        ("\"\"", Ok(None)),
        ("\"-3\"", Ok(Some(-300))),
        ("12.405", Err("amount_not_exact")),
        ("\"NaN\"", Err("amount_not_exact")),
        ("true", Err("amount_not_exact")),
        ("[1]", Err("amount_not_exact")),
        ("1e400", Err("amount_too_large")),
        ("12345678901234567890123456789", Err("amount_too_large")),
    ] {
        let read = account_row("reward_usd", value).map(|a| a.reward_usd).map_err(|r| (r.rule, r.field));
        assert_eq!(read, expected.map_err(|rule| (rule, "reward_usd")), "{value}");
        let read = client_row("rebate_amount_usd", value).map(|c| c.rebate_usd).map_err(|r| r.field);
        assert_eq!(read, expected.map_err(|_| "rebate_amount_usd"), "{value}");
    }
}

#[test]
fn odd_rows() {
    let rule = |row: Result<Party, Reject>| row.map(|_| ()).map_err(|reject| reject.rule);
    for (name, value, expected) in [
        ("client_uid", "null", Err("no_key")),
        ("client_uid", "\"\"", Err("no_key")),
        ("client_uid", "\"3f9a01bc\"", Err("bad_uid")),
        ("client_uid", "\"3g9a01bc-1111-4222-8333-444455556666\"", Err("bad_uid")),
        ("reg_date", "\"01.07.2025\"", Err("bad_date")),
        ("trade_fn", "\"2025-02-30\"", Err("bad_date")),
        ("trade_fn", "20250701", Err("bad_date")),
        ("partner_account", "1100000000000000001", Ok(())),
        ("volume_lots", "\"1.25\"", Ok(())),
    ] {
        assert_eq!(rule(client_row(name, value)), expected, "{name} {value}");
    }
    for text in ["[]", "null", "\"x\"", "1", "", "{"] {
        assert_eq!(rule(client(text)), Err("not_an_object"), "{text}");
        assert!(account(text).is_err(), "{text}");
    }
    assert_eq!(client_row("client_status", "\"frozen\"").unwrap().status.as_deref(), Some("FROZEN"));
    assert_eq!(
        client_row("partner_account", "1100000000000000001").unwrap().partner_account.unwrap().len(),
        19
    );
    assert_eq!(account_row("client_account", "140000001").unwrap().number, "140000001");
    assert_eq!(account_row("client_account", "null").unwrap_err().field, "client_account");
    assert_eq!(account_row("id", "null").unwrap_err().rule, "no_key");
    assert_eq!(account_row("client_uid", "null").unwrap().client_key, None);
    let whole = account_row("client_uid", &format!("\"{UID}\"")).unwrap();
    assert_eq!(whole.client_key.as_deref(), Some("3f9a01bc"));
}

#[test]
fn pages_keep_their_rows_byte_for_byte() {
    let text = r#" {"data": [ {"id": 1,  "x" :1.50e2}, {"id":"2"}, {"x":"\u0041"}, 7 ],
        "totals": {"count": "9", "volume_lots": 3.25, "volume_mln_usd": "a", "reward_usd": "12.40"}} "#;
    let page = page(text, 2, "id").unwrap();
    let raws: Vec<&str> = page.rows.iter().map(|row| &*row.raw).collect();
    assert_eq!(raws, [r#"{"id": 1,  "x" :1.50e2}"#, r#"{"id":"2"}"#, r#"{"x":"\u0041"}"#, "7"]);
    let keys: Vec<Option<&str>> = page.rows.iter().map(|row| row.key.as_deref()).collect();
    assert_eq!(keys, [Some("1"), Some("2"), None, None]);
    assert_eq!(page.next, Some(Cursor("6".into())));
    assert_eq!(page.totals.count, Some(9));
    assert_eq!(page.totals.sums.get(VOLUME_LOTS), Some(325_000_000));
    assert_eq!(page.totals.sums.get(VOLUME_MLN_USD), None);
    assert_eq!(page.totals.sums.get(REWARD_USD), Some(1240));
}

#[test]
fn only_a_whole_envelope_is_a_page() {
    for (text, expected) in [
        (r#"{"data":[],"totals":{"count":0}}"#, Ok(None)),
        (r#"{"data":[],"totals":{"count":5}}"#, Ok(None)),
        (r#"{"data":[{}],"totals":{"count":2}}"#, Ok(Some("1"))),
        (r#"{"data":[{},{}],"totals":{"count":2}}"#, Ok(None)),
        (r#"{"data":[]}"#, Err(NotWhole::Shape("totals"))),
        (r#"{"totals":{"count":0}}"#, Err(NotWhole::Shape("data"))),
        (r#"[[],{"count":0}]"#, Err(NotWhole::Shape("{…}"))),
        ("[]", Err(NotWhole::Shape("{…}"))),
        (r#"{"data":null,"totals":{"count":0}}"#, Err(NotWhole::Shape("data"))),
        (r#"{"data":[],"totals":{}}"#, Err(NotWhole::Shape("totals.count"))),
        (r#"{"data":[],"totals":{"count":-1}}"#, Err(NotWhole::Shape("totals.count"))),
        (r#"{"data":[],"totals":[]}"#, Err(NotWhole::Shape("totals"))),
        (r#"{"data":{},"totals":{"count":0}}"#, Err(NotWhole::Shape("data"))),
        (r#"{"data":[{"#, Err(NotWhole::Broken)),
        (r#"{"data":[],"totals":{"count":0}} x"#, Err(NotWhole::Broken)),
    ] {
        let read = page(text, 0, "id").map(|page| page.next.map(|next| next.0));
        assert_eq!(read, expected.map(|next| next.map(str::to_owned)), "{text}");
    }
}

async fn partner() -> Server {
    serve(async |_, seen| {
        if seen.line == "POST /api/v2/auth/" {
            return json(r#"{"token":"JWT t"}"#);
        }
        if seen.token != "JWT t" {
            return status(401, "{}");
        }
        match seen.line.split("offset=").nth(1).map(|rest| rest.split('&').next()) {
            Some(Some("0")) => json(r#"{"data":[{"id":1},{"id":2}],"totals":{"count":3}}"#),
            Some(Some("2")) => json(r#"{"data":[{"id":3}],"totals":{"count":3}}"#),
            _ => status(400, "{}"),
        }
    })
    .await
}

#[tokio::test]
async fn pages_to_the_end_and_resumes_anywhere() {
    let server = partner().await;
    let exness = exness(&server.url);
    let http = Http::new("ham", exness.door(), brisk(), Gate::default()).unwrap();
    let ask = Ask { page_size: 2, ..Ask::default() };
    let accounts = &exness.streams()[1];
    let first = exness.fetch(&http, accounts, None, &ask).await.unwrap();
    let second = exness.fetch(&http, accounts, first.next.as_ref(), &ask).await.unwrap();
    assert_eq!((first.rows.len(), second.rows.len(), second.next), (2, 1, None));
    assert_eq!(
        server.lines()[1..],
        [
            "GET /api/reports/clients/?limit=2&offset=0&ordering=client_account",
            "GET /api/reports/clients/?limit=2&offset=2&ordering=client_account",
        ]
    );
    let big = Ask { page_size: 5000, ..Ask::default() };
    exness.fetch(&http, &exness.streams()[0], None, &big).await.unwrap();
    assert_eq!(server.lines()[3], "GET /api/v2/reports/clients/?limit=1000&offset=0&ordering=client_uid");
    let bad = exness.fetch(&http, accounts, Some(&Cursor("x".into())), &ask).await.unwrap_err();
    assert!(matches!(bad, Error::Unexpected(_)));
}

#[tokio::test]
async fn another_shape_is_an_error_never_an_empty_page() {
    let server = serve(async |_, seen| match seen.line.starts_with("POST") {
        true => json(r#"{"token":"t"}"#),
        false => json(r#"{"results":[]}"#),
    })
    .await;
    let exness = exness(&server.url);
    let limits = Limits { attempts: 2, ..brisk() };
    let http = Http::new("ham", exness.door(), limits, Gate::default()).unwrap();
    let error = exness.fetch(&http, &exness.streams()[0], None, &Ask::default()).await.unwrap_err();
    assert!(matches!(error, Error::Unexpected(message) if message.args["missing"] == "data"));
    assert_eq!(server.lines().len(), 3);
}

#[test]
fn settings() {
    let plain: Exness = toml::from_str("login = \"a\"\npassword = \"b\"").unwrap();
    assert_eq!(plain.base_url, "https://my.exnessaffiliates.com");
    assert!(!format!("{:?}", exness("https://a.example.test")).contains("p4ss"));
    assert!(toml::from_str::<Exness>("login = \"a\"\npassword = \"b\"\nuser = 1").is_err());
    assert!(toml::from_str::<Exness>("login = \"a\"").is_err());
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,80}", json in "[\\[\\]{}\":,dataounlscei0-9.\\\\u -]{0,80}", offset: u64) {
        for text in [&text, &json] {
            let _ = (page(text, offset, "id"), client(text), account(text));
            let quoted = serde_json::to_string(text).unwrap();
            for name in CLIENT {
                let _ = client_row(name, &quoted);
            }
            for name in ACCOUNT {
                let _ = account_row(name, &quoted);
            }
            let _ = page(&format!("{{\"data\":[{quoted}],\"totals\":{{\"count\":{quoted}}}}}"), offset, "id");
        }
    }

    #[test]
    fn rows_come_out_as_they_went_in(rows in prop::collection::vec("\\PC{0,20}", 0..8), offset in 0_u64..9) {
        let rows: Vec<String> =
            rows.iter().map(|text| serde_json::json!({ "id": text, "n": 1 }).to_string()).collect();
        let text = format!("{{\"data\":[{}],\"totals\":{{\"count\":8}}}}", rows.join(","));
        let page = page(&text, offset, "id").unwrap();
        let raws: Vec<&str> = page.rows.iter().map(|row| &*row.raw).collect();
        prop_assert_eq!(raws, rows.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(page.next.is_some(), !rows.is_empty() && offset + (rows.len() as u64) < 8);
    }
}
