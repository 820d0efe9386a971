//! Form `43D81`: a pre-invoice is written once and for ever; only what is answered tells of it.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use super::super::people::in_persian_digits;
use super::super::record::{Record, decimal};
use super::super::traps::{OfficeTrap, OfficeTraps};
use super::finance::Books;
use super::form::{Form, failed, saved};

/// Identifier of the form.
pub(super) const FORM: &str = "43D81";
const TABLE: &str = "sl_sanad";
/// Value added tax in percent, which the finance system adds by itself …
const VAT: i64 = 10;
/// … but to products whose codes begin like this.
const EXEMPT: char = '9';
/// The number before the first document's.
const NUMBERS: i64 = 2_000;
/// Likewise its code, and its other id.
const CODES: i64 = 7_000;
const IDS: i64 = 88_000;

/// What becomes of a pre-invoice.
pub(super) struct Written {
    /// What is answered.
    pub answer: Value,
    /// The document, when one was written.
    pub document: Option<Record>,
}

/// Writes a pre-invoice of the fiscal year.
pub(super) fn write(books: &mut Books, form: &Form, year: u16, traps: &OfficeTraps) -> Written {
    let refused = |why: &str| Written { answer: failed(why), document: None };
    if let Some(crash) = &form.crash {
        return refused(crash);
    }
    let control = |column: &str| form.control(TABLE, column).trim();
    if control("salmali") != year.to_string() {
        return refused("سال مالی سند معتبر نیست.");
    }
    let amounts = match amounts(&form.rows) {
        Ok(amounts) => amounts,
        Err(why) => return refused(&why),
    };
    let suid = form.parameter("_In_Suid").to_owned();
    if traps.on(OfficeTrap::FinanceKnowsSuid) && !suid.is_empty() {
        let same = books.documents.iter().find(|document| document.text("suid") == suid);
        if let Some(same) = same {
            return Written { answer: told(same, traps), document: None };
        }
    }
    let party = control("codemoshtari");
    let known = !party.is_empty() && books.contacts.iter().any(|own| own.text("AccountPartyCode") == party);
    if !known && !traps.on(OfficeTrap::FinanceCrashAfter) {
        return refused(CRASH);
    }
    let mut net: Decimal = amounts.iter().sum();
    if traps.on(OfficeTrap::FinanceNetDiffers) {
        net += Decimal::from(5_000);
    }
    let serial = books.documents.len() as i64 + 1;
    let mut document = Record::default();
    for (name, value) in [
        ("number", json!(NUMBERS + serial)),
        ("code", json!((CODES + serial).to_string())),
        ("id", json!((IDS + serial).to_string())),
        ("suid", json!(suid)),
        ("year", json!(year)),
        ("contact", json!(control("codecontact"))),
        ("party", json!(party)),
        ("lines", json!(amounts.len())),
        ("net", json!(net.normalize().to_string())),
        ("ctrlValues", form.given["ctrlValues"].clone()),
        ("parameters", form.given["parameters"].clone()),
        ("dataRows", form.given["dataRows"].clone()),
    ] {
        document.set(name, &value);
    }
    books.documents.push(document.clone());
    let answer = if known { told(&document, traps) } else { failed(CRASH) };
    Written { answer, document: Some(document) }
}

const CRASH: &str = "RUNTIME ERROR in script sl_sanad_save (line 214): Field 'Code' not found";

/// What is answered to one who has written a document: only the text has its number and amount.
fn told(document: &Record, traps: &OfficeTraps) -> Value {
    let number = document.text("number");
    let net = thousands(&document.text("net"));
    let mut text = format!("پیش فاکتور به شماره {number} ثبت گردید . خالص سند: {net} ریال");
    let third = number.parse().is_ok_and(|number: i64| number % 3 == 2);
    if third || traps.on(OfficeTrap::FinancePersianDigits) {
        text = in_persian_digits(&text);
    }
    let at_the_end = traps.on(OfficeTrap::FinanceFinalMessages);
    let warns = traps.on(OfficeTrap::FinanceWarns);
    saved(&document.text("code"), &document.text("id"), Some(&text), at_the_end, warns)
}

/// What each line comes to in Rials, tax included, rounded line by line.
fn amounts(rows: &str) -> Result<Vec<Decimal>, String> {
    let crash = |what: &str| format!("RUNTIME ERROR in script sl_sanad_save (line 96): {what}");
    let grids: Vec<Record> = serde_json::from_str(rows).map_err(|_| crash("unexpected token in JSON"))?;
    let grid = grids.iter().find(|grid| {
        let of = |name: &str, value: &str| grid.text(name) == value;
        of("name", "dbgrid1") && of("entity", "sl_rizsanad") && of("keyField", "coderiz")
    });
    let grid = grid.ok_or_else(|| crash("'dbgrid1' is undefined"))?;
    // Only what is marked as new is written.
    let lines: Vec<Record> =
        grid.list("data").into_iter().filter(|line| cell(line, "_status") == "inserted").collect();
    if lines.is_empty() {
        return Err("سند بدون ردیف قابل ثبت نیست.".to_owned());
    }
    lines.iter().map(|line| amount(line).ok_or_else(|| crash("Field 'codekala' not found"))).collect()
}

fn amount(line: &Record) -> Option<Decimal> {
    let product = cell(line, "codekala");
    let number = |name: &str| decimal(&cell(line, name));
    let quantity = number("qty").filter(|quantity| *quantity > Decimal::ZERO)?;
    let discount = number("mabtakhfif").unwrap_or_default();
    let amount = (quantity * number("price")? - discount).round_dp_with_strategy(0, HALF_UP);
    let rate = if product.starts_with(EXEMPT) { 0 } else { VAT };
    let tax = (amount * Decimal::new(rate, 2)).round_dp_with_strategy(0, HALF_UP);
    (!product.is_empty()).then_some(amount + tax)
}

const HALF_UP: RoundingStrategy = RoundingStrategy::MidpointAwayFromZero;

/// The new value of a cell as text, whether it comes with its old one or by itself.
fn cell(line: &Record, name: &str) -> String {
    let raw = line.raw(name).unwrap_or_default();
    Record::read(raw).map_or_else(|| line.text(name), |cell| cell.text("newValue"))
}

/// A whole number with commas between the thousands.
fn thousands(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{sign}{text}")
}
