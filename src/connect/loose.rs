//! Values as other systems send them: a number may come as a string, an identifier as a number,
//! and nothing as `null`, `""` or `"null"`.
//!
//! A value keeps the text of its token exactly, so an amount never passes through a binary float.
//! What a field means is for the connector to say.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::http::NotWhole;
use crate::model::amount::{self, Measure, NotExact};
use crate::model::text::{ascii_digits, present};
use crate::model::{Reject, Sums};

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loose<'a> {
    /// Missing, `null`, `""` or `"null"`.
    Absent,
    /// A string or number, trimmed, otherwise as it stood.
    Text(Cow<'a, str>),
    /// `true` or `false`.
    Flag(bool),
    /// A list, an object, or a string that is not valid text.
    Other,
}

impl<'a> Loose<'a> {
    /// Reads the value out of its token.
    pub fn of(token: Option<&'a RawValue>) -> Loose<'a> {
        let Some(token) = token.map(RawValue::get) else { return Loose::Absent };
        match token.as_bytes().first() {
            Some(b'"') if !token.contains('\\') => Loose::text_of(Cow::Borrowed(&token[1..token.len() - 1])),
            Some(b'"') => {
                // No field of ours holds a control character: PostgreSQL takes no NUL, and the store
                // keeps some for itself. The payload stays as it came.
                serde_json::from_str::<String>(token)
                    .map_or(Loose::Other, |t| Loose::text_of(Cow::Owned(t.replace(char::is_control, " "))))
            }
            Some(b'-' | b'0'..=b'9') => Loose::Text(Cow::Borrowed(token)),
            Some(b't') => Loose::Flag(true),
            Some(b'f') => Loose::Flag(false),
            Some(b'n') => Loose::Absent,
            _ => Loose::Other,
        }
    }

    fn text_of(text: Cow<'a, str>) -> Loose<'a> {
        match text {
            Cow::Borrowed(text) => present(text).map_or(Loose::Absent, |t| Loose::Text(Cow::Borrowed(t))),
            Cow::Owned(text) => {
                present(&text).map_or(Loose::Absent, |t| Loose::Text(Cow::Owned(t.to_owned())))
            }
        }
    }

    /// The text of a string or number.
    pub fn text(&self) -> Option<&str> {
        match self {
            Loose::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text as an owned string.
    pub fn owned(&self) -> Option<String> {
        self.text().map(str::to_owned)
    }

    /// The text of an identifier, digits of other scripts written as ASCII ones.
    pub fn id(&self) -> Option<String> {
        self.text().map(|text| ascii_digits(text).into_owned())
    }

    /// The text in upper case, for codes and statuses.
    pub fn upper(&self) -> Option<String> {
        self.text().map(str::to_uppercase)
    }

    /// Yes or no, also as `"true"`, `1`; `None` when it is neither.
    pub fn flag(&self) -> Option<bool> {
        match self {
            Loose::Flag(flag) => Some(*flag),
            Loose::Text(text) if text.eq_ignore_ascii_case("true") || text == "1" => Some(true),
            Loose::Text(text) if text.eq_ignore_ascii_case("false") || text == "0" => Some(false),
            _ => None,
        }
    }

    /// The number with `scale` decimals, exact or the reason why not.
    pub fn amount(&self, scale: u32) -> Result<Option<i64>, NotExact> {
        match self {
            Loose::Absent => Ok(None),
            Loose::Text(text) => amount::parse(text, scale).map(Some),
            Loose::Flag(_) | Loose::Other => Err(NotExact::NotANumber),
        }
    }

    /// The amount of a row's `field`, or the rejection of that row.
    pub fn amount_of(&self, field: &'static str, scale: u32) -> Result<Option<i64>, Reject> {
        self.amount(scale).map_err(|why| match why {
            NotExact::TooLarge => Reject { rule: "amount_too_large", field },
            NotExact::NotANumber | NotExact::TooPrecise => Reject { rule: "amount_not_exact", field },
        })
    }

    /// The date of a row's `field` as `YYYY-MM-DD` (of a date-time its date part, as written), or
    /// the rejection of that row.
    pub fn date_of(&self, field: &'static str) -> Result<Option<String>, Reject> {
        match self {
            Loose::Absent => Ok(None),
            Loose::Text(text) => {
                date_part(text).map(|date| Some(date.into_owned())).ok_or(Reject { rule: "bad_date", field })
            }
            Loose::Flag(_) | Loose::Other => Err(Reject { rule: "bad_date", field }),
        }
    }
}

/// A moment on a clock on the wall, without offset, in the one form in which such moments are in order as
/// texts; `None` when it is none.
pub fn date_time(text: &str) -> Option<String> {
    let moment: jiff::civil::DateTime = ascii_digits(text).trim().parse().ok()?;
    Some(moment.to_string())
}

/// The date a date or date-time begins with, if it is one of the calendar.
fn date_part(text: &str) -> Option<Cow<'_, str>> {
    let text = ascii_digits(text);
    let (date, time) = text.split_at_checked(10)?;
    if !time.is_empty() {
        let clock = time.strip_prefix(['T', 't', ' '])?;
        if !clock.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
    }
    let bytes = date.as_bytes();
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        bytes[range]
            .iter()
            .try_fold(0_i16, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i16::from(byte - b'0')))
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    Some(match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[..10]),
        Cow::Owned(mut text) => {
            text.truncate(10);
            Cow::Owned(text)
        }
    })
}

