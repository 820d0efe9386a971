//! Changes that happen at the source while nobody looks: some rows of a stream become others.
//!
//! Fields keep their order and everything that is not changed its exact text.

use fastrand::Rng;
use rust_decimal::Decimal;
use serde_json::Value;

use super::table::{Fields, Table};

/// The rows of a table with so many percent of them changed, and how many these were. Which ones
/// and how depends on the seed and the number of the call alone.
pub(super) fn some(table: &Table, percent: f64, seed: u64, call: u64) -> (Vec<String>, u64) {
    let mut rng = dice(seed, call);
    let mut rows = table.rows.clone();
    let mut picked: Vec<usize> = (0..rows.len()).collect();
    rng.shuffle(&mut picked);
    picked.truncate(share(rows.len(), percent));
    let mut changed = 0;
    for index in picked {
        if let Ok(fields) = serde_json::from_str::<Fields>(&rows[index]) {
            let edits = match table.shape.name {
                "accounts" => account(&fields, &mut rng),
                "clients" => client(&fields, &mut rng),
                _ => trader(&fields, &mut rng),
            };
            rows[index] = edited(&fields, &edits);
            changed += 1;
        }
    }
    (rows, changed)
}

/// What decides the changes of one call.
pub(super) fn dice(seed: u64, call: u64) -> Rng {
    Rng::with_seed(seed.wrapping_mul(7_919).wrapping_add(call))
}

/// So many percent of a count, rounded up.
pub(super) fn share(count: usize, percent: f64) -> usize {
    (count as f64 * percent.clamp(0.0, 100.0) / 100.0).ceil() as usize
}

type Edit = (&'static str, String);

/// An account trades more and earns more.
fn account(fields: &Fields, rng: &mut Rng) -> Vec<Edit> {
    let lots = Decimal::new(rng.i64(1..2_000), 2);
    let cents = Decimal::new(rng.i64(1..5_000), 2);
    let mut edits = vec![
        ("volume_lots", more(fields, "volume_lots", lots)),
        ("volume_mln_usd", more(fields, "volume_mln_usd", lots / Decimal::TEN)),
        ("reward", format!("\"{}\"", more(fields, "reward", cents))),
        ("reward_usd", format!("\"{}\"", more(fields, "reward_usd", cents))),
    ];
    if fields.text("trade_fn").is_none() {
        edits.push(("trade_fn", "\"2026-06-30\"".to_owned()));
    }
    edits
}

/// A client gets a rebate, and every second one another status.
fn client(fields: &Fields, rng: &mut Rng) -> Vec<Edit> {
    let cents = Decimal::new(rng.i64(1..3_000), 2);
    let mut edits = vec![("rebate_amount_usd", more(fields, "rebate_amount_usd", cents))];
    if rng.bool() {
        let status = fields.text("client_status").unwrap_or_default().to_ascii_uppercase();
        let status = if status == "ACTIVE" { "LEFT" } else { "ACTIVE" };
        edits.push(("client_status", format!("\"{status}\"")));
    }
    edits
}

/// A trader moves to another campaign, and every second one becomes valid or ceases to be.
fn trader(fields: &Fields, rng: &mut Rng) -> Vec<Edit> {
    let now = fields.text("campaign").unwrap_or_default();
    let others: Vec<&str> =
        ["low", "pay U", "RB you", "K.kan"].into_iter().filter(|name| *name != now).collect();
    let mut edits = vec![("campaign", format!("\"{}\"", others[rng.usize(..others.len())]))];
    if rng.bool() {
        edits.push(("valid", (fields.raw("valid") != Some("true")).to_string()));
    }
    edits
}

fn more(fields: &Fields, name: &str, by: Decimal) -> String {
    let amount = fields.amount(name).unwrap_or_default();
    amount.checked_add(by).unwrap_or(by).to_string()
}

/// The row with some fields replaced, or added when it lacked them.
fn edited(fields: &Fields, edits: &[Edit]) -> String {
    let mut parts: Vec<(&str, &str)> =
        fields.0.iter().map(|(name, value)| (name.as_str(), value.get())).collect();
    for (name, value) in edits {
        match parts.iter_mut().find(|(field, _)| field == name) {
            Some(part) => part.1 = value,
            None => parts.push((name, value)),
        }
    }
    let part = |(name, value): &(&str, &str)| format!("{}:{value}", Value::String((*name).to_owned()));
    format!("{{{}}}", parts.iter().map(part).collect::<Vec<_>>().join(","))
}
