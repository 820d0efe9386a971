//! One customer of a shop held against the source, live: what was bought, points, city.

use std::collections::BTreeMap;

use super::super::matching::shop::view;
use super::super::settle::compute;
use super::super::{Source, now, owners::OwnerSettings};
use super::{Cause, Item, Line, Unverified, first_kept};
use crate::connect::Connector;
use crate::connect::onec::live::Live;
use crate::connect::onec::{CARD_NAME, Onec, entry_key};
use crate::model::amount::{MONEY, show};
use crate::model::customer::{Moved, Name, ShopView};
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
    let named = found.into_iter().filter_map(|live| Some((live.name()?, live))).collect();
    held_against(store, owners, source, named).await
}

/// The customer that the mirror knows by this name, read from the source now and held against it.
pub async fn by_name(
    store: &Store,
    owners: &OwnerSettings,
    source: &Source,
    shop: &Onec,
    (id, name): (i64, &str),
) -> Result<Vec<Item>, Unverified> {
    let own = name.strip_prefix(CARD_NAME);
    let mut cards = store.nobodys_cards(id).await?;
    cards.extend(own.filter(|own| !cards.iter().any(|card| card == own)).map(str::to_owned));
    let owner = Some(name).filter(|_| own.is_none());
    let found = shop.by_name(&source.http, owner, &cards).await?;
    // It may have left the source: then the mirror is held against nothing.
    held_against(store, owners, source, vec![(name.to_owned(), found)]).await
}

async fn held_against(
    store: &Store,
    owners: &OwnerSettings,
    source: &Source,
    found: Vec<(String, Live)>,
) -> Result<Vec<Item>, Unverified> {
    let rules = owners.rules(&source.name, &store.owner_rules().await?);
    let first_day = first_day(store, source).await?;
    let first_day = first_day.as_deref();
    let mut items = Vec::new();
    for (name, live) in &found {
        let id = store.customer_by_key(&source.name, name).await?;
        let stored = match id {
            Some(id) => compute(store, &rules, &[id]).await?.into_iter().next().and_then(|view| view.shop),
            None => None,
        };
        let kept = match id {
            Some(id) => store.entries_of(id).await?,
            None => Vec::new(),
        };
        // By the same rules as what is stored.
        let moved = moved(live, first_day, now());
        let there = view(Name::default(), &[], Some(&moved), &rules).shop.unwrap_or_default();
        let city = live.person.as_ref().and_then(|person| person.city.clone());
        let there = ShopView { city, ..there };
        items.push(Item {
            subject: format!("{} {name}", source.name),
            lines: lines(
                &there,
                stored.as_ref(),
                &Missing::of(&live.entries, &kept, first_day),
                source.connector.currency().unwrap_or_default(),
            ),
            not_compared: Vec::new(),
        });
    }
    Ok(items)
}

/// The day from which on the mirror has the purchases of everybody.
async fn first_day(store: &Store, source: &Source) -> Result<Option<String>, Unverified> {
    for stream in source.connector.streams() {
        if let Some(first) = first_kept(store, source, stream).await? {
            return Ok(Some(first.to_string()));
        }
    }
    Ok(None)
}

/// What moved by a live customer's cards, purchases from the day on that the mirror keeps, as of `now`.
fn moved<'a>(live: &'a Live, first_day: Option<&str>, now: i64) -> Moved<'a> {
    let counted = live.entries.iter().filter(|entry| is_kept(entry, first_day));
    let of = |kinds: &[EntryKind]| {
        let amounts = counted.clone().filter(|entry| kinds.contains(&entry.kind));
        amounts.filter_map(|entry| entry.amount).reduce(|a, b| a + b)
    };
    let points = || live.entries.iter().filter(|entry| entry.kind == EntryKind::Points);
    let up_to_now = |entry: &Entry| if entry.at <= now { value(entry) } else { 0 };
    Moved {
        opening: of(&[EntryKind::Opening]),
        purchased: of(&[EntryKind::Purchase, EntryKind::Return]),
        movements: points().map(up_to_now).reduce(|a, b| a + b),
        last_record: points().max_by_key(|entry| entry.at).and_then(|entry| entry.points_out),
        ..Moved::default()
    }
}

