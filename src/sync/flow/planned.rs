//! Plans that are kept: made when both sides have been read, and applied later, to nothing else than what
//! they were made of.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::Result;
use serde_json::json;

use super::Road;
use super::forward::{self, Action, Change};
use crate::app::App;
use crate::model::flow::Way;
use crate::model::{Message, RunStatus};
use crate::store::link::Side;
use crate::store::plan::{self, Plan, PlanState, PlannedRow};
use crate::store::{Store, audit};
use crate::sync::now;

/// Changes looked at in one go.
const PAGE: i64 = 500;

/// A change of a kept plan.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Its place in the plan.
    pub position: i64,
    /// The change.
    pub change: Change,
    /// When it was asked for.
    pub applied_at: Option<i64>,
    /// When it was found to have moved, and left out.
    pub left_out_at: Option<i64>,
}

/// What was begun when a plan was applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applying {
    /// Changes that were asked for now.
    pub asked: i64,
    /// Asked for before.
    pub already: i64,
    /// Records of the master whose change was left out: one of the sides says something else by now.
    pub left_out: Vec<String>,
}

/// Why a plan was not applied.
#[derive(Debug)]
pub enum Refused {
    /// There is no such plan.
    Unknown(Message),
    /// What was asked for is not in it.
    Wrong(Message),
    /// It cannot be applied as things stand.
    Conflict(Message),
    /// All that was asked for has moved.
    Overtaken(Message),
    /// Something of ours broke.
    Internal(anyhow::Error),
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        Refused::Internal(error)
    }
}

/// Reads a stored change.
pub fn read(row: PlannedRow) -> Result<Planned> {
    let PlannedRow { position, content, applied_at, left_out_at } = row;
    Ok(Planned { position, change: serde_json::from_str(&content)?, applied_at, left_out_at })
}

/// Makes a plan that was asked for, once its runs are over; nothing happens before.
pub async fn make(app: &Arc<App>, asked: &Plan) -> Result<()> {
    let store = &app.store;
    let road = app.config.flow(&asked.flow).and_then(|flow| Road::new(app, flow, Way::Forward));
    let Some(road) = road else {
        return fail(store, asked, &Message::new("flow-system-off").with("flow", &asked.flow)).await;
    };
    for id in &asked.runs {
        let Some(run) = store.run(*id).await? else { continue };
        if !run.status.is_over() {
            return Ok(());
        }
        if run.status != RunStatus::Succeeded || run.limit.is_some() {
            let message = Message::new("plan-not-read").with("flow", &asked.flow);
            return fail(store, asked, &message.with("system", &run.system).with("run", id)).await;
        }
    }
    let changes = forward::plan(&road).await?;
    let mut rows = Vec::with_capacity(changes.len());
    for change in changes {
        let content = serde_json::to_string(&change)?;
        rows.push((change.action.word(), change.source, content));
    }
    let mut tx = store.begin().await?;
    if plan::made(&mut tx, asked.id, rows, now()).await? {
        tx.commit().await?;
    }
    Ok(())
}

async fn fail(store: &Store, asked: &Plan, message: &Message) -> Result<()> {
    let mut tx = store.begin().await?;
    plan::failed(&mut tx, asked.id, message, now()).await?;
    tx.commit().await
}

