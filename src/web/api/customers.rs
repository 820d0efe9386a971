//! Customers: the list, its sums, and everything about one of them.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::{Asked, bad_cursor, bad_value, known_system, limit, number};
use crate::export::document::{self, AccountDoc, CustomerDoc, ListDoc, SumsDoc};
use crate::model::Message;
use crate::report::time;
use crate::store::listing::lineage::{fields, lineage};
use crate::store::listing::{BadCursor, Filter, Item, Order, Shape};
use crate::web::Web;
use crate::web::access::Viewer;
use crate::web::problem::Problem;

/// Which customers, and how the list looks.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CustomersAsked {
    /// A text in any value of their records, in any letter case, script and digits.
    pub search: Option<String>,
    /// Owner (`Ham`, `Unknown`), in any letter case.
    pub owner: Option<String>,
    /// System.
    pub system: Option<String>,
    /// The source's own status.
    pub status: Option<String>,
    /// ISO alpha-2 country.
    pub country: Option<String>,
    /// City, in any letter case.
    pub city: Option<String>,
    /// `ACTIVE` or `INACTIVE`.
    pub activity: Option<String>,
    /// `true`: those that left the source.
    pub gone: Option<bool>,
    /// `id`, `key`, `country`, `status`, `reward`, `rebate`, `owner`, `partner_account`,
    /// `registered`, `accounts`, `last_trade`, or of shops `city`, `points`, `spent`, `purchases`,
    /// `last_purchase`, or of CRM and finance systems `number`; with `-` before it the largest first. What is unknown comes last.
    pub sort: Option<String>,
    /// `customers`, `accounts`, `shop`, or `contacts` of CRM and finance systems.
    pub view: Option<String>,
    /// Rows, 1 to 500.
    pub limit: Option<i64>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

impl CustomersAsked {
    /// The filter, the order and the shape; an empty parameter is none.
    pub fn list(&self) -> Result<(Filter, Order, Shape), Problem> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let order = match given(&self.sort) {
            None => Order::default(),
            Some(word) => Order::of(&word).ok_or_else(|| bad_value("sort", &word))?,
        };
        let shape = match given(&self.view).as_deref() {
            None => Shape::Customers,
            Some(word) => Shape::of(word).ok_or_else(|| bad_value("view", word))?,
        };
        let activity = given(&self.activity);
        let known = |word: &&String| ["ACTIVE", "INACTIVE"].contains(&word.trim().to_uppercase().as_str());
        if let Some(other) = activity.as_ref().filter(|word| !known(word)) {
            return Err(bad_value("activity", &other.replace('\0', "\u{fffd}")));
        }
        let filter = Filter {
            search: given(&self.search),
            owner: given(&self.owner),
            system: given(&self.system),
            status: given(&self.status),
            country: given(&self.country),
            city: given(&self.city),
            activity,
            gone: self.gone,
        };
        // No text of ours holds a NUL, and PostgreSQL takes none.
        let Filter { search, owner, system, status, country, city, .. } = &filter;
        let texts = [search, owner, system, status, country, city];
        if let Some(text) = texts.into_iter().flatten().find(|text| text.contains('\0')) {
            return Err(bad_value("search", &text.replace('\0', "\u{fffd}")));
        }
        Ok((filter, order, shape))
    }

    /// Refuses what only pages of the list take.
    pub fn whole(&self) -> Result<(), Problem> {
        if self.limit.is_some() || self.cursor.is_some() {
            return Err(super::bad_request("api-bad-query", "limit and cursor belong to the list"));
        }
        Ok(())
    }
}

