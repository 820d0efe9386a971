//! Both roads of reading, and looking identities up.

use super::*;

/// Persons 1 to 5 and organizations 6 to 8, as a search gives them.
fn identity(number: u64) -> String {
    format!(
        r#"{{"crmId":"id-{number}","nickName":"n{number}","customerNumber":"100-{number}","nationalCode":"{number}","phoneContacts":[{{"phoneType":"Mobile","phoneNumber":"0912000000{number}"}}]}}"#
    )
}

fn searched(call: &str, body: &Object) -> Response {
    let all = if call == "person/find" { 1..=5 } else { 6..=8 };
    let number = |name: &str| body.get(name).text().unwrap().parse::<usize>().unwrap();
    let wanted = body.objects("queries").first().map(|query| query.get("value").owned().unwrap());
    let hits: Vec<String> = all
        .map(identity)
        .filter(|one| wanted.as_ref().is_none_or(|value| one.contains(value.as_str())))
        .collect();
    let page: Vec<String> = hits
        .iter()
        .skip((number("pageNumber") - 1) * number("pageSize"))
        .take(number("pageSize"))
        .cloned()
        .collect();
    json(&format!(r#"{{"data":[{}],"total":{}}}"#, page.join(","), hits.len()))
}

/// All pages from the beginning: their keys and what was said of the whole.
async fn walk(
    crm: &Payamgostar,
    http: &Http,
    size: u32,
) -> Vec<(Vec<String>, Option<u64>, Option<&'static str>)> {
    let (mut pages, mut at) = (Vec::new(), None);
    loop {
        let ask = Ask { page_size: size, ..Ask::default() };
        let page = crm.fetch(http, &STREAMS[0], at.as_ref(), &ask).await.unwrap();
        pages.push((
            page.rows.iter().filter_map(|row| row.key.clone()).collect(),
            page.totals.count,
            page.way,
        ));
        match page.next {
            Some(next) => at = Some(next),
            None => return pages,
        }
    }
}

#[tokio::test]
async fn persons_and_organizations_are_one_list() {
    let (server, http, crm) = behind_the_door(searched).await;
    let pages = walk(&crm, &http, 2).await;
    let keys: Vec<&str> = pages.iter().flat_map(|(keys, ..)| keys.iter().map(String::as_str)).collect();
    assert_eq!(keys, ["id-1", "id-2", "id-3", "id-4", "id-5", "id-6", "id-7", "id-8"]);
    assert!(pages.iter().all(|(_, count, way)| (*count, *way) == (Some(8), None)), "{pages:?}");
    assert_eq!(
        server.bodies()[3],
        r#"{"typeKey":"person","queries":[],"orders":[{"field":"ModifyDate","order":1}],"pageNumber":1,"pageSize":2}"#
    );
}

#[tokio::test]
async fn a_kind_of_which_there_is_none_makes_no_empty_page() {
    let (_, http, crm) = behind_the_door(|call, body| match call {
        "person/find" => json(r#"{"data":[],"total":0}"#),
        _ => searched(call, body),
    })
    .await;
    let pages = walk(&crm, &http, 2).await;
    let sizes: Vec<usize> = pages.iter().map(|(keys, ..)| keys.len()).collect();
    assert_eq!(sizes, [2, 1]);
}

#[tokio::test]
async fn a_row_in_brief_is_asked_for() {
    let (_, http, crm) = behind_the_door(|call, body| match call {
        "person/find" => {
            json(r#"{"data":[{"crmId":"id-1","nickName":"n1"},{"crmId":"id-2"},{"nickName":"x"}],"total":3}"#)
        }
        "person/get" if body.get("id").text() == Some("id-1") => json(&identity(1)),
        "person/get" => status(404, "{}"),
        _ => json(r#"{"data":[],"total":"0"}"#),
    })
    .await;
    let page = crm.fetch(&http, &STREAMS[0], None, &Ask::default()).await.unwrap();
    let raws: Vec<&str> = page.rows.iter().map(|row| &*row.raw).collect();
    let expected = [
        wrapped("person", &identity(1)),
        wrapped("brief", r#"{"crmId":"id-2"}"#),
        wrapped("person", r#"{"nickName":"x"}"#),
    ];
    assert_eq!(raws, expected);
    assert_eq!(page.totals.count, Some(3));
}

/// Names 1 to 5, of which every other is an organization; the fourth is not to be had.
fn by_name(refusal: u16) -> impl Fn(&str, &Object) -> Response + Send + Sync + 'static {
    move |call, body| {
        let number = || body.get("id").text().unwrap().trim_start_matches("id-").parse::<u64>().unwrap();
        let name =
            |n: usize| format!(r#"{{"identityId":"id-{n}","nickName":"n{n}","customerNo":"۱۰۰-{n}"}}"#);
        match call {
            "identity/search" => {
                let of = |name: &str| body.get(name).text().unwrap().parse::<usize>().unwrap();
                let (page, size) = (of("pageNumber"), of("pageSize"));
                let names: Vec<String> = (1..=5).skip(page * size).take(size).map(name).collect();
                json(&format!("[{}]", names.join(",")))
            }
            "person/get" if number() % 2 == 1 => json(&identity(number())),
            "organization/get" if number() == 2 => json(&identity(2)),
            "person/get" | "organization/get" if number() == 4 => status(404, "{}"),
            _ => status(refusal, "{}"),
        }
    }
}

#[tokio::test]
async fn where_the_search_is_refused_the_list_is_walked() {
    for refusal in [400, 404, 500] {
        let (server, http, crm) = behind_the_door(by_name(refusal)).await;
        let pages = walk(&crm, &http, 2).await;
        let keys: Vec<&str> = pages.iter().flat_map(|(keys, ..)| keys.iter().map(String::as_str)).collect();
        assert_eq!(keys, ["id-1", "id-2", "id-3", "id-4", "id-5"], "{refusal}");
        assert!(pages.iter().all(|(_, count, way)| (*count, *way) == (None, Some("listed"))), "{pages:?}");
        let asked = |call: &str| server.lines().iter().filter(|line| line.ends_with(call)).count();
        // Of the second, the other call answers at once: neither is repeated.
        assert_eq!((asked("person/get"), asked("organization/get")), (5, 2), "{refusal}");
    }
    let (_, http, mut crm) = behind_the_door(by_name(404)).await;
    crm.find = false;
    let ask = Ask { page_size: 5, ..Ask::default() };
    let page = crm.fetch(&http, &STREAMS[0], None, &ask).await.unwrap();
    let kinds: Vec<&str> = page.rows.iter().map(|row| row.raw.split('"').nth(1).unwrap()).collect();
    assert_eq!(kinds, ["person", "organization", "person", "brief", "person"]);
}

#[tokio::test]
async fn what_is_not_an_answer_is_no_empty_list() {
    type Answer = fn(&str, &Object) -> Response;
    let cases: [(&str, Answer); 4] = [
        ("connect-other-shape", |_, _| json("{}")),
        ("connect-broken-json", |_, _| json("{\"data\":[")),
        ("connect-web-page", |_, _| json("<html>")),
        ("connect-server-error", |_, _| status(503, "")),
    ];
    for (id, answer) in cases {
        let (_, http, crm) = behind_the_door(answer).await;
        let error = crm.fetch(&http, &STREAMS[0], None, &Ask::default()).await.unwrap_err();
        assert_eq!(error.message().id, id);
    }
}

async fn keys_of(crm: &Payamgostar, http: &Http, by: &Lookup) -> Vec<String> {
    let rows = crm.find(http, &STREAMS[0], by).await.unwrap();
    rows.into_iter().filter_map(|row| row.key).collect()
}

#[tokio::test]
async fn identities_are_looked_up_by_search() {
    let by = |field, value: &str| Lookup::Field(field, value.to_owned());
    let (server, http, crm) = behind_the_door(|call, body| match call {
        "person/get" if body.get("id").text() == Some("id-1") => json(&identity(1)),
        "person/get" => json("null"),
        "organization/get" => json(r#"{"code":404,"message":"no such object"}"#),
        // One that takes parts of values as well.
        _ => searched(call, body),
    })
    .await;
    for (by, keys) in [
        (Lookup::Key("id-1".to_owned()), &["id-1"][..]),
        (Lookup::Key("id-9".to_owned()), &[]),
        (by(Field::Number, "۱۰۰-7"), &["id-7"]),
        (by(Field::Number, "100-"), &[]),
        (by(Field::NationalId, "8"), &["id-8"]),
        (by(Field::Mobile, "+98 912 000 0003"), &["id-3"]),
        (by(Field::Telephone, "09120000003"), &[]),
        (by(Field::Email, "a@example.test"), &[]),
        (by(Field::Mobile, " "), &[]),
    ] {
        assert_eq!(keys_of(&crm, &http, &by).await, keys, "{by:?}");
    }
    let condition = r#"{"field":"CustomerNumber","leafLogicalOperator":null,"leafNegate":false,"leafs":[],"logicalOperator":0,"operator":0,"value":"100-7"}"#;
    assert!(server.bodies().iter().any(|body| body.contains(condition)), "{:?}", server.bodies());
    let error = crm.find(&http, &STREAMS[0], &Lookup::After(5)).await.unwrap_err();
    assert_eq!(error.message().id, "run-no-keys");
}

#[tokio::test]
async fn without_a_search_the_list_answers() {
    let (_, http, crm) = behind_the_door(by_name(500)).await;
    for (field, value, keys) in [
        (Field::Number, "100-5", &["id-5"][..]),
        (Field::Number, "100-2", &["id-2"]),
        (Field::Number, "100-9", &[]),
        (Field::Mobile, "09120000003", &["id-3"]),
        (Field::Name, "n2", &["id-2"]),
    ] {
        let by = Lookup::Field(field, value.to_owned());
        assert_eq!(keys_of(&crm, &http, &by).await, keys, "{by:?}");
    }
}

#[test]
fn a_quote_is_read() {
    let quote = r#"{"crmId":"0A1B2C3D-0000-4000-8000-00000000000A","crmObjectTypeCode":"PI_2","identityId":"0A1B2C3D-0000-4000-8000-000000000001","number":"10001","description":"یادداشت","quoteDate":"2030-01-02T00:00:00","discount":100.00,"toll":0.00,"additionalCosts":null,"finalValue":"549,99","billableObjectStateIndex":2,"creatDate":"2030-01-02T13:01:02.3450000","details":[{"productCode":1001,"baseUnitPrice":333333.10,"count":"۱.۵","totalDiscount":0,"totalVat":49999.9500000001,"totalToll":0.0,"productUnitTypeName":"عدد"},{"baseUnitPrice":0.1234567891}]}"#;
    assert_eq!(
        at_home().document(quote).unwrap_err(),
        LeftOut::Rejected(Reject { rule: "amount_not_exact", field: "finalValue" })
    );
    let read = at_home().document(&quote.replace("\"549,99\"", "549.99")).unwrap();
    assert_eq!(read.customer.as_deref(), Some(GUID));
    assert_eq!((read.key.as_str(), read.net), ("0a1b2c3d-0000-4000-8000-00000000000a", Some(54_999)));
    assert_eq!((read.state, read.made.as_deref()), (Some(2), Some("2030-01-02T13:01:02.345")));
    assert_eq!((read.number.as_deref(), read.subtype.as_deref()), (Some("10001"), Some("PI_2")));
    assert_eq!((read.discount, read.costs, read.quote), (Some(10_000_000_000), None, None));
    let line = &read.lines[0];
    assert_eq!((line.product.as_deref(), line.count), (Some("1001"), Some(150_000_000)));
    assert_eq!((line.price, line.vat), (Some(33_333_310_000_000), Some(4_999_995_000_000)));
    // What is sent has to be exact.
    assert_eq!(read.lines[1].price, None);
    let invoice = r#"{"crmId":"x","refId":"Q","invoiceDate":"2030-01-02"}"#;
    let read = at_home().document(invoice).unwrap();
    assert_eq!(
        (read.quote.as_deref(), read.made.as_deref(), read.net),
        (Some("q"), Some("2030-01-02T00:00:00"), None)
    );
    for (raw, rule) in [("[]", "not_an_object"), (r#"{"identityId":"x"}"#, "no_key")] {
        assert_eq!(
            at_home().document(raw).unwrap_err(),
            LeftOut::Rejected(Reject { rule, field: if rule == "no_key" { "crmId" } else { "" } })
        );
    }
}
