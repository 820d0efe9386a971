//! When a system is read by itself: at an interval, or at the times of a cron expression.

use std::fmt;
use std::time::Duration;

use croner::Cron;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::value::show_duration;

/// When something happens again and again.
#[derive(Clone)]
pub enum Schedule {
    /// So long after the last time.
    Every(Duration),
    /// At the times of a cron expression in this time zone.
    Cron(Box<Cron>, TimeZone),
}

impl Schedule {
    /// The first time after `after`; `None` when there is none any more.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match self {
            Schedule::Every(interval) => after.checked_add(*interval).ok(),
            Schedule::Cron(cron, zone) => {
                let after = after.to_zoned(zone.clone());
                cron.find_next_occurrence(&after, false).ok().map(|next| next.timestamp())
            }
        }
    }
}

/// As it is written in the configuration: `1h`, or `0 * * * *`.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Every(interval) => f.write_str(&show_duration(*interval)),
            Schedule::Cron(cron, _) => f.write_str(cron.as_str()),
        }
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Every(_) => write!(f, "every {self}"),
            Schedule::Cron(_, zone) => write!(f, "cron {self} {}", zone.iana_name().unwrap_or("UTC")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &Schedule, after: &str) -> String {
        schedule.next(after.parse().unwrap()).map_or_else(|| "never".to_owned(), |next| next.to_string())
    }

    #[test]
    fn intervals_start_at_the_last_time() {
        let hourly = Schedule::Every(Duration::from_secs(3600));
        assert_eq!(next(&hourly, "2026-11-01T10:20:30Z"), "2026-11-01T11:20:30Z");
        assert_eq!(hourly.to_string(), "1h");
    }

    #[test]
    fn cron_follows_the_zone_and_its_changes() {
        for (cron, zone, after, expected) in [
            ("0 * * * *", "UTC", "2026-11-01T10:20:30Z", "2026-11-01T11:00:00Z"),
            ("0 * * * *", "UTC", "2026-11-01T11:00:00Z", "2026-11-01T12:00:00Z"),
            ("30 2 * * *", "Asia/Tehran", "2026-11-01T00:00:00Z", "2026-11-01T23:00:00Z"),
            ("0 3 * * MON", "UTC", "2026-11-01T10:00:00Z", "2026-11-02T03:00:00Z"),
            // Clocks go back: 02:30 comes twice, the schedule fires once.
            ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
            ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
            ("0 0 30 2 *", "UTC", "2026-11-01T00:00:00Z", "never"),
        ] {
            let schedule = Schedule::Cron(Box::new(cron.parse().unwrap()), TimeZone::get(zone).unwrap());
            assert_eq!(next(&schedule, after), expected, "{cron} {zone}");
        }
    }
}
