//! Listing all, asking for some, and reading one.

use super::*;

const FIND: &str = "crmobject/person/find";

fn condition(field: &str, operator: u64, value: &str) -> Value {
    json!({ "logicalOperator": 0, "operator": operator, "field": field, "value": value,
            "leafNegate": false, "leafLogicalOperator": null, "leafs": [] })
}

fn question(queries: &Value) -> Value {
    json!({ "typeKey": "person", "queries": queries, "orders": [], "pageNumber": 1, "pageSize": 500 })
}

/// Ids of what a question finds.
async fn found(seller: &Seller, queries: &Value) -> Vec<String> {
    let answer = seller.good(FIND, question(queries)).await;
    let rows = answer["data"].as_array().unwrap();
    assert_eq!(answer["total"], rows.len());
    rows.iter().map(|row| text(row, "crmId").to_owned()).collect()
}

#[tokio::test]
async fn the_list_is_a_bare_array_of_pages_counted_from_0() {
    let seller = Seller::new().await;
    let all = seller.search(500).await;
    assert_eq!(all.len(), 84);
    for row in &all {
        assert_eq!(row.as_object().unwrap().len(), 3);
        assert!(row["customerNo"].is_string());
    }
    assert_eq!(seller.search(10).await, all);
    assert_eq!(seller.search(84).await, all, "an empty page ends it as well");
    let pages = json!({ "PageNumber": 1, "PAGESIZE": 80, "searchterm": "" });
    assert_eq!(seller.good(SEARCH, pages).await.as_array().unwrap(), &all[80..]);
    let number = all.iter().find(|row| text(row, "customerNo").starts_with("100-")).unwrap();
    let term = json!({ "pageNumber": 0, "pageSize": 10, "searchTerm": number["customerNo"] });
    assert_eq!(seller.good(SEARCH, term).await, json!([number]));
    seller.refused(400, SEARCH, json!({ "pageSize": "many" })).await;

    seller.simulator.set_office_traps([OfficeTrap::CrmUnordered]);
    let moved = seller.search(10).await;
    let distinct: BTreeSet<&str> = moved.iter().map(|row| text(row, "identityId")).collect();
    assert!(moved.len() == 84 && distinct.len() < 84);
}

#[tokio::test]
async fn only_a_get_of_the_right_kind_finds_an_object() {
    let seller = Seller::new().await;
    let crm = seller.crm();
    let person = crm.create_person(&json!({ "firstName": "یک", "lastName": "کس" }));
    let organization = crm.create_organization(&json!({ "nickName": "یک شرکت" }));
    let quote = crm.add_quote(&json!({ "identityId": person }));
    let kinds = ["person", "organization", "quote/sales", "invoice/sales"];
    for (id, right) in [(&person, "person"), (&organization, "organization"), (&quote, "quote/sales")] {
        for kind in kinds {
            let path = format!("crmobject/{kind}/get");
            if kind == right {
                assert_eq!(seller.good(&path, json!({ "ID": id.to_uppercase() })).await["crmId"], **id);
            } else {
                seller.refused(404, &path, json!({ "id": id })).await;
            }
        }
    }
    seller.refused(400, "crmobject/person/get", json!({})).await;
    seller.simulator.set_office_traps([OfficeTrap::CrmErrorAsSuccess]);
    seller.refused(200, "crmobject/organization/get", json!({ "id": person })).await;
    seller.simulator.set_office_traps([OfficeTrap::CrmErrorObject]);
    let (status, answer) = seller.ask("crmobject/organization/get", json!({ "id": person })).await;
    assert_eq!(status, 404);
    assert!(answer["error"]["message"].is_string());
}

