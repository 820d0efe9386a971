//! Insights of a shop: months, points and cities against what the simulated base holds, and the page.

use std::collections::{BTreeMap, BTreeSet};

use concord::simulate::PointsRule;
use jiff::ToSpan as _;
use serde_json::Value;

use super::{configure, money, of};
use crate::api::insights::{by, files_equal, lines};
use crate::api::server::Server;
use crate::support::{World, on_both_with};

/// What was bought in a month: documents of purchases and of returns, and what both come to.
#[derive(Default, Debug, PartialEq)]
struct Month {
    receipts: BTreeSet<String>,
    returns: BTreeSet<String>,
    bought: i64,
    returned: i64,
}

/// The months of the base's register, from the day on that was read.
fn months(world: &World) -> BTreeMap<String, Month> {
    let since = world.sim.shop().today().saturating_sub(365.days()).to_string();
    let mut months: BTreeMap<String, Month> = BTreeMap::new();
    for row in world.sim.rows("shop", "sales") {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        let period = text("Period");
        let opening = text("Recorder_Type").contains("ВводНачальныхОстатков");
        let counts = row["Active"] == true && !text("ДисконтнаяКарта_Key").starts_with("00000000-0000");
        if opening || !counts || period < since {
            continue;
        }
        let amount = &row["Сумма"];
        let amount = money(&amount.as_str().map_or_else(|| amount.to_string(), str::to_owned));
        let month = months.entry(period[..7].to_owned()).or_default();
        if amount < 0 {
            month.returned += amount;
            month.returns.insert(text("Recorder"));
        } else {
            month.bought += amount;
            month.receipts.insert(text("Recorder"));
        }
    }
    months
}

