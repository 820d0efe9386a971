//! How numbers, amounts and times are written. The one place, so that a language can have its own.

use std::fmt;

use askama::filters::{Html, HtmlSafe, escape};
use jiff::civil::DateTime;

use crate::model::Measure;
use crate::model::amount::{self, AMOUNT};
use crate::words::Words;

/// What stands where nothing is known. Unknown is not zero.
pub const UNKNOWN: &str = "–";

/// A whole number with its thousands apart.
pub fn number(value: impl Into<i128>) -> String {
    let value = value.into();
    let sign = if value < 0 { "−" } else { "" };
    format!("{sign}{}", grouped(&value.unsigned_abs().to_string()))
}

/// A whole number that may be unknown.
pub fn maybe(value: Option<impl Into<i128>>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), number)
}

/// An amount of a measure: money with its minor units, quantities as exact as they are.
pub fn amount(value: impl Into<i128>, measure: Measure) -> String {
    decimal(&amount::show(value.into(), measure.scale))
}

/// A decimal number as reports have it, with its thousands apart.
pub fn decimal(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("−", digits));
    match digits.split_once('.') {
        Some((whole, fraction)) => format!("{sign}{}.{fraction}", grouped(whole)),
        None => format!("{sign}{}", grouped(digits)),
    }
}

/// An amount that may be unknown.
pub fn maybe_amount(value: Option<impl Into<i128>>, measure: Measure) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| amount(value, measure))
}

/// An amount of money that does not name its currency, with it where it is known.
pub fn money(value: Option<impl Into<i128>>, currency: Option<&str>) -> String {
    match (value, currency) {
        (Some(value), Some(currency)) => format!("{} {currency}", amount(value, AMOUNT)),
        (value, _) => maybe_amount(value, AMOUNT),
    }
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A moment (microseconds since 1970 UTC) as a `<time>`: written in full, the exact one beside it
/// for machines.
pub fn moment(at: i64) -> Time {
    Time { at, text: written(at, "%Y-%m-%d %H:%M:%S") }
}

/// A moment as the clock of a source shows it.
pub fn on_clock(at: i64, clock: Option<DateTime>) -> Time {
    let written = |clock: DateTime| clock.strftime("%Y-%m-%d %H:%M").to_string();
    clock.map_or_else(|| moment(at), |clock| Time { at, text: written(clock) })
}

/// A moment as how long ago it was, or how long until it is, with the full one in the tooltip.
pub fn ago(at: i64, now: i64, words: &Words) -> Time {
    let seconds = (now - at).abs() / 1_000_000;
    let (unit, n) = match seconds {
        0..60 => return Time { at, text: words.text("web-moment-now") },
        60..3600 => ("minutes", seconds / 60),
        3600..86400 => ("hours", seconds / 3600),
        _ => ("days", seconds / 86400),
    };
    let when = if at <= now { "ago" } else { "in" };
    Time { at, text: words.with(&format!("web-{when}-{unit}"), &[("n", &n.to_string())]) }
}

/// How long something took, in seconds, minutes and hours.
pub fn duration(from: i64, to: i64, words: &Words) -> String {
    let seconds = ((to - from).max(0) + 500_000) / 1_000_000;
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let (hours, minutes, rest) = (hours.to_string(), minutes.to_string(), rest.to_string());
    match seconds {
        0..60 => words.with("web-seconds", &[("s", &rest)]),
        60..3600 => words.with("web-minutes-seconds", &[("m", &minutes), ("s", &rest)]),
        _ => words.with("web-hours-minutes", &[("h", &hours), ("m", &minutes)]),
    }
}

fn written(at: i64, format: &str) -> String {
    jiff::Timestamp::from_microsecond(at).map(|at| at.strftime(format).to_string()).unwrap_or_default()
}

/// A `<time>` element.
#[derive(Debug, Clone)]
pub struct Time {
    at: i64,
    text: String,
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(text) = escape(&self.text, Html);
        write!(
            f,
            "<time datetime=\"{}\" title=\"{} UTC\">{text}</time>",
            written(self.at, "%Y-%m-%dT%H:%M:%SZ"),
            written(self.at, "%Y-%m-%d %H:%M:%S"),
        )
    }
}

/// Its text was escaped above.
impl HtmlSafe for Time {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::amount::{REWARD_USD, VOLUME_LOTS};

    #[test]
    fn figures_are_grouped_and_exact() {
        assert_eq!(number(2139), "2,139");
        assert_eq!(number(-1_000_000), "−1,000,000");
        assert_eq!(number(12), "12");
        assert_eq!(amount(123_456_789_i64, REWARD_USD), "1,234,567.89");
        assert_eq!(amount(-5_i64, REWARD_USD), "−0.05");
        assert_eq!(amount(14_320_000_i64, VOLUME_LOTS), "0.1432");
        assert_eq!(maybe(None::<i64>), UNKNOWN);
        assert_eq!([decimal("-232360.00"), decimal("1234")], ["−232,360.00", "1,234"]);
        assert_eq!(money(Some(123_450_i64), Some("RUB")), "1,234.50 RUB");
        assert_eq!(money(Some(-5_i64), None), "−0.05");
        assert_eq!(money(None::<i64>, Some("RUB")), UNKNOWN);
    }

    #[test]
    fn moments_are_told_from_now() {
        let words = crate::words::words("en");
        let minute = 60_000_000;
        assert!(ago(0, 5 * minute, words).to_string().contains("5 min ago"));
        assert!(ago(120 * minute, 0, words).to_string().contains("in 2 h"));
        assert_eq!(duration(0, 65_000_000, words), "1 min 5 s");
    }
}
