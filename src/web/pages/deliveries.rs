//! Deliveries: the queue, one of them with what it changes and its story, and a person's word about those
//! that wait for one.

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::diff::Change;
use super::links::{Choice, choices};
use super::show::{self, Time, moment, number};
use super::state::State as Look;
use super::story::{self, Event};
use super::{Done, Frame, link, numbered, render};
use crate::model::flow::{State as Stands, Way};
use crate::report::{self, DeliveryDoc};
use crate::store::delivery::{Delivery, Wanted};
use crate::sync::flow::decide;
use crate::sync::now;
use crate::web::Web;
use crate::web::access::{Operator, Viewer};
use crate::web::api::deliveries::{find, settle, states, try_again, undo_one};
use crate::web::problem::Problem;
use crate::words::Words;

/// Deliveries on a page.
const PAGE: i64 = 100;

/// What the list is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    flow: Option<String>,
    state: Option<String>,
    before: Option<i64>,
}

/// A state to choose.
struct StateChoice {
    value: &'static str,
    label: String,
    chosen: bool,
}

/// A delivery of the list.
pub struct DeliveryRow {
    /// Its number.
    pub id: i64,
    /// Where it stands.
    pub state: Look,
    /// The flow.
    pub flow: String,
    /// What it does.
    pub action: String,
    /// The record that is carried.
    pub record: String,
    /// Its name.
    pub name: Option<String>,
    /// The record it is written to.
    pub target: Option<String>,
    /// How often it was sent.
    pub attempt: String,
    /// When it is looked at next.
    pub next: Option<Time>,
    /// Why it is as it is, in words.
    pub message: Option<String>,
    /// When it was asked for.
    pub asked: Time,
}

#[derive(Template)]
#[template(path = "deliveries.html")]
struct Deliveries {
    f: Frame,
    /// Address, name, whether it is shown.
    tabs: Vec<(String, String, bool)>,
    flows: Vec<Choice>,
    states: Vec<StateChoice>,
    filtered: bool,
    stuck: bool,
    total: String,
    rows: Vec<DeliveryRow>,
    first: Option<String>,
    next: Option<String>,
}

/// `GET /deliveries`
pub async fn list(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let f = Frame::new(app, who, "/deliveries", "web-deliveries").await?;
    let words = f.words;
    let flow = asked.flow.as_deref().filter(|name| app.config.flow(name).is_some());
    let word = asked.state.as_deref().filter(|word| states(word).is_some()).unwrap_or_default();
    let wanted = Wanted {
        flow: flow.unwrap_or_default().to_owned(),
        states: states(word).unwrap_or_default(),
        record: String::new(),
    };
    let mut found = app.store.wanted_deliveries(&wanted, asked.before, PAGE + 1).await?;
    let more = found.len() as i64 > PAGE;
    found.truncate(PAGE as usize);
    let next = found.last().filter(|_| more).map(|last| last.id.to_string());
    let rows = rows(&web, &found, words).await?;
    let state = Some(word).filter(|word| !word.is_empty());
    let query = [("flow", flow), ("state", state)];
    let name = flow.unwrap_or_default();
    let waiting: i64 = app.store.stuck_deliveries(name).await?.into_iter().sum();
    let every = Wanted { flow: name.to_owned(), ..Wanted::default() };
    let tab = |value: &str, id: &str, n: i64| {
        let at = link::to("/deliveries", &[("flow", flow), ("state", Some(value))]);
        (at, words.with(id, &[("n", &number(n))]), word == value)
    };
    let tabs = vec![
        tab("stuck", "web-deliveries-stuck", waiting),
        tab("open", "web-deliveries-open", app.store.open_deliveries(name).await?),
        tab("", "web-cases-all", app.store.count_wanted_deliveries(&every).await?),
    ];
    render(&Deliveries {
        tabs,
        flows: choices(app, flow),
        states: Stands::ALL
            .into_iter()
            .map(|state| StateChoice {
                value: state.word(),
                label: words.text(&format!("delivery-state-{}", state.word())),
                chosen: word == state.word(),
            })
            .collect(),
        filtered: flow.is_some() || state.is_some(),
        stuck: word == "stuck",
        total: number(app.store.count_wanted_deliveries(&wanted).await?),
        rows,
        first: asked.before.map(|_| link::to("/deliveries", &query)),
        next: next.map(|next| {
            let mut query = query.to_vec();
            query.push(("before", Some(next.as_str())));
            link::to("/deliveries", &query)
        }),
        f,
    })
}

