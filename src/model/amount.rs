//! Exact amounts: decimal text to scaled integers and back, and sums of them.
//!
//! Money and quantities never pass through a binary float: they are read from the text the source
//! sent and kept as integers with a fixed number of decimals.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::text::ascii_digits;

/// Decimals kept of an amount of money: minor units.
pub const MONEY: u32 = 2;
/// Decimals kept of a quantity (lots, millions of turnover).
pub const QUANTITY: u32 = 8;

/// The largest scaled amount one row may carry. Above it a sum of many rows could leave 64 bits,
/// and no real row comes near (ten million lots, ten thousand billion dollars).
pub const LARGEST: i64 = 1_000_000_000_000_000;

/// The largest sum that is believed; far beyond any total, and safe to add to and multiply.
const LARGEST_SUM: i128 = 1_000_000_000_000_000_000_000_000_000;

/// A column whose sum is held against the source's own total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// The name in reports and in the API (`reward_usd`); also the column of the record's table.
    pub name: &'static str,
    /// Decimals kept.
    pub scale: u32,
}

/// Lots traded.
pub const VOLUME_LOTS: Measure = Measure { name: "volume_lots", scale: QUANTITY };
/// Turnover in millions of US dollars.
pub const VOLUME_MLN_USD: Measure = Measure { name: "volume_mln_usd", scale: QUANTITY };
/// Reward earned by the partner, in US dollars.
pub const REWARD_USD: Measure = Measure { name: "reward_usd", scale: MONEY };
/// Rebate paid on to the client, in US dollars.
pub const REBATE_USD: Measure = Measure { name: "rebate_usd", scale: MONEY };

/// What was paid, in the currency of the source.
pub const AMOUNT: Measure = Measure { name: "amount", scale: MONEY };
/// Points earned.
pub const POINTS_IN: Measure = Measure { name: "points_in", scale: MONEY };
/// Points to be spent.
pub const POINTS_OUT: Measure = Measure { name: "points_out", scale: MONEY };

/// What quotes and invoices come to, in the currency of the source.
pub const NET: Measure = Measure { name: "net", scale: MONEY };

/// What a customer had bought before the shop's records begin, in the currency of the source.
pub const OPENING: Measure = Measure { name: "opening", scale: MONEY };
/// What a customer bought since, less what was brought back.
pub const PURCHASED: Measure = Measure { name: "purchased", scale: MONEY };
/// Both together.
pub const SPENT: Measure = Measure { name: "spent", scale: MONEY };
/// A customer's balance of points.
pub const POINTS: Measure = Measure { name: "points", scale: MONEY };

/// What of [`SHOPPED`] is money.
pub const PAID: [Measure; 3] = [OPENING, PURCHASED, SPENT];

/// What brokers' clients are added up by.
pub const TRADED: [Measure; 4] = [VOLUME_LOTS, VOLUME_MLN_USD, REWARD_USD, REBATE_USD];
/// What shops' customers come to.
pub const SHOPPED: [Measure; 4] = [OPENING, PURCHASED, SPENT, POINTS];
/// What movements are added up by.
const BOUGHT: [Measure; 3] = [AMOUNT, POINTS_IN, POINTS_OUT];

/// The measure of that name, if there is one; the names of sums come from here.
pub fn measure(name: &str) -> Option<Measure> {
    TRADED.into_iter().chain(BOUGHT).chain(SHOPPED).chain([NET]).find(|m| m.name == name)
}

/// Why a text is not an amount we can keep exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotExact {
    /// Not a decimal number at all.
    NotANumber,
    /// More decimals than are kept: storing it would change it.
    TooPrecise,
    /// Larger than any real row carries.
    TooLarge,
}

/// Reads a decimal number (`"12.40"`, `1.2e-3`, Persian or Thai digits) as an integer with `scale`
/// decimals. The value is exact or refused, never rounded.
pub fn parse(text: &str, scale: u32) -> Result<i64, NotExact> {
    let value = parse_within(text, scale, i128::from(LARGEST))?;
    i64::try_from(value).map_err(|_| NotExact::TooLarge)
}

/// Reads a total as a source states it: like [`parse`], but a sum may be larger than one row.
pub fn parse_sum(text: &str, scale: u32) -> Result<i128, NotExact> {
    parse_within(text, scale, LARGEST_SUM)
}

fn parse_within(text: &str, scale: u32, largest: i128) -> Result<i128, NotExact> {
    let folded;
    let text = if text.is_ascii() {
        text.trim()
    } else {
        folded = ascii_digits(text).replace('\u{66b}', ".").replace('\u{66c}', "");
        folded.trim()
    };
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => {
            let exponent = text[at + 1..].parse::<i32>().map_err(|_| NotExact::NotANumber)?;
            (&text[..at], exponent)
        }
        None => (text, 0),
    };
    let (negative, mantissa) = match mantissa.as_bytes().first() {
        Some(b'-') => (true, &mantissa[1..]),
        Some(b'+') => (false, &mantissa[1..]),
        _ => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|b| b.is_ascii_digit()) {
        return Err(NotExact::NotANumber);
    }
    // value = digits · 10^(exponent − fraction length); we want it in units of 10^−scale.
    let shift = i64::from(exponent) + i64::from(scale) - fraction.len() as i64;
    let mut value: i128 = 0;
    let total = whole.len() + fraction.len();
    for (at, digit) in digits().enumerate() {
        let place = (total - at - 1) as i64 + shift;
        let digit = i128::from(digit - b'0');
        if place < 0 {
            if digit != 0 {
                return Err(NotExact::TooPrecise);
            }
            continue;
        }
        value = value * 10 + digit;
        if value > largest {
            return Err(NotExact::TooLarge);
        }
    }
    if value != 0 {
        for _ in 0..shift.max(0) {
            value *= 10;
            if value > largest {
                return Err(NotExact::TooLarge);
            }
        }
    }
    Ok(if negative { -value } else { value })
}

