//! Named places where a test can have the process killed, as a crash would. Not in release builds.

/// Ends the process at once, without any clean-up, when `CONCORD_FAILPOINT` is `name` (its first
/// occurrence) or `name:N` (its N-th).
#[cfg(debug_assertions)]
pub fn failpoint(name: &str) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let Ok(wanted) = std::env::var("CONCORD_FAILPOINT") else { return };
    let (wanted, nth) = match wanted.rsplit_once(':') {
        Some((wanted, nth)) => (wanted.to_owned(), nth.parse().unwrap_or(1)),
        None => (wanted, 1),
    };
    if wanted == name && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == nth {
        std::process::abort();
    }
}

/// Nothing, in release builds.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn failpoint(_name: &str) {}
