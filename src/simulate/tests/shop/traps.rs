//! The ways in which bases differ, each switched on, and what is always so.

use super::*;

const ORDER: &str = "$orderby=Period,Recorder,LineNumber";

#[tokio::test]
async fn a_plus_is_no_space() {
    let shopper = Shopper::new().await;
    let path = format!("{CARDS}?$filter=DeletionMark+eq+true");
    assert_eq!(shopper.refused(&path).await, (400, "14".to_owned()));
    shopper.simulator.set_shop_traps([Trap::PlusFails]);
    let response = shopper.ask(&path).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body: Value = response.json_value().await;
    assert_eq!(body["odata.error"]["message"]["value"], "Операция не разрешена в предложении \"ГДЕ\"");
    shopper.simulator.set_shop_traps([Trap::PlusIgnored]);
    let right = shopper.rows(&path.replace('+', "%20")).await.len();
    let all = shopper.count(&format!("{CARDS}/$count")).await;
    assert_eq!((shopper.rows(&path).await.len(), right > 0 && right < all), (all, true));
}

#[tokio::test]
async fn filters_are_refused() {
    let shopper = Shopper::new().await;
    let plain = format!("{SALES}?$filter=Active eq true&$top=1");
    let typed = format!("{SALES}?$filter=isof(Recorder,'Document_ВводНачальныхОстатков')&$top=1");
    let (forbidden, refused, unknown) =
        ((403, "20".to_owned()), (500, "14".to_owned()), (400, "6".to_owned()));
    shopper.simulator.set_shop_traps([Trap::FilterForbidden]);
    assert_eq!(
        (shopper.refused(&plain).await, shopper.refused(&typed).await),
        (forbidden.clone(), forbidden.clone())
    );
    shopper.simulator.set_shop_traps([Trap::FilterRefused]);
    assert_eq!((shopper.refused(&plain).await, shopper.refused(&typed).await), (refused.clone(), refused));
    shopper.simulator.set_shop_traps([Trap::TypedFilterRefused]);
    assert_eq!(shopper.refused(&typed).await, unknown.clone());
    let cast = format!(
        "{SALES}?$filter=Recorder eq cast(guid'00000000-0000-0000-0000-000000000000','Document_ЧекККМ')"
    );
    assert_eq!(shopper.refused(&cast).await, unknown);
    assert_eq!(shopper.rows(&plain).await.len(), 1);
    shopper.simulator.set_shop_traps([Trap::FilterForbidden]);
    assert_eq!(shopper.rows(&format!("{SALES}?$top=1&{ORDER}")).await.len(), 1);
}

#[tokio::test]
async fn orders_are_refused_or_ignored() {
    let shopper = Shopper::new().await;
    let ordered = format!("{SALES}?$top=2&{ORDER}");
    shopper.simulator.set_shop_traps([Trap::OrderForbidden]);
    assert_eq!(shopper.refused(&ordered).await, (403, "20".to_owned()));
    shopper.simulator.set_shop_traps([Trap::OrderRefused]);
    let body = shopper.ask(&ordered).await.text().await.unwrap();
    assert!(body.contains("AUTOORDER"), "{body}");
    assert_eq!(shopper.rows(&format!("{SALES}?$top=2")).await.len(), 2);
    shopper.simulator.set_shop_traps([Trap::DescIgnored]);
    let up = shopper.rows(&format!("{CARDS}?$orderby=Code&$top=5")).await;
    let down = shopper.rows(&format!("{CARDS}?$orderby=Code desc&$top=5")).await;
    assert_eq!(up, down);
}

#[tokio::test]
async fn rows_move_between_requests() {
    let shopper = Shopper::trapped(&[Trap::Unordered]).await;
    let distinct = |rows: &[Value]| {
        rows.iter().map(|row| text(row, "Ref_Key").to_owned()).collect::<BTreeSet<_>>().len()
    };
    let rows = shopper.scan(CARDS, "", 50).await;
    assert!(distinct(&rows) < rows.len(), "rows come twice, so others are missed");
    let ordered = shopper.scan(CARDS, "&$orderby=Ref_Key", 50).await;
    assert_eq!(distinct(&ordered), ordered.len());
    shopper.simulator.set_shop_traps([]);
    let rows = shopper.scan(CARDS, "", 50).await;
    assert_eq!((distinct(&rows), rows), (ordered.len(), shopper.simulator.rows("shop", "cards")));
}

