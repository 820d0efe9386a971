//! What has become of a plan that was applied.

use anyhow::Result;
use serde::Serialize;

use super::forward::{Action, Change};
use crate::model::Flow;
use crate::model::flow::{State, Way};
use crate::store::Store;
use crate::store::delivery::Delivery;
use crate::store::link::Side;

/// What became of a plan.
#[derive(Debug, Default, Serialize)]
pub struct Applied {
    /// The flow.
    pub flow: String,
    /// Written and confirmed.
    pub written: i64,
    /// Linked, or in agreement already.
    pub unchanged: i64,
    /// Changed after the plan was made, and left out.
    pub left_out: i64,
    /// Wait for a person.
    pub cases: i64,
    /// Refused, or tried as often as may be.
    pub errors: i64,
    /// Of unknown outcome, or not sent yet.
    pub open: i64,
}

/// Whether deliveries of a plan are open, and nobody has paused them.
pub async fn is_under_way(store: &Store, flow: &Flow, changes: &[Change]) -> Result<bool> {
    for name in [&flow.name, &flow.to] {
        if store.system_state(name).await?.paused_at.is_some() {
            return Ok(false);
        }
    }
    let keys: Vec<&str> = changes.iter().map(|change| change.source.as_str()).collect();
    let latest = store.latest_deliveries(&flow.name, Way::Forward, &keys).await?;
    if latest.iter().any(Delivery::is_under_way) {
        return Ok(true);
    }
    let Some(bills) = &flow.bills else { return Ok(false) };
    let customers: Vec<&str> = latest.iter().filter_map(|delivery| delivery.waits_for.as_deref()).collect();
    let latest = store.latest_deliveries(&bills.after, Way::Forward, &customers).await?;
    if latest.iter().any(Delivery::is_under_way) {
        return Ok(true);
    }
    // Whose customer is linked is woken in a moment.
    Ok(!store.links_of(&bills.after, Side::Source, &customers).await?.is_empty())
}

/// What became of the deliveries of a plan.
pub async fn of(store: &Store, flow: &Flow, changes: &[Change], began: i64) -> Result<Applied> {
    let mut applied = Applied { flow: flow.name.clone(), ..Applied::default() };
    let keys: Vec<&str> = changes.iter().map(|change| change.source.as_str()).collect();
    let latest = store.latest_deliveries(&flow.name, Way::Forward, &keys).await?;
    let latest: Vec<_> =
        latest.into_iter().filter(|latest| latest.ended_at.is_none_or(|ended| ended >= began)).collect();
    // What is delivered speaks for itself.
    let asked = changes.iter().filter(|change| change.action == Action::Case);
    let asked = asked.filter(|change| !latest.iter().any(|latest| latest.record == change.source));
    applied.cases = asked.count() as i64;
    for delivery in latest {
        let moved = delivery.message.as_ref().is_some_and(|message| message.id == "push-moved");
        match delivery.state {
            State::Confirmed | State::Verified => applied.written += 1,
            State::Superseded if moved => applied.left_out += 1,
            State::Superseded => applied.unchanged += 1,
            State::Held => applied.cases += 1,
            State::Rejected | State::Dead => applied.errors += 1,
            _ => applied.open += 1,
        }
    }
    if flow.bills.is_some() {
        // What was sent may be asked about as well, now or earlier.
        applied.cases = store.count_cases(Some("open"), Some(&flow.name)).await?;
    }
    Ok(applied)
}
