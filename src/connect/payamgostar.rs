//! Payamgostar CRM, API v2: the persons and organizations it calls identities, read and written, and their
//! quotes and invoices, which are read.
//!
//! Every call is a POST, reads too. Where its search is refused, the list of names is walked and each
//! identity asked for by itself; only which of two calls answers says whether it is a person.

use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};

use super::http::{Auth, Door, Http, Login, Manner, Renewal, secret};
use super::{
    Absence, Ask, Connector, Cursor, Error, LeftOut, Lookup, Outcome, Page, Row, Stream, Table, Write,
};
use crate::model::amount::NET;
use crate::model::contact::Field;
use crate::model::{Contact, Record, Sums};

mod bill;
mod find;
mod identity;
mod list;
mod save;

/// Settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payamgostar {
    /// Base address, without `/api`.
    pub base_url: String,
    /// The user's name.
    #[serde(deserialize_with = "secret")]
    pub username: SecretString,
    /// The user's password.
    #[serde(deserialize_with = "secret")]
    pub password: SecretString,
    /// What a login calls this device.
    #[serde(default = "device_id")]
    pub device_id: String,
    /// What a login calls its kind.
    #[serde(default = "platform_type")]
    pub platform_type: i64,
    /// Whether its webhooks are listened to.
    #[serde(default = "yes")]
    pub webhooks: bool,
    /// The token in the address of its webhooks.
    #[serde(default, deserialize_with = "some_secret")]
    pub webhook_token: Option<SecretString>,
    /// What signed webhooks are signed with; several while one is replaced.
    #[serde(default, deserialize_with = "secrets")]
    pub webhook_secret: Vec<SecretString>,
    /// Whether its search is used at all, where that is possible.
    #[serde(default = "yes")]
    pub find: bool,
    /// The number of a search's first page.
    #[serde(default = "first_page")]
    pub first_page: u32,
    /// What persons are there.
    #[serde(default = "persons", deserialize_with = "of_persons")]
    pub persons: Subtype,
    /// What organizations are there.
    #[serde(default = "organizations", deserialize_with = "of_organizations")]
    pub organizations: Subtype,
    /// What a search calls the fields.
    #[serde(default)]
    pub fields: Names,
    /// The words that are written where it has words of its own.
    #[serde(default)]
    pub words: Words,
    /// Whether its quotes are read.
    #[serde(default = "yes")]
    pub quotes: bool,
    /// Whether its invoices are read.
    #[serde(default = "yes")]
    pub invoices: bool,
    /// The key of the type of quotes in a search.
    #[serde(default = "quote_type_key")]
    pub quote_type_key: String,
    /// The key of the type of invoices in a search.
    #[serde(default = "invoice_type_key")]
    pub invoice_type_key: String,
    /// The field of an invoice that names the quote it came from; empty where none does.
    #[serde(default = "quote_field")]
    pub quote_field: String,
    /// Where phone numbers without a country are from, ISO alpha-2.
    #[serde(skip, default = "region")]
    pub region: String,
}

/// What one of the two kinds of identity is there.
#[derive(Debug, Clone)]
pub struct Subtype {
    /// The key of its type in a search.
    pub type_key: String,
    /// The code of its subtype; needed to create one, and different everywhere.
    pub crm_object_type_code: String,
    /// The key of the category that new ones are put into; it has to exist.
    pub category: String,
}

/// What a search calls the fields. Letter case counts; a name that is not known there is refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Names {
    /// Customer number.
    pub number: String,
    /// National id.
    pub national_id: String,
    /// Phone numbers of any type; empty where it has no name for them, so that all are looked through.
    pub phone: String,
    /// E-mail address.
    pub email: String,
    /// By which the pages of a list are in order.
    pub order: String,
}

impl Default for Names {
    fn default() -> Names {
        Names {
            number: "CustomerNumber".to_owned(),
            national_id: "NationalCode".to_owned(),
            phone: String::new(),
            email: "Email".to_owned(),
            order: "ModifyDate".to_owned(),
        }
    }
}

/// The words that are written where the CRM has words of its own. Read are those of both languages.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Words {
    /// The type of a mobile number.
    pub mobile: String,
    /// The type of a telephone number.
    pub telephone: String,
    /// Male.
    pub male: String,
    /// Female.
    pub female: String,
}

impl Default for Words {
    fn default() -> Words {
        Words {
            mobile: "موبایل".to_owned(),
            telephone: "تلفن".to_owned(),
            male: "مرد".to_owned(),
            female: "زن".to_owned(),
        }
    }
}

fn device_id() -> String {
    "ConcordSync-Server".to_owned()
}

fn platform_type() -> i64 {
    1
}

fn yes() -> bool {
    true
}

fn first_page() -> u32 {
    1
}

fn quote_type_key() -> String {
    "quote".to_owned()
}

fn invoice_type_key() -> String {
    "invoice".to_owned()
}

fn quote_field() -> String {
    "refId".to_owned()
}

fn persons() -> Subtype {
    Subtype::of(Kind::Person)
}

fn organizations() -> Subtype {
    Subtype::of(Kind::Organization)
}

fn region() -> String {
    "IR".to_owned()
}

fn some_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    secret(deserializer).map(Some)
}

fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SecretString>, D::Error> {
    Ok(Vec::<String>::deserialize(deserializer)?.into_iter().map(SecretString::from).collect())
}

