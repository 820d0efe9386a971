//! Questions: conditions with their operators and groups, orders, and pages counted from 1.

use std::cmp::Ordering;

use jiff::civil::DateTime;
use rust_decimal::Decimal;

use super::super::faults::Twist;
use super::super::record::{Record, decimal};
use super::super::table::window;
use super::fields::{Sort, moment};
use super::{Refusal, whole};

/// Names in a question.
pub(super) const KEYS: [&str; 5] = ["typeKey", "queries", "orders", "pageNumber", "pageSize"];
const CONDITION: [&str; 7] =
    ["logicalOperator", "operator", "field", "value", "leafNegate", "leafLogicalOperator", "leafs"];

/// Fields that are compared as moments …
const MOMENTS: [&str; 7] =
    ["creatDate", "modifyDate", "birthDate", "customerDate", "quoteDate", "invoiceDate", "expireDate"];
/// … and as numbers.
const NUMBERS: [&str; 10] = [
    "balance",
    "discount",
    "vat",
    "toll",
    "additionalCosts",
    "totalValue",
    "finalValue",
    "vatPercent",
    "tollPercent",
    "billableObjectStateIndex",
];
/// Lists cannot be asked for.
const LISTS: [&str; 6] =
    ["phoneContacts", "addressContacts", "categories", "tags", "extendedProperties", "details"];

/// A page of an answer.
pub(super) struct Found {
    /// The rows of the page.
    pub rows: Vec<Record>,
    /// How many rows there are on all pages.
    pub total: usize,
}

/// How a question is answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ways {
    /// Whether `ModifyDate` can be compared.
    pub modify_date: bool,
    /// How far rows have moved.
    pub shift: usize,
    /// What a fault does to the page.
    pub twist: Option<Twist>,
}

/// The rows that a question is about.
pub(super) fn find(sort: Sort, rows: &[&Record], given: &Record, ways: Ways) -> Result<Found, Refusal> {
    if given.text("typeKey").is_empty() {
        return Err(Refusal::new(400, "ValidationError", "The typeKey field is required."));
    }
    let conditions = conditions(sort, given, "queries", ways)?;
    let mut order: Vec<u32> =
        (0..).zip(rows).filter(|(_, row)| all(&conditions, None, row)).map(|(place, _)| place).collect();
    for by in given.list("orders").into_iter().rev() {
        let by = by.cased(&["field", "order"]);
        let field = field(sort, &by.text("field"))?;
        let descending = by.text("order") == "1";
        order.sort_by(|one, other| {
            let order = compare(field, &rows[*one as usize].text(field), &rows[*other as usize].text(field));
            if descending { order.reverse() } else { order }
        });
    }
    let size = whole(given, "pageSize", 20)?;
    // Pages are counted from 1; the one before it is the first as well.
    let before = whole(given, "pageNumber", 1)?.saturating_sub(1);
    let kept = window(&order, before.saturating_mul(size), size, ways.shift, ways.twist);
    Ok(Found { rows: kept.iter().map(|place| rows[*place as usize].clone()).collect(), total: order.len() })
}

struct Condition {
    either: bool,
    test: Test,
}

enum Test {
    Field { field: &'static str, operator: u64, value: String },
    Group { conditions: Vec<Condition>, either: Option<bool>, negate: bool },
}

fn conditions(sort: Sort, given: &Record, name: &str, ways: Ways) -> Result<Vec<Condition>, Refusal> {
    given.list(name).into_iter().map(|given| condition(sort, &given.cased(&CONDITION), ways)).collect()
}

fn condition(sort: Sort, given: &Record, ways: Ways) -> Result<Condition, Refusal> {
    let either = given.text("logicalOperator") == "1";
    let leafs = conditions(sort, given, "leafs", ways)?;
    if !leafs.is_empty() {
        let joined = given.raw("leafLogicalOperator").filter(|raw| *raw != "null");
        let negate = given.raw("leafNegate") == Some("true");
        let test = Test::Group { conditions: leafs, either: joined.map(|joined| joined == "1"), negate };
        return Ok(Condition { either, test });
    }
    let field = field(sort, &given.text("field"))?;
    if field == "modifyDate" && !ways.modify_date {
        return Err(failure("Object reference not set to an instance of an object."));
    }
    let text = given.raw("value").is_some_and(|raw| raw.starts_with('"'));
    if !text {
        return Err(Refusal::new(400, "ValidationError", "The value field must be a string."));
    }
    let value = given.text("value");
    let operator = given.text("operator").parse().ok();
    let known = operator.filter(|operator| matches!(operator, 0..=7 | 11..=13));
    let operator = known.ok_or_else(|| Refusal::new(400, "ValidationError", "The operator is not known."))?;
    let list = matches!(operator, 3 | 7);
    let parts: Vec<&str> = if list { value.split(',').collect() } else { vec![&value] };
    let wrong = |part: &&str| {
        MOMENTS.contains(&field) && moment(part).is_none()
            || NUMBERS.contains(&field) && decimal(part).is_none()
    };
    if parts.iter().any(wrong) {
        return Err(failure("Input string was not in a correct format."));
    }
    Ok(Condition { either, test: Test::Field { field, operator, value } })
}

/// A field by its name in a question, which must be spelled exactly so.
fn field(sort: Sort, name: &str) -> Result<&'static str, Refusal> {
    let spelled = |field: &&str| {
        let (first, rest) = field.split_at(1);
        !LISTS.contains(field) && name == format!("{}{rest}", first.to_ascii_uppercase())
    };
    let found = sort.fields().into_iter().find(spelled);
    found.ok_or_else(|| failure(&format!("No property or field '{name}' exists in type.")))
}

fn failure(words: &str) -> Refusal {
    Refusal::new(500, "InternalServerError", words)
}

/// Whether a row meets conditions, each joined to those before it by its own word, or all by one.
fn all(conditions: &[Condition], either: Option<bool>, row: &Record) -> bool {
    let mut conditions = conditions.iter();
    let Some(first) = conditions.next() else { return true };
    conditions.fold(first.test.holds(row), |so_far, next| match either.unwrap_or(next.either) {
        true => so_far || next.test.holds(row),
        false => so_far && next.test.holds(row),
    })
}

impl Test {
    fn holds(&self, row: &Record) -> bool {
        match self {
            Self::Group { conditions, either, negate } => all(conditions, *either, row) != *negate,
            Self::Field { field, operator, value } => {
                let own = row.text(field);
                // What has no value is neither more nor less than anything.
                let absent = own.is_empty() && (MOMENTS.contains(field) || NUMBERS.contains(field));
                let order = compare(field, &own, value);
                let among = || value.split(',').any(|part| compare(field, &own, part.trim()).is_eq());
                match operator {
                    0 => order.is_eq(),
                    6 => order.is_ne(),
                    3 => among(),
                    7 => !among(),
                    11 => own.starts_with(value),
                    12 => own.contains(value),
                    13 => own.ends_with(value),
                    _ if absent => false,
                    1 => order.is_gt(),
                    2 => order.is_ge(),
                    4 => order.is_lt(),
                    _ => order.is_le(),
                }
            }
        }
    }
}

fn compare(field: &str, one: &str, other: &str) -> Ordering {
    if MOMENTS.contains(&field) {
        let moments: [Option<DateTime>; 2] = [moment(one), moment(other)];
        return moments[0].cmp(&moments[1]);
    }
    if NUMBERS.contains(&field) {
        let numbers: [Option<Decimal>; 2] = [decimal(one), decimal(other)];
        return numbers[0].cmp(&numbers[1]);
    }
    one.cmp(other)
}
