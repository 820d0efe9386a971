//! What goes wrong on purpose, and what the ledger tells about it.

use super::*;

#[tokio::test]
async fn the_ledger_tells_what_was_asked() {
    let visitor = Visitor::new().await;
    visitor.fault(
        Fault::new("ham", "v2/reports", Action::Status).value(json!({ "code": 429, "retry_after": "1" })),
    );
    let throttled = visitor.get(V2).await;
    assert_eq!(throttled.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(throttled.headers()["retry-after"], "1");
    visitor.get(&format!("{V1}?limit=7&api_token=very-secret")).await;
    visitor.get(XM).await;
    visitor.try_login("ham", "very-secret").await;
    let url = format!("{}/_sim/ledger?system=ham", visitor.simulator.url());
    let text = visitor.http.get(url).send().await.unwrap().text().await.unwrap();
    assert!(!text.contains("very-secret") && !text.contains(&visitor.token));
    let entries = visitor.simulator.ledger("ham");
    let told: Vec<_> =
        entries.iter().map(|entry| (entry.path.as_str(), entry.status, entry.rows, entry.fault)).collect();
    let login = "/exness-ham/api/v2/auth/";
    assert_eq!(told, [(V2, 429, 0, Some(Action::Status)), (V1, 200, 7, None), (login, 401, 0, None)]);
    assert_eq!(visitor.simulator.ledger("*").len(), 4);
    visitor.simulator.clear_ledger();
    assert!(visitor.simulator.ledger("").is_empty());
}

#[tokio::test]
async fn faults_are_counted_and_end() {
    let visitor = Visitor::new().await;
    let url = format!("{}/_sim/faults", visitor.simulator.url());
    let faults = r#"[{"system":"ham","path":"/api/reports","nth":2,"times":2,"do":"status","value":503}]"#;
    assert_eq!(visitor.http.post(&url).body(faults).send().await.unwrap().status(), StatusCode::OK);
    visitor.get(V2).await;
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(visitor.get(&format!("{V1}?limit=1")).await.status().as_u16());
    }
    assert_eq!(codes, [200, 503, 503, 200]);
    let left: Value = visitor.http.get(&url).send().await.unwrap().json_value().await;
    assert_eq!(
        (&left[0]["seen"], &left[0]["left"], &left[0]["do"]),
        (&json!(4), &json!(0), &json!("status"))
    );
    let wrong = visitor.http.post(&url).body(r#"[{"do":"explode"}]"#).send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    visitor.fault(Fault::new("*", "", Action::Status).times(0));
    for path in [V1, XM, V1] {
        assert_eq!(visitor.get(path).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
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
        assert_eq!((entry.status, entry.rows, entry.fault), (0, rows, Some(action)));
    }
    visitor.fault(Fault::new("ham", "", Action::DropAfter).value("half"));
    assert!(visitor.get(path).await.bytes().await.is_err());

    visitor.fault(Fault::new("ham", "", Action::Empty).times(2));
    assert_eq!(visitor.get(path).await.text().await.unwrap(), r#"{"data":[],"totals":{"count":0}}"#);
    visitor.fault(Fault::new("ham", "", Action::Empty).value("page"));
    let page = visitor.json(path).await;
    assert_eq!((&page["data"], &page["totals"]["count"]), (&json!([]), &json!(1363)));
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
    for (action, rows, distinct) in
        [(Action::Duplicate, 1363, 1358), (Action::Reorder, 1363, 1263), (Action::ForgetTotal, 1362, 1362)]
    {
        visitor.fault(Fault::new("ham", "/api/reports", action).nth(3));
        let keys = visitor.pages(V1, ordering, "id").await;
        let known: BTreeSet<&String> = keys.iter().collect();
        assert_eq!((keys.len(), known.len()), (rows, distinct), "{action:?}");
        assert_eq!(keys[..200], right[..200], "{action:?}");
    }
    visitor.fault(Fault::new("ham", "", Action::Duplicate).times(0));
    let beyond = visitor.json(&format!("{V1}?limit=10&offset=5000{ordering}")).await;
    assert_eq!(beyond["data"], json!([]));
    for (action, rows) in [(Action::Duplicate, 1221), (Action::Reorder, 1216), (Action::ForgetTotal, 1215)] {
        visitor.fault(Fault::new("xm", "", action));
        assert_eq!(visitor.json(XM).await.as_array().unwrap().len(), rows, "{action:?}");
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
    let request =
        visitor.http.get(format!("{}{path}", visitor.simulator.url())).timeout(Duration::from_millis(50));
    assert!(request.send().await.unwrap_err().is_timeout());
    assert_eq!(visitor.simulator.ledger("ham").pop().unwrap().fault, Some(Action::Hang));
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
    let again = Simulator::start(Options::default(), Some(port)).await.unwrap();
    assert_eq!(again.url(), url);
}
