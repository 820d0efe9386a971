//! The objects of the CRM, made from the people the company deals with.

use fastrand::Rng;
use jiff::ToSpan as _;
use jiff::civil::{DateTime, date};
use serde_json::{Value, json};

use super::super::people::{
    Makeup, Match, Party, arabic, id, in_persian_digits, parties, typed_mobile, typed_number,
};
use super::super::record::Record;
use super::bills;
use super::crm::{Books, Object};
use super::fields::{Sort, written};
use super::write::{blank, category};

/// Approved quotes of numbered customers at scale 1, one of them of a customer without accounting party …
const APPROVED: usize = 12;
/// … quotes that are pending …
const PENDING: usize = 4;
/// … and invoices, every other one of a quote.
const INVOICES: usize = 6;
/// The number before the first quote's.
const NUMBERS: u32 = 10_000;
/// Nothing was made before this.
const FIRST: DateTime = date(2025, 3, 1).at(7, 30, 0, 0);

/// All objects of the CRM.
pub(super) fn books(makeup: &Makeup) -> Books {
    let mut books = Books { objects: Vec::new(), added: 0, next_number: NUMBERS, last: FIRST };
    let parties = parties(makeup);
    let mut twins_by_id = true;
    for party in &parties {
        for (twin, id) in (0..).zip(party.identities(makeup.seed)) {
            let row = identity(party, &id, twin, twins_by_id, makeup.seed);
            let sort = if party.organization { Sort::Organization } else { Sort::Person };
            books.objects.push(Object { sort, row });
        }
        // The first ambiguous contact shares a national id, the other one a mobile.
        twins_by_id &= party.found != Some(Match::Ambiguous);
    }
    money(makeup, &parties, &mut books);
    books
}

/// A moment of the past, with as many digits as the serial has it.
fn moment(serial: u32, later: i64) -> String {
    let at = FIRST.saturating_add((i64::from(serial) * 97 + later).minutes());
    let digits = serial / 2 % 8;
    let unit = 10_i64.pow(9 - digits.min(7));
    let fraction = i64::from(serial).wrapping_mul(7_919_123_457).rem_euclid(1_000_000_000) / unit * unit;
    written(at.saturating_add(fraction.nanoseconds()))
}