impl Subtype {
    /// What is usual: both are called by the kind, and nothing says which categories there are.
    fn of(kind: Kind) -> Subtype {
        let word = || kind.word().to_owned();
        Subtype { type_key: word(), crm_object_type_code: word(), category: String::new() }
    }

    /// What the settings say, and what is usual.
    fn read<'de, D: Deserializer<'de>>(deserializer: D, kind: Kind) -> Result<Subtype, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Said {
            type_key: Option<String>,
            crm_object_type_code: Option<String>,
            category: Option<String>,
        }
        let (said, usual) = (Said::deserialize(deserializer)?, Subtype::of(kind));
        Ok(Subtype {
            type_key: said.type_key.unwrap_or(usual.type_key),
            crm_object_type_code: said.crm_object_type_code.unwrap_or(usual.crm_object_type_code),
            category: said.category.unwrap_or(usual.category),
        })
    }
}

fn of_persons<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Subtype, D::Error> {
    Subtype::read(deserializer, Kind::Person)
}

fn of_organizations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Subtype, D::Error> {
    Subtype::read(deserializer, Kind::Organization)
}

/// What an identity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Person,
    Organization,
}

impl Kind {
    const BOTH: [Kind; 2] = [Kind::Person, Kind::Organization];

    /// The word of our records and of its addresses.
    fn word(self) -> &'static str {
        match self {
            Kind::Person => "person",
            Kind::Organization => "organization",
        }
    }

    /// The address of one of its calls.
    fn path(self, call: &str) -> String {
        format!("/api/v2/crmobject/{}/{call}", self.word())
    }
}

/// A list of documents.
const fn bills(name: &'static str) -> Stream {
    let measures = &[NET];
    Stream { name, table: Table::Document, measures, absence: Absence::Gone, weight: 1, band: None }
}

/// Customers come before what hangs on them.
const IDENTITIES: Stream = Stream {
    name: "identities",
    table: Table::Contact,
    measures: &[],
    absence: Absence::Gone,
    weight: 1,
    band: None,
};
static STREAMS: [Stream; 3] = [IDENTITIES, bills("quotes"), bills("invoices")];
static WITHOUT_QUOTES: [Stream; 2] = [IDENTITIES, bills("invoices")];

/// How long a locked account is left alone: what the CRM asks for at least.
const LOCKED: Duration = Duration::from_secs(15 * 60);

/// What refused logins say there.
const REFUSALS: [(u16, &str, Duration); 2] =
    [(402, "connect-login-unlicensed", Duration::ZERO), (403, "connect-login-locked", LOCKED)];

impl Connector for Payamgostar {
    fn streams(&self) -> &'static [Stream] {
        match (self.quotes, self.invoices) {
            (true, true) => &STREAMS,
            (true, false) => &STREAMS[..2],
            (false, true) => &WITHOUT_QUOTES,
            (false, false) => &STREAMS[..1],
        }
    }

    fn door(&self) -> Door {
        let device = || ("deviceId", self.device_id.as_str().into());
        let login = Login {
            path: "/api/v2/auth/login".to_owned(),
            user_field: "username",
            user: self.username.clone(),
            password_field: "password",
            password: self.password.clone(),
            token_field: "accessToken",
            header_prefix: "Bearer ",
            manner: Manner {
                further: vec![device(), ("platformType", self.platform_type.into())],
                refusals: &REFUSALS,
                expiry_field: Some("expiresAt"),
                renewal: Some(Renewal {
                    path: "/api/v2/auth/token/refresh".to_owned(),
                    by_field: "refreshToken",
                    further: vec![device()],
                }),
                facts: &[],
            },
        };
        Door { base_url: self.base_url.clone(), auth: Auth::Login(Box::new(login)), ..Door::default() }
    }

    async fn fetch(
        &self,
        http: &Http,
        stream: &Stream,
        at: Option<&Cursor>,
        ask: &Ask,
    ) -> Result<Page, Error> {
        match stream.table {
            Table::Document => self.bills(http, stream, at, ask.page_size).await,
            _ => self.page(http, stream, at, ask.page_size).await,
        }
    }

    fn read(&self, stream: &Stream, raw: &str) -> Result<Record, LeftOut> {
        match stream.table {
            Table::Document => self.document(raw).map(Record::Document),
            _ => Ok(Record::Contact(self.described(raw)?)),
        }
    }

    fn amounts(&self, stream: &Stream, raw: &str) -> Sums {
        let mut sums = Sums::default();
        if stream.table == Table::Document {
            sums.add(NET, self.document(raw).ok().and_then(|document| document.net));
        }
        sums
    }

    async fn find(&self, http: &Http, stream: &Stream, by: &Lookup) -> Result<Vec<Row>, Error> {
        match stream.table {
            Table::Document => self.bill(http, stream, by).await,
            _ => self.look_up(http, stream, by).await,
        }
    }

    fn region(&self) -> &str {
        &self.region
    }

    /// Ids are kept in small letters, however they are exported.
    fn spelled(&self, key: &str) -> String {
        key.trim().to_ascii_lowercase()
    }

    fn holds(&self, contact: &Contact) -> Contact {
        self.kept(contact)
    }

    /// A customer number is unique there. Nothing else is.
    fn trace(&self, contact: &Contact, _: Option<i64>) -> Option<Lookup> {
        contact.get(Field::Number).map(|number| Lookup::Field(Field::Number, number.to_owned()))
    }

    async fn write(&self, http: &Http, write: &Write<'_>) -> Outcome {
        self.save(http, write).await
    }
}

#[cfg(test)]
mod tests;