/// Deliveries as rows of a list.
pub async fn rows(web: &Web, found: &[Delivery], words: &Words) -> anyhow::Result<Vec<DeliveryRow>> {
    let documents = report::deliveries(&web.app, found, words).await?;
    let at = now();
    let row = |(one, doc): (&Delivery, DeliveryDoc)| DeliveryRow {
        id: one.id,
        state: Look::delivery(one.state, words),
        action: action(one, words),
        record: doc.record,
        name: doc.name,
        target: doc.target,
        attempt: number(one.attempt),
        next: next_time(one, at, words),
        message: doc.message,
        asked: show::ago(one.queued_at, at, words),
        flow: doc.flow,
    };
    Ok(found.iter().zip(documents).map(row).collect())
}

fn action(one: &Delivery, words: &Words) -> String {
    let way = one.way.word();
    words.text(&format!("delivery-{way}-{}", if one.action == "create" { "create" } else { "update" }))
}

fn next_time(one: &Delivery, at: i64, words: &Words) -> Option<Time> {
    (one.state.is_open() && one.not_before > at).then(|| show::ago(one.not_before, at, words))
}

#[derive(Template)]
#[template(path = "delivery.html")]
struct DeliveryPage {
    f: Frame,
    id: i64,
    state: Look,
    about: String,
    message: Option<String>,
    help: Option<String>,
    name: Option<String>,
    href: Option<String>,
    facts: Vec<(String, String)>,
    run: Option<i64>,
    asked: Time,
    sent: Option<Time>,
    next: Option<Time>,
    ended: Option<Time>,
    /// What it changes, or would.
    changes: Vec<Change>,
    done: bool,
    cases: Vec<i64>,
    /// Whether a person may speak about it.
    waits: bool,
    /// Whether it may have been done.
    was_sent: bool,
    /// Whether it has to be said what was written.
    needs_ref: bool,
    /// What the button that has it sent again asks for.
    retry: &'static str,
    /// Whether it can be put back.
    undoable: bool,
    by_import: bool,
    newer: Option<i64>,
    story: Vec<Event>,
}

/// `GET /deliveries/{id}`
pub async fn page(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Path(id): Path<String>,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let delivery = find(&web, numbered("web-no-delivery", &id)?).await?;
    let mut documents = report::deliveries(
        app,
        std::slice::from_ref(&delivery),
        crate::words::isolating(crate::words::DEFAULT),
    )
    .await?;
    let id = delivery.id;
    let doc = documents.pop().ok_or_else(|| Problem::missing("web-no-delivery", id))?;
    let mut f = Frame::new(app, who, "/deliveries", "web-delivery").await?.saying(done.done.as_deref());
    f.title = format!("{} {id}", f.title);
    let words = f.words;
    let flow = app.config.flow(&delivery.flow);
    let (from, to) = match (flow, delivery.way) {
        (None, _) => (String::new(), String::new()),
        (Some(flow), Way::Forward) => (flow.from.clone(), flow.to.clone()),
        (Some(flow), Way::Import | Way::Back) => (flow.to.clone(), flow.from.clone()),
    };
    let newer = app.store.delivery_after(&delivery).await?;
    let cases = app.store.cases_about(&delivery.flow, &[delivery.record.as_str()]).await?;
    let open: Vec<i64> = cases.iter().filter(|case| case.state == "open").map(|case| case.id).collect();
    let at = now();
    let due = delivery.state == Stands::Uncertain && delivery.not_before <= at;
    let still = matches!(delivery.state, Stands::Held | Stands::Rejected | Stands::Dead);
    let until = newer.map(|(_, asked)| asked.max(delivery.ended_at.map_or(0, |ended| ended + 1_000_000)));
    f.refresh = delivery.state.is_open() && delivery.not_before <= at;
    render(&DeliveryPage {
        id,
        state: Look::delivery(delivery.state, words),
        about: action(&delivery, words),
        message: delivery.message.as_ref().map(|message| words.message(message)),
        help: delivery.message.as_ref().and_then(|message| words.aside(message, "help")),
        name: doc.name.clone(),
        href: doc.customer.map(|customer| format!("/customers/{customer}")),
        facts: facts(&delivery, (&from, &to), words),
        run: delivery.run,
        asked: moment(delivery.queued_at),
        sent: delivery.sent_at.map(moment),
        next: next_time(&delivery, at, words),
        ended: delivery.ended_at.map(moment),
        changes: changes(&doc, words),
        done: matches!(delivery.state, Stands::Confirmed | Stands::Verified),
        cases: open,
        waits: (still || due) && newer.is_none(),
        was_sent: delivery.sent_at.is_some(),
        needs_ref: delivery.target.is_none(),
        retry: if decide::may_be_retried(&delivery) { "retry" } else { "not_applied" },
        undoable: delivery.action == "update"
            && matches!(delivery.state, Stands::Confirmed | Stands::Verified)
            && !delivery.fields.is_empty(),
        by_import: !delivery.way.is_forward(),
        newer: newer.map(|(id, _)| id),
        story: story::of_delivery(app, &delivery, (&from, &to), &cases, until, words).await?,
        f,
    })
}

