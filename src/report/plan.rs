//! Plans as documents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::sync::flow::forward::{Action, Change};
use crate::words::Words;

/// What a flow would do.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PlanDoc {
    /// Its number, where it was saved.
    pub id: Option<i64>,
    /// The flow.
    pub flow: String,
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

/// A plan as a document.
pub fn plan(id: Option<i64>, flow: &str, changes: &[Change], words: &Words) -> PlanDoc {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for action in [Action::Create, Action::Update, Action::Link, Action::Case] {
        let count = changes.iter().filter(|change| change.action == action).count();
        counts.insert(action.word().to_owned(), count as u64);
    }
    let changes = changes.iter().map(|change| ChangeDoc {
        action: change.action.word().to_owned(),
        source: change.source.clone(),
        destination: change.destination.clone(),
        fields: change
            .fields
            .iter()
            .map(|field| FieldDoc {
                name: field.name.word().to_owned(),
                agreed: field.agreed.clone(),
                source: field.source.clone(),
                destination: field.destination.clone(),
                to: field.to.clone(),
            })
            .collect(),
        reason: words.text(&change.reason),
        said: [Some(change.said.clone()), change.expects.clone()],
    });
    PlanDoc { id, flow: flow.to_owned(), changes: changes.collect(), counts }
}
