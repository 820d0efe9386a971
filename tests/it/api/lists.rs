//! The customers list: filters, sums, orders, pages, search; what is known of one customer.

use std::collections::{BTreeMap, BTreeSet};

use concord::model::amount::parse;
use concord::store::listing::Sort;
use serde_json::{Value, json};

use super::server::{Server, escaped};
use crate::support::{World, on_both};

/// Every row of a list, page by page.
pub async fn all(server: &Server, query: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut cursor = String::new();
    for _ in 0..2000 {
        let page = server.get(&format!("/api/v1/customers?{query}{cursor}")).await;
        rows.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
    panic!("{query}: no end");
}

fn sum(rows: &[Value], field: &str) -> i64 {
    rows.iter().filter_map(|row| parse(row[field].as_str()?, 2).ok()).sum()
}

async fn filled(world: &World) -> Server {
    world.sync(0, &[]).await;
    Server::start(world).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_are_those_of_the_rows() {
    on_both(async |world| {
        let server = filled(world).await;
        for (query, clients) in [
            ("", Some(2139)),
            ("owner=Ham", Some(1880)),
            ("owner=Janischa", Some(259)),
            ("owner=Nobody", Some(0)),
            ("system=xm", Some(1216)),
            ("status=active", None),
            ("status=Inactive&system=ham", None),
            ("country=th", None),
            ("country=TH&owner=Ham&status=ACTIVE", None),
            ("activity=ACTIVE", None),
            ("search=th", None),
            ("search=low", None),
            ("search=low&country=VN", None),
            ("owner=ham", Some(1880)),
            ("owner=%20HAM", Some(1880)),
            ("gone=true", Some(0)),
            ("gone=false", Some(2139)),
        ] {
            let rows = all(&server, &format!("limit=400&{query}")).await;
            let sums = server.get(&format!("/api/v1/customers/sums?{query}")).await;
            assert_eq!(sums["total"], rows.len(), "{query}");
            assert_eq!(sums["clients"], rows.len(), "{query}");
            if let Some(clients) = clients {
                assert_eq!(rows.len(), clients, "{query}");
            }
            for name in ["reward_usd", "rebate_usd"] {
                let said = sums["sums"][name].as_str().map_or(0, |sum| parse(sum, 2).unwrap());
                assert_eq!(said, sum(&rows, name), "{query}: {name}");
            }
            let first = server.get(&format!("/api/v1/customers?limit=1&{query}")).await;
            if !query.contains("search=th") {
                assert_eq!(first["total"], rows.len(), "{query}");
            }
            let accounts = all(&server, &format!("limit=400&view=accounts&{query}")).await;
            assert_eq!(sums["accounts"], accounts.len(), "{query}");
            let numbers: BTreeSet<String> =
                accounts.iter().map(|row| format!("{} {}", row["systems"], row["accounts"])).collect();
            assert_eq!(numbers.len(), accounts.len(), "{query}");
            assert_eq!(sum(&accounts, "reward_usd"), sum(&rows, "reward_usd"), "{query}");
        }
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_shows_every_row_once() {
    on_both(async |world| {
        let server = filled(world).await;
        let mut expected = None;
        for sort in Sort::ALL {
            let mut ways = Vec::new();
            for sign in ["", "-"] {
                // A page size that divides nothing, so that pages end within equal values.
                let rows = all(&server, &format!("limit=487&sort={sign}{}", sort.word())).await;
                let ids: Vec<i64> = rows.iter().map(|row| row["id"].as_i64().unwrap()).collect();
                let different: BTreeSet<i64> = ids.iter().copied().collect();
                assert_eq!(different.len(), ids.len(), "{sign}{}", sort.word());
                assert_eq!(*expected.get_or_insert_with(|| different.clone()), different);
                let known = rows.iter().map(|row| value(row, sort)).take_while(Option::is_some).count();
                assert!(rows[known..].iter().all(|row| value(row, sort).is_none()), "unknown comes last");
                let values: Vec<_> = rows[..known].iter().map(|row| value(row, sort).unwrap()).collect();
                let sorted = values.windows(2).all(|two| match sign {
                    "" => two[0] <= two[1],
                    _ => two[0] >= two[1],
                });
                assert!(sorted, "{sign}{}", sort.word());
                ways.push(ids[..known].to_vec());
            }
            ways[1].reverse();
            assert_eq!(ways[0], ways[1], "{}", sort.word());
        }
        for query in [
            "sort=-reward&owner=Janischa",
            "sort=owner&owner=Janischa",
            "sort=-rebate&system=xm&country=VN",
            "sort=key&search=th&owner=Janischa",
        ] {
            for view in ["customers", "accounts"] {
                let small = all(&server, &format!("limit=43&view={view}&{query}")).await;
                let large = all(&server, &format!("limit=500&view={view}&{query}")).await;
                assert!(small == large && !large.is_empty(), "{query} {view}");
            }
        }
        server.end().await;
    })
    .await;
}

/// What a row is sorted by, in a form that compares as the list does.
pub fn value(row: &Value, sort: Sort) -> Option<(i64, String)> {
    let text = |name: &str| row[name].as_str().map(|text| (0, text.to_owned()));
    let money = |name: &str| Some((parse(row[name].as_str()?, 2).unwrap(), String::new()));
    match sort {
        Sort::Id => Some((row["id"].as_i64()?, String::new())),
        Sort::Key => text("client_uid"),
        Sort::Country => text("country"),
        Sort::Status => text("status"),
        Sort::Reward => money("reward_usd"),
        Sort::Rebate => money("rebate_usd"),
        Sort::Owner => text("owner"),
        Sort::PartnerAccount => text("partner_account"),
        Sort::Registered => text("registered"),
        Sort::Accounts => Some((row["accounts"].as_array()?.len() as i64, String::new())),
        Sort::LastTrade => text("last_trade"),
        Sort::City => text("city"),
        Sort::Points => money("points"),
        Sort::Spent => money("spent"),
        Sort::Purchases => Some((row["purchases"].as_i64()?, String::new())),
        Sort::LastPurchase => text("last_purchase"),
        Sort::Number => text("number"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn search_finds_in_any_case_and_digits() {
    on_both(async |world| {
        let server = filled(world).await;
        let rows = all(&server, "limit=500&system=ham").await;
        let client = rows.iter().find(|row| row["accounts"].as_array().unwrap().len() == 3).unwrap();
        let number = client["accounts"][1].as_str().unwrap();
        let persian: String =
            number.chars().map(|c| char::from_u32(0x6f0 + c.to_digit(10).unwrap()).unwrap()).collect();
        let thai: String =
            number.chars().map(|c| char::from_u32(0xe50 + c.to_digit(10).unwrap()).unwrap()).collect();
        for text in [number, &persian, &thai] {
            let found = all(&server, &format!("search={}", escaped(text))).await;
            assert!(found.iter().any(|row| row["id"] == client["id"]), "{text}");
            let row = found.iter().find(|row| row["id"] == client["id"]).unwrap();
            assert_eq!(row["matched"], "client_account");
        }
        for (one, other) in [("rb you", "RB YOU"), ("ลูกค้า", "ลูกค้า"), ("th", "TH"), ("Standard CENT", "standard cent")]
        {
            let one = all(&server, &format!("limit=500&search={}", escaped(one))).await;
            let other = all(&server, &format!("limit=500&search={}", escaped(other))).await;
            assert!(!one.is_empty());
            assert_eq!(one, other);
        }
        for text in ["%", "__", "\"", "'", "nobody has this", "a\\b", "*", "NEAR("] {
            all(&server, &format!("search={}", escaped(text))).await;
        }
        // Every row that is found holds the text, and every row that holds it is found.
        let raws = "SELECT CAST(customer_id AS TEXT) || '/' || raw FROM party UNION ALL SELECT CAST(customer_id AS TEXT) || '/' || raw FROM account";
        let mut holding = BTreeSet::new();
        for row in world.texts(raws).await {
            let (id, raw) = row.split_once('/').unwrap();
            if concord::store::listing::matched_in(raw, "pay u").is_some() {
                holding.insert(id.parse::<i64>().unwrap());
            }
        }
        let found = all(&server, "limit=500&search=PAY%20U").await;
        let found: BTreeSet<i64> = found.iter().map(|row| row["id"].as_i64().unwrap()).collect();
        assert_eq!(found, holding);
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_is_told_with_its_accounts_history_and_origin() {
    on_both(async |world| {
        world.sync(0, &[]).await;
        world.sim.change("ham", "clients", 100.0);
        world.sync(0, &["ham"]).await;
        let server = Server::start(world).await;
        let rows = all(&server, "limit=500&system=ham&sort=-reward").await;
        let customer = &rows[0];
        let id = customer["id"].as_i64().unwrap();
        let mut one = server.get(&format!("/api/v1/customers/{id}")).await;
        assert_eq!(one, *customer);
        let names = [
            "id",
            "name",
            "owner",
            "owner_rule",
            "systems",
            "client_uid",
            "accounts",
            "country",
            "status",
            "activity",
            "reward_usd",
            "rebate_usd",
            "partner_account",
            "phone",
            "city",
            "points",
            "purchases",
            "spent",
            "number",
            "national_id",
        ];
        for name in names {
            assert!(one.as_object_mut().unwrap().contains_key(name), "{name}");
        }
        let accounts = server.get(&format!("/api/v1/customers/{id}/accounts")).await;
        let accounts = accounts["items"].as_array().unwrap();
        assert_eq!(accounts.len(), customer["accounts"].as_array().unwrap().len());
        assert_eq!(sum(accounts, "reward_usd"), parse(customer["reward_usd"].as_str().unwrap(), 2).unwrap());

        let history = server.get(&format!("/api/v1/customers/{id}/history")).await;
        let history = history["items"].as_array().unwrap();
        let clients: Vec<&Value> = history.iter().filter(|version| version["stream"] == "clients").collect();
        assert_eq!(clients.len(), 2, "as it is and as it was");
        assert_ne!(clients[0]["raw"], clients[1]["raw"]);
        let then = server.get(&format!("/api/v1/customers/{id}/history?as_of=2001-01-01")).await;
        assert_eq!(then["items"], json!([]));
        let now = server.get(&format!("/api/v1/customers/{id}/history?as_of=2999-01-01T00:00:00Z")).await;
        assert!(now["items"].as_array().unwrap().iter().all(|version| version["valid_to"].is_null()));

        let reward = server.get(&format!("/api/v1/customers/{id}/explain?field=reward_usd")).await;
        let reward = &reward["items"][0];
        assert_eq!((&reward["rule"], &reward["value"]), (&json!("sum"), &customer["reward_usd"]));
        assert_eq!(reward["sources"].as_array().unwrap().len(), accounts.len());
        assert_eq!(reward["sources"][0]["raw_field"], "reward_usd");
        let everything = server.get(&format!("/api/v1/customers/{id}/explain")).await;
        let mut rules = BTreeMap::new();
        for item in everything["items"].as_array().unwrap() {
            rules.insert(item["field"].as_str().unwrap(), item["rule"].as_str().unwrap());
        }
        assert_eq!(rules["owner"], customer["owner_rule"].as_str().unwrap());

        for path in [
            "/api/v1/customers/999999999",
            "/api/v1/customers/x",
            "/api/v1/customers/-1/accounts",
            "/api/v1/none",
        ] {
            server.call("viewer", "GET", path, None).await.problem(404);
        }
        let missing = server.call("viewer", "GET", "/api/v1/customers/999999", None).await;
        assert!(String::from_utf8(missing.body).unwrap().contains("There is no customer 999999."));
        for query in [
            "customers?colour=red",
            "customers?limit=0",
            "customers?limit=501",
            "customers?limit=x",
            "customers?sort=x",
            "customers?view=x",
            "customers?cursor=x",
            "customers?gone=maybe",
            "customers?search=%00",
            "runs?cursor=x",
            "runs?cursor=-1",
            "audit?page=2",
            "cases?limit=501",
            "customers/sums?limit=5",
            "customers/export?format=pdf",
            "customers/export?cursor=x",
            "customers/1/explain?field=x",
            "customers/1/history?as_of=yesterday",
        ] {
            server.call("viewer", "GET", &format!("/api/v1/{query}"), None).await.problem(400);
        }
        let other = server.get("/api/v1/customers?limit=1&sort=key").await;
        let cursor = other["next"].as_str().unwrap();
        server.call("viewer", "GET", &format!("/api/v1/customers?cursor={cursor}"), None).await.problem(400);
        server.call("viewer", "PATCH", "/api/v1/customers", None).await.problem(405);
        server.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_values_of_a_query_are_refused() {
    on_both(async |world| {
        world.sync(0, &["xm"]).await;
        let server = Server::start(world).await;
        for (path, name) in [
            ("/api/v1/customers?system=hamm", "system"),
            ("/api/v1/customers?activity=ASLEEP", "activity"),
            ("/api/v1/customers/sums?system=hamm", "system"),
            ("/api/v1/customers/export?format=csv&system=hamm", "system"),
            ("/api/v1/runs?system=hamm", "system"),
            ("/api/v1/cases?state=shut", "state"),
        ] {
            let problem = server.call("viewer", "GET", path, None).await.problem(400);
            assert_eq!(problem["type"], "api-bad-value", "{path}");
            assert!(problem["title"].as_str().unwrap().starts_with(&format!("{name} cannot be")), "{path}");
        }
        for (path, total) in [
            ("/api/v1/customers?system=xm&activity=", 1216),
            ("/api/v1/customers?system=ham", 0),
            ("/api/v1/runs?system=xm", 1),
            ("/api/v1/runs?system=", 1),
            ("/api/v1/cases?state=settled", 0),
        ] {
            assert_eq!(server.get(path).await["total"], total, "{path}");
        }
        // A system that was taken out of the configuration still has what was read of it.
        world.execute("UPDATE run SET system = 'former'", []).await;
        assert_eq!(server.get("/api/v1/runs?system=former").await["total"], 1);
        world.execute("UPDATE run SET system = 'xm'", []).await;
        let unknown = server.call("admin", "DELETE", "/api/v1/owners/rules/nobody", None).await.problem(404);
        assert_eq!(unknown["type"], "web-no-owner-rule");
        server.end().await;
    })
    .await;
}
