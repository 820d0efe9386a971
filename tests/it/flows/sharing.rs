//! Two servers on one database: they share the deliveries, take over from one that hangs, and whoever was taken
//! over does no harm when it goes on.

use std::collections::HashSet;

use concord::simulate::{Action, Fault};
use serde_json::{Value, json};

use super::forward::{linked, live};
use super::{QUICK, configure, nothing_twice, plain, written};
use crate::support::program::Running;
use crate::support::{PATIENCE, World, on_both_with, servers, until};

/// Deliveries that are not at their end.
const OPEN: &str =
    "SELECT COUNT(*) FROM delivery WHERE state IN ('pending', 'claimed', 'prepared', 'sent', 'uncertain')";

/// What the audit knows of writes that were done.
const CONFIRMED: &str = "SELECT COUNT(*) FROM audit WHERE action = 'delivery.confirmed'";

/// Plays a scenario where two can share: on PostgreSQL, where there is one.
async fn where_shared(scenario: impl AsyncFn(&World)) {
    for server in servers().flatten() {
        let world = World::new(Some(&server), &plain()).await;
        live(&world).await;
        scenario(&world).await;
        world.end().await;
    }
}

/// Two servers, each with the number it works under.
async fn two(world: &World) -> [(Running, i64); 2] {
    let engine = async || world.number("SELECT MAX(id) FROM engine").await;
    let first = (world.serve().await, engine().await);
    let second = (world.serve().await, engine().await);
    assert_ne!(first.1, second.1);
    [first, second]
}

async fn nothing_open(world: &World) {
    until("nothing is open", PATIENCE, async || (world.number(OPEN).await == 0).then_some(())).await;
}

