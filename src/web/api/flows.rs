//! Flows: where each stands, and what may be done to one as a whole.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Sent, bad_value, plans, text};
use crate::export::document::ListDoc;
use crate::model::flow::Way;
use crate::model::{Flow, Message, RunRequest};
use crate::report::{self, FlowDoc, ImportDoc, PlanDoc, RunDoc};
use crate::store::run::Requested;
use crate::sync::flow::{Road, import, life};
use crate::web::Web;
use crate::web::access::{Operator, Viewer};
use crate::web::problem::Problem;
use crate::work::{self, pause};

/// The flow of that name.
pub(in crate::web) fn find<'a>(web: &'a Web, name: &str) -> Result<&'a Flow, Problem> {
    let name = name.replace('\0', "\u{fffd}");
    web.app.config.flow(&name).ok_or_else(|| Problem::missing("web-no-flow", name))
}

async fn document(web: &Web, flow: &Flow) -> Result<Json<FlowDoc>, Problem> {
    Ok(Json(report::flow(&web.app, flow, text()).await?))
}

/// Lists the flows.
#[utoipa::path(get, path = "/api/v1/flows",
    responses((status = 200, body = ListDoc<FlowDoc>)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn list(
    State(web): State<Web>,
    Viewer(_): Viewer,
) -> Result<Json<ListDoc<FlowDoc>>, Problem> {
    let mut items = Vec::new();
    for flow in &web.app.config.flows {
        items.push(report::flow(&web.app, flow, text()).await?);
    }
    Ok(Json(ListDoc::whole(items)))
}

/// One flow.
#[utoipa::path(get, path = "/api/v1/flows/{name}", params(("name" = String, Path)),
    responses((status = 200, body = FlowDoc)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn one(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Path(name): Path<String>,
) -> Result<Json<FlowDoc>, Problem> {
    document(&web, find(&web, &name)?).await
}

/// How an import is to be done.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ImportAsked {
    /// Take the first so many rows.
    limit: Option<i64>,
    /// Only tell what would be done, by what both mirrors have.
    dry_run: bool,
}

/// Brings the records of the system that follows into the master: 202 with the run, or, of a dry run, 200 with
/// what would be done.
#[utoipa::path(post, path = "/api/v1/flows/{name}/import", params(("name" = String, Path)),
    request_body = ImportAsked, responses((status = 200, body = ImportDoc), (status = 202, body = RunDoc)),
    extensions(("x-role" = json!("operator"))))]
pub(super) async fn import(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(name): Path<String>,
    Sent(asked): Sent<ImportAsked>,
) -> Result<Response, Problem> {
    let flow = find(&web, &name)?;
    if let Some(limit) = asked.limit.filter(|limit| *limit < 1) {
        return Err(bad_value("limit", &limit.to_string()));
    }
    if asked.dry_run {
        return Ok(Json(rehearsed(&web, flow).await?).into_response());
    }
    let run = begin_import(&web, flow, asked.limit, &who.name).await?;
    let run = web.app.store.run(run).await?.ok_or_else(|| Problem::missing("web-no-run", run))?;
    Ok((StatusCode::ACCEPTED, Json(report::run(&web.app, &run, text()))).into_response())
}

/// What an import would come to, by what both mirrors have.
pub(in crate::web) async fn rehearsed(web: &Web, flow: &Flow) -> Result<ImportDoc, Problem> {
    let road = Road::new(&web.app, flow, Way::Import).ok_or_else(|| switched_off(flow))?;
    for system in [&flow.from, &flow.to] {
        if web.app.store.last_whole_read(system).await?.is_none() {
            let message = Message::new("flow-never-read").with("flow", &flow.name).with("system", system);
            return Err(Problem::conflict(&message));
        }
    }
    Ok(report::import(&flow.name, None, &import::rehearse(&road).await?))
}

/// Asks for the import of a flow; the number of its run, of the one under way if there is one.
pub(in crate::web) async fn begin_import(
    web: &Web,
    flow: &Flow,
    limit: Option<i64>,
    by: &str,
) -> Result<i64, Problem> {
    if Road::new(&web.app, flow, Way::Import).is_none() {
        return Err(switched_off(flow));
    }
    let wanted = RunRequest { system: flow.name.clone(), limit, import: true, ..RunRequest::default() };
    match work::request(&web.app, web.engine.as_deref(), &wanted, by).await? {
        Requested::Begun(run) | Requested::Joined(run) | Requested::TakenUp(run) => Ok(run),
        Requested::Paused => Err(Problem::conflict(&Message::new("flow-is-paused").with("flow", &flow.name))),
    }
}

fn switched_off(flow: &Flow) -> Problem {
    // Documents go one way only, whatever is switched on.
    let id = if flow.bills.is_some() { "flow-no-import" } else { "flow-system-off" };
    Problem::conflict(&Message::new(id).with("flow", &flow.name))
}

/// Reads both sides and plans what the flow would do. The plan is there at once, and has its changes when its
/// `state` is `ready`.
#[utoipa::path(post, path = "/api/v1/flows/{name}/plan", params(("name" = String, Path)),
    responses((status = 202, body = PlanDoc)), extensions(("x-role" = json!("operator"))))]
pub(super) async fn plan(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let flow = find(&web, &name)?;
    let id = begin_plan(&web, flow, &who.name).await?;
    Ok((StatusCode::ACCEPTED, Json(plans::document(&web, id).await?)).into_response())
}

/// Asks for a plan; its number.
pub(in crate::web) async fn begin_plan(web: &Web, flow: &Flow, by: &str) -> Result<i64, Problem> {
    let asked = work::plan::ask(&web.app, web.engine.as_deref(), flow, by).await?;
    asked.map_err(|message| Problem::conflict(&message))
}

/// Lets a flow write by itself from now on; nothing older is sent.
#[utoipa::path(post, path = "/api/v1/flows/{name}/start", params(("name" = String, Path)),
    responses((status = 200, body = FlowDoc)), extensions(("x-role" = json!("operator"))))]
pub(super) async fn start(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(name): Path<String>,
) -> Result<Json<FlowDoc>, Problem> {
    let flow = find(&web, &name)?;
    life::start(&web.app.store, &flow.name, &who.name).await?;
    document(&web, flow).await
}

/// Stops every write of a flow until somebody says otherwise.
#[utoipa::path(post, path = "/api/v1/flows/{name}/pause", params(("name" = String, Path)),
    responses((status = 200, body = FlowDoc)), extensions(("x-role" = json!("operator"))))]
pub(super) async fn hold(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(name): Path<String>,
) -> Result<Json<FlowDoc>, Problem> {
    let flow = find(&web, &name)?;
    pause::pause(&web.app.store, &flow.name, &who.name, pause::BY_HAND).await?;
    document(&web, flow).await
}

/// Lets a flow write again.
#[utoipa::path(post, path = "/api/v1/flows/{name}/unpause", params(("name" = String, Path)),
    responses((status = 200, body = FlowDoc)), extensions(("x-role" = json!("operator"))))]
pub(super) async fn release(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(name): Path<String>,
) -> Result<Json<FlowDoc>, Problem> {
    let flow = find(&web, &name)?;
    pause::unpause(&web.app.store, &flow.name, &who.name).await?;
    document(&web, flow).await
}
