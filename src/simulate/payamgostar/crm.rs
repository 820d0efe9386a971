//! What the CRM holds, made when it is first looked at, and what requests do to it.
//!
//! What people do to it is in `desk`.

mod desk;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use jiff::ToSpan as _;
use jiff::civil::DateTime;
use serde_json::{Value, json};

use super::super::faults::Twist;
use super::super::mutations::{By, Kind, Mutation, Mutations};
use super::super::people::{Makeup, id};
use super::super::record::Record;
use super::super::traps::{OfficeTrap, OfficeTraps};
use super::fields::{Sort, wall_clock, written};
use super::find::{Found, Ways, find};
use super::webhooks::Outbox;
use super::{NAME, Refusal, make, write};

/// After so many refused logins nobody is let in.
const MOST_LOGINS: u32 = 5;

/// The simulated CRM: identities, quotes and invoices.
#[derive(Debug)]
pub struct Crm {
    makeup: Makeup,
    traps: Arc<OfficeTraps>,
    mutations: Arc<Mutations>,
    outbox: Arc<Outbox>,
    refused: AtomicU32,
    unordered: AtomicU64,
    made: OnceLock<RwLock<Books>>,
}

/// An object with its kind, which is never served.
#[derive(Debug, Clone)]
pub(super) struct Object {
    /// What it is.
    pub sort: Sort,
    /// Its fields.
    pub row: Record,
}

/// All objects of the CRM.
#[derive(Debug)]
pub(super) struct Books {
    /// The objects in the order of creation.
    pub objects: Vec<Object>,
    /// How many have been made since the start.
    pub added: u32,
    /// The number that the next quote gets.
    pub next_number: u32,
    /// The last moment that was written down.
    pub last: DateTime,
}

impl Object {
    /// Its id.
    pub fn id(&self) -> String {
        self.row.text("crmId")
    }
}

impl Books {
    /// An object by its id, in any letter case.
    pub fn object(&self, id: &str) -> Option<&Object> {
        self.place(id).map(|place| &self.objects[place])
    }

    fn place(&self, id: &str) -> Option<usize> {
        self.objects.iter().position(|object| object.id().eq_ignore_ascii_case(id))
    }

    /// Now, and later than everything before.
    fn now(&mut self) -> String {
        let next = self.last.saturating_add(100.nanoseconds());
        self.last = wall_clock().max(next);
        written(self.last)
    }
}

impl Crm {
    /// The streams it has.
    pub(in super::super) const STREAMS: [&str; 3] = ["identities", "quotes", "invoices"];
    /// Subtype code of persons.
    pub const PERSON_TYPE: &str = "person";
    /// Subtype code of organizations.
    pub const ORGANIZATION_TYPE: &str = "organization";
    /// Key of the category of customers.
    pub const CATEGORY: &str = "customers";

    /// A CRM that has made nothing yet.
    pub(in super::super) fn new(
        makeup: Makeup,
        traps: Arc<OfficeTraps>,
        mutations: Arc<Mutations>,
        outbox: Arc<Outbox>,
    ) -> Self {
        Self {
            makeup,
            traps,
            mutations,
            outbox,
            refused: AtomicU32::default(),
            unordered: AtomicU64::default(),
            made: OnceLock::new(),
        }
    }

    /// Whether its rows have been made, which the first look at them does.
    pub fn is_made(&self) -> bool {
        self.made.get().is_some()
    }

    /// Whether so many logins were refused that nobody is let in.
    pub fn is_locked(&self) -> bool {
        self.refused.load(Ordering::SeqCst) >= MOST_LOGINS
    }

    /// Forgets refused logins, as half an hour would.
    pub fn unlock(&self) {
        self.refused.store(0, Ordering::SeqCst);
    }

    pub(super) fn refuse_login(&self) {
        self.refused.fetch_add(1, Ordering::SeqCst);
    }

    /// A login that is let in takes back those before it.
    pub(super) fn forgive_logins(&self) {
        self.unlock();
    }

    pub(super) fn trap(&self, trap: OfficeTrap) -> bool {
        self.traps.on(trap)
    }

    /// How far the rows of a list have moved, when that trap is on.
    pub(super) fn shift(&self) -> usize {
        match self.trap(OfficeTrap::CrmUnordered) {
            true => {
                let lists = self.unordered.fetch_add(1, Ordering::Relaxed);
                usize::try_from(lists * 13 % 29).unwrap_or(0)
            }
            false => 0,
        }
    }

