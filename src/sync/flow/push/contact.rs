//! What is peculiar to customers: what of them is written is found by comparing both sides, and a write of
//! unknown outcome is looked for.

use anyhow::Result;

use super::super::compare::{Comparison, Difference, changed, compare};
use super::super::confirm::is_as_sent;
use super::send::{Task, What};
use super::{Hand, Sent, Stop};
use crate::connect::{Connector as _, Error, Lookup};
use crate::model::contact::{Known, StoredContact};
use crate::model::flow::{Authority, Rule, State, Way};
use crate::model::{Contact, Content, Field, Fingerprint};
use crate::store::link::{Link, Side};
use crate::sync::matching::link::{Match, find};
use crate::sync::now;

/// A field that was overwritten so often within a day is overwritten no more.
const ROUNDS: usize = 3;
/// A day, in microseconds.
const DAY: i64 = 86_400_000_000;

impl Hand {
    /// What is to be written of a customer; `None` when that is decided otherwise.
    pub(super) async fn prepare_contact(&self) -> Result<Option<Task>, Stop> {
        let road = &*self.road;
        let stream = self.store().stream(&road.origin.name, road.from.name).await?;
        let stored = self.store().contacts_by_key(stream, &[&self.delivery.record]).await?.pop();
        let content = stored
            .filter(|stored| !stored.gone)
            .and_then(|stored| Some((road.content(&stored.known.key, &stored.raw).ok()?, stored)));
        let Some((content, stored)) = content else {
            let gone = self.message("push-record-gone");
            return Ok(self.leave(State::Claimed, State::Superseded, &gone, 0).await.map(|()| None)?);
        };
        if self.delivery.reason == "apply" && self.delivery.said.is_some_and(|said| said != stored.said) {
            return Ok(self.moved().await.map(|()| None)?);
        }
        let wished = road.wished(&content);
        let side = if road.way.is_forward() { Side::Source } else { Side::Destination };
        let link = self.store().link_of(&road.flow.name, side, &self.delivery.record).await?;
        match (&link, road.way) {
            (Some(_), Way::Import | Way::Back) => {
                let message = self.message("push-linked-already");
                Ok(self.leave(State::Claimed, State::Superseded, &message, 0).await.map(|()| None)?)
            }
            (Some(link), Way::Forward) => self.update(&stored, wished, link, &content).await,
            (None, _) => self.create(&stored, wished, &content).await,
        }
    }

    /// What a record that is linked changes on the other side; `None` when that is decided otherwise.
    async fn update(
        &self,
        stored: &StoredContact,
        wished: Contact,
        link: &Link,
        content: &Contact,
    ) -> Result<Option<Task>, Stop> {
        let road = &*self.road;
        let key = link.destination_key.clone();
        let Some((is, row)) = self.as_it_is(&key).await? else { return Ok(None) };
        let region = road.target.region();
        if self.delivery.expects.is_some_and(|expected| expected != is.fingerprint(region)) {
            self.moved().await?;
            return Ok(None);
        }
        let flow = &road.flow;
        // A person has said that the master is right.
        let decided = Authority::default();
        let authority = if self.delivery.reason == "decided" { &decided } else { &flow.authority };
        let mut done = compare(&flow.fields, authority, link.agreed.as_ref(), &wished, &is, region);
        if !["decided", "apply"].contains(&self.delivery.reason.as_str()) {
            self.stop_ping_pong(link, &mut done).await?;
        }
        if !done.questions.is_empty() && !done.again_and_again {
            let fields: Vec<&str> = done.questions.iter().map(|question| question.name.word()).collect();
            let message = self.message("case-conflict").with("fields", fields.join(", "));
            self.raise("conflict", message, &["source", "destination", "leave"], &done.questions).await?;
        }
        let payload = changed(&is, &done.changes);
        let sent = Sent {
            before: Some(is.into()),
            after: payload.clone().into(),
            agreed: Some(wished),
            said: Some(stored.said),
            question: None,
        };
        if done.changes.is_empty() && done.questions.is_empty() && self.delivery.attempt > 0 {
            // What was sent before and taken for not done was done late.
            let sent = Sent { before: self.delivery.before.clone(), ..sent };
            self.confirmed(State::Claimed, &sent, &key).await?;
            return Ok(None);
        }
        if done.changes.is_empty() {
            // The two agree already, or whoever decides will say.
            match done.questions.is_empty() {
                true => self.nothing_to_do(&key, "push-nothing-to-do", Some(&sent)).await?,
                false => self.nothing_to_do(&key, "push-asked", None).await?,
            }
            return Ok(None);
        }
        let fields = done.changes.iter().map(|change| change.name).collect();
        let known_by = self.known_by(content);
        let what = What::Contact { now: row.raw.into(), fields, contact: payload, known_by };
        Ok(Some(Task { target: Some(key), what, mark: None, stands: Some(stored.said), sent }))
    }

