//! A run of a shop that is watched, stopped or killed in each of its lists: it shows where it is, stops
//! at once, and goes on where it was, to the same end.

use std::time::{Duration, Instant};

use concord::simulate::{Action, Entry, Fault, Options};
use serde_json::{Value, json};

use super::{configure, of};
use crate::api::server::Server;
use crate::pull::run;
use crate::support::dump::{Dump, same};
use crate::support::{PATIENCE, World, on_both_with, servers, until};

/// The lists in the order they are read, with a part of the address of their pages and the part of the
/// progress they are known by.
const LISTS: [(&str, &str, (i64, i64)); 6] = [
    ("cards", "Catalog_ДисконтныеКарты", (10, 40)),
    ("customers", "Catalog_Контрагенты", (40, 42)),
    ("opening_balances", "$filter=isof(Recorder", (42, 50)),
    ("purchases", "$filter=Period ge", (55, 85)),
    ("products", "Catalog_Номенклатура", (85, 90)),
    ("points", "БонусныеБаллы_RecordType", (90, 98)),
];

/// Every list has several pages.
const SMALL: &str = "page_size = 20";

fn several_pages() -> Options {
    of(120)
}

/// Holds the third page or so of a list back for longer than any test takes.
fn hold(world: &World, pages: &str) {
    world.sim.set_faults(vec![Fault::new("shop", pages, Action::Late).nth(4).value(90_000)]);
}

async fn held(world: &World) {
    until("a page is held back", PATIENCE, async || (world.sim.faults()[0].left == Some(0)).then_some(()))
        .await;
}

/// What an undisturbed read ends with.
async fn undisturbed(server: Option<&str>) -> Dump {
    let world = World::new(server, &several_pages()).await;
    configure(&world, SMALL);
    world.sync(0, &["shop"]).await;
    let dump = world.dump().await;
    world.end().await;
    dump
}

/// Rows of each list that an interrupted run has durably behind it; `None`: all of them.
async fn behind(world: &World, run: i64) -> Vec<(&'static str, Option<u64>)> {
    let run = world.store.run(run).await.unwrap().unwrap();
    let place = |name: &str| {
        let stage = run.stages.iter().find(|stage| stage.name == name)?;
        match &stage.next_cursor {
            Some(cursor) => serde_json::from_str::<Value>(cursor).unwrap()["skip"].as_u64(),
            None => (stage.pages == 0).then_some(0),
        }
    };
    LISTS.map(|(name, ..)| (name, place(name))).to_vec()
}