#[tokio::test]
async fn fields_are_spelled_exactly_in_questions() {
    let seller = Seller::new().await;
    let row =
        seller.simulator.rows("crm", "identities").into_iter().find(|row| {
            row["crmObjectTypeCode"] == "person" && text(row, "customerNumber").starts_with("100-2")
        });
    let row = row.unwrap();
    let number = text(&row, "customerNumber");
    assert_eq!(found(&seller, &json!([condition("CustomerNumber", 0, number)])).await, [text(&row, "crmId")]);
    for wrong in ["customerNumber", "customernumber", "CUSTOMERNUMBER", "CustomerNo", "PhoneContacts", ""] {
        seller.refused(500, FIND, question(&json!([condition(wrong, 0, number)]))).await;
    }
    let by = |field: &str| json!({ "typeKey": "person", "queries": [], "orders": [{ "field": field, "order": 0 }] });
    seller.refused(500, FIND, by("modifyDate")).await;
    seller.good(FIND, by("ModifyDate")).await;
    seller.refused(400, FIND, json!({ "queries": [] })).await;
    let number = json!([{ "operator": 0, "field": "CustomerNumber", "value": 100 }]);
    seller.refused(400, FIND, question(&number)).await;
    seller.refused(400, FIND, question(&json!([condition("CustomerNumber", 9, "1")]))).await;
    seller.refused(500, FIND, question(&json!([condition("ModifyDate", 2, "yesterday")]))).await;
    // Letters of names in the request itself may be of any case.
    let shouted = json!({ "TYPEKEY": "person", "Queries": [{ "OPERATOR": 0, "Field": "CustomerNumber", "VALUE": "none" }] });
    assert_eq!(seller.good(FIND, shouted).await, json!({ "data": [], "total": 0 }));
}

#[tokio::test]
async fn every_operator_compares() {
    let seller = Seller::new().await;
    let crm = seller.crm();
    let ids: Vec<String> = ["b1", "b2", "b3"]
        .iter()
        .map(|name| crm.create_person(&json!({ "firstName": name, "description": "op", "birthDate": format!("198{}-01-01", &name[1..]) })))
        .collect();
    let [one, two, three] = &ids[..] else { panic!("three") };
    let own = condition("Description", 0, "op");
    for (field, operator, value, expected) in [
        ("FirstName", 0, "b2", vec![two]),
        ("FirstName", 1, "b2", vec![three]),
        ("FirstName", 2, "b2", vec![two, three]),
        ("FirstName", 3, "b1,b3", vec![one, three]),
        ("FirstName", 4, "b2", vec![one]),
        ("FirstName", 5, "b2", vec![one, two]),
        ("FirstName", 6, "b2", vec![one, three]),
        ("FirstName", 7, "b1, b3", vec![two]),
        ("FirstName", 11, "b", vec![one, two, three]),
        ("FirstName", 12, "2", vec![two]),
        ("FirstName", 13, "3", vec![three]),
        ("FirstName", 0, "B2", vec![]),
        ("BirthDate", 0, "1982-01-01T00:00:00.000", vec![two]),
        ("BirthDate", 1, "1982-01-01", vec![three]),
        ("ModifyDate", 2, "2026-09-01T00:00:00.1234567", vec![one, two, three]),
        ("CustomerDate", 4, "2100-01-01", vec![]),
    ] {
        let answer = found(&seller, &json!([own, condition(field, operator, value)])).await;
        assert_eq!(answer.iter().collect::<Vec<_>>(), expected, "{field} {operator} {value}");
    }
    // Either of two, a group, and what is not in it.
    let mut either = condition("FirstName", 0, "b2");
    either["logicalOperator"] = json!(1);
    assert_eq!(
        found(&seller, &json!([condition("FirstName", 0, "b1"), either])).await,
        [one.clone(), two.clone()]
    );
    let mut group = json!({ "logicalOperator": 0, "leafNegate": false, "leafLogicalOperator": 1,
        "leafs": [condition("FirstName", 0, "b1"), condition("FirstName", 0, "b3")] });
    assert_eq!(found(&seller, &json!([own, group])).await, [one.clone(), three.clone()]);
    group["leafNegate"] = json!(true);
    assert_eq!(found(&seller, &json!([own, group])).await, std::slice::from_ref(two));
}

