//! Saving a pre-invoice: what the form is sent, and what its answer tells. The number of the document and
//! its net amount stand only in the text of the answer.

use serde_json::{Value, json};

use super::form::{Form, SAVE};
use super::{Siagh, answer, columns};
use crate::connect::Outcome;
use crate::connect::http::{Http, Said, Sending};
use crate::model::document::{Answered, PreInvoice, exact, plain};
use crate::model::text::{ascii_digits, search_fold};

/// The columns that are the same on every pre-invoice, and what they usually hold. `nameunit` is a column of
/// lines: the unit of one that names none.
pub(super) const CONSTANTS: [(&str, &str); 8] = [
    ("hssanadstate", "8"),
    ("codenoeesanad", "2"),
    ("codenoeepardakht", "2"),
    ("codemarkazforush", "1"),
    ("codenoeeforush", "1"),
    ("codevaseteh", "31"),
    ("namenoesanad", "پیش فاکتور"),
    ("nameunit", "عدد"),
];

/// What stands before the number in the text, as it is compared.
const NUMBER: &str = "شماره";
/// What stands before the net amount.
const NET: &str = "خالص سند";

impl Siagh {
    /// Writes a pre-invoice once.
    pub(super) async fn save_document(&self, http: &Http, document: &PreInvoice) -> Outcome {
        let body = self.document_body(document);
        let hidden = document.notes.as_deref().into_iter().collect();
        http.write_once(Sending { path: SAVE, body, hidden }, |text| written(text, document)).await
    }

    /// What is sent.
    pub(super) fn document_body(&self, document: &PreInvoice) -> String {
        let constant = |name: &str| {
            let own = document.constants.get(name).map(String::as_str);
            let usual = CONSTANTS.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            own.or(usual).unwrap_or_default().to_owned()
        };
        let pairs = [
            ("hssanadstate", constant("hssanadstate")),
            ("codenoeesanad", constant("codenoeesanad")),
            ("codesalemodel", document.model.clone()),
            ("salmali", document.year.clone()),
            ("codenoeepardakht", constant("codenoeepardakht")),
            ("codemarkazforush", constant("codemarkazforush")),
            ("codecontact", document.contact.clone()),
            ("codemoshtari", document.party.clone()),
            ("codenoeeforush", constant("codenoeeforush")),
            ("codevaseteh", constant("codevaseteh")),
            ("tozihat", document.notes.clone().unwrap_or_default()),
            ("namenoesanad", constant("namenoesanad")),
        ];
        let table = &self.document_table;
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(column, value)| format!("{table}.{column}={}", columns::clean(value)))
            .collect();
        let unit = constant("nameunit");
        let data: Vec<Value> =
            document.lines.iter().zip(1..).map(|(line, place)| row(line, place, &unit)).collect();
        let grid =
            json!([{ "name": "dbgrid1", "entity": "sl_rizsanad", "keyField": "coderiz", "data": data }]);
        let form = Form {
            form_id: &self.document_form,
            ctrl_values: pairs.join("|"),
            parameters: format!("_In_EditKeys=|_In_Suid={}|nocheck=", document.suid),
            data_rows: &grid.to_string(),
            attachments: "[]",
            post_code: &self.post_code,
            flow_id: &self.flow_id,
        };
        serde_json::to_string(&form).unwrap_or_default()
    }
}

/// A row of the grid.
fn row(line: &crate::model::document::Sold, place: usize, unit: &str) -> Value {
    let cell = |value: Value| json!({ "oldValue": null, "newValue": value });
    let text = |value: &str| cell(json!(columns::clean(value)));
    json!({
        "codekala": text(&line.product),
        "nameunit": text(line.unit.as_deref().unwrap_or(unit)),
        "qty": text(&line.count),
        "finalqty": text(&line.count),
        "price": text(&line.price),
        "mabtakhfif": text(&line.discount),
        "takhfif": cell(Value::Null),
        "vazn": text("0"),
        "hajm": text("0"),
        "radif": text(&place.to_string()),
        "sumamelinc": cell(Value::Null),
        "sumameldec": cell(Value::Null),
        "__uid": text(&format!("row{place}")),
        "_status": text("inserted"),
    })
}

