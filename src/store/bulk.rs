//! The hot path: many rows per statement, each database in its fastest way.
//!
//! SQLite takes multi-row `VALUES` with plain `?` (numbered names are searched linearly there);
//! PostgreSQL takes many new rows by `COPY` and others as one array per column through `UNNEST`. Nothing else may depend on the database.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use sqlx::postgres::PgArguments;
use sqlx::{Arguments, AssertSqlSafe};

use super::db::{Row, Tx, Value, postgres_args, short, sqlite_args};
use crate::model::Fingerprint;

mod copy;

/// Rows per SQLite statement; more gains nothing, fewer cost round trips.
const SQLITE_ROWS: usize = 500;
/// What is left over goes by so many rows, then by half as many, and so on. Larger statements would stay
/// in memory for little.
const KEPT_ROWS: usize = 64;
/// Parameters one SQLite statement may have.
const SQLITE_PARAMETERS: usize = 32_000;
/// Values from which on PostgreSQL takes rows quicker by `COPY`. A short one ends with a packet that
/// waits for the answer to the one before it (sqlx 0.9.0 leaves the delay of small packets on).
const COPIED: usize = 4096;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 64-bit integers.
    Int,
    /// Texts.
    Text,
    /// Bytes.
    Bytes,
}

/// The columns of a bulk statement.
pub type Columns = &'static [(&'static str, Kind)];

