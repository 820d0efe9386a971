//! Stores a page: fetch the fingerprints of its keys, write what is new or differs, commit.

mod postgres;
mod sqlite;

use crate::Failure;
use crate::page::Read;

/// The columns in the order both databases write them.
const COLUMNS: [&str; 12] = [
    "id",
    "client_uid",
    "client_account",
    "country",
    "currency",
    "reg_date",
    "partner_account",
    "lots",
    "mln",
    "reward",
    "reward_usd",
    "fingerprint",
];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS account (id BIGINT PRIMARY KEY, client_uid TEXT NOT NULL, \
     client_account TEXT NOT NULL, country TEXT, currency TEXT, reg_date TEXT, partner_account TEXT, lots BIGINT, \
     mln BIGINT, reward BIGINT, reward_usd BIGINT, fingerprint BIGINT NOT NULL)";

/// One of the two databases.
pub enum Database {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

/// Opens `sqlite:FILE` or `postgres://…`.
pub fn open(url: &str) -> Result<Database, Failure> {
    Ok(match url.strip_prefix("sqlite:") {
        Some(file) => Database::Sqlite(sqlite::Sqlite::open(file)?),
        None => Database::Postgres(postgres::Postgres::open(url)?),
    })
}

impl Database {
    /// Stores a page durably; the number of rows written.
    pub fn store(&mut self, page: &Read) -> Result<usize, Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.store(page),
            Self::Postgres(postgres) => postgres.store(page),
        }
    }
}

/// `ON CONFLICT …` with all columns taken from the new row.
fn on_conflict() -> String {
    let set: Vec<String> =
        COLUMNS[1..].iter().map(|column| format!("{column} = excluded.{column}")).collect();
    format!("ON CONFLICT (id) DO UPDATE SET {}", set.join(", "))
}
