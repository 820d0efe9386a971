//! Identities that are made and changed, by requests and by people, and what faults do to that.

use super::*;

const CREATE: &str = "crmobject/person/create";
const UPDATE: &str = "crmobject/person/update";

#[tokio::test]
async fn a_person_is_made_of_what_is_sent() {
    let seller = Seller::new().await;
    let mut body = person("100-9001");
    body["PhoneContacts"] = json!([{ "Default": true, "phonetype": "موبایل", "PhoneNumber": "09120000001" }]);
    body["addressContacts"] = json!([{ "city": "یزد", "latitude": 31.89 }]);
    body["extendedProperties"] = json!([{ "userKey": "source", "value": "finance" }]);
    body["NATIONALCODE"] = json!("0012345679");
    body["birthDate"] = json!("1990-05-06T00:00:00");
    body["nothing"] = json!("is ignored");
    let answer = seller.good(CREATE, body.clone()).await;
    let id = text(&answer, "crmId").to_owned();
    assert_eq!((answer.as_object().unwrap().len(), id.len()), (1, 36));
    let row = seller.get(&id).await;
    assert_eq!((&row["crmId"], &row["identityId"]), (&json!(id), &json!(id)));
    for (field, value) in [
        ("nickName", json!("کیان نمونه")),
        ("nationalCode", json!("0012345679")),
        ("customerNumber", json!("100-9001")),
        ("email", json!("")),
        ("refId", Value::Null),
        ("tags", json!([])),
        ("extendedProperties", json!([{ "userKey": "source", "value": "finance" }])),
        ("birthDate", json!("1990-05-06T00:00:00")),
    ] {
        assert_eq!(row[field], value, "{field}");
    }
    let phone = &row["phoneContacts"][0];
    assert_eq!(
        (&phone["phoneNumber"], &phone["default"], &phone["extension"]),
        (&json!("09120000001"), &json!(true), &json!(""))
    );
    assert!(!text(phone, "id").is_empty() && !text(&row["addressContacts"][0], "id").is_empty());
    assert_eq!(
        (&row["categories"][0]["key"], &row["categories"][0]["name"]),
        (&json!(Crm::CATEGORY), &json!("مشتریان"))
    );
    assert_eq!(row["creatDate"], row["modifyDate"]);

    let told = seller.mutations();
    assert_eq!(
        (told.len(), told[0].kind, told[0].by, told[0].stream),
        (1, Kind::Create, By::Api, "identities")
    );
    assert_eq!((&told[0].key, &told[0].before, &told[0].after), (&id, &Value::Null, &row));
    assert_eq!(told[0].given["nationalCode"], "0012345679");
}

#[tokio::test]
async fn what_is_needed_is_asked_for() {
    let seller = Seller::new().await;
    let with = |field: &str, value: Value| {
        let mut body = person("100-9001");
        body[field] = value;
        body
    };
    let mut nameless = with("firstName", json!(" "));
    nameless["lastName"] = json!("");
    for body in [
        nameless,
        with("crmObjectTypeCode", Value::Null),
        with("crmObjectTypeCode", json!("organization")),
        with("crmObjectTypeCode", json!("vip_person")),
        with("categories", json!([])),
        with("categories", json!([{ "key": "nobody" }])),
        with("nationalCode", json!(12_345_679)),
        with("birthDate", json!("1990-05-06T00:00:00Z")),
        with("birthDate", json!("soon")),
        with("tags", json!("one")),
    ] {
        seller.refused(400, CREATE, body).await;
    }
    let mut uncategorized = person("100-9001");
    uncategorized.as_object_mut().unwrap().remove("categories");
    seller.refused(400, CREATE, uncategorized).await;
    assert!(seller.mutations().is_empty());
    seller.good(CREATE, person("100-9001")).await;
    let why = seller.refused(400, CREATE, person("100-9001")).await;
    assert_eq!(why, "شماره مشتری تکراری است.");
    let mut organization = person("100-9001");
    organization["crmObjectTypeCode"] = json!(Crm::ORGANIZATION_TYPE);
    seller.refused(400, "crmobject/organization/create", organization.clone()).await;
    // None is no repetition, and neither is the same number in other digits.
    for number in ["", "", "۱۰۰-۹۰۰۱"] {
        organization["customerNumber"] = json!(number);
        seller.good("crmobject/organization/create", organization.clone()).await;
    }
    assert_eq!(seller.mutations().len(), 4);
}

