//! Understanding contacts. The list holds a password with each: it is taken away before anything else.

use serde_json::value::RawValue;

use super::Siagh;
use crate::connect::http::NotWhole;
use crate::connect::loose::{Loose, first};
use crate::connect::object::Object;
use crate::connect::{LeftOut, Row};
use crate::model::Contact;
use crate::model::contact::Field;
use crate::model::record::{Described, Reject};
use crate::model::text::search_fold;

/// How deep a row may be nested: rows are flat.
const DEEPEST: usize = 16;

/// Splits the list: one bare array.
pub(super) fn rows(text: &str) -> Result<Vec<Row>, NotWhole> {
    let list: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| NotWhole::other_than("[…]", text))?;
    Ok(list.into_iter().map(|row| split(row.get())).collect())
}

/// One row with its key, without its password.
fn split(raw: &str) -> Row {
    let raw = without_passwords(raw, 0);
    Row { key: key(&raw), raw: raw.into(), version: None, brief: false, unasked: None }
}

/// The key of a row.
pub(super) fn key(raw: &str) -> Option<String> {
    first(raw, "Code").id().or_else(|| Object::read(raw)?.get("Code").id())
}

/// The row without what is called a password, however deep. What cannot be looked into is taken away.
fn without_passwords(json: &str, depth: usize) -> String {
    match json.as_bytes().first() {
        Some(b'{' | b'[') if depth == DEEPEST => "null".to_owned(),
        Some(b'{') => {
            let Some(mut object) = Object::read(json) else { return "{}".to_owned() };
            object.retain(|name| !is_password(name));
            let mut within = object.clone();
            for (name, value) in object.fields().filter(|(_, value)| is_nested(value)) {
                within.set(name, nested(value, depth));
            }
            within.text()
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            let items: Vec<String> =
                items.into_iter().map(|item| without_passwords(item.get(), depth + 1)).collect();
            format!("[{}]", items.join(","))
        }
        _ => json.to_owned(),
    }
}

fn is_nested(value: &RawValue) -> bool {
    value.get().starts_with(['{', '['])
}

fn nested(value: &RawValue, depth: usize) -> Option<Box<RawValue>> {
    RawValue::from_string(without_passwords(value.get(), depth + 1)).ok()
}

fn is_password(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "passwd", "pwd"].iter().any(|word| name.contains(word))
}

impl Siagh {
    /// Understands a contact. Its customer number follows from its key by a rule of the flow.
    pub(super) fn contact(&self, raw: &str) -> Result<Described, LeftOut> {
        let row = Object::read(raw).ok_or(Reject { rule: "not_an_object", field: "" })?;
        let key = row.get("Code").id().ok_or(Reject { rule: "no_key", field: "Code" })?;
        if row.get("IsAdminUser").flag() == Some(true) {
            return Err(LeftOut::Excluded("system_user"));
        }
        let mut contact = Contact::default();
        for (field, column, _) in super::columns::FIELDS {
            let value = row.get(column);
            let said = match field {
                Field::Kind => self.kind(&value).map(str::to_owned),
                Field::Gender => gender(&value).map(str::to_owned),
                Field::Active => value.flag().map(|flag| flag.to_string()),
                Field::City | Field::Province | Field::Country => {
                    value.text().and_then(|code| self.place(field, code)).map(str::to_owned)
                }
                _ => value.owned(),
            };
            contact.set(field, said.as_deref());
        }
        Ok(Described { key, contact, region: self.region.clone() })
    }

    /// Whether it is a person or an organization.
    pub(super) fn kind(&self, toward: &Loose<'_>) -> Option<&'static str> {
        let said = word(toward)?;
        let is = |known: &str| word(&Loose::Text(known.into())).is_some_and(|known| known == said);
        if is(&self.towardtype_person) {
            Some("person")
        } else if is(&self.towardtype_organization) {
            Some("organization")
        } else {
            None
        }
    }
}

/// A value to compare by: truth values in any form are one.
fn word(value: &Loose<'_>) -> Option<String> {
    match value.flag() {
        Some(flag) => Some(u8::from(flag).to_string()),
        None => value.text().map(search_fold),
    }
}

/// `male` or `female`.
pub(super) fn gender(value: &Loose<'_>) -> Option<&'static str> {
    match word(value)?.as_str() {
        "1" | "male" | "man" | "مرد" | "اقا" | "آقا" => Some("male"),
        "0" | "female" | "woman" | "زن" | "خانم" => Some("female"),
        _ => None,
    }
}
