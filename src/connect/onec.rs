//! 1C:Enterprise through its standard OData interface: the cards of a loyalty programme, their owners,
//! what was bought with them, and their points.
//!
//! Bases differ in what they allow. What is refused is asked for in a plainer way, and the cursor
//! keeps the way that was taken: without an order, without a filter, in smaller pages.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::http::{Auth, Door, Habits, Http, Request, broke_off, secret};
use super::loose;
use super::{Absence, Ask, Connector, Cursor, Error, LeftOut, Page, Row, Stream, Table, Totals};
use crate::model::amount::{AMOUNT, POINTS_IN, POINTS_OUT};
use crate::model::customer::PointsRule;
use crate::model::{Message, Record, Sums};

pub mod city;
mod contact;
mod envelope;
pub mod live;
mod packaging;
mod query;
mod read;

pub use city::CityRule;
pub use read::{CARD_NAME, card_name, entry_key};

/// Settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Onec {
    /// Base address, `https://host/publication/odata/standard.odata`.
    pub base_url: String,
    /// The user's name.
    #[serde(deserialize_with = "secret")]
    pub username: SecretString,
    /// The user's password.
    #[serde(deserialize_with = "secret")]
    pub password: SecretString,
    /// The currency of its amounts, an ISO code: a register has none.
    #[serde(default = "rubles", deserialize_with = "currency")]
    pub currency: String,
    /// Days of purchases that a run reads, where it is not told otherwise.
    #[serde(default = "purchase_days")]
    pub purchase_days: u32,
    /// How points add up to a balance.
    #[serde(default)]
    pub points_rule: PointsRule,
    /// Where a city is looked for, in this order.
    #[serde(default = "city_rules")]
    pub city_rules: Vec<CityRule>,
    /// Words that make a product packaging.
    #[serde(default = "packaging")]
    pub packaging: Vec<String>,
    /// Beginnings of articles that do.
    #[serde(default)]
    pub packaging_articles: Vec<String>,
    /// What the sets of the base are called.
    #[serde(default)]
    pub entities: Entities,
    /// The zone of the base's clock.
    #[serde(skip, default = "utc")]
    pub zone: TimeZone,
    /// Where phone numbers without a country are from, ISO alpha-2.
    #[serde(skip, default = "region")]
    pub region: String,
}

/// What the sets of a base are called.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Entities {
    /// Cards.
    pub cards: String,
    /// Counterparties.
    pub customers: String,
    /// Products.
    pub products: String,
    /// The register of sales by card.
    pub sales: String,
    /// The register of points.
    pub points: String,
    /// The document that brings opening balances.
    pub opening: String,
}

impl Default for Entities {
    fn default() -> Entities {
        Entities {
            cards: "Catalog_ДисконтныеКарты".to_owned(),
            customers: "Catalog_Контрагенты".to_owned(),
            products: "Catalog_Номенклатура".to_owned(),
            sales: "AccumulationRegister_ПродажиПоДисконтнымКартам".to_owned(),
            points: "AccumulationRegister_БонусныеБаллы".to_owned(),
            opening: "Document_ВводНачальныхОстатков".to_owned(),
        }
    }
}

fn rubles() -> String {
    "RUB".to_owned()
}

/// Reads `RUB`; the refusal is a key of the message catalogue.
fn currency<'de, D: serde::Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    let code = String::deserialize(d)?;
    let is_code = code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_uppercase());
    if is_code { Ok(code) } else { Err(serde::de::Error::custom("config-bad-currency")) }
}

fn purchase_days() -> u32 {
    365
}

fn city_rules() -> Vec<CityRule> {
    city::USUAL.to_vec()
}

fn packaging() -> Vec<String> {
    let words = [
        "пакет",
        "мешочек",
        "мешок",
        "коробка",
        "упаковка",
        "конверт",
        "салфетка",
        "футляр",
        "чехол",
        "bag",
        "box",
    ];
    words.map(str::to_owned).to_vec()
}

fn utc() -> TimeZone {
    TimeZone::UTC
}

fn region() -> String {
    "RU".to_owned()
}