#[tokio::test(flavor = "multi_thread")]
async fn months_are_those_of_the_register() {
    on_both_with(&of(300), async |world| {
        configure(world, "");
        world.sync(0, &["shop"]).await;
        let server = Server::start(world).await;
        let shown = lines(&server, "purchases", "").await;
        let expected = months(world);
        assert!(expected.len() >= 12 && expected.values().any(|month| !month.returns.is_empty()));
        for line in &shown {
            let none = Month::default();
            let month = expected.get(line["month"].as_str().unwrap()).unwrap_or(&none);
            assert_eq!(money(line["purchases"].as_str().unwrap()), month.bought, "{line}");
            assert_eq!(money(line["returned"].as_str().unwrap()), month.returned, "{line}");
            assert_eq!(line["receipts"], month.receipts.len(), "{line}");
            assert_eq!(line["returns"], month.returns.len(), "{line}");
            assert_eq!(line["currency"], "RUB");
            let receipts = month.receipts.len() as i64;
            match line["average_bill"].as_str() {
                // Half a kopeck at the most.
                Some(bill) => {
                    assert!((2 * (money(bill) * receipts - month.bought)).abs() <= receipts, "{line}")
                }
                None => assert_eq!(receipts, 0, "{line}"),
            }
        }
        let told: BTreeSet<&str> = shown.iter().map(|line| line["month"].as_str().unwrap()).collect();
        assert!(expected.keys().all(|month| told.contains(month.as_str())), "{told:?}");
        // A purchase of another month, back-dated, moves its month and no other.
        let shop = world.sim.shop();
        let at = shop.now().saturating_sub(100.days());
        shop.add_sale(&shop.card("reference"), at, "1000.50");
        world.sync(0, &["shop"]).await;
        let after = lines(&server, "purchases", "").await;
        let moved: Vec<(&Value, &Value)> = shown.iter().zip(&after).filter(|(a, b)| a != b).collect();
        assert_eq!(moved.len(), 1);
        let (one, other) = moved[0];
        assert_eq!(other["month"], at.date().to_string()[..7]);
        assert_eq!(
            money(other["purchases"].as_str().unwrap()) - money(one["purchases"].as_str().unwrap()),
            100_050
        );
        assert_eq!(other["receipts"].as_i64().unwrap() - one["receipts"].as_i64().unwrap(), 1);
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn points_and_cities_are_those_of_the_base() {
    on_both_with(&of(300), async |world| {
        configure(world, "");
        world.sync(0, &["shop"]).await;
        let server = Server::start(world).await;
        let shop = world.sim.shop();
        let by_card = shop.points_by_card(PointsRule::VirtualBalance, shop.now());
        // The cards of a customer together, and never below nothing.
        let mut balances: BTreeMap<String, Option<i64>> = BTreeMap::new();
        for line in world.texts("SELECT CAST(customer_id AS TEXT) || ' ' || key FROM card WHERE gone_run IS NULL").await {
            let (customer, card) = line.split_once(' ').unwrap();
            let points = by_card.get(card).map(|points| money(&points.to_string()));
            let balance = balances.entry(customer.to_owned()).or_default();
            *balance = balance.or(points.map(|_| 0)).map(|known| known + points.unwrap_or(0));
        }
        let ends = [("0", 0), ("1-100", 10_000), ("101-500", 50_000), ("501-1000", 100_000), ("1001-5000", 500_000), ("5001-10000", 1_000_000)];
        let mut expected: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for balance in balances.into_values() {
            let class = match balance {
                None => "none-on-record",
                Some(points) => ends.iter().find(|(_, end)| points.max(0) <= *end).map_or("over-10000", |(class, _)| class),
            };
            let entry = expected.entry(class).or_default();
            *entry = (entry.0 + 1, entry.1 + balance.unwrap_or(0).max(0));
        }
        let shown = lines(&server, "points", "").await;
        assert_eq!(shown.len(), 8);
        for line in &shown {
            let (clients, points) = expected.remove(line["class"].as_str().unwrap()).unwrap_or_default();
            assert_eq!(line["clients"], clients, "{line}");
            let known = line["class"] != "none-on-record";
            assert_eq!(line["points"].as_str().map(money), known.then_some(points), "{line}");
        }
        assert!(expected.is_empty(), "{expected:?}");
        // Cities with their customers; and what all of them spent is what the source has.
        let cities = lines(&server, "cities", "").await;
        let mut there: BTreeMap<String, i64> = BTreeMap::new();
        let shown = "SELECT p.key FROM person p JOIN customer c ON c.id = p.customer_id WHERE c.hidden = 0 AND p.gone_run IS NULL";
        for person in world.texts(shown).await {
            if let Some(city) = shop.city(&person) {
                *there.entry(city.name.to_string()).or_default() += 1;
            }
        }
        let mut counted = by(&cities, "city", "clients");
        assert!(counted.remove("unknown").is_some() && cities.last().unwrap()["city"].is_null());
        assert_eq!(counted, there.into_iter().map(|(city, n)| (city, n.to_string())).collect());
        let truth = shop.sums(Some(365));
        let spent: i64 = by(&cities, "city", "spent").values().map(|spent| money(spent)).sum();
        assert_eq!(spent, money(&(truth.opening_balances.sum + truth.purchases.sum).to_string()));
        for name in ["purchases", "points", "cities"] {
            files_equal(&server, name, "system=shop").await;
        }
        for name in ["owners", "inactive", "new-by-month"] {
            assert_eq!(lines(&server, name, "").await, Vec::<Value>::new(), "a shop has no such clients");
        }
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_what_the_lines_say() {
    on_both_with(&of(120), async |world| {
        let shop =
            concord::simulate::shop_config(&world.sim.url()).replace("every = \"1h\"\n", "rate = 10000\n");
        world.configure(|text| text + &shop);
        let server = Server::start(world).await;
        let page = async |role: &str, path: &str| {
            let answer = server.call(role, "GET", path, None).await;
            assert_eq!(answer.status, 200, "{path}");
            String::from_utf8(answer.body).unwrap()
        };
        let empty = page("operator", "/insights").await;
        assert!(
            empty.contains("Nothing to tell yet") && empty.contains("action=\"/systems/all/sync\""),
            "{empty}"
        );
        assert!(!page("viewer", "/insights").await.contains("action=\"/systems/all/sync\""));
        server.end().await;
        world.sync(0, &[]).await;
        world.execute("DELETE FROM token", []).await;
        let server = Server::start(world).await;
        let page = async |path: &str| {
            let answer = server.call("viewer", "GET", path, None).await;
            assert_eq!(answer.status, 200, "{path}");
            String::from_utf8(answer.body).unwrap()
        };
        let whole = page("/insights").await;
        assert_eq!(whole.matches("<section class=\"insight\"").count(), 8);
        for (at, name) in
            ["purchases", "points", "cities", "owners", "countries", "inactive"].into_iter().enumerate()
        {
            let section = whole.split(&format!("<section class=\"insight\" id=\"{name}\"")).nth(1).unwrap();
            let section = section.split("</section>").next().unwrap();
            let pictures = section.matches("role=\"img\"").count();
            assert!(pictures > 0 && section.matches("<desc id=").count() == pictures, "{name}: {section}");
            let items = lines(&server, name, "").await;
            let body = section.split("<tbody>").nth(1).unwrap().split("</tbody>").next().unwrap();
            assert_eq!(body.matches("<tr>").count(), items.len(), "{name}");
            let first = &items[0];
            let plain = body.replace(',', "").replace('−', "-");
            for figure in ["purchases", "clients", "spent", "reward_usd", "points", "average_bill"] {
                let text = first[figure]
                    .as_str()
                    .map(str::to_owned)
                    .or_else(|| Some(first[figure].as_i64()?.to_string()));
                assert!(
                    text.is_none_or(|text| plain.contains(&format!(">{text}</td>"))),
                    "{at} {name}: {figure} in {plain}"
                );
            }
            assert!(section.contains(&format!("/api/v1/insights/{name}/export?format=csv")), "{section}");
        }
        // The marks that the content security policy forbids, and what would show a hole in the catalogue.
        assert!(
            !whole.contains(" style=") && !whole.contains("<style") && !whole.contains("insight-of"),
            "{whole}"
        );
        let of_shop = page("/insights?system=shop").await;
        assert_eq!(of_shop.matches("<section class=\"insight\"").count(), 3);
        let of_owner = page("/insights?owner=janischa").await;
        assert_eq!(of_owner.matches("<section class=\"insight\"").count(), 5);
        assert!(
            of_owner.contains("<option value=\"Janischa\" selected>") && of_owner.contains("owner=janischa"),
            "{of_owner}"
        );
        let foot = of_owner.split("id=\"owners\"").nth(1).unwrap().split("<tfoot>").nth(1).unwrap();
        let janischa = lines(&server, "owners", "owner=Janischa").await;
        assert!(foot.replace(',', "").contains(janischa[0]["reward_usd"].as_str().unwrap()), "{foot}");
        let nobody = page("/insights?system=nobody").await;
        assert!(nobody.contains("Nobody fits") && nobody.contains("href=\"/insights\""), "{nobody}");
        assert!(page("/insights?owner=%00").await.contains("<section class=\"insight\""));
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_in_different_currencies_are_never_added_up() {
    on_both_with(&of(60), async |world| {
        let shop =
            concord::simulate::shop_config(&world.sim.url()).replace("every = \"1h\"\n", "rate = 10000\n");
        let kiosk = shop.replace("[systems.shop]", "[systems.kiosk]\ncurrency = \"KZT\"");
        world.configure(|text| text.split("[owners]").next().unwrap().to_owned() + &shop + &kiosk);
        world.sync(0, &[]).await;
        let server = Server::start(world).await;
        let one = server.get("/api/v1/customers/sums?view=shop&system=kiosk").await;
        assert_eq!(one["currency"], "KZT");
        let both = server.get("/api/v1/customers/sums?view=shop").await;
        assert_eq!((&both["currency"], &both["sums"]["spent"]), (&Value::Null, &Value::Null));
        assert_eq!(both["clients"].as_i64(), one["clients"].as_i64().map(|clients| 2 * clients));
        assert_eq!(
            money(both["sums"]["points"].as_str().unwrap()),
            2 * money(one["sums"]["points"].as_str().unwrap())
        );
        for name in ["purchases", "cities"] {
            let all = lines(&server, name, "").await;
            let own = lines(&server, name, "system=kiosk").await;
            let kzt: Vec<&Value> = all.iter().filter(|line| line["currency"] == "KZT").collect();
            assert_eq!((all.len(), kzt), (2 * own.len(), own.iter().collect()), "{name}");
        }
        let answer = server.call("viewer", "GET", "/insights", None).await;
        let page = String::from_utf8(answer.body).unwrap().replace(['\u{2068}', '\u{2069}'], "");
        for title in ["Average bill (KZT)", "Average bill (RUB)", "Spent (KZT)", "Spent (RUB)"] {
            assert_eq!(page.matches(&format!("<figcaption>{title}</figcaption>")).count(), 1, "{title}");
        }
        let foot = page.split("id=\"cities\"").nth(1).unwrap().split("<tfoot>").nth(1).unwrap();
        let foot: Vec<&str> = foot.split("</tr>").next().unwrap().split("<td class=\"n\">").skip(1).collect();
        // Currency and money have no total; customers, lines and points have one.
        let known: Vec<bool> = foot.iter().map(|cell| !cell.starts_with('–')).collect();
        assert_eq!(known, [false, true, true, false, true], "{foot:?}");
        let answer = server.call("viewer", "GET", "/customers/sums?view=shop", None).await;
        let foot = String::from_utf8(answer.body).unwrap();
        assert!(foot.contains("<td class=\"n\">–</td>") && !foot.contains("RUB"), "{foot}");
        let ids: BTreeSet<&str> =
            page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(ids.len(), page.matches(" id=\"").count(), "every id is there once");
        server.end().await;
    })
    .await;
}
