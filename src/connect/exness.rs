//! Exness Partnership API: clients with their status, and their trading accounts with volumes and
//! rewards.
//!
//! Both lists are paged by offset under a fixed ordering, and each states how many rows there are
//! and what they sum up to.

use secrecy::SecretString;
use serde::Deserialize;

use super::http::{Auth, Door, Http, Login, Manner, NotWhole, Request, secret};
use super::loose::{self, Loose, fields, first, listed};
use super::{Absence, Ask, Connector, Cursor, Error, LeftOut, Page, Row, Stream, Table, Totals, country};
use crate::model::amount::{
    MONEY, Measure, QUANTITY, REBATE_USD, REWARD_USD, VOLUME_LOTS, VOLUME_MLN_USD, parse,
};
use crate::model::text::ascii_digits;
use crate::model::{Account, Message, Party, Record, Reject, Sums};

/// Settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exness {
    /// Base address; other hosts serve the same API.
    #[serde(default = "base_url")]
    pub base_url: String,
    /// The partner's login.
    #[serde(deserialize_with = "secret")]
    pub login: SecretString,
    /// The partner's password.
    #[serde(deserialize_with = "secret")]
    pub password: SecretString,
}

fn base_url() -> String {
    "https://my.exnessaffiliates.com".to_owned()
}

/// Rows per page that the API has been used with.
const LARGEST_PAGE: u32 = 1000;

/// The totals both lists state. Rebates have none.
const TOTALS: [Measure; 3] = [VOLUME_LOTS, VOLUME_MLN_USD, REWARD_USD];

/// The lists. A client weighs what an account does; there are about twice as many accounts.
static STREAMS: [Stream; 2] = [
    Stream {
        name: "clients",
        table: Table::Party,
        measures: &[VOLUME_LOTS, VOLUME_MLN_USD, REWARD_USD, REBATE_USD],
        absence: Absence::Gone,
        weight: 1,
        band: None,
    },
    Stream {
        name: "accounts",
        table: Table::Account,
        measures: &[VOLUME_LOTS, VOLUME_MLN_USD, REWARD_USD],
        absence: Absence::Gone,
        weight: 2,
        band: None,
    },
];

impl Connector for Exness {
    fn streams(&self) -> &'static [Stream] {
        &STREAMS
    }

    fn door(&self) -> Door {
        Door {
            base_url: self.base_url.clone(),
            auth: Auth::Login(Box::new(Login {
                path: "/api/v2/auth/".to_owned(),
                user_field: "login",
                user: self.login.clone(),
                password_field: "password",
                password: self.password.clone(),
                token_field: "token",
                header_prefix: "JWT ",
                manner: Manner::default(),
            })),
            ..Door::default()
        }
    }

    async fn fetch(
        &self,
        http: &Http,
        stream: &Stream,
        at: Option<&Cursor>,
        ask: &Ask,
    ) -> Result<Page, Error> {
        let offset = match at {
            None => 0,
            Some(cursor) => cursor.0.parse().map_err(|_| {
                Error::Unexpected(Message::new("connect-cursor-unreadable").with("stream", stream.name))
            })?,
        };
        let limit = if ask.page_size == 0 { LARGEST_PAGE } else { ask.page_size.min(LARGEST_PAGE) };
        let (path, ordering, key) = match stream.table {
            Table::Account => ("/api/reports/clients/", "client_account", "id"),
            _ => ("/api/v2/reports/clients/", "client_uid", "client_uid"),
        };
        let request = Request::new(path, format!("limit={limit}&offset={offset}&ordering={ordering}"));
        http.get_parsed(&request, |text| page(text, offset, key)).await
    }

    fn read(&self, stream: &Stream, raw: &str) -> Result<Record, LeftOut> {
        Ok(match stream.table {
            Table::Account => Record::Account(account(raw)?),
            _ => Record::Party(client(raw)?),
        })
    }

    fn amounts(&self, stream: &Stream, raw: &str) -> Sums {
        loose::amounts(raw, stream.measures, |measure| {
            if *measure == REBATE_USD { "rebate_amount_usd" } else { measure.name }
        })
    }
}

/// Splits an envelope into rows. Without its list or its count it is not a page at all.
fn page(text: &str, offset: u64, key: &'static str) -> Result<Page, NotWhole> {
    let (data, [totals]) = listed(text, "data", &["totals"])?;
    let data = data.ok_or(NotWhole::Shape("data"))?;
    let totals = totals.ok_or(NotWhole::Shape("totals"))?.get();
    let [count, stated @ ..] = fields(totals, &["count", TOTALS[0].name, TOTALS[1].name, TOTALS[2].name])
        .ok_or(NotWhole::Shape("totals"))?;
    let count = count.text().and_then(|count| parse(count, 0).ok()?.try_into().ok());
    let count: u64 = count.ok_or(NotWhole::Shape("totals.count"))?;
    let rows: Vec<Row> = data.into_iter().map(|row| split(row.get(), key)).collect();
    let read = offset.saturating_add(rows.len() as u64);
    let next = (!rows.is_empty() && read < count).then(|| Cursor(read.to_string()));
    let totals = Totals { count: Some(count), sums: loose::sums(&stated, &TOTALS) };
    Ok(Page { rows, next, totals, way: None })
}

