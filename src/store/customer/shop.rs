//! The customers of shops: what they are added up from, and what only they have.

use anyhow::{Context, Result};

use super::{CUT, RECORD, UNIT, read_name};
use crate::model::customer::{Moved, Name, ShopPart, ShopView};
use crate::store::bulk::{self, Batch, Kind};
use crate::store::{Row, Store, Tx};

const SHOP: [(&str, Kind); 17] = [
    ("id", Kind::Int),
    ("name", Kind::Text),
    ("phone", Kind::Text),
    ("email", Kind::Text),
    ("born", Kind::Text),
    ("city", Kind::Text),
    ("city_rule", Kind::Text),
    ("opening", Kind::Int),
    ("purchased", Kind::Int),
    ("spent", Kind::Int),
    ("purchases", Kind::Int),
    ("last_purchase", Kind::Text),
    ("points", Kind::Int),
    ("points_until", Kind::Int),
    ("kind", Kind::Text),
    ("number", Kind::Text),
    ("national_id", Kind::Text),
];

/// Customers of a shop as they are stored, in one text for [`read_parts`]: themselves, their person and
/// cards, and their movements added up as of `now`.
pub async fn parts(store: &Store, customers: &[i64], now: i64) -> Result<String> {
    let ids = bulk::id_list(customers);
    let gone = "CASE WHEN gone_run IS NULL THEN '' ELSE 'gone' END";
    let text = |field: &str| format!("COALESCE({field}, '')");
    let (phone, typed) = (text("phone"), text("phone_typed"));
    let person = ["name", "email", "born", "city", "city_rule"].map(text);
    let [name, email, born, city, city_rule] = &person;
    let number = text("number");
    // The row of points with the latest date tells what one rule asks for.
    let latest = "SELECT l.points_out FROM entry l WHERE l.customer_id = e.customer_id AND l.kind = 'points' AND l.gone_run IS NULL ORDER BY l.at DESC, l.id DESC LIMIT 1";
    let added_up = format!(
        "SELECT e.customer_id, SUM(CASE WHEN e.kind = 'opening_balance' THEN e.amount END) AS opening, SUM(CASE WHEN e.kind IN ('purchase', 'return') THEN e.amount END) AS purchased, SUM(CASE WHEN e.kind = 'purchase' THEN 1 ELSE 0 END) AS purchases, MAX(CASE WHEN e.kind = 'purchase' THEN e.day END) AS last_purchase, SUM(CASE WHEN e.kind = 'points' AND e.at <= {now} THEN COALESCE(e.points_in, 0) - COALESCE(e.points_out, 0) WHEN e.kind = 'points' THEN 0 END) AS movements, ({latest}) AS last_record, MIN(CASE WHEN e.kind = 'points' AND e.at > {now} THEN e.at END) AS until FROM entry e WHERE e.customer_id IN ({ids}) AND e.gone_run IS NULL GROUP BY e.customer_id"
    );
    let sums = ["opening", "purchased", "purchases", "last_purchase", "movements", "last_record", "until"]
        .map(|sum| format!("COALESCE(CAST({sum} AS TEXT), '')"))
        .join(", ");
    let mut told = String::new();
    for (kind, fields, from) in [
        ("c", "id, system, key".to_owned(), format!("customer_key WHERE id IN ({ids})")),
        (
            "n",
            format!(
                "customer_id, id, {gone}, {name}, {phone}, {typed}, {email}, {born}, {city}, {city_rule}, raw"
            ),
            format!("person WHERE customer_id IN ({ids})"),
        ),
        (
            "k",
            format!("customer_id, id, {gone}, {number}, {phone}, {typed}, '', '', '', '', raw"),
            format!("card WHERE customer_id IN ({ids})"),
        ),
        ("e", format!("customer_id, {sums}"), format!("({added_up}) sums")),
    ] {
        let sql = format!("SELECT string_agg(concat_ws($1, '{kind}', {fields}), $2) FROM {from}");
        let args = [UNIT, RECORD].map(|separator| separator.to_string().into());
        if let Some(row) = store.db.row(&sql, args).await?
            && let Some(records) = row.get::<Option<String>>(0)?
        {
            told.push_str(&records);
            told.push(RECORD);
        }
    }
    Ok(told)
}

