//! The statements of the customers list.
//!
//! SQLite keeps no statistics here, so it is told which index to use: a column behind a unary plus
//! is never looked up in one. PostgreSQL knows how common each value is and chooses itself.

use anyhow::Result;

use super::cursor::Cursor;
use super::{FEW, Filter, ITEM, Order, Shape, Sort};
use crate::model::Measure;
use crate::model::amount::{SHOPPED, TRADED};
use crate::store::search::{self, Search};
use crate::store::{Row, Value, bulk};

/// A statement with its arguments.
pub(super) type Statement = (String, Vec<Value>);

/// The columns that one system's customers are counted by, in the order of [`count`].
const SELECTIVE: [&str; 4] = ["owner", "status", "country", "city"];

/// What the summary says of one system's customers.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    /// The system.
    system: String,
    /// Customers that the filter leaves, as far as the summary knows.
    matching: i64,
    /// Customers that each of [`SELECTIVE`] alone leaves.
    by: [i64; 4],
    /// Whether any reward, any rebate, any money spent, any points are known.
    known: [bool; 4],
    /// Whether it is a shop.
    is_shop: bool,
}

impl Counted {
    pub fn read(row: &Row) -> Result<Counted> {
        let is_some = |index| Ok::<_, anyhow::Error>(row.get::<Option<i64>>(index)?.is_some());
        Ok(Counted {
            system: row.get(0)?,
            matching: row.get(1)?,
            by: [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?],
            known: [is_some(6)?, is_some(7)?, is_some(8)?, is_some(9)?],
            is_shop: is_some(10)?,
        })
    }

    /// Whether any of its customers may have a value to be sorted by.
    fn knows(&self, sort: Sort) -> bool {
        let [reward, rebate, spent, points] = self.known;
        match sort {
            Sort::Reward => reward,
            Sort::Rebate => rebate,
            Sort::Spent => spent,
            Sort::Points => points,
            other => self.is_shop || !other.is_of_shops(),
        }
    }
}

/// Arguments of a statement as it is put together.
#[derive(Default)]
struct Args(Vec<Value>);

impl Args {
    fn add(&mut self, value: impl Into<Value>) -> String {
        self.0.push(value.into());
        format!("${}", self.0.len())
    }
}

/// Counts by system, from the summary. Activity is not in it.
pub(super) fn count(filter: &Filter) -> Statement {
    let mut args = Args::default();
    let mut all = vec!["1 = 1".to_owned()];
    let mut alone = SELECTIVE.map(|_| "1 = 1".to_owned());
    let mut only = String::new();
    for (column, value) in filter.equals().filter(|(column, _)| *column != "activity") {
        let condition = format!("{column} = {}", args.add(value));
        if let Some(place) = SELECTIVE.iter().position(|name| *name == column) {
            alone[place].clone_from(&condition);
            all.push(condition);
        } else {
            only += &format!(" AND {condition}");
        }
    }
    let sum = |condition: &str| format!("CAST(SUM(CASE WHEN {condition} THEN clients ELSE 0 END) AS BIGINT)");
    let all = sum(&all.join(" AND "));
    let alone = alone.map(|condition| sum(&condition)).join(", ");
    let sql = format!(
        "SELECT system, {all}, {alone}, CAST(SUM(reward_usd) AS BIGINT), CAST(SUM(rebate_usd) AS BIGINT), CAST(SUM(spent) AS BIGINT), CAST(SUM(points) AS BIGINT), CAST(SUM(purchases) AS BIGINT) FROM customer_summary WHERE gone = {}{only} GROUP BY system ORDER BY system",
        filter.gone()
    );
    (sql, args.0)
}

/// The customers that a text was found in, whoever is shown of them.
#[derive(Clone, Copy)]
pub(super) enum Found<'a> {
    /// These.
    Ids(&'a [i64]),
    /// Too many to be named.
    Many(&'a Search<'a>),
}

impl Found<'_> {
    fn condition(self, args: &mut Args) -> String {
        match self {
            Found::Ids(ids) => format!(" AND id IN ({})", bulk::id_list(ids)),
            Found::Many(search) => {
                let (found, arguments) = search.statement(args.0.len() + 1);
                args.0.extend(arguments);
                format!(" AND id IN ({found})")
            }
        }
    }
}

/// What customers are added up by, in the order of [`totals`].
pub(super) fn summed() -> impl Iterator<Item = Measure> {
    TRADED.into_iter().chain(SHOPPED)
}

