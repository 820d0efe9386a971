//! What the finance system holds, made when it is first looked at, and what accountants do to it.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use fastrand::Rng;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::change::share;
use super::super::mutations::{By, Kind, Mutation, Mutations};
use super::super::people::{Makeup, Match};
use super::super::record::Record;
use super::super::traps::{OfficeTrap, OfficeTraps};
use super::form::{Form, failed};
use super::{NAME, contact, document, make};

const CONTACTS: &str = "contacts";
const PRE_INVOICES: &str = "pre_invoices";

/// The simulated finance system: contacts and pre-invoices.
#[derive(Debug)]
pub struct Finance {
    makeup: Makeup,
    traps: Arc<OfficeTraps>,
    mutations: Arc<Mutations>,
    date: RwLock<String>,
    made: OnceLock<RwLock<Books>>,
}

/// All rows of the finance system.
#[derive(Debug)]
pub(super) struct Books {
    /// The contacts in the order of creation.
    pub contacts: Vec<Record>,
    /// The pre-invoices in the order they were written.
    pub documents: Vec<Record>,
    /// What of the contacts the CRM had at the start.
    pub expected: Vec<Expected>,
}

/// What an import has to find out about a contact, by how the data was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// The contact.
    pub code: i64,
    /// By what it can be found in the CRM.
    pub found: Match,
    /// Who it is there: nobody, one identity, or the two it could be.
    pub identities: Vec<String>,
}

impl Books {
    /// A contact by its code.
    pub fn contact(&self, code: i64) -> Option<&Record> {
        self.contacts.iter().find(|own| contact::key(own) == code)
    }

    /// The code that the next contact gets.
    pub fn next_code(&self) -> i64 {
        self.contacts.iter().map(contact::key).max().unwrap_or_default().max(1_000) + 1
    }

    /// Writes a contact over the one with its code, or as a new one.
    pub fn put(&mut self, code: i64, row: Record) {
        match self.contacts.iter_mut().find(|own| contact::key(own) == code) {
            Some(own) => *own = row,
            None => self.contacts.push(row),
        }
    }
}

impl Finance {
    /// The streams it has.
    pub(in super::super) const STREAMS: [&str; 2] = [CONTACTS, PRE_INVOICES];

    /// How every value of the column `Password` begins: whoever stores or logs it is found out.
    pub const CANARY: &str = "sim-canary-of-a-password-";

    /// A finance system that has made nothing yet.
    pub(in super::super) fn new(makeup: Makeup, traps: Arc<OfficeTraps>, mutations: Arc<Mutations>) -> Self {
        let date = RwLock::new("1408/05/17".to_owned());
        Self { makeup, traps, mutations, date, made: OnceLock::new() }
    }

    /// Whether its rows have been made, which the first look at them does.
    pub fn is_made(&self) -> bool {
        self.made.get().is_some()
    }

