//! The quotes and invoices of a customer.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::customers::find;
use super::entries::EntriesAsked;
use super::{Asked, bad_cursor, limit};
use crate::export::document::ListDoc;
use crate::model::amount::{NET, show};
use crate::store::document::DocumentRow;
use crate::web::Web;
use crate::web::access::Viewer;
use crate::web::problem::Problem;

/// A quote or an invoice.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DocumentDoc {
    /// The list it stands in: `quotes` or `invoices`.
    stream: String,
    /// Its key.
    key: String,
    /// The number people know; null while it has none.
    number: Option<String>,
    /// What it has come to, as its system counts it.
    state: Option<i64>,
    /// The code of its subtype.
    subtype: Option<String>,
    /// `YYYY-MM-DDTHH:MM:SS` on the clock of its system.
    made: Option<String>,
    /// Decimal, in the currency of its system.
    net: Option<String>,
    /// Whether it has left its system.
    gone: bool,
    /// The flow that has written it to another system.
    flow: Option<String>,
    /// What it is there.
    written_as: Option<String>,
}

impl From<DocumentRow> for DocumentDoc {
    fn from(row: DocumentRow) -> DocumentDoc {
        DocumentDoc {
            stream: row.stream,
            key: row.key,
            number: row.number,
            state: row.state,
            subtype: row.subtype,
            made: row.made,
            net: row.net.map(|net| show(i128::from(net), NET.scale)),
            gone: row.gone,
            flow: row.flow,
            written_as: row.written_as,
        }
    }
}

/// The quotes and invoices of a customer, the newest first.
#[utoipa::path(get, path = "/api/v1/customers/{id}/documents", params(("id" = i64, Path), EntriesAsked),
    responses((status = 200, body = ListDoc<DocumentDoc>)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn documents(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Path(id): Path<String>,
    Asked(asked): Asked<EntriesAsked>,
) -> Result<Json<ListDoc<DocumentDoc>>, Problem> {
    let customer = find(&web, &id).await?;
    let limit = limit(asked.limit)?;
    let offset = asked.cursor.as_deref().map_or(Ok(0), str::parse::<u32>).map_err(|_| bad_cursor())?;
    let offset = i64::from(offset);
    let rows = web.app.store.documents_of(customer.id, offset, limit).await?;
    let total = web.app.store.count_documents(customer.id).await?;
    let end = offset + rows.len() as i64;
    let items = rows.into_iter().map(DocumentDoc::from).collect();
    Ok(Json(ListDoc { items, total: Some(total), next: (end < total).then(|| end.to_string()) }))
}
