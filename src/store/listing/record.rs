//! The records behind a customer, their former versions, and where in them a text was found.

use anyhow::Result;
use serde_json::Value as Json;

use crate::model::text::search_fold;
use crate::store::{Row, Store};

/// A stored record, as its source sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// Its number.
    pub id: i64,
    /// The system it is from.
    pub system: String,
    /// The stream it came in.
    pub stream: String,
    /// Its key within the stream.
    pub key: String,
    /// Whose it is.
    pub customer: i64,
    /// The payload, byte for byte.
    pub raw: String,
    /// Its fingerprint.
    pub hash: Vec<u8>,
    /// The run that first saw it.
    pub first_run: i64,
    /// The run that last changed it.
    pub changed_run: i64,
    /// The run that no longer found it.
    pub gone_run: Option<i64>,
    /// Since when it is as it is, in microseconds.
    pub valid_from: i64,
}

/// A former version of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
    /// The record.
    pub record: i64,
    /// The system it is from.
    pub system: String,
    /// The stream it came in.
    pub stream: String,
    /// Its key within the stream.
    pub key: String,
    /// Since when it was so, in microseconds.
    pub valid_from: i64,
    /// Until when.
    pub valid_to: i64,
    /// The run that replaced it.
    pub run: i64,
    /// The payload then.
    pub raw: String,
}

impl Store {
    /// The records of a customer, the clients' before the accounts'.
    pub async fn records_of(&self, customer: i64) -> Result<Vec<RecordRow>> {
        let mut records = Vec::new();
        for table in ["party", "person", "account", "card", "contact"] {
            let sql = format!(
                "SELECT r.id, s.system, s.name, r.key, r.customer_id, r.raw, r.raw_hash, r.first_run, r.changed_run, r.gone_run, r.valid_from FROM {table} r JOIN stream s ON s.id = r.stream_id WHERE r.customer_id = $1 ORDER BY r.id"
            );
            for row in self.db.rows(&sql, [customer.into()]).await? {
                records.push(record(&row)?);
            }
        }
        Ok(records)
    }

    /// The former versions of a customer's records, newest first.
    pub async fn versions_of(&self, customer: i64) -> Result<Vec<VersionRow>> {
        let of = |table: &str| {
            format!(
                "SELECT v.record_id, s.system, s.name, r.key, v.valid_from, v.valid_to, v.run_id, v.raw FROM {table} r JOIN version v ON v.stream_id = r.stream_id AND v.record_id = r.id JOIN stream s ON s.id = r.stream_id WHERE r.customer_id = $1"
            )
        };
        let all = ["party", "person", "account", "card", "entry", "contact"].map(of).join(" UNION ALL ");
        let sql = format!("{all} ORDER BY 6 DESC, 1");
        let rows = self.db.rows(&sql, [customer.into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(VersionRow {
                    record: row.get(0)?,
                    system: row.get(1)?,
                    stream: row.get(2)?,
                    key: row.get(3)?,
                    valid_from: row.get(4)?,
                    valid_to: row.get(5)?,
                    run: row.get(6)?,
                    raw: row.get(7)?,
                })
            })
            .collect()
    }
}

/// Reads a record of the columns selected above.
pub(in crate::store) fn record(row: &Row) -> Result<RecordRow> {
    Ok(RecordRow {
        id: row.get(0)?,
        system: row.get(1)?,
        stream: row.get(2)?,
        key: row.get(3)?,
        customer: row.get(4)?,
        raw: row.get(5)?,
        hash: row.get(6)?,
        first_run: row.get(7)?,
        changed_run: row.get(8)?,
        gone_run: row.get(9)?,
        valid_from: row.get(10)?,
    })
}

/// The key of the payload's first value that holds the folded text, nested keys joined by dots.
pub fn matched_in(raw: &str, folded: &str) -> Option<String> {
    // Numbers are compared as they are written; a parsed float might be written in another way.
    let fields: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> =
        serde_json::from_str(raw).ok()?;
    fields.into_iter().find_map(|(key, value)| {
        let rest = within(value.get(), folded)?;
        Some(if rest.is_empty() { key } else { format!("{key}.{rest}") })
    })
}

fn within(value: &str, folded: &str) -> Option<String> {
    if value.starts_with('{') {
        return matched_in(value, folded);
    }
    let holds = |text: &str| search_fold(text).contains(folded);
    let found = match serde_json::from_str::<Json>(value).ok()? {
        Json::String(text) => holds(&text),
        Json::Number(_) => holds(value),
        Json::Array(values) => {
            let inner = values.into_iter().map(|value| value.to_string());
            return inner.filter_map(|value| within(&value, folded)).next();
        }
        Json::Null | Json::Bool(_) | Json::Object(_) => false,
    };
    found.then(String::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_match_is_named() {
        let raw = r#"{"client_country":"TH","n":1.50,"in":{"note":["x","Симферополь"]},"b":true,"q":"a\"b"}"#;
        for (folded, place) in [
            ("th", Some("client_country")),
            ("1.50", Some("n")),
            ("симф", Some("in.note")),
            ("a\"b", Some("q")),
            ("true", None),
            ("country", None),
        ] {
            assert_eq!(matched_in(raw, folded).as_deref(), place, "{folded}");
        }
        assert_eq!(matched_in("no json", "json"), None);
    }
}
