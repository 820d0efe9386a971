//! The crash matrix: the process dies at every named place of the write protocol, while the system that is
//! written to behaves in every way it can. Whatever happened: nothing twice, nothing lost.
//!
//! A part of it always runs; all of it with `CONCORD_MATRIX=whole`.

use std::collections::BTreeSet;

use concord::simulate::{Action, Fault, Match};
use serde_json::json;

use super::{QUICK, configure, nothing_twice, plain, written};
use crate::support::{World, servers};

/// New contacts of the small import that is played.
const NEW: usize = 6;

/// The places, in the order a delivery passes them.
const PLACES: [&str; 9] = [
    "import matched",
    "delivery claimed",
    "delivery prepared",
    "delivery sent",
    "delivery answered",
    "delivery recorded",
    "delivery left",
    "delivery resolving",
    "delivery resolved",
];

/// How the CRM behaves when it is asked to create: the fault, and which of the requests it meets.
fn behaviours() -> Vec<(&'static str, Vec<Fault>)> {
    let create = |action| Fault::new("crm", "/create", action);
    vec![
        ("answers", Vec::new()),
        ("fails before", vec![create(Action::Status).nth(2).times(2)]),
        ("fails after", vec![create(Action::StatusAfter).nth(2).times(2)]),
        ("drops before", vec![create(Action::DropBefore).nth(2).times(2)]),
        ("drops after", vec![create(Action::DropAfter).nth(2).times(2)]),
        ("lands late", vec![create(Action::LandLate).value(400).nth(2).times(2)]),
        (
            "throttles",
            vec![create(Action::Status).value(json!({"code": 429, "retry_after": 0})).nth(2).times(2)],
        ),
        ("ends the session", vec![create(Action::Expire).nth(2)]),
        ("shows a page before", vec![create(Action::Html).nth(2).times(2)]),
        ("shows a page after", vec![create(Action::HtmlAfter).nth(2).times(2)]),
    ]
}

#[test]
fn every_place_in_the_source_is_in_the_matrix() {
    let mut found = BTreeSet::new();
    let mut folders = vec![std::path::PathBuf::from("src/sync/flow")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            found.extend(
                text.split("failpoint(\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()),
            );
        }
    }
    assert_eq!(found, PLACES.iter().map(|place| (*place).to_owned()).collect::<BTreeSet<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_nothing_is_twice_and_nothing_lost() {
    let whole = std::env::var("CONCORD_MATRIX").is_ok_and(|which| which == "whole");
    let behaviours = behaviours();
    let mut cells = Vec::new();
    for (at, place) in PLACES.iter().enumerate() {
        for (turn, nth) in [1, NEW / 2, NEW].into_iter().enumerate() {
            for (index, behaviour) in behaviours.iter().enumerate() {
                // Of the representative part each place meets each occurrence, and each behaviour a place.
                let uncertain = index == 4 || index == 5;
                let looks = place.starts_with("delivery resol");
                let chosen =
                    if looks { index == 4 + turn % 2 } else { index == (at * 3 + turn) % behaviours.len() };
                if whole || (chosen && (uncertain || !looks)) {
                    cells.push((*place, nth, behaviour));
                }
            }
        }
    }
    for server in servers() {
        let mut died = BTreeSet::new();
        for (place, nth, (behaviour, faults)) in &cells {
            if cell(server.as_deref(), place, *nth, behaviour, faults).await {
                died.insert(*place);
            }
        }
        // A place that nobody passes would prove nothing.
        assert_eq!(died, PLACES.into_iter().collect());
    }
}

/// One cell: the import is begun, dies, and is taken up again until it ends. Whether it died.
async fn cell(server: Option<&str>, place: &str, nth: usize, behaviour: &str, faults: &[Fault]) -> bool {
    let world = World::new(server, &plain()).await;
    let what = format!("{place}, the {nth}., the CRM {behaviour}");
    configure(&world, QUICK);
    let expected = world.sim.finance().expected().into_iter();
    let new: Vec<i64> =
        expected.filter(|one| one.found == Match::Unknown).map(|one| one.code).take(NEW).collect();
    let rows = world.sim.rows("finance", "contacts").into_iter();
    let few = rows.filter(|row| row["Code"].as_i64().is_some_and(|code| new.contains(&code)));
    world.sim.replace_rows("finance", "contacts", few.collect());
    world.sim.set_faults(faults.to_vec());
    let died = world
        .run_with(
            &["import", "customers", "--yes", "--quiet"],
            &[("CONCORD_FAILPOINT", &format!("{place}:{nth}"))],
        )
        .await;
    assert!(died.code <= 0 || died.code == 3, "{what}: {} {}", died.code, died.err);
    let summary = world.json(0, &["import", "customers", "--yes"]).await;
    world.sim.settled().await;
    assert_eq!((&summary["errors"], &summary["closed"]), (&json!(0), &json!(true)), "{what}: {summary:#}");
    assert_eq!(written(&world, "crm").len(), NEW, "{what}");
    assert_eq!(world.number("SELECT COUNT(*) FROM link").await, NEW as i64, "{what}");
    let told = "SELECT COUNT(*) FROM audit WHERE action = 'delivery.confirmed'";
    assert_eq!(world.number(told).await, NEW as i64, "{what}: entries of the audit");
    nothing_twice(&world).await;
    world.end().await;
    died.code < 0
}
