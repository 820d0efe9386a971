//! What a form answers: errors come with status 200, in words.

use crate::connect::http::Said;
use crate::connect::object::Object;

/// The answer of a form, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Whether it says that it was done; `None` when it does not say.
    pub done: Option<bool>,
    /// What was written: of a contact its `Code`.
    pub code: Option<String>,
    /// A second id, of documents.
    pub params: Option<String>,
    /// What stands among its errors and messages, in its words.
    pub told: Vec<String>,
    /// Whether one of these is an error, and not a warning.
    pub failed: bool,
    /// Whether the script behind the form broke off.
    pub crashed: bool,
}

/// Reads what a form answers; `None` when it is nothing of the kind.
pub fn answer(text: &str) -> Option<Answer> {
    let read = Object::read(text)?;
    let mut answer = Answer {
        done: read.get("ReturnValue").flag(),
        code: read.get("ReturnCode").id(),
        params: read.get("ReturnParams").id(),
        ..Answer::default()
    };
    for error in read.objects("Errors") {
        let kind = error.get("ErrorType").owned().unwrap_or_default().to_lowercase();
        answer.failed |= !["errsuccs", "errwarning"].contains(&kind.as_str());
        answer.told.extend(error.get("Description").owned());
    }
    for message in read.objects("FinalMessages") {
        let kind = message.get("ErrorType").owned().unwrap_or_default().to_lowercase();
        answer.failed |= kind == "errerror";
        answer.told.extend(message.get("Description").owned());
    }
    answer.crashed = answer.told.iter().any(|told| told.to_uppercase().contains("RUNTIME ERROR"));
    Some(answer)
}

/// What became of a contact that was saved.
pub(super) fn saved(text: &str) -> Said {
    let Some(answer) = answer(text) else { return Said::Unknown };
    let words = answer.told.join(" ");
    match (answer.done, answer.failed || answer.crashed, answer.code) {
        (Some(true), false, Some(key)) => Said::Done { key, facts: Vec::new() },
        // The script broke off somewhere in the middle, or says two things at once.
        _ if answer.crashed || answer.done == Some(true) && answer.failed => Said::Broke(words),
        (Some(false), ..) if !words.is_empty() => Said::Refused(words),
        _ => Said::Unknown,
    }
}
