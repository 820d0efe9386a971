//! Quotes and invoices from the master on: which are to be sent, and what hinders the others.
//!
//! A document is sent once, ever. What it was made of stays on record with its link; whoever changes its
//! money or lines afterwards is asked about, and nothing is sent again.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result};
use jiff::tz::TimeZone;

use super::super::now;
use super::Road;
use super::forward::{Action, Change};
use crate::connect::Connector as _;
use crate::model::flow::{Bills, Entity, State, Way};
use crate::model::{Document, Fingerprint, Flow, Message, Record};
use crate::store::case::{self, NewCase};
use crate::store::delivery::{self, Delivery, NewDelivery};
use crate::store::link::{self, Link, Side};
use crate::store::{Store, Tx};

pub mod verdict;

use verdict::{Facts, Verdict, question, verdict};

/// Documents looked at in one go.
const PAGE: i64 = 500;
/// The zone of a CRM whose configuration names none: documents come without offset.
const ZONE: &str = "Asia/Tehran";

/// The kinds of cases that are raised before anything is sent.
pub const PREFLIGHT: [&str; 3] = ["unknown_state", "not_representable", "no_party"];

/// A document with what is to become of it.
struct Judged {
    document: Document,
    verdict: Verdict,
    latest: Option<Delivery>,
}

impl Road {
    /// Which documents the flow carries, and how.
    pub fn bills(&self) -> Result<&Bills> {
        self.flow.bills.as_ref().context("a flow of documents says which")
    }

    /// What a row of the origin's list of documents says.
    pub fn document(&self, raw: &str) -> Option<Document> {
        match self.origin.connector.read(self.from, raw) {
            Ok(Record::Document(document)) => Some(document),
            _ => None,
        }
    }

    /// Since when documents are sent, on the master's clock; `None` = not yet.
    pub async fn since(&self) -> Result<Option<String>> {
        if let Some(since) = self.bills()?.since {
            return Ok(Some(since.to_string()));
        }
        let Some(live) = self.app.store.flow_state(&self.flow.name).await?.live_since else {
            return Ok(None);
        };
        let zone = self.app.config.system(&self.origin.name).and_then(|system| system.timezone.clone());
        let zone = zone.or_else(|| TimeZone::get(ZONE).ok()).unwrap_or(TimeZone::UTC);
        let live = jiff::Timestamp::from_microsecond(live)?;
        Ok(Some(zone.to_datetime(live).to_string()))
    }
}

/// What is known of these documents beside what they say.
async fn judge(road: &Road, documents: Vec<Document>) -> Result<Vec<Judged>> {
    let store = &road.app.store;
    let (name, bills) = (road.flow.name.as_str(), road.bills()?);
    let keys: Vec<&str> = documents.iter().map(|document| document.key.as_str()).collect();
    let links = store.links_of(name, Side::Source, &keys).await?;
    let links: HashMap<&str, &Link> = links.iter().map(|link| (link.source_key.as_str(), link)).collect();
    let excluded = store.decided_cases(name, &PREFLIGHT).await?;
    let latest = store.latest_deliveries(name, Way::Forward, &keys).await?;
    let mut latest: HashMap<String, Delivery> =
        latest.into_iter().map(|delivery| (delivery.record.clone(), delivery)).collect();
    let since = road.since().await?;
    let quotes: Vec<&str> = documents.iter().filter_map(|document| document.quote.as_deref()).collect();
    let taken = quotes_taken(road, &quotes).await?;
    let mut judged = Vec::with_capacity(documents.len());
    for document in &documents {
        let facts = Facts {
            sent: links.get(document.key.as_str()).map(|link| link.source_said),
            excluded: excluded.get(&document.key).is_some_and(|choice| choice == "exclude"),
            quote_is_sent: document.quote.as_ref().is_some_and(|quote| taken.contains(quote)),
            since: since.clone(),
        };
        judged.push((verdict(document, bills, &facts), latest.remove(&document.key)));
    }
    let judged = documents.into_iter().zip(judged);
    Ok(judged.map(|(document, (verdict, latest))| Judged { document, verdict, latest }).collect())
}