    /// The identities as the list of all has them.
    pub(super) fn listed(&self, term: &str) -> Vec<Record> {
        let brief = |row: &Record| {
            let mut brief = Record::default();
            for (name, field) in
                [("identityId", "identityId"), ("nickName", "nickName"), ("customerNo", "customerNumber")]
            {
                brief.set(name, &json!(row.text(field)));
            }
            brief
        };
        let meant = |row: &Record| {
            term.is_empty()
                || ["nickName", "customerNumber"].iter().any(|field| row.text(field).contains(term))
        };
        self.read(|books| {
            let identities = books.objects.iter().filter(|object| object.sort.stream() == "identities");
            identities.filter(|object| meant(&object.row)).map(|object| brief(&object.row)).collect()
        })
    }

    /// An object of one kind.
    pub(super) fn get(&self, sort: Sort, id: &str) -> Result<Record, Refusal> {
        if id.is_empty() {
            return Err(Refusal::new(400, "ValidationError", "The id field is required."));
        }
        let found = self.read(|books| books.object(id).filter(|object| object.sort == sort).cloned());
        found.map(|object| object.row).ok_or_else(missing)
    }

    /// A page of the objects of one kind that a question is about.
    pub(super) fn find(&self, sort: Sort, given: &Record, twist: Option<Twist>) -> Result<Found, Refusal> {
        let ways = Ways { modify_date: !self.trap(OfficeTrap::CrmNoModifyDate), shift: self.shift(), twist };
        self.read(|books| {
            let of_the_kind = books.objects.iter().filter(|object| object.sort == sort);
            find(sort, &of_the_kind.map(|object| &object.row).collect::<Vec<_>>(), given, ways)
        })
    }

    /// Saves an identity as a new one, or over the one that is named, and gives its id.
    pub(super) fn save(&self, sort: Sort, given: &Record, over: bool) -> Result<String, Refusal> {
        let keep = over && self.trap(OfficeTrap::CrmKeepsAbsent);
        self.write(|books| {
            let before = if over { Some(named(books, sort, given)?) } else { None };
            let now = books.now();
            let mut row = match &before {
                Some(before) => before.clone(),
                None => write::blank(&self.next_id(books), "", &now),
            };
            write::set(&mut row, sort, given, keep)?;
            let (id, number) = (row.text("crmId"), row.text("customerNumber"));
            let same = |other: &Object| other.row.text("customerNumber") == number && other.id() != id;
            if !number.is_empty() && books.objects.iter().any(same) {
                return Err(Refusal::new(400, "DuplicateCustomerNumber", "شماره مشتری تکراری است."));
            }
            row.set("modifyDate", &json!(now));
            self.put(books, Object { sort, row }, By::Api, &given.to_value());
            Ok(id)
        })
    }

    /// Writes an object over the one with its id, or as a new one, and tells of it.
    fn put(&self, books: &mut Books, object: Object, by: By, given: &Value) {
        let place = books.place(&object.id());
        let before = place.map(|place| books.objects[place].row.to_value());
        let kind = if place.is_some() { Kind::Update } else { Kind::Create };
        self.tell(&object, kind, by, before.unwrap_or_default(), object.row.to_value(), given);
        match place {
            Some(place) => books.objects[place] = object,
            None => books.objects.push(object),
        }
    }

    fn tell(&self, object: &Object, kind: Kind, by: By, before: Value, after: Value, given: &Value) {
        let key = object.id();
        self.outbox.hint(object.sort, kind, &key, &object.row.text("crmObjectTypeCode"));
        let stream = object.sort.stream();
        let given = given.clone();
        self.mutations.record(Mutation {
            at_ms: 0,
            system: NAME,
            by,
            kind,
            stream,
            key,
            before,
            after,
            given,
        });
    }

    fn next_id(&self, books: &mut Books) -> String {
        books.added += 1;
        id(self.makeup.seed, 5, books.added)
    }

    fn read<T>(&self, look: impl FnOnce(&Books) -> T) -> T {
        look(&self.books().read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, change: impl FnOnce(&mut Books) -> T) -> T {
        change(&mut self.books().write().unwrap_or_else(PoisonError::into_inner))
    }

    fn books(&self) -> &RwLock<Books> {
        self.made.get_or_init(|| RwLock::new(make::books(&self.makeup)))
    }
}

/// The identity that an update names, by one of two names or by both.
fn named(books: &Books, sort: Sort, given: &Record) -> Result<Record, Refusal> {
    let [id, crm_id] = ["id", "crmId"].map(|name| given.text(name));
    if id.is_empty() && crm_id.is_empty() || !id.is_empty() && !crm_id.is_empty() && id != crm_id {
        return Err(Refusal::new(400, "ValidationError", "The crmId field is required."));
    }
    let id = if id.is_empty() { crm_id } else { id };
    let found = books.object(&id).filter(|object| object.sort == sort);
    found.map(|object| object.row.clone()).ok_or_else(missing)
}

fn missing() -> Refusal {
    Refusal::new(404, "NotFound", "موجودیت مورد نظر یافت نشد.")
}
