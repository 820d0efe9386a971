//! When a system is read again, and when flows are held against both sides. Pure.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

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

/// When it was this time of day last, in a zone, as microseconds since 1970 UTC; `None` where that cannot be
/// told. Where the clocks are set forward over it, it is the moment after.
pub fn last_time_of_day(time: Time, zone: &TimeZone, now: i64) -> Option<i64> {
    let today = Timestamp::from_microsecond(now).ok()?.to_zoned(zone.clone()).date();
    [Some(today), today.yesterday().ok()].into_iter().flatten().find_map(|day| {
        let at = day.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp().as_microsecond();
        (at <= now).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_was_today_or_yesterday() {
        let micros = |text: &str| text.parse::<Timestamp>().unwrap().as_microsecond();
        let tehran = TimeZone::get("Asia/Tehran").unwrap();
        for (now, zone, last) in [
            ("2026-11-22T03:00:00Z", TimeZone::UTC, "2026-11-22T03:00:00Z"),
            ("2026-11-22T02:59:59Z", TimeZone::UTC, "2026-11-21T03:00:00Z"),
            ("2026-11-22T12:00:00Z", tehran.clone(), "2026-11-21T23:30:00Z"),
            ("2026-11-22T23:29:00Z", tehran, "2026-11-21T23:30:00Z"),
        ] {
            assert_eq!(last_time_of_day(Time::constant(3, 0, 0, 0), &zone, micros(now)), Some(micros(last)));
        }
    }

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
