//! Quotes and invoices: what follows from their lines, and which of them are odd.

use super::*;

fn amount(value: &Value) -> Decimal {
    value.to_string().parse().unwrap()
}

/// The sums of the lines, by their names in the header.
fn of_lines(row: &Value) -> [Decimal; 4] {
    let lines = row["details"].as_array().unwrap();
    ["totalUnitPrice", "totalDiscount", "totalVat", "totalToll"]
        .map(|part| lines.iter().map(|line| amount(&line[part])).sum())
}

fn of_header(row: &Value) -> [Decimal; 4] {
    ["totalValue", "discount", "vat", "toll"].map(|total| amount(&row[total]))
}

/// What a header comes to.
fn comes_to(row: &Value) -> Decimal {
    let [total, discount, vat, toll] = of_header(row);
    total - discount + vat + toll + amount(&row["additionalCosts"])
}

#[tokio::test]
async fn there_is_one_of_each_oddity() {
    let seller = Seller::new().await;
    let quotes = seller.simulator.rows("crm", "quotes");
    let count = |meant: &dyn Fn(&Value) -> bool| quotes.iter().filter(|row| meant(row)).count();
    let state = |state: u64| count(&|row| row["billableObjectStateIndex"] == state);
    assert_eq!([state(1), state(2), state(5), quotes.len()], [4, 15, 1, 20]);
    for row in &quotes {
        assert_eq!(row["billableObjectStateIndex"] == 2, !text(row, "number").is_empty());
        for line in row["details"].as_array().unwrap() {
            assert_eq!(
                amount(&line["totalUnitPrice"]),
                amount(&line["baseUnitPrice"]) * amount(&line["count"])
            );
            assert_eq!(line.as_object().unwrap().len(), 13);
        }
        assert!(["PI_1", "PI_2"].contains(&text(row, "crmObjectTypeCode")));
        assert_eq!(row.as_object().unwrap().len(), 20);
    }
    let numbers: BTreeSet<&str> =
        quotes.iter().map(|row| text(row, "number")).filter(|number| !number.is_empty()).collect();
    assert_eq!(numbers.len(), 15);
    assert_eq!(count(&|row| of_header(row) != of_lines(row)), 1);
    assert_eq!(count(&|row| of_header(row)[1] > of_lines(row)[1]), 1);
    assert_eq!(count(&|row| comes_to(row) != amount(&row["finalValue"])), 1);
    assert!(count(&|row| amount(&row["finalValue"]).fract() != Decimal::ZERO) > 1);
    let customer = |row: &Value| seller.crm().object(text(row, "identityId")).unwrap();
    assert_eq!(count(&|row| text(&customer(row), "customerNumber").is_empty()), 1);
    // One of the approved is of a customer for whom nobody opened an account.
    let contacts = seller.simulator.rows("finance", "contacts");
    let expected = seller.simulator.finance().expected();
    let partyless = |row: &Value| {
        let place = expected.iter().position(|one| one.identities.iter().any(|id| row["identityId"] == *id));
        place.is_some_and(|place| contacts[place]["AccountPartyCode"].is_null())
    };
    assert!(count(&partyless) >= 1);
}

