//! The last look at a delivery: what was confirmed is there once, and equal, when its system is read whole
//! again later. This finds what a system did after it was given up on, and what it only said it did.

use std::collections::HashSet;

use anyhow::Result;

use super::super::now;
use super::Road;
use crate::connect::{Connector as _, Lookup};
use crate::model::contact::StoredContact;
use crate::model::flow::State;
use crate::model::{Contact, Content, Field, Message};
use crate::store::audit;
use crate::store::case::{self, NewCase};
use crate::store::delivery::{self, Delivery};
use crate::store::link::{self, Side};

/// Deliveries looked at in one go.
const PAGE: i64 = 500;

/// What was found of a delivery.
enum Found {
    /// It is there, once and equal.
    Fine,
    /// It is not there.
    Gone,
    /// It is there and never was what was sent.
    Other,
    /// There are several.
    Several(Vec<String>),
}

/// Looks at what was confirmed on this road long enough before `read_at`, when the reading of the target
/// began. How many were verified.
pub async fn look(road: &Road, read_at: i64, run: i64) -> Result<u64> {
    if road.flow.bills.is_some() {
        // Nothing reads documents back.
        return Ok(0);
    }
    let store = &road.app.store;
    let settle = i64::try_from(road.settle.as_micros())?;
    let stream = store.stream(&road.target.name, road.to.name).await?;
    let (mut verified, mut after) = (0, 0);
    loop {
        let name = road.flow.name.as_str();
        let page = store.confirmed_deliveries(name, road.way, read_at - settle, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(verified) };
        after = last.id;
        let keys: Vec<&str> = page.iter().filter_map(|delivery| delivery.target.as_deref()).collect();
        let there = store.contacts_by_key(stream, &keys).await?;
        for delivery in &page {
            let own = there.iter().find(|stored| Some(&stored.known.key) == delivery.target.as_ref());
            let found = judge(road, stream, delivery, own).await?;
            verified += u64::from(note(road, delivery, found, run).await?);
        }
    }
}

async fn judge(road: &Road, stream: i64, delivery: &Delivery, own: Option<&StoredContact>) -> Result<Found> {
    let store = &road.app.store;
    let payload = delivery.payload.as_ref().map(Content::contact).unwrap_or_default();
    let as_sent = |raw: &str| {
        road.target
            .contact(road.to, raw)
            .is_ok_and(|there| is_as_sent(road, &payload, &delivery.fields, &there))
    };
    let Some(own) = own.filter(|own| !own.gone) else { return Ok(Found::Gone) };
    let others = match road.target.connector.trace(&payload, delivery.mark) {
        Some(Lookup::Field(field, value)) => {
            let value = field.canonical(&value, road.target.region());
            let others = store.contacts_with(stream, field, &[&value]).await?;
            others.into_iter().map(|other| other.known.key).collect()
        }
        Some(Lookup::After(mark)) if delivery.action == "create" => {
            like(road, stream, delivery, mark, as_sent).await?
        }
        _ => Vec::new(),
    };
    if delivery.action == "create" && others.len() > 1 {
        return Ok(Found::Several(others));
    }
    // Somebody may have edited it since.
    let is = as_sent(&own.raw) || store.former_raws(stream, own.id).await?.iter().any(|raw| as_sent(raw));
    Ok(if is { Found::Fine } else { Found::Other })
}

/// Keys above `mark` of contacts that are as they were sent and nobody else's: where nothing but its key tells
/// a new contact, a second one of it is found by what it says.
async fn like(
    road: &Road,
    stream: i64,
    delivery: &Delivery,
    mark: i64,
    as_sent: impl Fn(&str) -> bool,
) -> Result<Vec<String>> {
    let store = &road.app.store;
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let rows = store.contacts_after(stream, after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        let later = |key: &str| key.parse::<i64>().is_ok_and(|key| key > mark);
        let like = rows.into_iter().filter(|row| !row.gone && later(&row.known.key) && as_sent(&row.raw));
        found.extend(like.map(|row| row.known.key));
    }
    let forward = road.way.is_forward();
    let keys: Vec<&str> = found.iter().map(String::as_str).collect();
    let side = if forward { Side::Destination } else { Side::Source };
    let links = store.links_of(&road.flow.name, side, &keys).await?;
    let ends = links.iter().map(|link| match forward {
        true => (&link.source_key, link.destination_key.as_str()),
        false => (&link.destination_key, link.source_key.as_str()),
    });
    let others: HashSet<&str> =
        ends.filter(|(record, _)| **record != delivery.record).map(|(_, key)| key).collect();
    found.retain(|key| !others.contains(key.as_str()));
    Ok(found)
}

/// Whether every field that was written is there, emptied ones too. A number that the target does not show
/// says nothing.
pub(super) fn is_as_sent(road: &Road, payload: &Contact, fields: &[Field], there: &Contact) -> bool {
    let region = road.target.region();
    let shown = |field| field != Field::Number || there.get(Field::Number).is_some();
    let all = payload.iter().map(|(field, _)| field).filter(|_| fields.is_empty());
    fields.iter().copied().chain(all).all(|field| !shown(field) || payload.agrees(there, field, region))
}

/// Puts on record what was found; whether it was verified.
async fn note(road: &Road, delivery: &Delivery, found: Found, run: i64) -> Result<bool> {
    let name = road.flow.name.as_str();
    let key = delivery.target.as_deref().unwrap_or_default();
    let about = |id: &str| {
        Message::new(id)
            .with("flow", name)
            .with("record", &delivery.record)
            .with("from", &road.origin.name)
            .with("to", &road.target.name)
            .with("key", key)
    };
    let (kind, message) = match found {
        Found::Fine => {
            let mut tx = road.app.store.begin().await?;
            if delivery::verified(&mut tx, delivery.id).await? {
                let (source_key, _) = road.keys(&delivery.record, key);
                link::verified(&mut tx, name, source_key, now()).await?;
                tx.commit().await?;
            }
            return Ok(true);
        }
        Found::Gone => ("target_gone", about("case-target-gone")),
        Found::Other => ("not_as_sent", about("case-not-as-sent")),
        Found::Several(keys) => ("duplicate", about("case-duplicate").with("keys", keys.join(", "))),
    };
    let mut tx = road.app.store.begin().await?;
    let step =
        delivery::Step { message: Some(&message), ..delivery::Step::new(State::Confirmed, State::Held) };
    let lease = delivery::Lease { id: delivery.id, epoch: delivery.epoch };
    if delivery::step(&mut tx, lease, &step, now()).await? {
        let subject = format!("{name} {}/{} → {}/{key}", road.origin.name, delivery.record, road.target.name);
        let entry = audit::NewEntry {
            actor: "push",
            action: "delivery.held",
            subject: &subject,
            run: Some(run),
            reason: Some(&message.id),
            ..audit::NewEntry::default()
        };
        audit::write(&mut tx, entry, now()).await?;
        let case = NewCase {
            kind,
            system: name,
            subject: &delivery.record,
            run: Some(run),
            message: message.clone(),
            detail: serde_json::json!({ "delivery": delivery.id, "way": delivery.way }),
            choices: &["resolved"],
        };
        case::raise(&mut tx, &case, now()).await?;
        tx.commit().await?;
    }
    Ok(false)
}
