//! Contacts that are saved: what makes an update one, what is refused, what is quietly another thing.

use super::*;

/// A contact that has neither mobile nor telephone.
fn bare(accountant: &Accountant) -> i64 {
    accountant.simulator.finance().add(&json!({ "Name": "بی تلفن", "Email": "old@mail.example.test" }))
}

#[tokio::test]
async fn a_contact_is_made_of_its_controls() {
    let accountant = Accountant::new().await;
    let highest = accountant.all().await.iter().map(|row| row["Code"].as_i64().unwrap()).max().unwrap();
    let answer = accountant
        .new_contact(&[
            ("fullname", "مخاطب نمونه"),
            ("mobileno", "09120000001"),
            ("passno", "0012345679"),
            ("tmpid", "100-45"),
            ("gender", "0"),
            ("codeshahr", "2101"),
            ("taraftype", "1"),
            ("tozihat", "a=b"),
        ])
        .await;
    assert_eq!(answer["ReturnParams"], answer["ReturnCode"]);
    assert_eq!((&answer["Errors"], &answer["FinalMessages"]), (&json!([]), &json!([])));
    let code = code(&answer);
    assert_eq!(code, highest + 1);
    let row = accountant.one(code).await;
    for (column, value) in [
        ("Name", json!("مخاطب نمونه")),
        ("MobileNo", json!("09120000001")),
        ("NationalCode", json!("0012345679")),
        ("Gender", json!(0)),
        ("CityCode", json!(2101)),
        ("CountryCode", Value::Null),
        ("TowardType", json!(true)),
        ("IsActive", json!(true)),
        ("Description", json!("a=b")),
        ("Email", json!("")),
        ("AccountPartyCode", json!(code + 3000)),
        ("tmpid", Value::Null),
    ] {
        assert_eq!(row[column], value, "{column}");
    }
    assert_eq!(accountant.simulator.finance().contact(code).unwrap()["tmpid"], "100-45");

    let told = accountant.mutations();
    assert_eq!(
        (told.len(), told[0].kind, told[0].by, told[0].stream),
        (1, Kind::Create, By::Api, "contacts")
    );
    assert_eq!(
        (&told[0].key, &told[0].before, &told[0].after["tmpid"]),
        (&code.to_string(), &Value::Null, &json!("100-45"))
    );
    assert!(
        told[0].after["Password"].is_null()
            && told[0].given["ctrlValues"].as_str().unwrap().contains("fullname")
    );

    let partyless = Accountant::trapped(&[OfficeTrap::FinanceNoParty, OfficeTrap::FinanceWarns]).await;
    let answer = partyless.new_contact(&[("fullname", "یک")]).await;
    assert_eq!(answer["Errors"][0]["ErrorType"], "ErrWarning");
    assert_eq!(partyless.one(super::code(&answer)).await["AccountPartyCode"], Value::Null);
}

#[tokio::test]
async fn an_update_names_its_contact_twice() {
    let accountant = Accountant::new().await;
    let code = bare(&accountant);
    accountant.simulator.finance().edit(code, &json!({ "MobileNo2": "09120000009", "tmpid": "100-1" }));
    accountant.simulator.clear_mutations();
    let answer = accountant.update(code, &[("fullname", "تازه"), ("mobileno", "09120000002")]).await;
    assert_eq!(super::code(&answer), code);
    let row = accountant.one(code).await;
    // What is empty is blank afterwards, but what the form does not have stays.
    assert_eq!(
        (&row["Name"], &row["Email"], &row["MobileNo2"]),
        (&json!("تازه"), &json!(""), &json!("09120000009"))
    );
    let told = accountant.mutations();
    assert_eq!(
        (told.len(), told[0].kind, &told[0].before["Email"]),
        (1, Kind::Update, &json!("old@mail.example.test"))
    );
    assert_eq!((&told[0].before["tmpid"], &told[0].after["tmpid"]), (&json!("100-1"), &json!("")));
    // It keeps its own mobile, which is no repetition.
    assert_eq!(
        super::code(&accountant.update(code, &[("fullname", "تازه"), ("mobileno", "09120000002")]).await),
        code
    );
    assert_eq!(accountant.all().await.len(), 154);
    let missing = accountant.update(999_999, &[("fullname", "تازه")]).await;
    assert!(complaint(&missing).contains("یافت نشد"));
}

