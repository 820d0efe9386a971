//! PostgreSQL's binary copy, its quickest way to take rows.
//!
//! The format: <https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format".

use anyhow::{Context, Result};
use sqlx::PgConnection;

use super::Batch;
use crate::store::db::{Value, short};

/// Bytes that are handed over at a time.
const CHUNK: usize = 256 * 1024;

/// Copies all rows into a table. A row whose key is there already fails all of them.
pub(super) async fn rows(connection: &mut PgConnection, table: &str, batch: Batch) -> Result<()> {
    let names = batch.names().collect::<Vec<_>>().join(", ");
    let statement = format!("COPY {table} ({names}) FROM STDIN (FORMAT binary)");
    let width = batch.columns.len();
    let fields = i16::try_from(width + batch.same.len())?.to_be_bytes();
    let mut out = Vec::with_capacity(CHUNK + CHUNK / 4);
    out.extend_from_slice(b"PGCOPY\n\xff\r\n\0");
    out.extend_from_slice(&[0; 8]);
    let mut copy = connection.copy_in_raw(&statement).await.with_context(|| short(&statement))?;
    for row in batch.values.chunks(width) {
        out.extend_from_slice(&fields);
        row.iter().try_for_each(|value| field(&mut out, value))?;
        batch.same.iter().for_each(|(_, value)| integer(&mut out, *value));
        if out.len() >= CHUNK {
            copy.send(out.as_slice()).await.with_context(|| short(&statement))?;
            out.clear();
        }
    }
    out.extend_from_slice(&(-1_i16).to_be_bytes());
    copy.send(out).await.with_context(|| short(&statement))?;
    copy.finish().await.with_context(|| short(&statement))?;
    Ok(())
}

/// A value after its length in bytes; -1 and nothing where there is none.
fn field(out: &mut Vec<u8>, value: &Value) -> Result<()> {
    let bytes = match value {
        Value::Int(value) => {
            integer(out, *value);
            return Ok(());
        }
        Value::Text(value) => value.as_deref().map(str::as_bytes),
        Value::Bytes(value) => value.as_deref(),
    };
    match bytes {
        Some(bytes) => {
            out.extend_from_slice(&i32::try_from(bytes.len())?.to_be_bytes());
            out.extend_from_slice(bytes);
        }
        None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
    }
    Ok(())
}

fn integer(out: &mut Vec<u8>, value: Option<i64>) {
    match value {
        Some(value) => {
            out.extend_from_slice(&8_i32.to_be_bytes());
            out.extend_from_slice(&value.to_be_bytes());
        }
        None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
    }
}
