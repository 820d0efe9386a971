//! From claimed to sent: what the target has is read, what will be written is put on record, and then
//! the request goes out.

use anyhow::Result;

use super::super::compare::{changed, compare};
use super::{Hand, Sent, Stop};
use crate::connect::{Connector as _, Error, Lookup, Write};
use crate::failpoint;
use crate::model::contact::{Known, StoredContact};
use crate::model::flow::{Authority, Rule, State, Way};
use crate::model::{Contact, Field};
use crate::store::delivery::{self, Prepared};
use crate::store::link::{Link, Side};
use crate::sync::matching::link::{Match, find};
use crate::sync::now;

/// What is to be written.
struct Task {
    /// The record it is written to; `None` for a new one.
    target: Option<String>,
    /// The target's row as it was read; empty for a new one.
    now: String,
    payload: Contact,
    fields: Vec<Field>,
    mark: Option<i64>,
    sent: Sent,
}

impl Hand {
    /// Prepares the write, sends it once and puts on record what became of it.
    pub(super) async fn prepare_and_send(&self) -> Result<(), Stop> {
        let road = &*self.road;
        let stream = self.store().stream(&road.origin.name, road.from.name).await?;
        let stored = self.store().contacts_by_key(stream, &[&self.delivery.record]).await?.pop();
        let content = stored
            .filter(|stored| !stored.gone)
            .and_then(|stored| Some((road.content(&stored.known.key, &stored.raw).ok()?, stored)));
        let Some((content, stored)) = content else {
            let gone = self.message("push-record-gone");
            return Ok(self.leave(State::Claimed, State::Superseded, &gone, 0).await?);
        };
        if self.delivery.reason == "apply" && self.delivery.said.is_some_and(|said| said != stored.said) {
            return Ok(self.moved().await?);
        }
        let wished = road.wished(&content);
        let side = if road.way == Way::Import { Side::Destination } else { Side::Source };
        let link = self.store().link_of(&road.flow.name, side, &self.delivery.record).await?;
        let task = match (&link, road.way) {
            (Some(_), Way::Import) => {
                let message = self.message("push-linked-already");
                return Ok(self.leave(State::Claimed, State::Superseded, &message, 0).await?);
            }
            (Some(link), Way::Forward) => self.update(&stored, wished, link).await?,
            (None, _) => self.create(&stored, wished, &content).await?,
        };
        let Some(task) = task else { return Ok(()) };
        self.send(task, &content).await
    }

    /// What a record that is linked changes on the other side; `None` when that is decided otherwise.
    async fn update(
        &self,
        stored: &StoredContact,
        wished: Contact,
        link: &Link,
    ) -> Result<Option<Task>, Stop> {
        let road = &*self.road;
        let key = link.destination_key.clone();
        let by = Lookup::Key(key.clone());
        let rows = match road.target.connector.find(&road.target.http, road.to, &by).await {
            Ok(rows) => rows,
            Err(error) => return self.unread(State::Claimed, error).await.map(|()| None),
        };
        let row = rows.into_iter().find(|row| row.key.as_deref() == Some(key.as_str()));
        let read = row.and_then(|row| Some((road.target.contact(road.to, &row.raw).ok()?, row)));
        let Some((is, row)) = read else {
            let message = self.message("case-target-gone").with("key", &key);
            self.hold("target_gone", message, &["resolved"], State::Claimed).await?;
            return Ok(None);
        };
        let region = road.target.region();
        if self.delivery.expects.is_some_and(|expected| expected != is.fingerprint(region)) {
            self.moved().await?;
            return Ok(None);
        }
        let flow = &road.flow;
        // A person has said that the master is right.
        let decided = Authority::default();
        let authority = if self.delivery.reason == "decided" { &decided } else { &flow.authority };
        let done = compare(&flow.fields, authority, link.agreed.as_ref(), &wished, &is, region);
        if !done.questions.is_empty() {
            let fields: Vec<&str> = done.questions.iter().map(|question| question.name.word()).collect();
            let message = self.message("case-conflict").with("fields", fields.join(", "));
            self.raise("conflict", message, &["source", "leave"], &done.questions).await?;
        }
        let payload = changed(&is, &done.changes);
        let sent = Sent { before: Some(is), after: payload.clone(), agreed: wished, said: Some(stored.said) };
        if done.changes.is_empty() && done.questions.is_empty() && self.delivery.attempt > 0 {
            // What was sent before and taken for not done was done late.
            let sent = Sent { before: self.delivery.before.clone(), ..sent };
            self.confirmed(State::Claimed, &sent, &key).await?;
            return Ok(None);
        }
        if done.changes.is_empty() {
            // The two agree already, or whoever decides will say.
            self.nothing_to_do(&key, done.questions.is_empty().then_some(&sent)).await?;
            return Ok(None);
        }
        let fields = done.changes.iter().map(|change| change.name).collect();
        Ok(Some(Task { target: Some(key), now: row.raw.into(), fields, mark: None, payload, sent }))
    }

    /// What was planned is not what is there now: it is left out.
    async fn moved(&self) -> Result<()> {
        let message = self.message("push-moved");
        self.leave(State::Claimed, State::Superseded, &message, 0).await
    }

