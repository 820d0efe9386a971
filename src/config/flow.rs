//! `[flows.<name>]`: what keeps two systems in agreement.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use toml::Spanned;
use toml::de::DeValue;

use super::SystemConfig;
use super::mistake::Faults;
use super::shape::{Section, unknown_key};
use super::system::is_name;
use crate::model::flow::{Authority, NumberRule, Rule, Select, Who};
use crate::model::{Field, Flow, Message};

/// The keys of a flow of customers, with their defaults.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Customers {
    from: Spanned<String>,
    to: Spanned<String>,
    #[serde(rename = "entity")]
    _entity: Option<String>,
    #[serde(default)]
    select: Select,
    #[serde(default = "rules", rename = "match")]
    rules: Vec<Rule>,
    number: Option<NumberRule>,
    #[serde(default)]
    authority: BTreeMap<String, Who>,
    #[serde(default = "fields", deserialize_with = "words")]
    fields: Vec<Field>,
    #[serde(default, deserialize_with = "time")]
    reconcile: Option<jiff::civil::Time>,
}

fn rules() -> Vec<Rule> {
    vec![Rule::CustomerNumber, Rule::NationalId, Rule::Mobile]
}

/// The number travels as the mark of the record, and whether a customer is active is each side's own.
fn fields() -> Vec<Field> {
    Field::ALL.into_iter().filter(|field| !matches!(field, Field::Number | Field::Active)).collect()
}

fn words<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Field>, D::Error> {
    let words = Vec::<String>::deserialize(d)?;
    let fields: Option<Vec<Field>> = words.iter().map(|word| Field::of(word)).collect();
    fields.ok_or_else(|| serde::de::Error::custom("config-unknown-field"))
}

fn time<'de, D: Deserializer<'de>>(d: D) -> Result<Option<jiff::civil::Time>, D::Error> {
    let text = String::deserialize(d)?;
    let time = jiff::civil::Time::strptime("%H:%M", text.trim());
    time.map(Some).map_err(|_| serde::de::Error::custom("config-bad-time"))
}

/// Reads `[flows.<key>]`; `systems` are those of the same file.
pub(super) fn read(
    key: &Spanned<String>,
    value: Spanned<DeValue<'_>>,
    systems: &[SystemConfig],
    faults: &mut Faults<'_>,
) -> Option<Flow> {
    let name = key.get_ref().clone();
    // Both stand where a system is named: on the command line, in addresses.
    if !is_name(&name) || systems.iter().any(|system| system.name == name) {
        faults.add(key.span(), Message::new("config-bad-flow-name").with("name", &name));
    }
    let section = Section::new(&format!("flows.{name}"), value, faults)?;
    let place = section.name.clone();
    if let Some(entity) = section.table.get("entity")
        && entity.get_ref().as_str() != Some("customer")
    {
        let message = Message::new("config-later-entity").with("value", faults.shown(&entity.span()));
        faults.add(entity.span(), message);
        return None;
    }
    let authority = section.table.get("authority").map(Spanned::span);
    let read: Customers = section.read(faults)?;
    for side in [&read.from, &read.to] {
        let system = systems.iter().find(|system| system.name == *side.get_ref());
        if system.is_none_or(|system| system.connector.contacts().is_none()) {
            let message =
                Message::new("config-flow-system").with("place", &place).with("name", side.get_ref());
            faults.add(side.span(), message);
        }
    }
    if read.from.get_ref() == read.to.get_ref() {
        faults.add(read.to.span(), Message::new("config-flow-circle").with("place", &place));
    }
    let mut who = Authority::default();
    for (word, side) in read.authority {
        match Field::of(&word) {
            _ if word == "default" => who.default = side,
            Some(field) => {
                who.fields.insert(field, side);
            }
            None => {
                let known: Vec<&str> = Field::ALL.into_iter().map(Field::word).chain(["default"]).collect();
                faults.add(authority.clone().unwrap_or_default(), unknown_key("authority", &word, &known));
            }
        }
    }
    Some(Flow {
        name,
        from: read.from.into_inner(),
        to: read.to.into_inner(),
        select: read.select,
        rules: read.rules,
        number: read.number,
        authority: who,
        fields: read.fields,
        reconcile: read.reconcile,
    })
}
