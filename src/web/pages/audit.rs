//! The audit: every change with who, when, why, before and after.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::diff::{Change, changes};
use super::runs::actor;
use super::show::{Time, moment, number};
use super::{Frame, link, render};
use crate::web::Web;
use crate::web::access::Viewer;
use crate::web::problem::Problem;
use crate::words::Words;

/// Entries on a page.
const PAGE: i64 = 100;
/// What can be filtered by: the beginning of the action's word.
const KINDS: [&str; 12] = [
    "login",
    "run",
    "page",
    "records",
    "case",
    "owner_rule",
    "system",
    "flow",
    "plan",
    "import",
    "link",
    "delivery",
];

/// What the list is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    action: Option<String>,
    before: Option<i64>,
}

struct EntryView {
    id: i64,
    at: Time,
    actor: String,
    action: String,
    subject: String,
    run: Option<i64>,
    reason: Option<String>,
    changes: Vec<Change>,
    sealed: bool,
}

struct Choice {
    value: &'static str,
    label: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Audit {
    f: Frame,
    kinds: Vec<Choice>,
    filtered: bool,
    rows: Vec<EntryView>,
    total: String,
    first: Option<String>,
    next: Option<String>,
}

/// `GET /audit`
pub async fn page(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let f = Frame::new(app, who, "/audit", "web-audit").await?;
    let action = asked.action.as_deref().filter(|action| KINDS.contains(action));
    let mut entries = app.store.audit(action, asked.before, PAGE + 1).await?;
    let more = entries.len() as i64 > PAGE;
    entries.truncate(PAGE as usize);
    let next = entries.last().filter(|_| more).map(|entry| entry.id.to_string());
    let words = f.words;
    render(&Audit {
        kinds: KINDS
            .iter()
            .map(|kind| Choice {
                value: kind,
                label: words.text(&format!("web-audit-{kind}")),
                chosen: action == Some(kind),
            })
            .collect(),
        filtered: action.is_some(),
        total: number(app.store.count_audit(action).await?),
        rows: entries
            .into_iter()
            .map(|entry| EntryView {
                id: entry.id,
                at: moment(entry.at),
                actor: actor(&entry.actor, words),
                action: self::action(&entry.action, words),
                subject: entry.subject,
                run: entry.run,
                reason: entry.reason.map(|reason| self::reason(&reason, words)),
                changes: short(changes(entry.before.as_deref(), entry.after.as_deref())),
                sealed: entry.seal.is_some(),
            })
            .collect(),
        first: asked.before.map(|_| link::to("/audit", &[("action", action)])),
        next: next.map(|next| link::to("/audit", &[("action", action), ("before", Some(next.as_str()))])),
        f,
    })
}

/// What was done, in words.
pub fn action(action: &str, words: &Words) -> String {
    let id = format!("audit-{}", action.replace('.', "-"));
    if words.knows(&id) { words.text(&id) } else { action.to_owned() }
}

/// Why, in words.
pub fn reason(reason: &str, words: &Words) -> String {
    let id = reason_key(reason, words);
    if words.knows(&id) { words.text(&id) } else { reason.to_owned() }
}

/// A reason is a key of the catalogue whose arguments are not kept here: it is told in general.
fn reason_key(reason: &str, words: &Words) -> String {
    let own = format!("audit-reason-{reason}");
    match reason {
        _ if words.knows(&own) => own,
        _ if reason.starts_with("connect-") => "audit-reason-connect".to_owned(),
        _ if words.knows(reason) => "audit-reason-run".to_owned(),
        _ => own,
    }
}

/// Digests take much room and are read by machines: their beginning is enough here.
fn short(mut changes: Vec<Change>) -> Vec<Change> {
    let is_digest = |value: &str| value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit());
    for value in changes.iter_mut().flat_map(|change| [&mut change.before, &mut change.after]).flatten() {
        if is_digest(value) {
            value.truncate(12);
            value.push('…');
        }
    }
    changes
}
