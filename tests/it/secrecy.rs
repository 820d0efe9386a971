//! What nobody may read: passwords and tokens in anything that is written, and people's data in logs.

use concord::simulate::{Action, Fault};
use serde_json::json;

use crate::support::{Output, World, on_both};

/// The secrets of the simulated systems, and one in the address of the database.
const SECRETS: [&str; 6] = [
    "sim-ham-password",
    "sim-janischa-password",
    "sim-xm-token",
    "JWT ",
    "Bearer ",
    "canary-database-password",
];

/// Who signs in: needed nowhere in what is told.
const LOGINS: [&str; 2] = ["partner-ham", "partner-janischa"];

/// Planted in payloads: what a person could be known by.
const PERSONAL: [&str; 3] = ["canary.person", "Canary Personova", "7700900123"];

fn plant(world: &World) {
    for (system, stream, field) in
        [("ham", "clients", "comment"), ("ham", "accounts", "comment"), ("xm", "traders", "campaign")]
    {
        let mut rows = world.sim.rows(system, stream);
        for row in rows.iter_mut().take(40) {
            row[field] = json!("Canary Personova canary.person@example.test +7700900123");
        }
        world.sim.replace_rows(system, stream, rows);
    }
    // Rows that are rejected, with the person in the field at fault.
    let mut rows = world.sim.rows("ham", "accounts");
    rows[0]["reg_date"] = json!("canary.person@example.test");
    rows[1]["reward_usd"] = json!("Canary Personova");
    rows[2]["client_uid"] = json!("7700900123");
    world.sim.replace_rows("ham", "accounts", rows);
}

#[track_caller]
fn silent(what: &str, text: &str, words: &[&str]) {
    for word in words {
        if let Some(at) = text.find(word) {
            let around: String = text[at.saturating_sub(300)..].chars().take(500).collect();
            panic!("{what} tells {word}: …{around}…");
        }
    }
}

/// Looks through everything a command said.
#[track_caller]
fn told(what: &str, output: &Output) {
    assert!(!output.err.contains("panicked"), "{what}: {}", output.err);
    for text in [&output.out, &output.err] {
        silent(what, text, &SECRETS);
        silent(what, text, &LOGINS);
        silent(what, text, &PERSONAL);
    }
}

/// The world's configuration with a password in the address of the database, where it has one.
fn with_password(world: &World) {
    let plain = world.url.clone();
    let secret = plain.replace("concord@", "concord:canary-database-password@");
    world.configure(|text| {
        text.replace(&format!("database = \"{plain}\""), &format!("database = \"{secret}\""))
            .replace("rate = 10000\n", "rate = 10000\ntimeout = \"2s\"\n")
    });
}

const TRACE: [(&str, &str); 2] = [("CONCORD_LOG", "trace"), ("RUST_LOG", "trace")];

#[tokio::test(flavor = "multi_thread")]
async fn the_most_talkative_log_tells_no_secret_and_nobody() {
    on_both(async |world| {
        with_password(world);
        plant(world);
        told("check", &world.run_with(&["check", "-vvv"], &TRACE).await);
        let synced = world.run_with(&["sync", "-vvv"], &TRACE).await;
        assert!(
            synced.err.contains("TRACE") && synced.err.len() > 10_000,
            "this is not the most talkative log"
        );
        assert_eq!(synced.code, 3, "rows are rejected");
        told("sync", &synced);
        let again = world.run_with(&["sync", "-vvv", "--json"], &TRACE).await;
        assert_eq!(again.code, 3);
        told("sync again", &again);
        told("verify", &world.run_with(&["verify", "-vvv"], &TRACE).await);
        told("runs", &world.run_with(&["runs", "show", "1", "-vvv"], &TRACE).await);
        told("audit", &world.run_with(&["audit", "export", "-vvv"], &TRACE).await);
        told("cases", &world.run_with(&["cases", "list", "--all"], &TRACE).await);
        nothing_stored(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_tell_no_secret_and_nobody() {
    on_both(async |world| {
        with_password(world);
        plant(world);
        let fault = |path: &str, action| Fault::new("*", path, action);
        for faults in [
            vec![fault("/api/v2/auth/", Action::Truncate)],
            vec![fault("/api/v2/auth/", Action::Empty).times(0)],
            vec![fault("/api/v2/auth/", Action::Status).value(500).times(2)],
            vec![
                fault("clients/", Action::Status).value(401).times(0),
                fault("trader", Action::Status).value(403).times(0),
            ],
            vec![fault("reports", Action::Truncate).times(2), fault("trader", Action::Html).times(2)],
            vec![fault("reports", Action::DropAfter).value("half").times(2), fault("trader", Action::Hang)],
            vec![fault("reports", Action::Duplicate).times(0)],
        ] {
            world.sim.set_faults(faults);
            told("a sync that fails", &world.run_with(&["sync", "-vvv"], &TRACE).await);
            world.run(&["unpause", "all"]).await;
        }
        world.sim.set_faults(Vec::new());
        world.configure(|text| {
            text.replace("\"sim-ham-password\"", "\"canary-wrong-password\"")
                .replace("\"sim-xm-token\"", "\"canary wrong token\"")
        });
        for args in [&["sync", "-vvv"][..], &["check", "-vvv"], &["sync", "--json"], &["runs", "show", "1"]] {
            let output = world.run_with(args, &TRACE).await;
            told("a wrong password", &output);
            silent(
                "a wrong password",
                &(output.out + &output.err),
                &["canary-wrong-password", "canary wrong token"],
            );
        }
        world.configure(|text| {
            text.replace("password = \"sim-ham-password\"", "passwort = \"sim-ham-password\"")
        });
        let mistaken = world.run(&["check"]).await;
        silent("a mistake beside the password", &(mistaken.out + &mistaken.err), &SECRETS);
        nothing_stored(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_tells_no_secret_and_nobody() {
    on_both(async |world| {
        with_password(world);
        plant(world);
        let serving = world.start_with(&["serve", "-vvv"], &TRACE);
        crate::support::until("serve is ready", crate::support::PATIENCE, async || {
            serving.err().contains("Concord serves").then_some(())
        })
        .await;
        let synced = world.run(&["sync", "--json"]).await;
        assert_eq!(synced.code, 3);
        told("a command beside a server", &synced);
        let served = serving.terminate().await;
        assert_eq!(served.code, 0);
        told("serve", &served);
        nothing_stored(world).await;
    })
    .await;
}

/// No table holds a secret; payloads are where they belong.
async fn nothing_stored(world: &World) {
    let tables: Vec<String> = world.row_counts().await.into_keys().collect();
    let mut payloads = 0;
    for table in tables.iter().filter(|table| *table != "customer_search") {
        let columns = if world.is_postgres() {
            world.texts(&format!("SELECT CAST(t AS TEXT) FROM {table} t")).await
        } else {
            let names = world.texts(&format!("SELECT name FROM pragma_table_info('{table}')")).await;
            let all = names.iter().map(|name| format!("quote({name})"));
            world.texts(&format!("SELECT {} FROM {table}", all.collect::<Vec<_>>().join(" || ' ' || "))).await
        };
        let text = columns.join("\n");
        silent(table, &text, &SECRETS);
        silent(table, &text, &LOGINS);
        silent(table, &text, &["canary-wrong-password"]);
        payloads += usize::from(text.contains("Canary Personova"));
        if ["audit", "mishap", "run", "stage", "cases", "page", "system_state"].contains(&table.as_str()) {
            silent(table, &text, &PERSONAL);
        }
    }
    assert!(payloads > 0, "the planted person was not stored at all");
}
