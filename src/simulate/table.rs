//! Rows of one stream, kept as the JSON text they are served as, with their sums and orders.
//!
//! Text is the truth here: sums are read from it in decimals, so that odd rows planted by a test
//! are counted as well as generated ones. It knows nothing about HTTP.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::faults::Twist;

/// What the rows of a stream look like to the one who counts and sorts them.
#[derive(Debug)]
pub(super) struct Shape {
    /// Stream name.
    pub name: &'static str,
    /// Fields that are summed; those that end in `_lots` or `_mln_usd` are volumes, the rest money.
    pub sums: &'static [&'static str],
    /// Fields that rows may be ordered by.
    pub orders: &'static [&'static str],
    /// Field that says whose row it is.
    pub client: &'static str,
    /// Field that date filters look at.
    pub date: &'static str,
}

/// The rows of one stream at one moment; a change makes a new table.
#[derive(Debug)]
pub(super) struct Table {
    /// What the rows look like.
    pub shape: &'static Shape,
    /// JSON text of each row, in the order of creation.
    pub rows: Vec<String>,
    /// Count and sums of all rows.
    pub tally: Tally,
    facts: Vec<Facts>,
    orders: Mutex<HashMap<String, Arc<Vec<u32>>>>,
}

/// What is read from a row once, so that pages are served without parsing.
#[derive(Debug, Default, Clone)]
struct Facts {
    date: [u8; 10],
    client: String,
    currency: Option<String>,
    amounts: Vec<Decimal>,
}

/// Count and sums of some rows.
#[derive(Debug, Default, Clone)]
pub(super) struct Tally {
    /// Number of rows.
    pub count: usize,
    /// Number of distinct clients among them.
    pub clients: usize,
    /// Currencies among them.
    pub currencies: BTreeSet<String>,
    /// One sum per field of [`Shape::sums`].
    pub sums: Vec<Decimal>,
}

/// The fields of one row in their order, values as they are written.
pub(super) struct Fields<'a>(pub Vec<(String, &'a RawValue)>);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Missing,
    Number(i128),
    Text(String),
}

impl Table {
    /// Reads count, sums and dates from the rows; a row that is no JSON object counts without sums.
    pub fn new(shape: &'static Shape, rows: Vec<String>) -> Self {
        let facts: Vec<Facts> = rows.iter().map(|row| facts(shape, row)).collect();
        let tally = tally(shape, facts.iter());
        Self { shape, rows, tally, facts, orders: Mutex::default() }
    }

    /// Row numbers sorted by `ordering` (`a,-b`); ties keep the order of creation. `Err` names the
    /// field that rows cannot be ordered by.
    pub fn order(&self, ordering: &str) -> Result<Arc<Vec<u32>>, String> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(order) = orders.get(ordering) {
            return Ok(Arc::clone(order));
        }
        let mut order: Vec<u32> = (0..).take(self.rows.len()).collect();
        for part in ordering.split(',').rev().filter(|part| !part.is_empty()) {
            let (field, descending) = part.strip_prefix('-').map_or((part, false), |field| (field, true));
            if !self.shape.orders.contains(&field) {
                return Err(field.to_owned());
            }
            let keys: Vec<Key> = self.rows.iter().map(|row| key(row, field)).collect();
            order.sort_by(|a, b| {
                let (a, b) = (&keys[*a as usize], &keys[*b as usize]);
                if descending { b.cmp(a) } else { a.cmp(b) }
            });
        }
        let order = Arc::new(order);
        orders.insert(ordering.to_owned(), Arc::clone(&order));
        Ok(order)
    }

    /// Whether a row's date lies between two dates, both inclusive; an empty bound is no bound.
    /// A row without a date lies in every window.
    pub fn within(&self, row: u32, from: &str, to: &str) -> bool {
        let date = &self.facts[row as usize].date;
        date[0] == 0
            || ((from.is_empty() || date[..] >= *from.as_bytes())
                && (to.is_empty() || date[..] <= *to.as_bytes()))
    }

    /// Count and sums of the given rows.
    pub fn tally_of(&self, rows: &[u32]) -> Tally {
        tally(self.shape, rows.iter().map(|row| &self.facts[*row as usize]))
    }

    /// The rows as one JSON array.
    pub fn array(&self, rows: &[u32]) -> String {
        let size: usize = rows.iter().map(|row| self.rows[*row as usize].len() + 1).sum();
        let mut text = String::with_capacity(size + 512);
        text.push('[');
        for (index, row) in rows.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(&self.rows[*row as usize]);
        }
        text.push(']');
        text
    }
}

