//! What the CRM holds at the start, and how it is told to be whom the finance system means.

use std::collections::HashMap;

use super::*;

/// The ten digits of a mobile however it is typed; empty for none.
fn mobile(typed: &str) -> String {
    let western = |sign: char| match sign {
        '۰'..='۹' => char::from_digit(u32::from(sign) - u32::from('۰'), 10),
        '0'..='9' => Some(sign),
        _ => None,
    };
    let digits: String = typed.chars().filter_map(western).collect();
    digits.get(digits.len().saturating_sub(10)..).unwrap_or_default().to_owned()
}

/// A number in western digits, without what cannot be seen.
fn folded(typed: &str) -> String {
    let western = |sign: char| match sign {
        '۰'..='۹' => char::from_digit(u32::from(sign) - u32::from('۰'), 10),
        '٠'..='٩' => char::from_digit(u32::from(sign) - u32::from('٠'), 10),
        '\u{200C}' | ' ' => None,
        _ => Some(sign),
    };
    typed.chars().filter_map(western).collect()
}

fn mobiles(row: &Value) -> Vec<String> {
    let phones = row["phoneContacts"].as_array().unwrap();
    let mobiles = phones.iter().filter(|phone| ["موبایل", "Mobile"].contains(&text(phone, "phoneType")));
    mobiles.map(|phone| mobile(text(phone, "phoneNumber"))).collect()
}

#[tokio::test]
async fn it_is_made_when_first_looked_at_and_the_same_for_a_seed() {
    let (one, other) = (Seller::new().await, Seller::new().await);
    let third = Seller::with(Options { seed: 2, ..Options::default() }).await;
    assert!(!one.crm().is_made() && !one.simulator.finance().is_made());
    assert_eq!(one.search(500).await, other.search(500).await);
    assert!(one.crm().is_made() && !one.simulator.finance().is_made());
    for stream in ["identities", "quotes", "invoices"] {
        let rows = one.simulator.raw_rows("crm", stream);
        assert!(!rows.is_empty());
        assert_eq!(rows, other.simulator.raw_rows("crm", stream), "{stream}");
        assert_ne!(rows, third.simulator.raw_rows("crm", stream), "{stream}");
    }
    assert!(one.mutations().is_empty());
}

#[tokio::test]
async fn everybody_is_found_by_what_was_meant_and_by_nothing_else() {
    for scale in [1, 3] {
        let seller = Seller::with(Options { scale, ..Options::default() }).await;
        let identities = seller.simulator.rows("crm", "identities");
        let index = |keys: &dyn Fn(&Value) -> Vec<String>| {
            let mut index: HashMap<String, Vec<String>> = HashMap::new();
            for row in &identities {
                for key in keys(row).into_iter().filter(|key| !key.is_empty()) {
                    index.entry(key).or_default().push(text(row, "crmId").to_owned());
                }
            }
            index
        };
        let typed = index(&|row| vec![text(row, "customerNumber").to_owned()]);
        let numbers = index(&|row| vec![folded(text(row, "customerNumber"))]);
        let ids = index(&|row| vec![folded(text(row, "nationalCode"))]);
        let phones = index(&mobiles);
        let contacts = seller.simulator.rows("finance", "contacts");
        let expected = seller.simulator.finance().expected();
        assert_eq!(contacts.len(), expected.len());
        let mut ambiguous = BTreeSet::new();
        for (contact, expected) in contacts.iter().zip(&expected) {
            let code = contact["Code"].as_i64().unwrap();
            assert_eq!(code, expected.code);
            let number = format!("100-{}", code + 1000);
            let of =
                |index: &HashMap<String, Vec<String>>, key: &str| index.get(key).cloned().unwrap_or_default();
            let by_type = of(&typed, &number);
            let by_number = of(&numbers, &number);
            let by_id = of(&ids, text(contact, "NationalCode"));
            let by_mobile = of(&phones, &mobile(text(contact, "MobileNo")));
            let own = &expected.identities;
            let none: Vec<String> = Vec::new();
            match expected.found {
                Match::Number => {
                    assert_eq!((&by_type, &by_number), (own, own), "{code}");
                    // Nothing contradicts the number.
                    assert!([&by_id, &by_mobile].into_iter().all(|found| found.is_empty() || found == own));
                    let organization = seller.crm().is_organization(&own[0]);
                    assert_eq!(organization, contact["TowardType"].as_bool(), "{code}");
                }
                Match::FoldedNumber => assert_eq!((&by_type, &by_number), (&none, own), "{code}"),
                Match::NationalId => {
                    assert_eq!([&by_number, &by_id, &by_mobile], [&none, own, &none], "{code}")
                }
                Match::Mobile => assert_eq!([&by_number, &by_id, &by_mobile], [&none, &none, own], "{code}"),
                Match::Ambiguous => {
                    assert_eq!((own.len(), &by_number), (2, &none));
                    assert!((by_id == *own) != (by_mobile == *own), "{code}");
                    ambiguous.insert(by_id == *own);
                }
                Match::Unknown | Match::Admin => {
                    assert_eq!([&by_number, &by_id, &by_mobile], [&none, &none, &none], "{code}");
                    assert!(own.is_empty());
                }
            }
        }
        assert_eq!(ambiguous.len(), 2, "one by national id, one by mobile");
        let of_the_finance_system: BTreeSet<&String> =
            expected.iter().flat_map(|one| &one.identities).collect();
        assert_eq!(of_the_finance_system.len(), 50 * scale as usize + 4);
        assert_eq!(identities.len(), 80 * scale as usize + 4);
    }
}

