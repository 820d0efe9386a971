//! `[flows.<name>]` of quotes and invoices.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::super::SystemConfig;
use super::super::mistake::Faults;
use super::super::shape::{Section, unknown_key};
use super::check_sides;
use crate::connect::Connector as _;
use crate::model::document::exact;
use crate::model::flow::{Authority, Bills, Entity, Select};
use crate::model::{Flow, Message};

/// The keys of a flow of documents, with their defaults.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Documents {
    from: Spanned<String>,
    to: Spanned<String>,
    #[serde(rename = "entity")]
    _entity: String,
    after: Option<Spanned<String>>,
    #[serde(default = "states")]
    states: Vec<i64>,
    #[serde(default, deserialize_with = "date")]
    since: Option<jiff::civil::DateTime>,
    #[serde(default = "tolerance", deserialize_with = "amount")]
    net_tolerance: i128,
    #[serde(default)]
    sale_models: BTreeMap<String, Plain>,
    #[serde(default)]
    constants: BTreeMap<String, Plain>,
}

/// A value that people may write as a text or a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Plain {
    Text(String),
    Number(i64),
}

impl Plain {
    fn text(self) -> String {
        match self {
            Plain::Text(text) => text.trim().to_owned(),
            Plain::Number(number) => number.to_string(),
        }
    }
}

/// Approved and numbered.
fn states() -> Vec<i64> {
    vec![2]
}

fn tolerance() -> i128 {
    exact("1").unwrap_or_default()
}

fn amount<'de, D: Deserializer<'de>>(d: D) -> Result<i128, D::Error> {
    let text = Plain::deserialize(d)?.text();
    let amount = exact(&text).ok().filter(|amount| *amount >= 0);
    amount.ok_or_else(|| serde::de::Error::custom("config-bad-amount"))
}

fn date<'de, D: Deserializer<'de>>(d: D) -> Result<Option<jiff::civil::DateTime>, D::Error> {
    let text = String::deserialize(d)?;
    let date = text.trim().parse();
    date.map(Some).map_err(|_| serde::de::Error::custom("config-bad-date"))
}

/// Reads a flow of documents. `flows` are those of customers of the same file.
pub(super) fn read(
    name: String,
    entity: Entity,
    section: Section<'_>,
    systems: &[SystemConfig],
    flows: &[Flow],
    faults: &mut Faults<'_>,
) -> Option<Flow> {
    let (place, span) = (section.name.clone(), section.span.clone());
    let constants = section.table.get("constants").map(Spanned::span);
    let read: Documents = section.read(faults)?;
    check_sides(&place, &read.from, &read.to, systems, faults);
    let system = |name: &str| systems.iter().find(|system| system.name == name);
    let (from, to) = (system(read.from.get_ref()), system(read.to.get_ref()));
    let takes = to.map(|to| to.connector.document_columns()).unwrap_or_default();
    let gives = from.is_some_and(|from| from.connector.documents(entity.stream()).is_some());
    if from.is_some() && to.is_some() && (takes.is_empty() || !gives) {
        let side = if gives { &read.to } else { &read.from };
        let message =
            Message::new("config-flow-documents").with("place", &place).with("name", side.get_ref());
        faults.add(side.span(), message.with("stream", entity.stream()));
    }
    let after = after(&read, flows);
    if after.is_none() {
        let span = read.after.as_ref().map_or(span, Spanned::span);
        faults.add(span, Message::new("config-flow-after").with("place", &place));
    }
    let known: Vec<&str> = takes.iter().map(|(column, _)| *column).collect();
    for column in
        read.constants.keys().filter(|column| !known.is_empty() && !known.contains(&column.as_str()))
    {
        faults.add(constants.clone().unwrap_or_default(), unknown_key("constants", column, &known));
    }
    let texts = |table: BTreeMap<String, Plain>| table.into_iter().map(|(key, value)| (key, value.text()));
    Some(Flow {
        name,
        from: read.from.into_inner(),
        to: read.to.into_inner(),
        entity,
        bills: Some(Bills {
            after: after?,
            states: read.states,
            since: read.since,
            tolerance: read.net_tolerance,
            sale_models: texts(read.sale_models).collect(),
            constants: texts(read.constants).collect(),
        }),
        select: Select::default(),
        rules: Vec::new(),
        number: None,
        authority: Authority::default(),
        fields: Vec::new(),
        reconcile: None,
    })
}

/// The flow that customers go by: the one that is named, else the only one between both systems.
fn after(read: &Documents, flows: &[Flow]) -> Option<String> {
    let mut between = flows.iter().filter(|flow| {
        flow.entity == Entity::Customer && flow.from == *read.from.get_ref() && flow.to == *read.to.get_ref()
    });
    let found = match &read.after {
        Some(name) => between.find(|flow| flow.name == *name.get_ref()),
        None => between.next().filter(|_| between.next().is_none()),
    };
    found.map(|flow| flow.name.clone())
}
