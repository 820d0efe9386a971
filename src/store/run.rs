//! Runs and stages: asking for them, claiming them, and how far they are.

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;

use super::{Row, Store, Tx, audit};
use crate::model::{Message, Run, RunRequest, RunStatus, Stage, StageStatus};

/// How often a run under way is looked at until it and its stages are of one moment.
const LOOKS: usize = 5;
const RUN: &str = "SELECT id, kind, system, mode, days, take, status, progress, error, requested_by, queued_at, started_at, finished_at, revision, cancel FROM run";
const STAGE: &str = "SELECT position, name, status, weight, done, total, passes, pages, next_cursor, counts, reasons, read_sums, first_totals, source_count, source_sums, proof, stored_count, stored_sums, gone, absent, not_read, error, started_at, read_at, finished_at, way FROM stage";

/// A run that this process works on: every write names the epoch, so that a process that was taken
/// over writes nothing more.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// The run.
    pub run: i64,
    /// Counts the times it was claimed.
    pub epoch: i64,
}

/// How long a claim holds without a sign of life, in microseconds.
pub const LEASE: i64 = 45_000_000;

/// Microseconds after which a run that was stopped is not gone on with unless a person says so.
const GOES_ON_WITHIN: i64 = 3_600_000_000;

impl Store {
    /// Asks for a run. One of the system that is queued or running already is joined. An interrupted
    /// run that was asked for in another way is cancelled first; `orphan` is a running one that nobody
    /// works on. A paused system is not read.
    pub async fn request_run(
        &self,
        request: &RunRequest,
        by: &str,
        now: i64,
        orphan: Option<i64>,
    ) -> Result<Requested> {
        let mode = if request.full { "full" } else { "changes" };
        let mut tx = self.begin().await?;
        if let Some(active) = self.active_run(&request.system).await? {
            let same = !request.full && active.days == request.days && active.limit == request.limit;
            if same && (orphan == Some(active.id) || active.status == RunStatus::Queued) {
                return Ok(Requested::TakenUp(active.id));
            }
            if orphan != Some(active.id) {
                return Ok(Requested::Joined(active.id));
            }
            tx.execute(
                "UPDATE run SET status = 'cancelled', finished_at = $1, revision = revision + 1, epoch = epoch + 1 WHERE id = $2 AND status = 'running'",
                [now.into(), active.id.into()],
            )
            .await?;
        }
        let row = tx
            .row(
                "INSERT INTO run (kind, system, mode, days, take, status, requested_by, queued_at) SELECT CAST($7 AS TEXT), CAST($1 AS TEXT), CAST($2 AS TEXT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), 'queued', CAST($5 AS TEXT), CAST($6 AS BIGINT) WHERE NOT EXISTS (SELECT 1 FROM system_state WHERE system = $1 AND paused_at IS NOT NULL) ON CONFLICT DO NOTHING RETURNING id",
                [
                    request.system.as_str().into(),
                    mode.into(),
                    request.days.into(),
                    request.limit.into(),
                    by.into(),
                    now.into(),
                    if request.import { "import" } else { "pull" }.into(),
                ],
            )
            .await?;
        if let Some(row) = row {
            let id = row.get(0)?;
            note(&mut tx, id, "run.requested", by, now).await?;
            tx.commit().await?;
            return Ok(Requested::Begun(id));
        }
        drop(tx);
        if let Some(active) = self.active_run(&request.system).await? {
            return Ok(Requested::Joined(active.id));
        }
        if self.system_state(&request.system).await?.paused_at.is_some() {
            return Ok(Requested::Paused);
        }
        // What was in the way has just ended.
        Box::pin(self.request_run(request, by, now, None)).await
    }

    /// The queued or running run of a system.
    pub async fn active_run(&self, system: &str) -> Result<Option<Run>> {
        let sql = format!("{RUN} WHERE system = $1 AND status IN ('queued', 'running')");
        self.one_run(&sql, system.into()).await
    }