#[tokio::test]
async fn long_pages_break_off() {
    let shopper = Shopper::trapped(&[Trap::LongPages]).await;
    let page = async |top: usize, skip: usize| {
        let response = shopper.ask(&format!("{SALES}?{ORDER}&$top={top}&$skip={skip}")).await;
        response
            .text()
            .await
            .map(|text| serde_json::from_str::<Value>(&text).unwrap()["value"].as_array().unwrap().len())
    };
    assert!(shopper.simulator.rows("shop", "sales").len() > 1_260);
    assert_eq!(page(1_000, 0).await.unwrap(), 1_000);
    assert!(page(1_000, 1_000).await.is_err());
    assert!(page(500, 1_000).await.is_err());
    assert_eq!(page(250, 1_000).await.unwrap(), 250);
    assert_eq!(shopper.rows(&format!("{CUSTOMERS}?$top=1000")).await.len(), 312);
}

#[tokio::test]
async fn errors_look_like_something_else() {
    let shopper = Shopper::trapped(&[Trap::Bom]).await;
    let body = shopper.ask("Catalog_Склады").await.bytes().await.unwrap();
    assert!(body.starts_with(b"\xEF\xBB\xBF{\"odata.error\""));
    let body = shopper.ask(&format!("{CARDS}?$top=1")).await.bytes().await.unwrap();
    assert!(body.starts_with(b"{"));
    shopper.simulator.set_shop_traps([Trap::DisguisedErrors]);
    assert_eq!(shopper.refused("Catalog_Склады").await, (200, "8".to_owned()));
    shopper.simulator.set_shop_traps([Trap::HtmlLogin]);
    let page = shopper.request(&format!("{CARDS}?{JSON}")).send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    shopper.simulator.set_shop_traps([Trap::BusinessError]);
    assert_eq!(shopper.refused(POINTS).await, (500, "-1".to_owned()));
    assert_eq!(shopper.rows(&format!("{CARDS}?$top=1")).await.len(), 1);
}

#[tokio::test]
async fn values_are_written_otherwise() {
    let shopper = Shopper::new().await;
    let path = format!("{SALES}?$filter=isof(Recorder,'Document_ЧекККМ')&$top=1");
    let row = shopper.rows(&path).await.remove(0);
    assert!(row["Количество"].is_number() && row["LineNumber"].is_string());
    shopper.simulator.set_shop_traps([Trap::QuantityText]);
    let row = shopper.rows(&path).await.remove(0);
    assert!(row["Количество"].is_string() && row["Сумма"].is_number());
    shopper.simulator.set_shop_traps([Trap::NoCode]);
    assert_eq!(shopper.rows(&format!("{CARDS}?$top=1")).await[0].get("Code"), None);
    shopper.simulator.set_shop_traps([Trap::CountUnlimits]);
    let all = shopper.rows(&format!("{CARDS}?$top=5&$inlinecount=allpages")).await.len();
    assert_eq!(all, shopper.count(&format!("{CARDS}/$count")).await);
    shopper.simulator.set_shop_traps([Trap::NoBalance]);
    assert_eq!(shopper.refused(&format!("{BALANCE}()")).await, (404, "8".to_owned()));
}

#[tokio::test]
async fn the_first_answer_takes_its_time() {
    let wake = Duration::from_millis(80);
    let options = Options { shop_traps: vec![Trap::SlowFirst], shop_wake: wake, ..Options::default() };
    let shopper = Shopper::with(options).await;
    let begun = Instant::now();
    shopper.ask(CARDS).await;
    assert!(begun.elapsed() >= wake);
}

#[tokio::test]
async fn long_addresses_are_refused() {
    let shopper = Shopper::new().await;
    let keys =
        |count: usize| vec!["Ref_Key eq guid'00000000-0000-0000-0000-000000000000'"; count].join(" or ");
    assert_eq!(shopper.rows(&format!("{CUSTOMERS}?$filter={}", keys(25))).await.len(), 0);
    let refused = shopper.ask(&format!("{CUSTOMERS}?$filter={}", keys(150))).await;
    assert_eq!(refused.status(), StatusCode::URI_TOO_LONG);
    assert!(refused.text().await.unwrap().starts_with('<'));
}

