//! What happened to something, in order, out of the audit and the cases.

use super::audit::{action, reason};
use super::diff::{Change, changes};
use super::show::{Time, moment};
use crate::app::App;
use crate::report;
use crate::store::audit::Entry;
use crate::store::case::Case;
use crate::store::delivery::Delivery;
use crate::store::listing::VersionRow;
use crate::words::Words;

/// Entries told of one thing.
const MOST: i64 = 200;

/// Something that happened.
pub struct Event {
    /// When, in microseconds since 1970 UTC.
    pub when: i64,
    /// When, as shown.
    pub at: Time,
    /// By whom.
    pub by: String,
    /// What.
    pub what: String,
    /// Why, or what of it.
    pub why: Option<String>,
    /// Where there is more about it.
    pub href: Option<String>,
    /// What it changed.
    pub changes: Vec<Change>,
}

/// What the audit calls a delivery: `(from, to)` are the systems it goes between.
pub fn subjects(delivery: &Delivery, (from, to): (&str, &str)) -> Vec<String> {
    let Delivery { id, flow, record, target, .. } = delivery;
    let mut subjects = vec![format!("{flow} {record} delivery {id}")];
    let targets = std::iter::once("new").chain(target.as_deref());
    subjects.extend(targets.map(|target| format!("{flow} {from}/{record} → {to}/{target}")));
    subjects
}

/// What the audit calls the decision of a case.
pub fn decision(case: &Case) -> String {
    format!("case {} {} {}/{}", case.id, case.kind, case.system, case.subject)
}

/// The story of a delivery: its own entries and the cases about its record, up to `until`.
pub async fn of_delivery(
    app: &App,
    delivery: &Delivery,
    sides: (&str, &str),
    cases: &[Case],
    until: Option<i64>,
    words: &Words,
) -> anyhow::Result<Vec<Event>> {
    let within = |at: i64| at >= delivery.queued_at && until.is_none_or(|until| at < until);
    let mut named = subjects(delivery, sides);
    named.extend(cases.iter().map(decision));
    let entries = app.store.audit_about(&named, MOST).await?;
    let mut events = vec![asked(delivery, words)];
    events.extend(entries.iter().filter(|entry| within(entry.at)).map(|entry| event(entry, words)));
    events.extend(cases.iter().filter(|case| within(case.opened_at)).map(|case| opened(case, words)));
    events.sort_by_key(|event| event.when);
    Ok(events)
}

/// That a delivery was asked for.
pub fn asked(delivery: &Delivery, words: &Words) -> Event {
    let reason = format!("delivery-reason-{}", delivery.reason);
    Event {
        when: delivery.queued_at,
        at: moment(delivery.queued_at),
        by: super::runs::actor(&delivery.asked_by, words),
        what: words.with("story-asked", &[("id", &delivery.id.to_string())]),
        why: Some(if words.knows(&reason) { words.text(&reason) } else { delivery.reason.clone() }),
        href: Some(format!("/deliveries/{}", delivery.id)),
        changes: Vec::new(),
    }
}

/// That a case was raised.
pub fn opened(case: &Case, words: &Words) -> Event {
    Event {
        when: case.opened_at,
        at: moment(case.opened_at),
        by: words.text("web-actor-sync"),
        what: words.with("story-case", &[("id", &case.id.to_string())]),
        why: Some(words.message(&case.message)),
        href: Some(format!("/cases/{}", case.id)),
        changes: Vec::new(),
    }
}

/// That a record was read again and said something else.
pub fn changed(version: &VersionRow, words: &Words) -> Event {
    let run = version.run.to_string();
    Event {
        when: version.valid_to,
        at: moment(version.valid_to),
        by: version.system.clone(),
        what: words.with("story-changed", &[("key", &version.key), ("run", &run)]),
        why: None,
        href: Some(format!("/runs/{run}")),
        changes: Vec::new(),
    }
}

/// An entry of the audit.
pub fn event(entry: &Entry, words: &Words) -> Event {
    let is_choice = entry.action == "case.decided";
    let choice = entry.after.as_deref().filter(|_| is_choice).map(|choice| report::choice(choice, words));
    let all = if is_choice { Vec::new() } else { changes(entry.before.as_deref(), entry.after.as_deref()) };
    let named = |mut change: Change| {
        let id = format!("field-{}", change.name);
        if words.knows(&id) {
            change.name = words.text(&id);
        }
        change
    };
    Event {
        when: entry.at,
        at: moment(entry.at),
        by: super::runs::actor(&entry.actor, words),
        what: action(&entry.action, words),
        why: choice.or_else(|| entry.reason.as_deref().map(|why| told(entry, why, words))),
        href: None,
        changes: all.into_iter().map(named).collect(),
    }
}

/// Why something happened: of a write, what the other system answered, not that it could not be read.
fn told(entry: &Entry, why: &str, words: &Words) -> String {
    let of_write = entry.action.starts_with("delivery.") && why.starts_with("connect-");
    if of_write { words.text("audit-reason-connect-write") } else { reason(why, words) }
}
