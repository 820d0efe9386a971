//! Named places where a test can have the process killed, as a crash would, or frozen, as a machine that hangs
//! would. Not in release builds.

/// When `CONCORD_FAILPOINT` is `name` (its first occurrence) or `name:N` (its N-th): ends the process at once,
/// without any clean-up. With `CONCORD_FAILPOINT_DOES=stop` it is frozen there instead, until somebody sends it
/// a SIGCONT.
#[cfg(debug_assertions)]
pub fn failpoint(name: &str) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let Ok(wanted) = std::env::var("CONCORD_FAILPOINT") else { return };
    let (wanted, nth) = match wanted.rsplit_once(':') {
        Some((wanted, nth)) => (wanted.to_owned(), nth.parse().unwrap_or(1)),
        None => (wanted, 1),
    };
    if wanted != name || PASSED.fetch_add(1, Ordering::SeqCst) + 1 != nth {
        return;
    }
    if std::env::var("CONCORD_FAILPOINT_DOES").is_ok_and(|what| what == "stop") {
        // Its end is told to a process that hears of it only when it goes on.
        let own = std::process::id().to_string();
        let stopped = std::process::Command::new("kill").args(["-STOP", &own]).status();
        assert!(stopped.is_ok_and(|stopped| stopped.success()), "the process was not stopped");
        return;
    }
    std::process::abort();
}

/// Nothing, in release builds.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn failpoint(_name: &str) {}