fn sums() -> String {
    let names = std::iter::once("purchases").chain(summed().map(|measure| measure.name));
    names.map(|name| format!(", CAST(SUM({name}) AS BIGINT)")).collect()
}

/// Counts and sums of everything that matches: from the summary where it knows, else from the rows.
pub(super) fn totals(filter: &Filter, found: Option<Found<'_>>, postgres: bool) -> Statement {
    let mut args = Args::default();
    let sums = sums();
    let mut wanted = format!("gone = {}", filter.gone());
    let from_summary = found.is_none() && filter.activity.is_none();
    for (column, value) in filter.equals() {
        let column = if from_summary { column.to_owned() } else { inert(column, postgres) };
        wanted += &format!(" AND {column} = {}", args.add(value));
    }
    if from_summary {
        let sql = format!(
            "SELECT CAST(COALESCE(SUM(clients), 0) AS BIGINT), CAST(COALESCE(SUM(accounts), 0) AS BIGINT){sums} FROM customer_summary WHERE {wanted}"
        );
        return (sql, args.0);
    }
    if let Some(found) = found {
        wanted += &found.condition(&mut args);
    }
    let sql = format!(
        "SELECT COUNT(*), CAST(COALESCE(SUM(accounts), 0) AS BIGINT){sums} FROM customer WHERE hidden = 0 AND {wanted}"
    );
    (sql, args.0)
}

/// Whether a part of the filter, looked up in its own index, leaves so few customers that each of them
/// may be looked at.
pub(super) fn is_narrow(filter: &Filter, counted: &[Counted]) -> bool {
    let asked = |column: &str| filter.equals().any(|(name, _)| name == column);
    let least = |system: &Counted| {
        let alone = SELECTIVE.into_iter().zip(system.by).filter(|(column, _)| asked(column));
        alone.map(|(_, clients)| clients).min()
    };
    let matching = counted.iter().filter(|system| system.matching > 0);
    matching.map(least).sum::<Option<i64>>().is_some_and(|clients| clients <= FEW)
}

/// A page that is asked for.
pub(super) struct Query<'a> {
    pub filter: &'a Filter,
    pub shape: Shape,
    pub order: Order,
    pub at: Option<&'a Cursor>,
    /// Whether the row that `at` names is wanted too: in a list of accounts it may have more of them.
    pub inclusive: bool,
    pub limit: i64,
    pub postgres: bool,
    /// A folded text that each row is looked at for.
    pub holding: Option<&'a str>,
}