fn identity(party: &Party, id: &str, twin: u32, by_id: bool, seed: u64) -> Record {
    let serial = party.serial;
    let found = party.found;
    let lead = found.is_none();
    let subtype = match (party.organization, lead) {
        (true, _) => "organization",
        (false, true) => "lead",
        (false, false) => "person",
    };
    // Which code points a letter has differs from row to row.
    let letters = |text: &str| if serial.is_multiple_of(3) { arabic(text) } else { text.to_owned() };
    let number = match found {
        Some(Match::Number) => party.number(),
        Some(Match::FoldedNumber) => typed_number(&party.number(), serial),
        _ => String::new(),
    };
    let national = match found {
        Some(Match::NationalId) if serial.is_multiple_of(2) => in_persian_digits(&party.national),
        Some(Match::NationalId) => party.national.clone(),
        Some(Match::Mobile) => String::new(),
        Some(Match::Ambiguous) if !by_id => String::new(),
        Some(Match::Ambiguous) => party.national.clone(),
        _ if serial % 5 < 3 => party.national.clone(),
        _ => String::new(),
    };
    let mobile = match found {
        Some(Match::NationalId) => String::new(),
        Some(Match::Ambiguous) if by_id => String::new(),
        _ => typed_mobile(&party.mobile, serial + twin),
    };
    let persian = serial.is_multiple_of(2);
    let word = |persian_word: &str, english: &str| {
        if persian { persian_word.to_owned() } else { english.to_owned() }
    };
    let gender = match party.woman {
        Some(true) => word("زن", "Female"),
        Some(false) => word("مرد", "Male"),
        None => String::new(),
    };
    let name = letters(&party.name()) + if twin > 0 { " (۲)" } else { "" };
    let at = moment(serial * 2 + twin, 0);
    let mut row = blank(id, subtype, &at);
    let empty = || if persian { Value::Null } else { json!("") };
    let text = |text: String| if text.is_empty() { empty() } else { json!(text) };
    for (field, value) in [
        ("modifyDate", json!(moment(serial * 2 + twin, 1_440))),
        ("nickName", json!(name)),
        ("firstName", json!(letters(&party.first))),
        ("lastName", json!(if party.organization { String::new() } else { letters(&party.last) })),
        ("gender", json!(gender)),
        ("nationalCode", text(national)),
        ("economicCode", if party.organization { json!(format!("4111{serial:08}")) } else { empty() }),
        ("email", text(if lead || serial % 4 == 1 { String::new() } else { party.mail.clone() })),
        ("customerNumber", text(number)),
        (
            "birthDate",
            if serial % 7 == 2 {
                json!(format!("19{}-0{}-1{}T00:00:00", 60 + serial % 40, serial % 9 + 1, serial % 9))
            } else {
                Value::Null
            },
        ),
        ("tags", if serial % 6 == 4 { json!(["نمونه"]) } else { json!([]) }),
    ] {
        row.set(field, &value);
    }
    let mut phones = Vec::new();
    for (place, kind, number) in
        [(0, word("موبایل", "Mobile"), mobile), (1, word("تلفن", "Phone"), party.telephone.clone())]
    {
        if !number.is_empty() && (place == 0 || lead || found == Some(Match::Number)) {
            phones.push(phone(seed, serial * 4 + twin * 2 + place, &kind, &number, phones.is_empty()));
        }
    }
    row.set_list("phoneContacts", &phones);
    if serial % 4 < 3 {
        row.set_list("addressContacts", &[address(party, seed, twin)]);
    }
    let key = if lead { "leads" } else { "customers" };
    row.set_list("categories", &category(key).into_iter().collect::<Vec<_>>());
    row
}

fn phone(seed: u64, serial: u32, kind: &str, number: &str, default: bool) -> Record {
    let mut phone = super::write::phone(kind, number);
    phone.set("id", &json!(id(seed, 6, serial)));
    phone.set("default", &json!(default));
    phone
}

fn address(party: &Party, seed: u64, twin: u32) -> Record {
    let (town, _, province, _) = party.town;
    let mut address = Record::default();
    for (field, value) in [
        ("id", json!(id(seed, 7, party.serial * 2 + twin))),
        ("default", json!(true)),
        ("country", json!("ایران")),
        ("state", json!(province)),
        ("city", json!(town)),
        ("addressType", json!("محل کار")),
        ("areaCode", json!("")),
        ("address", json!(format!("خیابان نمونه، پلاک {}", party.serial % 90 + 1))),
        ("zipCode", json!(format!("10000{:05}", party.serial))),
        ("zipBox", json!("")),
        ("longitude", Value::Null),
        ("latitude", Value::Null),
    ] {
        address.set(field, &value);
    }
    address
}

