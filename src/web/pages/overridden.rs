//! Edits of the system that follows that the master overrode: both values, and the button that takes one over.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::links::{Choice, choices};
use super::show::{self, Time, number};
use super::{Frame, link, numbered, render};
use crate::store::overridden::Overridden;
use crate::sync::now;
use crate::web::Web;
use crate::web::access::{Operator, Viewer};
use crate::web::api::overridden::take_over;
use crate::web::problem::Problem;

/// Edits on a page.
const PAGE: i64 = 100;

/// What the list is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    flow: Option<String>,
    before: Option<i64>,
    done: Option<String>,
}

struct Row {
    id: i64,
    flow: String,
    record: String,
    field: String,
    agreed: Option<String>,
    theirs: Option<String>,
    became: Option<String>,
    delivery: i64,
    at: Time,
    accepted: Option<String>,
}

#[derive(Template)]
#[template(path = "overridden.html")]
struct Page {
    f: Frame,
    flows: Vec<Choice>,
    total: String,
    rows: Vec<Row>,
    next: Option<String>,
}

/// `GET /overridden`
pub async fn page(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let f = Frame::new(app, who, "/flows", "web-overridden").await?.saying(asked.done.as_deref());
    let named = asked.flow.as_deref().filter(|name| app.config.flow(name).is_some());
    let flow = named.unwrap_or_default();
    let mut found = app.store.overridden(flow, asked.before, PAGE + 1).await?;
    let more = found.len() as i64 > PAGE;
    found.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    let last = found.last().filter(|_| more).map(|last| last.id.to_string());
    let at = now();
    let row = |value: Overridden| Row {
        field: f.t(&format!("field-{}", value.field.word())),
        at: show::ago(value.at, at, f.words),
        accepted: value.accepted_by,
        id: value.id,
        flow: value.flow,
        record: value.source_key,
        agreed: value.agreed,
        theirs: value.theirs,
        became: value.became,
        delivery: value.delivery,
    };
    render(&Page {
        flows: choices(app, named),
        total: number(app.store.count_overridden(flow).await?),
        rows: found.into_iter().map(row).collect(),
        next: last.map(|last| link::to("/overridden", &[("flow", named), ("before", Some(last.as_str()))])),
        f,
    })
}

/// `POST /overridden/{id}/accept`
pub async fn accept(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    take_over(&web, numbered("web-no-overridden", &id)?, &who.name).await?;
    Ok(Redirect::to("/overridden?done=accept").into_response())
}
