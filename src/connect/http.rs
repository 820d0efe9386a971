//! Transport, done once for every connector: sign-in, budgets, retries and limits.
//!
//! A connector asks for a path and says whether what came is whole. Everything else about an answer
//! is decided here: what is repeated and when, what is a refusal, and what is not an answer at all.
//! Nothing leaves here that holds a secret, a query value or a foreign body as it came.

use std::fmt;
use std::sync::{Arc, Once, OnceLock};
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, RETRY_AFTER};
use tokio::time::timeout;

use super::Error;
use crate::model::Message;

mod body;
mod budget;
mod guard;
mod judge;
mod limits;
mod login;
mod notify;
mod once;
#[cfg(test)]
pub(super) mod tests;
mod words;

pub use budget::Gate;
pub use guard::{Network, may_reach, network};
pub use limits::Limits;
pub use login::{Auth, Login, Manner, Renewal, secret};
pub use notify::post;
pub use once::{Said, Sending};

use budget::Budget;
use login::{Pass, Session};

/// The content type of nearly every request.
pub const JSON: &str = "application/json";

/// Of a body that only says why something failed, no more than this is read.
const REASON: usize = 64 * 1024;

/// Where a system lives and how to sign in.
#[derive(Debug, Clone, Default)]
pub struct Door {
    /// Base address, `https://host[:port][/path]`.
    pub base_url: String,
    /// How to sign in.
    pub auth: Auth,
    /// What it means by its answers where that is not the usual.
    pub habits: Habits,
}

/// What a system means by its answers where that is not the usual.
#[derive(Debug, Clone, Copy, Default)]
pub struct Habits {
    /// Statuses that say "later".
    pub busy: &'static [u16],
    /// Texts that make any failed answer a refusal of this request, whatever its status says.
    pub refusals: &'static [&'static str],
    /// Codes of an `odata.error` that do.
    pub codes: &'static [&'static str],
}

/// One request to read something.
#[derive(Debug, Clone)]
pub struct Request {
    /// Path below the base address, beginning with a slash, percent-encoded.
    pub path: String,
    /// Query without `?`, percent-encoded; may be empty. It never appears in a message.
    pub query: String,
    /// The content type asked for.
    pub accept: &'static str,
    /// Whether an answer that breaks off is better asked for in smaller pieces than once more.
    pub breakable: bool,
    /// What is posted, for systems that are read so; never in a message.
    pub body: Option<Body>,
    /// Whether an answer that may pass is an error at once: whoever asks knows another way.
    pub once: bool,
}

/// JSON that is posted. It holds values of people, and so is not shown.
#[derive(Clone)]
pub struct Body(String);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Request {
    /// A request for JSON.
    pub fn new(path: impl Into<String>, query: impl Into<String>) -> Request {
        Request {
            path: path.into(),
            query: query.into(),
            accept: JSON,
            breakable: false,
            body: None,
            once: false,
        }
    }

    /// A request for JSON that is asked for with JSON. It only reads, and is repeated like any other.
    pub fn post(path: impl Into<String>, body: String) -> Request {
        Request { body: Some(Body(body)), ..Request::new(path, "") }
    }

    /// The same, tried once only.
    #[must_use]
    pub fn once(self) -> Request {
        Request { once: true, ..self }
    }

    /// The same; if `smaller` pieces can be asked for, an answer that breaks off is an error at once.
    #[must_use]
    pub fn whole_or(self, smaller: bool) -> Request {
        Request { breakable: smaller, ..self }
    }
}

/// Whether an answer began to come and did not come whole: a smaller one may.
pub fn broke_off(error: &Error) -> bool {
    matches!(
        error.message().id.as_str(),
        "connect-broken-body"
            | "connect-broken-json"
            | "connect-timeout"
            | "connect-too-slow"
            | "connect-too-large"
    )
}

/// Why an answer that came through is not what was asked for. Both are passing faults at first: a
/// page that is not certainly whole is fetched again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotWhole {
    /// Not JSON to its end.
    Broken,
    /// JSON of another shape; names what was looked for (`totals.count`).
    Shape(&'static str),
    /// A refusal, although its status says otherwise. Not asked for again.
    Refused,
}