/// What [`parts`] told: the customers, their persons and cards by customer, and their movements.
pub fn read_parts(text: &str) -> Result<(Vec<Name<'_>>, Vec<ShopPart<'_>>, Vec<Moved<'_>>)> {
    let (mut names, mut parts, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    for told in text.split_terminator(RECORD) {
        let (kind, fields) = told.split_once(UNIT).context(CUT)?;
        match kind {
            "c" => names.push(read_name(fields)?),
            "e" => moved.push(read_moved(fields)?),
            _ => parts.push(read_part(kind == "k", fields)?),
        }
    }
    parts.sort_by_key(|part| (part.customer, part.is_card, part.id));
    Ok((names, parts, moved))
}

fn read_part(is_card: bool, fields: &str) -> Result<ShopPart<'_>> {
    let mut fields = fields.splitn(11, UNIT);
    let mut next = || fields.next().context(CUT);
    Ok(ShopPart {
        is_card,
        customer: next()?.parse()?,
        id: next()?.parse()?,
        gone: next()? == "gone",
        name: next()?,
        phone: next()?,
        phone_typed: next()?,
        email: next()?,
        born: next()?,
        city: next()?,
        city_rule: next()?,
        raw: next()?,
    })
}

fn read_moved(fields: &str) -> Result<Moved<'_>> {
    let mut fields = fields.split(UNIT);
    let mut next = || fields.next().context(CUT);
    let number = |text: &str| -> Result<Option<i64>> {
        if text.is_empty() { Ok(None) } else { Ok(Some(text.parse()?)) }
    };
    Ok(Moved {
        customer: next()?.parse()?,
        opening: number(next()?)?,
        purchased: number(next()?)?,
        purchases: number(next()?)?.unwrap_or(0),
        last_purchase: next()?,
        movements: number(next()?)?,
        last_record: number(next()?)?,
        until: number(next()?)?,
    })
}

/// Writes what only customers with a name have; the rest of them is written already.
pub(super) async fn write(tx: &mut Tx, shops: Vec<(i64, ShopView)>) -> Result<()> {
    let mut batch = Batch::with_room(&[&SHOP], shops.len(), &[]);
    for (id, v) in shops {
        batch.push([
            id.into(),
            v.name.into(),
            v.phone.into(),
            v.email.into(),
            v.born.into(),
            v.city.into(),
            v.city_rule.into(),
            v.opening.into(),
            v.purchased.into(),
            v.spent.into(),
            v.purchases.into(),
            v.last_purchase.into(),
            v.points.into(),
            v.points_until.into(),
            v.kind.into(),
            v.number.into(),
            v.national_id.into(),
        ]);
    }
    bulk::update(tx, "customer", batch).await
}

/// A card that names no owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownerless {
    /// The record.
    pub id: i64,
    /// Its key.
    pub key: String,
    /// Whose it is now.
    pub customer: i64,
    /// The customer that has its phone, if that is one only.
    pub by_phone: Option<i64>,
    /// The customer that it makes by itself.
    pub own: i64,
}

/// A movement as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its key.
    pub key: String,
    /// What it is (`opening_balance`, `purchase`, `return`, `points`).
    pub kind: String,
    /// Its day on the source's calendar.
    pub day: String,
    /// What it moves: money in minor units, or points earned less points spent.
    pub value: i64,
}

impl Store {
    /// The movements of a customer that are not gone.
    pub async fn entries_of(&self, customer: i64) -> Result<Vec<StoredEntry>> {
        let sql = "SELECT key, kind, day, COALESCE(amount, COALESCE(points_in, 0) - COALESCE(points_out, 0)) FROM entry WHERE customer_id = $1 AND gone_run IS NULL";
        let rows = self.db.rows(sql, [customer.into()]).await?;
        let entry = |row: &Row| {
            Ok(StoredEntry { key: row.get(0)?, kind: row.get(1)?, day: row.get(2)?, value: row.get(3)? })
        };
        rows.iter().map(entry).collect()
    }

