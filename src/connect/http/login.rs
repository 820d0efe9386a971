//! Signing in: which header a request carries, one login at a time, and what a refusal means.
//!
//! A token is renewed by the `exp` it carries itself, five minutes ahead, or when a request is
//! answered 401. A refused login is never repeated by itself: for a while (`Limits::login_rest`)
//! whoever asks gets the same refusal, without a word to the system.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use tokio::time::Instant;

use super::{Answer, Call, Fault, Http, JSON};
use crate::connect::Error;
use crate::connect::loose::fields;
use crate::model::Message;

/// How long before its `exp` a token is renewed.
const AHEAD: Duration = Duration::from_secs(300);

/// How to sign in.
#[derive(Debug, Clone, Default)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// `Authorization: Bearer`, with a token that does not change.
    Bearer(SecretString),
    /// User and password with each request (HTTP Basic), in UTF-8.
    Basic {
        /// The user's name.
        user: SecretString,
        /// The password.
        password: SecretString,
    },
    /// A login that gives a token.
    Login(Login),
}

impl Auth {
    /// Whether what is shown never changes, so that a refusal of it is one of a login.
    pub(super) fn is_standing(&self) -> bool {
        matches!(self, Auth::Bearer(_) | Auth::Basic { .. })
    }
}

/// A login: user and password posted as JSON, a token in the answer.
#[derive(Debug, Clone)]
pub struct Login {
    /// Path of the login, from the base address.
    pub path: String,
    /// Field of the user's name.
    pub user_field: &'static str,
    /// The user's name.
    pub user: SecretString,
    /// Field of the password.
    pub password_field: &'static str,
    /// The password.
    pub password: SecretString,
    /// Field of the answer that holds the token.
    pub token_field: &'static str,
    /// What stands before the token in `Authorization` (`"JWT "`); a token that comes with it
    /// already is taken without.
    pub header_prefix: &'static str,
}

/// Reads a secret of the settings: `#[serde(deserialize_with = "http::secret")]`.
pub fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// What a request shows at the door.
#[derive(Debug, Clone, Default)]
pub(super) struct Pass {
    pub(super) header: Option<HeaderValue>,
    /// Which login it comes from.
    pub(super) serial: u64,
    /// When it was handed out.
    given: Option<Instant>,
}

/// The state of one account's sign-in.
#[derive(Debug, Default)]
pub(super) struct Session {
    token: Option<HeaderValue>,
    renew_at: Option<Instant>,
    serial: u64,
    refused: Option<(Instant, Message)>,
}

impl Session {
    fn pass(&self) -> Pass {
        Pass { header: self.token.clone(), serial: self.serial, given: Some(Instant::now()) }
    }

    /// The refusal that still holds.
    fn refusal(&self, rest: Duration) -> Option<&Message> {
        self.refused.as_ref().filter(|(at, _)| at.elapsed() < rest).map(|(_, message)| message)
    }
}

impl Http {
    /// What the next request shows. `spoiled` is the login whose token was just answered 401: unless
    /// somebody renewed it meanwhile, it is dropped and one login is made.
    pub(super) async fn pass(&self, spoiled: Option<u64>) -> Result<Pass, Fault> {
        let mut session = self.shared.session.lock().await;
        if let Some(message) = session.refusal(self.shared.limits.login_rest) {
            return Err(Fault::silent(Error::Login(message.clone())));
        }
        match &self.shared.auth {
            Auth::None => Ok(session.pass()),
            Auth::Bearer(token) => {
                if session.token.is_none() {
                    let header = header_of("Bearer ", token.expose_secret())
                        .ok_or_else(|| Fault::silent(Error::Login(self.message("connect-token-invalid"))))?;
                    session.token = Some(header);
                }
                Ok(session.pass())
            }
            Auth::Basic { user, password } => {
                if session.token.is_none() {
                    let both = format!("{}:{}", user.expose_secret(), password.expose_secret());
                    session.token = header_of("Basic ", &STANDARD.encode(both));
                }
                Ok(session.pass())
            }
            Auth::Login(login) => {
                let due = session.renew_at.is_some_and(|at| at <= Instant::now());
                if due || spoiled == Some(session.serial) {
                    session.token = None;
                }
                if session.token.is_none() {
                    let token = match self.log_in(login).await {
                        Err(Fault { error: Error::Login(message), call, passing }) => {
                            session.refused = Some((Instant::now(), message.clone()));
                            self.shared.gate.refused();
                            return Err(Fault { error: Error::Login(message), call, passing });
                        }
                        other => other?,
                    };
                    session.renew_at = renewal(&token, SystemTime::now());
                    session.token = header_of(login.header_prefix, &token);
                    session.serial += 1;
                    session.refused = None;
                    self.shared.gate.accepted();
                }
                Ok(session.pass())
            }
        }
    }