impl NotWhole {
    /// What is wrong with a text that was not read as `wanted`: its shape if it is JSON at all.
    pub fn other_than(wanted: &'static str, text: &str) -> NotWhole {
        match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) => NotWhole::Shape(wanted),
            Err(_) => NotWhole::Broken,
        }
    }
}

/// A call that failed, for the run's detail and the log. Holds no secret and no query.
#[derive(Debug, Clone, serde::Serialize)]
pub struct FailedCall {
    /// The system's name in the configuration.
    pub system: String,
    /// `GET`, `POST`.
    pub method: &'static str,
    /// Path below the base address.
    pub path: String,
    /// The answer's status, if one came.
    pub status: Option<u16>,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// How long until the next attempt; `None` when there is none.
    pub wait: Option<Duration>,
    /// What happened.
    pub message: Message,
}

/// Told of each failed call, at once; must not block.
pub type Observer = Arc<dyn Fn(&FailedCall) + Send + Sync>;

/// The client of one upstream account. Clones share its sign-in and its budget; the engine keeps
/// one per system.
#[derive(Clone)]
pub struct Http {
    shared: Arc<Shared>,
    observer: Option<Observer>,
}

struct Shared {
    system: String,
    base: String,
    auth: Auth,
    habits: Habits,
    limits: Limits,
    gate: Gate,
    client: reqwest::Client,
    /// For what is written: made when it is needed first.
    writer: OnceLock<reqwest::Client>,
    budget: Budget,
    session: tokio::sync::Mutex<Session>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("system", &self.shared.system).finish_non_exhaustive()
    }
}

/// One call, as far as it may be told.
#[derive(Debug, Clone)]
struct Call {
    method: &'static str,
    path: String,
    status: Option<u16>,
}

/// An attempt that failed: what it will be called if it is the last, and whether it may pass.
#[derive(Debug)]
struct Fault {
    error: Error,
    passing: bool,
    /// The call it happened in; `None` when nothing was sent.
    call: Option<Call>,
    /// No connection was made, so that nothing of the request can have arrived.
    unsent: bool,
}

impl Fault {
    fn new(error: Error, passing: bool, call: &Call) -> Fault {
        Fault { error, passing, call: Some(call.clone()), unsent: false }
    }

    fn silent(error: Error) -> Fault {
        Fault { error, passing: false, call: None, unsent: true }
    }
}

/// What is sent with a call.
struct Outgoing<'a> {
    client: &'a reqwest::Client,
    query: &'a str,
    accept: &'a str,
    body: Option<&'a str>,
}

/// An answer, its body read but not judged.
struct Answer {
    status: u16,
    html: bool,
    wait: Option<Duration>,
    body: Vec<u8>,
}

