//! What a person decides about a flow: who a customer is, and what became of a write.

use anyhow::Result;

use super::super::now;
use super::documents::PREFLIGHT;
use super::restore;
use crate::model::flow::{State, Way};
use crate::model::{Content, Fingerprint};
use crate::store::case::{self, Case};
use crate::store::delivery::{self, Delivery, NewDelivery};
use crate::store::link::{self, NewLink, Side};
use crate::store::{Store, Tx, audit};

/// Carries out a decision about a customer of a flow within the transaction that notes it; else why it
/// cannot be done, a key of the catalogue.
pub async fn decide(
    store: &Store,
    tx: &mut Tx,
    case: &Case,
    choice: &str,
    by: &str,
) -> Result<Result<(), &'static str>> {
    let way = case.detail["way"].as_str().and_then(Way::of).unwrap_or(Way::Import);
    let flow = case.system.as_str();
    let new = NewDelivery {
        flow,
        way,
        record: &case.subject,
        action: "create",
        reason: "decided",
        run: case.run,
        asked_by: by,
        said: None,
        expects: None,
    };
    let done = match (case.kind.as_str(), choice) {
        (kind, "exclude") if PREFLIGHT.contains(&kind) => {
            let id = case.detail["delivery"].as_i64().unwrap_or_default();
            delivery::settle(tx, id, State::Superseded, None, None, now()).await?;
            true
        }
        ("restore_moved", "leave") => {
            let id = case.detail["delivery"].as_i64().unwrap_or_default();
            delivery::settle(tx, id, State::Superseded, None, None, now()).await?
        }
        (_, "exclude" | "leave" | "seen") => true,
        ("ambiguous_match" | "number_clash", "create") | ("conflict" | "ping_pong", "source") => {
            delivery::queue(tx, &new, now()).await?;
            true
        }
        ("conflict" | "ping_pong", "destination") => restore::take_over(tx, case, by).await?,
        // What was to be put back is put back whatever is there now, or not at all.
        ("restore_moved", "restore") => {
            let id = case.detail["delivery"].as_i64().unwrap_or_default();
            delivery::restore_anyway(tx, id, now()).await?
        }
        (_, "resolved") => {
            // What stood still is looked at afresh.
            let id = case.detail["delivery"].as_i64().unwrap_or_default();
            delivery::settle(tx, id, State::Superseded, None, None, now()).await?;
            delivery::queue(tx, &new, now()).await?;
            true
        }
        ("ambiguous_match" | "number_clash", key) => {
            let (source_key, destination_key) = match way {
                Way::Import | Way::Back => (key, case.subject.as_str()),
                Way::Forward => (case.subject.as_str(), key),
            };
            let link = NewLink { flow, source_key, destination_key, rule: "decided", run: case.run, by };
            let made = link::make(tx, &link, now()).await?;
            if made {
                note_link(tx, &link).await?;
            }
            made
        }
        ("uncertain_delivery", choice) => {
            let id = case.detail["delivery"].as_i64().unwrap_or_default();
            let Some(delivery) = store.delivery(id).await? else { return Ok(Err("case-linked-otherwise")) };
            if choice == "applied" && delivery.target.is_none() {
                return Ok(Err("case-needs-ref"));
            }
            resolve(tx, &delivery, choice == "applied", None, by).await?
        }
        _ => true,
    };
    Ok(if done { Ok(()) } else { Err("case-linked-otherwise") })
}

async fn note_link(tx: &mut Tx, link: &NewLink<'_>) -> Result<()> {
    let subject = format!("{} {} ↔ {}", link.flow, link.source_key, link.destination_key);
    let entry = audit::NewEntry {
        actor: link.by,
        action: "link.made",
        subject: &subject,
        run: link.run,
        reason: Some(link.rule),
        ..audit::NewEntry::default()
    };
    audit::write(tx, entry, now()).await
}

/// Whether a delivery may simply be tried again; of one that may have written something that cannot be read
/// back, somebody has to say first that it has not.
pub fn may_be_retried(delivery: &Delivery) -> bool {
    let is_document = delivery.payload.as_ref().is_some_and(|payload| payload.document().is_some());
    !(is_document && delivery.may_have_written())
}

/// Says what became of a delivery that nobody could tell of: it was done, as the record `key`, or it was
/// not and is tried again. `false` when it is not held, or was done as a record that is not named.
pub async fn resolve(
    tx: &mut Tx,
    delivery: &Delivery,
    applied: bool,
    key: Option<&str>,
    by: &str,
) -> Result<bool> {
    let document = delivery.payload.as_ref().and_then(Content::document);
    // A person says the number of a document, which is of its year.
    let number = key.zip(document).map(|(key, document)| document.key(key));
    let key = number.as_deref().or(key).or(delivery.target.as_deref());
    let (to, after): (State, Option<&Content>) =
        if applied { (State::Confirmed, delivery.payload.as_ref()) } else { (State::Pending, None) };
    if (applied && key.is_none()) || !delivery::settle(tx, delivery.id, to, key, after, now()).await? {
        return Ok(false);
    }
    if let (true, Some(key)) = (applied, key) {
        let (source_key, destination_key) = match delivery.way {
            Way::Import | Way::Back => (key, delivery.record.as_str()),
            Way::Forward => (delivery.record.as_str(), key),
        };
        let flow = delivery.flow.as_str();
        let new = NewLink { flow, source_key, destination_key, rule: "decided", run: delivery.run, by };
        if link::make(tx, &new, now()).await? {
            note_link(tx, &new).await?;
            if let Some(said) = document.and_then(|document| Fingerprint::of_digits(&document.said)) {
                link::sent(tx, flow, source_key, said, now()).await?;
            }
        } else {
            let there = link::of(tx, flow, Side::Source, source_key).await?;
            if there.is_none_or(|link| link.destination_key != destination_key) {
                return Ok(false);
            }
        }
    }
    for kind in ["uncertain_delivery", "duplicate", "changed_code", "not_as_sent", "target_gone"] {
        case::settle(tx, kind, &delivery.flow, &delivery.record, now()).await?;
    }
    let text = |content: Option<&Content>| content.map(serde_json::to_string).transpose();
    let subject = format!("{} {} delivery {}", delivery.flow, delivery.record, delivery.id);
    let entry = audit::NewEntry {
        actor: by,
        action: if applied { "delivery.confirmed" } else { "delivery.retried" },
        subject: &subject,
        run: delivery.run,
        reason: Some("decided"),
        before: text(delivery.before.as_ref())?,
        after: text(after)?,
    };
    audit::write(tx, entry, now()).await?;
    Ok(true)
}
