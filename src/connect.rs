//! Reading other systems: one connector per kind of system, one HTTP layer under all of them.
//!
//! A connector says where a system lives, how to sign in, which lists it holds and how a row is
//! read. It keeps no state: tokens, turns, retries and cursors belong to the engine and to
//! [`http::Http`]. Nothing here knows the database; the only module of ours it uses is `model`.

use std::fmt;
use std::time::Duration;

use jiff::civil::Date;

use crate::model::customer::PointsRule;
use crate::model::{Contact, Measure, Message, Record, Sums};

pub use crate::model::LeftOut;
pub use write::{Lookup, Outcome, Write};

pub mod country;
pub mod exness;
pub mod http;
pub mod loose;
pub mod mail;
pub mod object;
pub mod onec;
pub mod payamgostar;
pub mod siagh;
pub mod write;
pub mod xm;

/// A list within a system.
#[derive(Debug, Clone, Copy)]
pub struct Stream {
    /// Its name in reports, fixed (`clients`, `accounts`, `traders`).
    pub name: &'static str,
    /// Which table its rows live in.
    pub table: Table,
    /// The columns whose sums are kept and, where the source states totals, compared.
    pub measures: &'static [Measure],
    /// What it means when a complete read no longer contains a record.
    pub absence: Absence,
    /// Its share of a run's progress.
    pub weight: u32,
    /// The part of a run's progress that people know it by, from and to; `None` = by its weight.
    pub band: Option<(i64, i64)>,
}

impl Stream {
    /// What a record that names no client is named by itself, and a card by its movements.
    pub fn own_name(&self, key: &str) -> String {
        format!("{} {key}", self.name)
    }
}

/// The tables of mirrored rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Clients and other persons and organizations.
    Party,
    /// Trading accounts.
    Account,
    /// Persons and organizations that buy.
    Person,
    /// Cards of a loyalty programme.
    Card,
    /// Movements of money and points.
    Entry,
    /// Products.
    Product,
    /// Customers as a CRM or a finance system describes them.
    Contact,
    /// Quotes and invoices.
    Document,
}

/// What the absence of a record from a complete read means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// It left the source: it is marked gone.
    Gone,
    /// It may only be outside the window that was asked for: counted, never marked.
    Counted,
}

/// Where a read stands: opaque text that only the connector understands, safe to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// One row as it came.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its key within the stream; `None` when the row has none (it will be rejected).
    pub key: Option<String>,
    /// The payload, byte for byte; of a row in brief, what came of it.
    pub raw: Box<str>,
    /// What the source changes with every change of the row, if it has such a thing: then this tells
    /// whether the row is the one that is stored, and not its bytes.
    pub version: Option<String>,
    /// Only the version was asked for; the row is to be had by its key.
    pub brief: bool,
    /// The rule that leaves it out whatever it says, a word of the catalogue: it was not asked for.
    pub unasked: Option<&'static str>,
}

/// One page of a list.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The rows in the order they came.
    pub rows: Vec<Row>,
    /// Where the next page starts; `None` when this was the last.
    pub next: Option<Cursor>,
    /// What the source says of the whole list.
    pub totals: Totals,
    /// The way the source let itself be read, where it was not the usual one; a word of the catalogue.
    pub way: Option<&'static str>,
}

/// What a source says of a whole list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many rows there are, if it says so.
    pub count: Option<u64>,
    /// Its own sums, for the measures it states.
    pub sums: Sums,
}

/// What is asked of a list beyond a cursor.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// Rows per page.
    pub page_size: u32,
    /// Today's date in UTC, for sources that want a window.
    pub today: Date,
    /// The days a windowed list is read of, if that was said.
    pub days: Option<u32>,
    /// Versions will do, where the source has them: most rows are stored already.
    pub brief: bool,
}

/// What can go wrong, one variant per reaction.
#[derive(Debug, Clone)]
pub enum Error {
    /// Refused at the door: stop and tell the user.
    Login(Message),
    /// Not now: later, by itself. Carries how long the source asked to wait, if it did.
    Unavailable(Message, Option<Duration>),
    /// This request only was refused.
    Rejected(Message),
    /// The system is not what we know it to be: stop, and a person must look.
    Unexpected(Message),
}

