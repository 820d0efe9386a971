//! What a person puts back: a write that is undone, and an edit of the system that follows that was right after
//! all and is taken over into the master.

use anyhow::Result;

use super::super::now;
use super::compare::Difference;
use crate::model::flow::{State, Way};
use crate::model::{Contact, Field};
use crate::store::case::Case;
use crate::store::delivery::{self, Restore};
use crate::store::link::{self, Side};
use crate::store::{Store, Tx, audit, overridden};

/// Asks for the fields that a delivery has written to be put back as they were; else why that cannot be, a key
/// of the catalogue. Whether somebody has changed them since is looked at when it is written.
pub async fn undo(store: &Store, id: i64, by: &str) -> Result<Result<(), &'static str>> {
    let Some(done) = store.delivery(id).await? else { return Ok(Err("delivery-unknown")) };
    let written = matches!(done.state, State::Confirmed | State::Verified);
    let (Some(before), Some(after)) = (&done.before, &done.after) else {
        return Ok(Err("undo-not-an-update"));
    };
    if !written || done.fields.is_empty() || done.action != "update" {
        return Ok(Err("undo-not-an-update"));
    }
    let mut tx = store.begin().await?;
    let new = Restore {
        flow: &done.flow,
        way: done.way,
        record: &done.record,
        reason: "undo",
        asked_by: by,
        fields: &done.fields,
        wished: &only(&done.fields, &before.contact()),
        expected: &only(&done.fields, &after.contact()),
    };
    if !delivery::queue_restore(&mut tx, &new, now()).await? {
        return Ok(Err("undo-something-waits"));
    }
    note(&mut tx, by, "delivery.undo_asked", &format!("{} {} delivery {id}", done.flow, done.record)).await?;
    tx.commit().await?;
    Ok(Ok(()))
}

/// Asks for a value that was overridden to be taken over into the master; else why that cannot be.
pub async fn accept(store: &Store, id: i64, by: &str) -> Result<Result<(), &'static str>> {
    let Some(value) = store.overridden_value(id).await? else { return Ok(Err("overridden-unknown")) };
    let mut tx = store.begin().await?;
    let fields = [value.field];
    let contact = |text: &Option<String>| {
        let mut contact = Contact::default();
        contact.set(value.field, text.as_deref());
        contact
    };
    let new = Restore {
        flow: &value.flow,
        way: Way::Back,
        record: &value.destination_key,
        reason: "accept",
        asked_by: by,
        fields: &fields,
        wished: &contact(&value.theirs),
        expected: &contact(&value.became),
    };
    if !overridden::accept(&mut tx, id, by, now()).await? {
        return Ok(Err("overridden-accepted"));
    }
    if !delivery::queue_restore(&mut tx, &new, now()).await? {
        return Ok(Err("undo-something-waits"));
    }
    let subject = format!("{} {} {}", value.flow, value.source_key, value.field.word());
    note(&mut tx, by, "overridden.accepted", &subject).await?;
    tx.commit().await?;
    Ok(Ok(()))
}

/// Takes over into the master what the other side has in the fields that a case asks about.
pub(super) async fn take_over(tx: &mut Tx, case: &Case, by: &str) -> Result<bool> {
    let differences: Vec<Difference> =
        serde_json::from_value(case.detail["fields"].clone()).unwrap_or_default();
    let Some(link) = link::of(tx, &case.system, Side::Source, &case.subject).await? else { return Ok(false) };
    let fields: Vec<Field> = differences.iter().map(|difference| difference.name).collect();
    let (mut wished, mut expected) = (Contact::default(), Contact::default());
    for difference in &differences {
        wished.set(difference.name, difference.destination.as_deref());
        expected.set(difference.name, difference.source.as_deref());
    }
    let new = Restore {
        flow: &case.system,
        way: Way::Back,
        record: &link.destination_key,
        reason: "accept",
        asked_by: by,
        fields: &fields,
        wished: &wished,
        expected: &expected,
    };
    delivery::queue_restore(tx, &new, now()).await
}

/// A contact with these fields alone.
fn only(fields: &[Field], of: &Contact) -> Contact {
    let mut contact = Contact::default();
    for field in fields {
        contact.set(*field, of.get(*field));
    }
    contact
}

async fn note(tx: &mut Tx, by: &str, action: &str, subject: &str) -> Result<()> {
    let entry = audit::NewEntry { actor: by, action, subject, ..audit::NewEntry::default() };
    audit::write(tx, entry, now()).await
}
