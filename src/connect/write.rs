//! Writing to another system: what is written, and what can become of it.

use std::time::Duration;

use crate::model::document::PreInvoice;
use crate::model::{Contact, Field, Message};

/// By what a contact is looked for in the system itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// By its key in the stream.
    Key(String),
    /// By the value of a field, as it was typed.
    Field(Field, String),
    /// All whose key is a number above this one.
    After(i64),
}

/// One write.
#[derive(Debug, Clone)]
pub enum Write<'a> {
    /// A new contact with this content, as [`super::Connector::holds`] gives it.
    Create {
        /// The content.
        contact: &'a Contact,
        /// What the other system knows it by, for systems that keep such a mark.
        mark: &'a str,
    },
    /// A contact that is there becomes this.
    Update {
        /// Its key.
        key: &'a str,
        /// The row as it was read a moment ago: whatever is not changed is written back from it.
        now: &'a str,
        /// The content it should have.
        contact: &'a Contact,
        /// The fields that differ; no other is changed.
        fields: &'a [Field],
        /// What the other system knows it by, for systems that keep such a mark.
        mark: &'a str,
    },
    /// A new pre-invoice. It can never be written twice, taken back or read again.
    Document(&'a PreInvoice),
}

/// What became of one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done; the key the system answered, and what else it said that should be kept.
    Confirmed {
        /// The key of what was written.
        key: String,
        /// Other facts by name (`document_number`, `net`).
        facts: Vec<(&'static str, String)>,
    },
    /// The system refused it: nothing was written, and the same would be refused again.
    Rejected(Message),
    /// Nothing was written; later it may be. Carries how long the system asked to wait.
    Later(Message, Option<Duration>),
    /// It may have been written, or may yet be.
    Uncertain(Message),
    /// Refused at the door: nothing was written, and a person must look after the login.
    Login(Message),
}

/// The values of a contact that say who somebody is. An organization's name may be a word like any other,
/// and is one only as a whole.
pub(super) fn telling(contact: &Contact) -> Vec<&str> {
    let fields = [
        Field::NationalId,
        Field::Mobile,
        Field::Telephone,
        Field::Email,
        Field::Address,
        Field::Notes,
        Field::Name,
    ];
    let mut telling: Vec<&str> = fields.iter().filter_map(|field| contact.get(*field)).collect();
    if contact.get(Field::Kind) != Some("organization") {
        telling.extend(contact.get(Field::Name).unwrap_or_default().split_whitespace());
    }
    telling
}
