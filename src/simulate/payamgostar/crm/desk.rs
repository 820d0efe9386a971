//! What people who work in the CRM do, and what tests see of it.

use fastrand::Rng;
use serde_json::{Value, json};

use super::super::super::change::share;
use super::super::super::mutations::{By, Kind};
use super::super::super::record::Record;
use super::super::fields::{SUBTYPES, Sort};
use super::super::{bills, write};
use super::{Books, Crm, Object};

impl Crm {
    /// Somebody changes fields of an identity, by their names on the wire; `mobile` sets the number of
    /// the phone that is its mobile. Nothing is checked. Says whether there is such an identity.
    pub fn edit(&self, id: &str, fields: &Value) -> bool {
        self.change_one(id, |object| {
            let identity = matches!(object.sort, Sort::Person | Sort::Organization);
            if identity {
                set(&mut object.row, fields);
            }
            identity
        })
    }

    /// Somebody adds a person, and this is its id. Without a `customerNumber` it is a lead.
    pub fn create_person(&self, fields: &Value) -> String {
        let lead = fields["customerNumber"].as_str().unwrap_or_default().is_empty();
        self.create(Sort::Person, if lead { "lead" } else { Self::PERSON_TYPE }, fields)
    }

    /// Somebody adds an organization, and this is its id.
    pub fn create_organization(&self, fields: &Value) -> String {
        self.create(Sort::Organization, Self::ORGANIZATION_TYPE, fields)
    }

    /// Somebody deletes an object of any kind. Says whether there was such an object.
    pub fn delete(&self, id: &str) -> bool {
        self.write(|books| {
            let Some(place) = books.place(id) else { return false };
            let object = books.objects.remove(place);
            let before = object.row.to_value();
            self.tell(&object, Kind::Delete, By::Person, before, Value::Null, &Value::Null);
            true
        })
    }

    /// Somebody writes a quote, and this is its id. Lines are `{"productCode","count","baseUnitPrice",
    /// "totalDiscount"}`; everything that follows from them is computed unless it is given. It has the
    /// subtype `PI_1` and is pending unless it says otherwise; one that is approved gets a number
    /// unless it says one, be it empty.
    pub fn add_quote(&self, fields: &Value) -> String {
        self.add_bill(Sort::Quote, "PI_1", fields)
    }

    /// Somebody writes an invoice, and this is its id; as [`Crm::add_quote`]. One that came from a quote
    /// has that quote's id as its `refId`.
    pub fn add_invoice(&self, fields: &Value) -> String {
        self.add_bill(Sort::Invoice, "SI_1", fields)
    }

    /// Somebody changes a quote or an invoice: with `details` all its lines, and what follows from them.
    /// One that is approved gets a number as [`Crm::add_quote`] has it. Says whether there is such a one.
    pub fn edit_quote(&self, id: &str, fields: &Value) -> bool {
        let given = Record::of(fields);
        self.write(|books| {
            let bill = books.object(id).filter(|object| matches!(object.sort, Sort::Quote | Sort::Invoice));
            let Some(mut bill) = bill.cloned() else { return false };
            bills::set(&mut bill.row, &given);
            number(books, &mut bill.row, &given);
            bill.row.set("modifyDate", &json!(books.now()));
            self.put(books, bill, By::Person, &Value::Null);
            true
        })
    }

    /// Somebody approves a quote, which numbers it; gives the number, if there is such a quote.
    pub fn number_quote(&self, id: &str) -> Option<String> {
        let known = self.edit_quote(id, &json!({ "billableObjectStateIndex": 2 }));
        let row = self.object(id).filter(|_| known)?;
        row["number"].as_str().map(str::to_owned)
    }

    /// An object of any kind as it is now, by its id.
    pub fn object(&self, id: &str) -> Option<Value> {
        self.read(|books| books.object(id).map(|object| object.row.to_value()))
    }

    /// Whether an identity is an organization; `None` when there is no such identity.
    pub fn is_organization(&self, id: &str) -> Option<bool> {
        let sort = self.read(|books| books.object(id).map(|object| object.sort))?;
        matches!(sort, Sort::Person | Sort::Organization).then_some(sort == Sort::Organization)
    }

    /// The rows of a stream as JSON text.
    pub(in super::super::super) fn texts(&self, stream: &str) -> Option<Vec<String>> {
        if !Self::STREAMS.contains(&stream) {
            return None;
        }
        let of_it = |books: &Books| {
            let own = books.objects.iter().filter(|object| object.sort.stream() == stream);
            own.map(|object| object.row.json()).collect()
        };
        Some(self.read(of_it))
    }

    /// Replaces a stream by rows read from JSON text; rows that are none are left out. An identity is
    /// what its subtype says, else a person.
    pub(in super::super::super) fn replace(&self, stream: &str, texts: &[String]) -> Option<()> {
        let sort = |row: &Record| match stream {
            "quotes" => Sort::Quote,
            "invoices" => Sort::Invoice,
            _ => {
                let subtype = row.text("crmObjectTypeCode");
                SUBTYPES.iter().find(|(code, ..)| *code == subtype).map_or(Sort::Person, |(_, sort, _)| *sort)
            }
        };
        let rows = texts.iter().filter_map(|text| Record::read(text));
        let objects: Vec<Object> = rows.map(|row| Object { sort: sort(&row), row }).collect();
        self.write(|books| {
            books.objects.retain(|object| object.sort.stream() != stream);
            books.objects.extend(objects);
        });
        Self::STREAMS.contains(&stream).then_some(())
    }

