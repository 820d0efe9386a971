//! Tables for people at a terminal. Text from outside is stripped of control characters.

use comfy_table::{CellAlignment, Table, presets};

use super::text;
use crate::app::App;
use crate::model::amount;
use crate::model::{Run, Sums};
use crate::report::{OwnerDoc, ShopDoc};
use crate::sync::verdict;

/// A plain table with these headers.
pub fn table(headers: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(headers.iter().map(|h| (*h).to_owned()));
    table
}

/// Text from outside as a terminal may show it: no control characters, no direction tricks.
pub fn clean(text: &str) -> String {
    let unsafe_char =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if unsafe_char(c) { '\u{fffd}' } else { c }).collect()
}

/// A whole number with separated thousands.
pub fn count(n: impl Into<i128>) -> String {
    let n: i128 = n.into();
    let digits = n.unsigned_abs().to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    if n < 0 { format!("-{shown}") } else { shown }
}

/// A measure in words; `currency` is that of amounts that do not name theirs.
pub fn measure(name: &str, currency: Option<&str>) -> String {
    let id = format!("measure-{}", name.replace('_', "-"));
    text().with(&id, &[("currency", currency.unwrap_or("none"))])
}

/// What is told in two columns: a word and its value.
pub fn pairs(rows: &[[String; 2]]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    rows.iter().for_each(|row| {
        table.add_row(row.iter().map(|cell| clean(cell)));
    });
    table.to_string()
}

/// Sums on one line.
pub fn sums(sums: &Sums) -> String {
    let parts = sums
        .iter()
        .map(|(sum, value)| format!("{} {}", measure(sum.name, None), amount::show(value, sum.scale)));
    parts.collect::<Vec<_>>().join(" · ")
}

/// The streams of runs: what was read, what became of it, and whether it adds up.
pub fn streams(runs: &[Run]) -> String {
    let headers = [
        "cli-stream",
        "cli-read",
        "disposition-created",
        "disposition-updated",
        "disposition-unchanged",
        "disposition-duplicate",
        "disposition-excluded",
        "disposition-rejected",
        "cli-source-count",
        "cli-stored",
        "cli-unexplained",
    ];
    let titles: Vec<String> = headers.iter().map(|id| text().text(id)).collect();
    let mut table = table(&titles.iter().map(String::as_str).collect::<Vec<_>>());
    for run in runs {
        let limited = run.limit.map(|limit| text().with("cli-limited", &[("n", &limit.to_string())]));
        let limited = limited.unwrap_or_default();
        for stage in &run.stages {
            let c = stage.counts;
            let or_dash = |n: Option<i128>| n.map_or_else(|| "–".to_owned(), count);
            table.add_row([
                format!("{}/{} {limited}", run.system, stage.name).trim_end().to_owned(),
                count(c.read),
                count(c.created),
                count(c.updated),
                count(c.unchanged),
                count(c.duplicate),
                count(c.excluded),
                count(c.rejected),
                or_dash(stage.source_count.map(i128::from)),
                or_dash(stage.stored_count.map(i128::from)),
                or_dash(stage.unexplained().map(i128::from)),
            ]);
        }
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// The ways in which lists let themselves be read, one a line, where they were not the usual ones.
pub fn ways(runs: &[Run]) -> String {
    let stages = runs.iter().flat_map(|run| run.stages.iter().map(move |stage| (run, stage)));
    stages
        .filter_map(|(run, stage)| {
            let way = text().text(&format!("way-{}", stage.way.as_ref()?));
            Some(format!("{}/{}: {way}\n", run.system, stage.name))
        })
        .collect()
}

/// Control sums of runs: the source's beside those of what was read. What a limited run reads is no
/// difference to the whole.
pub fn control(app: &App, runs: &[Run]) -> String {
    let titles: Vec<String> = ["cli-stream", "cli-sum", "cli-source", "cli-read", "cli-difference"]
        .iter()
        .map(|id| text().text(id))
        .collect();
    let mut table = table(&titles.iter().map(String::as_str).collect::<Vec<_>>());
    for run in runs {
        for stage in &run.stages {
            let difference = verdict::difference(stage);
            for (sum, source) in stage.source_sums.iter() {
                let show = |value: Option<i128>| {
                    value.map_or_else(|| "–".to_owned(), |value| amount::show(value, sum.scale))
                };
                table.add_row([
                    format!("{}/{}", run.system, stage.name),
                    measure(sum.name, app.currency(&run.system)),
                    show(Some(source)),
                    show(stage.read_sums.get(sum)),
                    show(difference.get(sum).filter(|_| run.limit.is_none())),
                ]);
            }
        }
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    if table.row_count() == 0 { String::new() } else { table.to_string() }
}

/// What each owner has.
pub fn owners(owners: &[OwnerDoc]) -> String {
    let titles: Vec<String> =
        ["cli-owner", "cli-clients", "cli-accounts", "cli-sums"].iter().map(|id| text().text(id)).collect();
    let mut table = table(&titles.iter().map(String::as_str).collect::<Vec<_>>());
    for owner in owners {
        table.add_row([clean(&owner.label), count(owner.clients), count(owner.accounts), sums(&owner.sums)]);
    }
    for column in table.column_iter_mut().skip(1).take(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// What each shop has, its money with its currency.
pub fn shops(shops: &[ShopDoc]) -> String {
    let titles: Vec<String> = [
        "cli-shop",
        "cli-customers",
        "cli-cards",
        "cli-currency",
        "cli-opening",
        "cli-purchases",
        "cli-total",
        "cli-points",
    ]
    .iter()
    .map(|id| text().text(id))
    .collect();
    let mut table = table(&titles.iter().map(String::as_str).collect::<Vec<_>>());
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    for shop in shops {
        table.add_row([
            clean(&shop.system),
            count(shop.customers),
            count(shop.cards),
            shop.currency.clone().unwrap_or_else(|| "–".to_owned()),
            or_dash(&shop.opening_balance),
            or_dash(&shop.purchases),
            or_dash(&shop.total),
            or_dash(&shop.points),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}
