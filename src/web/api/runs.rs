//! Runs: asking for them, following them, stopping them and taking them up again.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Asked, Sent, bad_value, before, known_system, limit, number, page, text};
use crate::export::document::ListDoc;
use crate::model::{Message, Run, RunRequest};
use crate::report::{self, RunDoc};
use crate::store::run::Requested;
use crate::sync::now;
use crate::web::Web;
use crate::web::access::{Operator, Viewer};
use crate::web::problem::Problem;
use crate::work;

/// How often a run is looked at for those who follow it.
const LOOK: Duration = Duration::from_millis(300);

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RunsAsked {
    /// Of this system only.
    system: Option<String>,
    /// Rows, 1 to 500.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Lists runs, newest first.
#[utoipa::path(get, path = "/api/v1/runs", params(RunsAsked),
    responses((status = 200, body = ListDoc<RunDoc>)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn list(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Asked(asked): Asked<RunsAsked>,
) -> Result<Json<ListDoc<RunDoc>>, Problem> {
    let (limit, before) = (limit(asked.limit)?, before(asked.cursor.as_deref())?);
    let system = asked.system.as_deref().filter(|system| !system.is_empty());
    known_system(&web, system).await?;
    let store = &web.app.store;
    let runs = store.runs(system, before, limit + 1).await?;
    let (runs, total, next) = page(runs, limit, store.count_runs(system).await?, |run| run.id);
    let items = runs.iter().map(|run| report::run(&web.app, run, text())).collect();
    Ok(Json(ListDoc { items, total: Some(total), next }))
}

/// What a run is to do.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RunAsked {
    /// `pull`.
    kind: Option<String>,
    /// The systems; when left out all that are switched on and not paused.
    systems: Option<Vec<String>>,
    /// `full`: start anew and read everything; `changes`: take up an interrupted run.
    mode: Option<String>,
    /// Read only so many days of dated streams.
    days: Option<i64>,
    /// Take the first so many clients and what hangs on them.
    limit: Option<i64>,
}

/// The runs that were asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::web) struct StartedDoc {
    /// One per system; the one under way if there is one.
    pub items: Vec<RunDoc>,
}

/// Asks for runs, one per system.
#[utoipa::path(post, path = "/api/v1/runs", request_body = RunAsked,
    responses((status = 202, body = StartedDoc)), extensions(("x-role" = json!("operator"))))]
pub(super) async fn start(
    State(web): State<Web>,
    Operator(who): Operator,
    Sent(asked): Sent<RunAsked>,
) -> Result<Response, Problem> {
    if let Some(kind) = asked.kind.filter(|kind| kind != "pull") {
        return Err(bad_value("kind", &kind));
    }
    let full = match asked.mode.as_deref() {
        None | Some("changes") => false,
        Some("full") => true,
        Some(other) => return Err(bad_value("mode", other)),
    };
    for (name, value) in [("days", asked.days), ("limit", asked.limit)] {
        if let Some(value) = value.filter(|value| *value < 1) {
            return Err(bad_value(name, &value.to_string()));
        }
    }
    let all = asked.systems.is_none();
    let every = || web.app.sources.iter().map(|source| source.name.clone()).collect();
    let systems = asked.systems.unwrap_or_else(every);
    let requests = systems.into_iter().map(|system| RunRequest {
        system,
        full,
        days: asked.days,
        limit: asked.limit,
        import: false,
    });
    let items = begin(&web, requests.collect(), all, &who.name).await?;
    Ok((StatusCode::ACCEPTED, Json(StartedDoc { items })).into_response())
}