/// The named fields of a JSON object, in the order of `names`; of a field that comes twice the last
/// counts. `None` when the text is not one whole object.
pub fn fields<'a, const N: usize>(json: &'a str, names: &[&str; N]) -> Option<[Loose<'a>; N]> {
    tokens(json, names).map(|tokens| tokens.map(Loose::of))
}

/// Like [`fields`], with the values as their tokens.
pub fn tokens<'a, const N: usize>(json: &'a str, names: &[&str; N]) -> Option<[Option<&'a RawValue>; N]> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let found = reader.deserialize_map(Pick { names }).ok()?;
    reader.end().ok()?;
    Some(found)
}

/// The field of this name that comes first in a JSON object; what follows it is not looked at. For rows
/// that were split off already, and so are JSON.
pub fn first<'a>(json: &'a str, name: &str) -> Loose<'a> {
    let mut found = None;
    let mut reader = serde_json::Deserializer::from_str(json);
    // Stopping before the end is an error to the reader, and no matter here.
    let _ = reader.deserialize_map(First { name, found: &mut found });
    Loose::of(found)
}

struct First<'n, 'a> {
    name: &'n str,
    found: &'n mut Option<&'a RawValue>,
}

impl<'a> Visitor<'a> for First<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(at) = map.next_key_seed(Name { names: &[self.name], expected: 0 })? {
            if at.is_some() {
                *self.found = Some(map.next_value::<&'a RawValue>()?);
                return Ok(());
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// A list of rows, none where it is missing, and other fields of the object that holds it.
pub type Listed<'a, const N: usize> = (Option<Vec<&'a RawValue>>, [Option<&'a RawValue>; N]);

/// The rows of the list `list` of a JSON object, split but not read, and its fields `names`: all in one
/// pass over the text.
pub fn listed<'a, const N: usize>(
    json: &'a str,
    list: &'static str,
    names: &[&str; N],
) -> Result<Listed<'a, N>, NotWhole> {
    let mut reader = serde_json::Deserializer::from_str(json);
    let found = reader.deserialize_map(Split { list, names });
    match found.and_then(|found| reader.end().map(|()| found)) {
        Ok(found) => Ok(found),
        // What is wrong with it is found out once more from the beginning.
        Err(_) if tokens(json, &[list]).is_some() => Err(NotWhole::Shape(list)),
        Err(_) => Err(NotWhole::other_than("{…}", json)),
    }
}

struct Split<'n, const N: usize> {
    list: &'n str,
    names: &'n [&'n str; N],
}

impl<'a, const N: usize> Visitor<'a> for Split<'_, N> {
    type Value = Listed<'a, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut rows, mut found) = (None, [None; N]);
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if key == self.list {
                rows = Some(map.next_value::<Vec<&'a RawValue>>()?);
            } else if let Some(at) = self.names.iter().position(|name| *name == key) {
                found[at] = Some(map.next_value::<&'a RawValue>()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok((rows, found))
    }
}

struct Pick<'n, const N: usize> {
    names: &'n [&'n str; N],
}

impl<'a, const N: usize> Visitor<'a> for Pick<'_, N> {
    type Value = [Option<&'a RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        // Rows name their fields in the same order nearly always: look next to the last one first.
        let mut expected = 0;
        while let Some(at) = map.next_key_seed(Name { names: self.names, expected })? {
            match at {
                Some(at) => {
                    found[at] = Some(map.next_value::<&'a RawValue>()?);
                    expected = at + 1;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

/// Reads a key as its place among the names.
struct Name<'n, const N: usize> {
    names: &'n [&'n str; N],
    expected: usize,
}

impl<'a, const N: usize> DeserializeSeed<'a> for Name<'_, N> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'a>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_str(self)
    }
}

impl<const N: usize> Visitor<'_> for Name<'_, N> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        if self.names.get(self.expected) == Some(&key) {
            return Ok(Some(self.expected));
        }
        Ok(self.names.iter().position(|name| *name == key))
    }
}

