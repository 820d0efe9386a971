//! The contract of connectors: what every kind of system must do, whatever it speaks.
//!
//! A new kind is picked up by itself as soon as the simulators serve it.

use std::collections::BTreeSet;
use std::sync::Arc;

use concord::app::App;
use concord::config::Config;
use concord::connect::{Ask, Connector, Cursor, Error, Page, Stream};
use concord::simulate::{self, Action, Fault, Options, Simulator};
use concord::store::Store;
use concord::sync::Source;

mod contacts;

const ASK: Ask =
    Ask { page_size: 100, today: jiff::civil::Date::constant(2026, 7, 1), days: None, brief: false };

struct Bench {
    sim: Simulator,
    app: Arc<App>,
    _folder: tempfile::TempDir,
}

/// The simulators and a program connected to them; `edit` may spoil the configuration.
async fn bench(edit: impl Fn(String) -> String) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let sim = Simulator::start(Options::default(), None).await.unwrap();
    let database = format!("sqlite:{}", folder.path().join("concord.db").display());
    let settings = simulate::broker_config(&sim.url()).replace("every = \"1h\"", "rate = 10000.0");
    let settings = format!("database = \"{database}\"\n{}", edit(settings));
    let config = Config::parse(&settings, "test", &|_| None).unwrap();
    let app = App::new(config, Store::ready(&database, 0).await.unwrap()).await.unwrap();
    Bench { sim, app, _folder: folder }
}

async fn fetch(source: &Source, stream: &'static Stream, at: Option<&Cursor>) -> Result<Page, Error> {
    source.connector.fetch(&source.http, stream, at, &ASK).await
}

/// Every row's key from a cursor on, with the cursors passed.
async fn walk(
    source: &Source,
    stream: &'static Stream,
    at: Option<Cursor>,
) -> (Vec<String>, Vec<Option<Cursor>>) {
    let (mut keys, mut cursors, mut at) = (Vec::new(), vec![at.clone()], at);
    loop {
        let page = fetch(source, stream, at.as_ref()).await.unwrap();
        for row in &page.rows {
            source.connector.read(stream, &row.raw).unwrap();
            keys.push(row.key.clone().unwrap());
        }
        match page.next {
            Some(next) => {
                assert!(!page.rows.is_empty(), "{}: an empty page in the middle", stream.name);
                at = Some(next);
                cursors.push(at.clone());
            }
            None => return (keys, cursors),
        }
    }
}

#[tokio::test]
async fn lists_come_whole_with_stable_keys_and_resume_at_any_cursor() {
    let bench = bench(|settings| settings).await;
    let truth = bench.sim.truth();
    for (source, stream) in bench.app.streams() {
        let (keys, cursors) = walk(source, stream, None).await;
        let about = format!("{}/{}", source.name, stream.name);
        let expected = truth[&source.name][stream.name]["count"].as_u64().unwrap();
        assert_eq!(keys.len() as u64, expected, "{about}");
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "{about}: keys are unique");
        assert_eq!(walk(source, stream, None).await.0, keys, "{about}: keys are stable");
        for (page, cursor) in cursors.into_iter().enumerate() {
            let (rest, _) = walk(source, stream, cursor).await;
            assert!(keys.ends_with(&rest), "{about}: resumed at page {page}");
            assert_eq!(rest.len(), keys.len() - (page * 100).min(keys.len()), "{about}: page {page}");
        }
    }
}

#[tokio::test]
async fn passing_faults_pass() {
    let bench = bench(|settings| settings).await;
    for (source, stream) in bench.app.streams() {
        let (keys, _) = walk(source, stream, None).await;
        let throttled = serde_json::json!({ "code": 429, "retry_after": "0" });
        bench.sim.set_faults(vec![
            Fault::new(&source.name, "", Action::Status).value(throttled),
            Fault::new(&source.name, "", Action::Status).nth(3).value(serde_json::json!(500)),
        ]);
        assert_eq!(walk(source, stream, None).await.0, keys, "{}/{}", source.name, stream.name);
        bench.sim.set_faults(Vec::new());
    }
}

#[tokio::test]
async fn an_expired_session_is_renewed_once_without_a_gap() {
    let bench = bench(|settings| settings).await;
    for (source, stream) in bench.app.streams().filter(|(source, _)| source.connector.kind() != "xm") {
        let (keys, _) = walk(source, stream, None).await;
        bench.sim.clear_ledger();
        bench.sim.set_faults(vec![Fault::new(&source.name, "/reports/", Action::Expire).nth(2)]);
        assert_eq!(walk(source, stream, None).await.0, keys, "{}/{}", source.name, stream.name);
        let ledger = bench.sim.ledger(&source.name);
        let logins = ledger.iter().filter(|entry| entry.path.ends_with("/auth/")).count();
        assert_eq!(logins, 1, "{}/{}", source.name, stream.name);
        bench.sim.set_faults(Vec::new());
    }
}

#[tokio::test]
async fn a_wrong_secret_is_told_as_such_and_never_shown() {
    let spoil = |settings: String| {
        settings
            .replace("sim-ham-password", "canary-secret-1")
            .replace("sim-janischa-password", "canary-secret-2")
            .replace("sim-xm-token", "canary-secret-3")
    };
    let bench = bench(spoil).await;
    for source in &bench.app.sources {
        let stream = &source.connector.streams()[0];
        let error = fetch(source, stream, None).await.unwrap_err();
        assert!(matches!(error, Error::Login(_)), "{}: {error}", source.name);
        let said = format!("{error} {error:?} {:?} {:?}", source.http, source.connector);
        assert!(!said.contains("canary"), "{}: a secret is shown", source.name);
        assert_eq!(error.message().args["system"], source.name);
    }
}
