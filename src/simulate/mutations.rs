//! What really changed in the office systems, in order: what an audit is held against.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;
use serde_json::Value;

/// One change that took place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mutation {
    /// Milliseconds since the simulator started.
    pub at_ms: u64,
    /// Name of the system.
    pub system: &'static str,
    /// Whose doing it was.
    pub by: By,
    /// What was done.
    pub kind: Kind,
    /// Stream of the record: `identities`, `quotes`, `invoices`; `contacts`, `pre_invoices`.
    pub stream: &'static str,
    /// Key of the record as text: the id of the CRM, the code of the finance system.
    pub key: String,
    /// The record before; null for one that is new.
    pub before: Value,
    /// The record after, also what is never served (`tmpid`), but no password; null when it is gone.
    pub after: Value,
    /// What was sent: `{"ctrlValues","parameters","dataRows"}` of a saved form, word for word; the body
    /// of a request to the CRM, in its own letter case; null where a person did it.
    pub given: Value,
}

/// Whose doing a change was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// A request to the system's API.
    Api,
    /// A person who works in the system.
    Person,
}

/// What was done to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A record is new.
    Create,
    /// A record became another one, or was saved as it was.
    Update,
    /// A record is gone.
    Delete,
    /// A document was written, which nothing takes back.
    Document,
}

/// All changes so far.
#[derive(Debug)]
pub(super) struct Mutations {
    started: Instant,
    all: Mutex<Vec<Mutation>>,
}

impl Mutations {
    /// None yet.
    pub fn new(started: Instant) -> Self {
        Self { started, all: Mutex::default() }
    }

    /// Adds a change; its time is set here.
    pub fn record(&self, change: Mutation) {
        let at_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push(Mutation { at_ms, ..change });
    }

    /// The changes of one system in order; of all when `system` is empty or `*`.
    pub fn of(&self, system: &str) -> Vec<Mutation> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let every = system.is_empty() || system == "*";
        all.iter().filter(|change| every || change.system == system).cloned().collect()
    }

    /// Forgets them all.
    pub fn clear(&self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