/// Of these quotes those that a flow of quotes to the same system has sent, or is about to.
async fn quotes_taken(road: &Road, quotes: &[&str]) -> Result<HashSet<String>> {
    let store = &road.app.store;
    let mut taken = HashSet::new();
    if quotes.is_empty() || road.flow.entity != Entity::Invoice {
        return Ok(taken);
    }
    let same =
        |flow: &&Flow| flow.entity == Entity::Quote && flow.from == road.flow.from && flow.to == road.flow.to;
    for flow in road.app.config.flows.iter().filter(same) {
        let links = store.links_of(&flow.name, Side::Source, quotes).await?;
        taken.extend(links.into_iter().map(|link| link.source_key));
        let latest = store.latest_deliveries(&flow.name, Way::Forward, quotes).await?;
        let open = latest.into_iter().filter(|one| one.state.is_open() || one.may_have_written());
        taken.extend(open.map(|delivery| delivery.record));
    }
    Ok(taken)
}

/// What is to become of one document, as it is now.
pub async fn judge_one(road: &Road, document: Document) -> Result<(Document, Verdict)> {
    let judged = judge(road, vec![document]).await?.pop().context("one was judged")?;
    Ok((judged.document, judged.verdict))
}

/// The next page of documents above `after`: with `all` also those that were made before any is sent.
async fn page(road: &Road, all: bool, after: &mut i64) -> Result<Option<Vec<Judged>>> {
    let store = &road.app.store;
    let stream = store.stream(&road.origin.name, road.from.name).await?;
    // Later than everything: of what is not sent yet only what was sent before is looked at.
    let since = if all { None } else { Some(road.since().await?.unwrap_or_else(|| "~".to_owned())) };
    let name = &road.flow.name;
    let rows = store.documents_to_look_at(name, stream, since.as_deref(), *after, PAGE).await?;
    let Some(last) = rows.last() else { return Ok(None) };
    *after = last.id;
    let documents = rows.iter().filter_map(|row| road.document(&row.raw)).collect();
    judge(road, documents).await.map(Some)
}

/// Asks for a delivery of every document that is to be sent, and for people where they must look. How many
/// were asked for.
pub async fn notice(road: &Road, run: Option<i64>, reason: &str) -> Result<u64> {
    let store = &road.app.store;
    let (mut asked, mut after) = (0, 0);
    while let Some(page) = page(road, false, &mut after).await? {
        let mut tx = store.begin().await?;
        for one in &page {
            asked += u64::from(note(road, &mut tx, one, run, reason).await?);
        }
        tx.commit().await?;
    }
    wake(road).await?;
    Ok(asked)
}

/// What follows from the verdict about one document; whether a delivery was asked for.
async fn note(road: &Road, tx: &mut Tx, one: &Judged, run: Option<i64>, reason: &str) -> Result<bool> {
    let (name, key) = (road.flow.name.as_str(), one.document.key.as_str());
    let stands = one.document.stands();
    let latest = one.latest.as_ref();
    match &one.verdict {
        Verdict::Sent => Ok(false),
        Verdict::SentUnseen => {
            link::sent(tx, name, key, one.document.said(), now()).await?;
            Ok(false)
        }
        Verdict::Changed => {
            changed_after_send(road, tx, &one.document, run).await?;
            Ok(false)
        }
        Verdict::Excluded | Verdict::BeforeStart | Verdict::OfQuote | Verdict::NotDue => {
            // What a person was asked about is no question any more.
            if latest.is_some_and(|latest| latest.state == State::Held && !latest.may_have_written()) {
                withdraw(tx, name, key, None, None).await?;
            }
            Ok(false)
        }
        Verdict::Ask(..) | Verdict::Due(_) => {
            let stands_still = |latest: &Delivery| {
                let still = matches!(latest.state, State::Held | State::Rejected | State::Dead);
                let open = latest.state.is_open();
                latest.may_have_written() || ((still || open) && latest.said == Some(stands))
            };
            if latest.is_some_and(stands_still) {
                return Ok(false);
            }
            let new = NewDelivery {
                flow: name,
                way: Way::Forward,
                record: key,
                action: "create",
                reason,
                run,
                asked_by: "flow",
                said: Some(stands),
                expects: None,
            };
            delivery::queue(tx, &new, now()).await
        }
    }
}

/// Asks about a document that was changed after it was sent, once for each change.
async fn changed_after_send(road: &Road, tx: &mut Tx, document: &Document, run: Option<i64>) -> Result<()> {
    let message = about(road, question("case-changed-after-send", "", document), &document.key);
    let case = NewCase {
        kind: "changed_after_send",
        system: &road.flow.name,
        subject: &document.key,
        run,
        message,
        detail: serde_json::json!({ "way": Way::Forward }),
        choices: &["seen"],
    };
    case::raise(tx, &case, now()).await?;
    link::sent(tx, &road.flow.name, &document.key, document.said(), now()).await
}

