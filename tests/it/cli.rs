//! The command line: how commands end, what they say, and how they share one database.

use std::time::Duration;

use concord::simulate::{Action, Fault, Options};
use serde_json::json;

use crate::faults::mirror_is_source;
use crate::pull::{counts, run, stage};
use crate::support::{PATIENCE, World, on_both, until};

mod database;
mod first;
mod hindrances;
mod opening;
mod people;
mod texts;

/// Waits until a planned failure has met its request.
async fn met(world: &World) {
    until("the planned failure happens", PATIENCE, async || {
        (world.sim.faults()[0].left == Some(0)).then_some(())
    })
    .await;
}

fn late(system: &str, path: &str, millis: u64) -> Fault {
    Fault::new(system, path, Action::Late).value(millis)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_shows_everybody() {
    // It brings a database of its own.
    let world = World::new(None, &Options::default()).await;
    let document = world.json(0, &["demo", "--once"]).await;
    let owners = document["owners"].as_array().unwrap();
    let sum = |name: &str| owners.iter().map(|owner| owner[name].as_i64().unwrap()).sum::<i64>();
    assert_eq!((sum("clients"), sum("accounts")), (2139, 2936));
    let labels: Vec<_> = owners.iter().map(|owner| owner["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["Ham (incl. XM)", "Janischa"], "brokers' owners only");
    assert_eq!(document["runs"].as_array().unwrap().len(), 6);
    let import = &document["import"];
    assert_eq!((&import["created"], &import["linked"]), (&json!(100), &json!(50)), "{import:#}");
    assert_eq!((&import["cases"], &import["closed"]), (&json!(0), &json!(true)), "{import:#}");
    let shop = &document["shops"][0];
    assert_eq!((&shop["system"], &shop["currency"]), (&json!("shop"), &json!("RUB")));
    assert_eq!((&shop["customers"], &shop["cards"]), (&json!(5000), &json!(5500)));
    assert_eq!(document["verify"]["agree"], true);
    assert!(document["seconds"].as_f64().unwrap() > 0.0);

    let told = world.run(&["demo", "--once", "--quiet"]).await;
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.out.contains("2,139 clients of brokers with 2,936 accounts"), "{}", told.out);
    assert!(told.out.contains("5,000 customers with 5,500 cards"), "{}", told.out);
    assert!(told.out.contains("150 customers of CRM and finance brought into agreement"), "{}", told.out);
    assert!(told.out.contains("opening balance") && !told.out.contains("Unknown"), "{}", told.out);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_tried_once_and_told() {
    on_both(async |world| {
        world.configure(|text| text.replace("sim-ham-password", "sim-ham-passwort"));
        for refused in 1..=3 {
            let document = world.sync(1, &["ham"]).await;
            let told = run(&document, "ham")["error"].as_str().unwrap();
            assert!(
                told.contains("ham refused the login") && told.contains("Check login and password"),
                "{told}"
            );
            let ledger = world.sim.ledger("ham");
            assert_eq!(ledger.len(), refused, "{ledger:?}");
            assert!(ledger.iter().all(|entry| entry.method == "POST"));
        }
        // Three refusals pause the system: nothing is asked any more.
        let paused = world.run(&["sync", "ham"]).await;
        assert_eq!(paused.code, 2);
        assert!(
            paused.err.contains("ham is paused") && paused.err.contains("concord unpause ham"),
            "{}",
            paused.err
        );
        // The call that ended each run is in its log.
        assert_eq!(world.number("SELECT COUNT(*) FROM mishap").await, 3);
        assert_eq!(world.sim.ledger("ham").len(), 3);
        assert_eq!(
            world.texts("SELECT action FROM audit WHERE subject = 'ham' AND action LIKE 'system.%'").await,
            ["system.paused"]
        );

        world.configure(|text| text);
        assert_eq!(world.run(&["unpause", "ham"]).await.code, 0);
        world.sync(0, &["ham"]).await;
        assert_eq!(world.number("SELECT refused_logins FROM system_state WHERE system = 'ham'").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_pauses_a_system_that_refuses_its_login() {
    on_both(async |world| {
        world.configure(|text| {
            text.replace("sim-ham-password", "sim-ham-passwort")
                .replace("rate = 10000\n", "rate = 10000\nevery = \"1s\"\n")
        });
        world.execute("INSERT INTO system_state (system, refused_logins) VALUES ('ham', 2)", []).await;
        let serving = world.serve().await;
        let paused = "SELECT COUNT(*) FROM system_state WHERE system = 'ham' AND paused_at IS NOT NULL";
        until("ham is paused", PATIENCE, async || (world.number(paused).await == 1).then_some(())).await;
        // The others go on being read by their schedule.
        let read = "SELECT COUNT(*) FROM run WHERE system = 'xm' AND status = 'succeeded'";
        until("xm is read twice", PATIENCE, async || (world.number(read).await >= 2).then_some(())).await;
        assert_eq!(world.number("SELECT COUNT(*) FROM run WHERE system = 'ham'").await, 1);
        assert_eq!(world.sim.ledger("ham").len(), 1);
        assert_eq!(serving.terminate().await.code, 0);

        // A clean slate, also for a server that counted the refusals itself.
        let serving = world.serve().await;
        assert_eq!(world.run(&["unpause", "ham"]).await.code, 0);
        let again = "SELECT COUNT(*) FROM run WHERE system = 'ham' AND status = 'failed'";
        until("ham is tried again", PATIENCE, async || (world.number(again).await == 2).then_some(())).await;
        let state = "SELECT refused_logins FROM system_state WHERE system = 'ham'";
        until("the refusal is counted", PATIENCE, async || (world.number(state).await == 1).then_some(()))
            .await;
        assert_eq!(world.number(paused).await, 0);
        assert_eq!(serving.terminate().await.code, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_read_stops_at_once_and_goes_on_where_it_was() {
    on_both(async |world| {
        world.configure_systems("page_size = 300");
        world.sim.set_faults(vec![late("ham", "/api/reports/clients/?limit=300&offset=600", 60_000)]);
        let reading = world.start(&["sync", "ham", "--json"]);
        met(world).await;
        // The page before it is stored while the slow one is waited for.
        let stored = "SELECT COUNT(*) FROM page WHERE position = 1";
        until("two pages are stored", PATIENCE, async || (world.number(stored).await == 2).then_some(()))
            .await;
        let id = world.json(0, &["runs"]).await["items"][0]["id"].to_string();
        let asked = std::time::Instant::now();
        assert_eq!(world.run(&["runs", "cancel", &id]).await.code, 0);
        let output = reading.end().await;
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
        let document = output.json(1);
        assert_eq!(run(&document, "ham")["status"], "cancelled");
        assert_eq!(world.run(&["runs", "cancel", &id]).await.code, 2, "it is over");

        assert_eq!(world.run(&["runs", "resume", &id]).await.code, 0);
        world.sim.clear_ledger();
        let document = world.sync(0, &["ham"]).await;
        assert_eq!(run(&document, "ham")["id"].to_string(), id);
        let asked: Vec<String> =
            world.sim.ledger("ham").into_iter().filter(|e| e.method == "GET").map(|e| e.query).collect();
        assert_eq!(asked[0], "limit=300&offset=600&ordering=client_account");
        assert_eq!(asked.len(), 3);
        assert_eq!(counts(&document, "ham", "accounts"), json!({ "read": 1363, "created": 1363 }));
        mirror_is_source(world, "resumed", "ham").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_read_leaves_customers_in_agreement_with_records() {
    on_both(async |world| {
        world.configure_systems("page_size = 300");
        world.sim.set_faults(vec![late("ham", "/api/reports/clients/?limit=300&offset=600", 60_000)]);
        let reading = world.start(&["sync", "ham"]);
        met(world).await;
        let id = world.json(0, &["runs"]).await["items"][0]["id"].to_string();
        assert_eq!(world.run(&["runs", "cancel", &id]).await.code, 0);
        reading.end().await;
        assert!(world.number("SELECT COUNT(*) FROM account").await > 0);
        assert_eq!(world.number("SELECT COUNT(*) FROM touched").await, 0);
        crate::support::checks::all(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_request_joins_the_first() {
    on_both(async |world| {
        world.sim.set_faults(vec![late("ham", "/api/reports/clients/", 1500)]);
        let first = world.start(&["sync", "ham", "--json"]);
        met(world).await;
        let second = world.start(&["sync", "ham", "--json"]);
        until("it joins", PATIENCE, async || second.err().contains("joined").then_some(())).await;
        let (first, second) = (first.end().await.json(0), second.end().await.json(0));
        assert_eq!(run(&first, "ham"), run(&second, "ham"));
        assert_eq!(world.sim.ledger("ham").len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_commands_share_one_database() {
    on_both(async |world| {
        world.sim.set_faults(vec![late("ham", "/api/reports/clients/", 1500)]);
        let first = world.start(&["sync", "ham", "--json"]);
        met(world).await;
        let second = world.start(&["sync", "janischa", "--json"]);
        let (first, second) = (first.end().await.json(0), second.end().await.json(0));
        assert_eq!(run(&first, "ham")["status"], "succeeded");
        assert_eq!(run(&second, "janischa")["status"], "succeeded");
        mirror_is_source(world, "side by side", "janischa").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_queue_their_work_with_the_server() {
    on_both(async |world| {
        let serving = world.serve().await;
        let document = world.sync(0, &[]).await;
        assert_eq!(document["runs"].as_array().unwrap().len(), 3);
        assert_eq!(stage(&document, "ham", "accounts")["stored"]["count"], 1363);
        // Reading and short writing work beside it.
        assert_eq!(world.run(&["runs"]).await.code, 0);
        assert_eq!(world.run(&["pause", "xm"]).await.code, 0);
        assert_eq!(world.run(&["sync", "xm"]).await.code, 2);
        assert_eq!(world.run(&["unpause", "all"]).await.code, 0);
        if !world.is_postgres() {
            let told = world.run(&["sync", "xm"]).await.err;
            assert!(told.contains("with the configuration it was started with"), "{told}");
            let second = world.run(&["serve"]).await;
            assert_eq!(second.code, 2, "{}", second.err);
            assert!(second.err.contains("Another process serves this SQLite database"), "{}", second.err);
        }
        let ended = serving.terminate().await;
        assert_eq!(ended.code, 0, "{}", ended.err);
        assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_ends_with_two() {
    on_both(async |world| {
        for (args, told) in [
            (&["sync", "hamm"][..], "There is no system \"hamm\""),
            (&["sync", "ham", "--limit", "0"][..], "invalid value '0'"),
            (&["sync", "--days", "x"][..], "invalid value 'x'"),
            (&["synchronise"][..], "unrecognized subcommand"),
            (&["runs", "show", "77"][..], "There is no run 77"),
            (&["runs", "cancel", "77"][..], "There is no run 77"),
            (&["runs", "resume", "77"][..], "Run 77 cannot be resumed"),
            (&["cases", "decide", "5", "--choose", "keep"][..], "There is no case 5"),
            (&["pause", "hamm"][..], "There is no system"),
            (&["verify", "hamm"][..], "There is no system"),
            (&["check", "hamm"][..], "There is no system"),
            (&["--config", "nowhere.toml", "sync"][..], "There is no nowhere.toml"),
        ] {
            let output = world.run(args).await;
            assert_eq!(output.code, 2, "{args:?}: {}", output.err);
            assert!(output.err.contains(told), "{args:?} says {}", output.err);
            assert_eq!(output.out, "", "{args:?}");
        }
        assert_eq!(world.sim.ledger("").len(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_the_configuration_are_shown_where_they_are() {
    on_both(async |world| {
        let line = |text: &str, of: &str| text.lines().position(|line| line.contains(of)).unwrap() + 1;
        for (from, to, told) in [
            ("kind = \"xm\"", "kind = \"xmm\"", "Did you mean"),
            ("token = \"sim-xm-token\"", "tokn = \"sim-xm-token\"", "tokn"),
            (
                "token = \"sim-xm-token\"",
                "token = \"${XM_TOKEN}\"",
                "The environment variable XM_TOKEN is not set",
            ),
            ("start = \"2010-01-01\"", "timeout = \"soon\"", "is not a length of time"),
        ] {
            world.configure(|text| text.replace(from, to));
            let text = std::fs::read_to_string(world.config()).unwrap();
            let output = world.run(&["check"]).await;
            assert_eq!(output.code, 2, "{to}: {}", output.err);
            assert!(output.err.contains(told), "{to}: {}", output.err);
            let place = format!("concord.toml:{}:", line(&text, to));
            assert!(output.err.contains(&place), "{to}: {place} in {}", output.err);
            assert!(!output.err.contains("sim-xm-token"), "{}", output.err);
        }
        let output = world.run_with(&["sync", "xm"], &[("XM_TOKEN", "unused")]).await;
        assert_eq!(output.code, 2);
        world.configure(|text| text.replace("token = \"sim-xm-token\"", "token = \"${XM_TOKEN}\""));
        assert_eq!(world.run_with(&["sync", "xm"], &[("XM_TOKEN", "sim-xm-token")]).await.code, 0);
        std::fs::remove_file(world.config()).unwrap();
        let output = world.run(&["sync"]).await;
        assert_eq!(output.code, 2);
        assert!(output.err.contains("concord init") && output.err.contains("concord demo"), "{}", output.err);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_failed_call_is_listed_with_its_run() {
    on_both(async |world| {
        world.sim.set_faults(vec![
            Fault::new("ham", "/api/v2/reports/", Action::Html).times(2),
            Fault::new("ham", "/api/reports/", Action::Status).value(503).times(0),
        ]);
        let document = world.sync(3, &["ham"]).await;
        let id = run(&document, "ham")["id"].to_string();
        let shown = world.run(&["runs", "show", &id]).await;
        assert_eq!(shown.out.matches("GET /api/v2/reports/clients/ (").count(), 2, "{}", shown.out);
        assert_eq!(shown.out.matches("GET /api/reports/clients/ (").count(), 5, "{}", shown.out);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tampering_with_the_audit_is_found() {
    on_both(async |world| {
        world.sync(0, &["ham"]).await;
        let verified = world.json(0, &["audit", "verify"]).await;
        assert_eq!((&verified["ok"], &verified["unsealed"]), (&json!(true), &json!(0)));
        let entry = world.number("SELECT MIN(id) + 1 FROM audit").await;
        for (spoil, mend) in [
            ("UPDATE audit SET actor = 'nobody' WHERE id = $1", "UPDATE audit SET actor = 'sync' WHERE id = $1"),
            ("UPDATE audit SET after_value = after_value || ' ' WHERE id = $1", "UPDATE audit SET after_value = RTRIM(after_value) WHERE id = $1"),
            ("UPDATE audit SET at = at + 1 WHERE id = $1", "UPDATE audit SET at = at - 1 WHERE id = $1"),
        ] {
            assert_eq!(world.execute(spoil, [entry.into()]).await, 1);
            let verified = world.json(3, &["audit", "verify"]).await;
            assert_eq!(verified["broken"][0]["id"], entry, "{spoil}");
            world.execute(mend, [entry.into()]).await;
            world.json(0, &["audit", "verify"]).await;
        }
        // One that is taken out, also the last one, and also with its seal.
        let columns = "id, at, actor, action, subject, run_id, reason, before_value, before_digest, after_value, after_digest";
        let last = world.number("SELECT MAX(id) FROM audit").await;
        for taken in [entry, last] {
            world.execute(&format!("CREATE TABLE kept AS SELECT * FROM audit WHERE id = {taken}"), []).await;
            world.execute("DELETE FROM audit WHERE id = $1", [taken.into()]).await;
            let verified = world.json(3, &["audit", "verify"]).await;
            assert_eq!(verified["broken"][0], json!({ "id": taken, "problem": "missing" }));
            world.execute(&format!("INSERT INTO audit ({columns}) SELECT {columns} FROM kept"), []).await;
            world.execute("DROP TABLE kept", []).await;
        }
        world.execute("CREATE TABLE kept AS SELECT * FROM seal", []).await;
        let middle = "DELETE FROM seal WHERE entry_id = $1";
        world.execute(middle, [entry.into()]).await;
        world.json(3, &["audit", "verify"]).await;
        world.execute("DELETE FROM seal", []).await;
        world.execute("INSERT INTO seal (position, entry_id, hash) SELECT position, entry_id, hash FROM kept", []).await;
        world.execute("DROP TABLE kept", []).await;
        world.json(0, &["audit", "verify"]).await;
    })
    .await;
}
