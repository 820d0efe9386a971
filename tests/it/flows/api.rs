//! Flows over HTTP: where they stand, plans that are kept and applied, links, deliveries.

use std::collections::HashSet;

use concord::simulate::{Action, Fault};
use serde_json::{Value, json};

use super::forward::{live, new};
use super::{QUICK, configure, nothing_twice, plain, written};
use crate::api::server::{Server, escaped};
use crate::support::{PATIENCE, World, on_both_with, until};

/// An answer of the finance system that refuses, and one that tells of a second record.
pub const REFUSED: &str =
    r#"{"Errors":[{"ErrorType":"ErrError","Description":"not today","ErrorCode":-1}],"ReturnValue":false}"#;
pub const ELSEWHERE: &str =
    r#"{"Errors":[],"FinalMessages":[],"ReturnValue":true,"ReturnCode":"9999","ReturnParams":"9999"}"#;

/// Has the next save of the finance system be answered like this.
pub fn answer_next(world: &World, body: &str) {
    let fault = Fault::new("finance", "SaveFormData", Action::Status);
    world.sim.set_faults(vec![fault.value(json!({ "code": 200, "body": body }))]);
}

/// Masters' keys of links, with those of the other side.
pub async fn pairs(server: &Server, count: usize) -> Vec<(String, i64)> {
    let links = server.get("/api/v1/links?limit=500").await;
    let pair = |link: &Value| {
        let code = link["destination_key"].as_str().unwrap().parse().unwrap();
        (link["source_key"].as_str().unwrap().to_owned(), code)
    };
    links["items"].as_array().unwrap().iter().take(count).map(pair).collect()
}

/// A new plan, once it is made or cannot be.
pub async fn planned(server: &Server) -> Value {
    let asked = server.call("operator", "POST", "/api/v1/flows/customers/plan", None).await;
    assert_eq!(asked.status, 202, "{}", String::from_utf8_lossy(&asked.body));
    let path = format!("/api/v1/plans/{}", asked.json()["id"]);
    until("the plan is made", PATIENCE, async || {
        Some(server.get(&path).await).filter(|plan| plan["state"] != "reading")
    })
    .await
}

async fn read_again(server: &Server) {
    let body = json!({ "systems": ["crm", "finance"] });
    let runs = server.call("operator", "POST", "/api/v1/runs", Some(&body)).await.json();
    for run in runs["items"].as_array().unwrap() {
        over(server, &run["id"]).await;
    }
}

async fn over(server: &Server, run: &Value) -> Value {
    until("the run is over", PATIENCE, async || {
        Some(server.get(&format!("/api/v1/runs/{run}")).await).filter(|run| !run["finished_at"].is_null())
    })
    .await
}

/// The newest delivery in this state, once there is one: what a read brings is asked for after its run.
async fn stands(server: &Server, state: &str) -> Value {
    until(state, PATIENCE, async || {
        let found = server.get(&format!("/api/v1/deliveries?state={state}")).await;
        found["items"].as_array().unwrap().first().cloned()
    })
    .await
}

