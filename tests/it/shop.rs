//! A loyalty programme out of 1C: what is read, whose it is, and that it equals the source to the
//! kopeck, whatever the base refuses.

use concord::simulate::{self, Options};
use concord::store::Value as Arg;
use jiff::ToSpan as _;
use serde_json::{Value, json};

use crate::pull::{counts, stage};
use crate::support::{World, on_both_with};

mod api;
mod insights;
mod lists;
mod survival;
mod time;
mod traps;
mod verify;

/// A shop of so many customers.
fn of(customers: u32) -> Options {
    Options { shop_customers: customers, shop_wake: std::time::Duration::ZERO, ..Options::default() }
}

/// Sets the world up with nothing but the shop; `more` are lines of its section.
fn configure(world: &World, more: &str) {
    let shop = simulate::shop_config(&world.sim.url());
    let shop = shop.replace("every = \"1h\"\n", &format!("rate = 10000\n{more}\n"));
    world.configure(|text| text.split("[owners]").next().unwrap().to_owned() + &shop);
}

/// The lines of a live verification by phone: what, source, mirror, difference, equal.
fn figures(document: &Value, customer: usize) -> Vec<(String, Value, Value, Value, bool)> {
    let lines = document["items"][customer]["lines"].as_array().unwrap().iter();
    let line = |l: &Value| {
        let [source, mirror, difference] = ["source", "mirror", "difference"].map(|name| l[name].clone());
        (l["what"].as_str().unwrap().to_owned(), source, mirror, difference, l["equal"] == true)
    };
    lines.map(line).collect()
}