/// What became of a pre-invoice that was saved.
pub(super) fn written(text: &str, document: &PreInvoice) -> Said {
    let Some(answer) = answer::answer(text) else { return Said::Unknown };
    let words = answer.told.join(" ");
    match (answer.done, answer.failed || answer.crashed) {
        (Some(true), false) => {
            let told = told(&answer);
            let number = told.number.as_deref().map(|number| document.key(number));
            // Where the text does not give it, the code is all that is known.
            let code = || told.code.as_deref().map(|code| format!("code {code}"));
            let Some(key) = number.or_else(code) else { return Said::Unknown };
            let facts = [
                ("document_number", told.number),
                ("document_code", told.code),
                ("document_id", told.id),
                ("net", told.net),
            ];
            let facts = facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
            Said::Done { key, facts }
        }
        // The script broke off somewhere in the middle, or says two things at once.
        _ if answer.crashed || answer.done == Some(true) => Said::Broke(words),
        (Some(false), _) if !words.is_empty() => Said::Refused(words),
        _ => Said::Unknown,
    }
}

/// What an answer tells of the document.
fn told(answer: &answer::Answer) -> Answered {
    let find = |mark: &str| answer.told.iter().find_map(|told| number_after(told, mark));
    Answered {
        number: find(NUMBER).filter(|number| number.bytes().all(|digit| digit.is_ascii_digit())),
        code: answer.code.clone(),
        id: answer.params.clone(),
        net: find(NET).and_then(|net| exact(&net).ok()).map(plain),
    }
}