    /// The last run of a system that is over, whatever its end.
    pub async fn last_run(&self, system: &str) -> Result<Option<Run>> {
        let sql = format!(
            "{RUN} WHERE system = $1 AND status NOT IN ('queued', 'running') ORDER BY id DESC LIMIT 1"
        );
        self.one_run(&sql, system.into()).await
    }

    /// The run of that number.
    pub async fn run(&self, id: i64) -> Result<Option<Run>> {
        self.one_run(&format!("{RUN} WHERE id = $1"), id.into()).await
    }

    async fn one_run(&self, sql: &str, arg: super::Value) -> Result<Option<Run>> {
        let Some(row) = self.db.row(sql, [arg]).await? else { return Ok(None) };
        let mut run = read_run(&row)?;
        for _ in 0..LOOKS {
            run.stages = self.stages(run.id).await?;
            if run.status.is_over() {
                break;
            }
            // A page that was stored between the two looks has moved both.
            let again = self.db.row(&format!("{RUN} WHERE id = $1"), [run.id.into()]).await?;
            let Some(again) = again.as_ref().map(read_run).transpose()? else { return Ok(None) };
            if again.revision == run.revision {
                break;
            }
            run = Run { stages: std::mem::take(&mut run.stages), ..again };
        }
        Ok(Some(run))
    }

    /// Runs, newest first, below the number `before`; of one system if named.
    pub async fn runs(&self, system: Option<&str>, before: Option<i64>, limit: i64) -> Result<Vec<Run>> {
        let sql =
            format!("{RUN} WHERE ($1 = '' OR system = $1) AND ($2 = 0 OR id < $2) ORDER BY id DESC LIMIT $3");
        let args = [system.unwrap_or("").into(), before.unwrap_or(0).into(), limit.into()];
        let mut runs = Vec::new();
        for row in self.db.rows(&sql, args).await? {
            let mut run = read_run(&row)?;
            run.stages = self.stages(run.id).await?;
            runs.push(run);
        }
        Ok(runs)
    }

