//! A customer as CRM and finance systems describe one: values by field, as typed, and what they are
//! compared by.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::phone::e164;
use super::text::{ascii_digits, present, search_fold};

/// What is said of a customer. The order is that of plans and pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The customer number people know.
    Number,
    /// `person` or `organization`.
    Kind,
    /// The whole name.
    Name,
    /// National id of a person or an organization.
    NationalId,
    /// Mobile number.
    Mobile,
    /// Telephone on a line.
    Telephone,
    /// E-mail address.
    Email,
    /// Address of its web site.
    Website,
    /// Street address.
    Address,
    /// Name of the city.
    City,
    /// Name of the province.
    Province,
    /// Name of the country.
    Country,
    /// Postal code.
    PostalCode,
    /// `male` or `female`.
    Gender,
    /// Free text.
    Notes,
    /// `true` or `false`.
    Active,
}

impl Field {
    /// All there are, in order.
    pub const ALL: [Field; 16] = [
        Field::Number,
        Field::Kind,
        Field::Name,
        Field::NationalId,
        Field::Mobile,
        Field::Telephone,
        Field::Email,
        Field::Website,
        Field::Address,
        Field::City,
        Field::Province,
        Field::Country,
        Field::PostalCode,
        Field::Gender,
        Field::Notes,
        Field::Active,
    ];

    /// The word of configurations, plans and the API.
    pub fn word(self) -> &'static str {
        match self {
            Field::Number => "number",
            Field::Kind => "kind",
            Field::Name => "name",
            Field::NationalId => "national_id",
            Field::Mobile => "mobile",
            Field::Telephone => "telephone",
            Field::Email => "email",
            Field::Website => "website",
            Field::Address => "address",
            Field::City => "city",
            Field::Province => "province",
            Field::Country => "country",
            Field::PostalCode => "postal_code",
            Field::Gender => "gender",
            Field::Notes => "notes",
            Field::Active => "active",
        }
    }

    /// The field of that word.
    pub fn of(word: &str) -> Option<Field> {
        Field::ALL.into_iter().find(|field| field.word() == word)
    }

    /// What a value of this field is compared by: digits, letters that look alike, letter case, white
    /// space and ways to type a phone number make no difference. `region` is that of phone numbers
    /// without a country (ISO alpha-2).
    pub fn canonical(self, value: &str, region: &str) -> String {
        match self {
            Field::Mobile | Field::Telephone => e164(value, region).unwrap_or_else(|| digits_or_text(value)),
            Field::NationalId | Field::PostalCode => digits_or_text(value),
            _ => search_fold(value),
        }
    }
}

/// The digits of a number however it is grouped; a text that is none, folded.
fn digits_or_text(value: &str) -> String {
    let text = ascii_digits(value);
    if text.chars().any(char::is_alphabetic) {
        return search_fold(value);
    }
    text.chars().filter(char::is_ascii_digit).collect()
}

/// A customer as a CRM or finance system describes one. A field that is not there is not known, or
/// empty: the systems do not tell these apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Contact(BTreeMap<Field, String>);

impl Contact {
    /// The value of a field as it was typed.
    pub fn get(&self, field: Field) -> Option<&str> {
        self.0.get(&field).map(String::as_str)
    }

    /// Sets a field; what looks absent (`""`, `"null"`) takes it away.
    pub fn set(&mut self, field: Field, value: Option<&str>) {
        match value.and_then(present) {
            Some(value) => self.0.insert(field, value.to_owned()),
            None => self.0.remove(&field),
        };
    }

    /// The contact with one more field.
    #[must_use]
    pub fn with(mut self, field: Field, value: &str) -> Contact {
        self.set(field, Some(value));
        self
    }

    /// What is known, in the order of the fields.
    pub fn iter(&self) -> impl Iterator<Item = (Field, &str)> {
        self.0.iter().map(|(field, value)| (*field, value.as_str()))
    }

    /// What a field is compared by; `None` when it is not known.
    pub fn canonical(&self, field: Field, region: &str) -> Option<String> {
        let canonical = field.canonical(self.get(field)?, region);
        (!canonical.is_empty()).then_some(canonical)
    }

