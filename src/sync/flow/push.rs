//! Working deliveries off, each by the write protocol.
//!
//! ```text
//! pending   → claimed     a lease with owner and epoch
//! claimed   → prepared    the target was read; what will be written and what it replaces are on record
//! prepared  → sent        on record before the request goes out
//! sent      → confirmed   done: link, what is there now and the audit in one transaction
//! sent      → rejected    refused; waits for a person
//! sent      → prepared    refused for now, or never got there
//! sent      → uncertain   it may have been done, or may yet be
//! uncertain → …           looked for after the settle time
//! ```
//!
//! The machine is one for all; what is written, and how it is looked for, is of `contact` or `document`.
//!
//! No transaction is open during a request, and a process that was taken over writes nothing more.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;

use super::super::{Stop, now};
use super::Road;
use crate::connect::{Error, Outcome};
use crate::failpoint;
use crate::model::flow::{Entity, State};
use crate::model::{Contact, Content, Fingerprint, Message};
use crate::store::delivery::{self, Delivery, Lease, Step};
use crate::store::{Store, Tx, audit};

mod contact;
pub(super) mod document;
mod outcome;
mod restore;
mod send;

/// Deliveries looked up at a time.
const SOME: i64 = 50;
/// How often it is looked whether something is due.
const LOOK: Duration = Duration::from_millis(300);
/// How long a delivery rests whose target could not be read, in microseconds.
const REST: i64 = 15_000_000;

/// A delivery in the hands of this process.
pub(super) struct Hand {
    pub road: Arc<Road>,
    pub lease: Lease,
    pub delivery: Delivery,
}

