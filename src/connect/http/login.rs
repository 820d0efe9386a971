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

use super::{Answer, Call, Fault, Http, JSON, Outgoing};
use crate::connect::Error;
use crate::connect::object::Object;
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
    Login(Box<Login>),
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
    /// What is not the same everywhere.
    pub manner: Manner,
}

/// How a login is more than a name, a password and a token.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// Further fields that are posted.
    pub further: Vec<(&'static str, serde_json::Value)>,
    /// Statuses of a refused login that say more than the usual: the message, and for how long no other
    /// is tried.
    pub refusals: &'static [(u16, &'static str, Duration)],
    /// The field of the answer that says how long the token is good, with its offset from UTC.
    pub expiry_field: Option<&'static str>,
    /// How a token that is nearly spent is renewed; what comes of it is otherwise like a login.
    pub renewal: Option<Renewal>,
    /// Fields of the answer that are kept: what the system says only here.
    pub facts: &'static [&'static str],
}

/// How a token is renewed without the password. Any failure leads to a login.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// Path from the base address.
    pub path: String,
    /// The field that holds what a token is renewed by, in the answer of a login and in what is posted.
    pub by_field: &'static str,
    /// Further fields that are posted; the spent token goes under the name it came by.
    pub further: Vec<(&'static str, serde_json::Value)>,
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
    refused: Option<Refused>,
    /// What the token is renewed by, and the token as it came.
    renewable: Option<[SecretString; 2]>,
    facts: Vec<(&'static str, String)>,
}

/// A refused login: when, what was said, and how long it is not repeated.
#[derive(Debug)]
struct Refused {
    at: Instant,
    message: Message,
    rest: Duration,
}

/// What a login gave.
struct Granted {
    token: String,
    renew_at: Option<Instant>,
    renewable: Option<[SecretString; 2]>,
    facts: Vec<(&'static str, String)>,
}

impl Session {
    fn pass(&self) -> Pass {
        Pass { header: self.token.clone(), serial: self.serial, given: Some(Instant::now()) }
    }

    /// The refusal that still holds.
    fn refusal(&self) -> Option<&Message> {
        self.refused.as_ref().filter(|refused| refused.at.elapsed() < refused.rest).map(|r| &r.message)
    }

    fn take(&mut self, granted: Granted, header: Option<HeaderValue>) {
        self.token = header;
        self.renew_at = granted.renew_at;
        self.renewable = granted.renewable;
        self.facts = granted.facts;
        self.serial += 1;
        self.refused = None;
    }
}

impl Http {
    /// What the next request shows. `spoiled` is the login whose token was just answered 401: unless
    /// somebody renewed it meanwhile, it is dropped and one login is made.
    pub(super) async fn pass(&self, spoiled: Option<u64>) -> Result<Pass, Fault> {
        let mut session = self.shared.session.lock().await;
        if let Some(message) = session.refusal() {
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
                if spoiled == Some(session.serial) {
                    session.token = None;
                } else if due
                    && session.token.take().is_some()
                    && let Some(granted) = self.renew(login, session.renewable.take()).await
                {
                    let header = header_of(login.header_prefix, &granted.token);
                    session.take(granted, header);
                }
                if session.token.is_none() {
                    let granted = match self.log_in(login).await {
                        Err(Fault { error: Error::Login(message), call, passing, unsent }) => {
                            let status = call.as_ref().and_then(|call| call.status);
                            let rest = login.manner.refusal(status).map(|(_, rest)| rest).unwrap_or_default();
                            let rest = rest.max(self.shared.limits.login_rest);
                            let at = Instant::now();
                            session.refused = Some(Refused { at, message: message.clone(), rest });
                            self.shared.gate.refused();
                            return Err(Fault { error: Error::Login(message), call, passing, unsent });
                        }
                        other => other?,
                    };
                    let header = header_of(login.header_prefix, &granted.token);
                    session.take(granted, header);
                    self.shared.gate.accepted();
                }
                Ok(session.pass())
            }
        }
    }

    /// What the system said of itself when it let us in, by the field's name ([`Manner::facts`]). Signs
    /// in where that was not done yet.
    pub async fn login_fact(&self, name: &str) -> Result<Option<String>, Error> {
        self.pass(None).await.map_err(|fault| fault.error)?;
        let session = self.shared.session.lock().await;
        Ok(session.facts.iter().find(|(fact, _)| *fact == name).map(|(_, value)| value.clone()))
    }

    /// One login, and what it gives.
    async fn log_in(&self, login: &Login) -> Result<Granted, Fault> {
        let mut body = Object::default()
            .with(login.user_field, login.user.expose_secret())
            .with(login.password_field, login.password.expose_secret());
        for (name, value) in &login.manner.further {
            body.set(name, value);
        }
        let (call, answer) = self.ask(&login.path, &body).await?;
        if let Some((id, _)) = login.manner.refusal(Some(answer.status)) {
            return Err(Fault::new(Error::Login(self.refusal(id, &call, &answer)), false, &call));
        }
        if matches!(answer.status, 400 | 401 | 403 | 422) {
            let message = self.refusal("connect-login-refused", &call, &answer);
            return Err(Fault::new(Error::Login(message), false, &call));
        }
        let body = self.checked(&call, answer)?;
        let unknown = || {
            let message = self.message_at("connect-login-without-token", &call);
            Fault::new(Error::Unexpected(message), false, &call)
        };
        let Some(answer) = Object::read(&body) else {
            let broken = serde_json::from_str::<serde::de::IgnoredAny>(&body).is_err();
            return Err(if broken { self.passing("connect-broken-json", &call) } else { unknown() });
        };
        granted(login, &answer, SystemTime::now()).ok_or_else(unknown)
    }

    /// The next token without a login, if the system gives one.
    async fn renew(&self, login: &Login, by: Option<[SecretString; 2]>) -> Option<Granted> {
        let (renewal, [by, token]) = (login.manner.renewal.as_ref()?, by?);
        let mut body = Object::default()
            .with(renewal.by_field, by.expose_secret())
            .with(login.token_field, token.expose_secret());
        for (name, value) in &renewal.further {
            body.set(name, value);
        }
        let (call, answer) = self.ask(&renewal.path, &body).await.ok()?;
        let body = self.checked(&call, answer).ok()?;
        granted(login, &Object::read(&body)?, SystemTime::now())
    }

    /// Posts something at the door.
    async fn ask(&self, path: &str, body: &Object) -> Result<(Call, Answer), Fault> {
        let body = body.text();
        let call = Call { method: "POST", path: path.to_owned(), status: None };
        let outgoing =
            Outgoing { client: &self.shared.client, query: "", accept: JSON, body: Some(body.as_str()) };
        let answer = self.send(&call, &outgoing, &Pass::default()).await?;
        Ok((Call { status: Some(answer.status), ..call }, answer))
    }

    /// Notes that what cannot be renewed was refused. Requests that were under way together
    /// are one refusal.
    pub(super) async fn standing_refused(&self, pass: &Pass, message: &Message) {
        let mut session = self.shared.session.lock().await;
        let newer = |refused: &Refused| pass.given.is_some_and(|given| given > refused.at);
        if session.refused.as_ref().is_none_or(newer) {
            let rest = self.shared.limits.login_rest;
            session.refused = Some(Refused { at: Instant::now(), message: message.clone(), rest });
            self.shared.gate.refused();
        }
    }

    /// The message of a refusal, with the reason the answer gives.
    pub(super) fn refusal(&self, id: &str, call: &Call, answer: &Answer) -> Message {
        self.message_at(id, call).with("reason", self.reason(answer))
    }
}

#[cfg(test)]
impl Http {
    /// The token is as good as spent.
    pub(in crate::connect) async fn spend_token(&self) {
        self.shared.session.lock().await.renew_at = Some(Instant::now());
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

/// What the answer of a login or a renewal gives; `None` without a token that can be shown.
fn granted(login: &Login, answer: &Object, now: SystemTime) -> Option<Granted> {
    let manner = &login.manner;
    let told = answer.get(login.token_field).owned()?;
    let token = bare(&told, login.header_prefix).to_owned();
    header_of(login.header_prefix, &token)?;
    let expiry = manner.expiry_field.and_then(|field| answer.get(field).owned());
    let expiry = expiry.and_then(|text| text.parse::<jiff::Timestamp>().ok()).map(SystemTime::from);
    let by = manner.renewal.as_ref().and_then(|renewal| answer.get(renewal.by_field).owned());
    let facts = manner.facts.iter().filter_map(|name| Some((*name, answer.get(name).owned()?)));
    Some(Granted {
        renew_at: expiry.or_else(|| expiry_within(&token)).and_then(|expiry| renewal(expiry, now)),
        renewable: by.map(|by| [by.into(), told.into()]),
        facts: facts.collect(),
        token,
    })
}

impl Manner {
    /// What a refusal with this status means, where it is not the usual.
    fn refusal(&self, status: Option<u16>) -> Option<(&'static str, Duration)> {
        let mut refusals = self.refusals.iter();
        refusals.find(|(refused, ..)| Some(*refused) == status).map(|(_, id, rest)| (*id, *rest))
    }
}

/// The `exp` of a token's payload.
fn expiry_within(token: &str) -> Option<SystemTime> {
    #[derive(Deserialize)]
    struct Claims {
        exp: Option<f64>,
    }
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let exp = serde_json::from_slice::<Claims>(&payload).ok()?.exp?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(exp).ok()?)
}

/// When to renew a token: five minutes before it is spent. One that says nothing, or is past it the
/// moment it comes (our clock may be wrong), is used until it is refused.
fn renewal(expiry: SystemTime, now: SystemTime) -> Option<Instant> {
    let left = expiry.duration_since(now).ok().filter(|left| !left.is_zero())?;
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
            let renewed = expiry_within(&token(payload)).and_then(|expiry| renewal(expiry, now));
            let wait = renewed.map(|at| (at - Instant::now()).as_secs_f64().round());
            assert_eq!(wait, seconds.map(f64::from), "{payload}");
        }
        for text in ["", "a", "a.b", "..", "a.!!.c"] {
            assert!(expiry_within(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_answer_may_say_when_its_token_is_spent() {
        let manner = Manner { expiry_field: Some("expiresAt"), ..Manner::default() };
        let login = Login {
            path: String::new(),
            user_field: "",
            user: String::new().into(),
            password_field: "",
            password: String::new().into(),
            token_field: "accessToken",
            header_prefix: "Bearer ",
            manner,
        };
        let now = "2030-01-02T06:00:30Z".parse::<jiff::Timestamp>().unwrap();
        for (expires, minutes) in [
            (r#""2030-01-02T10:20:30.1234567+03:30""#, Some(45)),
            (r#""2030-01-02T06:04:30Z""#, Some(2)),
            (r#""2030-01-02T06:00:30Z""#, None),
            (r#""2030-01-02T10:20:30""#, None),
            (r#""soon""#, None),
            ("5", None),
            ("null", None),
        ] {
            let answer = Object::read(&format!(r#"{{"ExpiresAt":{expires},"AccessToken":"t"}}"#)).unwrap();
            let granted = granted(&login, &answer, now.into()).unwrap();
            let wait = granted.renew_at.map(|at| ((at - Instant::now()).as_secs_f64() / 60.0).round());
            assert_eq!((granted.token.as_str(), wait), ("t", minutes.map(f64::from)), "{expires}");
        }
        for text in ["{}", r#"{"accessToken":""}"#, r#"{"accessToken":{}}"#, r#"{"accessToken":"a\nb"}"#] {
            let answer = Object::read(text).unwrap();
            assert!(granted(&login, &answer, now.into()).is_none_or(|g| g.token == "a b"), "{text}");
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
        let auth = Auth::Login(Box::new(Login {
            path: "/login".into(),
            user_field: "login",
            user: "partner@example.test".to_owned().into(),
            password_field: "password",
            password: "hunter2".to_owned().into(),
            token_field: "token",
            header_prefix: "JWT ",
            manner: Manner::default(),
        }));
        let shown = format!("{auth:?} {:?}", header_of("JWT ", "abc"));
        assert!(!shown.contains("hunter2") && !shown.contains("partner@") && !shown.contains("abc"));
    }
}