#[tokio::test]
async fn there_are_as_many_of_each_as_said() {
    let seller = Seller::new().await;
    let truth = &seller.simulator.truth()["crm"];
    let identities = &truth["identities"];
    assert_eq!((&identities["count"], &identities["numbered"]), (&json!(84), &json!(38)));
    let organizations = identities["organizations"].as_u64().unwrap();
    assert!((5..40).contains(&organizations));
    assert_eq!(truth["quotes"], json!({ "count": 20, "approved": 15, "pending": 4 }));
    assert_eq!(truth["invoices"], json!({ "count": 6, "from_quotes": 3 }));
    let plain = Seller::with(Options { crm_ambiguous: false, crm_leads: 5, ..Options::default() }).await;
    assert_eq!(plain.simulator.truth()["crm"]["identities"]["count"], 55);
    assert_eq!(plain.simulator.truth()["finance"]["contacts"]["customers"], 150);
}

#[tokio::test]
async fn rows_are_as_uneven_as_life() {
    let seller = Seller::new().await;
    let rows = seller.simulator.rows("crm", "identities");
    let count = |meant: &dyn Fn(&Value) -> bool| rows.iter().filter(|row| meant(row)).count();
    let phones = |word: &str| count(&|row| row["phoneContacts"].to_string().contains(word));
    assert!(phones("موبایل") > 5 && phones("Mobile") > 5);
    let gender = |word: &str| count(&|row| row["gender"] == word);
    assert!(["زن", "مرد", "Female", "Male", ""].into_iter().all(|word| gender(word) > 3));
    let letters = |sign: char| count(&|row| text(row, "nickName").contains(sign));
    assert!(letters('ی') > 5 && letters('ي') > 5);
    assert!(
        count(&|row| row["customerNumber"].is_null()) > 5 && count(&|row| row["customerNumber"] == "") > 5
    );
    let digits: BTreeSet<usize> = rows
        .iter()
        .map(|row| text(row, "creatDate").split_once('.').map_or(0, |(_, fraction)| fraction.len()))
        .collect();
    assert_eq!(digits, (0..=7).collect());
    for row in &rows {
        assert_eq!(row.as_object().unwrap().len(), 26);
        assert_eq!(row["crmId"], row["identityId"]);
        let [made, changed] =
            ["creatDate", "modifyDate"].map(|field| text(row, field).parse::<jiff::civil::DateTime>());
        assert!(made.unwrap() < changed.unwrap());
    }
    let ids: BTreeSet<&str> = rows.iter().map(|row| text(row, "crmId")).collect();
    assert_eq!(ids.len(), rows.len());
}

#[test]
fn the_configurations_name_both_systems_and_what_flows_between_them() {
    let text = crm_config("http://127.0.0.1:1") + &flows_config();
    let parsed: toml::Table = text.parse().unwrap();
    let crm = &parsed["systems"]["crm"];
    assert_eq!(
        (crm["kind"].as_str(), crm["base_url"].as_str()),
        (Some("payamgostar"), Some("http://127.0.0.1:1/crm"))
    );
    let customers = &parsed["flows"]["customers"];
    assert_eq!(customers["number"]["prefix"].as_str(), Some("100-"));
    assert_eq!(customers["entity"].as_str(), Some("customer"));
}
