//! What the master overrode in the system that follows.

use anyhow::{Context, Result};

use super::{Row, Store, Tx, Value};
use crate::model::Field;

/// A value that was overwritten. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overridden {
    /// Its number.
    pub id: i64,
    /// The flow.
    pub flow: String,
    /// The master's record.
    pub source_key: String,
    /// The record it stood in.
    pub destination_key: String,
    /// Which value.
    pub field: Field,
    /// What both sides had agreed upon before.
    pub agreed: Option<String>,
    /// What somebody had written there; `None` = emptied.
    pub theirs: Option<String>,
    /// What the master made of it.
    pub became: Option<String>,
    /// By which delivery.
    pub delivery: i64,
    /// When.
    pub at: i64,
    /// When a person took it over into the master.
    pub accepted_at: Option<i64>,
    /// Who.
    pub accepted_by: Option<String>,
}

const OVERRIDDEN: &str = "SELECT id, flow, source_key, destination_key, field, agreed, theirs, became, delivery_id, at, accepted_at, accepted_by FROM overridden";

/// Keeps a value that is overwritten; its number is given.
pub async fn keep(tx: &mut Tx, value: &Overridden) -> Result<()> {
    let sql = "INSERT INTO overridden (flow, source_key, destination_key, field, agreed, theirs, became, delivery_id, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let args: [Value; 9] = [
        value.flow.as_str().into(),
        value.source_key.as_str().into(),
        value.destination_key.as_str().into(),
        value.field.word().into(),
        value.agreed.clone().into(),
        value.theirs.clone().into(),
        value.became.clone().into(),
        value.delivery.into(),
        value.at.into(),
    ];
    tx.execute(sql, args).await?;
    Ok(())
}

/// Notes that a person takes a value over into the master; `false` when somebody has.
pub async fn accept(tx: &mut Tx, id: i64, by: &str, now: i64) -> Result<bool> {
    let sql =
        "UPDATE overridden SET accepted_at = $2, accepted_by = $3 WHERE id = $1 AND accepted_at IS NULL";
    Ok(tx.execute(sql, [id.into(), now.into(), by.into()]).await? == 1)
}

impl Store {
    /// Overridden values of a flow (of all when empty), the newest first, older than `before`.
    pub async fn overridden(&self, flow: &str, before: Option<i64>, limit: i64) -> Result<Vec<Overridden>> {
        let sql = format!("{OVERRIDDEN} WHERE ($1 = '' OR flow = $1) AND id < $2 ORDER BY id DESC LIMIT $3");
        let args = [flow.into(), before.unwrap_or(i64::MAX).into(), limit.into()];
        self.db.rows(&sql, args).await?.iter().map(read).collect()
    }

    /// How many there are of a flow (of all when empty).
    pub async fn count_overridden(&self, flow: &str) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM overridden WHERE ($1 = '' OR flow = $1)";
        self.db.row(sql, [flow.into()]).await?.context("no count")?.get(0)
    }

    /// The one of that number.
    pub async fn overridden_value(&self, id: i64) -> Result<Option<Overridden>> {
        let row = self.db.row(&format!("{OVERRIDDEN} WHERE id = $1"), [id.into()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Which values of a record were overwritten since then, each as often as it was.
    pub async fn overridden_since(&self, flow: &str, source_key: &str, since: i64) -> Result<Vec<Field>> {
        let sql = "SELECT field FROM overridden WHERE flow = $1 AND source_key = $2 AND at >= $3";
        let rows = self.db.rows(sql, [flow.into(), source_key.into(), since.into()]).await?;
        rows.iter().map(|row| field(&row.get::<String>(0)?)).collect()
    }
}

fn field(word: &str) -> Result<Field> {
    Field::of(word).with_context(|| format!("a field is stored as {word}"))
}

fn read(row: &Row) -> Result<Overridden> {
    Ok(Overridden {
        id: row.get(0)?,
        flow: row.get(1)?,
        source_key: row.get(2)?,
        destination_key: row.get(3)?,
        field: field(&row.get::<String>(4)?)?,
        agreed: row.get(5)?,
        theirs: row.get(6)?,
        became: row.get(7)?,
        delivery: row.get(8)?,
        at: row.get(9)?,
        accepted_at: row.get(10)?,
        accepted_by: row.get(11)?,
    })
}
