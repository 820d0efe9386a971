//! How a system is, in one word, judged against its own schedule. Pure.

use jiff::Timestamp;

use crate::config::Schedule;
use crate::model::RunStatus;

/// How late a run may be before the system is called late, in microseconds.
const GRACE: i64 = 5 * 60 * 1_000_000;

/// How a system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Read on time, everything accounted for.
    Healthy,
    /// Being read, or about to be.
    Running,
    /// Should have been read by now.
    Late,
    /// Read, but not in agreement with the source.
    Incomplete,
    /// Waits for a person: a case, a failed run, or it was never read and has no schedule.
    NeedsYou,
    /// Stopped until somebody says otherwise.
    Paused,
}

impl Health {
    /// The word of the catalogue and of the API.
    pub fn word(self) -> &'static str {
        match self {
            Health::Healthy => "healthy",
            Health::Running => "running",
            Health::Late => "late",
            Health::Incomplete => "incomplete",
            Health::NeedsYou => "needs_you",
            Health::Paused => "paused",
        }
    }
}

/// What it is judged by. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone, Default)]
pub struct Facts<'a> {
    /// Whether it is paused.
    pub paused: bool,
    /// Whether a run is queued or running.
    pub active: bool,
    /// How the last run ended that is over.
    pub last: Option<RunStatus>,
    /// When a run last came to its end (succeeded or incomplete).
    pub last_read: Option<i64>,
    /// When it should be read.
    pub schedule: Option<&'a Schedule>,
    /// Cases that are open.
    pub open_cases: i64,
}

/// Judges a system. What needs a person comes before what only takes time.
pub fn judge(facts: &Facts<'_>, now: i64) -> Health {
    if facts.paused {
        return Health::Paused;
    }
    if facts.open_cases > 0 {
        return Health::NeedsYou;
    }
    if facts.active {
        return Health::Running;
    }
    match facts.last {
        Some(RunStatus::Failed) => return Health::NeedsYou,
        Some(RunStatus::Incomplete) => return Health::Incomplete,
        _ => {}
    }
    match (facts.last_read, facts.schedule) {
        (None, None) => Health::NeedsYou,
        (None, Some(_)) => Health::Late,
        (Some(read), Some(schedule)) if is_late(read, schedule, now) => Health::Late,
        (Some(_), _) => Health::Healthy,
    }
}

fn is_late(read: i64, schedule: &Schedule, now: i64) -> bool {
    let due = Timestamp::from_microsecond(read).ok().and_then(|read| schedule.next(read));
    due.is_some_and(|due| due.as_microsecond() + GRACE < now)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HOUR: i64 = 3_600_000_000;

    #[test]
    fn a_person_is_called_first_then_comes_what_takes_time() {
        let schedule = Schedule::Every(Duration::from_secs(3600));
        let good = Facts {
            last: Some(RunStatus::Succeeded),
            last_read: Some(10 * HOUR),
            schedule: Some(&schedule),
            ..Facts::default()
        };
        let now = 10 * HOUR + HOUR / 2;
        for (facts, at, health) in [
            (good.clone(), now, Health::Healthy),
            (good.clone(), 11 * HOUR + GRACE, Health::Healthy),
            (good.clone(), 11 * HOUR + GRACE + 1, Health::Late),
            (Facts { schedule: None, ..good.clone() }, 99 * HOUR, Health::Healthy),
            (Facts { last: Some(RunStatus::Cancelled), ..good.clone() }, 99 * HOUR, Health::Late),
            (Facts { last: Some(RunStatus::Incomplete), ..good.clone() }, now, Health::Incomplete),
            (Facts { last: Some(RunStatus::Failed), ..good.clone() }, now, Health::NeedsYou),
            (Facts { active: true, last: Some(RunStatus::Failed), ..good.clone() }, now, Health::Running),
            (Facts { active: true, open_cases: 1, ..good.clone() }, now, Health::NeedsYou),
            (Facts { paused: true, open_cases: 1, ..good }, now, Health::Paused),
            (Facts::default(), now, Health::NeedsYou),
            (Facts { schedule: Some(&schedule), ..Facts::default() }, now, Health::Late),
        ] {
            assert_eq!(judge(&facts, at), health, "{facts:?}");
        }
    }
}