    /// The live cards of a customer that name no owner.
    pub async fn nobodys_cards(&self, customer: i64) -> Result<Vec<String>> {
        let sql = "SELECT key FROM card WHERE customer_id = $1 AND client_key IS NULL AND gone_run IS NULL ORDER BY id";
        self.db.rows(sql, [customer.into()]).await?.iter().map(|row| row.get(0)).collect()
    }

    /// What each shop's customers have together, by the shop's name.
    pub async fn shops(&self) -> Result<Vec<ShopTotals>> {
        let sql = "SELECT system, CAST(SUM(clients) AS BIGINT), CAST(SUM(accounts) AS BIGINT), CAST(SUM(opening) AS BIGINT), CAST(SUM(purchased) AS BIGINT), CAST(SUM(spent) AS BIGINT), CAST(SUM(points) AS BIGINT) FROM customer_summary WHERE gone = 0 AND purchases IS NOT NULL GROUP BY system ORDER BY system";
        let rows = self.db.rows(sql, []).await?;
        let totals = |row: &Row| {
            Ok(ShopTotals {
                system: row.get(0)?,
                customers: row.get(1)?,
                cards: row.get(2)?,
                opening: row.get(3)?,
                purchased: row.get(4)?,
                spent: row.get(5)?,
                points: row.get(6)?,
            })
        };
        rows.iter().map(totals).collect()
    }

    /// The live cards of a stream that name no owner.
    pub async fn ownerless_cards(
        &self,
        system: &str,
        stream: &str,
        stream_id: i64,
    ) -> Result<Vec<Ownerless>> {
        let with_phone = "SELECT CASE WHEN COUNT(DISTINCT w.customer_id) = 1 THEN MIN(w.customer_id) END FROM (SELECT p.customer_id, p.phone FROM person p JOIN stream s ON s.id = p.stream_id AND s.system = $2 WHERE p.gone_run IS NULL UNION ALL SELECT o.customer_id, o.phone FROM card o WHERE o.stream_id = $1 AND o.client_key IS NOT NULL AND o.gone_run IS NULL) w WHERE w.phone = c.phone";
        let sql = format!(
            "SELECT c.id, c.key, c.customer_id, ({with_phone}), k.id FROM card c JOIN customer_key k ON k.system = $2 AND k.key = $3 || c.key WHERE c.stream_id = $1 AND c.client_key IS NULL AND c.gone_run IS NULL ORDER BY c.id"
        );
        let rows = self.db.rows(&sql, [stream_id.into(), system.into(), format!("{stream} ").into()]).await?;
        let card = |row: &Row| {
            Ok(Ownerless {
                id: row.get(0)?,
                key: row.get(1)?,
                customer: row.get(2)?,
                by_phone: row.get(3)?,
                own: row.get(4)?,
            })
        };
        rows.iter().map(card).collect()
    }

    /// Customers of a system whose balance of points has changed by itself since.
    pub async fn points_due(&self, system: &str, now: i64) -> Result<Vec<i64>> {
        let sql = "SELECT id FROM customer WHERE points_until <= $2 AND system = $1 ORDER BY id";
        self.db.rows(sql, [system.into(), now.into()]).await?.iter().map(|row| row.get(0)).collect()
    }
}

/// What all customers of a shop have together. Sums are in minor units; `None` = nothing is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopTotals {
    /// The system.
    pub system: String,
    /// Customers that are not gone.
    pub customers: i64,
    /// Their cards.
    pub cards: i64,
    /// Opening balances.
    pub opening: Option<i64>,
    /// Purchases less returns.
    pub purchased: Option<i64>,
    /// Both together.
    pub spent: Option<i64>,
    /// Points that may be spent.
    pub points: Option<i64>,
}

/// Gives a card to another customer.
pub async fn give_card(tx: &mut Tx, card: i64, customer: i64) -> Result<()> {
    let sql = "UPDATE card SET customer_id = $2 WHERE id = $1";
    tx.execute(sql, [card.into(), customer.into()]).await?;
    Ok(())
}
