//! Signing in, renewing, and being kept out.

use super::*;

#[tokio::test]
async fn a_login_gives_two_tokens() {
    let mut seller = Seller::stranger(Options::default()).await;
    let (status, answer) = seller.login().await;
    assert_eq!(status, 200);
    let expiry = answer["expiresAt"].as_str().unwrap();
    let (moment, fraction) = expiry.split_once('.').unwrap();
    assert!(fraction.ends_with("+03:30") && fraction.len() == 13, "{expiry}");
    let expires: jiff::Timestamp = expiry.parse().unwrap();
    let left = expires.as_second() - jiff::Timestamp::now().as_second();
    assert!((6 * 3600 - 60..=6 * 3600).contains(&left), "{moment}");
    assert!(!seller.search(500).await.is_empty());

    // Names are taken in any letter case.
    let shouted = json!({ "UserName": USER, "PASSWORD": PASSWORD, "DeviceID": "x", "platformtype": 1 });
    assert_eq!(seller.ask(LOGIN, shouted).await.0, 200);
    seller.refused(400, LOGIN, json!({ "username": USER, "password": PASSWORD })).await;
    let broken = seller.send(LOGIN, "no json".to_owned()).await.unwrap();
    assert_eq!(broken.status(), StatusCode::BAD_REQUEST);
    let nowhere = seller.send("crmobject/deal/get", "{}".to_owned()).await.unwrap();
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
    let url = format!("{}/crm/api/v2/{SEARCH}", seller.simulator.url());
    let read = seller.http.get(&url).bearer_auth(&seller.token).send().await.unwrap();
    assert_eq!(read.status(), StatusCode::METHOD_NOT_ALLOWED);
    let raw = seller.http.post(&url).header("authorization", &seller.token).body("{}").send().await.unwrap();
    assert_eq!(raw.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn after_too_many_refused_logins_nobody_is_let_in() {
    let mut seller = Seller::stranger(Options::default()).await;
    for _ in 0..4 {
        seller.refused(401, LOGIN, credentials(USER, "wrong")).await;
    }
    assert_eq!(seller.login().await.0, 200);
    for _ in 0..5 {
        assert!(!seller.crm().is_locked());
        seller.refused(401, LOGIN, credentials("somebody", PASSWORD)).await;
    }
    seller.refused(403, LOGIN, credentials(USER, PASSWORD)).await;
    seller.refused(403, LOGIN, credentials(USER, "wrong")).await;
    assert!(seller.crm().is_locked());
    assert!(!seller.search(500).await.is_empty(), "tokens stay good");
    seller.crm().unlock();
    assert_eq!(seller.login().await.0, 200);
}

#[tokio::test]
async fn a_token_is_renewed_once() {
    let mut seller = Seller::new().await;
    let first = json!({ "refreshToken": seller.renewal, "accessToken": seller.token, "deviceId": "x" });
    let answer = seller.good("auth/token/refresh", first.clone()).await;
    seller.refused(400, "auth/token/refresh", first).await;
    seller.keep(&answer);
    assert!(!seller.search(500).await.is_empty());
    // A token for renewals is none for requests.
    let token = std::mem::replace(&mut seller.token, format!("renew {}", seller.renewal));
    seller.refused(401, SEARCH, json!({})).await;
    seller.token = token;

    seller.simulator.set_office_traps([OfficeTrap::CrmNoRefresh]);
    seller.refused(400, "auth/token/refresh", json!({ "refreshToken": seller.renewal })).await;
    seller.simulator.set_office_traps([OfficeTrap::CrmUnlicensed]);
    seller.refused(402, LOGIN, credentials(USER, PASSWORD)).await;
    seller.refused(401, LOGIN, credentials(USER, "wrong")).await;
}

#[tokio::test]
async fn tokens_end() {
    let options = || Options { token_life: Duration::ZERO, ..Options::default() };
    let seller = Seller::with(options()).await;
    seller.refused(401, SEARCH, json!({})).await;
    // What renews it outlives it.
    seller.good("auth/token/refresh", json!({ "refreshToken": seller.renewal })).await;

    let mut seller = Seller::new().await;
    seller.simulator.set_faults(vec![Fault::new("crm", "/search", Action::Expire)]);
    for _ in 0..2 {
        seller.refused(401, SEARCH, json!({})).await;
    }
    seller.refused(400, "auth/token/refresh", json!({ "refreshToken": seller.renewal })).await;
    assert_eq!(seller.login().await.0, 200);
    assert!(!seller.search(500).await.is_empty());
}
