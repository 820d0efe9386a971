//! The first page: how every system is, whether everything adds up, and what to do about it.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::show::{self, Time, number};
use super::state::{Figure, State as Look, run_look, stored_message};
use super::{Done, Frame, link, render, stages};
use crate::app::App;
use crate::config::SystemConfig;
use crate::connect::{Absence, Connector, Stream, Table};
use crate::model::amount::{AMOUNT, REBATE_USD, REWARD_USD};
use crate::model::{Message, Run, RunRequest, RunStatus, Sums};
use crate::report;
use crate::store::run::Requested;
use crate::sync::health::{self, Facts, Health};
use crate::sync::shares::{Part, Share, shares};
use crate::sync::{Source, now, verdict};
use crate::web::Web;
use crate::web::access::{Operator, Viewer};
use crate::web::problem::Problem;
use crate::words::Words;
use crate::work::{self, pause};

mod shops;

pub use shops::{ShopRow, shops};

/// How many runs are shown as bars.
const BARS: i64 = 12;

/// A system.
struct SystemView {
    name: String,
    owner: Option<String>,
    state: Look,
    note: Option<String>,
    last: Option<Time>,
    last_run: Option<i64>,
    next: Option<Time>,
    schedule: Option<String>,
    bars: Vec<Bar>,
    streams: Vec<StreamView>,
    paused: bool,
    /// That the last run read only some clients, and what the figures are then.
    limited: Option<String>,
    active: Option<i64>,
    progress: i64,
    cases: i64,
}

/// A run as a bar: its height is how long it took beside the others.
struct Bar {
    href: String,
    tone: &'static str,
    height: i64,
    title: String,
}

struct StreamView {
    name: String,
    href: String,
    figures: Vec<Figure>,
    source_sum: String,
    stored_sum: String,
    difference: Figure,
}

/// An owner with what is stored for them and what the sources have.
pub struct OwnerView {
    /// As shown.
    pub label: String,
    /// The way to their customers.
    pub href: String,
    /// Clients.
    pub clients: String,
    /// Accounts stored.
    pub accounts: String,
    /// Accounts at the sources.
    pub source: String,
    /// Of those stored, missing from the last answers and kept.
    pub absent: String,
    /// Stored − absent − source.
    pub difference: Figure,
    /// Reward.
    pub reward: String,
    /// Rebate.
    pub rebate: String,
    /// Whether that is nothing.
    pub state: Look,
}

/// Owners and their sum.
pub struct Owners {
    /// One row each.
    pub rows: Vec<OwnerView>,
    /// All of them.
    pub all: OwnerView,
    /// Whether anything is missing from an answer.
    pub some_absent: bool,
}

struct UnmappedView {
    system: String,
    name: String,
    /// Whose these clients are as long as there is no rule.
    owner: String,
    clients: String,
    accounts: String,
    reward: String,
    href: String,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    f: Frame,
    systems: Vec<SystemView>,
    owners: Option<Owners>,
    shops: Vec<ShopRow>,
    unmapped: Vec<UnmappedView>,
    healthy: bool,
    all_paused: bool,
    headline: String,
}

/// `GET /`
pub async fn page(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let mut f = Frame::new(app, who, "/", "web-overview").await?.saying(done.done.as_deref());
    let now = now();
    let mut systems = Vec::new();
    let mut worst = Vec::new();
    let mut unmapped = Vec::new();
    for system in app.config.systems.iter().filter(|system| system.enabled) {
        let (view, health) = system_view(app, system, now, f.words).await?;
        f.refresh |= view.active.is_some();
        worst.push(health);
        systems.push(view);
        if system.connector.contacts().is_some() {
            continue;
        }
        for one in app.store.unmapped(&system.name, &app.rules(&system.name).await?.owners).await? {
            unmapped.push(UnmappedView {
                href: link::to("/settings", &[("name", one.partner_account.as_deref())]),
                name: one.partner_account.unwrap_or_default(),
                owner: system.owner.as_deref().map_or_else(
                    || f.t("owner-unknown"),
                    |owner| f.t1("web-owned-by-system", "owner", owner),
                ),
                system: one.system,
                clients: number(one.clients),
                accounts: number(one.accounts),
                reward: show::maybe_amount(one.sums.get(REWARD_USD), REWARD_USD),
            });
        }
    }
    let healthy = worst.iter().all(|health| *health == Health::Healthy);
    let need = worst.iter().filter(|h| !matches!(h, Health::Healthy | Health::Running)).count();
    let headline = match need {
        0 if healthy => f.t("web-all-agree"),
        0 => f.t("web-under-way"),
        need => f.t1("web-systems-need", "n", need),
    };
    let all_paused = !systems.is_empty() && systems.iter().all(|system| system.paused);
    let owners = owners(app, f.words).await?;
    let shops = shops(app, f.words).await?;
    render(&Overview { f, systems, owners, shops, unmapped, healthy, all_paused, headline })
}

