//! Writing: one request, never repeated by itself, and what is known of it afterwards.
//!
//! Nothing here knows whether a write was needed; it only says what became of the one that was sent.
//! Where that cannot be known it says so, and somebody has to look.

use super::body::{self, NotText};
use super::{Answer, Call, Error, Fault, Http, JSON, Outgoing, Pass, client, login, words};
use crate::connect::write::Outcome;
use crate::model::Message;
use crate::model::text::search_fold;

/// What is written: where, what, and which values of it must not be repeated by anybody.
#[derive(Clone)]
pub struct Sending<'a> {
    /// Path below the base address.
    pub path: &'a str,
    /// The JSON that is posted.
    pub body: String,
    /// Values that are covered in whatever the system says of it: single words wherever they stand alone,
    /// others wherever they stand.
    pub hidden: Vec<&'a str>,
}

/// What an answer that came whole says of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It was done.
    Done {
        /// The key of what was written.
        key: String,
        /// Other facts by name.
        facts: Vec<(&'static str, String)>,
    },
    /// The system refuses it, in its own words.
    Refused(String),
    /// Something broke there while it was done; its own words.
    Broke(String),
    /// Nothing that is understood.
    Unknown,
}

impl Http {
    /// Writes once. Budgets and sign-in are those of every request; an answer 401 is no write, and is
    /// repeated once after a new login.
    pub async fn write_once(&self, sending: Sending<'_>, parse: impl FnOnce(&str) -> Said + Send) -> Outcome {
        let outgoing =
            Outgoing { client: self.writer(), query: "", accept: JSON, body: Some(sending.body.as_str()) };
        let call = Call { method: "POST", path: sending.path.to_owned(), status: None };
        let mut pass = match self.pass(None).await {
            Ok(pass) => pass,
            Err(fault) => return self.not_let_in(fault),
        };
        let mut answer = match self.send(&call, &outgoing, &pass).await {
            Ok(answer) => answer,
            Err(fault) => return self.not_answered(&call, &fault),
        };
        if answer.status == 401 && matches!(self.shared.auth, super::Auth::Login(_)) {
            pass = match self.renewed(&call, &pass, 1).await {
                Ok(pass) => pass,
                Err(fault) => return self.not_let_in(fault),
            };
            answer = match self.send(&call, &outgoing, &pass).await {
                Ok(answer) => answer,
                Err(fault) => return self.not_answered(&call, &fault),
            };
        }
        let call = Call { status: Some(answer.status), ..call };
        if answer.status == 401 {
            return self.refused_at_the_door(&call, &pass, &answer).await;
        }
        let outcome = self.judged(&call, answer, &sending.hidden, parse);
        let failed = match &outcome {
            Outcome::Later(message, wait) => Error::Unavailable(message.clone(), *wait),
            Outcome::Uncertain(message) => Error::Unavailable(message.clone(), None),
            Outcome::Rejected(message) => Error::Rejected(message.clone()),
            Outcome::Confirmed { .. } | Outcome::Login(_) => return outcome,
        };
        let fault = Fault::new(failed, false, &call);
        // What the system asked to wait holds for every request to it.
        self.wait_after(&fault, 1);
        self.report(&fault, 1, None);
        outcome
    }

    /// A client that keeps no connection for later: one that the system had closed meanwhile would leave
    /// open whether a write had arrived.
    fn writer(&self) -> &reqwest::Client {
        let shared = &*self.shared;
        shared
            .writer
            .get_or_init(|| client(&shared.base, &shared.limits, 0).unwrap_or_else(|_| shared.client.clone()))
    }

    /// Nothing was sent, for want of a sign-in.
    fn not_let_in(&self, fault: Fault) -> Outcome {
        let wait = self.wait_after(&fault, 1);
        self.report(&fault, 1, wait);
        match fault.error {
            Error::Unavailable(message, wait) => Outcome::Later(message.with("attempts", 1), wait),
            error => Outcome::Login(error.message().clone().with("attempts", 1)),
        }
    }

    /// No answer came, or none that could be read to its end.
    fn not_answered(&self, call: &Call, fault: &Fault) -> Outcome {
        self.report(fault, 1, None);
        if fault.unsent {
            // It says what hinders: an address that may not be reached, a host that does not answer.
            return Outcome::Later(fault.error.message().clone().with("attempts", 1), None);
        }
        let call = fault.call.as_ref().unwrap_or(call);
        Outcome::Uncertain(self.message_at("connect-write-unanswered", call))
    }

