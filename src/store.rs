//! All SQL of the program: one file per noun, one text for both databases.
//!
//! [`db`] hides which database it is; [`bulk`], [`indexes`] and [`search`] are the only places that know. What
//! is written together is written in one transaction, which callers open with [`Store::begin`].

use std::path::Path;

use anyhow::{Context, Result};

pub mod alert;
pub mod audit;
pub mod bulk;
pub mod case;
pub mod contact;
pub mod customer;
pub mod db;
pub mod delivery;
pub mod document;
pub mod entry;
pub mod facets;
pub mod flow;
pub mod hint;
pub mod indexes;
pub mod insights;
pub mod link;
pub mod listing;
pub mod migrate;
pub mod mirror;
pub mod open;
pub mod overridden;
pub mod owner;
pub mod page;
pub mod plan;
pub mod restore;
pub mod run;
pub mod search;
pub mod status;
pub mod system;
pub mod user;

pub use db::{Db, Row, Tx, Value, is_conflict};
use indexes::Of;
use open::Unusable;

use crate::model::Message;

/// The database and everything that is asked of it.
#[derive(Clone, Debug)]
pub struct Store {
    /// The connections.
    pub db: Db,
}

impl Store {
    /// Opens the database of this URL without changing it.
    pub async fn open(url: &str) -> Result<Store> {
        Ok(Store { db: Db::open(url).await? })
    }

    /// Opens the database and brings it to this version's schema. An SQLite file that has data is
    /// copied to `FILE.before-<step>` first.
    pub async fn ready(url: &str, now: i64) -> Result<Store> {
        let store = Store::open(url).await?;
        let schema = migrate::schema(&store.db).await?;
        if let (Some(file), true) = (store.db.file(), schema.has > 0 && schema.has < schema.knows) {
            let copy = format!("{}.before-{:04}", file.display(), schema.has + 1);
            store.backup(Path::new(&copy)).await?;
        }
        if !migrate::migrate(&store.db, now).await?.is_empty() {
            indexes::make(&store.db, Of::Records).await?;
            indexes::make(&store.db, Of::Lists).await?;
            indexes::make(&store.db, Of::Searches).await?;
        }
        Ok(store)
    }

    /// Begins a transaction.
    pub async fn begin(&self) -> Result<Tx> {
        self.db.begin().await
    }

    /// Begins a transaction that only reads.
    pub async fn look(&self) -> Result<Tx> {
        self.db.look().await
    }

    /// Writes a whole copy of an SQLite database, while it is in use, for its owner's eyes only.
    pub async fn backup(&self, to: &Path) -> Result<()> {
        if self.db.is_postgres() {
            return Err(Unusable(Message::new("cli-db-backup-sqlite-only")).into());
        }
        open::make(to).map_err(|error| open::not_made(to, &error))?;
        let quoted = to.display().to_string().replace('\'', "''");
        let copied = self.db.script(&format!("VACUUM INTO '{quoted}'")).await;
        if copied.is_err() {
            let _ = std::fs::remove_file(to);
        }
        copied
    }

    /// What SQLite finds when it checks its file: `ok`, or what is broken.
    pub async fn integrity(&self) -> Result<String> {
        self.db.row("PRAGMA integrity_check", []).await?.context("no answer")?.get(0)
    }

    /// Takes a block of `count` ids of this name, for good: ids that are not used are lost.
    pub async fn ids(&self, name: &str, count: i64) -> Result<i64> {
        let mut tx = self.begin().await?;
        let first = ids(&mut tx, name, count).await?;
        tx.commit().await?;
        Ok(first)
    }

    /// The number of this stream in the tables of records.
    pub async fn stream(&self, system: &str, name: &str) -> Result<i64> {
        let find = "SELECT id FROM stream WHERE system = $1 AND name = $2";
        if let Some(row) = self.db.row(find, [system.into(), name.into()]).await? {
            return row.get(0);
        }
        let mut tx = self.begin().await?;
        let insert =
            "INSERT INTO stream (system, name) VALUES ($1, $2) ON CONFLICT (system, name) DO NOTHING";
        tx.execute(insert, [system.into(), name.into()]).await?;
        let row = tx.row(find, [system.into(), name.into()]).await?;
        tx.commit().await?;
        row.ok_or_else(|| anyhow::anyhow!("the stream was not stored"))?.get(0)
    }
}

/// Takes `count` ids of this name within a transaction; the first of them. Others who want some wait
/// for its end.
pub async fn ids(tx: &mut Tx, name: &str, count: i64) -> Result<i64> {
    let sql = "INSERT INTO sequence (name, next) VALUES ($1, 1 + $2) ON CONFLICT (name) DO UPDATE SET next = sequence.next + $2 RETURNING next - $2";
    let row = tx.row(sql, [name.into(), count.into()]).await?;
    row.ok_or_else(|| anyhow::anyhow!("no ids"))?.get(0)
}
