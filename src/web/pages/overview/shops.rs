//! The shops in their own words: customers, cards, what was bought, points.

use super::super::link;
use super::super::show::{self, number};
use super::super::state::{Figure, State as Look};
use crate::app::App;
use crate::connect::{Connector, Table};
use crate::model::amount::{AMOUNT, POINTS_IN};
use crate::words::Words;

/// A shop with what is stored of it.
pub struct ShopRow {
    /// The system.
    pub name: String,
    /// The owner set on it.
    pub owner: Option<String>,
    /// The way to its customers.
    pub href: String,
    /// Customers.
    pub customers: String,
    /// Cards stored.
    pub cards: String,
    /// Cards at the source.
    pub source: String,
    /// Stored − source.
    pub difference: Figure,
    /// Whether that is nothing.
    pub state: Look,
    /// The currency of its money.
    pub currency: String,
    /// Opening balances.
    pub opening: String,
    /// Purchases less returns.
    pub purchases: String,
    /// Both together.
    pub total: String,
    /// Points that may be spent.
    pub points: String,
}

/// What is stored of each shop, in cards beside what it says it has, and what its customers have.
pub async fn shops(app: &App, words: &Words) -> anyhow::Result<Vec<ShopRow>> {
    let totals = app.store.shops().await?;
    let mut rows = Vec::new();
    for source in app.sources.iter().filter(|source| source.connector.shop().is_some()) {
        let streams = source.connector.streams().iter();
        let mut there = None;
        for stream in streams.filter(|stream| stream.table == Table::Card) {
            there = app.store.source_count(&source.name, stream.name).await?.map(|(count, _)| count);
        }
        let totals = totals.iter().find(|totals| totals.system == source.name);
        let cards = totals.map_or(0, |totals| totals.cards);
        let money = |value: Option<i64>| show::maybe_amount(value, AMOUNT);
        let difference = there.map(|there| cards - there);
        rows.push(ShopRow {
            name: source.name.clone(),
            owner: source.owner.clone(),
            href: link::to("/customers", &[("system", Some(source.name.as_str()))]),
            customers: number(totals.map_or(0, |totals| totals.customers)),
            cards: number(cards),
            source: show::maybe(there),
            difference: Figure::plain(show::maybe(difference)).loud(difference.is_some_and(|d| d != 0)),
            state: Look::agrees(difference.map(|difference| difference == 0), words),
            currency: source.connector.currency().unwrap_or(show::UNKNOWN).to_owned(),
            opening: money(totals.and_then(|totals| totals.opening)),
            purchases: money(totals.and_then(|totals| totals.purchased)),
            total: money(totals.and_then(|totals| totals.spent)),
            points: show::maybe_amount(totals.and_then(|totals| totals.points), POINTS_IN),
        });
    }
    Ok(rows)
}
