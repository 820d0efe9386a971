//! Identities as the page shows them and as they should not come, both roads of reading, what is sent
//! byte for byte, and what becomes of it.

use std::sync::Arc;

use axum::response::Response;
use proptest::prelude::*;

use super::super::http::Gate;
use super::super::http::tests::{Server, brisk, json, serve, status};
use super::identity::row;
use super::*;
use crate::connect::object::Object;
use crate::model::record::{Described, Reject};

mod door;
mod reading;

fn crm(url: &str) -> Payamgostar {
    let text = "username = \"sample\"\npassword = \"hunter2\"\n[persons]\n\
                crm_object_type_code = \"PER_1\"\ncategory = \"customers\"\n";
    toml::from_str(&format!("base_url = \"{url}\"\n{text}")).unwrap()
}

fn at_home() -> Payamgostar {
    crm("https://crm.example.test")
}

const GUID: &str = "0a1b2c3d-0000-4000-8000-000000000001";

const PERSON: &str = r#"{"crmId":"0A1B2C3D-0000-4000-8000-000000000001","crmObjectTypeCode":"PER_1","identityId":"0a1b2c3d-0000-4000-8000-000000000001","refId":null,"creatDate":"2030-01-02T13:01:02.345","modifyDate":"2030-01-02T13:01:02.345","description":"یادداشت","nickName":"ن","firstName":"مخاطب","lastName":"نمونه","gender":"مرد","nationalCode":"0012345679","phoneContacts":[{"id":"p1","default":false,"phoneType":"تلفن","phoneNumber":"02100000001","continuedNumber":"","extension":""},{"id":"p2","default":false,"phoneType":"موبایل","phoneNumber":"09120000001"},{"id":"p3","default":true,"phoneType":"Mobile","phoneNumber":"09120000002"},{"id":"p4","default":true,"phoneType":"فکس","phoneNumber":"02100000009"}],"addressContacts":[{"id":"a1","default":false,"city":"قم"},{"id":"a2","default":true,"country":"ایران","state":"تهران","city":"تهران","address":"خیابان نمونه","zipCode":"1234567890","zipBox":""}],"email":"sample@example.test","website":"","customerNumber":"100-2045","balance":12.10,"categories":[{"id":"c1","name":"x","key":"customers"}],"tags":[],"extendedProperties":[]}"#;

fn wrapped(kind: &str, said: &str) -> String {
    format!("{{\"{kind}\":{said}}}")
}

fn described(raw: &str) -> Result<Described, Reject> {
    at_home().described(raw)
}

/// A contact as `field=value` in the order of the fields.
fn said(contact: &Contact) -> String {
    contact.iter().map(|(field, value)| format!("{}={value}", field.word())).collect::<Vec<_>>().join("|")
}

#[test]
fn an_identity_is_read() {
    let read = described(&wrapped("person", PERSON)).unwrap();
    assert_eq!((read.key.as_str(), read.region.as_str()), (GUID, "IR"));
    assert_eq!(
        said(&read.contact),
        "number=100-2045|kind=person|name=مخاطب نمونه|national_id=0012345679|mobile=09120000002|\
         telephone=02100000001|email=sample@example.test|address=خیابان نمونه|city=تهران|province=تهران|\
         country=ایران|postal_code=1234567890|gender=male|notes=یادداشت"
    );
}

