//! Values as a base of 1C holds them, and how they are written as JSON and as XML.

use std::cmp::Ordering;
use std::fmt::{self, Display, Write as _};
use std::str::FromStr;
use std::sync::Arc;

use jiff::civil::DateTime;
use rust_decimal::Decimal;

use super::super::table::Fields;

/// A reference; all zeros when it is unset, for 1C knows no `null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Guid(pub u128);

/// A reference that may point at documents of several types, which it therefore names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Document {
    /// Type, such as `Document_ЧекККМ`.
    pub kind: Arc<str>,
    /// Which of them.
    pub id: Guid,
}

/// One value of a row.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Text, also that of a document's type.
    Text(Arc<str>),
    /// A reference to rows of one type.
    Guid(Guid),
    /// A reference to rows of several types.
    Recorder(Arc<Document>),
    /// A moment on the base's wall clock.
    Date(DateTime),
    /// Yes or no.
    Flag(bool),
    /// A 64-bit number, which is a string in JSON.
    Int(i64),
    /// An exact decimal.
    Number(Decimal),
    /// A tabular part.
    Rows(Arc<Vec<Row>>),
    /// JSON text planted by a test, served as it is.
    Raw(Arc<str>),
}

/// The values of one row, in the order of its set's fields.
pub(super) type Row = Arc<[Value]>;

/// A named column of a set.
#[derive(Debug)]
pub(super) struct Field {
    /// Name on the wire.
    pub name: &'static str,
    /// What its values are.
    pub kind: Kind,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Text.
    Text,
    /// A reference to rows of one type.
    Guid,
    /// A reference to documents of several types; its type is the column that follows.
    Recorder,
    /// The type of the reference before.
    RecorderType,
    /// A moment.
    Date,
    /// Yes or no.
    Flag,
    /// A 64-bit number.
    Int,
    /// Money or points.
    Number,
    /// A quantity, which some bases write as text.
    Quantity,
    /// A tabular part with these columns.
    Rows(&'static [Field]),
}

/// How a base writes what bases write differently.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Style {
    /// Quantities are strings.
    pub quantity_text: bool,
    /// Catalogs have no code.
    pub no_code: bool,
    /// References come with the address of what they point at.
    pub links: bool,
}

impl Display for Guid {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let text = format!("{:032x}", self.0);
        let parts = [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]];
        formatter.write_str(&parts.join("-"))
    }
}

impl FromStr for Guid {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let dashes: Vec<usize> = text.match_indices('-').map(|(at, _)| at).collect();
        if text.len() != 36 || dashes != [8, 13, 18, 23] {
            return Err(());
        }
        u128::from_str_radix(&text.replace('-', ""), 16).map(Self).map_err(|_| ())
    }
}

impl Value {
    /// Text from anything that is some.
    pub fn text(text: &str) -> Self {
        Self::Text(Arc::from(text))
    }

    /// The reference, or none where there is another value.
    pub fn guid(&self) -> Guid {
        match self {
            Self::Guid(guid) => *guid,
            Self::Recorder(document) => document.id,
            _ => Guid::default(),
        }
    }

    /// The amount, or zero where there is another value.
    pub fn number(&self) -> Decimal {
        match self {
            Self::Number(number) => *number,
            Self::Int(number) => Decimal::from(*number),
            Self::Raw(text) => Decimal::from_str_exact(text.trim_matches('"')).unwrap_or_default(),
            _ => Decimal::ZERO,
        }
    }

    /// The moment, or none where there is another value.
    pub fn date(&self) -> Option<DateTime> {
        if let Self::Date(date) = self { Some(*date) } else { None }
    }

    /// Whether it says yes.
    pub fn yes(&self) -> bool {
        matches!(self, Self::Flag(true))
    }

    /// The text, or nothing where there is another value.
    pub fn str(&self) -> &str {
        if let Self::Text(text) | Self::Raw(text) = self { text } else { "" }
    }

    /// The order of two values of one column.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Guid(one), Self::Guid(other)) => one.cmp(other),
            (Self::Recorder(one), Self::Recorder(other)) => one.cmp(other),
            (Self::Date(one), Self::Date(other)) => one.cmp(other),
            (Self::Flag(one), Self::Flag(other)) => one.cmp(other),
            (Self::Int(one), Self::Int(other)) => one.cmp(other),
            (Self::Number(one), Self::Number(other)) => one.cmp(other),
            _ => Ordering::Equal,
        }
    }

    fn json(&self, out: &mut String, kind: Kind, style: Style) {
        let _ = match (self, kind) {
            (Self::Text(text), Kind::RecorderType) => write!(out, "\"StandardODATA.{text}\""),
            (Self::Text(text), _) => write!(out, "{}", serde_json::Value::String(text.to_string())),
            (Self::Guid(guid), _) => write!(out, "\"{guid}\""),
            (Self::Recorder(document), _) => write!(out, "\"{}\"", document.id),
            (Self::Date(date), _) => write!(out, "\"{date}\""),
            (Self::Flag(flag), _) => write!(out, "{flag}"),
            (Self::Int(number), _) => write!(out, "\"{number}\""),
            (Self::Number(number), Kind::Quantity) if style.quantity_text => {
                write!(out, "\"{}\"", number.normalize())
            }
            (Self::Number(number), _) => write!(out, "{}", number.normalize()),
            (Self::Rows(rows), Kind::Rows(fields)) => {
                out.push('[');
                for (index, row) in rows.iter().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    object(out, fields, row, None, style);
                }
                out.push(']');
                Ok(())
            }
            (Self::Rows(_), _) => write!(out, "[]"),
            (Self::Raw(text), _) => write!(out, "{text}"),
        };
    }

    /// The value as XML content.
    pub fn xml(&self, kind: Kind) -> String {
        match (self, kind) {
            (Self::Text(text), Kind::RecorderType) => format!("StandardODATA.{text}"),
            (Self::Text(text) | Self::Raw(text), _) => escaped(text),
            (Self::Guid(guid), _) => guid.to_string(),
            (Self::Recorder(document), _) => document.id.to_string(),
            (Self::Date(date), _) => date.to_string(),
            (Self::Flag(flag), _) => flag.to_string(),
            (Self::Int(number), _) => number.to_string(),
            (Self::Number(number), _) => number.normalize().to_string(),
            (Self::Rows(rows), Kind::Rows(fields)) => {
                let element = |row: &Row| format!("<d:element>{}</d:element>", properties(fields, row, None));
                rows.iter().map(element).collect()
            }
            (Self::Rows(_), _) => String::new(),
        }
    }
}

