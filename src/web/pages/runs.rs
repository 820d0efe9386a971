//! Runs: the list, one of them while it runs and afterwards, the rows behind its figures.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::show::{self, Time, moment, number};
use super::stages::{self, ReasonRow, StageRow, SumRow};
use super::state::{self, State as Look, stored_message};
use super::{Done, Frame, link, numbered, refused, render};
use crate::app::App;
use crate::model::{Disposition, Message, Run, RunStatus, StageStatus};
use crate::report;
use crate::sync::now;
use crate::web::Web;
use crate::web::access::{Operator, Viewer, Who};
use crate::web::problem::Problem;
use crate::words::Words;

/// Runs on a page.
const PAGE: i64 = 50;
/// Rows shown of those behind a figure.
const ROWS: i64 = 500;

/// What the list is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    system: Option<String>,
    before: Option<i64>,
}

struct RunRow {
    id: i64,
    system: String,
    state: Look,
    mode: String,
    by: String,
    began: Option<Time>,
    took: String,
    read: String,
    changed: String,
    left_out: i64,
    error: Option<String>,
}

struct Choice {
    name: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "runs.html")]
struct Runs {
    f: Frame,
    systems: Vec<Choice>,
    filtered: bool,
    rows: Vec<RunRow>,
    total: String,
    first: Option<String>,
    next: Option<String>,
}

struct MishapRow {
    at: Time,
    request: String,
    attempt: i64,
    problem: String,
    wait: String,
}

#[derive(Template)]
#[template(path = "run.html")]
struct RunPage {
    f: Frame,
    live: Live,
}

#[derive(Template)]
#[template(path = "part/run.html")]
struct Live {
    words: &'static Words,
    operates: bool,
    id: i64,
    system: String,
    state: Look,
    over: bool,
    /// Whether it is a flow's import, not a read.
    is_import: bool,
    cancelling: bool,
    can_resume: bool,
    progress: i64,
    doing: String,
    error: Option<String>,
    facts: Vec<(String, String)>,
    began: Option<Time>,
    ended: Option<Time>,
    stages: Vec<StageRow>,
    sums: Vec<SumRow>,
    reasons: Vec<ReasonRow>,
    mishaps: Vec<MishapRow>,
}

impl Live {
    fn t(&self, id: &str) -> String {
        self.words.text(id)
    }
}

/// `GET /runs`
pub async fn list(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Query(asked): Query<Asked>,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let f = Frame::new(app, who, "/runs", "web-runs").await?.saying(done.done.as_deref());
    let system = asked.system.as_deref().filter(|system| !system.is_empty());
    let mut runs = app.store.runs(system, asked.before, PAGE + 1).await?;
    let more = runs.len() as i64 > PAGE;
    runs.truncate(PAGE as usize);
    let next = runs.last().filter(|_| more).map(|run| run.id.to_string());
    let at = now();
    render(&Runs {
        systems: app
            .sources
            .iter()
            .map(|source| Choice { name: source.name.clone(), chosen: system == Some(source.name.as_str()) })
            .collect(),
        filtered: system.is_some(),
        rows: runs.iter().map(|run| run_row(run, at, f.words)).collect(),
        total: number(app.store.count_runs(system).await?),
        first: asked.before.map(|_| link::to("/runs", &[("system", system)])),
        next: next.map(|next| link::to("/runs", &[("system", system), ("before", Some(next.as_str()))])),
        f,
    })
}

fn run_row(run: &Run, at: i64, words: &Words) -> RunRow {
    let sum = |of: fn(&crate::model::Counts) -> u64| run.stages.iter().map(|s| of(&s.counts)).sum::<u64>();
    let read = sum(|counts| counts.read);
    RunRow {
        id: run.id,
        system: run.system.clone(),
        state: Look::run(run.status, words),
        mode: mode(run, words),
        by: actor(&run.requested_by, words),
        began: run.started_at.or(Some(run.queued_at)).map(|from| show::ago(from, at, words)),
        took: run.started_at.map_or_else(
            || show::UNKNOWN.to_owned(),
            |from| show::duration(from, run.finished_at.unwrap_or(at), words),
        ),
        read: number(read as i64),
        changed: number(sum(|counts| counts.created + counts.updated) as i64),
        left_out: sum(|counts| counts.excluded + counts.rejected) as i64,
        error: run.error.as_ref().map(|error| words.message(error)),
    }
}