#[test]
fn values_come_in_many_forms() {
    for (kind, row, expected) in [
        ("person", r#"{"CRMID":"X","NICKNAME":"n"}"#, "kind=person|name=n"),
        ("person", r#"{"identityId":"x","nickName":"n","lastName":"l"}"#, "kind=person|name=l"),
        ("organization", r#"{"crmId":"x","nickName":"n","lastName":"l"}"#, "kind=organization|name=n"),
        (
            "organization",
            r#"{"crmId":"x","firstName":"f","gender":"Female"}"#,
            "kind=organization|name=f|gender=female",
        ),
        (
            "person",
            r#"{"crmId":"x","customerNumber":2045,"email":"null","gender":"?"}"#,
            "number=2045|kind=person",
        ),
        (
            "person",
            r#"{"crmId":"x","phoneContacts":{},"addressContacts":"x","nickName":["x"]}"#,
            "kind=person",
        ),
        (
            "person",
            r#"{"crmId":"x","phoneContacts":[null,5,{"phoneType":"موبايل","phoneNumber":9120000001}]}"#,
            "kind=person|mobile=9120000001",
        ),
        // A type that nobody knows, or none: the number says it.
        (
            "person",
            r#"{"crmId":"x","phoneContacts":[{"phoneType":7,"phoneNumber":"09120000001"},{"phoneNumber":"02100000001"}]}"#,
            "kind=person|mobile=09120000001|telephone=02100000001",
        ),
        (
            "person",
            r#"{"crmId":"x","phoneContacts":[{"phoneType":"Fax","phoneNumber":"1"},{"phoneType":"Mobile"}]}"#,
            "kind=person",
        ),
        (
            "person",
            r#"{"crmId":"x","phoneContacts":[{"phoneType":"Work","phoneNumber":"09120000001"}]}"#,
            "kind=person|telephone=09120000001",
        ),
        ("person", r#"{"crmId":"x","addressContacts":[{"city":"a"},{"city":"b"}]}"#, "kind=person|city=a"),
    ] {
        assert_eq!(said(&described(&wrapped(kind, row)).unwrap().contact), expected, "{row}");
    }
    for (raw, rule) in [
        ("[1]".to_owned(), "not_an_object"),
        ("{}".to_owned(), "not_an_object"),
        (wrapped("person", "[]"), "not_an_object"),
        (wrapped("person", "{}"), "no_key"),
        (wrapped("person", r#"{"crmId":""}"#), "no_key"),
        (wrapped("brief", r#"{"identityId":"x","nickName":"n","customerNo":""}"#), "no_details"),
    ] {
        assert_eq!(described(&raw).unwrap_err().rule, rule, "{raw}");
    }
}

#[test]
fn a_row_keeps_what_was_said() {
    let row = row(Some(Kind::Person), PERSON);
    assert_eq!(row.key.as_deref(), Some(GUID));
    assert_eq!(&*row.raw, wrapped("person", PERSON));
    assert_eq!(super::identity::row(None, "5").key, None);
}

#[test]
fn what_can_be_kept() {
    let contact = Contact::default()
        .with(Field::Number, "100-2045")
        .with(Field::Kind, "organization")
        .with(Field::Mobile, "+98 912 000 0001")
        .with(Field::Telephone, "12")
        .with(Field::Gender, "male")
        .with(Field::Active, "true");
    assert_eq!(
        said(&at_home().holds(&contact)),
        "number=100-2045|kind=organization|mobile=09120000001|telephone=12"
    );
    let number = Lookup::Field(Field::Number, "100-2045".to_owned());
    assert_eq!(at_home().trace(&contact, Some(5)), Some(number));
    assert_eq!(at_home().trace(&Contact::default().with(Field::Mobile, "1"), Some(5)), None);
}

fn full() -> Contact {
    Contact::default()
        .with(Field::Number, "100-2045")
        .with(Field::Kind, "person")
        .with(Field::Name, "مخاطب نمونه دوم")
        .with(Field::NationalId, "0012345679")
        .with(Field::Mobile, "09120000001")
        .with(Field::Telephone, "02100000001")
        .with(Field::City, "تهران")
        .with(Field::Address, "خیابان نمونه")
        .with(Field::Gender, "female")
}

#[test]
fn a_create_has_what_is_known_and_no_more() {
    assert_eq!(
        at_home().created(Kind::Person, &full()).text(),
        r#"{"crmObjectTypeCode":"PER_1","customerNumber":"100-2045","firstName":"مخاطب","lastName":"نمونه دوم","nickName":"مخاطب نمونه دوم","nationalCode":"0012345679","phoneContacts":[{"default":true,"phoneType":"موبایل","phoneNumber":"09120000001"},{"default":false,"phoneType":"تلفن","phoneNumber":"02100000001"}],"addressContacts":[{"default":true,"address":"خیابان نمونه","city":"تهران"}],"gender":"زن","categories":[{"key":"customers"}]}"#
    );
    let organization = Contact::default().with(Field::Kind, "organization").with(Field::Name, "شرکت نمونه");
    assert_eq!(
        at_home().created(Kind::Organization, &organization).text(),
        r#"{"crmObjectTypeCode":"organization","nickName":"شرکت نمونه"}"#
    );
}

#[test]
fn what_is_created_is_read_back_the_same() {
    for contact in [full(), full().with(Field::Name, "یکی"), full().with(Field::Kind, "organization")] {
        let contact = at_home().holds(&contact);
        let kind = if contact.get(Field::Kind) == Some("person") { Kind::Person } else { Kind::Organization };
        let body = at_home().created(kind, &contact).with("crmId", GUID).text();
        let read = described(&wrapped(kind.word(), &body)).unwrap();
        assert_eq!(said(&read.contact), said(&contact));
    }
}

#[test]
fn an_update_sends_everything_with_what_differs() {
    let now = || Object::read(PERSON).unwrap();
    let changed = |contact: &Contact, fields: &[Field]| {
        at_home().changed(Kind::Person, GUID, now(), contact, fields).text()
    };
    let tail = format!(",\"id\":\"{GUID}\"}}");
    let same = PERSON.replace("0A1B2C3D", "0a1b2c3d").trim_end_matches('}').to_owned() + &tail;
    assert_eq!(changed(&full(), &[]), same);
    let expected = same.replace(r#""phoneNumber":"09120000002""#, r#""phoneNumber":"09120000001""#);
    let expected = expected.replace(r#""city":"تهران","address""#, r#""city":"قم","address""#);
    let expected = expected.replace(r#""website":"""#, r#""website":"https://a.example.test""#);
    let contact = full().with(Field::City, "قم").with(Field::Website, "https://a.example.test");
    assert_eq!(changed(&contact, &[Field::Mobile, Field::City, Field::Website]), expected);
    // What is not known any more is emptied; a name stays.
    let empty = changed(&Contact::default(), &[Field::Name, Field::Email, Field::Telephone, Field::Gender]);
    assert!(empty.contains(r#""email":"""#) && empty.contains(r#""gender":"""#), "{empty}");
    assert!(!empty.contains("02100000001") && empty.contains("02100000009"), "{empty}");
    assert!(empty.contains(r#""firstName":"مخاطب","lastName":"نمونه""#), "{empty}");
    let bare = Object::read(r#"{"crmId":"x"}"#).unwrap();
    let body = at_home().changed(Kind::Person, "x", bare, &full(), &[Field::Telephone, Field::PostalCode]);
    assert_eq!(
        body.text(),
        r#"{"crmId":"x","phoneContacts":[{"default":true,"phoneType":"تلفن","phoneNumber":"02100000001"}],"id":"x"}"#
    );
}

const LOGGED_IN: &str =
    r#"{"expiresAt":"2999-01-02T10:20:30.1234567+03:30","accessToken":"t0ken","refreshToken":"r3fresh"}"#;

/// A server that lets in and otherwise answers with this; the client of it.
async fn behind_the_door(
    answer: impl Fn(&str, &Object) -> Response + Send + Sync + 'static,
) -> (Server, Http, Payamgostar) {
    let answer = Arc::new(answer);
    let server = serve(move |_, seen| {
        let answer = answer.clone();
        async move {
            match seen.line.as_str() {
                "POST /api/v2/auth/login" => json(LOGGED_IN),
                line if seen.token == "Bearer t0ken" => {
                    let call = line.trim_start_matches("POST /api/v2/crmobject/");
                    answer(call, &Object::read(&seen.body).unwrap())
                }
                _ => status(401, "{}"),
            }
        }
    })
    .await;
    let crm = crm(&server.url);
    let http = Http::new("crm", crm.door(), brisk(), Gate::default()).unwrap();
    (server, http, crm)
}

#[tokio::test]
async fn a_write_becomes_what_the_answer_says() {
    use crate::connect::http::Said;
    let (contact, now) = (full(), wrapped("person", PERSON));
    let done = || Outcome::Confirmed { key: GUID.to_owned(), facts: Vec::new() };
    let create = Write::Create { contact: &contact, mark: "" };
    let update = Write::Update { key: GUID, now: &now, contact: &contact, fields: &[Field::Name], mark: "" };
    for (write, line) in [(&create, "person/create"), (&update, "person/update")] {
        let (server, http, crm) =
            behind_the_door(|_, _| json(&format!(r#"{{"crmId":"{}"}}"#, GUID.to_uppercase()))).await;
        assert_eq!(crm.write(&http, write).await, done(), "{line}");
        assert!(server.lines()[1].ends_with(line), "{:?}", server.lines());
    }
    let (_, http, crm) = behind_the_door(|_, _| {
        status(400, r#"{"code":5,"message":"customerNumber 100-2045 of نمونه is taken."}"#)
    })
    .await;
    let Outcome::Rejected(message) = crm.write(&http, &create).await else { panic!("not refused") };
    assert_eq!(message.args["reason"], ": customerNumber … of … is taken");

    let saved = |key: &str| Said::Done { key: key.to_owned(), facts: Vec::new() };
    let broke = |words: &str| Said::Broke(words.to_owned());
    for (text, created, updated) in [
        (r#"{"crmId":"A"}"#, saved("a"), saved("a")),
        (r#"{"CrmID":"a","message":"ok"}"#, saved("a"), saved("a")),
        ("{}", Said::Unknown, saved("key")),
        ("true", Said::Unknown, saved("key")),
        ("\"ok\"", Said::Unknown, saved("key")),
        ("false", Said::Unknown, Said::Unknown),
        ("null", Said::Unknown, Said::Unknown),
        ("{\"crmId\"", Said::Unknown, Said::Unknown),
        (r#"{"code":1,"message":"no"}"#, broke("no"), broke("no")),
        (r#"{"error":{"x":1}}"#, broke(""), broke("")),
        (r#"{"errorDetails":[{"x":1}]}"#, broke(""), broke("")),
    ] {
        assert_eq!(super::save::created(text), created, "{text}");
        assert_eq!(super::save::updated(text, "key"), updated, "{text}");
    }
}

#[tokio::test]
async fn what_cannot_be_written_is_not_sent() {
    let (server, http, crm) = behind_the_door(|_, _| json("{}")).await;
    let nameless = Contact::default().with(Field::Mobile, "09120000001");
    let brief = wrapped("brief", PERSON);
    let person = wrapped("person", PERSON);
    let update = |now, fields| Write::Update { key: GUID, now, contact: &nameless, fields, mark: "" };
    for (write, id) in [
        (Write::Create { contact: &nameless, mark: "" }, "connect-write-no-name"),
        (update("", &[Field::Mobile]), "connect-write-no-row"),
        (update(brief.as_str(), &[Field::Mobile]), "connect-write-no-row"),
        (update(person.as_str(), &[Field::Kind]), "connect-write-kind"),
    ] {
        let outcome = crm.write(&http, &write).await;
        assert!(matches!(&outcome, Outcome::Rejected(message) if message.id == id), "{outcome:?}");
    }
    assert!(server.lines().is_empty());
}

#[test]
fn settings() {
    let crm = at_home();
    assert_eq!(
        (crm.organizations.type_key.as_str(), crm.first_page, crm.webhooks),
        ("organization", 1, true)
    );
    let shown = format!("{crm:?} {:?}", crm.door());
    assert!(!shown.contains("hunter2"));
    let text = "base_url = \"x\"\nusername = \"u\"\npassword = \"p\"\nwebhook_secret = [\"canary\"]\nwebhook_token = \"canary\"";
    assert!(!format!("{:?}", toml::from_str::<Payamgostar>(text).unwrap()).contains("canary"));
    assert!(toml::from_str::<Payamgostar>(&format!("{text}\nname = 1")).is_err());
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,80}", json in "[\\[\\]{}\":,crmId0-9.\\\\u -]{0,80}") {
        for text in [&text, &json] {
            let _ = (described(text), super::save::created(text), super::save::updated(text, "k"));
            let quoted = serde_json::to_string(text).unwrap();
            for column in ["phoneContacts", "addressContacts", "nickName", "gender", "customerNumber"] {
                for value in [&quoted, &format!("[{{\"phoneType\":{quoted},\"phoneNumber\":{quoted},\"city\":{quoted}}}]")] {
                    let raw = wrapped("person", &format!("{{\"crmId\":\"x\",\"{column}\":{value}}}"));
                    let kept = at_home().holds(&described(&raw).unwrap().contact);
                    let (_, now) = super::identity::unwrapped(&raw).unwrap();
                    let body = at_home().changed(Kind::Person, "x", now, &kept, &Field::ALL).text();
                    let read = described(&wrapped("person", &body)).unwrap();
                    // What was read and is written back says the same.
                    for field in Field::ALL {
                        prop_assert!(read.contact.agrees(&kept, field, "IR"), "{field:?}: {body}");
                    }
                }
            }
        }
    }
}
