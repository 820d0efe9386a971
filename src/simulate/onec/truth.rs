//! What is true of the shop, computed from its rows in decimals: what a mirror must come to.

use std::collections::{BTreeMap, HashMap};

use jiff::ToSpan as _;
use jiff::civil::DateTime;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use super::make::{REFERENCE_PHONE, TELLING_PHONE};
use super::sets::{List, OPENING, card, catalog, customer, points, register, sale};
use super::shop::{City, Shop};
use super::value::{Guid, Row};

/// How the points of a card are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointsRule {
    /// Earned less spent of active rows up to now, never below nothing.
    Movements,
    /// What is to be spent by the active row with the latest date, be it in the future.
    LastRecord,
    /// What the register's table of balances says for now, which may be below nothing.
    VirtualBalance,
    /// Earned less spent of all active rows, also those of the future: right for no one.
    Naive,
}

/// How many rows, and what they come to in roubles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Rows.
    pub count: u64,
    /// Roubles, to the kopeck.
    pub sum: Decimal,
}

/// The register of sales by what its rows are. Each row is one of the first four kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Active rows of a card, written by documents of opening balances; of all time, always.
    pub opening_balances: Sum,
    /// Every other active row of a card, returns among them.
    pub purchases: Sum,
    /// Active rows of no card.
    pub no_card: Sum,
    /// Rows that do not count.
    pub inactive: Sum,
    /// The purchases that are below nothing.
    pub returns: Sum,
}

impl Sum {
    fn add(&mut self, amount: Decimal) {
        self.count += 1;
        self.sum += amount;
    }

    fn json(self, rows: usize) -> Json {
        json!({ "rows": rows, "count": self.count, "sum": money(self.sum) })
    }
}

impl Sums {
    /// Adds a row to its kind, unless it is of before `since` and no opening balance.
    fn add(&mut self, row: &Row, since: Option<DateTime>) {
        let amount = row[sale::SUM].number();
        let opening = row[register::KIND].str() == OPENING;
        if !opening && since.is_some_and(|since| row[register::PERIOD].date() < Some(since)) {
            return;
        }
        if !row[register::ACTIVE].yes() {
            self.inactive.add(amount);
        } else if row[sale::CARD].guid() == Guid::default() {
            self.no_card.add(amount);
        } else if opening {
            self.opening_balances.add(amount);
        } else {
            self.purchases.add(amount);
            if amount.is_sign_negative() {
                self.returns.add(amount);
            }
        }
    }
}