impl Error {
    /// What happened, for people.
    pub fn message(&self) -> &Message {
        match self {
            Error::Login(m) | Error::Unavailable(m, _) | Error::Rejected(m) | Error::Unexpected(m) => m,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

impl std::error::Error for Error {}

/// A system that can be read.
pub trait Connector {
    /// The lists it holds, in the order they are read.
    fn streams(&self) -> &'static [Stream];

    /// Where it lives and how to sign in.
    fn door(&self) -> http::Door;

    /// Fetches the page at `at` (the first when `None`), rows split but not understood.
    /// The answer is checked: a page that is not certainly whole is an error, never an empty page.
    fn fetch(
        &self,
        http: &http::Http,
        stream: &Stream,
        at: Option<&Cursor>,
        ask: &Ask,
    ) -> impl Future<Output = Result<Page, Error>> + Send;

    /// Understands one row.
    fn read(&self, stream: &Stream, raw: &str) -> Result<Record, LeftOut>;

    /// Whether the rows of a stream have versions, and can be fetched by their keys.
    fn is_versioned(&self, _stream: &Stream) -> bool {
        false
    }

    /// The rows with these keys; of versioned streams only.
    fn fetch_by_keys(
        &self,
        _http: &http::Http,
        stream: &Stream,
        _keys: &[String],
    ) -> impl Future<Output = Result<Vec<Row>, Error>> + Send {
        let message = Message::new("run-no-keys").with("stream", stream.name);
        async move { Err(Error::Rejected(message)) }
    }

    /// The amounts of a row that cannot be stored, as far as they can be read: what the source counts
    /// and the mirror has not. None, where nothing else is said.
    fn amounts(&self, _stream: &Stream, _raw: &str) -> Sums {
        Sums::default()
    }

    /// The rows that answer to a look-up, as they are now, whole; of streams of contacts only.
    fn find(
        &self,
        _http: &http::Http,
        stream: &Stream,
        _by: &Lookup,
    ) -> impl Future<Output = Result<Vec<Row>, Error>> + Send {
        let message = Message::new("run-no-keys").with("stream", stream.name);
        async move { Err(Error::Rejected(message)) }
    }

    /// A key as this system's records have it, however somebody has typed it.
    fn spelled(&self, key: &str) -> String {
        key.trim().to_owned()
    }

    /// The region of phone numbers without a country, ISO alpha-2; empty where there are none.
    fn region(&self) -> &str {
        ""
    }

    /// What of a contact this system can hold, as it would give it back: fields without a column of
    /// its own are left out, values cut or turned into its words.
    fn holds(&self, contact: &Contact) -> Contact {
        contact.clone()
    }

    /// How to find out whether a contact that was sent to be created is there. `mark` is the highest
    /// key that was seen just before. `None` = there is no telling, so it must not be sent twice.
    fn trace(&self, _contact: &Contact, _mark: Option<i64>) -> Option<Lookup> {
        None
    }

    /// What is written with every contact and cannot be read: nobody sees whether it was another before.
    fn written_unseen(&self) -> Vec<String> {
        Vec::new()
    }

    /// The accounting party of a contact as it was read, which its documents name; `None` while it has none.
    fn party(&self, _raw: &str) -> Option<String> {
        None
    }

    /// The fiscal year that documents are written in, as the system says itself.
    fn fiscal_year(&self, _http: &http::Http) -> impl Future<Output = Result<Option<String>, Error>> + Send {
        async { Ok(None) }
    }

    /// The columns that are the same on every document that is written here, with their usual values; none
    /// where no documents are written.
    fn document_columns(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// Writes once; never repeated from here, whatever comes.
    fn write(&self, http: &http::Http, _write: &Write<'_>) -> impl Future<Output = Outcome> + Send {
        let message = http.told("connect-cannot-write");
        async move { Outcome::Rejected(message) }
    }

    /// Whether the owner set on the system comes before the owner map.
    fn owns_whole_system(&self) -> bool {
        false
    }

    /// The days a read is limited to, first and last, where there is such a window.
    fn window(&self, _stream: &Stream, _ask: &Ask) -> Option<(Date, Date)> {
        None
    }
}

/// The systems Concord knows, by kind. The settings a user writes are the connector.
#[derive(Debug, Clone)]
pub enum System {
    /// Exness Partnership API.
    Exness(exness::Exness),
    /// XM Partners API.
    Xm(xm::Xm),
    /// 1C:Enterprise.
    Onec(Box<onec::Onec>),
    /// Payamgostar CRM.
    Payamgostar(Box<payamgostar::Payamgostar>),
    /// Siagh Finance.
    Siagh(Box<siagh::Siagh>),
}

impl System {
    /// The word for its kind in the configuration.
    pub fn kind(&self) -> &'static str {
        match self {
            System::Exness(_) => "exness",
            System::Xm(_) => "xm",
            System::Onec(_) => "onec",
            System::Payamgostar(_) => "payamgostar",
            System::Siagh(_) => "siagh",
        }
    }

    /// The shop it is, if it is one.
    pub fn shop(&self) -> Option<&onec::Onec> {
        match self {
            System::Onec(shop) => Some(shop),
            System::Exness(_) | System::Xm(_) | System::Payamgostar(_) | System::Siagh(_) => None,
        }
    }

    /// The CRM it is, if it is one.
    pub fn crm(&self) -> Option<&payamgostar::Payamgostar> {
        match self {
            System::Payamgostar(crm) => Some(crm),
            _ => None,
        }
    }

    /// The region of its phone numbers (ISO alpha-2), where it has any.
    pub fn region_mut(&mut self) -> Option<&mut String> {
        match self {
            System::Exness(_) | System::Xm(_) => None,
            System::Onec(shop) => Some(&mut shop.region),
            System::Payamgostar(crm) => Some(&mut crm.region),
            System::Siagh(finance) => Some(&mut finance.region),
        }
    }

    /// Of a shop: how points add up.
    pub fn points_rule(&self) -> Option<PointsRule> {
        self.shop().map(|shop| shop.points_rule)
    }

    /// The list of contacts it holds, if that is what it holds.
    pub fn contacts(&self) -> Option<&'static Stream> {
        self.streams().iter().find(|stream| stream.table == Table::Contact)
    }

    /// The list of documents of that name, if it holds one.
    pub fn documents(&self, name: &str) -> Option<&'static Stream> {
        self.streams().iter().find(|stream| stream.table == Table::Document && stream.name == name)
    }

    /// The currency of amounts that do not name theirs, an ISO code.
    pub fn currency(&self) -> Option<&str> {
        self.shop().map(|shop| shop.currency.as_str())
    }

    /// How long an answer may take, where the configuration does not say.
    pub fn patience(&self) -> Duration {
        match self {
            System::Exness(_) | System::Xm(_) | System::Payamgostar(_) | System::Siagh(_) => {
                Duration::from_secs(60)
            }
            // The first answer after a pause takes half a minute, a page of a register minutes.
            System::Onec(_) => Duration::from_secs(300),
        }
    }
}

impl Connector for System {
    fn streams(&self) -> &'static [Stream] {
        match self {
            System::Exness(s) => s.streams(),
            System::Xm(s) => s.streams(),
            System::Onec(s) => s.streams(),
            System::Payamgostar(s) => s.streams(),
            System::Siagh(s) => s.streams(),
        }
    }

