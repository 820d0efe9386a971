//! Cases: what waits for a person, and deciding it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Asked, Sent, bad_value, before, limit, number, page, text};
use crate::export::document::ListDoc;
use crate::report::{self, CaseDoc};
use crate::sync::decide::{self, Refused};
use crate::web::Web;
use crate::web::access::{Operator, Viewer};
use crate::web::problem::Problem;

/// What a case may be.
const STATES: [&str; 3] = ["open", "decided", "settled"];

/// Which cases.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CasesAsked {
    /// `open`, `decided` or `settled`.
    state: Option<String>,
    /// Rows, 1 to 500.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Lists cases, newest first.
#[utoipa::path(get, path = "/api/v1/cases", params(CasesAsked),
    responses((status = 200, body = ListDoc<CaseDoc>)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn list(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Asked(asked): Asked<CasesAsked>,
) -> Result<Json<ListDoc<CaseDoc>>, Problem> {
    let (limit, before) = (limit(asked.limit)?, before(asked.cursor.as_deref())?);
    let state = asked.state.as_deref().filter(|state| !state.is_empty());
    if let Some(other) = state.filter(|state| !STATES.contains(state)) {
        return Err(bad_value("state", other));
    }
    let store = &web.app.store;
    let cases = store.cases(state, before, limit + 1).await?;
    let (cases, total, next) = page(cases, limit, store.count_cases(state, None).await?, |case| case.id);
    let items = cases.iter().map(|case| report::case(case, text())).collect();
    Ok(Json(ListDoc { items, total: Some(total), next }))
}

/// What was decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    /// One of the case's `choices`.
    choice: String,
}

/// Decides a case and carries the decision out.
#[utoipa::path(post, path = "/api/v1/cases/{id}/decide", params(("id" = i64, Path)), request_body = Decision,
    responses((status = 200, body = CaseDoc)), extensions(("x-role" = json!("operator"))))]
pub(super) async fn decide(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(id): Path<String>,
    Sent(decision): Sent<Decision>,
) -> Result<Json<CaseDoc>, Problem> {
    let app = &web.app;
    let id = number("web-no-case", &id)?;
    let decided =
        decide::decide(&app.store, &app.sources, &app.owners, id, &decision.choice, &who.name).await;
    match decided {
        Ok(case) => Ok(Json(report::case(&case, text()))),
        Err(Refused::Because(message)) => Err(match message.id.as_str() {
            "case-unknown" => Problem::new(StatusCode::NOT_FOUND, &message),
            "case-choice-unknown" => Problem::bad(&message),
            _ => Problem::conflict(&message),
        }),
        Err(Refused::Internal(error)) => Err(error.into()),
    }
}
