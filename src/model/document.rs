//! Quotes and invoices of a CRM, and the pre-invoices that are made of them. Amounts are exact: whole
//! numbers with [`SCALE`] decimals.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::amount::{self, NotExact};
use super::fingerprint::Fingerprint;
use super::text::ascii_digits;

/// Decimals kept of whatever a document says.
pub const SCALE: u32 = amount::QUANTITY;

/// One with [`SCALE`] decimals.
const ONE: i128 = 10_i128.pow(SCALE);

/// A quote or an invoice. What it does not say, or not as an exact number, is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// Its key.
    pub key: String,
    /// The key of the customer it is for.
    pub customer: Option<String>,
    /// The number people know; a new one has none.
    pub number: Option<String>,
    /// What it has come to, as the CRM counts it.
    pub state: Option<i64>,
    /// The code of its subtype.
    pub subtype: Option<String>,
    /// What somebody wrote on it.
    pub notes: Option<String>,
    /// When it was made, on the clock of the CRM: `2030-01-02T13:01:02.345`.
    pub made: Option<String>,
    /// The key of the quote that it came from.
    pub quote: Option<String>,
    /// All discounts together.
    pub discount: Option<i128>,
    /// Toll.
    pub toll: Option<i128>,
    /// Additional costs.
    pub costs: Option<i128>,
    /// What it comes to, in minor units.
    pub net: Option<i64>,
    /// What is sold.
    pub lines: Vec<Line>,
}

/// A line of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// The code of the product.
    pub product: Option<String>,
    /// The unit it is counted in.
    pub unit: Option<String>,
    /// How many.
    pub count: Option<i128>,
    /// What one costs, before tax.
    pub price: Option<i128>,
    /// What is taken off the whole line.
    pub discount: Option<i128>,
    /// Value added tax of the whole line.
    pub vat: Option<i128>,
    /// Toll of the whole line.
    pub toll: Option<i128>,
}

/// Reads a number with up to [`SCALE`] decimals.
pub fn exact(text: &str) -> Result<i128, NotExact> {
    amount::parse_sum(text, SCALE)
}

/// A number as plain text, without zeros at its end: `1500000`, `1.5`.
pub fn plain(value: i128) -> String {
    let text = amount::show(value, SCALE);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl Line {
    /// What it comes to, tax included; `None` where that cannot be known.
    pub fn amount(&self) -> Option<i128> {
        let whole = self.count?.checked_mul(self.price?)? / ONE;
        whole.checked_sub(self.discount.unwrap_or(0))?.checked_add(self.vat.unwrap_or(0))
    }
}

impl Document {
    /// What it comes to, as a number with [`SCALE`] decimals.
    pub fn total(&self) -> Option<i128> {
        self.net.map(|net| i128::from(net) * 10_i128.pow(SCALE - amount::MONEY))
    }

    /// What its lines come to; `None` where that cannot be known.
    pub fn predicted(&self) -> Option<i128> {
        self.lines.iter().try_fold(0_i128, |sum, line| sum.checked_add(line.amount()?))
    }

    /// The fingerprint of its money and lines.
    pub fn said(&self) -> Fingerprint {
        let number = |value: Option<i128>| value.map_or_else(String::new, plain);
        let mut text =
            [self.discount, self.toll, self.costs, self.total()].map(|value| number(value) + "\n").concat();
        for line in &self.lines {
            let numbers = [line.count, line.price, line.discount, line.vat, line.toll].map(number);
            text += &format!("{}|{}\n", line.product.as_deref().unwrap_or_default(), numbers.join("|"));
        }
        Fingerprint::of(text.as_bytes())
    }

    /// The fingerprint of all that decides what becomes of it: its money and lines, where it stands, whose
    /// it is.
    pub fn stands(&self) -> Fingerprint {
        let state = self.state.map(|state| state.to_string());
        let parts = [&self.customer, &self.subtype, &self.quote, &state]
            .map(|part| part.as_deref().unwrap_or_default());
        Fingerprint::of(format!("{}|{}", self.said(), parts.join("|")).as_bytes())
    }
}

/// A mirrored document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// The record.
    pub id: i64,
    /// Its key.
    pub key: String,
    /// The payload.
    pub raw: String,
}

