//! The stages of a run as tables: rows by disposition, sums beside the source's own.

use super::link;
use super::show::{self, amount, maybe, maybe_amount, number};
use super::state::{self, Figure, State};
use crate::model::{Disposition, Measure, Run, Stage, StageStatus};
use crate::report;
use crate::sync::verdict;
use crate::words::Words;

/// A stage as a row of figures.
pub struct StageRow {
    /// Its list, in words.
    pub name: String,
    /// How it is.
    pub state: State,
    /// Rows read of rows expected.
    pub read: String,
    /// How far, of a hundred; `None` when nobody knows.
    pub percent: Option<u64>,
    /// Whether it is being read.
    pub running: bool,
    /// Rows per second.
    pub rate: Option<String>,
    /// How often the list was read, if more than once.
    pub passes: Option<String>,
    /// The way it let itself be read, if that was not the usual one.
    pub way: Option<String>,
    /// Source, stored, created, updated, unchanged, duplicate, excluded, rejected, not read, gone,
    /// absent, unexplained.
    pub figures: Vec<Figure>,
    /// What is wrong.
    pub error: Option<String>,
}

/// A sum of a stage held against the source's.
pub struct SumRow {
    /// The list, in words.
    pub stage: String,
    /// The measure, in words.
    pub measure: String,
    /// What the source says.
    pub source: String,
    /// What was read and stored.
    pub read: String,
    /// What of it was left out.
    pub left_out: String,
    /// Read and left out − source.
    pub difference: Figure,
}

/// Why rows were left out.
pub struct ReasonRow {
    /// The list, in words.
    pub stage: String,
    /// What became of them, in words.
    pub disposition: String,
    /// The rule, in words.
    pub rule: String,
    /// How many, with the way to them.
    pub count: Figure,
    /// Their sums.
    pub sums: String,
}

/// The way to rows of a stage.
pub fn rows_link(run: i64, position: i64, disposition: &str, rule: Option<&str>) -> String {
    let position = position.to_string();
    let query = [("stage", Some(position.as_str())), ("disposition", Some(disposition)), ("rule", rule)];
    link::to(&format!("/runs/{run}/rows"), &query)
}

/// The figures of a stage, in the order of [`StageRow::figures`].
pub fn figures(run: &Run, stage: &Stage) -> Vec<Figure> {
    let counts = stage.counts;
    let rows = |disposition: &str| rows_link(run.id, stage.position, disposition, None);
    let customers = link::to("/customers", &[("system", Some(run.system.as_str()))]);
    let figure = |value: u64, href: String| Figure::count(value as i64, href);
    let stored = stage.stored_count.map(|n| n as i64);
    vec![
        Figure::plain(maybe(stage.source_count.map(|n| n as i64))),
        stored.map_or_else(
            || Figure::plain(show::UNKNOWN.to_owned()),
            |stored| Figure::count(stored, customers.clone()),
        ),
        figure(counts.created, rows("created")),
        figure(counts.updated, rows("updated")),
        figure(counts.unchanged, customers),
        figure(counts.duplicate, rows("duplicate")),
        figure(counts.excluded, rows("excluded")),
        Figure::loss(counts.rejected as i64, rows("rejected")),
        Figure::plain(number(stage.not_read as i64)).loud(false),
        Figure::plain(number(stage.gone as i64)).loud(false),
        Figure::plain(number(stage.absent as i64)).loud(false),
        stage.unexplained().map_or_else(
            || Figure::plain(show::UNKNOWN.to_owned()),
            |rows| Figure::plain(number(rows)).loud(rows != 0 && stage.status != StageStatus::Running),
        ),
    ]
}

/// The stages of a run.
pub fn stage_rows(run: &Run, now: i64, words: &Words) -> Vec<StageRow> {
    run.stages
        .iter()
        .map(|stage| StageRow {
            name: state::stream(&stage.name, words),
            state: State::stage(stage.status, words),
            read: match stage.total {
                Some(total) => words.with(
                    "web-of",
                    &[("done", &number(stage.done as i64)), ("total", &number(total as i64))],
                ),
                None => number(stage.done as i64),
            },
            percent: match stage.status {
                StageStatus::Waiting => Some(0),
                StageStatus::Running => stage.total.filter(|total| *total > 0).map(|t| stage.done * 100 / t),
                _ => Some(100),
            },
            running: stage.status == StageStatus::Running,
            rate: rate(stage, now).map(|rate| words.with("web-rows-per-second", &[("n", &number(rate))])),
            passes: (stage.passes > 1).then(|| words.with("web-passes", &[("n", &number(stage.passes))])),
            way: stage.way.as_ref().map(|way| words.text(&format!("way-{way}"))),
            figures: figures(run, stage),
            error: stage.error.as_ref().map(|error| words.message(error)),
        })
        .collect()
}

fn rate(stage: &Stage, now: i64) -> Option<i64> {
    let until = stage.finished_at.or(stage.read_at).unwrap_or(now);
    let micros = until - stage.started_at?;
    (micros > 100_000 && stage.done > 0).then(|| stage.done as i64 * 1_000_000 / micros)
}

/// The sums of a run's stages beside the source's own.
pub fn sum_rows(run: &Run, currency: Option<&str>, words: &Words) -> Vec<SumRow> {
    let mut rows = Vec::new();
    for stage in &run.stages {
        let mut left_out = crate::model::Sums::default();
        for reason in stage.reasons.iter().filter(|r| r.disposition != Disposition::Duplicate) {
            left_out.merge(&reason.sums);
        }
        let difference = verdict::difference(stage);
        for (measure, read) in stage.read_sums.iter() {
            let differs = difference.get(measure);
            rows.push(SumRow {
                stage: state::stream(&stage.name, words),
                measure: measure_name(measure, currency, words),
                source: maybe_amount(stage.source_sums.get(measure), measure),
                read: amount(read, measure),
                left_out: amount(left_out.get(measure).unwrap_or(0), measure),
                difference: Figure::plain(maybe_amount(differs, measure))
                    .loud(differs.is_some_and(|value| value != 0) && stage.status != StageStatus::Running),
            });
        }
    }
    rows
}

/// Why rows of a run were left out.
pub fn reason_rows(run: &Run, currency: Option<&str>, words: &Words) -> Vec<ReasonRow> {
    let mut rows = Vec::new();
    for stage in &run.stages {
        for reason in &stage.reasons {
            let word = reason.disposition.word();
            let sums: Vec<String> = reason
                .sums
                .iter()
                .map(|(measure, value)| {
                    format!("{} {}", measure_name(measure, currency, words), amount(value, measure))
                })
                .collect();
            rows.push(ReasonRow {
                stage: state::stream(&stage.name, words),
                disposition: state::disposition(reason.disposition, words),
                rule: report::rule(&reason.rule, words),
                count: Figure::count(
                    reason.count as i64,
                    rows_link(run.id, stage.position, word, Some(reason.rule.as_str())),
                ),
                sums: if sums.is_empty() { show::UNKNOWN.to_owned() } else { sums.join(" · ") },
            });
        }
    }
    rows
}

/// A measure in words; `currency` is that of amounts that do not name theirs.
fn measure_name(measure: Measure, currency: Option<&str>, words: &Words) -> String {
    words.with(&format!("measure-{}", measure.name), &[("currency", currency.unwrap_or("none"))])
}
