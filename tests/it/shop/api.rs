//! What scripts and people see of a shop: purchases, points, lists, the old address.

use serde_json::json;

use super::{configure, money, of};
use crate::api::server::Server;
use crate::pull::{counts, stage};
use crate::support::on_both_with;

#[tokio::test(flavor = "multi_thread")]
async fn purchases_and_points_of_a_customer_are_listed() {
    on_both_with(&of(60), async |world| {
        configure(world, "");
        world.sync(0, &["shop"]).await;
        let server = Server::start(world).await;
        let found = server.get("/api/v1/customers?view=shop&search=8%20(700)%20000-00-01").await;
        let customer = &found["items"][0];
        assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found:#}");
        assert_eq!((&customer["spent"], &customer["points"]), (&json!("365054.00"), &json!("4806.00")));
        assert_eq!((&customer["city"], &customer["phone"]), (&json!("Симферополь"), &json!("+77000000001")));
        let id = &customer["id"];
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = server.get(&format!("/api/v1/customers/{id}/purchases?limit=3{cursor}")).await;
            rows.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let sum = |kind: &str| -> i64 {
            let of = rows.iter().filter(|row| row["kind"] == kind);
            of.map(|row| money(row["amount"].as_str().unwrap())).sum()
        };
        assert_eq!(sum("opening_balance"), 23_236_000);
        assert_eq!(sum("purchase") + sum("return"), 13_269_400);
        let bought: Vec<_> = rows.iter().filter(|row| row["kind"] == "purchase").collect();
        assert!(bought.iter().all(|row| row["product"].is_string()), "products have names: {bought:#?}");
        let points = server.get(&format!("/api/v1/customers/{id}/points")).await;
        assert!(points["total"].as_i64().unwrap() > 0);
        server
            .call("viewer", "GET", &format!("/api/v1/customers/{id}/points?cursor=x"), None)
            .await
            .problem(400);
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rows_behind_each_figure_of_a_run_are_shown() {
    on_both_with(&of(60), async |world| {
        configure(world, "");
        world.sync(0, &["shop"]).await;
        let run = world.number("SELECT MAX(id) FROM run").await;
        let server = Server::start(world).await;
        for (position, table) in [(0, "card"), (1, "person"), (3, "entry"), (4, "product"), (5, "entry")] {
            let path = format!("/runs/{run}/rows?stage={position}&disposition=created");
            let page = server.call("viewer", "GET", &path, None).await;
            let page = String::from_utf8_lossy(&page.body).into_owned();
            let key = format!("SELECT MIN(t.key) FROM {table} t JOIN stage s ON s.position = {position} JOIN stream m ON m.id = t.stream_id AND m.name = s.name");
            let key = world.texts(&key).await.remove(0);
            assert!(page.contains(&key), "{position}: {key} in {page}");
            assert!(!page.contains("/customers/0"), "{position}");
        }
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_address_reads_so_many_cards_and_what_hangs_on_them() {
    on_both_with(&of(60), async |world| {
        configure(world, "");
        let document = world.sync(0, &["shop", "--limit", "20"]).await;
        // Other cards of the same customers come along: half of what somebody bought is no figure.
        let taken = counts(&document, "shop", "cards")["created"].as_i64().unwrap();
        assert!((20..40).contains(&taken), "{taken}");
        let cards = stage(&document, "shop", "cards");
        assert_eq!(cards["not_read"].as_i64().unwrap(), cards["source"]["count"].as_i64().unwrap() - taken);
        let strangers = "SELECT COUNT(*) FROM entry WHERE card_key NOT IN (SELECT key FROM card)";
        assert_eq!(world.number(strangers).await, 0);
        assert!(world.number("SELECT COUNT(*) FROM entry").await > 0, "what hangs on them came too");
        let server = Server::start(world).await;
        let path = "/api/admin/onec/customers/sync/full?limit=1000&days=365";
        let answer = server.call("operator", "POST", path, None).await;
        assert_eq!(answer.status, 200);
        let task = answer.json();
        assert_eq!(task["success"], true);
        let status = task["status_url"].as_str().unwrap().to_owned();
        crate::support::until("the task is over", crate::support::PATIENCE, async || {
            let task = server.get(&status).await;
            let over = ["completed", "failed"].contains(&task["status"].as_str().unwrap());
            over.then_some(())
        })
        .await;
        let task = server.get(&status).await;
        assert_eq!((&task["status"], &task["progress"]), (&json!("completed"), &json!(100)), "{task:#}");
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_that_lay_in_the_future_count_when_their_day_has_come() {
    on_both_with(&of(60), async |world| {
        configure(world, "");
        world.sync(0, &["shop"]).await;
        let card = world.sim.shop().card("telling");
        let points = format!(
            "SELECT c.points FROM customer c JOIN card d ON d.customer_id = c.id WHERE d.key = '{card}'"
        );
        assert_eq!(world.number(&points).await, 12_000);
        // The expiry of 2099 takes place: as if the clock had gone on.
        let due = "UPDATE entry SET at = 1 WHERE kind = 'points' AND day = '2099-01-10' AND card_key = $1";
        assert_eq!(world.execute(due, [card.as_str().into()]).await, 1);
        world.execute("UPDATE customer SET points_until = 1 WHERE points_until IS NOT NULL", []).await;
        assert_eq!(world.run(&["customers", "--limit", "1"]).await.code, 0);
        assert_eq!(world.number(&points).await, 7_500, "without a read of the source");
        assert_eq!(world.number("SELECT COUNT(*) FROM customer WHERE points_until = 1").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_show_a_shop_as_what_it_is() {
    on_both_with(&of(60), async |world| {
        configure(world, "");
        world.sync(0, &["shop"]).await;
        let server = Server::start(world).await;
        let page = async |path: &str| {
            let answer = server.call("viewer", "GET", path, None).await;
            assert_eq!(answer.status, 200, "{path}");
            String::from_utf8(answer.body).unwrap()
        };
        let overview = page("/").await.replace(['\u{2068}', '\u{2069}'], "");
        assert!(overview.contains("adds up") && !overview.contains("does not add up"), "{overview}");
        for told in ["Cards stored", "Cards at source", "Opening balances", " RUB"] {
            assert!(overview.contains(told), "{told}: {overview}");
        }
        for strange in ["Accounts stored", "incl. XM", "USD", "Without an owner rule", "Unknown"] {
            assert!(!overview.contains(strange), "{strange}: {overview}");
        }
        let status = server.get("/api/v1/status").await;
        let shop = &status["systems"][0]["shop"];
        assert_eq!((&status["shops"][0], &status["owners"]), (shop, &json!([])));
        assert_eq!(status["unmapped"], json!([]));
        let figure = async |sql: &str| world.number(&format!("SELECT CAST({sql} AS BIGINT)")).await;
        let (cards, customers) =
            ("(SELECT COUNT(*) FROM card)", "(SELECT COUNT(*) FROM customer WHERE hidden = 0)");
        assert_eq!(shop["cards"], figure(cards).await);
        assert_eq!(shop["customers"], figure(customers).await);
        let of = "(SELECT SUM(amount) FROM entry WHERE kind";
        let opening = figure(&format!("{of} = 'opening_balance')")).await;
        let bought = figure(&format!("{of} IN ('purchase', 'return'))")).await;
        assert_eq!(money(shop["opening_balance"].as_str().unwrap()), opening);
        assert_eq!(money(shop["purchases"].as_str().unwrap()), bought);
        assert_eq!(money(shop["total"].as_str().unwrap()), opening + bought);
        assert_eq!(shop["currency"], "RUB");
        let customers = page("/customers?search=%D0%A1%D0%B8%D0%BC%D1%84").await;
        assert!(customers.contains("365,054.00") && customers.contains("+77000000001"), "{customers}");
        let id = world.number("SELECT customer_id FROM card WHERE phone = '+77000000001'").await;
        let customer = page(&format!("/customers/{id}")).await;
        for told in
            ["365,054.00", "232,360.00", "132,694.00", "4,806.00", "third line of the main information"]
        {
            assert!(customer.contains(told), "{told}: {customer}");
        }
        assert!(customer.contains("<td>return</td>") || customer.contains("<td>purchase</td>"), "{customer}");
        let run = page("/runs/1").await;
        assert!(run.contains("points earned") && !run.contains("measure-"), "{run}");
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_of_a_shop_carry_its_currency() {
    for (line, currency) in [("", "RUB"), ("currency = \"KZT\"", "KZT")] {
        on_both_with(&of(60), async |world| {
            configure(world, line);
            let document = world.sync(0, &["shop"]).await;
            assert_eq!(document["runs"][0]["currency"], currency);
            let phone = world.sim.shop().reference_phone();
            let seen = world.json(0, &["verify", "--phone", phone]).await;
            let units: Vec<_> =
                seen["items"][0]["lines"].as_array().unwrap().iter().map(|l| &l["unit"]).collect();
            assert_eq!(units, [currency, currency, currency, "points", "text"]);
            let told = world.run(&["verify", "--phone", phone]).await.out;
            assert!(told.contains(&format!("opening balance, {currency}")), "{told}");
            let seen = world.json(0, &["verify", "shop"]).await;
            let sums = |line: &&serde_json::Value| line["what"] == "amount";
            let lines = seen["items"].as_array().unwrap().iter().flat_map(|i| i["lines"].as_array().unwrap());
            let units: Vec<_> = lines.filter(sums).map(|line| &line["unit"]).collect();
            assert_eq!(units, [currency, currency]);
            let told = world.run(&["verify", "shop"]).await.out;
            assert!(told.contains(&format!("sales {currency}")), "{told}");

            let server = Server::start(world).await;
            let found = server.get("/api/v1/customers?view=shop&search=%2B77000000001").await;
            let customer = &found["items"][0];
            assert_eq!((&customer["currency"], &customer["spent"]), (&json!(currency), &json!("365054.00")));
            let id = customer["id"].as_i64().unwrap();
            let bought = server.get(&format!("/api/v1/customers/{id}/purchases")).await;
            assert!(bought["items"].as_array().unwrap().iter().all(|line| line["currency"] == currency));
            for (path, told) in [
                ("/customers?search=0000001".to_owned(), format!("365,054.00 {currency}")),
                (format!("/customers/{id}"), format!("365,054.00 {currency}")),
                (format!("/customers/{id}"), format!("Paid, {currency}")),
                ("/runs/1".to_owned(), format!("sales {currency}")),
            ] {
                let page = server.call("viewer", "GET", &path, None).await;
                let page = String::from_utf8(page.body).unwrap().replace(['\u{2068}', '\u{2069}'], "");
                assert!(page.contains(&told), "{told} on {path}: {page}");
            }
            server.end().await;
        })
        .await;
    }
}