/// A pre-invoice as it is sent, and what was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreInvoice {
    /// The number people know the document by.
    pub number: Option<String>,
    /// What the document comes to, as its system says.
    pub net: String,
    /// The fingerprint of the money and lines it was made of.
    pub said: String,
    /// What this attempt is known by.
    pub suid: String,
    /// The fiscal year.
    pub year: String,
    /// The contact it is for.
    pub contact: String,
    /// The accounting party of that contact.
    pub party: String,
    /// The sale model.
    pub model: String,
    /// Columns that are the same on every one.
    pub constants: BTreeMap<String, String>,
    /// What somebody wrote on it.
    pub notes: Option<String>,
    /// What is sold.
    pub lines: Vec<Sold>,
    /// What was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Answered>,
}

/// A line of a pre-invoice, in plain numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sold {
    /// The code of the product.
    pub product: String,
    /// The unit it is counted in.
    pub unit: Option<String>,
    /// How many.
    pub count: String,
    /// What one costs, before tax.
    pub price: String,
    /// What is taken off the whole line.
    pub discount: String,
}

/// What the other system says of a pre-invoice that it has written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The number people know it by.
    pub number: Option<String>,
    /// Its code.
    pub code: Option<String>,
    /// Its other id.
    pub id: Option<String>,
    /// What it comes to.
    pub net: Option<String>,
}

impl PreInvoice {
    /// What a pre-invoice of this number is linked by: numbers begin anew each fiscal year.
    pub fn key(&self, number: &str) -> String {
        let number = ascii_digits(number.trim());
        match number.contains('/') || self.year.is_empty() {
            true => number.into_owned(),
            false => format!("{}/{number}", self.year),
        }
    }
}

/// What an attempt to write a document is known by: a UUID that is the same for the same flow, document
/// and round, so that a repeat within a round sends the same one.
pub fn suid(flow: &str, key: &str, round: i64) -> String {
    let Fingerprint(mut bytes) = Fingerprint::of(format!("{flow}\n{key}\n{round}").as_bytes());
    // Version 8, made in a way of our own, of the usual variant.
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}

/// The sale model of a subtype: what the table says, else the digits of `PI_<n>`.
pub fn sale_model(table: &BTreeMap<String, String>, subtype: &str) -> Option<String> {
    let named = table.iter().find(|(known, _)| known.eq_ignore_ascii_case(subtype));
    named.map(|(_, model)| model.clone()).or_else(|| {
        let digits =
            subtype.get(..3).filter(|start| start.eq_ignore_ascii_case("PI_")).and(subtype.get(3..))?;
        let digits = ascii_digits(digits);
        (!digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()))
            .then(|| digits.into_owned())
    })
}

