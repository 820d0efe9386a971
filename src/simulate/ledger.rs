//! What the systems were asked, as they saw it themselves.
//!
//! Neither headers nor bodies are kept, so that no password or token can be.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::faults::Action;

const KEPT: usize = 100_000;

/// One request as the system saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Milliseconds since the simulator started, when the request arrived.
    pub at_ms: u64,
    /// Name of the system that was asked.
    pub system: String,
    /// HTTP method.
    pub method: String,
    /// Whole path, with the system's base.
    pub path: String,
    /// Query as it was sent, without the values of secret-looking keys.
    pub query: String,
    /// Status that was answered; 0 when there was no answer.
    pub status: u16,
    /// Rows in the answer before a fault cut it.
    pub rows: u64,
    /// Fault that met the request.
    pub fault: Option<Action>,
}

impl Entry {
    /// Path and query as a person reads them, without percent signs.
    pub fn address(&self) -> String {
        readable(&format!("{}?{}", self.path, self.query)).trim_end_matches('?').to_owned()
    }
}

/// The last 100,000 requests of all systems.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<VecDeque<Entry>>);

impl Ledger {
    /// Adds a request and forgets the oldest when full.
    pub fn record(&self, entry: Entry) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= KEPT {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// The requests to one system in order; to all of them when `system` is empty or `*`.
    pub fn of(&self, system: &str) -> Vec<Entry> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = system.is_empty() || system == "*";
        entries.iter().filter(|entry| all || entry.system == system).cloned().collect()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Part of an address as a person reads it: Cyrillic names instead of percent signs.
pub(super) fn readable(text: &str) -> String {
    String::from_utf8_lossy(&unescaped(text)).into_owned()
}

/// The bytes that part of an address stands for.
pub(super) fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => bytes.push(*first),
        }
    }
    bytes
}

/// A query without the values of keys that name a secret.
pub(super) fn redacted(query: &str) -> String {
    let part = |part: &str| match part.split_once('=') {
        Some((key, _)) if secret(key) => format!("{key}=…"),
        _ => part.to_owned(),
    };
    query.split('&').map(part).collect::<Vec<_>>().join("&")
}

fn secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["token", "password", "secret", "key"].iter().any(|word| key.contains(word))
}
