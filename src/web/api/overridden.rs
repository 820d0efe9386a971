//! Edits of the system that follows that the master overrode.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Asked, bad_value, before, flows, limit, number, page};
use crate::export::document::ListDoc;
use crate::model::Message;
use crate::report::{self, OverriddenDoc};
use crate::sync::flow::restore;
use crate::web::Web;
use crate::web::access::{Operator, Viewer};
use crate::web::problem::Problem;

/// Which overridden edits.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OverriddenAsked {
    /// Of this flow only.
    flow: Option<String>,
    /// Rows, 1 to 500.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Lists overridden edits, newest first.
#[utoipa::path(get, path = "/api/v1/overridden", params(OverriddenAsked),
    responses((status = 200, body = ListDoc<OverriddenDoc>)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn list(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Asked(asked): Asked<OverriddenAsked>,
) -> Result<Json<ListDoc<OverriddenDoc>>, Problem> {
    let (limit, before) = (limit(asked.limit)?, before(asked.cursor.as_deref())?);
    let flow = asked.flow.unwrap_or_default();
    if !flow.is_empty() {
        flows::find(&web, &flow).map_err(|_| bad_value("flow", &flow.replace('\0', "\u{fffd}")))?;
    }
    let store = &web.app.store;
    let found = store.overridden(&flow, before, limit + 1).await?;
    let (found, total, next) = page(found, limit, store.count_overridden(&flow).await?, |one| one.id);
    Ok(Json(ListDoc { items: found.iter().map(report::overridden).collect(), total: Some(total), next }))
}

/// Takes one over into the master: it was right after all.
#[utoipa::path(post, path = "/api/v1/overridden/{id}/accept", params(("id" = i64, Path)),
    responses((status = 200, body = OverriddenDoc)), extensions(("x-role" = json!("operator"))))]
pub(super) async fn accept(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(id): Path<String>,
) -> Result<Json<OverriddenDoc>, Problem> {
    let id = number("web-no-overridden", &id)?;
    take_over(&web, id, &who.name).await?;
    let value = web.app.store.overridden_value(id).await?;
    let value = value.ok_or_else(|| Problem::missing("web-no-overridden", id))?;
    Ok(Json(report::overridden(&value)))
}

/// Has an overridden edit taken over into the master.
pub(in crate::web) async fn take_over(web: &Web, id: i64, by: &str) -> Result<(), Problem> {
    match restore::accept(&web.app.store, id, by).await? {
        Ok(()) => Ok(()),
        Err("overridden-unknown") => Err(Problem::missing("web-no-overridden", id)),
        Err(why) => Err(Problem::conflict(&Message::new(why).with("delivery", id))),
    }
}
