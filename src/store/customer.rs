//! Customers: found or made for records, and brought up to date from them.

use std::collections::HashMap;

use anyhow::{Context, Result};

use super::bulk::{self, Batch, Columns, Kind};
use super::{Store, Tx, Value};
use crate::connect::Table;
use crate::model::customer::{Name, Part, PartKind, View};

pub mod contact;
pub mod shop;

const VIEW: [(&str, Kind); 19] = [
    ("id", Kind::Int),
    ("system", Kind::Text),
    ("key", Kind::Text),
    ("hidden", Kind::Int),
    ("gone", Kind::Int),
    ("owner", Kind::Text),
    ("owner_rule", Kind::Text),
    ("status", Kind::Text),
    ("activity", Kind::Text),
    ("country", Kind::Text),
    ("partner_account", Kind::Text),
    ("registered", Kind::Text),
    ("last_trade", Kind::Text),
    ("accounts", Kind::Int),
    ("account_numbers", Kind::Text),
    ("volume_lots", Kind::Int),
    ("volume_mln_usd", Kind::Int),
    ("reward_usd", Kind::Int),
    ("rebate_usd", Kind::Int),
];

/// The customers that this system's records name by these keys.
pub async fn find<'a>(tx: &mut Tx, system: &str, keys: &[&'a str]) -> Result<HashMap<&'a str, i64>> {
    let look_up = "SELECT COALESCE(merged_into, id) FROM customer_key WHERE system = $1 AND key = u.text";
    let found = bulk::ids_by_text(tx, look_up, system.into(), keys).await?;
    Ok(found.into_iter().map(|(at, id)| (keys[at], id)).collect())
}

/// Makes customers: (id, key). No list shows them until their records have been added up.
pub async fn create(tx: &mut Tx, system: &str, customers: &[(i64, &str)]) -> Result<()> {
    let mut batch = Batch::new(&[("id", Kind::Int), ("system", Kind::Text), ("key", Kind::Text)]);
    for (id, key) in customers {
        batch.push([(*id).into(), system.into(), (*key).into()]);
    }
    bulk::insert(tx, "customer_key", batch).await
}

/// Makes names that lead to customers: (id, key, customer).
pub async fn create_names(tx: &mut Tx, system: &str, names: &[(i64, &str, i64)]) -> Result<()> {
    let columns: Columns =
        &[("id", Kind::Int), ("system", Kind::Text), ("key", Kind::Text), ("merged_into", Kind::Int)];
    let mut batch = Batch::new(columns);
    for (id, key, customer) in names {
        let leads = (id != customer).then_some(*customer);
        batch.push([(*id).into(), system.into(), (*key).into(), leads.into()]);
    }
    bulk::insert(tx, "customer_key", batch).await
}

/// Lets a card's name lead to another customer, and takes its movements along.
pub async fn move_card(tx: &mut Tx, system: &str, name: &str, card: &str, from: i64, to: i64) -> Result<()> {
    let lead = "UPDATE customer_key SET merged_into = $3 WHERE system = $1 AND key = $2";
    tx.execute(lead, [system.into(), name.into(), to.into()]).await?;
    let take = "UPDATE entry SET customer_id = $3 WHERE customer_id = $1 AND card_key = $2";
    tx.execute(take, [from.into(), card.into(), to.into()]).await?;
    Ok(())
}

/// Between the fields of a record in [`parts`]: a character that no field holds.
pub(super) const UNIT: char = '\u{1f}';
/// Between its records.
pub(super) const RECORD: char = '\u{1e}';

/// These customers, and their records with what a customer is added up from, as one text for
/// [`read_parts`]. One value instead of a dozen a row: on a first load every record passes here, and
/// most of the time would go into handing values over.
pub async fn parts(store: &Store, customers: &[i64]) -> Result<String> {
    let ids = bulk::id_list(customers);
    let mut text = String::new();
    for (kind, from, fields) in [
        ("c", format!("customer_key WHERE id IN ({ids})"), "id, system, key".to_owned()),
        (
            "p",
            format!("party WHERE customer_id IN ({ids})"),
            record_fields("'', registered, NULL, NULL, reward_usd, rebate_usd"),
        ),
        (
            "a",
            format!("account WHERE customer_id IN ({ids})"),
            record_fields("number, opened, volume_lots, volume_mln_usd, reward_usd, NULL"),
        ),
    ] {
        let sql = format!("SELECT string_agg(concat_ws($1, '{kind}', {fields}), $2) FROM {from}");
        let args = [UNIT, RECORD].map(|separator| separator.to_string().into());
        if let Some(row) = store.db.row(&sql, args).await?
            && let Some(records) = row.get::<Option<String>>(0)?
        {
            text.push_str(&records);
            text.push(RECORD);
        }
    }
    Ok(text)
}

