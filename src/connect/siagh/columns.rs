//! Which field is in which column: of the list that is read, and of the form that is written.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::Siagh;
use crate::connect::object::Object;
use crate::model::contact::Field;
use crate::model::phone::national;
use crate::model::text::{ascii_digits, search_fold};
use crate::model::{Contact, phone};

/// The columns that hold a field of ours, in the order of the form: the field, the column of the list,
/// and the column of the form where the settings name no other. After the national id stands the mark.
pub(super) const FIELDS: [(Field, &str, &str); 15] = [
    (Field::Active, "IsActive", "isactive"),
    (Field::Gender, "Gender", "gender"),
    (Field::Name, "Name", "fullname"),
    (Field::Mobile, "MobileNo", "mobileno"),
    (Field::Telephone, "TelNo", "telno"),
    (Field::NationalId, "NationalCode", "passno"),
    (Field::Email, "Email", "email"),
    (Field::Address, "Address", "address"),
    (Field::PostalCode, "PostalCode", "pocode"),
    (Field::Province, "GeographicCode", "codeostan"),
    (Field::City, "CityCode", "codeshahr"),
    (Field::Country, "CountryCode", "countrycode"),
    (Field::Website, "WebSiteAddress", "websiteaddress"),
    (Field::Notes, "Description", "tozihat"),
    (Field::Kind, "TowardType", "taraftype"),
];

/// The field that the mark comes after.
const BEFORE_MARK: Field = Field::NationalId;

/// Column of the list → column of the form that it is written back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns(BTreeMap<String, String>);

impl Default for Columns {
    fn default() -> Columns {
        Columns(FIELDS.iter().map(|(_, read, write)| ((*read).to_owned(), (*write).to_owned())).collect())
    }
}

impl<'de> Deserialize<'de> for Columns {
    /// What is written in the settings is added to what is usual; an empty name takes a column away.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Columns, D::Error> {
        let mut columns = Columns::default();
        for (read, write) in BTreeMap::<String, String>::deserialize(deserializer)? {
            columns.0.retain(|known, _| !known.eq_ignore_ascii_case(&read));
            if !write.trim().is_empty() {
                columns.0.insert(read, write.trim().to_owned());
            }
        }
        Ok(columns)
    }
}

impl Columns {
    /// The column of the form that a column of the list is written back to.
    fn written(&self, read: &str) -> Option<&str> {
        let mut same = self.0.iter().filter(|(known, _)| known.eq_ignore_ascii_case(read));
        same.next().map(|(_, write)| write.as_str())
    }

    /// The columns that hold no field of ours.
    fn further(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_field = |read: &str| FIELDS.iter().any(|(_, known, _)| known.eq_ignore_ascii_case(read));
        let further = self.0.iter().filter(move |(read, _)| !is_field(read));
        further.map(|(read, write)| (read.as_str(), write.as_str()))
    }
}

