//! `/api/v1/customers/{id}/purchases` and `…/points`: what a shop's customer bought, and its points.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::customers::find;
use super::{Asked, bad_cursor, limit};
use crate::connect::onec::Onec;
use crate::export::document::ListDoc;
use crate::model::amount::{MONEY, QUANTITY, show};
use crate::report::time;
use crate::store::listing::EntryRow;
use crate::web::Web;
use crate::web::access::Viewer;
use crate::web::problem::Problem;

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EntriesAsked {
    /// Rows, 1 to 500.
    pub limit: Option<i64>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

/// Something bought, brought back, or taken over from the old system.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PurchaseDoc {
    /// RFC 3339, UTC.
    at: String,
    /// The day on the source's calendar.
    day: String,
    /// `YYYY-MM-DDTHH:MM:SS` on the source's clock; null when the shop is not configured any more.
    clock: Option<String>,
    /// `opening_balance`, `purchase` or `return`.
    kind: String,
    /// The type of its document.
    document_type: Option<String>,
    /// Its document.
    document: String,
    /// Its line there.
    line: String,
    /// What it is.
    product: Option<String>,
    /// Its article.
    article: Option<String>,
    /// Whether that is packaging: left out of what was bought, kept in the money.
    packaging: bool,
    /// Decimal.
    quantity: Option<String>,
    /// Decimal, negative for a return.
    amount: Option<String>,
    /// ISO code; null when the shop is not configured any more.
    currency: Option<String>,
}

/// A movement of points.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PointsDoc {
    /// RFC 3339, UTC; in the future it does not count yet.
    at: String,
    /// The day on the source's calendar.
    day: String,
    /// `YYYY-MM-DDTHH:MM:SS` on the source's clock; null when the shop is not configured any more.
    clock: Option<String>,
    /// The type of its document.
    document_type: Option<String>,
    /// Its document.
    document: String,
    /// Its line there.
    line: String,
    /// Decimal.
    earned: Option<String>,
    /// Decimal.
    to_be_spent: Option<String>,
}

/// What a shop's customer bought, newest first, opening balances among it.
#[utoipa::path(get, path = "/api/v1/customers/{id}/purchases", params(("id" = i64, Path), EntriesAsked),
    responses((status = 200, body = ListDoc<PurchaseDoc>)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn purchases(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Path(id): Path<String>,
    Asked(asked): Asked<EntriesAsked>,
) -> Result<Json<ListDoc<PurchaseDoc>>, Problem> {
    let customer = find(&web, &id).await?;
    let shop = web.app.source(&customer.system).and_then(|source| source.connector.shop());
    let packaging = |row: &EntryRow| {
        shop.is_some_and(|shop| shop.is_packaging(row.product.as_deref(), row.article.as_deref()))
    };
    let listed = list(&web, customer.id, false, &asked).await?;
    Ok(Json(listed.map(|row| PurchaseDoc {
        at: time(row.at),
        clock: clock(shop, row.at),
        packaging: packaging(&row),
        quantity: row.quantity.map(|value| show(i128::from(value), QUANTITY)),
        amount: row.amount.map(|value| show(i128::from(value), MONEY)),
        currency: shop.map(|shop| shop.currency.clone()),
        day: row.day,
        kind: row.kind,
        document_type: row.document_type,
        document: row.document,
        line: row.line,
        product: row.product,
        article: row.article,
    })))
}

/// The points of a shop's customer, newest first, those of the future among them.
#[utoipa::path(get, path = "/api/v1/customers/{id}/points", params(("id" = i64, Path), EntriesAsked),
    responses((status = 200, body = ListDoc<PointsDoc>)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn points(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Path(id): Path<String>,
    Asked(asked): Asked<EntriesAsked>,
) -> Result<Json<ListDoc<PointsDoc>>, Problem> {
    let customer = find(&web, &id).await?;
    let listed = list(&web, customer.id, true, &asked).await?;
    let shop = web.app.source(&customer.system).and_then(|source| source.connector.shop());
    Ok(Json(listed.map(|row| PointsDoc {
        at: time(row.at),
        clock: clock(shop, row.at),
        earned: row.points_in.map(|value| show(i128::from(value), MONEY)),
        to_be_spent: row.points_out.map(|value| show(i128::from(value), MONEY)),
        day: row.day,
        document_type: row.document_type,
        document: row.document,
        line: row.line,
    })))
}

/// A moment on the clock of a shop.
fn clock(shop: Option<&Onec>, at: i64) -> Option<String> {
    Some(shop?.clock(at)?.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

/// A page of a customer's movements.
async fn list(
    web: &Web,
    customer: i64,
    points: bool,
    asked: &EntriesAsked,
) -> Result<ListDoc<EntryRow>, Problem> {
    let limit = limit(asked.limit)?;
    let offset = asked.cursor.as_deref().map_or(Ok(0), str::parse::<u32>).map_err(|_| bad_cursor())?;
    let offset = i64::from(offset);
    let store = &web.app.store;
    let items = store.entries(customer, points, offset, limit).await?;
    let total = store.count_entries(customer, points).await?;
    let end = offset + items.len() as i64;
    Ok(ListDoc { items, total: Some(total), next: (end < total).then(|| end.to_string()) })
}