fn facts(delivery: &Delivery, (from, to): (&str, &str), words: &Words) -> Vec<(String, String)> {
    let reason = format!("delivery-reason-{}", delivery.reason);
    let mut facts = vec![
        ("web-flow", delivery.flow.clone()),
        ("web-record", format!("{from} {}", delivery.record)),
        (
            "web-written-to",
            delivery.target.as_ref().map_or_else(
                || words.with("web-written-new", &[("system", to)]),
                |key| format!("{to} {key}"),
            ),
        ),
        ("web-sent-times", number(delivery.attempt)),
        ("web-reason", if words.knows(&reason) { words.text(&reason) } else { delivery.reason.clone() }),
    ];
    facts.push(("web-asked-by", super::runs::actor(&delivery.asked_by, words)));
    facts.into_iter().map(|(name, value)| (words.text(name), value)).collect()
}

/// The fields it changes: what was there before, and what is written.
fn changes(doc: &DeliveryDoc, words: &Words) -> Vec<Change> {
    let none = std::collections::BTreeMap::new();
    let before = doc.before.as_ref().unwrap_or(&none);
    let after = doc.after.as_ref().or(doc.payload.as_ref()).unwrap_or(&none);
    let mut names: Vec<&str> = before.keys().chain(after.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    let differing = names.into_iter().filter(|name| before.get(name) != after.get(name));
    differing
        .filter(|_| !after.is_empty())
        .map(|name| Change {
            name: words.text(&format!("field-{name}")),
            before: before.get(name).cloned(),
            after: after.get(name).cloned(),
        })
        .collect()
}

/// What a person says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Said {
    r#ref: String,
}

/// `POST /deliveries/{id}/{retry|applied|not_applied|undo}`
pub async fn act(
    State(web): State<Web>,
    Operator(who): Operator,
    Path((id, action)): Path<(String, String)>,
    Form(said): Form<Said>,
) -> Result<Response, Problem> {
    let id = numbered("web-no-delivery", &id)?;
    let done = match action.as_str() {
        "retry" => {
            try_again(&web, id, &who.name).await?;
            "retry"
        }
        "not_applied" => {
            settle(&web, id, false, None, &who.name).await?;
            "retry"
        }
        "applied" => {
            settle(&web, id, true, Some(said.r#ref.as_str()), &who.name).await?;
            "delivery-applied"
        }
        "undo" => {
            undo_one(&web, id, &who.name).await?;
            "undo"
        }
        _ => return Err(Problem::not_found()),
    };
    Ok(Redirect::to(&link::to(&format!("/deliveries/{id}"), &[("done", Some(done))])).into_response())
}

impl Look {
    /// Where a delivery stands.
    pub fn delivery(state: Stands, words: &Words) -> Look {
        let (tone, icon) = match state {
            Stands::Pending => ("calm", "dots"),
            Stands::Claimed | Stands::Prepared | Stands::Sent => ("busy", "turn"),
            Stands::Uncertain => ("warn", "clock"),
            Stands::Confirmed | Stands::Verified => ("good", "check"),
            Stands::Rejected => ("bad", "cross"),
            Stands::Dead => ("bad", "stop"),
            Stands::Superseded => ("calm", "check"),
            Stands::Held => ("bad", "hand"),
        };
        Look::new(words, &format!("delivery-state-{}", state.word()), tone, icon)
    }

    /// That a planned change was left out.
    pub fn left_out(words: &Words) -> Look {
        Look::new(words, "web-plan-left-out", "warn", "gap")
    }
}