/// The deliveries of a flow as they stand.
async fn deliveries(world: &World) -> Vec<String> {
    let columns = ["state", "epoch", "attempt", "COALESCE(target, '')", "COALESCE(after_value, '')"];
    let columns = columns.map(|column| format!("CAST({column} AS TEXT)")).join(" || ' ' || ");
    world.texts(&format!("SELECT {columns} FROM delivery WHERE way = 'forward' ORDER BY id")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_share_what_is_to_be_written() {
    where_shared(async |world| {
        let servers = two(world).await;
        let links = world.json(0, &["links", "list", "customers"]).await;
        let keys: Vec<&str> = links["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|link| link["source_key"].as_str().unwrap())
            .collect();
        world.sim.set_faults(vec![Fault::new("finance", "SaveFormData", Action::Late).value(300).times(0)]);
        for (at, key) in keys.iter().take(20).enumerate() {
            assert!(world.sim.crm().edit(key, &json!({ "email": format!("n{at}@example.test") })));
        }
        world.json(0, &["sync", "crm"]).await;
        let mut working = HashSet::new();
        until("both had a share", PATIENCE, async || {
            let sql = "SELECT DISTINCT CAST(engine AS TEXT) FROM delivery WHERE state = 'sent'";
            working.extend(world.texts(sql).await);
            (working.len() == 2).then_some(())
        })
        .await;
        nothing_open(world).await;
        for (server, _) in servers {
            assert_eq!(server.terminate().await.code, 0);
        }
        let writes = written(world, "finance");
        let records: HashSet<&str> = writes.iter().map(|write| write.key.as_str()).collect();
        assert_eq!((writes.len(), records.len()), (20, 20));
        nothing_twice(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_in_mid_delivery_is_taken_over_and_changes_nothing_afterwards() {
    where_shared(async |world| {
        let (crm, finance) = linked(world).await;
        let told = world.number(CONFIRMED).await;
        let servers = two(world).await;
        world.sim.set_faults(vec![Fault::new("finance", "SaveFormData", Action::Late).value(1500)]);
        assert!(world.sim.crm().edit(&crm, &json!({ "email": "one@example.test" })));
        world.json(0, &["sync", "crm"]).await;
        until("it was written", PATIENCE, async || (written(world, "finance").len() == 1).then_some(()))
            .await;
        let holder = world.number("SELECT engine FROM delivery WHERE state = 'sent'").await;
        let hangs = &servers.iter().find(|(_, engine)| *engine == holder).unwrap().0;
        hangs.freeze().await;
        assert_eq!(world.number("SELECT COUNT(*) FROM delivery WHERE state = 'sent'").await, 1);
        // A lease later the other one looks for it, and finds it.
        nothing_open(world).await;
        let before = deliveries(world).await;
        assert!(before.last().unwrap().starts_with("confirmed "), "{before:#?}");
        hangs.go_on();
        // What was under way is brought to an end before they end.
        for (server, _) in servers {
            assert_eq!(server.terminate().await.code, 0);
        }
        assert_eq!(deliveries(world).await, before);
        assert_eq!(written(world, "finance").len(), 1);
        assert_eq!(world.sim.finance().contact(finance).unwrap()["Email"], "one@example.test");
        assert_eq!(world.number(CONFIRMED).await, told + 1);
        nothing_twice(world).await;
    })
    .await;
}

/// Has a server freeze exactly between its last look at the lease and the request that makes this person, another
/// one take over, and the first go on. What is on record stays what it was; the record and the second server.
async fn frozen_before_the_request(world: &World, person: &Value) -> (String, Running) {
    configure(world, QUICK);
    let stop = [("CONCORD_FAILPOINT", "delivery sent"), ("CONCORD_FAILPOINT_DOES", "stop")];
    let first = world.serve_with(&stop).await;
    let record = world.sim.crm().create_person(person);
    world.json(0, &["sync", "crm"]).await;
    first.frozen().await;
    assert!(written(world, "finance").is_empty());
    let second = world.serve().await;
    nothing_open(world).await;
    assert_eq!(written(world, "finance").len(), 1);
    let before = deliveries(world).await;
    first.go_on();
    // What was under way is brought to an end before it ends.
    assert_eq!(first.terminate().await.code, 0);
    assert_eq!(deliveries(world).await, before, "a late answer changes nothing on record");
    (record, second)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_late_by_who_was_frozen_is_refused_where_a_number_tells_it() {
    where_shared(async |world| {
        let person = json!({
            "firstName": "Sample", "lastName": "Frozen", "customerNumber": "100-9701", "mobile": "09120000971",
        });
        let (_, second) = frozen_before_the_request(world, &person).await;
        assert_eq!(written(world, "finance").len(), 1);
        assert_eq!(second.terminate().await.code, 0);
        nothing_twice(world).await;
    })
    .await;
}

/// The one thing that a lease cannot keep from happening twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_late_by_who_was_frozen_is_found_and_named() {
    where_shared(async |world| {
        let person = json!({ "firstName": "Sample", "lastName": "Nameless", "customerNumber": "100-9702" });
        let (record, second) = frozen_before_the_request(world, &person).await;
        let writes = written(world, "finance");
        assert_eq!(writes.len(), 2, "it went out late");
        let named = until("the second one is found", PATIENCE, async || {
            world.json(0, &["sync", "finance"]).await;
            let cases = world.json(0, &["cases"]).await["items"].clone();
            cases.as_array().unwrap().first().cloned()
        })
        .await;
        assert_eq!((&named["kind"], &named["subject"]), (&json!("duplicate"), &json!(record)), "{named:#}");
        let message = named["message"].as_str().unwrap();
        for write in writes {
            assert!(message.contains(&write.key), "{} in {message}", write.key);
        }
        assert_eq!(second.terminate().await.code, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_a_file_is_refused_in_words() {
    on_both_with(&plain(), async |world| {
        if world.is_postgres() {
            return;
        }
        configure(world, QUICK);
        let first = world.serve().await;
        let second = world.run(&["serve"]).await;
        assert_eq!(second.code, 2, "{}", second.err);
        assert!(second.err.contains("Another process serves this SQLite database already"), "{}", second.err);
        assert_eq!(first.terminate().await.code, 0);
    })
    .await;
}