#[tokio::test]
async fn an_update_takes_the_whole_object() {
    let seller = Seller::new().await;
    let id = seller.crm().create_person(&json!({ "firstName": "یک", "lastName": "کس", "email": "a@mail.example.test", "mobile": "09120000001" }));
    let before = seller.get(&id).await;
    let mut whole = before.clone();
    whole["id"] = json!(id);
    whole["customerNumber"] = json!("100-9002");
    assert_eq!(seller.good(UPDATE, whole).await, json!({ "crmId": id }));
    let after = seller.get(&id).await;
    let differing: Vec<&String> =
        before.as_object().unwrap().keys().filter(|key| before[*key] != after[*key]).collect();
    assert_eq!(differing, ["customerNumber", "modifyDate"]);
    assert!(
        text(&after, "modifyDate").parse::<jiff::civil::DateTime>().unwrap()
            > text(&before, "modifyDate").parse().unwrap()
    );
    let told = seller.mutations().pop().unwrap();
    assert_eq!((told.kind, &told.before, &told.after), (Kind::Update, &before, &after));

    // What is left out is gone, …
    let part = |number: &str| {
        let mut part = person(number);
        part["crmId"] = json!(id);
        part
    };
    seller.good(UPDATE, part("100-9002")).await;
    let blanked = seller.get(&id).await;
    assert_eq!((&blanked["email"], &blanked["phoneContacts"]), (&json!(""), &json!([])));
    assert_eq!((&blanked["creatDate"], &blanked["crmId"]), (&before["creatDate"], &json!(id)));
    // … unless this site is one of those where it stays.
    seller.simulator.set_office_traps([OfficeTrap::CrmKeepsAbsent]);
    assert!(seller.crm().edit(&id, &json!({ "email": "b@mail.example.test" })));
    seller.good(UPDATE, part("100-9003")).await;
    assert_eq!(seller.get(&id).await["email"], "b@mail.example.test");

    seller.refused(404, "crmobject/organization/update", part("100-9002")).await;
    seller.refused(400, UPDATE, person("100-9002")).await;
    let mut two = part("100-9002");
    two["id"] = json!("00000000-0000-4000-8000-000000000000");
    seller.refused(400, UPDATE, two.clone()).await;
    two["crmId"] = two["id"].clone();
    seller.refused(404, UPDATE, two).await;
    let other = seller.crm().create_person(&json!({ "firstName": "دو", "customerNumber": "100-9009" }));
    seller.refused(400, UPDATE, part("100-9009")).await;
    assert!(seller.crm().delete(&other));
    seller.good(UPDATE, part("100-9009")).await;
}

#[tokio::test]
async fn people_work_in_it_too() {
    let seller = Seller::new().await;
    let crm = seller.crm();
    let id = crm.create_person(&json!({ "firstName": "یک", "mobile": "09120000001" }));
    assert_eq!(crm.is_organization(&id), Some(false));
    let row = seller.get(&id).await;
    assert_eq!(
        (&row["crmObjectTypeCode"], &row["phoneContacts"][0]["phoneNumber"]),
        (&json!("lead"), &json!("09120000001"))
    );
    assert!(crm.edit(&id, &json!({ "mobile": "09120000002", "lastName": "کس" })));
    let row = seller.get(&id).await;
    assert_eq!(
        (row["phoneContacts"].as_array().unwrap().len(), &row["phoneContacts"][0]["phoneNumber"]),
        (1, &json!("09120000002"))
    );
    assert!(crm.delete(&id) && !crm.delete(&id) && !crm.edit(&id, &json!({})));
    assert!(crm.object(&id).is_none() && crm.is_organization(&id).is_none());
    let kinds: Vec<_> = seller.mutations().iter().map(|one| (one.kind, one.by)).collect();
    assert_eq!(kinds, [Kind::Create, Kind::Update, Kind::Delete].map(|kind| (kind, By::Person)));

    seller.simulator.clear_mutations();
    assert_eq!(seller.simulator.change("crm", "identities", 5.0), 5);
    let changed: BTreeSet<String> = seller.mutations().into_iter().map(|one| one.key).collect();
    assert_eq!(changed.len(), 5);
    seller.simulator.replace_rows(
        "crm",
        "identities",
        vec![json!({ "crmId": "x", "crmObjectTypeCode": "organization", "nickName": "ن" })],
    );
    assert_eq!(seller.search(10).await, [json!({ "identityId": "", "nickName": "ن", "customerNo": "" })]);
    assert_eq!(crm.is_organization("x"), Some(true));
}

