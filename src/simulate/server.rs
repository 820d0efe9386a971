//! The simulated systems side by side: their shared state and routes.
//!
//! What a system answers is written in its own module; what goes wrong on the way, in `gate`; the
//! addresses that steer it all, in `control`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::middleware::from_fn_with_state;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::afterwards::Afterwards;
use super::at_work::AtWork;
use super::faults::Faults;
use super::gate::gate;
use super::ledger::{Ledger, readable};
use super::mutations::Mutations;
use super::payamgostar::Outbox;
use super::table::{Shape, Table};
use super::traps::OfficeTraps;
use super::{Crm, Fault, Finance, Options, Shop};
use super::{change, control, exness, onec, payamgostar, siagh, xm};

/// Everything the simulator holds.
#[derive(Debug)]
pub(super) struct World {
    /// What the simulator was started with.
    pub options: Options,
    /// The systems by name.
    pub systems: Vec<Arc<System>>,
    /// What goes wrong.
    pub faults: Faults,
    /// What was asked.
    pub ledger: Ledger,
    /// What the shop holds.
    pub shop: Shop,
    /// What the CRM holds.
    pub crm: Crm,
    /// What the CRM says of its changes.
    pub outbox: Arc<Outbox>,
    /// What the finance system holds.
    pub finance: Finance,
    /// How CRM and finance differ from what one hopes for.
    pub office_traps: Arc<OfficeTraps>,
    /// What changed in CRM and finance.
    pub mutations: Arc<Mutations>,
    /// Work that outlives its request.
    pub afterwards: Afterwards,
    /// When the simulator started.
    pub started: Instant,
    /// Becomes true when the simulator stops.
    pub stopping: watch::Receiver<bool>,
    changes: AtomicU64,
}

/// One simulated system.
#[derive(Debug)]
pub(super) struct System {
    /// Name, as faults and ledger use it.
    pub name: &'static str,
    /// Where it is mounted.
    pub base: &'static str,
    /// Its addresses below that, for those who plan faults.
    pub paths: &'static [&'static str],
    /// What it answers when a fault makes it empty.
    pub empty: &'static str,
    /// Tokens it has handed out.
    pub tokens: Tokens,
    /// What it holds; the shop's rows are in [`World::shop`].
    pub streams: Vec<Stream>,
    /// How many requests it works on.
    pub at_work: AtWork,
}

/// The rows of one stream as they are now.
#[derive(Debug)]
pub(super) struct Stream {
    /// What the rows look like.
    pub shape: &'static Shape,
    /// Pages asked for without a fixed order, which decides how far rows have moved.
    pub unordered: AtomicU64,
    table: RwLock<Arc<Table>>,
}

/// Tokens with the Unix second they expire at.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<String, u64>>);

/// What a request handler gets: its system, and the world around it.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    /// The world.
    pub world: Arc<World>,
    /// The system that was asked.
    pub system: Arc<System>,
}

impl World {
    /// Makes the data of all systems.
    pub fn new(options: Options, outbox: Arc<Outbox>, stopping: watch::Receiver<bool>) -> Self {
        let mut systems = exness::systems(&options);
        systems.push(xm::system(&options));
        systems.push(onec::system());
        systems.push(payamgostar::system());
        systems.push(siagh::system());
        let faults = Faults::default();
        faults.set(options.faults.clone());
        let shop = Shop::new(&options);
        let started = Instant::now();
        let (office_traps, mutations) = (Arc::new(OfficeTraps::default()), Arc::new(Mutations::new(started)));
        office_traps.set(options.office_traps.iter().copied());
        let makeup = options.makeup();
        let crm = Crm::new(makeup, Arc::clone(&office_traps), Arc::clone(&mutations), Arc::clone(&outbox));
        let finance = Finance::new(makeup, Arc::clone(&office_traps), Arc::clone(&mutations));
        Self {
            systems: systems.into_iter().map(Arc::new).collect(),
            options,
            faults,
            ledger: Ledger::default(),
            shop,
            crm,
            outbox,
            finance,
            office_traps,
            mutations,
            afterwards: Afterwards::default(),
            started,
            stopping,
            changes: AtomicU64::new(0),
        }
    }

    /// Why a fault can never happen: there is no such system, or no such address in it.
    pub fn never(&self, fault: &Fault) -> Option<String> {
        let meant: Vec<_> = self.systems.iter().filter(|s| ["*", s.name].contains(&&*fault.system)).collect();
        if meant.is_empty() {
            let names: Vec<_> = self.systems.iter().map(|system| system.name).collect();
            return Some(format!(
                "there is no system {:?}; there are {} and *",
                fault.system,
                names.join(", ")
            ));
        }
        if meant.iter().any(|system| system.serves(&fault.path)) {
            return None;
        }
        let paths = meant.iter().flat_map(|s| s.paths.iter().map(|path| format!("{}{path}", s.base)));
        Some(format!("no address holds {:?}; there are {}", fault.path, paths.collect::<Vec<_>>().join(", ")))
    }