    fn door(&self) -> http::Door {
        match self {
            System::Exness(s) => s.door(),
            System::Xm(s) => s.door(),
            System::Onec(s) => s.door(),
            System::Payamgostar(s) => s.door(),
            System::Siagh(s) => s.door(),
        }
    }

    async fn fetch(
        &self,
        http: &http::Http,
        stream: &Stream,
        at: Option<&Cursor>,
        ask: &Ask,
    ) -> Result<Page, Error> {
        match self {
            System::Exness(s) => s.fetch(http, stream, at, ask).await,
            System::Xm(s) => s.fetch(http, stream, at, ask).await,
            System::Onec(s) => s.fetch(http, stream, at, ask).await,
            System::Payamgostar(s) => s.fetch(http, stream, at, ask).await,
            System::Siagh(s) => s.fetch(http, stream, at, ask).await,
        }
    }

    async fn fetch_by_keys(
        &self,
        http: &http::Http,
        stream: &Stream,
        keys: &[String],
    ) -> Result<Vec<Row>, Error> {
        match self {
            System::Exness(s) => s.fetch_by_keys(http, stream, keys).await,
            System::Xm(s) => s.fetch_by_keys(http, stream, keys).await,
            System::Onec(s) => s.fetch_by_keys(http, stream, keys).await,
            System::Payamgostar(s) => s.fetch_by_keys(http, stream, keys).await,
            System::Siagh(s) => s.fetch_by_keys(http, stream, keys).await,
        }
    }

    fn is_versioned(&self, stream: &Stream) -> bool {
        match self {
            System::Exness(s) => s.is_versioned(stream),
            System::Xm(s) => s.is_versioned(stream),
            System::Onec(s) => s.is_versioned(stream),
            System::Payamgostar(s) => s.is_versioned(stream),
            System::Siagh(s) => s.is_versioned(stream),
        }
    }

    fn read(&self, stream: &Stream, raw: &str) -> Result<Record, LeftOut> {
        match self {
            System::Exness(s) => s.read(stream, raw),
            System::Xm(s) => s.read(stream, raw),
            System::Onec(s) => s.read(stream, raw),
            System::Payamgostar(s) => s.read(stream, raw),
            System::Siagh(s) => s.read(stream, raw),
        }
    }

