//! Transport against small servers that misbehave in one way each.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request as Incoming;
use axum::http::{StatusCode, header as names};
use axum::response::{IntoResponse, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Barrier;

use super::*;

/// What a server saw of one request: method and path with query, and the token shown.
#[derive(Debug, Clone)]
pub(in crate::connect) struct Seen {
    pub(in crate::connect) line: String,
    pub(in crate::connect) token: String,
    pub(in crate::connect) body: String,
    agent: String,
}

/// A server on a port of its own, with a list of what it was asked.
pub(in crate::connect) struct Server {
    pub(in crate::connect) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(in crate::connect) fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|seen| seen.line.clone()).collect()
    }

    pub(in crate::connect) fn bodies(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|seen| seen.body.clone()).collect()
    }

    fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|seen| seen.starts_with(line)).count()
    }
}

/// Serves `answer`, which is given the number of the request, from 0, and what it holds.
pub(in crate::connect) async fn serve<F, R>(answer: F) -> Server
where
    F: Fn(usize, Seen) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response> + Send,
{
    let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
    let log = seen.clone();
    let app = Router::new().fallback(move |request: Incoming| {
        let (log, answer) = (log.clone(), answer.clone());
        async move {
            let (head, body) = request.into_parts();
            let text =
                |name| head.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
            let one = Seen {
                line: format!("{} {}", head.method, head.uri),
                token: text(names::AUTHORIZATION),
                agent: text(names::USER_AGENT),
                body: String::from_utf8(axum::body::to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap(),
            };
            let number = {
                let mut log = log.lock().unwrap();
                log.push(one.clone());
                log.len() - 1
            };
            answer(number, one).await
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    Server { url, seen }
}

pub(in crate::connect) fn json(body: &str) -> Response {
    ([(names::CONTENT_TYPE, JSON)], body.to_owned()).into_response()
}

pub(in crate::connect) fn status(status: u16, body: &str) -> Response {
    (StatusCode::from_u16(status).unwrap(), [(names::CONTENT_TYPE, JSON)], body.to_owned()).into_response()
}

/// Limits under which nothing takes long.
pub(in crate::connect) fn brisk() -> Limits {
    Limits {
        timeout: Duration::from_secs(20),
        attempts: 3,
        backoff: Duration::from_millis(1),
        backoff_max: Duration::from_millis(2),
        longest_wait: Duration::from_millis(20),
        allow_networks: vec![network("127.0.0.0/8").unwrap()],
        allow_plaintext: true,
        ..Limits::default()
    }
}

const PASSWORD: &str = "hunter2-of-ham";
const USER: &str = "partner@example.test";
const BEARER: &str = "b3arer";

fn door(url: &str) -> Door {
    Door {
        base_url: url.to_owned(),
        auth: Auth::Login(Box::new(Login {
            path: "/auth/".into(),
            user_field: "login",
            user: USER.to_owned().into(),
            password_field: "password",
            password: PASSWORD.to_owned().into(),
            token_field: "token",
            header_prefix: "JWT ",
            manner: Manner::default(),
        })),
        ..Door::default()
    }
}

fn open(url: &str, limits: Limits) -> Http {
    Http::new(
        "ham",
        Door { base_url: url.to_owned(), auth: Auth::None, ..Door::default() },
        limits,
        Gate::default(),
    )
    .unwrap()
}

/// An answer that is wrong in one way.
type Fault = fn() -> Response;

/// Reads a list of numbers, whole or not at all.
fn numbers(text: &str) -> Result<Vec<u32>, NotWhole> {
    serde_json::from_str(text).map_err(|_| NotWhole::other_than("[…]", text))
}

fn page() -> Request {
    Request::new("/list/", "limit=2&phone=%2B77000000000")
}

/// The client with a list of the calls that failed.
fn watched(http: &Http) -> (Http, Arc<Mutex<Vec<FailedCall>>>) {
    let failed: Arc<Mutex<Vec<FailedCall>>> = Arc::default();
    let log = failed.clone();
    (http.observed(Arc::new(move |call| log.lock().unwrap().push(call.clone()))), failed)
}

/// The variant and key of an error, after looking for secrets in everything it shows.
fn told(error: &Error) -> (&'static str, String) {
    let shown = format!("{error} {error:?}");
    for secret in [PASSWORD, USER, BEARER, "77000000000"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let kind = match error {
        Error::Login(_) => "login",
        Error::Unavailable(..) => "unavailable",
        Error::Rejected(_) => "rejected",
        Error::Unexpected(_) => "unexpected",
    };
    (kind, error.message().id.clone())
}

async fn failure(http: &Http) -> (&'static str, String) {
    told(&http.get(&page()).await.unwrap_err())
}

#[tokio::test]
async fn a_token_that_expires_is_renewed_once_and_the_page_read_again() {
    let server = serve(async |number, seen: Seen| match (number, seen.line.as_str()) {
        (0 | 4, "POST /auth/") => json(&format!("{{\"token\":\"JWT t{number}\"}}")),
        // Fourth request, third page: the first token is spent.
        (3, _) => status(401, r#"{"detail":"TokenExpired"}"#),
        _ if seen.token == "JWT t0" || seen.token == "JWT t4" => json(&format!("[{number}]")),
        _ => status(401, ""),
    })
    .await;
    let (http, failed) = watched(&Http::new("ham", door(&server.url), brisk(), Gate::default()).unwrap());
    let mut pages = Vec::new();
    for offset in 0..4 {
        let request = Request::new("/list/", format!("offset={offset}"));
        pages.push(http.get(&request).await.unwrap());
    }
    assert_eq!(pages, ["[1]", "[2]", "[5]", "[6]"]);
    let lines = server.lines();
    assert_eq!(lines[3], lines[5], "the same page again");
    assert_eq!(server.count("POST"), 2);
    assert_eq!(http.gate().refused_logins(), 0);
    let failed = failed.lock().unwrap();
    assert_eq!((failed.len(), failed[0].status), (1, Some(401)));
    let seen = server.seen.lock().unwrap();
    assert_eq!(seen[0].body, format!(r#"{{"login":"{USER}","password":"{PASSWORD}"}}"#));
    assert!(seen.iter().all(|seen| seen.agent == concat!("Concord/", env!("CARGO_PKG_VERSION"))));
}

#[tokio::test]
async fn a_second_401_after_a_fresh_login_is_a_refusal() {
    let server = serve(async |_, seen: Seen| match seen.line.starts_with("POST") {
        true => json(r#"{"token":"t"}"#),
        false => status(401, "{}"),
    })
    .await;
    let http = Http::new("ham", door(&server.url), brisk(), Gate::default()).unwrap();
    assert_eq!(failure(&http).await, ("login", "connect-token-refused".into()));
    assert_eq!((server.count("POST"), server.count("GET")), (2, 2));
    assert_eq!(http.gate().refused_logins(), 0, "the login itself was accepted");
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let server =
        serve(async |_, _| status(401, &format!(r#"{{"detail":"no user {USER} with {PASSWORD}"}}"#))).await;
    let http = Http::new("ham", door(&server.url), brisk(), Gate::default()).unwrap();
    let all = futures_util::future::join_all((0..5).map(|_| failure(&http))).await;
    assert!(all.iter().all(|told| *told == ("login", "connect-login-refused".into())), "{all:?}");
    assert_eq!(server.lines(), ["POST /auth/"]);
    assert_eq!(http.gate().refused_logins(), 1);
    assert!(http.gate().refused_at().is_some());
}

#[tokio::test]
async fn after_the_rest_a_login_is_tried_again_and_success_clears_the_count() {
    let server = serve(async |number, seen: Seen| match (number, seen.line.starts_with("POST")) {
        (0 | 1, _) => status(403, "<html>no</html>"),
        (_, true) => json(r#"{"token":"t"}"#),
        _ => json("[]"),
    })
    .await;
    let limits = Limits { login_rest: Duration::ZERO, ..brisk() };
    let http = Http::new("ham", door(&server.url), limits, Gate::default()).unwrap();
    for refused in [1, 2] {
        assert_eq!(failure(&http).await.0, "login");
        assert_eq!(http.gate().refused_logins(), refused);
    }
    assert_eq!(http.get(&page()).await.unwrap(), "[]");
    assert_eq!(http.gate().refused_logins(), 0);
}

#[tokio::test]
async fn many_requests_make_one_login() {
    let server = serve(async |_, seen: Seen| match seen.line.starts_with("POST") {
        true => json(r#"{"token":"t"}"#),
        false => json("[]"),
    })
    .await;
    let http = Http::new("ham", door(&server.url), brisk(), Gate::default()).unwrap();
    futures_util::future::join_all((0..8).map(|_| async { http.get(&page()).await.unwrap() })).await;
    assert_eq!((server.count("POST"), server.count("GET")), (1, 8));
}

#[tokio::test]
async fn a_refused_bearer_is_a_login_error_also_as_a_page() {
    for (code, body) in [(401, "{}"), (403, "<!doctype html><p>Forbidden")] {
        let server = serve(move |_, _| async move { status(code, body) }).await;
        let door = Door {
            base_url: server.url.clone(),
            auth: Auth::Bearer(BEARER.to_owned().into()),
            ..Door::default()
        };
        let http = Http::new("xm", door, brisk(), Gate::default()).unwrap();
        for _ in 0..2 {
            assert_eq!(failure(&http).await, ("login", "connect-token-refused".into()));
        }
        assert_eq!(server.lines().len(), 1);
        assert_eq!(server.seen.lock().unwrap()[0].token, format!("Bearer {BEARER}"));
        assert_eq!(http.gate().refused_logins(), 1);
    }
}

#[tokio::test]
async fn passing_faults_pass() {
    let cases: [(&str, Fault); 12] = [
        ("seconds", || (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "3600")], "").into_response()),
        ("date", || {
            let headers =
                [("retry-after", "Wed, 21 Oct 2026 09:00:00 GMT"), ("date", "Wed, 21 Oct 2026 08:00:00 GMT")];
            (StatusCode::SERVICE_UNAVAILABLE, headers, "").into_response()
        }),
        ("throttled without a time", || status(429, r#"{"detail":"Throttled"}"#)),
        ("server error", || status(500, "")),
        ("gateway", || status(502, "<html>")),
        ("page with 200", || json("<html>checking your browser</html>")),
        ("page by its type", || ([(names::CONTENT_TYPE, "text/html")], "[]").into_response()),
        ("empty", || json("")),
        ("truncated", || json("[1,")),
        ("mark", || json("\u{feff}[]")),
        ("not utf-8", || ([(names::CONTENT_TYPE, JSON)], &b"[\"\xff\"]"[..]).into_response()),
        ("firewall", || status(200, "  <p>")),
    ];
    for (name, fault) in cases {
        let server =
            serve(move |number, _| async move { if number == 0 { fault() } else { json("[1]") } }).await;
        let (http, failed) = watched(&open(&server.url, brisk()));
        let read = http.get_parsed(&page(), numbers).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read, [1], "{name}");
        let failed = failed.lock().unwrap();
        assert_eq!(failed.len(), 1, "{name}");
        assert_eq!((failed[0].attempt, failed[0].path.as_str()), (1, "/list/"), "{name}");
        let held = ["seconds", "date"].contains(&name);
        assert!(!held || failed[0].wait >= Some(brisk().longest_wait), "{name}: {failed:?}");
        assert_eq!(server.lines().len(), 2, "{name}");
    }
}

#[tokio::test]
async fn faults_that_stay_end_in_the_right_error() {
    let cases: [(&str, usize, (&str, &str), Fault); 10] = [
        ("500", 3, ("unavailable", "connect-server-error"), || status(500, "{}")),
        ("429", 3, ("unavailable", "connect-too-many-requests"), || status(429, "{}")),
        ("page", 3, ("unavailable", "connect-web-page"), || json("<html>")),
        ("empty", 3, ("unavailable", "connect-empty"), || json(" ")),
        ("cut", 3, ("unavailable", "connect-broken-json"), || json("[1,2")),
        ("shape", 3, ("unexpected", "connect-other-shape"), || json("{\"rows\":[]}")),
        ("mark", 3, ("unexpected", "connect-encoding"), || json("\u{feff}[]")),
        ("404", 1, ("rejected", "connect-rejected"), || status(404, "<html>")),
        ("400", 1, ("rejected", "connect-rejected"), || {
            status(400, r#"{"detail":"bad phone +77000000000 of partner@example.test"}"#)
        }),
        ("redirect", 1, ("unexpected", "connect-redirect"), || {
            (StatusCode::FOUND, [(names::LOCATION, "https://elsewhere.example.test/")]).into_response()
        }),
    ];
    for (name, requests, expected, fault) in cases {
        let server = serve(move |_, _| async move { fault() }).await;
        let error = open(&server.url, brisk()).get_parsed(&page(), numbers).await.unwrap_err();
        assert_eq!(told(&error), (expected.0, expected.1.to_owned()), "{name}");
        assert_eq!(server.lines().len(), requests, "{name}");
    }
}

#[tokio::test]
async fn what_a_system_asks_to_wait_is_told_and_holds_for_everyone() {
    let server = serve(async |number, _| match number {
        0 => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "7")], "").into_response(),
        _ => json("[]"),
    })
    .await;
    let gate = Gate::default();
    let limits = Limits { attempts: 1, longest_wait: Duration::from_millis(80), ..brisk() };
    let door = Door { base_url: server.url.clone(), auth: Auth::None, ..Door::default() };
    let http = Http::new("ham", door, limits, gate.clone()).unwrap();
    let error = http.get(&page()).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_, Some(wait)) if wait == Duration::from_secs(7)));
    let until = gate.not_before().unwrap();
    http.get(&page()).await.unwrap();
    assert!(SystemTime::now() >= until);
    assert_eq!(gate.not_before(), None);
}

#[tokio::test]
async fn bodies_are_bounded() {
    let limits = Limits { max_body: 1 << 20, attempts: 2, ..brisk() };
    let plain = serve(async |_, _| json(&"1".repeat((1 << 20) + 1))).await;
    assert_eq!(failure(&open(&plain.url, limits.clone())).await, ("unexpected", "connect-too-large".into()));
    assert_eq!(plain.lines().len(), 2);

    let app = Router::new()
        .fallback(async || json(&" ".repeat(8 << 20)))
        .layer(tower_http::compression::CompressionLayer::new().gzip(true));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    assert_eq!(failure(&open(&url, limits)).await, ("unexpected", "connect-too-large".into()));
}

#[tokio::test]
async fn slow_bodies_are_given_up_on() {
    let server = serve(async |_, _| {
        let drops = futures_util::stream::unfold(0, |sent| async move {
            if sent > 0 {
                std::future::pending::<()>().await;
            }
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"[")), sent + 1))
        });
        Body::from_stream(drops).into_response()
    })
    .await;
    let limits = Limits { patience: Duration::from_millis(30), attempts: 2, ..brisk() };
    assert_eq!(failure(&open(&server.url, limits)).await, ("unavailable", "connect-too-slow".into()));
    let limits = Limits { min_rate: 0, timeout: Duration::from_millis(30), attempts: 2, ..brisk() };
    assert_eq!(failure(&open(&server.url, limits)).await, ("unavailable", "connect-timeout".into()));
    assert_eq!(server.lines().len(), 4);
}

/// A server that writes these bytes and closes.
async fn raw(answer: &'static [u8]) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

#[tokio::test]
async fn broken_connections() {
    let cut = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[1,2]").await;
    let gzip = raw(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8bxx").await;
    let closed = raw(b"").await;
    for (address, id) in
        [(cut, "connect-broken-body"), (gzip, "connect-broken-body"), (closed, "connect-unreachable")]
    {
        let http = open(&format!("http://{address}"), brisk());
        assert_eq!(failure(&http).await, ("unavailable", id.into()));
    }
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let http = open(&format!("http://{gone}"), brisk());
    assert_eq!(failure(&http).await, ("unavailable", "connect-unreachable".into()));
}

#[tokio::test]
async fn private_addresses_are_refused_by_number_and_by_name() {
    let server = serve(async |_, _| json("[]")).await;
    let limits = Limits { allow_networks: Vec::new(), ..brisk() };
    let door = Door { base_url: server.url.clone(), auth: Auth::None, ..Door::default() };
    let message = Http::new("ham", door, limits.clone(), Gate::default()).unwrap_err();
    assert_eq!(message.id, "connect-address-refused");
    let by_name = server.url.replace("127.0.0.1", "localhost");
    let error = failure(&open(&by_name, limits)).await;
    assert_eq!(error, ("unexpected", "connect-address-refused".into()));
    assert_eq!(server.lines().len(), 0);
    assert_eq!(open(&by_name, brisk()).get(&page()).await.unwrap(), "[]");
}

#[tokio::test]
async fn no_more_at_once_than_allowed() {
    let now = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let pair = Arc::new(Barrier::new(2));
    let (count, peak) = (now.clone(), most.clone());
    let server = serve(move |_, _| {
        let (count, peak, pair) = (count.clone(), peak.clone(), pair.clone());
        async move {
            peak.fetch_max(count.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Nobody leaves alone: two must be here together.
            pair.wait().await;
            count.fetch_sub(1, Ordering::SeqCst);
            json("[]")
        }
    })
    .await;
    let http = open(&server.url, Limits { concurrency: 2, ..brisk() });
    futures_util::future::join_all((0..8).map(|_| async { http.get(&page()).await.unwrap() })).await;
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_dropped_request_leaves_the_client_usable() {
    let arrived = Arc::new(tokio::sync::Notify::new());
    let tell = arrived.clone();
    let server = serve(move |number, seen: Seen| {
        let tell = tell.clone();
        async move {
            match (number, seen.line.starts_with("POST")) {
                // The first login and the first page never answer.
                (0 | 2, _) => {
                    tell.notify_one();
                    std::future::pending().await
                }
                (_, true) => json(r#"{"token":"t"}"#),
                _ => json("[]"),
            }
        }
    })
    .await;
    let limits = Limits { concurrency: 1, ..brisk() };
    let http = Http::new("ham", door(&server.url), limits, Gate::default()).unwrap();
    for _ in 0..2 {
        let request = page();
        tokio::select! {
            _ = http.get(&request) => panic!("it never answers"),
            () = arrived.notified() => {}
        }
    }
    assert_eq!(http.get(&page()).await.unwrap(), "[]");
    let lines: BTreeSet<String> = server.lines().into_iter().collect();
    assert_eq!(lines.len(), 2);
}

#[test]
fn nothing_secret_shows() {
    let door = door("https://ham.example.test");
    let shown = format!("{door:?}");
    assert!(!shown.contains(PASSWORD) && !shown.contains(USER));
    let http = Http::new("ham", door, Limits::default(), Gate::default()).unwrap();
    assert_eq!(format!("{http:?}"), "Http { system: \"ham\", .. }");
}

#[test]
fn every_message_has_its_text() {
    let texts = include_str!("../../../locales/en/connect.ftl");
    let sources = [
        include_str!("../../connect.rs"),
        include_str!("../http.rs"),
        include_str!("guard.rs"),
        include_str!("judge.rs"),
        include_str!("login.rs"),
        include_str!("once.rs"),
        include_str!("../exness.rs"),
        include_str!("../payamgostar.rs"),
        include_str!("../payamgostar/save.rs"),
        include_str!("../siagh/form.rs"),
        include_str!("../xm.rs"),
    ];
    let used: BTreeSet<&str> = sources
        .iter()
        .flat_map(|source| source.split('"').filter(|text| text.starts_with("connect-")))
        .collect();
    let written: BTreeSet<&str> = texts
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, _)| key)
        .filter(|key| key.starts_with("connect-"))
        // Part of other messages.
        .filter(|key| !texts.contains(&format!("{{ {key} }}")))
        .collect();
    assert_eq!(used, written);
    fluent_bundle::FluentResource::try_new(texts.to_owned()).map_err(|(_, errors)| errors).unwrap();
}