/// How a run reads: everything, what is left, or some clients only.
fn mode(run: &Run, words: &Words) -> String {
    let mode = words.text(&format!("web-mode-{}", run.mode));
    match run.limit {
        Some(limit) => words.with("web-mode-limited", &[("mode", &mode), ("n", &number(limit))]),
        None => mode,
    }
}

/// Who did something, in words when it was the program itself.
pub fn actor(name: &str, words: &Words) -> String {
    // `cli:somebody` is somebody at a terminal.
    let (way, person) = name.split_once(':').unwrap_or((name, ""));
    if way == "cli" && !person.is_empty() && person != "unknown" {
        return words.with("web-actor-cli-of", &[("name", person)]);
    }
    let id = format!("web-actor-{way}");
    if words.knows(&id) { words.text(&id) } else { name.to_owned() }
}

async fn live(app: &App, who: &Who, id: i64, f: &Frame) -> Result<Live, Problem> {
    let run = app.store.run(id).await?.ok_or_else(|| Problem::missing("web-no-run", id))?;
    let words = f.words;
    let at = now();
    let over = run.status.is_over();
    let reading = run.stages.iter().find(|stage| stage.status == StageStatus::Running);
    let doing = match (over, reading) {
        (true, _) => words.text(&format!("run-status-{}", run.status.word())),
        (false, Some(stage)) => words.with("web-reading", &[("stream", &state::stream(&stage.name, words))]),
        (false, None) if run.status == RunStatus::Queued => words.text("web-waiting"),
        (false, None) => words.text("web-finishing"),
    };
    let mut facts = vec![
        (words.text("web-system"), run.system.clone()),
        (words.text("web-mode"), words.text(&format!("web-mode-{}", run.mode))),
        (words.text("web-asked-by"), actor(&run.requested_by, words)),
    ];
    if let Some(from) = run.started_at {
        let took = show::duration(from, run.finished_at.unwrap_or(at), words);
        facts.push((words.text("web-took"), took));
    }
    if let Some(limit) = run.limit {
        facts.push((words.text("web-limit"), number(limit)));
    }
    if let Some(days) = run.days {
        facts.push((words.text("web-days"), number(days)));
    }
    let mishaps = app.store.mishaps(id).await?.into_iter().map(|mishap| MishapRow {
        at: moment(mishap.at),
        request: mishap.request,
        attempt: mishap.attempt,
        problem: stored_message(&mishap.problem, words),
        wait: mishap.wait_ms.map_or_else(
            || show::UNKNOWN.to_owned(),
            |wait| words.with("web-milliseconds", &[("n", &number(wait))]),
        ),
    });
    Ok(Live {
        words,
        operates: f.operates(),
        id,
        state: Look::run(run.status, words),
        over,
        is_import: run.kind == "import",
        cancelling: !over && run.cancel,
        can_resume: can_resume(app, &run).await? && who.role >= crate::web::access::Role::Operator,
        progress: run.progress,
        doing,
        error: run.error.as_ref().map(|error| words.message(error)),
        facts,
        began: run.started_at.map(moment),
        ended: run.finished_at.map(moment),
        stages: stages::stage_rows(&run, at, words),
        sums: stages::sum_rows(&run, app.currency(&run.system), words),
        reasons: stages::reason_rows(&run, app.currency(&run.system), words),
        mishaps: mishaps.collect(),
        system: run.system,
    })
}

/// Whether the run is the latest of its system and was stopped in the middle.
async fn can_resume(app: &App, run: &Run) -> anyhow::Result<bool> {
    if !matches!(run.status, RunStatus::Cancelled | RunStatus::Failed) {
        return Ok(false);
    }
    let newest = app.store.runs(Some(&run.system), None, 1).await?;
    Ok(newest.first().is_some_and(|newest| newest.id == run.id))
}

/// `GET /runs/{id}`
pub async fn page(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let id = numbered("web-no-run", &id)?;
    let mut f = Frame::new(&web.app, who.clone(), "/runs", "web-run").await?.saying(done.done.as_deref());
    let live = live(&web.app, &who, id, &f).await?;
    f.title = format!("{} {id} · {}", f.title, live.system);
    f.refresh = !live.over;
    render(&RunPage { f, live })
}

/// `GET /runs/{id}/fragment`: the part of the page that moves, asked for every second by htmx.
pub async fn fragment(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = numbered("web-no-run", &id)?;
    let f = Frame::new(&web.app, who.clone(), "/runs", "web-run").await?;
    render(&live(&web.app, &who, id, &f).await?)
}

