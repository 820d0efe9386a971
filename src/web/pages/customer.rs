//! One customer: who, whose, what hangs on them, where each value comes from, what it was before.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

use super::diff::{Change, changes, fields};
use super::overview::owner_label;
use super::show::{self, Time, maybe_amount, moment, number};
use super::{Frame, numbered, render, state};
use crate::model::amount::{REBATE_USD, REWARD_USD, VOLUME_LOTS, VOLUME_MLN_USD};
use crate::store::listing::{AccountRow, Item, RecordRow, VersionRow};
use crate::sync::settle::compute;
use crate::web::Web;
use crate::web::access::{Viewer, Who};
use crate::web::problem::Problem;
use crate::words::Words;

mod contact;
mod documents;
pub mod parity;
mod shop;

use parity::Panel;

/// A value of the customer and how it came about.
struct Value {
    name: String,
    value: String,
    from: String,
    derived: bool,
}

struct AccountView {
    number: String,
    kind: String,
    currency: String,
    country: String,
    partner: String,
    status: String,
    opened: String,
    last_trade: String,
    lots: String,
    turnover: String,
    reward: String,
    gone: bool,
}

struct RecordView {
    title: String,
    key: String,
    since: Time,
    run: i64,
    first_run: i64,
    gone_run: Option<i64>,
    fields: Vec<(String, String)>,
    raw: String,
}

struct VersionView {
    title: String,
    key: String,
    from: Time,
    to: Time,
    run: i64,
    changes: Vec<Change>,
}

#[derive(Template)]
#[template(path = "customer.html")]
struct Customer {
    f: Frame,
    id: i64,
    /// Of systems that can be asked for one customer.
    parity: Option<Panel>,
    title: String,
    system: String,
    gone: bool,
    bought: Option<shop::Purchases>,
    /// Of CRM and finance systems.
    contact: Option<contact::ContactPage>,
    /// Of systems that have any.
    documents: Option<documents::Documents>,
    values: Vec<Value>,
    accounts: Vec<AccountView>,
    records: Vec<RecordView>,
    versions: Vec<VersionView>,
}

/// `GET /customers/{id}`
pub async fn page(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let item = found(&web, &id).await?;
    let panel = Panel::unasked(&who);
    show_customer(&web, who, item, panel).await
}

/// The customer of that number.
async fn found(web: &Web, id: &str) -> Result<Item, Problem> {
    let item = web.app.store.customer_item(numbered("web-no-customer", id)?).await?;
    item.ok_or_else(|| Problem::missing("web-no-customer", id))
}

async fn show_customer(web: &Web, who: Who, item: Item, panel: Panel) -> Result<Response, Problem> {
    let app = &web.app;
    let mut f = Frame::new(app, who, "/customers", "web-customer").await?;
    let title = item.shop.name.clone().unwrap_or_else(|| item.key.clone());
    f.title = format!("{} {title}", f.title);
    let accounts = app.store.accounts_of(item.id).await?;
    let records = app.store.records_of(item.id).await?;
    let versions = app.store.versions_of(item.id).await?;
    let words = f.words;
    let (values, bought, parity);
    let mut contact = None;
    if app.config.system(&item.system).is_some_and(|system| system.connector.contacts().is_some()) {
        contact = Some(contact::page(web, &item, &records, &versions, words).await?);
        (values, bought, parity) = (Vec::new(), None, None);
    } else if let Some(shop) = app.source(&item.system).and_then(|source| source.connector.shop()) {
        // As of now: points of the future begin to count by themselves.
        let rules = app.owners.rules(&item.system, &app.store.owner_rules().await?);
        let view = compute(&app.store, &rules, &[item.id]).await?.into_iter().next();
        let view = view.and_then(|view| view.shop).unwrap_or_default();
        values = shop::values(shop, &view, words);
        let rows = app.store.entries(item.id, false, 0, shop::LINES).await?;
        let total = app.store.count_entries(item.id, false).await?;
        bought = Some(shop::purchases(shop, rows, total, words));
        parity = Some(panel);
    } else {
        (values, bought, parity) = (broker_values(&item, words), None, None);
    }
    let of_documents = app.source(&item.system).is_some_and(|source| source.connector.crm().is_some());
    let documents = if of_documents { Some(documents::of(&app.store, item.id, words).await?) } else { None };
    render(&Customer {
        id: item.id,
        parity,
        title,
        bought,
        contact,
        documents,
        values,
        accounts: accounts.into_iter().map(account).collect(),
        versions: history(&records, &versions, words),
        records: records.into_iter().map(|one| record(one, words)).collect(),
        system: item.system,
        gone: item.gone,
        f,
    })
}

