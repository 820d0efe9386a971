//! The Exness Partnership API as its wire page describes it: login and two lists.
//!
//! The same routes serve every partner; which one is asked comes with the seat.

use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::{Extension, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Options;
use super::at_work::AtWork;
use super::broker::{Partner, book};
use super::faults::Twist;
use super::gate::{Rows, json_text, page};
use super::server::{Seat, Stream, System, Tokens};
use super::table::{Fields, Shape, Table, Tally, window};

/// What the server believes the time to be in `server_dt`; fixed, so that answers are repeatable.
const SERVER_TIME: &str = "2026-07-01T00:00:00";
const V2_PAGE: usize = 100;

static ACCOUNTS: Shape = Shape {
    name: "accounts",
    sums: &["volume_lots", "volume_mln_usd", "reward", "reward_usd"],
    orders: &["client_account", "client_uid", "id", "reg_date"],
    client: "client_uid",
    date: "reg_date",
};
static CLIENTS: Shape = Shape {
    name: "clients",
    sums: &["volume_lots", "volume_mln_usd", "reward_usd", "rebate_amount_usd"],
    orders: &["client_uid", "reg_date"],
    client: "client_uid",
    date: "reg_date",
};

const HAM: Partner = Partner {
    index: 0,
    clients: 664,
    accounts: 1363,
    partner_accounts: &["1100000000000000001", "1100000000000000002", "1100000000000000003"],
};
const JANISCHA: Partner = Partner {
    index: 1,
    clients: 259,
    accounts: 357,
    partner_accounts: &["2100000000000000001", "2100000000000000002"],
};

/// What a list request asks for.
struct Ask {
    pairs: Vec<(String, String)>,
    ordering: Option<String>,
    limit: Option<usize>,
    offset: usize,
}

/// Both partners with their rows.
pub(super) fn systems(options: &Options) -> Vec<System> {
    let system = |name, base, partner: &Partner| {
        let book = book(options.seed, options.scale, partner);
        System {
            name,
            base,
            paths: &PATHS,
            empty: r#"{"data":[],"totals":{"count":0}}"#,
            tokens: Tokens::default(),
            streams: vec![Stream::new(&CLIENTS, book.clients), Stream::new(&ACCOUNTS, book.accounts)],
            at_work: AtWork::default(),
        }
    };
    vec![system("ham", "/exness-ham", &HAM), system("janischa", "/exness-janischa", &JANISCHA)]
}

/// Login name and password of a partner.
pub(super) fn credentials(name: &str) -> (String, String) {
    (format!("partner-{name}@example.test"), format!("sim-{name}-password"))
}

/// The addresses of a partner, below its base.
pub(super) const PATHS: [&str; 3] = ["/api/v2/auth/", "/api/v2/reports/clients/", "/api/reports/clients/"];

/// Every address of a partner.
pub(super) fn routes(base: &str) -> Router<Seat> {
    Router::new()
        .route(&format!("{base}/api/v2/auth/"), post(login))
        .route(&format!("{base}/api/v2/reports/clients/"), get(clients))
        .route(&format!("{base}/api/reports/clients/"), get(accounts))
        .route(&format!("{base}/{{*rest}}"), any(nothing_here))
}

async fn nothing_here() -> Response {
    page(StatusCode::NOT_FOUND, "404 Not Found")
}

async fn login(State(seat): State<Seat>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(response) = firewall(&headers) {
        return response;
    }
    let given: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (Some(login), Some(password)) = (given["login"].as_str(), given["password"].as_str()) else {
        return refused(StatusCode::BAD_REQUEST, "detail", "login and password are required");
    };
    let name = seat.system.name;
    let (right_login, right_password) = credentials(name);
    if login != right_login || password != right_password {
        return refused(StatusCode::UNAUTHORIZED, "detail", "AuthenticationFailed");
    }
    let expires = now() + seat.world.options.token_life.as_secs();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let token = format!(
        "{}.{}.{}",
        part(&json!({ "typ": "JWT", "alg": "HS256" })),
        part(&json!({ "exp": expires, "partner": name, "jti": fastrand::u64(..) })),
        URL_SAFE_NO_PAD.encode(fastrand::u128(..).to_le_bytes()),
    );
    seat.system.tokens.add(token.clone(), expires);
    // One of the partners gets its token with the scheme already in front, as has been seen.
    let prefix = if name == "ham" { "JWT " } else { "" };
    Json(json!({ "token": format!("{prefix}{token}") })).into_response()
}

async fn clients(
    seat: State<Seat>,
    twist: Option<Extension<Twist>>,
    headers: HeaderMap,
    query: Query<Vec<(String, String)>>,
) -> Response {
    list("clients", seat.0, twist, &headers, query.0).await
}

async fn accounts(
    seat: State<Seat>,
    twist: Option<Extension<Twist>>,
    headers: HeaderMap,
    query: Query<Vec<(String, String)>>,
) -> Response {
    list("accounts", seat.0, twist, &headers, query.0).await
}

async fn list(
    stream: &str,
    seat: Seat,
    twist: Option<Extension<Twist>>,
    headers: &HeaderMap,
    pairs: Vec<(String, String)>,
) -> Response {
    if let Some(response) = firewall(headers) {
        return response;
    }
    if !signed_in(&seat, headers) {
        return refused(StatusCode::UNAUTHORIZED, "message", "NotAuthenticated");
    }
    if let Some(delay) = seat.world.options.page_delay {
        seat.world.pause(delay).await;
    }
    let Some(stream) = seat.system.stream(stream) else {
        return nothing_here().await;
    };
    answer(stream, pairs, twist.map(|twist| twist.0))
        .unwrap_or_else(|(status, why)| refused(status, "detail", &why))
}

fn answer(
    stream: &Stream,
    pairs: Vec<(String, String)>,
    twist: Option<Twist>,
) -> Result<Response, (StatusCode, String)> {
    let table = stream.table();
    let by_client = stream.shape.name == "clients";
    let mut ask = Ask::new(pairs)?;
    if by_client {
        ask.limit = ask.limit.or(Some(V2_PAGE));
    }
    let mut shift = 0;
    let order = if let Some(ordering) = &ask.ordering {
        table.order(ordering).map_err(|field| bad(format!("Cannot order by {field}")))?
    } else {
        // Rows come as the database happens to hold them: each request finds them moved.
        shift = usize::try_from(stream.unordered.fetch_add(1, Ordering::Relaxed) * 13 % 29).unwrap_or(0);
        table.order("").map_err(bad)?
    };
    let kept = ask.filtered(&table, &order, by_client)?;
    let order: &[u32] = kept.as_deref().unwrap_or(&order);
    let tally = if kept.is_some() { &table.tally_of(order) } else { &table.tally };
    let rows = window(order, ask.offset, ask.limit.unwrap_or(usize::MAX), shift, twist);
    let totals = if by_client { client_totals(tally) } else { account_totals(tally) };
    let text = format!("{{\"data\":{},\"totals\":{totals}}}", table.array(&rows));
    let mut response = json_text(text);
    response.extensions_mut().insert(Rows(rows.len()));
    Ok(response)
}

impl Ask {
    fn new(pairs: Vec<(String, String)>) -> Result<Self, (StatusCode, String)> {
        let one = |name: &str| pairs.iter().rfind(|(key, _)| key == name).map(|(_, value)| value.clone());
        let number = |name: &str| match one(name).filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => text
                .parse::<usize>()
                .map(Some)
                .map_err(|_| bad(format!("{name}: a valid integer is required"))),
        };
        let limit = number("limit")?.filter(|limit| *limit > 0);
        let offset = number("offset")?.unwrap_or(0);
        let ordering = one("ordering").filter(|text| !text.is_empty());
        Ok(Self { ordering, limit, offset, pairs })
    }

    fn values(&self, name: &str) -> Vec<&str> {
        let given = self.pairs.iter().filter(|(key, _)| key == name);
        given.flat_map(|(_, value)| value.split(',')).filter(|value| !value.is_empty()).collect()
    }

    /// The rows that match the filters; `None` when there are none.
    fn filtered(
        &self,
        table: &Table,
        order: &[u32],
        by_client: bool,
    ) -> Result<Option<Vec<u32>>, (StatusCode, String)> {
        let from = self.values("reg_date_from").pop().unwrap_or_default();
        let to = self.values("reg_date_to").pop().unwrap_or_default();
        if [from, to].iter().any(|day| !day.is_empty() && day.parse::<jiff::civil::Date>().is_err()) {
            return Err(bad("Enter a valid date".to_owned()));
        }
        let uids = self.values("client_uid");
        let numbers = self.values("client_account");
        if by_client && uids.iter().any(|uid| uid.len() != 36) {
            return Err((StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error".to_owned()));
        }
        if !by_client && numbers.iter().any(|number| number.parse::<u64>().is_err()) {
            return Err(bad("client_account: a whole number is required".to_owned()));
        }
        if from.is_empty() && to.is_empty() && uids.is_empty() && numbers.is_empty() {
            return Ok(None);
        }
        let among = |row: u32, name: &str, wanted: &[&str]| {
            let fields = serde_json::from_str::<Fields>(&table.rows[row as usize]).ok();
            wanted.is_empty()
                || fields
                    .and_then(|fields| fields.text(name))
                    .is_some_and(|value| wanted.contains(&value.as_str()))
        };
        let keep = |row: &u32| {
            table.within(*row, from, to)
                && among(*row, "client_uid", &uids)
                && (by_client || among(*row, "client_account", &numbers))
        };
        Ok(Some(order.iter().copied().filter(keep).collect()))
    }
}

fn account_totals(tally: &Tally) -> String {
    let sum = |field| tally.sum(&ACCOUNTS, field);
    format!(
        "{{\"count\":{},\"volume_mln_usd\":{},\"volume_lots\":{},\"reward\":\"{}\",\"reward_usd\":\"{}\",\
         \"currency\":{},\"client_uid_count\":{}}}",
        tally.count,
        sum("volume_mln_usd"),
        sum("volume_lots"),
        sum("reward"),
        sum("reward_usd"),
        json!(tally.currencies),
        tally.clients,
    )
}

fn client_totals(tally: &Tally) -> String {
    let sum = |field| tally.sum(&CLIENTS, field);
    // `available_for_request` is a number of its own, which must not be taken for a row count.
    format!(
        "{{\"count\":{},\"volume_lots\":{},\"volume_mln_usd\":{},\"reward_usd\":\"{}\",\
         \"server_dt\":\"{SERVER_TIME}\",\"available_for_request\":{}}}",
        tally.count,
        sum("volume_lots"),
        sum("volume_mln_usd"),
        sum("reward_usd"),
        tally.count / 7,
    )
}

/// The page of the firewall that stands in front, for those who do not say who they are.
fn firewall(headers: &HeaderMap) -> Option<Response> {
    let named = headers.get(header::USER_AGENT).is_some_and(|agent| !agent.is_empty());
    (!named).then(|| page(StatusCode::FORBIDDEN, "Access denied"))
}

fn signed_in(seat: &Seat, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = given.strip_prefix("JWT ").or_else(|| given.strip_prefix("Bearer "));
    token.is_some_and(|token| seat.system.tokens.good(token, now()))
}

fn refused(status: StatusCode, key: &str, why: &str) -> Response {
    (status, Json(json!({ key: why }))).into_response()
}

fn bad(why: String) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, why)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
