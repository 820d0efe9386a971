//! Cases: what waits for a person, and deciding it.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::show::{self, Time, moment, number};
use super::state::State as Look;
use super::{Done, Frame, link, numbered, refused, render};
use crate::report;
use crate::sync::decide::{self, Refused};
use crate::sync::now;
use crate::web::Web;
use crate::web::access::{Operator, Viewer};
use crate::web::problem::Problem;

/// Cases on a page.
const PAGE: i64 = 50;

/// What the list is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    state: Option<String>,
    before: Option<i64>,
}

struct CaseRow {
    id: i64,
    state: Look,
    message: String,
    system: String,
    subject: String,
    opened: Time,
    choice: Option<String>,
}

#[derive(Template)]
#[template(path = "cases.html")]
struct Cases {
    f: Frame,
    /// Address, name, whether it is shown.
    tabs: Vec<(String, String, bool)>,
    open: bool,
    rows: Vec<CaseRow>,
    first: Option<String>,
    next: Option<String>,
}

/// What may be chosen: the value, in words, what it means.
struct Choice {
    value: String,
    text: String,
    help: Option<String>,
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    f: Frame,
    id: i64,
    state: Look,
    open: bool,
    message: String,
    help: Option<String>,
    system: String,
    subject: String,
    run: Option<i64>,
    opened: Time,
    decided: Option<Time>,
    decided_by: Option<String>,
    choice: Option<String>,
    choices: Vec<Choice>,
    /// Name, value, whether it is JSON.
    detail: Vec<(String, String)>,
}

/// `GET /cases`
pub async fn list(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let f = Frame::new(app, who, "/cases", "web-cases").await?;
    let all = asked.state.as_deref() == Some("all");
    let state = if all { None } else { Some("open") };
    let mut cases = app.store.cases(state, asked.before, PAGE + 1).await?;
    let more = cases.len() as i64 > PAGE;
    cases.truncate(PAGE as usize);
    let named = asked.state.as_deref();
    let next = cases.last().filter(|_| more).map(|case| case.id.to_string());
    let every = number(app.store.count_cases(None, None).await?);
    let tabs = vec![
        ("/cases".to_owned(), f.t1("web-cases-open", "n", number(f.cases)), !all),
        ("/cases?state=all".to_owned(), f.t1("web-cases-all", "n", every), all),
    ];
    let at = now();
    render(&Cases {
        tabs,
        open: !all,
        rows: cases
            .iter()
            .map(|case| CaseRow {
                id: case.id,
                state: Look::case(&case.state, f.words),
                message: f.words.message(&case.message),
                system: case.system.clone(),
                subject: case.subject.clone(),
                opened: show::ago(case.opened_at, at, f.words),
                choice: case.choice.as_deref().map(|choice| report::choice(choice, f.words)),
            })
            .collect(),
        first: asked.before.map(|_| link::to("/cases", &[("state", named)])),
        next: next.map(|next| link::to("/cases", &[("state", named), ("before", Some(next.as_str()))])),
        f,
    })
}

/// `GET /cases/{id}`
pub async fn page(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let id = numbered("web-no-case", &id)?;
    let case = app.store.case(id).await?.ok_or_else(|| Problem::missing("web-no-case", id))?;
    let mut f = Frame::new(app, who, "/cases", "web-case").await?.saying(done.done.as_deref());
    f.title = format!("{} {id}", f.title);
    let words = f.words;
    let choices = case.choices.iter().map(|value| Choice {
        value: value.clone(),
        text: report::choice(value, words),
        help: Some(format!("web-choice-{value}")).filter(|id| words.knows(id)).map(|id| words.text(&id)),
    });
    render(&CasePage {
        id,
        state: Look::case(&case.state, words),
        open: case.state == "open",
        message: words.message(&case.message),
        help: words.aside(&case.message, "help"),
        run: case.run,
        opened: moment(case.opened_at),
        decided: case.decided_at.map(moment),
        decided_by: case.decided_by.clone(),
        choice: case.choice.as_deref().map(|choice| report::choice(choice, words)),
        choices: choices.collect(),
        detail: report::case_detail(&case),
        system: case.system,
        subject: case.subject,
        f,
    })
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Decision {
    choice: String,
}

/// `POST /cases/{id}`
pub async fn decide(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(id): Path<String>,
    Form(decision): Form<Decision>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let id = numbered("web-no-case", &id)?;
    match decide::decide(&app.store, &app.sources, &app.owners, id, &decision.choice, &who.name).await {
        Ok(_) => Ok(Redirect::to(&format!("/cases/{id}?done=decided")).into_response()),
        Err(Refused::Because(message)) => Err(refused(&message)),
        Err(Refused::Internal(error)) => Err(error.into()),
    }
}