    /// How many runs there are, of one system if named.
    pub async fn count_runs(&self, system: Option<&str>) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM run WHERE ($1 = '' OR system = $1)";
        self.db.row(sql, [system.unwrap_or("").into()]).await?.context("no count")?.get(0)
    }

    /// The stages of a run, in order.
    pub async fn stages(&self, run: i64) -> Result<Vec<Stage>> {
        let sql = format!("{STAGE} WHERE run_id = $1 ORDER BY position");
        self.db.rows(&sql, [run.into()]).await?.iter().map(read_stage).collect()
    }

    /// Runs that wait for somebody to work on them, or whose worker gave no sign of life:
    /// id, system, and the engine that had it.
    pub async fn waiting_runs(&self) -> Result<Vec<(i64, String, Option<i64>, i64)>> {
        let sql = "SELECT id, system, engine, lease_until FROM run WHERE status IN ('queued', 'running') ORDER BY id";
        self.db
            .rows(sql, [])
            .await?
            .iter()
            .map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
            .collect()
    }

    /// Takes a run that is queued, whose lease ran out, or that belonged to the engine `dead`.
    /// `None` when somebody else was quicker.
    pub async fn claim_run(
        &self,
        run: i64,
        engine: i64,
        dead: Option<i64>,
        now: i64,
    ) -> Result<Option<Claim>> {
        let mut tx = self.begin().await?;
        let row = tx
            .row(
                "UPDATE run SET status = 'running', engine = $2, epoch = epoch + 1, lease_until = $3, started_at = COALESCE(started_at, $4), revision = revision + 1 WHERE id = $1 AND (status = 'queued' OR (status = 'running' AND (lease_until < $4 OR engine = $5))) RETURNING epoch",
                [run.into(), engine.into(), (now + LEASE).into(), now.into(), dead.into()],
            )
            .await?;
        tx.commit().await?;
        row.map(|row| Ok(Claim { run, epoch: row.get(0)? })).transpose()
    }

    /// Gives a sign of life; whether the run is still ours, and whether it should stop.
    pub async fn heartbeat(&self, claim: Claim, now: i64) -> Result<Beat> {
        let mut tx = self.begin().await?;
        let row = tx
            .row(
                "UPDATE run SET lease_until = $3 WHERE id = $1 AND epoch = $2 AND status = 'running' RETURNING cancel",
                [claim.run.into(), claim.epoch.into(), (now + LEASE).into()],
            )
            .await?;
        tx.commit().await?;
        Ok(match row {
            None => Beat::Lost,
            Some(row) if row.get::<i64>(0)? != 0 => Beat::Cancel,
            Some(_) => Beat::GoOn,
        })
    }

    /// Whether somebody asked for the run to stop, or took it over.
    pub async fn should_stop(&self, claim: Claim) -> Result<Beat> {
        let sql = "SELECT cancel FROM run WHERE id = $1 AND epoch = $2 AND status = 'running'";
        Ok(match self.db.row(sql, [claim.run.into(), claim.epoch.into()]).await? {
            None => Beat::Lost,
            Some(row) if row.get::<i64>(0)? != 0 => Beat::Cancel,
            Some(_) => Beat::GoOn,
        })
    }

    /// Asks a run to stop. One that nobody has begun ends at once. `false` when it is over already.
    pub async fn cancel_run(&self, run: i64, by: &str, now: i64) -> Result<bool> {
        let mut tx = self.begin().await?;
        let queued = tx
            .execute(
                "UPDATE run SET status = 'cancelled', finished_at = $2, revision = revision + 1 WHERE id = $1 AND status = 'queued'",
                [run.into(), now.into()],
            )
            .await?;
        let running = tx
            .execute(
                "UPDATE run SET cancel = 1, revision = revision + 1 WHERE id = $1 AND status = 'running'",
                [run.into()],
            )
            .await?;
        if queued + running == 0 {
            return Ok(false);
        }
        note(&mut tx, run, "run.cancelled", by, now).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Takes the latest run of a system up again if it was stopped in the middle a short while ago and
    /// was asked for in the same way; which one that is.
    pub async fn resume_stopped(&self, request: &RunRequest, by: &str, now: i64) -> Result<Option<i64>> {
        let last = self.last_run(&request.system).await?;
        let same = |run: &Run| !request.full && run.days == request.days && run.limit == request.limit;
        // What it read longer ago may be so no more: then everything is read.
        let recent = |run: &Run| run.finished_at.is_some_and(|at| now - at < GOES_ON_WITHIN);
        let Some(run) = last.filter(|run| run.status == RunStatus::Cancelled && recent(run) && same(run))
        else {
            return Ok(None);
        };
        Ok(self.resume_run(run.id, by, now).await?.then_some(run.id))
    }

    /// Takes a cancelled or failed run up again at the page where it stopped. `false` when it is not
    /// over, is not its system's latest, or the system is paused.
    pub async fn resume_run(&self, run: i64, by: &str, now: i64) -> Result<bool> {
        let mut tx = self.begin().await?;
        let changed = tx
            .execute(
                "UPDATE run SET status = 'queued', cancel = 0, error = NULL, finished_at = NULL, revision = revision + 1 WHERE id = $1 AND status IN ('cancelled', 'failed') AND NOT EXISTS (SELECT 1 FROM run other WHERE other.system = run.system AND other.status IN ('queued', 'running')) AND NOT EXISTS (SELECT 1 FROM run later WHERE later.system = run.system AND later.id > run.id) AND NOT EXISTS (SELECT 1 FROM system_state held WHERE held.system = run.system AND held.paused_at IS NOT NULL)",
                [run.into()],
            )
            .await?;
        if changed == 0 {
            return Ok(false);
        }
        // One that has begun goes on at its checkpoint.
        tx.execute(
                "UPDATE stage SET status = CASE WHEN passes > 0 THEN 'running' ELSE 'waiting' END, error = NULL, finished_at = NULL WHERE run_id = $1 AND status = 'failed'",
                [run.into()],
            )
            .await?;
        note(&mut tx, run, "run.resumed", by, now).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// What became of a request for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requested {
    /// It is queued.
    Begun(i64),
    /// One is under way already.
    Joined(i64),
    /// One that nobody works on was there: queued, or left behind by a process that died.
    TakenUp(i64),
    /// The system is paused.
    Paused,
}

/// Writes into the audit what somebody did to a run.
async fn note(tx: &mut Tx, run: i64, action: &str, by: &str, now: i64) -> Result<()> {
    let row = tx.row("SELECT system FROM run WHERE id = $1", [run.into()]).await?;
    let system: String = row.context("the run is not there any more")?.get(0)?;
    let entry =
        audit::NewEntry { actor: by, action, subject: &system, run: Some(run), ..audit::NewEntry::default() };
    audit::write(tx, entry, now).await
}

/// What a sign of life is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// Still ours.
    GoOn,
    /// Ours, and somebody asked for it to stop.
    Cancel,
    /// Somebody else has it.
    Lost,
}

