//! What is worth waking somebody for: the state of a system or a flow in one word. Pure.

use super::health::{Facts, Health, judge};

/// How old an open case is before somebody is told, in microseconds.
pub const PATIENCE: i64 = 24 * HOUR;
/// How long a write may wait before somebody is told, in microseconds.
pub const BACKLOG: i64 = HOUR;

const HOUR: i64 = 3_600_000_000;

/// How a system or a flow is, as far as a person should hear of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alarm {
    /// Nothing to tell.
    Well,
    /// Its last run failed, or writes were refused or given up.
    Failing,
    /// It stopped by itself: logins were refused.
    Stopped,
    /// Not read when it should have been, or writes wait too long.
    Behind,
    /// Read, but not in agreement with its source.
    Incomplete,
    /// Cases have waited for a person too long.
    Waiting,
}

impl Alarm {
    /// The word stored and sent.
    pub fn word(self) -> &'static str {
        match self {
            Alarm::Well => "well",
            Alarm::Failing => "failing",
            Alarm::Stopped => "stopped",
            Alarm::Behind => "behind",
            Alarm::Incomplete => "incomplete",
            Alarm::Waiting => "waiting",
        }
    }
}

/// Of a system; its cases are those that are older than [`PATIENCE`]. `None` while that cannot be said: it is
/// being read, so it is as it was.
pub fn of_system(facts: &Facts<'_>, by_itself: bool, now: i64) -> Option<Alarm> {
    if facts.paused {
        return Some(if by_itself { Alarm::Stopped } else { Alarm::Well });
    }
    let without_cases = Facts { open_cases: 0, ..facts.clone() };
    Some(match judge(&without_cases, now) {
        Health::Running => return None,
        // That it was never read is no news to whoever has just set it up.
        Health::NeedsYou if facts.last.is_some() => Alarm::Failing,
        Health::Late => Alarm::Behind,
        Health::Incomplete => Alarm::Incomplete,
        _ if facts.open_cases > 0 => Alarm::Waiting,
        _ => Alarm::Well,
    })
}

/// What a flow is judged by.
#[derive(Debug, Clone, Copy, Default)]
pub struct FlowFacts {
    /// Whether a person stopped it, or it was never let go.
    pub idle: bool,
    /// Deliveries that were refused or given up.
    pub failed: i64,
    /// When the oldest of those that go on by themselves was asked for, in microseconds since 1970 UTC.
    pub oldest: Option<i64>,
    /// Cases open for longer than [`PATIENCE`].
    pub old_cases: i64,
}

/// Of a flow.
pub fn of_flow(facts: &FlowFacts, now: i64) -> Alarm {
    match facts {
        FlowFacts { idle: true, .. } => Alarm::Well,
        FlowFacts { failed: 1.., .. } => Alarm::Failing,
        FlowFacts { oldest: Some(asked), .. } if now - asked > BACKLOG => Alarm::Behind,
        FlowFacts { old_cases: 1.., .. } => Alarm::Waiting,
        _ => Alarm::Well,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Schedule;
    use crate::model::RunStatus;

    #[test]
    fn what_takes_time_is_told_late_and_what_a_person_did_is_not_told() {
        let schedule = Schedule::Every(Duration::from_secs(3600));
        let good = Facts {
            last: Some(RunStatus::Succeeded),
            last_read: Some(10 * HOUR),
            schedule: Some(&schedule),
            ..Facts::default()
        };
        let failed = Facts { last: Some(RunStatus::Failed), ..good.clone() };
        let now = 10 * HOUR + HOUR / 2;
        for (facts, by_itself, at, alarm) in [
            (good.clone(), false, now, Some(Alarm::Well)),
            (Facts { open_cases: 1, ..good.clone() }, false, now, Some(Alarm::Waiting)),
            (Facts { open_cases: 1, ..failed.clone() }, false, now, Some(Alarm::Failing)),
            (Facts { active: true, ..failed.clone() }, false, now, None),
            (
                Facts { last: Some(RunStatus::Incomplete), ..good.clone() },
                false,
                now,
                Some(Alarm::Incomplete),
            ),
            (good.clone(), false, 13 * HOUR, Some(Alarm::Behind)),
            (Facts { paused: true, ..failed.clone() }, false, now, Some(Alarm::Well)),
            (Facts { paused: true, ..failed }, true, now, Some(Alarm::Stopped)),
            (Facts::default(), false, now, Some(Alarm::Well)),
        ] {
            assert_eq!(of_system(&facts, by_itself, at), alarm, "{facts:?}");
        }
    }

    #[test]
    fn a_flow_fails_before_it_is_late_before_it_waits() {
        let late = FlowFacts { idle: false, failed: 0, oldest: Some(0), old_cases: 1 };
        for (facts, now, alarm) in [
            (FlowFacts { idle: true, failed: 1, ..late }, 2 * HOUR, Alarm::Well),
            (FlowFacts { failed: 1, ..late }, 2 * HOUR, Alarm::Failing),
            (late, 2 * HOUR, Alarm::Behind),
            (late, HOUR, Alarm::Waiting),
            (FlowFacts { old_cases: 0, ..late }, HOUR, Alarm::Well),
            (FlowFacts::default(), HOUR, Alarm::Well),
        ] {
            assert_eq!(of_flow(&facts, now), alarm, "{facts:?}");
        }
    }
}