/// Lists customers, or their accounts.
#[utoipa::path(get, path = "/api/v1/customers", params(CustomersAsked),
    responses((status = 200, body = ListDoc<CustomerDoc>)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn list(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Asked(asked): Asked<CustomersAsked>,
) -> Result<Json<ListDoc<CustomerDoc>>, Problem> {
    let (filter, order, shape) = asked.list()?;
    known_system(&web, filter.system.as_deref()).await?;
    let limit = limit(asked.limit)?;
    let store = &web.app.store;
    let mut listed = store
        .customers(&filter, shape, order, asked.cursor.as_deref(), limit)
        .await
        .map_err(|error| if error.is::<BadCursor>() { bad_cursor() } else { error.into() })?;
    store.tie(&mut listed.items, &web.app.ties()).await?;
    let mut items: Vec<CustomerDoc> =
        listed.items.iter().map(|item| document::customer(item, web.app.currency(&item.system))).collect();
    if let Some(folded) = filter.folded() {
        let mut ids: Vec<i64> = listed.items.iter().map(|item| item.id).collect();
        ids.dedup();
        let matches = store.matches(&ids, &folded).await?;
        for item in &mut items {
            item.matched = match &item.account {
                Some(account) => matches.accounts.get(&account.id).cloned(),
                None => matches.customers.get(&item.id).cloned(),
            };
        }
    }
    Ok(Json(ListDoc { items, total: listed.total, next: listed.next }))
}

/// Counts and sums of the whole filtered set.
#[utoipa::path(get, path = "/api/v1/customers/sums", params(CustomersAsked),
    responses((status = 200, body = SumsDoc)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn sums(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Asked(asked): Asked<CustomersAsked>,
) -> Result<Json<SumsDoc>, Problem> {
    let (filter, _, shape) = asked.list()?;
    known_system(&web, filter.system.as_deref()).await?;
    asked.whole()?;
    let totals = web.app.store.customer_sums(&filter).await?;
    let rows = totals.rows(shape);
    let currency = web.app.currency_of(filter.system.as_deref()).await?;
    Ok(Json(document::sums(totals, rows, currency)))
}

pub(super) async fn find(web: &Web, id: &str) -> Result<Item, Problem> {
    let missing = "web-no-customer";
    let item = web.app.store.customer_item(number(missing, id)?).await?;
    let mut item = item.ok_or_else(|| Problem::missing(missing, id))?;
    web.app.store.tie(std::slice::from_mut(&mut item), &web.app.ties()).await?;
    Ok(item)
}

/// One customer.
#[utoipa::path(get, path = "/api/v1/customers/{id}", params(("id" = i64, Path)),
    responses((status = 200, body = CustomerDoc)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn one(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Path(id): Path<String>,
) -> Result<Json<CustomerDoc>, Problem> {
    let item = find(&web, &id).await?;
    Ok(Json(document::customer(&item, web.app.currency(&item.system))))
}

/// The accounts of a customer, those that left the source as well.
#[utoipa::path(get, path = "/api/v1/customers/{id}/accounts", params(("id" = i64, Path)),
    responses((status = 200, body = ListDoc<AccountDoc>)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn accounts(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Path(id): Path<String>,
) -> Result<Json<ListDoc<AccountDoc>>, Problem> {
    let customer = find(&web, &id).await?;
    let accounts = web.app.store.accounts_of(customer.id).await?;
    Ok(Json(ListDoc::whole(accounts.iter().map(document::account).collect())))
}

/// A moment to look back to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryAsked {
    /// RFC 3339, or a date for its end: only what was valid then.
    as_of: Option<String>,
}

/// A version of a record.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VersionDoc {
    /// The record.
    record: i64,
    /// The system.
    system: String,
    /// The stream.
    stream: String,
    /// Its key within the stream.
    key: String,
    /// Since when it was so.
    valid_from: String,
    /// Until when; null: it is still so.
    valid_to: Option<String>,
    /// The run that stored it (when it is still so) or replaced it.
    run: i64,
    /// The run that no longer found the record.
    gone_run: Option<i64>,
    /// The payload, as the source sent it.
    #[schema(value_type = Object)]
    raw: Box<RawValue>,
}

/// The versions of a customer's records, newest first.
#[utoipa::path(get, path = "/api/v1/customers/{id}/history", params(("id" = i64, Path), HistoryAsked),
    responses((status = 200, body = ListDoc<VersionDoc>)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn history(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Path(id): Path<String>,
    Asked(asked): Asked<HistoryAsked>,
) -> Result<Json<ListDoc<VersionDoc>>, Problem> {
    let at = asked.as_of.as_deref().map(moment).transpose()?;
    let customer = find(&web, &id).await?;
    let (records, versions) =
        (web.app.store.records_of(customer.id).await?, web.app.store.versions_of(customer.id).await?);
    let mut items = Vec::new();
    for record in records.into_iter().filter(|r| at.is_none_or(|at| r.valid_from <= at)) {
        items.push(VersionDoc {
            record: record.id,
            system: record.system,
            stream: record.stream,
            key: record.key,
            valid_from: time(record.valid_from),
            valid_to: None,
            run: record.changed_run,
            gone_run: record.gone_run,
            raw: raw(&record.raw)?,
        });
    }
    for version in versions.into_iter().filter(|v| at.is_none_or(|at| v.valid_from <= at && at < v.valid_to))
    {
        items.push(VersionDoc {
            record: version.record,
            system: version.system,
            stream: version.stream,
            key: version.key,
            valid_from: time(version.valid_from),
            valid_to: Some(time(version.valid_to)),
            run: version.run,
            gone_run: None,
            raw: raw(&version.raw)?,
        });
    }
    Ok(Json(ListDoc::whole(items)))
}

/// Payloads are JSON, or they would have been rejected; what is not is shown as text.
fn raw(text: &str) -> Result<Box<RawValue>, Problem> {
    let json = RawValue::from_string(text.to_owned()).or_else(|_| serde_json::value::to_raw_value(text));
    json.map_err(|error| anyhow::Error::from(error).into())
}

/// Microseconds since 1970 UTC of a time, or of the end of a day.
fn moment(text: &str) -> Result<i64, Problem> {
    // A plus in a query string is a space.
    let text = text.trim().replace(' ', "+");
    let time = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let next = text.parse::<jiff::civil::Date>().ok()?.tomorrow().ok()?;
        Some(next.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp() - jiff::SignedDuration::from_micros(1))
    });
    let bad = || Problem::bad(&Message::new("api-bad-value").with("name", "as_of").with("value", &text));
    time.map(jiff::Timestamp::as_microsecond).ok_or_else(bad)
}

/// Which value.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ExplainAsked {
    /// The name of a value of the customer; every one when left out.
    field: Option<String>,
}

