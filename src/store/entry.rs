//! Movements of money and points by the documents that made them.

use anyhow::Result;

use super::{Row, Store};

/// The live movements that documents of one type made, of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents {
    /// The type of the documents; empty where the source does not say.
    pub class: String,
    /// `opening_balance`, `purchase`, `return` or `points`.
    pub kind: String,
    /// Movements.
    pub count: u64,
    /// Their money in minor units; 0 for points.
    pub amount: i64,
}

const OF: &str = "SELECT COALESCE(document_type, '') AS class, kind, COUNT(*) AS rows, CAST(COALESCE(SUM(amount), 0) AS BIGINT) AS amount FROM entry";

impl Store {
    /// What the live movements of a stream are, by kind and type of document.
    pub async fn documents(&self, stream_id: i64) -> Result<Vec<Documents>> {
        let sql = format!("{OF} WHERE stream_id = $1 AND gone_run IS NULL GROUP BY 1, 2 ORDER BY 1, 2");
        self.db.rows(&sql, [stream_id.into()]).await?.iter().map(documents).collect()
    }

    /// The types of documents whose first movements in a stream came after a run.
    pub async fn new_documents(&self, stream_id: i64, run: i64) -> Result<Vec<Documents>> {
        let brought = format!(
            "{OF} WHERE stream_id = $1 AND first_run > $2 AND document_type IS NOT NULL GROUP BY 1, 2"
        );
        let older = "SELECT 1 FROM entry o WHERE o.stream_id = $1 AND o.first_run <= $2 AND o.document_type = f.class";
        let sql = format!(
            "SELECT class, kind, rows, amount FROM ({brought}) f WHERE NOT EXISTS ({older}) ORDER BY class, kind"
        );
        self.db.rows(&sql, [stream_id.into(), run.into()]).await?.iter().map(documents).collect()
    }
}

fn documents(row: &Row) -> Result<Documents> {
    Ok(Documents {
        class: row.get(0)?,
        kind: row.get(1)?,
        count: u64::try_from(row.get::<i64>(2)?)?,
        amount: row.get(3)?,
    })
}
