//! Indexes that come and go: by whose a record is, what lists of customers are sorted by, and
//! PostgreSQL's for searches.
//!
//! They are not in the steps of the schema. Before so many rows are written that most of an index
//! would be new, it is taken away, and made again in one go when they are there, at a fraction of the
//! cost. Lists and searches read the tables meanwhile.

use std::collections::HashSet;

use anyhow::{Context, Result};

use super::{Db, Tx};
use crate::connect::Table;

/// Indexes that are taken away and made together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Over records: which are a customer's. Needed to add customers up.
    Records,
    /// Over customers: what lists are sorted by.
    Lists,
    /// Over what customers can be found by.
    Searches,
}

/// What customers are found by in records, and what was bought by day and document. Each begins with
/// the name of its table.
const RECORDS: [(&str, &str); 8] = [
    ("party_customer", "party (customer_id)"),
    ("account_customer", "account (customer_id)"),
    ("person_customer", "person (customer_id)"),
    ("card_customer", "card (customer_id)"),
    ("contact_customer", "contact (customer_id)"),
    ("document_customer", "document (customer_id)"),
    ("entry_customer", "entry (customer_id, at)"),
    (
        "entry_bought",
        "entry (stream_id, day, document, kind, amount, gone_run) WHERE gone_run IS NULL AND kind IN ('purchase', 'return')",
    ),
];

/// What lists are sorted by, walked system by system. A customer that is not shown is in none of
/// them, so that one whose records have not been added up yet costs nothing. Those of what only shops
/// know hold the customers of shops alone, each of which has a number of purchases. Those of days and of
/// points have all that insights ask of them.
const LISTS: [(&str, &str); 17] = [
    ("customer_id", "customer (system, id) WHERE hidden = 0"),
    ("customer_by_key", "customer (system, key, id) WHERE hidden = 0"),
    ("customer_country", "customer (system, country, id) WHERE hidden = 0"),
    ("customer_status", "customer (system, status, id) WHERE hidden = 0"),
    ("customer_reward", "customer (system, reward_usd, id) WHERE hidden = 0"),
    ("customer_rebate", "customer (system, rebate_usd, id) WHERE hidden = 0"),
    ("customer_owner", "customer (system, owner, id) WHERE hidden = 0"),
    ("customer_partner", "customer (system, partner_account, id) WHERE hidden = 0"),
    ("customer_registered", "customer (system, registered, id, gone, owner) WHERE hidden = 0"),
    ("customer_accounts", "customer (system, accounts, id) WHERE hidden = 0"),
    (
        "customer_last_trade",
        "customer (system, last_trade, id, gone, owner, activity, reward_usd) WHERE hidden = 0",
    ),
    ("customer_city", "customer (system, city, id) WHERE hidden = 0 AND purchases IS NOT NULL"),
    (
        "customer_points",
        "customer (system, points, id, gone, purchases) WHERE hidden = 0 AND purchases IS NOT NULL",
    ),
    ("customer_spent", "customer (system, spent, id) WHERE hidden = 0 AND purchases IS NOT NULL"),
    ("customer_purchases", "customer (system, purchases, id) WHERE hidden = 0 AND purchases IS NOT NULL"),
    (
        "customer_last_purchase",
        "customer (system, last_purchase, id) WHERE hidden = 0 AND purchases IS NOT NULL",
    ),
    ("customer_number", "customer (system, number, id) WHERE hidden = 0 AND number IS NOT NULL"),
];

/// PostgreSQL's indexes of searches; SQLite has a table of its own for them. Two, each of every other
/// customer, because making one keeps a single processor busy for most of a first load's end.
const SEARCHES: [(&str, &str); 2] = [
    (
        "customer_text_even",
        "customer_text USING gin (text gin_trgm_ops) WITH (gin_pending_list_limit = 65536) WHERE id % 2 = 0",
    ),
    (
        "customer_text_odd",
        "customer_text USING gin (text gin_trgm_ops) WITH (gin_pending_list_limit = 65536) WHERE id % 2 = 1",
    ),
];

/// Pages of SQLite's search index that are merged at a time.
const MERGED: i64 = 500;

