//! Flows as documents: where each stands, and what its import came to.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;
use serde::Serialize;
use utoipa::ToSchema;

use super::{DeliveryDoc, LinkDoc, delivery, link, time};
use crate::app::App;
use crate::model::flow::Way;
use crate::model::{Flow, Message, Run};
use crate::store::contact::NamedContact;
use crate::store::delivery::Delivery;
use crate::store::link::{Ends, Link};
use crate::store::system::SystemState;
use crate::sync::flow::Road;
use crate::sync::flow::import::{self, Summary};
use crate::sync::flow::life::Life;
use crate::words::Words;

/// A flow.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FlowDoc {
    /// Its name.
    pub name: String,
    /// The master.
    pub from: String,
    /// The system that follows.
    pub to: String,
    /// What it carries.
    pub entity: String,
    /// `new` (it only plans), `live` or `paused`.
    pub state: &'static str,
    /// Since when it writes by itself.
    pub live_since: Option<String>,
    /// Who paused it, when and why; null when it is not paused.
    pub paused: Option<PausedDoc>,
    /// Records that are the same customer on both sides.
    pub links: i64,
    /// What its writes wait for.
    pub deliveries: WaitingDoc,
    /// Cases that wait for a person.
    pub cases: i64,
    /// The last import that is over, by its run.
    pub last_import: Option<ImportDoc>,
    /// The run of the import under way.
    pub importing: Option<i64>,
    /// When its import was closed.
    pub import_closed_at: Option<String>,
    /// The time of the nightly comparison of both sides.
    pub reconcile: Option<String>,
    /// When that was done last.
    pub reconciled_at: Option<String>,
    /// Its newest plan.
    pub last_plan: Option<i64>,
}

/// What writes wait for.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub struct WaitingDoc {
    /// They go on by themselves.
    pub open: i64,
    /// Refused by the other system; for a person.
    pub rejected: i64,
    /// Tried as often as may be; for a person.
    pub dead: i64,
    /// For a case to be decided.
    pub held: i64,
}

/// That a system or flow is paused.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PausedDoc {
    /// By whom.
    pub by: Option<String>,
    /// Since when.
    pub at: String,
    /// Why.
    pub reason: Option<String>,
}

/// What an import came to, or would come to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportDoc {
    /// The flow.
    pub flow: String,
    /// Its run; null of what would be done.
    pub run: Option<i64>,
    /// When that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// Made in the master.
    pub created: i64,
    /// Found there, and linked now.
    pub linked: i64,
    /// Linked before.
    pub already_linked: i64,
    /// Left out by a rule or by a person.
    pub excluded: i64,
    /// Questions that are open.
    pub cases: i64,
    /// Refused, or tried as often as may be.
    pub errors: i64,
    /// Whether every row has its answer.
    pub closed: bool,
}

/// What an import came to as a document.
pub fn import(flow: &str, run: Option<&Run>, summary: &Summary) -> ImportDoc {
    ImportDoc {
        flow: flow.to_owned(),
        run: run.map(|run| run.id),
        finished_at: run.and_then(|run| run.finished_at).map(time),
        created: summary.created,
        linked: summary.linked,
        already_linked: summary.already_linked,
        excluded: summary.excluded,
        cases: summary.cases,
        errors: summary.errors,
        closed: summary.closed,
    }
}

/// That something is paused, if it is.
pub fn paused(state: &SystemState, words: &Words) -> Option<PausedDoc> {
    let said = |json: &str| {
        serde_json::from_str::<Message>(json)
            .map_or_else(|_| json.to_owned(), |message| words.message(&message))
    };
    state.paused_at.map(|at| PausedDoc {
        by: state.paused_by.clone(),
        at: time(at),
        reason: state.paused_reason.as_deref().map(said),
    })
}

