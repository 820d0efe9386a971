//! The flows: where each stands, what waits for it, and what may be done to one as a whole.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::show::{self, Time, number};
use super::state::{Figure, State as Look, stored_message};
use super::{Done, Frame, link, render};
use crate::app::App;
use crate::model::Flow;
use crate::model::flow::Way;
use crate::report::ImportDoc;
use crate::store::plan::PlanState;
use crate::sync::flow::Road;
use crate::sync::flow::import as imported;
use crate::sync::flow::import::Summary;
use crate::sync::flow::life::{self, Life};
use crate::sync::now;
use crate::web::Web;
use crate::web::access::{Operator, Viewer};
use crate::web::api::flows::{begin_import, begin_plan, find, rehearsed};
use crate::web::problem::Problem;
use crate::words::Words;
use crate::work::pause;

/// A flow.
struct FlowView {
    name: String,
    from: String,
    to: String,
    state: Look,
    /// What it does, or will do when it is started.
    does: String,
    note: Option<String>,
    new: bool,
    paused: bool,
    closed: bool,
    importing: Option<i64>,
    progress: i64,
    links: Figure,
    open: Figure,
    stuck: Figure,
    cases: Figure,
    live_since: Option<Time>,
    reconcile: Option<String>,
    reconciled: Option<Time>,
    plan: Option<(i64, Look, Time)>,
    import: Option<Imported>,
}

/// What its last import came to.
struct Imported {
    run: i64,
    at: Option<Time>,
    counts: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "flows.html")]
struct Flows {
    f: Frame,
    flows: Vec<FlowView>,
    all_paused: bool,
}

/// `GET /flows`
pub async fn page(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let mut f = Frame::new(app, who, "/flows", "web-flows").await?.saying(done.done.as_deref());
    let mut flows = Vec::new();
    for flow in &app.config.flows {
        let view = view(app, flow, f.words).await?;
        f.refresh |= view.importing.is_some();
        flows.push(view);
    }
    let all_paused = !flows.is_empty() && flows.iter().all(|flow| flow.paused);
    render(&Flows { f, flows, all_paused })
}

async fn view(app: &std::sync::Arc<App>, flow: &Flow, words: &Words) -> anyhow::Result<FlowView> {
    let store = &app.store;
    let name = flow.name.as_str();
    let (state, pause) = (store.flow_state(name).await?, store.system_state(name).await?);
    let life = Life::of(&state, &pause);
    let active = store.active_run(name).await?;
    let at = now();
    let here = |path: &str, more: &[(&str, Option<&str>)]| {
        let mut query = vec![("flow", Some(name))];
        query.extend(more);
        link::to(path, &query)
    };
    let import = match (store.last_run(name).await?, Road::new(app, flow, Way::Import)) {
        (Some(run), Some(road)) => {
            let summary = imported::summary(&road, run.id).await?;
            let at = run.finished_at.map(|ended| show::ago(ended, at, words));
            Some(Imported { run: run.id, at, counts: counts(&summary, words) })
        }
        _ => None,
    };
    let plan = store.last_plan(name).await?.map(|plan| {
        (plan.id, Look::plan(plan.state, words), show::ago(plan.made_at.unwrap_or(plan.asked_at), at, words))
    });
    let stuck = store.stuck_deliveries(name).await?.into_iter().sum();
    Ok(FlowView {
        does: words.with(
            &format!("web-flow-{}-does", life.word()),
            &[("from", flow.from.as_str()), ("to", flow.to.as_str())],
        ),
        note: note(app, flow, words).await?,
        state: Look::flow(life, words),
        new: state.live_since.is_none(),
        paused: life == Life::Paused,
        closed: state.import_closed_at.is_some(),
        importing: active.as_ref().map(|run| run.id),
        progress: active.map_or(0, |run| run.progress),
        links: Figure::count(store.count_links(name).await?, here("/links", &[])),
        open: Figure::count(
            store.open_deliveries(name).await?,
            here("/deliveries", &[("state", Some("open"))]),
        ),
        stuck: Figure::loss(stuck, here("/deliveries", &[("state", Some("stuck"))])),
        cases: Figure::loss(store.count_cases(Some("open"), Some(name)).await?, "/cases"),
        live_since: state.live_since.map(|since| show::ago(since, at, words)),
        reconcile: flow.reconcile.map(|time| time.strftime("%H:%M").to_string()),
        reconciled: state.reconciled_at.map(|done| show::ago(done, at, words)),
        plan,
        import,
        name: name.to_owned(),
        from: flow.from.clone(),
        to: flow.to.clone(),
    })
}

