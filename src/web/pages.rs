//! The dashboard: pages made on the server, which work without any script and are made lively by
//! htmx where there is one. What they show is decided elsewhere.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::access::{self, Role, Who};
use super::problem::Problem;
use super::{Web, assets, session};
use crate::app::App;
use crate::model::Message;
use crate::words::{DEFAULT, Words, isolating};

mod audit;
mod cases;
mod chart;
mod customer;
mod customers;
mod deliveries;
mod diff;
mod door;
mod flows;
mod insights;
mod link;
mod links;
mod overridden;
mod overview;
mod plans;
mod runs;
mod settings;
pub mod show;
mod stages;
mod state;
mod story;

/// What these addresses answer is read by programs.
const NOT_PAGES: [&str; 7] = ["/api/", "/webhook/", "/admin/", "/assets/", "/healthz", "/readyz", "/metrics"];

/// The routes of pages, their files and sessions.
pub fn routes() -> Router<Web> {
    Router::new()
        .route("/api/v1/session", post(session::post).delete(session::delete))
        .route("/sign-in", get(door::sign_in_form).post(door::sign_in))
        .route("/sign-out", post(door::sign_out))
        .route("/set-up", get(door::set_up_form).post(door::set_up))
        .route("/enter", get(door::enter))
        .route("/", get(overview::page))
        .route("/systems/{name}/{action}", post(overview::act))
        .route("/customers", get(customers::page))
        .route("/customers/sums", get(customers::sums))
        .route("/customers/{id}", get(customer::page))
        .route("/customers/{id}/verify", post(customer::parity::verify))
        .route("/insights", get(insights::page))
        .route("/runs", get(runs::list))
        .route("/runs/{id}", get(runs::page))
        .route("/runs/{id}/fragment", get(runs::fragment))
        .route("/runs/{id}/rows", get(runs::rows))
        .route("/runs/{id}/{action}", post(runs::act))
        .route("/flows", get(flows::page))
        .route("/flows/{name}/import", get(flows::import_form).post(flows::import))
        .route("/flows/{name}/{action}", post(flows::act))
        .route("/plans/{id}", get(plans::page))
        .route("/plans/{id}/apply", post(plans::apply))
        .route("/links", get(links::page))
        .route("/deliveries", get(deliveries::list))
        .route("/deliveries/{id}", get(deliveries::page))
        .route("/deliveries/{id}/{action}", post(deliveries::act))
        .route("/overridden", get(overridden::page))
        .route("/overridden/{id}/accept", post(overridden::accept))
        .route("/cases", get(cases::list))
        .route("/cases/{id}", get(cases::page).post(cases::decide))
        .route("/audit", get(audit::page))
        .route("/settings", get(settings::page))
        .route("/settings/owners", post(settings::owners))
        .merge(assets::routes())
        .fallback(nothing_here)
}

async fn nothing_here() -> Problem {
    Problem::not_found()
}

/// What every page has around its content.
pub struct Frame {
    /// The texts.
    pub words: &'static Words,
    /// Who reads it.
    pub who: Option<Who>,
    /// The page's name.
    pub title: String,
    /// The place in the navigation.
    pub place: &'static str,
    /// Cases that are open.
    pub cases: i64,
    /// Deliveries that wait for a person; `None` where there are no flows.
    pub stuck: Option<i64>,
    /// What was done just before.
    pub said: Option<String>,
    /// Whether a browser without script should load the page again by itself.
    pub refresh: bool,
}

/// A place in the navigation: address, key of its name.
const PLACES: [(&str, &str); 9] = [
    ("/", "web-overview"),
    ("/customers", "web-customers"),
    ("/insights", "web-insights"),
    ("/runs", "web-runs"),
    ("/flows", "web-flows"),
    ("/deliveries", "web-deliveries"),
    ("/cases", "web-cases"),
    ("/audit", "web-audit"),
    ("/settings", "web-settings"),
];

impl Frame {
    /// The frame of a page for somebody who is signed in. `title` is a catalogue key.
    pub async fn new(app: &App, who: Who, place: &'static str, title: &str) -> anyhow::Result<Frame> {
        let cases = app.store.count_cases(Some("open"), None).await?;
        let stuck = match app.config.flows.is_empty() {
            true => None,
            false => Some(app.store.stuck_deliveries("").await?.into_iter().sum()),
        };
        let words = isolating(DEFAULT);
        let title = words.text(title);
        Ok(Frame { words, who: Some(who), title, place, cases, stuck, said: None, refresh: false })
    }

    /// The frame of a page for anybody.
    pub fn stranger(title: &str) -> Frame {
        let words = isolating(DEFAULT);
        let title = words.text(title);
        Frame { words, who: None, title, place: "", cases: 0, stuck: None, said: None, refresh: false }
    }

    /// With what was done just before: a word of the address, kept only if there is a text for it.
    #[must_use]
    pub fn saying(mut self, done: Option<&str>) -> Frame {
        let id = done.map(|done| format!("web-done-{done}"));
        self.said = id.filter(|id| self.words.knows(id)).map(|id| self.words.text(&id));
        self
    }

    /// A text.
    pub fn t(&self, id: &str) -> String {
        self.words.text(id)
    }

