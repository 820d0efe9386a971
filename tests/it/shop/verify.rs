//! The whole shop and one customer held against 1C: by kind, by type of document, live.

use concord::simulate::{Action, Fault};
use jiff::ToSpan as _;
use serde_json::{Value, json};

use super::{configure, figures, of};
use crate::api::server::{Answer, Server};
use crate::pull::counts;
use crate::support::{World, on_both_with};

/// The lines of one subject of a verification: what, difference, whether equal, causes.
fn lines(document: &Value, subject: &str) -> Vec<(String, Value, bool, Value)> {
    let items = document["items"].as_array().unwrap();
    let item = items.iter().find(|item| item["subject"] == subject).expect(subject);
    let line = |l: &Value| {
        let what = l["what"].as_str().unwrap().to_owned();
        (what, l["difference"].clone(), l["equal"] == true, l["causes"].clone())
    };
    item["lines"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_held_by_kind_and_by_type_of_document() {
    on_both_with(&of(60), async |world| {
        configure(world, "");
        let shop = world.sim.shop();
        // Bought once, long before the days that are read, with a document nobody knows.
        let long_ago = shop.now().saturating_sub(500.days());
        shop.new_recorder_type("Document_Забытый", &shop.card("reference"), long_ago, "5");
        world.sync(0, &["shop"]).await;
        let document = world.json(0, &["verify", "shop"]).await;
        let truth = shop.sums(Some(365));
        let by_kind = |kind: &str| {
            let items = document["items"].as_array().unwrap();
            let item = items.iter().find(|item| item["subject"] == "shop/kinds").unwrap();
            let line = item["lines"].as_array().unwrap().iter().find(|line| line["what"] == kind).unwrap();
            assert_eq!(line["source"], line["mirror"], "{kind}");
            line["mirror"].as_str().unwrap().to_owned()
        };
        let opening = truth.opening_balances.sum;
        assert_eq!(by_kind("opening_balance"), format!("{opening:.2}"));
        assert_eq!(by_kind("purchase"), format!("{:.2}", truth.purchases.sum - truth.returns.sum));
        assert_eq!(by_kind("return"), format!("{:.2}", truth.returns.sum));
        assert_eq!(by_kind("total"), format!("{:.2}", opening + truth.purchases.sum));
        let documents = lines(&document, "shop/documents");
        let forgotten = documents.iter().find(|line| line.0 == "Document_Забытый").unwrap();
        let cause = json!([{ "rule": "before_window", "count": 1, "amount": null }]);
        assert_eq!((&forgotten.1, forgotten.2, &forgotten.3), (&Value::Null, true, &cause));

        // A whole type of document is lost: it is named, with all its money.
        let lost = world.execute("DELETE FROM entry WHERE kind = 'opening_balance'", []).await;
        let document = world.json(3, &["verify", "shop"]).await;
        let difference = json!(format!("-{opening:.2}"));
        let because = |rule: &str| json!([{ "rule": rule, "count": lost, "amount": difference }]);
        let kinds = lines(&document, "shop/kinds");
        let named = because("Document_ВводНачальныхОстатков");
        assert_eq!(kinds[0], ("opening_balance".to_owned(), difference.clone(), false, named.clone()));
        assert_eq!(kinds[3], ("total".to_owned(), difference.clone(), false, named));
        let documents = lines(&document, "shop/documents");
        let opening = documents.iter().find(|line| line.0 == "Document_ВводНачальныхОстатков").unwrap();
        assert_eq!((opening.2, &opening.3), (false, &because("class_not_in_mirror")));
        let told = world.run(&["verify", "shop"]).await;
        assert_eq!(told.code, 3);
        assert!(told.out.contains("this type of document is not in the mirror"), "{}", told.out);
        // They are back, and a type that was not there a moment ago is asked about.
        world.sync(3, &["shop"]).await;
        world.json(0, &["verify", "shop"]).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_of_document_never_seen_before_is_a_case() {
    on_both_with(&of(60), async |world| {
        configure(world, "");
        world.sync(0, &["shop"]).await;
        let shop = world.sim.shop();
        let (card, yesterday) = (shop.card("reference"), shop.now().saturating_sub(1.days()));
        shop.new_recorder_type("Document_НовыйВид", &card, yesterday, "10");
        shop.new_recorder_type("Document_НовыйВид", &card, yesterday, "-2.50");
        let document = world.sync(3, &["shop"]).await;
        assert_eq!(counts(&document, "shop", "purchases")["created"], 2);
        let cases = world.json(0, &["cases"]).await;
        let case = &cases["items"][0];
        assert_eq!((cases["items"].as_array().unwrap().len(), &case["kind"]), (1, &json!("new_document")));
        let message = case["message"].as_str().unwrap();
        for part in ["Document_НовыйВид", "2 rows", "7.50"] {
            assert!(message.contains(part), "{message}");
        }
        world.json(0, &["cases", "decide", &case["id"].to_string(), "--choose", "counts"]).await;
        world.sync(0, &["shop"]).await;
        // Known now: the next of its type asks nobody.
        shop.new_recorder_type("Document_НовыйВид", &card, yesterday, "1");
        let document = world.sync(0, &["shop"]).await;
        assert_eq!(counts(&document, "shop", "purchases")["created"], 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_a_broken_read_brought_is_asked_about_by_the_next() {
    on_both_with(&of(60), async |world| {
        configure(world, "page_size = 20");
        world.sync(0, &["shop"]).await;
        let shop = world.sim.shop();
        let long_ago = shop.now().saturating_sub(364.days());
        shop.new_recorder_type("Document_НовыйВид", &shop.card("reference"), long_ago, "10");
        // Its page is stored, a later one cannot be had.
        world.sim.set_faults(vec![Fault::new("shop", "$filter=Period ge", Action::Html).nth(4).times(0)]);
        let broken = world.run(&["sync", "shop"]).await;
        assert_eq!(broken.code, 3, "{}{}", broken.out, broken.err);
        let brought = "SELECT COUNT(*) FROM entry WHERE document_type = 'Document_НовыйВид'";
        assert_eq!(world.number(brought).await, 1);
        assert_eq!(world.number("SELECT COUNT(*) FROM cases").await, 0);
        world.sim.set_faults(Vec::new());
        world.json(3, &["sync", "shop", "--full"]).await;
        let cases = world.json(0, &["cases"]).await;
        assert_eq!(cases["items"][0]["subject"], "Document_НовыйВид", "{cases:#}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_read_live_from_page_api_and_command() {
    on_both_with(&of(60), async |world| {
        configure(world, "");
        world.sync(0, &["shop"]).await;
        let shop = world.sim.shop();
        let reference = customer_of(world, &shop.card("reference")).await;
        let seen = world.json(0, &["verify", "--customer", &reference]).await;
        assert_eq!(seen, world.json(0, &["verify", "--phone", shop.reference_phone()]).await);
        // Every card that is nobody's too: alone, and with the one customer that has its phone.
        for role in ["phone_of_nobody", "phone_of_one", "two_of_one_a", "shared_phone_a"] {
            let id = customer_of(world, &shop.card(role)).await;
            let document = world.json(0, &["verify", "--customer", &id]).await;
            assert_eq!(document["items"].as_array().unwrap().len(), 1, "{role}");
        }
        let told = world.run(&["verify", "--customer", "999999"]).await;
        assert!(told.code == 2 && told.err.contains("999999"), "{}", told.err);

        // A card that is somebody's by now: what the mirror has under its own name is nowhere in 1C.
        let nobodys = shop.card("phone_of_nobody");
        let id = customer_of(world, &nobodys).await;
        let to = format!("SELECT client_key FROM card WHERE key = '{}'", shop.card("two_of_one_a"));
        let to = world.texts(&to).await.remove(0);
        assert!(shop.set("cards", &nobodys, "ВладелецКарты_Key", &format!("\"{to}\"")));
        let document = world.json(3, &["verify", "--customer", &id]).await;
        assert_eq!(document["items"].as_array().unwrap().len(), 1, "{document:#}");
        world.sync(0, &["shop"]).await;
        let document = world.json(0, &["verify", "--customer", &reference]).await;

        let server = Server::start(world).await;
        let path = format!("/api/v1/customers/{reference}/verify");
        assert_eq!(server.call("operator", "POST", &path, None).await.json(), document);
        server.call("viewer", "POST", &path, None).await.problem(403);
        server.call("operator", "POST", "/api/v1/customers/999999/verify", None).await.problem(404);
        let page = format!("/customers/{reference}/verify");
        let shown = server.call("operator", "POST", &page, None).await;
        assert_eq!(shown.status, 200, "{}", text(&shown));
        for part in ["232,360.00", "365,054.00", "4,806.00", "Симферополь", "equal"] {
            assert!(text(&shown).contains(part), "{part}");
        }
        assert!(!text(&shown).contains("differs"));

        // Something is bought meanwhile.
        shop.add_sale(&shop.card("reference"), shop.now(), "1234.50");
        let document = server.call("operator", "POST", &path, None).await.json();
        assert_eq!(document["agree"], false);
        let (what, source, _, difference, equal) = &figures(&document, 0)[1];
        assert_eq!((what.as_str(), *equal), ("purchases", false));
        assert_eq!((source, difference), (&json!("133928.50"), &json!("-1234.50")));
        let shown = text(&server.call("operator", "POST", &page, None).await);
        assert!(shown.contains("rows that the source has and the mirror has not: 1, 1,234.50"), "{shown}");
        // A reader sees the panel, not the button.
        let plain = format!("/customers/{reference}");
        assert!(text(&server.call("operator", "GET", &plain, None).await).contains("Check now"));
        let seen = text(&server.call("viewer", "GET", &plain, None).await);
        assert!(seen.contains("Held against the source") && !seen.contains("Check now"));

        // 1C does not answer as it should: told in the panel, and 502 for scripts.
        let html = json!([{ "system": "shop", "path": "", "nth": 1, "times": 99, "do": "html" }]);
        world.sim.set_faults(serde_json::from_value(html).unwrap());
        server.call("operator", "POST", &path, None).await.problem(502);
        let shown = server.call("operator", "POST", &page, None).await;
        assert_eq!(shown.status, 200);
        assert!(text(&shown).contains("role=\"alert\""), "{}", text(&shown));
        server.end().await;
    })
    .await;
}

async fn customer_of(world: &World, card: &str) -> String {
    world.number(&format!("SELECT customer_id FROM card WHERE key = '{card}'")).await.to_string()
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}
