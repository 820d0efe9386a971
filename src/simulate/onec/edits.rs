//! What happens in the shop while nobody looks: receipts, corrections, things undone.
//!
//! Cards, documents and rows are named by text as the wire shows it, so that tests need no types
//! of ours.

use std::sync::Arc;

use fastrand::Rng;
use jiff::civil::DateTime;
use rust_decimal::Decimal;

use super::super::change::share;
use super::make::{self, next_version};
use super::sets::{
    ACCRUAL, List, OPENING, RECEIPT, card, catalog, customer, points, product, register, sale,
};
use super::shop::Shop;
use super::value::{self, Document, Guid, Row, Style, Value};

impl Shop {
    /// The streams that can be changed.
    pub(in super::super) const STREAMS: [&str; 7] =
        ["cards", "customers", "sales", "opening_balances", "purchases", "points", "products"];

    /// Adds a receipt of one line to a card, at a moment of the base's wall clock, and gives its
    /// `Recorder`. The amount is in roubles, negative for a return.
    ///
    /// # Panics
    /// When the card is no reference or the amount no decimal.
    pub fn add_sale(&self, card: &str, at: DateTime, amount: &str) -> String {
        self.new_recorder_type(RECEIPT, card, at, amount)
    }

    /// Adds a line to a card written by a document of any type, such as one never seen before, and
    /// gives its `Recorder`.
    ///
    /// # Panics
    /// When the card is no reference or the amount no decimal.
    pub fn new_recorder_type(&self, kind: &str, card: &str, at: DateTime, amount: &str) -> String {
        let card = reference(card);
        let owner = self.owner(card);
        let document = Arc::new(Document { kind: Arc::from(kind), id: Guid(fastrand::u128(1..)) });
        let amount = decimal(amount);
        let quantity = if amount.is_sign_negative() { -Decimal::ONE } else { Decimal::ONE };
        let products = self.sheet(List::Products);
        let product = products.rows.iter().find(|row| !row[product::FOLDER].yes());
        let product = product.map(|row| row[catalog::REF].guid());
        let keys = (card, owner, product.unwrap_or_default());
        let row = make::sale_row(at, &document, 1, keys, [quantity, amount, Decimal::ZERO], true);
        self.edit(List::Sales, |rows| rows.push(row));
        document.id.to_string()
    }

    /// Adds a row of points to a card, with what was earned and what was spent, and gives its
    /// `Recorder`.
    ///
    /// # Panics
    /// When the card is no reference or an amount no decimal.
    pub fn add_points(&self, card: &str, at: DateTime, earned: &str, spent: &str) -> String {
        let document = Arc::new(Document { kind: Arc::from(ACCRUAL), id: Guid(fastrand::u128(1..)) });
        let amounts = (decimal(earned), decimal(spent));
        let row = make::points_row(at, &document, 1, reference(card), amounts, true);
        self.edit(List::Points, |rows| rows.push(row));
        document.id.to_string()
    }

    /// Takes a document back: its rows leave both registers. Says how many these were.
    pub fn unpost(&self, recorder: &str) -> usize {
        self.both_registers(recorder, |rows, id| {
            let before = rows.len();
            rows.retain(|row| row[register::RECORDER].guid() != id);
            before - rows.len()
        })
    }

    /// Switches the rows of a document on or off, and says how many these were.
    pub fn set_active(&self, recorder: &str, active: bool) -> usize {
        self.of_document(recorder, register::ACTIVE, &Value::Flag(active))
    }

    /// Gives the rows of a document another date, and says how many these were.
    pub fn redate(&self, recorder: &str, at: DateTime) -> usize {
        self.of_document(recorder, register::PERIOD, &Value::Date(at))
    }

    /// Sets a field of a row to JSON text, served as it is when it is no value of the field. Rows
    /// are named by `Ref_Key`, or by type, document and line number (`Document_X/guid/1`); a row of
    /// a catalog gets its next `DataVersion`. Says whether there is such a row.
    ///
    /// # Panics
    /// When there is no such list or field, or the text is no JSON.
    pub fn set(&self, stream: &str, key: &str, field: &str, json: &str) -> bool {
        let list = list(stream).unwrap_or_else(|| panic!("the shop has no list {stream:?}"));
        let fields = list.fields();
        let column = fields.iter().position(|known| known.name == field);
        let column = column.unwrap_or_else(|| panic!("{stream} has no field {field:?}"));
        self.edit(list, |rows| {
            let Some(row) = rows.iter_mut().find(|row| key_of(list, row) == key) else { return false };
            let mut values = row.to_vec();
            let planted = value::read(fields, &format!("{{\"{field}\":{json}}}"));
            values[column] = planted.unwrap_or_else(|| panic!("{json:?} is no JSON"))[column].clone();
            write(list, &mut values);
            *row = values.into();
            true
        })
    }