    /// A stream of a system.
    pub fn stream(&self, system: &str, stream: &str) -> Option<&Stream> {
        let system = self.systems.iter().find(|candidate| candidate.name == system)?;
        system.stream(stream)
    }

    /// Changes so many percent of a stream's rows and says how many these were.
    pub fn change(&self, system: &str, stream: &str, percent: f64) -> Option<u64> {
        let call = self.changes.fetch_add(1, Ordering::Relaxed);
        let rng = change::dice(self.options.seed, call);
        match system {
            onec::NAME => return self.shop.change(stream, percent, rng),
            payamgostar::NAME => return self.crm.change(stream, percent, rng),
            siagh::NAME => return self.finance.change(stream, percent, rng),
            _ => {}
        }
        let stream = self.stream(system, stream)?;
        let mut changed = 0;
        stream.edit(|table| {
            let rows;
            (rows, changed) = change::some(table, percent, self.options.seed, call);
            rows
        });
        Some(changed)
    }

    /// Counts and sums of every stream.
    pub fn truth(&self) -> Value {
        let system = |system: &Arc<System>| {
            let streams: Map<String, Value> = system
                .streams
                .iter()
                .map(|stream| (stream.shape.name.to_owned(), truth(&stream.table())))
                .collect();
            (system.name.to_owned(), Value::Object(streams))
        };
        let mut truth: Map<String, Value> = self.systems.iter().map(system).collect();
        truth.insert(onec::NAME.to_owned(), self.shop.truth());
        truth.insert(payamgostar::NAME.to_owned(), self.crm.truth());
        truth.insert(siagh::NAME.to_owned(), self.finance.truth());
        Value::Object(truth)
    }

    /// Waits, but not beyond the end of the simulator.
    pub async fn pause(&self, time: Duration) {
        let mut stopping = self.stopping.clone();
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
    }
}

impl System {
    /// Whether a request to it may hold this in its path and query.
    fn serves(&self, part: &str) -> bool {
        let part = readable(part);
        let part = part.as_str();
        let (path, query) = part.split_once('?').map_or((part, None), |(path, query)| (path, Some(query)));
        self.paths.iter().map(|own| format!("{}{own}", self.base)).any(|own| {
            // A part without `?` may be one of the query alone.
            let inside = own.contains(path)
                || path.contains('=')
                || (own.ends_with("/traders/") && path.contains("/traders/"));
            if query.is_some() { own.ends_with(path) } else { inside }
        })
    }

    /// A stream by its name.
    pub fn stream(&self, name: &str) -> Option<&Stream> {
        self.streams.iter().find(|stream| stream.shape.name == name)
    }
}

impl Stream {
    /// A stream with these rows.
    pub fn new(shape: &'static Shape, rows: Vec<String>) -> Self {
        Self { shape, unordered: AtomicU64::new(0), table: RwLock::new(Arc::new(Table::new(shape, rows))) }
    }

    /// The rows as they are now; later changes do not touch what was taken.
    pub fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes new rows of the old ones.
    pub fn edit(&self, rows: impl FnOnce(&Table) -> Vec<String>) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        *table = Arc::new(Table::new(self.shape, rows(&table)));
    }
}

impl Tokens {
    /// Remembers a token until it expires.
    pub fn add(&self, token: String, expires: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(token, expires);
    }

    /// Whether a token was handed out, not taken away and not expired at `now` (Unix seconds).
    pub fn good(&self, token: &str, now: u64) -> bool {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(token).is_some_and(|expires| now < *expires)
    }

    /// Takes a token away and says whether it was good.
    pub fn take(&self, token: &str, now: u64) -> bool {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.remove(token).is_some_and(|expires| now < expires)
    }

    /// Takes all tokens away.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Every address of the simulator.
pub(super) fn router(world: &Arc<World>) -> Router {
    let mut router = control::routes().with_state(Arc::clone(world));
    for system in &world.systems {
        let seat = Seat { world: Arc::clone(world), system: Arc::clone(system) };
        let routes = match system.name {
            xm::NAME => xm::routes(system.base),
            onec::NAME => onec::routes(system.base),
            payamgostar::NAME => payamgostar::routes(system.base),
            siagh::NAME => siagh::routes(system.base),
            _ => exness::routes(system.base),
        };
        router = router.merge(routes.layer(from_fn_with_state(seat.clone(), gate)).with_state(seat));
    }
    router
}

fn truth(table: &Table) -> Value {
    let sum = |field: &&str| ((*field).to_owned(), Value::String(table.tally.sum(table.shape, field)));
    let sums: Map<String, Value> = table.shape.sums.iter().map(sum).collect();
    json!({ "count": table.tally.count, "clients": table.tally.clients, "sums": sums })
}
