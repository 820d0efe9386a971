//! Every planned failure of the simulated systems, once and for ever: the mirror ends as it would
//! have without it, or the run says in words what is missing, and nothing that was stored is lost.

use std::time::{Duration, SystemTime};

use concord::simulate::{Action, Fault, Options};
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};

use crate::pull::{counts, run, stage};
use crate::support::{World, checks, on_both, servers};

const CLIENTS: &str = "/api/v2/reports/clients/";
const ACCOUNTS: &str = "/api/reports/clients/";
const TRADERS: &str = "trader-list";
const LIVE: &str = "SELECT (SELECT COUNT(*) FROM party WHERE gone_run IS NULL) + (SELECT COUNT(*) FROM account WHERE gone_run IS NULL)";
const LOGIN: &str = "/api/v2/auth/";

/// Every way to fail, with the details that make a difference.
fn failures() -> Vec<(Action, Value)> {
    let soon = SystemTime::now() + Duration::from_secs(3);
    let soon = jiff::Timestamp::try_from(soon).unwrap().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    vec![
        (Action::Status, json!(500)),
        (Action::Status, json!(401)),
        (Action::Status, json!({ "code": 429, "retry_after": 1 })),
        (Action::Status, json!({ "code": 429, "retry_after": soon })),
        (Action::Status, json!({ "code": 503, "retry_after": 0 })),
        (Action::Html, Value::Null),
        (Action::Truncate, Value::Null),
        (Action::Duplicate, Value::Null),
        (Action::Reorder, Value::Null),
        (Action::Slow, json!(5)),
        (Action::Late, json!(100)),
        (Action::Late, json!(4000)),
        (Action::Empty, Value::Null),
        (Action::Empty, json!("page")),
        (Action::Empty, json!("body")),
        (Action::DropBefore, Value::Null),
        (Action::DropAfter, Value::Null),
        (Action::DropAfter, json!("half")),
        (Action::Expire, Value::Null),
        (Action::Hang, Value::Null),
        (Action::ForgetTotal, Value::Null),
    ]
}

/// A few pages of every list, and little patience.
fn prepare(world: &World) {
    world.configure_systems("page_size = 50\ntimeout = \"2s\"");
    let lists = [("ham", "clients", 130), ("ham", "accounts", 280), ("janischa", "clients", 130)];
    for (system, stream, rows) in
        lists.into_iter().chain([("janischa", "accounts", 130), ("xm", "traders", 200)])
    {
        let mut all = world.sim.raw_rows(system, stream);
        all.truncate(rows);
        world.sim.replace_raw_rows(system, stream, all);
    }
}

/// The live records of a system are the rows of its source, byte for byte.
pub async fn mirror_is_source(world: &World, what: &str, system: &str) {
    for (name, table) in [("clients", "party"), ("accounts", "account"), ("traders", "account")] {
        if (name == "traders") != (system == "xm") {
            continue;
        }
        let sql = format!(
            "SELECT t.raw FROM {table} t JOIN stream s ON s.id = t.stream_id WHERE s.system = '{system}' AND s.name = '{name}' AND t.gone_run IS NULL"
        );
        let mut stored = world.texts(&sql).await;
        let mut source = world.sim.raw_rows(system, name);
        stored.sort_unstable();
        source.sort_unstable();
        let missing = source.iter().filter(|row| stored.binary_search(row).is_err()).count();
        assert!(
            stored == source,
            "{what}: {system}/{name}: {} rows stored, {} at the source, {missing} of these missing",
            stored.len(),
            source.len()
        );
    }
}

