//! A write of unknown outcome is looked for, after the settle time: until then it may yet be done.

use anyhow::Result;

use super::super::confirm::is_as_sent;
use super::{Hand, Sent, Stop};
use crate::connect::{Connector as _, Lookup};
use crate::failpoint;
use crate::model::Contact;
use crate::model::flow::State;
use crate::store::delivery::{self, Step};
use crate::sync::now;

impl Hand {
    /// Looks for what was sent, and goes on by what is there.
    pub(super) async fn resolve(&self) -> Result<(), Stop> {
        failpoint("delivery resolving");
        let road = &*self.road;
        // Something was sent, so it is on record.
        let payload = self.delivery.payload.clone().unwrap_or_default();
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
                    after: payload.clone(),
                    agreed: self.delivery.wished.clone().unwrap_or_default(),
                    said: self.delivery.said,
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
        failpoint("delivery resolved");
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
        let before = self.delivery.before.as_ref().map(|before| before.fingerprint(region));
        before == Some(there.fingerprint(region))
    }

    /// It was not done: it is tried again, or has been tried often enough.
    async fn again(&self) -> Result<()> {
        let message = self.message("push-not-there");
        let attempt = self.delivery.attempt;
        let step = if self.is_exhausted(attempt) {
            Step::new(State::Uncertain, State::Dead)
        } else {
            Step {
                not_before: self.next_attempt(attempt, None),
                ..Step::new(State::Uncertain, State::Prepared)
            }
        };
        let mut tx = self.store().begin().await?;
        let step = Step { message: Some(&message), ..step };
        if delivery::step(&mut tx, self.lease, &step, now()).await? {
            self.note(&mut tx, "delivery.not_done", None, None, Some(&message.id)).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
