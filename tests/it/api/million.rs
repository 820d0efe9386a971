//! How quick the customers list is on a million of them. Ignored: it takes minutes and prints.
//!
//! `cargo test --test it -- --ignored --nocapture million`; on PostgreSQL too when
//! `CONCORD_TEST_POSTGRES` names a server.

use std::time::{Duration, Instant};

use concord::store::listing::{Filter, Order, Shape};
use concord::store::{Store, customer, search};

const MANY: i64 = 1_000_000;

/// Two systems like Exness with half of the customers each less a tenth, one like XM with the rest.
async fn fill(store: &Store) {
    let mut tx = store.begin().await.unwrap();
    let postgres = tx.is_postgres();
    let numbers = if postgres {
        format!("(SELECT n FROM generate_series(1::bigint, {MANY}) AS g(n)) AS numbers")
    } else {
        format!(
            "(WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < {MANY}) SELECT n FROM g) AS numbers"
        )
    };
    // A multiplicative hash: spread, and the same every time.
    let hash = |factor: i64, modulo: i64| format!("((n * {factor}) % 2147483647 % {modulo})");
    let xm = "n > 900000";
    let hex = if postgres {
        "lpad(to_hex(n * 2654435761 % 4294967296), 8, '0')"
    } else {
        "printf('%08x', n * 2654435761 % 4294967296)"
    };
    let (country, partner) = (hash(48271, 120), hash(69621, 40));
    let letter =
        |of: &str| if postgres { format!("chr((65 + {of})::int)") } else { format!("char(65 + {of})") };
    let country =
        format!("({} || {})", letter(&format!("{country} % 26")), letter(&format!("{country} / 26")));
    let reward = format!(
        "CASE WHEN {xm} THEN NULL WHEN {} < 3 THEN 0 ELSE {} END",
        hash(16807, 10),
        hash(39373, 900_000)
    );
    let sql = format!(
        "INSERT INTO customer (id, system, key, hidden, gone, owner, owner_rule, status, activity, country, partner_account, registered, last_trade, accounts, account_numbers, volume_lots, volume_mln_usd, reward_usd, rebate_usd) \
         SELECT n, CASE WHEN {xm} THEN 'xm' WHEN n % 2 = 0 THEN 'ham' ELSE 'janischa' END, \
         CASE WHEN {xm} THEN CAST(66000000 + n AS TEXT) ELSE {hex} END, 0, CASE WHEN n % 100 = 0 THEN 1 ELSE 0 END, \
         CASE WHEN {xm} OR n % 2 = 0 THEN 'Ham' WHEN n % 5000 = 1 THEN 'Unknown' ELSE 'Janischa' END, 'map', \
         CASE WHEN {} < 6 THEN 'ACTIVE' WHEN n % 40000 = 7 THEN 'LEFT' ELSE 'INACTIVE' END, 'ACTIVE', {country}, \
         CASE WHEN {xm} THEN 'low' ELSE CAST(1100000000000000000 + {partner} AS TEXT) END, \
         '20' || CAST(10 + {} AS TEXT) || '-01-02', CASE WHEN {xm} OR {} < 4 THEN NULL ELSE '2026-03-' || CAST(10 + {} AS TEXT) END, \
         1 + {} % 3, CAST(140000000 + n AS TEXT), {reward}, NULL, {reward}, CASE WHEN {xm} THEN NULL ELSE {} END FROM {numbers}",
        hash(7919, 10),
        hash(15485863, 16),
        hash(32452843, 10),
        hash(49979687, 20),
        hash(67867967, 9),
        hash(86028121, 50_000)
    );
    tx.execute(&sql, []).await.unwrap();
    tx.execute(
        &format!(
            "INSERT INTO customer_text (id, text) SELECT id, key || '-4d3c-9f1e-2b5a-{{}}' || '\n' || LOWER(COALESCE(country, '')) || '\n' || LOWER(COALESCE(status, '')) || '\n' || account_numbers || '\n' || COALESCE(partner_account, '') || '\n' || registered || '\nstandard\nusd\npartner name\n' || CAST(COALESCE(reward_usd, 0) AS TEXT) || '.40\n0.{}\nthe rest of a payload, as long as they are: {}\n' FROM customer",
            "1432", "x".repeat(150)
        ),
        [],
    )
    .await
    .unwrap();
    let ids = |from: i64| (from..from + 100_000).collect::<Vec<i64>>();
    for from in (1..=MANY).step_by(100_000) {
        search::index(&mut tx, &ids(from)).await.unwrap();
    }
    for nth in 0..3 {
        let sql = format!(
            "INSERT INTO account (id, stream_id, key, raw_hash, first_run, changed_run, valid_from, customer_id, number, raw) SELECT id + {nth} * 10000000, 1, CAST(id + {nth} * 10000000 AS TEXT), {}, 1, 1, 0, id, account_numbers, '{{}}' FROM customer WHERE accounts > {nth}",
            if postgres { "'\\x00'::bytea" } else { "x'00'" }
        );
        tx.execute(&sql, []).await.unwrap();
    }
    tx.execute("INSERT INTO stream (id, system, name) VALUES (1, 'ham', 'accounts')", []).await.unwrap();
    customer::summarize(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    if postgres {
        store.db.script("VACUUM ANALYZE").await.unwrap();
    }
}

#[derive(Default)]
struct Slow(Vec<(Duration, String)>);

async fn measure(store: &Store, slow: &mut Slow, name: &str, filter: &Filter, order: &str, shape: Shape) {
    let mut took = Vec::new();
    let mut rows = 0;
    let mut total = None;
    for _ in 0..20 {
        let start = Instant::now();
        let listed = store.customers(filter, shape, Order::of(order).unwrap(), None, 100).await.unwrap();
        took.push(start.elapsed());
        (rows, total) = (listed.items.len(), listed.total);
    }
    took.sort();
    println!("{name:48} {order:16} p50 {:>8.1?} p95 {:>8.1?} rows {rows} of {total:?}", took[10], took[18]);
    slow.0.push((took[18], format!("{name} {order}")));
}

async fn all(url: &str) {
    let store = Store::ready(url, 0).await.unwrap();
    let start = Instant::now();
    if store.customer_ids("", 0, 1).await.unwrap().is_empty() {
        fill(&store).await;
        println!("filled in {:.1?}", start.elapsed());
    }
    let mut slow = Slow::default();
    let text = |t: &str| Some(t.to_owned());
    let filters = [
        ("all", Filter::default()),
        ("owner Ham", Filter { owner: text("Ham"), ..Filter::default() }),
        ("owner Unknown", Filter { owner: text("Unknown"), ..Filter::default() }),
        ("system xm", Filter { system: text("xm"), ..Filter::default() }),
        ("system janischa", Filter { system: text("janischa"), ..Filter::default() }),
        ("status left", Filter { status: text("left"), ..Filter::default() }),
        ("country", Filter { country: text("CB"), ..Filter::default() }),
        (
            "owner Ham, active, country",
            Filter { owner: text("Ham"), status: text("active"), country: text("CB"), ..Filter::default() },
        ),
        ("owner Ham, inactive", Filter { owner: text("Ham"), status: text("inactive"), ..Filter::default() }),
        ("gone", Filter { gone: Some(true), ..Filter::default() }),
        ("search few", Filter { search: text("140123456"), ..Filter::default() }),
        ("search none", Filter { search: text("nobody-has-this"), ..Filter::default() }),
        ("search one partner account", Filter { search: text("1100000000000000007"), ..Filter::default() }),
        ("search thousands", Filter { search: text("00123"), ..Filter::default() }),
        ("search everything", Filter { search: text("standard"), ..Filter::default() }),
        (
            "search partner, owner Unknown",
            Filter { search: text("1100000000000000007"), owner: text("Unknown"), ..Filter::default() },
        ),
        ("search two letters", Filter { search: text("40"), ..Filter::default() }),
    ];
    let only = std::env::var("CONCORD_MILLION_ONLY").unwrap_or_default();
    for (name, filter) in filters.iter().filter(|(name, _)| name.contains(&only)) {
        for order in [
            "id",
            "key",
            "-reward",
            "reward",
            "-rebate",
            "country",
            "status",
            "owner",
            "partner_account",
            "-registered",
            "-accounts",
            "-last_trade",
        ] {
            measure(&store, &mut slow, name, filter, order, Shape::Customers).await;
        }
        measure(&store, &mut slow, &format!("{name}, accounts"), filter, "-reward", Shape::Accounts).await;
    }
    for (name, filter) in filters.iter().filter(|(name, _)| name.contains(&only)) {
        let start = Instant::now();
        let totals = store.customer_sums(filter).await.unwrap();
        println!("sums {name:43} {:>8.1?} {totals:?}", start.elapsed());
    }
    slow.0.sort();
    println!("\nslowest first pages:");
    for (took, name) in slow.0.iter().rev().take(25) {
        println!("  {took:>8.1?} {name}");
    }
    let over = |bound| slow.0.iter().filter(|(took, _)| *took > Duration::from_millis(bound)).count();
    println!("{} kinds of page; p95 over 100 ms: {}, over 30 ms: {}", slow.0.len(), over(100), over(30));
}

#[tokio::test]
#[ignore = "takes minutes; prints figures"]
async fn million_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let kept = std::env::var("CONCORD_MILLION").ok();
    let file = kept.unwrap_or_else(|| folder.path().join("million.db").display().to_string());
    all(&format!("sqlite:{file}")).await;
}

#[tokio::test]
#[ignore = "takes minutes; prints figures"]
async fn million_on_postgres() {
    let Ok(server) = std::env::var("CONCORD_TEST_POSTGRES") else { return };
    let admin = Store::open(&format!("{server}/postgres")).await.unwrap();
    if admin
        .db
        .row("SELECT 1::bigint FROM pg_database WHERE datname = 'million'", [])
        .await
        .unwrap()
        .is_none()
    {
        admin.db.script("CREATE DATABASE million").await.unwrap();
    }
    all(&format!("{server}/million")).await;
}