/// Where a value comes from.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LineageDoc {
    /// The value's name.
    field: &'static str,
    /// The value.
    value: Option<String>,
    /// How it was made.
    rule: String,
    /// What it was made of.
    sources: Vec<OriginDoc>,
}

/// A field of a stored record.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OriginDoc {
    /// The system.
    system: String,
    /// The stream.
    stream: String,
    /// The record.
    record: i64,
    /// Its key within the stream.
    key: String,
    /// The field's name in the payload.
    raw_field: &'static str,
    /// What it holds.
    #[schema(value_type = Object)]
    raw_value: serde_json::Value,
    /// The run that stored it.
    run: i64,
    /// Since when it is so.
    valid_from: String,
}

/// Where the values of a customer come from: raw field, rule, run.
#[utoipa::path(get, path = "/api/v1/customers/{id}/explain", params(("id" = i64, Path), ExplainAsked),
    responses((status = 200, body = ListDoc<LineageDoc>)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn explain(
    State(web): State<Web>,
    Viewer(_): Viewer,
    Path(id): Path<String>,
    Asked(asked): Asked<ExplainAsked>,
) -> Result<Json<ListDoc<LineageDoc>>, Problem> {
    let customer = find(&web, &id).await?;
    let known = fields().collect::<Vec<_>>();
    if let Some(field) = asked.field.as_deref().filter(|field| !known.contains(field)) {
        let message = Message::new("api-unknown-field").with("field", field).with("known", known.join(", "));
        return Err(Problem::bad(&message));
    }
    let records = web.app.store.records_of(customer.id).await?;
    let documents = lineage(&customer, &records, asked.field.as_deref()).into_iter().map(|lineage| {
        let origins = lineage.sources.into_iter().map(|origin| OriginDoc {
            system: origin.system,
            stream: origin.stream,
            record: origin.record,
            key: origin.key,
            raw_field: origin.raw_field,
            raw_value: origin.raw_value,
            run: origin.run,
            valid_from: time(origin.valid_from),
        });
        LineageDoc {
            field: lineage.field,
            value: lineage.value,
            rule: lineage.rule,
            sources: origins.collect(),
        }
    });
    Ok(Json(ListDoc::whole(documents.collect())))
}