/// Waits until nothing of the flow is under way.
pub async fn settled(server: &Server) {
    until("nothing is open", PATIENCE, async || {
        let open = server.get("/api/v1/deliveries?state=open").await;
        (open["total"] == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_is_imported_paused_and_its_links_are_found() {
    on_both_with(&plain(), async |world| {
        configure(world, QUICK);
        let server = Server::start(world).await;
        let flow = server.get("/api/v1/flows").await["items"][0].clone();
        assert_eq!((&flow["name"], &flow["state"]), (&json!("customers"), &json!("new")));
        assert_eq!(
            (&flow["from"], &flow["to"], &flow["entity"]),
            (&json!("crm"), &json!("finance"), &json!("customer"))
        );
        assert_eq!((&flow["links"], &flow["last_import"]), (&json!(0), &Value::Null));
        let post = async |path: &str, body: Value| {
            server.call("operator", "POST", &format!("/api/v1/{path}"), Some(&body)).await
        };
        // Nothing was read: nobody can say what an import would do.
        let early = post("flows/customers/import", json!({ "dry_run": true })).await.problem(409);
        assert_eq!(early["type"], "flow-never-read");
        post("flows/nowhere/import", json!({})).await.problem(404);
        post("flows/customers/import", json!({ "limit": 0 })).await.problem(400);
        post("flows/customers/import", json!({ "limits": 1 })).await.problem(400);
        post("flows/customers/pause", json!({})).await;
        assert_eq!(server.get("/api/v1/flows/customers").await["state"], "paused");
        assert_eq!(post("flows/customers/import", json!({})).await.problem(409)["type"], "flow-is-paused");
        post("flows/customers/unpause", json!({})).await;

        let run = post("flows/customers/import", json!({})).await;
        assert_eq!((run.status, &run.json()["kind"]), (202, &json!("import")));
        assert_eq!(over(&server, &run.json()["id"]).await["status"], "succeeded");
        let flow = server.get("/api/v1/flows/customers").await;
        let import = &flow["last_import"];
        assert_eq!((&flow["state"], &flow["links"]), (&json!("live"), &json!(150)), "{flow:#}");
        assert_eq!(
            (&import["created"], &import["linked"], &import["closed"]),
            (&json!(100), &json!(50), &json!(true))
        );
        let dry = post("flows/customers/import", json!({ "dry_run": true })).await;
        assert_eq!((dry.status, &dry.json()["run"]), (200, &Value::Null));

        // Page by page, each once, with the names of both sides.
        let (mut keys, mut cursor) = (HashSet::new(), String::new());
        loop {
            let page = server.get(&format!("/api/v1/links?flow=customers&limit=60{cursor}")).await;
            assert_eq!(page["total"], 150);
            for link in page["items"].as_array().unwrap() {
                assert!(link["destination_name"].is_string(), "{link:#}");
                assert!(keys.insert(link["destination_key"].as_str().unwrap().to_owned()), "{link:#}");
            }
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(keys.len(), 150);
        let link = server.get("/api/v1/links?limit=1").await["items"][0].clone();
        let name = link["destination_name"].as_str().unwrap();
        for text in [link["source_key"].as_str().unwrap(), link["destination_key"].as_str().unwrap(), name] {
            let found = server.get(&format!("/api/v1/links?search={}", escaped(text))).await;
            let items = found["items"].as_array().unwrap();
            assert!(items.iter().any(|found| found["id"] == link["id"]), "{text}: {found:#}");
            assert!(items.len() < 20 && found["total"] == items.len(), "{text}: {found:#}");
        }
        assert_eq!(server.get("/api/v1/links?search=nobody-has-this").await["total"], 0);
        for bad in ["flow=nowhere", "limit=0", "limit=501", "cursor=x", "search=%00", "color=red"] {
            server.call("viewer", "GET", &format!("/api/v1/links?{bad}"), None).await.problem(400);
        }
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_kept_and_applied_to_nothing_else_than_it_said() {
    on_both_with(&plain(), async |world| {
        new(world).await;
        let server = Server::start(world).await;
        let email = |code: i64| world.sim.finance().contact(code).unwrap()["Email"].clone();
        let edit = |crm: &str, email: &str| assert!(world.sim.crm().edit(crm, &json!({ "email": email })));
        let known = pairs(&server, 5).await;
        for (at, (crm, _)) in known.iter().enumerate() {
            edit(crm, &format!("planned{at}@example.test"));
        }
        let plan = planned(&server).await;
        assert_eq!((&plan["state"], &plan["counts"]["update"]), (&json!("ready"), &json!(5)), "{plan:#}");
        let change = plan["changes"].as_array().unwrap().iter().find(|change| change["source"] == known[0].0);
        let field = &change.unwrap()["fields"][0];
        assert_eq!((&field["name"], &field["to"]), (&json!("email"), &json!("planned0@example.test")));
        assert_eq!(field["destination"], email(known[0].1));
        assert!(written(world, "finance").is_empty());

        let path = format!("/api/v1/plans/{}/apply", plan["id"]);
        let apply = async |body: Value| server.call("operator", "POST", &path, Some(&body)).await;
        server.call("viewer", "GET", "/api/v1/plans/9999", None).await.problem(404);
        server.call("operator", "POST", "/api/v1/plans/9999/apply", None).await.problem(404);
        assert_eq!(apply(json!({ "sources": ["nobody"] })).await.problem(400)["type"], "plan-says-nothing");
        server.call("operator", "POST", "/api/v1/flows/customers/pause", None).await;
        assert_eq!(apply(json!({})).await.problem(409)["type"], "flow-is-paused");
        server.call("operator", "POST", "/api/v1/flows/customers/unpause", None).await;

        // One that is named, and no other.
        let first = apply(json!({ "sources": [known[0].0] })).await;
        assert_eq!((first.status, &first.json()["asked"]), (202, &json!(1)));
        settled(&server).await;
        let wrote: Vec<String> = written(world, "finance").into_iter().map(|one| one.key).collect();
        assert_eq!(wrote, [known[0].1.to_string()]);
        assert_eq!(email(known[0].1), "planned0@example.test");

        // What is known to have moved is refused at once, what moved unseen when it is looked at.
        edit(&known[1].0, "later1@example.test");
        assert!(world.sim.finance().edit(known[2].1, &json!({ "Email": "theirs@example.test" })));
        read_again(&server).await;
        let moved = apply(json!({ "sources": [known[1].0, known[2].0] })).await.problem(412);
        assert_eq!(moved["type"], "plan-overtaken");
        assert!(world.sim.finance().edit(known[3].1, &json!({ "Email": "unseen@example.test" })));
        let rest = apply(json!({})).await.json();
        assert_eq!((&rest["asked"], &rest["already"]), (&json!(2), &json!(1)), "{rest:#}");
        assert_eq!(rest["left_out"].as_array().unwrap().len(), 2);
        settled(&server).await;
        assert_eq!(email(known[1].1), email_before(&plan, &known[1].0));
        assert_eq!(email(known[2].1), "theirs@example.test");
        assert_eq!(email(known[3].1), "unseen@example.test");
        assert_eq!(email(known[4].1), "planned4@example.test");
        assert_eq!(written(world, "finance").len(), 2);

        let shown = server.get(&format!("/api/v1/plans/{}", plan["id"])).await;
        let became = |at: usize| {
            let changes = shown["changes"].as_array().unwrap().iter();
            changes.clone().find(|change| change["source"] == known[at].0).unwrap().clone()
        };
        // It may have been seen to be there at a later read.
        let state = became(0)["delivery"]["state"].clone();
        assert!(["confirmed", "verified"].contains(&state.as_str().unwrap()), "{:#}", became(0));
        assert_eq!((&became(1)["left_out"], &became(2)["left_out"]), (&json!(true), &json!(true)));
        assert_eq!(became(3)["delivery"]["state"], "superseded", "{:#}", became(3));
        // Asked for once more, it asks for nothing.
        let again = apply(json!({ "sources": [known[0].0, known[4].0] })).await.json();
        assert_eq!((&again["asked"], &again["already"]), (&json!(0), &json!(2)), "{again:#}");
        let told = world.number("SELECT COUNT(*) FROM audit WHERE action = 'plan.applied'").await;
        assert_eq!(told, 2);
        nothing_twice(world).await;
        server.end().await;
    })
    .await;
}

fn email_before(plan: &Value, source: &str) -> Value {
    let change = plan["changes"].as_array().unwrap().iter().find(|change| change["source"] == source);
    change.unwrap()["fields"][0]["destination"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_cannot_be_made_says_why() {
    on_both_with(&plain(), async |world| {
        configure(world, QUICK);
        let server = Server::start(world).await;
        world.sim.set_faults(vec![Fault::new("finance", "GetAll", Action::Html).times(0)]);
        let plan = planned(&server).await;
        assert_eq!(plan["state"], "failed", "{plan:#}");
        assert!(plan["problem"].as_str().unwrap().contains("finance could not be read"), "{plan:#}");
        let path = format!("/api/v1/plans/{}/apply", plan["id"]);
        let refused = server.call("operator", "POST", &path, None).await.problem(409);
        assert_eq!(refused["type"], "plan-is-failed");
        server.call("operator", "POST", "/api/v1/systems/crm/pause", None).await;
        let refused = server.call("operator", "POST", "/api/v1/flows/customers/plan", None).await;
        assert_eq!(refused.problem(409)["type"], "flow-system-paused");
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_listed_retried_and_resolved() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        let server = Server::start(world).await;
        let known = pairs(&server, 2).await;
        for ((crm, _), (body, state)) in known.iter().zip([(REFUSED, "rejected"), (ELSEWHERE, "held")]) {
            answer_next(world, body);
            assert!(world.sim.crm().edit(crm, &json!({ "email": "one@example.test" })));
            read_again(&server).await;
            stands(&server, state).await;
        }
        let stuck = server.get("/api/v1/deliveries?flow=customers&state=stuck").await;
        let items = stuck["items"].as_array().unwrap();
        assert_eq!((&stuck["total"], items.len()), (&json!(2), 2), "{stuck:#}");
        let (held, refused) = (&items[0], &items[1]);
        assert_eq!((&held["state"], &refused["state"]), (&json!("held"), &json!("rejected")));
        assert!(refused["message"].as_str().unwrap().contains("not today"), "{refused:#}");
        assert!(refused["name"].is_string() && refused["before"].is_object(), "{refused:#}");
        let flow = server.get("/api/v1/flows/customers").await;
        assert_eq!((&flow["deliveries"]["held"], &flow["deliveries"]["rejected"]), (&json!(1), &json!(1)));
        assert_eq!(flow["cases"], 1);

        // Lists: by record, page by page, and nothing that is not there.
        let of = server.get(&format!("/api/v1/deliveries?record={}", known[0].0)).await;
        assert_eq!(of["items"][0]["id"], refused["id"]);
        let page = server.get("/api/v1/deliveries?limit=1").await;
        let next = server.get(&format!("/api/v1/deliveries?limit=1&cursor={}", page["next"].as_str().unwrap())).await;
        assert!(next["items"][0]["id"].as_i64() < page["items"][0]["id"].as_i64());
        for bad in ["state=strange", "flow=nowhere", "limit=0", "cursor=x", "record=%00"] {
            server.call("viewer", "GET", &format!("/api/v1/deliveries?{bad}"), None).await.problem(400);
        }
        server.call("viewer", "GET", "/api/v1/deliveries/9999", None).await.problem(404);
        server.call("operator", "POST", "/api/v1/deliveries/9999/retry", None).await.problem(404);

        let post = async |id: &Value, what: &str, body: Value| {
            server.call("operator", "POST", &format!("/api/v1/deliveries/{id}/{what}"), Some(&body)).await
        };
        // What was refused goes out again; it is written once, and then nobody may speak of it any more.
        assert_eq!(post(&refused["id"], "retry", json!({})).await.status, 200);
        settled(&server).await;
        assert_eq!(world.sim.finance().contact(known[0].1).unwrap()["Email"], "one@example.test");
        let over = post(&refused["id"], "retry", json!({})).await.problem(409);
        assert_eq!(over["type"], "delivery-not-still");
        // What is said to be done, and was, is not sent again, and its case is closed.
        assert!(world.sim.finance().edit(known[1].1, &json!({ "Email": "one@example.test" })));
        post(&held["id"], "resolve", json!({ "applied": "yes" })).await.problem(400);
        let done = post(&held["id"], "resolve", json!({ "applied": true })).await.json();
        assert_eq!(done["state"], "confirmed", "{done:#}");
        assert_eq!(server.get("/api/v1/flows/customers").await["cases"], 0);
        assert_eq!(written(world, "finance").len(), 1);

        // Of something new it has to be said what was made.
        answer_next(world, REFUSED);
        let person = json!({ "firstName": "Sample", "lastName": "New", "customerNumber": "100-9901" });
        world.sim.crm().create_person(&person);
        read_again(&server).await;
        let made = stands(&server, "rejected").await;
        assert_eq!((&made["action"], &made["target"]), (&json!("create"), &Value::Null), "{made:#}");
        let lacking = post(&made["id"], "resolve", json!({ "applied": true })).await.problem(400);
        assert_eq!(lacking["type"], "api-delivery-needs-ref");
        assert_eq!(post(&made["id"], "resolve", json!({ "applied": false })).await.status, 200);
        settled(&server).await;
        assert_eq!(written(world, "finance").len(), 2);
        let acts = "SELECT COUNT(*) FROM audit WHERE actor = 'operator' AND action IN ('delivery.retried', 'delivery.confirmed')";
        assert_eq!(world.number(acts).await, 3);
        server.end().await;
    })
    .await;
}