/// The sums a source states of a whole list, one value per measure.
/// A total that cannot be read exactly is left out, for it proves nothing.
pub fn sums<const N: usize>(values: &[Loose<'_>; N], measures: &[Measure; N]) -> Sums {
    let mut sums = Sums::default();
    for (value, measure) in values.iter().zip(measures) {
        if let Some(Ok(sum)) = value.text().map(|text| amount::parse_sum(text, measure.scale)) {
            sums.set(*measure, sum);
        }
    }
    sums
}

/// The amounts of a row (at most four) in the fields of these names; one that cannot be read exactly
/// is left out.
pub fn amounts(raw: &str, measures: &[Measure], field: impl Fn(&Measure) -> &'static str) -> Sums {
    let names: [&str; 4] = std::array::from_fn(|at| measures.get(at).map_or("", &field));
    let mut sums = Sums::default();
    let Some(values) = fields(raw, &names) else { return sums };
    for (measure, value) in measures.iter().zip(values) {
        sums.add(*measure, value.amount(measure.scale).ok().flatten());
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_every_shape() {
        let json = r#"{"a":12.40,"b":"12.40","c":null,"d":"null","e":"","f":true,"g":{"a":1},"h":" x\u0041 ","i":"\ud800","j":"۱۲"}"#;
        let [a, b, c, d, e, f, g, h, i, j, k] =
            fields(json, &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]).unwrap();
        assert_eq!(a.amount(2), Ok(Some(1240)));
        assert_eq!(b.amount(2), Ok(Some(1240)));
        assert_eq!([c, d, e, k], [Loose::Absent, Loose::Absent, Loose::Absent, Loose::Absent]);
        assert_eq!(f.flag(), Some(true));
        assert_eq!((g.text(), i.text()), (None, None));
        assert_eq!(h.text(), Some("xA"));
        assert_eq!(j.id().as_deref(), Some("12"));
    }

    #[test]
    fn fields_in_any_order_and_twice() {
        let [a, b] = fields(r#"{"b":1,"x":{"a":0},"\u0061":2,"b":3}"#, &["a", "b"]).unwrap();
        assert_eq!((a.text(), b.text()), (Some("2"), Some("3")));
        for text in ["", "[]", "1", "null", "{", "{} x", "{\"a\":}", "\"{}\""] {
            assert!(fields(text, &["a"]).is_none(), "{text}");
        }
    }

    #[test]
    fn the_first_field_of_a_name() {
        for (json, text) in [
            (r#"{"x":{"a":0},"a":"1","a":2}"#, Some("1")),
            (r#"{"a":7"#, Some("7")),
            (r#"{"b":1}"#, None),
            ("[1]", None),
            ("", None),
        ] {
            assert_eq!(first(json, "a").text(), text, "{json}");
        }
    }

    #[test]
    fn lists_are_split_in_one_pass() {
        let rows = |json| {
            listed(json, "rows", &["n"]).map(|(rows, [n])| {
                let rows = rows.map(|rows| rows.iter().map(|row| row.get()).collect::<Vec<_>>());
                (rows, n.map(RawValue::get))
            })
        };
        let whole = rows(r#"{"a":[1],"rows":[{"b":1}, 2 ,[]],"n":{"c":3}} "#);
        assert_eq!(whole, Ok((Some(vec![r#"{"b":1}"#, "2", "[]"]), Some(r#"{"c":3}"#))));
        assert_eq!(rows(r#"{"rows":[]}"#), Ok((Some(vec![]), None)));
        assert_eq!(rows("{}"), Ok((None, None)));
        for json in [r#"{"rows":null}"#, r#"{"rows":{}}"#, r#"{"n":1,"rows":"x"}"#] {
            assert_eq!(rows(json), Err(NotWhole::Shape("rows")), "{json}");
        }
        assert_eq!(rows("[]"), Err(NotWhole::Shape("{…}")));
        for json in ["", r#"{"rows":[1"#, r#"{"rows":[1]"#, r#"{"rows":[1]} x"#, r#"{"rows":[1,]}"#] {
            assert_eq!(rows(json), Err(NotWhole::Broken), "{json}");
        }
    }

    #[test]
    fn dates_are_of_the_calendar() {
        for (text, date) in [
            ("2025-07-01", Some("2025-07-01")),
            ("2025-07-01T09:30:00", Some("2025-07-01")),
            ("2025-07-01 09:30", Some("2025-07-01")),
            ("۲۰۲۵-۰۷-۰۱", Some("2025-07-01")),
            ("2024-02-29", Some("2024-02-29")),
            ("2025-02-29", None),
            ("2025-13-01", None),
            ("2025-07-011", None),
            ("2025-07-01Tx", None),
            ("01.07.2025", None),
            ("2025-7-1", None),
            ("20250701", None),
            ("2025-0ñ-1", None),
        ] {
            assert_eq!(date_part(text).as_deref(), date, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,60}", json in "[\\[\\]{}\":,a0-9.eE\\\\u -]{0,60}") {
            let _ = date_part(&text);
            let _ = fields(&json, &["a", "0"]);
            let quoted = serde_json::to_string(&text).unwrap();
            let object = format!("{{\"a\":{quoted}}}");
            let [a] = fields(&object, &["a"]).unwrap();
            let _ = (a.amount(2), a.date_of("a"), a.id(), a.upper(), a.flag());
        }
    }
}
