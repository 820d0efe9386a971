//! XM Partners API: the traders, in one answer without pages, totals or amounts.

use jiff::civil::Date;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::http::{Auth, Door, Http, NotWhole, Request, secret};
use super::loose::{fields, first};
use super::{Absence, Ask, Connector, Cursor, Error, LeftOut, Page, Row, Stream, Table, country};
use crate::model::{Account, Record, Reject};

/// Settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Xm {
    /// Base address, without a slash at its end.
    #[serde(default = "base_url")]
    pub base_url: String,
    /// The token from the partner portal.
    #[serde(deserialize_with = "secret")]
    pub token: SecretString,
    /// First day of the window that is asked for.
    #[serde(default = "start", deserialize_with = "date")]
    pub start: Date,
    /// The campaign of traders that have none.
    #[serde(default = "no_campaign")]
    pub no_campaign: String,
}

fn base_url() -> String {
    "https://mypartners.xm.com/api".to_owned()
}

/// Reads `2010-01-31`; the refusal is a key of the message catalogue.
fn date<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Date, D::Error> {
    let text = String::deserialize(d)?;
    text.trim().parse().map_err(|_| serde::de::Error::custom("config-bad-date"))
}

fn start() -> Date {
    Date::constant(2010, 1, 1)
}

fn no_campaign() -> String {
    "XM_HAM".to_owned()
}

static STREAMS: [Stream; 1] = [Stream {
    name: "traders",
    table: Table::Account,
    measures: &[],
    absence: Absence::Counted,
    weight: 1,
    band: None,
}];

impl Connector for Xm {
    fn streams(&self) -> &'static [Stream] {
        &STREAMS
    }

    fn door(&self) -> Door {
        Door { base_url: self.base_url.clone(), auth: Auth::Bearer(self.token.clone()), ..Door::default() }
    }

    async fn fetch(
        &self,
        http: &Http,
        stream: &Stream,
        _: Option<&Cursor>,
        ask: &Ask,
    ) -> Result<Page, Error> {
        let (start, end) = self.window(stream, ask).unwrap_or((self.start, ask.today));
        let query = format!("startTime={start}&endTime={end}");
        http.get_parsed(&Request::new("/trader-statistics/trader-list", query), page).await
    }

    fn read(&self, _: &Stream, raw: &str) -> Result<Record, LeftOut> {
        Ok(Record::Account(self.trader(raw)?))
    }

    fn owns_whole_system(&self) -> bool {
        true
    }

    /// To tomorrow, because nobody knows in which zone the source ends its days.
    fn window(&self, _: &Stream, ask: &Ask) -> Option<(Date, Date)> {
        Some((self.start, ask.today.tomorrow().unwrap_or(ask.today)))
    }
}

/// Splits the answer: one bare array with everything, proved by its end.
fn page(text: &str) -> Result<Page, NotWhole> {
    let list: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| NotWhole::other_than("[…]", text))?;
    let rows = list.into_iter().map(|row| split(row.get())).collect();
    Ok(Page { rows, ..Page::default() })
}

/// One row with its key.
fn split(raw: &str) -> Row {
    let key = first(raw, "traderId").id();
    Row { key, raw: raw.into(), version: None, brief: false, unasked: None }
}

impl Xm {
    /// Understands a trader. The source gives no amounts, so they are unknown.
    fn trader(&self, raw: &str) -> Result<Account, Reject> {
        let names = ["traderId", "clientId", "country", "accountType", "campaign", "signUpDate", "valid"];
        let [number, client, country, kind, campaign, signed_up, valid] =
            fields(raw, &names).ok_or(Reject { rule: "not_an_object", field: "" })?;
        Ok(Account {
            client_key: client.id(),
            number: number.id().ok_or(Reject { rule: "no_key", field: "traderId" })?,
            kind: kind.owned(),
            country: country.text().and_then(country::alpha2).map(str::to_owned),
            partner_account: Some(campaign.owned().unwrap_or_else(|| self.no_campaign.clone())),
            status: Some(if valid.flag() == Some(true) { "ACTIVE" } else { "INACTIVE" }.to_owned()),
            opened: signed_up.date_of("signUpDate")?,
            ..Account::default()
        })
    }
}

#[cfg(test)]
mod tests;