/// Writes the state of a stage and of its run. An error when the run is not ours any more: nothing
/// of the transaction may happen then.
pub async fn save(tx: &mut Tx, claim: Claim, stage: &Stage, progress: i64, now: i64) -> Result<()> {
    touch(tx, claim, progress, now).await?;
    tx.execute(
        "UPDATE stage SET status = $3, done = $4, total = $5, passes = $6, pages = $7, next_cursor = $8, counts = $9, reasons = $10, read_sums = $11, first_totals = $12, source_count = $13, source_sums = $14, proof = $15, stored_count = $16, stored_sums = $17, gone = $18, absent = $19, not_read = $20, error = $21, started_at = $22, read_at = $23, finished_at = $24, way = $25 WHERE run_id = $1 AND position = $2",
        [
            claim.run.into(),
            stage.position.into(),
            stage.status.word().into(),
            stage.done.into(),
            stage.total.map(|n| n as i64).into(),
            stage.passes.into(),
            stage.pages.into(),
            stage.next_cursor.clone().into(),
            serde_json::to_string(&stage.counts)?.into(),
            serde_json::to_string(&stage.reasons)?.into(),
            serde_json::to_string(&stage.read_sums)?.into(),
            stage.first_totals.clone().into(),
            stage.source_count.map(|n| n as i64).into(),
            serde_json::to_string(&stage.source_sums)?.into(),
            stage.proof.clone().into(),
            stage.stored_count.map(|n| n as i64).into(),
            serde_json::to_string(&stage.stored_sums)?.into(),
            stage.gone.into(),
            stage.absent.into(),
            stage.not_read.into(),
            stage.error.as_ref().map(serde_json::to_string).transpose()?.into(),
            stage.started_at.into(),
            stage.read_at.into(),
            stage.finished_at.into(),
            stage.way.clone().into(),
        ],
    )
    .await?;
    Ok(())
}

/// Makes sure that the run is still ours, and moves its progress forward, never back.
pub async fn touch(tx: &mut Tx, claim: Claim, progress: i64, now: i64) -> Result<()> {
    let ours = tx
        .execute(
            "UPDATE run SET progress = CASE WHEN $3 > progress THEN $3 ELSE progress END, lease_until = $4, revision = revision + 1 WHERE id = $1 AND epoch = $2 AND status = 'running'",
            [claim.run.into(), claim.epoch.into(), progress.into(), (now + LEASE).into()],
        )
        .await?;
    anyhow::ensure!(ours == 1, TakenOver);
    Ok(())
}

