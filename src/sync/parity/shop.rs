//! One customer of a shop held against the source, live: what was bought, points, city.

use std::collections::BTreeMap;

use super::super::settle::compute;
use super::super::{Source, now, owners::OwnerSettings};
use super::{Cause, Item, Line, Unverified};
use crate::connect::onec::live::Live;
use crate::connect::onec::{Onec, card_name};
use crate::model::amount::{MONEY, show};
use crate::model::customer::{PointsRule, ShopView};
use crate::model::record::{Entry, EntryKind};
use crate::model::text::name_key;
use crate::store::Store;
use crate::store::customer::shop::StoredEntry;

/// Every customer whose card has this phone, read from the source now and held against the mirror. None
/// when nobody has it on either side.
pub async fn by_phone(
    store: &Store,
    owners: &OwnerSettings,
    source: &Source,
    shop: &Onec,
    phone: &str,
) -> Result<Vec<Item>, Unverified> {
    let found = shop.by_phone(&source.http, phone).await?;
    let rules = owners.rules(&source.name, &store.owner_rules().await?);
    let mut items = Vec::new();
    for live in &found {
        let name = match (&live.owner, live.cards.first()) {
            (Some(owner), _) => owner.clone(),
            (None, Some(card)) => card_name(&card.key),
            (None, None) => continue,
        };
        let id = store.customer_by_key(&source.name, &name).await?;
        let stored = match id {
            Some(id) => compute(store, &rules, &[id]).await?.into_iter().next().and_then(|view| view.shop),
            None => None,
        };
        let kept = match id {
            Some(id) => store.entries_of(id).await?,
            None => Vec::new(),
        };
        let first_day = kept.iter().filter(|entry| entry.is_bought()).map(|entry| entry.day.as_str()).min();
        let rule = rules.points.unwrap_or_default();
        let there = added_up(live, first_day, rule, now());
        items.push(Item {
            subject: format!("{} {name}", source.name),
            lines: lines(&there, stored.as_ref(), &Missing::of(&live.entries, &kept, first_day)),
            not_compared: Vec::new(),
        });
    }
    Ok(items)
}

/// A live customer added up the way the mirror does; purchases from the day on that the mirror keeps.
fn added_up(live: &Live, first_day: Option<&str>, rule: PointsRule, now: i64) -> ShopView {
    let of = |kinds: &[EntryKind]| {
        let entries = live.entries.iter().filter(|entry| kinds.contains(&entry.kind));
        let entries = entries.filter(|entry| {
            entry.kind == EntryKind::Opening || first_day.is_none_or(|first| entry.day.as_str() >= first)
        });
        entries.filter_map(|entry| entry.amount).reduce(|a, b| a + b)
    };
    let opening = of(&[EntryKind::Opening]);
    let purchased = of(&[EntryKind::Purchase, EntryKind::Return]);
    let mut points: Vec<&Entry> =
        live.entries.iter().filter(|entry| entry.kind == EntryKind::Points).collect();
    points.sort_by_key(|entry| entry.at);
    let balance = match rule {
        PointsRule::Movements => points
            .iter()
            .map(|entry| {
                let moved = entry.points_in.unwrap_or(0) - entry.points_out.unwrap_or(0);
                if entry.at <= now { moved } else { 0 }
            })
            .reduce(|a, b| a + b)
            .map(|balance| balance.max(0)),
        PointsRule::LastRecord => points.last().and_then(|entry| entry.points_out),
    };
    ShopView {
        opening,
        purchased,
        spent: opening.or(purchased).map(|_| opening.unwrap_or(0) + purchased.unwrap_or(0)),
        points: balance,
        city: live.person.as_ref().and_then(|person| person.city.clone()),
        ..ShopView::default()
    }
}

/// Rows that one side has and the other has not, by kind.
#[derive(Default)]
struct Missing(BTreeMap<(&'static str, &'static str), (u64, i64)>);

impl Missing {
    fn of(there: &[Entry], kept: &[StoredEntry], first_day: Option<&str>) -> Missing {
        let mut missing = Missing::default();
        let keys: BTreeMap<&str, &StoredEntry> =
            kept.iter().map(|entry| (entry.key.as_str(), entry)).collect();
        let mut seen = std::collections::BTreeSet::new();
        for entry in there {
            let key = format!(
                "{} {} {}",
                entry.document_type.as_deref().unwrap_or_default(),
                entry.document,
                entry.line
            );
            let what = subject(entry.kind);
            let in_window = entry.kind != EntryKind::Purchase && entry.kind != EntryKind::Return
                || first_day.is_none_or(|first| entry.day.as_str() >= first);
            let amount = entry.amount.or(entry.points_in).unwrap_or(0);
            match keys.get(key.as_str()) {
                None if in_window => missing.add(what, "not_in_mirror", amount),
                Some(stored) if stored.amount != entry.amount => missing.add(what, "changed_since", amount),
                _ => {}
            }
            seen.insert(key);
        }
        for entry in kept.iter().filter(|entry| !seen.contains(&entry.key)) {
            missing.add(entry.subject(), "not_in_source", entry.amount.unwrap_or(0));
        }
        missing
    }

    fn add(&mut self, what: &'static str, rule: &'static str, amount: i64) {
        let (count, sum) = self.0.entry((what, rule)).or_default();
        *count += 1;
        *sum += amount;
    }

    fn causes(&self, what: &str) -> Vec<Cause> {
        let of = self.0.iter().filter(|((about, _), _)| *about == what || what == "total");
        of.map(|((_, rule), (count, sum))| Cause {
            rule: (*rule).to_owned(),
            count: *count,
            amount: Some(show(i128::from(*sum), MONEY)),
        })
        .collect()
    }
}

fn subject(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Opening => "opening_balance",
        EntryKind::Purchase | EntryKind::Return => "purchases",
        EntryKind::Points => "points",
    }
}

impl StoredEntry {
    fn subject(&self) -> &'static str {
        match self.kind.as_str() {
            "opening_balance" => "opening_balance",
            "points" => "points",
            _ => "purchases",
        }
    }

    fn is_bought(&self) -> bool {
        self.subject() == "purchases"
    }
}

fn lines(there: &ShopView, kept: Option<&ShopView>, missing: &Missing) -> Vec<Line> {
    let nothing = ShopView::default();
    let ours = kept.unwrap_or(&nothing);
    let figure = |what: &str, unit: &str, source: Option<i64>, mirror: Option<i64>| {
        let text = |value: Option<i64>| value.map(|value| show(i128::from(value), MONEY));
        let difference = mirror.unwrap_or(0) - source.unwrap_or(0);
        // Unknown is not zero: a side that knows nothing does not agree with one that does.
        let equal = source == mirror;
        Line {
            what: what.to_owned(),
            source: text(source),
            mirror: text(mirror),
            difference: Some(show(i128::from(difference), MONEY)),
            unit: unit.to_owned(),
            equal,
            causes: if equal { Vec::new() } else { missing.causes(what) },
        }
    };
    let same_city = there.city.as_deref().map(name_key) == ours.city.as_deref().map(name_key);
    vec![
        figure("opening_balance", "RUB", there.opening, ours.opening),
        figure("purchases", "RUB", there.purchased, ours.purchased),
        figure("total", "RUB", there.spent, ours.spent),
        figure("points", "points", there.points, ours.points),
        Line {
            what: "city".to_owned(),
            source: there.city.clone(),
            mirror: ours.city.clone(),
            difference: None,
            unit: "text".to_owned(),
            equal: same_city,
            causes: Vec::new(),
        },
    ]
}