/// Asks for these runs; an unknown system is a mistake before any of them. A system that is paused
/// is one as well, unless the runs are those of `all` systems: then it is left out.
pub(in crate::web) async fn begin(
    web: &Web,
    mut requests: Vec<RunRequest>,
    all: bool,
    by: &str,
) -> Result<Vec<RunDoc>, Problem> {
    requests.dedup_by(|one, other| one.system == other.system);
    if let Some(unknown) = requests.iter().find(|request| web.app.source(&request.system).is_none()) {
        let message = Message::new("api-unknown-system").with("system", &unknown.system);
        return Err(Problem::bad(&message));
    }
    let mut items = Vec::new();
    for request in requests {
        let id = match work::request(&web.app, web.engine.as_deref(), &request, by).await? {
            Requested::Begun(id) | Requested::Joined(id) | Requested::TakenUp(id) => id,
            Requested::Paused if all => continue,
            Requested::Paused => {
                let message = Message::new("system-is-paused").with("system", &request.system);
                return Err(Problem::conflict(&message));
            }
        };
        items.push(report::run(&web.app, &find(web, id).await?, text()));
    }
    Ok(items)
}

async fn find(web: &Web, id: i64) -> Result<Run, Problem> {
    web.app.store.run(id).await?.ok_or_else(|| Problem::missing("web-no-run", id))
}

/// One run.
#[utoipa::path(get, path = "/api/v1/runs/{id}", params(("id" = i64, Path)),
    responses((status = 200, body = RunDoc)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn one(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Path(id): Path<String>,
) -> Result<Json<RunDoc>, Problem> {
    Ok(Json(report::run(&web.app, &find(&web, number("web-no-run", &id)?).await?, text())))
}

/// Asks a run to stop; one that is over already is a conflict.
#[utoipa::path(post, path = "/api/v1/runs/{id}/cancel", params(("id" = i64, Path)),
    responses((status = 202, body = RunDoc)), extensions(("x-role" = json!("operator"))))]
pub(super) async fn cancel(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let run = find(&web, number("web-no-run", &id)?).await?;
    if !web.app.store.cancel_run(run.id, &who.name, now()).await? {
        return Err(Problem::conflict(&Message::new("api-run-over").with("run", run.id)));
    }
    let run = report::run(&web.app, &find(&web, run.id).await?, text());
    Ok((StatusCode::ACCEPTED, Json(run)).into_response())
}

/// Takes a cancelled or failed run up again at the page where it stopped.
#[utoipa::path(post, path = "/api/v1/runs/{id}/resume", params(("id" = i64, Path)),
    responses((status = 202, body = RunDoc)), extensions(("x-role" = json!("operator"))))]
pub(super) async fn resume(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let run = find(&web, number("web-no-run", &id)?).await?;
    if !web.app.store.resume_run(run.id, &who.name, now()).await? {
        return Err(Problem::conflict(&Message::new("api-run-not-resumable").with("run", run.id)));
    }
    let run = report::run(&web.app, &find(&web, run.id).await?, text());
    Ok((StatusCode::ACCEPTED, Json(run)).into_response())
}

/// Follows a run: an event `run` with the run for each change, closed after its last state. The id
/// of an event is the run's revision; `Last-Event-ID` goes on behind it.
#[utoipa::path(get, path = "/api/v1/runs/{id}/events", params(("id" = i64, Path)),
    responses((status = 200, description = "text/event-stream"),
        (status = 204, description = "nothing more will come")),
    extensions(("x-role" = json!("viewer"))))]
pub(super) async fn events(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let run = find(&web, number("web-no-run", &id)?).await?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.trim().parse::<i64>().ok());
    if run.status.is_over() && last == Some(run.revision) {
        // Without this answer a browser would ask again for ever.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let begin = (web, run.id, last, false);
    let stream = unfold(begin, |(web, id, last, over)| async move {
        if over {
            return None;
        }
        loop {
            // A run that cannot be looked at now is looked at again by whoever reconnects.
            let run = web.app.store.run(id).await.ok()??;
            if last != Some(run.revision) {
                let over = run.status.is_over();
                let event = Event::default()
                    .event("run")
                    .id(run.revision.to_string())
                    .json_data(report::run(&web.app, &run, text()))
                    .ok()?;
                return Some((Ok::<_, Infallible>(event), (web, id, Some(run.revision), over)));
            }
            tokio::time::sleep(LOOK).await;
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()).into_response())
}