    /// Somebody changes so many percent of a stream's objects, and this many they were.
    pub(in super::super::super) fn change(&self, stream: &str, percent: f64, mut rng: Rng) -> Option<u64> {
        let mut ids: Vec<String> = self.read(|books| {
            let own = books.objects.iter().filter(|object| object.sort.stream() == stream);
            own.map(Object::id).collect()
        });
        rng.shuffle(&mut ids);
        ids.truncate(share(ids.len(), percent));
        for id in &ids {
            let word = rng.u32(1..1_000_000);
            match (stream, rng.u8(..3)) {
                ("identities", 0) => {
                    self.edit(id, &json!({ "email": format!("changed{word}@mail.example.test") }))
                }
                ("identities", 1) => {
                    self.edit(id, &json!({ "website": format!("www.changed{word}.example.test") }))
                }
                ("identities", _) => self.edit(id, &json!({ "description": format!("پیگیری شد {word}") })),
                ("quotes", 0) => self.one_more(id),
                _ => self.edit_quote(id, &json!({ "description": format!("پیگیری شد {word}") })),
            };
        }
        Self::STREAMS.contains(&stream).then_some(ids.len() as u64)
    }

    /// `{"identities":{"count","persons","organizations","numbered"},"quotes":{"count","approved",
    /// "pending"},"invoices":{"count","from_quotes"}}`.
    pub(in super::super::super) fn truth(&self) -> Value {
        self.read(|books| {
            let count = |meant: &dyn Fn(&Object) -> bool| books.objects.iter().filter(|own| meant(own)).count();
            let of = |sort: Sort| count(&|own| own.sort == sort);
            let state = |state: &str| {
                count(&|own| own.sort == Sort::Quote && own.row.text("billableObjectStateIndex") == state)
            };
            json!({
                "identities": {
                    "count": of(Sort::Person) + of(Sort::Organization),
                    "persons": of(Sort::Person),
                    "organizations": of(Sort::Organization),
                    "numbered": count(&|own| !own.row.text("customerNumber").is_empty()),
                },
                "quotes": { "count": of(Sort::Quote), "approved": state("2"), "pending": state("1") },
                "invoices": {
                    "count": of(Sort::Invoice),
                    "from_quotes": count(&|own| own.sort == Sort::Invoice && !own.row.text("refId").is_empty()),
                },
            })
        })
    }

    /// One piece more of the first thing on a quote.
    fn one_more(&self, id: &str) -> bool {
        self.change_one(id, |object| {
            let mut lines = object.row.list("details");
            if let Some(line) = lines.first_mut() {
                let count = line.amount("count").unwrap_or_default() + rust_decimal::Decimal::ONE;
                *line = line.without(&["totalUnitPrice", "totalVat", "finalUnitPrice"]);
                line.set_raw("count", count.to_string());
            }
            let mut given = Record::default();
            given.set_list("details", &lines);
            bills::set(&mut object.row, &given);
            true
        })
    }

    fn create(&self, sort: Sort, subtype: &str, fields: &Value) -> String {
        self.write(|books| {
            let (id, now) = (self.next_id(books), books.now());
            let mut row = write::blank(&id, subtype, &now);
            let category = if subtype == "lead" { "leads" } else { Self::CATEGORY };
            row.set_list("categories", &write::category(category).into_iter().collect::<Vec<_>>());
            set(&mut row, fields);
            self.put(books, Object { sort, row }, By::Person, &Value::Null);
            id
        })
    }

    fn add_bill(&self, sort: Sort, subtype: &str, fields: &Value) -> String {
        self.write(|books| {
            let (id, now) = (self.next_id(books), books.now());
            let mut row = bills::blank(sort, &id, subtype, &now);
            let given = Record::of(fields);
            bills::set(&mut row, &given);
            number(books, &mut row, &given);
            self.put(books, Object { sort, row }, By::Person, &Value::Null);
            id
        })
    }

    /// Changes one object; what says no leaves it as it was.
    fn change_one(&self, id: &str, change: impl FnOnce(&mut Object) -> bool) -> bool {
        self.write(|books| {
            let Some(mut object) = books.object(id).cloned() else { return false };
            if !change(&mut object) {
                return false;
            }
            object.row.set("modifyDate", &json!(books.now()));
            self.put(books, object, By::Person, &Value::Null);
            true
        })
    }
}

/// Numbers a quote or an invoice that is approved and has no number, unless one was said.
fn number(books: &mut Books, row: &mut Record, given: &Record) {
    let approved = row.text("billableObjectStateIndex") == "2";
    if approved && row.text("number").is_empty() && given.raw("number").is_none() {
        books.next_number += 1;
        row.set("number", &json!(books.next_number.to_string()));
    }
}

/// Sets fields of an identity by their names on the wire, and its mobile.
fn set(row: &mut Record, fields: &Value) {
    for (name, value) in fields.as_object().into_iter().flatten() {
        if name == "mobile" {
            let mut phones = row.list("phoneContacts");
            let mobile = |phone: &Record| ["موبایل", "Mobile"].contains(&phone.text("phoneType").as_str());
            if !phones.iter().any(mobile) {
                phones.push(write::phone("موبایل", ""));
            }
            if let Some(phone) = phones.iter_mut().find(|phone| mobile(phone)) {
                phone.set("phoneNumber", value);
            }
            row.set_list("phoneContacts", &phones);
        } else {
            row.set(name, value);
        }
    }
    if row.text("nickName").is_empty() {
        let name = format!("{} {}", row.text("firstName"), row.text("lastName"));
        row.set("nickName", &json!(name.trim()));
    }
}
