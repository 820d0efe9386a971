//! The language the base is asked in, and what it answers when all is well.

use super::*;

const ZERO: &str = "guid'00000000-0000-0000-0000-000000000000'";

#[tokio::test]
async fn filters_mean_what_they_say() {
    let shopper = Shopper::new().await;
    let all = shopper.simulator.rows("shop", "customers");
    let count = |keep: &dyn Fn(&Value) -> bool| all.iter().filter(|row| keep(row)).count();
    let name = |row: &Value| text(row, "Description").to_owned();
    let born = |row: &Value| text(row, "ДатаРождения")[..4].parse::<u16>().unwrap();
    let quoted = "Description eq 'О''Тестов \"Кавычкин\" «Ёлочкин»'";
    for (filter, expected) in [
        ("IsFolder", count(&|row| row["IsFolder"] == true)),
        ("IsFolder eq false and Покупатель", 300),
        ("not IsFolder and not (Покупатель eq true)", count(&|row| row["IsFolder"] == false) - 300),
        (quoted, 1),
        ("substringof('<img',Description)", count(&|row| name(row).contains("<img"))),
        ("substringof('=1+1',Description) eq true", 1),
        ("startswith(Description,'Примеров')", count(&|row| name(row).starts_with("Примеров"))),
        ("endswith(Description,'Тестович')", count(&|row| name(row).ends_with("Тестович"))),
        (
            "like(Description,'Прим_ров%Тест%')",
            count(&|row| name(row).starts_with("Примеров") && name(row).ends_with("Тестович")),
        ),
        ("year(ДатаРождения) ge 1980", count(&|row| born(row) >= 1980)),
        ("ДатаРождения eq datetime'0001-01-01T00:00:00'", count(&|row| born(row) == 1)),
        (
            "ДатаРождения gt datetime'1900-01-01T00:00:00' and ДатаРождения lt datetime'1970-01-01T00:00:00'",
            count(&|row| (1901..1970).contains(&born(row))),
        ),
        ("IsFolder or Покупатель and false", count(&|row| row["IsFolder"] == true)),
        (
            "(IsFolder or Покупатель) and ФИО ne ''",
            count(&|row| row["Покупатель"] == true && row["ФИО"] != ""),
        ),
        ("Code le '00-00000010'", 10),
    ] {
        assert_eq!(
            shopper.count(&format!("{CUSTOMERS}/$count?$filter={}", filter.replace('+', "%2B"))).await,
            expected,
            "{filter}"
        );
    }
    let lines = shopper.simulator.rows("shop", "sales");
    let third = lines.iter().filter(|row| row["LineNumber"] == "3").count();
    for filter in ["LineNumber eq 3", "LineNumber eq 3L", "LineNumber gt 2 and LineNumber lt 4"] {
        assert_eq!(shopper.count(&format!("{SALES}/$count?$filter={filter}")).await, third, "{filter}");
    }
    let large =
        lines.iter().filter(|row| row["Сумма"].to_string().parse::<Decimal>().unwrap() >= amount("9999.99"));
    assert_eq!(shopper.count(&format!("{SALES}/$count?$filter=Сумма ge 9999.99")).await, large.count());
}

