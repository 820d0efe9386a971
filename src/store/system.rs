//! What is remembered of each system between runs, and which processes work on the database.

use anyhow::Result;

use super::{Row, Store, Tx};

/// What is remembered of a system. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemState {
    /// Who paused it.
    pub paused_by: Option<String>,
    /// When it was paused.
    pub paused_at: Option<i64>,
    /// Why, in the catalogue's form.
    pub paused_reason: Option<String>,
    /// Refused logins in a row.
    pub refused_logins: i64,
    /// No request before this time: what the source asked for.
    pub not_before: Option<i64>,
    /// When its schedule wants the next run.
    pub next_run_at: Option<i64>,
    /// The last tick that was skipped, in the catalogue's form.
    pub note: Option<String>,
}

/// Pauses a system; `false` when it is paused already. `reason` is in the catalogue's form.
pub async fn pause(tx: &mut Tx, system: &str, by: &str, reason: &str, now: i64) -> Result<bool> {
    let changed = tx
        .execute(
            "INSERT INTO system_state (system, paused_by, paused_at, paused_reason) VALUES ($1, $2, $3, $4) ON CONFLICT (system) DO UPDATE SET paused_by = excluded.paused_by, paused_at = excluded.paused_at, paused_reason = excluded.paused_reason WHERE system_state.paused_at IS NULL",
            [system.into(), by.into(), now.into(), reason.into()],
        )
        .await?;
    Ok(changed == 1)
}

/// Lets a system be read again, at once and with a clean slate of refused logins; `false` when it is
/// not paused.
pub async fn unpause(tx: &mut Tx, system: &str) -> Result<bool> {
    let changed = tx
        .execute(
            "UPDATE system_state SET paused_by = NULL, paused_at = NULL, paused_reason = NULL, refused_logins = 0, next_run_at = NULL WHERE system = $1 AND paused_at IS NOT NULL",
            [system.into()],
        )
        .await?;
    Ok(changed == 1)
}

impl Store {
    /// What is remembered of a system.
    pub async fn system_state(&self, system: &str) -> Result<SystemState> {
        let sql = "SELECT paused_by, paused_at, paused_reason, refused_logins, not_before, next_run_at, note FROM system_state WHERE system = $1";
        let row = self.db.row(sql, [system.into()]).await?;
        row.as_ref().map_or_else(|| Ok(SystemState::default()), read)
    }

    /// Remembers when the schedule wants the next run, and the tick that was left out, if one was.
    pub async fn set_next_run(&self, system: &str, next: Option<i64>, note: Option<String>) -> Result<()> {
        self.db
            .execute(
                "INSERT INTO system_state (system, next_run_at, note) VALUES ($1, $2, $3) ON CONFLICT (system) DO UPDATE SET next_run_at = excluded.next_run_at, note = excluded.note",
                [system.into(), next.into(), note.into()],
            )
            .await?;
        Ok(())
    }

    /// Remembers how the system lets itself be asked: refused logins in a row, and not before when.
    pub async fn set_access(&self, system: &str, refused: i64, not_before: Option<i64>) -> Result<()> {
        self.db
            .execute(
                "INSERT INTO system_state (system, refused_logins, not_before) VALUES ($1, $2, $3) ON CONFLICT (system) DO UPDATE SET refused_logins = excluded.refused_logins, not_before = excluded.not_before",
                [system.into(), refused.into(), not_before.into()],
            )
            .await?;
        Ok(())
    }

    /// Registers this process; its number.
    pub async fn register_engine(&self, now: i64) -> Result<i64> {
        let mut tx = self.begin().await?;
        let row = tx
            .row("INSERT INTO engine (started_at, beat_at) VALUES ($1, $1) RETURNING id", [now.into()])
            .await?;
        tx.commit().await?;
        row.ok_or_else(|| anyhow::anyhow!("not registered"))?.get(0)
    }
}

fn read(row: &Row) -> Result<SystemState> {
    Ok(SystemState {
        paused_by: row.get(0)?,
        paused_at: row.get(1)?,
        paused_reason: row.get(2)?,
        refused_logins: row.get(3)?,
        not_before: row.get(4)?,
        next_run_at: row.get(5)?,
        note: row.get(6)?,
    })
}
