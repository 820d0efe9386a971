//! The documents that commands print and the API answers: runs, stages, owners.
//!
//! Shapes and names are what scripts hold on to; amounts are decimal strings, unknown is null.

use anyhow::Result;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::model::amount::{self, MONEY};
use crate::model::{Counts, Message, Reason, Run, Stage, Sums};
use crate::store::audit::{Checked, Entry};
use crate::store::case::Case;
use crate::store::customer::shop::ShopTotals;
use crate::store::status::Owned;
use crate::words::Words;

mod flow;
mod flows;
mod overridden;
mod plan;

pub use flow::{DeliveryDoc, LinkDoc, delivery, link};
pub use flows::{
    FlowDoc, ImportDoc, Names, PausedDoc, WaitingDoc, deliveries, ends, flow, import, links, names, paused,
};
pub use overridden::{OverriddenDoc, overridden};
pub use plan::{BecameDoc, ChangeDoc, FieldDoc, PlanDoc, kept_plan, plan};

/// A run.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RunDoc {
    /// Its number.
    pub id: i64,
    /// `pull`.
    pub kind: String,
    /// The system it is about.
    pub system: String,
    /// `full` or `changes`.
    pub mode: String,
    /// The currency of its `amount` sums, an ISO code; null where the system has none of these.
    pub currency: Option<String>,
    /// Only so many days of dated streams were asked for.
    pub days: Option<i64>,
    /// Only the first so many clients were asked for.
    pub limit: Option<i64>,
    /// `queued`, `running`, `succeeded`, `incomplete`, `failed` or `cancelled`.
    pub status: String,
    /// 0 – 100, never backwards.
    pub progress: i64,
    /// One per stream, in order.
    pub stages: Vec<StageDoc>,
    /// Why it failed or is incomplete, in words.
    pub error: Option<String>,
    /// Who asked for it.
    pub requested_by: String,
    /// RFC 3339, UTC.
    pub started_at: Option<String>,
    /// RFC 3339, UTC.
    pub finished_at: Option<String>,
}

/// One stream of a run.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StageDoc {
    /// The stream.
    pub name: String,
    /// `waiting`, `running`, `succeeded`, `incomplete` or `failed`.
    pub status: String,
    /// Rows read in the current pass.
    pub done: u64,
    /// Rows expected, when the source says so.
    pub total: Option<u64>,
    /// Passes over the list.
    pub passes: i64,
    /// Rows by disposition; `read` is their sum.
    #[schema(value_type = Object)]
    pub counts: Counts,
    /// Why rows were left out.
    #[schema(value_type = Vec<Object>)]
    pub reasons: Vec<Reason>,
    /// Records marked gone.
    pub gone: u64,
    /// Records missing from an answer that does not mean they are gone.
    pub absent: u64,
    /// Rows left unread on request.
    pub not_read: u64,
    /// What the source says.
    pub source: SourceDoc,
    /// What the mirror holds.
    pub stored: StoredDoc,
    /// source count − (read − duplicate) − not read; null until the source has said its count.
    pub unexplained: Option<i64>,
    /// Why it failed or is incomplete, in words.
    pub error: Option<String>,
}

/// What the source says of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SourceDoc {
    /// Rows.
    pub count: Option<u64>,
    /// Its control sums.
    #[schema(value_type = Object)]
    pub sums: Sums,
    /// `total`: it states how many there are; `end_of_list`: the list came to its end.
    pub proof: Option<String>,
    /// The way the source let itself be read, where it was not the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<String>,
}

/// What the mirror holds of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StoredDoc {
    /// Records that are not gone.
    pub count: Option<u64>,
    /// Their sums.
    #[schema(value_type = Object)]
    pub sums: Sums,
}

/// What belongs to an owner.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OwnerDoc {
    /// The owner as stored and filtered by.
    pub owner: String,
    /// The owner as shown.
    pub label: String,
    /// Clients.
    pub clients: i64,
    /// Their accounts.
    pub accounts: i64,
    /// Their sums; a sum that no client knows is left out.
    #[schema(value_type = Object)]
    pub sums: Sums,
}

/// What a shop's customers have together. What nothing is known of is null.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ShopDoc {
    /// The system.
    pub system: String,
    /// The owner set on it.
    pub owner: Option<String>,
    /// Customers.
    pub customers: i64,
    /// Their cards.
    pub cards: i64,
    /// ISO code of its money.
    pub currency: Option<String>,
    /// Decimal: what was bought in the old system.
    pub opening_balance: Option<String>,
    /// Decimal: what was bought since, less what was brought back.
    pub purchases: Option<String>,
    /// Decimal: both together.
    pub total: Option<String>,
    /// Decimal: points that may be spent.
    pub points: Option<String>,
}