impl Tally {
    /// The sum of a field as plain decimal text: money with two decimals or more, volumes trimmed.
    pub fn sum(&self, shape: &Shape, field: &str) -> String {
        let index = shape.sums.iter().position(|name| *name == field);
        let mut sum = index.and_then(|index| self.sums.get(index)).copied().unwrap_or_default().normalize();
        let volume = field.ends_with("_lots") || field.ends_with("_mln_usd");
        if !volume && sum.scale() < 2 {
            sum.rescale(2);
        }
        sum.to_string()
    }
}

impl Fields<'_> {
    /// The value of a field as it is written.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.get())
    }

    /// The value of a field as text, quotes taken off; `null` and absent are `None`.
    pub fn text(&self, name: &str) -> Option<String> {
        let raw = self.raw(name).filter(|raw| *raw != "null")?;
        Some(serde_json::from_str::<String>(raw).unwrap_or_else(|_| raw.to_owned()))
    }

    /// The value of a field as an exact decimal, written as number or text in any digits.
    pub fn amount(&self, name: &str) -> Option<Decimal> {
        let text: String = self.text(name)?.trim().chars().map(western).collect();
        Decimal::from_str_exact(&text).ok().or_else(|| Decimal::from_scientific(&text).ok())
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
                formatter.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::with_capacity(18);
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        source.deserialize_map(InOrder)
    }
}

/// The rows of a page, `shift` places further on in a ring, and as a fault has it.
pub(super) fn window(
    order: &[u32],
    offset: usize,
    limit: usize,
    shift: usize,
    twist: Option<Twist>,
) -> Vec<u32> {
    let count = order.len();
    if count == 0 || twist == Some(Twist::EmptyPage) {
        return Vec::new();
    }
    let size = limit.min(count.saturating_sub(offset));
    let turn = if twist == Some(Twist::Reorder) { shift + count.div_ceil(3) } else { shift };
    let mut rows: Vec<u32> = (offset..offset + size).map(|place| order[(place + turn) % count]).collect();
    match twist {
        Some(Twist::Duplicate) if size > 0 => {
            let again = (size / 2).clamp(1, 5).min(size);
            let from = offset.saturating_sub(again);
            rows.truncate(size - again);
            rows.splice(..0, order[from..from + again].iter().copied());
        }
        Some(Twist::ForgetTotal) if size > 0 => {
            rows.remove(size / 2);
        }
        _ => {}
    }
    rows
}

fn facts(shape: &Shape, row: &str) -> Facts {
    let none = Facts { amounts: vec![Decimal::ZERO; shape.sums.len()], ..Facts::default() };
    let Ok(fields) = serde_json::from_str::<Fields>(row) else {
        return none;
    };
    let date = fields.text(shape.date).and_then(|text| text.as_bytes().get(..10)?.try_into().ok());
    Facts {
        date: date.unwrap_or_default(),
        client: fields.text(shape.client).unwrap_or_default(),
        currency: fields.text("currency"),
        amounts: shape.sums.iter().map(|name| fields.amount(name).unwrap_or_default()).collect(),
    }
}

fn tally<'a>(shape: &Shape, rows: impl Iterator<Item = &'a Facts>) -> Tally {
    let mut tally = Tally { sums: vec![Decimal::ZERO; shape.sums.len()], ..Tally::default() };
    let mut clients = HashSet::new();
    for row in rows {
        tally.count += 1;
        clients.insert(row.client.as_str());
        if let Some(currency) = &row.currency
            && !tally.currencies.contains(currency)
        {
            tally.currencies.insert(currency.clone());
        }
        for (sum, amount) in tally.sums.iter_mut().zip(&row.amounts) {
            *sum = sum.checked_add(*amount).unwrap_or(*sum);
        }
    }
    clients.remove("");
    tally.clients = clients.len();
    tally
}

/// Account numbers and ids are sorted as the numbers they are, all else as text.
fn key(row: &str, field: &str) -> Key {
    let text = serde_json::from_str::<Fields>(row).ok().and_then(|fields| fields.text(field));
    match text {
        None => Key::Missing,
        Some(text) => match text.parse() {
            Ok(number) if field != "client_uid" => Key::Number(number),
            _ => Key::Text(text),
        },
    }
}

/// Persian and Arabic digits and decimal signs in their western form.
fn western(sign: char) -> char {
    let digit = match sign {
        '\u{06F0}'..='\u{06F9}' => u32::from(sign) - 0x06F0,
        '\u{0660}'..='\u{0669}' => u32::from(sign) - 0x0660,
        '\u{066B}' => return '.',
        _ => return sign,
    };
    char::from_digit(digit, 10).unwrap_or(sign)
}
