//! What was bought and what was earned: the rows of both registers.
//!
//! Amounts are whole kopecks until they are written, so that every sum is exact.

use std::sync::Arc;

use jiff::ToSpan as _;
use jiff::civil::{DateTime, date};
use rust_decimal::Decimal;

use super::super::sets::{ACCRUAL, INVOICE, OPENING, RECEIPT, RETURN};
use super::super::value::{Document, Guid, Row, Value};
use super::Maker;

/// Cards per document of opening balances.
const OPENED_AT_ONCE: usize = 500;

/// The reference customer's purchases: days ago, and kopecks per line. They add up to 132,694.00.
const REFERENCE_PURCHASES: [(i32, &[i64]); 10] = [
    (300, &[1_850_000, 1_299_000]),
    (250, &[2_475_050]),
    (200, &[999_999, 999_999, 5_000]),
    (140, &[3_120_000]),
    (95, &[-650_000]),
    (60, &[1_530_025]),
    (45, &[745_000, 3_500]),
    (20, &[502_000]),
    (10, &[289_827]),
    (4, &[100_000]),
];

/// One row of the register of sales.
struct Line {
    at: DateTime,
    number: i64,
    active: bool,
    card: Guid,
    owner: Guid,
    product: Guid,
    quantity: i64,
    kopecks: i64,
}

impl Maker {
    /// Fills the cards with money and points.
    pub(super) fn money(&mut self) {
        let holders = std::mem::take(&mut self.holders);
        for part in holders.chunks(OPENED_AT_ONCE) {
            self.opening(part);
        }
        for (index, (card, owner)) in holders.iter().enumerate() {
            let role = self.roles.iter().find(|(_, at)| *at == card).map(|(role, _)| *role);
            match role {
                Some("reference") => self.reference(*card, *owner),
                Some("telling") => self.telling(*card),
                _ => {
                    let receipts = if role.is_some() { 2 } else { self.rng.i32(0..4) };
                    for _ in 0..receipts {
                        self.receipt(*card, *owner);
                    }
                    if role == Some("overdrawn") {
                        self.score(400, *card, 100, 0);
                        self.score(40, *card, 0, 250);
                    } else if role != Some("no_points") && index % 5 != 4 {
                        self.scores(*card);
                    }
                }
            }
        }
        self.strays(&holders);
    }

    /// One document of opening balances.
    fn opening(&mut self, holders: &[(Guid, Guid)]) {
        let document = self.document(OPENING);
        let at = self.today.saturating_sub(1_500.days()).at(12, 0, 0, 0);
        let known: Vec<Guid> = self.roles.values().copied().collect();
        let reference = self.roles["reference"];
        let mut number = 0;
        for (card, owner) in holders {
            let amounts = if *card == reference {
                vec![20_000_000, 3_236_000]
            } else if known.contains(card) || self.rng.u8(..10) < 6 {
                vec![self.rng.i64(10_000..9_000_000)]
            } else {
                Vec::new()
            };
            for kopecks in amounts {
                number += 1;
                let (card, owner) = (*card, *owner);
                let line = Line {
                    at,
                    number,
                    active: true,
                    card,
                    owner,
                    product: Guid::default(),
                    quantity: 0,
                    kopecks,
                };
                self.line(&document, &line);
            }
        }
    }

    fn receipt(&mut self, card: Guid, owner: Guid) {
        let returned = self.rarely(12);
        let kind = match () {
            () if returned => RETURN,
            () if self.rarely(15) => INVOICE,
            () => RECEIPT,
        };
        let document = self.document(kind);
        let days_ago = self.days_ago();
        let at = self.moment(days_ago);
        let sign = if returned { -1 } else { 1 };
        let mut line =
            Line { at, number: 0, active: true, card, owner, product: card, quantity: 0, kopecks: 0 };
        for _ in 0..self.rng.u8(1..4) {
            line.number += 1;
            line.product = self.goods[self.rng.usize(..self.goods.len())];
            line.quantity = sign * if self.rarely(8) { 2 } else { 1 };
            line.kopecks = line.quantity * self.rng.i64(30_000..3_000_000);
            self.line(&document, &line);
        }
        // The same thing twice: only the number of the line tells them apart.
        if self.rarely(20) {
            line.number += 1;
            self.line(&document, &line);
        }
        if !returned && self.rarely(5) {
            line.number += 1;
            line.product = self.packaging[self.rng.usize(..self.packaging.len())];
            line.quantity = 1;
            line.kopecks = self.rng.i64(0..4) * 4_900;
            self.line(&document, &line);
        }
    }

    fn reference(&mut self, card: Guid, owner: Guid) {
        for (days_ago, amounts) in REFERENCE_PURCHASES {
            let document = self.document(if amounts[0] < 0 { RETURN } else { RECEIPT });
            let at = self.moment(days_ago);
            for (number, kopecks) in (1..).zip(amounts) {
                let among = if kopecks.abs() < 10_000 { &self.packaging } else { &self.goods };
                let product = among[usize::try_from(days_ago).unwrap_or(0) % among.len()];
                let quantity = kopecks.signum();
                let line =
                    Line { at, number, active: true, card, owner, product, quantity, kopecks: *kopecks };
                self.line(&document, &line);
            }
        }
        let document = self.document(RECEIPT);
        let at = self.moment(50);
        let product = self.goods[0];
        let switched_off =
            Line { at, number: 1, active: false, card, owner, product, quantity: 1, kopecks: 7_777_700 };
        self.line(&document, &switched_off);
        self.score(500, card, 5_000, 0);
        self.score(250, card, 4_612, 0);
        self.score(15, card, 0, 4_806);
    }

