//! Days and months in order, with those in which nothing was. Pure.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::lines::{BoughtLine, Money, NewLine};
use crate::store::insights::Bought;

/// Months without anything are shown of these last ten years; before them a stray date would make
/// thousands.
const SHOWN: i64 = 120;

/// New clients on each of the last `days`, the latest first.
pub(super) fn by_day(registered: &[(Option<String>, i64)], today: Date, days: i64) -> Vec<NewLine> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for (day, clients) in registered {
        *counts.entry(day.as_deref().unwrap_or_default()).or_default() += clients;
    }
    let days = (0..days).map(|ago| today.saturating_sub(ago.days()).to_string());
    days.map(|day| NewLine { clients: counts.get(day.as_str()).copied().unwrap_or(0), period: Some(day) })
        .collect()
}

/// New clients in each month, the latest first; those of no known day come last.
pub(super) fn by_month(registered: &[(Option<String>, i64)], today: Date) -> Vec<NewLine> {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    let mut unknown = 0;
    for (day, clients) in registered {
        match day.as_deref().and_then(|day| day.get(..7)) {
            Some(month) => *counts.entry(month.to_owned()).or_default() += clients,
            None => unknown += clients,
        }
    }
    for month in between(counts.keys().next(), today) {
        counts.entry(month).or_default();
    }
    let months = counts.into_iter().rev().map(|(month, clients)| NewLine { period: Some(month), clients });
    let unknown = (unknown > 0).then_some(NewLine { period: None, clients: unknown });
    months.chain(unknown).collect()
}

/// What was bought from each shop, by the currency of its books, if that is known.
pub(super) type Shops = Vec<(Option<String>, Vec<Bought>)>;

/// What was bought in each month, the latest first, of all shops that keep their books in one currency
/// together.
pub(super) fn bought(shops: Shops, today: Date) -> Vec<BoughtLine> {
    let mut books: BTreeMap<Option<String>, BTreeMap<String, Bought>> = BTreeMap::new();
    for (currency, stored) in shops {
        let months = books.entry(currency).or_default();
        for bought in stored {
            let month = months.entry(bought.month.clone()).or_default();
            month.amount = added(month.amount, bought.amount);
            month.returned = added(month.returned, bought.returned);
            month.receipts += bought.receipts;
            month.returns += bought.returns;
        }
    }
    let mut lines = Vec::new();
    for (currency, mut months) in books {
        for month in between(months.keys().next(), today) {
            months.entry(month).or_default();
        }
        lines.extend(months.into_iter().map(|(month, bought)| BoughtLine {
            month,
            currency: currency.clone(),
            // Of a month that lies among those that were read it is known that nothing was bought.
            purchases: Money(bought.amount.unwrap_or(0)),
            receipts: bought.receipts,
            average_bill: average(bought.amount, bought.receipts).map(Money),
            returned: Money(bought.returned.unwrap_or(0)),
            returns: bought.returns,
        }));
    }
    lines.sort_by(|one, other| other.month.cmp(&one.month).then_with(|| one.currency.cmp(&other.currency)));
    lines
}

/// The sum of what is known.
pub(super) fn added(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (None, None) => None,
        (one, other) => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
    }
}

/// What a receipt comes to on average, to the nearest minor unit, halves up.
fn average(amount: Option<i64>, receipts: i64) -> Option<i64> {
    let (amount, receipts) = (i128::from(amount?), i128::from(receipts));
    (receipts > 0).then(|| (2 * amount + receipts).div_euclid(2 * receipts))?.try_into().ok()
}

/// The months from `first` until today's.
fn between(first: Option<&String>, today: Date) -> Vec<String> {
    let parsed = first.and_then(|month| format!("{month}-01").parse::<Date>().ok());
    let Some(first) = parsed else { return Vec::new() };
    let last = today.first_of_month();
    let mut month = first.max(last.saturating_sub((SHOWN - 1).months()));
    let mut months = Vec::new();
    while month <= last {
        months.push(month.strftime("%Y-%m").to_string());
        month = month.saturating_add(1.month());
    }
    months
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn days(list: &[(&str, i64)]) -> Vec<(Option<String>, i64)> {
        list.iter().map(|(day, n)| (Some((*day).to_owned()).filter(|day| !day.is_empty()), *n)).collect()
    }

    fn told(lines: &[NewLine]) -> Vec<(&str, i64)> {
        lines.iter().map(|line| (line.period.as_deref().unwrap_or("?"), line.clients)).collect()
    }

    #[test]
    fn days_and_months_without_anybody_are_there() {
        let stored =
            days(&[("2026-03-01", 2), ("2026-02-27", 1), ("2025-12-31", 4), ("", 3), ("2026-03-01", 1)]);
        let lines = by_day(&stored, date(2026, 3, 2), 5);
        let expected =
            [("2026-03-02", 0), ("2026-03-01", 3), ("2026-02-28", 0), ("2026-02-27", 1), ("2026-02-26", 0)];
        assert_eq!(told(&lines), expected);
        let lines = by_month(&stored, date(2026, 4, 30));
        let expected =
            [("2026-04", 0), ("2026-03", 3), ("2026-02", 1), ("2026-01", 0), ("2025-12", 4), ("?", 3)];
        assert_eq!(told(&lines), expected);
        // A stray date is kept, but makes no thousand lines; a date in the future is kept, too.
        let lines = by_month(&days(&[("0203-01-01", 1), ("2099-01-01", 1)]), date(2026, 4, 1));
        assert_eq!((lines.len(), lines[0].period.as_deref()), (122, Some("2099-01")));
        assert_eq!(told(&lines).last(), Some(&("0203-01", 1)));
        assert!(by_month(&[], date(2026, 4, 1)).is_empty());
    }

    #[test]
    fn bills_are_rounded_to_the_nearest_kopeck() {
        for (amount, receipts, expected) in [
            (Some(100), 3, Some(33)),
            (Some(200), 3, Some(67)),
            (Some(5), 2, Some(3)),
            (Some(0), 2, Some(0)),
            (Some(7), 0, None),
            (None, 0, None),
        ] {
            assert_eq!(average(amount, receipts), expected, "{amount:?} / {receipts}");
        }
        let month = |amount, receipts| Bought {
            month: "2026-03".to_owned(),
            amount: Some(amount),
            receipts,
            ..Bought::default()
        };
        // Two shops: their receipts together, not the average of averages; and never over currencies.
        let shop =
            |currency: &str, amount, receipts| (Some(currency.to_owned()), vec![month(amount, receipts)]);
        let shops = vec![shop("RUB", 1_000, 1), shop("KZT", 7, 1), shop("RUB", 200, 3)];
        let lines = bought(shops, date(2026, 3, 9));
        let bills: Vec<_> = lines.iter().map(|line| (line.currency.as_deref(), line.average_bill)).collect();
        assert_eq!(bills, [(Some("KZT"), Some(Money(7))), (Some("RUB"), Some(Money(300)))]);
    }
}