    /// Whether a field says the same in both.
    pub fn agrees(&self, other: &Contact, field: Field, region: &str) -> bool {
        self.canonical(field, region) == other.canonical(field, region)
    }

    /// The fingerprint of all that is compared: contacts that say the same have the same.
    pub fn fingerprint(&self, region: &str) -> Fingerprint {
        let mut text = String::new();
        for field in Field::ALL {
            if let Some(value) = self.canonical(field, region) {
                text += &format!("{}={}\n", field.word(), value.replace('\n', " "));
            }
        }
        Fingerprint::of(text.as_bytes())
    }
}

/// What a contact is matched by: canonical values, and the name as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Its key.
    pub key: String,
    /// `person` or `organization`.
    pub kind: Option<String>,
    /// Name, as typed.
    pub name: Option<String>,
    /// Customer number.
    pub number: Option<String>,
    /// National id.
    pub national_id: Option<String>,
    /// Mobile number.
    pub mobile: Option<String>,
    /// Telephone number.
    pub telephone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

impl Known {
    /// What a contact of this key is matched by.
    pub fn of(key: &str, contact: &Contact, region: &str) -> Known {
        let canonical = |field| contact.canonical(field, region);
        Known {
            key: key.to_owned(),
            kind: contact.get(Field::Kind).map(str::to_owned),
            name: contact.get(Field::Name).map(str::to_owned),
            number: canonical(Field::Number),
            national_id: canonical(Field::NationalId),
            mobile: canonical(Field::Mobile),
            telephone: canonical(Field::Telephone),
            email: canonical(Field::Email),
        }
    }

    /// The canonical value of a field that records are matched by.
    pub fn get(&self, field: Field) -> Option<&str> {
        match field {
            Field::Number => self.number.as_deref(),
            Field::NationalId => self.national_id.as_deref(),
            Field::Mobile => self.mobile.as_deref(),
            Field::Telephone => self.telephone.as_deref(),
            Field::Email => self.email.as_deref(),
            _ => None,
        }
    }
}

/// A mirrored contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredContact {
    /// The record.
    pub id: i64,
    /// The customer it makes.
    pub customer: i64,
    /// Whether it is marked gone.
    pub gone: bool,
    /// The fingerprint of what it says.
    pub said: Fingerprint,
    /// The payload.
    pub raw: String,
    /// What it is matched by.
    pub known: Known,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_by_what_they_say() {
        for (field, one, other) in [
            (Field::Number, "۱۰۰-۲۰۴۵", "100-2045"),
            (Field::Name, "علي  كريمي", "علی کریمی"),
            (Field::NationalId, "۰۰۱۲۳۴۵۶۷۹", "001-234567-9"),
            (Field::Mobile, "0912 000 0001", "+98 912 000 00 01"),
            (Field::Mobile, "۹۱۲۰۰۰۰۰۰۱", "00989120000001"),
            (Field::Email, "Sample@Example.test ", "sample@example.test"),
            (Field::PostalCode, "12345-67890", "1234567890"),
        ] {
            assert_eq!(field.canonical(one, "IR"), field.canonical(other, "IR"), "{one} {other}");
        }
        assert_ne!(
            Field::Mobile.canonical("09120000001", "IR"),
            Field::Mobile.canonical("09120000002", "IR")
        );
        assert_ne!(Field::NationalId.canonical("0012", "IR"), Field::NationalId.canonical("12", "IR"));
    }

    #[test]
    fn contacts_that_say_the_same_have_one_fingerprint() {
        let one = Contact::default().with(Field::Name, "علي").with(Field::Mobile, "09120000001");
        let mut other = Contact::default().with(Field::Mobile, "+989120000001").with(Field::Name, "علی");
        assert_eq!(one.fingerprint("IR"), other.fingerprint("IR"));
        other.set(Field::Email, Some("null"));
        assert_eq!(one.fingerprint("IR"), other.fingerprint("IR"));
        other.set(Field::Name, None);
        assert_ne!(one.fingerprint("IR"), other.fingerprint("IR"));
        for field in Field::ALL {
            assert_eq!(Field::of(field.word()), Some(field));
        }
    }
}
