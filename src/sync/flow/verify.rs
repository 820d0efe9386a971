//! Both sides of a flow held against each other: who is tied, who is on one side only, what differs, and who is
//! there twice. Compared are the mirrors; whoever asks has them read first.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Road;
use super::forward::{self, Action, PAGE, judge};
use super::push::document::is_near;
use crate::model::Field;
use crate::model::document::{exact, plain};
use crate::model::flow::State;
use crate::store::delivery::Wanted;
use crate::sync::parity::{Cause, Item, Line};

/// The unit of every figure.
const UNIT: &str = "records";

/// Compares the two sides of a road from the master.
pub async fn verify(road: &Road) -> Result<Item> {
    if road.flow.bills.is_some() {
        return documents(road).await;
    }
    let store = &road.app.store;
    let name = road.flow.name.as_str();
    let from = store.stream(&road.origin.name, road.from.name).await?;
    let to = store.stream(&road.target.name, road.to.name).await?;
    let (mut carried, mut tied, mut agree) = (0, 0, 0);
    let mut differing: BTreeMap<Field, u64> = BTreeMap::new();
    let mut after = 0;
    loop {
        let rows = store.contacts_after(from, after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        for change in judge(road, &rows).await?.into_iter().flatten() {
            carried += 1;
            match change.action {
                Action::Skip => agree += 1,
                Action::Update => {}
                // A question about a pair names what differs; any other is about a record without a partner.
                Action::Case if !change.fields.is_empty() => {}
                _ => continue,
            }
            tied += 1;
            for field in change.fields {
                *differing.entry(field.name).or_default() += 1;
            }
        }
    }
    let partners = store.partners(name, from, to).await?;
    let excluded = store.decided_cases(name, &["ambiguous_match", "number_clash"]).await?;
    let excluded = excluded.values().filter(|choice| *choice == "exclude").count() as i64;
    let there = store.live_count(road.to, to, None).await? as i64;
    let fields = differing.iter().map(|(field, count)| cause(&format!("differs_{}", field.word()), *count));
    let mut lines = vec![
        line("carried", carried, tied, vec![cause("without_partner", (carried - tied).unsigned_abs())]),
        line("in_agreement", tied, agree, fields.collect()),
        line(
            "links",
            partners.links,
            partners.links - partners.without_source - partners.without_destination,
            vec![
                cause("source_gone", partners.without_source.unsigned_abs()),
                cause("target_gone", partners.without_destination.unsigned_abs()),
            ],
        ),
    ];
    let only_there = (there - partners.tied_there - excluded).max(0);
    let mut followers = line(
        "followers",
        there,
        partners.tied_there,
        vec![
            cause("only_there", only_there.unsigned_abs()),
            cause("excluded_by_a_person", excluded.unsigned_abs()),
        ],
    );
    // Whom a person has left out is where they should be.
    followers.equal = only_there == 0;
    lines.push(followers);
    for (stream, what) in [(from, "different_in_source"), (to, "different_in_destination")] {
        for rule in &road.flow.rules {
            let (all, different) = store.canonical_counts(stream, rule.field()).await?;
            if all > different {
                let several = (all - different).unsigned_abs();
                lines.push(line(
                    what,
                    all,
                    different,
                    vec![cause(&format!("several_{}", rule.word()), several)],
                ));
            }
        }
    }
    for line in &mut lines {
        line.causes.retain(|cause| cause.count > 0);
    }
    Ok(Item { subject: name.to_owned(), lines, not_compared: Vec::new() })
}

/// Which documents were sent of those that are to be, and whether what was answered is what they say. Nothing reads
/// a pre-invoice back: compared is what the answers said.
async fn documents(road: &Road) -> Result<Item> {
    let store = &road.app.store;
    let name = road.flow.name.as_str();
    let (mut waiting, mut asked) = (0, 0);
    for change in forward::plan(road).await? {
        match change.action {
            Action::Create => waiting += 1,
            Action::Case => asked += 1,
            _ => {}
        }
    }
    let sent = store.count_links(name).await?;
    let mut lines = vec![line(
        "due",
        sent + waiting + asked,
        sent,
        vec![cause("not_sent_yet", waiting.unsigned_abs()), cause("asked_about", asked.unsigned_abs())],
    )];
    let wanted = Wanted {
        flow: name.to_owned(),
        states: vec![State::Confirmed, State::Verified],
        record: String::new(),
    };
    let (mut said, mut answered, mut differing, mut before) = (0, 0, 0, None);
    loop {
        let page = store.wanted_deliveries(&wanted, before, PAGE).await?;
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        for document in page.iter().filter_map(|done| done.after.as_ref()?.document()) {
            let net = document.answered.as_ref().and_then(|answered| answered.net.as_deref());
            let amounts = (exact(&document.net), net.map(exact));
            if let (Ok(ours), Some(Ok(theirs))) = amounts {
                said += ours;
                answered += theirs;
            }
            differing += u64::from(!is_near(document, net, road.bills()?.tolerance));
        }
    }
    lines.push(Line {
        what: "net_of_documents".to_owned(),
        source: Some(plain(said)),
        mirror: Some(plain(answered)),
        difference: Some(plain(answered - said)),
        unit: "amount".to_owned(),
        equal: differing == 0,
        causes: vec![cause("net_differs", differing)],
    });
    for line in &mut lines {
        line.causes.retain(|cause| cause.count > 0);
    }
    Ok(Item { subject: name.to_owned(), lines, not_compared: Vec::new() })
}

fn cause(rule: &str, count: u64) -> Cause {
    Cause { rule: rule.to_owned(), count, amount: None }
}

fn line(what: &str, source: i64, mirror: i64, causes: Vec<Cause>) -> Line {
    Line {
        what: what.to_owned(),
        source: Some(source.to_string()),
        mirror: Some(mirror.to_string()),
        difference: Some((mirror - source).to_string()),
        unit: UNIT.to_owned(),
        equal: source == mirror,
        causes,
    }
}