impl Http {
    /// A client for the system of that name, or what is wrong with its settings.
    pub fn new(system: &str, door: Door, limits: Limits, gate: Gate) -> Result<Http, Message> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // Refused only where the program chose a provider before; then that one serves.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let base = guard::base(system, &door.base_url, &limits)?;
        let client = client(&base, &limits, usize::MAX)
            .map_err(|_| Message::new("connect-client-unavailable").with("system", system))?;
        let budget = Budget::new(&limits);
        let shared = Shared {
            system: system.to_owned(),
            base,
            auth: door.auth,
            habits: door.habits,
            limits,
            gate,
            client,
            writer: OnceLock::new(),
            budget,
            session: tokio::sync::Mutex::default(),
        };
        Ok(Http { shared: Arc::new(shared), observer: None })
    }

    /// The same client, telling `observer` of every call that fails.
    #[must_use]
    pub fn observed(&self, observer: Observer) -> Http {
        Http { shared: self.shared.clone(), observer: Some(observer) }
    }

    /// What of its budget should be kept over a restart.
    pub fn gate(&self) -> &Gate {
        &self.shared.gate
    }

    /// A message about this system.
    pub fn told(&self, id: &str) -> Message {
        self.message(id)
    }

    /// The text of a JSON answer, not parsed.
    pub async fn get(&self, request: &Request) -> Result<String, Error> {
        self.get_parsed(request, |text| Ok(text.to_owned())).await
    }

    /// An answer as `parse` understands it. One that it finds not whole is fetched again like any
    /// other passing fault. Dropping the future at any point leaves the client as good as before.
    pub async fn get_parsed<T>(
        &self,
        request: &Request,
        parse: impl Fn(&str) -> Result<T, NotWhole> + Send + Sync,
    ) -> Result<T, Error> {
        let mut attempt = 1;
        let mut renewed = false;
        loop {
            let fault = match self.attempt(request, &parse, attempt, &mut renewed).await {
                Ok(value) => return Ok(value),
                Err(fault) => fault,
            };
            let smaller = request.breakable && broke_off(&fault.error);
            let wait = self.wait_after(&fault, attempt).filter(|_| !smaller && !request.once);
            self.report(&fault, attempt, wait);
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(with_attempts(fault.error, attempt)),
            }
            attempt += 1;
        }
    }

    async fn attempt<T>(
        &self,
        request: &Request,
        parse: impl Fn(&str) -> Result<T, NotWhole>,
        attempt: u32,
        renewed: &mut bool,
    ) -> Result<T, Fault> {
        let method = if request.body.is_some() { "POST" } else { "GET" };
        let call = Call { method, path: request.path.clone(), status: None };
        let outgoing = Outgoing {
            client: &self.shared.client,
            query: &request.query,
            accept: request.accept,
            body: request.body.as_ref().map(|Body(body)| body.as_str()),
        };
        let mut pass = self.pass(None).await?;
        let mut answer = self.send(&call, &outgoing, &pass).await?;
        if answer.status == 401 && matches!(self.shared.auth, Auth::Login(_)) && !*renewed {
            *renewed = true;
            pass = self.renewed(&call, &pass, attempt).await?;
            answer = self.send(&call, &outgoing, &pass).await?;
        }
        let call = Call { status: Some(answer.status), ..call };
        let refused = match &self.shared.auth {
            Auth::Login(_) | Auth::Basic { .. } => answer.status == 401,
            Auth::None | Auth::Bearer(_) => matches!(answer.status, 401 | 403),
        };
        if refused {
            let id = match &self.shared.auth {
                Auth::Basic { .. } => "connect-login-refused",
                _ => "connect-token-refused",
            };
            let message = self.refusal(id, &call, &answer);
            if self.shared.auth.is_standing() {
                self.standing_refused(&pass, &message).await;
            }
            return Err(Fault::new(Error::Login(message), false, &call));
        }
        let text = self.checked(&call, answer)?;
        if self.shared.auth.is_standing() && self.shared.gate.refused_logins() > 0 {
            self.shared.gate.accepted();
        }
        parse(&text).map_err(|not_whole| {
            let error = match not_whole {
                NotWhole::Refused => {
                    let message = self.message_at("connect-rejected", &call);
                    Error::Rejected(message.with("reason", self.reason_in(&text)))
                }
                NotWhole::Broken => Error::Unavailable(self.message_at("connect-broken-json", &call), None),
                NotWhole::Shape(missing) => {
                    Error::Unexpected(self.message_at("connect-other-shape", &call).with("missing", missing))
                }
            };
            Fault::new(error, not_whole != NotWhole::Refused, &call)
        })
    }

    /// What is shown after a call was answered 401, once per request.
    async fn renewed(&self, call: &Call, spoiled: &Pass, attempt: u32) -> Result<Pass, Fault> {
        let spent = Call { status: Some(401), ..call.clone() };
        let error = Error::Login(self.message_at("connect-token-expired", &spent));
        self.report(&Fault::new(error, true, &spent), attempt, Some(Duration::ZERO));
        self.pass(Some(spoiled.serial)).await
    }

    /// Sends one request within the budget and reads its answer within the limits.
    async fn send(&self, call: &Call, outgoing: &Outgoing<'_>, pass: &Pass) -> Result<Answer, Fault> {
        let shared = &*self.shared;
        let query = outgoing.query;
        let slash = if call.path.starts_with('/') { "" } else { "/" };
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("{}{slash}{}{mark}{query}", shared.base, call.path);
        let mut request = match outgoing.body {
            None => outgoing.client.get(url),
            Some(body) => outgoing.client.post(url).header(CONTENT_TYPE, JSON).body(body.to_owned()),
        };
        request = request.header(ACCEPT, outgoing.accept);
        if let Some(header) = &pass.header {
            request = request.header(AUTHORIZATION, header.clone());
        }
        let _permit = shared.budget.enter(&shared.gate, shared.limits.longest_wait).await;
        let exchange = async {
            let response = request.send().await.map_err(|error| self.not_sent(call, &error))?;
            let status = response.status().as_u16();
            let headers = response.headers();
            let wait = header(headers, RETRY_AFTER)
                .and_then(|after| budget::retry_after(after, header(headers, DATE), SystemTime::now()));
            let html = header(headers, CONTENT_TYPE).is_some_and(|t| t.to_ascii_lowercase().contains("html"));
            let call = Call { status: Some(status), ..call.clone() };
            let body = if response.status().is_success() {
                body::read(response, &shared.limits, shared.limits.max_body)
                    .await
                    .map_err(|stopped| self.not_read(&call, &stopped))?
            } else {
                // Only good for its reason; without one the status still says enough.
                body::read(response, &shared.limits, REASON).await.unwrap_or_default()
            };
            Ok(Answer { status, html, wait, body })
        };
        match timeout(shared.limits.timeout, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(self.passing("connect-timeout", call)),
        }
    }

    /// How long to wait before the next attempt, if there is to be one. What the system asked for
    /// holds for every request to it.
    fn wait_after(&self, fault: &Fault, attempt: u32) -> Option<Duration> {
        let limits = &self.shared.limits;
        let asked = match &fault.error {
            Error::Unavailable(_, asked) => asked.map(|asked| asked.min(limits.longest_wait)),
            _ => None,
        };
        let wait = budget::backoff(attempt, limits).max(asked.unwrap_or_default());
        let throttled = fault.call.as_ref().is_some_and(|call| call.status == Some(429));
        if let (true, Some(until)) = (asked.is_some() || throttled, SystemTime::now().checked_add(wait)) {
            self.shared.gate.hold_until(until);
        }
        (fault.passing && attempt < limits.attempts).then_some(wait)
    }

    /// Tells of a call that failed.
    fn report(&self, fault: &Fault, attempt: u32, wait: Option<Duration>) {
        let Some(call) = &fault.call else { return };
        let failed = FailedCall {
            system: self.shared.system.clone(),
            method: call.method,
            path: call.path.clone(),
            status: call.status,
            attempt,
            wait,
            message: fault.error.message().clone().with("attempts", attempt),
        };
        tracing::debug!(
            system = failed.system,
            method = failed.method,
            path = failed.path,
            status = failed.status,
            attempt,
            wait_ms = wait.map(|wait| wait.as_millis() as u64),
            what = failed.message.id,
            "call failed"
        );
        if let Some(observer) = &self.observer {
            observer(&failed);
        }
    }
}

/// The error with how often it was tried, where that says something.
fn with_attempts(error: Error, attempts: u32) -> Error {
    match error {
        Error::Unavailable(message, wait) => Error::Unavailable(message.with("attempts", attempts), wait),
        Error::Unexpected(message) => Error::Unexpected(message.with("attempts", attempts)),
        other => other,
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The client: no redirects, no proxy, no repeats of its own, only addresses that may be reached. It
/// keeps so many connections for later.
fn client(base: &str, limits: &Limits, idle: usize) -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .user_agent(concat!("Concord/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .pool_max_idle_per_host(idle)
        .connect_timeout(limits.connect_timeout)
        .dns_resolver(guard::Guard { allowed: limits.allow_networks.as_slice().into() });
    if base.starts_with("https:") {
        builder.https_only(true).build()
    } else {
        // No certificate is looked at, so none need be installed.
        builder.tls_certs_only([]).build()
    }
}
