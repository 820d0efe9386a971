//! Reading systems into the mirror: first, again, after changes, with deletions, in part.

use serde_json::{Value, json};

use crate::support::dump::same;
use crate::support::{World, on_both};

mod deletions;
mod oddities;

/// The run of a system in a document of `sync`.
pub fn run<'a>(document: &'a Value, system: &str) -> &'a Value {
    document["runs"].as_array().unwrap().iter().find(|run| run["system"] == system).unwrap()
}

/// A stage of a system in a document of `sync`.
pub fn stage<'a>(document: &'a Value, system: &str, stream: &str) -> &'a Value {
    let stages = run(document, system)["stages"].as_array().unwrap();
    stages.iter().find(|stage| stage["name"] == stream).unwrap()
}

/// What became of the rows of a stage: only the dispositions that are not zero.
pub fn counts(document: &Value, system: &str, stream: &str) -> Value {
    let counts = stage(document, system, stream)["counts"].as_object().unwrap();
    counts
        .iter()
        .filter(|(_, count)| *count != 0)
        .map(|(name, count)| (name.clone(), count.clone()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_read_and_adds_up() {
    on_both(async |world| {
        let document = world.sync(0, &[]).await;
        let truth = world.sim.truth();
        for (system, stream, rows) in [
            ("ham", "clients", 664),
            ("ham", "accounts", 1363),
            ("janischa", "clients", 259),
            ("janischa", "accounts", 357),
            ("xm", "traders", 1216),
        ] {
            assert_eq!(run(&document, system)["status"], "succeeded");
            let stage = stage(&document, system, stream);
            assert_eq!(counts(&document, system, stream), json!({ "read": rows, "created": rows }));
            assert_eq!(stage["source"]["count"], rows);
            assert_eq!(stage["stored"]["count"], rows);
            assert_eq!((&stage["unexplained"], &stage["passes"]), (&json!(0), &json!(1)));
            for (name, sum) in stage["source"]["sums"].as_object().unwrap() {
                let stored: f64 = stage["stored"]["sums"][name].as_str().unwrap().parse().unwrap();
                let said: f64 = truth[system][stream]["sums"][name].as_str().unwrap().parse().unwrap();
                assert_eq!(stage["stored"]["sums"][name], *sum, "{system}/{stream} {name}");
                assert!((stored - said).abs() < 1e-6, "{system}/{stream} {name}: {stored} for {said}");
            }
        }
        let owners = document["owners"].as_array().unwrap();
        let owner = |name: &str| owners.iter().find(|owner| owner["owner"] == name).unwrap();
        assert_eq!(owner("Ham")["clients"], 1880);
        assert_eq!(owner("Ham")["accounts"], 1363 + 1216);
        assert_eq!(owner("Ham")["label"], "Ham (incl. XM)");
        assert_eq!(
            (&owner("Janischa")["clients"], &owner("Janischa")["accounts"]),
            (&json!(259), &json!(357))
        );
        // One page each, and the login: no request per client, no request twice.
        assert_eq!(world.sim.ledger("ham").len(), 1 + 1 + 2);
        assert_eq!(world.sim.ledger("xm").len(), 1);
        let ordered =
            |entry: &concord::simulate::Entry| entry.method == "POST" || entry.query.contains("ordering=");
        assert!(world.sim.ledger("ham").iter().all(ordered));
        verify_agrees(world).await;
    })
    .await;
}

async fn verify_agrees(world: &World) {
    let verified = world.json(0, &["verify"]).await;
    assert_eq!(verified["agree"], true);
    assert_eq!(verified["items"].as_array().unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_when_nothing_changed() {
    on_both(async |world| {
        world.sync(0, &[]).await;
        let (before, counts_before) = (world.dump().await, world.row_counts().await);
        let hashes = "SELECT CAST(COUNT(*) AS TEXT) || ' ' || CAST(SUM(valid_from) AS TEXT) || ' ' || CAST(SUM(changed_run) AS TEXT) FROM account";
        let stamps = world.texts(hashes).await;
        world.sim.clear_ledger();
        let document = world.sync(0, &[]).await;
        for (system, stream, rows) in
            [("ham", "clients", 664), ("ham", "accounts", 1363), ("janischa", "accounts", 357), ("xm", "traders", 1216)]
        {
            assert_eq!(counts(&document, system, stream), json!({ "read": rows, "unchanged": rows }));
        }
        same("a second sync", &before, &world.dump().await);
        assert_eq!(world.texts(hashes).await, stamps);
        let after = world.row_counts().await;
        let grown: Vec<&str> =
            after.iter().filter(|(table, rows)| counts_before[*table] != **rows).map(|(t, _)| t.as_str()).collect();
        // Three runs with five stages and pages, and in the audit that they were asked for and ended.
        assert_eq!(grown, ["audit", "engine", "page", "run", "seal", "stage"]);
        assert_eq!(after["audit"] - counts_before["audit"], 6);
        assert_eq!(after["page"] - counts_before["page"], 6);
        assert_eq!(world.sim.ledger("").len(), 2 + 5 + 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_is_updated_and_its_former_version_kept() {
    on_both(async |world| {
        world.configure_systems("page_size = 200");
        world.sync(0, &["ham", "xm"]).await;
        let former = world.sim.raw_rows("ham", "accounts");
        let reward = "SELECT CAST(SUM(reward_usd) AS BIGINT) FROM customer WHERE system = 'ham'";
        let before = world.number(reward).await;
        let changed = world.sim.change("ham", "accounts", 1.0);
        let clients = world.sim.change("ham", "clients", 1.0);
        let traders = world.sim.change("xm", "traders", 1.0);
        let document = world.sync(0, &["ham", "xm"]).await;
        for (system, stream, rows, changed) in [
            ("ham", "accounts", 1363, changed),
            ("ham", "clients", 664, clients),
            ("xm", "traders", 1216, traders),
        ] {
            let expected = json!({ "read": rows, "updated": changed, "unchanged": rows - changed });
            assert_eq!(counts(&document, system, stream), expected);
            let stage = stage(&document, system, stream);
            for (name, sum) in stage["source"]["sums"].as_object().unwrap() {
                assert_eq!(stage["stored"]["sums"][name], *sum);
            }
        }
        let now = world.sim.raw_rows("ham", "accounts");
        let mut replaced: Vec<&String> = former.iter().filter(|row| !now.contains(row)).collect();
        replaced.sort_unstable();
        let mut kept = world
            .texts("SELECT v.raw FROM version v JOIN stream s ON s.id = v.stream_id WHERE s.name = 'accounts'")
            .await;
        kept.sort_unstable();
        assert_eq!(kept.iter().collect::<Vec<_>>(), replaced);
        assert_eq!(replaced.len() as u64, changed);
        assert!(world.number(reward).await > before, "the customers' totals follow");
        assert_eq!(world.number("SELECT COUNT(*) FROM version").await as u64, changed + clients + traders);
        let open = "SELECT COUNT(*) FROM version v JOIN account a ON a.id = v.record_id JOIN stream s ON s.id = v.stream_id AND s.name = 'accounts' WHERE v.valid_to <> a.valid_from OR v.valid_from >= v.valid_to";
        assert_eq!(world.number(open).await, 0, "versions that do not follow one another");
        verify_agrees_on(world, &["ham", "xm"]).await;
    })
    .await;
}

async fn verify_agrees_on(world: &World, systems: &[&str]) {
    let args: Vec<&str> = ["verify"].iter().chain(systems).copied().collect();
    assert_eq!(world.json(0, &args).await["agree"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn summaries_are_rebuilt_one_after_the_other() {
    on_both(async |world| {
        world.sync(0, &[]).await;
        let before = world.dump().await;
        let rebuilt = (0..6).map(|_| async {
            let mut tx = world.store.begin().await?;
            concord::store::customer::summarize(&mut tx, "ham").await?;
            tx.commit().await
        });
        for done in futures_util::future::join_all(rebuilt).await {
            done.unwrap();
        }
        same("after rebuilding", &before, &world.dump().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_owner_map_is_applied_without_asking_a_source() {
    on_both(async |world| {
        world.sync(0, &[]).await;
        let mapped = world
            .number("SELECT COUNT(*) FROM customer WHERE system = 'ham' AND partner_account = '1100000000000000001'")
            .await;
        assert!(mapped > 0);
        world.configure(|text| {
            text.replace("[owners]\n", "[owners]\n\"1100000000000000001\" = \"Janischa\"\n")
        });
        // Only another system is read: the owners of these clients follow all the same.
        let asked = world.sim.ledger("ham").len();
        let document = world.sync(0, &["janischa"]).await;
        let owners = document["owners"].as_array().unwrap();
        let owner = |name: &str| owners.iter().find(|owner| owner["owner"] == name).unwrap();
        assert_eq!(owner("Janischa")["clients"], 259 + mapped);
        assert_eq!(owner("Ham")["clients"], 1880 - mapped);
        assert_eq!(world.sim.ledger("ham").len(), asked);
    })
    .await;
}