/// A flow as a document.
pub async fn flow(app: &Arc<App>, flow: &Flow, words: &Words) -> Result<FlowDoc> {
    let store = &app.store;
    let name = flow.name.as_str();
    let (state, pause) = (store.flow_state(name).await?, store.system_state(name).await?);
    let [rejected, dead, held] = store.stuck_deliveries(name).await?;
    let last = store.last_run(name).await?;
    let last_import = match (last, Road::new(app, flow, Way::Import)) {
        (Some(run), Some(road)) => Some(import(name, Some(&run), &import::summary(&road, run.id).await?)),
        _ => None,
    };
    Ok(FlowDoc {
        name: name.to_owned(),
        from: flow.from.clone(),
        to: flow.to.clone(),
        entity: flow.entity.word().to_owned(),
        state: Life::of(&state, &pause).word(),
        live_since: state.live_since.map(time),
        paused: paused(&pause, words),
        links: store.count_links(name).await?,
        deliveries: WaitingDoc { open: store.open_deliveries(name).await?, rejected, dead, held },
        cases: store.count_cases(Some("open"), Some(name)).await?,
        last_import,
        importing: store.active_run(name).await?.map(|run| run.id),
        import_closed_at: state.import_closed_at.map(time),
        reconcile: flow.reconcile.map(|at| at.strftime("%H:%M").to_string()),
        reconciled_at: state.reconciled_at.map(time),
        last_plan: store.last_plan(name).await?.map(|plan| plan.id),
    })
}

/// How the contacts of systems are named: by system and key.
pub type Names = HashMap<(String, String), NamedContact>;

/// How these contacts, (system, key) each, are named in the mirror.
pub async fn names(app: &App, wanted: &[(&str, &str)]) -> Result<Names> {
    let mut by_system: HashMap<&str, Vec<&str>> = HashMap::new();
    for (system, key) in wanted {
        by_system.entry(system).or_default().push(key);
    }
    let mut names = Names::new();
    for (system, keys) in by_system {
        let Some(stream) = contacts(app, system).await? else { continue };
        for named in app.store.contact_names(stream, &keys).await? {
            names.insert((system.to_owned(), named.key.clone()), named);
        }
    }
    Ok(names)
}

/// The stored list of contacts of a system, whether it is switched on or not.
async fn contacts(app: &App, system: &str) -> Result<Option<i64>> {
    let stream = app.config.system(system).and_then(|system| system.connector.contacts());
    match stream {
        Some(stream) => Ok(Some(app.store.stream(system, stream.name).await?)),
        None => Ok(None),
    }
}

/// Where the records of the links of a flow (of all, if none is named) are.
pub async fn ends(app: &App, flow: Option<&str>) -> Result<Vec<Ends>> {
    let mut ends = Vec::new();
    for one in app.config.flows.iter().filter(|one| flow.is_none_or(|name| name == one.name)) {
        if let (Some(source), Some(destination)) =
            (contacts(app, &one.from).await?, contacts(app, &one.to).await?)
        {
            ends.push(Ends { flow: one.name.clone(), source, destination });
        }
    }
    Ok(ends)
}

/// Links, (flow, link) each, as documents with the names of both sides.
pub async fn links(app: &App, links: &[(String, Link)]) -> Result<Vec<LinkDoc>> {
    let mut wanted = Vec::new();
    for (flow, link) in links {
        if let Some(flow) = app.config.flow(flow) {
            wanted.push((flow.from.as_str(), link.source_key.as_str()));
            wanted.push((flow.to.as_str(), link.destination_key.as_str()));
        }
    }
    let names = names(app, &wanted).await?;
    let document = |(name, one): &(String, Link)| {
        let flow = app.config.flow(name);
        let named =
            |system: Option<&String>, key: &str| names.get(&(system?.clone(), key.to_owned())).cloned();
        let source = named(flow.map(|flow| &flow.from), &one.source_key);
        let destination = named(flow.map(|flow| &flow.to), &one.destination_key);
        LinkDoc {
            source_customer: source.as_ref().map(|named| named.customer),
            source_name: source.and_then(|named| named.name),
            destination_customer: destination.as_ref().map(|named| named.customer),
            destination_name: destination.and_then(|named| named.name),
            ..link(name, one)
        }
    };
    Ok(links.iter().map(document).collect())
}

/// Deliveries as documents with the names of what they carry.
pub async fn deliveries(app: &App, deliveries: &[Delivery], words: &Words) -> Result<Vec<DeliveryDoc>> {
    let origin = |one: &Delivery| {
        let flow = app.config.flow(&one.flow)?;
        Some(if one.way == Way::Forward { flow.from.as_str() } else { flow.to.as_str() })
    };
    let wanted: Vec<(&str, &str)> =
        deliveries.iter().filter_map(|one| Some((origin(one)?, one.record.as_str()))).collect();
    let names = names(app, &wanted).await?;
    let document = |one: &Delivery| {
        let named = origin(one).and_then(|system| names.get(&(system.to_owned(), one.record.clone())));
        DeliveryDoc {
            name: named.and_then(|named| named.name.clone()),
            customer: named.map(|named| named.customer),
            ..delivery(one, words)
        }
    };
    Ok(deliveries.iter().map(document).collect())
}
