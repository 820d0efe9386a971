//! What a delivery came to: links, agreements and cases, in the transaction of its last step.

use anyhow::Result;
use serde::Serialize;

use super::{Hand, Sent};
use crate::model::flow::State;
use crate::model::{Contact, Field, Message};
use crate::store::Tx;
use crate::store::case::{self, NewCase};
use crate::store::delivery::{self, Step};
use crate::store::link::{self, NewLink, Side};
use crate::store::overridden::{self, Overridden};
use crate::sync::now;

impl Hand {
    /// It was done: the link, what both agree upon now, and the audit.
    pub(super) async fn confirmed(&self, from: State, sent: &Sent, key: &str) -> Result<()> {
        let mut tx = self.store().begin().await?;
        let step = Step { target: Some(key), after: Some(&sent.after), ..Step::new(from, State::Confirmed) };
        if !delivery::step(&mut tx, self.lease, &step, now()).await? {
            return Ok(());
        }
        self.note(&mut tx, "delivery.confirmed", sent.before.as_ref(), Some(&sent.after), None).await?;
        if self.link(&mut tx, key, "created").await? || self.is_linked(&mut tx, key).await? {
            self.keep_overridden(&mut tx, sent, key).await?;
            self.agree(&mut tx, sent, key).await?;
            if let Some(message) = &sent.question {
                self.raise_in(&mut tx, "net_amount", message.clone(), &["seen"], &()).await?;
            }
            return tx.commit().await;
        }
        // One of the two was linked otherwise meanwhile: it is there, and whose it is has to be said.
        let message = self.message("case-duplicate").with("keys", key);
        let step = Step { message: Some(&message), ..Step::new(State::Confirmed, State::Held) };
        delivery::step(&mut tx, self.lease, &step, now()).await?;
        self.raise_in(&mut tx, "duplicate", message, &["resolved"], &()).await?;
        tx.commit().await
    }

    /// Keeps what others had written there and is overwritten now.
    async fn keep_overridden(&self, tx: &mut Tx, sent: &Sent, key: &str) -> Result<()> {
        let road = &*self.road;
        let (Some(before), Some(_)) = (&sent.before, &sent.agreed) else { return Ok(()) };
        let record = self.delivery.record.as_str();
        let link = link::of(tx, &road.flow.name, Side::Source, record).await?;
        let Some(agreed) = link.and_then(|link| link.agreed).filter(|_| road.way.is_forward()) else {
            return Ok(());
        };
        let (before, after, region) = (before.contact(), sent.after.contact(), road.target.region());
        for field in Field::ALL {
            if before.agrees(&after, field, region) || agreed.agrees(&before, field, region) {
                continue;
            }
            let text = |contact: &Contact| contact.get(field).map(str::to_owned);
            let value = Overridden {
                id: 0,
                flow: road.flow.name.clone(),
                source_key: record.to_owned(),
                destination_key: key.to_owned(),
                field,
                agreed: text(&agreed),
                theirs: text(&before),
                became: text(&after),
                delivery: self.delivery.id,
                at: now(),
                accepted_at: None,
                accepted_by: None,
            };
            overridden::keep(tx, &value).await?;
        }
        Ok(())
    }

    /// Whether the record is linked with this key of the target.
    async fn is_linked(&self, tx: &mut Tx, key: &str) -> Result<bool> {
        let road = &*self.road;
        let (source_key, destination_key) = road.keys(&self.delivery.record, key);
        let there = link::of(tx, &road.flow.name, Side::Source, source_key).await?;
        Ok(there.is_some_and(|link| link.destination_key == destination_key))
    }

