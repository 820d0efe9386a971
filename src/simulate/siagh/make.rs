//! The contacts of the finance system, made from the people the company deals with.

use serde_json::{Value, json};

use super::super::people::{ADMIN, Makeup, Match, Party, parties, typed_mobile};
use super::super::record::Record;
use super::contact::blank;
use super::finance::{Books, Expected};

/// The contacts, and what of them the CRM has.
pub(super) fn books(makeup: &Makeup) -> Books {
    let mut contacts = vec![admin()];
    let mut expected = vec![Expected { code: ADMIN, found: Match::Admin, identities: Vec::new() }];
    for party in parties(makeup) {
        let (Some(code), Some(found)) = (party.code, party.found) else { continue };
        contacts.push(contact(&party, code));
        expected.push(Expected { code, found, identities: party.identities(makeup.seed) });
    }
    Books { contacts, documents: Vec::new(), expected }
}

/// The finance system's own user, whose mobile is a customer's in no other system.
fn admin() -> Record {
    let mut admin = blank(ADMIN, false);
    for (column, value) in [
        ("Name", json!("مدیر سیستم")),
        ("MobileNo", json!("09120008000")),
        ("IsAdminUser", json!(true)),
        ("RegDate", json!("1399/01/15")),
    ] {
        admin.set(column, &value);
    }
    admin
}

fn contact(party: &Party, code: i64) -> Record {
    let serial = party.serial;
    let (town, city, _, province) = party.town;
    // Columns that nobody ever filled are null in some rows, and empty in others.
    let mut contact = blank(code, party.has_accounts());
    let never = || if serial.is_multiple_of(2) { Value::Null } else { json!("") };
    let text = |text: &str| if text.is_empty() { never() } else { json!(text) };
    let mobile = typed_mobile(&party.mobile, u32::from(serial % 17 == 3));
    let placed = !serial.is_multiple_of(3);
    let code_of = |code: u32| if placed { json!(code) } else { Value::Null };
    for (column, value) in [
        ("Name", json!(party.name())),
        ("NickName", never()),
        ("NationalCode", text(&party.national)),
        ("MobileNo", text(&mobile)),
        ("MobileNo2", never()),
        ("TelNo", text(&party.telephone)),
        ("TelNo2", never()),
        ("Email", text(&party.mail)),
        ("Email2", never()),
        (
            "WebSiteAddress",
            if party.organization { json!(format!("www.org{serial}.example.test")) } else { never() },
        ),
        (
            "Address",
            if placed {
                json!(format!("{town}، خیابان نمونه، پلاک {}", serial % 90 + 1))
            } else {
                never()
            },
        ),
        ("PostalCode", if placed { json!(format!("10000{serial:05}")) } else { never() }),
        ("CityCode", code_of(city)),
        ("CountryCode", code_of(98)),
        ("GeographicCode", code_of(province)),
        ("Gender", party.woman.map_or(Value::Null, |woman| json!(u8::from(!woman)))),
        (
            "BirthDate",
            if serial.is_multiple_of(5) {
                json!(format!("13{}/0{}/1{}", 40 + serial % 50, serial % 9 + 1, serial % 10))
            } else {
                Value::Null
            },
        ),
        ("Description", never()),
        ("IsActive", json!(serial % 19 != 7)),
        ("TowardType", json!(party.organization)),
        ("RegDate", json!(format!("140{}/0{}/2{}", serial % 5, serial % 9 + 1, serial % 9))),
    ] {
        contact.set(column, &value);
    }
    contact
}
