//! Runs and their stages: what was done, how far, and whether it adds up.

use serde::{Deserialize, Serialize};

use super::amount::Sums;
use super::disposition::{Counts, Reason};
use super::message::Message;

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// Asked for, not begun.
    Queued,
    /// Under way (or interrupted, and waiting to be taken up again).
    Running,
    /// Everything read, everything explained.
    Succeeded,
    /// Done, but not in agreement with the source; the stages say where.
    Incomplete,
    /// Stopped by an error.
    Failed,
    /// Stopped by a person.
    Cancelled,
}

impl RunStatus {
    /// The word stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            RunStatus::Queued => "queued",
            RunStatus::Running => "running",
            RunStatus::Succeeded => "succeeded",
            RunStatus::Incomplete => "incomplete",
            RunStatus::Failed => "failed",
            RunStatus::Cancelled => "cancelled",
        }
    }

    /// The status of that word.
    pub fn of(word: &str) -> Option<RunStatus> {
        use RunStatus::{Cancelled, Failed, Incomplete, Queued, Running, Succeeded};
        [Queued, Running, Succeeded, Incomplete, Failed, Cancelled].into_iter().find(|s| s.word() == word)
    }

    /// Whether nothing more will happen.
    pub fn is_over(self) -> bool {
        !matches!(self, RunStatus::Queued | RunStatus::Running)
    }
}

/// What is asked of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunRequest {
    /// The system it is about.
    pub system: String,
    /// Start anew and read everything, instead of taking up an interrupted run.
    pub full: bool,
    /// Limits what is read of dated streams, in days.
    pub days: Option<i64>,
    /// Take the first so many clients and what hangs on them.
    pub limit: Option<i64>,
    /// The import of a flow, whose name stands for the system's.
    pub import: bool,
}

/// One execution. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// `pull` or `import`.
    pub kind: String,
    /// The system it is about.
    pub system: String,
    /// `full` or `changes`.
    pub mode: String,
    /// See [`RunRequest::days`].
    pub days: Option<i64>,
    /// See [`RunRequest::limit`].
    pub limit: Option<i64>,
    /// Where it is.
    pub status: RunStatus,
    /// 0 – 100.
    pub progress: i64,
    /// Its parts, in order.
    pub stages: Vec<Stage>,
    /// Why it failed or is incomplete.
    pub error: Option<Message>,
    /// Who asked for it.
    pub requested_by: String,
    /// When it was asked for.
    pub queued_at: i64,
    /// When it began.
    pub started_at: Option<i64>,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// Changes with every change of the run; the event id of its progress stream.
    pub revision: i64,
    /// Whether somebody asked for it to stop.
    pub cancel: bool,
}

/// Where a stage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StageStatus {
    /// Not begun.
    Waiting,
    /// Reading pages.
    Running,
    /// Done and adding up.
    Succeeded,
    /// Done, not adding up.
    Incomplete,
    /// Stopped by an error.
    Failed,
}

impl StageStatus {
    /// The word stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            StageStatus::Waiting => "waiting",
            StageStatus::Running => "running",
            StageStatus::Succeeded => "succeeded",
            StageStatus::Incomplete => "incomplete",
            StageStatus::Failed => "failed",
        }
    }

    /// The status of that word.
    pub fn of(word: &str) -> Option<StageStatus> {
        use StageStatus::{Failed, Incomplete, Running, Succeeded, Waiting};
        [Waiting, Running, Succeeded, Incomplete, Failed].into_iter().find(|s| s.word() == word)
    }
}

/// One stream of a run.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Its place in the run, from 0.
    pub position: i64,
    /// The stream.
    pub name: String,
    /// Where it is.
    pub status: StageStatus,
    /// Its share of the run's progress.
    pub weight: i64,
    /// Rows read in the current pass.
    pub done: u64,
    /// Rows expected, if the source says so.
    pub total: Option<u64>,
    /// Passes begun.
    pub passes: i64,
    /// Pages stored in the current pass.
    pub pages: i64,
    /// Where the next page starts.
    pub next_cursor: Option<String>,
    /// Rows by disposition, of the last pass.
    pub counts: Counts,
    /// Why rows were left out, with their sums.
    pub reasons: Vec<Reason>,
    /// Sums over the different rows read and stored.
    pub read_sums: Sums,
    /// What the source said on the first page of the pass.
    pub first_totals: Option<String>,
    /// Rows the source says it has.
    pub source_count: Option<u64>,
    /// The source's own sums.
    pub source_sums: Sums,
    /// What shows that the read reached the end: `total` or `end_of_list`.
    pub proof: Option<String>,
    /// The way the source let itself be read, where it was not the usual one; a word of the catalogue.
    pub way: Option<String>,
    /// Records in the mirror afterwards.
    pub stored_count: Option<u64>,
    /// Their sums.
    pub stored_sums: Sums,
    /// Records marked gone.
    pub gone: u64,
    /// Records not in the answer, which means nothing for this stream.
    pub absent: u64,
    /// Rows left unread on request (`--limit`).
    pub not_read: u64,
    /// Why it failed or is incomplete.
    pub error: Option<Message>,
    /// When it began.
    pub started_at: Option<i64>,
    /// When its last page was stored.
    pub read_at: Option<i64>,
    /// When it ended.
    pub finished_at: Option<i64>,
}

impl Stage {
    /// A stage that has not begun.
    pub fn waiting(position: i64, name: &str, weight: u32) -> Stage {
        Stage {
            position,
            name: name.to_owned(),
            status: StageStatus::Waiting,
            weight: i64::from(weight),
            done: 0,
            total: None,
            passes: 0,
            pages: 0,
            next_cursor: None,
            counts: Counts::default(),
            reasons: Vec::new(),
            read_sums: Sums::default(),
            first_totals: None,
            source_count: None,
            source_sums: Sums::default(),
            proof: None,
            way: None,
            stored_count: None,
            stored_sums: Sums::default(),
            gone: 0,
            absent: 0,
            not_read: 0,
            error: None,
            started_at: None,
            read_at: None,
            finished_at: None,
        }
    }

    /// Rows the source has and we cannot account for: source count − (read − duplicate) − not read.
    /// `None` as long as the source has not said how many there are.
    pub fn unexplained(&self) -> Option<i64> {
        let source = i64::try_from(self.source_count?).ok()?;
        Some(source - self.counts.distinct() as i64 - self.not_read as i64)
    }

    /// How far the stage is, 0.0 – 1.0.
    pub fn fraction(&self) -> f64 {
        match self.status {
            StageStatus::Waiting => 0.0,
            StageStatus::Running => match self.total {
                Some(total) if total > 0 => (self.done as f64 / total as f64).min(1.0),
                _ => 0.0,
            },
            StageStatus::Succeeded | StageStatus::Incomplete | StageStatus::Failed => 1.0,
        }
    }
}

/// Progress of a whole run, 0 – 100, by the weights of its stages.
pub fn progress(stages: &[Stage]) -> i64 {
    let weight: i64 = stages.iter().map(|stage| stage.weight).sum();
    let done: f64 = stages.iter().map(|stage| stage.weight as f64 * stage.fraction()).sum();
    if weight == 0 { 0 } else { (100.0 * done / weight as f64).floor() as i64 }
}
