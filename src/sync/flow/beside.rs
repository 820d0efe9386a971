//! A customer as both systems of a flow have it, field by field, as they were read last.

use std::sync::Arc;

use anyhow::Result;

use super::Road;
use crate::app::App;
use crate::model::contact::StoredContact;
use crate::model::flow::Way;
use crate::model::{Contact, Field};
use crate::store::link::{Link, Side};

/// A customer that two systems know.
#[derive(Debug, Clone)]
pub struct Beside {
    /// The flow.
    pub flow: String,
    /// The master.
    pub from: String,
    /// The system that follows.
    pub to: String,
    /// The link.
    pub link: Link,
    /// The customer that the master's record makes.
    pub source: Option<i64>,
    /// The customer that the other record makes.
    pub destination: Option<i64>,
    /// What each says.
    pub fields: Vec<Both>,
}

/// A field on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Both {
    /// The field.
    pub field: Field,
    /// What the master says.
    pub source: Option<String>,
    /// What the other side has.
    pub destination: Option<String>,
    /// Whether they say the same; `None` when the flow does not carry it there.
    pub equal: Option<bool>,
}

/// The customer of this key of a system beside the one it is linked with, if a flow ties them.
pub async fn of(app: &Arc<App>, system: &str, key: &str) -> Result<Option<Beside>> {
    let store = &app.store;
    for flow in &app.config.flows {
        let side = match system {
            system if system == flow.from => Side::Source,
            system if system == flow.to => Side::Destination,
            _ => continue,
        };
        let Some(road) = Road::new(app, flow, Way::Forward) else { continue };
        let Some(link) = store.link_of(&flow.name, side, key).await? else { continue };
        let stored = async |system: &str, stream: &str, key: &str| -> Result<Option<StoredContact>> {
            let stream = store.stream(system, stream).await?;
            Ok(store.contacts_by_key(stream, &[key]).await?.pop())
        };
        let source = stored(&flow.from, road.from.name, &link.source_key).await?;
        let destination = stored(&flow.to, road.to.name, &link.destination_key).await?;
        let says = source.as_ref().and_then(|source| road.content(&link.source_key, &source.raw).ok());
        let has = destination.as_ref().and_then(|there| road.target.contact(road.to, &there.raw).ok());
        return Ok(Some(Beside {
            flow: flow.name.clone(),
            from: flow.from.clone(),
            to: flow.to.clone(),
            fields: fields(&road, says.as_ref(), has.as_ref()),
            source: source.map(|stored| stored.customer),
            destination: destination.map(|stored| stored.customer),
            link,
        }));
    }
    Ok(None)
}

/// What a contact says, by the system it is of.
pub fn said(app: &App, system: &str, raw: &str) -> Option<Contact> {
    let source = app.source(system)?;
    source.contact(source.connector.contacts()?, raw).ok()
}

fn fields(road: &Road, says: Option<&Contact>, has: Option<&Contact>) -> Vec<Both> {
    let region = road.target.region();
    let wished = says.map(|says| road.wished(says));
    let both = |field: Field| {
        let value = |of: Option<&Contact>| of.and_then(|of| of.get(field)).map(str::to_owned);
        let (source, destination) = (value(says), value(has));
        if source.is_none() && destination.is_none() {
            return None;
        }
        // What the other side has no place for is not carried either.
        let has_place = source.is_none() || wished.as_ref().is_some_and(|wished| wished.get(field).is_some());
        let carried = has_place && road.flow.fields.contains(&field);
        let equal = match (&wished, has) {
            (Some(wished), Some(has)) if carried => Some(wished.agrees(has, field, region)),
            _ => None,
        };
        Some(Both { field, source, destination, equal })
    };
    Field::ALL.into_iter().filter_map(both).collect()
}