/// Works on the deliveries of a road until none is open, or `stopped` says so. What is under way is
/// brought to an end first.
pub async fn work_off(road: &Arc<Road>, engine: i64, stopped: impl Fn() -> bool) -> Result<(), Stop> {
    let store = &road.app.store;
    let mut busy = HashSet::new();
    let mut waiting = VecDeque::new();
    // Each a task of its own: what holds a transaction open must not wait for whoever waits for one.
    let mut under_way = JoinSet::new();
    let mut ended = Ok(());
    loop {
        let going_on = ended.is_ok() && !stopped() && !paused(road).await?;
        if let Some(bills) = &road.flow.bills {
            store.wake_deliveries(&road.flow.name, &bills.after).await?;
        }
        if going_on && waiting.is_empty() && under_way.len() < road.target.concurrency {
            waiting.extend(store.due_deliveries(&road.flow.name, road.way, now(), SOME).await?);
        }
        while going_on && under_way.len() < road.target.concurrency {
            let Some(delivery) = waiting.pop_front() else { break };
            if busy.contains(&delivery.id) {
                continue;
            }
            if let Some(hand) = take(road, engine, delivery).await? {
                let id = hand.delivery.id;
                busy.insert(id);
                under_way.spawn(async move { (id, hand.go().await) });
            }
        }
        if under_way.is_empty() {
            if !going_on {
                return ended;
            }
            match store.next_delivery(&road.flow.name, road.way).await? {
                None => return Ok(()),
                Some(_) => tokio::time::sleep(LOOK).await,
            }
            continue;
        }
        tokio::select! {
            Some(joined) = under_way.join_next() => {
                let (id, done) = joined.map_err(|error| Stop::Internal(error.into()))?;
                busy.remove(&id);
                if ended.is_ok() {
                    ended = done;
                }
            }
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Whether a person stopped the flow, or the system it writes to.
async fn paused(road: &Road) -> Result<bool> {
    let store = &road.app.store;
    let flow = store.system_state(&road.flow.name).await?;
    Ok(flow.paused_at.is_some() || store.system_state(&road.target.name).await?.paused_at.is_some())
}

/// Claims a delivery, unless a living process has it.
async fn take(road: &Arc<Road>, engine: i64, seen: Delivery) -> Result<Option<Hand>> {
    let store = &road.app.store;
    let now = now();
    if let Some(holder) = seen.engine {
        let alive = holder == engine || store.db.is_held(holder, Some(engine)).await?;
        if alive && seen.lease_until > now {
            return Ok(None);
        }
    }
    if seen.state == State::Sent {
        let settle = i64::try_from(road.settle.as_micros())?;
        store.orphan_delivery(&seen, seen.sent_at.unwrap_or(now) + settle).await?;
        return Ok(None);
    }
    let Some(lease) = store.claim_delivery(&seen, engine, now).await? else { return Ok(None) };
    failpoint("delivery claimed");
    Ok(Some(Hand { road: road.clone(), lease, delivery: seen }))
}

impl Hand {
    async fn go(self) -> Result<(), Stop> {
        let done = match self.delivery.state {
            State::Uncertain => self.resolve().await,
            _ => match self.prepare().await {
                Ok(Some(task)) => self.send(task).await,
                other => other.map(|_| ()),
            },
        };
        failpoint("delivery left");
        done
    }

    /// What is to be written; `None` when that is decided otherwise.
    async fn prepare(&self) -> Result<Option<send::Task>, Stop> {
        match self.road.flow.entity {
            Entity::Customer if self.is_restore() => self.prepare_restore().await,
            Entity::Customer => self.prepare_contact().await,
            Entity::Quote | Entity::Invoice => self.prepare_document().await,
        }
    }

    /// Looks for what was sent, where that can be told.
    async fn resolve(&self) -> Result<(), Stop> {
        failpoint("delivery resolving");
        match self.road.flow.entity {
            Entity::Customer => self.resolve_contact().await?,
            Entity::Quote | Entity::Invoice => self.resolve_document().await?,
        }
        failpoint("delivery resolved");
        Ok(())
    }

    fn store(&self) -> &Store {
        &self.road.app.store
    }

    /// What it is about, for the audit and for messages.
    fn subject(&self) -> String {
        let road = &*self.road;
        let target = self.delivery.target.as_deref().unwrap_or("new");
        format!(
            "{} {}/{} → {}/{target}",
            road.flow.name, road.origin.name, self.delivery.record, road.target.name
        )
    }

    /// A message about this delivery.
    fn message(&self, id: &str) -> Message {
        Message::new(id)
            .with("flow", &self.road.flow.name)
            .with("record", &self.delivery.record)
            .with("from", &self.road.origin.name)
            .with("to", &self.road.target.name)
    }

    /// Writes an entry of the audit about it.
    async fn note(
        &self,
        tx: &mut Tx,
        action: &str,
        before: Option<&Content>,
        after: Option<&Content>,
        reason: Option<&str>,
    ) -> Result<()> {
        let text = |content: Option<&Content>| content.map(serde_json::to_string).transpose();
        let subject = self.subject();
        let entry = audit::NewEntry {
            actor: "push",
            action,
            subject: &subject,
            run: self.delivery.run,
            reason,
            before: text(before)?,
            after: text(after)?,
        };
        audit::write(tx, entry, now()).await
    }

    /// Leaves it in a state where nothing was sent, and says why in the audit.
    async fn leave(&self, from: State, to: State, message: &Message, not_before: i64) -> Result<()> {
        let mut tx = self.store().begin().await?;
        let step = Step { message: Some(message), not_before, ..Step::new(from, to) };
        if delivery::step(&mut tx, self.lease, &step, now()).await? {
            self.note(&mut tx, &format!("delivery.{}", to.word()), None, None, Some(&message.id)).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// The target cannot be read now: the delivery waits, and so does whoever works on this road.
    async fn unread(&self, from: State, error: Error) -> Result<(), Stop> {
        if let (Error::Rejected(message), State::Claimed) = (&error, from) {
            // Of this record only: the others go on.
            return Ok(self.leave(from, State::Rejected, message, 0).await?);
        }
        let wait = match &error {
            Error::Unavailable(_, wait) => *wait,
            _ => None,
        };
        let rest = wait.and_then(|wait| i64::try_from(wait.as_micros()).ok()).unwrap_or(REST);
        let message = error.message().clone();
        let to = if from == State::Uncertain { State::Uncertain } else { State::Pending };
        let step = Step { message: Some(&message), not_before: now() + rest, ..Step::new(from, to) };
        let mut tx = self.store().begin().await?;
        match from {
            State::Claimed => {
                delivery::put_back(&mut tx, self.lease, None, &message, now() + rest, now()).await?
            }
            _ => delivery::step(&mut tx, self.lease, &step, now()).await?,
        };
        tx.commit().await?;
        Err(match error {
            Error::Login(_) => Stop::Failed(message),
            _ => Stop::Incomplete(message),
        })
    }

    /// When the next attempt may be made: doubled with each, and not before the target said.
    fn next_attempt(&self, attempt: i64, asked: Option<Duration>) -> i64 {
        let settings = &self.road.app.config.delivery;
        let doublings = u32::try_from(attempt.clamp(1, 30) - 1).unwrap_or(0);
        let wait = settings.backoff.saturating_mul(1 << doublings).min(settings.backoff_max);
        let wait = wait.max(asked.unwrap_or_default());
        now() + i64::try_from(wait.as_micros()).unwrap_or(i64::MAX / 2)
    }

    fn settled_at(&self, sent_at: i64) -> i64 {
        sent_at + i64::try_from(self.road.settle.as_micros()).unwrap_or(i64::MAX / 2)
    }

    /// Whether it has been tried as often as it may be.
    fn is_exhausted(&self, attempt: i64) -> bool {
        attempt >= i64::from(self.road.app.config.delivery.attempts)
    }

    /// What became of the request is put on record.
    async fn answered(&self, attempt: i64, sent: &Sent, outcome: Outcome) -> Result<(), Stop> {
        failpoint("delivery answered");
        match outcome {
            Outcome::Confirmed { key, .. } if self.delivery.target.as_ref().is_some_and(|t| *t != key) => {
                self.written_elsewhere(sent, &key).await?;
            }
            Outcome::Confirmed { key, facts } => {
                self.confirmed(State::Sent, &self.with_answer(sent, &facts), &key).await?;
            }
            Outcome::Rejected(message) => {
                self.leave(State::Sent, State::Rejected, &message, 0).await?;
            }
            Outcome::Later(message, asked) if !self.is_exhausted(attempt) => {
                self.leave(State::Sent, State::Prepared, &message, self.next_attempt(attempt, asked)).await?;
            }
            Outcome::Later(message, _) => self.leave(State::Sent, State::Dead, &message, 0).await?,
            Outcome::Uncertain(message) => {
                // From now on, not from when it was sent: it may have waited for its turn until a moment ago.
                let not_before = self.settled_at(now());
                self.leave(State::Sent, State::Uncertain, &message, not_before).await?;
            }
            Outcome::Login(message) => {
                self.leave(State::Sent, State::Prepared, &message, now() + REST).await?;
                return Err(Stop::Failed(message));
            }
        }
        failpoint("delivery recorded");
        Ok(())
    }
}

/// What was sent.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    /// What was there before.
    pub before: Option<Content>,
    /// What is there if it was done.
    pub after: Content,
    /// Of a customer: what the master said, as it is compared.
    pub agreed: Option<Contact>,
    /// What the record said, as a fingerprint, if that is known.
    pub said: Option<Fingerprint>,
    /// What has to be asked about what was answered.
    pub question: Option<Message>,
}