/// Quotes and invoices, and what is odd about some.
fn money(makeup: &Makeup, parties: &[Party], books: &mut Books) {
    let mut rng = Rng::with_seed(makeup.seed.wrapping_mul(1_000_003).wrapping_add(502));
    let numbered =
        parties.iter().filter(|party| matches!(party.found, Some(Match::Number | Match::FoldedNumber)));
    let (with, without): (Vec<&Party>, Vec<&Party>) = numbered.partition(|party| party.has_accounts());
    let identity = |party: &&Party| party.identities(makeup.seed).swap_remove(0);
    let customers: Vec<String> = without.iter().take(1).chain(&with).map(identity).collect();
    let lead = parties.iter().find(|party| party.found.is_none()).map(|party| identity(&party));
    let scale = makeup.scale as usize;
    let mut quote = |books: &mut Books, customer: &str, given: &Value| {
        let serial = books.objects.iter().filter(|object| object.sort == Sort::Quote).count();
        let subtype = format!("PI_{}", serial % 2 + 1);
        bill(&mut rng, makeup.seed, books, (Sort::Quote, &subtype), customer, &Record::of(given))
    };
    let customer = |place: usize| customers[place % customers.len()].clone();
    let mut quotes = Vec::new();
    for place in 0..APPROVED * scale {
        quotes.push(quote(books, &customer(place), &json!({ "billableObjectStateIndex": 2 })));
    }
    for place in 0..PENDING * scale {
        quote(books, &customer(place + 3), &json!({}));
    }
    quote(books, &customer(5), &json!({ "billableObjectStateIndex": 5 }));
    // What no line carries, and a sum that does not add up.
    quote(books, &customer(6), &json!({ "billableObjectStateIndex": 2, "discount": 500_000 }));
    quote(books, &customer(7), &json!({ "billableObjectStateIndex": 2, "finalValue": 987_654_321 }));
    if let Some(lead) = lead {
        quote(books, &lead, &json!({ "billableObjectStateIndex": 2 }));
    }
    for place in 0..INVOICES * scale {
        let of = &quotes[place % quotes.len()];
        let quote = books.object(of).map(|object| object.row.clone()).unwrap_or_default();
        let mut given = Record::of(&json!({ "billableObjectStateIndex": 2 }));
        if place.is_multiple_of(2) {
            given.set("refId", &json!(of));
            given.set_raw("details", quote.raw("details").unwrap_or("[]").to_owned());
        }
        bill(&mut rng, makeup.seed, books, (Sort::Invoice, "SI_1"), &quote.text("identityId"), &given);
    }
}

/// Adds a quote or an invoice of up to four lines, unless they are given, and gives its id. A
/// discount that is given comes on top of those of the lines.
fn bill(
    rng: &mut Rng,
    seed: u64,
    books: &mut Books,
    (sort, subtype): (Sort, &str),
    customer: &str,
    given: &Record,
) -> String {
    let kind = if sort == Sort::Quote { 2 } else { 3 };
    let serial = u32::try_from(books.objects.len()).unwrap_or(0);
    let id = id(seed, kind, serial);
    let mut row = bills::blank(sort, &id, subtype, &moment(serial * 2, 0));
    let line = |place: u32| {
        let code = if rng.u8(..10) == 0 { 9_001 + rng.u32(..3) } else { 1_001 + rng.u32(..12) };
        let price = rng.u64(1_000..2_000_000) * if rng.bool() { 1_000 } else { 7 };
        let count = rng.u32(1..6);
        let discount = if place.is_multiple_of(3) && rng.bool() { price / 10 } else { 0 };
        let code = code.to_string();
        json!({ "productCode": code, "count": count, "baseUnitPrice": price, "totalDiscount": discount })
    };
    let lines: Vec<Value> = (0..1 + serial % 4).map(line).collect();
    let mut all = Record::of(&json!({
        "identityId": customer,
        "subject": format!("فروش نمونه {serial}"),
        "modifyDate": moment(serial * 2, 2_880),
        "expireDate": moment(serial * 2, 43_200),
        "details": lines,
    }));
    for name in given.names().filter(|name| *name != "discount") {
        all.set_raw(name, given.raw(name).unwrap_or("null").to_owned());
    }
    if given.text("billableObjectStateIndex") == "2" {
        books.next_number += 1;
        all.set("number", &json!(books.next_number.to_string()));
    }
    bills::set(&mut row, &all);
    if let Some(header) = given.amount("discount") {
        let mut more = Record::default();
        more.set_raw("discount", bills::money(row.amount("discount").unwrap_or_default() + header));
        bills::set(&mut row, &more);
    }
    books.objects.push(Object { sort, row });
    id
}
