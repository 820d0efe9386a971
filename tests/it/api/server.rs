//! The server on a loopback port, and a client of a few lines: what is sent is what is tested.

use std::net::SocketAddr;
use std::time::Duration;

use concord::app::App;
use concord::config::Config;
use concord::store::user;
use concord::web::access::hash;
use concord::web::{Web, router};
use concord::work::Engine;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::World;

/// The server with somebody of each role.
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: tokio::task::JoinSet<()>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{} {}", self.head, String::from_utf8_lossy(&self.body)))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }

    /// The problem it tells of, checked for its form.
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem["type"].is_string());
        assert_ne!(problem["title"], problem["type"], "the problem has no words");
        problem
    }
}

impl Server {
    /// Serves the world's database, with an engine that works on what is asked for.
    pub async fn start(world: &World) -> Server {
        // What breaks is logged, and shown with the test that fails.
        let _ = tracing_subscriber::fmt().with_max_level(tracing::Level::ERROR).with_test_writer().try_init();
        let text = std::fs::read_to_string(world.config()).unwrap();
        let config = Config::parse(&text, "concord.toml", &|_| None).unwrap();
        let app = App::new(config, world.store.clone()).await.unwrap();
        for role in ["viewer", "operator", "admin"] {
            let mut tx = world.store.begin().await.unwrap();
            user::add_token(&mut tx, &hash(role), role, role, 0, None).await.unwrap();
            tx.commit().await.unwrap();
        }
        let engine = Engine::start(&app).await.unwrap().expect("no other engine");
        let (stop, stopping) = watch::channel(false);
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(engine.clone().deliver(stopping.clone()));
        let working = engine.clone().work(stopping.clone(), false);
        tasks.spawn(async move { working.await.unwrap() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = router(Web { app, engine: Some(engine) });
        let mut asked = stopping.clone();
        let serving = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
            .with_graceful_shutdown(async move {
                let _ = asked.wait_for(|stop| *stop).await;
            });
        tasks.spawn(async move { serving.await.unwrap() });
        Server { address, stop, tasks }
    }

    pub async fn end(mut self) {
        let _ = self.stop.send(true);
        while let Some(task) = self.tasks.join_next().await {
            task.unwrap();
        }
    }

    /// A call with the role's token; no token for `nobody`.
    pub async fn call(&self, role: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.send(role, method, path, &[], body).await
    }

    /// The document at an address, as somebody who may look.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.call("viewer", "GET", path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    pub async fn send(
        &self,
        role: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let body = body.map(Value::to_string).unwrap_or_default();
        self.post(role, method, path, headers, ("application/json", &body)).await
    }

    /// A form sent from a page, as somebody of this role.
    pub async fn form(&self, role: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let kind = "application/x-www-form-urlencoded";
        self.post(role, "POST", path, &[], (kind, &pairs.join("&"))).await
    }

    /// The text of a page that must be there.
    pub async fn page(&self, role: &str, path: &str) -> String {
        let answer = self.call(role, "GET", path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        String::from_utf8(answer.body).unwrap()
    }

    async fn post(
        &self,
        role: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        (kind, body): (&str, &str),
    ) -> Answer {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n",
            self.address,
            body.len()
        );
        if role != "nobody" {
            request += &format!("authorization: Bearer {role}\r\n");
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(format!("{request}\r\n{body}").as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut bytes));
        read.await.unwrap_or_else(|_| panic!("{method} {path} does not end")).unwrap();
        answer(&bytes)
    }
}

fn answer(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Answer { status, head, body: bytes[end + 4..].to_vec() };
    if answer.header("transfer-encoding") == Some("chunked") {
        answer.body = unchunked(&answer.body);
    }
    answer
}

/// The body behind chunks; the last of them must be there.
fn unchunked(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n").expect("the body broke off");
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&rest[line + 2..line + 2 + size]);
        rest = &rest[line + 2 + size + 2..];
    }
}

/// Text for a query string.
pub fn escaped(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}
