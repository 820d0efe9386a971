//! The mirror as text: what two worlds, or two moments, must have in common. Numbers of runs and
//! records and times are left out; everything else of every table that matters is in.

use std::collections::BTreeMap;

use super::World;

/// Every table by name, its rows sorted.
pub type Dump = BTreeMap<&'static str, Vec<String>>;

/// Table, columns, where they come from.
const TABLES: [(&str, &[&str], &str); 11] = [
    (
        "party",
        &[
            "s.system",
            "s.name",
            "t.key",
            "CASE WHEN t.gone_run IS NULL THEN 'live' ELSE 'gone' END",
            "c.key",
            "t.client_key",
            "t.country",
            "t.status",
            "t.flags",
            "t.partner_account",
            "t.registered",
            "t.last_trade",
            "t.volume_lots",
            "t.volume_mln_usd",
            "t.reward_usd",
            "t.rebate_usd",
            "t.raw",
        ],
        "party t JOIN stream s ON s.id = t.stream_id LEFT JOIN customer c ON c.id = t.customer_id",
    ),
    (
        "account",
        &[
            "s.system",
            "s.name",
            "t.key",
            "CASE WHEN t.gone_run IS NULL THEN 'live' ELSE 'gone' END",
            "c.key",
            "t.client_key",
            "t.number",
            "t.kind",
            "t.currency",
            "t.country",
            "t.partner_account",
            "t.status",
            "t.opened",
            "t.last_trade",
            "t.volume_lots",
            "t.volume_mln_usd",
            "t.reward",
            "t.reward_usd",
            "t.raw",
        ],
        "account t JOIN stream s ON s.id = t.stream_id LEFT JOIN customer c ON c.id = t.customer_id",
    ),
    (
        "person",
        &[
            "s.system",
            "t.key",
            "CASE WHEN t.gone_run IS NULL THEN 'live' ELSE 'gone' END",
            "c.key",
            "t.name",
            "t.phone",
            "t.phone_typed",
            "t.email",
            "t.born",
            "t.city",
            "t.city_rule",
            "t.marked",
        ],
        "person t JOIN stream s ON s.id = t.stream_id LEFT JOIN customer c ON c.id = t.customer_id",
    ),
    (
        "card",
        &[
            "s.system",
            "t.key",
            "CASE WHEN t.gone_run IS NULL THEN 'live' ELSE 'gone' END",
            "c.key",
            "t.client_key",
            "t.phone",
            "t.phone_typed",
            "t.marked",
        ],
        "card t JOIN stream s ON s.id = t.stream_id LEFT JOIN customer c ON c.id = t.customer_id",
    ),
    (
        "entry",
        &[
            "s.system",
            "s.name",
            "t.key",
            "CASE WHEN t.gone_run IS NULL THEN 'live' ELSE 'gone' END",
            "c.key",
            "t.card_key",
            "t.kind",
            "t.at",
            "t.day",
            "t.product_key",
            "t.quantity",
            "t.amount",
            "t.points_in",
            "t.points_out",
        ],
        "entry t JOIN stream s ON s.id = t.stream_id LEFT JOIN customer c ON c.id = t.customer_id",
    ),
    (
        "product",
        &[
            "s.system",
            "t.key",
            "CASE WHEN t.gone_run IS NULL THEN 'live' ELSE 'gone' END",
            "t.name",
            "t.article",
        ],
        "product t JOIN stream s ON s.id = t.stream_id",
    ),
    (
        "shop customer",
        &[
            "t.system",
            "t.key",
            "t.hidden",
            "t.name",
            "t.phone",
            "t.city",
            "t.city_rule",
            "t.opening",
            "t.purchased",
            "t.spent",
            "t.purchases",
            "t.last_purchase",
            "t.points",
            "t.points_until",
        ],
        "customer t",
    ),
    (
        "version",
        &["s.system", "s.name", "COALESCE(p.key, a.key)", "t.raw"],
        "version t JOIN stream s ON s.id = t.stream_id \
         LEFT JOIN party p ON p.stream_id = t.stream_id AND p.id = t.record_id \
         LEFT JOIN account a ON a.stream_id = t.stream_id AND a.id = t.record_id",
    ),
    (
        "customer",
        &[
            "t.system",
            "t.key",
            "m.key",
            "t.hidden",
            "t.gone",
            "t.owner",
            "t.owner_rule",
            "t.status",
            "t.activity",
            "t.country",
            "t.partner_account",
            "t.registered",
            "t.last_trade",
            "t.accounts",
            "t.account_numbers",
            "t.volume_lots",
            "t.volume_mln_usd",
            "t.reward_usd",
            "t.rebate_usd",
            "x.text",
        ],
        "customer t JOIN customer_key k ON k.id = t.id LEFT JOIN customer_key m ON m.id = k.merged_into LEFT JOIN customer_text x ON x.id = t.id",
    ),
    (
        "customer_summary",
        &[
            "t.system",
            "t.owner",
            "t.status",
            "t.country",
            "t.city",
            "t.gone",
            "t.clients",
            "t.accounts",
            "t.volume_lots",
            "t.volume_mln_usd",
            "t.reward_usd",
            "t.rebate_usd",
            "t.opening",
            "t.purchased",
            "t.spent",
            "t.points",
            "t.purchases",
        ],
        "customer_summary t",
    ),
    ("cases", &["t.kind", "t.system", "t.subject", "t.state", "t.choices", "t.choice"], "cases t"),
];

impl World {
    /// The mirror as it is now.
    pub async fn dump(&self) -> Dump {
        let mut dump = Dump::new();
        for (name, columns, from) in TABLES {
            let columns = columns.iter().map(|column| format!("COALESCE(CAST({column} AS TEXT), '∅')"));
            let sql = format!("SELECT {} FROM {from}", columns.collect::<Vec<_>>().join(" || ' · ' || "));
            let mut rows = self.texts(&sql).await;
            rows.sort_unstable();
            dump.insert(name, rows);
        }
        dump
    }

    /// Rows of every table there is, by name.
    pub async fn row_counts(&self) -> BTreeMap<String, i64> {
        let sql = if self.is_postgres() {
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = 'public'"
        } else {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'customer_search_%' AND name NOT LIKE 'sqlite_%'"
        };
        let mut counts = BTreeMap::new();
        for table in self.texts(sql).await {
            let count = self.number(&format!("SELECT COUNT(*) FROM {table}")).await;
            counts.insert(table, count);
        }
        counts
    }
}

/// Fails with the first differences when the two are not the same.
#[track_caller]
pub fn same(what: &str, one: &Dump, other: &Dump) {
    let mut differences = Vec::new();
    for (table, rows) in one {
        let others = &other[table];
        let short = |row: &String| row.chars().take(400).collect::<String>();
        for (mark, left, right) in [("−", rows, others), ("+", others, rows)] {
            let missing = left.iter().filter(|row| right.binary_search(row).is_err());
            differences.extend(missing.take(4).map(|row| format!("{mark} {table}: {}", short(row))));
        }
        if rows.len() != others.len() {
            differences.push(format!("{table}: {} rows, then {}", rows.len(), others.len()));
        }
    }
    assert!(differences.is_empty(), "{what}:\n{}", differences.join("\n"));
}
