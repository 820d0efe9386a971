//! Covers secrets in the text of a configuration file before any of it is shown.
//!
//! Better one value too many than one too few: whatever looks like a secret by its key, mistyped
//! keys included, and whatever stands before the `@` of an address. References such as `${NAME}`
//! are no secrets and stay readable.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::guess::distance;

const COVER: &str = "••••••";
const SECRET_PARTS: [&str; 7] = ["pass", "pwd", "token", "secret", "smtp", "webhook", "credential"];
const SECRET_WORDS: [&str; 3] = ["password", "token", "secret"];

/// A text with its secrets covered.
pub(super) struct Masked {
    /// What may be shown.
    pub text: String,
    /// The ranges of the original that were covered, in order.
    covered: Vec<Range<usize>>,
}

impl Masked {
    /// Covers the secrets of `text`, parsed as `table`. `broken` when it is not valid TOML, so that
    /// the table cannot be relied on.
    pub(super) fn new(text: &str, table: &DeTable<'_>, broken: bool) -> Masked {
        let mut spans = Vec::new();
        in_table(text, table, false, &mut spans);
        if broken {
            in_lines(text, &mut spans);
        }
        spans.sort_by_key(|span| span.start);
        let mut covered: Vec<Range<usize>> = Vec::new();
        for span in spans {
            match covered.last_mut() {
                Some(last) if span.start < last.end => last.end = last.end.max(span.end),
                _ => covered.push(span),
            }
        }
        let mut shown = String::with_capacity(text.len());
        let mut at = 0;
        for span in &covered {
            shown.push_str(&text[at..span.start]);
            shown.push_str(COVER);
            at = span.end;
        }
        shown.push_str(&text[at..]);
        Masked { text: shown, covered }
    }

    /// The place in the covered text of a place in the original.
    pub(super) fn span(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.offset(span.start, false);
        start..self.offset(span.end, true).max(start)
    }

    fn offset(&self, original: usize, is_end: bool) -> usize {
        let mut removed = 0;
        let mut added = 0;
        for span in &self.covered {
            if original >= span.end {
                removed += span.len();
                added += COVER.len();
            } else if original > span.start {
                let inside = if is_end { COVER.len() } else { 0 };
                return span.start - removed + added + inside;
            } else {
                break;
            }
        }
        original - removed + added
    }
}

/// Whether the values of this key are secrets, or it may be meant to be such a key.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    SECRET_PARTS.iter().any(|part| key.contains(part))
        || SECRET_WORDS.iter().any(|word| distance(&key, word) <= 2)
}

fn in_table(text: &str, table: &DeTable<'_>, secret: bool, spans: &mut Vec<Range<usize>>) {
    for (key, value) in table.iter() {
        let secret = secret || (is_secret(key.get_ref()) && !value.get_ref().is_table());
        in_value(text, value.get_ref(), &value.span(), secret, spans);
    }
}

fn in_value(
    text: &str,
    value: &DeValue<'_>,
    span: &Range<usize>,
    secret: bool,
    spans: &mut Vec<Range<usize>>,
) {
    match value {
        DeValue::Table(table) => in_table(text, table, secret, spans),
        DeValue::Array(items) => {
            for item in items.iter() {
                in_value(text, item.get_ref(), &item.span(), secret, spans);
            }
        }
        DeValue::Boolean(_) => {}
        _ => {
            let Some(written) = text.get(span.clone()) else { return };
            if secret {
                spans.extend(inside_quotes(written, span.start));
            } else {
                spans.extend(before_at(written, span.start));
            }
        }
    }
}

/// The part of a written value to cover: between its quotes, unless it is only a reference.
fn inside_quotes(written: &str, start: usize) -> Option<Range<usize>> {
    let inner = written.trim_matches(['"', '\'']);
    if inner.is_empty() || is_reference(inner) {
        return None;
    }
    let from = written.find(inner).unwrap_or(0);
    Some(start + from..start + from + inner.len())
}

/// User name and password in an address, unless they are references.
fn before_at(written: &str, start: usize) -> Option<Range<usize>> {
    let from = written.find("://")? + 3;
    let rest = &written[from..];
    let len = rest[..rest.find('/').unwrap_or(rest.len())].rfind('@')?;
    let parts = rest[..len].split(':');
    let open = parts.clone().count() > 1 && !rest[..len].split(':').all(is_reference);
    open.then_some(start + from..start + from + len)
}

fn is_reference(text: &str) -> bool {
    text.strip_prefix("${").and_then(|text| text.strip_suffix('}')).is_some_and(|name| !name.contains('}'))
}

/// For text that does not parse: everything after the `=` of a line that names a secret.
fn in_lines(text: &str, spans: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while at < text.len() {
        let end = text[at..].find('\n').map_or(text.len(), |len| at + len);
        let line = &text[at..end];
        let names_secret = |key: &str| {
            key.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| !w.is_empty() && is_secret(w))
        };
        let equals =
            line.match_indices('=').map(|(place, _)| place).find(|place| names_secret(&line[..*place]));
        let Some(equals) = equals else {
            at = end + 1;
            continue;
        };
        let value = line[equals + 1..].trim_start();
        let start = end - value.len();
        // A value over several lines goes on to its closing quotes, or to the end.
        let quotes = ["\"\"\"", "'''"].into_iter().find(|quotes| value.starts_with(quotes));
        let stop = match quotes {
            Some(quotes) => text[start + 3..].find(quotes).map_or(text.len(), |len| start + 3 + len),
            None => end,
        };
        if !is_reference(value.trim_end().trim_matches(['"', '\''])) && stop > start {
            spans.push(start..stop);
        }
        at = text[stop..].find('\n').map_or(text.len(), |len| stop + len + 1);
    }
}
