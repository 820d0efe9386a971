//! Understanding identities: which of its phones and addresses is meant, in Persian and English words.
//!
//! A row is kept as the CRM said it, inside an object whose one name says what answered:
//! `{"person":{…}}`, `{"organization":{…}}`, or `{"brief":{…}}` where nothing did.

use super::{Kind, Payamgostar};
use crate::connect::Row;
use crate::connect::loose::Loose;
use crate::connect::object::Object;
use crate::model::Contact;
use crate::model::contact::Field;
use crate::model::phone::{e164, national};
use crate::model::record::{Described, Reject};
use crate::model::text::search_fold;

/// The words for types of phones that are mobile.
const MOBILE: [&str; 7] = ["موبایل", "تلفن همراه", "همراه", "mobile", "mobile phone", "cell", "cellphone"];
/// Of those that are on a line.
const LINE: [&str; 14] = [
    "تلفن",
    "تلفن ثابت",
    "ثابت",
    "محل کار",
    "منزل",
    "دفتر",
    "telephone",
    "phone",
    "tel",
    "landline",
    "work",
    "office",
    "home",
    "business",
];
/// Of those that nobody speaks at.
const SILENT: [&str; 4] = ["فکس", "نمابر", "دورنگار", "fax"];

/// A row of what was said, with its key.
pub(super) fn row(kind: Option<Kind>, said: &str) -> Row {
    let word = kind.map_or("brief", Kind::word);
    let key = Object::read(said).and_then(|object| key(&object));
    let raw = format!("{{\"{word}\":{said}}}");
    Row { key, raw: raw.into(), version: None, brief: false, unasked: None }
}

/// What an identity is known by.
pub(super) fn key(object: &Object) -> Option<String> {
    let id = object.get("crmId").id().or_else(|| object.get("identityId").id());
    // Ids are hexadecimal: their letter case says nothing.
    id.map(|id| id.to_lowercase())
}

/// What answered, and what it said.
pub(super) fn unwrapped(raw: &str) -> Option<(Option<Kind>, Object)> {
    let wrapper = Object::read(raw)?;
    let (word, said) = wrapper.fields().next()?;
    let kind = Kind::BOTH.into_iter().find(|kind| kind.word() == word);
    Some((kind, Object::read(said.get())?))
}

/// The texts of an address, by field.
pub(super) const ADDRESS: [(Field, &str); 5] = [
    (Field::Country, "country"),
    (Field::Province, "state"),
    (Field::City, "city"),
    (Field::Address, "address"),
    (Field::PostalCode, "zipCode"),
];

/// The plain texts, by field.
pub(super) const TEXTS: [(Field, &str); 5] = [
    (Field::Number, "customerNumber"),
    (Field::NationalId, "nationalCode"),
    (Field::Email, "email"),
    (Field::Website, "website"),
    (Field::Notes, "description"),
];

impl Payamgostar {
    /// Understands an identity.
    pub(super) fn described(&self, raw: &str) -> Result<Described, Reject> {
        let (kind, said) = unwrapped(raw).ok_or(Reject { rule: "not_an_object", field: "" })?;
        let key = key(&said).ok_or(Reject { rule: "no_key", field: "crmId" })?;
        let kind = kind.ok_or(Reject { rule: "no_details", field: "" })?;
        let mut contact = Contact::default();
        contact.set(Field::Kind, Some(kind.word()));
        contact.set(Field::Name, name(&said, kind).as_deref());
        for (field, column) in TEXTS {
            contact.set(field, said.get(column).text());
        }
        contact.set(Field::Gender, gender(&said.get("gender")));
        let phones = said.objects("phoneContacts");
        for field in [Field::Mobile, Field::Telephone] {
            let phone = self.phone(&phones, field).map(|at| phones[at].get("phoneNumber"));
            contact.set(field, phone.as_ref().and_then(Loose::text));
        }
        let addresses = said.objects("addressContacts");
        if let Some(address) = first_of(&addresses).map(|at| &addresses[at]) {
            for (field, column) in ADDRESS {
                contact.set(field, address.get(column).text());
            }
        }
        Ok(Described { key, contact, region: self.region.clone() })
    }

    /// Which of the phones is the mobile or the telephone.
    pub(super) fn phone(&self, phones: &[Object], field: Field) -> Option<usize> {
        let is = |phone: &&Object| self.type_of(phone) == Some(field);
        let of_type: Vec<usize> = (0..phones.len()).filter(|at| is(&&phones[*at])).collect();
        let default = of_type.iter().find(|at| phones[**at].get("default").flag() == Some(true));
        default.or(of_type.first()).copied()
    }

    /// Whether a phone is a mobile or on a line. One of a type that says neither is what its number is.
    fn type_of(&self, phone: &Object) -> Option<Field> {
        let number = phone.get("phoneNumber").owned()?;
        let word = phone.get("phoneType").text().map(search_fold).unwrap_or_default();
        let is = |own: &str, known: &[&str]| {
            search_fold(own) == word || known.iter().any(|known| search_fold(known) == word)
        };
        if is(&self.words.mobile, &MOBILE) {
            Some(Field::Mobile)
        } else if is(&self.words.telephone, &LINE) {
            Some(Field::Telephone)
        } else if is("", &SILENT) && !word.is_empty() {
            None
        } else {
            let mobile = e164(&number, &self.region).is_some_and(|number| is_mobile(&number));
            Some(if mobile { Field::Mobile } else { Field::Telephone })
        }
    }

    /// What of a contact can be kept, as it will be read back.
    pub(super) fn kept(&self, contact: &Contact) -> Contact {
        let mut kept = contact.clone();
        kept.set(Field::Active, None);
        if kept.get(Field::Kind) == Some("organization") {
            kept.set(Field::Gender, None);
        }
        if !matches!(kept.get(Field::Gender), Some("male" | "female")) {
            kept.set(Field::Gender, None);
        }
        for field in [Field::Mobile, Field::Telephone] {
            let number = kept.get(field).and_then(|number| national(number, &self.region));
            if let Some(number) = number {
                kept.set(field, Some(&number));
            }
        }
        kept
    }
}

/// Which of several is the default one, else the first.
pub(super) fn first_of(objects: &[Object]) -> Option<usize> {
    let default = objects.iter().position(|object| object.get("default").flag() == Some(true));
    default.or((!objects.is_empty()).then_some(0))
}

/// Of the regions whose mobile numbers can be told from others.
fn is_mobile(number: &str) -> bool {
    ["+989", "+79", "+668", "+669", "+666"].iter().any(|start| number.starts_with(start))
}

/// The name of a person is of two parts; an organization has one.
fn name(said: &Object, kind: Kind) -> Option<String> {
    let text = |column| said.get(column).owned();
    let parts: Vec<String> = [text("firstName"), text("lastName")].into_iter().flatten().collect();
    let whole = (!parts.is_empty()).then(|| parts.join(" "));
    match kind {
        Kind::Person => whole.or_else(|| text("nickName")),
        Kind::Organization => text("nickName").or(whole),
    }
}

/// `male` or `female`.
fn gender(value: &Loose<'_>) -> Option<&'static str> {
    match search_fold(value.text()?).as_str() {
        "male" | "man" | "مرد" | "اقا" | "آقا" | "مذکر" => Some("male"),
        "female" | "woman" | "زن" | "خانم" | "مونث" | "مؤنث" => Some("female"),
        _ => None,
    }
}
