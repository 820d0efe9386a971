//! The quotes and invoices of a customer.

use anyhow::Result;

use super::super::show::{self, maybe_amount, number};
use super::super::state;
use crate::model::amount::NET;
use crate::store::Store;
use crate::words::Words;

/// Documents shown; the API has the rest.
const LINES: i64 = 100;

/// A quote or an invoice.
pub(super) struct DocumentView {
    pub number: String,
    pub kind: String,
    pub made: String,
    pub state: String,
    pub net: String,
    pub written_as: Option<String>,
    pub gone: bool,
}

/// The newest of them, and how many more there are.
pub(super) struct Documents {
    pub rows: Vec<DocumentView>,
    pub more: Option<String>,
}

/// The quotes and invoices of a customer.
pub(super) async fn of(store: &Store, customer: i64, words: &Words) -> Result<Documents> {
    let rows = store.documents_of(customer, 0, LINES).await?;
    let left = store.count_documents(customer).await? - rows.len() as i64;
    let unknown = || show::UNKNOWN.to_owned();
    let view = |row: crate::store::document::DocumentRow| DocumentView {
        number: row.number.unwrap_or_else(unknown),
        kind: state::stream(&row.stream, words),
        made: row.made.map_or_else(unknown, |made| made.get(..16).unwrap_or(&made).replace('T', " ")),
        state: row.state.map_or_else(unknown, |state| state.to_string()),
        net: maybe_amount(row.net, NET),
        written_as: row.written_as,
        gone: row.gone,
    };
    Ok(Documents { rows: rows.into_iter().map(view).collect(), more: (left > 0).then(|| number(left)) })
}
