//! Who may call what: every operation of the description as somebody of every role.

use concord::web::api::description;
use serde_json::{Value, json};

use super::server::Server;
use crate::support::on_both;

const ROLES: [&str; 4] = ["nobody", "viewer", "operator", "admin"];

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_lets_in_whom_it_names_and_nobody_else() {
    on_both(async |world| {
        let server = Server::start(world).await;
        let mut walked = 0;
        for (path, operations) in description()["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let needed = ROLES.iter().position(|role| operation["x-role"] == *role).unwrap();
                let method = method.to_uppercase();
                // What is named does not exist: nothing happens, and whoever may ask is told so.
                let path = path.replace("{id}", "987654321").replace("{name}", "nowhere");
                for (rank, role) in ROLES.iter().enumerate() {
                    let answer = ask(&server, role, &method, &path).await;
                    let what = format!("{method} {path} as {role}: {}", answer.0);
                    if rank >= needed {
                        assert!(![401, 403, 500].contains(&answer.0) || path.ends_with("/session"), "{what}");
                    } else {
                        assert_eq!(answer.0, if rank == 0 { 401 } else { 403 }, "{what}");
                        assert!(answer.1["title"].is_string(), "{what}");
                    }
                    walked += 1;
                }
            }
        }
        assert!(walked > 100, "{walked}");
        assert_eq!(world.number("SELECT COUNT(*) FROM owner_rule").await, 1);
        server.end().await;
    })
    .await;
}

async fn ask(server: &Server, role: &str, method: &str, path: &str) -> (u16, Value) {
    let body = match path {
        "/api/v1/runs" => json!({ "systems": [] }),
        "/api/v1/session" => json!({ "name": "nobody", "password": "none" }),
        _ if path.ends_with("/decide") => json!({ "choice": "x" }),
        _ if path.ends_with("/preview") => json!({ "name": "low", "owner": "Somebody" }),
        _ => json!({ "owner": "Somebody" }),
    };
    let body = (method != "GET" && method != "DELETE").then_some(&body);
    // From elsewhere, as a proxy tells it: what is near needs no token.
    let answer = server.send(role, method, path, &[("x-forwarded-for", "192.0.2.1")], body).await;
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_and_its_page_are_served() {
    on_both(async |world| {
        let server = Server::start(world).await;
        assert_eq!(server.get("/api/openapi.json").await, *description());
        let page = server.call("viewer", "GET", "/api/docs", None).await;
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let page = String::from_utf8(page.body).unwrap();
        // What people should use comes first, and nothing is promised that cannot be done.
        let place = |path: &str| page.find(path).unwrap();
        assert!(place("/api/v1/customers/export") < place("/metrics"));
        assert!(place("/metrics") < place("/admin/sync-data") && !page.contains("onec"));
        assert_eq!(server.call("nobody", "GET", "/healthz", None).await.status, 200);
        assert_eq!(server.call("nobody", "GET", "/readyz", None).await.status, 200);
        server.end().await;
    })
    .await;
}
