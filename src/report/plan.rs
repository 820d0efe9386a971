//! Plans as documents.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time;
use crate::model::flow::Way;
use crate::store::Store;
use crate::store::plan::{Plan, PlanState};
use crate::sync::flow::forward::{Action, Change};
use crate::sync::flow::planned::Planned;
use crate::words::Words;

/// What a plan may say, in the order it is told.
const ACTIONS: [Action; 5] = [Action::Create, Action::Update, Action::Link, Action::Skip, Action::Case];

/// How long before it was noted that a change was asked for, its delivery may have been, in microseconds.
const ASKED: i64 = 60_000_000;

/// What a flow would do.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PlanDoc {
    /// Its number, where it is kept.
    pub id: Option<i64>,
    /// The flow.
    pub flow: String,
    /// `reading` while both sides are read for it, then `ready` or `failed`.
    pub state: String,
    /// Why it could not be made.
    pub problem: Option<String>,
    /// Who asked for it.
    pub requested_by: Option<String>,
    /// When.
    pub requested_at: Option<String>,
    /// When it was made.
    pub made_at: Option<String>,
    /// The runs that read both sides for it.
    pub runs: Vec<i64>,
    /// Record by record.
    pub changes: Vec<ChangeDoc>,
    /// How many of each action.
    pub counts: BTreeMap<String, u64>,
}

/// What a flow would do about one record.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChangeDoc {
    /// `create`, `update`, `link`, `skip` or `case`.
    pub action: String,
    /// The master's record.
    pub source: String,
    /// The record on the other side.
    pub destination: Option<String>,
    /// What differs.
    pub fields: Vec<FieldDoc>,
    /// Why, in words.
    pub reason: String,
    /// What both said when the plan was made; it is applied to nothing else.
    pub said: [Option<String>; 2],
    /// When it was asked for; null in a plan that is not kept, and as long as nobody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<String>,
    /// Whether it was left out: one of the sides has said something else since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_out: bool,
    /// What became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<BecameDoc>,
}

/// What became of a planned change.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BecameDoc {
    /// The delivery that carries it.
    pub id: i64,
    /// Where that stands.
    pub state: String,
    /// Why, in words.
    pub message: Option<String>,
}

/// A field that differs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FieldDoc {
    /// Its name.
    pub name: String,
    /// What both had when they agreed last.
    pub agreed: Option<String>,
    /// What the master says.
    pub source: Option<String>,
    /// What the other side has.
    pub destination: Option<String>,
    /// What it becomes there.
    pub to: Option<String>,
}

/// A plan that is not kept as a document.
pub fn plan(id: Option<i64>, flow: &str, changes: &[Change], words: &Words) -> PlanDoc {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for action in ACTIONS {
        let count = changes.iter().filter(|change| change.action == action).count();
        counts.insert(action.word().to_owned(), count as u64);
    }
    PlanDoc {
        id,
        flow: flow.to_owned(),
        state: PlanState::Ready.word().to_owned(),
        problem: None,
        requested_by: None,
        requested_at: None,
        made_at: None,
        runs: Vec::new(),
        changes: changes.iter().map(|change| document(change, words)).collect(),
        counts,
    }
}

/// A kept plan as a document, with these of its changes.
pub async fn kept_plan(store: &Store, plan: &Plan, rows: &[Planned], words: &Words) -> Result<PlanDoc> {
    let counted = store.plan_counts(plan.id).await?;
    let count = |action: Action| {
        let of = counted.iter().find(|count| count.action == action.word());
        (action.word().to_owned(), of.map_or(0, |count| u64::try_from(count.all).unwrap_or(0)))
    };
    Ok(PlanDoc {
        id: Some(plan.id),
        flow: plan.flow.clone(),
        state: plan.state.word().to_owned(),
        problem: plan.message.as_ref().map(|message| words.message(message)),
        requested_by: Some(plan.asked_by.clone()),
        requested_at: Some(time(plan.asked_at)),
        made_at: plan.made_at.map(time),
        runs: plan.runs.clone(),
        changes: planned(store, &plan.flow, rows, words).await?,
        counts: ACTIONS.into_iter().map(count).collect(),
    })
}

/// Changes of a kept plan, and what became of those that were asked for.
async fn planned(store: &Store, flow: &str, rows: &[Planned], words: &Words) -> Result<Vec<ChangeDoc>> {
    let asked: Vec<&str> =
        rows.iter().filter(|row| row.applied_at.is_some()).map(|row| row.change.source.as_str()).collect();
    let latest = store.latest_deliveries(flow, Way::Forward, &asked).await?;
    let became = |row: &Planned| {
        let since = row.applied_at?;
        // Asked for together with it, or before it and not over then.
        let own = latest.iter().find(|one| {
            one.record == row.change.source
                && (one.queued_at >= since - ASKED || one.ended_at.is_none_or(|at| at >= since))
        })?;
        Some(BecameDoc {
            id: own.id,
            state: own.state.word().to_owned(),
            message: own.message.as_ref().map(|message| words.message(message)),
        })
    };
    let view = |row: &Planned| ChangeDoc {
        applied_at: row.applied_at.map(time),
        left_out: row.left_out_at.is_some(),
        delivery: became(row),
        ..document(&row.change, words)
    };
    Ok(rows.iter().map(view).collect())
}

fn document(change: &Change, words: &Words) -> ChangeDoc {
    let field = |field: &crate::sync::flow::compare::Difference| FieldDoc {
        name: field.name.word().to_owned(),
        agreed: field.agreed.clone(),
        source: field.source.clone(),
        destination: field.destination.clone(),
        to: field.to.clone(),
    };
    ChangeDoc {
        action: change.action.word().to_owned(),
        source: change.source.clone(),
        destination: change.destination.clone(),
        fields: change.fields.iter().map(field).collect(),
        reason: change.told.as_ref().map_or_else(|| words.text(&change.reason), |told| words.message(told)),
        said: [Some(change.said.clone()), change.expects.clone()],
        applied_at: None,
        left_out: false,
        delivery: None,
    }
}
