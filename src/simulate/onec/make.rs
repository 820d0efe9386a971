//! Invents the shop from a seed: people with their cards (`people`), what is sold (`goods`), and
//! what was bought and earned (`money`).
//!
//! The first people and cards are those that tell the rules of the wire page apart; each such card
//! has a name under which tests find it ([`super::Shop::card`]).

mod goods;
mod money;
mod people;

pub(super) use money::{points_row, sale_row};

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};

use super::sets::List;
use super::shop::{Books, City, Sheet};
use super::value::{Document, Guid, Row, Value};

/// The phone of the customer whose figures are known.
pub(super) const REFERENCE_PHONE: &str = "77000000001";
/// The phone of the customer whose points tell the rules apart.
pub(super) const TELLING_PHONE: &str = "77000000002";

/// The shop while it is made.
struct Maker {
    rng: Rng,
    today: Date,
    customers: Vec<Row>,
    cards: Vec<Row>,
    sales: Vec<Row>,
    points: Vec<Row>,
    products: Vec<Row>,
    goods: Vec<Guid>,
    packaging: Vec<Guid>,
    cities: HashMap<Guid, City>,
    roles: HashMap<&'static str, Guid>,
    /// Cards to be filled with money, with their owners.
    holders: Vec<(Guid, Guid)>,
}

/// Everything the shop holds, for so many customers, with purchases up to `today`.
pub(super) fn books(seed: u64, customers: u32, today: Date) -> Books {
    let mut maker = Maker {
        rng: Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(1_001)),
        today,
        customers: Vec::new(),
        cards: Vec::new(),
        sales: Vec::new(),
        points: Vec::new(),
        products: Vec::new(),
        goods: Vec::new(),
        packaging: Vec::new(),
        cities: HashMap::new(),
        roles: HashMap::new(),
        holders: Vec::new(),
    };
    maker.goods();
    maker.people(customers);
    maker.money();
    let sheet = |list: List, rows| Arc::new(Sheet::new(list.fields(), rows));
    Books {
        lists: [
            sheet(List::Cards, maker.cards),
            sheet(List::Customers, maker.customers),
            sheet(List::Sales, maker.sales),
            sheet(List::Points, maker.points),
            sheet(List::Products, maker.products),
        ],
        cities: Arc::new(maker.cities),
        roles: Arc::new(maker.roles),
    }
}

impl Maker {
    fn guid(&mut self) -> Guid {
        Guid(self.rng.u128(1..))
    }

    fn document(&mut self, kind: &str) -> Arc<Document> {
        Arc::new(Document { kind: Arc::from(kind), id: self.guid() })
    }

    /// One chance in so many.
    fn rarely(&mut self, one_in: u32) -> bool {
        self.rng.u32(..one_in) == 0
    }

    /// A moment of shopping so many days ago; now and then next to midnight, when the day in UTC is
    /// another one.
    fn moment(&mut self, days_ago: i32) -> DateTime {
        let day = self.today.saturating_sub(days_ago.days());
        let hour =
            if self.rarely(10) { *self.rng.choice(&[0, 1, 23]).unwrap_or(&0) } else { self.rng.i8(10..21) };
        day.at(hour, self.rng.i8(0..60), self.rng.i8(0..60), 0)
    }
}

/// A counter of writes as 1C sends it: any change makes it another one.
pub(super) fn version(count: u32) -> Value {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&count.to_be_bytes());
    Value::text(&STANDARD.encode(bytes))
}

/// The version after a version.
pub(super) fn next_version(version_now: &str) -> Value {
    let bytes = STANDARD.decode(version_now).unwrap_or_default();
    let count = bytes.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    version(count.wrapping_add(1))
}