fn all(of: Of, postgres: bool) -> Vec<(&'static str, &'static str)> {
    match of {
        Of::Records => RECORDS.to_vec(),
        Of::Lists => LISTS.to_vec(),
        Of::Searches if postgres => SEARCHES.to_vec(),
        Of::Searches => Vec::new(),
    }
}

/// Takes the indexes over a table of records away before it is filled, if it is empty.
pub async fn make_way_for_records(db: &Db, table: Table) -> Result<()> {
    let table = table.name();
    if db.row(&format!("SELECT id FROM {table} LIMIT 1"), []).await?.is_none() {
        let own = |name: &str| name.strip_prefix(table).is_some_and(|rest| rest.starts_with('_'));
        for (name, _) in RECORDS.iter().filter(|(name, _)| own(name)) {
            db.execute(&format!("DROP INDEX IF EXISTS {name}"), []).await?;
        }
    }
    Ok(())
}

/// Takes the indexes over customers away before `coming` of them are written, if there are not more
/// than that yet.
pub async fn make_way_for_customers(db: &Db, coming: usize) -> Result<()> {
    let row = db.row("SELECT CAST(COALESCE(SUM(clients), 0) AS BIGINT) FROM customer_summary", []).await?;
    if row.context("no count")?.get::<i64>(0)? <= coming as i64 {
        for (name, _) in [Of::Lists, Of::Searches].iter().flat_map(|of| all(*of, db.is_postgres())) {
            db.execute(&format!("DROP INDEX IF EXISTS {name}"), []).await?;
        }
    }
    Ok(())
}

/// Makes the indexes that are not there, and folds what was written since the last time into those of
/// searches: in one go that is cheaper than row by row.
pub async fn make(db: &Db, of: Of) -> Result<()> {
    if db.is_postgres() {
        return make_missing(db, of).await;
    }
    // SQLite sorts what goes into an index in temporary tables: those of a large one would take more
    // memory than all the rest.
    db.script("PRAGMA temp_store = FILE").await?;
    let made = make_missing(db, of).await;
    db.script("PRAGMA temp_store = MEMORY").await?;
    made
}

async fn make_missing(db: &Db, of: Of) -> Result<()> {
    let there = if db.is_postgres() {
        "SELECT indexname::text FROM pg_indexes WHERE schemaname = current_schema()"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'index'"
    };
    let there =
        db.rows(there, []).await?.iter().map(|row| row.get(0)).collect::<Result<HashSet<String>>>()?;
    match (of, all(of, db.is_postgres()).as_slice()) {
        (Of::Searches, [even, odd]) => {
            tokio::try_join!(make_one(db, *even, &there), make_one(db, *odd, &there)).map(drop)
        }
        (Of::Searches, _) => {
            let merge = "INSERT INTO customer_search (customer_search, rank) VALUES ('merge', $1)";
            db.execute(merge, [MERGED.into()]).await.map(drop)
        }
        (_, indexes) => {
            for index in indexes {
                make_one(db, *index, &there).await?;
            }
            Ok(())
        }
    }
}

async fn make_one(db: &Db, (name, on): (&str, &str), there: &HashSet<String>) -> Result<()> {
    let mut tx = db.begin().await?;
    if !there.contains(name) {
        one_at_a_time(&mut tx, name).await?;
        tx.execute(&format!("CREATE INDEX IF NOT EXISTS {name} ON {on}"), []).await?;
    } else if SEARCHES.iter().any(|(search, _)| *search == name) {
        tx.row(&format!("SELECT gin_clean_pending_list(to_regclass('{name}'))"), []).await?;
    }
    tx.commit().await
}

/// Two runs may end at once: the second waits, and finds what the first has made.
async fn one_at_a_time(tx: &mut Tx, name: &str) -> Result<()> {
    if tx.is_postgres() {
        tx.row(&format!("SELECT pg_advisory_xact_lock(hashtext('index {name}'))::text"), []).await?;
        tx.script("SET LOCAL maintenance_work_mem = '128MB'").await?;
    }
    Ok(())
}