impl<'a> Query<'a> {
    /// Every customer that the filter leaves.
    pub fn all(filter: &'a Filter, postgres: bool) -> Query<'a> {
        let (shape, order) = (Shape::default(), Order::default());
        Query { filter, shape, order, at: None, inclusive: false, limit: 0, postgres, holding: None }
    }

    /// The page out of the customers that a text was found in.
    pub fn gather(&self, found: Found<'_>) -> Statement {
        let mut args = Args::default();
        let mut wanted = self.wanted(&mut args, None, &[]);
        wanted += &found.condition(&mut args);
        (self.sorted(&mut args, &wanted), args.0)
    }

    /// The page out of what the summary counted, as far as the sort value is known; `None` when no
    /// row can be there.
    pub fn walk(&self, counted: &[Counted]) -> Option<Statement> {
        if self.at.is_some_and(|at| at.value.is_none()) {
            return None;
        }
        self.walks(counted, self.limit, false)
    }

    /// Counts and sums of the customers that a narrow filter leaves and that hold the text, a row for each
    /// system; `None` when there are none.
    pub fn totals_among(&self, counted: &[Counted]) -> Option<Statement> {
        let mut args = Args::default();
        let sums = sums();
        let mut parts = Vec::new();
        for system in counted.iter().filter(|system| system.matching > 0) {
            let (lookup, _) = self.indexed(system);
            let mut wanted = self.wanted(&mut args, Some(&system.system), &lookup);
            wanted += &self.within_shops(system);
            wanted += &self.holds(&mut args);
            parts.push(format!(
                "SELECT COUNT(*), CAST(COALESCE(SUM(accounts), 0) AS BIGINT){sums} FROM customer WHERE {wanted}"
            ));
        }
        (!parts.is_empty()).then(|| (parts.join(" UNION ALL "), args.0))
    }

    /// What follows: at most `limit` rows whose sort value is unknown.
    pub fn walk_unknown(&self, counted: &[Counted], limit: i64) -> Option<Statement> {
        self.order.by.nullable().then(|| self.walks(counted, limit, true))?
    }

    fn walks(&self, counted: &[Counted], limit: i64, unknown: bool) -> Option<Statement> {
        let column = self.order.by.column();
        let direction = if self.order.descending { "DESC" } else { "ASC" };
        let mut args = Args::default();
        let mut parts = Vec::new();
        for system in counted.iter().filter(|system| system.matching > 0) {
            let known = system.knows(self.order.by);
            // Where every row has the same sort value, the order is by id alone.
            let same = self.order.by == Sort::Id || self.filter.equals().any(|(name, _)| name == column);
            if (!known && !unknown) || (same && unknown) {
                continue;
            }
            let (lookup, sort) = self.indexed(system);
            let mut wanted = self.wanted(&mut args, Some(&system.system), &lookup);
            wanted += &self.within_shops(system);
            wanted += &self.holds(&mut args);
            let place = |name: &str| if sort { name.to_owned() } else { inert(name, self.postgres) };
            let (by, id) = (place(column), place("id"));
            if unknown {
                wanted += &format!(" AND {by} IS NULL");
            } else if self.order.by.nullable() {
                wanted += &format!(" AND {by} IS NOT NULL");
            }
            let compare = self.compare();
            match self.at {
                Some(at) if unknown && at.value.is_some() => {}
                Some(at) if unknown || same => {
                    wanted += &format!(" AND {id} {compare} {}", args.add(at.id));
                }
                Some(at) => {
                    let value = at.value.clone().map_or(Value::Int(None), Value::from);
                    let value = args.add(value);
                    wanted += &format!(" AND ({by}, {id}) {compare} ({value}, {})", args.add(at.id));
                }
                None => {}
            }
            let order = if unknown || same {
                format!("{id} {direction}")
            } else {
                format!("{by} {direction}, {id} {direction}")
            };
            parts.push(format!(
                "SELECT {ITEM} FROM (SELECT {ITEM} FROM customer WHERE {wanted} ORDER BY {order} LIMIT {limit}) AS s{}",
                parts.len()
            ));
        }
        let order = if unknown || self.order.by == Sort::Id {
            format!("id {direction}")
        } else {
            format!("{column} {direction}, id {direction}")
        };
        let all = parts.join(" UNION ALL ");
        (!parts.is_empty()).then(|| (format!("{all} ORDER BY {order} LIMIT {limit}"), args.0))
    }

    /// The next `rows` customers in the order of the sort, whoever matches: (sort value, id, whether it
    /// matches the filter and holds the text). Only those whose sort value is unknown, or only the
    /// others.
    pub fn stretch(&self, counted: &[Counted], folded: &str, rows: i64, unknown: bool) -> Option<Statement> {
        let column = self.order.by.column();
        let direction = if self.order.descending { "DESC" } else { "ASC" };
        let in_order = |value: &str, id: &str| {
            if unknown || self.order.by == Sort::Id {
                format!("{id} {direction}")
            } else {
                format!("{value} {direction}, {id} {direction}")
            }
        };
        let mut args = Args::default();
        let mut after = String::new();
        if unknown {
            after += &format!(" AND {column} IS NULL");
        } else if self.order.by.nullable() {
            after += &format!(" AND {column} IS NOT NULL");
        }
        let compare = self.compare();
        match self.at {
            Some(at) if unknown && at.value.is_some() => {}
            Some(at) if unknown || self.order.by == Sort::Id => {
                after += &format!(" AND id {compare} {}", args.add(at.id));
            }
            Some(at) => {
                let value = args.add(at.value.clone().map_or(Value::Int(None), Value::from));
                after += &format!(" AND ({column}, id) {compare} ({value}, {})", args.add(at.id));
            }
            None => {}
        }
        // The walks themselves read nothing but the index; what matches is looked at afterwards.
        let mut walks = Vec::new();
        for system in counted.iter().filter(|system| system.matching > 0) {
            if !unknown && !system.knows(self.order.by) {
                continue;
            }
            let name = args.add(system.system.as_str());
            let within = self.within_shops(system);
            walks.push(format!(
                "SELECT value, id FROM (SELECT {column} AS value, id FROM customer WHERE hidden = 0 AND system = {name}{within}{after} ORDER BY {} LIMIT {rows}) AS s{}",
                in_order(column, "id"),
                walks.len()
            ));
        }
        if walks.is_empty() {
            return None;
        }
        let wanted = self.wanted(&mut args, None, &[]);
        let holds = search::holds(self.postgres, "customer.id", &args.add(folded));
        let sql = format!(
            "SELECT w.value, w.id, (SELECT CAST(CASE WHEN {wanted} AND {holds} THEN 1 ELSE 0 END AS BIGINT) FROM customer WHERE customer.id = w.id) FROM (SELECT value, id FROM ({}) AS walked ORDER BY {} LIMIT {rows}) AS w ORDER BY {}",
            walks.join(" UNION ALL "),
            in_order("value", "id"),
            in_order("w.value", "w.id")
        );
        Some((sql, args.0))
    }

    /// Which columns of a system's customers SQLite looks up in an index, and whether it walks the
    /// index in the order of the sort.
    fn indexed(&self, system: &Counted) -> (Vec<&'static str>, bool) {
        let chosen = SELECTIVE.into_iter().zip(system.by);
        let asked = chosen.filter(|(column, _)| self.filter.equals().any(|(name, _)| name == *column));
        let narrowest = asked.min_by_key(|(_, clients)| *clients);
        let sorts_by = |column: &str| self.order.by == Sort::Id || self.order.by.column() == column;
        match narrowest {
            // Every index ends in the id: the filter's own is in order of it.
            Some((column, _)) if sorts_by(column) => (vec!["system", column], true),
            Some((column, clients)) if clients <= FEW => (vec!["system", column], false),
            _ => (vec!["system"], true),
        }
    }

    /// The text that each row is looked at for, as a condition.
    fn holds(&self, args: &mut Args) -> String {
        let Some(folded) = self.holding else { return String::new() };
        format!(" AND {}", search::holds(self.postgres, "customer.id", &args.add(folded)))
    }

    /// Said of a shop where an index of the customers of shops alone is of use: a database takes it only
    /// when it is told that no other customer is wanted, and not for a look-up by that.
    fn within_shops(&self, system: &Counted) -> String {
        let of_use = self.order.by.is_of_shops() || self.filter.city.is_some();
        let is_a_shops = || format!(" AND {} >= 0", inert("purchases", self.postgres));
        if system.is_shop && of_use { is_a_shops() } else { String::new() }
    }

    /// The filter as a condition; only the columns in `lookup` may be looked up in an index.
    fn wanted(&self, args: &mut Args, system: Option<&str>, lookup: &[&str]) -> String {
        let place = |column: &str| match lookup.contains(&column) {
            true => column.to_owned(),
            false => inert(column, self.postgres),
        };
        let mut wanted = format!("hidden = 0 AND {} = {}", inert("gone", self.postgres), self.filter.gone());
        if let Some(system) = system {
            wanted += &format!(" AND {} = {}", place("system"), args.add(system));
        }
        for (column, value) in self.filter.equals().filter(|(name, _)| system.is_none() || *name != "system")
        {
            wanted += &format!(" AND {} = {}", place(column), args.add(value));
        }
        if self.shape == Shape::Accounts {
            wanted += &format!(" AND {} > 0", inert("accounts", self.postgres));
        }
        wanted
    }

    /// The page out of rows that are gathered first and sorted then, by nothing but what they are sorted
    /// by: of most nothing more has to be read.
    fn sorted(&self, args: &mut Args, wanted: &str) -> String {
        let column = self.order.by.column();
        let direction = if self.order.descending { "DESC" } else { "ASC" };
        let compare = self.compare();
        let after = self.at.map_or(String::new(), |at| match at.value.clone() {
            Some(value) => {
                let value = args.add(value);
                format!(" WHERE value IS NULL OR (value, at) {compare} ({value}, {})", args.add(at.id))
            }
            None => format!(" WHERE value IS NULL AND at {compare} {}", args.add(at.id)),
        });
        let order = format!("CASE WHEN value IS NULL THEN 1 ELSE 0 END, value {direction}, at {direction}");
        format!(
            "WITH found AS (SELECT id AS at, {column} AS value FROM customer WHERE {wanted}), page AS (SELECT at, value FROM found{after} ORDER BY {order} LIMIT {}) SELECT {ITEM} FROM page JOIN customer ON customer.id = page.at ORDER BY {order}",
            self.limit
        )
    }

    /// What rows behind the cursor are.
    fn compare(&self) -> &'static str {
        match (self.order.descending, self.inclusive) {
            (false, false) => ">",
            (false, true) => ">=",
            (true, false) => "<",
            (true, true) => "<=",
        }
    }
}

/// The column, so that SQLite does not look it up in an index.
fn inert(column: &str, postgres: bool) -> String {
    if postgres { column.to_owned() } else { format!("+{column}") }
}
