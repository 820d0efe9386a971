//! From the master on: which records differ on the side that follows, and what would be done about each.
//!
//! Found by comparing the two mirrors, so it does not matter whether a webhook, a poll or the night found
//! the change first, or how often. Whoever carries it out looks at the other side itself again.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::super::now;
use super::compare::{Difference, compare};
use super::{Road, documents};
use crate::model::contact::{Known, StoredContact};
use crate::model::flow::{Rule, Select, State, Way};
use crate::model::{Contact, Field, Fingerprint, Message};
use crate::store::delivery::{self, NewDelivery};
use crate::store::link::{self, Link, Side};
use crate::sync::matching::link::{Match, find};

/// Rows looked at in one go.
pub(super) const PAGE: i64 = 500;

/// What is to be done about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is new on the other side.
    Create,
    /// Fields differ.
    Update,
    /// It was found there without a link.
    Link,
    /// Both agree.
    Skip,
    /// A person must decide.
    Case,
}

impl Action {
    /// The word of plans.
    pub fn word(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Update => "update",
            Action::Link => "link",
            Action::Skip => "skip",
            Action::Case => "case",
        }
    }
}

/// A planned change of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What is to be done.
    pub action: Action,
    /// The master's record.
    pub source: String,
    /// The record on the other side, if it is known.
    pub destination: Option<String>,
    /// What differs, field by field.
    pub fields: Vec<Difference>,
    /// Why, a word of the catalogue.
    pub reason: String,
    /// Why, with what is to be said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Message>,
    /// What the master's record said when this was planned.
    pub said: String,
    /// What the record on the other side said then.
    pub expects: Option<String>,
}

/// A record that may have to be carried over.
struct Subject<'a>(&'a StoredContact);

/// The next page of records of the master above `after` (with `all` also those that did not change since
/// both sides agreed last), and what is to be done about each; `None` when there are no more.
async fn page(road: &Road, all: bool, after: &mut i64) -> Result<Option<Vec<(StoredContact, Change)>>> {
    let store = &road.app.store;
    let stream = store.stream(&road.origin.name, road.from.name).await?;
    let rows = store.contacts_to_look_at(&road.flow.name, stream, all, *after, PAGE).await?;
    let Some(last) = rows.last() else { return Ok(None) };
    *after = last.id;
    let changes = judge(road, &rows).await?;
    Ok(Some(rows.into_iter().zip(changes).filter_map(|(row, change)| Some((row, change?))).collect()))
}

/// What is to be done about these records; `None` about those that the flow does not carry.
pub(super) async fn judge(road: &Road, rows: &[StoredContact]) -> Result<Vec<Option<Change>>> {
    let store = &road.app.store;
    let name = road.flow.name.as_str();
    let keys: Vec<&str> = rows.iter().map(|row| row.known.key.as_str()).collect();
    let links = store.links_of(name, Side::Source, &keys).await?;
    let links: HashMap<&str, &Link> = links.iter().map(|link| (link.source_key.as_str(), link)).collect();
    let stream = store.stream(&road.target.name, road.to.name).await?;
    let linked: Vec<&str> = links.values().map(|link| link.destination_key.as_str()).collect();
    let theirs = store.contacts_by_key(stream, &linked).await?;
    let theirs: HashMap<&str, &StoredContact> =
        theirs.iter().map(|stored| (stored.known.key.as_str(), stored)).collect();
    let candidates = candidates(road, rows, stream).await?;
    let found: Vec<&str> = candidates.iter().map(|known| known.key.as_str()).collect();
    let taken = store.links_of(name, Side::Destination, &found).await?;
    let taken: HashSet<&str> = taken.iter().map(|link| link.destination_key.as_str()).collect();

    let decided = store.decided_cases(name, &["ambiguous_match", "number_clash"]).await?;
    let mut changes = Vec::with_capacity(rows.len());
    for row in rows {
        if decided.get(&row.known.key).is_some_and(|choice| choice == "exclude") {
            changes.push(None);
            continue;
        }
        let subject = Subject(row);
        let Ok(content) = road.content(&row.known.key, &row.raw) else {
            changes.push(None);
            continue;
        };
        let wished = road.wished(&content);
        changes.push(match links.get(row.known.key.as_str()) {
            Some(link) => {
                let there = theirs.get(link.destination_key.as_str()).filter(|there| !there.gone);
                Some(subject.update(road, link, &wished, there.copied()))
            }
            None if road.flow.select == Select::Numbered && row.known.number.is_none() => None,
            None => Some(subject.unlinked(road, &wished, &candidates, &taken)),
        });
    }
    Ok(changes)
}

