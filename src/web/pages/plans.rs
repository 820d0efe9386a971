//! A plan: what a flow would do, field by field, and doing all or some of it.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::show::{self, Time, number};
use super::state::State as Look;
use super::{Frame, link, numbered, render};
use crate::app::App;
use crate::model::Message;
use crate::model::flow::State as Stands;
use crate::report::{self, ChangeDoc, Names};
use crate::store::plan::{Plan, PlanCount, PlanState};
use crate::sync::flow::planned;
use crate::sync::now;
use crate::web::Web;
use crate::web::access::{Operator, Viewer};
use crate::web::api::plans::begin;
use crate::web::problem::Problem;
use crate::words::Words;

/// Changes shown of each action, and of one alone.
const FEW: i64 = 25;
const PAGE: i64 = 100;
/// The actions in the order they are shown.
const ACTIONS: [&str; 4] = ["case", "update", "create", "link"];

/// What the page is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    action: Option<String>,
    after: Option<i64>,
    done: Option<String>,
}

/// Changes of one action.
struct Group {
    action: &'static str,
    title: String,
    about: String,
    count: String,
    rows: Vec<ChangeView>,
    /// Where the rest is.
    more: Option<String>,
}

/// What would be done about a record.
struct ChangeView {
    source: String,
    name: Option<String>,
    href: Option<String>,
    there: Option<String>,
    there_name: Option<String>,
    fields: Vec<FieldView>,
    reason: String,
    /// Whether it can be ticked.
    open: bool,
    became: Option<(Look, Option<i64>, Option<String>)>,
}

/// A field that differs.
struct FieldView {
    name: String,
    agreed: Option<String>,
    source: Option<String>,
    destination: Option<String>,
    to: Option<String>,
}

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    f: Frame,
    id: i64,
    flow: String,
    from: String,
    to: String,
    state: Look,
    reading: bool,
    problem: Option<(String, Option<String>)>,
    runs: Vec<i64>,
    by: String,
    at: Time,
    /// Address, name, whether it is shown.
    tabs: Vec<(String, String, bool)>,
    groups: Vec<Group>,
    /// Changes nobody asked for yet.
    open: i64,
    applied: i64,
    paused: bool,
    first: Option<String>,
}

/// `GET /plans/{id}`
pub async fn page(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let id = numbered("web-no-plan", &id)?;
    let plan = app.store.plan(id).await?.ok_or_else(|| Problem::missing("web-no-plan", id))?;
    let mut f = Frame::new(app, who, "/flows", "web-plan").await?.saying(asked.done.as_deref());
    f.title = format!("{} {id}", f.title);
    let words = f.words;
    let counts = app.store.plan_counts(id).await?;
    let action = ACTIONS.into_iter().find(|known| asked.action.as_deref() == Some(known));
    let after = asked.after.filter(|_| action.is_some()).unwrap_or(0);
    let mut groups = Vec::new();
    let mut under_way = false;
    for shown in ACTIONS.into_iter().filter(|known| action.is_none_or(|one| one == *known)) {
        let Some(count) = counts.iter().find(|count| count.action == shown) else { continue };
        let size = if action.is_some() { PAGE } else { FEW };
        let (group, open) = group(app, &plan, shown, count, (after, size), words).await?;
        under_way |= open;
        groups.push(group);
    }
    f.refresh = plan.state == PlanState::Reading || under_way;
    let flow = app.config.flow(&plan.flow);
    let side = |of: fn(&crate::model::Flow) -> &String| flow.map(of).cloned().unwrap_or_default();
    let can = counts.iter().filter(|count| count.action != "case");
    render(&PlanPage {
        id,
        from: side(|flow| &flow.from),
        to: side(|flow| &flow.to),
        state: Look::plan(plan.state, words),
        reading: plan.state == PlanState::Reading,
        problem: plan.message.as_ref().map(|message| (words.message(message), words.aside(message, "help"))),
        runs: plan.runs.clone(),
        by: super::runs::actor(&plan.asked_by, words),
        at: show::ago(plan.made_at.unwrap_or(plan.asked_at), now(), words),
        tabs: tabs(id, action, &counts, words),
        open: can.clone().map(|count| count.all - count.applied).sum(),
        applied: can.map(|count| count.applied).sum(),
        paused: app.store.system_state(&plan.flow).await?.paused_at.is_some(),
        first: (after > 0).then(|| link::to(&format!("/plans/{id}"), &[("action", action)])),
        groups,
        flow: plan.flow,
        f,
    })
}

