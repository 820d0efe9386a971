//! How much may be asked of one upstream account: so many requests at once, so many a second, and
//! none before the time it named.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::Limits;

/// What of a budget outlives the process. The engine keeps it in its database and brings it back.
/// Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    not_before: Option<SystemTime>,
    refused_logins: u32,
    refused_at: Option<SystemTime>,
}

impl Gate {
    /// A gate as it was kept.
    pub fn new(not_before: Option<SystemTime>, refused_logins: u32) -> Gate {
        Gate(Arc::new(Mutex::new(State { not_before, refused_logins, refused_at: None })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time before which nothing is asked, if the system named one.
    pub fn not_before(&self) -> Option<SystemTime> {
        self.state().not_before
    }

    /// Sets or clears that time.
    pub fn set_not_before(&self, at: Option<SystemTime>) {
        self.state().not_before = at;
    }

    /// Asks nothing before `at`; an earlier time than the one set changes nothing.
    pub fn hold_until(&self, at: SystemTime) {
        let mut state = self.state();
        state.not_before = state.not_before.max(Some(at));
    }

    /// How many logins in a row were refused. A renewal after a 401 is not a refusal.
    pub fn refused_logins(&self) -> u32 {
        self.state().refused_logins
    }

    /// When the last login was refused, if one was since the start.
    pub fn refused_at(&self) -> Option<SystemTime> {
        self.state().refused_at
    }

    /// Sets the count, for instance to 0 when a person has changed the password.
    pub fn set_refused_logins(&self, count: u32) {
        self.state().refused_logins = count;
    }

    pub(super) fn refused(&self) {
        let mut state = self.state();
        state.refused_logins = state.refused_logins.saturating_add(1);
        state.refused_at = Some(SystemTime::now());
    }

    pub(super) fn accepted(&self) {
        let mut state = self.state();
        (state.refused_logins, state.refused_at) = (0, None);
    }

    /// Waits until the named time. A clock that jumps cannot make it longer than `longest`.
    async fn pass(&self, longest: Duration) {
        while let Some(at) = self.not_before() {
            let wait = at.duration_since(SystemTime::now()).unwrap_or_default().min(longest);
            tokio::time::sleep(wait).await;
            let mut state = self.state();
            if state.not_before == Some(at) {
                state.not_before = None;
            }
        }
    }
}

/// The budget of one account.
#[derive(Debug)]
pub(super) struct Budget {
    at_once: Semaphore,
    gap: Duration,
    next: Mutex<Option<Instant>>,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Budget {
        let gap = limits.rate.filter(|rate| rate.is_finite() && *rate > 0.0).map(|rate| 1.0 / rate);
        Budget {
            at_once: Semaphore::new(limits.concurrency.clamp(1, 1024)),
            gap: gap.and_then(|gap| Duration::try_from_secs_f64(gap).ok()).unwrap_or_default(),
            next: Mutex::new(None),
        }
    }

    /// Waits for leave to send one request; holds its place until dropped.
    pub(super) async fn enter(&self, gate: &Gate, longest: Duration) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed; should it be, one request too many beats none at all.
        let permit = self.at_once.acquire().await.ok();
        gate.pass(longest).await;
        if let Some(turn) = self.turn() {
            tokio::time::sleep_until(turn).await;
            gate.pass(longest).await;
        }
        permit
    }

    /// The moment of the next free turn, taken.
    fn turn(&self) -> Option<Instant> {
        if self.gap.is_zero() {
            return None;
        }
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let turn = next.map_or(now, |at| at.max(now));
        *next = turn.checked_add(self.gap);
        Some(turn)
    }
}

/// The wait before attempt `attempt + 1`: somewhere between nothing and a bound that doubles, so
/// that clients which failed together do not come back together.
pub(super) fn backoff(attempt: u32, limits: &Limits) -> Duration {
    let doubled = limits.backoff.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
    doubled.min(limits.backoff_max).mul_f64(fastrand::f64())
}

/// The wait a `Retry-After` asks for: seconds, or an HTTP date taken against the answer's own
/// `Date`, so that our clock does not matter.
pub(super) fn retry_after(value: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let parser = jiff::fmt::rfc2822::DateTimeParser::new();
    let until = SystemTime::from(parser.parse_timestamp(value).ok()?);
    let now = date.and_then(|date| parser.parse_timestamp(date).ok()).map_or(now, SystemTime::from);
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn retry_after_in_both_forms() {
        let date = Some("Wed, 21 Oct 2026 07:28:00 GMT");
        let now = SystemTime::UNIX_EPOCH;
        for (value, seconds) in [
            ("120", Some(120)),
            ("0", Some(0)),
            ("Wed, 21 Oct 2026 07:30:00 GMT", Some(120)),
            ("Wed, 21 Oct 2026 07:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(retry_after(value, date, now), seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn backoff_doubles_to_its_bound() {
        let limits = Limits {
            backoff: Duration::from_millis(500),
            backoff_max: Duration::from_secs(30),
            ..Limits::default()
        };
        for (attempt, bound) in [(1, 500), (2, 1000), (3, 2000), (9, 30_000), (u32::MAX, 30_000)] {
            assert!((0..50).all(|_| backoff(attempt, &limits) <= Duration::from_millis(bound)));
        }
    }

    #[test]
    fn turns_are_a_gap_apart() {
        let budget = Budget::new(&Limits { rate: Some(10.0), ..Limits::default() });
        let (first, second) = (budget.turn().unwrap(), budget.turn().unwrap());
        assert_eq!(second - first, Duration::from_millis(100));
        assert!(Budget::new(&Limits::default()).turn().is_none());
    }

    #[test]
    fn a_gate_is_only_pushed_back() {
        let gate = Gate::default();
        let (near, far) =
            (SystemTime::now() + Duration::from_secs(1), SystemTime::now() + Duration::from_secs(2));
        gate.hold_until(far);
        gate.hold_until(near);
        assert_eq!(gate.not_before(), Some(far));
    }

    proptest! {
        #[test]
        fn no_retry_after_panics(value in ".{0,40}", date in proptest::option::of(".{0,40}")) {
            let _ = retry_after(&value, date.as_deref(), SystemTime::now());
        }
    }
}