/// Rows of a page, where the settings ask for more.
const LARGEST_PAGE: u32 = 1000;
/// A page is not made smaller than this.
const SMALLEST_PAGE: u32 = 50;
/// Elements asked for by their keys at once: an address has room for no more.
const KEYS: usize = 25;

/// The first day that a base knows.
const FIRST_DAY: Date = Date::constant(1, 1, 1);

const CARDS: &str = "cards";
const CUSTOMERS: &str = "customers";
const OPENING: &str = "opening_balances";
const PURCHASES: &str = "purchases";
const PRODUCTS: &str = "products";
const POINTS: &str = "points";

/// The lists, with the share of the progress that people know each by.
static STREAMS: [Stream; 6] = [
    Stream {
        name: CARDS,
        table: Table::Card,
        measures: &[],
        absence: Absence::Gone,
        weight: 30,
        band: Some((10, 40)),
    },
    Stream {
        name: CUSTOMERS,
        table: Table::Person,
        measures: &[],
        absence: Absence::Gone,
        weight: 2,
        band: Some((40, 42)),
    },
    Stream {
        name: OPENING,
        table: Table::Entry,
        measures: &[AMOUNT],
        absence: Absence::Gone,
        weight: 8,
        band: Some((42, 50)),
    },
    Stream {
        name: PURCHASES,
        table: Table::Entry,
        measures: &[AMOUNT],
        absence: Absence::Gone,
        weight: 30,
        band: Some((55, 85)),
    },
    Stream {
        name: PRODUCTS,
        table: Table::Product,
        measures: &[],
        absence: Absence::Gone,
        weight: 5,
        band: Some((85, 90)),
    },
    Stream {
        name: POINTS,
        table: Table::Entry,
        measures: &[POINTS_IN, POINTS_OUT],
        absence: Absence::Gone,
        weight: 8,
        band: Some((90, 98)),
    },
];

/// Where a read stands, and the way it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// Rows before it.
    skip: u64,
    /// Rows of its page.
    top: u32,
    /// Rows in all, as the base said at the beginning.
    count: Option<u64>,
    /// The base refused to order rows.
    #[serde(default)]
    unordered: bool,
    /// The base refused the condition: everything is read, and chosen here.
    #[serde(default)]
    unfiltered: bool,
}

/// What of the base a stream is.
#[derive(Clone)]
struct Set {
    path: String,
    order: &'static str,
    filter: Option<String>,
    key: fn(&str) -> Option<String>,
    versioned: bool,
}