    /// A text with one argument.
    pub fn t1(&self, id: &str, name: &str, value: impl std::fmt::Display) -> String {
        self.words.with(id, &[(name, &value.to_string())])
    }

    /// The direction of the language.
    pub fn dir(&self) -> &'static str {
        if matches!(self.words.lang(), "fa" | "ar" | "he") { "rtl" } else { "ltr" }
    }

    /// Whether the reader may work on runs and cases.
    pub fn operates(&self) -> bool {
        self.who.as_ref().is_some_and(|who| who.role >= Role::Operator)
    }

    /// Whether the reader may change settings.
    pub fn administers(&self) -> bool {
        self.who.as_ref().is_some_and(|who| who.role >= Role::Admin)
    }

    /// The address of a file.
    pub fn asset(&self, name: &str) -> String {
        assets::address(name)
    }

    /// The navigation: address, name, whether it is here, how much waits there.
    pub fn places(&self) -> Vec<(&'static str, String, bool, i64)> {
        let waiting = |at: &str| match at {
            "/cases" => self.cases,
            "/deliveries" => self.stuck.unwrap_or(0),
            _ => 0,
        };
        let shown = |at: &str| self.stuck.is_some() || !["/flows", "/deliveries"].contains(&at);
        let places = PLACES.into_iter().filter(|(at, _)| shown(at));
        places.map(|(at, name)| (at, self.t(name), at == self.place, waiting(at))).collect()
    }

    /// A role in words.
    pub fn role(&self) -> String {
        self.who.as_ref().map(|who| self.t(&format!("web-role-{}", who.role.word()))).unwrap_or_default()
    }
}

/// A page as an answer.
pub fn render(page: &impl Template) -> Result<Response, Problem> {
    let html = page.render().map_err(anyhow::Error::from)?;
    Ok(Html(html).into_response())
}

/// `?done=…`, what was done just before.
#[derive(Debug, Default, Deserialize)]
pub struct Done {
    done: Option<String>,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    f: Frame,
    status: u16,
    text: String,
    next: Option<String>,
}

/// Shows problems of pages as pages, and sends who is not signed in to sign in.
pub async fn problems(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    // The description is a page, though it stands with what it describes.
    if path != "/api/docs" && NOT_PAGES.iter().any(|start| path.starts_with(start)) {
        return next.run(request).await;
    }
    let is_get = request.method() == Method::GET;
    let here = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let by_htmx = request.headers().contains_key("hx-request");
    let (parts, body) = request.into_parts();
    let asked = parts.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_page = kind.is_some_and(|kind| kind.starts_with("text/html"));
    if response.status().as_u16() < 400 || is_page {
        return response;
    }
    let status = response.status();
    if status == StatusCode::UNAUTHORIZED && by_htmx {
        return (StatusCode::UNAUTHORIZED, [("hx-redirect", "/sign-in")]).into_response();
    }
    if status == StatusCode::UNAUTHORIZED {
        let back = if is_get && here != "/" { Some(here.as_str()) } else { None };
        return Redirect::to(&link::to("/sign-in", &[("next", back)])).into_response();
    }
    let retry = response.headers().get(header::RETRY_AFTER).cloned();
    let body = to_bytes(response.into_body(), 64 * 1024).await.unwrap_or_default();
    let (text, advice) = told(status, &body);
    let mut page = problem_page(problem_frame(&app, &asked).await, status, text, advice);
    if let Some(retry) = retry {
        page.headers_mut().insert(header::RETRY_AFTER, retry);
    }
    page
}

/// What a refusal says, and its own advice if it has one; what comes from elsewhere says nothing
/// that people could use.
fn told(status: StatusCode, body: &[u8]) -> (String, Option<String>) {
    let said = serde_json::from_slice::<serde_json::Value>(body).ok();
    let said = said.and_then(|said| {
        Some((said["title"].as_str()?.to_owned(), said["detail"].as_str().map(str::to_owned)))
    });
    said.unwrap_or_else(|| {
        let general = Problem::new(
            status,
            &Message::new(match status {
                StatusCode::NOT_FOUND => "web-not-found",
                status if status.is_client_error() => "web-bad-request",
                _ => "web-broken",
            }),
        );
        (general.title, general.detail)
    })
}

/// The frame of a problem: with the navigation for who is signed in.
async fn problem_frame(app: &App, asked: &Parts) -> Frame {
    let known = match access::identify(asked, app).await {
        Ok(Some(who)) => Frame::new(app, who, "", "web-problem").await.ok(),
        _ => None,
    };
    known.unwrap_or_else(|| Frame::stranger("web-problem"))
}

/// A page that says what went wrong and, if there is something, what to do next.
fn problem_page(f: Frame, status: StatusCode, text: String, next: Option<String>) -> Response {
    match (ProblemPage { f, status: status.as_u16(), text, next }).render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => Problem::from(anyhow::Error::from(error)).into_response(),
    }
}

/// A number out of an address; anything else is nothing we have: the problem `web-no-…`.
fn numbered(missing: &str, text: &str) -> Result<i64, Problem> {
    text.parse().map_err(|_| Problem::missing(missing, text))
}

/// A problem for a reader whose request cannot be carried out for this reason.
fn refused(message: &Message) -> Problem {
    let mut problem = Problem::conflict(message);
    problem.title = isolating(DEFAULT).message(message);
    problem
}
