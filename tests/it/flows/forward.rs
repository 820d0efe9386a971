//! From the CRM on: an edit there becomes at most one write in the finance system.

use concord::simulate::{Action, Fault, Kind, Webhooks};
use serde_json::json;

use super::{QUICK, configure, nothing_twice, plain, written};
use crate::support::{PATIENCE, World, on_both_with, until};

/// The identity and the contact of some link.
pub async fn linked(world: &World) -> (String, i64) {
    let links = world.json(0, &["links", "list", "customers"]).await;
    let mut links = links["items"].as_array().unwrap().iter().map(|link| {
        let code: i64 = link["destination_key"].as_str().unwrap().parse().unwrap();
        (link["source_key"].as_str().unwrap().to_owned(), code)
    });
    // Of whom the master knows no web site: what the accountants write there is theirs.
    let has_none = |code: i64| world.sim.finance().contact(code).unwrap()["WebSiteAddress"] == "";
    links.find(|(_, code)| has_none(*code)).unwrap()
}

/// Imported, and in agreement.
pub async fn live(world: &World) {
    configure(world, QUICK);
    world.json(0, &["import", "customers", "--yes"]).await;
    world.json(0, &["apply", "customers", "--yes"]).await;
    world.sim.clear_mutations();
}

/// A flow that writes nothing by itself: its links come from an earlier engine.
pub async fn new(world: &World) -> (String, i64) {
    configure(world, QUICK);
    let known = world.sim.finance().expected().into_iter();
    let known: Vec<(String, i64)> =
        known.filter_map(|one| Some((one.identities.first()?.clone(), one.code))).collect();
    let lines = known.iter().map(|(crm, finance)| format!("customers,{crm},{finance}\n"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("links.csv");
    std::fs::write(&file, format!("flow,source_key,destination_key\n{}", lines.collect::<String>())).unwrap();
    let taken = world.json(0, &["links", "import", file.to_str().unwrap()]).await;
    assert_eq!(taken["linked"], known.len(), "{taken:#}");
    world.json(0, &["apply", "customers", "--yes"]).await;
    world.sim.clear_mutations();
    known[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_each_field_and_is_applied_to_nothing_else() {
    on_both_with(&plain(), async |world| {
        let (crm, finance) = new(world).await;
        let empty = world.json(0, &["plan", "customers"]).await;
        assert_eq!(empty["changes"], json!([]), "{empty:#}");

        assert!(world.sim.crm().edit(&crm, &json!({ "email": "sample@example.test" })));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plan.json");
        let plan = world.json(0, &["plan", "customers", "--out", file.to_str().unwrap()]).await;
        let change = &plan["changes"][0];
        assert_eq!((&change["action"], &change["source"]), (&json!("update"), &json!(crm)), "{plan:#}");
        assert_eq!(change["fields"][0]["name"], "email");
        assert_eq!(change["fields"][0]["to"], "sample@example.test");
        assert!(written(world, "finance").is_empty());

        let done = world.json(0, &["apply", "--plan", file.to_str().unwrap(), "--yes"]).await;
        assert_eq!((&done["written"], &done["left_out"]), (&json!(1), &json!(0)), "{done:#}");
        let contact = world.sim.finance().contact(finance).unwrap();
        assert_eq!(contact["Email"], "sample@example.test");
        assert_eq!(written(world, "finance").len(), 1);
        nothing_twice(world).await;

        // Applied once more, or after somebody edited the other side, it writes nothing.
        let done = world.json(0, &["apply", "--plan", file.to_str().unwrap(), "--yes"]).await;
        assert_eq!(done["written"], 0, "{done:#}");
        assert!(world.sim.crm().edit(&crm, &json!({ "email": "other@example.test" })));
        let file = folder.path().join("second.json");
        world.json(0, &["plan", "customers", "--out", file.to_str().unwrap()]).await;
        assert!(world.sim.finance().edit(finance, &json!({ "Email": "third@example.test" })));
        let done = world.json(0, &["apply", "--plan", file.to_str().unwrap(), "--yes"]).await;
        assert_eq!((&done["written"], &done["left_out"]), (&json!(0), &json!(1)), "{done:#}");
        assert_eq!(written(world, "finance").len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_carried_over_once_by_polling() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        configure(world, &format!("{QUICK}\nevery = \"1s\""));
        let (crm, finance) = linked(world).await;
        let serving = world.serve().await;
        assert!(world.sim.crm().edit(&crm, &json!({ "email": "one@example.test" })));
        assert!(world.sim.crm().edit(&crm, &json!({ "email": "two@example.test" })));
        let email = || world.sim.finance().contact(finance).unwrap()["Email"].clone();
        until("the edit is there", PATIENCE, async || (email() == "two@example.test").then_some(())).await;
        // Both are read a few times more: nothing else happens.
        let runs = world.number("SELECT COUNT(*) FROM run").await;
        until("four more reads", PATIENCE, async || {
            (world.number("SELECT COUNT(*) FROM run WHERE finished_at IS NOT NULL").await >= runs + 4)
                .then_some(())
        })
        .await;
        assert_eq!(serving.terminate().await.code, 0);
        assert_eq!(written(world, "finance").len(), 1);
        assert!(written(world, "crm").is_empty());
        nothing_twice(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_right_after_a_write_is_no_echo() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        configure(world, &format!("{QUICK}\nevery = \"1s\""));
        let (crm, finance) = linked(world).await;
        let serving = world.serve().await;
        let email = || world.sim.finance().contact(finance).unwrap()["Email"].clone();
        let runs = "SELECT COUNT(*) FROM run WHERE system = 'crm' AND finished_at IS NOT NULL";
        for value in ["one@example.test", "two@example.test", "three@example.test"] {
            assert!(world.sim.crm().edit(&crm, &json!({ "email": value })));
            let read = world.number(runs).await;
            // Where it is swallowed, reading the CRM again and again brings nothing.
            until("it is there, or was passed over", PATIENCE, async || {
                (email() == value || world.number(runs).await >= read + 6).then_some(())
            })
            .await;
            assert_eq!(email(), value);
        }
        assert_eq!(serving.terminate().await.code, 0);
        assert_eq!(written(world, "finance").len(), 3);
        assert!(written(world, "crm").is_empty());
        nothing_twice(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_has_the_crm_read_and_its_echo_writes_nothing() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        let (crm, finance) = linked(world).await;
        // No schedule: only the webhook says that there is something to be read.
        configure(world, QUICK);
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let text = std::fs::read_to_string(world.config()).unwrap();
        std::fs::write(world.config(), text.replace("127.0.0.1:0", &address)).unwrap();
        let serving = world.serve().await;
        let base = format!("http://{address}/webhook/crm");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let ask = async |address: String| http.get(address).send().await.unwrap().status().as_u16();
        assert_eq!(ask(format!("{base}/wrong/identity?event=Update&id={crm}")).await, 401);
        assert_eq!(ask(format!("{base}/sim-webhook-token/identity?event=Update")).await, 400);
        assert_eq!(ask(format!("{base}/sim-webhook-token/nothing?id={crm}")).await, 404);
        assert_eq!(world.number("SELECT COUNT(*) FROM hint").await, 0);

        world.sim.set_webhooks(Some(Webhooks { double: true, ..Webhooks::to(&format!("{base}/sim-webhook-token")) }));
        assert!(world.sim.crm().edit(&crm, &json!({ "email": "one@example.test" })));
        let email = || world.sim.finance().contact(finance).unwrap()["Email"].clone();
        until("the edit is there", PATIENCE, async || (email() == "one@example.test").then_some(())).await;
        world.sim.webhooks_sent().await;
        until("nothing waits", PATIENCE, async || {
            let waits = "SELECT (SELECT COUNT(*) FROM hint) + (SELECT COUNT(*) FROM run WHERE status IN ('queued', 'running'))";
            (world.number(waits).await == 0).then_some(())
        })
        .await;
        assert_eq!(serving.terminate().await.code, 0);
        assert_eq!(written(world, "finance").len(), 1);
        assert!(written(world, "crm").is_empty());
        nothing_twice(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_nothing_tells_apart_is_not_created_again_when_its_answer_is_lost() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        let before = world.sim.rows("finance", "contacts").len();
        for action in [Action::DropAfter, Action::StatusAfter, Action::HtmlAfter, Action::LandLate] {
            // Neither mobile nor telephone: only that it came after all others tells it.
            let number = format!("100-9{}", action as u8);
            let person = json!({ "firstName": "Sample", "lastName": number, "customerNumber": number });
            world.sim.crm().create_person(&person);
            let fault = Fault::new("finance", "SaveFormData", action);
            let fault = if action == Action::LandLate { fault.value(400) } else { fault };
            world.sim.set_faults(vec![fault]);
            let done = world.json(0, &["apply", "customers", "--yes"]).await;
            world.sim.settled().await;
            assert_eq!((&done["written"], &done["open"]), (&json!(1), &json!(0)), "{action:?} {done:#}");
            let attempts = world.number("SELECT attempt FROM delivery ORDER BY id DESC LIMIT 1").await;
            assert_eq!(attempts, 1, "{action:?}");
        }
        assert_eq!(world.sim.rows("finance", "contacts").len(), before + 4);
        assert_eq!(written(world, "finance").len(), 4);
        nothing_twice(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_contact_that_only_its_key_tells_is_found_by_the_last_look() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        // Two of one name are two customers, and no question.
        for number in ["100-9801", "100-9802"] {
            let person = json!({ "firstName": "Sample", "lastName": "Alike", "customerNumber": number });
            world.sim.crm().create_person(&person);
        }
        let person = json!({ "firstName": "Sample", "lastName": "Late", "customerNumber": "100-9803" });
        let record = world.sim.crm().create_person(&person);
        let done = world.json(0, &["apply", "customers", "--yes"]).await;
        assert_eq!(done["written"], 3, "{done:#}");
        // As if a request that was given up on had landed late.
        let first =
            written(world, "finance").into_iter().find(|one| one.after["Name"] == "Sample Late").unwrap();
        let mut second = first.after.clone();
        second.as_object_mut().unwrap().remove("Code");
        let second = world.sim.finance().add(&second);
        configure(world, "rate = 10000\nsettle = \"1ms\"");
        world.json(0, &["sync", "finance"]).await;
        let cases = world.json(0, &["cases"]).await["items"].clone();
        let [case] = cases.as_array().unwrap().as_slice() else { panic!("{cases:#}") };
        assert_eq!((&case["kind"], &case["subject"]), (&json!("duplicate"), &json!(record)), "{case:#}");
        let message = case["message"].as_str().unwrap();
        assert!(message.contains(&first.key) && message.contains(&second.to_string()), "{message}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_comes_back_with_another_code_stops_and_asks() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        let (crm, finance) = linked(world).await;
        assert!(world.sim.crm().edit(&crm, &json!({ "email": "one@example.test" })));
        let answer = r#"{"Errors":[],"FinalMessages":[],"ReturnValue":true,"ReturnCode":"9999","ReturnParams":"9999"}"#;
        let fault = Fault::new("finance", "SaveFormData", Action::Status);
        world.sim.set_faults(vec![fault.value(json!({ "code": 200, "body": answer }))]);
        let done = world.json(3, &["apply", "customers", "--yes"]).await;
        assert_eq!((&done["written"], &done["cases"]), (&json!(0), &json!(1)), "{done:#}");
        let cases = world.json(0, &["cases"]).await;
        let message = cases["items"][0]["message"].as_str().unwrap();
        assert_eq!(cases["items"][0]["kind"], "changed_code");
        assert!(message.contains("9999") && message.contains(&finance.to_string()), "{message}");
        // Nothing more is written to it by itself.
        let again = world.json(0, &["sync", "crm", "finance"]).await;
        assert_eq!(again["runs"].as_array().unwrap().len(), 2);
        assert_eq!(world.number("SELECT COUNT(*) FROM delivery WHERE state = 'pending'").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_number_there_already_is_linked_and_not_made_again() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        // The finance system cannot show the number; its key tells it.
        let there = json!({ "Code": 1900, "Name": "Sample Person", "MobileNo": "09120000009" });
        let code = world.sim.finance().add(&there);
        let person = json!({
            "firstName": "Sample", "lastName": "Person", "customerNumber": "100-2900", "mobile": "09120000008",
        });
        world.sim.crm().create_person(&person);
        let first = world.json(0, &["apply", "customers", "--yes"]).await;
        assert_eq!((&first["written"], &first["unchanged"]), (&json!(0), &json!(1)), "{first:#}");
        assert!(written(world, "finance").is_empty());
        // Linked, it is compared like any other.
        let second = world.json(0, &["apply", "customers", "--yes"]).await;
        assert_eq!(second["written"], 1, "{second:#}");
        let writes = written(world, "finance");
        assert_eq!((writes.len(), writes[0].kind, writes[0].key.as_str()), (1, Kind::Update, "1900"));
        assert_eq!(world.sim.finance().contact(code).unwrap()["MobileNo"], "09120000008");
        nothing_twice(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_whose_answer_is_lost_empties_nothing_else() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        let (crm, finance) = linked(world).await;
        // Only the accountants know this.
        assert!(
            world
                .sim
                .finance()
                .edit(finance, &json!({ "WebSiteAddress": "their.example.test", "Description": "theirs" }))
        );
        for (email, action) in [("one@example.test", Action::DropAfter), ("", Action::DropBefore)] {
            assert!(world.sim.crm().edit(&crm, &json!({ "email": email })));
            world.sim.set_faults(vec![Fault::new("finance", "SaveFormData", action)]);
            for _ in 0..2 {
                world.json(0, &["apply", "customers", "--yes"]).await;
            }
            let contact = world.sim.finance().contact(finance).unwrap();
            assert_eq!(contact["Email"].as_str().unwrap_or_default(), email, "{action:?} {contact:#}");
            assert_eq!(contact["WebSiteAddress"], "their.example.test", "{action:?}");
            assert_eq!(contact["Description"], "theirs", "{action:?}");
        }
        nothing_twice(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_night_finds_what_was_edited_on_the_other_side_only() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        let (crm, finance) = linked(world).await;
        assert!(world.sim.crm().edit(&crm, &json!({ "email": "one@example.test" })));
        world.json(0, &["apply", "customers", "--yes"]).await;
        assert!(world.sim.finance().edit(finance, &json!({ "Email": "drift@example.test" })));
        world.json(0, &["sync", "finance", "crm"]).await;
        assert_eq!(world.number("SELECT COUNT(*) FROM delivery WHERE reason = 'reconcile'").await, 0);
        // As if it had been live for long: its time of the night has passed since.
        world.execute("UPDATE flow_state SET live_since = 1", []).await;
        let serving = world.serve().await;
        let email = || world.sim.finance().contact(finance).unwrap()["Email"].clone();
        until("the master's is back", PATIENCE, async || (email() == "one@example.test").then_some(())).await;
        until("nothing is open", PATIENCE, async || {
            let open =
                "SELECT COUNT(*) FROM delivery WHERE state IN ('pending', 'claimed', 'prepared', 'sent')";
            (world.number(open).await == 0).then_some(())
        })
        .await;
        assert_eq!(serving.terminate().await.code, 0);
        assert_eq!(world.number("SELECT COUNT(*) FROM delivery WHERE reason = 'reconcile'").await, 1);
        nothing_twice(world).await;
    })
    .await;
}
