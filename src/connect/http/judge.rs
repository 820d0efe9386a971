//! What an answer, or the lack of one, means: which error it would be in the end, and whether it
//! may pass by itself.

use super::body::{self, NotText, Stopped};
use super::{Answer, Call, Error, Fault, Http, guard, login, words};
use crate::model::Message;

impl Http {
    /// The text of an answer that holds what was asked for, else what is the matter with it.
    pub(super) fn checked(&self, call: &Call, answer: Answer) -> Result<String, Fault> {
        let message = |id| self.message_at(id, call);
        let fault = |error, passing| Err(Fault::new(error, passing, call));
        let page = answer.html || answer.body.trim_ascii_start().starts_with(b"<");
        let habits = &self.shared.habits;
        if answer.status >= 400 {
            let told = String::from_utf8_lossy(&answer.body);
            let code = words::odata_error(&told).and_then(|[code, _]| code.owned());
            if habits.refusals.iter().any(|refusal| told.contains(refusal))
                || code.is_some_and(|code| habits.codes.contains(&code.as_str()))
            {
                let message = message("connect-rejected").with("reason", self.reason(&answer));
                return fault(Error::Rejected(message), false);
            }
        }
        match answer.status {
            200..=299 => {}
            status if habits.busy.contains(&status) => {
                let message = message("connect-server-error").with("reason", self.reason(&answer));
                return fault(Error::Unavailable(message, answer.wait), true);
            }
            300..=399 => return fault(Error::Unexpected(message("connect-redirect")), false),
            429 => {
                let message = message("connect-too-many-requests").with("reason", self.reason(&answer));
                return fault(Error::Unavailable(message, answer.wait), true);
            }
            // A firewall that shows a page is not the system's own word.
            403 if page => return fault(Error::Unavailable(message("connect-web-page"), answer.wait), true),
            408 | 425 | 500..=599 => {
                let message = message("connect-server-error").with("reason", self.reason(&answer));
                return fault(Error::Unavailable(message, answer.wait), true);
            }
            _ => {
                let message = message("connect-rejected").with("reason", self.reason(&answer));
                return fault(Error::Rejected(message), false);
            }
        }
        body::text(answer.body, answer.html).or_else(|not_text| {
            let error = match not_text {
                NotText::Html => Error::Unavailable(message("connect-web-page"), None),
                NotText::Empty => Error::Unavailable(message("connect-empty"), None),
                NotText::Encoding => Error::Unexpected(message("connect-encoding")),
            };
            fault(error, true)
        })
    }

    /// What it means that no answer came.
    pub(super) fn not_sent(&self, call: &Call, error: &reqwest::Error) -> Fault {
        let mut cause: &(dyn std::error::Error + 'static) = error;
        while let Some(next) = cause.source() {
            cause = next;
            if let Some(guard::Refused(host)) = cause.downcast_ref() {
                let message = self.message("connect-address-refused").with("host", host);
                return Fault { unsent: true, ..Fault::new(Error::Unexpected(message), false, call) };
            }
        }
        let unsent = error.is_connect();
        if error.is_timeout() {
            return Fault { unsent, ..self.passing("connect-timeout", call) };
        }
        if error.is_builder() {
            let message = self.message_at("connect-request-invalid", call);
            return Fault { unsent: true, ..Fault::new(Error::Unexpected(message), false, call) };
        }
        let cause = words::safe(&cause.to_string(), &login::secrets(&self.shared.auth));
        let host = guard::host(&self.shared.base);
        let message = self.message_at("connect-unreachable", call).with("host", host).with("cause", cause);
        Fault { unsent, ..Fault::new(Error::Unavailable(message, None), true, call) }
    }

    /// What it means that an answer's body was not read to its end.
    pub(super) fn not_read(&self, call: &Call, stopped: &Stopped) -> Fault {
        match stopped {
            Stopped::TooLarge => {
                let mebibytes = self.shared.limits.max_body / (1024 * 1024);
                let message = self.message_at("connect-too-large", call).with("limit", mebibytes);
                Fault::new(Error::Unexpected(message), true, call)
            }
            Stopped::Slow => self.passing("connect-too-slow", call),
            Stopped::Broken(error) if error.is_timeout() => self.passing("connect-timeout", call),
            Stopped::Broken(_) => self.passing("connect-broken-body", call),
        }
    }

    pub(super) fn passing(&self, id: &str, call: &Call) -> Fault {
        Fault::new(Error::Unavailable(self.message_at(id, call), None), true, call)
    }

    /// The reason an answer gives, fit to be shown: `: reason` to follow a sentence, or nothing.
    pub(super) fn reason(&self, answer: &Answer) -> String {
        self.reason_in(&String::from_utf8_lossy(&answer.body))
    }

    /// The reason a text gives, likewise.
    pub(super) fn reason_in(&self, body: &str) -> String {
        let reason = words::reason(body, &login::secrets(&self.shared.auth));
        if reason.is_empty() { reason } else { format!(": {}", reason.trim_end_matches('.')) }
    }

    pub(super) fn message(&self, id: &str) -> Message {
        Message::new(id).with("system", &self.shared.system)
    }

    pub(super) fn message_at(&self, id: &str, call: &Call) -> Message {
        let message = self.message(id).with("path", &call.path);
        match call.status {
            Some(status) => message.with("status", status),
            None => message,
        }
    }
}