fn tabs(id: i64, action: Option<&str>, counts: &[PlanCount], words: &Words) -> Vec<(String, String, bool)> {
    let path = format!("/plans/{id}");
    let all = number(counts.iter().map(|count| count.all).sum::<i64>());
    let mut tabs = vec![(path.clone(), words.with("web-cases-all", &[("n", &all)]), action.is_none())];
    for shown in ACTIONS {
        let Some(count) = counts.iter().find(|count| count.action == shown) else { continue };
        let name = format!("{} ({})", words.text(&format!("web-plan-{shown}")), number(count.all));
        tabs.push((link::to(&path, &[("action", Some(shown))]), name, action == Some(shown)));
    }
    tabs
}

/// A group of changes, and whether any of them is under way.
async fn group(
    app: &App,
    plan: &Plan,
    action: &'static str,
    count: &PlanCount,
    (after, size): (i64, i64),
    words: &Words,
) -> anyhow::Result<(Group, bool)> {
    let store = &app.store;
    let mut rows = store.plan_changes(plan.id, Some(action), after, size + 1).await?;
    let more = rows.len() as i64 > size;
    rows.truncate(usize::try_from(size)?);
    let last = rows.last().map(|row| row.position.to_string());
    let rows = rows.into_iter().map(planned::read).collect::<anyhow::Result<Vec<_>>>()?;
    let documents = report::kept_plan(store, plan, &rows, words).await?.changes;
    let flow = app.config.flow(&plan.flow);
    let mut wanted = Vec::new();
    for change in &documents {
        if let Some(flow) = flow {
            wanted.push((flow.from.as_str(), change.source.as_str()));
            wanted.extend(change.destination.as_deref().map(|key| (flow.to.as_str(), key)));
        }
    }
    let names = report::names(app, &wanted).await?;
    let under_way = |change: &ChangeDoc| {
        let state = change.delivery.as_ref().and_then(|own| Stands::of(&own.state));
        state.is_some_and(Stands::is_open)
    };
    let open = documents.iter().any(under_way);
    let sides = flow.map(|flow| (flow.from.as_str(), flow.to.as_str())).unwrap_or_default();
    let group = Group {
        action,
        title: words.text(&format!("web-plan-{action}")),
        about: words.with(&format!("web-plan-{action}-about"), &[("to", sides.1), ("from", sides.0)]),
        count: number(count.all),
        rows: documents.into_iter().map(|change| view(change, sides, &names, words)).collect(),
        more: more.then(|| {
            let next = last.as_deref().filter(|_| after > 0 || size == PAGE);
            link::to(&format!("/plans/{}", plan.id), &[("action", Some(action)), ("after", next)])
        }),
    };
    Ok((group, open))
}

fn view(change: ChangeDoc, (from, to): (&str, &str), names: &Names, words: &Words) -> ChangeView {
    let named = |system: &str, key: &str| names.get(&(system.to_owned(), key.to_owned()));
    let source = named(from, &change.source);
    let there = change.destination.as_deref().and_then(|key| named(to, key));
    let became = match (&change.delivery, change.left_out) {
        (Some(own), _) => Stands::of(&own.state)
            .map(|state| (Look::delivery(state, words), Some(own.id), own.message.clone())),
        (None, true) => Some((Look::left_out(words), None, Some(words.text("web-plan-left-out-why")))),
        (None, false) => None,
    };
    ChangeView {
        name: source.and_then(|named| named.name.clone()),
        href: source.map(|named| format!("/customers/{}", named.customer)),
        there_name: there.and_then(|named| named.name.clone()),
        open: change.action != "case" && change.applied_at.is_none(),
        fields: change
            .fields
            .into_iter()
            .map(|field| FieldView {
                name: words.text(&format!("field-{}", field.name)),
                agreed: field.agreed,
                source: field.source,
                destination: field.destination,
                to: field.to,
            })
            .collect(),
        reason: change.reason,
        source: change.source,
        there: change.destination,
        became,
    }
}

/// `POST /plans/{id}/apply`: what is ticked (`source`), or all (`what` is `all`).
pub async fn apply(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(id): Path<String>,
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let id = numbered("web-no-plan", &id)?;
    let all = form.iter().any(|(name, value)| name == "what" && value == "all");
    let ticked: Vec<String> =
        form.into_iter().filter(|(name, _)| name == "source").map(|(_, value)| value).collect();
    if !all && ticked.is_empty() {
        return Err(Problem::bad(&Message::new("web-plan-nothing-ticked")));
    }
    let sources = if all { None } else { Some(ticked.as_slice()) };
    let done = begin(&web, id, sources, &who.name).await?;
    let said = if done.left_out.is_empty() { "applied" } else { "applied-some" };
    Ok(Redirect::to(&link::to(&format!("/plans/{id}"), &[("done", Some(said))])).into_response())
}
