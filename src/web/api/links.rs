//! Links: which records of two systems are the same customer.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Asked, bad_value, before, flows, limit, page};
use crate::export::document::ListDoc;
use crate::model::text::search_fold;
use crate::report::{self, LinkDoc};
use crate::store::listing::Filter;
use crate::web::Web;
use crate::web::access::Viewer;
use crate::web::problem::Problem;

/// Which links.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LinksAsked {
    /// Of this flow only.
    flow: Option<String>,
    /// A key, or a text in any value of either record, in any letter case, script and digits.
    search: Option<String>,
    /// Rows, 1 to 500.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Lists links, newest first, with the names of both sides.
#[utoipa::path(get, path = "/api/v1/links", params(LinksAsked),
    responses((status = 200, body = ListDoc<LinkDoc>)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn list(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Asked(asked): Asked<LinksAsked>,
) -> Result<Json<ListDoc<LinkDoc>>, Problem> {
    let (limit, before) = (limit(asked.limit)?, before(asked.cursor.as_deref())?);
    let flow = asked.flow.as_deref().filter(|flow| !flow.is_empty());
    if let Some(name) = flow {
        flows::find(&web, name).map_err(|_| bad_value("flow", &name.replace('\0', "\u{fffd}")))?;
    }
    if let Some(text) = asked.search.as_deref().filter(|text| text.contains('\0')) {
        return Err(bad_value("search", &text.replace('\0', "\u{fffd}")));
    }
    Ok(Json(found(&web, flow, asked.search.as_deref(), before, limit).await?))
}

/// A page of links.
pub(in crate::web) async fn found(
    web: &Web,
    flow: Option<&str>,
    search: Option<&str>,
    before: Option<i64>,
    limit: i64,
) -> Result<ListDoc<LinkDoc>, Problem> {
    let ends = report::ends(&web.app, flow).await?;
    let typed = search.map(str::trim).filter(|text| !search_fold(text).is_empty());
    let folded = Filter { search: typed.map(str::to_owned), ..Filter::default() }.folded();
    let text = typed.zip(folded.as_deref());
    let store = &web.app.store;
    let links = store.found_links(&ends, text, before, limit + 1).await?;
    let (links, total, next) =
        page(links, limit, store.count_found_links(&ends, text).await?, |(_, link)| link.id);
    Ok(ListDoc { items: report::links(&web.app, &links).await?, total: Some(total), next })
}