impl Connector for Onec {
    fn streams(&self) -> &'static [Stream] {
        &STREAMS
    }

    fn door(&self) -> Door {
        Door {
            base_url: self.base_url.clone(),
            auth: Auth::Basic { user: self.username.clone(), password: self.password.clone() },
            habits: Habits {
                // No licence or no session is free.
                busy: &[402, 406],
                refusals: &["Операция не разрешена", "AUTOORDER", "Сегмент пути"],
                // An error of the base's own rules, which stays however often one asks.
                codes: &["-1"],
            },
        }
    }

    async fn fetch(
        &self,
        http: &Http,
        stream: &Stream,
        at: Option<&Cursor>,
        ask: &Ask,
    ) -> Result<Page, Error> {
        let set = self.set(stream, ask);
        let mut place = match at {
            None => Place::first(ask.page_size),
            Some(cursor) => place(cursor, stream.name)?,
        };
        loop {
            match self.page(http, &set, &place, ask.brief && set.versioned).await {
                Ok(page) if !place.unfiltered => return Ok(page),
                Ok(page) => return Ok(self.within_window(page, stream, ask)),
                Err(error) => place = place.plainer(error, set.filter.is_some())?,
            }
        }
    }

    async fn fetch_by_keys(&self, http: &Http, stream: &Stream, keys: &[String]) -> Result<Vec<Row>, Error> {
        let set = self.set(stream, &Ask::default());
        let mut rows = Vec::with_capacity(keys.len());
        for keys in keys.chunks(KEYS) {
            let mut asked = form();
            query::add(
                &mut asked,
                "$filter",
                &query::one_of("Ref_Key", keys.iter().map(|key| query::guid(key))),
            );
            let request = Request::new(set.path.clone(), asked);
            rows.extend(
                http.get_parsed(&request, |text| envelope::rows(text, set.key, set.versioned)).await?,
            );
        }
        Ok(rows)
    }

    fn read(&self, stream: &Stream, raw: &str) -> Result<Record, LeftOut> {
        match stream.name {
            CARDS => self.card(raw).map(Record::Card),
            CUSTOMERS => self.counterparty(raw).map(Record::Person),
            OPENING => self.sale(raw, true).map(Record::Entry),
            PURCHASES => self.sale(raw, false).map(Record::Entry),
            PRODUCTS => self.product(raw).map(Record::Product),
            _ => self.points(raw).map(Record::Entry),
        }
    }

    fn amounts(&self, stream: &Stream, raw: &str) -> Sums {
        loose::amounts(raw, stream.measures, |measure| match *measure {
            AMOUNT => "Сумма",
            POINTS_IN => "Начислено",
            _ => "КСписанию",
        })
    }

    fn is_versioned(&self, stream: &Stream) -> bool {
        matches!(stream.table, Table::Person | Table::Product)
    }

    fn window(&self, stream: &Stream, ask: &Ask) -> Option<(Date, Date)> {
        let days = i64::from(ask.days.unwrap_or(self.purchase_days));
        let first = jiff::Span::new().try_days(days).and_then(|days| ask.today.checked_sub(days));
        let first = first.unwrap_or(FIRST_DAY).max(FIRST_DAY);
        (stream.name == PURCHASES).then_some((first, Date::MAX))
    }
}

impl Onec {
    /// Whether a product of this name and article is packaging: folded away in what a customer bought,
    /// kept in the money.
    pub fn is_packaging(&self, name: Option<&str>, article: Option<&str>) -> bool {
        let (name, article) = (name.unwrap_or_default(), article.unwrap_or_default());
        packaging::is_packaging(&self.packaging, &self.packaging_articles, name, article)
    }

    /// What the clock of the base shows at a moment, in microseconds since 1970 UTC.
    pub fn clock(&self, at: i64) -> Option<DateTime> {
        let moment = Timestamp::from_microsecond(at).ok()?;
        Some(moment.to_zoned(self.zone.clone()).datetime())
    }

    fn set(&self, stream: &Stream, ask: &Ask) -> Set {
        let names = &self.entities;
        let catalog = |name: &str, versioned| Set {
            path: format!("/{name}"),
            order: "Ref_Key",
            filter: None,
            key: read::element_key,
            versioned,
        };
        let register = |name: &str, filter| Set {
            path: format!("/{name}_RecordType"),
            order: "Period,Recorder,LineNumber",
            filter,
            key: read::row_key,
            versioned: false,
        };
        let opening = format!("isof(Recorder,{})", query::text(&names.opening));
        match stream.name {
            CARDS => catalog(&names.cards, false),
            CUSTOMERS => catalog(&names.customers, true),
            PRODUCTS => catalog(&names.products, true),
            OPENING => register(&names.sales, Some(opening)),
            PURCHASES => {
                let first = self.window(stream, ask).map_or(FIRST_DAY, |(first, _)| first);
                register(
                    &names.sales,
                    Some(format!("Period ge datetime'{first}T00:00:00' and not {opening}")),
                )
            }
            _ => register(&names.points, None),
        }
    }

    /// A page of a list that could not be asked for by its days, what lies before them marked.
    fn within_window(&self, mut page: Page, stream: &Stream, ask: &Ask) -> Page {
        if let Some((first, _)) = self.window(stream, ask) {
            let first = first.to_string();
            for row in &mut page.rows {
                let [period] = loose::fields(&row.raw, &["Period"]).unwrap_or([loose::Loose::Absent]);
                let day = period.text().and_then(|text| text.get(..first.len()));
                row.unasked = day.filter(|day| *day < first.as_str()).map(|_| "before_window");
            }
        }
        page
    }

