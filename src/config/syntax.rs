//! What the parser refuses, in words that say what to do about it.

use std::ops::Range;

use crate::model::Message;

/// The parser's refusal as a mistake and its place. Each key of a section that stands there twice is
/// refused by itself; all of them are told as one, at the second header.
pub(super) fn mistake(text: &str, error: &toml::de::Error) -> (Range<usize>, Message) {
    let span = error.span().unwrap_or(0..0);
    if error.message() != "duplicate key" {
        return (span, Message::new("config-syntax").with("detail", error.message()));
    }
    let headers = headers(text);
    let own = headers.iter().rposition(|header| header.span.start <= span.start);
    let twice = own.and_then(|at| {
        let second = &headers[at];
        Some((headers[..at].iter().find(|first| first.name == second.name)?, second))
    });
    match twice {
        Some((first, second)) => {
            let message = Message::new("config-section-twice").with("section", &second.name);
            (second.span.clone(), message.with("first", first.line).with("second", second.line))
        }
        None => (span, Message::new("config-key-twice")),
    }
}

/// The header of a section: `[server]`.
struct Header {
    name: String,
    line: usize,
    span: Range<usize>,
}

fn headers(text: &str) -> Vec<Header> {
    let (mut found, mut start) = (Vec::new(), 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let indent = line.len() - line.trim_start().len();
        let inner = line.trim_start().strip_prefix('[').filter(|rest| !rest.starts_with('['));
        if let Some((name, _)) = inner.and_then(|rest| rest.split_once(']')) {
            let at = start + indent;
            let name = format!("[{}]", name.replace([' ', '\t'], ""));
            found.push(Header { span: at..at + line.trim_end().len() - indent, name, line: index + 1 });
        }
        start += line.len();
    }
    found
}
