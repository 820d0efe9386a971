//! 1C:Enterprise as its wire page describes it: the standard OData interface of a shop.
//!
//! `sets` says what is published and `shop` what it holds; `query` and `filter` understand what is
//! asked, `virtual_sets` makes what is published but not kept, `answers` words the rest. `traps`
//! are the ways in which bases differ.

mod answers;
mod edits;
mod filter;
mod make;
mod query;
mod sets;
mod shop;
mod traps;
mod truth;
mod value;
mod virtual_sets;

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::at_work::AtWork;
use super::faults::Twist;
use super::gate::{broken_off, page};
use super::server::{Seat, System, Tokens};
use answers::{Form, Refusal, Rowset};
use query::{Options, Query, decoded};
pub use shop::{City, Shop};
pub use traps::Trap;
use traps::Traps;
pub use truth::{PointsRule, Sum, Sums};
use value::{Guid, Row, Style};
use virtual_sets::Set;

/// Name of the system.
pub(super) const NAME: &str = "shop";
/// The base's user, whose name is Cyrillic as they usually are.
pub(super) const LOGIN: &str = "ОбменДанными";
/// The password, which says whose it is.
pub(super) const PASSWORD: &str = "sim-shop-пароль";

/// The longest address that is understood.
const LONGEST: usize = 8_000;
/// A register's page of more rows than this breaks off, when that trap is on …
const LONG_PAGE: usize = 250;
/// … and the page reaches beyond this row.
const SHORT_SCAN: usize = 1_000;
/// After so long without a question the base rests.
const REST: Duration = Duration::from_secs(60);

/// The addresses of the shop, below its base.
const PATHS: [&str; 12] = [
    "/Catalog_ДисконтныеКарты",
    "/Catalog_Контрагенты",
    "/Catalog_Контрагенты(guid'…')",
    "/Catalog_Контрагенты_КонтактнаяИнформация",
    "/Catalog_Номенклатура",
    "/AccumulationRegister_ПродажиПоДисконтнымКартам_RecordType",
    "/AccumulationRegister_БонусныеБаллы_RecordType",
    "/AccumulationRegister_БонусныеБаллы/Balance()",
    "/Catalog_ДисконтныеКарты/$count",
    "/Catalog_Контрагенты/$count",
    "/AccumulationRegister_ПродажиПоДисконтнымКартам_RecordType/$count",
    "/AccumulationRegister_БонусныеБаллы_RecordType/$count",
];

/// The shop as a system; its rows are kept beside it, for they are made late.
pub(super) fn system() -> System {
    System {
        name: NAME,
        base: "/onec/odata/standard.odata",
        paths: &PATHS,
        empty: r#"{"odata.metadata":"","value":[]}"#,
        tokens: Tokens::default(),
        streams: Vec::new(),
        at_work: AtWork::default(),
    }
}

/// Every address of the shop.
pub(super) fn routes(base: &str) -> Router<Seat> {
    let paths = [base.to_owned(), format!("{base}/"), format!("{base}/{{*rest}}")];
    paths.iter().fold(Router::new(), |router, path| router.route(path, any(ask)))
}

async fn ask(
    State(seat): State<Seat>,
    twist: Option<Extension<Twist>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let shop = &seat.world.shop;
    let traps = shop.switched();
    let rested = {
        let mut asked = shop.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.replace(Instant::now()).is_none_or(|last| last.elapsed() > REST)
    };
    if rested && traps.set(Trap::SlowFirst) {
        seat.world.pause(shop.wake).await;
    }
    let twist = twist.map(|twist| twist.0);
    let form = form(&uri, &headers, &traps);
    if !signed_in(&headers) || twist == Some(Twist::Expired) {
        return stranger(form, &traps);
    }
    if let Some(delay) = seat.world.options.page_delay {
        seat.world.pause(delay).await;
    }
    let request = Request { shop, base: base(&seat, &headers), form, twist, traps: &traps };
    let mut response = match request.answer(&method, &uri) {
        Ok(response) if response.extensions().get::<Broken>().is_some() => broken_off(response).await,
        Ok(response) => response,
        Err(refusal) if refusal.status == 414 => page(StatusCode::URI_TOO_LONG, "414 Request-URI Too Large"),
        Err(refusal) => refusal.answer(form),
    };
    if let Some(cookie) = session(shop, &headers) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Marks an answer whose connection is to break off.
#[derive(Clone)]
struct Broken;

/// A request whose sender is known.
struct Request<'a> {
    shop: &'a Shop,
    base: String,
    form: Form,
    twist: Option<Twist>,
    traps: &'a Traps,
}

