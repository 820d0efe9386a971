//! What people were told of, so that each change of state is told once.

use std::collections::HashMap;

use anyhow::Result;

use super::{Store, Tx};

impl Store {
    /// What was told last on a channel: subject → state.
    pub async fn told(&self, channel: &str) -> Result<HashMap<String, String>> {
        let sql = "SELECT subject, told FROM alert WHERE channel = $1";
        let rows = self.db.rows(sql, [channel.into()]).await?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
    }

    /// Takes it upon this process to tell of a subject, `before` being what was told last, until `until`;
    /// `false` when somebody else does so, or it must rest.
    pub async fn take_alert(
        &self,
        channel: &str,
        subject: &str,
        before: &str,
        now: i64,
        until: i64,
    ) -> Result<bool> {
        let sql = "INSERT INTO alert (channel, subject, told, told_at, not_before) VALUES ($1, $2, $3, 0, $5) ON CONFLICT (channel, subject) DO UPDATE SET not_before = excluded.not_before WHERE alert.told = $3 AND alert.not_before <= $4";
        let args = [channel.into(), subject.into(), before.into(), now.into(), until.into()];
        Ok(self.db.execute(sql, args).await? == 1)
    }
}

/// Notes that it was told.
pub async fn told(tx: &mut Tx, channel: &str, subject: &str, state: &str, now: i64) -> Result<()> {
    let sql = "UPDATE alert SET told = $3, told_at = $4, not_before = 0 WHERE channel = $1 AND subject = $2";
    tx.execute(sql, [channel.into(), subject.into(), state.into(), now.into()]).await?;
    Ok(())
}