    /// Both sides agree already, or a person is asked: nothing is written.
    pub(super) async fn nothing_to_do(&self, key: &str, why: &str, agreed: Option<&Sent>) -> Result<()> {
        let message = self.message(why);
        let mut tx = self.store().begin().await?;
        let step = Step {
            target: Some(key),
            message: Some(&message),
            ..Step::new(State::Claimed, State::Superseded)
        };
        if delivery::step(&mut tx, self.lease, &step, now()).await? {
            if let Some(sent) = agreed {
                self.agree(&mut tx, sent, key).await?;
                for kind in ["conflict", "ping_pong"] {
                    case::settle(&mut tx, kind, &self.road.flow.name, &self.delivery.record, now()).await?;
                }
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// An update came back with another key than was sent: the system has made a second record of it.
    pub(super) async fn written_elsewhere(&self, sent: &Sent, key: &str) -> Result<()> {
        let target = self.delivery.target.as_deref().unwrap_or_default();
        let message = self.message("case-changed-code").with("sent", target).with("key", key);
        let mut tx = self.store().begin().await?;
        let step =
            Step { after: Some(&sent.after), message: Some(&message), ..Step::new(State::Sent, State::Held) };
        if delivery::step(&mut tx, self.lease, &step, now()).await? {
            // Something was written, though not where it should be.
            self.note(&mut tx, "delivery.confirmed", None, Some(&sent.after), Some(&message.id)).await?;
            self.raise_in(&mut tx, "changed_code", message, &["resolved"], &()).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// The customer was found there: it is linked, not written again.
    pub(super) async fn link_instead(&self, key: &str, rule: &str) -> Result<()> {
        let mut tx = self.store().begin().await?;
        let message = self.message("push-linked").with("key", key);
        let step = Step {
            target: Some(key),
            message: Some(&message),
            ..Step::new(State::Claimed, State::Superseded)
        };
        if !delivery::step(&mut tx, self.lease, &step, now()).await? {
            return Ok(());
        }
        if self.link(&mut tx, key, rule).await? {
            return tx.commit().await;
        }
        // Somebody else's already.
        drop(tx);
        let message = self.message("case-ambiguous-match").with("rule", rule).with("keys", key);
        self.hold("ambiguous_match", message, &["create", "exclude"], State::Claimed).await
    }

    /// Links the record with this key of the target; `false` when either is linked otherwise.
    async fn link(&self, tx: &mut Tx, key: &str, rule: &str) -> Result<bool> {
        let road = &*self.road;
        let (source_key, destination_key) = road.keys(&self.delivery.record, key);
        let flow = road.flow.name.as_str();
        let new = NewLink { flow, source_key, destination_key, rule, run: self.delivery.run, by: "push" };
        let made = link::make(tx, &new, now()).await?;
        if made {
            self.note(tx, "link.made", None, None, Some(rule)).await?;
        }
        Ok(made)
    }

    /// Keeps what both sides agree upon now.
    async fn agree(&self, tx: &mut Tx, sent: &Sent, key: &str) -> Result<()> {
        let road = &*self.road;
        let (source_key, _) = road.keys(&self.delivery.record, key);
        let said = road.said_by_master(sent.said);
        match (&sent.agreed, said) {
            (Some(agreed), said) => link::agree(tx, &road.flow.name, source_key, agreed, said, now()).await,
            (None, Some(said)) => link::sent(tx, &road.flow.name, source_key, said, now()).await,
            (None, None) => Ok(()),
        }
    }

    /// What was planned is not what is there now: it is left out.
    pub(super) async fn moved(&self) -> Result<()> {
        let message = self.message("push-moved");
        self.leave(State::Claimed, State::Superseded, &message, 0).await
    }

    /// Stops the delivery until a person decides.
    pub(super) async fn hold(
        &self,
        kind: &str,
        message: Message,
        choices: &[&str],
        from: State,
    ) -> Result<()> {
        let mut tx = self.store().begin().await?;
        let step = Step { message: Some(&message), ..Step::new(from, State::Held) };
        if delivery::step(&mut tx, self.lease, &step, now()).await? {
            self.note(&mut tx, "delivery.held", None, None, Some(&message.id)).await?;
            self.raise_in(&mut tx, kind, message, choices, &()).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Asks a person without stopping the delivery.
    pub(super) async fn raise(
        &self,
        kind: &str,
        message: Message,
        choices: &[&str],
        detail: &impl Serialize,
    ) -> Result<()> {
        let mut tx = self.store().begin().await?;
        self.raise_in(&mut tx, kind, message, choices, detail).await?;
        tx.commit().await
    }

    pub(super) async fn raise_in(
        &self,
        tx: &mut Tx,
        kind: &str,
        message: Message,
        choices: &[&str],
        detail: &impl Serialize,
    ) -> Result<()> {
        let (id, way) = (self.delivery.id, self.delivery.way);
        let case = NewCase {
            kind,
            system: &self.road.flow.name,
            subject: &self.delivery.record,
            run: self.delivery.run,
            message,
            detail: serde_json::json!({ "delivery": id, "way": way, "fields": detail }),
            choices,
        };
        case::raise(tx, &case, now()).await
    }
}