/// Rows to be written, one value per column and row, in row order.
#[derive(Debug)]
pub struct Batch {
    columns: Vec<(&'static str, Kind)>,
    values: Vec<Value>,
    same: Vec<(&'static str, Option<i64>)>,
}

impl Batch {
    /// An empty batch.
    pub fn new(columns: Columns) -> Batch {
        Batch::with_room(&[columns], 0, &[])
    }

    /// An empty batch with room for so many rows of these columns, one list after the other; `same` are
    /// columns that have one value in all rows, which is handed over once.
    pub fn with_room(columns: &[Columns], rows: usize, same: &[(&'static str, Option<i64>)]) -> Batch {
        let columns = columns.concat();
        let values = Vec::with_capacity(columns.len() * rows);
        Batch { columns, values, same: same.to_vec() }
    }

    /// Adds a row: as many values as there are columns.
    pub fn push<const N: usize>(&mut self, row: [Value; N]) {
        self.end_row(row);
    }

    /// Adds the first values of a row, which [`Batch::end_row`] completes.
    pub fn begin_row<const N: usize>(&mut self, values: [Value; N]) {
        self.values.extend(values);
    }

    /// Adds the last values of a row.
    pub fn end_row<const N: usize>(&mut self, values: [Value; N]) {
        self.values.extend(values);
        debug_assert_eq!(self.values.len() % self.columns.len(), 0, "a row has a value for each column");
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|(name, _)| *name).chain(self.same.iter().map(|(name, _)| *name))
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Rows in it.
    pub fn len(&self) -> usize {
        self.values.len() / self.columns.len()
    }
}

/// Inserts all rows.
pub async fn insert(tx: &mut Tx, table: &str, batch: Batch) -> Result<()> {
    if let Tx::Postgres(tx) = tx
        && batch.values.len() >= COPIED
    {
        return copy::rows(tx, table, batch).await;
    }
    let statement = inserting(table, &batch, "");
    write(tx, batch, statement).await
}

/// Inserts all rows; where the key `conflict` exists already, the row is replaced by the new one.
pub async fn upsert(tx: &mut Tx, table: &str, conflict: &str, batch: Batch) -> Result<()> {
    let names = batch.names().filter(|name| !conflict.split(',').any(|key| key == *name));
    let set = names.map(|name| format!("{name} = excluded.{name}")).collect::<Vec<_>>().join(", ");
    // SQLite would take ON for the beginning of a join.
    let tail = format!(" WHERE true ON CONFLICT ({conflict}) DO UPDATE SET {set}");
    let statement = inserting(table, &batch, &tail);
    write(tx, batch, statement).await
}

fn inserting(table: &str, batch: &Batch, tail: &str) -> String {
    let names = batch.names().collect::<Vec<_>>().join(", ");
    format!("INSERT INTO {table} ({names}) SELECT * FROM u{tail}")
}

/// Updates rows by their first column, which must be the table's `id`.
pub async fn update(tx: &mut Tx, table: &str, batch: Batch) -> Result<()> {
    let set = batch.names().skip(1).map(|name| format!("{name} = u.{name}")).collect::<Vec<_>>().join(", ");
    let statement = format!("UPDATE {table} SET {set} FROM u WHERE {table}.id = u.id");
    write(tx, batch, statement).await
}

/// Runs a statement over the rows of a batch as a table `u`.
async fn write(tx: &mut Tx, batch: Batch, statement: String) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let width = batch.columns.len();
    let names = batch.names().collect::<Vec<_>>().join(", ");
    match tx {
        Tx::Sqlite(tx) => {
            let per_statement = SQLITE_ROWS.min(SQLITE_PARAMETERS / width);
            let row = format!("({})", vec!["?"; width].join(","));
            let same = ", ?".repeat(batch.same.len());
            let mut values = batch.values.into_iter();
            let mut bind = || {
                let rows = together(values.len() / width, per_statement);
                let same = batch.same.iter().map(|(_, value)| Value::from(*value));
                sqlite_args(values.by_ref().take(rows * width).chain(same)).map(|args| (rows, args))
            };
            let mut bound = bind()?;
            while bound.0 > 0 {
                let (rows, args) = bound;
                let values = vec![row.as_str(); rows].join(",");
                let sql =
                    format!("WITH v AS (VALUES {values}), u({names}) AS (SELECT *{same} FROM v) {statement}");
                let query = sqlx::query_with(AssertSqlSafe(sql), args);
                // The next rows are bound while SQLite's thread writes these.
                let (written, next) = tokio::join!(biased; query.execute(&mut **tx), async { bind() });
                written.with_context(|| short(&statement))?;
                bound = next?;
            }
        }
        Tx::Postgres(tx) => {
            let mut arrays = Vec::with_capacity(width);
            for (at, (_, kind)) in batch.columns.iter().enumerate() {
                let array = match kind {
                    Kind::Int => "bigint[]",
                    Kind::Text => "text[]",
                    Kind::Bytes => "bytea[]",
                };
                arrays.push(format!("${}::{array}", at + 1));
            }
            let same: String =
                (1..=batch.same.len()).map(|at| format!(", ${}::bigint", width + at)).collect();
            let sql =
                format!("WITH u({names}) AS (SELECT *{same} FROM UNNEST({})) {statement}", arrays.join(", "));
            let args = postgres_columns(batch)?;
            sqlx::query_with(AssertSqlSafe(sql), args)
                .execute(&mut **tx)
                .await
                .with_context(|| short(&statement))?;
        }
    }
    Ok(())
}

/// How many of these rows the next SQLite statement takes: as many as one may, else one of a few counts.
/// SQLite reads a statement of many rows slower than it carries it out; these stay prepared.
fn together(rows: usize, most: usize) -> usize {
    match rows {
        0 => 0,
        _ if rows >= most => most,
        _ if rows >= KEPT_ROWS => KEPT_ROWS.min(most),
        _ => 1 << rows.ilog2(),
    }
}

fn postgres_columns(batch: Batch) -> Result<PgArguments> {
    let width = batch.columns.len();
    let rows = batch.len();
    let mut ints: Vec<Vec<Option<i64>>> = vec![Vec::new(); width];
    let mut texts: Vec<Vec<Option<String>>> = vec![Vec::new(); width];
    let mut bytes: Vec<Vec<Option<Vec<u8>>>> = vec![Vec::new(); width];
    for (at, (_, kind)) in batch.columns.iter().enumerate() {
        match kind {
            Kind::Int => ints[at].reserve(rows),
            Kind::Text => texts[at].reserve(rows),
            Kind::Bytes => bytes[at].reserve(rows),
        }
    }
    for (at, value) in batch.values.into_iter().enumerate() {
        match value {
            Value::Int(v) => ints[at % width].push(v),
            Value::Text(v) => texts[at % width].push(v),
            Value::Bytes(v) => bytes[at % width].push(v),
        }
    }
    let mut args = PgArguments::default();
    for (at, (_, kind)) in batch.columns.iter().enumerate() {
        match kind {
            Kind::Int => args.add(std::mem::take(&mut ints[at])),
            Kind::Text => args.add(std::mem::take(&mut texts[at])),
            Kind::Bytes => args.add(std::mem::take(&mut bytes[at])),
        }
        .map_err(|e| anyhow::anyhow!("argument: {e}"))?;
    }
    for (_, value) in batch.same {
        args.add(value).map_err(|e| anyhow::anyhow!("argument: {e}"))?;
    }
    Ok(args)
}

/// Rows whose `column` is one of `wanted`: `sql` is everything up to and including the `WHERE`
/// conditions that come before it, with `first` as its only argument.
pub async fn rows_by_text(
    tx: &mut Tx,
    sql: &str,
    first: Value,
    column: &str,
    wanted: &[&str],
) -> Result<Vec<Row>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let list = if tx.is_postgres() { "SELECT UNNEST($2::text[])" } else { "SELECT value FROM json_each($2)" };
    rows_with_list(tx, &format!("{sql} AND {column} IN ({list})"), first, wanted).await
}

/// What `look_up`, a statement for one id, finds for each of these texts, which it sees as `u.text`,
/// as (position in `wanted`, id); `first` is its argument `$1`. All of them come as one value: handing
/// over two for each would take longer than finding them.
pub async fn ids_by_text(
    tx: &mut Tx,
    look_up: &str,
    first: Value,
    wanted: &[&str],
) -> Result<Vec<(usize, i64)>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let list = if tx.is_postgres() {
        "SELECT at - 1, text FROM UNNEST($2::text[]) WITH ORDINALITY AS w(text, at)"
    } else {
        "SELECT key, value FROM json_each($2)"
    };
    // A look into the index for each, whatever a database may think of the size of a table that was
    // empty a moment ago.
    let sql = format!(
        "WITH u(at, text) AS ({list}), found AS (SELECT u.at, ({look_up}) AS id FROM u) SELECT string_agg(at || ':' || id, ',') FROM found"
    );
    let rows = rows_with_list(tx, &sql, first, wanted).await?;
    pairs(rows.first().context("no answer")?.get::<Option<String>>(0)?.as_deref().unwrap_or_default())
}

/// Reads `at:id,at:id,…`.
pub fn pairs(text: &str) -> Result<Vec<(usize, i64)>> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once(':'));
    pairs.map(|(at, id)| Ok((at.parse()?, id.parse()?))).collect()
}