#[tokio::test]
async fn pages_of_answers_are_counted_from_1_in_the_order_asked_for() {
    let seller = Seller::new().await;
    let all = seller.good(FIND, question(&json!([]))).await;
    let total = all["total"].as_u64().unwrap();
    assert!(total > 40 && all["data"].as_array().unwrap().len() as u64 == total);
    let page = async |number: u64, order: u64| {
        let body = json!({ "typeKey": "person", "queries": [], "pageNumber": number, "pageSize": 10,
            "orders": [{ "field": "ModifyDate", "order": order }] });
        let answer = seller.good(FIND, body).await;
        assert_eq!(answer["total"], total);
        answer["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| text(row, "modifyDate").to_owned())
            .collect::<Vec<_>>()
    };
    let moments =
        |page: &[String]| page.iter().map(|at| at.parse().unwrap()).collect::<Vec<jiff::civil::DateTime>>();
    let (first, second) = (page(1, 0).await, page(2, 0).await);
    assert_eq!(page(0, 0).await, first);
    assert!(moments(&[first.clone(), second.clone()].concat()).is_sorted() && first.len() == 10);
    assert_ne!(first, second);
    let last = moments(&page(1, 1).await);
    assert!(last.iter().rev().is_sorted() && last[0] > moments(&first)[9]);
    assert!(page(total, 0).await.is_empty());

    // As a cursor: what changed later, and nothing else.
    let newest = page(1, 1).await.remove(0);
    let changed = seller.crm().create_person(&json!({ "firstName": "تازه" }));
    assert_eq!(found(&seller, &json!([condition("ModifyDate", 1, &newest)])).await, [changed]);
    seller.simulator.set_office_traps([OfficeTrap::CrmNoModifyDate]);
    seller.refused(500, FIND, question(&json!([condition("ModifyDate", 2, &newest)]))).await;
}

#[tokio::test]
async fn letters_come_back_with_other_code_points() {
    let seller = Seller::new().await;
    let id = seller.crm().create_person(&json!({ "firstName": "یکی", "lastName": "کیان" }));
    assert_eq!(seller.get(&id).await["nickName"], "یکی کیان");
    seller.simulator.set_office_traps([OfficeTrap::CrmArabicLetters]);
    assert_eq!(seller.get(&id).await["nickName"], "يكي كيان");
    let listed = seller.search(500).await;
    assert!(listed.iter().all(|row| !text(row, "nickName").contains(['ی', 'ک'])));
    let (status, _) =
        seller.ask("crmobject/person/find", question(&json!([condition("FirstName", 0, "یکی")]))).await;
    assert_eq!(status, 200);
    assert_eq!(found(&seller, &json!([condition("FirstName", 0, "یکی")])).await, [id]);
}

#[tokio::test]
async fn pages_mislead_as_planned() {
    let seller = Seller::new().await;
    let distinct =
        |rows: &[Value]| rows.iter().map(|row| row["identityId"].to_string()).collect::<BTreeSet<_>>().len();
    for (action, rows, ids) in
        [(Action::Duplicate, 84, 79), (Action::Reorder, 84, 64), (Action::ForgetTotal, 10, 10)]
    {
        seller.simulator.set_faults(vec![Fault::new("crm", "/search", action).nth(2)]);
        let read = seller.search(20).await;
        if action == Action::ForgetTotal {
            assert_eq!(read.len(), 39, "a short page looks like the last one");
        } else {
            assert_eq!((read.len(), distinct(&read)), (rows, ids), "{action:?}");
        }
    }
    seller.simulator.set_faults(vec![Fault::new("crm", "/search", Action::Empty)]);
    assert!(seller.search(20).await.is_empty());
    let entry = seller.simulator.ledger("crm").remove(0);
    assert_eq!(
        (entry.path.as_str(), entry.status, entry.rows),
        ("/crm/api/v2/crmobject/identity/search", 200, 20)
    );
}
