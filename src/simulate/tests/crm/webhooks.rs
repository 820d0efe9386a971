//! Webhooks as a receiver sees them: in time, late, twice, in the wrong order, or not at all.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{Method, Uri};

use super::*;

/// What came in, word for word.
type Seen = Arc<Mutex<Vec<String>>>;

/// A receiver and where it is.
async fn receiver() -> (Seen, String) {
    let seen = Seen::default();
    let take = async |State(seen): State<Seen>, method: Method, uri: Uri, body: String| {
        seen.lock().unwrap().push(format!("{method} {uri}{body}"));
    };
    let router = Router::new().fallback(take).with_state(Arc::clone(&seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/webhook/crm/sim-webhook-token", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (seen, base)
}

/// What a receiver got of these ids, in order, by their places.
async fn places(seller: &Seller, seen: &Seen, ids: &[String]) -> Vec<usize> {
    seller.simulator.webhooks_sent().await;
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    seen.iter().map(|one| ids.iter().position(|id| one.contains(id.as_str())).unwrap()).collect()
}

/// Changes these, one after the other.
fn touch(seller: &Seller, ids: &[String]) {
    for id in ids {
        assert!(seller.crm().edit(id, &json!({ "description": "پیگیری" })));
    }
}

async fn world() -> (Seller, Seen, Webhooks, Vec<String>) {
    let seller = Seller::new().await;
    let (seen, base) = receiver().await;
    let ids = (0..4).map(|_| seller.crm().create_person(&json!({ "firstName": "یک" }))).collect();
    (seller, seen, Webhooks::to(&base), ids)
}

#[tokio::test]
async fn every_change_is_hinted_at() {
    let seller = Seller::new().await;
    let (seen, base) = receiver().await;
    seller.simulator.set_webhooks(Some(Webhooks::to(&base)));
    let crm = seller.crm();
    let organization = crm.create_organization(&json!({ "nickName": "ن" }));
    let quote = crm.add_quote(&json!({ "identityId": organization }));
    let invoice = crm.add_invoice(&json!({ "refId": quote }));
    let person = seller.good("crmobject/person/create", super::person("100-9001")).await;
    let person = text(&person, "crmId");
    let mut body = super::person("100-9001");
    body["crmId"] = json!(person);
    seller.good("crmobject/person/update", body).await;
    crm.delete(person);
    seller.simulator.webhooks_sent().await;
    let token = "/webhook/crm/sim-webhook-token";
    let company = "%D9%85%D8%B4%D8%AA%D8%B1%DB%8C+%D8%AD%D9%82%D9%88%D9%82%DB%8C";
    let human = "%D9%85%D8%B4%D8%AA%D8%B1%DB%8C+%D8%AD%D9%82%DB%8C%D9%82%DB%8C";
    let got = seen.lock().unwrap().clone();
    assert_eq!(
        got[0],
        format!("GET {token}/identity?event=Insert&id={organization}&type=Identity&subtype={company}")
    );
    assert!(
        got[1].starts_with(&format!("GET {token}/quote?event=Insert&id={quote}&type=Quote&subtype=%D9%BE"))
    );
    assert!(
        got[2].starts_with(&format!("GET {token}/invoice?event=Insert&id={invoice}&type=Invoice&subtype="))
    );
    let tail: Vec<String> = ["Insert", "Update", "Delete"]
        .iter()
        .map(|event| format!("GET {token}/identity?event={event}&id={person}&type=Identity&subtype={human}"))
        .collect();
    assert_eq!(got[3..], tail);
    let sent = seller.simulator.webhooks();
    assert_eq!((sent.len(), sent[5].status), (6, 200));
    assert!(sent[5].address.starts_with("/identity?event=Delete"));

    seller.simulator.set_webhooks(Some(Webhooks { numbers: true, ..Webhooks::to(&base) }));
    crm.number_quote(&quote);
    seller.simulator.set_webhooks(None);
    crm.delete(&quote);
    seller.simulator.webhooks_sent().await;
    assert_eq!(seller.simulator.webhooks().len(), 7);
    assert!(seen.lock().unwrap()[6].contains("/quote?event=1&"));
    // A refused write is no change.
    seller.simulator.set_webhooks(Some(Webhooks::to(&base)));
    seller.refused(400, "crmobject/person/create", json!({})).await;
    seller.simulator.webhooks_sent().await;
    assert_eq!(seller.simulator.webhooks().len(), 7);
}

#[tokio::test]
async fn they_come_twice_or_in_another_order_or_not_at_all() {
    let (seller, seen, plain, ids) = world().await;
    let set = |webhooks: Webhooks| seller.simulator.set_webhooks(Some(webhooks));
    set(plain.clone());
    touch(&seller, &ids);
    assert_eq!(places(&seller, &seen, &ids).await, [0, 1, 2, 3]);
    set(Webhooks { double: true, ..plain.clone() });
    touch(&seller, &ids[..2]);
    assert_eq!(places(&seller, &seen, &ids).await, [0, 0, 1, 1]);
    set(Webhooks { drop: Some(2), ..plain.clone() });
    touch(&seller, &ids);
    assert_eq!(places(&seller, &seen, &ids).await, [0, 2]);
    set(Webhooks { drop: Some(1), ..plain.clone() });
    touch(&seller, &ids);
    assert!(places(&seller, &seen, &ids).await.is_empty());
    set(Webhooks { reorder: true, ..plain.clone() });
    touch(&seller, &ids);
    assert_eq!(places(&seller, &seen, &ids).await, [3, 2, 1, 0]);
    let begun = Instant::now();
    set(Webhooks { delay_ms: 80, ..plain });
    touch(&seller, &ids);
    assert!(seen.lock().unwrap().is_empty());
    assert_eq!(places(&seller, &seen, &ids).await, [0, 1, 2, 3]);
    assert!(begun.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn nobody_at_home_is_no_reason_to_try_again() {
    let (seller, _, _, ids) = world().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/x", listener.local_addr().unwrap());
    drop(listener);
    seller.simulator.set_webhooks(Some(Webhooks::to(&base)));
    touch(&seller, &ids[..1]);
    seller.simulator.webhooks_sent().await;
    let sent = seller.simulator.webhooks();
    assert_eq!((sent.len(), sent[0].status), (1, 0));
}

#[tokio::test]
async fn they_are_switched_by_http() {
    let (seller, seen, plain, ids) = world().await;
    let url = format!("{}/_sim/webhooks", seller.simulator.url());
    let post = async |body: Value| {
        seller.http.post(&url).body(body.to_string()).send().await.unwrap().status().as_u16()
    };
    assert_eq!(
        post(json!({ "url": plain.base, "drop": 3, "double": true, "delay_ms": 1, "reorder": true })).await,
        200
    );
    touch(&seller, &ids);
    assert_eq!(places(&seller, &seen, &ids).await, [3, 3, 1, 1, 0, 0]);
    let listed: Value = seller.http.get(&url).send().await.unwrap().json_value().await;
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["status"]), (6, &json!(200)));
    assert!(!listed.to_string().contains("sim-webhook-token"));
    assert_eq!(post(json!({ "url": plain.base, "drop": true })).await, 200);
    touch(&seller, &ids);
    assert!(places(&seller, &seen, &ids).await.is_empty());
    assert_eq!(post(Value::Null).await, 200);
    touch(&seller, &ids);
    assert!(places(&seller, &seen, &ids).await.is_empty());
    for wrong in [
        json!({ "url": "https://crm.example.test" }),
        json!({ "url": plain.base, "drop": 0 }),
        json!({ "url": plain.base, "often": 1 }),
        json!({}),
    ] {
        assert_eq!(post(wrong).await, 400);
    }
}