impl Shop {
    /// The phone of the customer who is known to have 232,360.00 of opening balance, 132,694.00 of
    /// purchases within a year, 4,806 points under every rule, and to live in Симферополь.
    pub fn reference_phone(&self) -> &'static str {
        REFERENCE_PHONE
    }

    /// The phone of the customer whose points are 120, 45, 120 and 75 under the four rules.
    pub fn telling_phone(&self) -> &'static str {
        TELLING_PHONE
    }

    /// The `Ref_Key` of a card that has something odd: `reference`, `telling`, `shared_phone_a` and
    /// `shared_phone_b` (one phone, two owners), `two_of_one_a` and `two_of_one_b` (one owner),
    /// `phone_of_one`, `phone_of_two` and `phone_of_nobody` (no owner, and so many customers who have
    /// the phone), `deleted_with_money`, `overdrawn` (150 points below nothing), `no_points`,
    /// `no_phone`.
    ///
    /// # Panics
    /// When there is no such card.
    pub fn card(&self, role: &str) -> String {
        let roles = self.roles();
        let found = roles.get(role).map(Guid::to_string);
        found.unwrap_or_else(|| panic!("no card is {role:?}; there are {:?}", roles.keys()))
    }

    /// Where a customer lives and by which rule that is found, by `Ref_Key`; `None` when nowhere.
    pub fn city(&self, customer: &str) -> Option<City> {
        self.cities().get(&customer.parse().ok()?).cloned()
    }

    /// The points of a card under a rule, by its `Ref_Key`; `None` when it has no active rows, which
    /// is another thing than no points.
    pub fn points(&self, card: &str, rule: PointsRule, now: DateTime) -> Option<Decimal> {
        let card: Guid = card.parse().ok()?;
        let sheet = self.sheet(List::Points);
        points(sheet.rows.iter().filter(|row| row[points::CARD].guid() == card), rule, now)
    }

    /// The register of sales, with purchases and what is left out since the beginning of the day so
    /// many days ago; of all time for `None`. Opening balances are of all time in any case.
    pub fn sums(&self, days: Option<u32>) -> Sums {
        let since = self.since(days);
        let mut sums = Sums::default();
        self.sheet(List::Sales).rows.iter().for_each(|row| sums.add(row, since));
        sums
    }

    /// The same for one card, by its `Ref_Key`.
    pub fn sums_of_card(&self, card: &str, days: Option<u32>) -> Sums {
        self.sums_by_card(days).remove(card).unwrap_or_default()
    }

    fn since(&self, days: Option<u32>) -> Option<DateTime> {
        days.map(|days| self.today().saturating_sub(i64::from(days).days()).at(0, 0, 0, 0))
    }

    /// Counts and sums of all lists as they are now.
    pub(in super::super) fn truth(&self) -> Json {
        let sums = self.sums(None);
        let sales = self.sheet(List::Sales);
        let opening = sales.rows.iter().filter(|row| row[register::KIND].str() == OPENING).count();
        let customers = self.sheet(List::Customers);
        let folders = customers.rows.iter().filter(|row| row[customer::FOLDER].yes()).count();
        let buyers = customers.rows.iter().filter(|row| row[customer::BUYER].yes()).count();
        let mut rules: BTreeMap<&str, u64> = BTreeMap::new();
        for city in self.cities().values() {
            *rules.entry(city.rule).or_default() += 1;
        }
        let products = self.sheet(List::Products);
        json!({
            "cards": { "count": self.sheet(List::Cards).rows.len() },
            "customers": {
                "count": customers.rows.len() - folders, "folders": folders, "buyers": buyers, "cities": rules,
            },
            "products": { "count": products.rows.len() },
            "sales": { "count": sales.rows.len() },
            "opening_balances": sums.opening_balances.json(opening),
            "purchases": sums.purchases.json(sales.rows.len() - opening),
            "returns": { "count": sums.returns.count, "sum": money(sums.returns.sum) },
            "no_card": { "count": sums.no_card.count, "sum": money(sums.no_card.sum) },
            "inactive": { "count": sums.inactive.count, "sum": money(sums.inactive.sum) },
            "points": self.points_truth(),
        })
    }

    /// The points of every card that has any, under a rule, by `Ref_Key`.
    pub fn points_by_card(&self, rule: PointsRule, now: DateTime) -> BTreeMap<String, Decimal> {
        let sheet = self.sheet(List::Points);
        let mut cards: HashMap<Guid, Vec<&Row>> = HashMap::new();
        for row in &sheet.rows {
            cards.entry(row[points::CARD].guid()).or_default().push(row);
        }
        let total = |(card, rows): (Guid, Vec<&Row>)| {
            points(rows.into_iter(), rule, now).map(|points| (card.to_string(), points))
        };
        cards.into_iter().filter_map(total).collect()
    }

    /// The register of sales by card, as [`Shop::sums`] has it; rows of no card are under zeros.
    pub fn sums_by_card(&self, days: Option<u32>) -> BTreeMap<String, Sums> {
        let since = self.since(days);
        let mut cards: BTreeMap<String, Sums> = BTreeMap::new();
        for row in &self.sheet(List::Sales).rows {
            cards.entry(row[sale::CARD].guid().to_string()).or_default().add(row, since);
        }
        cards
    }

    fn points_truth(&self) -> Json {
        let now = self.now();
        let total = |rule| {
            let total: Decimal = self.points_by_card(rule, now).into_values().sum();
            total.normalize().to_string()
        };
        json!({
            "count": self.sheet(List::Points).rows.len(),
            "cards": self.points_by_card(PointsRule::Naive, now).len(),
            "movements": total(PointsRule::Movements),
            "last_record": total(PointsRule::LastRecord),
            "virtual_balance": total(PointsRule::VirtualBalance),
        })
    }

    /// Phones of cards, for those who look a customer up: the code of each card that has one.
    pub fn phones(&self) -> Vec<String> {
        let cards = self.sheet(List::Cards);
        let phones = cards.rows.iter().map(|row| row[card::PHONE].str().to_owned());
        phones.filter(|phone| !phone.is_empty()).collect()
    }

    /// The `Ref_Key` of every customer who is no folder.
    pub fn customers(&self) -> Vec<String> {
        let customers = self.sheet(List::Customers);
        let people = customers.rows.iter().filter(|row| !row[customer::FOLDER].yes());
        people.map(|row| row[catalog::REF].guid().to_string()).collect()
    }
}

/// The points that rows of one card come to.
fn points<'a>(rows: impl Iterator<Item = &'a Row>, rule: PointsRule, now: DateTime) -> Option<Decimal> {
    let rows: Vec<&Row> = rows.filter(|row| row[register::ACTIVE].yes()).collect();
    if rows.is_empty() {
        return None;
    }
    let sum = |rows: &[&Row]| -> Decimal {
        rows.iter().map(|row| row[points::EARNED].number() - row[points::SPENT].number()).sum()
    };
    let past: Vec<&Row> =
        rows.iter().copied().filter(|row| row[register::PERIOD].date() <= Some(now)).collect();
    Some(match rule {
        PointsRule::Movements => sum(&past).max(Decimal::ZERO),
        PointsRule::VirtualBalance => sum(&past),
        PointsRule::Naive => sum(&rows),
        PointsRule::LastRecord => {
            let last = rows.iter().max_by_key(|row| row[register::PERIOD].date());
            last.map(|row| row[points::SPENT].number()).unwrap_or_default()
        }
    })
}

fn money(amount: Decimal) -> String {
    let mut amount = amount.normalize();
    if amount.scale() < 2 {
        amount.rescale(2);
    }
    amount.to_string()
}
