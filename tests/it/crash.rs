//! Killed at any moment: the next read goes on at the page where it stopped, and ends as it would
//! have without the killing.

use std::time::{Duration, Instant};

use concord::simulate::{Action, Fault, Options};
use serde_json::json;

use crate::faults::mirror_is_source;
use crate::pull::{counts, run, stage};
use crate::support::dump::{Dump, same};
use crate::support::{PATIENCE, World, on_both, on_both_with, servers, until};

/// Lists that take their time, in small pages.
fn slowly() -> Options {
    Options { page_delay: Some(Duration::from_millis(20)), ..Options::default() }
}

const SMALL: &str = "page_size = 40";

/// What an interrupted run has durably behind it: per list, the offset of the next page, or that it
/// is read to its end.
#[derive(Debug, Default)]
struct Behind {
    run: i64,
    clients: Option<u64>,
    accounts: Option<u64>,
}

/// Past the end of every list.
const ALL: u64 = u64::MAX;

async fn behind(world: &World) -> Behind {
    let Some(run) = world.store.active_run("ham").await.unwrap() else { return Behind::default() };
    let place = |name: &str| {
        let stage = run.stages.iter().find(|stage| stage.name == name)?;
        let pages = stage.pages > 0;
        match &stage.next_cursor {
            Some(cursor) => cursor.parse().ok(),
            None => pages.then_some(ALL),
        }
    };
    Behind { run: run.id, clients: place("clients"), accounts: place("accounts") }
}

/// Fails when a page that was stored was asked for again.
fn nothing_twice(world: &World, behind: &Behind) {
    for entry in world.sim.ledger("ham").iter().filter(|entry| entry.method == "GET") {
        let offset = entry.query.split('&').find_map(|part| part.strip_prefix("offset=")).unwrap();
        let offset: u64 = offset.parse().unwrap();
        let stored = if entry.path.contains("/v2/") { behind.clients } else { behind.accounts };
        assert!(offset >= stored.unwrap_or(0), "{} at {offset} again, after {behind:?}", entry.path);
    }
}

/// A world that was read once and whose accounts changed since: what is read next has rows to create,
/// to update and to leave alone.
async fn before(world: &World) {
    world.configure_systems(SMALL);
    let all = world.sim.raw_rows("ham", "accounts");
    world.sim.replace_raw_rows("ham", "accounts", all[..900].to_vec());
    world.sync(0, &["ham", "--full"]).await;
    world.sim.replace_raw_rows("ham", "accounts", all);
    world.sim.change("ham", "accounts", 20.0);
    world.sim.change("ham", "clients", 20.0);
}