    /// Moves the system to another day of the Jalali calendar, `1409/01/05`; its year is the fiscal year.
    pub fn set_date(&self, day: &str) {
        day.clone_into(&mut self.date.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// The fiscal year and the day.
    pub(super) fn date(&self) -> (u16, String) {
        let day = self.date.read().unwrap_or_else(PoisonError::into_inner).clone();
        (day.split('/').next().and_then(|year| year.parse().ok()).unwrap_or_default(), day)
    }

    /// What of the contacts the CRM had at the start, in the order of creation.
    pub fn expected(&self) -> Vec<Expected> {
        self.read(|books| books.expected.clone())
    }

    /// A contact with all that is kept of it, also `tmpid`, but for the password.
    pub fn contact(&self, code: i64) -> Option<Value> {
        self.read(|books| books.contact(code).map(known))
    }

    /// The pre-invoices in the order they were written: `{"number","code","id","suid","year",
    /// "contact","party","lines","net","ctrlValues","parameters","dataRows"}`, the last three word
    /// for word as they were sent.
    pub fn documents(&self) -> Vec<Value> {
        self.read(|books| books.documents.iter().map(Record::to_value).collect())
    }

    /// An accountant changes columns of a contact. Says whether there is such a contact.
    pub fn edit(&self, code: i64, columns: &Value) -> bool {
        self.write(|books| {
            let Some(before) = books.contact(code).cloned() else { return false };
            let mut after = before.clone();
            set(&mut after, columns);
            books.put(code, after.clone());
            self.note(Kind::Update, CONTACTS, By::Person, code, Some(&before), Some(&after));
            true
        })
    }

    /// An accountant adds a contact, and gives its code. Nothing is checked.
    pub fn add(&self, columns: &Value) -> i64 {
        self.write(|books| {
            let code = columns["Code"].as_i64().unwrap_or_else(|| books.next_code());
            let mut after = contact::blank(code, !self.traps.on(OfficeTrap::FinanceNoParty));
            set(&mut after, columns);
            books.put(code, after.clone());
            self.note(Kind::Create, CONTACTS, By::Person, code, None, Some(&after));
            code
        })
    }

    /// An accountant removes a contact. Says whether there was such a contact.
    pub fn remove(&self, code: i64) -> bool {
        self.write(|books| {
            let Some(before) = books.contact(code).cloned() else { return false };
            books.contacts.retain(|own| contact::key(own) != code);
            self.note(Kind::Delete, CONTACTS, By::Person, code, Some(&before), None);
            true
        })
    }

    /// Saves a form and gives the answer.
    pub(super) fn save(&self, form: &Form) -> Value {
        let (year, _) = self.date();
        self.write(|books| match form.id.as_str() {
            contact::FORM => {
                let saved = contact::save(books, form, &self.traps);
                if let Some((code, before, after)) = saved.written {
                    let kind = if before.is_some() { Kind::Update } else { Kind::Create };
                    let mutation = mutation(kind, CONTACTS, &code.to_string(), before.as_ref(), Some(&after));
                    self.mutations.record(Mutation { given: form.given.clone(), ..mutation });
                }
                saved.answer
            }
            document::FORM => {
                let written = document::write(books, form, year, &self.traps);
                if let Some(document) = written.document {
                    let mutation =
                        mutation(Kind::Document, PRE_INVOICES, &document.text("code"), None, Some(&document));
                    self.mutations.record(Mutation { given: form.given.clone(), ..mutation });
                }
                written.answer
            }
            _ => failed("فرم مورد نظر یافت نشد."),
        })
    }

    /// The contacts as they are served.
    pub(super) fn served(&self) -> Vec<Record> {
        let flipped = self.traps.on(OfficeTrap::FinanceTowardFlipped);
        let served = |row: &Record| {
            let mut row = row.without(&["tmpid"]);
            if flipped {
                row.set("TowardType", &json!(row.raw("TowardType") != Some("true")));
            }
            row
        };
        self.read(|books| books.contacts.iter().map(served).collect())
    }

    /// The rows of a stream as JSON text.
    pub(in super::super) fn texts(&self, stream: &str) -> Option<Vec<String>> {
        match stream {
            CONTACTS => Some(self.served().iter().map(Record::json).collect()),
            PRE_INVOICES => Some(self.read(|books| books.documents.iter().map(Record::json).collect())),
            _ => None,
        }
    }

    /// Replaces a stream by rows read from JSON text; rows that are none are left out.
    pub(in super::super) fn replace(&self, stream: &str, texts: &[String]) -> Option<()> {
        let rows = texts.iter().filter_map(|text| Record::read(text)).collect();
        match stream {
            CONTACTS => self.write(|books| books.contacts = rows),
            PRE_INVOICES => self.write(|books| books.documents = rows),
            _ => return None,
        }
        Some(())
    }

    /// Accountants change so many percent of the contacts, and this many they were.
    pub(in super::super) fn change(&self, stream: &str, percent: f64, mut rng: Rng) -> Option<u64> {
        if stream != CONTACTS {
            return None;
        }
        let mut codes: Vec<i64> = self.read(|books| {
            let customers = books.contacts.iter().filter(|own| own.raw("IsAdminUser") != Some("true"));
            customers.map(contact::key).collect()
        });
        rng.shuffle(&mut codes);
        codes.truncate(share(codes.len(), percent));
        for code in &codes {
            let columns = match rng.u8(..3) {
                0 => json!({ "Description": format!("بررسی شد {}", rng.u32(1..1_000_000)) }),
                1 => json!({ "Email": format!("changed{}@mail.example.test", rng.u32(1..1_000_000)) }),
                _ => json!({ "Address": format!("کاشان، کوچه الگو، پلاک {}", rng.u32(1..1_000_000)) }),
            };
            self.edit(*code, &columns);
        }
        Some(codes.len() as u64)
    }

    /// `{"contacts":{"count","customers","admins","no_party","no_phone","expected":{…}},
    /// "pre_invoices":{"count"}}`.
    pub(in super::super) fn truth(&self) -> Value {
        self.read(|books| {
            let count =
                |meant: &dyn Fn(&Record) -> bool| books.contacts.iter().filter(|own| meant(own)).count();
            let admins = count(&|own| own.raw("IsAdminUser") == Some("true"));
            let mut expected: BTreeMap<String, u64> = BTreeMap::new();
            for one in &books.expected {
                let name = json!(one.found).as_str().unwrap_or_default().to_owned();
                *expected.entry(name).or_default() += 1;
            }
            json!({
                CONTACTS: {
                    "count": books.contacts.len(),
                    "customers": books.contacts.len() - admins,
                    "admins": admins,
                    "no_party": count(&|own| own.text("AccountPartyCode").is_empty()) - admins,
                    "no_phone": count(&|own| own.text("MobileNo").is_empty() && own.text("TelNo").is_empty()),
                    "expected": expected,
                },
                PRE_INVOICES: { "count": books.documents.len() },
            })
        })
    }

    fn note(
        &self,
        kind: Kind,
        stream: &'static str,
        by: By,
        code: i64,
        before: Option<&Record>,
        after: Option<&Record>,
    ) {
        self.mutations.record(Mutation { by, ..mutation(kind, stream, &code.to_string(), before, after) });
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

/// A change that came in by the API, with nothing said yet of what was sent.
fn mutation(
    kind: Kind,
    stream: &'static str,
    key: &str,
    before: Option<&Record>,
    after: Option<&Record>,
) -> Mutation {
    Mutation {
        at_ms: 0,
        system: NAME,
        by: By::Api,
        kind,
        stream,
        key: key.to_owned(),
        before: before.map_or(Value::Null, known),
        after: after.map_or(Value::Null, known),
        given: Value::Null,
    }
}

/// A row without the password.
fn known(row: &Record) -> Value {
    row.without(&["Password"]).to_value()
}

fn set(row: &mut Record, columns: &Value) {
    for (column, value) in columns.as_object().into_iter().flatten() {
        row.set(column, value);
    }
}
