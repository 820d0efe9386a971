//! A saved form: its controls and parameters taken apart, and what the system answers to it.

use serde_json::{Value, json};

use super::super::record::Record;

/// A form as it was sent.
#[derive(Debug)]
pub(super) struct Form {
    /// Which form it is.
    pub id: String,
    /// `Param1` when it is the very first pair of the controls.
    pub param: Option<String>,
    /// The controls after that, `table.column` and value, in their order.
    pub controls: Vec<(String, String)>,
    /// The parameters.
    pub parameters: Vec<(String, String)>,
    /// What the script stumbles over before it looks at anything.
    pub crash: Option<String>,
    /// The rows of its grids, as the text they are.
    pub rows: String,
    /// What was sent, word for word.
    pub given: Value,
}

impl Form {
    /// Takes a form apart.
    pub fn read(given: &Record) -> Self {
        let mut crash =
            ["ctrlValues", "parameters", "dataRows", "attachments"].into_iter().find_map(|name| {
                let text = given.raw(name).is_some_and(|raw| raw.starts_with('"'));
                (!text).then(|| format!("RUNTIME ERROR: '{name}' is not a string"))
            });
        let (controls, broken) = pairs(&given.text("ctrlValues"));
        let (parameters, _) = pairs(&given.text("parameters"));
        crash = crash.or(broken);
        let mut controls = controls;
        let first = controls.first().is_some_and(|(name, _)| name == "Param1");
        let param = first.then(|| controls.remove(0).1);
        Self {
            id: given.text("formId"),
            param,
            controls,
            parameters,
            crash,
            rows: given.text("dataRows"),
            given: json!({
                "ctrlValues": given.text("ctrlValues"),
                "parameters": given.text("parameters"),
                "dataRows": given.text("dataRows"),
            }),
        }
    }

    /// The value of a control of a table; empty when it was not sent. A control that names no table
    /// belongs to any.
    pub fn control(&self, table: &str, column: &str) -> &str {
        let meant = |name: &str| match name.split_once('.') {
            Some((of, name)) => of == table && name == column,
            None => name == column,
        };
        self.controls.iter().find(|(name, _)| meant(name)).map_or("", |(_, value)| value)
    }

    /// The value of a parameter; empty when it was not sent.
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }
}

/// `a=1|b=2` as pairs, and what is wrong with it: nothing is escaped, so a value with a `|` falls
/// apart, and one with a line break ends the script's string.
fn pairs(text: &str) -> (Vec<(String, String)>, Option<String>) {
    let mut broken =
        text.contains(['\n', '\r']).then(|| "RUNTIME ERROR: unterminated string constant".to_owned());
    let mut pairs = Vec::new();
    for part in text.split('|').map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some((name, value)) => pairs.push((name.trim().to_owned(), value.to_owned())),
            None => {
                broken = broken
                    .or_else(|| Some("RUNTIME ERROR: index was outside the bounds of the array".to_owned()))
            }
        }
    }
    (pairs, broken)
}

/// The answer to a form that was saved.
pub(super) fn saved(code: &str, params: &str, said: Option<&str>, at_the_end: bool, warns: bool) -> Value {
    let mut errors = Vec::new();
    let mut messages = Vec::new();
    if warns {
        errors.push(entry("ErrWarning", "تاریخ ثبت با تاریخ سیستم متفاوت است.", 0));
    }
    match said {
        Some(said) if at_the_end => messages.push(entry("ErrSuccs", said, 0)),
        Some(said) => errors.push(entry("ErrSuccs", said, 0)),
        None => {}
    }
    json!({
        "Errors": errors,
        "FinalMessages": messages,
        "ReturnValue": true,
        "ReturnCode": code,
        "ReturnParams": params,
    })
}

/// The answer to a form that was not, or whose script crashed. Its status is 200 as well.
pub(super) fn failed(why: &str) -> Value {
    json!({
        "Errors": [entry("ErrError", why, -1)],
        "FinalMessages": [],
        "ReturnValue": false,
        "ReturnCode": "",
        "ReturnParams": "",
    })
}

fn entry(kind: &str, text: &str, code: i32) -> Value {
    json!({
        "ErrorType": kind,
        "Description": text,
        "ErrorCode": code,
        "ErrorSource": "",
        "ErrorLine": 0,
        "FieldName": null,
    })
}
