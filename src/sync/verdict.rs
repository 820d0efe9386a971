//! Whether a read is complete: counts and sums held against what the source said. Pure.

use crate::connect::Totals;
use crate::model::{Disposition, Message, Stage, Sums};

/// Passes over a list at most.
pub const PASSES: i64 = 3;

/// What to do after the last page of a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything is accounted for.
    Complete,
    /// Read once more: something moved under the read, for this reason.
    Again(Message),
    /// It does not add up, for this reason.
    Incomplete(Message),
}

/// Judges a pass that reached its end. `first` is what the source said on the first page;
/// `same_as_before` tells whether the pass before saw the very same records.
pub fn judge(system: &str, stage: &Stage, first: &Totals, last: &Totals, same_as_before: bool) -> Verdict {
    let again = |message: Message| {
        if stage.passes < PASSES { Verdict::Again(message) } else { Verdict::Incomplete(message) }
    };
    let at = |id: &str| Message::new(id).with("system", system).with("stream", &stage.name);
    if first != last {
        return again(at("run-source-moved"));
    }
    let Some(unexplained) = stage.unexplained() else {
        // The source gives no count; that the list came whole is all there is to know.
        return Verdict::Complete;
    };
    if unexplained != 0 {
        let read = stage.counts.read + stage.not_read;
        if same_as_before && last.count == Some(read) && left_over(stage, true).is_zero() {
            // The same records twice, and as many rows, with as much money, as the source counts:
            // the rows that came twice are the source's own. Without the money they could as well
            // stand in the place of rows that never came.
            return Verdict::Complete;
        }
        return again(at("run-rows-missing").with("missing", unexplained).with("passes", stage.passes));
    }
    let difference = difference(stage);
    if stage.not_read == 0 && !has_unreadable_amounts(stage) && !difference.is_zero() {
        let named = difference
            .iter()
            .filter(|(_, value)| *value != 0)
            .map(|(measure, value)| {
                format!("{} {}", measure.name, crate::model::amount::show(value, measure.scale))
            })
            .collect::<Vec<_>>()
            .join(", ");
        return again(at("run-sums-differ").with("difference", named));
    }
    Verdict::Complete
}

/// Control sums: what was read (with what was left out by rule) minus what the source says.
pub fn difference(stage: &Stage) -> Sums {
    left_over(stage, false)
}

/// Whether rows were rejected because an amount of theirs cannot be read: they explain a difference,
/// and reading them again would not mend it. The amounts of other rejected rows are counted.
fn has_unreadable_amounts(stage: &Stage) -> bool {
    let rejected = stage.reasons.iter().filter(|reason| reason.disposition == Disposition::Rejected);
    let mut rules = rejected.map(|reason| reason.rule.as_str());
    rules.any(|rule| rule.starts_with("amount_") || rule == "not_an_object")
}

/// As [`difference`], on request with the rows that came twice.
fn left_over(stage: &Stage, duplicates: bool) -> Sums {
    let mut ours = stage.read_sums.clone();
    for reason in &stage.reasons {
        if duplicates || reason.disposition != Disposition::Duplicate {
            ours.merge(&reason.sums);
        }
    }
    ours.minus(&stage.source_sums)
}

/// Whether so many records would be marked gone that a person must say so first.
pub fn too_many_gone(gone: u64, live: u64) -> bool {
    gone > 20 && gone * 20 > live
}

/// Whether so many rows of a page were rejected that the source must have changed its form.
pub fn too_many_rejected(rejected: u64, rows: u64) -> bool {
    rejected > 20 && rejected * 100 > rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::amount::REWARD_USD;
    use crate::model::{Counts, Reason};

    fn stage(read: u64, duplicate: u64, source: u64, passes: i64) -> Stage {
        let mut stage = Stage::waiting(0, "accounts", 1);
        stage.passes = passes;
        stage.counts = Counts { read, duplicate, unchanged: read - duplicate, ..Counts::default() };
        stage.source_count = Some(source);
        stage
    }

    fn totals(count: u64) -> Totals {
        Totals { count: Some(count), sums: Sums::default() }
    }

    #[test]
    fn a_read_is_complete_only_when_it_adds_up() {
        let judged = |stage: &Stage, same| judge("ham", stage, &totals(10), &totals(10), same);
        assert_eq!(judged(&stage(10, 0, 10, 1), false), Verdict::Complete);
        assert!(matches!(judged(&stage(10, 2, 10, 1), false), Verdict::Again(_)));
        assert_eq!(judged(&stage(10, 2, 10, 2), true), Verdict::Complete);
        assert!(matches!(judged(&stage(9, 0, 10, 1), false), Verdict::Again(_)));
        assert!(matches!(judged(&stage(9, 0, 10, 3), true), Verdict::Incomplete(_)));
        let mut limited = stage(4, 0, 10, 1);
        limited.not_read = 6;
        assert_eq!(judged(&limited, false), Verdict::Complete);
    }

    #[test]
    fn a_source_that_moves_is_read_again_but_not_for_ever() {
        let moved = |passes| judge("ham", &stage(10, 0, 10, passes), &totals(10), &totals(11), false);
        assert!(matches!(moved(1), Verdict::Again(_)));
        assert!(matches!(moved(3), Verdict::Incomplete(_)));
    }

    #[test]
    fn money_that_differs_is_named() {
        let mut stage = stage(10, 0, 10, 3);
        stage.read_sums.set(REWARD_USD, 1240);
        stage.source_sums.set(REWARD_USD, 1250);
        let Verdict::Incomplete(message) = judge("ham", &stage, &totals(10), &totals(10), false) else {
            panic!("a difference of money was not seen");
        };
        assert_eq!(message.args["difference"], "reward_usd -0.10");
        let rejected = |rule: &str, cents: i128| {
            let mut sums = Sums::default();
            sums.set(REWARD_USD, cents);
            Reason { disposition: Disposition::Rejected, rule: rule.to_owned(), count: 1, sums }
        };
        // One that holds what is missing, one that holds something else, one nobody can read.
        for (reason, complete) in [
            (rejected("no_key", 10), true),
            (rejected("no_key", 9), false),
            (rejected("amount_not_exact", 0), true),
        ] {
            stage.reasons = vec![reason];
            let verdict = judge("ham", &stage, &totals(10), &totals(10), false);
            assert_eq!(verdict == Verdict::Complete, complete, "{:?}", stage.reasons);
        }
    }

    #[test]
    fn rows_that_came_twice_are_the_sources_own_only_with_their_money() {
        let mut stage = stage(10, 2, 10, 2);
        stage.read_sums.set(REWARD_USD, 800);
        stage.source_sums.set(REWARD_USD, 1000);
        let judged = |stage: &Stage| judge("ham", stage, &totals(10), &totals(10), true);
        assert!(matches!(judged(&stage), Verdict::Again(_)));
        let mut sums = Sums::default();
        sums.set(REWARD_USD, 200);
        let (disposition, rule) = (Disposition::Duplicate, "other_page".to_owned());
        stage.reasons.push(Reason { disposition, rule, count: 2, sums });
        assert_eq!(judged(&stage), Verdict::Complete);
    }

    #[test]
    fn deletions_are_held_above_both_bounds_only() {
        for (gone, live, held) in [(20, 20, false), (21, 420, false), (21, 419, true), (1000, 1000, true)] {
            assert_eq!(too_many_gone(gone, live), held, "{gone} of {live}");
        }
        for (rejected, rows, stop) in [(20, 20, false), (21, 2100, false), (21, 1000, true)] {
            assert_eq!(too_many_rejected(rejected, rows), stop, "{rejected} of {rows}");
        }
    }
}
