//! Signing in, one-time links, throttling, other sites.

use super::*;

#[tokio::test]
async fn people_sign_in_and_out() {
    on_each(async |server| {
        let site = Site::empty(server, "http://concord.example.test").await;
        site.user("anna", Role::Operator).await;
        let asked = site.get("/runs?system=ham", "").await;
        assert_eq!(asked.status(), StatusCode::SEE_OTHER);
        assert_eq!(location(&asked), "/sign-in?next=%2Fruns%3Fsystem%3Dham");

        let refused = site.sign_in("anna", "wrong").await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        let known = refused.text().await.unwrap();
        let unknown = site.sign_in("nobody", "wrong").await.text().await.unwrap();
        assert_eq!(known.replace("anna", ""), unknown.replace("nobody", ""), "names cannot be told apart");

        let form = [("name", "anna"), ("password", PASSWORD), ("next", "/runs?system=ham")];
        let signed_in = site.post("/sign-in", "", &form).await;
        assert_eq!(location(&signed_in), "/runs?system=ham");
        let set = signed_in.headers()[SET_COOKIE].to_str().unwrap();
        assert!(
            set.starts_with("concord=") && set.contains("; HttpOnly; SameSite=Lax; Max-Age=43200"),
            "{set}"
        );
        let session = cookie(&signed_in);
        assert!(site.page("/", &session).await.contains("anna"));

        let out = site.post("/sign-out", &session, &[]).await;
        assert_eq!(location(&out), "/sign-in");
        assert_eq!(site.get("/", &session).await.status(), StatusCode::SEE_OTHER);
        let actions = site.actions().await;
        for action in ["login", "login.refused", "logout"] {
            assert!(actions.iter().any(|known| known == action), "{action}");
        }
        let told = site.app.store.audit(None, None, 500).await.unwrap();
        assert!(!format!("{told:?}").contains("wrong"), "no password is written down");
        site.end().await;
    })
    .await;
}

#[tokio::test]
async fn over_https_the_cookie_is_guarded() {
    on_each(async |server| {
        let site = Site::empty(server, "https://concord.example.test").await;
        site.user("anna", Role::Admin).await;
        let answer = site.sign_in("anna", PASSWORD).await;
        let set = answer.headers()[SET_COOKIE].to_str().unwrap();
        assert!(
            set.starts_with("__Host-concord=") && set.ends_with("; Secure") && set.contains("Path=/;"),
            "{set}"
        );
        site.end().await;
    })
    .await;
}

#[tokio::test]
async fn programs_sign_in_with_json() {
    on_each(async |server| {
        let site = Site::empty(server, "http://concord.example.test").await;
        site.user("anna", Role::Viewer).await;
        let send = |password: &str| {
            let body = serde_json::json!({ "name": "anna", "password": password }).to_string();
            let request = site.http.post(format!("{}/api/v1/session", site.url));
            request.header("content-type", "application/json").body(body).send()
        };
        let refused = send("wrong").await.unwrap();
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(refused.headers()["content-type"], "application/problem+json");
        let answer = send(PASSWORD).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let session = cookie(&answer);
        let body: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(body, serde_json::json!({ "name": "anna", "role": "viewer" }));
        let out = site.ask(Method::DELETE, "/api/v1/session", &session).send().await.unwrap();
        assert_eq!(out.status(), StatusCode::NO_CONTENT);
        assert_eq!(site.get("/", &session).await.status(), StatusCode::SEE_OTHER);
        site.end().await;
    })
    .await;
}

