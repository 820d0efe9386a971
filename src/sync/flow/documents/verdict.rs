//! What is to become of a document: sent, left alone, or asked about. Pure.

use crate::model::document::{Document, hindrance, sale_model};
use crate::model::flow::Bills;
use crate::model::{Fingerprint, Message};

/// The states that every CRM of this kind has: pending, and approved and numbered.
const KNOWN_STATES: [i64; 2] = [1, 2];

/// What is known of a document beside what it says.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// It was sent: what it said then, if that is known.
    pub sent: Option<Option<Fingerprint>>,
    /// A person has left it out.
    pub excluded: bool,
    /// The quote it came from was sent, or will be.
    pub quote_is_sent: bool,
    /// Since when documents are sent, on the master's clock; `None` = not yet.
    pub since: Option<String>,
}

/// What is to become of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was sent, and says the same still.
    Sent,
    /// It was sent; what it said then is not on record.
    SentUnseen,
    /// Its money or lines changed after it was sent.
    Changed,
    /// A person has left it out.
    Excluded,
    /// It was made before documents were sent.
    BeforeStart,
    /// Its quote was sent.
    OfQuote,
    /// It is not in a state in which it is sent.
    NotDue,
    /// A person must look: the kind of case, and what is wrong, a word of the catalogue.
    Ask(&'static str, &'static str),
    /// It is to be sent, by this sale model.
    Due(String),
}

/// What is to become of a document.
pub fn verdict(document: &Document, bills: &Bills, facts: &Facts) -> Verdict {
    match facts.sent {
        Some(None) => return Verdict::SentUnseen,
        Some(Some(said)) if said == document.said() => return Verdict::Sent,
        Some(Some(_)) => return Verdict::Changed,
        None => {}
    }
    if facts.excluded {
        return Verdict::Excluded;
    }
    let late_enough =
        facts.since.as_ref().zip(document.made.as_ref()).is_some_and(|(since, made)| made >= since);
    if !late_enough {
        return Verdict::BeforeStart;
    }
    match document.state {
        Some(state) if bills.states.contains(&state) => {}
        Some(state) if KNOWN_STATES.contains(&state) => return Verdict::NotDue,
        _ => return Verdict::Ask("unknown_state", "state"),
    }
    if facts.quote_is_sent {
        return Verdict::OfQuote;
    }
    if document.customer.is_none() {
        return Verdict::Ask("not_representable", "customer");
    }
    let model = document.subtype.as_deref().and_then(|subtype| sale_model(&bills.sale_models, subtype));
    match (hindrance(document, bills.tolerance), model) {
        (Some(what), _) => Verdict::Ask("not_representable", what),
        (None, None) => Verdict::Ask("not_representable", "sale-model"),
        (None, Some(model)) => Verdict::Due(model),
    }
}

/// What a verdict that asks is about, in words.
pub fn question(id: &str, what: &str, document: &Document) -> Message {
    use crate::model::document::plain;
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    let number = |value: Option<i128>| value.map_or_else(|| "none".to_owned(), plain);
    Message::new(id)
        .with("what", what)
        .with("number", text(&document.number))
        .with("subtype", text(&document.subtype))
        .with("state", document.state.map_or_else(|| "none".to_owned(), |state| state.to_string()))
        .with("net", number(document.total()))
        .with("predicted", number(document.predicted()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::document::{Line, exact};

    fn document() -> Document {
        let number = |text: &str| exact(text).ok();
        let line = Line {
            product: Some("1001".to_owned()),
            count: number("2"),
            price: number("50"),
            ..Line::default()
        };
        Document {
            customer: Some("c".to_owned()),
            state: Some(2),
            subtype: Some("PI_3".to_owned()),
            made: Some("2030-01-02T10:00:00".to_owned()),
            net: Some(10_000),
            lines: vec![line],
            ..Document::default()
        }
    }

    #[test]
    fn a_document_is_sent_once_when_nothing_hinders() {
        let bills = Bills {
            after: String::new(),
            states: vec![2, 7],
            since: None,
            tolerance: 0,
            sale_models: std::collections::BTreeMap::new(),
            constants: std::collections::BTreeMap::new(),
        };
        let since = |text: &str| Facts { since: Some(text.to_owned()), ..Facts::default() };
        let live = || since("2030-01-01T00:00:00");
        let other = |change: fn(&mut Document)| {
            let mut document = document();
            change(&mut document);
            document
        };
        let due = || Verdict::Due("3".to_owned());
        let said = document().said();
        for (document, facts, expected) in [
            (document(), live(), due()),
            (other(|d| d.state = Some(7)), live(), due()),
            (document(), since("2030-01-02T10:00:00"), due()),
            (document(), since("2030-01-02T10:00:00.1"), Verdict::BeforeStart),
            (document(), Facts::default(), Verdict::BeforeStart),
            (other(|d| d.made = None), live(), Verdict::BeforeStart),
            (other(|d| d.state = Some(1)), live(), Verdict::NotDue),
            (other(|d| d.state = Some(5)), live(), Verdict::Ask("unknown_state", "state")),
            (other(|d| d.state = None), live(), Verdict::Ask("unknown_state", "state")),
            (other(|d| d.state = Some(5)), Facts::default(), Verdict::BeforeStart),
            (other(|d| d.subtype = None), live(), Verdict::Ask("not_representable", "sale-model")),
            (other(|d| d.customer = None), live(), Verdict::Ask("not_representable", "customer")),
            (other(|d| d.net = Some(10_001)), live(), Verdict::Ask("not_representable", "net")),
            (document(), Facts { excluded: true, ..live() }, Verdict::Excluded),
            (document(), Facts { quote_is_sent: true, ..live() }, Verdict::OfQuote),
            (document(), Facts { sent: Some(Some(said)), ..live() }, Verdict::Sent),
            (document(), Facts { sent: Some(None), ..live() }, Verdict::SentUnseen),
            (other(|d| d.net = None), Facts { sent: Some(Some(said)), ..Facts::default() }, Verdict::Changed),
        ] {
            assert_eq!(verdict(&document, &bills, &facts), expected, "{document:?} {facts:?}");
        }
    }
}
