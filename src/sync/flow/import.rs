//! The import: the customers of the system that follows, brought into the master once.
//!
//! Both sides have just been read. Each row of the one is linked to the customer it is on the other
//! side, asked about, or created there; when every row has an answer the import is closed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::Result;
use serde::Serialize;

use super::super::{Stop, now};
use super::{Road, push};
use crate::model::contact::{Known, StoredContact};
use crate::model::flow::{Rule, State, Way};
use crate::model::{Field, Flow, Message, RunStatus, Stage, StageStatus};
use crate::store::case::{self, NewCase};
use crate::store::delivery::{self, NewDelivery};
use crate::store::link::{self, NewLink, Side};
use crate::store::run::{self, Beat, Claim, TakenOver};
use crate::store::{Store, Tx, audit, flow};
use crate::sync::matching::link::{Match, find};

/// Rows looked at in one go.
const PAGE: i64 = 500;
/// The stages, with their share of the progress.
const STAGES: [(&str, u32); 2] = [("match", 1), ("write", 9)];
/// The kinds of cases that keep an import from being closed.
const QUESTIONS: [&str; 5] =
    ["ambiguous_match", "number_clash", "uncertain_delivery", "duplicate", "changed_code"];

/// What an import came to, or would come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
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

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is linked.
    Linked,
    /// A person has left it out.
    Excluded,
    /// A delivery is under way, refused, or waits for a person.
    Delivered(State),
    /// It is this one.
    Link(String, Rule),
    /// It is new.
    Create,
    /// A person must choose.
    Ask(Match),
}

/// Looks at rows of the origin, and at whom they may be in the mirror of the target.
pub async fn judge(road: &Road, rows: &[StoredContact]) -> Result<Vec<Verdict>> {
    let store = &road.app.store;
    let name = road.flow.name.as_str();
    let keys: Vec<&str> = rows.iter().map(|row| row.known.key.as_str()).collect();
    let linked = store.links_of(name, Side::Destination, &keys).await?;
    let linked: HashSet<String> = linked.into_iter().map(|link| link.destination_key).collect();
    let delivered = store.latest_deliveries(name, Way::Import, &keys).await?;
    let delivered: HashMap<String, State> =
        delivered.into_iter().map(|delivery| (delivery.record, delivery.state)).collect();
    let decided = store.decided_cases(name, &["ambiguous_match", "number_clash"]).await?;

    let stream = store.stream(&road.target.name, road.to.name).await?;
    let wanted: Vec<Known> = rows.iter().map(|row| road.matched_by(row)).collect();
    let mut there: Vec<Known> = Vec::new();
    for rule in &road.flow.rules {
        let values: Vec<&str> = wanted.iter().filter_map(|known| known.get(rule.field())).collect();
        let found = store.contacts_with(stream, rule.field(), &values).await?;
        there.extend(found.into_iter().map(|stored| stored.known));
    }
    let theirs: Vec<&str> = there.iter().map(|known| known.key.as_str()).collect();
    let taken = store.links_of(name, Side::Source, &theirs).await?;
    let taken: HashSet<String> = taken.into_iter().map(|link| link.source_key).collect();
    let by_rule = by_value(&there, &road.flow.rules);

    let mut verdicts = Vec::with_capacity(rows.len());
    for known in &wanted {
        let choice = decided.get(&known.key).map(String::as_str);
        let candidates = road.flow.rules.iter().flat_map(|rule| {
            let value = known.get(rule.field()).unwrap_or_default();
            by_rule.get(&(rule.field(), value)).map(Vec::as_slice).unwrap_or_default()
        });
        verdicts.push(match (delivered.get(&known.key), choice) {
            _ if linked.contains(&known.key) => Verdict::Linked,
            (_, Some("exclude")) => Verdict::Excluded,
            // What was certainly not done may be asked for again; so may what somebody decided.
            (Some(State::Rejected | State::Dead | State::Superseded), _) | (None, _) => {
                match find(known, &road.flow.rules, candidates.copied()) {
                    _ if choice == Some("create") => Verdict::Create,
                    Match::New => Verdict::Create,
                    Match::One { key, rule } if taken.contains(&key) => {
                        Verdict::Ask(Match::Several { keys: vec![key], rule })
                    }
                    Match::One { key, rule } => Verdict::Link(key, rule),
                    other => Verdict::Ask(other),
                }
            }
            (Some(state), _) => Verdict::Delivered(*state),
        });
    }
    Ok(verdicts)
}

type ByValue<'a> = HashMap<(Field, &'a str), Vec<&'a Known>>;

