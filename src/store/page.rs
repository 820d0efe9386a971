//! Pages: the checkpoint of a read, what it saw, and what else is kept of it.

use anyhow::Result;

use super::run::Claim;
use super::{Store, Tx, Value};
use crate::model::{Disposition, Oddity};

/// Oddities kept of one rule and run; the counts stay exact beyond it.
pub const ODDITIES_KEPT: i64 = 1000;

/// What is kept of a stored page.
#[derive(Debug)]
pub struct Checkpoint {
    /// The stage.
    pub position: i64,
    /// The pass.
    pub pass: i64,
    /// The page within the pass, from 1.
    pub number: i64,
    /// Rows read.
    pub rows: u64,
    /// Digest over the old and new fingerprints of what changed; `None` when nothing did.
    pub digest: Option<Vec<u8>>,
    /// Ids of the records it saw, packed.
    pub seen: Vec<u8>,
}

/// Stores a checkpoint.
pub async fn store(tx: &mut Tx, claim: Claim, page: Checkpoint, now: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO page (run_id, position, pass, number, rows_read, at, digest, seen) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            claim.run.into(),
            page.position.into(),
            page.pass.into(),
            page.number.into(),
            page.rows.into(),
            now.into(),
            page.digest.into(),
            page.seen.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Keeps rows that were not stored, up to the cap of their rule.
pub async fn keep_oddities(
    tx: &mut Tx,
    claim: Claim,
    position: i64,
    pass: i64,
    oddities: &[Oddity],
) -> Result<()> {
    for oddity in oddities {
        tx.execute(
            "INSERT INTO oddity (run_id, position, pass, disposition, rule, field, key, raw) SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS TEXT), CAST($5 AS TEXT), CAST($6 AS TEXT), CAST($7 AS TEXT), CAST($8 AS TEXT) WHERE (SELECT COUNT(*) FROM oddity WHERE run_id = $1 AND position = $2 AND rule = $5) < $9",
            [
                claim.run.into(),
                position.into(),
                pass.into(),
                oddity.disposition.word().into(),
                oddity.rule.as_str().into(),
                oddity.field.as_str().into(),
                oddity.key.clone().into(),
                oddity.raw.as_str().into(),
                ODDITIES_KEPT.into(),
            ],
        )
        .await?;
    }
    Ok(())
}

/// Forgets what earlier passes of a stage kept, before a new pass begins.
pub async fn new_pass(tx: &mut Tx, claim: Claim, position: i64) -> Result<()> {
    tx.execute("DELETE FROM oddity WHERE run_id = $1 AND position = $2", [claim.run.into(), position.into()])
        .await?;
    Ok(())
}

/// Drops what the pages of earlier runs of the system saw: only the latest run's is ever asked for.
pub async fn forget_seen(tx: &mut Tx, system: &str, run: i64) -> Result<()> {
    tx.execute(
        "UPDATE page SET seen = NULL WHERE seen IS NOT NULL AND run_id IN (SELECT id FROM run WHERE system = $1 AND id < $2)",
        [system.into(), run.into()],
    )
    .await?;
    Ok(())
}

/// A failed HTTP call of a run.
#[derive(Debug, Clone)]
pub struct Mishap {
    /// When, in microseconds.
    pub at: i64,
    /// Method and path, without secrets.
    pub request: String,
    /// What went wrong, in the catalogue's form.
    pub problem: String,
    /// Which attempt it was.
    pub attempt: i64,
    /// How long was waited before the next, in milliseconds.
    pub wait_ms: Option<i64>,
}

impl Store {
    /// What the pages of a stage saw, packed, per pass.
    pub async fn seen(&self, run: i64, position: i64, pass: i64) -> Result<Vec<Vec<u8>>> {
        let sql = "SELECT seen FROM page WHERE run_id = $1 AND position = $2 AND pass = $3 AND seen IS NOT NULL ORDER BY number";
        let rows = self.db.rows(sql, [run.into(), position.into(), pass.into()]).await?;
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Keeps a failed HTTP call of a run, up to 500.
    pub async fn keep_mishap(&self, run: i64, mishap: &Mishap) -> Result<()> {
        let args: [Value; 7] = [
            run.into(),
            mishap.at.into(),
            mishap.request.as_str().into(),
            mishap.problem.as_str().into(),
            mishap.attempt.into(),
            mishap.wait_ms.into(),
            500_i64.into(),
        ];
        self.db
            .execute(
                "INSERT INTO mishap (run_id, at, request, problem, attempt, wait_ms) SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT), CAST($6 AS BIGINT) WHERE (SELECT COUNT(*) FROM mishap WHERE run_id = $1) < $7",
                args,
            )
            .await?;
        Ok(())
    }

    /// The failed HTTP calls of a run, in order.
    pub async fn mishaps(&self, run: i64) -> Result<Vec<Mishap>> {
        let sql = "SELECT at, request, problem, attempt, wait_ms FROM mishap WHERE run_id = $1 ORDER BY id";
        let rows = self.db.rows(sql, [run.into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(Mishap {
                    at: row.get(0)?,
                    request: row.get(1)?,
                    problem: row.get(2)?,
                    attempt: row.get(3)?,
                    wait_ms: row.get(4)?,
                })
            })
            .collect()
    }

    /// Rejected rows of a stage that have no key, as far as they were kept.
    pub async fn nameless_rows(&self, run: i64, position: i64) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM oddity WHERE run_id = $1 AND position = $2 AND key IS NULL";
        self.db.row(sql, [run.into(), position.into()]).await?.map_or(Ok(0), |row| row.get(0))
    }

    /// Rows of a stage that were not stored or came twice; of one rule if named.
    pub async fn oddities(
        &self,
        run: i64,
        position: i64,
        rule: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Oddity>> {
        let sql = "SELECT disposition, rule, field, key, raw FROM oddity WHERE run_id = $1 AND position = $2 AND ($3 = '' OR rule = $3) ORDER BY id LIMIT $4";
        let args = [run.into(), position.into(), rule.unwrap_or("").into(), limit.into()];
        let rows = self.db.rows(sql, args).await?;
        rows.iter()
            .map(|row| {
                let word: String = row.get(0)?;
                Ok(Oddity {
                    disposition: Disposition::of(&word).unwrap_or(Disposition::Rejected),
                    rule: row.get(1)?,
                    field: row.get(2)?,
                    key: row.get(3)?,
                    raw: row.get(4)?,
                })
            })
            .collect()
    }
}