/// One row with its key.
fn split(raw: &str, key: &'static str) -> Row {
    let key = first(raw, key).id().map(|key| key.to_lowercase());
    Row { key, raw: raw.into(), version: None, brief: false, unasked: None }
}

/// Understands a row of `/api/v2/reports/clients/`.
fn client(raw: &str) -> Result<Party, Reject> {
    let [uid, partner, registered, country, lots, mln, reward, rebate, trade, status, kyc, ftd, ftt] =
        fields(raw, &CLIENT).ok_or(Reject { rule: "not_an_object", field: "" })?;
    let uid = uid.text().ok_or(Reject { rule: "no_key", field: "client_uid" })?;
    let client_key = first_group(uid).ok_or(Reject { rule: "bad_uid", field: "client_uid" })?;
    Ok(Party {
        client_key,
        country: country.text().and_then(country::alpha2).map(str::to_owned),
        status: status.upper(),
        flags: flags(&[("kyc_passed", kyc), ("ftd_received", ftd), ("ftt_made", ftt)]),
        partner_account: partner.id(),
        registered: registered.date_of("reg_date")?,
        last_trade: trade.date_of("trade_fn")?,
        volume_lots: lots.amount_of("volume_lots", QUANTITY)?,
        volume_mln_usd: mln.amount_of("volume_mln_usd", QUANTITY)?,
        reward_usd: reward.amount_of("reward_usd", MONEY)?,
        rebate_usd: rebate.amount_of("rebate_amount_usd", MONEY)?,
    })
}

/// The fields of a client, in the order they come.
const CLIENT: [&str; 13] = [
    "client_uid",
    "partner_account",
    "reg_date",
    "client_country",
    "volume_lots",
    "volume_mln_usd",
    "reward_usd",
    "rebate_amount_usd",
    "trade_fn",
    "client_status",
    "kyc_passed",
    "ftd_received",
    "ftt_made",
];

/// Understands a row of `/api/reports/clients/`.
fn account(raw: &str) -> Result<Account, Reject> {
    let [id, partner, uid, country, currency, opened, lots, mln, trade, reward, reward_usd, number, kind] =
        fields(raw, &ACCOUNT).ok_or(Reject { rule: "not_an_object", field: "" })?;
    id.text().ok_or(Reject { rule: "no_key", field: "id" })?;
    Ok(Account {
        // Something that is no uid names no client of ours; the account and its money stay.
        client_key: uid.text().map(|uid| first_group(uid).unwrap_or_else(|| uid.to_lowercase())),
        number: number.id().ok_or(Reject { rule: "no_key", field: "client_account" })?,
        kind: kind.owned(),
        currency: currency.upper(),
        country: country.text().and_then(country::alpha2).map(str::to_owned),
        partner_account: partner.id(),
        status: None,
        opened: opened.date_of("reg_date")?,
        last_trade: trade.date_of("trade_fn")?,
        volume_lots: lots.amount_of("volume_lots", QUANTITY)?,
        volume_mln_usd: mln.amount_of("volume_mln_usd", QUANTITY)?,
        reward: reward.amount_of("reward", MONEY)?,
        reward_usd: reward_usd.amount_of("reward_usd", MONEY)?,
    })
}

/// The fields of an account, in the order they come.
const ACCOUNT: [&str; 13] = [
    "id",
    "partner_account",
    "client_uid",
    "country",
    "currency",
    "reg_date",
    "volume_lots",
    "volume_mln_usd",
    "trade_fn",
    "reward",
    "reward_usd",
    "client_account",
    "client_account_type",
];

/// The first eight hex digits of a UUID, which is what accounts name their client by.
fn first_group(uid: &str) -> Option<String> {
    let uid = ascii_digits(uid);
    let well_formed = uid.len() == 36
        && uid.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    well_formed.then(|| uid[..8].to_ascii_lowercase())
}

/// The names of the flags that are set; `None` when the row says nothing about any.
fn flags(values: &[(&str, Loose<'_>); 3]) -> Option<String> {
    let mut said = false;
    let mut set = String::new();
    for (name, value) in values {
        let flag = value.flag();
        said |= flag.is_some();
        if flag == Some(true) {
            if !set.is_empty() {
                set.push(' ');
            }
            set.push_str(name);
        }
    }
    said.then_some(set)
}

#[cfg(test)]
mod tests;
