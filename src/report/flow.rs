//! Links and deliveries as documents.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::time;
use crate::model::Content;
use crate::store::delivery::Delivery;
use crate::store::link::Link;
use crate::words::Words;

/// Which records of two systems are the same customer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LinkDoc {
    /// Its number.
    pub id: i64,
    /// The flow.
    pub flow: String,
    /// The master's record.
    pub source_key: String,
    /// The record in the system that follows.
    pub destination_key: String,
    /// The name there, in the mirror.
    pub source_name: Option<String>,
    /// The name there, in the mirror.
    pub destination_name: Option<String>,
    /// The customer that the master's record makes.
    pub source_customer: Option<i64>,
    /// The customer that the other record makes.
    pub destination_customer: Option<i64>,
    /// What it was found by, `created`, `file` or `decided`.
    pub rule: String,
    /// `linked`, or `source_gone`.
    pub state: &'static str,
    /// When it was made.
    pub made_at: String,
    /// When both sides agreed last.
    pub agreed_at: Option<String>,
    /// When both were seen to be there and equal.
    pub verified_at: Option<String>,
}

/// A write to another system.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeliveryDoc {
    /// Its number.
    pub id: i64,
    /// The flow.
    pub flow: String,
    /// `import` or `forward`.
    pub way: &'static str,
    /// `create` or `update`.
    pub action: String,
    /// The record that is carried, in the system it comes from.
    pub record: String,
    /// Its name, in the mirror.
    pub name: Option<String>,
    /// The customer it makes.
    pub customer: Option<i64>,
    /// The record it is written to.
    pub target: Option<String>,
    /// Where it stands.
    pub state: &'static str,
    /// How often it was sent.
    pub attempt: i64,
    /// What was there before, by field.
    pub before: Option<BTreeMap<&'static str, String>>,
    /// What was sent, by field.
    pub payload: Option<BTreeMap<&'static str, String>>,
    /// What was there afterwards, by field.
    pub after: Option<BTreeMap<&'static str, String>>,
    /// What became of it, or why it waits.
    pub message: Option<String>,
    /// Why it was asked for.
    pub reason: String,
    /// The run it was asked for in.
    pub run: Option<i64>,
    /// Who asked for it.
    pub requested_by: String,
    /// When.
    pub requested_at: String,
    /// Not to be looked at before; null when it is due, or does not go on by itself.
    pub next_at: Option<String>,
    /// When it was sent last.
    pub sent_at: Option<String>,
    /// When it came to its end.
    pub ended_at: Option<String>,
}

/// A link as a document.
pub fn link(flow: &str, link: &Link) -> LinkDoc {
    LinkDoc {
        id: link.id,
        flow: flow.to_owned(),
        source_key: link.source_key.clone(),
        destination_key: link.destination_key.clone(),
        source_name: None,
        destination_name: None,
        source_customer: None,
        destination_customer: None,
        rule: link.rule.clone(),
        state: if link.source_gone { "source_gone" } else { "linked" },
        made_at: time(link.made_at),
        agreed_at: link.agreed_at.map(time),
        verified_at: link.verified_at.map(time),
    }
}

/// A delivery as a document.
pub fn delivery(delivery: &Delivery, words: &Words) -> DeliveryDoc {
    let fields = |content: &Option<Content>| content.as_ref().map(Content::fields);
    DeliveryDoc {
        id: delivery.id,
        flow: delivery.flow.clone(),
        way: delivery.way.word(),
        action: delivery.action.clone(),
        record: delivery.record.clone(),
        name: None,
        customer: None,
        target: delivery.target.clone(),
        state: delivery.state.word(),
        attempt: delivery.attempt,
        before: fields(&delivery.before),
        payload: fields(&delivery.payload),
        after: fields(&delivery.after),
        message: delivery.message.as_ref().map(|message| words.message(message)),
        reason: delivery.reason.clone(),
        run: delivery.run,
        requested_by: delivery.asked_by.clone(),
        requested_at: time(delivery.queued_at),
        next_at: (delivery.state.is_open() && delivery.not_before > 0).then(|| time(delivery.not_before)),
        sent_at: delivery.sent_at.map(time),
        ended_at: delivery.ended_at.map(time),
    }
}
