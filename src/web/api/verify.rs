//! `/api/v1/customers/{id}/verify`: one customer held against its source, read now.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::customers::find;
use crate::model::Message;
use crate::store::audit;
use crate::store::listing::Item;
use crate::sync::now;
use crate::sync::parity::{self, Unverified, VerifyDoc};
use crate::web::Web;
use crate::web::access::Operator;
use crate::web::problem::Problem;

/// Reads a customer from its source now and holds it against the mirror.
#[utoipa::path(post, path = "/api/v1/customers/{id}/verify", params(("id" = i64, Path)),
    responses((status = 200, body = VerifyDoc)), extensions(("x-role" = json!("operator"))))]
pub(super) async fn customer(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(id): Path<String>,
) -> Result<Json<VerifyDoc>, Problem> {
    let item = find(&web, &id).await?;
    held(&web, &item, &who.name).await.map(Json)
}

/// Holds a customer against its source and says so in the audit. A source that cannot be read is 502, one
/// that cannot be asked for a single customer 409.
pub(crate) async fn held(web: &Web, item: &Item, actor: &str) -> Result<VerifyDoc, Problem> {
    let app = &web.app;
    let unknown = || Problem::conflict(&Message::new("api-unknown-system").with("system", &item.system));
    let source = app.source(&item.system).ok_or_else(unknown)?;
    let found = parity::customer(&app.store, &app.owners, source, item.id, &item.key).await;
    let document = found.map_err(|error| match error {
        Unverified::Source(error) => {
            Problem::new(StatusCode::BAD_GATEWAY, &error.message().clone().with("system", &item.system))
        }
        Unverified::NotAlone => Problem::conflict(&error.message().with("system", &item.system)),
        Unverified::Internal(error) => Problem::from(error),
    })?;
    let mut tx = app.store.begin().await?;
    let subject = format!("customer {}", item.id);
    let entry = audit::NewEntry {
        actor,
        action: "customer.verified",
        subject: &subject,
        after: Some(serde_json::json!({ "agree": document.agree }).to_string()),
        ..audit::NewEntry::default()
    };
    audit::write(&mut tx, entry, now()).await?;
    tx.commit().await?;
    Ok(document)
}
