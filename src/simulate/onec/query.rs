//! What a request asks of a set: the options of its query, and the rows they leave.

use std::collections::HashMap;

use super::super::faults::Twist;
use super::super::ledger::unescaped;
use super::super::table::window;
use super::answers::Refusal;
use super::filter::{self, Filter};
use super::shop::{By, Sheet};
use super::traps::{Trap, Traps};
use super::value::{Field, Kind, Row};

/// The options of a query, unread.
#[derive(Debug, Default)]
pub(super) struct Options(HashMap<String, String>);

/// What becomes of the rows of a set.
#[derive(Debug)]
pub(super) struct Query {
    filter: Option<Filter>,
    order: By,
    /// The columns to be sent.
    pub chosen: Option<Vec<usize>>,
    /// The most rows to send.
    pub top: Option<usize>,
    /// How many rows to pass over.
    pub skip: usize,
    /// Whether to tell how many rows there are without the limits.
    pub count: bool,
}

/// Rows of one page, and how many there are on all.
pub(super) type Found = (Vec<Row>, usize);

impl Options {
    /// Reads a query; a `+` in it is a plus, as 1C takes it.
    pub fn read(query: &str) -> Result<Self, Refusal> {
        let mut options = HashMap::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decoded(name)?;
            let known = ["top", "skip", "orderby", "select", "filter", "inlinecount", "format"];
            match name.strip_prefix('$') {
                Some(option) if !known.contains(&option) => return Err(Refusal::segment(&name)),
                _ => options.insert(name, decoded(value)?),
            };
        }
        Ok(Self(options))
    }

    /// An option as it was given.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Takes an option away, as a base does that does not see it.
    pub fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    fn number(&self, name: &str) -> Result<Option<usize>, Refusal> {
        let number = |text: &str| {
            text.parse().map_err(|_| Refusal::syntax(&format!("{name}: ожидается неотрицательное число")))
        };
        self.get(name).map(number).transpose()
    }
}

impl Query {
    /// Understands the options for a set with these columns, or refuses them as the base does.
    pub fn new(options: &Options, fields: &[Field], traps: &Traps) -> Result<Self, Refusal> {
        let filter = options
            .get("$filter")
            .map(|text| refused_filter(text, traps).map_or_else(|| filter::parse(text, fields), Err));
        let order = options.get("$orderby").map(|text| order(text, fields, traps)).transpose()?;
        let chosen = options.get("$select").filter(|text| *text != "*");
        let chosen = chosen
            .map(|text| text.split(',').map(|name| place(name.trim(), fields)).collect::<Result<Vec<_>, _>>())
            .transpose()?;
        let count = match options.get("$inlinecount") {
            None | Some("none") => false,
            Some("allpages") => true,
            Some(_) => return Err(Refusal::syntax("$inlinecount: allpages или none")),
        };
        let mut top = options.number("$top")?;
        if count && traps.set(Trap::CountUnlimits) {
            top = None;
        }
        Ok(Self {
            filter: filter.transpose()?,
            order: order.unwrap_or_default(),
            chosen,
            top,
            skip: options.number("$skip")?.unwrap_or(0),
            count,
        })
    }

    /// How many rows of a sheet are as they must be.
    pub fn count(&self, sheet: &Sheet) -> usize {
        self.filter
            .as_ref()
            .map_or(sheet.rows.len(), |filter| sheet.rows.iter().filter(|row| filter.holds(row)).count())
    }

    /// The rows of one page. Without an order asked for they start `shift` rows further on.
    pub fn page(&self, sheet: &Sheet, shift: usize, twist: Option<Twist>) -> Found {
        let order = sheet.order(&self.order);
        let kept: Option<Vec<u32>> = self.filter.as_ref().map(|filter| {
            order.iter().copied().filter(|row| filter.holds(&sheet.rows[*row as usize])).collect()
        });
        let order: &[u32] = kept.as_deref().unwrap_or(&order);
        let shift = if self.order.is_empty() { shift } else { 0 };
        let rows = window(order, self.skip, self.top.unwrap_or(usize::MAX), shift, twist);
        (rows.iter().map(|row| Row::clone(&sheet.rows[*row as usize])).collect(), order.len())
    }
}

fn refused_filter(text: &str, traps: &Traps) -> Option<Refusal> {
    let typed = text.contains("isof(") || text.contains("cast(");
    if traps.set(Trap::FilterForbidden) {
        Some(Refusal::new(403, "20", "Недостаточно прав для отбора"))
    } else if traps.set(Trap::FilterRefused) {
        Some(Refusal::new(500, "14", WHERE))
    } else if typed && traps.set(Trap::TypedFilterRefused) {
        Some(Refusal::segment(if text.contains("isof(") { "isof" } else { "cast" }))
    } else {
        None
    }
}

/// What 1C says of a condition it cannot do.
pub(super) const WHERE: &str = "Операция не разрешена в предложении \"ГДЕ\"";

fn order(text: &str, fields: &[Field], traps: &Traps) -> Result<By, Refusal> {
    if traps.set(Trap::OrderForbidden) {
        return Err(Refusal::new(403, "20", "Недостаточно прав для упорядочивания"));
    }
    if traps.set(Trap::OrderRefused) {
        return Err(Refusal::new(400, "14", "Неверные параметры \"AUTOORDER\""));
    }
    let part = |part: &str| {
        let mut words = part.split(' ').filter(|word| !word.is_empty());
        let column = place(words.next().unwrap_or_default(), fields)?;
        if matches!(fields[column].kind, Kind::Rows(_) | Kind::RecorderType) {
            return Err(Refusal::segment(fields[column].name));
        }
        let descending = match (words.next(), words.next()) {
            (None | Some("asc"), None) => false,
            (Some("desc"), None) => !traps.set(Trap::DescIgnored),
            _ => return Err(Refusal::syntax("$orderby: asc или desc")),
        };
        Ok((column, descending))
    };
    text.split(',').map(part).collect()
}

fn place(name: &str, fields: &[Field]) -> Result<usize, Refusal> {
    fields.iter().position(|field| field.name == name).ok_or_else(|| Refusal::segment(name))
}

/// Text without its percent signs.
pub(super) fn decoded(text: &str) -> Result<String, Refusal> {
    String::from_utf8(unescaped(text)).map_err(|_| Refusal::syntax("адрес не в UTF-8"))
}
