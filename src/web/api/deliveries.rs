//! Deliveries: writes to other systems, and what a person says of those that wait for one.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{Asked, Sent, bad_value, before, flows, limit, number, page, text};
use crate::export::document::ListDoc;
use crate::model::Message;
use crate::model::flow::State as Stands;
use crate::report::{self, DeliveryDoc};
use crate::store::delivery::{Delivery, Wanted};
use crate::sync::flow::{decide, restore};
use crate::web::Web;
use crate::web::access::{Operator, Viewer};
use crate::web::problem::Problem;

/// Which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeliveriesAsked {
    /// Of this flow only.
    flow: Option<String>,
    /// A state; or `open`, those that go on by themselves, or `stuck`, those that wait for a person.
    state: Option<String>,
    /// Of this record only, by its key in the system it comes from.
    record: Option<String>,
    /// Rows, 1 to 500.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// The states that a word of an address stands for; `None` when there are no such.
pub(in crate::web) fn states(word: &str) -> Option<Vec<Stands>> {
    match word {
        "" => Some(Vec::new()),
        "open" => Some(Stands::ALL.into_iter().filter(|state| state.is_open()).collect()),
        "stuck" => Some(vec![Stands::Rejected, Stands::Dead, Stands::Held]),
        word => Stands::of(word).map(|state| vec![state]),
    }
}

/// Lists deliveries, newest first.
#[utoipa::path(get, path = "/api/v1/deliveries", params(DeliveriesAsked),
    responses((status = 200, body = ListDoc<DeliveryDoc>)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn list(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Asked(asked): Asked<DeliveriesAsked>,
) -> Result<Json<ListDoc<DeliveryDoc>>, Problem> {
    let (limit, before) = (limit(asked.limit)?, before(asked.cursor.as_deref())?);
    let flow = asked.flow.unwrap_or_default();
    if !flow.is_empty() {
        flows::find(&web, &flow).map_err(|_| bad_value("flow", &flow.replace('\0', "\u{fffd}")))?;
    }
    let word = asked.state.unwrap_or_default();
    let states = states(&word).ok_or_else(|| bad_value("state", &word.replace('\0', "\u{fffd}")))?;
    let record = asked.record.unwrap_or_default();
    if record.contains('\0') {
        return Err(bad_value("record", &record.replace('\0', "\u{fffd}")));
    }
    let wanted = Wanted { flow, states, record };
    let store = &web.app.store;
    let found = store.wanted_deliveries(&wanted, before, limit + 1).await?;
    let (found, total, next) =
        page(found, limit, store.count_wanted_deliveries(&wanted).await?, |one| one.id);
    let items = report::deliveries(&web.app, &found, text()).await?;
    Ok(Json(ListDoc { items, total: Some(total), next }))
}

pub(in crate::web) async fn find(web: &Web, id: i64) -> Result<Delivery, Problem> {
    web.app.store.delivery(id).await?.ok_or_else(|| Problem::missing("web-no-delivery", id))
}

async fn document(web: &Web, id: i64) -> Result<Json<DeliveryDoc>, Problem> {
    let delivery = find(web, id).await?;
    let mut documents = report::deliveries(&web.app, &[delivery], text()).await?;
    Ok(Json(documents.pop().ok_or_else(|| Problem::missing("web-no-delivery", id))?))
}

/// One delivery.
#[utoipa::path(get, path = "/api/v1/deliveries/{id}", params(("id" = i64, Path)),
    responses((status = 200, body = DeliveryDoc)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn one(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Path(id): Path<String>,
) -> Result<Json<DeliveryDoc>, Problem> {
    document(&web, number("web-no-delivery", &id)?).await
}

/// Tries one again that was refused, tried too often or stands still.
#[utoipa::path(post, path = "/api/v1/deliveries/{id}/retry", params(("id" = i64, Path)),
    responses((status = 200, body = DeliveryDoc)), extensions(("x-role" = json!("operator"))))]
pub(super) async fn retry(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(id): Path<String>,
) -> Result<Json<DeliveryDoc>, Problem> {
    let id = number("web-no-delivery", &id)?;
    try_again(&web, id, &who.name).await?;
    document(&web, id).await
}

/// Puts back what a delivery has changed, unless somebody has changed it since.
#[utoipa::path(post, path = "/api/v1/deliveries/{id}/undo", params(("id" = i64, Path)),
    responses((status = 200, body = DeliveryDoc)), extensions(("x-role" = json!("operator"))))]
pub(super) async fn undo(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(id): Path<String>,
) -> Result<Json<DeliveryDoc>, Problem> {
    let id = number("web-no-delivery", &id)?;
    undo_one(&web, id, &who.name).await?;
    document(&web, id).await
}

/// Has a delivery undone.
pub(in crate::web) async fn undo_one(web: &Web, id: i64, by: &str) -> Result<(), Problem> {
    match restore::undo(&web.app.store, id, by).await? {
        Ok(()) => Ok(()),
        Err("delivery-unknown") => Err(Problem::missing("web-no-delivery", id)),
        Err(why) => Err(Problem::conflict(&Message::new(why).with("delivery", id))),
    }
}

/// What became of a delivery that nobody could tell of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Resolution {
    /// Whether it was done; if not, it is tried again.
    applied: bool,
    /// The key or number of what was written, where that is not known.
    r#ref: Option<String>,
}

/// Says what became of a delivery that nobody could tell of.
#[utoipa::path(post, path = "/api/v1/deliveries/{id}/resolve", params(("id" = i64, Path)),
    request_body = Resolution, responses((status = 200, body = DeliveryDoc)),
    extensions(("x-role" = json!("operator"))))]
pub(super) async fn resolve(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(id): Path<String>,
    Sent(said): Sent<Resolution>,
) -> Result<Json<DeliveryDoc>, Problem> {
    let id = number("web-no-delivery", &id)?;
    settle(&web, id, said.applied, said.r#ref.as_deref(), &who.name).await?;
    document(&web, id).await
}

/// Tries one again; one that may have written a document is for somebody who has looked to speak of.
pub(in crate::web) async fn try_again(web: &Web, id: i64, by: &str) -> Result<(), Problem> {
    if !decide::may_be_retried(&find(web, id).await?) {
        return Err(Problem::conflict(&Message::new("delivery-say-which").with("delivery", id)));
    }
    settle(web, id, false, None, by).await
}

/// Puts on record what a person says of a delivery.
pub(in crate::web) async fn settle(
    web: &Web,
    id: i64,
    applied: bool,
    key: Option<&str>,
    by: &str,
) -> Result<(), Problem> {
    let delivery = find(web, id).await?;
    let key = key.map(str::trim).filter(|key| !key.is_empty());
    if let Some(key) = key.filter(|key| key.contains('\0')) {
        return Err(bad_value("ref", &key.replace('\0', "\u{fffd}")));
    }
    let about = |message: &str| Message::new(message).with("delivery", id);
    if applied && key.is_none() && delivery.target.is_none() {
        return Err(Problem::bad(&about("api-delivery-needs-ref")));
    }
    let mut tx = web.app.store.begin().await?;
    if !decide::resolve(&mut tx, &delivery, applied, key, by).await? {
        return Err(Problem::conflict(&about("delivery-not-still")));
    }
    Ok(tx.commit().await?)
}
