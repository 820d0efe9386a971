//! Contact information of a counterparty: phones, e-mail addresses, postal addresses.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde::Deserialize;

/// One row of a counterparty's contact information. Texts that say nothing are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Contact {
    /// `Телефон`, `АдресЭлектроннойПочты`, `Адрес`.
    #[serde(rename = "Тип", default)]
    pub kind: String,
    /// As it is shown.
    #[serde(rename = "Представление", default)]
    pub shown: String,
    /// Phone number.
    #[serde(rename = "НомерТелефона", default)]
    pub phone: String,
    /// City of an address.
    #[serde(rename = "Город", default)]
    pub city: String,
    /// E-mail address.
    #[serde(rename = "АдресЭП", default)]
    pub email: String,
    /// The fields as XML, or as JSON.
    #[serde(rename = "ЗначенияПолей", default)]
    pub(super) fields: String,
    /// The fields as JSON.
    #[serde(rename = "Значение", default)]
    pub(super) value: String,
    /// What of the fields is used.
    #[serde(skip)]
    pub structure: Structure,
}

/// City and street out of an address' fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Structure {
    /// City.
    pub city: Option<String>,
    /// Street; cashiers type the city here.
    pub street: Option<String>,
}

/// The rows of contact information in a JSON text; one that is of no known form is left out.
pub fn contacts(json: &str) -> Vec<Contact> {
    let rows: Vec<serde_json::Value> = serde_json::from_str(json).unwrap_or_default();
    let rows = rows.into_iter().filter_map(|row| serde_json::from_value::<Contact>(row).ok());
    rows.map(|mut contact| {
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        contact.structure = if contact.fields.trim_start().starts_with('<') {
            from_xml(&contact.fields)
        } else {
            json(&contact.fields).or_else(|| json(&contact.value)).map(|v| from_json(&v)).unwrap_or_default()
        };
        contact
    })
    .collect()
}

/// `КонтактнаяИнформация → Состав → Состав (АдресРФ) → Город, Улица`. A text that is no XML gives what
/// came before the fault.
fn from_xml(xml: &str) -> Structure {
    let mut reader = Reader::from_str(xml);
    let mut structure = Structure::default();
    let mut within = Vec::<String>::new();
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(start) => {
                within.push(String::from_utf8_lossy(start.local_name().as_ref()).into_owned());
            }
            Event::End(_) => {
                within.pop();
            }
            Event::Text(text) => {
                let [.., parent, name] = within.as_slice() else { continue };
                let place = match name.as_str() {
                    "Город" if parent == "Состав" => &mut structure.city,
                    "Улица" if parent == "Состав" => &mut structure.street,
                    _ => continue,
                };
                let text = text.unescape().map(|text| text.trim().to_owned()).unwrap_or_default();
                if place.is_none() && !text.is_empty() {
                    *place = Some(text);
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    structure
}

/// The same path where it comes as JSON, or the flat form of newer bases (`city`, `street`).
fn from_json(value: &serde_json::Value) -> Structure {
    let places: [&[&str]; 4] = [&["Состав", "АдресРФ"], &["Состав", "Состав"], &["Состав"], &[]];
    let text = |names: [&str; 2]| {
        let within = |place: &[&str]| place.iter().try_fold(value, |value, name| value.get(name));
        let mut inner = places.iter().filter_map(|place| within(place));
        let found = inner.find_map(|inner| names.iter().find_map(|name| inner.get(name)?.as_str()));
        found.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    Structure { city: text(["Город", "city"]), street: text(["Улица", "street"]) }
}
