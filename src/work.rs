//! Who works on what: runs are asked for, claimed by one process, and taken over when it dies.
//!
//! On SQLite one process at a time is the engine; it holds a lock beside the file. On PostgreSQL
//! any number of them share the runs; each holds a lock that the server gives up when the process
//! dies, so that its runs can be taken over at once, and a lease for the case that it only hangs.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::sync::watch;

use crate::app::App;
use crate::model::{Message, Run, RunRequest, RunStatus};
use crate::store::db::Hold;
use crate::store::page::Mishap;
use crate::store::run::{Beat, Claim, Requested};
use crate::sync::{self, now};

mod alerts;
mod flows;
mod import;
pub mod pause;
pub mod plan;
pub mod schedule;

use schedule::Tick;

/// How often a run looks whether it should stop.
const WATCH: Duration = Duration::from_millis(300);
/// How often a run in other hands is looked at, in case they let go of it.
const TAKE_OVER: Duration = Duration::from_secs(1);
/// How long the last failed calls of a run may take to be written down.
const LAST_LINES: Duration = Duration::from_secs(2);
/// How many such looks until the next sign of life.
const LOOKS_PER_BEAT: u32 = 30;

/// This process as one that works on runs.
pub struct Engine {
    /// The program it belongs to.
    pub app: Arc<App>,
    id: i64,
    busy: Mutex<HashSet<i64>>,
    _hold: Hold,
}

impl Engine {
    /// Becomes an engine. `None` when the database is SQLite and another process is its engine.
    pub async fn start(app: &Arc<App>) -> Result<Option<Arc<Engine>>> {
        let db = &app.store.db;
        let id = app.store.register_engine(now()).await?;
        let Some(hold) = db.hold(id).await? else { return Ok(None) };
        // The owner map may have been edited since it was last applied.
        sync::owners::catch_up(&app.store, &app.owners).await?;
        Ok(Some(Arc::new(Engine { app: app.clone(), id, busy: Mutex::default(), _hold: hold })))
    }

    /// Works on a run if nobody else does; how it ended, `None` when it was not ours to do.
    pub async fn execute(&self, run: i64) -> Result<Option<RunStatus>> {
        let waiting = self.app.store.waiting_runs().await?;
        let Some((id, system, engine, _)) = waiting.into_iter().find(|(id, ..)| *id == run) else {
            return Ok(None);
        };
        if !self.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(id) {
            return Ok(None);
        }
        let _busy = Busy { engine: self, run: id };
        self.claimed(id, &system, engine).await
    }

    async fn claimed(&self, run: i64, system: &str, engine: Option<i64>) -> Result<Option<RunStatus>> {
        let store = &self.app.store;
        let (source, flow) = (self.app.source(system), self.app.config.flow(system));
        if source.is_none() && flow.is_none() {
            return Ok(None);
        }
        let dead = match engine {
            Some(engine) if !store.db.is_held(engine, Some(self.id)).await? => Some(engine),
            _ => None,
        };
        let Some(claim) = store.claim_run(run, self.id, dead, now()).await? else { return Ok(None) };
        let Some(source) = source else {
            return match flow {
                Some(flow) => self.import(flow, claim).await,
                None => Ok(None),
            };
        };
        let (order, orders) = watch::channel(Beat::GoOn);
        let mut source = source.clone();
        // A person may have given the system a clean slate, and another process may have counted.
        let state = store.system_state(system).await?;
        source.http.gate().set_refused_logins(u32::try_from(state.refused_logins).unwrap_or(0));
        let (told, mut failed) = tokio::sync::mpsc::channel::<Mishap>(64);
        source.http = source.http.observed(Arc::new(move |call| {
            // A full channel loses a line of the run's log, never a row.
            let _ = told.try_send(mishap(call));
        }));
        tracing::info!(run, system, "run begins");
        let keeper = async {
            while let Some(mishap) = failed.recv().await {
                if let Err(error) = store.keep_mishap(run, &mishap).await {
                    tracing::warn!(run, error = format!("{error:#}"), "a failed call was not kept");
                }
            }
        };
        tokio::pin!(keeper);
        let status = {
            let working = sync::run(store, &source, &self.app.owners, claim, orders);
            tokio::select! {
                status = working => status,
                never = watch_over(store, claim, order) => match never {},
                // It ends with the run's own client, not before.
                () = &mut keeper => anyhow::bail!("the log of failed calls ended before the run"),
            }
        };
        // With the client goes the last of the log; the calls that ended the run are still in it.
        drop(source);
        let _ = tokio::time::timeout(LAST_LINES, keeper).await;
        let status = status?;
        self.remember(system, status).await?;
        if status == Some(RunStatus::Succeeded) {
            self.after_reading(system, run).await?;
        }
        tracing::info!(run, system, status = status.map_or("taken over", RunStatus::word), "run ended");
        Ok(status)
    }

