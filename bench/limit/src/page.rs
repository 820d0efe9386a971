//! One page: rows borrowed from the body, amounts as scaled integers, a fingerprint for each.

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

/// A row as it is stored.
#[derive(Debug, PartialEq)]
pub struct Row<'a> {
    pub id: i64,
    pub client_uid: Cow<'a, str>,
    pub client_account: &'a str,
    pub country: Option<Cow<'a, str>>,
    pub currency: Option<Cow<'a, str>>,
    pub reg_date: Option<Cow<'a, str>>,
    /// In ten-thousandths.
    pub lots: Option<i64>,
    /// In ten-thousandths of a million.
    pub mln: Option<i64>,
    /// In hundredths.
    pub reward: Option<i64>,
    /// In cents.
    pub reward_usd: Option<i64>,
    pub partner_account: Option<Cow<'a, str>>,
    pub fingerprint: i64,
}

/// The rows of a body.
pub fn read(body: &[u8]) -> Result<Vec<Row<'_>>, Failure> {
    let page: Page = serde_json::from_slice(body)?;
    let mut bytes = Vec::with_capacity(256);
    page.data.into_iter().map(|sent| row(sent, &mut bytes)).collect()
}

fn row<'a>(sent: Sent<'a>, bytes: &mut Vec<u8>) -> Result<Row<'a>, Failure> {
    let mut row = Row {
        id: sent.id,
        client_uid: sent.client_uid,
        client_account: sent.client_account.get().trim_matches('"'),
        country: sent.country,
        currency: sent.currency,
        reg_date: sent.reg_date,
        lots: scaled(sent.volume_lots, 4)?,
        mln: scaled(sent.volume_mln_usd, 4)?,
        reward: scaled(sent.reward, 2)?,
        reward_usd: scaled(sent.reward_usd, 2)?,
        partner_account: sent.partner_account,
        fingerprint: 0,
    };
    bytes.clear();
    let texts = [&row.country, &row.currency, &row.reg_date, &row.partner_account];
    let texts = texts.map(|text| text.as_deref().unwrap_or("\u{1}"));
    for text in [&*row.client_uid, row.client_account].into_iter().chain(texts) {
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
    }
    for number in [row.lots, row.mln, row.reward, row.reward_usd] {
        bytes.extend_from_slice(&number.unwrap_or(i64::MIN).to_le_bytes());
    }
    row.fingerprint = xxh3_64(bytes).cast_signed();
    Ok(row)
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
