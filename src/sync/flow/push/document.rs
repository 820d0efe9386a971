//! What is peculiar to documents: they are read once more before they are sent, wait for their customer, and
//! are never sent again by themselves, for nothing tells whether one is there.

use anyhow::Result;

use super::super::documents::verdict::{Verdict, question};
use super::super::documents::{about, ask_for_customer, judge_one, withdraw};
use super::send::{Task, What};
use super::{Hand, Sent, Stop};
use crate::connect::{Connector as _, Lookup};
use crate::model::document::{Answered, Document, PreInvoice, Sold, exact, plain, suid};
use crate::model::flow::State;
use crate::model::{Content, Message};
use crate::store::Tx;
use crate::store::delivery::{self, Step};
use crate::store::link::Side;
use crate::sync::now;

impl Hand {
    /// What is to be written of a document; `None` when that is decided otherwise.
    pub(super) async fn prepare_document(&self) -> Result<Option<Task>, Stop> {
        let (road, key) = (&*self.road, self.delivery.record.as_str());
        let flow = road.flow.name.as_str();
        let others = self.store().deliveries_of(flow, road.way, key).await?;
        if others.iter().any(|other| other.id != self.delivery.id && other.may_have_written()) {
            // Of a document there is one, whoever asks for a second.
            return self.end(&self.message("push-linked-already")).await;
        }
        // What is sent is what the master says now.
        let by = Lookup::Key(key.to_owned());
        let rows = match road.origin.connector.find(&road.origin.http, road.from, &by).await {
            Ok(rows) => rows,
            Err(error) => return self.unread(State::Claimed, error).await.map(|()| None),
        };
        let Some(document) = rows.iter().find_map(|row| road.document(&row.raw)) else {
            return self.end(&self.message("push-record-gone")).await;
        };
        let stands = document.stands();
        if self.delivery.reason == "apply" && self.delivery.said.is_some_and(|said| said != stands) {
            return self.end(&self.message("push-moved")).await;
        }
        let (document, verdict) = judge_one(road, document).await?;
        let model = match verdict {
            Verdict::Due(model) => model,
            Verdict::Ask(kind, what) => {
                let id =
                    if kind == "unknown_state" { "case-unknown-state" } else { "case-not-representable" };
                return self.ask_first(kind, &question(id, what, &document)).await;
            }
            Verdict::Sent | Verdict::SentUnseen | Verdict::Changed => {
                return self.end(&self.message("push-linked-already")).await;
            }
            Verdict::OfQuote => return self.end(&self.message("push-of-quote")).await,
            Verdict::Excluded | Verdict::BeforeStart | Verdict::NotDue => {
                return self.end(&self.message("push-not-due")).await;
            }
        };
        let customer = document.customer.clone().unwrap_or_default();
        let after = road.bills()?.after.as_str();
        let Some(link) = self.store().link_of(after, Side::Source, &customer).await? else {
            return self.wait_for(&customer).await;
        };
        let contact = link.destination_key;
        let by = Lookup::Key(contact.clone());
        let rows = match road.target.connector.find(&road.target.http, road.to, &by).await {
            Ok(rows) => rows,
            Err(error) => return self.unread(State::Claimed, error).await.map(|()| None),
        };
        let row = rows.into_iter().find(|row| row.key.as_deref() == Some(contact.as_str()));
        let Some(row) = row else {
            let message = self.message("case-target-gone").with("key", &contact);
            self.hold("target_gone", message, &["resolved"], State::Claimed).await?;
            return Ok(None);
        };
        let Some(party) = road.target.connector.party(&row.raw) else {
            let message = question("case-no-party", "", &document).with("key", &contact);
            return self.ask_first("no_party", &message).await;
        };
        let year = match road.target.connector.fiscal_year(&road.target.http).await {
            Ok(Some(year)) => year,
            Ok(None) => {
                let message = self.message("push-no-year");
                return Ok(self.leave(State::Claimed, State::Rejected, &message, 0).await.map(|()| None)?);
            }
            Err(error) => return self.unread(State::Claimed, error).await.map(|()| None),
        };
        let round = others.iter().map(|one| one.round).sum();
        let pre_invoice = PreInvoice {
            number: document.number.clone(),
            net: document.total().map_or_else(String::new, plain),
            said: document.said().to_string(),
            suid: suid(flow, key, round),
            year,
            contact,
            party,
            model,
            constants: road.bills()?.constants.clone(),
            notes: document.notes.clone(),
            lines: sold(&document),
            answered: None,
        };
        let sent = Sent {
            before: None,
            after: Content::of_document(pre_invoice.clone()),
            agreed: None,
            said: Some(document.said()),
            question: None,
        };
        let what = What::Document(Box::new(pre_invoice));
        Ok(Some(Task { target: None, what, mark: None, stands: Some(stands), sent }))
    }

    /// Ends it without anything sent.
    async fn end(&self, message: &Message) -> Result<Option<Task>, Stop> {
        let mut tx = self.store().begin().await?;
        let step = Step { message: Some(message), ..Step::new(State::Claimed, State::Superseded) };
        if delivery::step(&mut tx, self.lease, &step, now()).await? {
            self.note(&mut tx, "delivery.superseded", None, None, Some(&message.id)).await?;
            self.goes_on(&mut tx).await?;
            tx.commit().await?;
        }
        Ok(None)
    }

