//! Siagh Finance as its wire page describes it: login, contacts, and forms that are saved.
//!
//! `finance` holds what it knows; `form` takes a saved form apart and words the answers, `contact`
//! and `document` do what the two forms do; `make` invents the contacts.

mod contact;
mod document;
mod finance;
mod form;
mod make;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::at_work::AtWork;
use super::faults::Twist;
use super::gate::{Rows, json_text, page};
use super::people::ADMIN;
use super::record::{Record, array};
use super::server::{Seat, System, Tokens};
use super::table::window;
use contact::COLUMNS;
pub use finance::{Expected, Finance};
use form::Form;

/// Name of the system.
pub(super) const NAME: &str = "finance";
/// The user's name, which is Persian as they usually are.
pub(super) const USER: &str = "کاربر همگام‌ساز";
/// The password, which says whose it is.
pub(super) const PASSWORD: &str = "sim-finance-گذرواژه";
/// The MD5 of its UTF-8 bytes in upper-case hexadecimal digits, as it is sent.
pub(super) const PASSWORD_MD5: &str = "2F39BCE2FD69BF2F7F51148F163E3983";

/// The addresses of the finance system, below its base.
const PATHS: [&str; 3] =
    ["/GeneralApi/LoginUser", "/api/Sgh/GEN/Gn_Web_Users/GetAll", "/BpmsApi/SaveFormData"];

/// The finance system; its rows are kept beside it, for they are made late.
pub(super) fn system() -> System {
    System {
        name: NAME,
        base: "/finance",
        paths: &PATHS,
        empty: "[]",
        tokens: Tokens::default(),
        streams: Vec::new(),
        at_work: AtWork::default(),
    }
}

/// Every address of the finance system.
pub(super) fn routes(base: &str) -> Router<Seat> {
    Router::new()
        .route(&format!("{base}{}", PATHS[0]), post(login))
        .route(&format!("{base}{}", PATHS[1]), get(all).post(some))
        .route(&format!("{base}{}", PATHS[2]), post(save))
        .route(&format!("{base}/{{*rest}}"), any(nothing_here))
}

async fn nothing_here() -> Response {
    page(StatusCode::NOT_FOUND, "404 - File or directory not found.")
}

async fn login(State(seat): State<Seat>, body: Bytes) -> Response {
    let given: Value = serde_json::from_slice(&body).unwrap_or_default();
    if given["UserName"] != USER || given["Password"] != PASSWORD_MD5 {
        return refused(StatusCode::UNAUTHORIZED, "نام کاربری یا کلمه عبور صحیح نمی باشد.");
    }
    let session = format!("{:032x}", fastrand::u128(1..));
    // A session has no end of its own.
    seat.system.tokens.add(session.clone(), u64::MAX);
    let (year, day) = seat.world.finance.date();
    Json(json!({
        "ContactCode": ADMIN,
        "UserCode": 12,
        "UserName": USER,
        "SessionId": session,
        "Token": format!("{session}:0"),
        "BranchCode": 1,
        "FiscalYear": year,
        "SystemDate": day,
        "SystemTime": "09:15",
        "RoleCode": 3,
    }))
    .into_response()
}

async fn all(State(seat): State<Seat>, twist: Option<Extension<Twist>>, headers: HeaderMap) -> Response {
    contacts(&seat, twist, &headers, &Record::default()).await
}

/// The contacts whose columns hold exactly what is asked for.
async fn some(
    State(seat): State<Seat>,
    twist: Option<Extension<Twist>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(response) = stranger(&seat, &headers) {
        return response;
    }
    let Some(wanted) = std::str::from_utf8(&body).ok().and_then(Record::read) else {
        return refused(StatusCode::BAD_REQUEST, "The request body is not valid.");
    };
    if let Some(column) = wanted.names().find(|name| !COLUMNS.contains(name)) {
        let why = format!("Invalid column name '{column}'.");
        return refused(StatusCode::INTERNAL_SERVER_ERROR, &why);
    }
    contacts(&seat, twist, &headers, &wanted).await
}

async fn contacts(
    seat: &Seat,
    twist: Option<Extension<Twist>>,
    headers: &HeaderMap,
    wanted: &Record,
) -> Response {
    if let Some(response) = stranger(seat, headers) {
        return response;
    }
    if let Some(delay) = seat.world.options.page_delay {
        seat.world.pause(delay).await;
    }
    let rows = seat.world.finance.served();
    let meant = |row: &Record| wanted.names().all(|column| row.text(column) == wanted.text(column));
    let order: Vec<u32> = (0..).zip(&rows).filter(|(_, row)| meant(row)).map(|(place, _)| place).collect();
    let order = window(&order, 0, usize::MAX, 0, twist.map(|twist| twist.0));
    let mut response = json_text(array(order.iter().map(|place| &rows[*place as usize])));
    response.extensions_mut().insert(Rows(order.len()));
    response
}

async fn save(State(seat): State<Seat>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(response) = stranger(&seat, &headers) {
        return response;
    }
    let Some(given) = std::str::from_utf8(&body).ok().and_then(Record::read) else {
        return refused(StatusCode::BAD_REQUEST, "The request body is not valid.");
    };
    // What the system has begun it ends, whether or not somebody still waits for the answer.
    let world = seat.world.clone();
    let answer = seat.world.afterwards.go(async move {
        if !world.options.save_delay.is_zero() {
            world.pause(world.options.save_delay).await;
        }
        world.finance.save(&Form::read(&given))
    });
    match answer.await {
        Ok(answer) => Json(answer).into_response(),
        Err(_) => page(StatusCode::INTERNAL_SERVER_ERROR, "500 - Internal server error."),
    }
}

/// The refusal of one who has no session.
fn stranger(seat: &Seat, headers: &HeaderMap) -> Option<Response> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    (!seat.system.tokens.good(given, 0))
        .then(|| refused(StatusCode::UNAUTHORIZED, "نشست کاربر معتبر نمی باشد. لطفا مجددا وارد شوید."))
}

fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "Message": why }))).into_response()
}
