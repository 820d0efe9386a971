//! Webhooks: a hint at what changed, sent once, unsigned, perhaps late, twice, out of order or never.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::super::afterwards::{Afterwards, Piece};
use super::super::mutations::Kind;
use super::fields::Sort;

/// How long hints wait for others to change places with.
const TOGETHER: Duration = Duration::from_millis(50);
/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the CRM sends its webhooks, and how badly.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhooks {
    /// What stands before `/identity`, `/quote` and `/invoice`: `http://127.0.0.1:8080/webhook/crm/TOKEN`.
    #[serde(rename = "url")]
    pub base: String,
    /// Every so many-th is never sent (1: none is); in JSON also `true` for all.
    #[serde(default, deserialize_with = "every")]
    pub drop: Option<u64>,
    /// Each is sent twice.
    #[serde(default)]
    pub double: bool,
    /// How long after the change it is sent.
    #[serde(default)]
    pub delay_ms: u64,
    /// Those of about the same time come in the opposite order.
    #[serde(default)]
    pub reorder: bool,
    /// The event is a number: 2 insert, 1 update, 0 delete.
    #[serde(default)]
    pub numbers: bool,
}

/// A webhook that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentWebhook {
    /// What followed the configured address, `/identity?event=…`.
    pub address: String,
    /// What was answered; 0 when nothing was.
    pub status: u16,
}

/// The webhooks of the CRM.
#[derive(Debug)]
pub(in super::super) struct Outbox {
    settings: Mutex<Option<Webhooks>>,
    due: mpsc::UnboundedSender<Due>,
    sent: Mutex<Vec<SentWebhook>>,
    count: Mutex<u64>,
    waiting: Afterwards,
}

/// A webhook on its way.
#[derive(Debug)]
pub(in super::super) struct Due {
    at: Instant,
    host: String,
    path: String,
    address: String,
    reorder: bool,
    _waiting: Piece,
}

impl Webhooks {
    /// Sends everything as it should be.
    pub fn to(base: &str) -> Self {
        Self { base: base.to_owned(), drop: None, double: false, delay_ms: 0, reorder: false, numbers: false }
    }

    /// Host with port, and path; `None` when the address is none of this machine's plain ones.
    pub(in super::super) fn parts(&self) -> Option<(String, String)> {
        let rest = self.base.strip_prefix("http://")?;
        let (host, path) =
            rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, format!("/{path}")));
        host.contains(':').then(|| (host.to_owned(), path.trim_end_matches('/').to_owned()))
    }
}

impl Outbox {
    /// An outbox, and what [`Outbox::deliver`] takes from.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Due>) {
        let (due, receiver) = mpsc::unbounded_channel();
        let outbox = Self {
            settings: Mutex::default(),
            due,
            sent: Mutex::default(),
            count: Mutex::default(),
            waiting: Afterwards::default(),
        };
        (outbox, receiver)
    }

    /// Says where webhooks go from now on; `None` switches them off. Counting starts anew.
    pub fn set(&self, settings: Option<Webhooks>) {
        *lock(&self.count) = 0;
        *lock(&self.settings) = settings;
    }

    /// Hints at a change.
    pub(super) fn hint(&self, sort: Sort, kind: Kind, id: &str, subtype: &str) {
        let settings = lock(&self.settings).clone();
        let Some((settings, (host, path))) = settings.and_then(|own| own.parts().map(|parts| (own, parts)))
        else {
            return;
        };
        let event = match (kind, settings.numbers) {
            (Kind::Create | Kind::Document, false) => "Insert",
            (Kind::Update, false) => "Update",
            (Kind::Delete, false) => "Delete",
            (Kind::Create | Kind::Document, true) => "2",
            (Kind::Update, true) => "1",
            (Kind::Delete, true) => "0",
        };
        let (place, word) = match sort {
            Sort::Person | Sort::Organization => ("identity", "Identity"),
            Sort::Quote => ("quote", "Quote"),
            Sort::Invoice => ("invoice", "Invoice"),
        };
        let subtype = escaped(&sort.display(subtype));
        let address = format!("/{place}?event={event}&id={id}&type={word}&subtype={subtype}");
        let count = {
            let mut count = lock(&self.count);
            *count += 1;
            *count
        };
        if settings.drop.is_some_and(|every| count.is_multiple_of(every.max(1))) {
            return;
        }
        for _ in 0..if settings.double { 2 } else { 1 } {
            // Nobody takes them any more once the simulator has stopped.
            let _ = self.due.send(Due {
                at: Instant::now() + Duration::from_millis(settings.delay_ms),
                host: host.clone(),
                path: path.clone(),
                address: address.clone(),
                reorder: settings.reorder,
                _waiting: self.waiting.piece(),
            });
        }
    }

    /// Sends what is due until the simulator stops; what is left then is never sent.
    pub async fn deliver(
        &self,
        mut receiver: mpsc::UnboundedReceiver<Due>,
        mut stopping: watch::Receiver<bool>,
    ) {
        let sending = async {
            while let Some(first) = receiver.recv().await {
                let mut together = vec![first];
                while together.iter().all(|due| due.reorder)
                    && let Ok(Some(next)) = timeout(TOGETHER, receiver.recv()).await
                {
                    together.push(next);
                }
                if together.iter().all(|due| due.reorder) {
                    together.reverse();
                }
                for due in together {
                    sleep_until(due.at).await;
                    let status = timeout(PATIENCE, due.send()).await.ok().and_then(Result::ok).unwrap_or(0);
                    lock(&self.sent).push(SentWebhook { address: due.address.clone(), status });
                }
            }
        };
        tokio::select! {
            () = sending => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
    }

    /// Waits until everything has been sent.
    pub async fn settled(&self) {
        self.waiting.settled().await;
    }

    /// What was sent, in order.
    pub fn sent(&self) -> Vec<SentWebhook> {
        lock(&self.sent).clone()
    }
}

impl Due {
    /// Asks by plain HTTP and gives the status of the answer.
    async fn send(&self) -> std::io::Result<u16> {
        let mut stream = TcpStream::connect(&self.host).await?;
        let request = format!(
            "GET {}{} HTTP/1.1\r\nHost: {}\r\nUser-Agent: PayamGostar-Webhook\r\nConnection: close\r\n\r\n",
            self.path, self.address, self.host
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        // Only what stands in the first line matters, but the answer is read to its end.
        stream.take(65_536).read_to_end(&mut answer).await?;
        let status = answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
        Ok(status.and_then(|digits| digits.parse().ok()).unwrap_or(0))
    }
}

/// Text as a query has it: a plus for a space, percent signs for what is not plain.
fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// `true` is every one, `false` none, a number every so many-th.
fn every<'de, D: Deserializer<'de>>(source: D) -> Result<Option<u64>, D::Error> {
    match Value::deserialize(source)? {
        Value::Null | Value::Bool(false) => Ok(None),
        Value::Bool(true) => Ok(Some(1)),
        value => value
            .as_u64()
            .filter(|every| *every > 0)
            .map(Some)
            .ok_or_else(|| serde::de::Error::custom("drop is true, false, or a number from 1")),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