/// Syncs while something fails; checks what may come of it. Gives the exit code.
async fn sync_through(world: &World, what: &str, systems: &[&str]) -> i32 {
    let before = world.number(LIVE).await;
    let args: Vec<&str> = ["sync", "--json"].iter().chain(systems).copied().collect();
    let output = world.run(&args).await;
    let document = output.json(output.code);
    world.adds_up(&document).await;
    assert_eq!(world.number(LIVE).await, before, "{what}: live records");
    let mut worst = 0;
    for system in systems {
        let ended = run(&document, system);
        let code = match ended["status"].as_str().unwrap() {
            "succeeded" => 0,
            "failed" => 1,
            "incomplete" => 3,
            other => panic!("{what}: {system} is {other}"),
        };
        worst = if worst == 1 || code == 1 { 1 } else { worst.max(code) };
        if code == 0 {
            mirror_is_source(world, what, system).await;
            assert!(ended["error"].is_null(), "{what}");
            continue;
        }
        let told = ended["error"].as_str().unwrap_or_default();
        assert!(told.contains(system) && told.contains(' '), "{what}: {system} says {told:?}");
        let stages = ended["stages"].as_array().unwrap();
        assert!(stages.iter().any(|stage| stage["error"] == told), "{what}: no stage says so");
    }
    assert_eq!(output.code, worst, "{what}");
    output.code
}

/// Whether a sign-in that cannot be renewed, or is refused at the door, is what fails.
fn is_refusal(system: &str, path: &str, action: Action, value: &Value) -> bool {
    let refused = action == Action::Expire || (action == Action::Status && value == 401);
    refused && (system == "xm" || (path == LOGIN && action != Action::Expire))
}

/// An empty list instead of the first page: nobody can know that it is wrong.
fn is_held(action: Action, value: &Value, nth: u64) -> bool {
    action == Action::Empty && value != "body" && nth == 1
}

