//! What every request to every system passes: faults happen here, and the ledger is written.
//!
//! It knows no system: what an empty answer looks like and whose tokens end come with the seat.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use futures_util::stream::{self, StreamExt as _};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::faults::{Action, Fault, Twist};
use super::ledger::{Entry, readable, redacted};
use super::server::{Seat, World};

/// The longest any fault keeps a request waiting.
const BOUND: Duration = Duration::from_secs(120);
const DRIP: usize = 16;

/// Number of rows in an answer, told by the system to the ledger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows(pub usize);

/// Lets a request pass to its system, or fail as planned.
pub(super) async fn gate(State(seat): State<Seat>, mut request: Request, next: Next) -> Response {
    let Seat { world, system } = &seat;
    let _work = system.at_work.begin();
    let address = request.uri().path_and_query().map_or("/", |address| address.as_str());
    let fault = world.faults.meet(system.name, address, &readable(address));
    let mut entry = Entry {
        at_ms: u64::try_from(world.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        system: system.name.to_owned(),
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: redacted(request.uri().query().unwrap_or_default()),
        status: 0,
        rows: 0,
        fault: fault.as_ref().map(|fault| fault.action),
    };
    let Some(fault) = fault else {
        let response = next.run(request).await;
        world.ledger.record(seen(entry, &response));
        return response;
    };

    if matches!(fault.action, Action::DropBefore | Action::Hang) {
        world.ledger.record(entry);
        if fault.action == Action::Hang {
            world.pause(BOUND).await;
        }
        return dropped();
    }
    if fault.action == Action::LandLate {
        world.ledger.record(entry);
        return landing_late(world, &fault.value, request, next).await;
    }
    if let Some(response) = instead(&fault, system.empty) {
        world.ledger.record(seen(entry, &response));
        return response;
    }
    if fault.action == Action::Expire {
        system.tokens.clear();
    }
    if let Some(twist) = twist(&fault) {
        request.extensions_mut().insert(twist);
    }
    let response = next.run(request).await;
    let response = in_its_place(&fault).unwrap_or(response);
    entry = seen(entry, &response);
    if fault.action == Action::DropAfter && fault.value != "half" {
        entry.status = 0;
    }
    world.ledger.record(entry);
    spoiled(world, &fault, response).await
}

/// A page as a firewall or a web server in front of a system sends it.
pub(super) fn page(status: StatusCode, words: &str) -> Response {
    let page = format!(
        "<!DOCTYPE html>\n<html><head><title>{words}</title></head>\
         <body><center><h1>{words}</h1></center></body></html>\n"
    );
    (status, Html(page)).into_response()
}

fn seen(entry: Entry, response: &Response) -> Entry {
    let rows = response.extensions().get::<Rows>().map_or(0, |rows| rows.0);
    Entry { status: response.status().as_u16(), rows: rows as u64, ..entry }
}

/// The answer of faults that keep the request from being processed.
fn instead(fault: &Fault, empty: &'static str) -> Option<Response> {
    match fault.action {
        Action::Status => Some(status(&fault.value)),
        Action::Html => Some(page(StatusCode::OK, "Checking your browser")),
        Action::Empty if fault.value == "body" => Some(json_text(String::new())),
        Action::Empty if fault.value != "page" => Some(json_text(empty.to_owned())),
        _ => None,
    }
}

/// The answer of faults that hide that the request was processed.
fn in_its_place(fault: &Fault) -> Option<Response> {
    match fault.action {
        Action::StatusAfter => Some(status(&fault.value)),
        Action::HtmlAfter => Some(page(StatusCode::OK, "Checking your browser")),
        _ => None,
    }
}

/// Takes a request, lets its sender go without an answer, and processes it when the time has come.
async fn landing_late(world: &Arc<World>, value: &Value, request: Request, next: Next) -> Response {
    let milliseconds = |value: &Value| value.as_u64().map(Duration::from_millis).map(|time| time.min(BOUND));
    let after = milliseconds(value.get("after").unwrap_or(value)).unwrap_or(Duration::from_secs(1));
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let later = Arc::clone(world);
    drop(world.afterwards.go(async move {
        later.pause(after).await;
        next.run(Request::from_parts(parts, Body::from(body))).await;
    }));
    world.pause(value.get("close").and_then(milliseconds).unwrap_or_default()).await;
    dropped()
}

fn status(value: &Value) -> Response {
    let code = value.get("code").unwrap_or(value).as_u64().and_then(|code| u16::try_from(code).ok());
    let code =
        code.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let word = match code.as_u16() {
        401 => "TokenExpired",
        429 => "Throttled",
        _ => code.canonical_reason().unwrap_or("Error"),
    };
    let body = match value.get("body") {
        Some(Value::String(text)) => text.clone(),
        Some(body) => body.to_string(),
        None => json!({ "detail": word }).to_string(),
    };
    let mut response = (code, json_text(body)).into_response();
    let after =
        value.get("retry_after").map(|after| after.as_str().map_or_else(|| after.to_string(), str::to_owned));
    if let Some(after) = after.and_then(|after| HeaderValue::from_str(&after).ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, after);
    }
    response
}