/// What `concord sync` prints.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SyncDoc {
    /// One per system.
    pub runs: Vec<RunDoc>,
    /// What each owner has afterwards, of clients and accounts.
    pub owners: Vec<OwnerDoc>,
    /// What each shop has afterwards.
    pub shops: Vec<ShopDoc>,
}

/// A run as a document, its messages in the language of `words`.
pub fn run(app: &App, run: &Run, words: &Words) -> RunDoc {
    run_in(app.currency(&run.system), run, words)
}

/// A run as a document, where the currency of its system is known.
pub fn run_in(currency: Option<&str>, run: &Run, words: &Words) -> RunDoc {
    RunDoc {
        id: run.id,
        kind: run.kind.clone(),
        system: run.system.clone(),
        mode: run.mode.clone(),
        currency: currency.map(str::to_owned),
        days: run.days,
        limit: run.limit,
        status: run.status.word().to_owned(),
        progress: run.progress,
        stages: run.stages.iter().map(|s| stage(s, words)).collect(),
        error: text(run.error.as_ref(), words),
        requested_by: run.requested_by.clone(),
        started_at: run.started_at.map(time),
        finished_at: run.finished_at.map(time),
    }
}

fn stage(stage: &Stage, words: &Words) -> StageDoc {
    StageDoc {
        name: stage.name.clone(),
        status: stage.status.word().to_owned(),
        done: stage.done,
        total: stage.total,
        passes: stage.passes,
        counts: stage.counts,
        reasons: stage.reasons.clone(),
        gone: stage.gone,
        absent: stage.absent,
        not_read: stage.not_read,
        source: SourceDoc {
            count: stage.source_count,
            sums: stage.source_sums.clone(),
            proof: stage.proof.clone(),
            way: stage.way.clone(),
        },
        stored: StoredDoc { count: stage.stored_count, sums: stage.stored_sums.clone() },
        unexplained: stage.unexplained(),
        error: text(stage.error.as_ref(), words),
    }
}

fn text(message: Option<&Message>, words: &Words) -> Option<String> {
    message.map(|message| words.message(message))
}

/// Microseconds since 1970 UTC as RFC 3339 with seconds.
pub fn time(at: i64) -> String {
    jiff::Timestamp::from_microsecond(at)
        .map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}

/// What each owner has, by name; "Ham (incl. XM)" where clients of a wholly owned system are among
/// them.
pub async fn owners(app: &App, words: &Words) -> Result<Vec<OwnerDoc>> {
    let label = |owned: &Owned| {
        let whole = |system: &String| app.owners.systems.get(system).is_some_and(|rules| rules.whole);
        if owned.systems.iter().any(whole) {
            words.with("owner-ham-xm", &[("owner", owned.owner.as_str())])
        } else {
            owned.owner.clone()
        }
    };
    // Customers of CRM and finance systems have no owner.
    let contacts = |system: &&crate::config::SystemConfig| system.connector.contacts().is_some();
    let except: Vec<&str> =
        app.config.systems.iter().filter(contacts).map(|system| system.name.as_str()).collect();
    let owners = app.store.owners(&except).await?.into_iter();
    Ok(owners
        .map(|owned| OwnerDoc {
            label: label(&owned),
            owner: owned.owner,
            clients: owned.clients,
            accounts: owned.accounts,
            sums: owned.sums,
        })
        .collect())
}

/// What each shop has.
pub async fn shops(app: &App) -> Result<Vec<ShopDoc>> {
    let shops = app.store.shops().await?.into_iter();
    Ok(shops.map(|totals| shop(app, totals)).collect())
}

fn shop(app: &App, totals: ShopTotals) -> ShopDoc {
    let decimal = |value: Option<i64>| value.map(|value| amount::show(i128::from(value), MONEY));
    ShopDoc {
        owner: app.config.system(&totals.system).and_then(|system| system.owner.clone()),
        currency: app.currency(&totals.system).map(str::to_owned),
        system: totals.system,
        customers: totals.customers,
        cards: totals.cards,
        opening_balance: decimal(totals.opening),
        purchases: decimal(totals.purchased),
        total: decimal(totals.spent),
        points: decimal(totals.points),
    }
}

