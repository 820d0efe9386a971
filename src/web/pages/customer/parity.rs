//! The parity panel: a customer as its source has it now, beside the mirror.

use axum::extract::{Path, State};
use axum::response::Response;

use super::super::show::{self, Time, moment, number};
use super::super::state::State as Look;
use super::{found, show_customer};
use crate::report;
use crate::sync::now;
use crate::sync::parity::{Cause, Line, VerifyDoc};
use crate::web::Web;
use crate::web::access::{Operator, Role, Who};
use crate::web::api::verify::held;
use crate::web::problem::Problem;
use crate::words::Words;

/// What the panel shows.
pub(super) struct Panel {
    /// Whether the reader may ask the source.
    pub can_check: bool,
    /// What was found, once it was asked for.
    pub checked: Option<Checked>,
}

/// What a live reading found, or why there is none.
pub(super) struct Checked {
    pub at: Time,
    pub state: Option<Look>,
    pub problem: Option<String>,
    pub blocks: Vec<Block>,
}

/// Figures of one kind.
pub(super) struct Block {
    pub title: String,
    pub lines: Vec<LineView>,
}

/// A figure on both sides.
pub(super) struct LineView {
    pub what: String,
    pub source: String,
    pub mirror: String,
    pub difference: String,
    pub state: Look,
    pub causes: Vec<String>,
}

impl Panel {
    /// The panel before anything was asked.
    pub(super) fn unasked(who: &Who) -> Panel {
        Panel { can_check: who.role >= Role::Operator, checked: None }
    }
}

/// `POST /customers/{id}/verify`
pub async fn verify(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let item = found(&web, &id).await?;
    let document = held(&web, &item, &who.name).await;
    let words = crate::words::words(crate::words::DEFAULT);
    let checked = checked(document, words);
    let panel = Panel { checked: Some(checked), ..Panel::unasked(&who) };
    show_customer(&web, who, item, panel).await
}

/// What was found in words. A source that could not be read is told in the panel: the rest of the page is
/// as it was.
fn checked(document: Result<VerifyDoc, Problem>, words: &Words) -> Checked {
    let at = moment(now());
    match document {
        Ok(document) => {
            let lines = document.items.iter().flat_map(|item| &item.lines);
            let lines: Vec<&Line> = lines.collect();
            let blocks = lines.chunk_by(|one, next| one.unit == next.unit);
            Checked {
                at,
                state: Some(Look::equal(document.agree, words)),
                problem: None,
                blocks: blocks.map(|lines| block(lines, words)).collect(),
            }
        }
        Err(problem) => {
            let told = [Some(problem.title), problem.detail].into_iter().flatten();
            let told = told.collect::<Vec<_>>().join(" ");
            Checked { at, state: None, problem: Some(told), blocks: Vec::new() }
        }
    }
}

fn block(lines: &[&Line], words: &Words) -> Block {
    let unit = lines.first().map_or("", |line| line.unit.as_str());
    let title = match unit {
        "text" => words.text("web-parity-city"),
        "points" => words.text("web-parity-points"),
        currency => words.with("web-parity-money", &[("currency", currency)]),
    };
    let view = |line: &&Line| LineView {
        what: words.text(&format!("measure-{}", line.what.replace('_', "-"))),
        source: figure(line, line.source.as_deref()),
        mirror: figure(line, line.mirror.as_deref()),
        difference: figure(line, line.difference.as_deref()),
        state: Look::equal(line.equal, words),
        causes: line.causes.iter().map(|one| cause(one, words)).collect(),
    };
    Block { title, lines: lines.iter().map(view).collect() }
}

fn figure(line: &Line, value: Option<&str>) -> String {
    match value {
        None => show::UNKNOWN.to_owned(),
        Some(text) if line.unit == "text" => text.to_owned(),
        Some(decimal) => show::decimal(decimal),
    }
}

fn cause(cause: &Cause, words: &Words) -> String {
    let rule = report::rule(&cause.rule, words);
    let amount = cause.amount.as_deref().map_or_else(|| show::UNKNOWN.to_owned(), show::decimal);
    let count = number(i128::from(cause.count));
    words.with("web-parity-cause", &[("rule", &rule), ("n", &count), ("amount", &amount)])
}
