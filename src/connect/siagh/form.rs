//! Saving a contact: what the form is sent.

use serde::Serialize;

use super::{Siagh, answer, columns};
use crate::connect::http::{Http, Sending};
use crate::connect::object::Object;
use crate::connect::write::telling;
use crate::connect::{Outcome, Write};
use crate::model::contact::Field;

pub(super) const SAVE: &str = "/BpmsApi/SaveFormData";

/// What a form is sent, in the order of the captured request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Form<'a> {
    pub form_id: &'a str,
    pub ctrl_values: String,
    pub parameters: String,
    pub data_rows: &'a str,
    pub attachments: &'a str,
    pub post_code: &'a str,
    pub flow_id: &'a str,
}

impl Siagh {
    /// Writes a contact once.
    pub(super) async fn save(&self, http: &Http, write: &Write<'_>) -> Outcome {
        let contact = match write {
            Write::Create { contact, .. } | Write::Update { contact, .. } => contact,
            Write::Document(document) => return self.save_document(http, document).await,
        };
        if contact.get(Field::Name).is_none() && matches!(write, Write::Create { .. }) {
            return Outcome::Rejected(http.told_at("connect-write-no-name", SAVE));
        }
        let Some(body) = self.body(write) else {
            return Outcome::Rejected(http.told_at("connect-write-no-row", SAVE));
        };
        if contact.iter().any(|(_, value)| columns::clean(value) != value.trim()) {
            tracing::info!(path = SAVE, "signs that the form does not take were left out of a value");
        }
        let sending = Sending { path: SAVE, body, hidden: telling(contact) };
        http.write_once(sending, answer::saved).await
    }

    /// What is sent. `None` when the row as it was cannot be read: then nothing could be written back.
    pub(super) fn body(&self, write: &Write<'_>) -> Option<String> {
        let (code, values) = match write {
            Write::Create { contact, mark } => (None, self.columns_of(contact, mark)),
            Write::Update { key, now, contact, fields, mark } => {
                let now = Object::read(now)?;
                (Some(*key), self.columns_over(&now, contact, fields, mark))
            }
            Write::Document(_) => return None,
        };
        // With only one of the two, the code makes another contact instead of changing this one.
        let mut pairs: Vec<String> = code.iter().map(|code| format!("Param1={code}")).collect();
        let table = &self.contact_table;
        pairs.extend(values.iter().map(|(column, value)| format!("{table}.{column}={value}")));
        let form = Form {
            form_id: &self.contact_form,
            ctrl_values: pairs.join("|"),
            parameters: format!("CodeMain={}", code.unwrap_or_default()),
            data_rows: "[]",
            attachments: "[]",
            post_code: &self.post_code,
            flow_id: &self.flow_id,
        };
        serde_json::to_string(&form).ok()
    }
}
