//! References in values: `${NAME}` takes an environment variable, `${file:PATH}` the content of a
//! file; `$${` is a plain `${`.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::mistake::Faults;
use crate::model::Message;

/// Where the values of references come from.
pub(super) struct Sources<'a> {
    /// Reads an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// The folder that relative paths start at.
    pub folder: &'a Path,
}

/// Puts the values of all references into the texts of `table`, in place: every value keeps its
/// span.
pub(super) fn fill(table: &mut DeTable<'_>, sources: &Sources<'_>, faults: &mut Faults<'_>) {
    for (_, value) in table.iter_mut() {
        let span = value.span();
        fill_value(value.get_mut(), span, sources, faults);
    }
}

fn fill_value(value: &mut DeValue<'_>, span: Range<usize>, sources: &Sources<'_>, faults: &mut Faults<'_>) {
    match value {
        DeValue::Table(table) => fill(table, sources, faults),
        DeValue::Array(items) => {
            for item in items.iter_mut() {
                let span = item.span();
                fill_value(item.get_mut(), span, sources, faults);
            }
        }
        DeValue::String(text) if text.contains("${") => {
            *text = Cow::Owned(filled(text, &span, sources, faults));
        }
        _ => {}
    }
}

fn filled(text: &str, span: &Range<usize>, sources: &Sources<'_>, faults: &mut Faults<'_>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            out.push_str(&rest[..at - 1]);
            out.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        out.push_str(&rest[..at]);
        let Some(len) = rest[at..].find('}') else {
            faults.add(faults.within(span, "${"), Message::new("config-open-reference"));
            return out;
        };
        let reference = &rest[at..=at + len];
        match value_of(&reference[2..len], sources) {
            Ok(value) => out.push_str(&value),
            Err(message) => faults.add(faults.within(span, reference), message),
        }
        rest = &rest[at + len + 1..];
    }
    out.push_str(rest);
    out
}

fn value_of(name: &str, sources: &Sources<'_>) -> Result<String, Message> {
    if let Some(path) = name.strip_prefix("file:") {
        let path = sources.folder.join(path);
        return match std::fs::read_to_string(&path) {
            Ok(content) => Ok(content.trim().to_owned()),
            Err(error) => {
                // The kind, not the error itself: its text may quote what the file holds.
                let message = Message::new("config-missing-file").with("file", path.display());
                Err(message.with("detail", why(error.kind())))
            }
        };
    }
    if name.trim().is_empty() {
        return Err(Message::new("config-open-reference"));
    }
    // Compose files and service units hand over an unset variable as an empty one.
    let value = (sources.env)(name).filter(|value| !value.is_empty());
    value.ok_or_else(|| Message::new("config-missing-variable").with("name", name))
}

/// Why a file cannot be read, as the catalogue names it.
pub(super) fn why(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::NotFound => "missing".to_owned(),
        ErrorKind::PermissionDenied => "denied".to_owned(),
        kind => kind.to_string(),
    }
}
