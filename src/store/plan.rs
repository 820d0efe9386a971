//! Plans that were saved, to be shown and applied later.

use anyhow::{Context, Result};

use super::{Store, Tx};

/// A saved plan. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedPlan {
    /// Its number.
    pub id: i64,
    /// The flow.
    pub flow: String,
    /// When it was made.
    pub made_at: i64,
    /// When it was applied.
    pub applied_at: Option<i64>,
    /// The changes, as JSON.
    pub body: String,
}

impl Store {
    /// Saves a plan; its number.
    pub async fn save_plan(&self, flow: &str, body: &str, by: &str, now: i64) -> Result<i64> {
        let mut tx = self.begin().await?;
        let sql = "INSERT INTO plan (flow, made_by, made_at, body) VALUES ($1, $2, $3, $4) RETURNING id";
        let row = tx.row(sql, [flow.into(), by.into(), now.into(), body.into()]).await?;
        tx.commit().await?;
        row.context("no number")?.get(0)
    }

    /// A saved plan.
    pub async fn plan(&self, id: i64) -> Result<Option<SavedPlan>> {
        let sql = "SELECT id, flow, made_at, applied_at, body FROM plan WHERE id = $1";
        let row = self.db.row(sql, [id.into()]).await?;
        let read = |row: super::Row| {
            Ok(SavedPlan {
                id: row.get(0)?,
                flow: row.get(1)?,
                made_at: row.get(2)?,
                applied_at: row.get(3)?,
                body: row.get(4)?,
            })
        };
        row.map(read).transpose()
    }
}

/// Notes that a plan was applied.
pub async fn applied(tx: &mut Tx, id: i64, now: i64) -> Result<()> {
    tx.execute("UPDATE plan SET applied_at = $2 WHERE id = $1", [id.into(), now.into()]).await?;
    Ok(())
}
