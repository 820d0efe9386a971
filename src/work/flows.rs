//! What flows do by themselves: after the master was read they ask for what differs, and deliveries are
//! worked off all the time.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use jiff::tz::TimeZone;
use tokio::sync::watch;

use super::{Engine, schedule};
use crate::model::flow::Way;
use crate::model::{RunRequest, RunStatus};
use crate::store::flow;
use crate::sync::flow::{Road, confirm, documents, forward, push};
use crate::sync::{Stop, now};

/// How often it is looked whether something is due.
const LOOK: Duration = Duration::from_millis(500);
/// How long a system rests whose last read did not succeed, before a hint has it read again, in microseconds.
const AFTER_FAILURE: i64 = 30_000_000;
/// How long a flow rests whose system cannot be reached.
const REST: Duration = Duration::from_secs(15);

impl Engine {
    /// Asks for a read of a system whose webhooks said that something changed, but not at once after one that
    /// could not be done.
    pub(super) async fn read_after_hints(&self, system: &str, at: i64) -> Result<()> {
        let store = &self.app.store;
        if store.hints(system).await? == 0 {
            return Ok(());
        }
        let last = store.last_run(system).await?;
        let failed = last.filter(|run| run.status != RunStatus::Succeeded).and_then(|run| run.finished_at);
        if failed.is_some_and(|ended| at - ended < AFTER_FAILURE) {
            return Ok(());
        }
        let wanted = RunRequest { system: system.to_owned(), ..RunRequest::default() };
        super::request(&self.app, Some(self), &wanted, "webhook").await?;
        Ok(())
    }

    /// After a system was read whole, flows look at what was written to it, and those that go out from it at
    /// what has changed in it.
    pub(super) async fn after_reading(&self, system: &str, run: i64) -> Result<()> {
        let Some(read) = self.app.store.run(run).await?.filter(|run| run.limit.is_none()) else {
            // Who is missing in a part of a list says nothing.
            return Ok(());
        };
        let began = read.started_at.unwrap_or(0);
        self.app.store.take_hints(system, began).await?;
        for flow in &self.app.config.flows {
            for road in [Way::Import, Way::Forward, Way::Back].map(|way| Road::new(&self.app, flow, way)) {
                if let Some(road) = road.filter(|road| road.target.name == system) {
                    confirm::look(&road, began, run).await?;
                }
            }
        }
        // Accounting parties come with the contacts.
        for flow in self.app.config.flows.iter().filter(|flow| flow.to == system && flow.bills.is_some()) {
            if let Some(road) = Road::new(&self.app, flow, Way::Forward) {
                documents::wake(&road).await?;
            }
        }
        for flow in self.app.config.flows.iter().filter(|flow| flow.from == system) {
            let live = self.app.store.flow_state(&flow.name).await?.live_since.is_some();
            let Some(road) = Road::new(&self.app, flow, Way::Forward).filter(|_| live) else { continue };
            self.app.store.mark_source_gone(&flow.name, system, road.from).await?;
            let asked = forward::notice(&road, Some(run), "edit", false).await?;
            if asked > 0 {
                tracing::info!(flow = flow.name, run, asked, "deliveries asked for");
            }
        }
        Ok(())
    }

    /// Holds both sides of live flows against each other whole, each at its time of the night: what was edited
    /// on the side that follows, or missed, is found.
    pub(super) async fn reconcile(&self, at: i64) -> Result<()> {
        let store = &self.app.store;
        for flow in &self.app.config.flows {
            let Some(time) = flow.reconcile else { continue };
            let state = store.flow_state(&flow.name).await?;
            let zone = self.app.config.system(&flow.from).and_then(|system| system.timezone.clone());
            let Some(due) = schedule::last_time_of_day(time, &zone.unwrap_or(TimeZone::UTC), at) else {
                continue;
            };
            let since = state.reconciled_at.or(state.live_since);
            if since.is_none_or(|since| since >= due)
                || store.system_state(&flow.name).await?.paused_at.is_some()
            {
                continue;
            }
            let Some(road) = Road::new(&self.app, flow, Way::Forward) else { continue };
            let mut tx = store.begin().await?;
            if flow::reconcile(&mut tx, &flow.name, state.reconciled_at, at).await? {
                tx.commit().await?;
                let asked = forward::notice(&road, None, "reconcile", true).await?;
                tracing::info!(flow = flow.name, asked, "both sides were held against each other");
            }
        }
        Ok(())
    }

    /// Works off what live flows have to write, until `stop` says so. What is under way then is brought to
    /// its end.
    pub async fn deliver(self: Arc<Self>, stop: watch::Receiver<bool>) {
        let mut flows = tokio::task::JoinSet::new();
        for flow in &self.app.config.flows {
            // Imports are worked off by their runs.
            for way in [Way::Forward, Way::Back] {
                let Some(road) = Road::new(&self.app, flow, way) else { continue };
                let (engine, stop) = (self.clone(), stop.clone());
                flows.spawn(async move { engine.deliver_one(&road, stop).await });
            }
        }
        while flows.join_next().await.is_some() {}
    }

    /// Works off what a road has to write until nothing is open; a command that is the engine does this.
    pub async fn work_off(&self, road: &Arc<Road>) -> Result<(), Stop> {
        push::work_off(road, self.id, || false).await?;
        let Some(bills) = &road.flow.bills else { return Ok(()) };
        let flow = self.app.config.flow(&bills.after);
        let Some(customers) = flow.and_then(|flow| Road::new(&self.app, flow, Way::Forward)) else {
            return Ok(());
        };
        // Customers that documents wait for, and then these.
        push::work_off(&customers, self.id, || false).await?;
        push::work_off(road, self.id, || false).await
    }

    async fn deliver_one(&self, road: &Arc<Road>, mut stop: watch::Receiver<bool>) {
        let mut rest = LOOK;
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(rest) => {}
            }
            rest = match self.deliver_due(road, &stop).await {
                Ok(()) => LOOK,
                Err(Stop::Internal(error)) => {
                    tracing::error!(flow = road.flow.name, error = format!("{error:#}"), "deliveries broke");
                    REST
                }
                Err(Stop::Incomplete(message) | Stop::Failed(message)) => {
                    tracing::warn!(flow = road.flow.name, why = %message, "deliveries wait");
                    REST
                }
                Err(Stop::Cancelled | Stop::Lost) => REST,
            };
        }
    }

    async fn deliver_due(&self, road: &Arc<Road>, stop: &watch::Receiver<bool>) -> Result<(), Stop> {
        let store = &self.app.store;
        if let Some(bills) = &road.flow.bills {
            store.wake_deliveries(&road.flow.name, &bills.after).await?;
        }
        let due = store.next_delivery(&road.flow.name, road.way).await?.is_some_and(|at| at <= now());
        // Of a flow that is not live only what a person asked for is there.
        if due {
            push::work_off(road, self.id, || *stop.borrow()).await?;
        }
        Ok(())
    }
}
