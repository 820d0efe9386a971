//! What tests and people do to the shop while a mirror looks away.

use super::*;

#[tokio::test]
async fn receipts_come_and_go() {
    let shopper = Shopper::new().await;
    let shop = shopper.simulator.shop();
    let card = shop.card("reference");
    let before = shop.sums_of_card(&card, None);
    let receipt = shop.add_sale(&card, day(2024, 5, 6), "1000.50");
    assert_eq!(shop.sums_of_card(&card, None).purchases.sum, before.purchases.sum + amount("1000.50"));
    let typed = format!("{SALES}?$filter=Recorder eq cast(guid'{receipt}','Document_ЧекККМ')");
    let row = shopper.rows(&typed).await.remove(0);
    assert_eq!((text(&row, "Period"), &row["Сумма"]), ("2024-05-06T12:00:00", &json!(1000.5)));
    assert_eq!(row["ВладелецКарты_Key"], shopper.reference_card().await["ВладелецКарты_Key"]);

    assert_eq!(shop.redate(&receipt, day(2023, 1, 1)), 1);
    assert_eq!(shopper.rows(&typed).await[0]["Period"], "2023-01-01T12:00:00");
    assert_eq!(shop.set_active(&receipt, false), 1);
    assert_eq!(shop.sums_of_card(&card, None).inactive.count, before.inactive.count + 1);
    assert_eq!(shop.unpost(&receipt), 1);
    assert_eq!(shop.unpost(&receipt), 0);
    assert_eq!(shop.sums_of_card(&card, None), before);

    let strange = shop.new_recorder_type("Document_ОтчетОРозничныхПродажах", &card, day(2024, 5, 6), "-7");
    let row =
        shopper.rows(&format!("{SALES}?$filter=isof(Recorder,'Document_ОтчетОРозничныхПродажах')")).await;
    assert_eq!((row.len(), text(&row[0], "Recorder")), (1, strange.as_str()));
    assert_eq!(shop.sums_of_card(&card, None).returns.sum, before.returns.sum - amount("7"));

    shop.add_points(&card, day(2026, 1, 1), "10", "0");
    assert_eq!(shop.points(&card, PointsRule::Naive, shop.now()), Some(amount("4816")));
}

#[tokio::test]
async fn fields_are_set_to_anything() {
    let shopper = Shopper::new().await;
    let shop = shopper.simulator.shop();
    let card = shop.card("telling");
    let before = shopper.json(&format!("{CARDS}(guid'{card}')")).await;
    assert!(shop.set("cards", &card, "КодКартыШтрихкод", "\"79990\""));
    let after = shopper.json(&format!("{CARDS}(guid'{card}')")).await;
    assert_eq!(after["КодКартыШтрихкод"], "79990");
    assert_ne!(after["DataVersion"], before["DataVersion"]);
    assert!(!shop.set("cards", "00000000-0000-0000-0000-000000000001", "Code", "\"\""));
    let receipt = shop.add_sale(&card, day(2024, 5, 6), "5");
    let key = format!("Document_ЧекККМ/{receipt}/1");
    for (field, odd) in [("Сумма", "1e400"), ("Количество", "\"2,5\""), ("Скидка", "null"), ("Period", "7")]
    {
        assert!(shop.set("sales", &key, field, odd), "{field}");
    }
    let own = format!("{SALES}?$filter=Recorder eq cast(guid'{receipt}','Document_ЧекККМ')");
    let body = shopper.ask(&own).await.text().await.unwrap();
    for odd in ["\"Сумма\":1e400", "\"Количество\":\"2,5\"", "\"Скидка\":null", "\"Period\":7"]
    {
        assert!(body.contains(odd), "{odd}: {body}");
    }
}

#[tokio::test]
async fn rows_are_replaced_by_those_of_a_test() {
    let shopper = Shopper::new().await;
    let rows = shopper.simulator.rows("shop", "sales");
    shopper.simulator.replace_rows("shop", "sales", rows.clone());
    assert_eq!(shopper.simulator.rows("shop", "sales"), rows);
    let customers = shopper.simulator.raw_rows("shop", "customers");
    shopper.simulator.replace_raw_rows("shop", "customers", customers.clone());
    assert_eq!(shopper.simulator.raw_rows("shop", "customers"), customers);
    shopper.simulator.replace_rows("shop", "sales", rows[..5].to_vec());
    assert_eq!(shopper.count(&format!("{SALES}/$count")).await, 5);
    shopper.simulator.replace_rows("shop", "points", Vec::new());
    assert_eq!(shopper.rows(POINTS).await, Vec::<Value>::new());
}

#[tokio::test]
async fn streams_change_by_percent() {
    let shopper = Shopper::new().await;
    for (stream, percent) in
        [("cards", 10.0), ("customers", 10.0), ("purchases", 5.0), ("points", 5.0), ("products", 50.0)]
    {
        let before = shopper.simulator.rows("shop", stream);
        let changed = shopper.simulator.change("shop", stream, percent);
        let after = shopper.simulator.rows("shop", stream);
        let expected = (before.len() as f64 * percent / 100.0).ceil() as u64;
        let differing: Vec<_> = before.iter().zip(&after).filter(|(old, new)| old != new).collect();
        assert_eq!((changed, differing.len() as u64), (expected, expected), "{stream}");
        let versions = differing.iter().all(|(old, new)| old["DataVersion"] != new["DataVersion"]);
        assert_eq!(versions, !["purchases", "points"].contains(&stream), "{stream}");
    }
    let url = format!("{}/_sim/change", shopper.simulator.url());
    let body = json!({ "system": "shop", "stream": "cards", "percent": 100 }).to_string();
    let answer: Value = shopper.http.post(&url).body(body).send().await.unwrap().json_value().await;
    assert_eq!(answer["changed"], shopper.simulator.truth()["shop"]["cards"]["count"]);
    let body = json!({ "system": "shop", "stream": "nothing", "percent": 1 }).to_string();
    let refused = shopper.http.post(&url).body(body).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(refused.text().await.unwrap().contains("shop/opening_balances"));
}