/// The number that follows these words, digits of any script, commas between thousands left out.
fn number_after(text: &str, mark: &str) -> Option<String> {
    let text = search_fold(text);
    let mark = search_fold(mark);
    text.match_indices(&mark).find_map(|(at, _)| {
        let rest = ascii_digits(&text[at + mark.len()..]);
        let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || ":：.؛-".contains(c) && c != '-');
        let mut number = String::new();
        for c in rest.chars() {
            match c {
                '0'..='9' | '.' => number.push(c),
                '-' if number.is_empty() => number.push(c),
                '٫' => number.push('.'),
                ',' | '٬' | '،' if !number.is_empty() => {}
                _ => break,
            }
        }
        let number = number.trim_end_matches('.');
        number.bytes().any(|byte| byte.is_ascii_digit()).then(|| number.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::document::Sold;

    fn document() -> PreInvoice {
        PreInvoice {
            suid: "0a1b2c3d-0000-8000-8000-000000000001".to_owned(),
            year: "1408".to_owned(),
            contact: "1045".to_owned(),
            party: "4002".to_owned(),
            model: "1".to_owned(),
            constants: [("codevaseteh".to_owned(), "32".to_owned())].into(),
            notes: Some("یک | دو\nسه".to_owned()),
            lines: vec![Sold {
                product: "1001".to_owned(),
                unit: None,
                count: "1.5".to_owned(),
                price: "333333".to_owned(),
                discount: "100".to_owned(),
            }],
            ..PreInvoice::default()
        }
    }

    #[test]
    fn the_form_is_that_of_the_captured_request() {
        let siagh: Siagh = toml::from_str(
            "base_url = \"http://finance.example.test\"\nusername = \"sample\"\npassword = \"hunter2\"",
        )
        .unwrap();
        let body: Value = serde_json::from_str(&siagh.document_body(&document())).unwrap();
        assert_eq!(
            body["ctrlValues"],
            "sl_sanad.hssanadstate=8|sl_sanad.codenoeesanad=2|sl_sanad.codesalemodel=1|sl_sanad.salmali=1408|\
             sl_sanad.codenoeepardakht=2|sl_sanad.codemarkazforush=1|sl_sanad.codecontact=1045|\
             sl_sanad.codemoshtari=4002|sl_sanad.codenoeeforush=1|sl_sanad.codevaseteh=32|\
             sl_sanad.tozihat=یک دو سه|sl_sanad.namenoesanad=پیش فاکتور"
        );
        assert_eq!(body["formId"], "43D81");
        assert_eq!(
            body["parameters"],
            "_In_EditKeys=|_In_Suid=0a1b2c3d-0000-8000-8000-000000000001|nocheck="
        );
        let rows: Value = serde_json::from_str(body["dataRows"].as_str().unwrap()).unwrap();
        let line = &rows[0]["data"][0];
        for (column, value) in [
            ("codekala", "1001"),
            ("nameunit", "عدد"),
            ("qty", "1.5"),
            ("finalqty", "1.5"),
            ("price", "333333"),
            ("mabtakhfif", "100"),
            ("radif", "1"),
            ("_status", "inserted"),
        ] {
            assert_eq!(line[column], json!({ "oldValue": null, "newValue": value }), "{column}");
        }
    }

    #[test]
    fn number_and_net_are_found_in_the_text() {
        for (text, number, net) in [
            ("پیش فاکتور به شماره 2001 ثبت گردید . خالص سند: 3,740,000 ریال", Some("2001"), Some("3740000")),
            ("پیش فاکتور به شماره ۲۰۰۳ ثبت گردید . خالص سند: ۳٬۷۴۰٬۰۰۰ ريال", Some("2003"), Some("3740000")),
            ("به شماره: ٢٠٠٤ ثبت گرديد. خالص سند : 12,5٫50", Some("2004"), Some("125.5")),
            ("خالص سند:-15", None, Some("-15")),
            ("شماره سند 7 شماره 8", Some("8"), None),
            ("به شماره 2001. خالص سند: 0", Some("2001"), Some("0")),
            ("ثبت گردید", None, None),
            ("شماره", None, None),
        ] {
            let answer =
                answer::Answer { told: vec!["x".to_owned(), text.to_owned()], ..answer::Answer::default() };
            let found = told(&answer);
            assert_eq!((found.number.as_deref(), found.net.as_deref()), (number, net), "{text}");
        }
    }

    #[test]
    fn what_an_answer_means() {
        let entry = |kind: &str, text: &str| json!([{ "ErrorType": kind, "Description": text }]);
        let answer = |errors: Value, messages: Value, done: Value, code: &str| {
            let answer = json!({ "Errors": errors, "FinalMessages": messages, "ReturnValue": done,
                                 "ReturnCode": code, "ReturnParams": "88001" });
            written(&answer.to_string(), &document())
        };
        let text = "به شماره 2001 ثبت گردید . خالص سند: 3,740,000 ریال";
        let none = || json!([]);
        let key = |said: Said| match said {
            Said::Done { key, facts } => (key, facts.into_iter().map(|(_, value)| value).collect::<Vec<_>>()),
            other => panic!("{other:?}"),
        };
        let facts = ["2001", "7001", "88001", "3740000"].map(str::to_owned).to_vec();
        let done = ("1408/2001".to_owned(), facts);
        assert_eq!(key(answer(entry("ErrSuccs", text), none(), json!(true), "7001")), done);
        assert_eq!(key(answer(none(), entry("ErrSuccs", text), json!(true), "7001")), done);
        assert_eq!(key(answer(none(), none(), json!(true), "7001")).0, "code 7001");
        assert_eq!(answer(none(), none(), json!(true), ""), Said::Unknown);
        assert_eq!(answer(none(), none(), json!(false), ""), Said::Unknown);
        let crash = "RUNTIME ERROR in script: Field 'Code' not found";
        assert_eq!(answer(entry("ErrError", crash), none(), json!(false), ""), Said::Broke(crash.to_owned()));
        assert_eq!(answer(entry("ErrError", "no"), none(), json!(true), "1"), Said::Broke("no".to_owned()));
        assert_eq!(answer(entry("ErrError", "no"), none(), json!(false), ""), Said::Refused("no".to_owned()));
        assert_eq!(written("<html>", &document()), Said::Unknown);
    }
}