fn by_value<'a>(known: &'a [Known], rules: &[Rule]) -> ByValue<'a> {
    let mut by: ByValue<'a> = HashMap::new();
    for one in known {
        for rule in rules {
            if let Some(value) = one.get(rule.field()) {
                by.entry((rule.field(), value)).or_default().push(one);
            }
        }
    }
    by
}

/// What an import would come to, without writing anything.
pub async fn rehearse(road: &Road) -> Result<Summary> {
    let store = &road.app.store;
    let stream = store.stream(&road.origin.name, road.from.name).await?;
    let mut summary = Summary { excluded: left_out(road).await?, ..Summary::default() };
    let mut after = 0;
    loop {
        let rows = store.contacts_after(stream, after, PAGE).await?;
        let Some(last) = rows.last() else { return Ok(summary) };
        after = last.id;
        for verdict in judge(road, &rows).await? {
            match verdict {
                Verdict::Linked => summary.already_linked += 1,
                Verdict::Excluded => summary.excluded += 1,
                Verdict::Create => summary.created += 1,
                Verdict::Delivered(State::Held) | Verdict::Ask(_) => summary.cases += 1,
                Verdict::Delivered(_) => summary.created += 1,
                Verdict::Link(..) => summary.linked += 1,
            }
        }
    }
}

/// Rows of the origin that its connector leaves out, by its last read.
async fn left_out(road: &Road) -> Result<i64> {
    let run = road.app.store.last_run(&road.origin.name).await?;
    let stages = run.map(|run| run.stages).unwrap_or_default();
    let stage = stages.into_iter().find(|stage| stage.name == road.from.name);
    Ok(stage.map_or(0, |stage| i64::try_from(stage.counts.excluded).unwrap_or(0)))
}

/// What an import has come to, as far as its run has gone.
pub async fn summary(road: &Road, run: i64) -> Result<Summary> {
    let store = &road.app.store;
    let name = road.flow.name.as_str();
    let mut summary = Summary::default();
    for (state, count) in store.delivery_counts(name, Way::Import, Some(run)).await? {
        match state {
            State::Confirmed | State::Verified => summary.created += count,
            State::Rejected | State::Dead => summary.errors += count,
            _ => {}
        }
    }
    let (own, earlier) = store.links_made(name, run).await?;
    summary.linked = own - summary.created;
    summary.already_linked = earlier;
    let decided = store.decided_cases(name, &["ambiguous_match", "number_clash"]).await?;
    let by_person = decided.values().filter(|choice| *choice == "exclude").count();
    summary.excluded = left_out(road).await? + i64::try_from(by_person)?;
    summary.cases = store.count_cases(Some("open"), Some(name)).await?;
    summary.closed = store.flow_state(name).await?.import_closed_at.is_some();
    Ok(summary)
}

/// Works on a claimed run of an import until it ends or is taken away; how it ended (`None`: taken
/// away). `orders` tells when to stop.
pub async fn run(
    road: &Arc<Road>,
    engine: i64,
    claim: Claim,
    orders: &tokio::sync::watch::Receiver<Beat>,
) -> Result<Option<RunStatus>> {
    let done = both_stages(road, engine, claim, orders).await;
    let (status, error) = match done {
        Ok(status) => (status, None),
        Err(Stop::Lost) => return Ok(None),
        Err(Stop::Cancelled) => (RunStatus::Cancelled, None),
        Err(Stop::Incomplete(message)) => (RunStatus::Incomplete, Some(message)),
        Err(Stop::Failed(message)) => (RunStatus::Failed, Some(message)),
        Err(Stop::Internal(error)) => {
            tracing::error!(
                run = claim.run,
                flow = road.flow.name,
                error = format!("{error:#}"),
                "import broke"
            );
            let message = Message::new("run-broke").with("system", &road.flow.name);
            (RunStatus::Failed, Some(message.with("problem", format!("{error:#}"))))
        }
    };
    end(&road.app.store, &road.flow, claim, status, error).await
}

/// Ends the run of an import in the store; `None` when it was taken away.
pub async fn end(
    store: &Store,
    flow: &Flow,
    claim: Claim,
    status: RunStatus,
    error: Option<Message>,
) -> Result<Option<RunStatus>> {
    let mut tx = store.begin().await?;
    match run::finish(&mut tx, claim, status, status == RunStatus::Succeeded, error.as_ref(), now()).await {
        Err(error) if error.is::<TakenOver>() => return Ok(None),
        other => other?,
    }
    note(&mut tx, claim, "run.ended", &flow.name, Some(status.word())).await?;
    tx.commit().await?;
    Ok(Some(status))
}