/// What keeps a flow from working, beyond its own state: why it is paused, a side that is switched off or
/// paused.
async fn note(app: &std::sync::Arc<App>, flow: &Flow, words: &Words) -> anyhow::Result<Option<String>> {
    if Road::new(app, flow, Way::Forward).is_none() {
        return Ok(Some(words.with("flow-system-off", &[("flow", &flow.name)])));
    }
    for name in [&flow.name, &flow.from, &flow.to] {
        let state = app.store.system_state(name).await?;
        if state.paused_at.is_none() {
            continue;
        }
        if *name != flow.name {
            return Ok(Some(words.with("web-flow-side-paused", &[("system", name)])));
        }
        let by = state.paused_by.as_deref().map(|by| super::runs::actor(by, words)).unwrap_or_default();
        let reason = state.paused_reason.as_deref().map(|reason| stored_message(reason, words));
        return Ok(Some(format!("{} ({by})", reason.unwrap_or_default())));
    }
    Ok(None)
}

/// What an import came to, in words and figures.
fn counts(summary: &Summary, words: &Words) -> Vec<(String, String)> {
    let counts = [
        ("created", summary.created),
        ("linked", summary.linked),
        ("already-linked", summary.already_linked),
        ("excluded", summary.excluded),
        ("cases", summary.cases),
        ("errors", summary.errors),
    ];
    counts.into_iter().map(|(word, n)| (words.text(&format!("import-{word}")), number(n))).collect()
}

#[derive(Template)]
#[template(path = "import.html")]
struct Import {
    f: Frame,
    flow: String,
    from: String,
    to: String,
    counts: Vec<(String, String)>,
    nothing: bool,
    closed: bool,
}

/// `GET /flows/{name}/import`: what an import would come to, and the button for it.
pub async fn import_form(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let flow = find(&web, &name)?;
    let ImportDoc { created, linked, already_linked, excluded, cases, errors, .. } =
        rehearsed(&web, flow).await?;
    let f = Frame::new(&web.app, who, "/flows", "web-import").await?;
    let summary = Summary { created, linked, already_linked, excluded, cases, errors, closed: false };
    render(&Import {
        flow: flow.name.clone(),
        from: flow.to.clone(),
        to: flow.from.clone(),
        counts: counts(&summary, f.words),
        nothing: created + linked + cases == 0,
        closed: web.app.store.flow_state(&flow.name).await?.import_closed_at.is_some(),
        f,
    })
}

/// `POST /flows/{name}/import`
pub async fn import(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let run = begin_import(&web, find(&web, &name)?, None, &who.name).await?;
    Ok(Redirect::to(&format!("/runs/{run}")).into_response())
}

/// `POST /flows/{name}/{plan|start|pause|unpause}`; `all` may be paused and unpaused.
pub async fn act(
    State(web): State<Web>,
    Operator(who): Operator,
    Path((name, action)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let chosen: Vec<&Flow> = match (name.as_str(), action.as_str()) {
        ("all", "pause" | "unpause") => app.config.flows.iter().collect(),
        _ => vec![find(&web, &name)?],
    };
    for flow in chosen {
        match action.as_str() {
            "plan" => {
                let id = begin_plan(&web, flow, &who.name).await?;
                return Ok(Redirect::to(&format!("/plans/{id}")).into_response());
            }
            "start" => life::start(&app.store, &flow.name, &who.name).await?,
            "pause" => pause::pause(&app.store, &flow.name, &who.name, pause::BY_HAND).await?,
            "unpause" => pause::unpause(&app.store, &flow.name, &who.name).await?,
            _ => return Err(Problem::not_found()),
        }
    }
    Ok(Redirect::to(&link::to("/flows", &[("done", Some(action.as_str()))])).into_response())
}

impl Look {
    /// Where a flow is in its life.
    pub fn flow(life: Life, words: &Words) -> Look {
        let (tone, icon) = match life {
            Life::New => ("calm", "dots"),
            Life::Live => ("good", "check"),
            Life::Paused => ("warn", "pause"),
        };
        Look::new(words, &format!("web-flow-{}", life.word()), tone, icon)
    }

    /// How a plan is.
    pub fn plan(state: PlanState, words: &Words) -> Look {
        let (tone, icon) = match state {
            PlanState::Reading => ("busy", "turn"),
            PlanState::Ready => ("good", "check"),
            PlanState::Failed => ("bad", "cross"),
        };
        Look::new(words, &format!("web-plan-{}", state.word()), tone, icon)
    }
}
