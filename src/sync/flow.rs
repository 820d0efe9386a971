//! Keeping two systems in agreement: what must change is found by comparing both sides, and changed
//! once.
//!
//! [`import`] brings the customers of the system that follows into the master, once. [`push`] works
//! deliveries off by the write protocol; whatever asks for one only says *look at this record*.

use std::sync::Arc;
use std::time::Duration;

use super::Source;
use crate::app::App;
use crate::connect::{Connector, LeftOut, Stream};
use crate::model::contact::{Known, StoredContact};
use crate::model::flow::{Entity, Way};
use crate::model::{Contact, Field, Fingerprint, Flow};

pub mod applied;
pub mod beside;
pub mod compare;
pub mod confirm;
pub mod decide;
pub mod documents;
pub mod forward;
pub mod import;
pub mod life;
pub mod planned;
pub mod push;
pub mod restore;
pub mod verify;

/// A flow one way: the system its records come from, and the one that is written to.
pub struct Road {
    /// The program.
    pub app: Arc<App>,
    /// The flow.
    pub flow: Flow,
    /// Which way.
    pub way: Way,
    /// Where records come from.
    pub origin: Source,
    /// What is written to.
    pub target: Source,
    /// The origin's list of what is carried: contacts or documents.
    pub from: &'static Stream,
    /// The target's list of contacts.
    pub to: &'static Stream,
    /// How long after a write of unknown outcome it is looked for.
    pub settle: Duration,
}

impl Road {
    /// The road of a flow; `None` when one of its systems is switched off, and for the import of documents,
    /// which is none.
    pub fn new(app: &Arc<App>, flow: &Flow, way: Way) -> Option<Arc<Road>> {
        let (origin, target) = match way {
            Way::Import | Way::Back => (&flow.to, &flow.from),
            Way::Forward => (&flow.from, &flow.to),
        };
        let (origin, target) = (app.source(origin)?.clone(), app.source(target)?.clone());
        let from = match (flow.entity, way) {
            (Entity::Customer, _) => origin.connector.contacts()?,
            (_, Way::Forward) => origin.connector.documents(flow.entity.stream())?,
            (_, Way::Import | Way::Back) => return None,
        };
        let to = target.connector.contacts()?;
        let settle = app.config.system(&target.name)?.settle;
        Some(Arc::new(Road { app: app.clone(), flow: flow.clone(), way, origin, target, from, to, settle }))
    }

    /// What a record of the origin says, with the number the flow gives it.
    pub fn content(&self, key: &str, raw: &str) -> Result<Contact, LeftOut> {
        let mut contact = self.origin.contact(self.from, raw)?;
        if !self.way.is_forward()
            && let Some(rule) = &self.flow.number
        {
            contact.set(Field::Number, rule.number(key).as_deref());
        }
        Ok(contact)
    }

    /// What the target would have if it followed: what the flow carries, as the target can hold it.
    pub fn wished(&self, content: &Contact) -> Contact {
        let mut carried = Contact::default();
        for (field, value) in content.iter() {
            if field == Field::Number || self.flow.fields.contains(&field) {
                carried.set(field, Some(value));
            }
        }
        self.target.connector.holds(&carried)
    }

    /// What a stored record of the origin is matched by on the other side.
    pub fn matched_by(&self, stored: &StoredContact) -> Known {
        let mut known = stored.known.clone();
        if !self.way.is_forward()
            && let Some(rule) = &self.flow.number
        {
            let number = rule.number(&known.key);
            known.number = number.map(|number| Field::Number.canonical(&number, self.origin.region()));
        }
        known
    }

    /// What the master's record said, if `said` is what a record of the origin says. Of an import that is
    /// not known before the master was read again.
    pub fn said_by_master(&self, said: Option<Fingerprint>) -> Option<Fingerprint> {
        said.filter(|_| self.way == Way::Forward)
    }

    /// The master's key and that of the system that follows.
    pub fn keys<'a>(&self, origin: &'a str, target: &'a str) -> (&'a str, &'a str) {
        match self.way {
            Way::Import | Way::Back => (target, origin),
            Way::Forward => (origin, target),
        }
    }
}

impl Source {
    /// What a row of a list of contacts says.
    pub fn contact(&self, stream: &Stream, raw: &str) -> Result<Contact, LeftOut> {
        match self.connector.read(stream, raw)? {
            crate::model::Record::Contact(described) => Ok(described.contact),
            _ => Ok(Contact::default()),
        }
    }

    /// The region of phone numbers without a country.
    pub fn region(&self) -> &str {
        self.connector.region()
    }
}
