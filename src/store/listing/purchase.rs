//! What a shop's customer bought, and its points, newest first.

use anyhow::Result;

use crate::store::{Row, Store};

/// A movement of money or points. Amounts are scaled integers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// Its number; the next page begins below it.
    pub id: i64,
    /// When, in microseconds since 1970 UTC.
    pub at: i64,
    /// The day on the source's calendar.
    pub day: String,
    /// `opening_balance`, `purchase`, `return` or `points`.
    pub kind: String,
    /// The type of the document that made it.
    pub document_type: Option<String>,
    /// That document.
    pub document: String,
    /// Its line there.
    pub line: String,
    /// What was bought.
    pub product: Option<String>,
    /// Its article.
    pub article: Option<String>,
    /// How much of it.
    pub quantity: Option<i64>,
    /// What was paid, in minor units.
    pub amount: Option<i64>,
    /// Points earned.
    pub points_in: Option<i64>,
    /// Points to be spent.
    pub points_out: Option<i64>,
}

impl Store {
    /// Movements of a customer that are not gone, newest first: of points, or of money. `offset` are
    /// left out, at most `limit` come.
    pub async fn entries(
        &self,
        customer: i64,
        points: bool,
        offset: i64,
        limit: i64,
    ) -> Result<Vec<EntryRow>> {
        let kinds = if points { "e.kind = 'points'" } else { "e.kind <> 'points'" };
        let sql = format!(
            "SELECT e.id, e.at, e.day, e.kind, e.document_type, e.document, e.line, p.name, p.article, e.quantity, e.amount, e.points_in, e.points_out FROM entry e JOIN stream s ON s.id = e.stream_id LEFT JOIN stream t ON t.system = s.system AND t.name = 'products' LEFT JOIN product p ON p.stream_id = t.id AND p.key = e.product_key WHERE e.customer_id = $1 AND e.gone_run IS NULL AND {kinds} ORDER BY e.at DESC, e.id DESC LIMIT $2 OFFSET $3"
        );
        let rows = self.db.rows(&sql, [customer.into(), limit.into(), offset.into()]).await?;
        rows.iter().map(read).collect()
    }

    /// How many those are.
    pub async fn count_entries(&self, customer: i64, points: bool) -> Result<i64> {
        let kinds = if points { "kind = 'points'" } else { "kind <> 'points'" };
        let sql =
            format!("SELECT COUNT(*) FROM entry WHERE customer_id = $1 AND gone_run IS NULL AND {kinds}");
        self.db.row(&sql, [customer.into()]).await?.map_or(Ok(0), |row| row.get(0))
    }
}

fn read(row: &Row) -> Result<EntryRow> {
    Ok(EntryRow {
        id: row.get(0)?,
        at: row.get(1)?,
        day: row.get(2)?,
        kind: row.get(3)?,
        document_type: row.get(4)?,
        document: row.get(5)?,
        line: row.get(6)?,
        product: row.get(7)?,
        article: row.get(8)?,
        quantity: row.get(9)?,
        amount: row.get(10)?,
        points_in: row.get(11)?,
        points_out: row.get(12)?,
    })
}