    /// Holds it before anything is sent: a person must look.
    async fn ask_first(&self, kind: &str, message: &Message) -> Result<Option<Task>, Stop> {
        let road = &*self.road;
        let message = about(road, message.clone(), &self.delivery.record);
        let mut tx = self.store().begin().await?;
        let step = Step { message: Some(&message), ..Step::new(State::Claimed, State::Held) };
        if delivery::step(&mut tx, self.lease, &step, now()).await? {
            self.note(&mut tx, "delivery.held", None, None, Some(&message.id)).await?;
            let (flow, id) = (road.flow.name.as_str(), Some(self.delivery.id));
            withdraw(&mut tx, flow, &self.delivery.record, id, Some(kind)).await?;
            self.raise_in(&mut tx, kind, message, &["exclude"], &()).await?;
            tx.commit().await?;
        }
        Ok(None)
    }

    /// Its customer comes first.
    async fn wait_for(&self, customer: &str) -> Result<Option<Task>, Stop> {
        let road = &*self.road;
        ask_for_customer(road, customer, self.delivery.run).await?;
        let message = self.message("push-waits-for-customer").with("customer", customer);
        let message = message.with("after", &road.bills()?.after);
        let mut tx = self.store().begin().await?;
        if delivery::put_back(&mut tx, self.lease, Some(customer), &message, 0, now()).await? {
            self.goes_on(&mut tx).await?;
            tx.commit().await?;
        }
        Ok(None)
    }

    /// What hindered a document before hinders it no more.
    pub(super) async fn goes_on(&self, tx: &mut Tx) -> Result<()> {
        if self.road.flow.bills.is_some() {
            let id = Some(self.delivery.id);
            withdraw(tx, &self.road.flow.name, &self.delivery.record, id, None).await?;
        }
        Ok(())
    }

    /// Nothing tells whether a document is there: a person has to look.
    pub(super) async fn resolve_document(&self) -> Result<(), Stop> {
        let sent = self.delivery.payload.as_ref().and_then(Content::document).cloned().unwrap_or_default();
        let message = self.message("case-uncertain-document");
        let message = message
            .with("number", sent.number.as_deref().unwrap_or("none"))
            .with("net", &sent.net)
            .with("delivery", self.delivery.id);
        let choices = ["applied", "not_applied"];
        Ok(self.hold("uncertain_delivery", message, &choices, State::Uncertain).await?)
    }

    /// What was sent with what was answered, and what has to be asked about the two.
    pub(super) fn with_answer(&self, sent: &Sent, facts: &[(&'static str, String)]) -> Sent {
        let mut sent = sent.clone();
        let Some(mut document) = sent.after.document().cloned() else { return sent };
        let fact =
            |name: &str| facts.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        let answered = Answered {
            number: fact("document_number"),
            code: fact("document_code"),
            id: fact("document_id"),
            net: fact("net"),
        };
        let tolerance = self.road.flow.bills.as_ref().map_or(0, |bills| bills.tolerance);
        if !is_near(&document, answered.net.as_deref(), tolerance) {
            let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
            let message = self.message("case-net-amount").with("number", shown(&document.number));
            let message = message.with("document", shown(&answered.number)).with("net", &document.net);
            sent.question = Some(message.with("answered", shown(&answered.net)));
        }
        document.answered = Some(answered);
        sent.after = Content::of_document(document);
        sent
    }
}

/// Whether the net amount that was answered is that of the document, but for the tolerance of each line.
pub(in crate::sync::flow) fn is_near(document: &PreInvoice, answered: Option<&str>, tolerance: i128) -> bool {
    let (Some(Ok(answered)), Ok(net)) = (answered.map(exact), exact(&document.net)) else { return false };
    (answered - net).abs() <= tolerance * document.lines.len() as i128
}

/// The lines of a document as they are sent.
fn sold(document: &Document) -> Vec<Sold> {
    let text = |value: Option<i128>| plain(value.unwrap_or(0));
    let line = |line: &crate::model::document::Line| Sold {
        product: line.product.clone().unwrap_or_default(),
        unit: line.unit.clone(),
        count: text(line.count),
        price: text(line.price),
        discount: text(line.discount),
    };
    document.lines.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::document::SCALE;

    #[test]
    fn net_amounts_may_differ_by_so_much_for_each_line() {
        let of = |net: &str, lines: usize| PreInvoice {
            net: net.to_owned(),
            lines: vec![Sold::default(); lines],
            ..PreInvoice::default()
        };
        let one = 10_i128.pow(SCALE);
        for (net, lines, answered, near) in [
            ("100", 1, Some("100"), true),
            ("100", 1, Some("101"), true),
            ("100", 1, Some("101.01"), false),
            ("100.4", 2, Some("98.4"), true),
            ("100", 0, Some("101"), false),
            ("100", 1, None, false),
            ("", 1, Some("100"), false),
        ] {
            assert_eq!(is_near(&of(net, lines), answered, one), near, "{net} {answered:?}");
        }
    }
}