    /// The rows that every rule of points adds up differently.
    fn telling(&mut self, card: Guid) {
        let day = |year, month, day| date(year, month, day).at(0, 0, 0, 0);
        self.points_at(day(2025, 1, 10), card, 100, 0, true);
        self.points_at(day(2025, 3, 1), card, 0, 30, true);
        self.points_at(day(2025, 4, 1), card, 50, 0, true);
        self.points_at(day(2099, 1, 10), card, 0, 45, true);
    }

    fn scores(&mut self, card: Guid) {
        let mut days_ago = self.rng.i32(300..900);
        let mut left = 0;
        while days_ago > 2 {
            if left > 200 && self.rng.bool() {
                let spent = self.rng.i64(1..left);
                self.score(days_ago, card, 0, spent);
                left -= spent;
            } else {
                let earned = self.rng.i64(10..3_000);
                self.score(days_ago, card, earned, 0);
                left += earned;
            }
            days_ago -= self.rng.i32(60..400);
        }
        if self.rarely(50) {
            let at = self.moment(30);
            self.points_at(at, card, 1_000_000, 0, false);
        }
        // What expires is written long before it does, and is often only a part of what is left.
        if self.rarely(6) {
            let at = self.today.saturating_add(self.rng.i32(30..2_000).days()).at(0, 0, 0, 0);
            let expiring = if self.rng.bool() { left } else { left / 2 };
            self.points_at(at, card, 0, expiring, true);
        }
    }

    /// Rows that count for nobody: of no card, or switched off.
    fn strays(&mut self, holders: &[(Guid, Guid)]) {
        for index in 0..(holders.len() / 50).max(3) {
            let document = self.document(if index == 0 { OPENING } else { RECEIPT });
            let days_ago = self.days_ago();
            let (at, product) = (self.moment(days_ago), self.goods[index % self.goods.len()]);
            let kopecks = self.rng.i64(10_000..500_000);
            let zero = Guid::default();
            let line =
                Line { at, number: 1, active: true, card: zero, owner: zero, product, quantity: 1, kopecks };
            self.line(&document, &line);
            let (card, owner) = holders[self.rng.usize(..holders.len())];
            let document = self.document(RECEIPT);
            let kopecks = self.rng.i64(10_000..500_000);
            let line = Line { active: false, card, owner, kopecks, ..line };
            self.line(&document, &line);
        }
    }

    fn score(&mut self, days_ago: i32, card: Guid, earned: i64, spent: i64) {
        let at = self.moment(days_ago);
        self.points_at(at, card, earned, spent, true);
    }

    fn points_at(&mut self, at: DateTime, card: Guid, earned: i64, spent: i64, active: bool) {
        let document = self.document(ACCRUAL);
        let (earned, spent) = (Decimal::from(earned), Decimal::from(spent));
        self.points.push(points_row(at, &document, 1, card, (earned, spent), active));
    }

    /// More than a day, most within a year, and none where the windows people ask for begin.
    fn days_ago(&mut self) -> i32 {
        loop {
            let days = if self.rng.u8(..10) < 6 { self.rng.i32(2..364) } else { self.rng.i32(367..1_200) };
            if ![7, 30, 90, 180].iter().any(|edge| (days - edge).abs() <= 1) {
                return days;
            }
        }
    }

    fn line(&mut self, document: &Arc<Document>, line: &Line) {
        let discount = if line.kopecks > 100_000 && line.number % 4 == 0 { line.kopecks / 20 } else { 0 };
        self.sales.push(sale_row(
            line.at,
            document,
            line.number,
            (line.card, line.owner, line.product),
            [Decimal::from(line.quantity), Decimal::new(line.kopecks, 2), Decimal::new(discount, 2)],
            line.active,
        ));
    }
}

/// A row of the register of sales: card, owner and product; quantity, sum and discount.
pub(in super::super) fn sale_row(
    at: DateTime,
    document: &Arc<Document>,
    line: i64,
    (card, owner, product): (Guid, Guid, Guid),
    [quantity, sum, discount]: [Decimal; 3],
    active: bool,
) -> Row {
    [
        Value::Date(at),
        Value::Recorder(Arc::clone(document)),
        Value::Text(Arc::clone(&document.kind)),
        Value::Int(line),
        Value::Flag(active),
        Value::Guid(card),
        Value::Guid(owner),
        Value::Guid(product),
        Value::Guid(Guid::default()),
        Value::Number(quantity),
        Value::Number(sum),
        Value::Number(discount),
    ]
    .into()
}

/// A row of the register of points, with what was earned and what was spent.
pub(in super::super) fn points_row(
    at: DateTime,
    document: &Arc<Document>,
    line: i64,
    card: Guid,
    (earned, spent): (Decimal, Decimal),
    active: bool,
) -> Row {
    [
        Value::Date(at),
        Value::Recorder(Arc::clone(document)),
        Value::Text(Arc::clone(&document.kind)),
        Value::Int(line),
        Value::Flag(active),
        // Both columns grow: what is to be spent is received by the register like what was earned.
        Value::text("Receipt"),
        Value::Guid(card),
        Value::Number(earned),
        Value::Number(spent),
    ]
    .into()
}
