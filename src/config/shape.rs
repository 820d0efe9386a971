//! From a section of the file to a settings struct, with every mistake at its place.
//!
//! The structs are plain serde ones. Serde stops at the first mistake and speaks its own language,
//! so a section is read again without the faulty key until nothing new is found, and each refusal
//! is put into the words of the catalogue. Values never come from serde's text: it would quote them.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::guess::guess;
use super::mask::is_secret;
use super::mistake::Faults;
use crate::model::Message;

/// A section as it stands in the file.
pub(super) struct Section<'i> {
    /// What people call it: `[server]`.
    pub name: String,
    /// Its header.
    pub span: Range<usize>,
    /// Its keys and values.
    pub table: DeTable<'i>,
    /// Keys that are allowed here though the struct does not know them.
    pub also: &'static [&'static str],
}

impl<'i> Section<'i> {
    /// The section under `key` with this value; a mistake when it is none.
    pub(super) fn new(
        key: &str,
        value: Spanned<DeValue<'i>>,
        faults: &mut Faults<'_>,
    ) -> Option<Section<'i>> {
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(table) => Some(Section { name: format!("[{key}]"), span, table, also: &[] }),
            other => {
                faults.add(span, wrong_type(key, "table", &other));
                None
            }
        }
    }

    /// The keys and values in the order they stand in the file.
    pub(super) fn into_entries(self) -> Vec<(Spanned<String>, Spanned<DeValue<'i>>)> {
        let mut entries: Vec<_> = self
            .table
            .into_iter()
            .map(|(key, value)| (Spanned::new(key.span(), key.into_inner().into_owned()), value))
            .collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        entries
    }

    /// Reads the section as `T`. `None` when there was a mistake.
    pub(super) fn read<T: DeserializeOwned>(mut self, faults: &mut Faults<'_>) -> Option<T> {
        let mut clean = true;
        loop {
            let error =
                match T::deserialize(Deserializer::from(Spanned::new(self.span.clone(), self.table.clone())))
                {
                    Ok(read) => return clean.then_some(read),
                    Err(error) => error,
                };
            let span = error.span().unwrap_or_else(|| self.span.clone());
            let entry = self.table.iter().find(|(key, value)| {
                key.span() == span || (value.span().start <= span.start && span.end <= value.span().end)
            });
            let Some((key, value)) = entry else {
                // After a first mistake, a key may only be missing because it was taken out.
                if clean {
                    faults.add(span, self.about_section(error.message()));
                }
                return None;
            };
            let key = key.get_ref().clone().into_owned();
            let message = self.about_key(&key, value.get_ref(), &span, error.message(), faults);
            faults.add(span, message);
            self.table.remove(key.as_str());
            clean = false;
        }
    }

    fn about_section(&self, refusal: &str) -> Message {
        match refusal.strip_prefix("missing field ") {
            Some(_) => {
                let key = quoted(refusal).next().unwrap_or_default();
                Message::new("config-missing-key").with("place", &self.name).with("key", key)
            }
            None => Message::new("config-invalid").with("key", &self.name).with("detail", refusal),
        }
    }

    fn about_key(
        &self,
        key: &str,
        value: &DeValue<'_>,
        span: &Range<usize>,
        refusal: &str,
        faults: &Faults<'_>,
    ) -> Message {
        if refusal.starts_with("unknown field ") {
            let mut names = quoted(refusal);
            let unknown = names.next().unwrap_or(key);
            let known: Vec<&str> = names.chain(self.also.iter().copied()).collect();
            return unknown_key(&self.name, unknown, &known);
        }
        if refusal.starts_with("config-") {
            return Message::new(refusal).with("key", key).with("value", faults.shown(span));
        }
        if refusal.starts_with("invalid type") || refusal.starts_with("invalid value") {
            let expected = refusal.rsplit_once("expected ").map_or("", |(_, expected)| expected);
            return wrong_type(key, kind_of_thing(expected), item_at(value, span));
        }
        let detail = if is_secret(key) { "" } else { refusal };
        Message::new("config-invalid").with("key", key).with("detail", detail)
    }
}

/// A key that nothing knows.
pub(super) fn unknown_key(place: &str, key: &str, known: &[&str]) -> Message {
    Message::new("config-unknown-key")
        .with("place", place)
        .with("key", key)
        .with("guess", guess(key, known.iter().copied()).unwrap_or("none"))
        .with("known", known.join(", "))
}

/// A value of another kind than is wanted.
pub(super) fn wrong_type(key: &str, expected: &str, found: &DeValue<'_>) -> Message {
    let found = match found {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "whole",
        DeValue::Float(_) => "number",
        DeValue::Boolean(_) => "truth",
        DeValue::Datetime(_) => "date",
        DeValue::Array(_) => "list",
        DeValue::Table(_) => "table",
    };
    Message::new("config-wrong-type").with("key", key).with("expected", expected).with("found", found)
}

/// The item of a list that stands at `span`, else the value itself.
fn item_at<'v, 'i>(value: &'v DeValue<'i>, span: &Range<usize>) -> &'v DeValue<'i> {
    let items = value.as_array().into_iter().flat_map(|items| items.iter());
    items.clone().find(|item| item.span() == *span).map_or(value, |item| item.get_ref())
}

/// The words in backticks of serde's text.
fn quoted(refusal: &str) -> impl Iterator<Item = &str> {
    refusal.split('`').skip(1).step_by(2)
}

/// What serde expected, as the catalogue names it.
fn kind_of_thing(expected: &str) -> &'static str {
    match expected {
        e if e.contains("string") => "text",
        e if e.contains("boolean") => "truth",
        e if e.contains("sequence") => "list",
        e if e.contains("struct") || e.contains("map") => "table",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" => "whole",
        "f32" | "f64" => "number",
        _ => "other",
    }
}
