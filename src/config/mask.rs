//! Covers secrets in the text of a configuration file before any of it is shown.
//!
//! Better one value too many than one too few: whatever looks like a secret by its key, mistyped
//! keys included, and whatever stands before the `@` of an address. References such as `${NAME}`
//! are no secrets and stay readable.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::guess::distance;

const COVER: &str = "••••••";
// An e-mail address to log in with is no secret, but nobody else's business either.
const SECRET_PARTS: [&str; 8] = ["login", "pass", "pwd", "token", "secret", "smtp", "webhook", "credential"];
const SECRET_WORDS: [&str; 3] = ["password", "token", "secret"];

/// A text with its secrets covered.
pub(super) struct Masked {
    /// What may be shown.
    pub text: String,
    /// The ranges of the original that were covered, in order.
    covered: Vec<Range<usize>>,
}

impl Masked {
    /// Covers the secrets of `text`, parsed as `table` as far as it could be.
    pub(super) fn new(text: &str, table: &DeTable<'_>) -> Masked {
        let mut spans = Vec::new();
        in_table(text, table, false, &mut spans);
        in_lines(text, &mut spans);
        in_addresses(text, &mut spans);
        spans.retain(|span| text.is_char_boundary(span.start) && text.is_char_boundary(span.end));
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
        in_value(text, value, secret, spans);
    }
}

fn in_value(text: &str, value: &Spanned<DeValue<'_>>, secret: bool, spans: &mut Vec<Range<usize>>) {
    match value.get_ref() {
        DeValue::Table(table) => in_table(text, table, secret, spans),
        DeValue::Array(items) => items.iter().for_each(|item| in_value(text, item, secret, spans)),
        DeValue::Boolean(_) => {}
        _ if secret => {
            let written = text.get(value.span()).unwrap_or_default();
            spans.extend(inside_quotes(written, value.span().start));
        }
        _ => {}
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

fn is_reference(text: &str) -> bool {
    text.strip_prefix("${").and_then(|text| text.strip_suffix('}')).is_some_and(|name| !name.contains('}'))
}

/// User names and passwords in addresses, unless they are references.
fn in_addresses(text: &str, spans: &mut Vec<Range<usize>>) {
    for (at, mark) in text.match_indices("://") {
        let start = at + mark.len();
        let rest = &text[start..];
        let end = rest.find(|c: char| c.is_whitespace() || c == '"' || c == '\'').unwrap_or(rest.len());
        // A password may hold a slash that should have been escaped: better too much than too little.
        let Some(len) = rest[..end].rfind('@') else { continue };
        let open = rest[..len].contains(':') && !parts(&rest[..len]).all(is_reference);
        spans.extend(open.then_some(start..start + len));
    }
}

/// User name and password, split at colons outside of references.
fn parts(user: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    user.split(move |c| {
        inside = (inside || c == '{') && c != '}';
        c == ':' && !inside
    })
}

/// What follows the `=` after a secret's key, wherever it stands: also in comments, and in text
/// that does not parse.
fn in_lines(text: &str, spans: &mut Vec<Range<usize>>) {
    for (equals, _) in text.match_indices('=') {
        let before = text[..equals].trim_end_matches([' ', '\t', '"', '\'']);
        let is_key = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let key = before
            .rfind(|c| !is_key(c))
            .map_or(before, |at| &before[at..])
            .trim_start_matches(|c| !is_key(c));
        if key.is_empty() || !is_secret(key) {
            continue;
        }
        let start = text.len() - text[equals + 1..].trim_start_matches([' ', '\t']).len();
        let written = &text[start..start + written_len(&text[start..])];
        let listed =
            written.trim_matches(['[', ']']).split(',').map(|item| item.trim().trim_matches(['"', '\'']));
        let harmless = ["true", "false"].contains(&written.trim());
        if !harmless && !listed.clone().all(|item| item.is_empty() || is_reference(item)) {
            spans.extend(inside_quotes(written, start));
        }
    }
}

/// How far a value reaches that starts here: to its closing mark, or to the end of the line when
/// something else than a comment or the next value follows.
fn written_len(text: &str) -> usize {
    let line = text.find('\n').unwrap_or(text.len());
    for (open, close) in [("\"\"\"", "\"\"\""), ("'''", "'''"), ("[", "]")] {
        if let Some(inner) = text.strip_prefix(open) {
            let len = inner.find(close).map(|len| open.len() + len + close.len());
            return len.unwrap_or(text.len());
        }
    }
    let Some(quote) = text.chars().next().filter(|c| *c == '"' || *c == '\'') else { return line };
    let mut escaped = false;
    let close = text[1..line].find(|c| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped && quote == '"';
        ends
    });
    let Some(end) = close.map(|at| at + 2) else { return line };
    let rest = text[end..line].trim_start();
    let next = rest.is_empty() || rest.starts_with([',', '}', ']']);
    if next || (rest.starts_with('#') && !rest.contains(quote)) { end } else { line }
}