/// Runs a statement that takes an argument and a list of texts: an array in PostgreSQL, a JSON text
/// in SQLite, where each argument of its own would cost more than the look-up it is for.
async fn rows_with_list(tx: &mut Tx, sql: &str, first: Value, list: &[&str]) -> Result<Vec<Row>> {
    match tx {
        Tx::Postgres(tx) => {
            let mut args = postgres_args([first])?;
            args.add(list).map_err(|e| anyhow::anyhow!("argument: {e}"))?;
            let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), args);
            let rows = query.fetch_all(&mut **tx).await.with_context(|| short(sql))?;
            Ok(rows.into_iter().map(Row::Postgres).collect())
        }
        Tx::Sqlite(tx) => {
            let list = serde_json::to_string(list)?;
            let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), sqlite_args([first, list.into()])?);
            let rows = query.fetch_all(&mut **tx).await.with_context(|| short(sql))?;
            Ok(rows.into_iter().map(Row::Sqlite).collect())
        }
    }
}

/// A condition `column IN (…)` over ids, with the ids written out: they are our own integers.
pub fn id_list(ids: &[i64]) -> String {
    let mut list = String::with_capacity(ids.len() * 8 + 2);
    for (at, id) in ids.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(list, "{comma}{id}");
    }
    list
}

/// Runs a reading statement over the given rows as a table `u(at, key, hash)`; `at` counts from 0.
pub async fn join(tx: &mut Tx, sql: &str, rows: &[(&str, Fingerprint)]) -> Result<Option<Row>> {
    if rows.is_empty() {
        return Ok(None);
    }
    match tx {
        Tx::Postgres(tx) => {
            let sql = format!(
                "WITH u(at, key, hash) AS (SELECT * FROM UNNEST($1::bigint[], $2::text[], $3::bytea[])) {sql}"
            );
            let mut args = PgArguments::default();
            args.add((0..rows.len() as i64).collect::<Vec<i64>>())
                .and_then(|()| args.add(rows.iter().map(|(key, _)| (*key).to_owned()).collect::<Vec<_>>()))
                .and_then(|()| args.add(rows.iter().map(|(_, hash)| hash.0.to_vec()).collect::<Vec<_>>()))
                .map_err(|e| anyhow::anyhow!("argument: {e}"))?;
            let query = sqlx::query_with(AssertSqlSafe(sql), args);
            Ok(query.fetch_optional(&mut **tx).await?.map(Row::Postgres))
        }
        Tx::Sqlite(tx) => {
            // One text for all of them: the fingerprint in hexadecimal digits, then the key.
            let listed = rows.iter().map(|(key, hash)| format!("{hash}{key}")).collect::<Vec<_>>();
            let digits = Fingerprint::DIGITS;
            let sql = format!(
                "WITH u(at, key, hash) AS (SELECT key, substr(value, {}), unhex(substr(value, 1, {digits})) FROM json_each(?)) {sql}",
                digits + 1
            );
            let args = sqlite_args([Value::from(serde_json::to_string(&listed)?)])?;
            let query = sqlx::query_with(AssertSqlSafe(sql), args);
            Ok(query.fetch_optional(&mut **tx).await?.map(Row::Sqlite))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_rows_goes_by_few_counts() {
        let counts = |mut rows: usize, most| {
            let mut counts = Vec::new();
            while rows > 0 {
                counts.push(together(rows, most));
                rows -= counts[counts.len() - 1];
            }
            counts
        };
        assert_eq!(counts(1000, 500), [500, 500]);
        assert_eq!(counts(735, 500), [500, 64, 64, 64, 32, 8, 2, 1]);
        assert_eq!(counts(10, 500), [8, 2]);
        // A statement of very many columns takes few rows.
        assert_eq!(counts(70, 50), [50, 16, 4]);
        assert_eq!(together(0, 500), 0);
    }
}
