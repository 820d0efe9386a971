//! From claimed to sent, of whatever kind: what will be written is put on record, and then the request goes
//! out, once.

use anyhow::Result;

use super::{Hand, Sent, Stop};
use crate::connect::{Connector as _, Write};
use crate::failpoint;
use crate::model::document::PreInvoice;
use crate::model::flow::State;
use crate::model::{Contact, Field, Fingerprint};
use crate::store::delivery::{self, Prepared, Step};
use crate::sync::now;

/// What is to be written.
pub(super) struct Task {
    /// The record it is written to; `None` for a new one.
    pub target: Option<String>,
    /// What is written.
    pub what: What,
    /// The highest key that is there now, where a new record could not be told by anything else.
    pub mark: Option<i64>,
    /// What the record says, as it is told later whether it says something else.
    pub stands: Option<Fingerprint>,
    /// What is kept of it.
    pub sent: Sent,
}

/// What is written.
pub(super) enum What {
    /// A customer.
    Contact {
        /// The target's row as it was read; empty for a new one.
        now: String,
        /// The fields that differ; none for a new one.
        fields: Vec<Field>,
        /// What it will be.
        contact: Contact,
        /// What the target keeps as its number elsewhere.
        known_by: String,
    },
    /// A pre-invoice.
    Document(Box<PreInvoice>),
}

impl What {
    fn fields(&self) -> &[Field] {
        match self {
            What::Contact { fields, .. } => fields,
            What::Document(_) => &[],
        }
    }

    fn write<'a>(&'a self, target: Option<&'a str>) -> Write<'a> {
        match (self, target) {
            (What::Document(document), _) => Write::Document(document),
            (What::Contact { now, fields, contact, known_by }, Some(key)) => {
                Write::Update { key, now, contact, fields, mark: known_by }
            }
            (What::Contact { contact, known_by, .. }, None) => Write::Create { contact, mark: known_by },
        }
    }
}

impl Hand {
    /// Puts the task on record and sends it, once.
    pub(super) async fn send(&self, task: Task) -> Result<(), Stop> {
        let (before, payload) = (task.sent.before.as_ref(), &task.sent.after);
        let prepared = Prepared {
            action: if task.target.is_some() { "update" } else { "create" },
            target: task.target.as_deref(),
            payload,
            before,
            mark: task.mark,
            wished: task.sent.agreed.as_ref(),
            fields: task.what.fields(),
            said: task.stands,
        };
        let mut tx = self.store().begin().await?;
        if !delivery::prepare(&mut tx, self.lease, &prepared, now()).await? {
            return Ok(());
        }
        self.note(&mut tx, "delivery.prepared", before, Some(payload), None).await?;
        self.goes_on(&mut tx).await?;
        tx.commit().await?;
        failpoint("delivery prepared");

        // A target that asked to wait is not waited for with a request on record as sent.
        let gate = self.road.target.http.gate().not_before();
        if let Some(wait) = gate.and_then(|at| at.duration_since(std::time::SystemTime::now()).ok()) {
            let until = now() + i64::try_from(wait.as_micros()).unwrap_or(i64::MAX / 2);
            let message = self.message("push-waits");
            return Ok(self.leave(State::Prepared, State::Prepared, &message, until).await?);
        }
        let sent_at = now();
        let until = self.settled_at(sent_at) + delivery::LEASE;
        let mut tx = self.store().begin().await?;
        if !delivery::send(&mut tx, self.lease, sent_at, until).await? {
            // Somebody else has it.
            return Ok(());
        }
        tx.commit().await?;
        failpoint("delivery sent");

        let write = task.what.write(task.target.as_deref());
        let outcome = self.road.target.connector.write(&self.road.target.http, &write).await;
        let told = delivery::Delivery { target: task.target, ..self.delivery.clone() };
        let hand = Hand { road: self.road.clone(), lease: self.lease, delivery: told };
        hand.answered(self.delivery.attempt + 1, &task.sent, outcome).await
    }

    /// It was not done: it is tried again, or has been tried often enough.
    pub(super) async fn again(&self) -> Result<()> {
        let message = self.message("push-not-there");
        let attempt = self.delivery.attempt;
        let step = if self.is_exhausted(attempt) {
            Step::new(State::Uncertain, State::Dead)
        } else {
            Step {
                not_before: self.next_attempt(attempt, None),
                ..Step::new(State::Uncertain, State::Prepared)
            }
        };
        let mut tx = self.store().begin().await?;
        let step = Step { message: Some(&message), ..step };
        if delivery::step(&mut tx, self.lease, &step, now()).await? {
            self.note(&mut tx, "delivery.not_done", None, None, Some(&message.id)).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