    /// Rows of a list as JSON text: `cards`, `customers`, `sales`, `points`, `products`, and the two
    /// kinds of sales, `opening_balances` and `purchases`.
    pub(in super::super) fn texts(&self, stream: &str) -> Option<Vec<String>> {
        let (list, kind) = part(stream)?;
        let sheet = self.sheet(list);
        let texts = sheet.texts(Style::default()).into_iter().zip(&sheet.rows);
        Some(texts.filter(|(_, row)| kind.holds(row)).map(|(text, _)| text).collect())
    }

    /// Replaces a whole list by rows read from JSON text; rows that are none are left out.
    pub(in super::super) fn replace(&self, stream: &str, texts: &[String]) -> Option<()> {
        let list = list(stream)?;
        let read = texts.iter().filter_map(|text| value::read(list.fields(), text)).collect();
        self.edit(list, |rows| *rows = read);
        Some(())
    }

    /// Changes so many percent of a list's rows, and says how many these were.
    pub(in super::super) fn change(&self, stream: &str, percent: f64, mut rng: Rng) -> Option<u64> {
        let (list, kind) = part(stream)?;
        Some(self.edit(list, |rows| {
            let mut picked: Vec<usize> = (0..rows.len()).filter(|row| kind.holds(&rows[*row])).collect();
            rng.shuffle(&mut picked);
            picked.truncate(share(picked.len(), percent));
            for row in &picked {
                let mut values = rows[*row].to_vec();
                vary(list, &mut values, &mut rng);
                write(list, &mut values);
                rows[*row] = values.into();
            }
            picked.len() as u64
        }))
    }

    fn owner(&self, wanted: Guid) -> Guid {
        let cards = self.sheet(List::Cards);
        let found = cards.rows.iter().find(|row| row[catalog::REF].guid() == wanted);
        found.map_or_else(Guid::default, |row| row[card::OWNER].guid())
    }

    fn of_document(&self, recorder: &str, column: usize, value: &Value) -> usize {
        self.both_registers(recorder, |rows, id| {
            let mut changed = 0;
            for row in rows.iter_mut().filter(|row| row[register::RECORDER].guid() == id) {
                let mut values = row.to_vec();
                values[column] = value.clone();
                *row = values.into();
                changed += 1;
            }
            changed
        })
    }

    fn both_registers(&self, recorder: &str, edit: impl Fn(&mut Vec<Row>, Guid) -> usize) -> usize {
        let id = reference(recorder);
        [List::Sales, List::Points].map(|list| self.edit(list, |rows| edit(rows, id))).iter().sum()
    }
}

/// Which rows of a list a stream means.
#[derive(Clone, Copy)]
enum Part {
    All,
    Opening,
    Purchases,
}

impl Part {
    fn holds(self, row: &Row) -> bool {
        match self {
            Self::All => true,
            Self::Opening => row[register::KIND].str() == OPENING,
            Self::Purchases => row[register::KIND].str() != OPENING,
        }
    }
}

fn list(stream: &str) -> Option<List> {
    List::ALL.into_iter().find(|list| list.name() == stream)
}

fn part(stream: &str) -> Option<(List, Part)> {
    match stream {
        "opening_balances" => Some((List::Sales, Part::Opening)),
        "purchases" => Some((List::Sales, Part::Purchases)),
        _ => list(stream).map(|list| (list, Part::All)),
    }
}

fn key_of(list: List, row: &Row) -> String {
    if !list.is_register() {
        return row[catalog::REF].guid().to_string();
    }
    let Value::Int(line) = row[register::LINE] else { return String::new() };
    format!("{}/{}/{line}", row[register::KIND].str(), row[register::RECORDER].guid())
}

/// What a write does by itself: catalogs count it.
fn write(list: List, values: &mut [Value]) {
    if !list.is_register() {
        values[catalog::VERSION] = next_version(values[catalog::VERSION].str());
    }
}

/// Makes a row another one, as life does.
fn vary(list: List, values: &mut [Value], rng: &mut Rng) {
    let kopecks = Decimal::new(rng.i64(1..500_000), 2);
    match list {
        List::Cards => values[catalog::DELETED] = Value::Flag(!values[catalog::DELETED].yes()),
        List::Customers => {
            values[customer::COMMENT] = Value::text(&format!("Изменено {}", rng.u32(1..1_000_000)));
        }
        List::Sales => {
            let more = if values[sale::SUM].number().is_sign_negative() { -kopecks } else { kopecks };
            values[sale::SUM] = Value::Number(values[sale::SUM].number() + more);
        }
        List::Points => {
            let column =
                if values[points::EARNED].number().is_zero() { points::SPENT } else { points::EARNED };
            values[column] = Value::Number(values[column].number() + Decimal::from(rng.i64(1..500)));
        }
        List::Products => {
            let name = format!("{} №{}", values[catalog::DESCRIPTION].str(), rng.u32(1..1_000));
            values[catalog::DESCRIPTION] = Value::text(&name);
        }
    }
}

fn reference(text: &str) -> Guid {
    text.parse().unwrap_or_else(|()| panic!("{text:?} is no reference"))
}

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap_or_else(|_| panic!("{text:?} is no decimal"))
}
