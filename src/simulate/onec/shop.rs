//! What the shop holds: its rows as they are now, made when they are first looked at.
//!
//! Tests edit them (`edits`) and ask what is true of them (`truth`); `make` invents them.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, offset};

use super::make;
use super::sets::List;
use super::traps::{Trap, Traps};
use super::value::{Field, Guid, Row, Style, object};

/// Hours by which the base's wall clock, that of Europe/Simferopol, is ahead of UTC.
const HOURS_AHEAD: i8 = 3;

/// The simulated shop: cards, customers, sales, points and products.
#[derive(Debug)]
pub struct Shop {
    seed: u64,
    customers: u32,
    fixed: Option<Date>,
    today: Date,
    /// How long a base that has rested lets the first request wait.
    pub(super) wake: Duration,
    /// When it was last asked something.
    pub(super) asked: Mutex<Option<Instant>>,
    /// Pages asked for without an order.
    pub(super) unordered: AtomicU64,
    /// Sessions by their cookie.
    pub(super) sessions: Mutex<Sessions>,
    traps: RwLock<Arc<Traps>>,
    made: OnceLock<RwLock<Books>>,
}

/// Sessions that were asked to stay open.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// Those that are still open.
    pub open: Vec<String>,
    /// How many were opened in all.
    pub opened: u64,
}

/// All rows of the shop.
#[derive(Debug)]
pub(super) struct Books {
    /// The lists by their place.
    pub lists: [Arc<Sheet>; 5],
    /// Where each customer lives, and the rule that finds it.
    pub cities: Arc<HashMap<Guid, City>>,
    /// Cards by what is odd about them.
    pub roles: Arc<HashMap<&'static str, Guid>>,
}

/// Where a customer lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct City {
    /// Name of the town.
    pub name: String,
    /// The rule that finds it: `main_info_line_3`, `address_city`, `address_street`,
    /// `contact_city` or `presentation`.
    pub rule: &'static str,
}

/// Columns to sort by, each possibly descending.
pub(super) type By = Vec<(usize, bool)>;

/// The rows of one list at one moment; a change makes a new sheet.
#[derive(Debug)]
pub(super) struct Sheet {
    /// The columns.
    pub fields: &'static [Field],
    /// The rows in the order of creation.
    pub rows: Vec<Row>,
    orders: Mutex<HashMap<By, Arc<Vec<u32>>>>,
}

impl Sheet {
    /// A sheet with these rows.
    pub fn new(fields: &'static [Field], rows: Vec<Row>) -> Self {
        Self { fields, rows, orders: Mutex::default() }
    }

    /// Row numbers sorted by columns, each possibly descending; ties keep the order of creation.
    pub fn order(&self, by: &[(usize, bool)]) -> Arc<Vec<u32>> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(order) = orders.get(by) {
            return Arc::clone(order);
        }
        let mut order: Vec<u32> = (0..).take(self.rows.len()).collect();
        order.sort_by(|one, other| {
            let (one, other) = (&self.rows[*one as usize], &self.rows[*other as usize]);
            let differing = by.iter().map(|(column, descending)| {
                let order = one[*column].order(&other[*column]);
                if *descending { order.reverse() } else { order }
            });
            differing.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        });
        let order = Arc::new(order);
        orders.insert(by.to_vec(), Arc::clone(&order));
        order
    }

    /// The rows as JSON text.
    pub fn texts(&self, style: Style) -> Vec<String> {
        let text = |row: &Row| {
            let mut text = String::new();
            object(&mut text, self.fields, row, None, style);
            text
        };
        self.rows.iter().map(text).collect()
    }
}

impl Shop {
    /// A shop that has made nothing yet.
    pub(in super::super) fn new(options: &super::super::Options) -> Self {
        Self {
            seed: options.seed,
            customers: options.shop_customers.saturating_mul(options.scale),
            fixed: options.shop_today,
            today: options.shop_today.unwrap_or_else(|| wall_clock().date()),
            wake: options.shop_wake,
            asked: Mutex::default(),
            unordered: AtomicU64::default(),
            sessions: Mutex::default(),
            traps: RwLock::new(Arc::new(Traps::new(options.shop_traps.iter().copied()))),
            made: OnceLock::new(),
        }
    }

    /// Whether its rows have been made, which the first look at them does.
    pub fn is_made(&self) -> bool {
        self.made.get().is_some()
    }

    /// The day that dates of purchases are relative to: the one it was started on.
    pub fn today(&self) -> Date {
        self.today
    }

    /// What the base's clock on the wall shows now.
    pub fn now(&self) -> DateTime {
        self.fixed.map_or_else(wall_clock, |day| day.at(23, 0, 0, 0))
    }

    /// The traps that are on.
    pub fn traps(&self) -> Vec<Trap> {
        self.switched().list()
    }

    /// Switches these traps on and all others off.
    pub fn set_traps(&self, traps: impl IntoIterator<Item = Trap>) {
        *self.traps.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Traps::new(traps));
    }

    /// How many sessions were opened with `IBSession: start`, and how many of these are open still.
    pub fn sessions(&self) -> (u64, usize) {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        (sessions.opened, sessions.open.len())
    }

    /// The traps that are on, for a look at each.
    pub(super) fn switched(&self) -> Arc<Traps> {
        Arc::clone(&self.traps.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The rows of a list as they are now; later changes do not touch what was taken.
    pub(super) fn sheet(&self, list: List) -> Arc<Sheet> {
        Arc::clone(&self.books().read().unwrap_or_else(PoisonError::into_inner).lists[list.place()])
    }

    /// Changes the rows of a list.
    pub(super) fn edit<T>(&self, list: List, edit: impl FnOnce(&mut Vec<Row>) -> T) -> T {
        let mut books = self.books().write().unwrap_or_else(PoisonError::into_inner);
        let mut rows = books.lists[list.place()].rows.clone();
        let made = edit(&mut rows);
        books.lists[list.place()] = Arc::new(Sheet::new(list.fields(), rows));
        made
    }

    /// Where customers live.
    pub(super) fn cities(&self) -> Arc<HashMap<Guid, City>> {
        Arc::clone(&self.books().read().unwrap_or_else(PoisonError::into_inner).cities)
    }

    /// Cards by what is odd about them.
    pub(super) fn roles(&self) -> Arc<HashMap<&'static str, Guid>> {
        Arc::clone(&self.books().read().unwrap_or_else(PoisonError::into_inner).roles)
    }

    fn books(&self) -> &RwLock<Books> {
        self.made.get_or_init(|| RwLock::new(make::books(self.seed, self.customers, self.today)))
    }
}

fn wall_clock() -> DateTime {
    TimeZone::fixed(offset(HOURS_AHEAD)).to_datetime(Timestamp::now())
}