#[tokio::test]
async fn what_it_does_not_know_is_refused() {
    let shopper = Shopper::new().await;
    for filter in [
        "tolower(Description) eq 'a'",
        "length(Description) eq 1",
        "trim(Description) eq ''",
        "indexof(Description,'a') eq 1",
        "Description eq null",
        "Description eq",
        "Description",
        "Description = 'a'",
        "Description eq 'a",
        "Description eq 5",
        "Description EQ 'a'",
        "Ref_Key eq '00000000-0000-0000-0000-000000000000'",
        "Ref_Key eq guid'0'",
        "ДатаРождения gt datetime'2026-01-01'",
        "ДатаРождения gt datetime'2026-01-01T00:00:00Z'",
        "(IsFolder",
        "IsFolder)",
        "substringof(Description,'a')",
        "",
    ] {
        assert_eq!(
            shopper.refused(&format!("{CUSTOMERS}?$filter={filter}")).await,
            (400, "14".to_owned()),
            "{filter}"
        );
    }
    let nested = format!("{}IsFolder{}", "(".repeat(1_500), ")".repeat(1_500));
    assert_eq!(shopper.refused(&format!("{CUSTOMERS}?$filter={nested}")).await.1, "14");
    for query in [
        "$filter=Телефон eq 'a'",
        "$filter=Parent/Description eq 'a'",
        "$filter=КонтактнаяИнформация eq 'a'",
        "$orderby=Телефон",
        "$select=Ref_Key,Телефон",
        "$expand=Parent",
    ] {
        assert_eq!(shopper.refused(&format!("{CUSTOMERS}?{query}")).await, (400, "6".to_owned()), "{query}");
    }
    for query in ["$top=a", "$skip=-1", "$orderby=Code up", "$inlinecount=some"] {
        assert_eq!(shopper.refused(&format!("{CUSTOMERS}?{query}")).await, (400, "14".to_owned()), "{query}");
    }
    for set in [
        "Catalog_Склады",
        "Document_ЧекККМ",
        "Document_ЧекККМВозврат",
        "AccumulationRegister_БонусныеБаллы_Остатки",
        "Catalog_Склады/$count",
        "AccumulationRegister_ПродажиПоДисконтнымКартам/Balance()",
    ] {
        assert_eq!(shopper.refused(set).await, (404, "8".to_owned()), "{set}");
    }
    assert_eq!(
        shopper.refused(&format!("{CUSTOMERS}(guid'00000000-0000-0000-0000-00000000000a')")).await,
        (404, "9".to_owned())
    );
    assert_eq!(shopper.refused(&format!("{CUSTOMERS}(5)")).await, (400, "6".to_owned()));
    assert_eq!(shopper.refused(&format!("{CUSTOMERS}/Description")).await, (400, "6".to_owned()));
    let post = shopper.http.post(format!("{}/onec/odata/standard.odata/{CARDS}", shopper.simulator.url()));
    let post = post.basic_auth(LOGIN, Some(PASSWORD)).send().await.unwrap();
    assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn references_of_several_types_must_be_cast() {
    let shopper = Shopper::new().await;
    let lines = shopper.simulator.rows("shop", "sales");
    let recorder = text(&lines[0], "Recorder");
    let own = lines.iter().filter(|row| row["Recorder"] == recorder).count();
    for (filter, expected) in [
        (format!("Recorder eq guid'{recorder}'"), 0),
        (format!("Recorder eq cast(guid'{recorder}','Document_ВводНачальныхОстатков')"), own),
        (format!("Recorder eq cast(guid'{recorder}','Document_ЧекККМ')"), 0),
        (
            format!("ДисконтнаяКарта_Key eq {ZERO} and Active"),
            lines
                .iter()
                .filter(|row| row["ДисконтнаяКарта_Key"].as_str().unwrap().starts_with("00000000-0000"))
                .count(),
        ),
        (
            "isof(Recorder,'Document_ВводНачальныхОстатков')".to_owned(),
            shopper.simulator.rows("shop", "opening_balances").len(),
        ),
        (
            "not isof(Recorder,'Document_ВводНачальныхОстатков')".to_owned(),
            shopper.simulator.rows("shop", "purchases").len(),
        ),
    ] {
        let rows = shopper.rows(&format!("{SALES}?$filter={filter}")).await;
        assert_eq!(rows.len(), expected, "{filter}");
    }
    let card = shopper.simulator.shop().card("reference");
    let cast = format!("{SALES}?$filter=ДисконтнаяКарта_Key eq cast(guid'{card}','Catalog_ДисконтныеКарты')");
    assert!(!shopper.rows(&cast).await.is_empty());
    for (filter, code) in [
        ("isof(Recorder,'StandardODATA.Document_ЧекККМ')", "14"),
        ("isof(Period,'Document_ЧекККМ')", "14"),
        ("Recorder_Type eq 'StandardODATA.Document_ЧекККМ'", "6"),
    ] {
        assert_eq!(
            shopper.refused(&format!("{SALES}?$filter={filter}")).await,
            (400, code.to_owned()),
            "{filter}"
        );
    }
}

#[tokio::test]
async fn pages_end_where_rows_end() {
    let shopper = Shopper::new().await;
    let total = shopper.count(&format!("{CARDS}/$count")).await;
    let scanned = shopper.scan(CARDS, "&$orderby=Ref_Key&$select=Ref_Key,Code", 50).await;
    let keys: Vec<&str> = scanned.iter().map(|row| text(row, "Ref_Key")).collect();
    assert_eq!((keys.len(), keys.is_sorted()), (total, true));
    assert_eq!(scanned[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["Code", "Ref_Key"]);
    assert_eq!(shopper.rows(CARDS).await.len(), total);
    assert_eq!(shopper.rows(&format!("{CARDS}?$top=0")).await.len(), 0);
    assert_eq!(shopper.rows(&format!("{CARDS}?$skip={total}")).await.len(), 0);
    let page = shopper.json(&format!("{CARDS}?$top=3&$inlinecount=allpages&$orderby=Code desc")).await;
    assert_eq!(
        (page["odata.count"].as_str(), page["value"].as_array().unwrap().len()),
        (Some(&*total.to_string()), 3)
    );
    assert!(text(&page, "odata.metadata").ends_with(CARDS));
    assert!(page["value"][0]["Code"].as_str() > page["value"][1]["Code"].as_str());

    let order = |row: &Value| {
        let line: u32 = text(row, "LineNumber").parse().unwrap();
        (
            text(row, "Period").to_owned(),
            text(row, "Recorder_Type").to_owned(),
            text(row, "Recorder").to_owned(),
            line,
        )
    };
    let rows = shopper.scan(SALES, "&$orderby=Period,Recorder,LineNumber asc", 400).await;
    assert!(rows.iter().map(order).is_sorted());
    let nested = shopper.rows("AccumulationRegister_БонусныеБаллы?$top=2").await;
    assert_eq!(nested[0]["RecordSet"][0]["Recorder"], nested[0]["Recorder"]);
    assert_eq!(shopper.simulator.ledger("shop").last().unwrap().rows, 2);
}

#[tokio::test]
async fn json_comes_to_those_who_ask_twice() {
    let shopper = Shopper::new().await;
    let ask = async |query: &str, accept: &str| {
        let request = shopper.request(&format!("{CARDS}?$top=1{query}")).header("accept", accept);
        let response = request.basic_auth(LOGIN, Some(PASSWORD)).send().await.unwrap();
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        (kind, response.text().await.unwrap())
    };
    for (query, accept) in
        [("", "*/*"), ("", "application/json"), ("&$format=application/json;odata=nometadata", "*/*")]
    {
        let (kind, body) = ask(query, accept).await;
        assert!(kind.starts_with("application/atom+xml") && body.starts_with("<?xml"), "{query} {accept}");
        assert!(body.contains("<d:КодКартыШтрихкод>77000000001</d:КодКартыШтрихкод>"));
    }
    let (kind, body) = ask("&%24format=application/json;odata%3Dnometadata", "application/json").await;
    assert!(kind.starts_with("application/json") && !body.contains("navigationLink"));
    let (_, body) = ask("&$format=application/json", "application/json").await;
    assert!(body.contains("\"ВладелецКарты@navigationLinkUrl\""));
    let wrong =
        shopper.request(&format!("{CARDS}?$top=x")).basic_auth(LOGIN, Some(PASSWORD)).send().await.unwrap();
    assert!(wrong.text().await.unwrap().contains("<m:code>14</m:code>"));
    let contents = shopper.json("").await;
    assert!(contents["value"].as_array().unwrap().iter().any(|set| set["name"] == SALES));
}

#[tokio::test]
async fn the_door_wants_a_cyrillic_login() {
    let shopper = Shopper::new().await;
    let card = format!("{CARDS}?$top=1&{JSON}");
    let request = || shopper.request(&card).header("accept", "application/json");
    for request in [request(), request().basic_auth(LOGIN, Some("wrong")), request().bearer_auth(PASSWORD)] {
        let refused = request.send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        assert!(refused.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic"));
        let body: Value = refused.json_value().await;
        assert_eq!(body["odata.error"]["code"], "20");
    }
    let begun =
        request().basic_auth(LOGIN, Some(PASSWORD)).header("IBSession", "start").send().await.unwrap();
    let cookie = begun.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with("ibsession="));
    assert_eq!(shopper.simulator.shop().sessions(), (1, 1));
    let finish =
        request().basic_auth(LOGIN, Some(PASSWORD)).header("IBSession", "finish").header("cookie", cookie);
    finish.send().await.unwrap();
    assert_eq!(shopper.simulator.shop().sessions(), (1, 0));
    let ledger = serde_json::to_string(&shopper.simulator.ledger("*")).unwrap();
    assert!(!ledger.contains(PASSWORD) && !ledger.contains("ibsession"));
}

#[tokio::test]
async fn the_block_of_the_configuration_is_whole() {
    let config: toml::Table = shop_config("http://127.0.0.1:9").parse().unwrap();
    let shop = &config["systems"]["shop"];
    assert_eq!(shop["base_url"].as_str(), Some("http://127.0.0.1:9/onec/odata/standard.odata"));
    assert_eq!((shop["username"].as_str(), shop["password"].as_str()), (Some(LOGIN), Some(PASSWORD)));
    assert_eq!(shop["timezone"].as_str(), Some("Europe/Simferopol"));
    let whole: toml::Table = super::super::config("http://127.0.0.1:9").parse().unwrap();
    assert_eq!(whole["systems"]["shop"], *shop, "it is part of the whole configuration");
    let names: Vec<&String> = whole["systems"].as_table().unwrap().keys().collect();
    assert_eq!(names, ["ham", "janischa", "shop", "xm"]);
}