/// Another process has claimed the run; this one must stop without another word.
#[derive(Debug, thiserror::Error)]
#[error("the run was taken over by another process, or ended")]
pub struct TakenOver;

/// Creates the stages of a run that has none.
pub async fn create_stages(tx: &mut Tx, claim: Claim, stages: &[Stage]) -> Result<()> {
    for stage in stages {
        tx.execute(
            "INSERT INTO stage (run_id, position, name, status, weight) VALUES ($1, $2, $3, $4, $5)",
            [
                claim.run.into(),
                stage.position.into(),
                stage.name.as_str().into(),
                stage.status.word().into(),
                stage.weight.into(),
            ],
        )
        .await?;
    }
    Ok(())
}

/// Ends a run. One that did not come to the end of its lists stays as far as it was.
pub async fn finish(
    tx: &mut Tx,
    claim: Claim,
    status: RunStatus,
    to_the_end: bool,
    error: Option<&Message>,
    now: i64,
) -> Result<()> {
    touch(tx, claim, if to_the_end { 100 } else { 0 }, now).await?;
    tx.execute(
        "UPDATE run SET status = $2, error = $3, finished_at = $4, lease_until = 0, revision = revision + 1 WHERE id = $1",
        [
            claim.run.into(),
            status.word().into(),
            error.map(serde_json::to_string).transpose()?.into(),
            now.into(),
        ],
    )
    .await?;
    Ok(())
}

fn read_run(row: &Row) -> Result<Run> {
    let status: String = row.get(6)?;
    Ok(Run {
        id: row.get(0)?,
        kind: row.get(1)?,
        system: row.get(2)?,
        mode: row.get(3)?,
        days: row.get(4)?,
        limit: row.get(5)?,
        status: RunStatus::of(&status).with_context(|| format!("unknown run status {status}"))?,
        progress: row.get(7)?,
        stages: Vec::new(),
        error: read_json(row.get::<Option<String>>(8)?)?,
        requested_by: row.get(9)?,
        queued_at: row.get(10)?,
        started_at: row.get(11)?,
        finished_at: row.get(12)?,
        revision: row.get(13)?,
        cancel: row.get::<i64>(14)? != 0,
    })
}

fn read_stage(row: &Row) -> Result<Stage> {
    let status: String = row.get(2)?;
    let count =
        |index| -> Result<Option<u64>> { Ok(row.get::<Option<i64>>(index)?.map(|n| n.max(0) as u64)) };
    Ok(Stage {
        position: row.get(0)?,
        name: row.get(1)?,
        status: StageStatus::of(&status).with_context(|| format!("unknown stage status {status}"))?,
        weight: row.get(3)?,
        done: count(4)?.unwrap_or(0),
        total: count(5)?,
        passes: row.get(6)?,
        pages: row.get(7)?,
        next_cursor: row.get(8)?,
        counts: read_json(row.get(9)?)?.unwrap_or_default(),
        reasons: read_json(row.get(10)?)?.unwrap_or_default(),
        read_sums: read_json(row.get(11)?)?.unwrap_or_default(),
        first_totals: row.get(12)?,
        source_count: count(13)?,
        source_sums: read_json(row.get(14)?)?.unwrap_or_default(),
        proof: row.get(15)?,
        stored_count: count(16)?,
        stored_sums: read_json(row.get(17)?)?.unwrap_or_default(),
        gone: count(18)?.unwrap_or(0),
        absent: count(19)?.unwrap_or(0),
        not_read: count(20)?.unwrap_or(0),
        error: read_json(row.get(21)?)?,
        started_at: row.get(22)?,
        read_at: row.get(23)?,
        finished_at: row.get(24)?,
        way: row.get(25)?,
    })
}

fn read_json<T: DeserializeOwned>(text: Option<String>) -> Result<Option<T>> {
    text.map(|text| serde_json::from_str(&text).context("a stored value cannot be read")).transpose()
}
