//! Contacts as they are mirrored, for flows to match and compare.

use anyhow::{Context, Result};

use super::bulk;
use super::{Row, Store, Value};
use crate::model::contact::{Known, StoredContact};
use crate::model::{Field, Fingerprint};

const CONTACT: &str = "SELECT id, key, customer_id, gone_run, kind, name, number, national_id, mobile, telephone, email, said, raw FROM contact";

/// The column a field is matched by, if there is one.
fn column(field: Field) -> Option<&'static str> {
    match field {
        Field::Number => Some("number"),
        Field::NationalId => Some("national_id"),
        Field::Mobile => Some("mobile"),
        Field::Telephone => Some("telephone"),
        Field::Email => Some("email"),
        _ => None,
    }
}

/// A contact as lists name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedContact {
    /// Its key.
    pub key: String,
    /// The customer it makes.
    pub customer: i64,
    /// Its name.
    pub name: Option<String>,
    /// Whether it is marked gone.
    pub gone: bool,
}

impl Store {
    /// Contacts of a stream that are not gone, above `after`, in order.
    pub async fn contacts_after(&self, stream: i64, after: i64, limit: i64) -> Result<Vec<StoredContact>> {
        let sql =
            format!("{CONTACT} WHERE stream_id = $1 AND gone_run IS NULL AND id > $2 ORDER BY id LIMIT $3");
        let rows = self.db.rows(&sql, [stream.into(), after.into(), limit.into()]).await?;
        rows.iter().map(read).collect()
    }

    /// Contacts of a stream that are not gone and have one of these canonical values in a field; none
    /// for a field that nothing is matched by.
    pub async fn contacts_with(
        &self,
        stream: i64,
        field: Field,
        values: &[&str],
    ) -> Result<Vec<StoredContact>> {
        let Some(column) = column(field) else { return Ok(Vec::new()) };
        let mut tx = self.look().await?;
        let sql = format!("{CONTACT} WHERE stream_id = $1 AND gone_run IS NULL");
        let rows = bulk::rows_by_text(&mut tx, &sql, stream.into(), column, values).await?;
        rows.iter().map(read).collect()
    }

    /// Contacts of the master that are not gone, above `after`, in order: those that changed since both
    /// sides of a flow agreed last, or have no link; with `all` every one.
    pub async fn contacts_to_look_at(
        &self,
        flow: &str,
        stream: i64,
        all: bool,
        after: i64,
        limit: i64,
    ) -> Result<Vec<StoredContact>> {
        let columns = CONTACT.replace("SELECT ", "SELECT c.").replace(", ", ", c.");
        let sql = format!(
            "{columns} c LEFT JOIN link l ON l.flow = $2 AND l.source_key = c.key WHERE c.stream_id = $1 AND c.gone_run IS NULL AND c.id > $3 AND ($5 = 1 OR l.source_said IS NULL OR l.source_said <> c.said) ORDER BY c.id LIMIT $4"
        );
        let args: [Value; 5] =
            [stream.into(), flow.into(), after.into(), limit.into(), i64::from(all).into()];
        self.db.rows(&sql, args).await?.iter().map(read).collect()
    }

    /// How many contacts of a stream have a value that they are matched by, and how many different ones there
    /// are.
    pub async fn canonical_counts(&self, stream: i64, field: Field) -> Result<(i64, i64)> {
        let Some(column) = column(field) else { return Ok((0, 0)) };
        let sql = format!(
            "SELECT COUNT({column}), COUNT(DISTINCT {column}) FROM contact WHERE stream_id = $1 AND gone_run IS NULL"
        );
        let row = self.db.row(&sql, [stream.into()]).await?.context("no counts")?;
        Ok((row.get(0)?, row.get(1)?))
    }

    /// What a contact said before, payload by payload.
    pub async fn former_raws(&self, stream: i64, record: i64) -> Result<Vec<String>> {
        let sql = "SELECT raw FROM version WHERE stream_id = $1 AND record_id = $2 ORDER BY valid_from DESC";
        let rows = self.db.rows(sql, [stream.into(), record.into()]).await?;
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Name and customer of contacts of a stream by their keys, also of those that are gone.
    pub async fn contact_names(&self, stream: i64, keys: &[&str]) -> Result<Vec<NamedContact>> {
        let mut tx = self.look().await?;
        let sql = "SELECT key, customer_id, name, gone_run FROM contact WHERE stream_id = $1";
        let rows = bulk::rows_by_text(&mut tx, sql, stream.into(), "key", keys).await?;
        let named = |row: &Row| {
            Ok(NamedContact {
                key: row.get(0)?,
                customer: row.get(1)?,
                name: row.get(2)?,
                gone: row.get::<Option<i64>>(3)?.is_some(),
            })
        };
        rows.iter().map(named).collect()
    }

    /// Contacts of a stream by their keys, also those that are gone.
    pub async fn contacts_by_key(&self, stream: i64, keys: &[&str]) -> Result<Vec<StoredContact>> {
        let mut tx = self.look().await?;
        let sql = format!("{CONTACT} WHERE stream_id = $1");
        let rows = bulk::rows_by_text(&mut tx, &sql, stream.into(), "key", keys).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<StoredContact> {
    let said: Vec<u8> = row.get(11)?;
    Ok(StoredContact {
        id: row.get(0)?,
        customer: row.get(2)?,
        gone: row.get::<Option<i64>>(3)?.is_some(),
        said: Fingerprint::stored(&said).context("a stored fingerprint is damaged")?,
        raw: row.get(12)?,
        known: Known {
            key: row.get(1)?,
            kind: row.get(4)?,
            name: row.get(5)?,
            number: row.get(6)?,
            national_id: row.get(7)?,
            mobile: row.get(8)?,
            telephone: row.get(9)?,
            email: row.get(10)?,
        },
    })
}
