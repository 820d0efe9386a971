//! Quotes and invoices become pre-invoices: once each, whatever happens, and never twice.

use std::collections::BTreeSet;

use concord::simulate::{Action, Fault, OfficeTrap, Webhooks};
use serde_json::{Value, json};

use super::{QUICK, configure, plain};
use crate::api::server::Server;
use crate::support::{PATIENCE, World, on_both_with, servers, until};

/// A CRM and a finance system with nobody in them, and flows that are live. `lines` are added to the flow of
/// quotes.
async fn empty(world: &World, lines: &str) {
    for stream in ["identities", "quotes", "invoices"] {
        world.sim.replace_rows("crm", stream, Vec::new());
    }
    world.sim.replace_rows("finance", "contacts", Vec::new());
    with_documents(world, lines);
    for flow in ["customers", "quotes", "invoices"] {
        world.json(0, &["flow", "start", flow]).await;
    }
}

/// Writes a configuration with flows of customers, quotes and invoices.
fn with_documents(world: &World, lines: &str) {
    configure(world, QUICK);
    let text = std::fs::read_to_string(world.config()).unwrap();
    let invoices = "\n[flows.invoices]\nfrom = \"crm\"\nto = \"finance\"\nentity = \"invoice\"\n\
                    sale_models = { SI_1 = 1 }\n";
    let quotes = concord::simulate::quotes_config() + lines;
    std::fs::write(world.config(), text + &quotes + invoices).unwrap();
}

/// A customer that both sides have: the identity, and the contact with this accounting party.
fn customer(world: &World, code: i64, party: Option<i64>) -> String {
    let contact = json!({ "Code": code, "Name": format!("Sample {code}"), "AccountPartyCode": party });
    world.sim.finance().add(&contact);
    let number = format!("100-{}", code + 1000);
    let person = json!({ "firstName": "Sample", "lastName": code.to_string(), "customerNumber": number });
    world.sim.crm().create_person(&person)
}

/// An approved quote of two lines.
fn quote(customer: &str) -> Value {
    json!({
        "identityId": customer, "billableObjectStateIndex": 2, "description": "a | b",
        "details": [
            { "productCode": "1001", "count": 2, "baseUnitPrice": 1_500_000 },
            { "productCode": "9001", "count": "1.5", "baseUnitPrice": 450_000, "totalDiscount": 50_000 },
        ],
    })
}

fn documents(world: &World) -> Vec<Value> {
    world.sim.finance().documents()
}

async fn open_cases(world: &World) -> Vec<String> {
    world.texts("SELECT kind FROM cases WHERE state = 'open' ORDER BY id").await
}

async fn apply(world: &World, code: i32, flow: &str) -> Value {
    world.json(code, &["apply", flow, "--yes"]).await
}