/// Writes a row as a JSON object, with the chosen columns or all.
pub(super) fn object(out: &mut String, fields: &[Field], row: &Row, chosen: Option<&[usize]>, style: Style) {
    out.push('{');
    let start = out.len();
    for (index, (field, value)) in fields.iter().zip(row.iter()).enumerate() {
        let left_out = chosen.is_some_and(|chosen| !chosen.contains(&index));
        if left_out || (style.no_code && field.name == "Code") {
            continue;
        }
        if out.len() > start {
            out.push(',');
        }
        let _ = write!(out, "\"{}\":", field.name);
        value.json(out, field.kind, style);
        if let (true, Some(name), Value::Guid(guid)) = (style.links, field.name.strip_suffix("_Key"), value)
            && name != "Ref"
        {
            let _ = write!(out, ",\"{name}@navigationLinkUrl\":\"(guid'{guid}')/{name}\"");
        }
    }
    out.push('}');
}

/// A row as the properties of an Atom entry.
pub(super) fn properties(fields: &[Field], row: &Row, chosen: Option<&[usize]>) -> String {
    let columns = fields.iter().zip(row.iter()).enumerate();
    let wanted = columns.filter(|(index, _)| chosen.is_none_or(|chosen| chosen.contains(index)));
    wanted
        .map(|(_, (field, value))| format!("<d:{0}>{1}</d:{0}>", field.name, value.xml(field.kind)))
        .collect()
}

/// Text as XML content.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Reads a row from JSON text; what is no value of its column stays as it is written.
pub(super) fn read(fields: &'static [Field], text: &str) -> Option<Row> {
    let given: Fields = serde_json::from_str(text).ok()?;
    let kind = given.text("Recorder_Type").unwrap_or_default();
    let kind: Arc<str> = Arc::from(kind.strip_prefix("StandardODATA.").unwrap_or(&kind));
    let value = |field: &Field| {
        let Some(raw) = given.raw(field.name) else { return empty(field.kind, &kind) };
        let text: Option<String> = serde_json::from_str(raw).ok();
        let read = match (field.kind, text) {
            (Kind::Text, Some(text)) => Some(Value::text(&text)),
            (Kind::Guid, Some(text)) => text.parse().ok().map(Value::Guid),
            (Kind::Recorder, Some(text)) => {
                let id = text.parse().ok();
                id.map(|id| Value::Recorder(Arc::new(Document { kind: Arc::clone(&kind), id })))
            }
            (Kind::RecorderType, Some(_)) => Some(Value::Text(Arc::clone(&kind))),
            (Kind::Date, Some(text)) => text.parse().ok().map(Value::Date),
            (Kind::Int, Some(text)) => text.parse().ok().map(Value::Int),
            (Kind::Flag, None) => raw.parse().ok().map(Value::Flag),
            (Kind::Number | Kind::Quantity, None) => Decimal::from_str_exact(raw).ok().map(Value::Number),
            (Kind::Quantity, Some(text)) => Decimal::from_str_exact(&text).ok().map(Value::Number),
            (Kind::Rows(fields), None) => {
                let rows: Option<Vec<&serde_json::value::RawValue>> = serde_json::from_str(raw).ok();
                let rows = rows.map(|rows| rows.iter().map(|row| read(fields, row.get())).collect());
                rows.flatten().map(|rows: Vec<Row>| Value::Rows(Arc::new(rows)))
            }
            _ => None,
        };
        read.unwrap_or_else(|| Value::Raw(Arc::from(raw)))
    };
    Some(fields.iter().map(value).collect())
}

/// What 1C says where nothing is set: never `null`.
fn empty(kind: Kind, document: &Arc<str>) -> Value {
    match kind {
        Kind::Text => Value::text(""),
        Kind::RecorderType => Value::Text(Arc::clone(document)),
        Kind::Guid => Value::Guid(Guid::default()),
        Kind::Recorder => {
            Value::Recorder(Arc::new(Document { kind: Arc::clone(document), id: Guid::default() }))
        }
        Kind::Date => Value::Date(unset_date()),
        Kind::Flag => Value::Flag(false),
        Kind::Int => Value::Int(0),
        Kind::Number | Kind::Quantity => Value::Number(Decimal::ZERO),
        Kind::Rows(_) => Value::Rows(Arc::default()),
    }
}

/// The date that stands for none.
pub(super) fn unset_date() -> DateTime {
    jiff::civil::date(1, 1, 1).at(0, 0, 0, 0)
}