/// The fields of a record in [`parts`], with those that not every table has.
fn record_fields(own: &str) -> String {
    let fields = own.split(", ").chain(["country", "status", "partner_account", "last_trade"]);
    let fields: String = fields.map(|field| format!(", COALESCE(CAST({field} AS TEXT), '')")).collect();
    format!("customer_id, id, CASE WHEN gone_run IS NULL THEN '' ELSE 'gone' END{fields}, raw")
}

/// What [`parts`] told: the customers, and their records ordered by customer.
pub fn read_parts(text: &str) -> Result<(Vec<Name<'_>>, Vec<Part<'_>>)> {
    let (mut names, mut parts) = (Vec::new(), Vec::new());
    for told in text.split_terminator(RECORD) {
        let (kind, fields) = told.split_once(UNIT).context(CUT)?;
        match kind {
            "c" => names.push(read_name(fields)?),
            "p" => parts.push(read_part(PartKind::Party, fields)?),
            _ => parts.push(read_part(PartKind::Account, fields)?),
        }
    }
    parts.sort_by_key(|part| part.customer);
    Ok((names, parts))
}

pub(super) const CUT: &str = "what is stored of a customer is cut short";

pub(super) fn read_name(fields: &str) -> Result<Name<'_>> {
    let mut fields = fields.splitn(3, UNIT);
    let mut next = || fields.next().context(CUT);
    Ok(Name { id: next()?.parse()?, system: next()?, key: next()? })
}

fn read_part(kind: PartKind, fields: &str) -> Result<Part<'_>> {
    let mut fields = fields.splitn(14, UNIT);
    let mut next = || fields.next().context(CUT);
    let number = |text: &str| -> Result<Option<i64>> {
        if text.is_empty() { Ok(None) } else { Ok(Some(text.parse()?)) }
    };
    Ok(Part {
        kind,
        customer: next()?.parse()?,
        id: next()?.parse()?,
        gone: next()? == "gone",
        number: next()?,
        since: next()?,
        volume_lots: number(next()?)?,
        volume_mln_usd: number(next()?)?,
        reward_usd: number(next()?)?,
        rebate_usd: number(next()?)?,
        country: next()?,
        status: next()?,
        partner_account: next()?,
        last_trade: next()?,
        raw: next()?,
    })
}

/// Writes customers as computed, with what they can be found by.
pub async fn write(tx: &mut Tx, views: Vec<View>) -> Result<()> {
    let mut batch = Batch::new(&VIEW);
    let mut texts = Batch::new(&[("id", Kind::Int), ("text", Kind::Text)]);
    let ids: Vec<i64> = views.iter().map(|view| view.id).collect();
    let mut shops = Vec::new();
    for v in views {
        batch.push([
            v.id.into(),
            v.system.into(),
            v.key.into(),
            v.hidden.into(),
            v.gone.into(),
            v.owner.into(),
            v.owner_rule.into(),
            v.status.into(),
            v.activity.into(),
            v.country.into(),
            v.partner_account.into(),
            v.registered.into(),
            v.last_trade.into(),
            v.accounts.into(),
            v.account_numbers.into(),
            v.volume_lots.into(),
            v.volume_mln_usd.into(),
            v.reward_usd.into(),
            v.rebate_usd.into(),
        ]);
        texts.push([v.id.into(), v.text.into()]);
        shops.extend(v.shop.map(|shop| (v.id, shop)));
    }
    bulk::upsert(tx, "customer", "id", batch).await?;
    shop::write(tx, shops).await?;
    bulk::upsert(tx, "customer_text", "id", texts).await?;
    super::search::index(tx, &ids).await
}

/// Takes these customers out of the lists: no record belongs to them.
pub async fn merge_into(tx: &mut Tx, customer: i64, into: i64) -> Result<()> {
    let merge = "UPDATE customer_key SET merged_into = $2 WHERE id = $1";
    tx.execute(merge, [customer.into(), into.into()]).await?;
    tx.execute("UPDATE customer SET hidden = 1 WHERE id = $1", [customer.into()]).await?;
    for table in [Table::Party, Table::Account] {
        let sql = format!("UPDATE {} SET customer_id = $2 WHERE customer_id = $1", table.name());
        tx.execute(&sql, [customer.into(), into.into()]).await?;
    }
    Ok(())
}