    /// Takes out of the changes what has been overwritten again and again within a day: two hands, or two
    /// programs, work against each other, and a person must say who is right.
    async fn stop_ping_pong(&self, link: &Link, done: &mut Comparison) -> Result<()> {
        let (flow, record) = (&self.road.flow.name, &link.source_key);
        let past = self.store().overridden_since(flow, record, now() - DAY).await?;
        let again =
            |change: &Difference| past.iter().filter(|field| **field == change.name).count() >= ROUNDS;
        let (stopped, changes): (Vec<_>, Vec<_>) =
            std::mem::take(&mut done.changes).into_iter().partition(again);
        done.changes = changes;
        if !stopped.is_empty() {
            let fields: Vec<&str> = stopped.iter().map(|change| change.name.word()).collect();
            let message = self.message("case-ping-pong").with("fields", fields.join(", "));
            self.raise("ping_pong", message, &["source", "destination", "leave"], &stopped).await?;
            done.again_and_again = done.questions.is_empty();
            done.questions.extend(stopped);
        }
        Ok(())
    }

    /// What the master's record says now, as a fingerprint.
    pub(super) async fn said_by_source(&self, source_key: &str) -> Result<Option<Fingerprint>> {
        let stored = self.of_master(source_key).await?;
        Ok(stored.map(|stored| stored.said).filter(|_| self.road.way.is_forward()))
    }

    /// The number that the master's record has, else its key.
    pub(super) async fn number_of(&self, source_key: &str) -> Result<String> {
        let stored = self.of_master(source_key).await?.filter(|_| self.road.way.is_forward());
        let content = stored.and_then(|stored| self.road.content(&stored.known.key, &stored.raw).ok());
        let number = content.and_then(|content| content.get(Field::Number).map(str::to_owned));
        Ok(number.unwrap_or_else(|| source_key.to_owned()))
    }

    async fn of_master(&self, source_key: &str) -> Result<Option<StoredContact>> {
        let road = &*self.road;
        let (system, list) =
            if road.way.is_forward() { (&road.origin, road.from) } else { (&road.target, road.to) };
        let stream = self.store().stream(&system.name, list.name).await?;
        Ok(self.store().contacts_by_key(stream, &[source_key]).await?.pop())
    }

    /// What the target keeps as the number of a customer elsewhere.
    fn known_by(&self, content: &Contact) -> String {
        content.get(Field::Number).unwrap_or(&self.delivery.record).to_owned()
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
                        let (agreed, said) = (Some(wished), Some(stored.said));
                        let sent = Sent { before: None, after, agreed, said, question: None };
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
        let sent = Sent {
            before: None,
            after: wished.clone().into(),
            agreed: Some(wished.clone()),
            said: Some(stored.said),
            question: None,
        };
        let known_by = self.known_by(content);
        let what = What::Contact { now: String::new(), fields: Vec::new(), contact: wished, known_by };
        Ok(Some(Task { target: None, what, mark, stands: Some(stored.said), sent }))
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

    /// Looks for what was sent, and goes on by what is there.
    pub(super) async fn resolve_contact(&self) -> Result<(), Stop> {
        let road = &*self.road;
        // Something was sent, so it is on record.
        let payload = self.delivery.payload.as_ref().map(Content::contact).unwrap_or_default();
        let by = match &self.delivery.target {
            Some(key) => Some(Lookup::Key(key.clone())),
            None => road.target.connector.trace(&payload, self.delivery.mark),
        };
        let Some(by) = by else {
            return Ok(self.ask(None).await?);
        };
        let rows = match road.target.connector.find(&road.target.http, road.to, &by).await {
            Ok(rows) => rows,
            Err(error) => return self.unread(State::Uncertain, error).await,
        };
        let contact = |raw: &str| road.target.contact(road.to, raw).ok();
        let there = rows.into_iter().filter_map(|row| Some((row.key.clone()?, contact(&row.raw)?)));
        let mut there: Vec<(String, Contact)> = there.collect();
        if matches!(by, Lookup::After(_)) {
            // Whoever else came meanwhile is not ours.
            there.retain(|(_, contact)| is_as_sent(road, &payload, &self.delivery.fields, contact));
        }
        match there.as_slice() {
            [] if self.delivery.target.is_none() => self.again().await?,
            [(key, contact)] if is_as_sent(road, &payload, &self.delivery.fields, contact) => {
                let sent = Sent {
                    before: self.delivery.before.clone(),
                    after: payload.clone().into(),
                    agreed: Some(self.delivery.wished.clone().unwrap_or_default())
                        .filter(|_| !self.is_restore()),
                    said: self.delivery.said,
                    question: None,
                };
                self.confirmed(State::Uncertain, &sent, key).await?;
            }
            [(_, contact)] if self.is_as_before(contact) => self.again().await?,
            [] => self.ask(self.delivery.target.as_deref()).await?,
            [(key, _)] => self.ask(Some(key)).await?,
            several => {
                let keys: Vec<&str> = several.iter().map(|(key, _)| key.as_str()).collect();
                let message = self.message("case-duplicate").with("keys", keys.join(", "));
                self.hold("duplicate", message, &["resolved"], State::Uncertain).await?;
            }
        }
        Ok(())
    }

    /// Nobody can tell from here whether it was done.
    async fn ask(&self, key: Option<&str>) -> Result<()> {
        let message = self.message("case-uncertain-delivery").with("key", key.unwrap_or("none"));
        self.hold("uncertain_delivery", message, &["applied", "not_applied"], State::Uncertain).await
    }

    /// Whether the record is what it was before the write.
    fn is_as_before(&self, there: &Contact) -> bool {
        let region = self.road.target.region();
        let before = self.delivery.before.as_ref().map(|before| before.contact().fingerprint(region));
        before == Some(there.fingerprint(region))
    }
}