    /// The page at a place. How many rows there are is asked for with the first page and the last.
    async fn page(&self, http: &Http, set: &Set, place: &Place, brief: bool) -> Result<Page, Error> {
        let mut asked = form();
        let filter = set.filter.as_deref().filter(|_| !place.unfiltered);
        if let Some(filter) = filter {
            query::add(&mut asked, "$filter", filter);
        }
        if brief {
            query::add(&mut asked, "$select", "Ref_Key,DataVersion,IsFolder");
        }
        if !place.unordered {
            query::add(&mut asked, "$orderby", set.order);
        }
        query::add(&mut asked, "$top", &place.top.to_string());
        query::add(&mut asked, "$skip", &place.skip.to_string());
        let request = Request::new(set.path.clone(), asked).whole_or(place.top > SMALLEST_PAGE);
        let rows = http.get_parsed(&request, |text| envelope::rows(text, set.key, set.versioned)).await?;
        let is_last = rows.len() < place.top as usize;
        let count = if place.skip == 0 || is_last { count(http, set, filter).await? } else { place.count };
        let next = (!is_last).then(|| Place { skip: place.skip + rows.len() as u64, count, ..place.clone() });
        let next = next.map(|place| Cursor(serde_json::json!(place).to_string()));
        let rows = rows.into_iter().map(|row| Row { brief, ..row }).collect();
        Ok(Page { rows, next, totals: Totals { count, ..Totals::default() }, way: place.way() })
    }
}

/// The list of that name.
fn stream(name: &str) -> &'static Stream {
    STREAMS.iter().find(|stream| stream.name == name).unwrap_or(&STREAMS[0])
}

/// The place that a cursor means.
fn place(cursor: &Cursor, stream: &str) -> Result<Place, Error> {
    serde_json::from_str(&cursor.0)
        .map_err(|_| Error::Unexpected(Message::new("connect-cursor-unreadable").with("stream", stream)))
}

/// How many rows a set has. A base that does not tell proves its list by its end.
async fn count(http: &Http, set: &Set, filter: Option<&str>) -> Result<Option<u64>, Error> {
    let mut asked = String::new();
    if let Some(filter) = filter {
        query::add(&mut asked, "$filter", filter);
    }
    let request = Request::new(format!("{}/$count", set.path), asked);
    match http.get_parsed(&request, envelope::count).await {
        Ok(count) => Ok(Some(count)),
        Err(Error::Rejected(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A query that asks for JSON: without this a base answers in Atom.
fn form() -> String {
    let mut query = String::new();
    query::add(&mut query, "$format", "application/json;odata=nometadata");
    query
}

impl Place {
    fn first(page_size: u32) -> Place {
        let top = if page_size == 0 { LARGEST_PAGE } else { page_size.min(LARGEST_PAGE) };
        Place { skip: 0, top, count: None, unordered: false, unfiltered: false }
    }

    /// The way to go on after an error, or the error when there is none.
    fn plainer(self, error: Error, filtered: bool) -> Result<Place, Error> {
        match &error {
            Error::Rejected(_) if !self.unordered => Ok(Place { unordered: true, ..self }),
            // Other rows come now: from the first one on.
            Error::Rejected(_) if filtered && !self.unfiltered => {
                Ok(Place { unfiltered: true, unordered: false, skip: 0, count: None, ..self })
            }
            _ if broke_off(&error) && self.top > SMALLEST_PAGE => {
                Ok(Place { top: (self.top / 2).max(SMALLEST_PAGE), ..self })
            }
            // Refused in every way there is: not the base that we know, and a page that cannot be had.
            Error::Rejected(message) => Err(Error::Unexpected(message.clone())),
            _ => Err(error),
        }
    }

    /// The way it goes, a word of the catalogue; `None` for the usual one.
    fn way(&self) -> Option<&'static str> {
        match (self.unordered, self.unfiltered) {
            (false, false) => None,
            (true, false) => Some("unordered"),
            (false, true) => Some("unfiltered"),
            (true, true) => Some("unordered_unfiltered"),
        }
    }
}

#[cfg(test)]
mod tests;
