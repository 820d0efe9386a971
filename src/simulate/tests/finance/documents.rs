//! Pre-invoices: where the answer hides their number, and when there is one though there is none.

use super::*;

/// A line: product, quantity, price of one, discount.
type Line<'a> = (&'a str, &'a str, &'a str, Option<&'a str>);

const LINES: [Line; 2] = [("1001", "2", "1500000", None), ("1002", "1", "450000", Some("50000"))];

fn rows(lines: &[Line]) -> String {
    let cell = |value: Value| json!({ "oldValue": null, "newValue": value });
    let line = |(place, (product, quantity, price, discount)): (usize, &Line)| {
        json!({
            "codekala": cell(json!(product)),
            "nameunit": cell(json!("عدد")),
            "qty": cell(json!(quantity)),
            "finalqty": cell(json!(quantity)),
            "price": cell(json!(price)),
            "mabtakhfif": cell(json!(discount)),
            "takhfif": cell(Value::Null),
            "vazn": cell(json!("0")),
            "hajm": cell(json!("0")),
            "radif": cell(json!((place + 1).to_string())),
            "sumamelinc": cell(Value::Null),
            "sumameldec": cell(Value::Null),
            "__uid": cell(json!(format!("row{place}"))),
            "_status": cell(json!("inserted")),
        })
    };
    let data: Vec<Value> = lines.iter().enumerate().map(line).collect();
    json!([{ "name": "dbgrid1", "entity": "sl_rizsanad", "keyField": "coderiz", "data": data }]).to_string()
}

fn pre_invoice(year: u16, party: &str, suid: &str, rows: &str) -> Value {
    let controls = [
        ("hssanadstate", "8"),
        ("codenoeesanad", "2"),
        ("codesalemodel", "1"),
        ("salmali", &year.to_string()),
        ("codenoeepardakht", "2"),
        ("codemarkazforush", "1"),
        ("codecontact", "1001"),
        ("codemoshtari", party),
        ("codenoeeforush", "1"),
        ("codevaseteh", "31"),
        ("tozihat", ""),
        ("namenoesanad", "پیش فاکتور"),
    ];
    let pairs: Vec<String> =
        controls.iter().map(|(name, value)| format!("sl_sanad.{name}={value}")).collect();
    json!({
        "formId": "43D81",
        "ctrlValues": pairs.join("|"),
        "parameters": format!("_In_EditKeys=|_In_Suid={suid}|nocheck="),
        "dataRows": rows,
        "attachments": "[]",
        "postCode": "",
        "flowId": "",
    })
}

/// What is said of a document, wherever it stands.
fn said(answer: &Value) -> String {
    let entries = ["Errors", "FinalMessages"].iter().flat_map(|list| answer[list].as_array().unwrap());
    let told = entries.filter(|entry| entry["ErrorType"] == "ErrSuccs");
    told.map(|entry| entry["Description"].as_str().unwrap()).collect()
}

async fn send(accountant: &Accountant, suid: &str) -> Value {
    accountant.save(&pre_invoice(1408, "4002", suid, &rows(&LINES))).await
}

/// A world in which the contact 1002 has an accounting party.
async fn accountant(traps: &[OfficeTrap]) -> Accountant {
    let accountant = Accountant::trapped(traps).await;
    assert!(accountant.simulator.finance().edit(1002, &json!({ "AccountPartyCode": 4002 })));
    accountant.simulator.clear_mutations();
    accountant
}

#[tokio::test]
async fn only_the_text_tells_the_number_and_the_amount() {
    let accountant = accountant(&[]).await;
    let answer = send(&accountant, "a").await;
    assert_eq!(answer["ReturnValue"], true);
    assert_eq!((&answer["ReturnCode"], &answer["ReturnParams"]), (&json!("7001"), &json!("88001")));
    // (2 × 1,500,000) and (450,000 − 50,000), each with ten percent more.
    assert_eq!(said(&answer), "پیش فاکتور به شماره 2001 ثبت گردید . خالص سند: 3,740,000 ریال");
    let document = accountant.simulator.finance().documents().remove(0);
    let form = pre_invoice(1408, "4002", "a", &rows(&LINES));
    for name in ["ctrlValues", "parameters", "dataRows"] {
        assert_eq!(document[name], form[name], "{name}");
    }
    for (name, value) in [
        ("number", json!(2001)),
        ("net", json!("3740000")),
        ("party", json!("4002")),
        ("suid", json!("a")),
        ("lines", json!(2)),
    ] {
        assert_eq!(document[name], value, "{name}");
    }
    let told = accountant.mutations().remove(0);
    assert_eq!((told.kind, told.stream, told.key.as_str()), (Kind::Document, "pre_invoices", "7001"));
    assert_eq!(
        (&told.before, &told.after, &told.given["ctrlValues"]),
        (&Value::Null, &document, &form["ctrlValues"])
    );

    // The same once more is another document, and every third is told in Persian digits.
    assert!(said(&send(&accountant, "a").await).contains(" 2002 "));
    let third = said(&send(&accountant, "a").await);
    assert_eq!(third, "پیش فاکتور به شماره ۲۰۰۳ ثبت گردید . خالص سند: ۳,۷۴۰,۰۰۰ ریال");
    assert_eq!(accountant.simulator.truth()["finance"]["pre_invoices"]["count"], 3);
    assert_eq!(accountant.simulator.rows("finance", "pre_invoices").len(), 3);
}

