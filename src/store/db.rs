//! One way to talk to two databases.
//!
//! Every statement is one text with `$1 … $n` for SQLite and PostgreSQL alike; only `bulk` and
//! `search` write different text for each. SQLite has one writing connection and several reading
//! ones; PostgreSQL has one pool. All integers are 64 bits, times are microseconds since 1970 UTC.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{Arguments, AssertSqlSafe, Decode, Executor, Postgres, Row as _, Sqlite, Transaction, Type};

use super::open;

/// The first SQLite without the WAL corruption of 3.7.0 – 3.51.2.
const SQLITE_NEEDED: (u32, u32, u32) = (3, 51, 3);

/// Pages of cache of the writing SQLite connection, in KiB: holds the hot part of the indexes of a
/// million rows and keeps memory flat whatever the count.
const WRITER_CACHE_KIB: &str = "-32768";

/// A database.
#[derive(Clone, Debug)]
pub struct Db {
    pools: Pools,
}

#[derive(Clone, Debug)]
enum Pools {
    Sqlite { write: SqlitePool, read: SqlitePool, file: PathBuf },
    Postgres(PgPool),
}

/// An argument of a statement; absent values keep their type, which PostgreSQL wants to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A 64-bit integer.
    Int(Option<i64>),
    /// A text.
    Text(Option<String>),
    /// Bytes.
    Bytes(Option<Vec<u8>>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(Some(value))
    }
}
impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Value::Int(Some(i64::try_from(value).unwrap_or(i64::MAX)))
    }
}
impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Int(Some(i64::from(value)))
    }
}
impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Value::Int(value)
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(Some(value.to_owned()))
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::Text(Some(value))
    }
}
impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Value::Text(value)
    }
}
impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        Value::Text(value.map(str::to_owned))
    }
}
impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Value::Bytes(Some(value))
    }
}
impl From<Option<Vec<u8>>> for Value {
    fn from(value: Option<Vec<u8>>) -> Self {
        Value::Bytes(value)
    }
}

pub(super) fn sqlite_args(values: impl IntoIterator<Item = Value>) -> Result<SqliteArguments> {
    let mut args = SqliteArguments::default();
    for value in values {
        match value {
            Value::Int(v) => args.add(v),
            Value::Text(v) => args.add(v),
            Value::Bytes(v) => args.add(v),
        }
        .map_err(|e| anyhow::anyhow!("argument: {e}"))?;
    }
    Ok(args)
}

pub(super) fn postgres_args(values: impl IntoIterator<Item = Value>) -> Result<PgArguments> {
    let mut args = PgArguments::default();
    for value in values {
        match value {
            Value::Int(v) => args.add(v),
            Value::Text(v) => args.add(v),
            Value::Bytes(v) => args.add(v),
        }
        .map_err(|e| anyhow::anyhow!("argument: {e}"))?;
    }
    Ok(args)
}

/// A row of an answer.
pub enum Row {
    /// From SQLite.
    Sqlite(SqliteRow),
    /// From PostgreSQL.
    Postgres(PgRow),
}

impl Row {
    /// The value of column `index`, counted from 0.
    pub fn get<T>(&self, index: usize) -> Result<T>
    where
        T: for<'r> Decode<'r, Sqlite> + Type<Sqlite> + for<'r> Decode<'r, Postgres> + Type<Postgres>,
    {
        Ok(match self {
            Row::Sqlite(row) => row.try_get_unchecked(index)?,
            Row::Postgres(row) => row.try_get(index)?,
        })
    }
}

/// A transaction: everything in it happens, or nothing does. Dropping it undoes it.
pub enum Tx {
    /// On the one writing connection of SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// On PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
}

impl Db {
    /// Opens the database of this URL (`sqlite:FILE` or `postgres://…`), creating an SQLite file if
    /// needed, and checks that it can be relied on.
    pub async fn open(url: &str) -> Result<Db> {
        if let Some(file) = file_of(url) {
            return open_sqlite(&file).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return open_postgres(url).await;
        }
        bail!("the database must be sqlite:FILE or postgres://…")
    }

    /// Opens an SQLite file that is there for reading only: nothing is created or changed.
    pub async fn open_to_read(file: &Path) -> Result<Db> {
        // Without a log nobody has it open: SQLite need not put the files beside it that it shares then.
        let alone = !Path::new(&format!("{}-wal", file.display())).exists();
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(false);
        let options = options.read_only(true).immutable(alone);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        Ok(Db { pools: Pools::Sqlite { write: pool.clone(), read: pool, file: file.to_owned() } })
    }

