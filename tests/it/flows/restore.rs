//! What the master overrode is kept and can be taken over, what was written can be undone, and two hands that
//! work against each other are told.

use serde_json::{Value, json};

use super::forward::{linked, live};
use super::{nothing_twice, plain, written};
use crate::support::{World, on_both_with};

async fn applied(world: &World, code: i32) -> Value {
    world.json(code, &["apply", "customers", "--yes"]).await
}

fn email(world: &World, finance: i64) -> Value {
    world.sim.finance().contact(finance).unwrap()["Email"].clone()
}

fn email_of_master(world: &World, crm: &str) -> Value {
    let rows = world.sim.rows("crm", "identities");
    rows.iter().find(|row| row["crmId"] == crm || row["identityId"] == crm).unwrap()["email"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_overridden_is_kept_and_can_be_taken_over_into_the_master() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        let (crm, finance) = linked(world).await;
        assert!(world.sim.crm().edit(&crm, &json!({ "email": "one@example.test" })));
        applied(world, 0).await;
        // Only the master has spoken: nothing was overridden.
        assert_eq!(world.json(0, &["overridden", "list"]).await["total"], 0);
        assert!(world.sim.finance().edit(finance, &json!({ "Email": "right@example.test" })));
        applied(world, 0).await;
        assert_eq!(email(world, finance), "one@example.test");
        let list = world.json(0, &["overridden", "list", "customers"]).await;
        let one = &list["items"][0];
        assert_eq!(list["total"], 1, "{list:#}");
        assert_eq!(
            (&one["field"], &one["agreed"], &one["theirs"], &one["became"]),
            (
                &json!("email"),
                &json!("one@example.test"),
                &json!("right@example.test"),
                &json!("one@example.test")
            )
        );
        let told = world.run(&["overridden", "list"]).await;
        assert!(told.out.contains("right@example.test"), "{}", told.out);

        let id = one["id"].to_string();
        world.sim.clear_mutations();
        world.json(0, &["overridden", "accept", &id]).await;
        let back = written(world, "crm");
        assert_eq!((back.len(), back[0].key.as_str()), (1, crm.as_str()), "{back:#?}");
        assert_eq!(email_of_master(world, &crm), "right@example.test");
        let again = world.run(&["overridden", "accept", &id]).await;
        assert_eq!(again.code, 2, "{}", again.err);
        // From there it goes the usual way.
        applied(world, 0).await;
        assert_eq!(email(world, finance), "right@example.test");
        let quiet = applied(world, 0).await;
        assert_eq!((&quiet["written"], &quiet["cases"]), (&json!(0), &json!(0)), "{quiet:#}");
        nothing_twice(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_undone_unless_somebody_has_changed_it_since() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        let (crm, finance) = linked(world).await;
        let before = email(world, finance);
        assert!(world.sim.crm().edit(&crm, &json!({ "email": "wrong@example.test" })));
        applied(world, 0).await;
        let id = world.number("SELECT MAX(id) FROM delivery WHERE action = 'update'").await.to_string();
        world.json(0, &["deliveries", "undo", &id]).await;
        let same = |one: &Value, other: &Value| {
            one.as_str().unwrap_or_default() == other.as_str().unwrap_or_default()
        };
        assert!(same(&email(world, finance), &before), "{}", email(world, finance));
        // The next look at both sides leaves it alone, until the master says something else.
        world.execute("UPDATE flow_state SET live_since = 1", []).await;
        world.json(0, &["sync", "finance", "crm"]).await;
        assert_eq!(world.number("SELECT COUNT(*) FROM delivery WHERE state = 'pending'").await, 0);
        nothing_twice(world).await;

        // What was created is not taken away, and what was changed since is asked about.
        let made = world.number("SELECT MIN(id) FROM delivery WHERE action = 'create'").await.to_string();
        assert_eq!(world.run(&["deliveries", "undo", &made]).await.code, 2);
        assert!(world.sim.crm().edit(&crm, &json!({ "email": "second@example.test" })));
        applied(world, 0).await;
        assert_eq!(email(world, finance), "second@example.test");
        let id = world.number("SELECT MAX(id) FROM delivery WHERE action = 'update'").await.to_string();
        assert!(world.sim.finance().edit(finance, &json!({ "Email": "theirs@example.test" })));
        world.json(0, &["deliveries", "undo", &id]).await;
        assert_eq!(email(world, finance), "theirs@example.test");
        let cases = world.json(0, &["cases"]).await;
        assert_eq!(cases["items"][0]["kind"], "restore_moved", "{cases:#}");
        let case = cases["items"][0]["id"].to_string();
        world.json(0, &["cases", "decide", &case, "--choose", "restore"]).await;
        applied(world, 0).await;
        let last =
            world.texts("SELECT state FROM delivery WHERE reason = 'undo' ORDER BY id DESC LIMIT 1").await;
        assert_eq!(last, ["confirmed"]);
        nothing_twice(world).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_overwritten_again_and_again_is_left_to_a_person() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        let (crm, finance) = linked(world).await;
        assert!(world.sim.crm().edit(&crm, &json!({ "email": "one@example.test" })));
        applied(world, 0).await;
        world.execute("UPDATE flow_state SET live_since = 1", []).await;
        // Another program writes its own again after each of ours; each time the night finds it.
        let serving = world.serve().await;
        for round in 0..4 {
            assert!(
                world.sim.finance().edit(finance, &json!({ "Email": format!("theirs{round}@example.test") }))
            );
            world.json(0, &["sync", "finance"]).await;
            world.execute("UPDATE flow_state SET reconciled_at = 2", []).await;
            crate::support::until("it is dealt with", crate::support::PATIENCE, async || {
                let asked = world.number("SELECT COUNT(*) FROM cases WHERE kind = 'ping_pong'").await;
                (email(world, finance) == "one@example.test" || (round == 3 && asked == 1)).then_some(())
            })
            .await;
        }
        assert_eq!(serving.terminate().await.code, 0);
        assert_eq!(email(world, finance), "theirs3@example.test");
        assert_eq!(world.json(0, &["overridden", "list"]).await["total"], 3);
        let cases = world.json(0, &["cases"]).await;
        let case = &cases["items"][0];
        assert_eq!(case["choices"], json!(["source", "destination", "leave"]), "{case:#}");
        // They were right.
        world.json(0, &["cases", "decide", &case["id"].to_string(), "--choose", "destination"]).await;
        let serving = world.serve().await;
        crate::support::until("the master has it", crate::support::PATIENCE, async || {
            (email_of_master(world, &crm) == "theirs3@example.test").then_some(())
        })
        .await;
        crate::support::until("it is on record", crate::support::PATIENCE, async || {
            let open = "SELECT COUNT(*) FROM delivery WHERE way = 'back' AND state = 'confirmed'";
            (world.number(open).await == 1).then_some(())
        })
        .await;
        assert_eq!(serving.terminate().await.code, 0);
        nothing_twice(world).await;
    })
    .await;
}