#[tokio::test]
async fn what_is_told_differs_from_site_to_site() {
    let accountant = accountant(&[OfficeTrap::FinancePersianDigits, OfficeTrap::FinanceFinalMessages]).await;
    let answer = send(&accountant, "a").await;
    assert_eq!(answer["Errors"], json!([]));
    assert_eq!(said(&answer), "پیش فاکتور به شماره ۲۰۰۱ ثبت گردید . خالص سند: ۳,۷۴۰,۰۰۰ ریال");
    accountant.simulator.set_office_traps([OfficeTrap::FinanceWarns, OfficeTrap::FinanceNetDiffers]);
    let answer = send(&accountant, "a").await;
    assert_eq!(answer["Errors"][0]["ErrorType"], "ErrWarning");
    assert!(accountant.simulator.finance().documents()[1]["net"] == "3745000");
    accountant.simulator.set_office_traps([OfficeTrap::FinanceKnowsSuid]);
    let again = send(&accountant, "a").await;
    assert_eq!((&again["ReturnCode"], accountant.simulator.finance().documents().len()), (&json!("7001"), 2));
    send(&accountant, "b").await;
    assert_eq!(accountant.simulator.finance().documents().len(), 3);
}

#[tokio::test]
async fn lines_are_taxed_and_rounded_one_by_one() {
    let accountant = accountant(&[]).await;
    let lines =
        [("1001", "1.5", "333333", None), ("1003", "1", "5", None), ("9001", "3", "70005", Some("15.4"))];
    accountant.save(&pre_invoice(1408, "4002", "a", &rows(&lines))).await;
    // 500,000 + 50,000; 5 + 1; 210,000 without tax.
    assert_eq!(accountant.simulator.finance().documents()[0]["net"], "760006");
}

#[tokio::test]
async fn an_unknown_party_crashes_before_or_after_the_document_is_written() {
    let accountant = accountant(&[]).await;
    for party in ["1002", ""] {
        let answer = accountant.save(&pre_invoice(1408, party, "a", &rows(&LINES))).await;
        let why = complaint(&answer);
        assert!(why.contains("RUNTIME ERROR") && why.contains("Field 'Code' not found"));
    }
    assert!(accountant.mutations().is_empty() && accountant.simulator.finance().documents().is_empty());
    accountant.simulator.set_office_traps([OfficeTrap::FinanceCrashAfter]);
    let answer = accountant.save(&pre_invoice(1408, "1002", "a", &rows(&LINES))).await;
    assert!(complaint(&answer).contains("RUNTIME ERROR"));
    assert_eq!((accountant.mutations().len(), accountant.simulator.finance().documents().len()), (1, 1));
}

#[tokio::test]
async fn documents_that_make_no_sense_are_not_written() {
    let accountant = accountant(&[]).await;
    let good = rows(&LINES);
    for (form, words) in [
        (pre_invoice(1405, "4002", "a", &good), "سال مالی"),
        (pre_invoice(1408, "4002", "a", &rows(&[])), "بدون ردیف"),
        (pre_invoice(1408, "4002", "a", "[]"), "RUNTIME ERROR"),
        (pre_invoice(1408, "4002", "a", "no json"), "RUNTIME ERROR"),
        (pre_invoice(1408, "4002", "a", &good.replace("inserted", "edited")), "بدون ردیف"),
        (pre_invoice(1408, "4002", "a", &rows(&[("", "1", "10", None)])), "RUNTIME ERROR"),
        (pre_invoice(1408, "4002", "a", &rows(&[("1001", "0", "10", None)])), "RUNTIME ERROR"),
    ] {
        let answer = accountant.save(&form).await;
        assert!(complaint(&answer).contains(words), "{answer}");
    }
    assert!(accountant.mutations().is_empty());
    accountant.simulator.finance().set_date("1405/12/29");
    assert_eq!(accountant.save(&pre_invoice(1405, "4002", "a", &good)).await["ReturnValue"], true);
}
