//! What a delivery carries: a contact, or a document.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::contact::Contact;
use super::document::PreInvoice;

/// What a delivery carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Content {
    /// A pre-invoice.
    Document {
        /// The pre-invoice.
        document: Box<PreInvoice>,
    },
    /// A customer.
    Contact(Contact),
}

impl Content {
    /// The content that is this pre-invoice.
    pub fn of_document(document: PreInvoice) -> Content {
        Content::Document { document: Box::new(document) }
    }

    /// The customer; an empty one of a document.
    pub fn contact(&self) -> Contact {
        match self {
            Content::Contact(contact) => contact.clone(),
            Content::Document { .. } => Contact::default(),
        }
    }

    /// The document, if it is one.
    pub fn document(&self) -> Option<&PreInvoice> {
        match self {
            Content::Document { document } => Some(document),
            Content::Contact(_) => None,
        }
    }

    /// What it says, by name, for people and scripts.
    pub fn fields(&self) -> BTreeMap<&'static str, String> {
        let document = match self {
            Content::Contact(contact) => {
                return contact.iter().map(|(field, value)| (field.word(), value.to_owned())).collect();
            }
            Content::Document { document } => document,
        };
        let answered = document.answered.clone().unwrap_or_default();
        let lines = document.lines.iter().map(|line| {
            let off = if line.discount == "0" { String::new() } else { format!(" - {}", line.discount) };
            format!("{}: {} × {}{off}", line.product, line.count, line.price)
        });
        let said = [
            ("number", document.number.clone()),
            ("net", Some(document.net.clone())),
            ("suid", Some(document.suid.clone())),
            ("fiscal_year", Some(document.year.clone())),
            ("contact", Some(document.contact.clone())),
            ("party", Some(document.party.clone())),
            ("sale_model", Some(document.model.clone())),
            ("notes", document.notes.clone()),
            ("lines", Some(lines.collect::<Vec<_>>().join("; "))),
            ("document_number", answered.number),
            ("document_code", answered.code),
            ("document_id", answered.id),
            ("document_net", answered.net),
        ];
        said.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

impl From<Contact> for Content {
    fn from(contact: Contact) -> Content {
        Content::Contact(contact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::contact::Field;

    #[test]
    fn what_is_stored_reads_back_as_what_it_was() {
        let contact = Content::from(Contact::default().with(Field::Number, "100-2045"));
        let document = Content::of_document(PreInvoice { year: "1408".to_owned(), ..PreInvoice::default() });
        for content in [Content::from(Contact::default()), contact, document] {
            let text = serde_json::to_string(&content).unwrap();
            assert_eq!(serde_json::from_str::<Content>(&text).unwrap(), content, "{text}");
        }
    }
}