fn broker_values(item: &Item, words: &Words) -> Vec<Value> {
    let unknown = || show::UNKNOWN.to_owned();
    let value = |name: &str, value: String, from: &str, derived: bool| Value {
        name: words.text(name),
        value,
        from: words.text(from),
        derived,
    };
    let activity = item
        .activity
        .as_deref()
        .map(|activity| words.text(if activity == "ACTIVE" { "web-traded" } else { "web-not-traded" }));
    let mut values = vec![
        value("web-status", item.status.clone().unwrap_or_else(unknown), "web-from-source", false),
        value("web-activity", activity.unwrap_or_else(unknown), "web-from-activity", true),
        value("web-country", item.country.clone().unwrap_or_else(unknown), "web-from-source", false),
        value(
            "web-partner-account",
            item.partner_account.clone().unwrap_or_else(unknown),
            "web-from-partner",
            false,
        ),
        value("web-accounts", number(item.accounts), "web-from-accounts", true),
        value("web-reward-usd", maybe_amount(item.reward_usd, REWARD_USD), "web-from-sum", true),
        value("web-rebate-usd", maybe_amount(item.rebate_usd, REBATE_USD), "web-from-rebate", true),
        value("web-lots", maybe_amount(item.volume_lots, VOLUME_LOTS), "web-from-sum", true),
        value("web-turnover", maybe_amount(item.volume_mln_usd, VOLUME_MLN_USD), "web-from-sum", true),
        value(
            "web-registered",
            item.registered.clone().unwrap_or_else(unknown),
            "web-from-registered",
            false,
        ),
        value("web-last-trade", item.last_trade.clone().unwrap_or_else(unknown), "web-from-last-trade", true),
    ];
    let rule = words.text(&format!("owner-rule-{}", item.owner_rule));
    let owner = Value {
        name: words.text("web-owner"),
        value: owner_label(&item.owner, words),
        from: words.with("web-from-rule", &[("rule", &rule)]),
        derived: true,
    };
    values.insert(0, owner);
    values
}

fn account(account: AccountRow) -> AccountView {
    let or_unknown = |text: Option<String>| text.unwrap_or_else(|| show::UNKNOWN.to_owned());
    AccountView {
        number: account.number,
        kind: or_unknown(account.kind),
        currency: or_unknown(account.currency),
        country: or_unknown(account.country),
        partner: or_unknown(account.partner_account),
        status: or_unknown(account.status),
        opened: or_unknown(account.opened),
        last_trade: or_unknown(account.last_trade),
        lots: maybe_amount(account.volume_lots, VOLUME_LOTS),
        turnover: maybe_amount(account.volume_mln_usd, VOLUME_MLN_USD),
        reward: maybe_amount(account.reward_usd, REWARD_USD),
        gone: account.gone,
    }
}

fn record(record: RecordRow, words: &Words) -> RecordView {
    RecordView {
        title: state::stream(&record.stream, words),
        key: record.key,
        since: moment(record.valid_from),
        run: record.changed_run,
        first_run: record.first_run,
        gone_run: record.gone_run,
        fields: fields(&record.raw).into_iter().collect(),
        raw: record.raw,
    }
}

/// Each former version with what the next one changed, newest first.
fn history(records: &[RecordRow], versions: &[VersionRow], words: &Words) -> Vec<VersionView> {
    let follower = |version: &VersionRow| {
        let of = |other: &&VersionRow| {
            other.record == version.record
                && other.stream == version.stream
                && other.valid_from > version.valid_from
        };
        let later = versions.iter().filter(of).min_by_key(|other| other.valid_from).map(|other| &other.raw);
        let now = |record: &&RecordRow| record.id == version.record && record.stream == version.stream;
        later.or_else(|| records.iter().find(now).map(|record| &record.raw))
    };
    versions
        .iter()
        .map(|version| VersionView {
            title: state::stream(&version.stream, words),
            key: version.key.clone(),
            from: moment(version.valid_from),
            to: moment(version.valid_to),
            run: version.run,
            changes: changes(Some(version.raw.as_str()), follower(version).map(String::as_str)),
        })
        .collect()
}
