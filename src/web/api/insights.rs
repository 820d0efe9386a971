//! `/api/v1/insights/{name}`: what the mirror tells over time and by group, as lines and as a file.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::export::{CSV, XLSX, file, from_start};
use super::{bad_value, known_system, text};
use crate::export::document::ListDoc;
use crate::export::{Cell, csv_table, note_of, write_xlsx_table};
use crate::insights::{self, Insight, Line, Lines};
use crate::sync::today;
use crate::web::Web;
use crate::web::access::Viewer;
use crate::web::problem::Problem;

/// Of whom.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct InsightAsked {
    /// Of this system only.
    system: Option<String>,
    /// Of this owner's clients only, in any letter case; shops have none.
    owner: Option<String>,
}

/// Of whom, and as what.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct InsightExportAsked {
    /// `csv` or `xlsx`.
    format: Option<String>,
    /// Of this system only.
    system: Option<String>,
    /// Of this owner's clients only, in any letter case; shops have none.
    owner: Option<String>,
}

/// An insight: `new-by-day` (the last 60 days), `new-by-month`, `owners`, `countries` and `inactive` of
/// brokers' clients; `purchases` (by month), `points` and `cities` of shops' customers. The latest, or
/// the largest, first; a list is always whole.
#[utoipa::path(get, path = "/api/v1/insights/{name}", params(("name" = String, Path), InsightAsked),
    responses((status = 200, body = ListDoc<Line>)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn one(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Path(name): Path<String>,
    super::Asked(asked): super::Asked<InsightAsked>,
) -> Result<Json<ListDoc<Line>>, Problem> {
    let (_, _, lines) = find(&web, &name, asked).await?;
    Ok(Json(ListDoc::whole(lines.items())))
}

/// The table of an insight as CSV or spreadsheet.
#[utoipa::path(get, path = "/api/v1/insights/{name}/export", params(("name" = String, Path), InsightExportAsked),
    responses((status = 200, description = "the file")), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn export(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Path(name): Path<String>,
    super::Asked(asked): super::Asked<InsightExportAsked>,
) -> Result<Response, Problem> {
    let format = asked.format.as_deref().unwrap_or("csv").to_owned();
    if !["csv", "xlsx"].contains(&format.as_str()) {
        return Err(bad_value("format", &format));
    }
    let of = InsightAsked { system: asked.system, owner: asked.owner };
    let (insight, of, lines) = find(&web, &name, of).await?;
    let words = text();
    let first = format!("insight-of-{}", insight.word());
    let columns = lines.columns();
    let names = columns.iter().map(|column| format!("insight-{}", column.name));
    let header: Vec<String> = std::iter::once(first).chain(names).map(|id| words.text(&id)).collect();
    let row = |(name, cells): (String, Vec<Cell>)| std::iter::once(Cell::Text(name)).chain(cells).collect();
    let rows: Vec<Vec<Cell>> = lines.rows(words).into_iter().map(row).collect();
    let after = json!({
        "format": format, "insight": insight.word(), "system": of.system, "owner": of.owner, "rows": rows.len(),
    });
    note_of(&web.app.store, "insights", &who.name, &after).await?;
    let named = format!("{}.{format}", insight.word());
    if format == "csv" {
        return file(&named, CSV, Body::from(csv_table(&header, &rows)));
    }
    let sheet = words.text(&format!("insight-sheet-{}", insight.word()));
    // A file without a name: it is gone with its last reader.
    let written = tempfile::tempfile().map_err(anyhow::Error::from)?;
    let written = write_xlsx_table(sheet, header, rows, written).await?;
    file(&named, XLSX, from_start(written)?)
}

/// The insight of that name, of whom it is asked.
async fn find(
    web: &Web,
    name: &str,
    asked: InsightAsked,
) -> Result<(Insight, insights::Asked, Lines), Problem> {
    let insight = Insight::of(name).ok_or_else(|| Problem::missing("web-no-insight", name))?;
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let asked = insights::Asked { system: given(asked.system), owner: given(asked.owner) };
    known_system(web, asked.system.as_deref()).await?;
    if let Some(owner) = asked.owner.as_ref().filter(|owner| owner.contains('\0')) {
        return Err(bad_value("owner", &owner.replace('\0', "\u{fffd}")));
    }
    let lines = insights::lines(&web.app, insight, &asked, today()).await?;
    Ok((insight, asked, lines))
}