impl Request<'_> {
    fn answer(&self, method: &Method, uri: &Uri) -> Result<Response, Refusal> {
        let address = uri.path_and_query().map_or("", |address| address.as_str());
        if address.len() > LONGEST {
            return Err(Refusal::new(414, "", ""));
        }
        if *method != Method::GET {
            return Err(Refusal::new(405, "13", "Метод не поддерживается"));
        }
        let raw = uri.query().unwrap_or_default();
        let plus = raw.contains('+');
        let ignored = plus && self.traps.set(Trap::PlusIgnored);
        if plus && !ignored {
            return Err(match self.traps.set(Trap::PlusFails) {
                true => Refusal::new(500, "14", query::WHERE),
                false => Refusal::syntax("неожиданный знак '+'"),
            });
        }
        let mut options = Options::read(raw)?;
        if ignored {
            options.forget("$filter");
        }
        let path = decoded(uri.path().split_once("standard.odata").map_or("", |(_, rest)| rest))?;
        let path = path.trim_matches('/');
        if path.is_empty() {
            return Ok(virtual_sets::contents());
        }
        self.set(path, &options)
    }

    /// One of `Set`, `Set/$count`, `Set(guid'…')` and `Set/Function(…)`.
    fn set(&self, path: &str, options: &Options) -> Result<Response, Refusal> {
        // What stands in brackets may hold slashes and brackets of its own.
        let end = path.find(['(', '/']).unwrap_or(path.len());
        let (name, rest) = path.split_at(end);
        if rest.starts_with('(') {
            let set = virtual_sets::find(self.shop, name)?;
            return self.single(name, &set, rest, options);
        }
        let rest = rest.trim_start_matches('/');
        if let Some(arguments) = rest.strip_prefix("Balance") {
            if self.traps.set(Trap::NoBalance) {
                return Err(Refusal::set(path));
            }
            return self.list(path, &virtual_sets::balance(self.shop, name, arguments)?, options);
        }
        let set = virtual_sets::find(self.shop, name)?;
        match rest {
            "" => self.list(name, &set, options),
            "$count" => {
                let count = Query::new(options, set.sheet.fields, self.traps)?.count(&set.sheet);
                Ok(([(header::CONTENT_TYPE, "text/plain;charset=utf-8")], count.to_string()).into_response())
            }
            _ => Err(Refusal::segment(rest)),
        }
    }

    fn list(&self, name: &str, set: &Set, options: &Options) -> Result<Response, Refusal> {
        if set.register && self.traps.set(Trap::BusinessError) {
            return Err(Refusal::new(500, "-1", "Регистр закрыт для чтения: выполняется перепроведение"));
        }
        let query = Query::new(options, set.sheet.fields, self.traps)?;
        let shift = match self.traps.set(Trap::Unordered) {
            // Rows come as the database happens to hold them: each request finds them moved.
            true => self.shop.unordered.fetch_add(1, Ordering::Relaxed) * 13 % 29,
            false => 0,
        };
        let (rows, count) = query.page(&set.sheet, usize::try_from(shift).unwrap_or(0), self.twist);
        let long = set.register
            && query.top.is_none_or(|top| top > LONG_PAGE)
            && query.skip + rows.len() > SHORT_SCAN;
        let rowset = self.rowset(name, set, rows, &query, query.count.then_some(count));
        let mut response = rowset.page(&self.base, self.form);
        if long && self.traps.set(Trap::LongPages) {
            response.extensions_mut().insert(Broken);
        }
        Ok(response)
    }

    fn single(&self, name: &str, set: &Set, key: &str, options: &Options) -> Result<Response, Refusal> {
        let inner = key.strip_prefix('(').and_then(|key| key.strip_suffix(')'));
        let inner = inner.ok_or_else(|| Refusal::segment(key))?;
        let inner = inner.strip_prefix("Ref_Key=").unwrap_or(inner);
        let guid = inner.strip_prefix("guid'").and_then(|guid| guid.strip_suffix('\''));
        let guid: Option<Guid> = guid.and_then(|guid| guid.parse().ok());
        let guid = guid.filter(|_| set.keyed).ok_or_else(|| Refusal::segment(key))?;
        let query = Query::new(options, set.sheet.fields, self.traps)?;
        let found = set.sheet.rows.iter().find(|row| row[0].guid() == guid).cloned();
        let row = found.ok_or_else(|| Refusal::new(404, "9", "Экземпляр сущности не найден"))?;
        Ok(self.rowset(name, set, vec![row], &query, None).single(&self.base, self.form))
    }

    fn rowset<'b>(
        &self,
        set: &'b str,
        of: &Set,
        rows: Vec<Row>,
        query: &Query,
        count: Option<usize>,
    ) -> Rowset<'b> {
        Rowset { set, fields: of.sheet.fields, rows, chosen: query.chosen.clone(), count }
    }
}