/// Asks for the changes of a plan: of these records of the master, or of all. What moved since the plan was
/// made is left out; the others are looked at once more just before they are written.
pub async fn apply(
    app: &Arc<App>,
    id: i64,
    sources: Option<&[String]>,
    by: &str,
) -> Result<Applying, Refused> {
    let store = &app.store;
    let about = |key: &str| Message::new(key).with("plan", id);
    let plan =
        store.plan(id).await?.ok_or_else(|| Refused::Unknown(Message::new("web-no-plan").with("id", id)))?;
    if plan.state != PlanState::Ready {
        return Err(Refused::Conflict(about(&format!("plan-is-{}", plan.state.word()))));
    }
    let road = app.config.flow(&plan.flow).and_then(|flow| Road::new(app, flow, Way::Forward));
    let Some(road) = road else {
        return Err(Refused::Conflict(Message::new("flow-system-off").with("flow", &plan.flow)));
    };
    if store.system_state(&plan.flow).await?.paused_at.is_some() {
        return Err(Refused::Conflict(Message::new("flow-is-paused").with("flow", &plan.flow)));
    }
    let mut done = Applying::default();
    if let Some(sources) = sources {
        let wanted: HashSet<&str> = sources.iter().map(String::as_str).collect();
        let wanted: Vec<&str> = wanted.into_iter().collect();
        let rows = store.plan_changes_of(id, &wanted).await?;
        let rows = rows.into_iter().map(read).collect::<Result<Vec<Planned>>>()?;
        let applicable = rows.iter().filter(|row| row.change.action != Action::Case);
        let known: HashSet<&str> = applicable.map(|row| row.change.source.as_str()).collect();
        if let Some(strange) = wanted.iter().find(|source| !known.contains(*source)) {
            return Err(Refused::Wrong(about("plan-says-nothing").with("record", strange)));
        }
        some(&road, id, rows, by, &mut done).await?;
    } else {
        let mut after = 0;
        loop {
            let rows = store.plan_changes(id, None, after, PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = last.position;
            let rows = rows.into_iter().map(read).collect::<Result<Vec<Planned>>>()?;
            some(&road, id, rows, by, &mut done).await?;
        }
    }
    if done.asked + done.already == 0 && !done.left_out.is_empty() {
        return Err(Refused::Overtaken(about("plan-overtaken").with("count", done.left_out.len())));
    }
    if done.asked > 0 {
        let mut tx = store.begin().await?;
        let subject = format!("{} plan {id}", plan.flow);
        let entry = audit::NewEntry {
            actor: by,
            action: "plan.applied",
            subject: &subject,
            after: Some(json!({ "asked": done.asked, "left_out": done.left_out.len() }).to_string()),
            ..audit::NewEntry::default()
        };
        audit::write(&mut tx, entry, now()).await?;
        tx.commit().await?;
    }
    Ok(done)
}

/// Asks for these changes, but for those that have moved.
async fn some(road: &Road, id: i64, rows: Vec<Planned>, by: &str, done: &mut Applying) -> Result<()> {
    let (already, rows): (Vec<Planned>, Vec<Planned>) = rows
        .into_iter()
        .filter(|row| row.change.action != Action::Case)
        .partition(|row| row.applied_at.is_some());
    done.already += i64::try_from(already.len())?;
    let moved = moved(road, &rows).await?;
    let (moved, rows): (Vec<Planned>, Vec<Planned>) =
        rows.into_iter().partition(|row| moved.contains(&row.change.source));
    let positions = |rows: &[Planned]| rows.iter().map(|row| row.position).collect::<Vec<i64>>();
    let (left_out, asked) = (positions(&moved), positions(&rows));
    let changes: Vec<Change> = rows.into_iter().map(|row| row.change).collect();
    // Before it is noted that they were asked for: to ask twice does no harm, never to ask would.
    forward::apply(road, &changes, by).await?;
    let store = &road.app.store;
    let mut tx = store.begin().await?;
    plan::applied(&mut tx, id, &asked, now()).await?;
    plan::left_out(&mut tx, id, &left_out, now()).await?;
    tx.commit().await?;
    done.asked += i64::try_from(asked.len())?;
    done.left_out.extend(moved.into_iter().map(|row| row.change.source));
    Ok(())
}

/// Records of the master about which either side, as it was read last, says something else than when this was
/// planned.
async fn moved(road: &Road, rows: &[Planned]) -> Result<HashSet<String>> {
    let store = &road.app.store;
    let keys: Vec<&str> = rows.iter().map(|row| row.change.source.as_str()).collect();
    let stream = store.stream(&road.origin.name, road.from.name).await?;
    let ours = store.contacts_by_key(stream, &keys).await?;
    let ours: HashMap<&str, String> = ours
        .iter()
        .filter(|stored| !stored.gone)
        .map(|stored| (stored.known.key.as_str(), stored.said.to_string()))
        .collect();
    let links = store.links_of(&road.flow.name, Side::Source, &keys).await?;
    let links: HashMap<&str, &str> =
        links.iter().map(|link| (link.source_key.as_str(), link.destination_key.as_str())).collect();
    let linked: Vec<&str> = links.values().copied().collect();
    let stream = store.stream(&road.target.name, road.to.name).await?;
    let theirs = store.contacts_by_key(stream, &linked).await?;
    let theirs: HashMap<&str, String> =
        theirs.iter().map(|stored| (stored.known.key.as_str(), stored.said.to_string())).collect();
    let stands = |change: &Change| {
        let link = links.get(change.source.as_str()).copied();
        let there = link.and_then(|key| theirs.get(key));
        let same_link = match change.action {
            Action::Update => link.is_some() && link == change.destination.as_deref(),
            _ => link.is_none(),
        };
        let same_there = change.expects.is_none() || there == change.expects.as_ref();
        ours.get(change.source.as_str()) == Some(&change.said) && same_link && same_there
    };
    let moved = rows.iter().filter(|row| !stands(&row.change));
    Ok(moved.map(|row| row.change.source.clone()).collect())
}