/// Gives a party record to another customer.
pub async fn move_party(tx: &mut Tx, party: i64, customer: i64) -> Result<()> {
    tx.execute("UPDATE party SET customer_id = $2 WHERE id = $1", [party.into(), customer.into()]).await?;
    Ok(())
}

/// Notes with a change of records whose they are, as packed ids: these customers are to be added up
/// again.
pub async fn touch(tx: &mut Tx, system: &str, customers: Vec<u8>) -> Result<()> {
    tx.execute("INSERT INTO touched (system, customers) VALUES ($1, $2)", [system.into(), customers.into()])
        .await?;
    Ok(())
}

/// Takes notes back whose customers have been added up.
pub async fn untouch(tx: &mut Tx, notes: &[i64]) -> Result<()> {
    for notes in notes.chunks(1000) {
        tx.execute(&format!("DELETE FROM touched WHERE id IN ({})", bulk::id_list(notes)), []).await?;
    }
    Ok(())
}

/// Notes which owner rules, as a digest, a system's customers have their owners by.
pub async fn set_applied_rules(tx: &mut Tx, system: &str, digest: Vec<u8>) -> Result<()> {
    tx.execute(
        "INSERT INTO applied_rules (system, digest) VALUES ($1, $2) ON CONFLICT (system) DO UPDATE SET digest = excluded.digest",
        [system.into(), digest.into()],
    )
    .await?;
    Ok(())
}

/// Rebuilds the counts and sums that lists show for their filters, of one system's customers.
pub async fn summarize(tx: &mut Tx, system: &str) -> Result<()> {
    // A run and a person's decision may do this at once: the second waits for the first on the
    // system's row here, else each would leave what the other has just written in place.
    tx.execute(
        "INSERT INTO sequence (name, next) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET next = sequence.next + 1",
        [format!("summaries of {system}").into()],
    )
    .await?;
    tx.execute("DELETE FROM customer_summary WHERE system = $1", [system.into()]).await?;
    tx.execute(
        "INSERT INTO customer_summary (system, owner, status, country, city, gone, clients, accounts, volume_lots, volume_mln_usd, reward_usd, rebate_usd, opening, purchased, spent, points, purchases) SELECT system, owner, COALESCE(status, ''), COALESCE(country, ''), COALESCE(city, ''), gone, COUNT(*), SUM(accounts), SUM(volume_lots), SUM(volume_mln_usd), SUM(reward_usd), SUM(rebate_usd), SUM(opening), SUM(purchased), SUM(spent), SUM(points), SUM(purchases) FROM customer WHERE hidden = 0 AND system = $1 GROUP BY system, owner, COALESCE(status, ''), COALESCE(country, ''), COALESCE(city, ''), gone",
        [system.into()],
    )
    .await?;
    Ok(())
}

impl Store {
    /// The notes of [`touch`] for a system: number, packed ids.
    pub async fn touched(&self, system: &str) -> Result<Vec<(i64, Vec<u8>)>> {
        let sql = "SELECT id, customers FROM touched WHERE system = $1 ORDER BY id";
        let rows = self.db.rows(sql, [system.into()]).await?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
    }

    /// The owner rules a system's customers have their owners by; `None` when there were none yet.
    pub async fn applied_rules(&self, system: &str) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT digest FROM applied_rules WHERE system = $1";
        self.db.row(sql, [system.into()]).await?.map(|row| row.get(0)).transpose()
    }

    /// Ids of the customers that lists show, of a system (of all when empty), above `after`, in order.
    pub async fn customer_ids(&self, system: &str, after: i64, limit: i64) -> Result<Vec<i64>> {
        let sql = "SELECT id FROM customer WHERE ($1 = '' OR system = $1) AND id > $2 AND hidden = 0 ORDER BY id LIMIT $3";
        let args: [Value; 3] = [system.into(), after.into(), limit.into()];
        self.db.rows(sql, args).await?.iter().map(|row| row.get(0)).collect()
    }

    /// Owner and owner rule of these customers, by id.
    pub async fn customer_owners(&self, ids: &[i64]) -> Result<HashMap<i64, (String, String)>> {
        let sql = format!("SELECT id, owner, owner_rule FROM customer WHERE id IN ({})", bulk::id_list(ids));
        let rows = self.db.rows(&sql, []).await?;
        rows.iter().map(|row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).collect()
    }

    /// The customer that a system's records name by this key.
    pub async fn customer_by_key(&self, system: &str, key: &str) -> Result<Option<i64>> {
        let sql = "SELECT COALESCE(merged_into, id) FROM customer_key WHERE system = $1 AND key = $2";
        self.db.row(sql, [system.into(), key.into()]).await?.map(|row| row.get(0)).transpose()
    }
}
