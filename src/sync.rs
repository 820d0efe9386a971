//! One run, from the first page to the last customer.
//!
//! A run reads the streams of one system in order ([`pull`]), holds each against what the source
//! says of it ([`verdict`]), and brings the customers whose records changed up to date
//! ([`settle`]). Whatever ends it, the customers are consistent with the stored records.

use std::future::Future;

use anyhow::Result;
use tokio::sync::watch;

use crate::connect::{Connector, Error, Stream, System, http};
use crate::model::{Message, RunStatus, Stage, StageStatus};
use crate::store::run::{self, Beat, Claim, TakenOver};
use crate::store::{Store, audit};

pub mod alarm;
pub mod decide;
pub mod flow;
pub mod gone;
pub mod health;
pub mod map;
pub mod matching;
pub mod owners;
pub mod parity;
pub mod pull;
pub mod seen;
pub mod settle;
pub mod shares;
pub mod verdict;

use map::Choice;
use owners::OwnerSettings;

/// A system ready to be read.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name in the configuration.
    pub name: String,
    /// How it is read.
    pub connector: System,
    /// The way to it.
    pub http: http::Http,
    /// The owner set on it.
    pub owner: Option<String>,
    /// Rows per page.
    pub page_size: u32,
    /// Requests at the same time.
    pub concurrency: usize,
}

/// Why a run does not go on.
#[derive(Debug)]
pub enum Stop {
    /// A person asked for it.
    Cancelled,
    /// Another process has the run: not a word more from this one.
    Lost,
    /// A page cannot be had: what was read stays, the rest is missing.
    Incomplete(Message),
    /// It cannot go on.
    Failed(Message),
    /// Something of ours broke.
    Internal(anyhow::Error),
}

impl From<anyhow::Error> for Stop {
    fn from(error: anyhow::Error) -> Self {
        if error.is::<TakenOver>() { Stop::Lost } else { Stop::Internal(error) }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(message, _) | Error::Unexpected(message) => Stop::Incomplete(message),
            Error::Login(message) | Error::Rejected(message) => Stop::Failed(message),
        }
    }
}

/// A run in the hands of this process.
pub struct Turn<'a> {
    /// The database.
    pub store: &'a Store,
    /// The system.
    pub source: &'a Source,
    /// The right to write.
    pub claim: Claim,
    /// Take the first so many clients.
    pub limit: Option<i64>,
    /// Days that windowed lists are read of.
    pub days: Option<u32>,
    /// Today's date in UTC.
    pub today: jiff::civil::Date,
    stages: Vec<Stage>,
    orders: watch::Receiver<Beat>,
}

impl Turn<'_> {
    /// The run's progress when `stage` is as given. The last part is the customers'.
    fn progress(&self, stage: &Stage) -> i64 {
        if let Some((from, to)) = stream_of(self.source, &stage.name).and_then(|stream| stream.band) {
            return from + ((to - from) as f64 * stage.fraction()) as i64;
        }
        let mut stages = self.stages.clone();
        if let Some(own) = stages.iter_mut().find(|own| own.position == stage.position) {
            own.clone_from(stage);
        }
        crate::model::run::progress(&stages) * 9 / 10
    }

    /// The run's progress when so many of `all` customers are added up. Where people know the lists by
    /// their part of it, that is none of them.
    fn progress_of_customers(&self, done: usize, all: usize) -> i64 {
        let known = self.source.connector.streams().iter().filter_map(|stream| stream.band);
        known.map(|(_, to)| to).max().unwrap_or(90 + (done * 9 / all.max(1)) as i64)
    }

    /// Whether somebody asked the run to stop.
    fn is_cancelled(&self) -> bool {
        *self.orders.borrow() == Beat::Cancel
    }

    /// Waits for something remote, but not longer than the run may go on.
    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, Stop> {
        let mut orders = self.orders.clone();
        tokio::select! {
            biased;
            order = orders.wait_for(|order| *order != Beat::GoOn) => {
                Err(order.map_or(Stop::Lost, |order| if *order == Beat::Lost { Stop::Lost } else { Stop::Cancelled }))
            }
            done = work => Ok(done),
        }
    }
}

/// Microseconds since 1970 UTC. Here and in [`today`] the engine looks at the clock, nowhere else.
pub fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

/// Today's date in UTC.
pub fn today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Works on a claimed run until it ends or is taken away; how it ended (`None`: taken away).
/// `orders` tells when to stop.
pub async fn run(
    store: &Store,
    source: &Source,
    owners: &OwnerSettings,
    claim: Claim,
    orders: watch::Receiver<Beat>,
) -> Result<Option<RunStatus>> {
    let Some(run) = store.run(claim.run).await? else { anyhow::bail!("run {} does not exist", claim.run) };
    let mut stages = run.stages.clone();
    if stages.is_empty() {
        stages = begin(store, source, claim).await?;
    }
    let days = run.days.and_then(|days| u32::try_from(days).ok());
    let mut turn = Turn { store, source, claim, limit: run.limit, days, today: today(), stages, orders };
    let mut stopped = streams(&mut turn).await;
    if !matches!(stopped, Err(Stop::Lost)) {
        // Also after a failure: what was stored must be findable and counted. By the rules of this
        // moment: somebody may have changed them while the lists were read.
        let rules = owners.rules(&source.name, &store.owner_rules().await?);
        let settled = settle::customers(&turn, &rules).await;
        if stopped.is_ok() {
            stopped = settled;
        }
    }
    end(&turn, stopped).await
}

