//! What the page of a customer of a CRM or finance system shows: both sides, the link, what was written, and
//! the story.

use super::super::deliveries::{DeliveryRow, rows};
use super::super::links::rule;
use super::super::show::{self, Time, moment};
use super::super::state::State as Look;
use super::super::story::{self, Event};
use crate::report;
use crate::store::case::Case;
use crate::store::delivery::{Delivery, Wanted};
use crate::store::listing::{Item, RecordRow, VersionRow};
use crate::sync::flow::beside::{self, Beside};
use crate::web::Web;
use crate::words::Words;

/// Deliveries shown.
const DELIVERIES: i64 = 20;

/// A customer of a CRM or finance system.
pub(super) struct ContactPage {
    pub both: Option<BothView>,
    /// What its own system says, where it is not linked.
    pub own: Vec<(String, String)>,
    /// Cases that wait for a decision about it.
    pub cases: Vec<(i64, String)>,
    pub rows: Vec<DeliveryRow>,
    pub story: Vec<Event>,
}

/// Both sides, and what ties them.
pub(super) struct BothView {
    pub from: String,
    pub to: String,
    pub source: SideView,
    pub destination: SideView,
    pub fields: Vec<FieldView>,
    pub differing: usize,
    pub state: Look,
    pub rule: String,
    pub since: Time,
    pub agreed: Option<Time>,
    pub verified: Option<Time>,
}

/// A record of one side.
pub(super) struct SideView {
    pub key: String,
    /// The way to it, unless it is the one that is shown.
    pub href: Option<String>,
}

/// A field on both sides.
pub(super) struct FieldView {
    pub name: String,
    pub source: Option<String>,
    pub destination: Option<String>,
    pub state: Option<Look>,
}

/// Puts it together.
pub(super) async fn page(
    web: &Web,
    item: &Item,
    records: &[RecordRow],
    versions: &[VersionRow],
    words: &Words,
) -> anyhow::Result<ContactPage> {
    let app = &web.app;
    let store = &app.store;
    let both = beside::of(app, &item.system, &item.key).await?;
    let mut deliveries: Vec<Delivery> = Vec::new();
    let mut cases: Vec<Case> = Vec::new();
    let mut subjects: Vec<String> = Vec::new();
    let mut events: Vec<Event> = Vec::new();
    let (here, mut others) = (versions, Vec::new());
    for flow in app.config.flows.iter().filter(|flow| [&flow.from, &flow.to].contains(&&item.system)) {
        let keys: Vec<&str> = match both.as_ref().filter(|both| both.flow == flow.name) {
            Some(both) => vec![both.link.source_key.as_str(), both.link.destination_key.as_str()],
            None => vec![item.key.as_str()],
        };
        for key in &keys {
            let wanted = Wanted { flow: flow.name.clone(), record: (*key).to_owned(), ..Wanted::default() };
            deliveries.extend(store.wanted_deliveries(&wanted, None, DELIVERIES).await?);
        }
        cases.extend(store.cases_about(&flow.name, &keys).await?);
        if let [source, destination] = keys.as_slice() {
            subjects.push(format!("{} {source} ↔ {destination}", flow.name));
        }
        for delivery in deliveries.iter().filter(|delivery| delivery.flow == flow.name) {
            let sides = match delivery.way {
                crate::model::flow::Way::Forward => (flow.from.as_str(), flow.to.as_str()),
                crate::model::flow::Way::Import | crate::model::flow::Way::Back => {
                    (flow.to.as_str(), flow.from.as_str())
                }
            };
            subjects.extend(story::subjects(delivery, sides));
        }
    }
    deliveries.sort_by_key(|delivery| std::cmp::Reverse(delivery.id));
    deliveries.truncate(usize::try_from(DELIVERIES)?);
    subjects.extend(cases.iter().map(story::decision));
    subjects.sort_unstable();
    subjects.dedup();
    if let Some(both) = &both {
        for id in [both.source, both.destination].into_iter().flatten().filter(|id| *id != item.id) {
            others.extend(store.versions_of(id).await?);
        }
    }
    let entries = store.audit_about(&subjects, 200).await?;
    events.extend(entries.iter().map(|entry| story::event(entry, words)));
    events.extend(deliveries.iter().map(|delivery| story::asked(delivery, words)));
    events.extend(cases.iter().map(|case| story::opened(case, words)));
    events.extend(here.iter().chain(&others).map(|version| story::changed(version, words)));
    events.sort_by_key(|event| std::cmp::Reverse(event.when));
    let own = records.iter().find_map(|record| beside::said(app, &record.system, &record.raw));
    let own = own.filter(|_| both.is_none()).unwrap_or_default();
    Ok(ContactPage {
        own: own
            .iter()
            .map(|(field, value)| (words.text(&format!("field-{}", field.word())), value.to_owned()))
            .collect(),
        both: both.map(|both| view(both, item.id, words)),
        cases: cases
            .iter()
            .filter(|case| case.state == "open")
            .map(|case| (case.id, words.message(&case.message)))
            .collect(),
        rows: rows(web, &deliveries, words).await?,
        story: events,
    })
}

fn view(both: Beside, here: i64, words: &Words) -> BothView {
    let side = |customer: Option<i64>, key: &str| SideView {
        key: key.to_owned(),
        href: customer.filter(|id| *id != here).map(|id| format!("/customers/{id}")),
    };
    let fields: Vec<FieldView> = both
        .fields
        .into_iter()
        .map(|field| FieldView {
            name: words.text(&format!("field-{}", field.field.word())),
            source: field.source,
            destination: field.destination,
            state: field.equal.map(|equal| Look::equal(equal, words)),
        })
        .collect();
    let document = report::link(&both.flow, &both.link);
    let at = crate::sync::now();
    BothView {
        source: side(both.source, &both.link.source_key),
        destination: side(both.destination, &both.link.destination_key),
        differing: fields.iter().filter(|field| field.state.as_ref().is_some_and(Look::is_bad)).count(),
        fields,
        state: Look::link(&document, words),
        rule: rule(&both.link.rule, words),
        since: moment(both.link.made_at),
        agreed: both.link.agreed_at.map(|agreed| show::ago(agreed, at, words)),
        verified: both.link.verified_at.map(|verified| show::ago(verified, at, words)),
        from: both.from,
        to: both.to,
    }
}