/// Whether the mirror would keep it: purchases only from the first day on that was read.
fn is_kept(entry: &Entry, first_day: Option<&str>) -> bool {
    !matches!(entry.kind, EntryKind::Purchase | EntryKind::Return)
        || first_day.is_none_or(|first| entry.day.as_str() >= first)
}

/// What a movement moves: money, or points earned less points spent.
fn value(entry: &Entry) -> i64 {
    entry.amount.unwrap_or_else(|| entry.points_in.unwrap_or(0) - entry.points_out.unwrap_or(0))
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
            let key = entry_key(entry);
            let what = subject(entry.kind.word());
            match keys.get(key.as_str()) {
                None if is_kept(entry, first_day) => missing.add(what, "not_in_mirror", value(entry)),
                Some(stored) if stored.value != value(entry) => {
                    missing.add(what, "changed_since", value(entry));
                }
                _ => {}
            }
            seen.insert(key);
        }
        for entry in kept.iter().filter(|entry| !seen.contains(&entry.key)) {
            missing.add(subject(&entry.kind), "not_in_source", entry.value);
        }
        missing
    }

    fn add(&mut self, what: &'static str, rule: &'static str, amount: i64) {
        let (count, sum) = self.0.entry((what, rule)).or_default();
        *count += 1;
        *sum += amount;
    }

    fn causes(&self, what: &str) -> Vec<Cause> {
        let money = |about: &str| what == "total" && about != "points";
        let of = self.0.iter().filter(|((about, _), _)| *about == what || money(about));
        of.map(|((_, rule), (count, sum))| Cause {
            rule: (*rule).to_owned(),
            count: *count,
            amount: Some(show(i128::from(*sum), MONEY)),
        })
        .collect()
    }
}

/// The figure that a movement of this kind is part of.
fn subject(kind: &str) -> &'static str {
    match kind {
        "opening_balance" => "opening_balance",
        "points" => "points",
        _ => "purchases",
    }
}

fn lines(there: &ShopView, kept: Option<&ShopView>, missing: &Missing, currency: &str) -> Vec<Line> {
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
            // Between nothing and unknown there is no difference in figures.
            difference: (equal || difference != 0).then(|| show(i128::from(difference), MONEY)),
            unit: unit.to_owned(),
            equal,
            causes: if equal { Vec::new() } else { missing.causes(what) },
        }
    };
    let same_city = there.city.as_deref().map(name_key) == ours.city.as_deref().map(name_key);
    vec![
        figure("opening_balance", currency, there.opening, ours.opening),
        figure("purchases", currency, there.purchased, ours.purchased),
        figure("total", currency, there.spent, ours.spent),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_those_of_the_figure() {
        let entry = |kind, document: &str, amount, points_in| Entry {
            kind,
            document: document.to_owned(),
            day: "2026-01-02".to_owned(),
            amount,
            points_in,
            ..Entry::default()
        };
        let there = [
            entry(EntryKind::Opening, "a", Some(100), None),
            entry(EntryKind::Purchase, "b", Some(20), None),
            entry(EntryKind::Points, "c", None, Some(7)),
            entry(EntryKind::Points, "d", None, Some(9)),
        ];
        let stored = |document: &str, kind: &str, value| StoredEntry {
            key: format!(" {document} "),
            kind: kind.to_owned(),
            day: "2026-01-02".to_owned(),
            value,
        };
        let kept = [stored("d", "points", 8), stored("e", "return", -5)];
        let missing = Missing::of(&there, &kept, Some("2026-01-01"));
        let causes = |what: &str| -> Vec<(String, u64, Option<String>)> {
            missing.causes(what).into_iter().map(|cause| (cause.rule, cause.count, cause.amount)).collect()
        };
        let told = |rule: &str, amount: &str| (rule.to_owned(), 1, Some(amount.to_owned()));
        assert_eq!(causes("points"), [told("changed_since", "0.09"), told("not_in_mirror", "0.07")]);
        let bought = [told("not_in_mirror", "0.20"), told("not_in_source", "-0.05")];
        assert_eq!(causes("purchases"), bought);
        assert_eq!(causes("total").len(), 3, "money only");
        // What was bought before the first day that the mirror keeps is missing nowhere.
        let later = Missing::of(&there[1..2], &[], Some("2026-02-01"));
        assert!(later.causes("total").is_empty());
    }
}
