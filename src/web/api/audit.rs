//! The audit: its entries, and whether its chain holds.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Asked, before, limit, page};
use crate::export::document::ListDoc;
use crate::report::{self, AuditCheckDoc, EntryDoc};
use crate::web::Web;
use crate::web::access::Viewer;
use crate::web::problem::Problem;

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditAsked {
    /// Actions that begin so (`run`, `case.decided`).
    action: Option<String>,
    /// Rows, 1 to 500.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Lists audit entries, newest first.
#[utoipa::path(get, path = "/api/v1/audit", params(AuditAsked),
    responses((status = 200, body = ListDoc<EntryDoc>)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn list(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Asked(asked): Asked<AuditAsked>,
) -> Result<Json<ListDoc<EntryDoc>>, Problem> {
    let (limit, before) = (limit(asked.limit)?, before(asked.cursor.as_deref())?);
    let action = asked.action.as_deref();
    let store = &web.app.store;
    let entries = store.audit(action, before, limit + 1).await?;
    let (entries, total, next) = page(entries, limit, store.count_audit(action).await?, |entry| entry.id);
    let items = entries.iter().map(report::audit_entry).collect();
    Ok(Json(ListDoc { items, total: Some(total), next }))
}

/// Checks the chain and every digest.
#[utoipa::path(get, path = "/api/v1/audit/verify",
    responses((status = 200, body = AuditCheckDoc)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn verify(
    State(web): State<Web>,
    Viewer(_): Viewer,
) -> Result<Json<AuditCheckDoc>, Problem> {
    Ok(Json(report::audit_check(&web.app.store.verify_audit().await?)))
}