    /// Keeps what a run taught about its system: refused logins, a wait that was asked for.
    async fn remember(&self, system: &str, status: Option<RunStatus>) -> Result<()> {
        let Some(source) = self.app.source(system) else { return Ok(()) };
        let store = &self.app.store;
        let gate = source.http.gate();
        let refused = i64::from(gate.refused_logins());
        let not_before = gate.not_before().and_then(|at| {
            let since = at.duration_since(std::time::SystemTime::UNIX_EPOCH).ok()?;
            i64::try_from(since.as_micros()).ok()
        });
        let state = store.system_state(system).await?;
        if (state.refused_logins, state.not_before) != (refused, not_before) {
            store.set_access(system, refused, not_before).await?;
        }
        if refused >= schedule::REFUSALS {
            pause::pause(store, system, "sync", pause::LOGINS_REFUSED).await?;
            tracing::error!(system, "the login was refused three times: the system is paused");
        } else if status == Some(RunStatus::Failed) && refused > 0 {
            store.set_next_run(system, Some(now() + schedule::REST_AFTER_REFUSAL), state.note).await?;
        }
        Ok(())
    }

    /// Works on every run that waits, until `stop` says so; then parks what is under way. With
    /// `schedules` it also asks for the runs that are due.
    pub async fn work(self: Arc<Self>, mut stop: watch::Receiver<bool>, schedules: bool) -> Result<()> {
        let mut tasks = tokio::task::JoinSet::new();
        let mut planning: Option<tokio::task::AbortHandle> = None;
        let mut tick = tokio::time::interval(Duration::from_millis(500));
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                _ = tick.tick() => {}
            }
            if schedules && let Err(error) = self.schedule().await {
                tracing::error!(error = format!("{error:#}"), "the schedule could not be looked at");
            }
            if planning.as_ref().is_none_or(tokio::task::AbortHandle::is_finished) {
                planning = Some(tasks.spawn(self.clone().make_plans()));
            }
            match self.app.store.waiting_runs().await {
                Err(error) => tracing::error!(error = format!("{error:#}"), "runs could not be looked up"),
                Ok(waiting) => {
                    for (run, ..) in waiting {
                        if self.busy.lock().unwrap_or_else(PoisonError::into_inner).contains(&run) {
                            continue;
                        }
                        let engine = self.clone();
                        tasks.spawn(async move {
                            if let Err(error) = engine.execute(run).await {
                                tracing::error!(run, error = format!("{error:#}"), "run broke");
                            }
                        });
                    }
                }
            }
            while tasks.try_join_next().is_some() {}
        }
        // Each page is durable with its checkpoint: dropping the work parks it.
        tasks.shutdown().await;
        Ok(())
    }

    /// Asks for every run that is due.
    async fn schedule(&self) -> Result<()> {
        let app = &self.app;
        sync::settle::points_due(&app.store, &app.owners).await?;
        self.reconcile(now()).await?;
        for system in app.config.systems.iter().filter(|system| system.enabled) {
            let state = app.store.system_state(&system.name).await?;
            let at = now();
            let busy = app.store.active_run(&system.name).await?.is_some();
            let due = system.schedule.as_ref().map(|schedule| {
                (schedule, schedule::tick(state.next_run_at, state.paused_at.is_some(), busy, at))
            });
            let Some((schedule, tick)) = due.filter(|(_, tick)| *tick != Tick::Wait) else {
                if !busy && state.paused_at.is_none() {
                    self.read_after_hints(&system.name, at).await?;
                }
                continue;
            };
            let skipped = Message::new("schedule-skipped").with("system", &system.name);
            let note = (tick == Tick::Skip).then(|| serde_json::to_string(&skipped)).transpose()?;
            let next = schedule.next(jiff::Timestamp::from_microsecond(at)?);
            app.store.set_next_run(&system.name, next.map(jiff::Timestamp::as_microsecond), note).await?;
            if tick == Tick::Run {
                let wanted = RunRequest { system: system.name.clone(), ..RunRequest::default() };
                request(app, Some(self), &wanted, "schedule").await?;
            }
        }
        Ok(())
    }

    /// Seals the audit every second until `stop` says so.
    pub async fn seal(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                _ = tick.tick() => {}
            }
            if let Err(error) = self.app.store.seal().await {
                tracing::error!(error = format!("{error:#}"), "the audit could not be sealed");
            }
        }
    }
}