fn twist(fault: &Fault) -> Option<Twist> {
    match fault.action {
        Action::Duplicate => Some(Twist::Duplicate),
        Action::Reorder => Some(Twist::Reorder),
        Action::ForgetTotal => Some(Twist::ForgetTotal),
        Action::Empty => Some(Twist::EmptyPage),
        Action::Expire => Some(Twist::Expired),
        _ => None,
    }
}

/// What faults do to an answer that is ready.
async fn spoiled(world: &World, fault: &Fault, response: Response) -> Response {
    match fault.action {
        Action::Late => {
            world.pause(Duration::from_millis(fault.value.as_u64().unwrap_or(1000)).min(BOUND)).await;
            response
        }
        Action::DropAfter if fault.value == "half" => broken_off(response).await,
        Action::DropAfter => dropped(),
        Action::Truncate => {
            let (mut parts, body) = whole(response).await;
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(body.slice(..body.len() / 2)))
        }
        Action::Slow => {
            let step = Duration::from_millis(fault.value.as_u64().unwrap_or(100)).min(BOUND);
            let stopping = world.stopping.clone();
            with_body(response, |body| dripping(body, step, stopping)).await
        }
        _ => response,
    }
}

/// The answer with the connection closed after half of its body.
pub(super) async fn broken_off(response: Response) -> Response {
    with_body(response, |body| {
        let half = body.slice(..body.len() / 2);
        // What has not left when a body fails never leaves, so the failure waits a little.
        let failure = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Err(broken())
        };
        Body::from_stream(stream::iter([Ok(half)]).chain(stream::once(failure)))
    })
    .await
}

async fn whole(response: Response) -> (axum::http::response::Parts, Bytes) {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    (parts, body)
}

/// Sends the body in another way, with its whole length announced.
async fn with_body(response: Response, way: impl FnOnce(Bytes) -> Body) -> Response {
    let (mut parts, body) = whole(response).await;
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    Response::from_parts(parts, way(body))
}

fn dripping(body: Bytes, step: Duration, stopping: tokio::sync::watch::Receiver<bool>) -> Body {
    let end = tokio::time::Instant::now() + BOUND;
    Body::from_stream(stream::unfold((body, stopping), move |(mut body, mut stopping)| async move {
        if body.is_empty() {
            return None;
        }
        let stopped = tokio::select! {
            () = tokio::time::sleep(step) => false,
            _ = stopping.wait_for(|stop| *stop) => true,
        };
        let late = stopped || tokio::time::Instant::now() > end;
        let size = if late { body.len() } else { body.len().min(DRIP) };
        Some((Ok::<_, Infallible>(body.split_to(size)), (body, stopping)))
    }))
}

/// An answer that fails before its first byte, which makes the server close the connection.
fn dropped() -> Response {
    let failing = stream::iter([Err::<Bytes, _>(broken())]);
    Body::from_stream(failing).into_response()
}

fn broken() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "a planned fault closed the connection")
}

/// An answer of ready-made JSON text.
pub(super) fn json_text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