async fn links(world: &World, flow: &str) -> Vec<String> {
    let sql =
        format!("SELECT source_key || ' ' || destination_key FROM link WHERE flow = '{flow}' ORDER BY id");
    world.texts(&sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_is_edited_five_times_is_one_pre_invoice() {
    on_both_with(&plain(), async |world| {
        empty(world, "constants = { codevaseteh = 32 }\n").await;
        let crm = world.sim.crm();
        let customer = customer(world, 1001, Some(4001));
        let mut pending = quote(&customer);
        pending["billableObjectStateIndex"] = json!(1);
        let id = crm.add_quote(&pending);
        for count in 3..8 {
            let line = json!({ "productCode": "1001", "count": count, "baseUnitPrice": 1000 });
            assert!(crm.edit_quote(&id, &json!({ "details": [line] })));
            let done = apply(world, 0, "quotes").await;
            assert_eq!(done["written"], 0, "{done:#}");
        }
        let number = crm.number_quote(&id).unwrap();
        let plan = world.json(0, &["plan", "quotes"]).await;
        assert_eq!((&plan["counts"]["create"], &plan["changes"][0]["source"]), (&json!(1), &json!(id)));
        assert!(plan["changes"][0]["reason"].as_str().unwrap().contains(&number), "{plan:#}");
        assert!(documents(world).is_empty());
        let done = apply(world, 0, "quotes").await;
        assert_eq!((&done["written"], &done["open"]), (&json!(1), &json!(0)), "{done:#}");
        for text in ["1", "2", "3", "4", "5"] {
            assert!(crm.edit_quote(&id, &json!({ "description": text })));
            let done = apply(world, 0, "quotes").await;
            assert_eq!((&done["written"], &done["cases"]), (&json!(0), &json!(0)), "{done:#}");
        }
        let written = documents(world);
        assert_eq!(written.len(), 1);
        let (document, controls) = (&written[0], written[0]["ctrlValues"].as_str().unwrap());
        assert_eq!((&document["party"], &document["contact"]), (&json!("4001"), &json!("1001")));
        assert_eq!((&document["net"], &document["year"]), (&json!("7700"), &json!(1408)));
        for pair in ["codesalemodel=1|", "codevaseteh=32|", "codenoeesanad=2|", "namenoesanad=پیش فاکتور"]
        {
            assert!(controls.contains(&format!("sl_sanad.{pair}")), "{pair} in {controls}");
        }
        assert_eq!(links(world, "quotes").await, [format!("{id} 1408/2001")]);
        let delivered = world.json(0, &["deliveries", "list", "--state", "confirmed"]).await;
        let after = &delivered["items"][0]["after"];
        assert_eq!((&after["document_number"], &after["document_net"]), (&json!("2001"), &json!("7700")));
        assert_eq!((&after["document_code"], &after["document_id"]), (&json!("7001"), &json!("88001")));

        // Its money changes after it was sent: that is asked about once, and nothing is sent again.
        for price in [1001, 1002, 1003] {
            let line = json!({ "productCode": "1001", "count": 7, "baseUnitPrice": price });
            assert!(crm.edit_quote(&id, &json!({ "details": [line] })));
            apply(world, 3, "quotes").await;
        }
        assert_eq!(open_cases(world).await, ["changed_after_send"]);
        assert_eq!(world.number("SELECT COUNT(*) FROM cases").await, 1);
        let case = world.json(0, &["cases"]).await["items"][0]["id"].to_string();
        world.json(0, &["cases", "decide", &case, "--choose", "seen"]).await;
        apply(world, 0, "quotes").await;
        assert_eq!((documents(world).len(), open_cases(world).await.len()), (1, 0));
        let imported = world.run(&["import", "quotes", "--yes"]).await;
        assert_eq!(imported.code, 2, "{}", imported.err);
        assert!(imported.err.contains("nothing to import"), "{}", imported.err);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_a_question_and_never_a_second_document() {
    on_both_with(&plain(), async |world| {
        empty(world, "").await;
        let customer = customer(world, 1001, Some(4001));
        for (action, there) in
            [(Action::DropAfter, true), (Action::HtmlAfter, true), (Action::DropBefore, false)]
        {
            let before = documents(world).len();
            let id = world.sim.crm().add_quote(&quote(&customer));
            world.sim.set_faults(vec![Fault::new("finance", "SaveFormData", action)]);
            let done = apply(world, 3, "quotes").await;
            assert_eq!((&done["written"], &done["cases"]), (&json!(0), &json!(1)), "{action:?} {done:#}");
            assert_eq!(documents(world).len(), before + usize::from(there), "{action:?}");
            assert_eq!(open_cases(world).await, ["uncertain_delivery"], "{action:?}");
            // Neither an edit, nor another plan, nor a retry sends it again.
            assert!(world.sim.crm().edit_quote(&id, &json!({ "description": "edited" })));
            let line = json!({ "productCode": "1001", "count": 1, "baseUnitPrice": 1000 });
            assert!(world.sim.crm().edit_quote(&id, &json!({ "details": [line] })));
            apply(world, 3, "quotes").await;
            let held = world.json(0, &["deliveries", "list", "--state", "held"]).await;
            let delivery = held["items"][0]["id"].to_string();
            let retried = world.run(&["deliveries", "retry", &delivery]).await;
            assert_eq!(retried.code, 2, "{}", retried.err);
            if action == Action::DropAfter {
                let server = Server::start(world).await;
                let path = format!("/api/v1/deliveries/{delivery}/retry");
                server.call("operator", "POST", &path, None).await.problem(409);
                assert_eq!(server.get("/api/v1/flows").await["items"][1]["entity"], "quote");
                server.end().await;
            }
            assert_eq!(documents(world).len(), before + usize::from(there), "{action:?}");

            if there {
                let number = documents(world).last().unwrap()["number"].to_string();
                let said = ["deliveries", "resolve", &delivery, "--applied", "--ref", &number];
                world.json(0, &said).await;
                let own = links(world, "quotes").await.pop().unwrap();
                assert_eq!(own, format!("{id} 1408/{number}"));
                // What it was made of is on record: that it was changed meanwhile is seen.
                apply(world, 3, "quotes").await;
                assert_eq!(open_cases(world).await, ["changed_after_send"]);
                world.execute("UPDATE cases SET state = 'decided', choice = 'seen'", []).await;
            } else {
                world.json(0, &["deliveries", "resolve", &delivery, "--not-applied"]).await;
                assert_eq!(apply(world, 0, "quotes").await["errors"], 0);
            }
            assert_eq!(documents(world).len(), before + 1, "{action:?}");
            assert_eq!(open_cases(world).await, Vec::<String>::new(), "{action:?}");
        }
        one_each(world).await;
    })
    .await;
}

/// No quote has two documents, every document is one quote's, and the audit knows of each.
async fn one_each(world: &World) {
    let documents = documents(world);
    let twice = "SELECT COUNT(*) FROM (SELECT destination_key FROM link WHERE flow <> 'customers' GROUP BY flow, destination_key HAVING COUNT(*) > 1) twice";
    assert_eq!(world.number(twice).await, 0);
    let linked = links(world, "quotes").await.len() + links(world, "invoices").await.len();
    assert_eq!(linked, documents.len());
    let told =
        "SELECT COUNT(*) FROM audit WHERE action = 'delivery.confirmed' AND subject NOT LIKE 'customers %'";
    assert_eq!(world.number(told).await, documents.len() as i64);
    let suids: BTreeSet<&str> = documents.iter().map(|document| document["suid"].as_str().unwrap()).collect();
    assert_eq!(suids.len(), documents.len());
    let checked = world.run(&["audit", "verify"]).await;
    assert_eq!(checked.code, 0, "{}{}", checked.out, checked.err);
}

/// Quotes of the run that is killed.
const QUOTES: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_step_no_quote_is_sent_twice_or_lost() {
    let whole = std::env::var("CONCORD_MATRIX").is_ok_and(|which| which == "whole");
    let places = [
        "delivery claimed",
        "delivery prepared",
        "delivery sent",
        "delivery answered",
        "delivery recorded",
        "delivery left",
        "delivery resolving",
        "delivery resolved",
    ];
    for server in servers() {
        let mut died = BTreeSet::new();
        for (at, place) in places.iter().enumerate() {
            for (turn, nth) in [1, QUOTES / 2, QUOTES].into_iter().enumerate() {
                let looks = place.starts_with("delivery resol");
                // Where something is on record as sent, each of the three always.
                let sent = ["delivery sent", "delivery answered"].contains(place);
                if (whole || sent || turn == at % 3 || looks) && !(looks && nth > QUOTES / 2) {
                    let nth = if looks { nth.min(2) } else { nth };
                    if killed(server.as_deref(), place, nth, looks).await {
                        died.insert(*place);
                    }
                }
            }
        }
        assert_eq!(died, places.into_iter().collect());
    }
}

/// Kills a run of quotes at the `nth` time it passes a place, then has it go on and a person look. Whether it
/// died.
async fn killed(server: Option<&str>, place: &str, nth: usize, lost: bool) -> bool {
    let world = World::new(server, &plain()).await;
    let what = format!("{place}, the {nth}.");
    empty(&world, "").await;
    let customer = customer(&world, 1001, Some(4001));
    world.json(0, &["apply", "customers", "--yes"]).await;
    let ids: Vec<String> = (0..QUOTES).map(|_| world.sim.crm().add_quote(&quote(&customer))).collect();
    if lost {
        let fault = Fault::new("finance", "SaveFormData", Action::DropAfter);
        world.sim.set_faults(vec![fault.nth(2).times(2)]);
    }
    let failpoint = format!("{place}:{nth}");
    let died =
        world.run_with(&["apply", "quotes", "--yes", "--quiet"], &[("CONCORD_FAILPOINT", &failpoint)]).await;
    assert!(died.code <= 0 || died.code == 3, "{what}: {} {}", died.code, died.err);
    let again = world.run(&["apply", "quotes", "--yes", "--quiet"]).await;
    assert!([0, 3].contains(&again.code), "{what}: {} {}", again.code, again.err);
    world.sim.settled().await;
    assert!(documents(&world).len() <= QUOTES, "{what}");

    // Whatever is not linked is a question; whoever looks finds it by its id, or not at all.
    let held = world.json(0, &["deliveries", "list", "--state", "held"]).await;
    for one in held["items"].as_array().unwrap() {
        let suid = one["payload"]["suid"].as_str().unwrap();
        let there = documents(&world).into_iter().find(|document| document["suid"] == suid);
        let number = there.map(|document| document["number"].to_string());
        let id = one["id"].to_string();
        let said = match &number {
            Some(number) => vec!["deliveries", "resolve", &id, "--applied", "--ref", number],
            None => vec!["deliveries", "resolve", &id, "--not-applied"],
        };
        world.json(0, &said).await;
    }
    assert_eq!(world.run(&["apply", "quotes", "--yes"]).await.code, 0, "{what}");
    let linked: BTreeSet<String> = links(&world, "quotes").await.into_iter().collect();
    let linked: BTreeSet<&str> = linked.iter().map(|link| link.split(' ').next().unwrap()).collect();
    assert_eq!(linked, ids.iter().map(String::as_str).collect(), "{what}");
    assert_eq!(documents(&world).len(), QUOTES, "{what}");
    one_each(&world).await;
    world.end().await;
    died.code < 0
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_asked_about_before() {
    on_both_with(&plain(), async |world| {
        empty(world, "").await;
        let crm = world.sim.crm();
        let customer = customer(world, 1001, Some(4001));
        let with = |name: &str, value: Value| {
            let mut quote = quote(&customer);
            quote[name] = value;
            quote
        };
        for (given, kind, mended) in [
            (with("discount", json!(550_000)), "not_representable", json!({ "discount": 50_000 })),
            (with("toll", json!(5)), "not_representable", json!({ "toll": 0 })),
            (with("additionalCosts", json!(5)), "not_representable", json!({ "additionalCosts": 0 })),
            (with("finalValue", json!(987_654_321)), "not_representable", json!({ "discount": 50_000 })),
            (
                with("crmObjectTypeCode", json!("other")),
                "not_representable",
                json!({ "crmObjectTypeCode": "PI_2" }),
            ),
            (
                with("billableObjectStateIndex", json!(5)),
                "unknown_state",
                json!({ "billableObjectStateIndex": 2 }),
            ),
        ] {
            let before = documents(world).len();
            let id = crm.add_quote(&given);
            let plan = world.json(0, &["plan", "quotes"]).await;
            assert_eq!(plan["counts"]["case"], 1, "{plan:#}");
            let done = apply(world, 3, "quotes").await;
            assert_eq!((&done["written"], &done["cases"]), (&json!(0), &json!(1)), "{given} {done:#}");
            assert_eq!(open_cases(world).await, [kind], "{given}");
            // Read again, it is no second question.
            apply(world, 3, "quotes").await;
            assert_eq!((documents(world).len(), open_cases(world).await.len()), (before, 1), "{given}");
            assert!(crm.edit_quote(&id, &mended));
            let done = apply(world, 0, "quotes").await;
            assert_eq!(done["written"], 1, "{given} {done:#}");
            assert_eq!((documents(world).len(), open_cases(world).await.len()), (before + 1, 0), "{given}");
        }
        // What a person leaves out stays out.
        let id = crm.add_quote(&with("toll", json!(5)));
        apply(world, 3, "quotes").await;
        let case = world.json(0, &["cases"]).await["items"][0]["id"].to_string();
        world.json(0, &["cases", "decide", &case, "--choose", "exclude"]).await;
        assert!(crm.edit_quote(&id, &json!({ "toll": 0 })));
        let before = documents(world).len();
        let done = apply(world, 0, "quotes").await;
        assert_eq!((&done["written"], documents(world).len()), (&json!(0), before), "{done:#}");
        assert_eq!(world.number("SELECT COUNT(*) FROM delivery WHERE state = 'held'").await, 0);
        one_each(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_without_accounting_party_makes_its_quote_wait() {
    on_both_with(&plain(), async |world| {
        empty(world, "").await;
        let customer = customer(world, 1001, None);
        world.sim.crm().add_quote(&quote(&customer));
        let done = apply(world, 3, "quotes").await;
        assert_eq!((&done["written"], &done["cases"]), (&json!(0), &json!(1)), "{done:#}");
        assert_eq!(open_cases(world).await, ["no_party"]);
        apply(world, 3, "quotes").await;
        assert!(documents(world).is_empty());
        assert!(world.sim.finance().edit(1001, &json!({ "AccountPartyCode": 4001 })));
        let done = apply(world, 0, "quotes").await;
        assert_eq!(done["written"], 1, "{done:#}");
        assert_eq!((documents(world).len(), open_cases(world).await.len()), (1, 0));
        one_each(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customer_goes_first_with_a_number_or_without() {
    on_both_with(&plain(), async |world| {
        empty(world, "").await;
        let crm = world.sim.crm();
        let lead = crm.create_person(&json!({ "firstName": "Sample", "lastName": "Lead", "mobile": "09120000001" }));
        let numbered = crm.create_person(
            &json!({ "firstName": "Sample", "lastName": "New", "customerNumber": "100-9000", "mobile": "09120000002" }),
        );
        for customer in [&lead, &numbered] {
            crm.add_quote(&quote(customer));
        }
        let done = apply(world, 0, "quotes").await;
        assert_eq!((&done["written"], documents(world).len()), (&json!(2), 2), "{done:#}");
        let linked = links(world, "customers").await;
        assert_eq!(linked.len(), 2, "{linked:?}");
        for document in documents(world) {
            let code = document["contact"].as_str().unwrap();
            assert!(linked.iter().any(|link| link.ends_with(&format!(" {code}"))), "{document:#}");
        }
        one_each(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_older_than_the_flow_is_sent() {
    on_both_with(&plain(), async |world| {
        with_documents(world, "");
        world.json(0, &["import", "customers", "--yes"]).await;
        // Not live yet: nothing would be sent at all.
        let plan = world.json(0, &["plan", "quotes"]).await;
        assert_eq!((&plan["counts"]["create"], &plan["counts"]["skip"]), (&json!(0), &json!(20)), "{plan:#}");
        world.json(0, &["flow", "start", "quotes"]).await;
        let done = apply(world, 0, "quotes").await;
        assert_eq!((&done["written"], documents(world).len()), (&json!(0), 0), "{done:#}");
        assert!(open_cases(world).await.is_empty());
        // From a day on that somebody names, what is due is sent, and what is odd is asked about.
        with_documents(world, "since = \"2025-01-01\"\n");
        let plan = world.json(0, &["plan", "quotes"]).await;
        let counted = |action: &str| plan["counts"][action].as_u64().unwrap();
        assert!(counted("create") >= 10 && counted("case") >= 4 && counted("skip") == 0, "{plan:#}");
        let done = apply(world, 3, "quotes").await;
        assert_eq!(done["written"].as_u64(), Some(counted("create")), "{done:#}");
        assert_eq!(documents(world).len() as u64, counted("create"));
        let kinds: BTreeSet<String> = open_cases(world).await.into_iter().collect();
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["no_party", "not_representable", "unknown_state"]);
        one_each(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_held_against_the_quote() {
    on_both_with(&plain(), async |world| {
        empty(world, "").await;
        let customer = customer(world, 1001, Some(4001));
        world.sim.finance().set_date("1409/01/05");
        world.sim.set_office_traps([OfficeTrap::FinanceNetDiffers, OfficeTrap::FinanceFinalMessages]);
        let first = world.sim.crm().add_quote(&quote(&customer));
        let done = apply(world, 3, "quotes").await;
        assert_eq!((&done["written"], &done["cases"]), (&json!(1), &json!(1)), "{done:#}");
        assert_eq!(open_cases(world).await, ["net_amount"]);
        let case = world.json(0, &["cases"]).await["items"][0].clone();
        let message = case["message"].as_str().unwrap();
        assert!(message.contains("3925000") && message.contains("3930000"), "{message}");
        // The link stands, in the fiscal year that the sign-in told.
        assert_eq!(links(world, "quotes").await, [format!("{first} 1409/2001")]);
        world.json(0, &["cases", "decide", &case["id"].to_string(), "--choose", "seen"]).await;
        world.sim.set_office_traps([OfficeTrap::FinancePersianDigits, OfficeTrap::FinanceWarns]);
        let second = world.sim.crm().add_quote(&quote(&customer));
        apply(world, 0, "quotes").await;
        assert!(links(world, "quotes").await.contains(&format!("{second} 1409/2002")));
        assert!(open_cases(world).await.is_empty());
        // Both were sent; that one's net differs stays to be seen.
        let verified = world.json(3, &["verify", "quotes"]).await;
        let lines = &verified["items"][0]["lines"];
        assert_eq!((&lines[0]["source"], &lines[0]["equal"]), (&json!("2"), &json!(true)), "{verified:#}");
        assert_eq!(lines[1]["causes"][0], json!({ "rule": "net_differs", "count": 1, "amount": null }));
        assert_eq!(lines[1]["difference"], "5000", "{verified:#}");
        one_each(world).await;

        // A script that crashes leaves open what it did before.
        world.sim.set_office_traps([OfficeTrap::FinanceCrashAfter]);
        let text = std::fs::read_to_string(world.config()).unwrap();
        let text = text.replace("kind = \"siagh\"\n", "kind = \"siagh\"\nparty_column = \"Code\"\n");
        std::fs::write(world.config(), text).unwrap();
        world.sim.crm().add_quote(&quote(&customer));
        let done = apply(world, 3, "quotes").await;
        assert_eq!((&done["cases"], documents(world).len()), (&json!(1), 3), "{done:#}");
        assert_eq!(open_cases(world).await, ["uncertain_delivery"]);
        apply(world, 3, "quotes").await;
        assert_eq!(documents(world).len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_is_left_out_when_its_quote_was_sent() {
    on_both_with(&plain(), async |world| {
        empty(world, "").await;
        let crm = world.sim.crm();
        let customer = customer(world, 1001, Some(4001));
        let id = crm.add_quote(&quote(&customer));
        apply(world, 0, "quotes").await;
        let mut of_quote = quote(&customer);
        of_quote["refId"] = json!(id.to_uppercase());
        crm.add_invoice(&of_quote);
        let own = crm.add_invoice(&quote(&customer));
        let plan = world.json(0, &["plan", "invoices"]).await;
        assert_eq!((&plan["counts"]["create"], &plan["counts"]["skip"]), (&json!(1), &json!(1)), "{plan:#}");
        let done = apply(world, 0, "invoices").await;
        assert_eq!((&done["written"], documents(world).len()), (&json!(1), 2), "{done:#}");
        assert_eq!(links(world, "invoices").await, [format!("{own} 1408/2002")]);
        one_each(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_a_quote_leads_to_its_pre_invoice() {
    on_both_with(&plain(), async |world| {
        empty(world, "").await;
        let crm = world.sim.crm();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let text = std::fs::read_to_string(world.config()).unwrap();
        std::fs::write(world.config(), text.replace("127.0.0.1:0", &address)).unwrap();
        let customer = customer(world, 1001, None);
        apply(world, 0, "customers").await;
        let serving = world.serve().await;
        let base = format!("http://{address}/webhook/crm/sim-webhook-token");
        world.sim.set_webhooks(Some(Webhooks { double: true, ..Webhooks::to(&base) }));
        let lead =
            crm.create_person(&json!({ "firstName": "Sample", "lastName": "Lead", "mobile": "09120000001" }));
        let mut pending = quote(&customer);
        pending["billableObjectStateIndex"] = json!(1);
        let first = crm.add_quote(&pending);
        crm.number_quote(&first).unwrap();
        crm.add_quote(&quote(&lead));
        until("the lead's is there", PATIENCE, async || (documents(world).len() == 1).then_some(())).await;
        until("the other waits", PATIENCE, async || (open_cases(world).await == ["no_party"]).then_some(()))
            .await;
        // The party is seen when the finance system is read again.
        assert!(world.sim.finance().edit(1001, &json!({ "AccountPartyCode": 4001 })));
        world.json(0, &["sync", "finance"]).await;
        until("both are there", PATIENCE, async || (documents(world).len() == 2).then_some(())).await;
        until("nothing is open", PATIENCE, async || {
            let open =
                "SELECT COUNT(*) FROM delivery WHERE state IN ('pending', 'claimed', 'prepared', 'sent')";
            (world.number(open).await == 0).then_some(())
        })
        .await;
        assert_eq!(serving.terminate().await.code, 0);
        assert!(open_cases(world).await.is_empty());
        one_each(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_of_a_customer_are_shown_with_what_became_of_them() {
    on_both_with(&plain(), async |world| {
        empty(world, "").await;
        let customer = customer(world, 1001, Some(4001));
        let sent = world.sim.crm().add_quote(&quote(&customer));
        apply(world, 0, "quotes").await;
        let mut pending = quote(&customer);
        pending["billableObjectStateIndex"] = json!(1);
        let waiting = world.sim.crm().add_quote(&pending);
        world.sync(0, &["crm"]).await;
        let id = world.number("SELECT id FROM customer WHERE system = 'crm'").await;
        let server = Server::start(world).await;
        let listed = server.get(&format!("/api/v1/customers/{id}/documents?limit=1")).await;
        assert_eq!((&listed["total"], &listed["next"]), (&json!(2), &json!("1")), "{listed:#}");
        let first = &listed["items"][0];
        assert_eq!((&first["key"], &first["net"]), (&json!(waiting), &json!("3925000.00")), "{listed:#}");
        assert_eq!((&first["written_as"], &first["number"]), (&Value::Null, &Value::Null));
        let rest = server.get(&format!("/api/v1/customers/{id}/documents?cursor=1")).await;
        let second = &rest["items"][0];
        assert_eq!((&second["key"], &second["written_as"]), (&json!(sent), &json!("1408/2001")), "{rest:#}");
        assert_eq!((&second["flow"], &rest["next"]), (&json!("quotes"), &Value::Null));
        let page = server.call("viewer", "GET", &format!("/customers/{id}"), None).await;
        let page = String::from_utf8(page.body).unwrap();
        assert!(page.contains("Quotes and invoices") && page.contains("1408/2001"), "{page}");
        server.end().await;
    })
    .await;
}
