//! Sets by their name on the wire: those that are kept, and those that are made of them when asked
//! (registers with nested rows, a tabular part by itself, balances).

use std::collections::HashMap;
use std::sync::Arc;

use axum::response::Response;
use jiff::civil::DateTime;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use super::super::gate::json_text;
use super::answers::Refusal;
use super::filter;
use super::sets::{
    BALANCE, CONTACT, CONTACTS, List, NESTED_POINTS, NESTED_SALES, POINTS_REGISTER, SALES_REGISTER, customer,
    points, register,
};
use super::shop::{Sheet, Shop};
use super::value::{Field, Guid, Row, Value};

/// A set that can be asked.
pub(super) struct Set {
    /// Its rows.
    pub sheet: Arc<Sheet>,
    /// Whether documents write it.
    pub register: bool,
    /// Whether its rows have a key of their own, which is their first column.
    pub keyed: bool,
}

/// The set of this name; one that is not published is refused.
pub(super) fn find(shop: &Shop, name: &str) -> Result<Set, Refusal> {
    if let Some(list) = List::ALL.into_iter().find(|list| list.set() == name) {
        let register = list.is_register();
        return Ok(Set { sheet: shop.sheet(list), register, keyed: !register });
    }
    let (fields, rows): (&'static [Field], _) = match name {
        SALES_REGISTER => (&NESTED_SALES, nested(&shop.sheet(List::Sales))),
        POINTS_REGISTER => (&NESTED_POINTS, nested(&shop.sheet(List::Points))),
        CONTACTS => (&CONTACT, parts(&shop.sheet(List::Customers))),
        _ => return Err(Refusal::set(name)),
    };
    Ok(Set { sheet: Arc::new(Sheet::new(fields, rows)), register: name != CONTACTS, keyed: false })
}

/// The names of all sets.
pub(super) fn contents() -> Response {
    let names = List::ALL.into_iter().map(List::set).chain([SALES_REGISTER, POINTS_REGISTER, CONTACTS]);
    let sets: Vec<Json> = names.map(|name| json!({ "name": name, "url": name })).collect();
    json_text(json!({ "value": sets }).to_string())
}

/// The points of each card as the register has them at a moment, or after all that is written in
/// it, that of the future included. Cards that have nothing are left out.
pub(super) fn balance(shop: &Shop, name: &str, arguments: &str) -> Result<Set, Refusal> {
    if name != POINTS_REGISTER {
        return Err(Refusal::set(&format!("{name}/Balance")));
    }
    let inner = arguments.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
    let inner = inner.ok_or_else(|| Refusal::segment("Balance"))?;
    let until = argument(inner, "Period=").map(moment).transpose()?;
    let condition = argument(inner, "Condition=").map(condition).transpose()?;
    let mut order = Vec::new();
    let mut sums: HashMap<Guid, (Decimal, Decimal)> = HashMap::new();
    for row in &shop.sheet(List::Points).rows {
        let late = until.is_some_and(|until| row[register::PERIOD].date() > Some(until));
        if late || !row[register::ACTIVE].yes() {
            continue;
        }
        let card = row[points::CARD].guid();
        let sum = sums.entry(card).or_insert_with(|| {
            order.push(card);
            Default::default()
        });
        let sign = if row[points::TYPE].str() == "Expense" { -Decimal::ONE } else { Decimal::ONE };
        sum.0 += sign * row[points::EARNED].number();
        sum.1 += sign * row[points::SPENT].number();
    }
    let rows = order.into_iter().filter(|card| sums[card] != Default::default()).map(|card| {
        let (earned, spent) = sums[&card];
        let row: Row = [Value::Guid(card), Value::Number(earned), Value::Number(spent)].into();
        row
    });
    let rows = rows.filter(|row| condition.as_ref().is_none_or(|condition| condition.holds(row))).collect();
    Ok(Set { sheet: Arc::new(Sheet::new(&BALANCE, rows)), register: true, keyed: false })
}

/// The text of one argument, up to the next one.
fn argument<'a>(all: &'a str, name: &str) -> Option<&'a str> {
    let start = all.find(name)? + name.len();
    let ends = ["Period=", "Condition=", "Dimensions="].iter().filter_map(|next| all[start..].find(next));
    let end = ends.min().map_or(all.len(), |end| start + end);
    Some(all[start..end].trim_end_matches([',', ' ']))
}

fn moment(text: &str) -> Result<DateTime, Refusal> {
    let inner = text.strip_prefix("datetime'").and_then(|inner| inner.strip_suffix('\''));
    inner
        .filter(|inner| inner.len() == 19)
        .and_then(|inner| inner.parse().ok())
        .ok_or_else(|| Refusal::syntax("Period: ожидается datetime'…'"))
}

/// A condition in apostrophes; those inside it are doubled, or as some clients write them single.
fn condition(text: &str) -> Result<filter::Filter, Refusal> {
    let inner = text.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\''));
    let inner = inner.ok_or_else(|| Refusal::syntax("Condition: ожидается строка"))?;
    let inner = if inner.contains("guid''") { inner.replace("''", "'") } else { inner.to_owned() };
    filter::parse(&inner, &BALANCE[..1])
}

/// The rows of a register under the documents that wrote them.
fn nested(sheet: &Sheet) -> Vec<Row> {
    let mut places: HashMap<Guid, usize> = HashMap::new();
    let mut documents: Vec<Vec<Row>> = Vec::new();
    for row in &sheet.rows {
        let place = *places.entry(row[register::RECORDER].guid()).or_insert(documents.len());
        if place == documents.len() {
            documents.push(Vec::new());
        }
        documents[place].push(Row::clone(row));
    }
    let document = |rows: Vec<Row>| -> Row {
        let (recorder, kind) = (rows[0][register::RECORDER].clone(), rows[0][register::KIND].clone());
        [recorder, kind, Value::Rows(Arc::new(rows))].into()
    };
    documents.into_iter().map(document).collect()
}

/// The contact rows of all customers.
fn parts(sheet: &Sheet) -> Vec<Row> {
    let rows = sheet.rows.iter().flat_map(|row| match &row[customer::CONTACTS] {
        Value::Rows(rows) => rows.to_vec(),
        _ => Vec::new(),
    });
    rows.collect()
}
