//! One page: its texts in one string, amounts as scaled integers, a fingerprint for each.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use xxhash_rust::xxh3::xxh3_64;

use crate::Failure;

/// What the first page is asked for: how many rows there are.
#[derive(Deserialize)]
pub struct Envelope {
    pub totals: Totals,
}

#[derive(Deserialize)]
pub struct Totals {
    pub count: usize,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    data: Vec<Sent<'a>>,
}

/// A row as it is sent.
#[derive(Deserialize)]
struct Sent<'a> {
    id: i64,
    #[serde(borrow)]
    client_uid: Cow<'a, str>,
    #[serde(borrow)]
    client_account: &'a RawValue,
    #[serde(borrow, default)]
    country: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    currency: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    reg_date: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    volume_lots: Option<&'a RawValue>,
    #[serde(borrow, default)]
    volume_mln_usd: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reward: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reward_usd: Option<&'a RawValue>,
    #[serde(borrow, default)]
    partner_account: Option<Cow<'a, str>>,
}

/// The texts of a row, in the order of the columns.
pub const TEXTS: usize = 6;

/// A page, read: owns what its rows point to, so that one can be read while another is stored.
#[derive(Debug, Default)]
pub struct Read {
    pub rows: Vec<Row>,
    text: String,
}

/// A row as it is stored.
#[derive(Debug, PartialEq)]
pub struct Row {
    pub id: i64,
    /// Client, account number, country, currency, registration date, partner account.
    texts: [Option<(u32, u32)>; TEXTS],
    /// Lots and millions in ten-thousandths, rewards in hundredths.
    pub numbers: [Option<i64>; 4],
    pub fingerprint: i64,
}

impl Read {
    /// Text number `index` of a row.
    pub fn text(&self, row: &Row, index: usize) -> Option<&str> {
        row.texts[index].map(|(start, end)| &self.text[start as usize..end as usize])
    }
}

/// The rows of a body.
pub fn read(body: &[u8]) -> Result<Read, Failure> {
    let page: Page = serde_json::from_slice(body)?;
    let mut read =
        Read { rows: Vec::with_capacity(page.data.len()), text: String::with_capacity(body.len() / 4) };
    let mut bytes = Vec::with_capacity(256);
    for sent in &page.data {
        let row = row(sent, &mut read.text, &mut bytes)?;
        read.rows.push(row);
    }
    Ok(read)
}

fn row(sent: &Sent, text: &mut String, bytes: &mut Vec<u8>) -> Result<Row, Failure> {
    bytes.clear();
    let texts: [Option<&str>; TEXTS] = [
        Some(&sent.client_uid),
        Some(sent.client_account.get().trim_matches('"')),
        sent.country.as_deref(),
        sent.currency.as_deref(),
        sent.reg_date.as_deref(),
        sent.partner_account.as_deref(),
    ];
    let numbers = [
        scaled(sent.volume_lots, 4)?,
        scaled(sent.volume_mln_usd, 4)?,
        scaled(sent.reward, 2)?,
        scaled(sent.reward_usd, 2)?,
    ];
    for text in texts {
        bytes.extend_from_slice(text.unwrap_or("\u{1}").as_bytes());
        bytes.push(0);
    }
    for number in numbers {
        bytes.extend_from_slice(&number.unwrap_or(i64::MIN).to_le_bytes());
    }
    let mut keep = |kept: &str| {
        let start = u32::try_from(text.len())?;
        text.push_str(kept);
        Ok::<_, Failure>((start, u32::try_from(text.len())?))
    };
    let mut spans = [None; TEXTS];
    for (span, kept) in spans.iter_mut().zip(texts) {
        *span = kept.map(&mut keep).transpose()?;
    }
    Ok(Row { id: sent.id, texts: spans, numbers, fingerprint: xxh3_64(bytes).cast_signed() })
}

/// A decimal, number or string, as an integer of `10^-places`; never through a float.
fn scaled(value: Option<&RawValue>, places: usize) -> Result<Option<i64>, Failure> {
    let Some(value) = value else { return Ok(None) };
    let text = value.get().trim_matches('"');
    if text == "null" || text.is_empty() {
        return Ok(None);
    }
    let refused = || format!("not a decimal of {places} places: {text}");
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || fraction.len() > places {
        return Err(refused().into());
    }
    let mut number: i64 = 0;
    for digit in
        whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', places - fraction.len()))
    {
        if !digit.is_ascii_digit() {
            return Err(refused().into());
        }
        number =
            number.checked_mul(10).and_then(|n| n.checked_add((digit - b'0').into())).ok_or_else(refused)?;
    }
    Ok(Some(if negative { -number } else { number }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, places: usize) -> Result<Option<i64>, Failure> {
        scaled(Some(&RawValue::from_string(text.to_owned())?), places)
    }

    #[test]
    fn amounts_are_exact() {
        for (text, places, number) in [
            ("1.25", 4, Some(12_500)),
            ("\"12.40\"", 2, Some(1240)),
            ("-0.01", 2, Some(-1)),
            ("7", 2, Some(700)),
            ("\"null\"", 2, None),
        ] {
            assert_eq!(of(text, places).expect(text), number);
        }
        for text in ["1.255", "1e3", "99999999999999999999", "\"x\""] {
            assert!(of(text, 2).is_err(), "{text}");
        }
    }
}
