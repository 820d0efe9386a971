//! Creating and changing identities. A change sends the whole identity as it was read a moment ago, with
//! the fields that differ put into it: nobody knows what leaving something out would mean.

use super::identity::{ADDRESS, TEXTS, first_of, unwrapped};
use super::{Kind, Payamgostar};
use crate::connect::http::{Http, Said, Sending};
use crate::connect::object::Object;
use crate::connect::write::telling;
use crate::connect::{Outcome, Write};
use crate::model::Contact;
use crate::model::contact::Field;
use serde_json::value::RawValue;

impl Payamgostar {
    /// Writes an identity once.
    pub(super) async fn save(&self, http: &Http, write: &Write<'_>) -> Outcome {
        match write {
            Write::Create { contact, .. } => {
                let kind = kind_of(contact);
                let path = kind.path("create");
                if contact.get(Field::Name).is_none() {
                    return Outcome::Rejected(http.told_at("connect-write-no-name", &path));
                }
                let body = self.created(kind, contact).text();
                http.write_once(Sending { path: &path, body, hidden: telling(contact) }, created).await
            }
            Write::Update { key, now, contact, fields, .. } => {
                let Some((Some(kind), now)) = unwrapped(now) else {
                    return Outcome::Rejected(
                        http.told_at("connect-write-no-row", &Kind::Person.path("update")),
                    );
                };
                let path = kind.path("update");
                if fields.contains(&Field::Kind) {
                    return Outcome::Rejected(http.told_at("connect-write-kind", &path));
                }
                let body = self.changed(kind, key, now, contact, fields).text();
                let sending = Sending { path: &path, body, hidden: telling(contact) };
                http.write_once(sending, |text| updated(text, key)).await
            }
            Write::Document(_) => Outcome::Rejected(http.told("connect-cannot-write")),
        }
    }

    /// What creates an identity.
    pub(super) fn created(&self, kind: Kind, contact: &Contact) -> Object {
        let subtype = self.subtype(kind);
        let mut body = Object::default();
        if !subtype.crm_object_type_code.is_empty() {
            body.set("crmObjectTypeCode", &subtype.crm_object_type_code);
        }
        for (field, _) in contact.iter() {
            self.put(&mut body, kind, field, contact);
        }
        if !subtype.category.is_empty() {
            body.set("categories", [Object::default().with("key", &subtype.category)]);
        }
        body
    }

    /// What changes an identity: as it is now, with these fields.
    pub(super) fn changed(
        &self,
        kind: Kind,
        key: &str,
        now: Object,
        contact: &Contact,
        fields: &[Field],
    ) -> Object {
        let mut body = now;
        for field in fields {
            self.put(&mut body, kind, *field, contact);
        }
        body.set("crmId", key);
        body.with("id", key)
    }

    /// Puts a field into an identity as the contact has it; one that the contact has not is emptied.
    fn put(&self, body: &mut Object, kind: Kind, field: Field, contact: &Contact) {
        let value = contact.get(field);
        match field {
            Field::Name => put_name(body, kind, value),
            Field::Gender => {
                let word = match value {
                    Some("male") => &self.words.male,
                    Some("female") => &self.words.female,
                    _ => "",
                };
                body.set("gender", word);
            }
            Field::Mobile | Field::Telephone => self.put_phone(body, field, value),
            Field::Country | Field::Province | Field::City | Field::Address | Field::PostalCode => {
                put_address(body, field, value);
            }
            Field::Number | Field::NationalId | Field::Email | Field::Website | Field::Notes => {
                let column = TEXTS.iter().find(|(known, _)| *known == field).map(|(_, column)| *column);
                if let Some(column) = column {
                    body.set(column, value.unwrap_or_default());
                }
            }
            // What it is cannot be changed, and nothing says whether it is in use.
            Field::Kind | Field::Active => {}
        }
    }

    /// Puts a number where the one of its type stands, beside the others.
    fn put_phone(&self, body: &mut Object, field: Field, value: Option<&str>) {
        let mut phones = body.objects("phoneContacts");
        match (self.phone(&phones, field), value) {
            (Some(at), Some(value)) => phones[at].set("phoneNumber", value),
            (Some(at), None) => {
                phones.remove(at);
            }
            (None, Some(value)) => {
                let word = if field == Field::Mobile { &self.words.mobile } else { &self.words.telephone };
                let phone = Object::default().with("default", phones.is_empty());
                phones.push(phone.with("phoneType", word).with("phoneNumber", value));
            }
            (None, None) => return,
        }
        body.set("phoneContacts", phones);
    }
}

fn put_address(body: &mut Object, field: Field, value: Option<&str>) {
    let Some((_, column)) = ADDRESS.iter().find(|(known, _)| *known == field) else { return };
    let mut addresses = body.objects("addressContacts");
    match (first_of(&addresses), value) {
        (Some(at), value) => addresses[at].set(column, value.unwrap_or_default()),
        (None, Some(value)) => addresses.push(Object::default().with("default", true).with(column, value)),
        (None, None) => return,
    }
    body.set("addressContacts", addresses);
}

/// The first word is the first name of a person, the rest the last one: read back, they are the same.
fn put_name(body: &mut Object, kind: Kind, value: Option<&str>) {
    // Neither can be without a name: one that goes away leaves the old one.
    let Some(name) = value.map(str::trim) else { return };
    if kind == Kind::Person {
        let (first, last) = name.split_once(char::is_whitespace).unwrap_or(("", name));
        body.set("firstName", first);
        body.set("lastName", last.trim());
    }
    body.set("nickName", name);
}

fn kind_of(contact: &Contact) -> Kind {
    match contact.get(Field::Kind) {
        Some("organization") => Kind::Organization,
        _ => Kind::Person,
    }
}

/// What became of a new identity: without its id, nothing is known.
pub(super) fn created(text: &str) -> Said {
    let Some(answer) = Object::read(text) else { return Said::Unknown };
    match answer.get("crmId").id() {
        Some(key) => Said::Done { key: key.to_lowercase(), facts: Vec::new() },
        None => complaint(&answer).map_or(Said::Unknown, Said::Broke),
    }
}

/// What became of a change. What it answers is not described: anything that is no complaint will do.
pub(super) fn updated(text: &str, key: &str) -> Said {
    let done = |key: &str| Said::Done { key: key.to_owned(), facts: Vec::new() };
    let Some(answer) = Object::read(text) else {
        let plain = serde_json::from_str::<&RawValue>(text).map(RawValue::get);
        return match plain {
            Ok("null" | "false") | Err(_) => Said::Unknown,
            Ok(_) => done(key),
        };
    };
    match (answer.get("crmId").id(), complaint(&answer)) {
        (Some(key), _) => done(&key.to_lowercase()),
        (None, Some(words)) => Said::Broke(words),
        (None, None) => done(key),
    }
}

/// The words of an error that came with a status that says otherwise.
fn complaint(answer: &Object) -> Option<String> {
    let details = answer.objects("errorDetails");
    let told = ["error", "message"].iter().find_map(|name| answer.get(name).owned());
    let broken = told.is_some() || !details.is_empty() || answer.token("error").is_some();
    broken.then(|| told.unwrap_or_default())
}
