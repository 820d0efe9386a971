//! Records that leave the source: marked when a complete read lacks them, held when they are many,
//! live again when they come back, and never marked by a read that does not mean it.

use serde_json::json;

use super::{counts, run, stage};
use crate::faults::mirror_is_source;
use crate::support::{World, checks, on_both};

/// Takes the rows out of a list at the source whose number `which` accepts.
fn remove(world: &World, system: &str, stream: &str, which: impl Fn(usize) -> bool) -> Vec<String> {
    let all = world.sim.raw_rows(system, stream);
    let rest = all.iter().enumerate().filter(|(at, _)| !which(*at)).map(|(_, row)| row.clone()).collect();
    world.sim.replace_raw_rows(system, stream, rest);
    all
}

async fn gone(world: &World, table: &str) -> i64 {
    world.number(&format!("SELECT COUNT(*) FROM {table} WHERE gone_run IS NOT NULL")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_are_marked_and_keep_their_values() {
    on_both(async |world| {
        world.sync(0, &["ham"]).await;
        let before = world.number("SELECT CAST(SUM(reward_usd) AS BIGINT) FROM account").await;
        let all = remove(world, "ham", "accounts", |at| at % 136 == 3);
        let all_clients = remove(world, "ham", "clients", |at| at == 7);
        let document = world.sync(0, &["ham"]).await;
        assert_eq!(stage(&document, "ham", "accounts")["gone"], 10);
        assert_eq!(stage(&document, "ham", "clients")["gone"], 1);
        assert_eq!((gone(world, "account").await, gone(world, "party").await), (10, 1));
        assert_eq!(world.number("SELECT CAST(SUM(reward_usd) AS BIGINT) FROM account").await, before);
        mirror_is_source(world, "ten are gone", "ham").await;
        checks::all(world).await;

        // A second look finds nothing more to do.
        let document = world.sync(0, &["ham"]).await;
        assert_eq!(stage(&document, "ham", "accounts")["gone"], 0);
        assert_eq!(counts(&document, "ham", "accounts"), json!({ "read": 1353, "unchanged": 1353 }));

        world.sim.replace_raw_rows("ham", "accounts", all);
        world.sim.replace_raw_rows("ham", "clients", all_clients);
        let document = world.sync(0, &["ham"]).await;
        assert_eq!(
            counts(&document, "ham", "accounts"),
            json!({ "read": 1363, "updated": 10, "unchanged": 1353 })
        );
        assert_eq!((gone(world, "account").await, gone(world, "party").await), (0, 0));
        mirror_is_source(world, "they came back", "ham").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_wait_for_a_decision() {
    on_both(async |world| {
        world.sync(0, &["ham"]).await;
        let all = remove(world, "ham", "accounts", |at| at % 10 < 3);
        let left = world.sim.raw_rows("ham", "accounts").len();
        for _ in 0..2 {
            let document = world.sync(3, &["ham"]).await;
            assert_eq!(run(&document, "ham")["status"], "incomplete");
            assert_eq!(stage(&document, "ham", "accounts")["gone"], 0);
            assert_eq!(gone(world, "account").await, 0);
        }
        let cases = world.json(0, &["cases"]).await;
        assert_eq!((&cases["total"], &cases["items"][0]["kind"]), (&json!(1), &json!("held_deletion")));
        let id = cases["items"][0]["id"].to_string();
        world.json(0, &["cases", "decide", &id, "--choose", "mark_gone"]).await;
        assert_eq!(gone(world, "account").await as usize, 1363 - left);
        let entry = "SELECT actor FROM audit WHERE action = 'records.gone'";
        assert_eq!(world.texts(entry).await, ["cli:tester"]);
        mirror_is_source(world, "a third is gone", "ham").await;
        checks::all(world).await;
        world.sync(0, &["ham"]).await;

        world.sim.replace_raw_rows("ham", "accounts", all);
        let document = world.sync(0, &["ham"]).await;
        assert_eq!(counts(&document, "ham", "accounts")["updated"].as_u64().unwrap() as usize, 1363 - left);
        mirror_is_source(world, "they came back", "ham").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_about_an_old_read_is_refused() {
    on_both(async |world| {
        world.sync(0, &["ham"]).await;
        remove(world, "ham", "accounts", |at| at % 10 < 3);
        world.sync(3, &["ham"]).await;
        let id = world.json(0, &["cases"]).await["items"][0]["id"].to_string();
        // A newer run that read only a little knows nothing about who is missing.
        world.sync(3, &["ham", "--limit", "5"]).await;
        let refused = world.run(&["cases", "decide", &id, "--choose", "mark_gone"]).await;
        assert_eq!(refused.code, 2, "{}", refused.out);
        assert!(refused.err.contains("not the latest"), "{}", refused.err);
        assert_eq!(gone(world, "account").await, 0);
        assert_eq!(world.json(0, &["cases", "show", &id]).await["state"], "open");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn traders_missing_from_an_answer_are_only_absent() {
    on_both(async |world| {
        world.sync(0, &["xm"]).await;
        let all = remove(world, "xm", "traders", |at| at % 4 == 0);
        let missing = all.len() - world.sim.raw_rows("xm", "traders").len();
        let document = world.sync(0, &["xm"]).await;
        let traders = stage(&document, "xm", "traders");
        assert_eq!((&traders["absent"], &traders["gone"]), (&json!(missing), &json!(0)));
        assert_eq!(traders["stored"]["count"], 1216);
        assert_eq!(gone(world, "account").await, 0);
        // Every look at it says the same: they explain the difference.
        let verified = world.json(0, &["verify", "xm"]).await;
        let line = &verified["items"][0]["lines"][0];
        assert_eq!((&verified["agree"], &line["equal"]), (&json!(true), &json!(true)));
        assert_eq!(line["difference"], missing.to_string());
        assert_eq!(line["causes"], json!([{ "rule": "absent", "count": missing, "amount": null }]));
        let shown = world.run(&["verify", "xm"]).await;
        assert!(shown.out.contains("absent: missing from the answer"), "{}", shown.out);
        // One at the source that is not here yet is not made up for by those.
        let mut rows = world.sim.raw_rows("xm", "traders");
        rows.push(all[0].clone());
        world.execute("DELETE FROM account WHERE id = (SELECT MIN(id) FROM account)", []).await;
        world.sim.replace_raw_rows("xm", "traders", rows);
        let verified = world.json(3, &["verify", "xm"]).await;
        assert_eq!(verified["items"][0]["lines"][0]["equal"], false);
        world.sync(0, &["xm"]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_read_marks_nothing() {
    on_both(async |world| {
        world.configure_systems("page_size = 30");
        let document = world.sync(0, &["ham", "--limit", "50"]).await;
        let clients = stage(&document, "ham", "clients");
        assert_eq!(counts(&document, "ham", "clients"), json!({ "read": 50, "created": 50 }));
        assert_eq!((&clients["not_read"], &clients["unexplained"]), (&json!(614), &json!(0)));
        assert_eq!(world.number("SELECT COUNT(*) FROM customer WHERE hidden = 0").await, 50);
        assert_eq!(
            world.number("SELECT CAST(SUM(accounts) AS BIGINT) FROM customer").await,
            world.number("SELECT COUNT(*) FROM account").await
        );
        let document = world.sync(0, &["xm", "--limit", "7"]).await;
        // What was taken is not how many there are.
        assert_eq!(run(&document, "xm")["limit"], 7);
        let traders = stage(&document, "xm", "traders");
        assert_eq!((&traders["source"]["count"], &traders["unexplained"]), (&json!(null), &json!(null)));
        assert_eq!(
            ("limited", world.run(&["runs"]).await.out.contains("succeeded (first 7)")),
            ("limited", true)
        );
        assert_eq!(
            world
                .number(
                    "SELECT COUNT(*) FROM account a JOIN stream s ON s.id = a.stream_id WHERE s.system = 'xm'"
                )
                .await,
            7
        );

        let document = world.sync(0, &["ham", "xm"]).await;
        assert_eq!(
            counts(&document, "ham", "clients"),
            json!({ "read": 664, "created": 614, "unchanged": 50 })
        );
        world.sync(0, &["ham", "--limit", "10"]).await;
        assert_eq!((gone(world, "account").await, gone(world, "party").await), (0, 0));
        mirror_is_source(world, "after a limited read", "ham").await;
        let document = world.sync(0, &["ham", "--full"]).await;
        assert_eq!(run(&document, "ham")["mode"], "full");
        assert_eq!(counts(&document, "ham", "accounts"), json!({ "read": 1363, "unchanged": 1363 }));
    })
    .await;
}