    /// What a record without a link creates; `None` when it is there already, or nobody can tell.
    async fn create(
        &self,
        stored: &StoredContact,
        wished: Contact,
        content: &Contact,
    ) -> Result<Option<Task>, Stop> {
        let road = &*self.road;
        // The target may have no column for the number; it is looked for by it all the same.
        let mut sought = wished.clone();
        sought.set(Field::Number, content.get(Field::Number));
        let decided = self.store().decided("ambiguous_match", &road.flow.name, &self.delivery.record).await?;
        let may_be_new = decided.and_then(|case| case.choice).is_some_and(|choice| choice == "create");
        let there = match self.look(&sought).await {
            Ok(there) => there,
            Err(error) => return self.unread(State::Claimed, error).await.map(|()| None),
        };
        let wanted = Known::of(&self.delivery.record, &sought, road.target.region());
        match find(&wanted, &road.flow.rules, &there) {
            Match::New => {}
            Match::One { rule, .. } | Match::Several { rule, .. }
                if may_be_new && rule != Rule::CustomerNumber => {}
            Match::One { key, rule } => {
                // What was sent before and taken for not done may have been done late.
                match self.delivery.payload.clone().filter(|_| self.delivery.attempt > 0) {
                    Some(after) => {
                        let sent = Sent { before: None, after, agreed: wished, said: Some(stored.said) };
                        self.confirmed(State::Claimed, &sent, &key).await?;
                    }
                    None => self.link_instead(&key, rule.word()).await?,
                }
                return Ok(None);
            }
            Match::Several { keys, rule } => {
                let message = self.message("case-ambiguous-match");
                let message = message.with("rule", rule.word()).with("keys", keys.join(", "));
                let mut choices: Vec<&str> = keys.iter().map(String::as_str).collect();
                choices.extend(["create", "exclude"]);
                self.hold("ambiguous_match", message, &choices, State::Claimed).await?;
                return Ok(None);
            }
            Match::Clash { key, fields } => {
                let fields: Vec<&str> = fields.into_iter().map(Field::word).collect();
                let message = self.message("case-number-clash");
                let message = message.with("key", &key).with("fields", fields.join(", "));
                self.hold("number_clash", message, &[&key, "exclude"], State::Claimed).await?;
                return Ok(None);
            }
        }
        let mark = match self.mark(&wished).await {
            Ok(mark) => mark,
            Err(error) => return self.unread(State::Claimed, error).await.map(|()| None),
        };
        let sent =
            Sent { before: None, after: wished.clone(), agreed: wished.clone(), said: Some(stored.said) };
        Ok(Some(Task { target: None, now: String::new(), fields: Vec::new(), mark, payload: wished, sent }))
    }

    /// Whom the target has that may be this customer, as it is now.
    async fn look(&self, wished: &Contact) -> Result<Vec<Known>, Error> {
        let road = &*self.road;
        let mut there: Vec<Known> = Vec::new();
        for rule in &road.flow.rules {
            let Some(value) = wished.get(rule.field()) else { continue };
            let by = match (&road.flow.number, rule, road.way) {
                // The other side knows the number only by its key.
                (Some(number), Rule::CustomerNumber, Way::Forward) => match number.key(value) {
                    Some(key) => Lookup::Key(key),
                    None => continue,
                },
                _ => Lookup::Field(rule.field(), value.to_owned()),
            };
            for row in road.target.connector.find(&road.target.http, road.to, &by).await? {
                let Some(key) = row.key.clone() else { continue };
                let Ok(mut contact) = road.target.contact(road.to, &row.raw) else { continue };
                if road.way == Way::Forward
                    && let Some(number) = &road.flow.number
                {
                    contact.set(Field::Number, number.number(&key).as_deref());
                }
                there.push(Known::of(&key, &contact, road.target.region()));
            }
        }
        Ok(there)
    }

    /// The highest key that is there now, where a new record could not be told by anything else.
    async fn mark(&self, wished: &Contact) -> Result<Option<i64>, Error> {
        let road = &*self.road;
        let connector = &road.target.connector;
        if connector.trace(wished, None).is_some() || connector.trace(wished, Some(0)).is_none() {
            return Ok(None);
        }
        let rows = connector.find(&road.target.http, road.to, &Lookup::After(0)).await?;
        let highest = rows.iter().filter_map(|row| row.key.as_deref()?.parse::<i64>().ok()).max();
        Ok(Some(highest.unwrap_or(0)))
    }

    /// Puts the task on record and sends it, once.
    async fn send(&self, task: Task, content: &Contact) -> Result<(), Stop> {
        let prepared = Prepared {
            action: if task.target.is_some() { "update" } else { "create" },
            target: task.target.as_deref(),
            payload: &task.payload,
            before: task.sent.before.as_ref(),
            mark: task.mark,
            wished: &task.sent.agreed,
            fields: &task.fields,
            said: task.sent.said,
        };
        let mut tx = self.store().begin().await?;
        if !delivery::prepare(&mut tx, self.lease, &prepared, now()).await? {
            return Ok(());
        }
        self.note(&mut tx, "delivery.prepared", task.sent.before.as_ref(), Some(&task.payload), None).await?;
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

        let mark = content.get(Field::Number).unwrap_or(&self.delivery.record);
        let write = match &task.target {
            Some(key) => {
                Write::Update { key, now: &task.now, contact: &task.payload, fields: &task.fields, mark }
            }
            None => Write::Create { contact: &task.payload, mark },
        };
        let outcome = self.road.target.connector.write(&self.road.target.http, &write).await;
        let told = delivery::Delivery { target: task.target, ..self.delivery.clone() };
        let hand = Hand { road: self.road.clone(), lease: self.lease, delivery: told };
        hand.answered(self.delivery.attempt + 1, &task.sent, outcome).await
    }
}