    /// One login, and the token it gives.
    async fn log_in(&self, login: &Login) -> Result<String, Fault> {
        let body = serde_json::json!({
            login.user_field: login.user.expose_secret(),
            login.password_field: login.password.expose_secret(),
        });
        let call = Call { method: "POST", path: login.path.clone(), status: None };
        let answer = self.send(&call, "", JSON, &Pass::default(), Some(body.to_string())).await?;
        let call = Call { status: Some(answer.status), ..call };
        if matches!(answer.status, 400 | 401 | 403 | 422) {
            let message = self.refusal("connect-login-refused", &call, &answer);
            return Err(Fault { error: Error::Login(message), passing: false, call: Some(call) });
        }
        let body = self.checked(&call, answer)?;
        let unknown = || Fault {
            error: Error::Unexpected(self.message_at("connect-login-without-token", &call)),
            passing: false,
            call: Some(call.clone()),
        };
        let Some([token]) = fields(&body, &[login.token_field]) else {
            let broken = serde_json::from_str::<serde::de::IgnoredAny>(&body).is_err();
            return Err(if broken { self.passing("connect-broken-json", &call) } else { unknown() });
        };
        let token = token.text().ok_or_else(unknown)?;
        let token = bare(token, login.header_prefix);
        header_of(login.header_prefix, token).ok_or_else(unknown)?;
        Ok(token.to_owned())
    }

    /// Notes that what cannot be renewed was refused. Requests that were under way together
    /// are one refusal.
    pub(super) async fn standing_refused(&self, pass: &Pass, message: &Message) {
        let mut session = self.shared.session.lock().await;
        if session.refused.as_ref().is_none_or(|(at, _)| pass.given.is_some_and(|given| given > *at)) {
            session.refused = Some((Instant::now(), message.clone()));
            self.shared.gate.refused();
        }
    }

    /// The message of a refusal, with the reason the answer gives.
    pub(super) fn refusal(&self, id: &str, call: &Call, answer: &Answer) -> Message {
        self.message_at(id, call).with("reason", self.reason(answer))
    }
}

/// The token without a prefix it came with.
fn bare<'a>(token: &'a str, prefix: &str) -> &'a str {
    for known in [prefix, "JWT ", "Bearer "] {
        let head = token.get(..known.len());
        if !known.is_empty() && head.is_some_and(|head| head.eq_ignore_ascii_case(known)) {
            return token[known.len()..].trim();
        }
    }
    token
}

fn header_of(prefix: &str, token: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(&format!("{prefix}{}", token.trim())).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// When to renew the token: five minutes before the `exp` of its payload. One that says nothing, or
/// is past it the moment it comes (our clock may be wrong), is used until it is refused.
fn renewal(token: &str, now: SystemTime) -> Option<Instant> {
    #[derive(Deserialize)]
    struct Claims {
        exp: Option<f64>,
    }
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let exp = serde_json::from_slice::<Claims>(&payload).ok()?.exp?;
    let exp = SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(exp).ok()?)?;
    let left = exp.duration_since(now).ok().filter(|left| !left.is_zero())?;
    // A short token is renewed at its half, so that it does not cause a login for every request.
    Instant::now().checked_add(if left > AHEAD * 2 { left - AHEAD } else { left / 2 })
}

/// The secrets that must not appear in any text.
pub(super) fn secrets(auth: &Auth) -> Vec<&str> {
    match auth {
        Auth::None => Vec::new(),
        Auth::Bearer(token) => vec![token.expose_secret()],
        Auth::Basic { user, password } => vec![password.expose_secret(), user.expose_secret()],
        Auth::Login(login) => vec![login.password.expose_secret(), login.user.expose_secret()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn tokens_are_renewed_by_their_own_word() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (payload, seconds) in [
            (r#"{"exp":1021600}"#, Some(21_300)),
            (r#"{"exp":1021600.1,"login":"x"}"#, Some(21_300)),
            (r#"{"exp":1000100}"#, Some(50)),
            (r#"{"exp":1000000}"#, None),
            (r#"{"exp":5}"#, None),
            (r#"{"exp":-1e300}"#, None),
            (r#"{"exp":"x"}"#, None),
            ("{}", None),
            ("", None),
        ] {
            let wait = renewal(&token(payload), now).map(|at| (at - Instant::now()).as_secs_f64().round());
            assert_eq!(wait, seconds.map(f64::from), "{payload}");
        }
        for text in ["", "a", "a.b", "..", "a.!!.c"] {
            assert!(renewal(text, now).is_none(), "{text}");
        }
    }

    #[test]
    fn a_token_may_come_with_its_prefix() {
        for text in ["abc", "JWT abc", "jwt abc", "Bearer abc"] {
            assert_eq!(bare(text, "JWT "), "abc");
        }
        assert_eq!(bare("é", "JWT "), "é");
    }

    #[test]
    fn secrets_do_not_show() {
        let auth = Auth::Login(Login {
            path: "/login".into(),
            user_field: "login",
            user: "partner@example.test".to_owned().into(),
            password_field: "password",
            password: "hunter2".to_owned().into(),
            token_field: "token",
            header_prefix: "JWT ",
        });
        let shown = format!("{auth:?} {:?}", header_of("JWT ", "abc"));
        assert!(!shown.contains("hunter2") && !shown.contains("partner@") && !shown.contains("abc"));
    }
}
