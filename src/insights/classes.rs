//! Groups and classes: points, resting clients, cities, owners and countries. Pure.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::lines::{CityLine, Lots, Money, PointsLine, RestingLine, TradedLine};
use super::months::added;
use crate::store::insights::{CityOf, Holders, LastTraded, Traded};

/// Where classes of points end, in hundredths of a point.
pub(super) const POINTS: [i64; 6] = [0, 10_000, 50_000, 100_000, 500_000, 1_000_000];
/// The words of these classes.
const OF_POINTS: [&str; 7] = ["0", "1-100", "101-500", "501-1000", "1001-5000", "5001-10000", "over-10000"];
/// The class of those without any row of points.
const NO_POINTS: &str = "none-on-record";

/// Where classes of resting clients end, in days since the last trade.
const RESTING: [i64; 3] = [30, 90, 180];
const OF_RESTING: [&str; 4] = ["0-30", "31-90", "91-180", "over-180"];
/// Known to have traded nothing; and those of whom the source does not say.
const NEVER: &str = "never";
const UNKNOWN: &str = "unknown";

/// Customers by their points, from the fewest.
pub(super) fn points(holders: &[Holders]) -> Vec<PointsLine> {
    let line = |class: Option<i64>, word: &'static str| {
        let mut line = PointsLine { class: word, clients: 0, points: class.map(|_| Money(0)) };
        for holders in holders.iter().filter(|holders| holders.class == class) {
            line.clients += holders.clients;
            line.points = added(line.points.map(|Money(points)| points), holders.points).map(Money);
        }
        line
    };
    let mut lines: Vec<PointsLine> =
        (0..).zip(OF_POINTS).map(|(class, word)| line(Some(class), word)).collect();
    lines.push(line(None, NO_POINTS));
    if lines.iter().all(|line| line.clients == 0) { Vec::new() } else { lines }
}

/// Clients by the days since their last trade over all accounts.
pub(super) fn resting(last: &[LastTraded], today: Date) -> Vec<RestingLine> {
    let words = OF_RESTING.into_iter().chain([NEVER, UNKNOWN]);
    let mut lines: Vec<RestingLine> =
        words.map(|class| RestingLine { class, clients: 0, reward_usd: None }).collect();
    let mut add = |class: usize, clients: i64, reward: Option<i64>| {
        let line = &mut lines[class];
        line.clients += clients;
        line.reward_usd = added(line.reward_usd.map(|Money(cents)| cents), reward).map(Money);
    };
    let (never, unknown) = (OF_RESTING.len(), OF_RESTING.len() + 1);
    for traded in last {
        let day = traded.day.as_deref().and_then(|day| day.parse::<Date>().ok());
        if let Some(day) = day {
            let days = i64::from((today - day).get_days());
            let class = RESTING.iter().take_while(|end| days > **end).count();
            add(class, traded.clients, added(traded.idle_reward_usd, traded.reward_usd));
        } else {
            add(never, traded.idle, traded.idle_reward_usd);
            add(unknown, traded.clients - traded.idle, traded.reward_usd);
        }
    }
    if lines.iter().all(|line| line.clients == 0) { Vec::new() } else { lines }
}

/// Cities, from where most was spent; nowhere comes last. Shops that keep their books in one currency are
/// taken together.
pub(super) fn cities(shops: Vec<(Option<String>, Vec<CityOf>)>) -> Vec<CityLine> {
    let mut books: BTreeMap<(Option<String>, String), CityOf> = BTreeMap::new();
    for (currency, stored) in shops {
        for of in stored {
            let city = books.entry((currency.clone(), of.city)).or_default();
            city.clients += of.clients;
            city.purchases = added(city.purchases, of.purchases);
            city.spent = added(city.spent, of.spent);
            city.points = added(city.points, of.points);
        }
    }
    let mut stored: Vec<((Option<String>, String), CityOf)> = books.into_iter().collect();
    stored.sort_by(|((_, city), of), ((_, other_city), other)| {
        let largest = (other.spent, other.clients).cmp(&(of.spent, of.clients));
        city.is_empty().cmp(&other_city.is_empty()).then(largest)
    });
    let line = |((currency, city), of): ((Option<String>, String), CityOf)| CityLine {
        city: Some(city).filter(|city| !city.is_empty()),
        currency,
        clients: of.clients,
        purchases: of.purchases,
        spent: of.spent.map(Money),
        points: of.points.map(Money),
    };
    stored.into_iter().map(line).collect()
}

/// Owners or countries, from the largest reward; what is not known comes last.
pub(super) fn traded(mut stored: Vec<Traded>) -> Vec<TradedLine> {
    stored.sort_by_key(|of| (of.name.is_empty(), std::cmp::Reverse((of.reward_usd, of.clients))));
    let line = |of: Traded| TradedLine {
        name: Some(of.name).filter(|name| !name.is_empty()),
        clients: of.clients,
        accounts: of.accounts,
        volume_lots: of.volume_lots.map(Lots),
        volume_mln_usd: of.volume_mln_usd.map(Lots),
        reward_usd: of.reward_usd.map(Money),
        rebate_usd: of.rebate_usd.map(Money),
    };
    stored.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_class_ends_with_its_last_day() {
        let today = date(2026, 6, 30);
        for (day, class) in [
            ("2026-07-05", "0-30"),
            ("2026-06-30", "0-30"),
            ("2026-05-31", "0-30"),
            ("2026-05-30", "31-90"),
            ("2026-04-01", "31-90"),
            ("2026-03-31", "91-180"),
            ("2026-01-01", "91-180"),
            ("2025-12-31", "over-180"),
            ("2018-01-01", "over-180"),
        ] {
            let last = LastTraded {
                day: Some(day.to_owned()),
                clients: 2,
                reward_usd: Some(5),
                ..LastTraded::default()
            };
            let lines = resting(&[last], today);
            let found: Vec<&str> =
                lines.iter().filter(|line| line.clients == 2).map(|line| line.class).collect();
            assert_eq!(found, [class], "{day}");
        }
        // Who is known to have traded nothing is another than of whom nothing is known.
        let none = LastTraded { clients: 7, idle: 5, idle_reward_usd: Some(0), ..LastTraded::default() };
        let lines = resting(&[none], today);
        let told: Vec<(&str, i64)> = lines[4..].iter().map(|line| (line.class, line.clients)).collect();
        assert_eq!(told, [("never", 5), ("unknown", 2)]);
        assert_eq!((lines[0].reward_usd, lines[4].reward_usd), (None, Some(Money(0))));
        assert_eq!(lines[5].reward_usd, None);
        assert!(resting(&[], today).is_empty());
    }

    #[test]
    fn what_is_not_known_comes_last() {
        let of = |city: &str, spent| CityOf { city: city.to_owned(), clients: 1, spent, ..CityOf::default() };
        let rub = Some("RUB".to_owned());
        let one = vec![of("", Some(900)), of("Ялта", None), of("Керчь", Some(0)), of("Судак", Some(7))];
        let lines = cities(vec![(rub.clone(), one), (rub, vec![of("Керчь", Some(3))])]);
        let names: Vec<_> = lines.iter().map(|line| line.city.as_deref()).collect();
        assert_eq!(names, [Some("Судак"), Some("Керчь"), Some("Ялта"), None]);
        assert_eq!((lines[1].clients, lines[1].spent), (2, Some(Money(3))));
        let lines = points(&[Holders { class: None, clients: 3, points: None }]);
        let last = lines.last().unwrap();
        assert_eq!((lines.len(), last.class, last.clients, last.points), (8, NO_POINTS, 3, None));
    }
}