/// A value that a form takes: without the sign that parts its columns, on one line.
pub(super) fn clean(value: &str) -> String {
    let parts = value.split(|c: char| c == '|' || c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
    parts.map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

impl Siagh {
    /// What of a contact can be kept, as it will be read back.
    pub(super) fn kept(&self, contact: &Contact) -> Contact {
        let mut kept = Contact::default();
        for (field, read, _) in FIELDS {
            let value = self.columns.written(read).and(contact.get(field));
            kept.set(field, value.and_then(|value| self.kept_value(field, value)).as_deref());
        }
        // Each of the two is unique there: the one is never filled from the other.
        if let (Some(mobile), Some(telephone)) =
            (kept.canonical(Field::Mobile, &self.region), kept.get(Field::Telephone))
            && Field::Telephone.canonical(telephone, &self.region) == mobile
        {
            kept.set(Field::Telephone, None);
        }
        kept
    }

    fn kept_value(&self, field: Field, value: &str) -> Option<String> {
        match field {
            Field::City | Field::Province | Field::Country => {
                self.code(field, value).map(|(name, _)| name.to_owned())
            }
            Field::Kind => ["person", "organization"].contains(&value).then(|| value.to_owned()),
            Field::Gender => ["male", "female"].contains(&value).then(|| value.to_owned()),
            Field::Active => ["true", "false"].contains(&value).then(|| value.to_owned()),
            Field::Mobile | Field::Telephone => Some(
                national(value, &self.region).unwrap_or_else(|| ascii_digits(&clean(value)).into_owned()),
            ),
            Field::NationalId | Field::PostalCode => Some(ascii_digits(&clean(value)).into_owned()),
            Field::Number => None,
            Field::Name | Field::Email | Field::Website | Field::Address | Field::Notes => Some(clean(value)),
        }
    }

    /// The name and code of a place, if the settings have it.
    fn code(&self, field: Field, name: &str) -> Option<(&str, &str)> {
        let folded = search_fold(name);
        let mut named = self.places(field).filter(|(known, _)| search_fold(known) == folded);
        named.next()
    }

    /// The name of the place with this code.
    pub(super) fn place(&self, field: Field, code: &str) -> Option<&str> {
        let code = ascii_digits(code);
        let mut coded = self.places(field).filter(|(_, known)| *known == code);
        coded.next().map(|(name, _)| name)
    }

    fn places(&self, field: Field) -> impl Iterator<Item = (&str, &str)> {
        let places = match field {
            Field::City => Some(&self.cities),
            Field::Province => Some(&self.provinces),
            Field::Country => Some(&self.countries),
            _ => None,
        };
        places.into_iter().flatten().map(|(name, code)| (name.as_str(), code.as_str()))
    }

    /// The value of a field as its column of the form takes it.
    fn encoded(&self, field: Field, contact: &Contact) -> String {
        let value = contact.get(field);
        match field {
            Field::Kind if value == Some("organization") => self.taraftype_organization.clone(),
            Field::Kind => self.taraftype_person.clone(),
            Field::Gender => match value {
                Some("male") => "1".to_owned(),
                Some("female") => "0".to_owned(),
                _ => String::new(),
            },
            Field::Active => if value == Some("false") { "0" } else { "1" }.to_owned(),
            Field::City | Field::Province | Field::Country => {
                value.and_then(|name| self.code(field, name)).map(|(_, code)| clean(code)).unwrap_or_default()
            }
            _ => value.and_then(|value| self.kept_value(field, value)).unwrap_or_default(),
        }
    }

    /// The value of a column as it is written back: what was read, in the words of the form.
    fn carried(&self, field: Field, column: &str, now: &Object, contact: &Contact) -> String {
        let value = now.get(column);
        match field {
            // A kind has to be written: where none can be read, the one that is wished for.
            Field::Kind => match self.kind(&value) {
                Some(kind) => self.encoded(field, &Contact::default().with(field, kind)),
                None => self.encoded(field, contact),
            },
            Field::Gender => match super::read::gender(&value) {
                Some(gender) => self.encoded(field, &Contact::default().with(field, gender)),
                None => plain(&value),
            },
            Field::Active => match value.flag() {
                Some(flag) => u8::from(flag).to_string(),
                None => plain(&value),
            },
            _ => plain(&value),
        }
    }

    /// The columns of a new contact, in the order of the form.
    pub(super) fn columns_of(&self, contact: &Contact, mark: &str) -> Vec<(&str, String)> {
        let further = self.columns.further().map(|(_, write)| (write, String::new()));
        self.in_order(mark, |field, _| self.encoded(field, contact)).chain(further).collect()
    }

    /// The columns of a contact that is there: as they are read, but for the fields that change.
    pub(super) fn columns_over(
        &self,
        now: &Object,
        contact: &Contact,
        fields: &[Field],
        mark: &str,
    ) -> Vec<(&str, String)> {
        let further = self.columns.further().map(|(read, write)| (write, plain(&now.get(read))));
        let value = |field, column: &str| {
            // A contact has to have a name: one that goes away leaves the old one.
            let changes = fields.contains(&field) && (field != Field::Name || contact.get(field).is_some());
            if changes { self.encoded(field, contact) } else { self.carried(field, column, now, contact) }
        };
        self.in_order(mark, value).chain(further).collect()
    }

    fn in_order(
        &self,
        mark: &str,
        value: impl Fn(Field, &str) -> String,
    ) -> impl Iterator<Item = (&str, String)> {
        FIELDS.iter().flat_map(move |(field, read, _)| {
            let column = self.columns.written(read).map(|write| (write, value(*field, read)));
            let mark = (*field == BEFORE_MARK).then(|| (self.mark_column.as_str(), clean(mark)));
            [column, mark].into_iter().flatten()
        })
    }

    /// The values under which a column may hold a phone number.
    pub(super) fn spellings(&self, value: &str) -> Vec<String> {
        phone::spellings(value, &self.region)
    }
}

/// A value as it was read, fit for the form.
fn plain(value: &crate::connect::loose::Loose<'_>) -> String {
    match value.flag() {
        Some(flag) if value.text().is_none() => u8::from(flag).to_string(),
        _ => value.text().map(clean).unwrap_or_default(),
    }
}