    fn amounts(&self, stream: &Stream, raw: &str) -> Sums {
        match self {
            System::Exness(s) => s.amounts(stream, raw),
            System::Xm(s) => s.amounts(stream, raw),
            System::Onec(s) => s.amounts(stream, raw),
            System::Payamgostar(s) => s.amounts(stream, raw),
            System::Siagh(s) => s.amounts(stream, raw),
        }
    }

    async fn find(&self, http: &http::Http, stream: &Stream, by: &Lookup) -> Result<Vec<Row>, Error> {
        match self {
            System::Exness(s) => s.find(http, stream, by).await,
            System::Xm(s) => s.find(http, stream, by).await,
            System::Onec(s) => s.find(http, stream, by).await,
            System::Payamgostar(s) => s.find(http, stream, by).await,
            System::Siagh(s) => s.find(http, stream, by).await,
        }
    }

    fn region(&self) -> &str {
        match self {
            System::Exness(s) => s.region(),
            System::Xm(s) => s.region(),
            System::Onec(s) => &s.region,
            System::Payamgostar(s) => s.region(),
            System::Siagh(s) => s.region(),
        }
    }

    fn spelled(&self, key: &str) -> String {
        match self {
            System::Exness(s) => s.spelled(key),
            System::Xm(s) => s.spelled(key),
            System::Onec(s) => s.spelled(key),
            System::Payamgostar(s) => s.spelled(key),
            System::Siagh(s) => s.spelled(key),
        }
    }

    fn holds(&self, contact: &Contact) -> Contact {
        match self {
            System::Exness(s) => s.holds(contact),
            System::Xm(s) => s.holds(contact),
            System::Onec(s) => s.holds(contact),
            System::Payamgostar(s) => s.holds(contact),
            System::Siagh(s) => s.holds(contact),
        }
    }

    fn trace(&self, contact: &Contact, mark: Option<i64>) -> Option<Lookup> {
        match self {
            System::Exness(s) => s.trace(contact, mark),
            System::Xm(s) => s.trace(contact, mark),
            System::Onec(s) => s.trace(contact, mark),
            System::Payamgostar(s) => s.trace(contact, mark),
            System::Siagh(s) => s.trace(contact, mark),
        }
    }

    fn written_unseen(&self) -> Vec<String> {
        match self {
            System::Exness(s) => s.written_unseen(),
            System::Xm(s) => s.written_unseen(),
            System::Onec(s) => s.written_unseen(),
            System::Payamgostar(s) => s.written_unseen(),
            System::Siagh(s) => s.written_unseen(),
        }
    }

    fn party(&self, raw: &str) -> Option<String> {
        match self {
            System::Exness(s) => s.party(raw),
            System::Xm(s) => s.party(raw),
            System::Onec(s) => s.party(raw),
            System::Payamgostar(s) => s.party(raw),
            System::Siagh(s) => s.party(raw),
        }
    }

    async fn fiscal_year(&self, http: &http::Http) -> Result<Option<String>, Error> {
        match self {
            System::Exness(s) => s.fiscal_year(http).await,
            System::Xm(s) => s.fiscal_year(http).await,
            System::Onec(s) => s.fiscal_year(http).await,
            System::Payamgostar(s) => s.fiscal_year(http).await,
            System::Siagh(s) => s.fiscal_year(http).await,
        }
    }

    fn document_columns(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            System::Exness(s) => s.document_columns(),
            System::Xm(s) => s.document_columns(),
            System::Onec(s) => s.document_columns(),
            System::Payamgostar(s) => s.document_columns(),
            System::Siagh(s) => s.document_columns(),
        }
    }

    async fn write(&self, http: &http::Http, write: &Write<'_>) -> Outcome {
        match self {
            System::Exness(s) => s.write(http, write).await,
            System::Xm(s) => s.write(http, write).await,
            System::Onec(s) => s.write(http, write).await,
            System::Payamgostar(s) => s.write(http, write).await,
            System::Siagh(s) => s.write(http, write).await,
        }
    }

    fn owns_whole_system(&self) -> bool {
        match self {
            System::Exness(s) => s.owns_whole_system(),
            System::Xm(s) => s.owns_whole_system(),
            System::Onec(s) => s.owns_whole_system(),
            System::Payamgostar(s) => s.owns_whole_system(),
            System::Siagh(s) => s.owns_whole_system(),
        }
    }

    fn window(&self, stream: &Stream, ask: &Ask) -> Option<(Date, Date)> {
        match self {
            System::Exness(s) => s.window(stream, ask),
            System::Xm(s) => s.window(stream, ask),
            System::Onec(s) => s.window(stream, ask),
            System::Payamgostar(s) => s.window(stream, ask),
            System::Siagh(s) => s.window(stream, ask),
        }
    }
}