/// Ends deliveries of a document that stand still before anything was sent, but for one, and settles what
/// was asked about it, but for one kind.
pub async fn withdraw(
    tx: &mut Tx,
    flow: &str,
    key: &str,
    but: Option<i64>,
    kind: Option<&str>,
) -> Result<()> {
    delivery::supersede_held(tx, flow, key, but, now()).await?;
    for settled in PREFLIGHT.iter().filter(|known| Some(**known) != kind) {
        case::settle(tx, settled, flow, key, now()).await?;
    }
    Ok(())
}

/// Lets documents go on whose customers are linked by now, or have an accounting party; asks again for
/// customers that are not there yet.
pub async fn wake(road: &Road) -> Result<()> {
    let store = &road.app.store;
    let (name, bills) = (road.flow.name.as_str(), road.bills()?);
    store.wake_deliveries(name, &bills.after).await?;
    for still in store.still_deliveries(name).await? {
        if let Some(customer) = &still.waits_for {
            ask_for_customer(road, customer, still.run).await?;
            continue;
        }
        let no_party = still.message.as_ref().filter(|message| message.id == "case-no-party");
        let Some(contact) = no_party.and_then(|message| message.args.get("key")) else { continue };
        let stream = store.stream(&road.target.name, road.to.name).await?;
        let stored = store.contacts_by_key(stream, &[contact]).await?.pop();
        if stored.is_none_or(|stored| road.target.connector.party(&stored.raw).is_none()) {
            continue;
        }
        let mut tx = store.begin().await?;
        if delivery::resume(&mut tx, &still).await? {
            case::settle(&mut tx, "no_party", name, &still.record, now()).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

/// Asks for a customer to be carried over, with a number or without, unless that was done, or stands still
/// until the customer says something else.
pub async fn ask_for_customer(road: &Road, customer: &str, run: Option<i64>) -> Result<()> {
    let store = &road.app.store;
    let flow = road.bills()?.after.as_str();
    let Some(contacts) = road.origin.connector.contacts() else { return Ok(()) };
    let stream = store.stream(&road.origin.name, contacts.name).await?;
    let stored = store.contacts_by_key(stream, &[customer]).await?.pop();
    let Some(stored) = stored.filter(|stored| !stored.gone) else { return Ok(()) };
    let latest = store.latest_deliveries(flow, Way::Forward, &[customer]).await?.pop();
    let still = |latest: &Delivery| {
        let ended = matches!(latest.state, State::Held | State::Rejected | State::Dead | State::Superseded);
        latest.state.is_open() || (ended && latest.said == Some(stored.said))
    };
    if latest.as_ref().is_some_and(still) {
        return Ok(());
    }
    let new = NewDelivery {
        flow,
        way: Way::Forward,
        record: customer,
        action: "create",
        reason: "document",
        run,
        asked_by: "flow",
        said: Some(stored.said),
        expects: None,
    };
    let mut tx = store.begin().await?;
    delivery::queue(&mut tx, &new, now()).await?;
    tx.commit().await
}

/// Plans what the flow would do now, without asking for anything: what would be sent, and what not and why.
pub async fn plan(road: &Road) -> Result<Vec<Change>> {
    let store = &road.app.store;
    let (mut plan, mut after) = (Vec::new(), 0);
    while let Some(page) = page(road, true, &mut after).await? {
        let customers: Vec<&str> = page.iter().filter_map(|one| one.document.customer.as_deref()).collect();
        let links = store.links_of(&road.bills()?.after, Side::Source, &customers).await?;
        let codes: HashMap<String, String> =
            links.into_iter().map(|link| (link.source_key, link.destination_key)).collect();
        let parties = parties(road, store, codes.values().map(String::as_str)).await?;
        for one in &page {
            let code = one.document.customer.as_ref().and_then(|customer| codes.get(customer));
            let has_party = code.map(|code| parties.contains(code));
            plan.extend(planned(one, has_party));
        }
    }
    Ok(plan)
}

/// Of these contacts those that have an accounting party.
async fn parties<'a>(
    road: &Road,
    store: &Store,
    codes: impl Iterator<Item = &'a str>,
) -> Result<HashSet<String>> {
    let codes: Vec<&str> = codes.collect();
    let stream = store.stream(&road.target.name, road.to.name).await?;
    let there = store.contacts_by_key(stream, &codes).await?;
    let there = there.into_iter().filter(|stored| road.target.connector.party(&stored.raw).is_some());
    Ok(there.map(|stored| stored.known.key).collect())
}

/// What would be done about one document; `has_party` of its customer, if that is there already.
fn planned(one: &Judged, has_party: Option<bool>) -> Option<Change> {
    let latest = one.latest.as_ref();
    let (action, reason, what) = match &one.verdict {
        Verdict::Sent | Verdict::SentUnseen | Verdict::NotDue => return None,
        Verdict::Changed => (Action::Case, "plan-changed-after-send", ""),
        Verdict::Excluded => (Action::Skip, "plan-excluded", ""),
        Verdict::BeforeStart => (Action::Skip, "plan-before-start", ""),
        Verdict::OfQuote => (Action::Skip, "plan-of-quote", ""),
        _ if latest.is_some_and(|latest| latest.state == State::Held && latest.may_have_written()) => {
            (Action::Case, "plan-uncertain", "")
        }
        _ if latest.is_some_and(Delivery::may_have_written) => (Action::Skip, "plan-under-way", ""),
        Verdict::Ask(kind, what) if *kind == "unknown_state" => (Action::Case, "plan-unknown-state", *what),
        Verdict::Ask(_, what) => (Action::Case, "plan-not-representable", *what),
        Verdict::Due(_) => match has_party {
            None => (Action::Create, "plan-customer-first", ""),
            Some(false) => (Action::Case, "plan-no-party", ""),
            Some(true) => (Action::Create, "plan-send", ""),
        },
    };
    Some(Change {
        action,
        source: one.document.key.clone(),
        destination: None,
        fields: Vec::new(),
        reason: reason.to_owned(),
        told: Some(question(reason, what, &one.document)),
        said: one.document.stands().to_string(),
        expects: None,
    })
}

/// Asks for the deliveries of a plan, each only as long as its document says what it said then; what has to
/// be asked about is asked. How many were asked for.
pub async fn apply(road: &Road, plan: &[Change], by: &str) -> Result<u64> {
    let store = &road.app.store;
    let preflight = ["plan-unknown-state", "plan-not-representable", "plan-no-party"];
    let mut asked = 0;
    for page in plan.chunks(usize::try_from(PAGE)?) {
        let wanted = page
            .iter()
            .filter(|change| change.action == Action::Create || preflight.contains(&change.reason.as_str()));
        let wanted: Vec<&Change> = wanted.collect();
        let keys: Vec<&str> = wanted.iter().map(|change| change.source.as_str()).collect();
        let latest = store.latest_deliveries(&road.flow.name, Way::Forward, &keys).await?;
        let blocked: HashSet<&str> = latest
            .iter()
            .filter(|latest| latest.may_have_written() || latest.state.is_open())
            .map(|latest| latest.record.as_str())
            .collect();
        let mut tx = store.begin().await?;
        for change in wanted.into_iter().filter(|change| !blocked.contains(change.source.as_str())) {
            let new = NewDelivery {
                flow: &road.flow.name,
                way: Way::Forward,
                record: &change.source,
                action: "create",
                reason: "apply",
                run: None,
                asked_by: by,
                said: Fingerprint::of_digits(&change.said),
                expects: None,
            };
            asked += u64::from(delivery::queue(&mut tx, &new, now()).await?);
        }
        tx.commit().await?;
    }
    // What was changed after it was sent is asked about in any case.
    notice_changes(road).await?;
    Ok(asked)
}

/// Asks about documents that were changed after they were sent, and nothing else.
async fn notice_changes(road: &Road) -> Result<()> {
    let mut after = 0;
    while let Some(page) = page(road, false, &mut after).await? {
        let mut tx = road.app.store.begin().await?;
        for one in page.iter().filter(|one| matches!(one.verdict, Verdict::Changed | Verdict::SentUnseen)) {
            note(road, &mut tx, one, None, "apply").await?;
        }
        tx.commit().await?;
    }
    Ok(())
}

/// A message about a document of a road.
pub fn about(road: &Road, message: Message, key: &str) -> Message {
    message
        .with("flow", &road.flow.name)
        .with("record", key)
        .with("from", &road.origin.name)
        .with("to", &road.target.name)
}
