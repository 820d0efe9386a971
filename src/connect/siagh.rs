//! Siagh Finance: contacts, read whole and written one by one through a form, and pre-invoices, which are
//! only written.
//!
//! Its answers to a refused write come with status 200, so that every answer is read. A form takes all
//! columns of a contact at once: what is not changed is written back as it was read.

use std::collections::BTreeMap;

use md5::{Digest, Md5};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

use super::http::{Auth, Door, Http, Login, Manner, Request};
use super::object::Object;
use super::{
    Absence, Ask, Connector, Cursor, Error, LeftOut, Lookup, Outcome, Page, Row, Stream, Table, Write,
};
use crate::model::contact::Field;
use crate::model::{Contact, Record};

pub mod answer;
mod columns;
mod find;
mod form;
mod invoice;
mod read;

pub use columns::Columns;

/// Settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Siagh {
    /// Base address, `http://host[:port]`, without `/api`.
    pub base_url: String,
    /// The user's name.
    #[serde(deserialize_with = "super::http::secret")]
    pub username: SecretString,
    /// The user's password ...
    #[serde(default, deserialize_with = "some_secret")]
    pub password: Option<SecretString>,
    /// ... or what it is turned into for a login ([`password_hash`]).
    #[serde(default, deserialize_with = "hash")]
    pub password_md5: Option<SecretString>,
    /// The form that saves contacts.
    #[serde(default = "contact_form")]
    pub contact_form: String,
    /// The table that its columns belong to.
    #[serde(default = "contact_table")]
    pub contact_table: String,
    /// The form's constant `postCode`.
    #[serde(default = "post_code")]
    pub post_code: String,
    /// The form's constant `flowId`.
    #[serde(default)]
    pub flow_id: String,
    /// The form that saves pre-invoices.
    #[serde(default = "document_form")]
    pub document_form: String,
    /// The table that its columns belong to.
    #[serde(default = "document_table")]
    pub document_table: String,
    /// The column of the list of contacts that a pre-invoice names its customer by.
    #[serde(default = "party_column")]
    pub party_column: String,
    /// The column that keeps what the other system knows a contact by. It cannot be read.
    #[serde(default = "mark_column")]
    pub mark_column: String,
    /// What `taraftype` is written for a person.
    #[serde(default = "no", deserialize_with = "constant")]
    pub taraftype_person: String,
    /// What `taraftype` is written for an organization.
    #[serde(default = "yes", deserialize_with = "constant")]
    pub taraftype_organization: String,
    /// What `TowardType` says of a person.
    #[serde(default = "no", deserialize_with = "constant")]
    pub towardtype_person: String,
    /// What `TowardType` says of an organization.
    #[serde(default = "yes", deserialize_with = "constant")]
    pub towardtype_organization: String,
    /// City → its code. What is not named is not written.
    #[serde(default, deserialize_with = "codes")]
    pub cities: BTreeMap<String, String>,
    /// Province → its code.
    #[serde(default, deserialize_with = "codes")]
    pub provinces: BTreeMap<String, String>,
    /// Country → its code.
    #[serde(default, deserialize_with = "codes")]
    pub countries: BTreeMap<String, String>,
    /// Column that is read → column that it is written back to.
    #[serde(default)]
    pub columns: Columns,
    /// Where phone numbers without a country are from, ISO alpha-2.
    #[serde(skip, default = "region")]
    pub region: String,
}

fn contact_form() -> String {
    "2BFDA".to_owned()
}

fn contact_table() -> String {
    "gn_web_users".to_owned()
}

fn document_form() -> String {
    "43D81".to_owned()
}

fn document_table() -> String {
    "sl_sanad".to_owned()
}

fn party_column() -> String {
    "AccountPartyCode".to_owned()
}

fn post_code() -> String {
    "1110".to_owned()
}

fn mark_column() -> String {
    "tmpid".to_owned()
}

fn no() -> String {
    "0".to_owned()
}

fn yes() -> String {
    "1".to_owned()
}

fn region() -> String {
    "IR".to_owned()
}

fn some_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    super::http::secret(deserializer).map(Some)
}

