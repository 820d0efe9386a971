//! The API: every call on one page. Described by `/api/openapi.json`; errors are problems.
//!
//! A handler names the role it needs by what it takes; its description names the same role, and a
//! test holds one against the other. Everything a person does is in the audit.

use axum::Router;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::routing::{any, get, post, put};
use serde::de::DeserializeOwned;

use super::problem::Problem;
use super::{Web, legacy};
use crate::model::Message;
use crate::store::listing::LARGEST_PAGE;
use crate::words::{DEFAULT, Words, words};

mod audit;
mod cases;
mod customers;
pub(super) mod deliveries;
mod describe;
mod documents;
mod entries;
mod export;
pub(super) mod flows;
mod health;
mod insights;
pub(super) mod links;
pub(super) mod overridden;
mod owners;
pub(super) mod plans;
pub(super) mod runs;
mod systems;
pub(super) mod verify;

pub use describe::description;

/// Rows of a list when nothing is said.
const PAGE: i64 = 100;

/// Every call of the API but the session's, and the old addresses.
pub fn routes() -> Router<Web> {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/api/openapi.json", get(describe::json))
        .route("/api/docs", get(describe::page))
        .route("/api/v1/status", get(systems::status))
        .route("/api/v1/systems", get(systems::list))
        .route("/api/v1/systems/{name}/check", post(systems::check))
        .route("/api/v1/systems/{name}/pause", post(systems::hold))
        .route("/api/v1/systems/{name}/unpause", post(systems::release))
        .route("/api/v1/runs", get(runs::list).post(runs::start))
        .route("/api/v1/runs/{id}", get(runs::one))
        .route("/api/v1/runs/{id}/cancel", post(runs::cancel))
        .route("/api/v1/runs/{id}/resume", post(runs::resume))
        .route("/api/v1/runs/{id}/events", get(runs::events))
        .route("/api/v1/customers", get(customers::list))
        .route("/api/v1/customers/sums", get(customers::sums))
        .route("/api/v1/customers/export", get(export::export))
        .route("/api/v1/customers/{id}", get(customers::one))
        .route("/api/v1/customers/{id}/accounts", get(customers::accounts))
        .route("/api/v1/customers/{id}/purchases", get(entries::purchases))
        .route("/api/v1/customers/{id}/points", get(entries::points))
        .route("/api/v1/customers/{id}/documents", get(documents::documents))
        .route("/api/v1/customers/{id}/history", get(customers::history))
        .route("/api/v1/customers/{id}/explain", get(customers::explain))
        .route("/api/v1/customers/{id}/verify", post(verify::customer))
        .route("/api/v1/insights/{name}", get(insights::one))
        .route("/api/v1/insights/{name}/export", get(insights::export))
        .route("/api/v1/flows", get(flows::list))
        .route("/api/v1/flows/{name}", get(flows::one))
        .route("/api/v1/flows/{name}/import", post(flows::import))
        .route("/api/v1/flows/{name}/plan", post(flows::plan))
        .route("/api/v1/flows/{name}/start", post(flows::start))
        .route("/api/v1/flows/{name}/pause", post(flows::hold))
        .route("/api/v1/flows/{name}/unpause", post(flows::release))
        .route("/api/v1/plans/{id}", get(plans::one))
        .route("/api/v1/plans/{id}/apply", post(plans::apply))
        .route("/api/v1/links", get(links::list))
        .route("/api/v1/deliveries", get(deliveries::list))
        .route("/api/v1/deliveries/{id}", get(deliveries::one))
        .route("/api/v1/deliveries/{id}/retry", post(deliveries::retry))
        .route("/api/v1/deliveries/{id}/resolve", post(deliveries::resolve))
        .route("/api/v1/deliveries/{id}/undo", post(deliveries::undo))
        .route("/api/v1/overridden", get(overridden::list))
        .route("/api/v1/overridden/{id}/accept", post(overridden::accept))
        .route("/api/v1/cases", get(cases::list))
        .route("/api/v1/cases/{id}/decide", post(cases::decide))
        .route("/api/v1/audit", get(audit::list))
        .route("/api/v1/audit/verify", get(audit::verify))
        .route("/api/v1/owners", get(owners::list))
        .route("/api/v1/owners/preview", post(owners::preview))
        .route("/api/v1/owners/rules/{name}", put(owners::set).delete(owners::remove))
        .merge(legacy::routes())
        .route("/api/v1/{*rest}", any(nothing_here))
        .method_not_allowed_fallback(wrong_method)
}

async fn nothing_here() -> Problem {
    Problem::not_found()
}

async fn wrong_method() -> Problem {
    Problem::new(axum::http::StatusCode::METHOD_NOT_ALLOWED, &Message::new("api-wrong-method"))
}

/// The texts of answers.
fn text() -> &'static Words {
    words(DEFAULT)
}

/// A query string with known parameters only.
struct Asked<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let asked = Query::<T>::try_from_uri(&parts.uri)
            .map_err(|rejection| bad_request("api-bad-query", &rejection.body_text()))?;
        Ok(Asked(asked.0))
    }
}

/// A JSON body with known fields only; what is left empty is taken for `{}`.
struct Sent<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = axum::body::Bytes::from_request(request, state).await.map_err(|rejection| {
            let message = Message::new("api-bad-body").with("detail", rejection.body_text());
            Problem::new(rejection.status(), &message)
        })?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        // An array would be taken for the fields in their order.
        if !text.trim_ascii_start().starts_with(b"{") {
            return Err(bad_request("api-bad-body", "an object is expected"));
        }
        serde_json::from_slice(text)
            .map(Sent)
            .map_err(|error| bad_request("api-bad-body", &error.to_string()))
    }
}

fn bad_request(id: &str, detail: &str) -> Problem {
    Problem::bad(&Message::new(id).with("detail", detail))
}

/// A number out of an address; anything else is nothing we have: the problem `web-no-…`.
fn number(missing: &str, text: &str) -> Result<i64, Problem> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| Problem::missing(missing, text))
}

/// The size of a page.
fn limit(asked: Option<i64>) -> Result<i64, Problem> {
    let limit = asked.unwrap_or(PAGE);
    if (1..=LARGEST_PAGE).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::bad(&Message::new("api-bad-limit").with("largest", LARGEST_PAGE)))
    }
}

/// The cursor of a list that runs from the newest number down.
fn before(cursor: Option<&str>) -> Result<Option<i64>, Problem> {
    let read = |text: &str| text.parse().ok().filter(|number| *number > 0).ok_or_else(bad_cursor);
    cursor.map(read).transpose()
}

fn bad_cursor() -> Problem {
    Problem::bad(&Message::new("api-bad-cursor"))
}

/// The list document of numbered rows, one more of which was fetched than the page holds.
fn page<T>(
    mut rows: Vec<T>,
    limit: i64,
    total: i64,
    id: impl Fn(&T) -> i64,
) -> (Vec<T>, i64, Option<String>) {
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| more).map(|last| id(last).to_string());
    (rows, total, next)
}

fn bad_value(name: &str, value: &str) -> Problem {
    Problem::bad(&Message::new("api-bad-value").with("name", name).with("value", value))
}

/// That there is such a system, or was one: nobody is told "none" who mistyped a name.
async fn known_system(web: &Web, system: Option<&str>) -> Result<(), Problem> {
    match system {
        Some(name)
            if web.app.config.system(name).is_none()
                && web.app.config.flow(name).is_none()
                && !web.app.store.was_read(name).await? =>
        {
            Err(bad_value("system", &name.replace('\0', "\u{fffd}")))
        }
        _ => Ok(()),
    }
}