    /// Whether this is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self.pools, Pools::Postgres(_))
    }

    /// The SQLite file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match &self.pools {
            Pools::Sqlite { file, .. } => Some(file),
            Pools::Postgres(_) => None,
        }
    }

    /// Begins a transaction that may write.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(match &self.pools {
            Pools::Sqlite { write, .. } => Tx::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Pools::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// Begins a transaction that only reads.
    pub async fn look(&self) -> Result<Tx> {
        Ok(match &self.pools {
            Pools::Sqlite { read, .. } => Tx::Sqlite(read.begin().await?),
            Pools::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// All rows of a reading statement.
    pub async fn rows(&self, sql: &str, args: impl IntoIterator<Item = Value>) -> Result<Vec<Row>> {
        match &self.pools {
            Pools::Sqlite { read, .. } => fetch_sqlite(read, sql, args).await,
            Pools::Postgres(pool) => fetch_postgres(pool, sql, args).await,
        }
    }

    /// The first row of a reading statement, if any.
    pub async fn row(&self, sql: &str, args: impl IntoIterator<Item = Value>) -> Result<Option<Row>> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Runs one writing statement in a transaction of its own; the rows it affected.
    pub async fn execute(&self, sql: &str, args: impl IntoIterator<Item = Value>) -> Result<u64> {
        let mut tx = self.begin().await?;
        let affected = tx.execute(sql, args).await?;
        tx.commit().await?;
        Ok(affected)
    }

    /// Runs a text of several statements outside of any transaction (`VACUUM INTO`, `PRAGMA`).
    pub async fn script(&self, sql: &str) -> Result<()> {
        match &self.pools {
            Pools::Sqlite { write, .. } => write.execute(AssertSqlSafe(sql.to_owned())).await.map(drop)?,
            Pools::Postgres(pool) => pool.execute(AssertSqlSafe(sql.to_owned())).await.map(drop)?,
        }
        Ok(())
    }

    /// Closes all connections; SQLite folds its log back into the file.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { write, read, .. } => {
                read.close().await;
                write.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Whether this is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        matches!(self, Tx::Postgres(_))
    }

    /// Runs one statement; the rows it affected.
    pub async fn execute(&mut self, sql: &str, args: impl IntoIterator<Item = Value>) -> Result<u64> {
        Ok(match self {
            Tx::Sqlite(tx) => {
                let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), sqlite_args(args)?);
                let query = query.persistent(comes_again(sql));
                query.execute(&mut **tx).await.with_context(|| short(sql))?.rows_affected()
            }
            Tx::Postgres(tx) => {
                let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), postgres_args(args)?);
                let query = query.persistent(comes_again(sql));
                query.execute(&mut **tx).await.with_context(|| short(sql))?.rows_affected()
            }
        })
    }

    /// All rows of a statement, also of one that writes and returns.
    pub async fn rows(&mut self, sql: &str, args: impl IntoIterator<Item = Value>) -> Result<Vec<Row>> {
        match self {
            Tx::Sqlite(tx) => fetch_sqlite(&mut **tx, sql, args).await,
            Tx::Postgres(tx) => fetch_postgres(&mut **tx, sql, args).await,
        }
    }

    /// The first row of a statement, if any.
    pub async fn row(&mut self, sql: &str, args: impl IntoIterator<Item = Value>) -> Result<Option<Row>> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Runs a text of several statements without arguments.
    pub async fn script(&mut self, sql: &str) -> Result<()> {
        match self {
            Tx::Sqlite(tx) => (&mut **tx).execute(AssertSqlSafe(sql.to_owned())).await.map(drop)?,
            Tx::Postgres(tx) => (&mut **tx).execute(AssertSqlSafe(sql.to_owned())).await.map(drop)?,
        }
        Ok(())
    }

    /// Makes everything in it durable.
    pub async fn commit(self) -> Result<()> {
        match self {
            Tx::Sqlite(tx) => tx.commit().await?,
            Tx::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

async fn fetch_sqlite<'e>(
    on: impl Executor<'e, Database = Sqlite>,
    sql: &str,
    args: impl IntoIterator<Item = Value>,
) -> Result<Vec<Row>> {
    let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), sqlite_args(args)?);
    let rows = query.persistent(comes_again(sql)).fetch_all(on).await.with_context(|| short(sql))?;
    Ok(rows.into_iter().map(Row::Sqlite).collect())
}

async fn fetch_postgres<'e>(
    on: impl Executor<'e, Database = Postgres>,
    sql: &str,
    args: impl IntoIterator<Item = Value>,
) -> Result<Vec<Row>> {
    let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), postgres_args(args)?);
    let rows = query.persistent(comes_again(sql)).fetch_all(on).await.with_context(|| short(sql))?;
    Ok(rows.into_iter().map(Row::Postgres).collect())
}

/// Whether a statement is worth keeping prepared. A longer one has a list of ids written out in it and
/// never comes again: a few hundred of them, kept, are a quarter of a gigabyte.
fn comes_again(sql: &str) -> bool {
    sql.len() < 4000
}

/// The start of a statement, for error reports; never its arguments, which may be personal.
pub(super) fn short(sql: &str) -> String {
    sql.split_whitespace().take(8).collect::<Vec<_>>().join(" ")
}