/// Reads 32 hexadecimal digits; the refusal is a key of the message catalogue.
fn hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    let text = super::http::secret(deserializer)?;
    let digits = text.expose_secret().trim().to_uppercase();
    if digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Ok(Some(digits.into()));
    }
    Err(serde::de::Error::custom("config-bad-md5"))
}

/// A constant that people may write as a text, a number or a truth value.
#[derive(Deserialize)]
#[serde(untagged)]
enum Constant {
    Text(String),
    Number(i64),
    Truth(bool),
}

impl Constant {
    fn text(self) -> String {
        match self {
            Constant::Text(text) => text.trim().to_owned(),
            Constant::Number(number) => number.to_string(),
            Constant::Truth(truth) => u8::from(truth).to_string(),
        }
    }
}

fn constant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Constant::deserialize(deserializer).map(Constant::text)
}

fn codes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let codes = BTreeMap::<String, Constant>::deserialize(deserializer)?;
    Ok(codes.into_iter().map(|(name, code)| (name, code.text())).collect())
}

/// What a password is turned into for a login: MD5 of its UTF-8 bytes, in upper-case hexadecimal digits.
pub fn password_hash(password: &str) -> String {
    Md5::digest(password.as_bytes()).iter().map(|byte| format!("{byte:02X}")).collect()
}

static STREAMS: [Stream; 1] = [Stream {
    name: "contacts",
    table: Table::Contact,
    measures: &[],
    absence: Absence::Gone,
    weight: 1,
    band: None,
}];

const LOGIN: &str = "/GeneralApi/LoginUser";
const CONTACTS: &str = "/api/Sgh/GEN/Gn_Web_Users/GetAll";

impl Connector for Siagh {
    fn streams(&self) -> &'static [Stream] {
        &STREAMS
    }

    fn door(&self) -> Door {
        let hashed = |password: &SecretString| password_hash(password.expose_secret()).into();
        let password = self.password_md5.clone().or_else(|| self.password.as_ref().map(hashed));
        let login = Login {
            path: LOGIN.to_owned(),
            user_field: "UserName",
            user: self.username.clone(),
            password_field: "Password",
            password: password.unwrap_or_else(|| String::new().into()),
            token_field: "SessionId",
            header_prefix: "",
            manner: Manner { facts: &["FiscalYear", "SystemDate"], ..Manner::default() },
        };
        Door { base_url: self.base_url.clone(), auth: Auth::Login(Box::new(login)), ..Door::default() }
    }

    /// The whole list, in one answer without pages or a count.
    async fn fetch(&self, http: &Http, _: &Stream, _: Option<&Cursor>, _: &Ask) -> Result<Page, Error> {
        let rows = http.get_parsed(&Request::new(CONTACTS, ""), read::rows).await?;
        Ok(Page { rows, ..Page::default() })
    }

    fn read(&self, _: &Stream, raw: &str) -> Result<Record, LeftOut> {
        self.contact(raw).map(Record::Contact)
    }

    async fn find(&self, http: &Http, _: &Stream, by: &Lookup) -> Result<Vec<Row>, Error> {
        self.look_up(http, by).await
    }

    fn region(&self) -> &str {
        &self.region
    }

    fn holds(&self, contact: &Contact) -> Contact {
        self.kept(contact)
    }

    /// Mobile and telephone are each unique. A contact without either is one of those that came after
    /// the last one that was there.
    fn trace(&self, contact: &Contact, mark: Option<i64>) -> Option<Lookup> {
        let by = |field| contact.get(field).map(|value| Lookup::Field(field, value.to_owned()));
        by(Field::Mobile).or_else(|| by(Field::Telephone)).or_else(|| mark.map(Lookup::After))
    }

    fn party(&self, raw: &str) -> Option<String> {
        Object::read(raw)?.get(&self.party_column).id().filter(|party| party != "0")
    }

    async fn fiscal_year(&self, http: &Http) -> Result<Option<String>, Error> {
        http.login_fact("FiscalYear").await
    }

    fn document_columns(&self) -> &'static [(&'static str, &'static str)] {
        &invoice::CONSTANTS
    }

    async fn write(&self, http: &Http, write: &Write<'_>) -> Outcome {
        self.save(http, write).await
    }

    fn written_unseen(&self) -> Vec<String> {
        vec![self.mark_column.clone()]
    }
}

#[cfg(test)]
mod tests;