/// Writes a scaled integer as plain decimal text: at least two decimals, more only where they are
/// not zero (`12.40`, `0.1432`).
pub fn show(value: i128, scale: u32) -> String {
    let unit = 10_i128.pow(scale);
    let (whole, fraction) =
        (value.unsigned_abs() / unit.unsigned_abs(), value.unsigned_abs() % unit.unsigned_abs());
    let sign = if value < 0 { "-" } else { "" };
    let fraction = format!("{fraction:0width$}", width = scale as usize);
    let kept = fraction.trim_end_matches('0').len().max(2).min(fraction.len());
    format!("{sign}{whole}.{}", &fraction[..kept])
}

/// Sums by measure, as scaled integers. A measure that is missing is unknown, which is not zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums(BTreeMap<&'static str, i128>);

impl Sums {
    /// Adds `value` (scaled) to the sum of `measure`; an unknown value makes the measure known and
    /// adds nothing.
    pub fn add(&mut self, measure: Measure, value: Option<i64>) {
        *self.0.entry(measure.name).or_default() += i128::from(value.unwrap_or(0));
    }

    /// Takes the sum of `measure` away: it is not known.
    pub fn forget(&mut self, measure: Measure) {
        self.0.remove(measure.name);
    }

    /// Sets the sum of `measure` (scaled).
    pub fn set(&mut self, measure: Measure, value: i128) {
        self.0.insert(measure.name, value);
    }

    /// The sum of `measure` (scaled), if known.
    pub fn get(&self, measure: Measure) -> Option<i128> {
        self.0.get(measure.name).copied()
    }

    /// Adds every sum of `other` to this one.
    pub fn merge(&mut self, other: &Sums) {
        for (name, value) in &other.0 {
            *self.0.entry(name).or_default() += value;
        }
    }

    /// This minus `other`, for the measures both know.
    pub fn minus(&self, other: &Sums) -> Sums {
        Sums(self.0.iter().filter_map(|(name, value)| Some((*name, value - other.0.get(name)?))).collect())
    }

    /// True when every sum is zero (or none is known).
    pub fn is_zero(&self) -> bool {
        self.0.values().all(|value| *value == 0)
    }

    /// The sums with their measures, by name.
    pub fn iter(&self) -> impl Iterator<Item = (Measure, i128)> + '_ {
        self.0.iter().filter_map(|(name, value)| Some((measure(name)?, *value)))
    }
}

impl Serialize for Sums {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(measure, value)| (measure.name, show(value, measure.scale))))
    }
}

impl<'de> Deserialize<'de> for Sums {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
        let mut sums = Sums::default();
        for (name, text) in texts {
            let measure = measure(&name).ok_or_else(|| serde::de::Error::custom("unknown measure"))?;
            sums.set(
                measure,
                parse_sum(&text, measure.scale).map_err(|_| serde::de::Error::custom("not a sum"))?,
            );
        }
        Ok(sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_sources_send() {
        for (text, scale, expected) in [
            ("12.40", 2, Ok(1240)),
            ("-0.05", 2, Ok(-5)),
            ("1", 8, Ok(100_000_000)),
            ("0.1432", 8, Ok(14_320_000)),
            ("1.2e-3", 8, Ok(120_000)),
            ("1E2", 2, Ok(10_000)),
            ("۱۲٫۴۰", 2, Ok(1240)),
            ("๑๒.๔", 2, Ok(1240)),
            ("12.400", 2, Ok(1240)),
            ("0e400", 2, Ok(0)),
            ("12.405", 2, Err(NotExact::TooPrecise)),
            ("1e400", 2, Err(NotExact::TooLarge)),
            ("12345678901234567890123456789", 2, Err(NotExact::TooLarge)),
            ("NaN", 2, Err(NotExact::NotANumber)),
            ("", 2, Err(NotExact::NotANumber)),
            (".", 2, Err(NotExact::NotANumber)),
            ("1,5", 2, Err(NotExact::NotANumber)),
            ("null", 2, Err(NotExact::NotANumber)),
        ] {
            assert_eq!(parse(text, scale), expected, "{text}");
        }
    }

    #[test]
    fn shows_money_and_quantities() {
        assert_eq!(show(1240, 2), "12.40");
        assert_eq!(show(-5, 2), "-0.05");
        assert_eq!(show(14_320_000, 8), "0.1432");
        assert_eq!(show(100_000_000, 8), "1.00");
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(value in -LARGEST..=LARGEST, scale in prop::sample::select(vec![2_u32, 8])) {
            let text = show(i128::from(value), scale);
            prop_assert_eq!(parse(&text, scale), Ok(value));
            prop_assert_eq!(parse_sum(&text, scale), Ok(i128::from(value)));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}", scale in 0_u32..9) {
            let _ = parse(&text, scale);
            let _ = parse_sum(&text, scale);
        }
    }
}
