//! `[flows.<name>]`: what keeps two systems in agreement.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use toml::Spanned;
use toml::de::DeValue;

use super::SystemConfig;
use super::mistake::Faults;
use super::shape::{Section, unknown_key};
use super::system::is_name;
use crate::model::flow::{Authority, Entity, NumberRule, Rule, Select, Who};
use crate::model::{Field, Flow, Message};

mod documents;

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

/// What a section says it carries; a mistake when that is nothing that is known.
pub(super) fn entity(value: &Spanned<DeValue<'_>>, faults: &mut Faults<'_>) -> Option<Entity> {
    let Some(entity) = value.get_ref().get("entity") else { return Some(Entity::Customer) };
    let known = entity.get_ref().as_str().and_then(Entity::of);
    if known.is_none() {
        let message = Message::new("config-unknown-entity").with("value", faults.shown(&entity.span()));
        faults.add(entity.span(), message);
    }
    known
}

/// Reads `[flows.<key>]`; `systems` are those of the same file, `flows` those that were read before.
pub(super) fn read(
    key: &Spanned<String>,
    entity: Entity,
    value: Spanned<DeValue<'_>>,
    systems: &[SystemConfig],
    flows: &[Flow],
    faults: &mut Faults<'_>,
) -> Option<Flow> {
    let name = key.get_ref().clone();
    // Both stand where a system is named: on the command line, in addresses.
    if !is_name(&name) || systems.iter().any(|system| system.name == name) {
        faults.add(key.span(), Message::new("config-bad-flow-name").with("name", &name));
    }
    let section = Section::new(&format!("flows.{name}"), value, faults)?;
    match entity {
        Entity::Customer => customers(name, section, systems, faults),
        Entity::Quote | Entity::Invoice => documents::read(name, entity, section, systems, flows, faults),
    }
}

/// Both sides have to hold customers, and be two.
fn check_sides(
    place: &str,
    from: &Spanned<String>,
    to: &Spanned<String>,
    systems: &[SystemConfig],
    faults: &mut Faults<'_>,
) {
    for side in [from, to] {
        let system = systems.iter().find(|system| system.name == *side.get_ref());
        if system.is_none_or(|system| system.connector.contacts().is_none()) {
            let message =
                Message::new("config-flow-system").with("place", place).with("name", side.get_ref());
            faults.add(side.span(), message);
        }
    }
    if from.get_ref() == to.get_ref() {
        faults.add(to.span(), Message::new("config-flow-circle").with("place", place));
    }
}

/// Reads a flow of customers.
fn customers(
    name: String,
    section: Section<'_>,
    systems: &[SystemConfig],
    faults: &mut Faults<'_>,
) -> Option<Flow> {
    let place = section.name.clone();
    let authority = section.table.get("authority").map(Spanned::span);
    let read: Customers = section.read(faults)?;
    check_sides(&place, &read.from, &read.to, systems, faults);
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
        entity: Entity::Customer,
        bills: None,
        select: read.select,
        rules: read.rules,
        number: read.number,
        authority: who,
        fields: read.fields,
        reconcile: read.reconcile,
    })
}
