//! A run of an import: both sides are read first, then the flow does its work.

use anyhow::Result;
use tokio::sync::watch;

use super::{Engine, follow, request, watch_over};
use crate::model::flow::Way;
use crate::model::{Flow, Message, RunRequest, RunStatus};
use crate::store::run::{Beat, Claim, Requested};
use crate::sync::flow::{Road, import};
use crate::sync::now;

/// A side that was read whole so many microseconds ago need not be read again first.
const FRESH: i64 = 600_000_000;

impl Engine {
    /// Works on a claimed import; how it ended, `None` when it was taken away.
    pub(super) async fn import(&self, flow: &Flow, claim: Claim) -> Result<Option<RunStatus>> {
        let (order, orders) = watch::channel(Beat::GoOn);
        let work = async {
            match (Road::new(&self.app, flow, Way::Import), self.read_both(flow, claim).await?) {
                (_, Some(message)) => {
                    import::end(&self.app.store, flow, claim, RunStatus::Incomplete, Some(message)).await
                }
                (None, None) => {
                    let id = if flow.bills.is_some() { "flow-no-import" } else { "flow-system-off" };
                    let message = Message::new(id).with("flow", &flow.name);
                    import::end(&self.app.store, flow, claim, RunStatus::Failed, Some(message)).await
                }
                (Some(road), None) => import::run(&road, self.id, claim, &orders).await,
            }
        };
        tokio::select! {
            status = work => status,
            never = watch_over(&self.app.store, claim, order) => match never {},
        }
    }

    /// Reads both sides of a flow, unless that has just been done; why it could not be done whole.
    async fn read_both(&self, flow: &Flow, claim: Claim) -> Result<Option<Message>> {
        let begun = self.app.store.stages(claim.run).await?.iter().any(|stage| stage.started_at.is_some());
        for system in [&flow.to, &flow.from] {
            if begun || self.is_fresh(system).await? {
                continue;
            }
            let wanted = RunRequest { system: system.clone(), ..RunRequest::default() };
            let run = match request(&self.app, Some(self), &wanted, "import").await? {
                Requested::Begun(run) | Requested::Joined(run) | Requested::TakenUp(run) => run,
                Requested::Paused => {
                    return Ok(Some(
                        Message::new("flow-system-paused").with("flow", &flow.name).with("system", system),
                    ));
                }
            };
            Box::pin(self.execute(run)).await?;
            if follow(&self.app, run, |_| {}).await?.status != RunStatus::Succeeded {
                let message = Message::new("flow-not-read").with("flow", &flow.name).with("system", system);
                return Ok(Some(message.with("run", run)));
            }
        }
        Ok(None)
    }

    async fn is_fresh(&self, system: &str) -> Result<bool> {
        let last = self.app.store.last_run(system).await?;
        Ok(last.is_some_and(|run| {
            let whole = run.status == RunStatus::Succeeded && run.limit.is_none();
            whole && run.finished_at.is_some_and(|at| now() - at < FRESH)
        }))
    }
}
