//! What an administrator is told while setting a flow up.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{QUICK, configure, nothing_twice, plain, written};
use crate::support::{World, on_both_with};

#[tokio::test(flavor = "multi_thread")]
async fn a_check_says_what_the_crm_has_to_call() {
    on_both_with(&plain(), async |world| {
        configure(world, QUICK);
        let checked = world.run(&["check"]).await;
        assert_eq!(checked.code, 0, "{}", checked.err);
        let address = "http://concord.example.test/webhook/crm/sim-webhook-token/identity";
        assert_eq!(checked.out.matches(address).count(), 1, "{}", checked.out);
        // Documents are kept and sent on; the address is not for them.
        let document = world.run(&["check", "--json"]).await;
        assert!(!document.out.contains("sim-webhook-token"), "{}", document.out);

        let text = std::fs::read_to_string(world.config()).unwrap();
        std::fs::write(world.config(), text.replace("webhook_token = \"sim-webhook-token\"\n", "")).unwrap();
        let bare = world.run(&["check", "crm"]).await;
        assert_eq!(bare.code, 0, "{}", bare.err);
        assert!(bare.out.contains("webhook_token"), "{}", bare.out);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_turned_into_what_the_finance_system_takes() {
    on_both_with(&plain(), async |world| {
        let hash = "900150983CD24FB0D6963F7D28E17F72";
        assert_eq!(world.run(&["hash-password", "abc"]).await.out.trim(), hash);
        assert_eq!(world.run_told(&["hash-password"], "abc\n").await.out.trim(), hash);
        assert_eq!(world.json(0, &["hash-password", "abc"]).await["password_md5"], hash);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_import_writes_nothing_until_it_is_opened_again() {
    on_both_with(&plain(), async |world| {
        configure(world, QUICK);
        let first = world.json(0, &["import", "customers", "--yes"]).await;
        assert_eq!((&first["created"], &first["closed"]), (&json!(100), &json!(true)), "{first:#}");
        world.sim.clear_mutations();
        let new = json!({ "Code": 1900, "Name": "Sample Person", "MobileNo": "09120000009" });
        world.sim.finance().add(&new);
        let again = world.run(&["import", "customers", "--yes"]).await;
        assert_eq!(again.code, 0, "{}", again.err);
        assert!(again.err.contains("concord flow reopen customers"), "{}", again.err);
        assert!(written(world, "crm").is_empty());

        assert_eq!(world.run(&["flow", "reopen", "customers"]).await.code, 2, "without a yes");
        assert_eq!(world.run(&["flow", "reopen", "customers", "--yes"]).await.code, 0);
        let opened = world.json(0, &["import", "customers", "--yes"]).await;
        assert_eq!((&opened["created"], &opened["closed"]), (&json!(1), &json!(true)), "{opened:#}");
        assert_eq!(written(world, "crm").len(), 1);
        assert_eq!(world.run(&["flow", "reopen", "nothing", "--yes"]).await.code, 2);
        let told = "SELECT COUNT(*) FROM audit WHERE action IN ('import.reopened', 'import.closed')";
        assert_eq!(world.number(told).await, 3);
        nothing_twice(world).await;
    })
    .await;
}

/// The lines of what `verify customers` says, by what they are about.
async fn verified(world: &World, code: i32) -> BTreeMap<String, Value> {
    let document = world.json(code, &["verify", "customers"]).await;
    let lines = document["items"][0]["lines"].as_array().unwrap().clone();
    lines.into_iter().map(|line| (line["what"].as_str().unwrap().to_owned(), line)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_are_held_against_each_other_and_lost_links_are_found_again() {
    on_both_with(&plain(), async |world| {
        configure(world, QUICK);
        world.json(0, &["import", "customers", "--yes"]).await;
        world.json(0, &["apply", "customers", "--yes"]).await;
        let lines = verified(world, 0).await;
        for what in ["carried", "in_agreement", "links", "followers"] {
            assert_eq!(lines[what]["equal"], true, "{lines:#?}");
            assert_eq!(lines[what]["source"], "150", "{lines:#?}");
        }
        world.sim.clear_mutations();

        // Half of the links are lost; one contact is edited, one is added beside.
        let links = world.texts("SELECT source_key || ' ' || destination_key FROM link ORDER BY 1").await;
        world.execute("DELETE FROM link WHERE id % 2 = 0", []).await;
        let lost = 150 - world.number("SELECT COUNT(*) FROM link").await;
        let code = world.number("SELECT CAST(destination_key AS BIGINT) FROM link").await;
        assert!(world.sim.finance().edit(code, &json!({ "Name": "Sample Drift" })));
        world.sim.finance().add(&json!({ "Code": 1900, "Name": "Sample Person", "MobileNo": "09120000009" }));
        let lines = verified(world, 3).await;
        let cause = |what: &str| lines[what]["causes"][0].clone();
        // Some of them have no number of their own, and are not carried without their link.
        let apart = cause("carried");
        assert_eq!(apart["rule"], "without_partner");
        assert!((1..=lost).contains(&apart["count"].as_i64().unwrap()), "{lines:#?}");
        assert_eq!(cause("in_agreement")["rule"], "differs_name", "{lines:#?}");
        assert_eq!(cause("followers")["count"], lost + 1, "{lines:#?}");

        assert_eq!(world.run(&["links", "rebuild", "customers"]).await.code, 2, "without a yes");
        assert_eq!(world.number("SELECT COUNT(*) FROM link").await, 150 - lost);
        let rebuilt = world.json(0, &["links", "rebuild", "customers", "--yes"]).await;
        assert_eq!((&rebuilt["written"], &rebuilt["unchanged"]), (&json!(0), &json!(lost)), "{rebuilt:#}");
        assert_eq!(
            world.texts("SELECT source_key || ' ' || destination_key FROM link ORDER BY 1").await,
            links
        );
        assert!(written(world, "finance").is_empty() && written(world, "crm").is_empty());
        nothing_twice(world).await;

        let told = world.run(&["verify", "customers"]).await;
        assert_eq!(told.code, 3);
        for part in ["carried by the flow", "name differs", "only there"] {
            assert!(told.out.contains(part), "{}", told.out);
        }
    })
    .await;
}