/// JSON for those who ask twice, by header and by option; Atom for all others.
fn form(uri: &Uri, headers: &HeaderMap, traps: &Traps) -> Form {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let options = uri.query().unwrap_or_default().split('&');
    let format = options
        .filter_map(|option| decoded(option).ok())
        .find_map(|option| option.strip_prefix("$format=").map(str::to_owned));
    let format = format.unwrap_or_default();
    Form {
        json: accept.contains("application/json") && format.contains("json"),
        bom: traps.set(Trap::Bom),
        disguised: traps.set(Trap::DisguisedErrors),
        style: Style {
            quantity_text: traps.set(Trap::QuantityText),
            no_code: traps.set(Trap::NoCode),
            links: !format.contains("nometadata"),
        },
    }
}

fn signed_in(headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let code = given.and_then(|given| given.strip_prefix("Basic "));
    let decoded = code.and_then(|code| STANDARD.decode(code.trim()).ok());
    decoded.is_some_and(|decoded| decoded == format!("{LOGIN}:{PASSWORD}").into_bytes())
}

fn stranger(form: Form, traps: &Traps) -> Response {
    if traps.set(Trap::HtmlLogin) {
        return page(StatusCode::OK, "Аутентификация 1С:Предприятие");
    }
    let mut response = Refusal::new(401, "20", "Неправильное имя пользователя или пароль").answer(form);
    let realm = HeaderValue::from_static("Basic realm=\"1C:Enterprise 8.3\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
    response
}

/// Opens or ends a session when that is asked, and gives the cookie of a new one.
fn session(shop: &Shop, headers: &HeaderMap) -> Option<HeaderValue> {
    let wish = headers.get("IBSession")?.to_str().ok()?;
    let mut sessions = shop.sessions.lock().unwrap_or_else(PoisonError::into_inner);
    if wish == "finish" {
        let cookies = headers.get(header::COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        sessions.open.retain(|session| !cookies.contains(session.as_str()));
        return None;
    }
    if wish != "start" {
        return None;
    }
    let session = Guid(fastrand::u128(1..)).to_string();
    sessions.opened += 1;
    sessions.open.push(session.clone());
    HeaderValue::from_str(&format!("ibsession={session}; path=/onec")).ok()
}

/// Where the publication is, as the one who asks calls it.
fn base(seat: &Seat, headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or("localhost");
    format!("http://{host}{}", seat.system.base)
}