    async fn refused_at_the_door(&self, call: &Call, pass: &Pass, answer: &Answer) -> Outcome {
        let message = self.refusal("connect-token-refused", call, answer);
        if self.shared.auth.is_standing() {
            self.standing_refused(pass, &message).await;
        }
        self.report(&Fault::new(Error::Login(message.clone()), false, call), 1, None);
        Outcome::Login(message)
    }

    /// What an answer means.
    fn judged(
        &self,
        call: &Call,
        answer: Answer,
        hidden: &[&str],
        parse: impl FnOnce(&str) -> Said,
    ) -> Outcome {
        let message = |id: &str, reason: &str| self.message_at(id, call).with("reason", reason);
        let page = answer.html || answer.body.trim_ascii_start().starts_with(b"<");
        let reason = self.covered(&words::told(&String::from_utf8_lossy(&answer.body)), hidden);
        match answer.status {
            200..=299 => {}
            429 => return Outcome::Later(message("connect-write-later", &reason), answer.wait),
            503 if answer.wait.is_some() => {
                return Outcome::Later(message("connect-write-later", &reason), answer.wait);
            }
            // A time-out that the other side tells of, and a redirect, leave open what was done before.
            408 | 425 => return Outcome::Uncertain(message("connect-write-broke", &reason)),
            // What a gateway shows is not the system's own word.
            400..=499 if page => return Outcome::Uncertain(message("connect-write-unread", "")),
            400..=499 => return Outcome::Rejected(message("connect-write-refused", &reason)),
            _ => return Outcome::Uncertain(message("connect-write-broke", &reason)),
        }
        let said = match body::text(answer.body, answer.html) {
            Ok(text) => parse(&text),
            Err(NotText::Html | NotText::Empty | NotText::Encoding) => Said::Unknown,
        };
        match said {
            Said::Done { key, facts } => Outcome::Confirmed { key, facts },
            Said::Refused(words) => {
                Outcome::Rejected(message("connect-write-refused", &self.covered(&words, hidden)))
            }
            Said::Broke(words) => {
                Outcome::Uncertain(message("connect-write-broke", &self.covered(&words, hidden)))
            }
            Said::Unknown => Outcome::Uncertain(message("connect-write-unread", "")),
        }
    }

    /// A system's words, fit to follow a sentence: `: words`, or nothing.
    fn covered(&self, told: &str, hidden: &[&str]) -> String {
        let told = words::safe(&cover(told, hidden), &login::secrets(&self.shared.auth));
        if told.is_empty() { told } else { format!(": {}", told.trim_end_matches('.')) }
    }

    /// A message about a write that is not even tried.
    pub fn told_at(&self, id: &str, path: &str) -> Message {
        self.message(id).with("path", path)
    }
}

/// The text without these values, however their letters, digits and cases are written.
fn cover(text: &str, hidden: &[&str]) -> String {
    let hidden: Vec<String> = hidden.iter().map(|value| search_fold(value)).collect();
    let (words, phrases): (Vec<&String>, Vec<&String>) =
        hidden.iter().filter(|value| value.chars().count() > 1).partition(|value| !value.contains(' '));
    let mut covered = String::with_capacity(text.len());
    if !phrases.is_empty() {
        let folded = search_fold(text);
        if phrases.iter().any(|phrase| folded.contains(phrase.as_str())) {
            // Words are what a reader needs; the exact letters of the rest are not.
            let without = phrases.iter().fold(folded, |text, phrase| text.replace(phrase.as_str(), "…"));
            return cover(&without, &words.iter().map(|word| word.as_str()).collect::<Vec<_>>());
        }
    }
    for part in text.split_inclusive(|c: char| !c.is_alphanumeric() && !"@._+-\u{200c}".contains(c)) {
        let word = part.trim_end_matches(|c: char| !c.is_alphanumeric());
        let folded = search_fold(word.trim_start_matches(|c: char| !c.is_alphanumeric()));
        if words.iter().any(|hidden| **hidden == folded) {
            covered.push('…');
            covered.push_str(&part[word.len()..]);
        } else {
            covered.push_str(part);
        }
    }
    covered
}

#[cfg(test)]
mod tests;
