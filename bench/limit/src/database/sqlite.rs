//! SQLite: write-ahead log, every commit durable, one prepared statement per row inside the page's
//! transaction.

use rusqlite::{Connection, Transaction, params_from_iter, types::ToSqlOutput, types::ValueRef};

use super::{COLUMNS, TABLE, on_conflict};
use crate::Failure;
use crate::page::{Read, Row};

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
        connection.pragma_update(None, "cache_size", -65_536)?;
        Ok(Self { connection })
    }

    pub fn store(&mut self, page: &Read) -> Result<usize, Failure> {
        let transaction = self.connection.transaction()?;
        let written = write(&transaction, page)?;
        transaction.commit()?;
        Ok(written)
    }
}

fn write(transaction: &Transaction, page: &Read) -> Result<usize, Failure> {
    let marks = ["?"; COLUMNS.len()].join(",");
    let query = format!("INSERT INTO account ({}) VALUES ({marks}) {}", COLUMNS.join(", "), on_conflict());
    let mut known = transaction.prepare_cached("SELECT fingerprint FROM account WHERE id = ?")?;
    let mut upsert = transaction.prepare_cached(&query)?;
    let mut written = 0;
    for row in &page.rows {
        let mut found = known.query([row.id])?;
        if let Some(found) = found.next()?
            && found.get::<_, i64>(0)? == row.fingerprint
        {
            continue;
        }
        upsert.execute(params_from_iter(values(page, row)))?;
        written += 1;
    }
    Ok(written)
}

fn values<'a>(page: &'a Read, row: &'a Row) -> [ToSqlOutput<'a>; COLUMNS.len()] {
    let number =
        |number: Option<i64>| ToSqlOutput::Borrowed(number.map_or(ValueRef::Null, ValueRef::Integer));
    let text = |index: usize| {
        let text = page.text(row, index);
        ToSqlOutput::Borrowed(text.map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes())))
    };
    let [lots, mln, reward, reward_usd] = row.numbers;
    [
        number(Some(row.id)),
        text(0),
        text(1),
        text(2),
        text(3),
        text(4),
        text(5),
        number(lots),
        number(mln),
        number(reward),
        number(reward_usd),
        number(Some(row.fingerprint)),
    ]
}
