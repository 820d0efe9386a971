//! Runs by API and by the old addresses, their events, and what else people do.

use std::time::Duration;

use serde_json::{Value, json};

use super::server::Server;
use crate::support::{on_both, until};

async fn over(server: &Server, id: i64) -> Value {
    let run = format!("/api/v1/runs/{id}");
    until("the run ends", Duration::from_secs(60), async || {
        let run = server.get(&run).await;
        (!["queued", "running"].contains(&run["status"].as_str().unwrap())).then_some(run)
    })
    .await
}

/// The events of a stream that has been closed: id and data.
fn events(text: &str) -> Vec<(i64, Value)> {
    let mut events = Vec::new();
    for block in text.split("\n\n").filter(|block| block.contains("data:")) {
        let field = |name: &str| {
            let line = block.lines().find(|line| line.starts_with(name)).unwrap();
            line[name.len()..].trim_start_matches(':').trim().to_owned()
        };
        assert_eq!(field("event"), "run");
        events.push((field("id").parse().unwrap(), serde_json::from_str(&field("data")).unwrap()));
    }
    events
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_asked_for_and_followed() {
    on_both(async |world| {
        let server = Server::start(world).await;
        let body = json!({ "kind": "pull", "systems": ["ham"], "mode": "full" });
        let answer = server.call("operator", "POST", "/api/v1/runs", Some(&body)).await;
        assert_eq!(answer.status, 202);
        let run = answer.json()["items"][0].clone();
        assert_eq!(
            (&run["system"], &run["requested_by"], &run["mode"]),
            (&json!("ham"), &json!("operator"), &json!("full"))
        );
        let id = run["id"].as_i64().unwrap();
        let path = format!("/api/v1/runs/{id}/events");
        let stream = server.call("viewer", "GET", &path, None).await;
        assert!(stream.header("content-type").unwrap().starts_with("text/event-stream"));
        let told = events(std::str::from_utf8(&stream.body).unwrap());
        let (last, end) = told.last().unwrap();
        assert_eq!((&end["status"], &end["progress"]), (&json!("succeeded"), &json!(100)));
        assert!(told.windows(2).all(|two| two[0].0 < two[1].0));
        let progress: Vec<i64> = told.iter().map(|(_, run)| run["progress"].as_i64().unwrap()).collect();
        assert!(progress.is_sorted());
        assert!(told[..told.len() - 1].iter().all(|(_, run)| run["status"] != "succeeded"));
        assert_eq!(server.get(&format!("/api/v1/runs/{id}")).await, *end);

        let id_header = last.to_string();
        let again = server.send("viewer", "GET", &path, &[("last-event-id", &id_header)], None).await;
        assert_eq!(again.status, 204, "nothing more will come");
        let earlier = (last - 1).to_string();
        let again = server.send("viewer", "GET", &path, &[("last-event-id", &earlier)], None).await;
        assert_eq!(events(std::str::from_utf8(&again.body).unwrap()), [(*last, end.clone())]);

        server.call("operator", "POST", &format!("/api/v1/runs/{id}/cancel"), None).await.problem(409);
        server.call("operator", "POST", &format!("/api/v1/runs/{id}/resume"), None).await.problem(409);
        for body in [
            json!({ "systems": ["nowhere"] }),
            json!({ "mode": "half" }),
            json!({ "kind": "push" }),
            json!({ "days": 0 }),
            json!({ "colour": "red" }),
            json!([]),
        ] {
            server.call("operator", "POST", "/api/v1/runs", Some(&body)).await.problem(400);
        }

        server.call("operator", "POST", "/api/v1/systems/xm/pause", None).await;
        server.call("operator", "POST", "/api/v1/systems/xm/pause", None).await;
        let body = json!({ "systems": ["xm"] });
        server.call("operator", "POST", "/api/v1/runs", Some(&body)).await.problem(409);
        server.call("operator", "POST", "/api/v1/systems/xm/unpause", None).await;
        assert_eq!(server.get("/api/v1/audit?action=system.paused").await["total"], 1);

        let old = server.call("operator", "POST", "/admin/sync-data", None).await.json();
        assert_eq!(old["success"], true);
        let runs = old["data"]["items"].as_array().unwrap();
        assert_eq!(
            runs.iter().map(|run| run["system"].as_str().unwrap()).collect::<Vec<_>>(),
            ["ham", "janischa", "xm"]
        );
        for run in runs {
            assert_eq!(over(&server, run["id"].as_i64().unwrap()).await["status"], "succeeded");
        }
        let onec = "/api/admin/onec/customers/sync/full?limit=5&days=3";
        server.call("operator", "POST", onec, None).await.problem(404);
        server.call("viewer", "GET", "/api/admin/onec/customers/sync/task/1", None).await.problem(404);

        let page = server.get("/api/v1/runs?limit=3").await;
        assert_eq!((page["total"].as_i64(), page["items"].as_array().unwrap().len()), (Some(4), 3));
        let rest =
            server.get(&format!("/api/v1/runs?limit=3&cursor={}", page["next"].as_str().unwrap())).await;
        assert_eq!((rest["items"][0]["id"].as_i64(), &rest["next"]), (Some(id), &Value::Null));
        assert_eq!(server.get("/api/v1/runs?system=xm").await["total"], 1);
        assert_eq!(server.get("/api/v1/audit?action=run.requested").await["total"], 4);
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn status_systems_owners_and_figures() {
    on_both(async |world| {
        world.sync(0, &[]).await;
        let server = Server::start(world).await;
        let status = server.get("/api/v1/status").await;
        let systems = status["systems"].as_array().unwrap();
        assert_eq!(systems.len(), 3);
        for system in systems {
            for stage in system["last_run"]["stages"].as_array().unwrap() {
                assert_eq!(stage["unexplained"], 0);
                assert_eq!(stage["source"]["count"], stage["stored"]["count"]);
            }
        }
        let labels: Vec<&str> = status["owners"]
            .as_array()
            .unwrap()
            .iter()
            .map(|owner| owner["label"].as_str().unwrap())
            .collect();
        assert_eq!(labels, ["Ham (incl. XM)", "Janischa"]);
        let unmapped = status["unmapped"].as_array().unwrap();
        assert!(unmapped.iter().all(|row| row["system"] != "xm"));
        let clients: i64 = unmapped.iter().map(|row| row["clients"].as_i64().unwrap()).sum();
        assert_eq!(clients, 664 + 259, "no partner account of the two is on the map");

        let paused = server.call("operator", "POST", "/api/v1/systems/ham/pause", None).await.json();
        assert_eq!(paused["paused"]["by"], "operator");
        let free = server.call("operator", "POST", "/api/v1/systems/ham/unpause", None).await.json();
        assert!(free["paused"].is_null());
        let check = server.call("operator", "POST", "/api/v1/systems/xm/check", None).await.json();
        assert_eq!(check["ok"], true);
        server.call("operator", "POST", "/api/v1/systems/none/check", None).await.problem(404);
        assert_eq!(server.get("/api/v1/systems").await["total"], 3);

        let partner = unmapped[0]["partner_account"].as_str().unwrap();
        let change = json!({ "name": partner, "owner": "Somebody" });
        let preview = server.call("admin", "POST", "/api/v1/owners/preview", Some(&change)).await.json();
        assert_eq!(preview["moves"][0]["clients"], unmapped[0]["clients"]);
        assert_eq!(server.get("/api/v1/customers/sums?owner=Somebody").await["total"], 0, "only a preview");
        let rule = format!("/api/v1/owners/rules/{partner}");
        let moved = server.call("admin", "PUT", &rule, Some(&json!({ "owner": "Somebody" }))).await.json();
        assert_eq!(moved["moves"], preview["moves"]);
        assert_eq!(
            server.get("/api/v1/customers/sums?owner=Somebody").await["total"],
            unmapped[0]["clients"]
        );
        let owners = server.get("/api/v1/owners").await;
        assert!(owners["rules"].as_array().unwrap().iter().any(|rule| rule["from"] == "added"));
        assert_eq!(server.call("admin", "DELETE", &rule, None).await.status, 200);
        server.call("admin", "DELETE", &rule, None).await.problem(404);
        assert_eq!(server.get("/api/v1/customers/sums?owner=Somebody").await["total"], 0);

        let figures = server.call("nobody", "GET", "/metrics", None).await;
        let figures = String::from_utf8(figures.body).unwrap();
        for line in [
            "concord_runs{status=\"succeeded\"} 3",
            "concord_records{system=\"ham\",stream=\"accounts\"} 1363",
            "concord_records{system=\"xm\",stream=\"traders\"} 1216",
            "concord_cases_open 0",
        ] {
            assert!(figures.lines().any(|found| found == line), "{line} in {figures}");
        }
        let elsewhere = [("x-forwarded-for", "192.0.2.1")];
        assert_eq!(server.send("nobody", "GET", "/metrics", &elsewhere, None).await.status, 401);
        assert_eq!(server.send("viewer", "GET", "/metrics", &elsewhere, None).await.status, 200);
        assert_eq!(server.get("/api/v1/audit/verify").await["ok"], true);
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_are_listed_and_decided() {
    on_both(async |world| {
        world.sync(0, &["ham"]).await;
        let rows = world.sim.rows("ham", "accounts");
        world.sim.replace_rows("ham", "accounts", rows.into_iter().take(1000).collect());
        world.run(&["sync", "ham"]).await;
        let server = Server::start(world).await;
        let cases = server.get("/api/v1/cases?state=open").await;
        assert_eq!(cases["total"], 1);
        let case = &cases["items"][0];
        assert_eq!(case["kind"], "held_deletion");
        let path = format!("/api/v1/cases/{}/decide", case["id"]);
        server.call("operator", "POST", &path, Some(&json!({ "choice": "neither" }))).await.problem(400);
        server.call("operator", "POST", &path, Some(&json!({}))).await.problem(400);
        server
            .call("operator", "POST", "/api/v1/cases/99/decide", Some(&json!({ "choice": "x" })))
            .await
            .problem(404);
        let decided = server.call("operator", "POST", &path, Some(&json!({ "choice": "mark_gone" }))).await;
        assert_eq!((decided.status, &decided.json()["decided_by"]), (200, &json!("operator")));
        server.call("operator", "POST", &path, Some(&json!({ "choice": "mark_gone" }))).await.problem(409);
        assert_eq!(server.get("/api/v1/customers/sums?system=ham").await["accounts"], 1000);
        assert_eq!(server.get("/api/v1/audit?action=case").await["total"], 1);
        server.end().await;
    })
    .await;
}