/// Fails when a page that was stored was asked for again, or when nothing was stored of the list that
/// was interrupted.
fn nothing_twice(world: &World, interrupted: &str, behind: &[(&'static str, Option<u64>)]) {
    let (_, reached) = behind.iter().find(|(name, _)| *name == interrupted).unwrap();
    assert!(reached.is_some_and(|rows| rows > 0), "{interrupted}: not in its middle: {behind:?}");
    let skipped = |entry: &Entry| {
        let mut parts = entry.query.split('&');
        parts.find_map(|part| part.strip_prefix("$skip=")).and_then(|skip| skip.parse::<u64>().ok())
    };
    for (name, pages, _) in LISTS {
        let stored = behind.iter().find(|(list, _)| *list == name).unwrap().1;
        let asked = world.sim.ledger("shop");
        for entry in asked.iter().filter(|entry| entry.address().contains(pages)) {
            let Some(skip) = skipped(entry) else { continue };
            let fine = stored.is_some_and(|stored| skip >= stored);
            assert!(fine, "{name}: {skip} asked for again, after {behind:?}");
        }
    }
}

/// Fails when the counts of a run and what is stored are not the same.
async fn nothing_half_written(world: &World, run: &Value) {
    for stage in run["stages"].as_array().unwrap() {
        let (name, table) = match stage["name"].as_str().unwrap() {
            "cards" => ("cards", "card"),
            "customers" => ("customers", "person"),
            "products" => ("products", "product"),
            other => (other, "entry"),
        };
        let sql = format!(
            "SELECT COUNT(*) FROM {table} t JOIN stream s ON s.id = t.stream_id WHERE s.system = 'shop' AND s.name = '{name}'"
        );
        assert_eq!(world.number(&sql).await, stage["counts"]["created"].as_i64().unwrap(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_keeps_to_the_bands_that_people_know() {
    on_both_with(&several_pages(), async |world| {
        configure(world, SMALL);
        // Slow enough for every page to be seen.
        world.sim.set_faults(vec![Fault::new("shop", "$top", Action::Late).times(0).value(50)]);
        let server = Server::start(world).await;
        let body = json!({ "systems": ["shop"], "mode": "full" });
        let begun = server.call("operator", "POST", "/api/v1/runs", Some(&body)).await.json();
        let path = format!("/api/v1/runs/{}", begun["items"][0]["id"]);
        let mut told = vec![begun["items"][0].clone()];
        until("it ends", PATIENCE, async || {
            told.push(server.get(&path).await);
            (told.last().unwrap()["status"] == "succeeded").then_some(())
        })
        .await;
        let progress: Vec<i64> = told.iter().map(|run| run["progress"].as_i64().unwrap()).collect();
        assert!(progress.is_sorted(), "never backwards: {progress:?}");
        assert_eq!(progress.last(), Some(&100));
        let mut seen = LISTS.map(|(name, ..)| (name, std::collections::BTreeSet::new()));
        for (run, progress) in told.iter().zip(&progress) {
            let stages = run["stages"].as_array().unwrap();
            let Some(reading) = stages.iter().position(|stage| stage["status"] == "running") else {
                // Before the first list, between two of them, after the last.
                let between = |at: &i64| LISTS.iter().any(|(.., (from, to))| at == from || at == to);
                assert!([0, 100].contains(progress) || between(progress), "{progress}: {run:#}");
                continue;
            };
            let (name, _, (from, to)) = LISTS[reading];
            assert_eq!(stages[reading]["name"], name, "the lists in their order");
            assert!((from..=to).contains(progress), "{progress} while reading {name}");
            // What moves it is the count of rows.
            let (done, total) =
                (stages[reading]["done"].as_f64().unwrap(), stages[reading]["total"].as_f64());
            if let Some(total) = total.filter(|total| *total > 0.0) {
                let expected = from + ((to - from) as f64 * (done / total).min(1.0)) as i64;
                assert_eq!(*progress, expected, "{name}: {done} of {total}");
                seen[reading].1.insert(*progress);
            }
        }
        for (name, values) in seen.iter().filter(|(name, _)| *name != "customers") {
            assert!(values.len() > 2, "{name} moves: {values:?}");
        }
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_in_every_list_and_taken_up_again() {
    for server in servers() {
        let expected = undisturbed(server.as_deref()).await;
        let world = World::new(server.as_deref(), &several_pages()).await;
        configure(&world, SMALL);
        let api = Server::start(&world).await;
        let mut id = None;
        let mut reached = Vec::new();
        for (at, (list, pages, _)) in LISTS.into_iter().enumerate() {
            hold(&world, pages);
            world.sim.clear_ledger();
            let path = id.map(|id: i64| format!("/api/v1/runs/{id}"));
            match &path {
                None => {
                    let body = json!({ "systems": ["shop"] });
                    let begun = api.call("operator", "POST", "/api/v1/runs", Some(&body)).await.json();
                    id = begun["items"][0]["id"].as_i64();
                }
                Some(path) => {
                    let answer = api.call("operator", "POST", &format!("{path}/resume"), None).await;
                    assert_eq!(answer.status, 202, "{list}");
                }
            }
            let path = format!("/api/v1/runs/{}", id.unwrap());
            held(&world).await;
            // What was answered before the page that is held is stored.
            until("the pages before it are stored", PATIENCE, async || {
                let behind = behind(&world, id.unwrap()).await;
                behind
                    .iter()
                    .any(|(name, rows)| *name == list && rows.is_some_and(|rows| rows >= 20))
                    .then_some(())
            })
            .await;
            let asked = Instant::now();
            assert_eq!(api.call("operator", "POST", &format!("{path}/cancel"), None).await.status, 202);
            let cancelled = until("it stops", PATIENCE, async || {
                let run = api.get(&path).await;
                (run["status"] != "running").then_some(run)
            })
            .await;
            assert!(asked.elapsed() < Duration::from_secs(2), "{list}: it took {:?}", asked.elapsed());
            assert_eq!(cancelled["status"], "cancelled", "{list}: {cancelled:#}");
            nothing_half_written(&world, &cancelled).await;
            if at > 0 {
                nothing_twice(&world, LISTS[at - 1].0, &reached);
            }
            reached = behind(&world, id.unwrap()).await;
        }
        world.sim.set_faults(Vec::new());
        world.sim.clear_ledger();
        let path = format!("/api/v1/runs/{}", id.unwrap());
        api.call("operator", "POST", &format!("{path}/resume"), None).await;
        let ended = until("it ends", PATIENCE, async || {
            let run = api.get(&path).await;
            (!["queued", "running"].contains(&run["status"].as_str().unwrap())).then_some(run)
        })
        .await;
        assert_eq!((&ended["status"], &ended["progress"]), (&json!("succeeded"), &json!(100)), "{ended:#}");
        nothing_twice(&world, "points", &reached);
        same("after being cancelled in every list", &expected, &world.dump().await);
        api.end().await;
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_every_list() {
    for server in servers() {
        let expected = undisturbed(server.as_deref()).await;
        let world = World::new(server.as_deref(), &several_pages()).await;
        configure(&world, SMALL);
        let mut reached: Vec<(&str, Option<u64>)> = Vec::new();
        let mut id = 0;
        for (at, (list, pages, _)) in LISTS.into_iter().enumerate() {
            hold(&world, pages);
            world.sim.clear_ledger();
            let reading = world.start(&["sync", "shop"]);
            held(&world).await;
            id = world.store.active_run("shop").await.unwrap().unwrap().id;
            until("the pages before it are stored", PATIENCE, async || {
                let behind = behind(&world, id).await;
                behind
                    .iter()
                    .any(|(name, rows)| *name == list && rows.is_some_and(|rows| rows >= 20))
                    .then_some(())
            })
            .await;
            let killed = reading.kill();
            assert_eq!(killed.code, -9, "{list}: {}", killed.err);
            if at > 0 {
                nothing_twice(&world, LISTS[at - 1].0, &reached);
            }
            reached = behind(&world, id).await;
        }
        world.sim.set_faults(Vec::new());
        world.sim.clear_ledger();
        let document = world.sync(0, &["shop"]).await;
        assert_eq!(run(&document, "shop")["id"], id, "the same run was taken up");
        nothing_twice(&world, "points", &reached);
        same("after being killed in every list", &expected, &world.dump().await);
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_around_commits() {
    for server in servers() {
        let expected = undisturbed(server.as_deref()).await;
        let world = World::new(server.as_deref(), &several_pages()).await;
        configure(&world, SMALL);
        for point in [
            "page before commit:1",
            "page after commit:1",
            "page before commit:2",
            "page after commit:2",
            "page before commit:3",
            "page after commit:1",
            "customers after commit:1",
        ] {
            let output = world.run_with(&["sync", "shop"], &[("CONCORD_FAILPOINT", point)]).await;
            assert_eq!(output.code, -6, "{point}: {}", output.err);
        }
        // The lists are read, the customers are being added up: that is no part of the progress.
        assert_eq!(world.store.active_run("shop").await.unwrap().unwrap().progress, 98);
        world.sync(0, &["shop"]).await;
        same("after kills around commits", &expected, &world.dump().await);
        world.end().await;
    }
}
