//! Rows that cannot be stored, rows in unusual clothes, lists that changed their form, and names that
//! two clients answer to.

use serde_json::json;

use super::{counts, run, stage};
use crate::faults::mirror_is_source;
use crate::support::{World, checks, on_both};

/// The row with the value of a field replaced by a JSON token.
fn with(row: &str, field: &str, token: &str) -> String {
    let start = row.find(&format!("\"{field}\":")).unwrap() + field.len() + 3;
    let rest = &row[start..];
    let length = match rest.strip_prefix('"') {
        Some(text) => text.find('"').unwrap() + 2,
        None => rest.find([',', '}']).unwrap(),
    };
    format!("{}{token}{}", &row[..start], &rest[length..])
}

fn edit(world: &World, stream: &str, edits: &[(usize, &str, &str)]) -> Vec<String> {
    let before = world.sim.raw_rows("ham", stream);
    let mut rows = before.clone();
    for (at, field, token) in edits {
        rows[*at] = with(&rows[*at], field, token);
    }
    world.sim.replace_raw_rows("ham", stream, rows);
    before
}

fn rules(stage: &serde_json::Value) -> Vec<(String, u64)> {
    let reasons = stage["reasons"].as_array().unwrap().iter();
    reasons.map(|r| (r["rule"].as_str().unwrap().to_owned(), r["count"].as_u64().unwrap())).collect()
}

async fn raw_of(world: &World, key: &str) -> Vec<String> {
    world.texts(&format!("SELECT raw FROM account WHERE key = '{key}' AND gone_run IS NULL")).await
}

fn id_of(row: &str) -> String {
    serde_json::from_str::<serde_json::Value>(row).unwrap()["id"].to_string()
}