#[tokio::test]
async fn an_update_that_names_it_once_makes_another_contact() {
    let accountant = Accountant::new().await;
    let code = bare(&accountant);
    let param = format!("Param1={code}|");
    let main = format!("CodeMain={code}");
    let controls = [("fullname", "تازه")];
    let mut moved = contact("", &main, &controls);
    moved["ctrlValues"] =
        json!(format!("{}|{}", moved["ctrlValues"].as_str().unwrap(), param.trim_end_matches('|')));
    for form in [
        contact(&param, "CodeMain=", &controls),
        contact("", &main, &controls),
        contact("", "", &controls),
        contact("Param1=1001|", &main, &controls),
        moved,
    ] {
        let before = accountant.all().await.len();
        let other = super::code(&accountant.save(&form).await);
        assert_ne!(other, code, "{form}");
        assert_eq!(accountant.all().await.len(), before + 1, "{form}");
        assert_eq!(accountant.one(code).await["Name"], "بی تلفن");
        assert_eq!(accountant.mutations().pop().unwrap().kind, Kind::Create);
    }
}

#[tokio::test]
async fn mobile_and_telephone_are_each_unique() {
    let accountant = Accountant::new().await;
    let first = accountant
        .new_contact(&[("fullname", "یک"), ("mobileno", "09120000001"), ("telno", "09120000002")])
        .await;
    let before = accountant.mutations().len();
    let mobile = accountant.new_contact(&[("fullname", "دو"), ("mobileno", "09120000001")]).await;
    assert_eq!(complaint(&mobile), "شماره موبایل نمی تواند تکراری باشد.");
    let telephone = accountant.new_contact(&[("fullname", "دو"), ("telno", "09120000002")]).await;
    assert_eq!(complaint(&telephone), "شماره تلفن نمی تواند تکراری باشد.");
    assert_eq!(accountant.mutations().len(), before);
    // One's mobile may be another's telephone.
    let crossed = accountant
        .new_contact(&[("fullname", "دو"), ("mobileno", "09120000002"), ("telno", "09120000001")])
        .await;
    let stolen =
        accountant.update(super::code(&crossed), &[("fullname", "دو"), ("mobileno", "09120000001")]).await;
    assert_eq!(complaint(&stolen), "شماره موبایل نمی تواند تکراری باشد.");
    // None at all is not unique.
    for _ in 0..2 {
        super::code(&accountant.new_contact(&[("fullname", "بی تلفن")]).await);
    }
    assert_ne!(super::code(&first), super::code(&crossed));
}

#[tokio::test]
async fn what_a_form_must_not_hold_is_refused_with_200() {
    let accountant = Accountant::new().await;
    let before = accountant.all().await;
    for (controls, words) in [
        (vec![("fullname", "")], "نام نمی تواند خالی باشد"),
        (vec![("fullname", "یک"), ("codeshahr", "تهران")], "codeshahr"),
        (vec![("fullname", "یک"), ("codeostan", "21.5")], "codeostan"),
        (vec![("fullname", "یک"), ("countrycode", "IR")], "countrycode"),
        (vec![("fullname", "یک"), ("gender", "زن")], "gender"),
        (vec![("fullname", "یک"), ("taraftype", "true")], "taraftype"),
        (vec![("fullname", "یک|دو")], "RUNTIME ERROR"),
        (vec![("fullname", "یک\nدو")], "RUNTIME ERROR"),
        (vec![("fullname", "یک|nonsense=1")], "RUNTIME ERROR"),
    ] {
        let answer = accountant.new_contact(&controls).await;
        assert!(complaint(&answer).contains(words), "{controls:?}: {answer}");
    }
    let mut form = contact("", "CodeMain=", &[("fullname", "یک")]);
    form["dataRows"] = json!([]);
    assert!(complaint(&accountant.save(&form).await).contains("RUNTIME ERROR"));
    form["formId"] = json!("2bfda");
    assert!(complaint(&accountant.save(&form).await).contains("فرم"));
    let nothing = accountant.send(Method::POST, SAVE, "nothing".to_owned()).await.unwrap();
    assert_eq!(nothing.status(), StatusCode::BAD_REQUEST);
    assert!(accountant.mutations().is_empty());
    assert_eq!(accountant.all().await, before);
    // A bar that happens to name a column quietly fills it.
    let bar = accountant.new_contact(&[("fullname", "یک|gn_web_users.email=b@mail.example.test")]).await;
    assert_eq!(accountant.one(code(&bar)).await["Email"], "b@mail.example.test");
}