/// Why a document cannot be sent as it is: what it has that the other side has no place for, a word of
/// the catalogue. `tolerance` is for each line.
pub fn hindrance(document: &Document, tolerance: i128) -> Option<&'static str> {
    let (Some(total), lines) = (document.total(), &document.lines) else { return Some("no-total") };
    if lines.is_empty() {
        return Some("no-lines");
    }
    if lines.iter().any(|line| line.product.is_none() || line.count.is_none() || line.price.is_none()) {
        return Some("line");
    }
    if document.toll.unwrap_or(0) != 0 || lines.iter().any(|line| line.toll.unwrap_or(0) != 0) {
        return Some("toll");
    }
    if document.costs.unwrap_or(0) != 0 {
        return Some("costs");
    }
    let allowed = tolerance * lines.len() as i128;
    let carried: i128 = lines.iter().filter_map(|line| line.discount).sum();
    if (document.discount.unwrap_or(carried) - carried).abs() > allowed {
        return Some("discount");
    }
    match document.predicted() {
        Some(predicted) if (predicted - total).abs() <= allowed => None,
        _ => Some("net"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(count: &str, price: &str, discount: &str, vat: &str) -> Line {
        let number = |text: &str| Some(exact(text).unwrap());
        Line {
            product: Some("1001".to_owned()),
            count: number(count),
            price: number(price),
            discount: number(discount),
            vat: number(vat),
            ..Line::default()
        }
    }

    fn document(net: i64, lines: Vec<Line>) -> Document {
        Document { net: Some(net), lines, ..Document::default() }
    }

    #[test]
    fn what_lines_come_to_is_predicted_exactly() {
        for (lines, expected) in [
            (vec![line("2", "1500000", "0", "300000")], Some("3300000")),
            (vec![line("1.5", "333333", "0", "49999.95")], Some("549999.45")),
            (vec![line("3", "70005", "15.4", "0"), line("1", "5", "0", "0.5")], Some("210005.1")),
            (vec![Line { count: None, ..line("1", "1", "0", "0") }], None),
            (Vec::new(), Some("0")),
        ] {
            assert_eq!(document(0, lines).predicted().map(plain).as_deref(), expected);
        }
    }

    #[test]
    fn what_the_other_side_has_no_place_for_hinders() {
        let one = || vec![line("1", "1000", "100", "90")];
        let with = |change: fn(&mut Document)| {
            let mut document = document(99_000, one());
            change(&mut document);
            document
        };
        for (document, expected) in [
            (with(|_| ()), None),
            (with(|d| d.net = Some(99_100)), None),
            (with(|d| d.net = Some(99_101)), Some("net")),
            (with(|d| d.net = None), Some("no-total")),
            (with(|d| d.lines.clear()), Some("no-lines")),
            (with(|d| d.lines[0].product = None), Some("line")),
            (with(|d| d.lines[0].price = None), Some("line")),
            (with(|d| d.toll = Some(1)), Some("toll")),
            (with(|d| d.lines[0].toll = Some(1)), Some("toll")),
            (with(|d| d.costs = Some(1)), Some("costs")),
            (with(|d| d.discount = exact("100").ok()), None),
            (with(|d| d.discount = exact("600").ok()), Some("discount")),
        ] {
            assert_eq!(hindrance(&document, exact("1").unwrap()), expected, "{document:?}");
        }
    }

    #[test]
    fn sale_models_follow_from_subtypes() {
        let table =
            BTreeMap::from([("PI_2".to_owned(), "7".to_owned()), ("special".to_owned(), "9".to_owned())]);
        for (subtype, expected) in [
            ("PI_1", Some("1")),
            ("pi_12", Some("12")),
            ("PI_۳", Some("3")),
            ("PI_2", Some("7")),
            ("Special", Some("9")),
            ("PI_", None),
            ("PI_1a", None),
            ("SI_1", None),
            ("پیش", None),
            ("", None),
        ] {
            assert_eq!(sale_model(&table, subtype).as_deref(), expected, "{subtype}");
        }
    }

    #[test]
    fn the_uuid_of_an_attempt_is_always_the_same() {
        let one = suid("quotes", "0a1b", 0);
        assert_eq!(one, suid("quotes", "0a1b", 0));
        assert_eq!((one.len(), one.matches('-').count(), one.as_bytes()[14]), (36, 4, b'8'));
        for other in [suid("quotes", "0a1b", 1), suid("invoices", "0a1b", 0), suid("quotes", "0a1c", 0)] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn only_money_and_lines_are_what_was_said() {
        let one = document(99_000, vec![line("1", "1000", "100", "90")]);
        let same = Document { state: Some(2), notes: Some("x".to_owned()), ..one.clone() };
        assert_eq!(one.said(), same.said());
        assert_ne!(one.stands(), same.stands());
        let other = document(99_000, vec![line("2", "500", "100", "90")]);
        assert_ne!(one.said(), other.said());
        assert_ne!(one.said(), document(99_001, one.lines).said());
    }

    #[test]
    fn numbers_are_of_their_year() {
        let of_1408 = PreInvoice { year: "1408".to_owned(), ..PreInvoice::default() };
        for (number, key) in [("2001", "1408/2001"), (" ۲۰۰۱ ", "1408/2001"), ("1407/9", "1407/9")] {
            assert_eq!(of_1408.key(number), key);
        }
        assert_eq!(plain(exact("1500000.00").unwrap()), "1500000");
        assert_eq!(plain(exact("1.50").unwrap()), "1.5");
        assert_eq!(plain(0), "0");
    }
}
