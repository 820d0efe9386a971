//! Where each value of a customer comes from: the raw field, the rule, the record. Pure.

use serde_json::Value as Json;

use super::{Item, RecordRow};
use crate::model::amount::{MONEY, QUANTITY, show};

/// A value of a customer and what it was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// The value's name in the API.
    pub field: &'static str,
    /// The value; `None` = unknown.
    pub value: Option<String>,
    /// How it was made: `as_sent`, `all`, `first_known`, `sum`, `latest`, `derived`, or the owner rule.
    pub rule: String,
    /// What it was made of, in the order it was looked at.
    pub sources: Vec<Origin>,
}

/// A field of a record's payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The system.
    pub system: String,
    /// The stream.
    pub stream: String,
    /// The record.
    pub record: i64,
    /// Its key within the stream.
    pub key: String,
    /// The field's name in the payload.
    pub raw_field: &'static str,
    /// What it holds.
    pub raw_value: Json,
    /// The run that stored it.
    pub run: i64,
    /// Since when it is so, in microseconds.
    pub valid_from: i64,
}

/// A value: its name, how it is made, and the payload fields per stream.
type Field = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const FIELDS: &[Field] = &[
    (
        "client_uid",
        "as_sent",
        &[("clients", "client_uid"), ("accounts", "client_uid"), ("traders", "clientId")],
    ),
    ("accounts", "as_sent", &[("accounts", "client_account"), ("traders", "traderId")]),
    (
        "country",
        "first_known",
        &[("clients", "client_country"), ("accounts", "country"), ("traders", "country")],
    ),
    ("status", "first_known", &[("clients", "client_status"), ("traders", "valid")]),
    ("activity", "derived", &[("accounts", "volume_lots"), ("accounts", "reward_usd")]),
    ("reward_usd", "sum", &[("accounts", "reward_usd")]),
    ("rebate_usd", "sum", &[("clients", "rebate_amount_usd")]),
    ("volume_lots", "sum", &[("accounts", "volume_lots")]),
    ("volume_mln_usd", "sum", &[("accounts", "volume_mln_usd")]),
    (
        "partner_account",
        "all",
        &[("clients", "partner_account"), ("accounts", "partner_account"), ("traders", "campaign")],
    ),
    (
        "owner",
        "owner",
        &[("clients", "partner_account"), ("accounts", "partner_account"), ("traders", "campaign")],
    ),
    (
        "registered",
        "first_known",
        &[("clients", "reg_date"), ("accounts", "reg_date"), ("traders", "signUpDate")],
    ),
    ("last_trade", "latest", &[("accounts", "trade_fn"), ("clients", "trade_fn")]),
];

/// The names of the values whose lineage is known.
pub fn fields() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(name, ..)| *name)
}

/// Where the value named `field` (every one when `None`) of a customer comes from.
pub fn lineage(item: &Item, records: &[RecordRow], field: Option<&str>) -> Vec<Lineage> {
    let wanted = FIELDS.iter().filter(|(name, ..)| field.is_none_or(|field| field == *name));
    wanted
        .map(|(name, rule, from)| Lineage {
            field: name,
            value: value(item, name),
            rule: if *rule == "owner" { item.owner_rule.clone() } else { (*rule).to_owned() },
            sources: origins(item, records, from),
        })
        .collect()
}

fn origins(item: &Item, records: &[RecordRow], from: &[(&'static str, &'static str)]) -> Vec<Origin> {
    let mut origins = Vec::new();
    for (stream, raw_field) in from {
        // Records that are gone count only when all are.
        let counting = records.iter().filter(|r| r.stream == *stream && (item.gone || r.gone_run.is_none()));
        for record in counting {
            let payload: Json = serde_json::from_str(&record.raw).unwrap_or_default();
            origins.push(Origin {
                system: record.system.clone(),
                stream: record.stream.clone(),
                record: record.id,
                key: record.key.clone(),
                raw_field,
                raw_value: payload.get(*raw_field).cloned().unwrap_or_default(),
                run: record.changed_run,
                valid_from: record.valid_from,
            });
        }
    }
    origins
}

fn value(item: &Item, field: &str) -> Option<String> {
    let amount = |value: Option<i64>, scale| value.map(|value| show(i128::from(value), scale));
    match field {
        "client_uid" => Some(item.key.clone()),
        "accounts" => Some(item.account_numbers.clone()),
        "country" => item.country.clone(),
        "status" => item.status.clone(),
        "activity" => item.activity.clone(),
        "reward_usd" => amount(item.reward_usd, MONEY),
        "rebate_usd" => amount(item.rebate_usd, MONEY),
        "volume_lots" => amount(item.volume_lots, QUANTITY),
        "volume_mln_usd" => amount(item.volume_mln_usd, QUANTITY),
        "partner_account" => item.partner_account.clone(),
        "owner" => Some(item.owner.clone()),
        "registered" => item.registered.clone(),
        "last_trade" => item.last_trade.clone(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_names_the_fields_it_was_made_of() {
        let record = |id, stream: &str, raw: &str, gone| RecordRow {
            id,
            system: "ham".to_owned(),
            stream: stream.to_owned(),
            key: id.to_string(),
            customer: 1,
            raw: raw.to_owned(),
            hash: Vec::new(),
            first_run: 1,
            changed_run: 2,
            gone_run: gone,
            valid_from: 0,
        };
        let records = [
            record(1, "clients", r#"{"client_country":"TH"}"#, None),
            record(2, "accounts", r#"{"reward_usd":"1.50"}"#, None),
            record(3, "accounts", r#"{"reward_usd":"2.00"}"#, Some(2)),
        ];
        let item = Item { reward_usd: Some(150), country: Some("TH".to_owned()), ..Item::default() };
        let reward = lineage(&item, &records, Some("reward_usd")).remove(0);
        assert_eq!((reward.value.as_deref(), reward.rule.as_str()), (Some("1.50"), "sum"));
        assert_eq!(reward.sources.len(), 1);
        assert_eq!((reward.sources[0].raw_field, reward.sources[0].run), ("reward_usd", 2));
        let all = lineage(&item, &records, None);
        assert!(all.iter().map(|lineage| lineage.field).eq(fields()));
        let country = all.iter().find(|lineage| lineage.field == "country").unwrap();
        assert_eq!(country.sources[0].raw_value, "TH");
    }
}
