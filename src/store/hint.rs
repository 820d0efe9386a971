//! Hints: that something may have changed in a system, by word of its webhooks. They are taken when the
//! system is read after they came; what was read says what really changed.

use anyhow::{Context, Result};

use super::Store;

/// So many hints of one system may wait; more are for later.
pub const MOST: i64 = 10_000;
/// How long an event is remembered that was signed, in microseconds.
const REMEMBERED: i64 = 40 * 86_400_000_000;

/// What became of a hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    /// It is stored, or one of the same thing waits already.
    Yes,
    /// Its event was noted before.
    Before,
    /// Too many wait.
    Full,
}

impl Store {
    /// Notes a hint about something of a system; a signed one has an event of its own.
    pub async fn hint(
        &self,
        system: &str,
        what: &str,
        key: &str,
        event: Option<&str>,
        now: i64,
    ) -> Result<Noted> {
        if self.hints(system).await? >= MOST {
            return Ok(Noted::Full);
        }
        let mut tx = self.begin().await?;
        if let Some(event) = event {
            let old = "DELETE FROM event WHERE system = $1 AND at < $2";
            tx.execute(old, [system.into(), (now - REMEMBERED).into()]).await?;
            let sql = "INSERT INTO event (system, id, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
            if tx.execute(sql, [system.into(), event.into(), now.into()]).await? == 0 {
                return Ok(Noted::Before);
            }
        }
        // The latest moment counts: a read that began before it has not seen what it is about.
        let sql = "INSERT INTO hint (system, what, key, at) VALUES ($1, $2, $3, $4) ON CONFLICT (system, what, key) DO UPDATE SET at = excluded.at";
        tx.execute(sql, [system.into(), what.into(), key.into(), now.into()]).await?;
        tx.commit().await?;
        Ok(Noted::Yes)
    }

    /// How many hints of a system wait.
    pub async fn hints(&self, system: &str) -> Result<i64> {
        let row = self.db.row("SELECT COUNT(*) FROM hint WHERE system = $1", [system.into()]).await?;
        row.context("no count")?.get(0)
    }

    /// Takes the hints that came before a read of their system began.
    pub async fn take_hints(&self, system: &str, began: i64) -> Result<()> {
        self.db
            .execute("DELETE FROM hint WHERE system = $1 AND at < $2", [system.into(), began.into()])
            .await?;
        Ok(())
    }
}