/// The state that an undisturbed read ends with, and what it counts.
async fn undisturbed(server: Option<&str>) -> (Dump, serde_json::Value) {
    let world = World::new(server, &slowly()).await;
    before(&world).await;
    let document = world.sync(0, &["ham"]).await;
    let counted = json!([counts(&document, "ham", "clients"), counts(&document, "ham", "accounts")]);
    let dump = world.dump().await;
    world.end().await;
    (dump, counted)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_twenty_times() {
    for server in servers() {
        let (expected, counted) = undisturbed(server.as_deref()).await;
        let world = World::new(server.as_deref(), &slowly()).await;
        before(&world).await;
        let mut random = fastrand::Rng::with_seed(20);
        let mut runs = Vec::new();
        for kill in 0..20 {
            let reached = behind(&world).await;
            world.sim.clear_ledger();
            let mut reading = world.start(&["sync", "ham"]);
            // So many requests, and a little more.
            let (requests, more) = (random.usize(1..5), Duration::from_millis(random.u64(0..25)));
            until("the moment to kill", PATIENCE, async || {
                let asked = world.sim.ledger("ham").iter().filter(|entry| entry.method == "GET").count();
                (asked >= requests || reading.is_over()).then_some(())
            })
            .await;
            let moment = Instant::now() + more;
            until("a little more", PATIENCE, async || (Instant::now() >= moment).then_some(())).await;
            let killed = reading.kill();
            assert!(killed.code == -9 || killed.code == 0, "kill {kill}: {}: {}", killed.code, killed.err);
            nothing_twice(&world, &reached);
            runs.push(reached.run);
        }
        let reached = behind(&world).await;
        assert!(reached.run > 0, "it was read to the end in between: {runs:?}");
        assert!(reached.clients.is_some(), "nothing was stored in between");
        world.sim.clear_ledger();
        let document = world.sync(0, &["ham"]).await;
        nothing_twice(&world, &reached);
        assert_eq!(run(&document, "ham")["id"], reached.run, "the same run was taken up");
        let read = json!([counts(&document, "ham", "clients"), counts(&document, "ham", "accounts")]);
        assert_eq!(read, counted);
        same("after twenty kills", &expected, &world.dump().await);
        mirror_is_source(&world, "after twenty kills", "ham").await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_around_a_commit() {
    for server in servers() {
        let (expected, counted) = undisturbed(server.as_deref()).await;
        let world = World::new(server.as_deref(), &slowly()).await;
        before(&world).await;
        for point in
            ["page before commit:1", "page before commit:3", "page after commit:3", "page after commit:9"]
        {
            let reached = behind(&world).await;
            world.sim.clear_ledger();
            let output = world.run_with(&["sync", "ham"], &[("CONCORD_FAILPOINT", point)]).await;
            assert_eq!(output.code, -6, "{point}: {}", output.err);
            nothing_twice(&world, &reached);
        }
        let stored = world.number("SELECT COUNT(*) FROM page WHERE run_id = (SELECT MAX(id) FROM run)").await;
        assert!(stored >= 2 + 3 + 9, "{stored} pages whose commit was reached");
        let document = world.sync(0, &["ham"]).await;
        let read = json!([counts(&document, "ham", "clients"), counts(&document, "ham", "accounts")]);
        assert_eq!(read, counted);
        same("after kills around commits", &expected, &world.dump().await);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_request_is_not_mistaken_for_the_interrupted_one() {
    on_both(async |world| {
        world.configure_systems(SMALL);
        let interrupt = [("CONCORD_FAILPOINT", "page after commit:5")];
        assert_eq!(world.run_with(&["sync", "ham"], &interrupt).await.code, -6);
        let first = behind(world).await.run;
        let document = world.sync(0, &["ham", "--limit", "10"]).await;
        assert_ne!(run(&document, "ham")["id"], first);
        assert_eq!(world.json(0, &["runs", "show", &first.to_string()]).await["status"], "cancelled");
        assert_eq!(world.run_with(&["sync", "ham"], &interrupt).await.code, -6);
        let second = behind(world).await.run;
        let document = world.sync(0, &["ham", "--full"]).await;
        assert_ne!(run(&document, "ham")["id"], second);
        mirror_is_source(world, "read anew", "ham").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_read_goes_on_with_the_same_clients() {
    on_both(async |world| {
        world.configure_systems(SMALL);
        for point in ["page after commit:2", "page after commit:4"] {
            let args = ["sync", "ham", "--limit", "100"];
            assert_eq!(world.run_with(&args, &[("CONCORD_FAILPOINT", point)]).await.code, -6);
        }
        world.sync(0, &["ham", "--limit", "100"]).await;
        assert_eq!(world.number("SELECT COUNT(*) FROM customer WHERE hidden = 0").await, 100);
        assert_eq!(world.number("SELECT COUNT(*) FROM party").await, 100);
        let accounts = world.sim.rows("ham", "accounts");
        let chosen = world.texts("SELECT client_key FROM party").await;
        let theirs = accounts.iter().filter(|row| chosen.iter().any(|key| row["client_uid"] == *key)).count();
        assert_eq!(world.number("SELECT COUNT(*) FROM account").await as usize, theirs);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_killed_goes_on_after_its_start() {
    on_both_with(&slowly(), async |world| {
        world.configure_systems(SMALL);
        let serving = world.serve().await;
        let following = world.start(&["sync", "ham", "--json"]);
        until("pages are stored", PATIENCE, async || {
            (world.number("SELECT COUNT(*) FROM page").await > 4).then_some(())
        })
        .await;
        serving.kill();
        let reached = behind(world).await;
        world.sim.clear_ledger();
        let serving = world.serve().await;
        let document = following.end().await.json(0);
        world.adds_up(&document).await;
        assert_eq!(run(&document, "ham")["id"], reached.run);
        nothing_twice(world, &reached);
        mirror_is_source(world, "after the server was killed", "ham").await;
        assert_eq!(serving.terminate().await.code, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_takes_over_when_the_server_is_gone() {
    on_both_with(&slowly(), async |world| {
        world.configure_systems(SMALL);
        let serving = world.serve().await;
        let following = world.start(&["sync", "ham", "--json"]);
        until("pages are stored", PATIENCE, async || {
            (world.number("SELECT COUNT(*) FROM page").await > 4).then_some(())
        })
        .await;
        serving.kill();
        let document = following.end().await.json(0);
        world.adds_up(&document).await;
        assert_eq!(counts(&document, "ham", "accounts"), json!({ "read": 1363, "created": 1363 }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_asked_to_stop_parks_what_is_under_way() {
    on_both(async |world| {
        world.configure_systems("page_size = 300");
        world.sim.set_faults(vec![Fault::new("ham", "offset=600", Action::Late).value(60_000)]);
        let serving = world.serve().await;
        let following = world.start(&["sync", "ham"]);
        until("the slow page is asked for", PATIENCE, async || {
            (world.sim.faults()[0].left == Some(0)).then_some(())
        })
        .await;
        let reached = behind(world).await;
        let ended = serving.terminate().await;
        assert_eq!(ended.code, 0, "{}", ended.err);
        assert!(ended.took < Duration::from_secs(10), "it took {:?}", ended.took);
        following.kill();
        let active = behind(world).await;
        assert_eq!(active.run, reached.run);
        world.sim.set_faults(Vec::new());
        world.sim.clear_ledger();
        let document = world.sync(0, &["ham"]).await;
        assert_eq!(run(&document, "ham")["id"], reached.run);
        nothing_twice(world, &reached);
        assert_eq!(stage(&document, "ham", "clients")["counts"]["read"], 664);
    })
    .await;
}
