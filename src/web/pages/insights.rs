//! Insights: each as charts, as the table that these are drawn from, and as a file of that table.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::chart::{self, Point, Said};
use super::overview::owner_label;
use super::show::{self, number};
use super::{Frame, link, render};
use crate::export::Cell;
use crate::insights::{self, Column, Insight, Lines};
use crate::model::Measure;
use crate::model::text::name_key;
use crate::sync::today;
use crate::web::Web;
use crate::web::access::Viewer;
use crate::web::problem::Problem;
use crate::words::Words;

/// Rows of a table that a page shows; files and the API have all of them.
const ROWS: usize = 100;
/// Months, and groups, that a chart shows.
const MONTHS: usize = 36;
const GROUPS: usize = 10;

/// The address's query.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    system: Option<String>,
    owner: Option<String>,
}

struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

struct Head {
    name: String,
    number: bool,
}

struct Section {
    id: &'static str,
    title: String,
    about: String,
    charts: Vec<String>,
    heads: Vec<Head>,
    rows: Vec<(String, Vec<String>)>,
    total: Vec<String>,
    more: Option<String>,
    csv: String,
    xlsx: String,
}

#[derive(Template)]
#[template(path = "insights.html")]
struct Insights {
    f: Frame,
    by_system: Vec<Choice>,
    by_owner: Vec<Choice>,
    brokers: bool,
    filtered: bool,
    any_system: bool,
    sections: Vec<Section>,
}

/// `GET /insights`
pub async fn page(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let f = Frame::new(app, who, "/insights", "web-insights").await?;
    // No text of ours holds a NUL, and PostgreSQL takes none.
    let given =
        |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty() && !text.contains('\0'));
    let of = insights::Asked { system: given(&asked.system), owner: given(&asked.owner) };
    let systems = insights::systems(&app.store, &of).await?;
    let brokers = systems.iter().any(|peopled| !peopled.is_shop);
    let shops = systems.iter().any(|peopled| peopled.is_shop);
    let mut sections = Vec::new();
    for insight in Insight::ALL {
        // An owner has clients of brokers: of shops nothing would be left out.
        let wanted = if insight.is_of_shops() { shops && of.owner.is_none() } else { brokers };
        if wanted {
            let lines = insights::lines(app, insight, &of, today()).await?;
            sections.push(section(insight, &lines, &of, f.words)?);
        }
    }
    let facets = app.store.facets().await?;
    let choice = |value: &String, label: String, chosen: Option<&String>| Choice {
        value: value.clone(),
        label,
        chosen: chosen.is_some_and(|chosen| name_key(chosen) == name_key(value)),
    };
    render(&Insights {
        by_system: facets.systems.iter().map(|name| choice(name, name.clone(), of.system.as_ref())).collect(),
        by_owner: facets
            .owners
            .iter()
            .map(|name| choice(name, owner_label(name, f.words), of.owner.as_ref()))
            .collect(),
        brokers: brokers || of.owner.is_some(),
        filtered: of != insights::Asked::default(),
        any_system: !app.sources.is_empty(),
        sections,
        f,
    })
}

fn section(insight: Insight, lines: &Lines, of: &insights::Asked, words: &Words) -> Result<Section, Problem> {
    let columns = lines.columns();
    let rows = lines.rows(words);
    let total = lines.totals(&rows).iter().map(cell).collect();
    let say = |kind: &str| words.text(&format!("insight-{kind}{}", insight.word()));
    let shown = |(name, cells): &(String, Vec<Cell>)| {
        let name = if insight == Insight::Owners { owner_label(name, words) } else { name.clone() };
        (name, cells.iter().map(cell).collect())
    };
    let file = |format: &str| {
        let path = format!("/api/v1/insights/{}/export", insight.word());
        let (system, owner) = (of.system.as_deref(), of.owner.as_deref());
        link::to(&path, &[("format", Some(format)), ("system", system), ("owner", owner)])
    };
    let first = Head { name: say("of-"), number: false };
    let others = columns
        .iter()
        .map(|column| Head { name: words.text(&format!("insight-{}", column.name)), number: true });
    let all = number(rows.len() as i64);
    // Each currency has charts of its own.
    let mut drawn = Vec::new();
    match lines.currencies().as_slice() {
        [] => drawn.extend(charts(insight, &columns, &rows, None, words)?),
        codes => {
            for code in codes {
                let own = lines.in_currency(*code).rows(words);
                drawn.extend(charts(insight, &columns, &own, *code, words)?);
            }
        }
    }
    Ok(Section {
        id: insight.word(),
        title: say(""),
        about: say("about-"),
        charts: drawn,
        heads: std::iter::once(first).chain(others).collect(),
        rows: rows.iter().take(ROWS).map(shown).collect(),
        more: (rows.len() > ROWS)
            .then(|| words.with("insight-more", &[("shown", &ROWS.to_string()), ("n", &all)])),
        total,
        csv: file("csv"),
        xlsx: file("xlsx"),
    })
}

