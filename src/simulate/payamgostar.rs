//! Payamgostar CRM as its wire page describes it: sign-in, identities, quotes, invoices, webhooks.
//!
//! `crm` holds what it knows; `find` answers questions, `write` checks what is to be saved, `bills`
//! computes quotes and invoices, `webhooks` says what changed; `make` invents all of it.

mod bills;
mod crm;
mod fields;
mod find;
mod make;
mod webhooks;
mod write;

use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use axum::{Json, Router};
use serde_json::json;

use super::at_work::AtWork;
use super::faults::Twist;
use super::gate::{Rows, json_text, page};
use super::people::arabic;
use super::record::{Record, array};
use super::server::{Seat, System, Tokens};
use super::table::window;
use super::traps::OfficeTrap;
pub use crm::Crm;
use fields::Sort;
use find::Found;
pub(super) use webhooks::Outbox;
pub use webhooks::{SentWebhook, Webhooks};

/// Name of the system.
pub(super) const NAME: &str = "crm";
/// The user of the API.
pub(super) const USER: &str = "sync-user";
/// The password, which says whose it is.
pub(super) const PASSWORD: &str = "sim-crm-password";
/// How tokens for renewals begin where they are kept.
const RENEWAL: &str = "renew ";
/// How long a token for renewals is good, in seconds.
const RENEWABLE: u64 = 30 * 24 * 60 * 60;

/// The addresses of the CRM, below its base.
const PATHS: [&str; 15] = [
    "/api/v2/auth/login",
    "/api/v2/auth/token/refresh",
    "/api/v2/crmobject/identity/search",
    "/api/v2/crmobject/person/find",
    "/api/v2/crmobject/person/get",
    "/api/v2/crmobject/person/create",
    "/api/v2/crmobject/person/update",
    "/api/v2/crmobject/organization/find",
    "/api/v2/crmobject/organization/get",
    "/api/v2/crmobject/organization/create",
    "/api/v2/crmobject/organization/update",
    "/api/v2/crmobject/quote/sales/get",
    "/api/v2/crmobject/quote/sales/find",
    "/api/v2/crmobject/invoice/sales/get",
    "/api/v2/crmobject/invoice/sales/find",
];

