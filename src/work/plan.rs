//! Plans that are kept: asked for with a read of both sides, and made when these are over.

use std::sync::Arc;

use anyhow::Result;

use super::{Engine, request};
use crate::app::App;
use crate::model::flow::Way;
use crate::model::{Flow, Message, RunRequest};
use crate::store::run::Requested;
use crate::store::{audit, plan};
use crate::sync::flow::{Road, planned};
use crate::sync::now;

/// Asks for a plan of a flow, and for both sides to be read for it; its number, or why it cannot be made.
pub async fn ask(
    app: &Arc<App>,
    own: Option<&Engine>,
    flow: &Flow,
    by: &str,
) -> Result<Result<i64, Message>> {
    if Road::new(app, flow, Way::Forward).is_none() {
        return Ok(Err(Message::new("flow-system-off").with("flow", &flow.name)));
    }
    for system in [&flow.from, &flow.to] {
        if app.store.system_state(system).await?.paused_at.is_some() {
            return Ok(Err(paused(flow, system)));
        }
    }
    let mut runs = Vec::new();
    for system in [&flow.from, &flow.to] {
        let wanted = RunRequest { system: system.clone(), ..RunRequest::default() };
        match request(app, own, &wanted, by).await? {
            Requested::Begun(run) | Requested::Joined(run) | Requested::TakenUp(run) => runs.push(run),
            Requested::Paused => return Ok(Err(paused(flow, system))),
        }
    }
    let mut tx = app.store.begin().await?;
    let id = plan::ask(&mut tx, &flow.name, &runs, by, now()).await?;
    let subject = format!("{} plan {id}", flow.name);
    let entry =
        audit::NewEntry { actor: by, action: "plan.asked", subject: &subject, ..audit::NewEntry::default() };
    audit::write(&mut tx, entry, now()).await?;
    tx.commit().await?;
    Ok(Ok(id))
}

fn paused(flow: &Flow, system: &str) -> Message {
    Message::new("flow-system-paused").with("flow", &flow.name).with("system", system)
}

impl Engine {
    /// Makes the plans whose sides have been read.
    pub(super) async fn make_plans(self: Arc<Self>) {
        let waiting = match self.app.store.plans_to_make().await {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "plans could not be looked up");
                return;
            }
        };
        for plan in waiting {
            if let Err(error) = planned::make(&self.app, &plan).await {
                tracing::error!(plan = plan.id, error = format!("{error:#}"), "a plan was not made");
            }
        }
    }
}