/// The file of `sqlite:FILE`; `None` for any other address.
pub fn file_of(url: &str) -> Option<PathBuf> {
    url.strip_prefix("sqlite:").map(|file| PathBuf::from(file.trim_start_matches("//")))
}

async fn open_sqlite(file: &Path) -> Result<Db> {
    open::make_database(file)?;
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(30))
        .foreign_keys(true)
        .statement_cache_capacity(200)
        .row_buffer_size(1024)
        .pragma("temp_store", "MEMORY");
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        // Bulk updates join a list of values with a table. With an automatic index on the list SQLite
        // would walk the whole table instead of seeking each row.
        .connect_with(
            options
                .clone()
                .pragma("cache_size", WRITER_CACHE_KIB)
                .pragma("automatic_index", "OFF")
                .pragma("wal_autocheckpoint", "4000"),
        )
        .await
        .map_err(|error| open::not_opened(file, &error))?;
    let read = SqlitePoolOptions::new()
        .max_connections(4)
        .connect_with(options.read_only(true).create_if_missing(false).pragma("cache_size", "-2048"))
        .await?;
    let db = Db { pools: Pools::Sqlite { write, read, file: file.to_owned() } };
    let version: String =
        db.row("SELECT sqlite_version()", []).await?.context("no SQLite version")?.get(0)?;
    let parts: Vec<u32> = version.split('.').filter_map(|part| u32::from_str(part).ok()).collect();
    if parts.as_slice() < [SQLITE_NEEDED.0, SQLITE_NEEDED.1, SQLITE_NEEDED.2].as_slice() {
        bail!("SQLite {version} can corrupt its log; 3.51.3 or newer is needed");
    }
    Ok(db)
}

async fn open_postgres(url: &str) -> Result<Db> {
    let options = PgConnectOptions::from_str(url).context("the PostgreSQL address cannot be read")?;
    // A plan for any argument is a bad one for a common word; compiling one costs more than it saves.
    let options = options.options([("plan_cache_mode", "force_custom_plan"), ("jit", "off")]);
    open::reach(&options).await?;
    let pool = PgPoolOptions::new()
        .max_connections(12)
        .acquire_timeout(Duration::from_secs(30))
        .connect_with(options)
        .await
        .context("connecting to PostgreSQL")?;
    Ok(Db { pools: Pools::Postgres(pool) })
}

/// A lock that shows that this process is alive; given up when it is dropped or the process dies.
pub enum Hold {
    /// A lock on a file beside the database: one process at a time.
    File(std::fs::File),
    /// An advisory lock of PostgreSQL, on a connection of its own.
    Postgres(sqlx::PgConnection),
}

/// Takes the lock of the SQLite file, which need not be there. `None` when another process has it.
pub fn hold_file(file: &Path) -> Result<Option<Hold>> {
    let path = format!("{}-lock", file.display());
    let lock = std::fs::File::options().create(true).truncate(false).write(true).open(&path);
    let lock = lock.with_context(|| format!("opening {path}"))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(Hold::File(lock))),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {path}")),
    }
}

/// Advisory locks of engines have this number plus the engine's.
const ENGINES: i64 = 0x00c0_4c04_d000_0000;

impl Db {
    /// Takes the lock of engine `id`. `None` when the database is SQLite and another process works
    /// on it: there can be one engine only.
    pub async fn hold(&self, id: i64) -> Result<Option<Hold>> {
        match &self.pools {
            Pools::Sqlite { file, .. } => hold_file(file),
            Pools::Postgres(pool) => {
                let mut connection = pool.acquire().await?.detach();
                sqlx::query("SELECT pg_advisory_lock($1)")
                    .bind(ENGINES + id)
                    .execute(&mut connection)
                    .await?;
                Ok(Some(Hold::Postgres(connection)))
            }
        }
    }

    /// Whether engine `id` is alive, asked by the engine `own` or (`None`) by a process that is none.
    pub async fn is_held(&self, id: i64, own: Option<i64>) -> Result<bool> {
        match &self.pools {
            Pools::Sqlite { file, .. } => match own {
                // There is one engine only: any other has died.
                Some(own) => Ok(own == id),
                None => {
                    let Ok(lock) = std::fs::File::open(format!("{}-lock", file.display())) else {
                        return Ok(false);
                    };
                    Ok(matches!(lock.try_lock(), Err(std::fs::TryLockError::WouldBlock)))
                }
            },
            Pools::Postgres(pool) => {
                let mut tx = pool.begin().await?;
                let free: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)")
                    .bind(ENGINES + id)
                    .fetch_one(&mut *tx)
                    .await?;
                tx.rollback().await?;
                Ok(!free)
            }
        }
    }
}

/// Whether a statement failed because a row with its key exists already.
pub fn is_conflict(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<sqlx::Error>())
        .any(|error| error.as_database_error().is_some_and(|e| e.is_unique_violation()))
}
