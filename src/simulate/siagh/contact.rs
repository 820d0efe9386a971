//! Form `2BFDA`: a contact is saved whole, as a new one or over the one it names twice.

use serde_json::{Value, json};

use super::super::record::Record;
use super::super::traps::{OfficeTrap, OfficeTraps};
use super::finance::Books;
use super::form::{Form, failed, saved};

/// Identifier of the form.
pub(super) const FORM: &str = "2BFDA";
const TABLE: &str = "gn_web_users";

/// The columns of a contact in the order they are served; `tmpid` is kept but never served.
pub(super) const COLUMNS: [&str; 27] = [
    "Code",
    "RecordId",
    "Name",
    "NickName",
    "NationalCode",
    "MobileNo",
    "MobileNo2",
    "TelNo",
    "TelNo2",
    "Email",
    "Email2",
    "WebSiteAddress",
    "Address",
    "PostalCode",
    "CityCode",
    "CountryCode",
    "GeographicCode",
    "Gender",
    "BirthDate",
    "Description",
    "IsActive",
    "IsAdminUser",
    "TowardType",
    "RegDate",
    "ParentCode",
    "AccountPartyCode",
    "Password",
];

/// What a control's text becomes.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    /// A number from one of the system's own lists, never a name.
    Code,
    /// 1 or 0, kept as yes or no.
    Flag,
    /// 0 female, 1 male, empty unknown.
    Gender,
}

const CONTROLS: [(&str, &str, Kind); 16] = [
    ("isactive", "IsActive", Kind::Flag),
    ("gender", "Gender", Kind::Gender),
    ("fullname", "Name", Kind::Text),
    ("mobileno", "MobileNo", Kind::Text),
    ("telno", "TelNo", Kind::Text),
    ("passno", "NationalCode", Kind::Text),
    ("tmpid", "tmpid", Kind::Text),
    ("email", "Email", Kind::Text),
    ("address", "Address", Kind::Text),
    ("pocode", "PostalCode", Kind::Text),
    ("codeostan", "GeographicCode", Kind::Code),
    ("codeshahr", "CityCode", Kind::Code),
    ("countrycode", "CountryCode", Kind::Code),
    ("websiteaddress", "WebSiteAddress", Kind::Text),
    ("tozihat", "Description", Kind::Text),
    ("taraftype", "TowardType", Kind::Flag),
];

/// What becomes of a saved contact.
pub(super) struct Saved {
    /// What is answered.
    pub answer: Value,
    /// The contact's code with what it was and is, when one was written.
    pub written: Option<(i64, Option<Record>, Record)>,
}

/// Saves a contact.
pub(super) fn save(books: &mut Books, form: &Form, traps: &OfficeTraps) -> Saved {
    let refused = |why: &str| Saved { answer: failed(why), written: None };
    let values = match values(form) {
        Ok(values) => values,
        Err(why) => return refused(&why),
    };
    // It takes the code in both places to mean a contact that exists. With less, or with two
    // different ones, a new contact is what comes of it.
    let code = form.param.as_deref().filter(|code| !code.is_empty() && *code == form.parameter("CodeMain"));
    let code = code.and_then(|code| code.parse::<i64>().ok());
    let before = match code {
        Some(code) => match books.contact(code) {
            Some(contact) => Some(contact.clone()),
            None => return refused("رکورد مورد نظر یافت نشد."),
        },
        None => None,
    };
    let taken = |column: &str, text: &str| {
        let mut others = books.contacts.iter().filter(|other| Some(key(other)) != code);
        !text.is_empty() && others.any(|other| other.text(column) == text)
    };
    let unique =
        [("MobileNo", "شماره موبایل نمی تواند تکراری باشد."), ("TelNo", "شماره تلفن نمی تواند تکراری باشد.")];
    for (column, why) in unique {
        let value = values.iter().find(|(name, _)| *name == column);
        if value.is_some_and(|(_, value)| taken(column, value.as_str().unwrap_or_default())) {
            return refused(why);
        }
    }
    let code = code.unwrap_or_else(|| books.next_code());
    let mut contact = before.clone().unwrap_or_else(|| blank(code, !traps.on(OfficeTrap::FinanceNoParty)));
    for (column, value) in &values {
        contact.set(column, value);
    }
    books.put(code, contact.clone());
    let code_text = code.to_string();
    Saved {
        answer: saved(&code_text, &code_text, None, false, traps.on(OfficeTrap::FinanceWarns)),
        written: Some((code, before, contact)),
    }
}

/// The value of every column of the form; what was not sent is blank, for the form has it all.
fn values(form: &Form) -> Result<Vec<(&'static str, Value)>, String> {
    if let Some(crash) = &form.crash {
        return Err(crash.clone());
    }
    let known = |name: &str| name == "Param1" || CONTROLS.iter().any(|(own, ..)| *own == name);
    let column = |name: &str| match name.split_once('.') {
        Some((TABLE, column)) => known(column),
        Some(_) => false,
        None => name == "Param1",
    };
    if let Some((name, _)) = form.controls.iter().find(|(name, _)| !column(name)) {
        return Err(format!("RUNTIME ERROR in script of form {FORM}: Field '{name}' not found"));
    }
    if form.control(TABLE, "fullname").trim().is_empty() {
        return Err("نام نمی تواند خالی باشد.".to_owned());
    }
    CONTROLS.iter().map(|(control, column, kind)| Ok((*column, value(form, control, *kind)?))).collect()
}

fn value(form: &Form, control: &str, kind: Kind) -> Result<Value, String> {
    let text = form.control(TABLE, control);
    let wrong = || format!("مقدار «{text}» برای {control} معتبر نیست.");
    Ok(match (kind, text) {
        (Kind::Text, _) => json!(text),
        (Kind::Code | Kind::Gender, "") => Value::Null,
        (Kind::Flag, "" | "0") => json!(false),
        (Kind::Flag, "1") => json!(true),
        (Kind::Gender, "0") => json!(0),
        (Kind::Gender, "1") => json!(1),
        (Kind::Code, _) => json!(text.parse::<u32>().map_err(|_| wrong())?),
        _ => return Err(wrong()),
    })
}

/// The code of a contact.
pub(super) fn key(contact: &Record) -> i64 {
    contact.text("Code").parse().unwrap_or_default()
}

/// A contact that has nothing yet but its code.
pub(super) fn blank(code: i64, party: bool) -> Record {
    let mut contact = Record::default();
    for column in COLUMNS {
        let value = match column {
            "Code" => json!(code),
            "RecordId" => json!(code + 70_000),
            "CityCode" | "CountryCode" | "GeographicCode" | "Gender" | "BirthDate" | "ParentCode" => {
                Value::Null
            }
            "IsActive" => json!(true),
            "IsAdminUser" | "TowardType" => json!(false),
            "AccountPartyCode" if party => json!(code + 3_000),
            "AccountPartyCode" => Value::Null,
            "Password" => json!(format!("{}{code}", super::Finance::CANARY)),
            _ => json!(""),
        };
        contact.set(column, &value);
    }
    contact.set("tmpid", &json!(""));
    contact
}
