//! The import: finance → CRM, once, whatever happens meanwhile.

use std::time::Duration;

use concord::simulate::{Kind, Options};
use serde_json::{Value, json};

use super::{QUICK, configure, nothing_twice, plain, written};
use crate::support::{PATIENCE, World, on_both, on_both_with, servers, until};

/// Imports, and checks the summary it prints.
async fn import(world: &World, code: i32, expected: &Value) {
    let summary = world.json(code, &["import", "customers", "--yes"]).await;
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&summary[name], value, "{name} of {summary:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_linked_created_asked_about_or_excluded_once() {
    on_both(async |world| {
        configure(world, QUICK);
        let rehearsed = world.json(0, &["import", "customers", "--dry-run"]).await;
        assert_eq!((&rehearsed["created"], &rehearsed["linked"]), (&json!(100), &json!(50)), "{rehearsed:#}");
        assert_eq!((&rehearsed["cases"], &rehearsed["excluded"]), (&json!(2), &json!(1)), "{rehearsed:#}");
        assert!(written(world, "crm").is_empty());

        let first = json!({
            "created": 100, "linked": 50, "already_linked": 0, "excluded": 1, "cases": 2, "errors": 0,
            "closed": false,
        });
        import(world, 3, &first).await;
        let made = written(world, "crm");
        assert_eq!(made.len(), 100);
        assert!(made.iter().all(|mutation| mutation.kind == Kind::Create));
        assert!(written(world, "finance").is_empty());
        nothing_twice(world).await;

        let again = json!({ "created": 0, "linked": 0, "already_linked": 150, "cases": 2, "errors": 0 });
        import(world, 3, &again).await;
        assert_eq!(written(world, "crm").len(), 100);

        // The passwords that the finance system shows with its contacts are nowhere.
        let canary = concord::simulate::Finance::CANARY;
        for (table, columns) in [
            ("contact", "raw"),
            ("customer_text", "text"),
            ("audit", "COALESCE(before_value, '') || COALESCE(after_value, '')"),
            ("delivery", "COALESCE(before_value, '') || COALESCE(payload, '')"),
        ] {
            let holding = format!("SELECT COUNT(*) FROM {table} WHERE {columns} LIKE '%{canary}%'");
            assert_eq!(world.number(&holding).await, 0, "{table}");
        }

        // A person decides: one is the first that it may be, the other is new.
        let cases = world.json(0, &["cases"]).await;
        let cases = cases["items"].as_array().unwrap();
        assert_eq!(cases.len(), 2, "{cases:#?}");
        for (case, choice) in cases.iter().zip([&cases[0]["choices"][0], &json!("create")]) {
            assert_eq!(case["kind"], "ambiguous_match");
            let id = case["id"].to_string();
            world.json(0, &["cases", "decide", &id, "--choose", choice.as_str().unwrap()]).await;
        }
        let last = json!({ "created": 1, "already_linked": 151, "cases": 0, "errors": 0, "closed": true });
        import(world, 0, &last).await;
        assert_eq!(written(world, "crm").len(), 101);
        nothing_twice(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_without_questions_is_closed_at_once() {
    on_both_with(&plain(), async |world| {
        configure(world, QUICK);
        import(world, 0, &json!({ "created": 100, "linked": 50, "cases": 0, "closed": true })).await;
        let told = world.run(&["import", "customers", "--yes"]).await;
        assert_eq!(told.code, 0, "{}{}", told.out, told.err);
        assert!(told.out.contains("is closed"), "{}", told.out);
        assert_eq!(written(world, "crm").len(), 100);
        nothing_twice(world).await;
        // What was written is there, and is seen to be there at the next read after the settle time.
        configure(world, "rate = 10000\nsettle = \"1ms\"");
        world.json(0, &["sync", "crm"]).await;
        let unverified = "SELECT state || ' ' || COALESCE(message, '') || payload FROM delivery WHERE way = 'import' AND state <> 'verified'";
        assert_eq!(world.texts(unverified).await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_imported_when_a_side_was_not_read_whole() {
    on_both_with(&plain(), async |world| {
        use concord::simulate::{Action, Fault};
        configure(world, QUICK);
        world.sim.set_faults(vec![Fault::new("finance", "GetAll", Action::Html).times(0)]);
        let told = world.run(&["import", "customers", "--yes"]).await;
        assert_eq!(told.code, 3, "{}{}", told.out, told.err);
        assert!(written(world, "crm").is_empty());
        assert_eq!(world.number("SELECT COUNT(*) FROM delivery").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_twenty_moments_it_ends_the_same() {
    for server in servers() {
        let slow = Options { save_delay: Duration::from_millis(15), ..plain() };
        let world = World::new(server.as_deref(), &slow).await;
        configure(&world, QUICK);
        let mut rng = fastrand::Rng::with_seed(7);
        for turn in 0..20 {
            // Anywhere from the first read to the last write.
            let enough = (turn * 5 + rng.usize(0..5)).saturating_sub(3);
            let mut importing = world.start(&["import", "customers", "--yes", "--quiet"]);
            until("some are written", PATIENCE, async || {
                (importing.is_over() || written(&world, "crm").len() >= enough).then_some(())
            })
            .await;
            importing.kill();
        }
        let summary = world.json(0, &["import", "customers", "--yes"]).await;
        assert_eq!((&summary["errors"], &summary["closed"]), (&json!(0), &json!(true)), "{summary:#}");
        assert_eq!(written(&world, "crm").len(), 100);
        assert_eq!(world.number("SELECT COUNT(*) FROM link").await, 150);
        nothing_twice(&world).await;
        world.end().await;
    }
}
