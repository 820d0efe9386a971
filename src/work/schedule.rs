//! When a system is read again. Pure.

/// Refused logins in a row that pause a system.
pub const REFUSALS: i64 = 3;
/// How long a system rests after a refused login, in microseconds.
pub const REST_AFTER_REFUSAL: i64 = 60_000_000;

/// What to do about a system at a tick of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// Nothing yet.
    Wait,
    /// Ask for a run.
    Run,
    /// A run is due but the one before it is still under way: leave it out, and say so.
    Skip,
}

/// What to do at `now` about a system whose next run is due at `due`; one that was never read is due
/// at once.
pub fn tick(due: Option<i64>, paused: bool, busy: bool, now: i64) -> Tick {
    match due {
        _ if paused => Tick::Wait,
        Some(due) if due > now => Tick::Wait,
        _ if busy => Tick::Skip,
        _ => Tick::Run,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_asked_for_when_due_and_never_beside_another() {
        for (due, paused, busy, expected) in [
            (None, false, false, Tick::Run),
            (Some(10), false, false, Tick::Run),
            (Some(11), false, false, Tick::Wait),
            (Some(10), false, true, Tick::Skip),
            (Some(11), false, true, Tick::Wait),
            (None, true, false, Tick::Wait),
        ] {
            assert_eq!(tick(due, paused, busy, 10), expected, "{due:?} {paused} {busy}");
        }
    }
}
