//! Putting fields of a linked record back, by a person's word: only while they are what they are expected to be.

use super::send::{Task, What};
use super::{Hand, Sent, Stop};
use crate::connect::{Connector as _, Lookup, Row};
use crate::model::flow::State;
use crate::model::{Contact, Content};
use crate::store::link::Side;

impl Hand {
    /// Whether it puts something back.
    pub(super) fn is_restore(&self) -> bool {
        matches!(self.delivery.reason.as_str(), "undo" | "accept")
    }

    /// What is put back; `None` when that is decided otherwise.
    pub(super) async fn prepare_restore(&self) -> Result<Option<Task>, Stop> {
        let road = &*self.road;
        let side = if road.way.is_forward() { Side::Source } else { Side::Destination };
        let link = self.store().link_of(&road.flow.name, side, &self.delivery.record).await?;
        let Some(link) = link else {
            let gone = self.message("push-record-gone");
            return Ok(self.leave(State::Claimed, State::Superseded, &gone, 0).await.map(|()| None)?);
        };
        let key = if road.way.is_forward() { &link.destination_key } else { &link.source_key };
        let Some((is, row)) = self.as_it_is(key).await? else { return Ok(None) };
        let (region, fields) = (road.target.region(), &self.delivery.fields);
        let wished = self.delivery.wished.clone().unwrap_or_default();
        let expected = self.delivery.before.as_ref().map(Content::contact);
        let moved = |expected: &Contact| fields.iter().any(|field| !expected.agrees(&is, *field, region));
        let there = fields.iter().all(|field| wished.agrees(&is, *field, region));
        if expected.as_ref().is_some_and(moved) && !there {
            let words: Vec<&str> = fields.iter().map(|field| field.word()).collect();
            let message =
                self.message("case-restore-moved").with("key", key).with("fields", words.join(", "));
            self.hold("restore_moved", message, &["restore", "leave"], State::Claimed).await?;
            return Ok(None);
        }
        let mut payload = is.clone();
        for field in fields {
            payload.set(*field, wished.get(*field));
        }
        let said = self.said_by_source(&link.source_key).await?;
        // What both sides agree upon is for the next comparison to say.
        let sent = Sent {
            before: Some(is.into()),
            after: payload.clone().into(),
            agreed: None,
            said: None,
            question: None,
        };
        if there {
            if self.delivery.attempt > 0 {
                let sent = Sent { before: self.delivery.before.clone(), ..sent };
                self.confirmed(State::Claimed, &sent, key).await?;
            } else {
                self.nothing_to_do(key, "push-nothing-to-do", None).await?;
            }
            return Ok(None);
        }
        let what = What::Contact {
            now: row.raw.into(),
            fields: fields.clone(),
            contact: payload,
            known_by: self.number_of(&link.source_key).await?,
        };
        Ok(Some(Task { target: Some(key.clone()), what, mark: None, stands: said, sent }))
    }

    /// The target's record of that key, read now, as it is compared and as it came; `None` when it is not there,
    /// which is then asked about.
    pub(super) async fn as_it_is(&self, key: &str) -> Result<Option<(Contact, Row)>, Stop> {
        let road = &*self.road;
        let by = Lookup::Key(key.to_owned());
        let rows = match road.target.connector.find(&road.target.http, road.to, &by).await {
            Ok(rows) => rows,
            Err(error) => return self.unread(State::Claimed, error).await.map(|()| None),
        };
        let row = rows.into_iter().find(|row| row.key.as_deref() == Some(key));
        let read = row.and_then(|row| Some((road.target.contact(road.to, &row.raw).ok()?, row)));
        if read.is_none() {
            let message = self.message("case-target-gone").with("key", key);
            self.hold("target_gone", message, &["resolved"], State::Claimed).await?;
        }
        Ok(read)
    }
}
