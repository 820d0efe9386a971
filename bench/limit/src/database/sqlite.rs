//! SQLite: write-ahead log, every commit durable, multi-row statements.

use std::collections::HashMap;

use rusqlite::{Connection, Transaction, params_from_iter, types::ToSqlOutput, types::ValueRef};

use super::{COLUMNS, TABLE, on_conflict};
use crate::Failure;
use crate::page::Row;

/// Rows per statement.
const GROUP: usize = 500;

pub struct Sqlite {
    connection: Connection,
}

impl Sqlite {
    pub fn open(file: &str) -> Result<Self, Failure> {
        let connection = Connection::open(file)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        // Affinity INTEGER makes the key the row id; BIGINT would ask for an index of its own.
        connection.execute_batch(&TABLE.replace("id BIGINT PRIMARY KEY", "id INTEGER PRIMARY KEY"))?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Self { connection })
    }

    pub fn store(&mut self, page: &[Row]) -> Result<usize, Failure> {
        let transaction = self.connection.transaction()?;
        let known = fingerprints(&transaction, page)?;
        let changed: Vec<&Row> =
            page.iter().filter(|row| known.get(&row.id) != Some(&row.fingerprint)).collect();
        for group in changed.chunks(GROUP) {
            upsert(&transaction, group)?;
        }
        transaction.commit()?;
        Ok(changed.len())
    }
}

fn fingerprints(transaction: &Transaction, page: &[Row]) -> Result<HashMap<i64, i64>, Failure> {
    let mut known = HashMap::with_capacity(page.len());
    for group in page.chunks(GROUP) {
        let marks = vec!["?"; group.len()].join(",");
        let query = format!("SELECT id, fingerprint FROM account WHERE id IN ({marks})");
        let mut statement = transaction.prepare_cached(&query)?;
        let mut rows = statement.query(params_from_iter(group.iter().map(|row| row.id)))?;
        while let Some(row) = rows.next()? {
            known.insert(row.get(0)?, row.get(1)?);
        }
    }
    Ok(known)
}

fn upsert(transaction: &Transaction, group: &[&Row]) -> Result<(), Failure> {
    let one = format!("({})", ["?"; COLUMNS.len()].join(","));
    let rows = vec![one; group.len()].join(",");
    let query = format!("INSERT INTO account ({}) VALUES {rows} {}", COLUMNS.join(", "), on_conflict());
    let mut statement = transaction.prepare_cached(&query)?;
    statement.execute(params_from_iter(group.iter().flat_map(|row| values(row))))?;
    Ok(())
}

fn values<'a>(row: &'a Row) -> [ToSqlOutput<'a>; COLUMNS.len()] {
    let text = |text: &'a str| ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()));
    let number = |number: i64| ToSqlOutput::Borrowed(ValueRef::Integer(number));
    let null = || ToSqlOutput::Borrowed(ValueRef::Null);
    [
        number(row.id),
        text(&row.client_uid),
        text(row.client_account),
        row.country.as_deref().map_or_else(null, text),
        row.currency.as_deref().map_or_else(null, text),
        row.reg_date.as_deref().map_or_else(null, text),
        row.lots.map_or_else(null, number),
        row.mln.map_or_else(null, number),
        row.reward.map_or_else(null, number),
        row.reward_usd.map_or_else(null, number),
        row.partner_account.as_deref().map_or_else(null, text),
        number(row.fingerprint),
    ]
}
