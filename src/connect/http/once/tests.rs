//! What becomes of a write, against servers that misbehave in one way each.

use std::time::{Duration, SystemTime};

use axum::http::{StatusCode, header as names};
use axum::response::{IntoResponse, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::tests::{Seen, brisk, json, serve, status};
use super::super::{Auth, Door, Gate, Limits, Login, Manner};
use super::*;

const NAME: &str = "نمونه کانارین";

fn sending() -> Sending<'static> {
    let hidden = vec![NAME, "نمونه", "canary@example.test"];
    Sending { path: "/save", body: format!(r#"{{"name":"{NAME}"}}"#), hidden }
}

fn parse(text: &str) -> Said {
    match text {
        "\"done\"" => Said::Done { key: "1".to_owned(), facts: vec![("net", "5".to_owned())] },
        "\"no\"" => Said::Refused(format!("{NAME} is there")),
        "\"crash\"" => Said::Broke("RUNTIME ERROR".to_owned()),
        _ => Said::Unknown,
    }
}

fn open(url: &str) -> Http {
    let door = Door { base_url: url.to_owned(), auth: Auth::None, ..Door::default() };
    Http::new("crm", door, brisk(), Gate::default()).unwrap()
}

/// The kind of an outcome, its message and what it was told to wait, after looking for people in it.
fn told(outcome: &Outcome) -> (&'static str, &str, Option<u64>) {
    let shown = format!("{outcome:?}");
    for secret in [NAME, "نمونه", "canary", "hunter2", "t0ken"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    match outcome {
        Outcome::Confirmed { key, .. } => ("confirmed", key, None),
        Outcome::Rejected(message) => ("rejected", &message.id, None),
        Outcome::Later(message, wait) => ("later", &message.id, wait.map(|wait| wait.as_secs())),
        Outcome::Uncertain(message) => ("uncertain", &message.id, None),
        Outcome::Login(message) => ("login", &message.id, None),
    }
}

type Answering = fn() -> Response;

/// What [`told`] gives.
type Told = (&'static str, &'static str, Option<u64>);

fn later(code: u16) -> Response {
    (StatusCode::from_u16(code).unwrap(), [("retry-after", "7")], "<p>later").into_response()
}

#[tokio::test]
async fn every_answer_is_one_outcome_and_one_request() {
    let html = || ([(names::CONTENT_TYPE, "text/html")], "<p>canary").into_response();
    let cases: [(&str, Answering, Told); 25] = [
        ("done", || json("\"done\""), ("confirmed", "1", None)),
        ("refused", || json("\"no\""), ("rejected", "connect-write-refused", None)),
        ("crashed", || json("\"crash\""), ("uncertain", "connect-write-broke", None)),
        ("not understood", || json("{}"), ("uncertain", "connect-write-unread", None)),
        ("cut", || json("\"don"), ("uncertain", "connect-write-unread", None)),
        ("empty", || json(""), ("uncertain", "connect-write-unread", None)),
        ("page", html, ("uncertain", "connect-write-unread", None)),
        ("mark", || json("\u{feff}\"done\""), ("uncertain", "connect-write-unread", None)),
        ("201", || status(201, "\"done\""), ("confirmed", "1", None)),
        ("302", || status(302, ""), ("uncertain", "connect-write-broke", None)),
        ("400", || status(400, r#"{"message":"bad نمونه"}"#), ("rejected", "connect-write-refused", None)),
        ("402", || status(402, "{}"), ("rejected", "connect-write-refused", None)),
        ("403", || status(403, "{}"), ("rejected", "connect-write-refused", None)),
        ("403 page", || status(403, "<html>"), ("uncertain", "connect-write-unread", None)),
        ("404", || status(404, "{}"), ("rejected", "connect-write-refused", None)),
        ("408", || status(408, "{}"), ("uncertain", "connect-write-broke", None)),
        ("409", || status(409, "{}"), ("rejected", "connect-write-refused", None)),
        ("422", || status(422, "{}"), ("rejected", "connect-write-refused", None)),
        ("429", || status(429, "{}"), ("later", "connect-write-later", None)),
        ("429 and when", || later(429), ("later", "connect-write-later", Some(7))),
        ("500", || status(500, "{}"), ("uncertain", "connect-write-broke", None)),
        ("502", || status(502, "<html>"), ("uncertain", "connect-write-broke", None)),
        ("503", || status(503, ""), ("uncertain", "connect-write-broke", None)),
        ("503 and when", || later(503), ("later", "connect-write-later", Some(7))),
        ("401", || status(401, "{}"), ("login", "connect-token-refused", None)),
    ];
    for (name, answer, expected) in cases {
        let server = serve(move |_, _| async move { answer() }).await;
        let outcome = open(&server.url).write_once(sending(), parse).await;
        assert_eq!(told(&outcome), expected, "{name}");
        assert_eq!(server.lines(), ["POST /save"], "{name}");
        assert_eq!(server.bodies(), [sending().body], "{name}");
    }
}

#[tokio::test]
async fn the_words_of_a_refusal_are_kept_and_the_people_are_not() {
    for (body, reason) in [
        (r#"{"message":"customerNumber is taken."}"#, ": customerNumber is taken"),
        (r#"{"message":"نمونه كانارين (canary@example.test) هست"}"#, ": … (…) هست"),
        (r#"{"message":"call 09120000001"}"#, ": call …"),
        ("{}", ""),
    ] {
        let server = serve(move |_, _| async move { status(409, body) }).await;
        let outcome = open(&server.url).write_once(sending(), parse).await;
        told(&outcome);
        let Outcome::Rejected(message) = outcome else { panic!("{outcome:?}") };
        assert_eq!(message.args["reason"], reason);
    }
}

/// A server that reads what comes, answers with these bytes and closes.
async fn closing(answer: &'static [u8]) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        }
    });
    url
}

#[tokio::test]
async fn what_breaks_after_the_connection_stood_is_uncertain() {
    for answer in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n\"done\"", b"nonsense"] {
        let outcome = open(&closing(answer).await).write_once(sending(), parse).await;
        assert_eq!(told(&outcome), ("uncertain", "connect-write-unanswered", None), "{answer:?}");
    }
    let server = serve(async |_, _| std::future::pending().await).await;
    let limits = Limits { timeout: Duration::from_millis(50), ..brisk() };
    let door = Door { base_url: server.url.clone(), auth: Auth::None, ..Door::default() };
    let http = Http::new("crm", door, limits, Gate::default()).unwrap();
    let outcome = http.write_once(sending(), parse).await;
    assert_eq!(told(&outcome), ("uncertain", "connect-write-unanswered", None));
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn what_never_left_is_for_later() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let no_name = "http://no-such-host.invalid".to_owned();
    for url in [format!("http://{gone}"), no_name, format!("https://{gone}")] {
        let outcome = open(&url).write_once(sending(), parse).await;
        assert_eq!(told(&outcome), ("later", "connect-unreachable", None), "{url}");
    }
    let server = serve(async |_, _| json("\"done\"")).await;
    let door = Door { base_url: server.url.replace("127.0.0.1", "localhost"), ..Door::default() };
    let http =
        Http::new("crm", door, Limits { allow_networks: Vec::new(), ..brisk() }, Gate::default()).unwrap();
    let outcome = http.write_once(sending(), parse).await;
    assert_eq!(told(&outcome), ("later", "connect-address-refused", None));
    assert!(server.lines().is_empty());
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_makes_nothing_uncertain() {
    // Each connection answers once, promises to stay, and closes.
    let url = closing(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n\"done\"").await;
    let http = open(&url);
    for _ in 0..5 {
        let outcome = http.write_once(sending(), parse).await;
        assert_eq!(told(&outcome).0, "confirmed");
    }
}

fn door(url: &str) -> Door {
    const LOCKED: (u16, &str, Duration) = (403, "connect-login-locked", Duration::from_secs(900));
    let manner = Manner { refusals: &[LOCKED], ..Manner::default() };
    let login = Login {
        path: "/login".into(),
        user_field: "user",
        user: "user".to_owned().into(),
        password_field: "password",
        password: "hunter2".to_owned().into(),
        token_field: "token",
        header_prefix: "",
        manner,
    };
    Door { base_url: url.to_owned(), auth: Auth::Login(Box::new(login)), ..Door::default() }
}

#[tokio::test]
async fn a_401_is_no_write_and_is_sent_once_more_after_a_login() {
    for (good, expected, lines) in [
        ("t0ken2", ("confirmed", "1", None), 4),
        ("none", ("login", "connect-token-refused", None), 4),
        ("t0ken0", ("confirmed", "1", None), 2),
    ] {
        let server = serve(move |number, seen: Seen| async move {
            match seen.line.as_str() {
                "POST /login" => json(&format!("{{\"token\":\"t0ken{number}\"}}")),
                _ if seen.token == good => json("\"done\""),
                _ => status(401, "{}"),
            }
        })
        .await;
        let http = Http::new("crm", door(&server.url), brisk(), Gate::default()).unwrap();
        let outcome = http.write_once(sending(), parse).await;
        assert_eq!(told(&outcome), expected, "{good}");
        assert_eq!(server.lines().len(), lines, "{good}");
    }
}

#[tokio::test]
async fn without_a_sign_in_nothing_is_sent() {
    let cases: [(Answering, Told); 4] = [
        (|| status(401, "{}"), ("login", "connect-login-refused", None)),
        (|| status(403, "{}"), ("login", "connect-login-locked", None)),
        (|| status(500, "{}"), ("later", "connect-server-error", None)),
        (|| json("{}"), ("login", "connect-login-without-token", None)),
    ];
    for (answer, expected) in cases {
        let server = serve(move |_, _| async move { answer() }).await;
        let http = Http::new("crm", door(&server.url), brisk(), Gate::default()).unwrap();
        let outcome = http.write_once(sending(), parse).await;
        assert_eq!(told(&outcome), expected);
        assert_eq!(server.lines(), ["POST /login"]);
        if expected.1 == "connect-login-locked" {
            let limits = Limits { login_rest: Duration::ZERO, ..brisk() };
            let http = Http::new("crm", door(&server.url), limits, Gate::default()).unwrap();
            for _ in 0..3 {
                assert_eq!(told(&http.write_once(sending(), parse).await), expected);
            }
            assert_eq!(server.lines().len(), 2, "a locked account is left alone");
        }
    }
}

#[tokio::test]
async fn what_a_system_asks_to_wait_holds_for_the_next_request() {
    let server = serve(async |number, _| match number {
        0 => (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "9")], "").into_response(),
        _ => json("\"done\""),
    })
    .await;
    let gate = Gate::default();
    let door = Door { base_url: server.url.clone(), auth: Auth::None, ..Door::default() };
    let http = Http::new("crm", door, brisk(), gate.clone()).unwrap();
    assert_eq!(told(&http.write_once(sending(), parse).await), ("later", "connect-write-later", Some(9)));
    let until = gate.not_before().unwrap();
    assert_eq!(told(&http.write_once(sending(), parse).await).0, "confirmed");
    assert!(SystemTime::now() >= until);
}

#[test]
fn values_are_covered_however_they_are_written() {
    for (text, hidden, covered) in [
        ("علي آمد", &["علی"][..], "… آمد"),
        ("(علی)", &["علی"], "(…)"),
        ("علیرضا", &["علی"], "علیرضا"),
        ("Ann, ann; ANN.", &["ann"], "…, …; …."),
        ("mail a.b@example.test.", &["a.b@example.test"], "mail …."),
        ("in Some Street 5", &["some  street"], "in … 5"),
        ("nothing", &["", "x"], "nothing"),
        ("۱۲۳ و 123", &["123"], "… و …"),
    ] {
        assert_eq!(cover(text, hidden), covered, "{text}");
    }
}