fn account_of(row: &str) -> String {
    serde_json::from_str::<serde_json::Value>(row).unwrap()["client_account"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_rows_are_counted_with_reasons_and_the_rest_goes_on() {
    on_both(async |world| {
        world.sync(0, &["ham"]).await;
        let good = edit(
            world,
            "accounts",
            &[
                (1, "client_account", "null"),
                (2, "reward_usd", "\"1e400\""),
                (3, "reward_usd", "\"12345678901234567890123456789.00\""),
                (4, "volume_lots", "\"NaN\""),
                (5, "reg_date", "\"2025-02-30\""),
                (6, "reward_usd", "\"۱۲٫۴۰\""),
                (7, "client_account", "140009999"),
                (8, "reward_usd", "\"null\""),
                (9, "volume_lots", "0.123456789"),
                (10, "volume_lots", "1e400"),
                (11, "volume_lots", "\"3.25\""),
            ],
        );
        let document = world.sync(3, &["ham"]).await;
        let accounts = stage(&document, "ham", "accounts");
        assert_eq!(
            counts(&document, "ham", "accounts"),
            json!({ "read": 1363, "rejected": 7, "updated": 4, "unchanged": 1352 })
        );
        let expected = [("amount_not_exact", 2), ("amount_too_large", 3), ("bad_date", 1), ("no_key", 1)];
        assert_eq!(rules(accounts), expected.map(|(rule, count)| (rule.to_owned(), count)));
        assert_eq!((&accounts["gone"], &accounts["stored"]["count"]), (&json!(0), &json!(1363)));
        // A row that was rejected explains why the sums differ: reading again would not help.
        assert_eq!((&accounts["passes"], &accounts["status"]), (&json!(1), &json!("succeeded")));
        for at in [1, 2, 3, 4, 5, 9, 10] {
            assert_eq!(
                raw_of(world, &id_of(&good[at])).await,
                [good[at].clone()],
                "row {at} keeps its last good values"
            );
        }
        let reward = |at: usize| format!("SELECT reward_usd FROM account WHERE key = '{}'", id_of(&good[at]));
        assert_eq!(world.number(&reward(6)).await, 1240);
        let unknown =
            format!("SELECT COUNT(*) FROM account WHERE key = '{}' AND reward_usd IS NULL", id_of(&good[8]));
        assert_eq!(world.number(&unknown).await, 1);
        let number = format!("SELECT number FROM account WHERE key = '{}'", id_of(&good[7]));
        assert_eq!(world.texts(&number).await, ["140009999"]);
        assert_eq!(world.number("SELECT COUNT(*) FROM oddity").await, 7);
        checks::all(world).await;

        world.sim.replace_raw_rows("ham", "accounts", good);
        world.sync(0, &["ham"]).await;
        mirror_is_source(world, "the rows are good again", "ham").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_money_of_a_rejected_row_is_counted_beside_the_rest() {
    on_both(async |world| {
        world.configure_systems("page_size = 500");
        world.sync(0, &["ham"]).await;
        let bad_date = (1, "reg_date", "\"2025-02-30\"");
        let good = edit(world, "accounts", &[bad_date]);
        let document = world.sync(3, &["ham"]).await;
        let accounts = stage(&document, "ham", "accounts");
        assert_eq!((&accounts["passes"], &accounts["status"]), (&json!(1), &json!("succeeded")));
        // The source adds its money up, so it has to be seen beside ours.
        let reward = serde_json::from_str::<serde_json::Value>(&good[1]).unwrap()["reward_usd"].to_string();
        let reward: rust_decimal::Decimal = reward.trim_matches('"').parse().unwrap();
        let left_out = accounts["reasons"][0]["sums"]["reward_usd"].as_str().unwrap();
        assert_eq!(left_out.parse::<rust_decimal::Decimal>().unwrap(), reward);
        world.sim.replace_raw_rows("ham", "accounts", good);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_without_its_key_does_not_make_its_record_gone() {
    on_both(async |world| {
        world.sync(0, &["ham"]).await;
        let good = world.sim.raw_rows("ham", "accounts");
        let mut rows = good.clone();
        rows[0] = rows[0].replace("\"id\":", "\"number\":");
        rows[9] = "[1,2]".to_owned();
        world.sim.replace_raw_rows("ham", "accounts", rows);
        let document = world.sync(3, &["ham"]).await;
        let accounts = stage(&document, "ham", "accounts");
        assert_eq!(rules(accounts), [("no_key".to_owned(), 1), ("not_an_object".to_owned(), 1)]);
        assert_eq!((&accounts["gone"], &accounts["absent"]), (&json!(0), &json!(2)));
        assert_eq!(raw_of(world, &id_of(&good[0])).await, [good[0].clone()]);
        assert_eq!(accounts["stored"]["count"], 1363);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_form_is_not_stored() {
    on_both(async |world| {
        world.sync(0, &["ham"]).await;
        let before = world.dump().await;
        let good = world.sim.raw_rows("ham", "accounts");

        // Eighty bad rows, most of them on the page of the first thousand.
        let bad = good
            .iter()
            .enumerate()
            .map(|(at, row)| if at < 80 { with(row, "reg_date", "\"soon\"") } else { row.clone() });
        world.sim.replace_raw_rows("ham", "accounts", bad.collect());
        let document = world.sync(1, &["ham"]).await;
        let told = run(&document, "ham")["error"].as_str().unwrap();
        assert!(told.contains("accounts") && told.contains("bad_date"), "{told}");
        assert_eq!(counts(&document, "ham", "accounts"), json!({}));
        crate::support::dump::same("after a page that was refused", &before, &world.dump().await);

        // A money field with another name in every row.
        let renamed = good.iter().map(|row| row.replace("\"reward_usd\":", "\"reward_total\":"));
        world.sim.replace_raw_rows("ham", "accounts", renamed.collect());
        let document = world.sync(1, &["ham"]).await;
        let failed = run(&document, "ham");
        let told = failed["error"].as_str().unwrap();
        assert!(told.contains("reward_usd"), "{told}");
        crate::support::dump::same("after a field was renamed", &before, &world.dump().await);

        // The source is as it was: the run goes on where it stopped.
        world.sim.replace_raw_rows("ham", "accounts", good);
        let id = failed["id"].to_string();
        assert_eq!(world.run(&["runs", "resume", &id]).await.code, 0);
        let document = world.sync(0, &["ham"]).await;
        assert_eq!(run(&document, "ham")["id"].to_string(), id);
        assert_eq!(counts(&document, "ham", "accounts"), json!({ "read": 1363, "unchanged": 1363 }));
        assert_eq!(stage(&document, "ham", "accounts")["status"], "succeeded");
        assert!(
            run(&document, "ham")["stages"].as_array().unwrap().iter().all(|stage| stage["error"].is_null())
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_cannot_be_resumed_stays_as_it_was() {
    on_both(async |world| {
        let good = world.sim.raw_rows("ham", "clients");
        let bad = good.iter().map(|row| with(row, "reg_date", "\"soon\"")).collect();
        world.sim.replace_raw_rows("ham", "clients", bad);
        let failed = world.sync(1, &["ham"]).await;
        let id = run(&failed, "ham")["id"].to_string();
        world.sim.replace_raw_rows("ham", "clients", good);
        world.sync(0, &["ham"]).await;
        assert_eq!(world.run(&["runs", "resume", &id]).await.code, 2);
        let shown = world.json(0, &["runs", "show", &id]).await;
        assert_eq!(shown["stages"], run(&failed, "ham")["stages"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_two_clients_answer_to_is_never_guessed() {
    on_both(async |world| {
        let clients = world.sim.rows("ham", "clients");
        let uid = |at: usize| clients[at]["client_uid"].as_str().unwrap().to_owned();
        let (first, second) = (uid(0), uid(1));
        let shared = first[..8].to_owned();
        let twin = format!("{shared}{}", &second[8..]);
        edit(world, "clients", &[(1, "client_uid", &format!("\"{twin}\""))]);
        let accounts_of = |key: &str| {
            format!("SELECT accounts FROM customer WHERE system = 'ham' AND hidden = 0 AND key = '{key}'")
        };
        world.sync(3, &["ham"]).await;
        let cases = world.json(0, &["cases"]).await;
        let case = &cases["items"][0];
        assert_eq!((&case["kind"], &case["subject"]), (&json!("uid_collision"), &json!(shared)));
        assert!(case["choices"].as_array().unwrap().contains(&json!(first)));
        assert!(case["choices"].as_array().unwrap().contains(&json!(twin)));
        for key in [&first, &twin] {
            assert_eq!(world.number(&accounts_of(key)).await, 0, "{key}");
        }
        let contested = world.number(&accounts_of(&shared)).await;
        assert!(contested > 0, "the accounts are with neither");
        // The accounts of the client whose row is another one now have a customer all the same.
        let orphan = format!(
            "SELECT COUNT(*) FROM customer WHERE hidden = 0 AND key = '{}' AND accounts > 0",
            &second[..8]
        );
        assert_eq!(world.number(&orphan).await, 1);
        world.sync(3, &["ham"]).await;

        world.json(0, &["cases", "decide", &case["id"].to_string(), "--choose", &twin]).await;
        assert_eq!(world.number(&accounts_of(&twin)).await, contested);
        assert_eq!(world.number(&accounts_of(&first)).await, 0);
        assert_eq!(world.texts(&accounts_of(&shared).replace("accounts", "key")).await, Vec::<String>::new());
        checks::all(world).await;

        // Everything changes, and one more account comes: the decision still holds.
        world.sim.change("ham", "clients", 100.0);
        world.sim.change("ham", "accounts", 100.0);
        let mut accounts = world.sim.raw_rows("ham", "accounts");
        let one = accounts.iter().find(|row| row.contains(&format!("\"{shared}\""))).unwrap().clone();
        accounts.push(with(&with(&one, "id", "999000111"), "client_account", "\"149999999\""));
        world.sim.replace_raw_rows("ham", "accounts", accounts);
        world.sync(0, &["ham"]).await;
        assert_eq!(world.number(&accounts_of(&twin)).await, contested + 1);
        assert_eq!(world.json(0, &["cases"]).await["total"], 0);
        mirror_is_source(world, "after the decision", "ham").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_without_a_client_and_clients_without_accounts_are_customers() {
    on_both(async |world| {
        let mut clients = world.sim.raw_rows("ham", "clients");
        let without_row = clients.remove(5);
        // Two that have none: one whose record says zero, and one whose accounts did not come.
        for (uid, reward) in [("ffffffff", "0"), ("eeeeeeee", "\"12.40\"")] {
            let lonely = with(&clients[0], "client_uid", &format!("\"{uid}-0000-4000-8000-000000000001\""));
            clients.push(with(&with(&lonely, "rebate_amount_usd", "0"), "reward_usd", reward));
        }
        world.sim.replace_raw_rows("ham", "clients", clients);
        world.sync(0, &["ham"]).await;
        let uid: serde_json::Value = serde_json::from_str(&without_row).unwrap();
        let key = &uid["client_uid"].as_str().unwrap()[..8];
        let orphan = format!(
            "SELECT accounts FROM customer WHERE hidden = 0 AND gone = 0 AND key = '{key}' AND status IS NULL"
        );
        assert!(world.number(&orphan).await > 0, "accounts without a client");
        let lonely =
            "SELECT COUNT(*) FROM customer WHERE hidden = 0 AND accounts = 0 AND status IS NOT NULL AND";
        for reward in ["key = 'ffffffff' AND reward_usd = 0", "key = 'eeeeeeee' AND reward_usd IS NULL"] {
            assert_eq!(world.number(&format!("{lonely} {reward}")).await, 1, "{reward}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_comes_on_several_pages_is_written_once() {
    on_both(async |world| {
        world.configure_systems("page_size = 500");
        world.sync(0, &["ham"]).await;
        let mut rows = world.sim.raw_rows("ham", "accounts");
        // The list is in the order of account numbers: each comes on the first page, where it counts, and on
        // later ones.
        rows.sort_by_key(|row| account_of(row));
        let (known, moved) = (rows[700].clone(), rows[900].clone());
        rows.push(with(&known, "client_account", "\"1\""));
        rows.push(with(&known, "client_account", "\"999999991\""));
        let new = with(&known, "id", "99900001");
        rows.push(with(&new, "client_account", "\"10\""));
        rows.push(with(&new, "client_account", "\"999999992\""));
        rows[900] = with(&moved, "client_account", "\"11\"");
        rows.push(with(&moved, "client_account", "\"999999993\""));
        world.sim.replace_raw_rows("ham", "accounts", rows);
        let document = world.sync(0, &["ham"]).await;
        assert_eq!(
            counts(&document, "ham", "accounts"),
            json!({ "read": 1368, "created": 1, "updated": 2, "unchanged": 1361, "duplicate": 4 })
        );
        assert_eq!(
            rules(stage(&document, "ham", "accounts")),
            [("other_page_changed".to_owned(), 4)],
            "{document:#}"
        );
        for (key, account) in [(id_of(&known), "1"), ("99900001".to_owned(), "10"), (id_of(&moved), "11")] {
            let stored: Vec<String> = raw_of(world, &key).await.iter().map(|raw| account_of(raw)).collect();
            assert_eq!(stored, [account], "{key}");
        }
        checks::all(world).await;
    })
    .await;
}