fn money(text: &str) -> i64 {
    i64::try_from(concord::model::amount::parse_sum(text, 2).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_customer_is_as_on_the_screen_of_1c() {
    on_both_with(&of(60), async |world| {
        configure(world, "");
        world.sync(0, &["shop"]).await;
        let phone = world.sim.shop().reference_phone();
        let seen = world.json(0, &["verify", "--phone", phone]).await;
        let expected = [
            ("opening_balance", json!("232360.00"), json!("0.00")),
            ("purchases", json!("132694.00"), json!("0.00")),
            ("total", json!("365054.00"), json!("0.00")),
            ("points", json!("4806.00"), json!("0.00")),
            ("city", json!("Симферополь"), Value::Null),
        ];
        let expected = expected.map(|(what, v, d)| (what.to_owned(), v.clone(), v, d, true));
        assert_eq!(figures(&seen, 0), expected);

        // Somebody loses the opening balances: their money is missing, and the cause is named.
        let theirs = "DELETE FROM entry WHERE kind = 'opening_balance' AND customer_id = (SELECT customer_id FROM card WHERE phone = $1)";
        let lost = world.execute(theirs, [Arg::from(format!("+{phone}"))]).await;
        let seen = world.json(3, &["verify", "--phone", phone]).await;
        let opening = &seen["items"][0]["lines"][0];
        assert_eq!((&opening["mirror"], &opening["difference"]), (&Value::Null, &json!("-232360.00")));
        let cause = json!([{ "rule": "not_in_mirror", "count": lost, "amount": "232360.00" }]);
        assert_eq!(opening["causes"], cause);
        let told = world.run(&["verify", "--phone", phone]).await;
        assert!(told.out.contains("rows that the source has and the mirror has not"), "{}", told.out);
        // The next read brings them back.
        world.sync(0, &["shop"]).await;
        world.json(0, &["verify", "--phone", "8 (700) 000-00-01"]).await;
        assert_eq!(world.run(&["verify", "--phone", "+7 700 099 99 99"]).await.code, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn control_sums_equal_the_source_to_the_kopeck() {
    on_both_with(&of(300), async |world| {
        configure(world, "");
        let document = world.sync(0, &["shop"]).await;
        let truth = world.sim.shop().sums(Some(365));
        let sum_of = async |condition: &str| {
            world
                .number(&format!("SELECT CAST(SUM(amount) AS BIGINT) FROM entry WHERE gone_run IS NULL AND {condition}"))
                .await
        };
        assert_eq!(sum_of("kind = 'opening_balance'").await, money(&truth.opening_balances.sum.to_string()));
        assert_eq!(sum_of("kind IN ('purchase', 'return')").await, money(&truth.purchases.sum.to_string()));
        assert_eq!(sum_of("kind = 'return'").await, money(&truth.returns.sum.to_string()));
        let left_out = |stream: &str, rule: &str| {
            let reasons = stage(&document, "shop", stream)["reasons"].as_array().unwrap().clone();
            let sum = reasons.iter().find(|reason| reason["rule"] == rule).map(|r| r["sums"]["amount"].clone());
            sum.map_or(0, |sum| money(sum.as_str().unwrap()))
        };
        let streams = ["opening_balances", "purchases"];
        let sum = |rule: &str| streams.iter().map(|stream| left_out(stream, rule)).sum::<i64>();
        assert_eq!(sum("no_card"), money(&truth.no_card.sum.to_string()));
        assert_eq!(sum("inactive"), money(&truth.inactive.sum.to_string()));
        // Points of every card, under both rules.
        let now = world.sim.shop().now();
        for (word, rule) in [
            ("movements", simulate::PointsRule::Movements),
            ("last_record", simulate::PointsRule::LastRecord),
        ] {
            configure(world, &format!("points_rule = \"{word}\""));
            let document = world.sync(0, &["shop"]).await;
            assert_eq!(counts(&document, "shop", "points").get("updated"), None, "replayed from the store");
            let alone = "SELECT d.key || ' ' || COALESCE(CAST(c.points AS TEXT), '') FROM card d JOIN customer c ON c.id = d.customer_id WHERE c.accounts = 1 AND d.gone_run IS NULL";
            let stored = world.texts(alone).await;
            assert!(stored.len() > 200, "{}", stored.len());
            for line in stored {
                let (card, points) = line.split_once(' ').unwrap();
                let there = world.sim.shop().points(card, rule, now).map(|points| money(&points.to_string()));
                assert_eq!(points.parse::<i64>().ok(), there, "{word} of {card}");
            }
        }
        let verified = world.json(0, &["verify", "shop"]).await;
        assert_eq!(verified["agree"], true);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cities_are_found_by_the_ordered_rules() {
    on_both_with(&of(120), async |world| {
        configure(world, "");
        world.sync(0, &["shop"]).await;
        let stored = world
            .texts("SELECT key || '|' || COALESCE(city, '') || '|' || COALESCE(city_rule, '') FROM person WHERE gone_run IS NULL")
            .await;
        let mut rules = std::collections::BTreeSet::new();
        for line in stored {
            let mut parts = line.split('|');
            let mut next = || parts.next().unwrap_or_default().to_owned();
            let (key, city, rule) = (next(), next(), next());
            let there = world.sim.shop().city(&key).map(|city| (city.name.to_string(), city.rule.to_string()));
            assert_eq!((city, rule.clone()), there.unwrap_or_default(), "{key}");
            rules.insert(rule);
        }
        assert_eq!(rules.len(), 6, "every rule, and none: {rules:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_belong_to_their_owner_else_to_whoever_has_their_phone() {
    on_both_with(&of(60), async |world| {
        configure(world, "");
        world.sync(0, &["shop"]).await;
        let shop = world.sim.shop();
        let customer = async |role: &str| {
            let card = shop.card(role);
            world.number(&format!("SELECT customer_id FROM card WHERE key = '{card}'")).await
        };
        assert_ne!(customer("shared_phone_a").await, customer("shared_phone_b").await);
        assert_eq!(customer("two_of_one_a").await, customer("two_of_one_b").await);
        for (role, with_others) in [("phone_of_one", true), ("phone_of_two", false), ("phone_of_nobody", false)] {
            let of = customer(role).await;
            let persons = world.number(&format!("SELECT COUNT(*) FROM person WHERE customer_id = {of}")).await;
            assert_eq!(persons, i64::from(with_others), "{role}");
            let strangers = "SELECT COUNT(*) FROM entry e JOIN card d ON d.key = e.card_key WHERE e.customer_id <> d.customer_id";
            assert_eq!(world.number(strangers).await, 0, "movements go with their card");
        }
        // Both customers who share a phone are shown.
        let phone = world.texts(&format!("SELECT phone FROM card WHERE key = '{}'", shop.card("shared_phone_a"))).await;
        let seen = world.json(0, &["verify", "--phone", &phone[0]]).await;
        assert_eq!(seen["items"].as_array().unwrap().len(), 2);
        // A card gets an owner: its money moves with it.
        let card = shop.card("phone_of_nobody");
        let to = world.texts(&format!("SELECT client_key FROM card WHERE key = '{}'", shop.card("two_of_one_a"))).await;
        assert!(shop.set("cards", &card, "ВладелецКарты_Key", &format!("\"{}\"", to[0])));
        world.sync(0, &["shop"]).await;
        assert_eq!(customer("phone_of_nobody").await, customer("two_of_one_a").await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_or_asked_twice_for_what_did_not_change() {
    on_both_with(&of(300), async |world| {
        configure(world, "");
        world.sync(0, &["shop"]).await;
        let before = world.dump().await;
        world.sim.clear_ledger();
        let document = world.sync(0, &["shop"]).await;
        for list in ["cards", "customers", "opening_balances", "purchases", "products", "points"] {
            let counts = counts(&document, "shop", list);
            assert_eq!(
                counts["read"].as_i64().unwrap(),
                ["unchanged", "excluded"].iter().filter_map(|d| counts[d].as_i64()).sum::<i64>(),
                "{list}: {counts}"
            );
        }
        crate::support::dump::same("after a second read", &before, &world.dump().await);
        let asked = world.sim.ledger("shop");
        assert!(asked.len() < 40, "no request per customer: {}", asked.len());
        assert!(world.sim.most_at_once("shop") <= 2);
        let whole = asked.iter().filter(|entry| {
            entry.address().contains("Контрагенты")
                && !entry.address().contains("$select")
                && !entry.address().contains("$count")
        });
        assert_eq!(whole.count(), 0, "customers whose version is known are not read again");

        // One per cent changes, and only that is fetched.
        let changed = world.sim.change("shop", "customers", 1.0);
        world.sim.clear_ledger();
        let document = world.sync(0, &["shop"]).await;
        assert_eq!(counts(&document, "shop", "customers")["updated"], changed);
        let rows: u64 = world
            .sim
            .ledger("shop")
            .iter()
            .filter(|entry| entry.address().contains("Контрагенты") && entry.address().contains("Ref_Key eq"))
            .map(|entry| entry.rows)
            .sum();
        assert_eq!(rows, changed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_in_the_window_arrives_and_what_is_older_stays() {
    on_both_with(&of(60), async |world| {
        configure(world, "");
        world.sync(0, &["shop"]).await;
        let shop = world.sim.shop();
        let (card, now) = (shop.card("reference"), shop.now());
        let spent = format!(
            "SELECT c.spent FROM customer c JOIN card d ON d.customer_id = c.id WHERE d.key = '{card}'"
        );
        assert_eq!(world.number(&spent).await, 36_505_400);
        // Back-dated by two months, of a type never seen, and one that is taken back.
        let back_dated = shop.add_sale(&card, now.saturating_sub(60.days()), "1000.50");
        shop.new_recorder_type("Document_НовыйВид", &card, now.saturating_sub(1.days()), "10");
        let taken_back = shop.add_sale(&card, now.saturating_sub(2.days()), "77");
        let document = world.sync(3, &["shop"]).await;
        assert_eq!(counts(&document, "shop", "purchases")["created"], 3);
        // Somebody must say what the new type is.
        world.json(0, &["cases", "decide", "1", "--choose", "counts"]).await;
        assert_eq!(world.number(&spent).await, 36_505_400 + 100_050 + 1_000 + 7_700);
        assert_eq!(shop.unpost(&taken_back), 1);
        let document = world.sync(0, &["shop"]).await;
        assert_eq!(stage(&document, "shop", "purchases")["gone"], 1);
        assert_eq!(world.number(&spent).await, 36_505_400 + 100_050 + 1_000);
        // A shorter window says nothing of what lies before it.
        let document = world.sync(0, &["shop", "--days", "30"]).await;
        assert_eq!(stage(&document, "shop", "purchases")["gone"], 0);
        assert_eq!(world.number(&spent).await, 36_505_400 + 100_050 + 1_000);
        // Switched off, it does not count any more.
        assert_eq!(shop.set_active(&back_dated, false), 1);
        world.sync(0, &["shop"]).await;
        assert_eq!(world.number(&spent).await, 36_505_400 + 1_000);
        world.json(0, &["verify", "--phone", shop.reference_phone()]).await;
    })
    .await;
}
