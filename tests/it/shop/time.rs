//! The clock of a base: its times come without a zone, are kept in UTC and shown as they were meant.

use jiff::civil::date;
use serde_json::{Value, json};

use super::{configure, of};
use crate::api::server::Server;
use crate::support::on_both_with;

#[tokio::test(flavor = "multi_thread")]
async fn half_past_eleven_in_the_evening_stays_on_its_day() {
    on_both_with(&of(60), async |world| {
        configure(world, "");
        let shop = world.sim.shop();
        let card = shop.card("reference");
        let at = date(2025, 1, 31).at(23, 30, 0, 0);
        shop.add_sale(&card, at, "4242.42");
        shop.add_points(&card, at, "77.77", "0");
        world.sync(0, &["shop", "--days", "3650"]).await;
        let utc: jiff::Timestamp = "2025-01-31T20:30:00Z".parse().unwrap();
        for movement in ["amount = 424242", "points_in = 7777"] {
            let stored = format!("SELECT at FROM entry WHERE {movement}");
            assert_eq!(world.number(&stored).await, utc.as_microsecond(), "{movement}");
            let day = format!("SELECT day FROM entry WHERE {movement}");
            assert_eq!(world.texts(&day).await, ["2025-01-31"], "{movement}");
            // What the base said stays beside it.
            let raw = world.texts(&format!("SELECT raw FROM entry WHERE {movement}")).await;
            assert!(raw[0].contains("2025-01-31T23:30:00"), "{raw:?}");
        }
        let server = Server::start(world).await;
        let id = world.number(&format!("SELECT customer_id FROM card WHERE key = '{card}'")).await;
        for (list, name, value) in [("purchases", "amount", "4242.42"), ("points", "earned", "77.77")] {
            let told = server.get(&format!("/api/v1/customers/{id}/{list}?limit=500")).await;
            let told = told["items"].as_array().unwrap().iter().find(|row| row[name] == value);
            let moment = ["at", "day", "clock"].map(|name| told.unwrap()[name].clone());
            let expected = ["2025-01-31T20:30:00Z", "2025-01-31", "2025-01-31T23:30:00"].map(|text| json!(text));
            assert_eq!(moment, expected, "{list}");
        }
        let page = server.call("viewer", "GET", &format!("/customers/{id}"), None).await;
        let page = String::from_utf8(page.body).unwrap();
        let line = page.split("<tr>").find(|line| line.contains("4,242.42")).unwrap();
        let shown = "<time datetime=\"2025-01-31T20:30:00Z\" title=\"2025-01-31 20:30:00 UTC\">2025-01-31 23:30</time>";
        assert!(line.contains(shown), "{line}");
        server.end().await;
        // The sale is one of its day, not of the day that it is elsewhere.
        let seen: Value = world.json(0, &["verify", "--phone", shop.reference_phone()]).await;
        assert_eq!(seen["agree"], true, "{seen:#}");
    })
    .await;
}