async fn both_stages(
    road: &Arc<Road>,
    engine: i64,
    claim: Claim,
    orders: &tokio::sync::watch::Receiver<Beat>,
) -> Result<RunStatus, Stop> {
    let store = &road.app.store;
    if store.flow_state(&road.flow.name).await?.import_closed_at.is_some() {
        // Nothing is written that way any more until an administrator says so.
        return Ok(RunStatus::Succeeded);
    }
    let mut stages = store.stages(claim.run).await?;
    if stages.is_empty() {
        let begun = STAGES.iter().zip(0..).map(|((name, weight), at)| Stage::waiting(at, name, *weight));
        stages = begun.collect();
        let mut tx = store.begin().await?;
        run::create_stages(&mut tx, claim, &stages).await?;
        tx.commit().await?;
    }
    let limit = store.run(claim.run).await?.and_then(|run| run.limit);
    let halted = || *orders.borrow() != Beat::GoOn;
    let [matching, writing] = stages.as_mut_slice() else {
        return Err(anyhow::anyhow!("the run is not an import").into());
    };
    if matching.status != StageStatus::Succeeded {
        match_rows(road, claim, matching, limit, halted).await?;
    }
    stop(orders)?;
    if writing.status != StageStatus::Succeeded {
        write(road, engine, claim, writing, halted).await?;
    }
    stop(orders)?;
    let found = summary(road, claim.run).await?;
    let open = store.next_delivery(&road.flow.name, road.way).await?.is_some();
    if open || found.errors > 0 || store.open_cases(&road.flow.name, &QUESTIONS).await? > 0 {
        return Ok(RunStatus::Incomplete);
    }
    if limit.is_some() {
        // The rest has no answer yet.
        return Ok(RunStatus::Succeeded);
    }
    let mut tx = store.begin().await?;
    if flow::close_import(&mut tx, &road.flow.name, now()).await? {
        note(&mut tx, claim, "import.closed", &road.flow.name, None).await?;
        tx.commit().await?;
    }
    Ok(RunStatus::Succeeded)
}

fn stop(orders: &tokio::sync::watch::Receiver<Beat>) -> Result<(), Stop> {
    match *orders.borrow() {
        Beat::GoOn => Ok(()),
        Beat::Cancel => Err(Stop::Cancelled),
        Beat::Lost => Err(Stop::Lost),
    }
}

/// Gives every row its verdict, a page in one transaction.
async fn match_rows(
    road: &Road,
    claim: Claim,
    stage: &mut Stage,
    limit: Option<i64>,
    halted: impl Fn() -> bool,
) -> Result<(), Stop> {
    let store = &road.app.store;
    let stream = store.stream(&road.origin.name, road.from.name).await?;
    stage.status = StageStatus::Running;
    stage.started_at.get_or_insert(now());
    stage.total = Some(store.live_count(road.from, stream, None).await?);
    let mut after = stage.next_cursor.as_deref().and_then(|at| at.parse().ok()).unwrap_or(0);
    while !halted() {
        let left = limit.map_or(PAGE, |limit| (limit - i64::try_from(stage.done).unwrap_or(limit)).min(PAGE));
        let rows = store.contacts_after(stream, after, left.max(0)).await?;
        let verdicts = judge(road, &rows).await?;
        let mut tx = store.begin().await?;
        for (row, verdict) in rows.iter().zip(&verdicts) {
            carry_out(road, claim, &mut tx, row, verdict).await?;
        }
        stage.done += rows.len() as u64;
        if let Some(last) = rows.last() {
            after = last.id;
            stage.next_cursor = Some(after.to_string());
        } else {
            stage.status = StageStatus::Succeeded;
            stage.next_cursor = None;
            stage.finished_at = Some(now());
        }
        run::save(&mut tx, claim, stage, i64::from(stage.status == StageStatus::Succeeded) * 10, now())
            .await?;
        tx.commit().await?;
        crate::failpoint("import matched");
        if stage.status == StageStatus::Succeeded {
            break;
        }
    }
    Ok(())
}

async fn carry_out(
    road: &Road,
    claim: Claim,
    tx: &mut Tx,
    row: &StoredContact,
    verdict: &Verdict,
) -> Result<(), Stop> {
    let name = road.flow.name.as_str();
    let record = row.known.key.as_str();
    match verdict {
        Verdict::Linked | Verdict::Excluded | Verdict::Delivered(_) => {}
        Verdict::Link(key, rule) => {
            let (source_key, destination_key) = road.keys(record, key);
            let run = Some(claim.run);
            let new =
                NewLink { flow: name, source_key, destination_key, rule: rule.word(), run, by: "import" };
            if link::make(tx, &new, now()).await? {
                let subject = format!("{name} {source_key} ↔ {destination_key}");
                note(tx, claim, "link.made", &subject, Some(rule.word())).await?;
            } else {
                // Another row of this page was found to be the same customer.
                ask(road, claim, tx, record, &Match::Several { keys: vec![key.clone()], rule: *rule })
                    .await?;
            }
        }
        Verdict::Create => {
            let new = NewDelivery {
                flow: name,
                way: Way::Import,
                record,
                action: "create",
                reason: "import",
                run: Some(claim.run),
                asked_by: "import",
                said: Some(row.said),
                expects: None,
            };
            delivery::queue(tx, &new, now()).await?;
        }
        Verdict::Ask(found) => ask(road, claim, tx, record, found).await?,
    }
    Ok(())
}