async fn begin(store: &Store, source: &Source, claim: Claim) -> Result<Vec<Stage>> {
    let streams = source.connector.streams();
    let stages: Vec<Stage> = streams
        .iter()
        .enumerate()
        .map(|(position, stream)| Stage::waiting(position as i64, stream.name, stream.weight))
        .collect();
    let mut tx = store.begin().await?;
    run::create_stages(&mut tx, claim, &stages).await?;
    crate::store::page::forget_seen(&mut tx, &source.name, claim.run).await?;
    tx.commit().await?;
    Ok(stages)
}

/// Reads every stream that is not done yet.
async fn streams(turn: &mut Turn<'_>) -> Result<(), Stop> {
    let mut choice = turn.limit.map(|limit| Choice::first(usize::try_from(limit).unwrap_or(0)));
    for index in 0..turn.stages.len() {
        let stage = turn.stages[index].clone();
        let Some(stream) = stream_of(turn.source, &stage.name) else { continue };
        if stage.status == StageStatus::Waiting || stage.status == StageStatus::Running {
            let read = pull::stream(turn, stream, stage, choice.take()).await;
            match read {
                Ok((stage, taken)) => {
                    turn.stages[index] = stage;
                    choice = taken;
                }
                Err(stop) => {
                    mark_stopped(turn, index, &stop).await?;
                    return Err(stop);
                }
            }
        } else if let Some(choice) = &mut choice {
            pull::recall(turn, stream, &stage, choice).await?;
        }
    }
    Ok(())
}

/// Writes into the stage why it does not go on.
async fn mark_stopped(turn: &mut Turn<'_>, index: usize, stop: &Stop) -> Result<(), Stop> {
    let (status, message) = match stop {
        Stop::Incomplete(message) => (StageStatus::Incomplete, message),
        Stop::Failed(message) => (StageStatus::Failed, message),
        Stop::Cancelled | Stop::Lost | Stop::Internal(_) => return Ok(()),
    };
    let name = turn.stages[index].name.clone();
    let stages = turn.store.stages(turn.claim.run).await?;
    let Some(mut stage) = stages.into_iter().find(|stage| stage.name == name) else { return Ok(()) };
    stage.status = status;
    stage.error = Some(message.clone());
    stage.finished_at = Some(now());
    turn.stages[index] = stage;
    // Those that come after it are not read this time.
    for index in index..turn.stages.len() {
        show_stored(turn, index).await?;
    }
    Ok(())
}

/// Writes into a stage what is stored of its stream, and saves it.
async fn show_stored(turn: &mut Turn<'_>, index: usize) -> Result<(), Stop> {
    let stage = &mut turn.stages[index];
    let Some(stream) = stream_of(turn.source, &stage.name) else { return Ok(()) };
    let stream_id = turn.store.stream(&turn.source.name, stream.name).await?;
    let (count, sums) = turn.store.stored(stream, stream_id, None).await?;
    (stage.stored_count, stage.stored_sums) = (Some(count), sums);
    let mut tx = turn.store.begin().await?;
    run::save(&mut tx, turn.claim, stage, 0, now()).await?;
    Ok(tx.commit().await?)
}

/// Ends the run in the store.
async fn end(turn: &Turn<'_>, stopped: Result<(), Stop>) -> Result<Option<RunStatus>> {
    let to_the_end = stopped.is_ok();
    let (status, error) = match stopped {
        Ok(()) => match turn.stages.iter().find(|stage| stage.status == StageStatus::Incomplete) {
            Some(stage) => (RunStatus::Incomplete, stage.error.clone()),
            None => (RunStatus::Succeeded, None),
        },
        Err(Stop::Incomplete(message)) => (RunStatus::Incomplete, Some(message)),
        Err(Stop::Failed(message)) => (RunStatus::Failed, Some(message)),
        Err(Stop::Cancelled) => (RunStatus::Cancelled, None),
        Err(Stop::Lost) => return Ok(None),
        Err(Stop::Internal(error)) => {
            tracing::error!(
                run = turn.claim.run,
                system = turn.source.name,
                error = format!("{error:#}"),
                "run broke"
            );
            let message = Message::new("run-broke")
                .with("system", &turn.source.name)
                .with("problem", format!("{error:#}"));
            (RunStatus::Failed, Some(message))
        }
    };
    let now = now();
    let mut tx = turn.store.begin().await?;
    match run::finish(&mut tx, turn.claim, status, to_the_end, error.as_ref(), now).await {
        Err(error) if error.is::<TakenOver>() => return Ok(None),
        other => other?,
    }
    let entry = audit::NewEntry {
        actor: "sync",
        action: "run.ended",
        subject: &turn.source.name,
        run: Some(turn.claim.run),
        reason: error.as_ref().map(|message| message.id.as_str()),
        after: Some(serde_json::json!({ "status": status.word() }).to_string()),
        ..audit::NewEntry::default()
    };
    audit::write(&mut tx, entry, now).await?;
    tx.commit().await?;
    Ok(Some(status))
}

/// The stream of that name.
pub fn stream_of(source: &Source, name: &str) -> Option<&'static Stream> {
    source.connector.streams().iter().find(|stream| stream.name == name)
}