async fn system_view(
    app: &App,
    system: &SystemConfig,
    now: i64,
    words: &Words,
) -> anyhow::Result<(SystemView, Health)> {
    let runs = app.store.runs(Some(&system.name), None, BARS).await?;
    let state = app.store.system_state(&system.name).await?;
    let cases = app.store.count_cases(Some("open"), Some(&system.name)).await?;
    let active = runs.iter().find(|run| !run.status.is_over());
    let last = runs.iter().find(|run| run.status.is_over());
    // That a few clients could be read says nothing about the rest.
    let telling = runs.iter().find(|run| run.status.is_over() && !is_partial(run));
    let read = app.store.last_whole_read(&system.name).await?;
    let read = read.as_ref();
    let health = health::judge(
        &Facts {
            paused: state.paused_at.is_some(),
            active: active.is_some(),
            last: telling.map(|run| run.status),
            last_read: read.and_then(|run| run.finished_at),
            schedule: system.schedule.as_ref(),
            open_cases: cases,
        },
        now,
    );
    let error = telling.filter(|run| run.status != RunStatus::Succeeded).and_then(|run| run.error.as_ref());
    let note = state.paused_reason.as_deref().map(|reason| stored_message(reason, words));
    let note = note.or_else(|| error.map(|error| words.message(error)));
    let shown = read.or(active).or(last);
    let limit = last.filter(|run| is_partial(run)).and_then(|run| run.limit);
    let view = SystemView {
        name: system.name.clone(),
        owner: system.owner.clone(),
        state: Look::health(health, words),
        note,
        last: last.and_then(|run| run.finished_at).map(|at| show::ago(at, now, words)),
        last_run: last.map(|run| run.id),
        next: state.next_run_at.filter(|_| state.paused_at.is_none()).map(|at| show::ago(at, now, words)),
        schedule: system.schedule.as_ref().map(ToString::to_string),
        bars: bars(&runs, now, words),
        streams: shown.map(|run| streams(run, system.connector.currency(), words)).unwrap_or_default(),
        paused: state.paused_at.is_some(),
        limited: limit.map(|limit| words.with("web-last-limited", &[("n", &number(limit))])),
        active: active.map(|run| run.id),
        progress: active.map_or(0, |run| run.progress),
        cases,
    };
    Ok((view, health))
}

/// Whether it came to its end with some clients only.
fn is_partial(run: &Run) -> bool {
    run.limit.is_some() && run.status == RunStatus::Succeeded
}

fn bars(runs: &[Run], now: i64, words: &Words) -> Vec<Bar> {
    let took = |run: &Run| run.started_at.map_or(0, |from| run.finished_at.unwrap_or(now) - from);
    let longest = runs.iter().map(took).max().unwrap_or(0).max(1);
    let bar = |run: &Run| Bar {
        href: format!("/runs/{}", run.id),
        tone: run_look(run.status).0,
        height: (took(run) * 7 / longest).clamp(0, 7) + 1,
        title: words.with(
            "web-run-bar",
            &[
                ("id", &run.id.to_string()),
                ("status", &words.text(&format!("run-status-{}", run.status.word()))),
                ("took", &show::duration(0, took(run), words)),
            ],
        ),
    };
    runs.iter().rev().map(bar).collect()
}

fn streams(run: &Run, currency: Option<&str>, words: &Words) -> Vec<StreamView> {
    run.stages
        .iter()
        .map(|stage| {
            let mut all = stages::figures(run, stage);
            // Source, stored, absent, duplicate, excluded, rejected, unexplained.
            let figures = [0, 1, 10, 5, 6, 7, 11].map(|at| std::mem::take(&mut all[at])).to_vec();
            // What it is known by: a broker's reward, a shop's sales.
            let sum = [REWARD_USD, AMOUNT].into_iter().find(|sum| stage.stored_sums.get(*sum).is_some());
            let sum = sum.unwrap_or(REWARD_USD);
            let currency = if sum == AMOUNT { currency } else { Some("USD") };
            let difference = verdict::difference(stage).get(sum);
            StreamView {
                name: super::state::stream(&stage.name, words),
                href: format!("/runs/{}", run.id),
                figures,
                source_sum: show::money(stage.source_sums.get(sum), currency),
                stored_sum: show::money(stage.stored_sums.get(sum), currency),
                difference: Figure::plain(show::money(difference, currency))
                    .loud(difference.is_some_and(|difference| difference != 0)),
            }
        })
        .collect()
}

