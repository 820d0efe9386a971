//! Plans of flows: what each would do, and doing it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Sent, number, text};
use crate::report::{self, PlanDoc};
use crate::sync::flow::planned::{self, Applying, Refused};
use crate::web::Web;
use crate::web::access::{Operator, Viewer};
use crate::web::problem::Problem;

/// A plan with all its changes.
pub(super) async fn document(web: &Web, id: i64) -> Result<PlanDoc, Problem> {
    let store = &web.app.store;
    let plan = store.plan(id).await?.ok_or_else(|| Problem::missing("web-no-plan", id))?;
    let rows = store.plan_changes(id, None, 0, i64::MAX).await?;
    let rows = rows.into_iter().map(planned::read).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(report::kept_plan(store, &plan, &rows, text()).await?)
}

/// One plan, with what became of the changes that were asked for.
#[utoipa::path(get, path = "/api/v1/plans/{id}", params(("id" = i64, Path)),
    responses((status = 200, body = PlanDoc)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn one(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Path(id): Path<String>,
) -> Result<Json<PlanDoc>, Problem> {
    Ok(Json(document(&web, number("web-no-plan", &id)?).await?))
}

/// What of a plan is to be done.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ApplyAsked {
    /// The records of the master whose changes are wanted; all when left out.
    sources: Option<Vec<String>>,
}

/// What was begun.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApplyingDoc {
    /// The plan.
    plan: i64,
    /// Changes that were asked for now.
    asked: i64,
    /// Changes that were asked for before.
    already: i64,
    /// Records of the master whose change was left out: one of the sides says something else by now.
    left_out: Vec<String>,
}

/// Asks for what a plan says, about all records or some. Those that moved since are left out, now or just
/// before they would be written; where all of them have, the answer is 412.
#[utoipa::path(post, path = "/api/v1/plans/{id}/apply", params(("id" = i64, Path)), request_body = ApplyAsked,
    responses((status = 202, body = ApplyingDoc)), extensions(("x-role" = json!("operator"))))]
pub(super) async fn apply(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(id): Path<String>,
    Sent(asked): Sent<ApplyAsked>,
) -> Result<Response, Problem> {
    let id = number("web-no-plan", &id)?;
    let Applying { asked, already, left_out } = begin(&web, id, asked.sources.as_deref(), &who.name).await?;
    Ok((StatusCode::ACCEPTED, Json(ApplyingDoc { plan: id, asked, already, left_out })).into_response())
}

/// Asks for what a plan says.
pub(in crate::web) async fn begin(
    web: &Web,
    id: i64,
    sources: Option<&[String]>,
    by: &str,
) -> Result<Applying, Problem> {
    planned::apply(&web.app, id, sources, by).await.map_err(|refused| match refused {
        Refused::Unknown(message) => Problem::new(StatusCode::NOT_FOUND, &message),
        Refused::Wrong(message) => Problem::bad(&message),
        Refused::Conflict(message) => Problem::conflict(&message),
        Refused::Overtaken(message) => Problem::new(StatusCode::PRECONDITION_FAILED, &message),
        Refused::Internal(error) => error.into(),
    })
}