#[tokio::test]
async fn quotes_and_invoices_are_read_like_identities() {
    let seller = Seller::new().await;
    let quotes = seller.simulator.rows("crm", "quotes");
    let find = |page: u64| {
        json!({ "typeKey": "quote", "queries": [{ "operator": 0, "field": "BillableObjectStateIndex", "value": "2" }],
                "orders": [{ "field": "FinalValue", "order": 1 }], "pageNumber": page, "pageSize": 10 })
    };
    let (first, second) = (
        seller.good("crmobject/quote/sales/find", find(1)).await,
        seller.good("crmobject/quote/sales/find", find(2)).await,
    );
    assert_eq!((&first["total"], second["data"].as_array().unwrap().len()), (&json!(15), 5));
    let values: Vec<Decimal> = [&first, &second]
        .iter()
        .flat_map(|page| page["data"].as_array().unwrap())
        .map(|row| amount(&row["finalValue"]))
        .collect();
    assert!(values.iter().rev().is_sorted());
    let one = seller.good("crmobject/quote/sales/get", json!({ "id": quotes[3]["crmId"] })).await;
    assert_eq!(one, quotes[3]);
    let raw = seller
        .send("crmobject/quote/sales/get", json!({ "id": quotes[3]["crmId"] }).to_string())
        .await
        .unwrap();
    let value = raw.text().await.unwrap();
    let value = value.split_once("\"finalValue\":").unwrap().1.split_once(',').unwrap().0;
    assert_eq!(value.split_once('.').unwrap().1.len(), 2, "{value}");

    let invoices =
        seller.good("crmobject/invoice/sales/find", json!({ "typeKey": "invoice", "queries": [] })).await;
    let invoices = invoices["data"].as_array().unwrap();
    let of_quotes: Vec<&Value> = invoices.iter().filter(|row| !row["refId"].is_null()).collect();
    assert_eq!((invoices.len(), of_quotes.len()), (6, 3));
    for invoice in of_quotes {
        let quote = quotes.iter().find(|quote| quote["crmId"] == invoice["refId"]).unwrap();
        assert_eq!(
            (&invoice["identityId"], &invoice["details"], &invoice["finalValue"]),
            (&quote["identityId"], &quote["details"], &quote["finalValue"])
        );
    }
    assert!(invoices.iter().all(|row| row["invoiceDate"].is_string() && row["quoteDate"].is_null()));
    for (kind, wrong) in [("quote", "InvoiceDate"), ("invoice", "QuoteDate"), ("quote", "Details")] {
        let query = json!({ "typeKey": kind, "queries": [{ "operator": 0, "field": wrong, "value": "" }] });
        seller.refused(500, &format!("crmobject/{kind}/sales/find"), query).await;
    }
    let create = seller.send("crmobject/quote/sales/create", "{}".to_owned()).await.unwrap();
    assert_eq!(create.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn people_write_number_and_change_quotes() {
    let seller = Seller::new().await;
    let crm = seller.crm();
    let person = crm.create_person(&json!({ "firstName": "یک", "customerNumber": "100-9001" }));
    let id = crm.add_quote(&json!({ "identityId": person, "details": [
        { "productCode": "1001", "count": 3, "baseUnitPrice": 333_333 },
        { "productCode": "9001", "count": "1.5", "baseUnitPrice": 1000, "totalDiscount": 100 },
    ] }));
    let row = crm.object(&id).unwrap();
    assert_eq!(
        (&row["crmObjectTypeCode"], &row["number"], &row["billableObjectStateIndex"]),
        (&json!("PI_1"), &json!(""), &json!(1))
    );
    assert_eq!(of_header(&row), of_lines(&row));
    // 999,999 and 1,500, less 100, and ten percent of the first.
    let exact = |field: &str| amount(&row[field]);
    assert_eq!(
        (exact("totalValue"), exact("vat"), exact("finalValue")),
        ("1001499".parse().unwrap(), "99999.90".parse().unwrap(), "1101398.90".parse().unwrap())
    );

    let number = crm.number_quote(&id).unwrap();
    assert_eq!(crm.number_quote(&id), Some(number.clone()));
    assert!(crm.number_quote(&person).is_none());
    assert_eq!(crm.object(&id).unwrap()["number"], json!(number));
    assert!(crm.edit_quote(
        &id,
        &json!({ "details": [{ "productCode": "1001", "count": 1, "baseUnitPrice": 10 }] })
    ));
    assert_eq!(amount(&crm.object(&id).unwrap()["finalValue"]), Decimal::from(11));
    crm.edit_quote(&id, &json!({ "toll": 5, "additionalCosts": 4 }));
    assert_eq!(amount(&crm.object(&id).unwrap()["finalValue"]), Decimal::from(20));
    crm.edit_quote(&id, &json!({ "finalValue": 1 }));
    assert_eq!(amount(&crm.object(&id).unwrap()["finalValue"]), Decimal::ONE);
    let other = crm.add_quote(&json!({ "identityId": person, "billableObjectStateIndex": 2 }));
    assert_ne!(crm.object(&other).unwrap()["number"], json!(number));
    let unnumbered = crm.add_quote(&json!({ "billableObjectStateIndex": 2, "number": "" }));
    assert_eq!(crm.object(&unnumbered).unwrap()["number"], "");
    assert!(!crm.edit_quote(&person, &json!({})) && !crm.edit(&id, &json!({ "email": "x" })));
    let told = seller.mutations();
    assert!(told[1..].iter().all(|one| one.stream == "quotes" && one.by == By::Person));

    for (stream, rows) in [("quotes", 23), ("invoices", 6)] {
        seller.simulator.clear_mutations();
        assert_eq!(seller.simulator.change("crm", stream, 100.0), rows);
        let changed = seller.mutations();
        assert_eq!(
            changed.iter().filter(|one| one.stream == stream && one.before != one.after).count() as u64,
            rows
        );
    }
    let recounted = seller.simulator.rows("crm", "quotes");
    let odd = recounted.iter().filter(|row| comes_to(row) != amount(&row["finalValue"])).count();
    assert!(odd <= 2, "what was not asked to be odd still adds up");
    seller.simulator.replace_rows("crm", "quotes", vec![json!({ "crmId": "q" })]);
    assert_eq!(seller.simulator.truth()["crm"]["quotes"]["count"], 1);
    assert_eq!(seller.simulator.truth()["crm"]["invoices"]["count"], 6);
}
