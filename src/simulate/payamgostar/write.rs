//! An identity that is to be saved: what it must have, and what becomes of what it does not say.

use serde_json::{Value, json};

use super::super::record::Record;
use super::Refusal;
use super::fields::{CATEGORIES, IDENTITY, SUBTYPES, Sort, moment};

const PHONE: [&str; 6] = ["id", "default", "phoneType", "phoneNumber", "continuedNumber", "extension"];
const ADDRESS: [&str; 12] = [
    "id",
    "default",
    "country",
    "state",
    "city",
    "addressType",
    "areaCode",
    "address",
    "zipCode",
    "zipBox",
    "longitude",
    "latitude",
];
const DATES: [&str; 2] = ["birthDate", "customerDate"];
const LISTS: [&str; 5] = ["phoneContacts", "addressContacts", "categories", "tags", "extendedProperties"];
/// What no request sets.
const OWN: [&str; 5] = ["crmId", "identityId", "creatDate", "modifyDate", "balance"];

/// An identity that has nothing yet.
pub(super) fn blank(id: &str, subtype: &str, at: &str) -> Record {
    let mut row = Record::default();
    for name in IDENTITY {
        match name {
            "crmId" | "identityId" => row.set(name, &json!(id)),
            "crmObjectTypeCode" => row.set(name, &json!(subtype)),
            "creatDate" | "modifyDate" => row.set(name, &json!(at)),
            "balance" => row.set_raw(name, "0.0".to_owned()),
            _ => row.set(name, &nothing(name)),
        }
    }
    row
}

/// What a field is that has no value.
fn nothing(name: &str) -> Value {
    match name {
        _ if LISTS.contains(&name) => json!([]),
        _ if DATES.contains(&name) => Value::Null,
        "refId" => Value::Null,
        _ => json!(""),
    }
}

/// Sets what a request says on an identity. What it does not name becomes nothing, or with `keep`
/// stays as it is.
pub(super) fn set(row: &mut Record, sort: Sort, given: &Record, keep: bool) -> Result<(), Refusal> {
    let wrong = |words: &str| Err(Refusal::new(400, "ValidationError", words));
    let subtype = given.text("crmObjectTypeCode");
    if !SUBTYPES.iter().any(|(code, of, _)| *code == subtype && *of == sort) {
        return wrong("The CrmObjectTypeCode field is required and must be a known one.");
    }
    if ["nickName", "firstName", "lastName"].iter().all(|name| given.text(name).trim().is_empty()) {
        return wrong("نام الزامی است.");
    }
    if given.raw("categories").is_none() && !keep {
        return wrong("دسته بندی الزامی است.");
    }
    for name in IDENTITY.into_iter().filter(|name| !OWN.contains(name)) {
        match given.raw(name) {
            None if keep => {}
            None => row.set(name, &nothing(name)),
            Some(raw) => row.set_raw(name, value(name, raw, given)?),
        }
    }
    if row.text("nickName").trim().is_empty() {
        let name = format!("{} {}", row.text("firstName"), row.text("lastName"));
        row.set("nickName", &json!(name.trim()));
    }
    Ok(())
}

/// The JSON text that a field gets.
fn value(name: &str, raw: &str, given: &Record) -> Result<String, Refusal> {
    let wrong = |what: &str| Refusal(400, "ValidationError", format!("The {name} field is not {what}."));
    if LISTS.contains(&name) {
        let items = given.list(name);
        return match name {
            "phoneContacts" => Ok(contacts(items, &PHONE)),
            "addressContacts" => Ok(contacts(items, &ADDRESS)),
            "categories" => categories(items),
            "extendedProperties" => Ok(list(items.into_iter().map(|item| item.cased(&["userKey", "value"])))),
            _ if raw.starts_with('[') => Ok(raw.to_owned()),
            _ => Err(wrong("a list")),
        };
    }
    // A number where there should be text is no text.
    if raw != "null" && !raw.starts_with('"') {
        return Err(wrong("a string"));
    }
    let text = given.text(name);
    if DATES.contains(&name) {
        return match (text.is_empty(), moment(&text)) {
            (true, _) => Ok("null".to_owned()),
            (_, Some(_)) => Ok(raw.to_owned()),
            _ => Err(wrong("a date without offset")),
        };
    }
    Ok(if raw == "null" { nothing(name).to_string() } else { raw.to_owned() })
}

/// Phones or addresses, each with an id, and with every field there is.
fn contacts(items: Vec<Record>, fields: &[&str]) -> String {
    list(items.into_iter().map(|item| {
        let item = item.cased(fields);
        let mut contact = Record::default();
        for field in fields {
            let raw = item.raw(field).filter(|raw| *raw != "null").map(str::to_owned);
            let raw = raw.filter(|raw| *field != "id" || raw.len() > 2);
            contact.set_raw(
                field,
                raw.unwrap_or_else(|| match *field {
                    "id" => json!(format!("{:032x}", fastrand::u128(1..))).to_string(),
                    "default" => "false".to_owned(),
                    "longitude" | "latitude" => "null".to_owned(),
                    _ => "\"\"".to_owned(),
                }),
            );
        }
        contact
    }))
}

/// Categories by their keys; there is at least one, and each exists.
fn categories(items: Vec<Record>) -> Result<String, Refusal> {
    let wrong = || Refusal::new(400, "ValidationError", "دسته بندی معتبر نیست.");
    let whole = |item: Record| {
        let key = item.cased(&["key", "id", "name"]).text("key");
        category(&key).ok_or_else(wrong)
    };
    let known: Vec<Record> = items.into_iter().map(whole).collect::<Result<_, _>>()?;
    if known.is_empty() { Err(wrong()) } else { Ok(list(known.into_iter())) }
}

/// A category as objects have it.
pub(super) fn category(key: &str) -> Option<Record> {
    let (key, id, name) = CATEGORIES.iter().find(|(own, ..)| *own == key)?;
    let mut category = Record::default();
    for (field, value) in [("id", id), ("name", name), ("key", key)] {
        category.set(field, &json!(value));
    }
    Some(category)
}

fn list(items: impl Iterator<Item = Record>) -> String {
    format!("[{}]", items.map(|item| item.json()).collect::<Vec<_>>().join(","))
}

/// A phone as objects have it.
pub(super) fn phone(kind: &str, number: &str) -> Record {
    let mut phone = Record::default();
    for (field, value) in [
        ("id", json!(format!("{:032x}", fastrand::u128(1..)))),
        ("default", json!(true)),
        ("phoneType", json!(kind)),
        ("phoneNumber", json!(number)),
        ("continuedNumber", json!("")),
        ("extension", json!("")),
    ] {
        phone.set(field, &value);
    }
    phone
}
