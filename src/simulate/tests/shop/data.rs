//! What the shop holds: who is in it, how odd they are, and that the seed alone decides it.

use super::*;

#[tokio::test]
async fn nothing_is_made_until_somebody_looks() {
    let shopper = Shopper::new().await;
    shopper.http.get(format!("{}/_sim/ledger", shopper.simulator.url())).send().await.unwrap();
    shopper.simulator.set_shop_traps([Trap::Bom]);
    assert!(!shopper.simulator.shop().is_made());
    assert_eq!(shopper.request(CARDS).send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert!(!shopper.simulator.shop().is_made(), "a stranger sees nothing");
    shopper.rows(&format!("{CARDS}?$top=1")).await;
    assert!(shopper.simulator.shop().is_made());
}

#[tokio::test]
async fn one_seed_makes_one_shop() {
    let options = Options { shop_today: Some(date(2026, 3, 1)), ..Options::default() };
    let one = Shopper::with(options.clone()).await;
    let other = Shopper::with(options.clone()).await;
    let third = Shopper::with(Options { seed: 2, ..options.clone() }).await;
    for stream in ["cards", "customers", "sales", "opening_balances", "purchases", "points", "products"] {
        let rows = one.simulator.raw_rows("shop", stream);
        assert_eq!(rows, other.simulator.raw_rows("shop", stream), "{stream}");
        assert_ne!(rows, third.simulator.raw_rows("shop", stream), "{stream}");
    }
    let path = format!("{SALES}?$top=50&$orderby=Period,Recorder,LineNumber");
    let bytes = one.json(&path).await["value"].to_string();
    assert_eq!(bytes, other.json(&path).await["value"].to_string());
    let triple = Shopper::with(Options { scale: 3, shop_customers: 100, ..options }).await;
    assert_eq!(triple.simulator.truth()["shop"]["customers"]["buyers"], 300);
}

#[tokio::test]
async fn customers_are_many_and_odd() {
    let shopper = Shopper::new().await;
    let rows = shopper.scan(CUSTOMERS, "&$orderby=Ref_Key", 100).await;
    let truth = shopper.simulator.truth();
    let truth = &truth["shop"]["customers"];
    let (folders, people): (Vec<&Value>, Vec<&Value>) = rows.iter().partition(|row| row["IsFolder"] == true);
    assert_eq!((&truth["folders"], &truth["count"]), (&json!(folders.len()), &json!(people.len())));
    let buyers = people.iter().filter(|row| row["Покупатель"] == true).count();
    assert_eq!((&truth["buyers"], buyers, folders.len()), (&json!(300), 300, 6));
    assert!(people.iter().any(|row| row["DeletionMark"] == true));

    let filled = |row: &Value, field: &str| !text(row, field).is_empty();
    assert!(people.iter().all(|row| filled(row, "Description")));
    assert!(people.iter().any(|row| !filled(row, "ФИО") && filled(row, "НаименованиеПолное")));
    assert!(people.iter().any(|row| !filled(row, "ФИО") && !filled(row, "НаименованиеПолное")));
    for date in ["0001-01-01T00:00:00", "1900-01-01T00:00:00", "1899-12-30T00:00:00"] {
        assert!(people.iter().any(|row| row["ДатаРождения"] == date), "{date}");
    }
    let names = people.iter().map(|row| text(row, "Description")).collect::<Vec<_>>().join("\n");
    for hostile in ["<img", "\u{202E}", "'; DROP", "\"", "=1+1"] {
        assert!(names.contains(hostile), "{hostile}");
    }
    assert!(people.iter().any(|row| text(row, "ФИО").chars().count() == 200));
    let phones: BTreeSet<String> = people
        .iter()
        .map(|row| {
            text(row, "НомерТелефонаДляПоиска")
                .chars()
                .map(|c| if c.is_ascii_digit() { '0' } else { c })
                .collect()
        })
        .collect();
    assert!(phones.len() >= 5, "phones are typed in several ways: {phones:?}");

    let contacts = people.iter().flat_map(|row| row["КонтактнаяИнформация"].as_array().unwrap());
    assert_eq!(
        shopper.count("Catalog_Контрагенты_КонтактнаяИнформация/$count").await,
        contacts.clone().count()
    );
    assert!(contacts.clone().all(|row| row["LineNumber"].is_string()));
    for kind in ["Телефон", "АдресЭлектроннойПочты", "Адрес"] {
        assert!(contacts.clone().any(|row| row["Тип"] == kind), "{kind}");
    }
}

#[tokio::test]
async fn every_rule_of_cities_fires_and_is_misled() {
    let shopper = Shopper::new().await;
    let truth = shopper.simulator.truth();
    for rule in ["main_info_line_3", "address_city", "address_street", "contact_city", "presentation"] {
        assert!(truth["shop"]["customers"]["cities"][rule].as_u64() > Some(10), "{rule}");
    }
    let mut json_addresses = 0;
    for row in shopper.scan(CUSTOMERS, "", 100).await {
        let Some(city) = shopper.simulator.shop().city(text(&row, "Ref_Key")) else { continue };
        let name = &city.name;
        let third = text(&row, "ОсновныеСведения").lines().nth(2).unwrap_or_default().to_owned();
        assert!(!third.ends_with('\r'));
        let address =
            row["КонтактнаяИнформация"].as_array().unwrap().iter().find(|row| row["Тип"] == "Адрес").cloned();
        let fields = address.as_ref().map(|row| text(row, "ЗначенияПолей")).unwrap_or_default();
        json_addresses += usize::from(fields.starts_with('{'));
        let hint = match city.rule {
            "main_info_line_3" => third == *name,
            "address_city" => {
                fields.contains(&format!("<Город>{name}<"))
                    || fields.contains(&format!("\"Город\":\"{name}\""))
            }
            "address_street" => fields.contains(&format!("<Город/><Улица>{name}<")),
            "contact_city" => {
                address.as_ref().unwrap()["Город"] == name.as_str() && !fields.contains("<Город>")
            }
            _ => text(address.as_ref().unwrap(), "Представление").contains(&format!("г. {name},")),
        };
        assert!(hint, "{city:?} {row}");
        let misleading = city.rule != "main_info_line_3" && !third.is_empty();
        assert!(!misleading || third.contains('@') || third.starts_with("+7"), "{third}");
    }
    assert!(json_addresses > 3);
}

#[tokio::test]
async fn cards_are_odd_in_known_ways() {
    let shopper = Shopper::new().await;
    let shop = shopper.simulator.shop();
    let mut cards: BTreeMap<String, Value> = BTreeMap::new();
    for row in shopper.scan(CARDS, "", 100).await {
        cards.insert(text(&row, "Ref_Key").to_owned(), row);
    }
    assert_eq!(shopper.simulator.truth()["shop"]["cards"]["count"], cards.len());
    assert!((320..=335).contains(&cards.len()), "about 1.1 cards a customer: {}", cards.len());
    let of = |role: &str| &cards[&shop.card(role)];
    let phone = |role: &str| text(of(role), "КодКартыШтрихкод").to_owned();
    let owner = |role: &str| text(of(role), "ВладелецКарты_Key").to_owned();
    assert_eq!(phone("shared_phone_a"), phone("shared_phone_b"));
    assert_ne!(owner("shared_phone_a"), owner("shared_phone_b"));
    assert_eq!(owner("two_of_one_a"), owner("two_of_one_b"));
    let digits = |text: &str| {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        digits[digits.len().saturating_sub(10)..].to_owned()
    };
    let customers = shopper.scan(CUSTOMERS, "", 100).await;
    for (role, count) in [("phone_of_one", 1), ("phone_of_two", 2), ("phone_of_nobody", 0)] {
        assert_eq!(owner(role), "00000000-0000-0000-0000-000000000000", "{role}");
        let own = digits(&phone(role));
        let having = customers.iter().filter(|row| digits(text(row, "НомерТелефонаДляПоиска")) == own);
        assert_eq!(having.count(), count, "{role}");
    }
    assert_eq!(of("deleted_with_money")["DeletionMark"], true);
    assert!(shop.sums_of_card(&shop.card("deleted_with_money"), None).opening_balances.count > 0);
    assert_eq!(phone("no_phone"), "");
    let inexact = |c: &str| c.starts_with("+7 (") || c.starts_with("87") || c.starts_with("700 ");
    let codes: Vec<&str> = cards.values().map(|row| text(row, "КодКартыШтрихкод")).collect();
    assert!(codes.iter().filter(|code| inexact(code)).count() > 10);
    assert!(codes.iter().filter(|code| code.is_empty()).count() > 5);
    let real = codes.iter().map(|code| digits(code)).filter(|digits| !digits.is_empty());
    assert!(real.clone().all(|digits| digits.starts_with("7000") && digits.len() == 10));
}

#[tokio::test]
async fn receipts_hold_what_breaks_naive_keys() {
    let shopper = Shopper::new().await;
    let rows = shopper.simulator.rows("shop", "purchases");
    let mut lines: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut equal = 0;
    for row in &rows {
        let key = format!("{} {}", row["Recorder"], row["Номенклатура_Key"]);
        let number = row["LineNumber"].to_string();
        let known = lines.entry(format!("{key} {}", row["Сумма"])).or_default();
        assert!(!known.contains(&number), "keys are unique");
        equal += usize::from(!known.is_empty());
        known.insert(number);
    }
    assert!(equal > 3, "{equal}");
    let now = shopper.simulator.shop().now().to_string();
    assert!(rows.iter().all(|row| text(row, "Period") < now.as_str()));
    let points = shopper.simulator.rows("shop", "points");
    assert!(points.iter().filter(|row| text(row, "Period") > now.as_str()).count() > 5);
    assert!(points.iter().any(|row| row["Active"] == false));
    let products = shopper
        .rows(&format!("{PRODUCTS}?$filter=startswith(Description,'Пакет') or Артикул eq 'УП-0099'"))
        .await;
    assert_eq!(products.len(), 2);
    let sold: BTreeSet<&str> = rows.iter().map(|row| text(row, "Номенклатура_Key")).collect();
    assert!(products.iter().any(|row| sold.contains(text(row, "Ref_Key"))));
    assert_eq!(
        shopper.count(&format!("{PRODUCTS}/$count?$filter=substringof('Пакет',Description)")).await,
        2
    );
}