/// Records of the other side that these may be, by the rules of the flow.
async fn candidates(road: &Road, rows: &[StoredContact], stream: i64) -> Result<Vec<Known>> {
    let store = &road.app.store;
    let mut found = Vec::new();
    for rule in &road.flow.rules {
        let stored = match (&road.flow.number, rule) {
            (Some(number), Rule::CustomerNumber) => {
                let keys: Vec<String> =
                    rows.iter().filter_map(|row| number.key(row.known.number.as_deref()?)).collect();
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                store.contacts_by_key(stream, &keys).await?
            }
            _ => {
                let values: Vec<&str> = rows.iter().filter_map(|row| row.known.get(rule.field())).collect();
                store.contacts_with(stream, rule.field(), &values).await?
            }
        };
        found.extend(stored.into_iter().filter(|stored| !stored.gone).map(|stored| {
            let mut known = stored.known;
            if let Some(rule) = &road.flow.number {
                let number = rule.number(&known.key);
                known.number = number.map(|number| Field::Number.canonical(&number, road.target.region()));
            }
            known
        }));
    }
    Ok(found)
}

impl Subject<'_> {
    fn change(&self, action: Action, destination: Option<&str>, reason: &str) -> Change {
        Change {
            action,
            source: self.0.known.key.clone(),
            destination: destination.map(str::to_owned),
            fields: Vec::new(),
            reason: reason.to_owned(),
            told: None,
            said: self.0.said.to_string(),
            expects: None,
        }
    }

    fn update(&self, road: &Road, link: &Link, wished: &Contact, there: Option<&StoredContact>) -> Change {
        let key = Some(link.destination_key.as_str());
        let Some((there, is)) =
            there.and_then(|there| Some((there, road.target.contact(road.to, &there.raw).ok()?)))
        else {
            return self.change(Action::Case, key, "plan-target-gone");
        };
        let flow = &road.flow;
        let region = road.target.region();
        let done = compare(&flow.fields, &flow.authority, link.agreed.as_ref(), wished, &is, region);
        let expects = Some(there.said.to_string());
        if !done.questions.is_empty() {
            let fields = done.questions.into_iter().chain(done.changes).collect();
            return Change { fields, expects, ..self.change(Action::Case, key, "plan-both-moved") };
        }
        if done.changes.is_empty() {
            return Change { expects, ..self.change(Action::Skip, key, "plan-agrees") };
        }
        let reason = if done.overridden.is_empty() { "plan-differs" } else { "plan-overrides" };
        Change { fields: done.changes, expects, ..self.change(Action::Update, key, reason) }
    }

    fn unlinked(&self, road: &Road, wished: &Contact, there: &[Known], taken: &HashSet<&str>) -> Change {
        match find(&self.0.known, &road.flow.rules, there) {
            Match::New => {
                let fields = wished.iter().filter(|(field, _)| *field != Field::Number);
                let fields = fields.map(|(name, value)| Difference {
                    name,
                    agreed: None,
                    source: Some(value.to_owned()),
                    destination: None,
                    to: Some(value.to_owned()),
                });
                Change { fields: fields.collect(), ..self.change(Action::Create, None, "plan-new") }
            }
            Match::One { key, .. } if taken.contains(key.as_str()) => {
                self.change(Action::Case, Some(&key), "plan-linked-otherwise")
            }
            Match::One { key, .. } => self.change(Action::Link, Some(&key), "plan-found"),
            Match::Several { .. } => self.change(Action::Case, None, "plan-ambiguous"),
            Match::Clash { key, .. } => self.change(Action::Case, Some(&key), "plan-number-clash"),
        }
    }
}