/// A case: what a person must decide, or has decided.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CaseDoc {
    /// Its number.
    pub id: i64,
    /// `held_deletion`, `empty_answer`, `uid_collision` …
    pub kind: String,
    /// The system.
    pub system: String,
    /// What it is about within the system: a stream or a key.
    pub subject: String,
    /// The run that raised it.
    pub run: Option<i64>,
    /// `open`, `decided` or `settled` (what it was about has gone away by itself).
    pub state: String,
    /// What happened and what to do, in words.
    pub message: String,
    /// What is known beside that.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
    /// What may be chosen.
    pub choices: Vec<String>,
    /// What was chosen.
    pub choice: Option<String>,
    /// RFC 3339, UTC.
    pub opened_at: String,
    /// When it was decided or settled; RFC 3339, UTC.
    pub decided_at: Option<String>,
    /// By whom.
    pub decided_by: Option<String>,
}

/// A case as a document.
pub fn case(case: &Case, words: &Words) -> CaseDoc {
    CaseDoc {
        id: case.id,
        kind: case.kind.clone(),
        system: case.system.clone(),
        subject: case.subject.clone(),
        run: case.run,
        state: case.state.clone(),
        message: words.message(&case.message),
        detail: case.detail.clone(),
        choices: case.choices.clone(),
        choice: case.choice.clone(),
        opened_at: time(case.opened_at),
        decided_at: case.decided_at.map(time),
        decided_by: case.decided_by.clone(),
    }
}

/// A choice of a case in words; a client or the like is its own name.
pub fn choice(choice: &str, words: &Words) -> String {
    let id = format!("case-choice-{choice}");
    if words.knows(&id) { words.text(&id) } else { choice.to_owned() }
}

/// Why a row was left out, or what makes a difference, in words; its own name when the catalogue has none,
/// as for a type of document.
pub fn rule(rule: &str, words: &Words) -> String {
    let ids = ["reject", "exclude", "duplicate", "cause"].map(|family| format!("{family}-{rule}"));
    let known = ids.iter().find(|id| words.knows(id));
    known.map_or_else(|| rule.to_owned(), |id| words.text(id))
}

/// What is known about a case beside its message: names and values.
pub fn case_detail(case: &Case) -> Vec<(String, String)> {
    let plain = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(values) => values
            .iter()
            .map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    };
    let fields = case.detail.as_object().into_iter().flatten();
    fields.map(|(name, value)| (name.clone(), plain(value))).collect()
}

/// An entry of the audit.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EntryDoc {
    /// Its number.
    pub id: i64,
    /// RFC 3339, UTC.
    pub at: String,
    /// Who or what did it.
    pub actor: String,
    /// What was done, as a word (`case.decided`, `login`).
    pub action: String,
    /// To what.
    pub subject: String,
    /// In which run.
    pub run: Option<i64>,
    /// Why.
    pub reason: Option<String>,
    /// The value before, if it is kept.
    pub before: Option<String>,
    /// The value after, if it is kept.
    pub after: Option<String>,
    /// Whether it is a link of the chain already.
    pub sealed: bool,
}

/// An audit entry as a document.
pub fn audit_entry(entry: &Entry) -> EntryDoc {
    EntryDoc {
        id: entry.id,
        at: time(entry.at),
        actor: entry.actor.clone(),
        action: entry.action.clone(),
        subject: entry.subject.clone(),
        run: entry.run,
        reason: entry.reason.clone(),
        before: entry.before.clone(),
        after: entry.after.clone(),
        sealed: entry.seal.is_some(),
    }
}

/// Whether the audit is as it was written.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuditCheckDoc {
    /// Whether nothing is broken.
    pub ok: bool,
    /// Entries whose seal fits.
    pub sealed: u64,
    /// Entries not sealed yet, the newest.
    pub unsealed: u64,
    /// Entries whose values were erased; their digests stay.
    pub erased: u64,
    /// Entries that do not fit.
    pub broken: Vec<BrokenDoc>,
}

/// An audit entry that does not fit.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BrokenDoc {
    /// Its number.
    pub id: i64,
    /// `changed`, `missing` or `value`.
    pub problem: &'static str,
}

/// The result of an audit check as a document.
pub fn audit_check(checked: &Checked) -> AuditCheckDoc {
    let broken = checked.broken.iter().map(|(id, problem)| BrokenDoc { id: *id, problem });
    AuditCheckDoc {
        ok: checked.broken.is_empty(),
        sealed: checked.sealed,
        unsealed: checked.unsealed,
        erased: checked.erased,
        broken: broken.collect(),
    }
}
