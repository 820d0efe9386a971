//! The one answer as the API sends it, and what it should not send.

use proptest::prelude::*;

use super::super::http::Gate;
use super::super::http::tests::{brisk, json, serve};
use super::*;

fn xm(url: &str) -> Xm {
    toml::from_str(&format!("base_url = \"{url}\"\ntoken = \"t0ken\"")).unwrap()
}

fn trader(json: &str) -> Result<Account, Reject> {
    xm("https://a.example.test").trader(json)
}

#[test]
fn a_trader_is_read() {
    let read = trader(
        r#"{"traderId":40000001,"clientId":"66000001","country":"Thailand","accountType":"Ultra Low",
        "campaign":" RB you ","tradingPlatform":"MT5","signUpDate":"2025-07-01T09:30:00",
        "activationDate":null,"archived":false,"valid":true}"#,
    );
    let expected = Account {
        client_key: Some("66000001".into()),
        number: "40000001".into(),
        kind: Some("Ultra Low".into()),
        country: Some("TH".into()),
        partner_account: Some("RB you".into()),
        status: Some("ACTIVE".into()),
        opened: Some("2025-07-01".into()),
        ..Account::default()
    };
    assert_eq!(read, Ok(expected));
}

#[test]
fn what_is_missing_stays_unknown() {
    let read = trader(r#"{"traderId":"۴۰۰۰۰۰۰۱","country":"Atlantis","campaign":"null","valid":false}"#);
    let expected = Account {
        number: "40000001".into(),
        partner_account: Some("XM_HAM".into()),
        status: Some("INACTIVE".into()),
        ..Account::default()
    };
    assert_eq!(read, Ok(expected));
    for (row, rule) in [
        (r#"{"clientId":1}"#, "no_key"),
        (r#"{"traderId":""}"#, "no_key"),
        (r#"{"traderId":1,"signUpDate":"July"}"#, "bad_date"),
        ("[1]", "not_an_object"),
        ("nul", "not_an_object"),
    ] {
        assert_eq!(trader(row).unwrap_err().rule, rule, "{row}");
    }
}

#[test]
fn only_a_bare_array_is_a_page() {
    assert_eq!(page("[]").unwrap().rows.len(), 0);
    let read = page(r#"[ {"traderId": 7 }, {"traderId":"8"}, {} ]"#).unwrap();
    let keys: Vec<Option<&str>> = read.rows.iter().map(|row| row.key.as_deref()).collect();
    assert_eq!(keys, [Some("7"), Some("8"), None]);
    assert_eq!(&*read.rows[0].raw, r#"{"traderId": 7 }"#);
    assert_eq!((read.next, read.totals), (None, crate::connect::Totals::default()));
    for text in [r#"{"message":"maintenance"}"#, r#"{"data":[]}"#, "null", "1", "\"[]\""] {
        assert_eq!(page(text).unwrap_err(), NotWhole::Shape("[…]"), "{text}");
    }
    for text in ["[1,", "[] []", "", "[{\"a\"]"] {
        assert_eq!(page(text).unwrap_err(), NotWhole::Broken, "{text}");
    }
}

#[tokio::test]
async fn asks_for_the_window_to_tomorrow() {
    let server = serve(async |_, seen| {
        assert_eq!(seen.token, "Bearer t0ken");
        json(r#"[{"traderId":1}]"#)
    })
    .await;
    let xm = xm(&server.url);
    let http = Http::new("xm", xm.door(), brisk(), Gate::default()).unwrap();
    let ask = Ask { page_size: 1000, today: Date::constant(2026, 12, 31), ..Ask::default() };
    let page = xm.fetch(&http, &xm.streams()[0], None, &ask).await.unwrap();
    assert_eq!((page.rows.len(), page.next), (1, None));
    assert_eq!(
        server.lines(),
        ["GET /trader-statistics/trader-list?startTime=2010-01-01&endTime=2027-01-01"]
    );
}

#[test]
fn settings() {
    let plain: Xm = toml::from_str("token = \"t\"\nstart = \"2020-05-01\"").unwrap();
    assert_eq!(plain.base_url, "https://mypartners.xm.com/api");
    assert_eq!(plain.start, Date::constant(2020, 5, 1));
    assert!(!format!("{:?}", xm("https://a.example.test")).contains("t0ken"));
    assert!(toml::from_str::<Xm>("token = \"t\"\nname = 1").is_err());
    assert!(plain.owns_whole_system());
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,80}", json in "[\\[\\]{}\":,traderId0-9.\\\\u -]{0,80}") {
        for text in [&text, &json] {
            let _ = (page(text), trader(text));
            let quoted = serde_json::to_string(text).unwrap();
            for name in ["clientId", "country", "accountType", "campaign", "signUpDate", "valid"] {
                let _ = trader(&format!("{{\"traderId\":{quoted},\"{name}\":{quoted}}}"));
            }
        }
    }
}
