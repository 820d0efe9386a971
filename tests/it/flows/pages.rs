//! Flows in the browser: pages of nothing yet, of a live flow, of a write that waits for a person; and the
//! customers that two systems know.

use concord::simulate::Fault;
use serde_json::json;

use super::api::{ELSEWHERE, answer_next, pairs, planned, settled};
use super::forward::live;
use super::{QUICK, configure, plain, written};
use crate::api::server::{Answer, Server};
use crate::pages::inside::{check, read};
use crate::support::{PATIENCE, World, on_both_with, until};

/// A page, checked for what every page must be, as it is read.
async fn text(server: &Server, role: &str, path: &str) -> String {
    let html = server.page(role, path).await;
    check(path, &html);
    read(&html)
}

/// Where a form led to.
fn led(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", String::from_utf8_lossy(&answer.body));
    answer.header("location").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_flow_that_did_nothing_yet_say_what_to_do() {
    on_both_with(&plain(), async |world| {
        configure(world, QUICK);
        let server = Server::start(world).await;
        let flows = text(&server, "operator", "/flows").await;
        for told in ["customers new crm → finance", "It only plans", "Start", "Import …", "Pause all"] {
            assert!(flows.contains(told), "{told} in {flows}");
        }
        // Who may only look is offered nothing to press.
        let viewed = text(&server, "viewer", "/flows").await;
        assert!(!viewed.contains("Start") && !viewed.contains("Pause all"), "{viewed}");
        assert!(text(&server, "viewer", "/links").await.contains("There are no links yet"));
        assert!(text(&server, "viewer", "/deliveries").await.contains("Nothing has been written yet"));
        assert!(
            text(&server, "viewer", "/deliveries?state=stuck").await.contains("No delivery waits for you")
        );
        assert!(server.page("viewer", "/").await.contains("href=\"/deliveries\""));
        for (path, status) in [
            ("/flows/customers/import", 409),
            ("/flows/nowhere/import", 404),
            ("/plans/1", 404),
            ("/deliveries/1", 404),
        ] {
            let answer = server.call("viewer", "GET", path, None).await;
            assert_eq!(answer.status, status, "{path}");
            assert!(String::from_utf8(answer.body).unwrap().contains("<h1"), "{path}");
        }
        for action in ["start", "plan", "import", "pause"] {
            let path = format!("/flows/customers/{action}");
            assert_eq!(server.form("viewer", &path, &[]).await.status, 403, "{path}");
        }
        assert_eq!(led(&server.form("operator", "/flows/customers/start", &[]).await), "/flows?done=start");
        let live = text(&server, "viewer", "/flows?done=start").await;
        assert!(live.contains("Started.") && live.contains("customers live"), "{live}");
        led(&server.form("operator", "/flows/all/pause", &[]).await);
        assert!(text(&server, "operator", "/flows").await.contains("Unpause all"));
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_made_ticked_and_applied_from_its_page() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        let server = Server::start(world).await;
        let known = pairs(&server, 2).await;
        for (at, (crm, _)) in known.iter().enumerate() {
            assert!(world.sim.crm().edit(crm, &json!({ "email": format!("page{at}@example.test") })));
        }
        // A live flow would carry them over by itself: the plan is made of one that is not.
        world.execute("UPDATE flow_state SET live_since = NULL", []).await;
        let path = led(&server.form("operator", "/flows/customers/plan", &[]).await);
        assert!(path.starts_with("/plans/"), "{path}");
        let page = until("the plan is made", PATIENCE, async || {
            Some(text(&server, "operator", &path).await).filter(|page| page.contains("Apply all"))
        })
        .await;
        for told in ["Differ (2)", "E-mail", "page0@example.test", "page1@example.test", "Apply all 2"] {
            assert!(page.contains(told), "{told} in {page}");
        }
        let viewed = text(&server, "viewer", &path).await;
        assert!(!viewed.contains("Apply all") && viewed.contains("page0@example.test"), "{viewed}");
        let apply = format!("{path}/apply");
        assert_eq!(server.form("viewer", &apply, &[("what", "all")]).await.status, 403);
        assert_eq!(server.form("operator", &apply, &[]).await.status, 400);
        led(&server.form("operator", &apply, &[("source", &known[0].0)]).await);
        settled(&server).await;
        assert_eq!(written(world, "finance").len(), 1);
        assert_eq!(world.sim.finance().contact(known[0].1).unwrap()["Email"], "page0@example.test");
        let page = text(&server, "operator", &path).await;
        assert!(page.contains("written") && page.contains("Apply it"), "{page}");
        led(&server.form("operator", &apply, &[("what", "all")]).await);
        settled(&server).await;
        assert!(text(&server, "operator", &path).await.contains("All 2 changes were asked for"));

        let flows = text(&server, "viewer", "/flows").await;
        for told in ["Links 150", "Last import", "created 100", "closed"] {
            assert!(flows.contains(told), "{told} in {flows}");
        }
        let links = text(&server, "viewer", "/links").await;
        assert!(links.contains("150 links") && links.contains("created by the flow"), "{links}");
        let found = text(&server, "viewer", &format!("/links?search={}", known[0].1)).await;
        assert!(found.contains(&known[0].0), "{found}");
        let empty = planned(&server).await;
        let page = text(&server, "viewer", &format!("/plans/{}", empty["id"])).await;
        assert!(page.contains("Both sides agree"), "{page}");
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_delivery_is_explained_and_retried_from_its_page() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        let server = Server::start(world).await;
        let (crm, finance) = pairs(&server, 1).await.remove(0);
        let (held, customer) = hold(world, &server, &crm).await;
        let path = format!("/deliveries/{held}");
        let page = text(&server, "operator", &path).await;
        for told in [
            "needs you",
            "came back as 9999",
            "waits for your decision",
            "What it would change",
            "held@example.test",
            "Send it again",
            "It was done",
            "What happened",
            "about to be sent",
            "a second record was made",
        ] {
            assert!(page.contains(told), "{told} in {page}");
        }
        // Only what it changes, not the rest of the record.
        let diff = page.split("What it would change").nth(1).unwrap().split("What happened").next().unwrap();
        assert!(!diff.contains("Name") && !diff.contains("Mobile"), "{diff}");
        let viewed = text(&server, "viewer", &path).await;
        assert!(!viewed.contains("Send it again") && viewed.contains("held@example.test"), "{viewed}");
        assert!(text(&server, "viewer", "/deliveries?state=stuck").await.contains("1 delivery"));

        // Both sides of the customer, the link, and what happened to it.
        let page = text(&server, "viewer", &format!("/customers/{customer}")).await;
        for told in [
            "Both sides",
            "one field differs",
            "E-mail held@example.test",
            "differs",
            "Deliveries",
            "needs you",
            "Case",
            "opened",
            "created by the flow",
        ] {
            assert!(page.contains(told), "{told} in {page}");
        }
        assert!(!page.contains("Client account") && !page.contains("Reward"), "{page}");

        assert_eq!(server.form("viewer", &format!("{path}/retry"), &[]).await.status, 403);
        assert_eq!(server.form("operator", &format!("{path}/nothing"), &[]).await.status, 404);
        let to = led(&server.form("operator", &format!("{path}/retry"), &[]).await);
        assert_eq!(to, format!("{path}?done=retry"));
        settled(&server).await;
        assert_eq!(world.sim.finance().contact(finance).unwrap()["Email"], "held@example.test");
        let page = text(&server, "operator", &to).await;
        for told in ["It is sent again.", "written", "What it changed", "sent again by a person · operator"]
        {
            assert!(page.contains(told), "{told} in {page}");
        }
        assert_eq!(server.form("operator", &format!("{path}/applied"), &[]).await.status, 409);
        server.end().await;
    })
    .await;
}

/// A delivery that is held, and the customer it carries.
async fn hold(world: &World, server: &Server, crm: &str) -> (i64, i64) {
    answer_next(world, ELSEWHERE);
    assert!(world.sim.crm().edit(crm, &json!({ "email": "held@example.test" })));
    server.call("operator", "POST", "/api/v1/runs", Some(&json!({ "systems": ["crm"] }))).await;
    until("it is held", PATIENCE, async || {
        let held = server.get("/api/v1/deliveries?state=held").await;
        let item = held["items"].as_array().unwrap().first()?.clone();
        Some((item["id"].as_i64().unwrap(), item["customer"].as_i64().unwrap()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_of_crm_and_finance_are_shown_by_what_these_know() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        world.sim.set_faults(Vec::<Fault>::new());
        world.json(0, &["sync", "crm"]).await;
        let server = Server::start(world).await;
        let page = text(&server, "viewer", "/customers").await;
        let head = "Number Name Kind National id Mobile Systems Link";
        assert!(page.contains(head) && page.contains("crm, finance"), "{page}");
        assert!(!page.contains("Unknown") && !page.contains("Reward") && !page.contains("Partner"), "{page}");
        assert!(text(&server, "viewer", "/customers?sums=now").await.contains("customers"));

        let list = server.get("/api/v1/customers?view=contacts&sort=number&system=crm&limit=2").await;
        let one = &list["items"][0];
        assert_eq!(
            (&one["systems"], &one["link"]),
            (&json!(["crm", "finance"]), &json!("linked")),
            "{one:#}"
        );
        let number = one["number"].as_str().unwrap();
        assert!(number < list["items"][1]["number"].as_str().unwrap());
        assert!(one["kind"] == "person" || one["kind"] == "organization", "{one:#}");
        let found = server.get(&format!("/api/v1/customers?view=contacts&search={number}")).await;
        let items = found["items"].as_array().unwrap();
        let own = items.iter().find(|item| item["id"] == one["id"]).unwrap();
        assert!(own["matched"].is_string(), "{own:#}");
        // From the largest number down, page by page, none lost and none twice.
        let (mut numbers, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/customers?view=contacts&system=crm&sort=-number&limit=40{cursor}");
            let page = server.get(&path).await;
            numbers.extend(page["items"].as_array().unwrap().iter().map(|item| item["number"].clone()));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(numbers.len() as i64, list["total"].as_i64().unwrap());
        let known: Vec<&str> = numbers.iter().filter_map(|number| number.as_str()).collect();
        assert!(known.is_sorted_by(|one, next| one > next), "{known:?}");

        let csv = server.call(
            "viewer",
            "GET",
            "/api/v1/customers/export?view=contacts&sort=number&system=crm",
            None,
        );
        let csv = String::from_utf8(csv.await.body).unwrap();
        let mut lines = csv.trim_start_matches('\u{feff}').lines();
        assert_eq!(lines.next(), Some("Number,Name,Kind,National id,Mobile,Systems,Link"));
        let first = lines.next().unwrap();
        assert!(first.starts_with(number) && first.contains("\"crm, finance\",linked"), "{first}");
        let xlsx =
            server.call("viewer", "GET", "/api/v1/customers/export?view=contacts&format=xlsx", None).await;
        assert!(xlsx.status == 200 && xlsx.body.starts_with(b"PK"));
        server.end().await;
        let table = world.run(&["customers", "--system", "crm", "--sort", "number", "--limit", "1"]).await;
        assert!(table.out.contains("National id") && table.out.contains(number), "{}", table.out);
    })
    .await;
}
