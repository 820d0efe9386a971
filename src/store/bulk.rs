//! The hot path: many rows per statement, each database in its fastest way.
//!
//! SQLite takes multi-row `VALUES` with plain `?` (numbered names are searched linearly there);
//! PostgreSQL takes one array per column through `UNNEST`. Nothing else may depend on the database.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use sqlx::postgres::PgArguments;
use sqlx::{Arguments, AssertSqlSafe};

use super::db::{Row, Tx, Value, short, sqlite_args};
use crate::model::Fingerprint;

/// Rows per SQLite statement; more gains nothing, fewer cost round trips.
const SQLITE_ROWS: usize = 500;
/// Parameters one SQLite statement may have.
const SQLITE_PARAMETERS: usize = 32_000;

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
    columns: Columns,
    values: Vec<Value>,
}

impl Batch {
    /// An empty batch.
    pub fn new(columns: Columns) -> Batch {
        Batch { columns, values: Vec::new() }
    }

    /// An empty batch with room for so many rows.
    pub fn with_room(columns: Columns, rows: usize) -> Batch {
        Batch { columns, values: Vec::with_capacity(columns.len() * rows) }
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
    let names = names(batch.columns, "");
    write(
        tx,
        batch,
        |values| format!("INSERT INTO {table} ({names}) VALUES {values}"),
        |arrays| format!("INSERT INTO {table} ({names}) SELECT * FROM UNNEST({arrays})"),
    )
    .await
}

/// Inserts all rows; where the key `conflict` exists already, the row is replaced by the new one.
pub async fn upsert(tx: &mut Tx, table: &str, conflict: &str, batch: Batch) -> Result<()> {
    let names = names(batch.columns, "");
    let set = batch
        .columns
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !conflict.split(',').any(|key| key == *name))
        .map(|name| format!("{name} = excluded.{name}"))
        .collect::<Vec<_>>()
        .join(", ");
    let tail = format!("ON CONFLICT ({conflict}) DO UPDATE SET {set}");
    write(
        tx,
        batch,
        |values| format!("INSERT INTO {table} ({names}) VALUES {values} {tail}"),
        |arrays| format!("INSERT INTO {table} ({names}) SELECT * FROM UNNEST({arrays}) {tail}"),
    )
    .await
}

/// Updates rows by their first column, which must be the table's `id`.
pub async fn update(tx: &mut Tx, table: &str, batch: Batch) -> Result<()> {
    let id = batch.columns.first().map_or("id", |(name, _)| name);
    let columns = names(batch.columns, "");
    let set = batch.columns[1..]
        .iter()
        .map(|(name, _)| format!("{name} = u.{name}"))
        .collect::<Vec<_>>()
        .join(", ");
    write(
        tx,
        batch,
        |values| {
            format!("WITH u({columns}) AS (VALUES {values}) UPDATE {table} SET {set} FROM u WHERE {table}.{id} = u.{id}")
        },
        |arrays| format!("UPDATE {table} SET {set} FROM UNNEST({arrays}) AS u({columns}) WHERE {table}.{id} = u.{id}"),
    )
    .await
}

fn names(columns: Columns, prefix: &str) -> String {
    columns.iter().map(|(name, _)| format!("{prefix}{name}")).collect::<Vec<_>>().join(", ")
}

async fn write(
    tx: &mut Tx,
    batch: Batch,
    sqlite: impl Fn(&str) -> String,
    postgres: impl Fn(&str) -> String,
) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let width = batch.columns.len();
    match tx {
        Tx::Sqlite(tx) => {
            let per_statement = SQLITE_ROWS.min(SQLITE_PARAMETERS / width);
            let row = format!("({})", vec!["?"; width].join(","));
            let mut values = batch.values.into_iter();
            let mut bind = || {
                let rows = per_statement.min(values.len() / width);
                sqlite_args(values.by_ref().take(rows * width)).map(|args| (rows, args))
            };
            let mut bound = bind()?;
            while bound.0 > 0 {
                let (rows, args) = bound;
                let sql = sqlite(&vec![row.as_str(); rows].join(","));
                let about = short(&sql);
                // Only full statements are worth keeping prepared; the last one differs each time.
                let query = sqlx::query_with(AssertSqlSafe(sql), args).persistent(rows == per_statement);
                // The next rows are bound while SQLite's thread writes these.
                let (written, next) = tokio::join!(biased; query.execute(&mut **tx), async { bind() });
                written.context(about)?;
                bound = next?;
            }
        }
        Tx::Postgres(tx) => {
            let mut arrays = String::new();
            for (at, (_, kind)) in batch.columns.iter().enumerate() {
                let array = match kind {
                    Kind::Int => "bigint[]",
                    Kind::Text => "text[]",
                    Kind::Bytes => "bytea[]",
                };
                let comma = if at == 0 { "" } else { ", " };
                write!(arrays, "{comma}${}::{array}", at + 1)?;
            }
            let sql = postgres(&arrays);
            let about = short(&sql);
            let args = postgres_columns(batch)?;
            sqlx::query_with(AssertSqlSafe(sql), args).execute(&mut **tx).await.context(about)?;
        }
    }
    Ok(())
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
    rows_with_list(tx, &format!("{sql} AND {column} IN ({list})"), first, wanted.iter().copied()).await
}

/// The ids that the rows with these texts in `column` have, as (position in `wanted`, id); `id` is an
/// expression over the table and `first` the argument `$1` of the condition `of`. All of them come as
/// one value: handing over two for each would take longer than finding them.
pub async fn ids_by_text(
    tx: &mut Tx,
    table: &str,
    id: &str,
    of: &str,
    first: Value,
    column: &str,
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
        "WITH u(at, text) AS ({list}), found AS (SELECT u.at, (SELECT {id} FROM {table} WHERE {of} AND {column} = u.text) AS id FROM u) SELECT string_agg(at || ':' || id, ',') FROM found"
    );
    let rows = rows_with_list(tx, &sql, first, wanted.iter().copied()).await?;
    pairs(rows.first().context("no answer")?.get::<Option<String>>(0)?.as_deref().unwrap_or_default())
}

/// Reads `at:id,at:id,…`.
pub fn pairs(text: &str) -> Result<Vec<(usize, i64)>> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once(':'));
    pairs.map(|(at, id)| Ok((at.parse()?, id.parse()?))).collect()
}

/// Runs a statement that takes an argument and a list of texts: an array in PostgreSQL, a JSON text
/// in SQLite, where each argument of its own would cost more than the look-up it is for.
async fn rows_with_list<'a>(
    tx: &mut Tx,
    sql: &str,
    first: Value,
    list: impl ExactSizeIterator<Item = &'a str>,
) -> Result<Vec<Row>> {
    match tx {
        Tx::Postgres(tx) => {
            let mut args = PgArguments::default();
            match first {
                Value::Int(v) => args.add(v),
                Value::Text(v) => args.add(v),
                Value::Bytes(v) => args.add(v),
            }
            .and_then(|()| args.add(list.map(str::to_owned).collect::<Vec<String>>()))
            .map_err(|e| anyhow::anyhow!("argument: {e}"))?;
            let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), args);
            let rows = query.fetch_all(&mut **tx).await.with_context(|| short(sql))?;
            Ok(rows.into_iter().map(Row::Postgres).collect())
        }
        Tx::Sqlite(tx) => {
            let list = serde_json::to_string(&list.collect::<Vec<&str>>())?;
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