/// A run this process works on; no longer, however the work ends.
struct Busy<'a> {
    engine: &'a Engine,
    run: i64,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.engine.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.run);
    }
}

/// Works on a run until it is over, or waits while another process does. `own` is this process's
/// engine; where there is none yet it becomes one as soon as nobody else is.
pub async fn see_through(
    app: &Arc<App>,
    own: &tokio::sync::Mutex<Option<Arc<Engine>>>,
    run: i64,
) -> Result<()> {
    loop {
        let engine = {
            let mut own = own.lock().await;
            if own.is_none() && !app.store.db.is_held(0, None).await? {
                *own = Engine::start(app).await?;
            }
            own.clone()
        };
        if let Some(engine) = engine
            && engine.execute(run).await?.is_some()
        {
            return Ok(());
        }
        if app.store.run(run).await?.is_none_or(|run| run.status.is_over()) {
            return Ok(());
        }
        tokio::time::sleep(TAKE_OVER).await;
    }
}

/// Asks for a run of a system. `own` is this process's engine, if it is one.
pub async fn request(app: &App, own: Option<&Engine>, request: &RunRequest, by: &str) -> Result<Requested> {
    let own = own.map(|engine| engine.id);
    let mut orphan = None;
    if let Some(active) = app.store.active_run(&request.system).await? {
        let waiting = app.store.waiting_runs().await?;
        if let Some((id, _, Some(engine), lease)) = waiting.into_iter().find(|(id, ..)| *id == active.id)
            && (lease < now() || !app.store.db.is_held(engine, own).await?)
        {
            orphan = Some(id);
        }
    }
    app.store.request_run(request, by, now(), orphan).await
}

/// Waits until a run is over, telling `each` of every change; the run as it ended.
pub async fn follow(app: &App, run: i64, mut each: impl FnMut(&Run)) -> Result<Run> {
    let mut revision = -1;
    loop {
        let now = app.store.run(run).await?.context("the run is not there any more")?;
        if now.revision != revision {
            revision = now.revision;
            each(&now);
        }
        if now.status.is_over() {
            return Ok(now);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Tells a run when to stop, and the others that it is alive. Never ends by itself.
async fn watch_over(
    store: &crate::store::Store,
    claim: Claim,
    order: watch::Sender<Beat>,
) -> std::convert::Infallible {
    let mut looks = 0;
    loop {
        tokio::time::sleep(WATCH).await;
        looks += 1;
        let beat = if looks % LOOKS_PER_BEAT == 0 {
            store.heartbeat(claim, now()).await
        } else {
            store.should_stop(claim).await
        };
        match beat {
            Ok(beat) => {
                order.send_if_modified(|last| std::mem::replace(last, beat) != beat);
            }
            Err(error) => tracing::warn!(run = claim.run, error = format!("{error:#}"), "no sign of life"),
        }
    }
}

fn mishap(call: &crate::connect::http::FailedCall) -> Mishap {
    Mishap {
        at: now(),
        request: format!("{} {}", call.method, call.path),
        problem: serde_json::to_string(&call.message).unwrap_or_default(),
        attempt: i64::from(call.attempt),
        wait_ms: call.wait.and_then(|wait| i64::try_from(wait.as_millis()).ok()),
    }
}