#[tokio::test]
async fn traps_are_switched_by_name() {
    let shopper = Shopper::trapped(&[Trap::Unordered]).await;
    let url = format!("{}/_sim/traps", shopper.simulator.url());
    let get = async || shopper.http.get(&url).send().await.unwrap().json_value().await;
    assert_eq!(get().await, json!(["unordered"]));
    let post = async |body: &str| shopper.http.post(&url).body(body.to_owned()).send().await.unwrap();
    assert_eq!(post(r#"["html_login","bom"]"#).await.status(), StatusCode::OK);
    assert_eq!(get().await, json!(["bom", "html_login"]));
    assert_eq!(shopper.simulator.shop().traps(), [Trap::Bom, Trap::HtmlLogin]);
    let refused = post(r#"["bom","nothing"]"#).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let why = refused.text().await.unwrap();
    for trap in Trap::ALL {
        assert!(why.contains(&trap.name()), "{trap:?}: {why}");
        assert_eq!(trap.name().parse(), Ok(trap));
    }
    assert_eq!(post("{}").await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(get().await, json!(["bom", "html_login"]));
}

#[tokio::test]
async fn faults_meet_the_shop_by_its_readable_names() {
    let shopper = Shopper::new().await;
    for path in [CARDS, "Контрагенты?$top", "$skip=50", "/Balance("] {
        assert_eq!(shopper.simulator.never(&[Fault::new("shop", path, Action::Status)]), None, "{path}");
    }
    assert!(shopper.simulator.never(&[Fault::new("shop", "Catalog_Склады", Action::Status)]).is_some());
    shopper.simulator.set_faults(vec![Fault::new("shop", CARDS, Action::Status).value(503)]);
    assert_eq!(shopper.ask(&format!("{CUSTOMERS}?$top=1")).await.status(), StatusCode::OK);
    assert_eq!(shopper.ask(&format!("{CARDS}?$top=1")).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let entries = shopper.simulator.ledger("shop");
    assert!(
        entries[0].address().ends_with(&format!("{CUSTOMERS}?$top=1&{JSON}")),
        "{}",
        entries[0].address()
    );

    let right = shopper.scan(CARDS, "&$orderby=Ref_Key", 100).await.len();
    for (action, rows) in
        [(Action::Duplicate, right), (Action::Reorder, right), (Action::ForgetTotal, right - 1)]
    {
        shopper.simulator.set_faults(vec![Fault::new("shop", CARDS, action).nth(4)]);
        let keys = shopper.scan(CARDS, "&$orderby=Ref_Key", 100).await;
        assert_eq!(keys.len(), rows, "{action:?}");
        let distinct: BTreeSet<&str> = keys.iter().map(|row| text(row, "Ref_Key")).collect();
        assert!(distinct.len() < right, "{action:?}");
    }
    shopper.simulator.set_faults(vec![Fault::new("shop", "", Action::Expire)]);
    assert_eq!(shopper.ask(CARDS).await.status(), StatusCode::UNAUTHORIZED);
    shopper.simulator.set_faults(vec![Fault::new("shop", "", Action::Empty)]);
    assert_eq!(shopper.rows(CARDS).await.len(), 0);
}

#[tokio::test]
async fn requests_at_the_same_time_are_counted() {
    let shopper = Shopper::new().await;
    let path = format!("{CARDS}?$top=1");
    for _ in 0..3 {
        shopper.ask(&path).await;
    }
    assert_eq!(shopper.simulator.most_at_once("shop"), 1);
    shopper.simulator.set_faults(vec![Fault::new("shop", "", Action::Late).value(700).times(0)]);
    tokio::join!(shopper.ask(&path), shopper.ask(&path), shopper.ask(&path));
    assert_eq!((shopper.simulator.most_at_once("shop"), shopper.simulator.most_at_once("ham")), (3, 0));
    shopper.simulator.clear_ledger();
    assert_eq!(shopper.simulator.most_at_once("shop"), 0);
}
