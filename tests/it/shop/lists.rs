//! A shop's customers as a list: filtered by city, in every order, page by page, summed, exported.

use std::collections::{BTreeMap, BTreeSet};

use concord::simulate::PointsRule;
use concord::store::listing::Sort;
use serde_json::{Value, json};

use super::{configure, money, of};
use crate::api::lists::{all, value};
use crate::api::server::{Server, escaped};
use crate::support::{World, on_both_with};

/// What only shops have, in an order for each.
const ORDERS: [Sort; 5] = [Sort::City, Sort::Points, Sort::Spent, Sort::Purchases, Sort::LastPurchase];

async fn filled(world: &World) -> Server {
    configure(world, "");
    world.sync(0, &["shop"]).await;
    Server::start(world).await
}

/// The city where most customers live.
async fn largest_city(world: &World) -> String {
    let sql = "SELECT city FROM customer WHERE hidden = 0 AND city IS NOT NULL GROUP BY city HAVING COUNT(*) > 9 ORDER BY COUNT(*) DESC, city LIMIT 1";
    world.texts(sql).await.remove(0)
}

/// The sum of a value over rows, of those that know it.
fn sum(rows: &[Value], field: &str) -> i64 {
    rows.iter().filter_map(|row| Some(money(row[field].as_str()?))).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_of_a_shop_shows_every_customer_once() {
    on_both_with(&of(300), async |world| {
        let server = filled(world).await;
        let city = format!("&city={}", escaped(&largest_city(world).await));
        for query in ["", city.as_str(), "&search=7700"] {
            let mut expected = None;
            for sort in ORDERS {
                let mut ways = Vec::new();
                for sign in ["", "-"] {
                    // Pages that end within equal and within unknown values.
                    let rows =
                        all(&server, &format!("view=shop&limit=37&sort={sign}{}{query}", sort.word())).await;
                    let ids: Vec<i64> = rows.iter().map(|row| row["id"].as_i64().unwrap()).collect();
                    let different: BTreeSet<i64> = ids.iter().copied().collect();
                    assert_eq!(different.len(), ids.len(), "{sign}{} {query}", sort.word());
                    assert_eq!(*expected.get_or_insert_with(|| different.clone()), different, "{query}");
                    let known = rows.iter().take_while(|row| value(row, sort).is_some()).count();
                    assert!(rows[known..].iter().all(|row| value(row, sort).is_none()), "unknown comes last");
                    let values: Vec<_> = rows[..known].iter().map(|row| value(row, sort).unwrap()).collect();
                    let ordered = values
                        .windows(2)
                        .all(|two| if sign == "-" { two[0] >= two[1] } else { two[0] <= two[1] });
                    assert!(ordered && !values.is_empty(), "{sign}{} {query}", sort.word());
                    ways.push(ids[..known].to_vec());
                }
                ways[1].reverse();
                assert_eq!(ways[0], ways[1], "{} {query}", sort.word());
            }
        }
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_of_a_city_are_those_whom_the_source_has_there() {
    on_both_with(&of(300), async |world| {
        let server = filled(world).await;
        let shop = world.sim.shop();
        // Where each person lives, by the simulator's own reckoning, of those who are shown.
        let shown = "SELECT p.key FROM person p JOIN customer c ON c.id = p.customer_id WHERE c.hidden = 0 AND p.gone_run IS NULL";
        let mut cities: BTreeMap<String, i64> = BTreeMap::new();
        for person in world.texts(shown).await {
            if let Some(city) = shop.city(&person) {
                *cities.entry(city.name.to_string()).or_default() += 1;
            }
        }
        assert!(cities.len() > 3, "{cities:?}");
        for (city, count) in &cities {
            let sums = server.get(&format!("/api/v1/customers/sums?view=shop&city={}", escaped(city))).await;
            assert_eq!(sums["clients"], *count, "{city}");
            let page = server.get(&format!("/api/v1/customers?view=shop&limit=1&city={}", escaped(&city.to_uppercase()))).await;
            assert_eq!((&page["total"], &page["items"][0]["city"]), (&json!(count), &json!(city)));
        }
        let nowhere = server.get("/api/v1/customers?city=Nowhere").await;
        assert_eq!((&nowhere["total"], &nowhere["items"]), (&json!(0), &json!([])));
        let listed = world.json(0, &["customers", "--city", cities.keys().next().unwrap(), "--sort", "-spent"]).await;
        assert_eq!(listed["total"], *cities.values().next().unwrap());
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_of_a_shop_are_those_of_the_source() {
    on_both_with(&of(300), async |world| {
        let server = filled(world).await;
        let truth = world.sim.shop().sums(Some(365));
        let whole = server.get("/api/v1/customers/sums?view=shop").await;
        let decimal = |of: &str| money(whole["sums"][of].as_str().unwrap());
        assert_eq!(decimal("opening"), money(&truth.opening_balances.sum.to_string()));
        assert_eq!(decimal("purchased"), money(&truth.purchases.sum.to_string()));
        assert_eq!(decimal("spent"), decimal("opening") + decimal("purchased"));
        assert_eq!(whole["purchases"], truth.purchases.count - truth.returns.count);
        assert_eq!(whole["currency"], "RUB");
        // Points are those of all cards of a customer, and never below nothing.
        let by_card = world.sim.shop().points_by_card(PointsRule::VirtualBalance, world.sim.shop().now());
        let mut balances: BTreeMap<String, i64> = BTreeMap::new();
        for line in world.texts("SELECT CAST(customer_id AS TEXT) || ' ' || key FROM card").await {
            let (customer, card) = line.split_once(' ').unwrap();
            let points = by_card.get(card).map_or(0, |points| money(&points.to_string()));
            *balances.entry(customer.to_owned()).or_default() += points;
        }
        assert_eq!(decimal("points"), balances.into_values().map(|points| points.max(0)).sum::<i64>());
        let city = escaped(&largest_city(world).await.to_lowercase());
        for query in
            ["", &format!("city={city}"), "search=7700", &format!("city={city}&search=7700"), "gone=true"]
        {
            let rows = all(&server, &format!("view=shop&limit=500&{query}")).await;
            let sums = server.get(&format!("/api/v1/customers/sums?view=shop&{query}")).await;
            assert_eq!(sums["total"], rows.len(), "{query}");
            for name in ["spent", "points"] {
                assert_eq!(sums["sums"][name].as_str().map_or(0, money), sum(&rows, name), "{query}: {name}");
            }
            let lines: i64 = rows.iter().filter_map(|row| row["purchases"].as_i64()).sum();
            assert_eq!(sums["purchases"].as_i64().unwrap_or(0), lines, "{query}");
            assert_eq!(sums["purchases"].is_null(), rows.is_empty(), "{query}: unknown is not zero");
        }
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_the_file_follow_filter_and_order() {
    on_both_with(&of(120), async |world| {
        let server = filled(world).await;
        let largest = largest_city(world).await;
        let city = escaped(&largest);
        let path = format!("/customers?city={city}&sort=-points&sums=now");
        let answer = server.call("viewer", "GET", &path, None).await;
        assert_eq!(answer.status, 200);
        let page = String::from_utf8(answer.body).unwrap();
        assert!(page.contains(&format!("<option selected>{largest}</option>")), "{page}");
        assert!(page.contains("aria-sort=\"descending\"") && !page.contains("name=\"country\""), "{page}");
        let query = format!("view=shop&city={city}&sort=-points");
        let rows = all(&server, &format!("limit=500&{query}")).await;
        let sums = server.get(&format!("/api/v1/customers/sums?{query}")).await;
        let foot = page.split("<tfoot id=\"sums\"").nth(1).unwrap();
        for name in ["opening", "purchased", "spent", "points"] {
            let plain = foot.replace([',', '\u{2068}', '\u{2069}'], "").replace('−', "-");
            assert!(plain.contains(sums["sums"][name].as_str().unwrap()), "{name}: {foot}");
        }
        let places: Vec<_> = rows
            .iter()
            .take(10)
            .map(|row| page.find(&format!("href=\"/customers/{}\"", row["id"])))
            .collect();
        assert!(places.is_sorted() && places.iter().all(Option::is_some), "{places:?}");
        let at = page.find("/api/v1/customers/export?format=csv").unwrap();
        let href = page[at..].split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
        assert!(href.contains("city=") && href.contains("sort=-points"), "{href}");
        let file = server.call("viewer", "GET", &href, None).await;
        let mut reader = csv::Reader::from_reader(&file.body[3..]);
        let written: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(written.len(), rows.len());
        for (cells, row) in written.iter().zip(&rows) {
            for (at, field) in [(0, "name"), (2, "city"), (3, "points"), (5, "spent"), (6, "last_purchase")] {
                let text = row[field].as_str().unwrap_or_default();
                // What begins like a formula stands behind an apostrophe.
                assert!(cells[at] == *text || cells[at] == format!("'{text}"), "{field}: {cells:?} {text}");
            }
        }
        let entries = server.get("/api/v1/audit?action=export").await;
        let noted = entries["items"][0]["after"].as_str().unwrap();
        assert!(noted.contains(&largest) && noted.contains("\"shop\""), "{noted}");
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_beside_brokers_keeps_to_its_own_orders() {
    on_both_with(&of(60), async |world| {
        let shop =
            concord::simulate::shop_config(&world.sim.url()).replace("every = \"1h\"\n", "rate = 10000\n");
        world.configure(|text| text + &shop);
        world.sync(0, &[]).await;
        let server = Server::start(world).await;
        let shoppers =
            world.number("SELECT COUNT(*) FROM customer WHERE hidden = 0 AND system = 'shop'").await;
        for sort in ["-spent", "city", "-last_purchase", "-reward"] {
            let rows = all(&server, &format!("limit=487&sort={sort}")).await;
            assert_eq!(rows.len() as i64, 2139 + shoppers, "{sort}");
            let first = rows[0]["systems"][0].as_str().unwrap();
            assert_eq!(first == "shop", sort != "-reward", "{sort}: {first}");
            // A text that many of both hold, walked in the same order.
            let found = all(&server, &format!("limit=301&sort={sort}&search=a")).await;
            let ids: BTreeSet<i64> = found.iter().map(|row| row["id"].as_i64().unwrap()).collect();
            assert_eq!(ids.len(), found.len());
            let order = |rows: &[Value]| -> Vec<i64> {
                rows.iter().map(|row| row["id"].as_i64().unwrap()).filter(|id| ids.contains(id)).collect()
            };
            assert_eq!(order(&rows), order(&found), "{sort}");
        }
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_before_gets_its_sums_by_city() {
    on_both_with(&of(60), async |world| {
        configure(world, "");
        world.sync(0, &["shop"]).await;
        let before = world.dump().await;
        // As if this step and those after it had not been taken: what it makes anew is made of what is stored.
        world.execute("DELETE FROM migration WHERE name >= '0003'", []).await;
        for table in [
            "contact",
            "document",
            "flow_state",
            "link",
            "delivery",
            "hint",
            "event",
            "plan",
            "plan_change",
            "alert",
            "overridden",
        ] {
            world.execute(&format!("DROP TABLE {table}"), []).await;
        }
        for index in ["audit_subject", "customer_number"] {
            world.execute(&format!("DROP INDEX {index}"), []).await;
        }
        for column in ["kind", "number", "national_id"] {
            world.execute(&format!("ALTER TABLE customer DROP COLUMN {column}"), []).await;
        }
        world.execute("DELETE FROM customer_summary", []).await;
        world.execute("DROP INDEX customer_spent", []).await;
        world.json(0, &["customers", "--sort", "-spent"]).await;
        crate::support::dump::same("after the step", &before, &world.dump().await);
        let there = match world.is_postgres() {
            true => "SELECT COUNT(*) FROM pg_indexes WHERE indexname = 'customer_spent'",
            false => "SELECT COUNT(*) FROM sqlite_master WHERE name = 'customer_spent'",
        };
        assert_eq!(world.number(there).await, 1);
    })
    .await;
}