async fn ask(road: &Road, claim: Claim, tx: &mut Tx, record: &str, found: &Match) -> Result<(), Stop> {
    let about = |id: &str| {
        Message::new(id)
            .with("flow", &road.flow.name)
            .with("record", record)
            .with("from", &road.origin.name)
            .with("to", &road.target.name)
    };
    let (kind, message, keys) = match found {
        Match::Clash { key, fields } => {
            let fields: Vec<&str> = fields.iter().map(|field| field.word()).collect();
            let message = about("case-number-clash").with("key", key).with("fields", fields.join(", "));
            ("number_clash", message, vec![key.as_str(), "exclude"])
        }
        Match::Several { keys, rule } => {
            let message =
                about("case-ambiguous-match").with("rule", rule.word()).with("keys", keys.join(", "));
            let choices = keys.iter().map(String::as_str).chain(["create", "exclude"]);
            ("ambiguous_match", message, choices.collect())
        }
        Match::New | Match::One { .. } => return Ok(()),
    };
    let case = NewCase {
        kind,
        system: &road.flow.name,
        subject: record,
        run: Some(claim.run),
        message,
        detail: serde_json::json!({ "way": Way::Import }),
        choices: &keys,
    };
    Ok(case::raise(tx, &case, now()).await?)
}

/// Works the deliveries off, telling how far it is.
async fn write(
    road: &Arc<Road>,
    engine: i64,
    claim: Claim,
    stage: &mut Stage,
    halted: impl Fn() -> bool,
) -> Result<(), Stop> {
    stage.status = StageStatus::Running;
    stage.started_at.get_or_insert(now());
    let mut tx = road.app.store.begin().await?;
    delivery::adopt(&mut tx, &road.flow.name, road.way, claim.run).await?;
    tx.commit().await?;
    let told = async {
        loop {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            if let Err(error) = tell(road, claim, &mut stage.clone(), None).await {
                tracing::debug!(error = format!("{error:#}"), "progress was not told");
            }
        }
    };
    let done = tokio::select! {
        done = push::work_off(road, engine, &halted) => done,
        () = told => Ok(()),
    };
    // Somebody has paused the flow meanwhile, or the system it writes to.
    let unsent = road.app.store.next_delivery(&road.flow.name, road.way).await?.is_some();
    let status = match &done {
        Ok(()) if halted() => None,
        Ok(()) if unsent => None,
        Ok(()) => Some(StageStatus::Succeeded),
        Err(Stop::Incomplete(message)) => {
            stage.error = Some(message.clone());
            Some(StageStatus::Incomplete)
        }
        Err(Stop::Failed(message)) => {
            stage.error = Some(message.clone());
            Some(StageStatus::Failed)
        }
        Err(_) => None,
    };
    tell(road, claim, stage, status).await?;
    if done.is_ok() && !halted() && unsent {
        return Err(Stop::Incomplete(Message::new("flow-paused-meanwhile").with("flow", &road.flow.name)));
    }
    done
}

async fn tell(road: &Road, claim: Claim, stage: &mut Stage, status: Option<StageStatus>) -> Result<()> {
    let store = &road.app.store;
    let counts = store.delivery_counts(&road.flow.name, Way::Import, Some(claim.run)).await?;
    let (done, all) = counts.iter().fold((0, 0), |(done, all), (state, count)| {
        (done + if state.is_open() { 0 } else { *count }, all + count)
    });
    stage.done = u64::try_from(done)?;
    stage.total = Some(u64::try_from(all)?);
    if let Some(status) = status {
        stage.status = status;
        stage.finished_at = Some(now());
    }
    let progress = 10 + if all > 0 { done * 89 / all } else { 89 };
    let mut tx = store.begin().await?;
    run::save(&mut tx, claim, stage, progress, now()).await?;
    tx.commit().await
}

async fn note(tx: &mut Tx, claim: Claim, action: &str, subject: &str, reason: Option<&str>) -> Result<()> {
    let run = Some(claim.run);
    let entry =
        audit::NewEntry { actor: "import", action, subject, run, reason, ..audit::NewEntry::default() };
    audit::write(tx, entry, now()).await
}
