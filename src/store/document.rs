//! Quotes and invoices as they are mirrored, for flows to send, and for people to see.

use anyhow::Result;

use super::{Row, Store, Value};
use crate::model::document::StoredDocument;

/// A document of a customer, with what became of it. Amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRow {
    /// The record.
    pub id: i64,
    /// The list it stands in: `quotes` or `invoices`.
    pub stream: String,
    /// Its key.
    pub key: String,
    /// The number people know.
    pub number: Option<String>,
    /// What it has come to, as the system counts it.
    pub state: Option<i64>,
    /// The code of its subtype.
    pub subtype: Option<String>,
    /// When it was made, on the clock of its system.
    pub made: Option<String>,
    /// What it comes to.
    pub net: Option<i64>,
    /// Whether it has left the source.
    pub gone: bool,
    /// The flow that has written it elsewhere.
    pub flow: Option<String>,
    /// What it is there.
    pub written_as: Option<String>,
}

impl Store {
    /// Documents of a stream that are not gone, above `after`, in order: those that have no link in a flow,
    /// or say something else about money and lines than when they were sent; of those made since a moment,
    /// if that is named.
    pub async fn documents_to_look_at(
        &self,
        flow: &str,
        stream: i64,
        since: Option<&str>,
        after: i64,
        limit: i64,
    ) -> Result<Vec<StoredDocument>> {
        // A link is looked at however old its document is.
        let sql = "SELECT d.id, d.key, d.raw FROM document d LEFT JOIN link l ON l.flow = $2 AND l.source_key = d.key WHERE d.stream_id = $1 AND d.gone_run IS NULL AND d.id > $3 AND ((l.id IS NULL AND d.made >= $5) OR (l.id IS NOT NULL AND (l.source_said IS NULL OR l.source_said <> d.said))) ORDER BY d.id LIMIT $4";
        let sql =
            if since.is_some() { sql.to_owned() } else { sql.replace(" AND d.made >= $5", " AND $5 = ''") };
        let args: [Value; 5] =
            [stream.into(), flow.into(), after.into(), limit.into(), since.unwrap_or_default().into()];
        let rows = self.db.rows(&sql, args).await?;
        let read = |row: &Row| Ok(StoredDocument { id: row.get(0)?, key: row.get(1)?, raw: row.get(2)? });
        rows.iter().map(read).collect()
    }

    /// The documents of a customer, the newest first, at most `limit`.
    pub async fn documents_of(&self, customer: i64, offset: i64, limit: i64) -> Result<Vec<DocumentRow>> {
        let link = |column: &str| {
            format!("(SELECT {column} FROM link l WHERE l.source_key = d.key ORDER BY l.id LIMIT 1)")
        };
        let (flow, written_as) = (link("l.flow"), link("l.destination_key"));
        let sql = format!(
            "SELECT d.id, s.name, d.key, d.number, d.state, d.subtype, d.made, d.net, d.gone_run, {flow}, {written_as} FROM document d JOIN stream s ON s.id = d.stream_id WHERE d.customer_id = $1 ORDER BY COALESCE(d.made, '') DESC, d.id DESC LIMIT $2 OFFSET $3"
        );
        let rows = self.db.rows(&sql, [customer.into(), limit.into(), offset.into()]).await?;
        rows.iter().map(read).collect()
    }

    /// How many those are.
    pub async fn count_documents(&self, customer: i64) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM document WHERE customer_id = $1";
        self.db.row(sql, [customer.into()]).await?.map_or(Ok(0), |row| row.get(0))
    }
}

fn read(row: &Row) -> Result<DocumentRow> {
    Ok(DocumentRow {
        id: row.get(0)?,
        stream: row.get(1)?,
        key: row.get(2)?,
        number: row.get(3)?,
        state: row.get(4)?,
        subtype: row.get(5)?,
        made: row.get(6)?,
        net: row.get(7)?,
        gone: row.get::<Option<i64>>(8)?.is_some(),
        flow: row.get(9)?,
        written_as: row.get(10)?,
    })
}