/// What is wrong with a request: status, code and words.
#[derive(Debug)]
pub(super) struct Refusal(pub u16, pub &'static str, pub String);

impl Refusal {
    fn new(status: u16, code: &'static str, words: &str) -> Self {
        Self(status, code, words.to_owned())
    }
}

/// The CRM as a system; its rows are kept beside it, for they are made late.
pub(super) fn system() -> System {
    System {
        name: NAME,
        base: "/crm",
        paths: &PATHS,
        empty: "[]",
        tokens: Tokens::default(),
        streams: Vec::new(),
        at_work: AtWork::default(),
    }
}

/// Every address of the CRM.
pub(super) fn routes(base: &str) -> Router<Seat> {
    Router::new()
        .route(&format!("{base}{}", PATHS[0]), post(login))
        .route(&format!("{base}{}", PATHS[1]), post(refresh))
        .route(&format!("{base}{}", PATHS[2]), post(search))
        .route(&format!("{base}/api/v2/crmobject/{{kind}}/{{verb}}"), post(identity))
        .route(&format!("{base}/api/v2/crmobject/{{kind}}/sales/{{verb}}"), post(bill))
        .route(&format!("{base}/{{*rest}}"), any(nothing_here))
}

async fn nothing_here() -> Response {
    page(StatusCode::NOT_FOUND, "404 - File or directory not found.")
}

async fn login(State(seat): State<Seat>, body: Bytes) -> Response {
    let given = read(&body, &["username", "password", "deviceId", "platformType"]);
    answer(&seat, given.and_then(|given| admit(&seat, &given)).map(Json))
}

fn admit(seat: &Seat, given: &Record) -> Result<serde_json::Value, Refusal> {
    let crm = &seat.world.crm;
    if crm.is_locked() {
        return Err(Refusal::new(403, "TooManyAttempts", "تعداد تلاش بیش از حد مجاز است. بعدا تلاش کنید."));
    }
    let needed = ["username", "password", "deviceId", "platformType"];
    if let Some(missing) = needed.into_iter().find(|name| given.text(name).is_empty()) {
        return Err(Refusal(400, "ValidationError", format!("The {missing} field is required.")));
    }
    if given.text("username") != USER || given.text("password") != PASSWORD {
        crm.refuse_login();
        return Err(Refusal::new(401, "InvalidCredentials", "نام کاربری یا رمز عبور اشتباه است."));
    }
    crm.forgive_logins();
    if crm.trap(OfficeTrap::CrmUnlicensed) {
        return Err(Refusal::new(402, "ModuleNotLicensed", "ماژول MobileApp فعال نیست."));
    }
    Ok(tokens(seat))
}

async fn refresh(State(seat): State<Seat>, body: Bytes) -> Response {
    let given = read(&body, &["refreshToken", "accessToken", "deviceId"]);
    let renewed = given.and_then(|given| {
        let allowed = !seat.world.crm.trap(OfficeTrap::CrmNoRefresh);
        // A token for renewals is good for one.
        let known = allowed && seat.system.tokens.take(&renewal(&given.text("refreshToken")), now());
        match known {
            true => Ok(tokens(&seat)),
            false => Err(Refusal::new(400, "InvalidToken", "The refresh token is not valid.")),
        }
    });
    answer(&seat, renewed.map(Json))
}

fn tokens(seat: &Seat) -> serde_json::Value {
    let life = seat.world.options.token_life;
    let (access, renew) = (format!("{:032x}", fastrand::u128(1..)), format!("{:032x}", fastrand::u128(1..)));
    seat.system.tokens.add(access.clone(), now() + life.as_secs());
    seat.system.tokens.add(renewal(&renew), now() + RENEWABLE);
    json!({ "expiresAt": fields::expiry(life), "accessToken": access, "refreshToken": renew })
}

/// Tokens for renewals among those for requests.
fn renewal(token: &str) -> String {
    format!("{RENEWAL}{token}")
}

async fn search(
    State(seat): State<Seat>,
    twist: Option<Extension<Twist>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(response) = stranger(&seat, &headers) {
        return response;
    }
    if let Some(delay) = seat.world.options.page_delay {
        seat.world.pause(delay).await;
    }
    let given = match read(&body, &["pageNumber", "pageSize", "searchTerm"]) {
        Ok(given) => given,
        Err(refusal) => return answer(&seat, Err::<Response, _>(refusal)),
    };
    let (number, size) = match (whole(&given, "pageNumber", 0), whole(&given, "pageSize", 20)) {
        (Ok(number), Ok(size)) => (number, size),
        (Err(refusal), _) | (_, Err(refusal)) => return answer(&seat, Err::<Response, _>(refusal)),
    };
    let rows = seat.world.crm.listed(&given.text("searchTerm"));
    let order: Vec<u32> = (0..).take(rows.len()).collect();
    let shift = seat.world.crm.shift();
    let kept = window(&order, number.saturating_mul(size), size, shift, twist.map(|twist| twist.0));
    let mut response = told(&seat, &array(kept.iter().map(|place| &rows[*place as usize])));
    response.extensions_mut().insert(Rows(kept.len()));
    response
}

async fn identity(
    seat: State<Seat>,
    path: Path<(String, String)>,
    twist: Option<Extension<Twist>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (kind, verb) = path.0;
    let sort = match kind.as_str() {
        "person" => Sort::Person,
        "organization" => Sort::Organization,
        _ => return nothing_here().await,
    };
    object(seat.0, sort, &verb, twist, &headers, &body).await
}

async fn bill(
    seat: State<Seat>,
    path: Path<(String, String)>,
    twist: Option<Extension<Twist>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (kind, verb) = path.0;
    let sort = match (kind.as_str(), verb.as_str()) {
        ("quote", "get" | "find") => Sort::Quote,
        ("invoice", "get" | "find") => Sort::Invoice,
        _ => return nothing_here().await,
    };
    object(seat.0, sort, &verb, twist, &headers, &body).await
}

/// Get, find, create or update of one kind of object.
async fn object(
    seat: Seat,
    sort: Sort,
    verb: &str,
    twist: Option<Extension<Twist>>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Response {
    if let Some(response) = stranger(&seat, headers) {
        return response;
    }
    let crm = &seat.world.crm;
    match verb {
        "get" => {
            let found = read(body, &["id"]).and_then(|given| crm.get(sort, &given.text("id")));
            answer(&seat, found.map(|row| told(&seat, &row.json())))
        }
        "find" => {
            if let Some(delay) = seat.world.options.page_delay {
                seat.world.pause(delay).await;
            }
            let found =
                read(body, &find::KEYS).and_then(|given| crm.find(sort, &given, twist.map(|twist| twist.0)));
            let page = |Found { rows, total }: Found| {
                let text = format!("{{\"data\":{},\"total\":{total}}}", array(rows.iter()));
                let mut response = told(&seat, &text);
                response.extensions_mut().insert(Rows(rows.len()));
                response
            };
            answer(&seat, found.map(page))
        }
        "create" | "update" => {
            let given = read(body, &fields::WRITTEN);
            let id = given.and_then(|given| crm.save(sort, &given, verb == "update"));
            answer(&seat, id.map(|id| Json(json!({ "crmId": id }))))
        }
        _ => nothing_here().await,
    }
}

/// The body of a request, whose names may be written in any letter case.
fn read(body: &Bytes, known: &[&str]) -> Result<Record, Refusal> {
    let record = std::str::from_utf8(body).ok().and_then(Record::read);
    let record =
        record.ok_or_else(|| Refusal::new(400, "ValidationError", "The JSON value is not valid."))?;
    Ok(record.cased(known))
}

/// A whole number of a request, or what it is when it is not given.
fn whole(given: &Record, name: &str, default: usize) -> Result<usize, Refusal> {
    let text = given.text(name);
    if text.is_empty() {
        return Ok(default);
    }
    text.parse()
        .map_err(|_| Refusal(400, "ValidationError", format!("The {name} field is not a valid number.")))
}

/// Sends JSON text, in the letters that this CRM writes.
fn told(seat: &Seat, text: &str) -> Response {
    match seat.world.crm.trap(OfficeTrap::CrmArabicLetters) {
        true => json_text(arabic(text)),
        false => json_text(text.to_owned()),
    }
}

fn answer(seat: &Seat, answer: Result<impl IntoResponse, Refusal>) -> Response {
    let Refusal(status, code, words) = match answer {
        Ok(answer) => return answer.into_response(),
        Err(refusal) => refusal,
    };
    let crm = &seat.world.crm;
    let status = match status {
        404 if crm.trap(OfficeTrap::CrmErrorAsSuccess) => 200,
        status => status,
    };
    let envelope = match crm.trap(OfficeTrap::CrmErrorObject) {
        true => json!({ "error": { "message": words, "details": null } }),
        false => json!({ "code": code, "message": words, "errorDetails": [] }),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(envelope)).into_response()
}

/// The refusal of one who has no token.
fn stranger(seat: &Seat, headers: &HeaderMap) -> Option<Response> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = given.strip_prefix("Bearer ").filter(|token| !token.starts_with(RENEWAL));
    let good = token.is_some_and(|token| seat.system.tokens.good(token, now()));
    let refusal = || Refusal::new(401, "Unauthorized", "The access token is not valid.");
    (!good).then(|| answer(seat, Err::<Response, _>(refusal())))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