/// What is stored for each owner beside what the sources have, in accounts. `None` where there are only shops,
/// which have customers with cards, and systems whose customers are contacts: these have no owner.
pub async fn owners(app: &App, words: &Words) -> anyhow::Result<Option<Owners>> {
    let mut parts = Vec::new();
    let is_owned =
        |source: &&Source| source.connector.shop().is_none() && source.connector.contacts().is_none();
    for source in app.sources.iter().filter(is_owned) {
        let (mut stated, mut absent) = (Some(0), 0);
        let counted = |stream: &&Stream| stream.table == Table::Account;
        for stream in source.connector.streams().iter().filter(counted) {
            let count = app.store.source_count(&source.name, stream.name).await?;
            stated = stated.zip(count).map(|(sum, (more, _))| sum + more);
            if stream.absence == Absence::Counted {
                absent += count.map_or(0, |(_, absent)| absent);
            }
        }
        let stored = app.store.owners_of(&source.name).await?;
        parts.push(Part {
            owner: source.owner.clone(),
            source: stated,
            absent,
            stored: stored.into_iter().map(|owned| (owned.owner, owned.accounts)).collect(),
        });
    }
    if parts.is_empty() {
        return Ok(None);
    }
    let (by_owner, share_of_all) = shares(&parts);
    let docs = report::owners(app, words).await?;
    let view = |label: String, owner: Option<&str>, clients: i64, share: &Share, sums: &Sums| {
        let difference = share.difference();
        OwnerView {
            label,
            href: link::to("/customers", &[("owner", owner)]),
            clients: number(clients),
            accounts: number(share.stored),
            absent: number(share.absent),
            source: show::maybe(share.source),
            difference: Figure::plain(show::maybe(difference)).loud(difference.is_some_and(|d| d != 0)),
            reward: show::maybe_amount(sums.get(REWARD_USD), REWARD_USD),
            rebate: show::maybe_amount(sums.get(REBATE_USD), REBATE_USD),
            state: Look::agrees(difference.map(|difference| difference == 0), words),
        }
    };
    let mut rows = Vec::new();
    let (mut clients, mut sums) = (0, Sums::default());
    for (owner, share) in &by_owner {
        let doc = docs.iter().find(|doc| doc.owner == *owner);
        let own = doc.map(|doc| doc.sums.clone()).unwrap_or_default();
        clients += doc.map_or(0, |doc| doc.clients);
        sums.merge(&own);
        let label = doc.map_or_else(|| owner_label(owner, words), |doc| doc.label.clone());
        let of = doc.map_or(0, |doc| doc.clients);
        rows.push(view(label, Some(owner), of, share, &own));
    }
    let all = view(words.text("web-all-owners"), None, clients, &share_of_all, &sums);
    let some_absent = share_of_all.absent != 0;
    Ok(Some(Owners { rows, all, some_absent }))
}

/// An owner as shown.
pub fn owner_label(owner: &str, words: &Words) -> String {
    if owner == crate::model::owner::UNKNOWN { words.text("owner-unknown") } else { owner.to_owned() }
}

/// What the buttons of a system send.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    mode: Option<String>,
    back: Option<String>,
}

/// `POST /systems/{name}/{sync|pause|unpause}`; `all` is every system.
pub async fn act(
    State(web): State<Web>,
    Operator(who): Operator,
    Path((name, action)): Path<(String, String)>,
    Form(asked): Form<Asked>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let names: Vec<&str> = app.sources.iter().map(|source| source.name.as_str()).collect();
    let chosen: Vec<&str> = names.into_iter().filter(|known| name == "all" || *known == name).collect();
    if chosen.is_empty() {
        return Err(Problem::not_found());
    }
    let mut last = None;
    for system in &chosen {
        match action.as_str() {
            "sync" => {
                let full = asked.mode.as_deref() == Some("full");
                let wanted = RunRequest { system: (*system).to_owned(), full, ..RunRequest::default() };
                match work::request(app, web.engine.as_deref(), &wanted, &who.name).await? {
                    Requested::Begun(id) | Requested::Joined(id) | Requested::TakenUp(id) => {
                        last = Some(id);
                    }
                    // "All" means those that may be read.
                    Requested::Paused if chosen.len() > 1 => {}
                    Requested::Paused => {
                        let message = Message::new("system-is-paused").with("system", system);
                        return Err(Problem::conflict(&message));
                    }
                }
            }
            "pause" => pause::pause(&app.store, system, &who.name, pause::BY_HAND).await?,
            "unpause" => pause::unpause(&app.store, system, &who.name).await?,
            _ => return Err(Problem::bad(&Message::new("web-bad-request"))),
        }
    }
    // All is everything that reads or writes.
    for flow in app.config.flows.iter().filter(|_| name == "all") {
        match action.as_str() {
            "pause" => pause::pause(&app.store, &flow.name, &who.name, pause::BY_HAND).await?,
            "unpause" => pause::unpause(&app.store, &flow.name, &who.name).await?,
            _ => {}
        }
    }
    let to = match (last, chosen.len(), asked.back.as_deref()) {
        (Some(run), 1, None) => format!("/runs/{run}"),
        (.., back) => {
            let back = link::local(back).split('?').next().unwrap_or("/");
            link::to(back, &[("done", Some(action.as_str()))])
        }
    };
    Ok(Redirect::to(&to).into_response())
}