#[tokio::test]
async fn people_are_steered_by_http() {
    let seller = Seller::new().await;
    let edit = async |body: Value| {
        let url = format!("{}/_sim/edit", seller.simulator.url());
        let response = seller.http.post(url).body(body.to_string()).send().await.unwrap();
        (response.status().as_u16(), response.json_value().await)
    };
    let new = json!({ "system": "crm", "stream": "identities", "fields": { "firstName": "یک" } });
    let (status, answer) = edit(new).await;
    let id = answer["key"].clone();
    assert_eq!(status, 200);
    let change = json!({ "system": "crm", "stream": "identities", "key": id, "fields": { "email": "a@mail.example.test" } });
    assert_eq!(edit(change).await.0, 200);
    assert_eq!(seller.get(id.as_str().unwrap()).await["email"], "a@mail.example.test");
    let organization = json!({ "system": "crm", "stream": "identities", "fields": { "crmObjectTypeCode": "organization", "nickName": "ن" } });
    let (_, answer) = edit(organization).await;
    assert_eq!(seller.crm().is_organization(answer["key"].as_str().unwrap()), Some(true));
    let (_, quote) =
        edit(json!({ "system": "crm", "stream": "quotes", "fields": { "identityId": id } })).await;
    assert_eq!(edit(json!({ "system": "crm", "stream": "quotes", "key": quote["key"], "fields": { "billableObjectStateIndex": 2 } })).await.0, 200);
    assert_eq!(seller.crm().object(quote["key"].as_str().unwrap()).unwrap()["billableObjectStateIndex"], 2);
    edit(json!({ "system": "crm", "stream": "invoices", "fields": { "refId": quote["key"] } })).await;
    let (_, contact) =
        edit(json!({ "system": "finance", "stream": "contacts", "fields": { "Name": "یک" } })).await;
    let gone = json!({ "system": "finance", "stream": "contacts", "key": contact["key"], "delete": true });
    assert_eq!(edit(gone.clone()).await.0, 200);
    for wrong in [
        gone,
        json!({ "system": "crm", "stream": "identities", "key": "none", "delete": true }),
        json!({ "system": "finance", "stream": "pre_invoices" }),
        json!([]),
    ] {
        assert_eq!(edit(wrong).await.0, 400);
    }
    assert_eq!(seller.simulator.mutations("*").len(), 8);
    let url = format!("{}/_sim/change", seller.simulator.url());
    let body = json!({ "system": "crm", "stream": "nothing", "percent": 1 }).to_string();
    let refused = seller.http.post(url).body(body).send().await.unwrap();
    assert!(
        refused.text().await.unwrap().contains("crm/identities, crm/quotes, crm/invoices, finance/contacts")
    );
}

#[tokio::test]
async fn a_write_fails_before_or_after_it_is_done_or_lands_late() {
    let seller = Seller::new().await;
    for (action, value, status, done) in [
        (Action::Status, json!({ "code": 429, "retry_after": 1 }), Some(429), 0),
        (Action::StatusAfter, json!(502), Some(502), 1),
        (Action::Html, Value::Null, Some(200), 0),
        (Action::HtmlAfter, Value::Null, Some(200), 1),
        (Action::DropBefore, Value::Null, None, 0),
        (Action::DropAfter, Value::Null, None, 1),
        (Action::LandLate, json!(20), None, 1),
    ] {
        seller.simulator.clear_mutations();
        seller.simulator.set_faults(vec![Fault::new("crm", "person/create", action).value(value)]);
        let sent = seller.send(CREATE, person("").to_string()).await;
        seller.simulator.settled().await;
        assert_eq!(sent.ok().map(|response| response.status().as_u16()), status, "{action:?}");
        assert_eq!(seller.mutations().len(), done, "{action:?}");
    }
}
