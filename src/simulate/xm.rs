//! The XM Partners API as its wire page describes it: traders as a bare array, and little more.

use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Options;
use super::at_work::AtWork;
use super::broker::traders;
use super::faults::Twist;
use super::gate::{Rows, json_text, page};
use super::server::{Seat, Stream, System, Tokens};
use super::table::{Fields, Shape, Table};

/// Name of the system.
pub(super) const NAME: &str = "xm";
/// The token the partner portal has handed out.
pub(super) const TOKEN: &str = "sim-xm-token";

static TRADERS: Shape =
    Shape { name: "traders", sums: &[], orders: &["traderId"], client: "clientId", date: "signUpDate" };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Window {
    start_time: Option<String>,
    end_time: Option<String>,
    trader_ids: Option<String>,
}

/// XM with its rows.
pub(super) fn system(options: &Options) -> System {
    System {
        name: NAME,
        base: "/xm/api",
        paths: &PATHS,
        empty: "[]",
        tokens: Tokens::default(),
        streams: vec![Stream::new(&TRADERS, traders(options.seed, options.scale, options.xm_several))],
        at_work: AtWork::default(),
    }
}

/// The addresses of XM, below its base; the last takes a trader's number.
pub(super) const PATHS: [&str; 4] = [
    "/trader-statistics/trader-list",
    "/trader-statistics/lot-rebate",
    "/trader-statistics/trades",
    "/traders/",
];

/// Every address of XM.
pub(super) fn routes(base: &str) -> Router<Seat> {
    Router::new()
        .route(&format!("{base}/trader-statistics/trader-list"), get(list))
        .route(&format!("{base}/trader-statistics/lot-rebate"), get(lot_rebate))
        .route(&format!("{base}/trader-statistics/trades"), get(trades))
        .route(&format!("{base}/traders/{{login}}"), get(trader))
        .route(&format!("{base}/{{*rest}}"), any(nothing_here))
}

async fn nothing_here() -> Response {
    page(StatusCode::NOT_FOUND, "404 Not Found")
}

async fn list(
    State(seat): State<Seat>,
    twist: Option<Extension<Twist>>,
    headers: HeaderMap,
    Query(window): Query<Window>,
) -> Response {
    let twist = twist.map(|twist| twist.0);
    let (table, mut rows) = match inside(&seat, twist, &headers, &window) {
        Ok(found) => found,
        Err(response) => return *response,
    };
    if let Some(delay) = seat.world.options.page_delay {
        seat.world.pause(delay).await;
    }
    let some = (rows.len() / 2).clamp(1, 5).min(rows.len());
    match twist {
        Some(Twist::Duplicate) => rows.extend_from_within(..some),
        Some(Twist::Reorder) => rows.rotate_left(some),
        Some(Twist::EmptyPage) => rows.clear(),
        Some(Twist::ForgetTotal) if !rows.is_empty() => {
            rows.remove(rows.len() / 2);
        }
        _ => {}
    }
    let mut response = json_text(table.array(&rows));
    response.extensions_mut().insert(Rows(rows.len()));
    response
}

async fn lot_rebate(
    State(seat): State<Seat>,
    twist: Option<Extension<Twist>>,
    headers: HeaderMap,
    Query(window): Query<Window>,
) -> Response {
    let count = match inside(&seat, twist.map(|twist| twist.0), &headers, &window) {
        Ok((_, rows)) => rows.len(),
        Err(response) => return *response,
    };
    // Seven dollars for a lot, and two and a half lots for every fourth trader.
    let active = count / 4;
    let (lots, rebate) = (active * 25, active * 175);
    json_text(format!(
        "{{\"lots\":{}.{},\"activeTraders\":{active},\"lotRebate\":{}.{},\"conversion\":0.25}}",
        lots / 10,
        lots % 10,
        rebate / 10,
        rebate % 10,
    ))
}

async fn trades(
    State(seat): State<Seat>,
    twist: Option<Extension<Twist>>,
    headers: HeaderMap,
    Query(window): Query<Window>,
) -> Response {
    let (table, rows) = match inside(&seat, twist.map(|twist| twist.0), &headers, &window) {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let wanted: Vec<&str> = window.trader_ids.iter().flat_map(|ids| ids.split(',')).collect();
    let trade = |row: &u32| {
        let fields: Fields = serde_json::from_str(&table.rows[*row as usize]).ok()?;
        let login = fields.text("traderId")?;
        let opened = fields.text("activationDate")?;
        let date = opened.get(..10)?;
        (wanted.is_empty() || wanted.contains(&login.as_str())).then(|| {
            json!({ "loginId": fields.text("traderId"), "openTime": opened, "closeTime": format!("{date}T18:00:00") })
        })
    };
    let trades: Vec<Value> = rows.iter().filter_map(trade).collect();
    let count = trades.len();
    let mut response = Json(trades).into_response();
    response.extensions_mut().insert(Rows(count));
    response
}

async fn trader(
    State(seat): State<Seat>,
    twist: Option<Extension<Twist>>,
    headers: HeaderMap,
    Path(login): Path<String>,
) -> Response {
    if let Some(response) = stranger(twist.map(|twist| twist.0), &headers) {
        return response;
    }
    let found = seat.system.stream(TRADERS.name).and_then(|stream| {
        stream.table().rows.iter().find_map(|row| {
            let fields: Fields = serde_json::from_str(row).ok()?;
            (fields.text("traderId")? == login).then(|| {
                let number = login.parse::<u64>().map_or_else(|_| json!(login), |number| json!(number));
                json!({
                    "loginID": number,
                    "validated": fields.raw("valid") == Some("true"),
                    "archived": fields.raw("archived") == Some("true"),
                    "accountType": fields.text("accountType"),
                    "serverName": "XM-Real 1",
                })
            })
        })
    });
    match found {
        Some(found) => Json(found).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({ "message": "Trader not found" }))).into_response(),
    }
}

type Found = (std::sync::Arc<Table>, Vec<u32>);

/// The traders who signed up in the window, for one who may see them.
fn inside(
    seat: &Seat,
    twist: Option<Twist>,
    headers: &HeaderMap,
    window: &Window,
) -> Result<Found, Box<Response>> {
    if let Some(response) = stranger(twist, headers) {
        return Err(Box::new(response));
    }
    let day = |text: &Option<String>| text.clone().filter(|text| text.parse::<jiff::civil::Date>().is_ok());
    let (Some(from), Some(to)) = (day(&window.start_time), day(&window.end_time)) else {
        let why = json!({ "message": "startTime and endTime are required as YYYY-MM-DD" });
        return Err(Box::new((StatusCode::BAD_REQUEST, Json(why)).into_response()));
    };
    let Some(stream) = seat.system.stream(TRADERS.name) else {
        return Err(Box::new(page(StatusCode::NOT_FOUND, "404 Not Found")));
    };
    let table = stream.table();
    let rows = (0..).take(table.rows.len()).filter(|row| table.within(*row, &from, &to)).collect();
    Ok((table, rows))
}

/// The page shown to one who has not the right token.
fn stranger(twist: Option<Twist>, headers: &HeaderMap) -> Option<Response> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let right = given.and_then(|given| given.strip_prefix("Bearer ")) == Some(TOKEN);
    (!right || twist == Some(Twist::Expired))
        .then(|| page(StatusCode::UNAUTHORIZED, "401 Authorization Required"))
}
