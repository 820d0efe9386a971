//! Which requests go wrong, and how: the list of faults and their counting.
//!
//! What a fault does to a request is done in `gate`; what it does to the rows of a page, by the
//! system's own pages through [`Twist`].

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A planned failure of one system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Name of the system, or `*` for every one.
    #[serde(default = "every")]
    pub system: String,
    /// Part of the path and query of the requests it meets, as they are sent or as they are read
    /// (`Catalog_Контрагенты`); empty for all.
    #[serde(default)]
    pub path: String,
    /// Which of those requests is the first to fail, counted from 1.
    #[serde(default = "one")]
    pub nth: u64,
    /// How many of them fail from there on; 0 is for ever.
    #[serde(default = "one")]
    pub times: u64,
    /// What happens.
    #[serde(rename = "do")]
    pub action: Action,
    /// Detail of what happens, see [`Action`].
    #[serde(default)]
    pub value: Value,
}

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Answers a status (500) without processing; the value is a code or
    /// `{"code","retry_after","body"}`, a body that is text is sent as it is.
    Status,
    /// Processes, then answers a status as if it had not; the value is that of `status`.
    StatusAfter,
    /// Answers 200 with an HTML page without processing.
    Html,
    /// Processes, then answers 200 with an HTML page.
    HtmlAfter,
    /// Cuts the body in half and announces the length of what is left.
    Truncate,
    /// Closes the connection without processing.
    DropBefore,
    /// Processes, then closes the connection without an answer; with the value `"half"` after
    /// half of the body.
    DropAfter,
    /// Closes the connection without an answer and processes so many milliseconds (1,000) later,
    /// whoever is gone by then; with `{"after","close"}` the connection is kept open for `close`
    /// milliseconds first. [`crate::simulate::Simulator::settled`] waits for it.
    LandLate,
    /// Processes, then answers after so many milliseconds (1,000).
    Late,
    /// Sends 16 bytes of the body per so many milliseconds (100), for two minutes at most.
    Slow,
    /// Answers an empty list with no totals, unprocessed; with `"body"` an empty body; with
    /// `"page"` an empty list beside the true totals.
    Empty,
    /// Puts rows of the page before at the start of this one, whose size stays.
    Duplicate,
    /// Takes the rows of this page from a rotated order.
    Reorder,
    /// Takes away all tokens, so that this request and those after it need a new login.
    Expire,
    /// Never answers (for two minutes), then closes the connection.
    Hang,
    /// Leaves out a row from the middle of the page while the totals still count it.
    ForgetTotal,
}

/// What a fault wants from the system itself; travels with the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Twist {
    /// Rows of the page before come again.
    Duplicate,
    /// Rows come from a rotated order.
    Reorder,
    /// One row is left out.
    ForgetTotal,
    /// No rows, but true totals.
    EmptyPage,
    /// The request's token has just been taken away.
    Expired,
}

/// A fault with what is left of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pending {
    /// The fault as it was given.
    #[serde(flatten)]
    pub fault: Fault,
    /// Requests it was held against so far.
    pub seen: u64,
    /// Requests it will still fail; null is for ever.
    pub left: Option<u64>,
}

/// The faults of all systems in the order they were given.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Vec<(Fault, u64)>>);

impl Fault {
    /// A fault that meets the first request of a system whose path and query contain `path`.
    pub fn new(system: &str, path: &str, action: Action) -> Self {
        Self {
            system: system.to_owned(),
            path: path.to_owned(),
            nth: 1,
            times: 1,
            action,
            value: Value::Null,
        }
    }

    /// Starts at the `nth` request instead, counted from 1.
    #[must_use]
    pub fn nth(self, nth: u64) -> Self {
        Self { nth, ..self }
    }

    /// Fails so many requests instead of one; 0 is for ever.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times, ..self }
    }

    /// Sets the detail of what happens.
    #[must_use]
    pub fn value(self, value: impl Into<Value>) -> Self {
        Self { value: value.into(), ..self }
    }

    fn meets(&self, system: &str, addresses: [&str; 2]) -> bool {
        let here = self.system == "*" || self.system == system;
        here && addresses.iter().any(|address| address.contains(&self.path))
    }

    fn first(&self) -> u64 {
        self.nth.max(1)
    }

    fn active(&self, seen: u64) -> bool {
        seen >= self.first() && (self.times == 0 || seen - self.first() < self.times)
    }

    fn left(&self, seen: u64) -> Option<u64> {
        let used = (seen + 1).saturating_sub(self.first());
        (self.times > 0).then(|| self.times.saturating_sub(used))
    }
}

impl Faults {
    /// Replaces all faults; counting starts anew.
    pub fn set(&self, faults: Vec<Fault>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            faults.into_iter().map(|fault| (fault, 0)).collect();
    }

    /// Counts a request, whose address is given as it was sent and as it is read, and gives the first
    /// fault that is due on it.
    pub fn meet(&self, system: &str, address: &str, read: &str) -> Option<Fault> {
        let mut due = None;
        for (fault, seen) in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            if fault.meets(system, [address, read]) {
                *seen += 1;
                if due.is_none() && fault.active(*seen) {
                    due = Some(fault.clone());
                }
            }
        }
        due
    }

    /// Every fault with what is left of it.
    pub fn pending(&self) -> Vec<Pending> {
        let faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = |(fault, seen): &(Fault, u64)| Pending {
            fault: fault.clone(),
            seen: *seen,
            left: fault.left(*seen),
        };
        faults.iter().map(pending).collect()
    }
}

fn every() -> String {
    "*".to_owned()
}

fn one() -> u64 {
    1
}
