//! The customers list as a file, streamed as it is made.

use std::io::{Read as _, Seek as _};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::try_unfold;
use serde::Deserialize;
use utoipa::IntoParams;

use super::customers::CustomersAsked;
use super::{Asked, bad_value, known_system, text};
use crate::export::{Csv, Export, note, write_xlsx_into};
use crate::web::Web;
use crate::web::access::Viewer;
use crate::web::problem::Problem;

/// Bytes of a finished file sent at once.
const PIECE: usize = 64 * 1024;

/// What files are, for browsers.
pub(super) const CSV: &str = "text/csv; charset=utf-8";
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Which customers, and as what.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportAsked {
    /// `csv` or `xlsx`.
    format: Option<String>,
    /// As for the list.
    search: Option<String>,
    /// As for the list.
    owner: Option<String>,
    /// As for the list.
    system: Option<String>,
    /// As for the list.
    status: Option<String>,
    /// As for the list.
    country: Option<String>,
    /// As for the list.
    city: Option<String>,
    /// As for the list.
    activity: Option<String>,
    /// As for the list.
    gone: Option<bool>,
    /// As for the list.
    sort: Option<String>,
    /// As for the list.
    view: Option<String>,
}

/// The filtered set as CSV or spreadsheet.
#[utoipa::path(get, path = "/api/v1/customers/export", params(ExportAsked),
    responses((status = 200, description = "the file")), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn export(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Asked(asked): Asked<ExportAsked>,
) -> Result<Response, Problem> {
    let format = asked.format.as_deref().unwrap_or("csv").to_owned();
    let list = CustomersAsked {
        search: asked.search,
        owner: asked.owner,
        system: asked.system,
        status: asked.status,
        country: asked.country,
        city: asked.city,
        activity: asked.activity,
        gone: asked.gone,
        sort: asked.sort,
        view: asked.view,
        ..CustomersAsked::default()
    };
    let (filter, order, shape) = list.list()?;
    known_system(&web, filter.system.as_deref()).await?;
    let export = Export { filter, shape, order, ties: web.app.ties() };
    let (body, kind) = match format.as_str() {
        "csv" => {
            note(&web.app.store, &export, &format, &who.name).await?;
            (csv(&web, export), CSV)
        }
        "xlsx" => {
            note(&web.app.store, &export, &format, &who.name).await?;
            (xlsx(&web, &export).await?, XLSX)
        }
        other => return Err(bad_value("format", other)),
    };
    file(&format!("customers.{format}"), kind, body)
}

/// An answer that is kept as a file of this name.
pub(super) fn file(name: &str, kind: &'static str, body: Body) -> Result<Response, Problem> {
    let name = format!("attachment; filename=\"{name}\"");
    let name = HeaderValue::from_str(&name).map_err(anyhow::Error::from)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, body).into_response())
}

/// Each page leaves as it is made; an error in the middle breaks the connection off, so that half a
/// file is never taken for a whole one.
fn csv(web: &Web, export: Export) -> Body {
    let store = web.app.store.clone();
    let rows = try_unfold(Csv::new(export, text()), move |mut csv| {
        let store = store.clone();
        async move {
            let next = csv.next(&store).await.inspect_err(|error| {
                tracing::error!(error = format!("{error:#}"), "an export broke off");
            })?;
            Ok::<_, anyhow::Error>(next.map(|bytes| (bytes, csv)))
        }
    });
    Body::from_stream(rows)
}

/// A spreadsheet has its end at its beginning: it is made whole, on disk, and sent then.
async fn xlsx(web: &Web, export: &Export) -> Result<Body, Problem> {
    // A file without a name: it is gone with its last reader.
    let file = tempfile::tempfile().map_err(anyhow::Error::from)?;
    let (_, file) = write_xlsx_into(&web.app.store, export, text(), false, file).await?;
    from_start(file)
}

/// A finished file, piece by piece.
pub(super) fn from_start(mut file: std::fs::File) -> Result<Body, Problem> {
    file.rewind().map_err(anyhow::Error::from)?;
    let pieces = try_unfold(file, |mut file| async move {
        let read = move || {
            let mut piece = vec![0; PIECE];
            let read = file.read(&mut piece)?;
            piece.truncate(read);
            Ok::<_, std::io::Error>((read > 0).then_some((piece, file)))
        };
        tokio::task::spawn_blocking(read).await.unwrap_or_else(|died| Err(std::io::Error::other(died)))
    });
    Ok(Body::from_stream(pieces))
}