async fn once(world: &World, system: &str, path: &str, nths: &[u64]) {
    prepare(world);
    world.sync(0, &[system]).await;
    let stream = match path {
        TRADERS => "traders",
        ACCOUNTS => "accounts",
        _ => "clients",
    };
    for (action, value) in failures() {
        // What has to be waited for is met once only.
        let slow = matches!(action, Action::Slow | Action::Hang)
            || value == 4000
            || value["retry_after"].is_string();
        for nth in &nths[if slow { nths.len() - 1 } else { 0 }..] {
            let what = format!("{action:?} {value} on request {nth} to {system}{path}");
            world.sim.change(system, stream, 1.0);
            world.sim.set_faults(vec![Fault::new(system, path, action).nth(*nth).value(value.clone())]);
            let code = sync_through(world, &what, &[system]).await;
            let met = world.sim.faults()[0].left == Some(0);
            assert!(met || path == LOGIN, "{what}: did not happen");
            let expected = if is_held(action, &value, *nth) {
                3
            } else if is_refusal(system, path, action, &value) {
                1
            } else {
                0
            };
            assert_eq!(code, expected, "{what}");
            if code != 0 {
                world.sim.set_faults(Vec::new());
                world.sync(0, &[system]).await;
                mirror_is_source(world, &what, system).await;
            }
        }
    }
    let open = "SELECT COUNT(*) FROM cases WHERE state = 'open'";
    assert_eq!(world.number(open).await, 0, "cases settle when their cause is gone");
    assert_eq!(world.number("SELECT COUNT(*) FROM audit WHERE action = 'records.gone'").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_page_that_fails_once() {
    on_both(async |world| once(world, "ham", CLIENTS, &[1, 3]).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_page_that_fails_once() {
    on_both(async |world| once(world, "janischa", ACCOUNTS, &[1, 2]).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_traders_that_fails_once() {
    on_both(async |world| once(world, "xm", TRADERS, &[1]).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_for_ever_is_said_and_nothing_is_lost() {
    for server in servers() {
        let server = server.as_deref();
        // Each in a world of its own, many at once: most of the time is waiting.
        let played = failures().into_iter().map(|(action, value)| for_ever(server, action, value));
        stream::iter(played).buffer_unordered(8).collect::<Vec<()>>().await;
    }
}

async fn for_ever(server: Option<&str>, action: Action, value: Value) {
    let what = format!("{action:?} {value} for ever on {server:?}");
    let world = World::new(server, &Options::default()).await;
    prepare(&world);
    let systems = ["ham", "janischa", "xm"];
    world.sync(0, &systems).await;
    for (system, stream) in [("ham", "accounts"), ("janischa", "clients"), ("xm", "traders")] {
        world.sim.change(system, stream, 1.0);
    }
    let fault = |system, path, nth| Fault::new(system, path, action).nth(nth).times(0).value(value.clone());
    world.sim.set_faults(vec![
        fault("ham", ACCOUNTS, 2),
        fault("janischa", CLIENTS, 1),
        fault("xm", TRADERS, 1),
    ]);
    let code = sync_through(&world, &what, &systems).await;
    let harmless = matches!(action, Action::Reorder) || (action == Action::Late && value == 100);
    assert_eq!(code == 0, harmless, "{what}: exit code {code}");
    assert_eq!(world.number("SELECT COUNT(*) FROM audit WHERE action = 'records.gone'").await, 0, "{what}");
    world.sim.set_faults(Vec::new());
    world.sync(0, &systems).await;
    for system in systems {
        mirror_is_source(&world, &what, system).await;
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM cases WHERE state = 'open'").await, 0, "{what}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_fails_once_is_repeated() {
    on_both(async |world| {
        prepare(world);
        for (action, value) in failures() {
            let unanswered = matches!(
                action,
                Action::Html
                    | Action::Truncate
                    | Action::DropBefore
                    | Action::DropAfter
                    | Action::Late
                    | Action::Hang
            );
            let later = action == Action::Status && value != 401;
            if unanswered || later || value == "body" {
                let what = format!("{action:?} {value} on the login");
                world.sim.set_faults(vec![Fault::new("janischa", LOGIN, action).value(value)]);
                world.sync(0, &["janischa"]).await;
                assert_eq!(world.sim.faults()[0].left, Some(0), "{what}: did not happen");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_list_without_rows_is_not_taken_for_a_whole_one() {
    on_both(async |world| {
        world.sim.set_faults(vec![Fault::new("ham", CLIENTS, Action::Empty).value("page").times(0)]);
        let document = world.sync(3, &["ham"]).await;
        let told = run(&document, "ham")["error"].as_str().unwrap_or_default();
        assert!(told.contains("664"), "says {told:?}");
        world.sim.set_faults(Vec::new());
        world.sync(0, &["ham"]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_answer_waits_for_a_decision() {
    on_both(async |world| {
        world.sync(0, &["ham"]).await;
        let gone = "SELECT COUNT(*) FROM account WHERE gone_run IS NOT NULL";
        world.sim.set_faults(vec![Fault::new("ham", ACCOUNTS, Action::Empty).times(0)]);
        let document = world.sync(3, &["ham"]).await;
        assert_eq!(stage(&document, "ham", "accounts")["gone"], 0);
        let cases = world.json(0, &["cases"]).await;
        let case = &cases["items"][0];
        assert_eq!((&cases["total"], &case["kind"]), (&json!(1), &json!("empty_answer")));
        assert_eq!(case["choices"], json!(["keep", "mark_gone"]));
        let id = case["id"].to_string();
        assert_eq!(world.run(&["cases", "decide", &id, "--choose", "guess"]).await.code, 2);
        let decided = world.json(0, &["cases", "decide", &id, "--choose", "keep"]).await;
        assert_eq!((&decided["state"], &decided["choice"]), (&json!("decided"), &json!("keep")));
        assert_eq!(world.run(&["cases", "decide", &id, "--choose", "keep"]).await.code, 2);
        assert_eq!(world.number(gone).await, 0);

        // Still empty: it is asked again, and this time the list is meant to be empty.
        world.sync(3, &["ham"]).await;
        let cases = world.json(0, &["cases"]).await;
        let id = cases["items"][0]["id"].to_string();
        world.json(0, &["cases", "decide", &id, "--choose", "mark_gone"]).await;
        assert_eq!(world.number(gone).await, 1363);
        assert_eq!(world.number("SELECT COUNT(*) FROM account WHERE raw = ''").await, 0);
        let rest = "SELECT COUNT(*) FROM customer WHERE hidden = 0 AND gone = 0 AND accounts = 0";
        assert_eq!(world.number(rest).await, 664, "clients stay, with no accounts");
        checks::all(world).await;

        world.sim.set_faults(Vec::new());
        let document = world.sync(0, &["ham"]).await;
        assert_eq!(counts(&document, "ham", "accounts"), json!({ "read": 1363, "updated": 1363 }));
        mirror_is_source(world, "they came back", "ham").await;
        assert_eq!(world.number("SELECT COUNT(*) FROM cases WHERE state = 'open'").await, 0);
    })
    .await;
}
