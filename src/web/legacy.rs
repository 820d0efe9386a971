//! The addresses that scripts of the earlier systems call: thin aliases of runs, in the old shape.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Web;
use super::access::{Operator, Viewer};
use super::api::runs::{StartedDoc, begin};
use super::problem::Problem;
use crate::model::{Message, Run, RunRequest, RunStatus};
use crate::words::{DEFAULT, words};

/// The old addresses.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/admin/sync-data", post(sync_data))
        .route("/api/admin/onec/customers/sync/full", post(onec_full))
        .route("/api/admin/onec/customers/sync/task/{id}", get(onec_task))
}

/// What the old call answers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SyncDataDoc {
    /// Always true: what goes wrong is a problem.
    success: bool,
    /// The runs.
    data: StartedDoc,
}

/// Reads every system that is not paused. For scripts of earlier systems; new ones use
/// `POST /api/v1/runs`.
#[utoipa::path(post, path = "/admin/sync-data",
    responses((status = 200, body = SyncDataDoc)), extensions(("x-role" = json!("operator"))))]
pub(super) async fn sync_data(
    State(web): State<Web>,
    Operator(who): Operator,
) -> Result<Json<SyncDataDoc>, Problem> {
    let all = web.app.sources.iter();
    let requests =
        all.map(|source| RunRequest { system: source.name.clone(), ..RunRequest::default() }).collect();
    let items = begin(&web, requests, true, &who.name).await?;
    Ok(Json(SyncDataDoc { success: true, data: StartedDoc { items } }))
}

/// What the old call takes; what else is sent along is left alone, as it was.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OnecAsked {
    limit: Option<i64>,
    days: Option<i64>,
}

/// Reads the whole shop. Described when there is a connector for one.
pub(super) async fn onec_full(
    State(web): State<Web>,
    Operator(who): Operator,
    Query(asked): Query<OnecAsked>,
) -> Result<Json<Value>, Problem> {
    let request = RunRequest {
        import: false,
        system: shop(&web)?,
        full: true,
        days: asked.days.filter(|days| *days > 0),
        limit: asked.limit.filter(|limit| *limit > 0),
    };
    let items = begin(&web, vec![request], false, &who.name).await?;
    let id = items.first().map_or(0, |run| run.id);
    Ok(Json(json!({
        "success": true,
        "message": words(DEFAULT).text("api-onec-started"),
        "task_id": id.to_string(),
        "status_url": format!("/api/admin/onec/customers/sync/task/{id}"),
    })))
}

/// How far the read of the shop is. Described when there is a connector for one.
pub(super) async fn onec_task(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let shop = shop(&web)?;
    let id: i64 = id.parse().map_err(|_| Problem::not_found())?;
    let run = web.app.store.run(id).await?.filter(|run| run.system == shop);
    Ok(Json(task(&run.ok_or_else(Problem::not_found)?, web.app.currency(&shop))))
}

/// The system of the kind these addresses were made for.
fn shop(web: &Web) -> Result<String, Problem> {
    let shop = web.app.config.systems.iter().find(|system| system.connector.kind() == "onec");
    let missing = || Problem::new(StatusCode::NOT_FOUND, &Message::new("api-no-onec"));
    shop.map(|system| system.name.clone()).ok_or_else(missing)
}

/// A run in the old shape.
fn task(run: &Run, currency: Option<&str>) -> Value {
    let words = words(DEFAULT);
    let status = match run.status {
        RunStatus::Queued => "pending",
        RunStatus::Running => "running",
        RunStatus::Succeeded => "completed",
        RunStatus::Incomplete | RunStatus::Failed | RunStatus::Cancelled => "failed",
    };
    let step = run.stages.iter().rev().find(|stage| stage.started_at.is_some());
    let document = crate::report::run_in(currency, run, words);
    let logs: Vec<String> = run
        .stages
        .iter()
        .map(|stage| format!("{} {}: {}", stage.name, stage.status.word(), stage.counts.read))
        .collect();
    json!({
        "task_id": run.id.to_string(),
        "status": status,
        "progress": run.progress,
        "current_step": step.map(|stage| stage.name.clone()),
        "logs": logs,
        "result": run.status.is_over().then(|| serde_json::to_value(&document).unwrap_or_default()),
        "error": document.error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stage;

    #[test]
    fn a_run_has_the_old_shape() {
        let mut stage = Stage::waiting(0, "cards", 1);
        stage.started_at = Some(0);
        let run = Run {
            id: 7,
            kind: "pull".to_owned(),
            system: "shop".to_owned(),
            mode: "full".to_owned(),
            days: None,
            limit: None,
            status: RunStatus::Incomplete,
            progress: 55,
            stages: vec![stage, Stage::waiting(1, "purchases", 1)],
            error: None,
            requested_by: "script".to_owned(),
            queued_at: 0,
            started_at: Some(0),
            finished_at: Some(1),
            revision: 3,
            cancel: false,
        };
        let task = task(&run, Some("RUB"));
        assert_eq!((task["task_id"].as_str(), task["status"].as_str()), (Some("7"), Some("failed")));
        assert_eq!((task["progress"].as_i64(), task["current_step"].as_str()), (Some(55), Some("cards")));
        assert_eq!(task["logs"].as_array().map(Vec::len), Some(2));
        assert_eq!(task["result"]["status"], "incomplete");
    }
}
