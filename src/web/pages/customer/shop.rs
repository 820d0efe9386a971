//! What the page of a shop's customer shows: who, points, what was bought.

use super::super::show::{self, Time, maybe_amount, money, number};
use super::Value;
use crate::connect::onec::Onec;
use crate::model::amount::{AMOUNT, Measure, POINTS_IN, QUANTITY};
use crate::model::customer::ShopView;
use crate::store::listing::EntryRow;
use crate::words::Words;

/// Lines shown; the API has the rest.
pub(super) const LINES: i64 = 100;

/// A line of what was bought.
pub(super) struct Bought {
    pub when: Time,
    pub kind: String,
    pub product: String,
    pub quantity: String,
    pub amount: String,
    pub document: String,
}

/// What was bought, and how many lines of packaging are folded away.
pub(super) struct Purchases {
    pub lines: Vec<Bought>,
    pub packaging: usize,
    /// The head of what was paid, with its currency.
    pub paid: String,
    pub more: Option<String>,
}

/// The values of a customer, and where they come from.
pub(super) fn values(shop: &Onec, view: &ShopView, words: &Words) -> Vec<Value> {
    let said = |text: &Option<String>| text.clone().unwrap_or_else(|| show::UNKNOWN.to_owned());
    let value = |name: &str, value: String, from: String, derived: bool| Value {
        name: words.text(name),
        value,
        from,
        derived,
    };
    let plain = |id: &str| words.text(id);
    let paid = |value: Option<i64>| money(value, Some(&shop.currency));
    let city = match &view.city_rule {
        Some(rule) => words.with("web-from-city", &[("rule", &words.text(&format!("city-rule-{rule}")))]),
        None => plain("web-from-no-city"),
    };
    let points = words.text(&format!("points-rule-{}", shop.points_rule.word()));
    vec![
        value("export-name", said(&view.name), plain("web-from-person"), false),
        value("export-phone", said(&view.phone), plain("web-from-card"), false),
        value("web-email", said(&view.email), plain("web-from-person"), false),
        value("web-born", said(&view.born), plain("web-from-person"), false),
        value("export-city", said(&view.city), city, true),
        value("export-points", maybe_amount(view.points, POINTS_IN), points, true),
        value("web-opening", paid(view.opening), plain("web-from-opening"), true),
        value("export-purchases", paid(view.purchased), plain("web-from-purchases"), true),
        value("export-spent", paid(view.spent), plain("web-from-both"), true),
        value("export-last-purchase", said(&view.last_purchase), plain("web-from-purchases"), true),
    ]
}

/// What was bought, newest first, packaging folded away. `total` counts all lines there are.
pub(super) fn purchases(shop: &Onec, rows: Vec<EntryRow>, total: i64, words: &Words) -> Purchases {
    let shown = rows.len() as i64;
    let (packaging, lines): (Vec<EntryRow>, Vec<EntryRow>) =
        rows.into_iter().partition(|row| shop.is_packaging(row.product.as_deref(), row.article.as_deref()));
    let quantity = Measure { name: "quantity", scale: QUANTITY };
    let line = |row: EntryRow| Bought {
        kind: words.text(&format!("entry-{}", row.kind)),
        product: row.product.unwrap_or_else(|| show::UNKNOWN.to_owned()),
        quantity: maybe_amount(row.quantity, quantity),
        amount: maybe_amount(row.amount, AMOUNT),
        document: row.document_type.unwrap_or(row.document),
        when: show::on_clock(row.at, shop.clock(row.at)),
    };
    Purchases {
        packaging: packaging.len(),
        paid: words.with("web-paid", &[("currency", &shop.currency)]),
        lines: lines.into_iter().map(line).collect(),
        more: (shown < total).then(|| number(total - shown)),
    }
}
