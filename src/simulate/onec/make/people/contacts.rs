//! What a customer's contact rows and main information say, and where the town hides in them.

use serde_json::json;

use super::super::super::value::{Guid, Row, Value, escaped};
use super::super::Maker;
use super::Person;

/// A town that stands where a later rule would look, to be passed over.
const OTHER: &str = "Бахчисарай";

impl Maker {
    /// The rows of a customer's contact information.
    pub(super) fn contacts(&mut self, customer: Guid, person: &Person, mail: &str) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut add = |kind: &str, text: &str, phone: &str, town: &str, mail: &str, fields: &str| {
            let value = if text.is_empty() {
                String::new()
            } else {
                json!({ "version": 4, "value": text, "type": kind }).to_string()
            };
            let line = i64::try_from(rows.len() + 1).unwrap_or_default();
            let texts = [kind, text, phone, town, mail, fields, &value].map(Value::text);
            let row: Row = [Value::Guid(customer), Value::Int(line)].into_iter().chain(texts).collect();
            rows.push(row);
        };
        if !person.phone.is_empty() {
            let text = typed(&person.phone, 1);
            add(
                "Телефон",
                &text,
                &person.phone,
                "",
                "",
                &information(&text, "<Состав xsi:type=\"НомерТелефона\"/>"),
            );
        }
        if !mail.is_empty() {
            add("АдресЭлектроннойПочты", mail, "", "", mail, "");
        }
        let Some((town, rule)) = person.city else { return rows };
        let street = "Тестовая ул";
        match rule {
            // The address says otherwise, but the first rule has spoken.
            "main_info_line_3" if person.index.is_multiple_of(2) => {
                add("Адрес", &format!("г. {OTHER}"), "", OTHER, "", &xml(OTHER, street, OTHER));
            }
            "address_city" if person.index % 4 == 1 => {
                let fields = json!({ "Состав": { "АдресРФ": { "Город": town, "Улица": street } } });
                add("Адрес", town, "", "", "", &fields.to_string());
            }
            "address_city" => add("Адрес", town, "", OTHER, "", &xml(town, street, town)),
            "address_street" => add("Адрес", "", "", OTHER, "", &xml("", town, "")),
            "contact_city" if person.index % 4 == 1 => {
                add("Адрес", &format!("г. {OTHER}"), "", town, "", "<КонтактнаяИнформация");
            }
            "contact_city" => add("Адрес", &format!("г. {OTHER}"), "", town, "", &xml("", "", "")),
            "presentation" => {
                let text = format!("295000, Крым Респ, г. {town}, {street}, дом № 1");
                add("Адрес", &text, "", "", "", &xml("", "", &text));
            }
            _ => {}
        }
        rows
    }
}

/// Lines about a customer: who it is, the phone, and the town or something else.
pub(super) fn main_info(name: &str, person: &Person, mail: &str) -> String {
    let phone = typed(&person.phone, 1);
    let name = name.replace(['\r', '\n'], " ");
    let end = if person.index % 4 == 2 { "\r\n" } else { "\n" };
    match person.city {
        Some((town, "main_info_line_3")) => [&name, &phone, town, "карта постоянного покупателя"].join(end),
        // The third line is no town when it looks like an address of mail or a phone.
        Some(_) if !mail.is_empty() => [&name, &phone, mail].join(end),
        Some(_) if !phone.is_empty() => [&name, "", &phone].join(end),
        Some(_) => name,
        None if person.index.is_multiple_of(2) => String::new(),
        None => [name, phone].join(end),
    }
}

/// An address as the configuration keeps it.
fn xml(town: &str, street: &str, presentation: &str) -> String {
    let tag = |name: &str, text: &str| match text {
        "" => format!("<{name}/>"),
        _ => format!("<{name}>{}</{name}>", escaped(text)),
    };
    let address = format!(
        "<Состав xsi:type=\"Адрес\" Страна=\"РОССИЯ\"><Состав xsi:type=\"АдресРФ\">\
         <СубъектРФ>Крым Респ</СубъектРФ>{}{}</Состав></Состав>",
        tag("Город", town),
        tag("Улица", street),
    );
    information(presentation, &address)
}

/// Contact information of any kind, around what it consists of.
fn information(presentation: &str, content: &str) -> String {
    format!(
        "<КонтактнаяИнформация xmlns=\"http://www.v8.1c.ru/ssl/contactinfo\" \
         xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" Представление=\"{}\">\
         {content}</КонтактнаяИнформация>",
        escaped(presentation),
    )
}

/// A phone of eleven digits as people type it.
pub(super) fn typed(phone: &str, way: usize) -> String {
    let (Some(code), Some(first), Some(second), Some(third)) =
        (phone.get(1..4), phone.get(4..7), phone.get(7..9), phone.get(9..11))
    else {
        return phone.to_owned();
    };
    match way {
        0 => phone.to_owned(),
        1 => format!("+7 ({code}) {first}-{second}-{third}"),
        2 => format!("8{code}{first}{second}{third}"),
        3 => format!("{code} {first} {second} {third}"),
        _ => format!("+7-{code}-{first}{second}{third}"),
    }
}
