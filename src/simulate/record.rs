//! A row of an office system: named values in their order, each kept as the JSON text it is served as.
//!
//! Text is the truth here too, so that amounts never pass through a float and planted oddities stay.

use rust_decimal::Decimal;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// Named values in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Record(Vec<(String, Box<RawValue>)>);

impl Record {
    /// Reads a JSON object; `None` when the text is none.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// What a value made in code stands for; nothing when it is no object.
    pub fn of(value: &Value) -> Self {
        Self::read(&value.to_string()).unwrap_or_default()
    }

    /// The names in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The value of a field as it is written.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.get())
    }

    /// The value of a field as text; absent and `null` are empty.
    pub fn text(&self, name: &str) -> String {
        self.raw(name).map(plain).unwrap_or_default()
    }

    /// The value of a field as an exact decimal.
    pub fn amount(&self, name: &str) -> Option<Decimal> {
        decimal(&self.text(name))
    }

    /// The objects of a field that holds a list; anything else in it is left out.
    pub fn list(&self, name: &str) -> Vec<Record> {
        let items: Vec<Box<RawValue>> =
            self.raw(name).and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
        items.iter().filter_map(|item| Self::read(item.get())).collect()
    }

    /// Sets a field, or adds it at the end.
    pub fn set(&mut self, name: &str, value: &Value) {
        self.set_raw(name, value.to_string());
    }

    /// Sets a field to JSON text as it is; text that is no JSON becomes a string.
    pub fn set_raw(&mut self, name: &str, text: String) {
        let raw = RawValue::from_string(text.clone())
            .or_else(|_| RawValue::from_string(Value::String(text).to_string()));
        let Ok(raw) = raw else { return };
        match self.0.iter_mut().find(|(field, _)| field == name) {
            Some(field) => field.1 = raw,
            None => self.0.push((name.to_owned(), raw)),
        }
    }

    /// Sets a field to a list of objects.
    pub fn set_list(&mut self, name: &str, items: &[Record]) {
        let items: Vec<String> = items.iter().map(Record::json).collect();
        self.set_raw(name, format!("[{}]", items.join(",")));
    }

    /// The same with each field called as in `known` where only the letter case differs.
    pub fn cased(self, known: &[&str]) -> Self {
        let name = |given: String| {
            known
                .iter()
                .find(|name| name.eq_ignore_ascii_case(&given))
                .map_or(given, |name| (*name).to_owned())
        };
        Self(self.0.into_iter().map(|(given, value)| (name(given), value)).collect())
    }

    /// The same without some fields.
    pub fn without(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect())
    }

    /// The record as JSON text.
    pub fn json(&self) -> String {
        let field = |(name, value): &(String, Box<RawValue>)| {
            format!("{}:{}", Value::String(name.clone()), value.get())
        };
        format!("{{{}}}", self.0.iter().map(field).collect::<Vec<_>>().join(","))
    }

    /// The record as a value.
    pub fn to_value(&self) -> Value {
        serde_json::from_str(&self.json()).unwrap_or_default()
    }
}

/// JSON text without quotes; `null` is empty.
fn plain(raw: &str) -> String {
    match raw {
        "null" => String::new(),
        _ => serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned()),
    }
}

/// Text as an exact decimal.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).ok().or_else(|| Decimal::from_scientific(text).ok())
}

/// Objects as one JSON array.
pub(super) fn array<'a>(texts: impl Iterator<Item = &'a Record>) -> String {
    format!("[{}]", texts.map(Record::json).collect::<Vec<_>>().join(","))
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Record;

            fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
                let mut fields = Vec::with_capacity(32);
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Record(fields))
            }
        }
        source.deserialize_map(InOrder)
    }
}