/// Asks for a delivery of every record that differs, after the master was read, or (`all`) also of those that
/// did not change there; what agrees already is noted without one. How many were asked for.
pub async fn notice(road: &Road, run: Option<i64>, reason: &str, all: bool) -> Result<u64> {
    if road.flow.bills.is_some() {
        return documents::notice(road, run, reason).await;
    }
    let store = &road.app.store;
    let name = road.flow.name.clone();
    let (mut asked, mut after) = (0, 0);
    while let Some(page) = page(road, all, &mut after).await? {
        let keys: Vec<&str> = page.iter().map(|(row, _)| row.known.key.as_str()).collect();
        let latest = store.latest_deliveries(&name, Way::Forward, &keys).await?;
        let latest: HashMap<&str, &delivery::Delivery> =
            latest.iter().map(|delivery| (delivery.record.as_str(), delivery)).collect();
        let mut tx = store.begin().await?;
        for (row, change) in &page {
            let key = row.known.key.as_str();
            if change.action == Action::Skip {
                let content = road.content(key, &row.raw).unwrap_or_default();
                link::agree(&mut tx, &name, key, &road.wished(&content), Some(row.said), now()).await?;
                continue;
            }
            // What stands still stands still until the record says something else, or a person speaks.
            let stands_still = |delivery: &&delivery::Delivery| {
                let asked = delivery.message.as_ref().is_some_and(|message| message.id == "push-asked");
                let undone = delivery.reason == "undo";
                let still = matches!(delivery.state, State::Held | State::Rejected | State::Dead)
                    || (asked && delivery.state == State::Superseded)
                    || (undone && matches!(delivery.state, State::Confirmed | State::Verified));
                delivery.said == Some(row.said) && still
            };
            if latest.get(key).copied().is_some_and(|delivery| stands_still(&delivery)) {
                continue;
            }
            let new = NewDelivery {
                flow: &name,
                way: Way::Forward,
                record: key,
                action: change.action.word(),
                reason,
                run,
                asked_by: "flow",
                said: Some(row.said),
                expects: None,
            };
            asked += u64::from(delivery::queue(&mut tx, &new, now()).await?);
        }
        tx.commit().await?;
    }
    Ok(asked)
}

/// Plans what the flow would do now, without asking for anything.
pub async fn plan(road: &Road) -> Result<Vec<Change>> {
    if road.flow.bills.is_some() {
        return documents::plan(road).await;
    }
    let (mut plan, mut after) = (Vec::new(), 0);
    while let Some(page) = page(road, true, &mut after).await? {
        let changes = page.into_iter().map(|(_, change)| change);
        plan.extend(changes.filter(|change| change.action != Action::Skip));
    }
    Ok(plan)
}

/// Asks for the deliveries of a plan, each only as long as both sides say what they said then. How many
/// were asked for.
pub async fn apply(road: &Road, plan: &[Change], by: &str) -> Result<u64> {
    if road.flow.bills.is_some() {
        return documents::apply(road, plan, by).await;
    }
    let store = &road.app.store;
    let mut asked = 0;
    for page in plan.chunks(usize::try_from(PAGE)?) {
        let mut tx = store.begin().await?;
        for change in page.iter().filter(|change| change.action != Action::Case) {
            let new = NewDelivery {
                flow: &road.flow.name,
                way: Way::Forward,
                record: &change.source,
                action: change.action.word(),
                reason: "apply",
                run: None,
                asked_by: by,
                said: Fingerprint::of_digits(&change.said),
                expects: change.expects.as_deref().and_then(Fingerprint::of_digits),
            };
            asked += u64::from(delivery::queue(&mut tx, &new, now()).await?);
        }
        tx.commit().await?;
    }
    Ok(asked)
}