/// Which rows are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WhichRows {
    stage: i64,
    disposition: Option<String>,
    rule: Option<String>,
}

struct RowView {
    disposition: String,
    rule: String,
    field: String,
    key: String,
    customer: Option<i64>,
    raw: String,
}

#[derive(Template)]
#[template(path = "rows.html")]
struct Rows {
    f: Frame,
    id: i64,
    stage: String,
    what: String,
    rows: Vec<RowView>,
    count: String,
    total: String,
    all: bool,
    /// Why not all are shown.
    note: String,
    /// Whether the rows were left out, for a reason each.
    left_out: bool,
}

/// `GET /runs/{id}/rows`: the rows behind a figure.
pub async fn rows(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Path(id): Path<String>,
    Query(asked): Query<WhichRows>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let id = numbered("web-no-run", &id)?;
    let run = app.store.run(id).await?.ok_or_else(|| Problem::missing("web-no-run", id))?;
    let Some(stage) = run.stages.iter().find(|stage| stage.position == asked.stage) else {
        return Err(Problem::not_found());
    };
    let mut f = Frame::new(app, who, "/runs", "web-rows").await?;
    let words = f.words;
    let chosen = asked.disposition.as_deref().and_then(Disposition::of);
    let rule = asked.rule.as_deref().filter(|rule| !rule.is_empty());
    let (rows, total) = match chosen {
        Some(made @ (Disposition::Created | Disposition::Updated)) => {
            let stream = app.store.stream(&run.system, &stage.name).await?;
            let created = made == Disposition::Created;
            let records = app.store.records_by_run(id, stream, created, ROWS).await?;
            let rows = records.into_iter().map(|record| RowView {
                disposition: state::disposition(made, words),
                rule: String::new(),
                field: String::new(),
                key: record.key,
                // Products are nobody's.
                customer: Some(record.customer).filter(|customer| *customer > 0),
                raw: record.raw,
            });
            (rows.collect::<Vec<_>>(), if created { stage.counts.created } else { stage.counts.updated })
        }
        chosen => {
            let kept = app.store.oddities(id, asked.stage, rule, i64::from(u16::MAX)).await?;
            let fits = |found: Disposition| chosen.is_none_or(|chosen| chosen == found);
            let rows = kept.into_iter().filter(|oddity| fits(oddity.disposition)).take(ROWS as usize);
            let rows = rows.map(|oddity| RowView {
                disposition: state::disposition(oddity.disposition, words),
                rule: report::rule(&oddity.rule, words),
                field: oddity.field,
                key: oddity.key.unwrap_or_else(|| show::UNKNOWN.to_owned()),
                customer: None,
                raw: oddity.raw,
            });
            let reasons = stage.reasons.iter().filter(|reason| fits(reason.disposition));
            let total = reasons.filter(|reason| rule.is_none_or(|rule| reason.rule == rule));
            (rows.collect(), total.map(|reason| reason.count).sum())
        }
    };
    let left_out = !matches!(chosen, Some(Disposition::Created | Disposition::Updated));
    let what = chosen.map_or_else(|| words.text("web-rows"), |chosen| state::disposition(chosen, words));
    f.title = format!("{} · {what}", words.with("web-run-n", &[("id", &id.to_string())]));
    render(&Rows {
        id,
        stage: state::stream(&stage.name, words),
        what,
        count: number(rows.len() as i64),
        total: number(total as i64),
        all: rows.len() as u64 >= total,
        note: words.text(if left_out { "web-rows-kept" } else { "web-rows-first" }),
        left_out,
        rows,
        f,
    })
}

/// `POST /runs/{id}/{cancel|resume}`
pub async fn act(
    State(web): State<Web>,
    Operator(who): Operator,
    Path((id, action)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let store = &web.app.store;
    let id = numbered("web-no-run", &id)?;
    if store.run(id).await?.is_none() {
        return Err(Problem::missing("web-no-run", id));
    }
    let done = match action.as_str() {
        "cancel" => store.cancel_run(id, &who.name, now()).await?,
        "resume" => store.resume_run(id, &who.name, now()).await?,
        _ => return Err(Problem::not_found()),
    };
    if !done {
        return Err(refused(&Message::new(&format!("web-cannot-{action}")).with("run", id)));
    }
    Ok(Redirect::to(&link::to(&format!("/runs/{id}"), &[("done", Some(action.as_str()))])).into_response())
}