#[tokio::test]
async fn after_five_refusals_one_waits_known_or_not() {
    on_each(async |server| {
        for name in ["anna", "nobody"] {
            let site = Site::empty(server, "http://concord.example.test").await;
            site.user("anna", Role::Admin).await;
            for _ in 0..5 {
                assert_eq!(site.sign_in(name, "wrong").await.status(), StatusCode::UNAUTHORIZED);
            }
            let answer = site.sign_in(name, PASSWORD).await;
            assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS, "{name}");
            assert_eq!(answer.headers()[RETRY_AFTER], "900");
            assert!(answer.text().await.unwrap().contains("quarter of an hour"));
            let other = site.sign_in("somebody else", "wrong").await;
            assert_eq!(other.status(), StatusCode::TOO_MANY_REQUESTS, "the address waits as well");
            site.end().await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_first_administrator_comes_by_a_link_that_works_once() {
    on_each(async |server| {
        let site = Site::empty(server, "http://concord.example.test").await;
        let link = session::set_up_link(&site.app).await.unwrap().unwrap();
        let second = session::set_up_link(&site.app).await.unwrap().unwrap();
        let path = link.strip_prefix("http://concord.example.test").unwrap();
        let key = path.strip_prefix("/set-up?key=").unwrap();
        assert!(site.page(path, "").await.contains("You are the first"));
        for wrong in ["/set-up?key=wrong", "/set-up?key=", "/set-up"] {
            let told = site.get(wrong, "").await;
            assert_eq!(told.status(), StatusCode::GONE, "{wrong}");
            assert!(told.text().await.unwrap().contains("This link is not whole"), "{wrong}");
        }
        // The description of the API is a page for people, too.
        let docs = site.get("/api/docs", "").await;
        assert_eq!(location(&docs), "/sign-in?next=%2Fapi%2Fdocs");
        assert_eq!(site.get("/api/openapi.json", "").await.status(), StatusCode::UNAUTHORIZED);

        let send = async |key: &str, password: &str| {
            site.post("/set-up", "", &[("key", key), ("name", "anna"), ("password", password)]).await
        };
        assert_eq!(send(key, "too short").await.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(send("made up", PASSWORD).await.status(), StatusCode::GONE);
        let made = send(key, PASSWORD).await;
        assert_eq!(location(&made), "/");
        assert!(site.page("/", &cookie(&made)).await.contains("administrator"));
        assert_eq!(send(key, PASSWORD).await.status(), StatusCode::GONE);
        let (_, other) = second.split_once("key=").unwrap();
        assert_eq!(send(other, PASSWORD).await.status(), StatusCode::GONE, "there is an administrator");
        assert_eq!(session::set_up_link(&site.app).await.unwrap(), None);
        assert!(site.actions().await.iter().any(|action| action == "user.set_up"));
        site.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_demonstration_is_entered_by_a_link_that_works_once() {
    on_each(async |server| {
        let site = Site::empty(server, "http://concord.example.test").await;
        let link = session::enter_link(&site.app, &site.url).await.unwrap();
        let path = link.strip_prefix(&site.url).unwrap();
        let head = site.ask(Method::HEAD, path, "").send().await.unwrap();
        assert!(head.headers().get(SET_COOKIE).is_none(), "a look does not use it up");
        let entered = site.get(path, "").await;
        assert_eq!(location(&entered), "/");
        assert!(site.page("/", &cookie(&entered)).await.contains("demo"));
        assert_eq!(site.get(path, "").await.status(), StatusCode::GONE);
        assert_eq!(site.sign_in("demo", "!").await.status(), StatusCode::UNAUTHORIZED);
        let set_up = path.replace("/enter", "/set-up");
        assert_eq!(site.get(&set_up, "").await.status(), StatusCode::GONE);
        site.end().await;
    })
    .await;
}

#[tokio::test]
async fn next_stays_on_this_site() {
    on_each(async |server| {
        let site = Site::empty(server, "http://concord.example.test").await;
        site.user("anna", Role::Viewer).await;
        for next in
            ["https://evil.example.test/", "//evil.example.test", "/\\evil.example.test", "javascript:x", ""]
        {
            let form = [("name", "anna"), ("password", PASSWORD), ("next", next)];
            let answer = site.post("/sign-in", "", &form).await;
            assert_eq!(location(&answer), "/", "{next}");
        }
        let page = site.page("/sign-in?next=https%3A%2F%2Fevil.example.test", "").await;
        assert!(!page.contains("evil"));
        site.end().await;
    })
    .await;
}

#[tokio::test]
async fn other_sites_are_refused_and_roles_hold() {
    on_each(async |server| {
        let site = Site::empty(server, "http://concord.example.test").await;
        let admin = site.cookie(Role::Admin).await;
        let from = async |header: &str, value: &str| {
            let request = site.ask(Method::POST, "/systems/ham/pause", &admin).header(header, value);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            request.send().await.unwrap().status()
        };
        assert_eq!(from("sec-fetch-site", "cross-site").await, StatusCode::FORBIDDEN);
        assert_eq!(from("sec-fetch-site", "same-site").await, StatusCode::FORBIDDEN);
        assert_eq!(from("origin", "https://evil.example.test").await, StatusCode::FORBIDDEN);
        assert_eq!(from("sec-fetch-site", "same-origin").await, StatusCode::SEE_OTHER);
        assert_eq!(from("origin", "http://concord.example.test").await, StatusCode::SEE_OTHER);

        let viewer = site.cookie(Role::Viewer).await;
        let page = site.page("/", &viewer).await;
        assert!(!page.contains("/systems/ham/sync"), "no button that would be refused");
        for path in
            ["/systems/ham/sync", "/systems/all/pause", "/runs/1/cancel", "/cases/1", "/settings/owners"]
        {
            let form = [("choice", "keep"), ("name", "low"), ("owner", "Ham")];
            let answer = site.post(path, &viewer, &form).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path}");
        }
        let operator = site.cookie(Role::Operator).await;
        let form = [("name", "low"), ("owner", "Ham"), ("apply", "yes")];
        assert_eq!(site.post("/settings/owners", &operator, &form).await.status(), StatusCode::FORBIDDEN);
        site.end().await;
    })
    .await;
}