/// The charts of a table: which columns, and how.
fn charts(
    insight: Insight,
    columns: &[Column],
    rows: &[(String, Vec<Cell>)],
    currency: Option<&str>,
    words: &Words,
) -> Result<Vec<String>, Problem> {
    // Column, and one that is drawn together with it.
    let drawn: &[(&str, Option<&str>)] = match insight {
        Insight::NewByDay | Insight::NewByMonth => &[("clients", None)],
        Insight::Owners | Insight::Countries => {
            &[("volume-lots", None), ("reward-usd", None), ("rebate-usd", None)]
        }
        Insight::Inactive => &[("clients", None), ("reward-usd", None)],
        Insight::Purchases => &[("purchases-of", Some("returned")), ("average-bill", None)],
        Insight::Points => &[("customers", None), ("points-of", None)],
        Insight::Cities => &[("customers", None), ("spent", None)],
    };
    let over_time = matches!(insight, Insight::NewByDay | Insight::NewByMonth | Insight::Purchases);
    // What has no day cannot be drawn on time; of groups the first are the largest.
    let unknown = words.text("insight-unknown");
    let mut chosen: Vec<&(String, Vec<Cell>)> = match over_time {
        true => rows.iter().filter(|(name, _)| *name != unknown).collect(),
        false => rows.iter().collect(),
    };
    if over_time {
        chosen.truncate(if insight == Insight::NewByDay { chosen.len() } else { MONTHS });
        chosen.reverse();
    } else {
        chosen.truncate(GROUPS);
    }
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    let place = |name: &str| columns.iter().position(|column| column.name == name);
    let mut charts = Vec::new();
    for (at, (name, other)) in drawn.iter().enumerate() {
        let (column, other) = (place(name), other.and_then(place));
        let titled = |name: &str| words.text(&format!("insight-{name}"));
        let point = |(name, cells): &&(String, Vec<Cell>)| {
            let of = |column: Option<usize>| column.and_then(|column| cells.get(column));
            let tips: Vec<String> = [of(column), of(other)].into_iter().flatten().map(cell).collect();
            let name = if insight == Insight::Owners { owner_label(name, words) } else { name.clone() };
            Point {
                tip: format!("{name}: {}", tips.join(" / ")),
                value: of(column).and_then(value),
                other: of(other).and_then(value),
                name,
            }
        };
        let points: Vec<Point> = chosen.iter().map(point).collect();
        let scale = chosen.iter().filter_map(|(_, cells)| cells.get(column?)).find_map(|cell| match cell {
            Cell::Amount(_, scale) => Some(*scale),
            _ => None,
        });
        let title = match other.and_then(|other| columns.get(other)) {
            Some(other) => {
                words.with("insight-with", &[("one", &titled(name)), ("other", &titled(other.name))])
            }
            None => titled(name),
        };
        let paid = column.and_then(|column| columns.get(column)).is_some_and(|column| column.paid);
        let title = match currency.filter(|_| paid) {
            Some(currency) => words.with("insight-in", &[("what", &title), ("currency", currency)]),
            None => title,
        };
        // An unknown figure has nothing to be drawn, and says so in the table.
        if points.iter().all(|point| point.value.is_none()) {
            continue;
        }
        let said = Said {
            id: format!("{}-{}{at}", insight.word(), currency.unwrap_or_default().to_lowercase()),
            about: about(&points, over_time, scale, words),
            title,
        };
        let drawing = if over_time {
            chart::columns(said, &points, |value| whole(value, scale))
        } else {
            chart::bars(said, &points, |value| {
                value.map_or(show::UNKNOWN.to_owned(), |value| exact(value, scale))
            })
        };
        charts.push(drawing.map_err(anyhow::Error::from)?);
    }
    Ok(charts)
}

/// What there is to be seen, in a sentence.
fn about(points: &[Point], over_time: bool, scale: Option<u32>, words: &Words) -> String {
    let most = points.iter().filter(|point| point.value.is_some()).max_by_key(|point| point.value);
    let (Some(first), Some(last), Some(most)) = (points.first(), points.last(), most) else {
        return String::new();
    };
    let value = exact(most.value.unwrap_or(0), scale);
    let args = [
        ("from", first.name.as_str()),
        ("to", last.name.as_str()),
        ("name", most.name.as_str()),
        ("value", &value),
    ];
    words.with(if over_time { "insight-seen-over-time" } else { "insight-seen" }, &args)
}

fn value(cell: &Cell) -> Option<i128> {
    match cell {
        Cell::Count(value) | Cell::Amount(value, _) => Some(i128::from(*value)),
        Cell::Text(_) | Cell::Empty => None,
    }
}

/// A value as tables write it.
fn exact(value: i128, scale: Option<u32>) -> String {
    match scale {
        Some(scale) => show::amount(value, Measure { name: "", scale }),
        None => number(value),
    }
}

/// A line of a scale: without decimals, as long as there is something before them.
fn whole(value: i128, scale: Option<u32>) -> String {
    let unit = 10_i128.pow(scale.unwrap_or(0));
    if value % unit == 0 { number(value / unit) } else { exact(value, scale) }
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Count(count) => number(*count),
        Cell::Amount(value, scale) => exact(i128::from(*value), Some(*scale)),
        Cell::Empty => show::UNKNOWN.to_owned(),
    }
}
