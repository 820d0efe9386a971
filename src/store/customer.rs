//! Customers: found or made for records, and brought up to date from them.

use std::collections::HashMap;

use anyhow::Result;

use super::bulk::{self, Batch, Kind};
use super::{Row, Store, Tx, Value};
use crate::connect::Table;
use crate::model::customer::{Part, View};
use crate::model::{Account, Party};

const VIEW: [(&str, Kind); 17] = [
    ("id", Kind::Int),
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
pub async fn find(tx: &mut Tx, system: &str, keys: &[&str]) -> Result<HashMap<String, i64>> {
    let sql = "SELECT key, COALESCE(merged_into, id) FROM customer WHERE system = $1";
    let rows = bulk::rows_by_text(tx, sql, system.into(), "key", keys).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Makes customers: (id, key).
pub async fn create(tx: &mut Tx, system: &str, customers: &[(i64, &str)]) -> Result<()> {
    let mut batch =
        Batch::new(&[("id", Kind::Int), ("system", Kind::Text), ("key", Kind::Text), ("hidden", Kind::Int)]);
    for (id, key) in customers {
        // Hidden until its records have been added up.
        batch.push([(*id).into(), system.into(), (*key).into(), 1_i64.into()]);
    }
    bulk::insert(tx, "customer", batch).await
}

/// The records of these customers: payload, and the fields that a customer is added up from. The
/// others keep their defaults; each value that is read costs, and a first load reads all of them.
pub async fn parts(store: &Store, customers: &[i64]) -> Result<(Vec<Part<Party>>, Vec<Part<Account>>)> {
    let ids = bulk::id_list(customers);
    let sql = format!(
        "SELECT id, customer_id, gone_run, raw, country, status, partner_account, last_trade, registered, reward_usd, rebate_usd FROM party WHERE customer_id IN ({ids})"
    );
    let parties = store.db.rows(&sql, []).await?.iter().map(read_party).collect::<Result<_>>()?;
    let sql = format!(
        "SELECT id, customer_id, gone_run, raw, country, status, partner_account, last_trade, opened, reward_usd, number, volume_lots, volume_mln_usd FROM account WHERE customer_id IN ({ids})"
    );
    let accounts = store.db.rows(&sql, []).await?.iter().map(read_account).collect::<Result<_>>()?;
    Ok((parties, accounts))
}

fn read_party(row: &Row) -> Result<Part<Party>> {
    Ok(Part {
        id: row.get(0)?,
        customer: row.get(1)?,
        gone: row.get::<Option<i64>>(2)?.is_some(),
        raw: row.get(3)?,
        fields: Party {
            country: row.get(4)?,
            status: row.get(5)?,
            partner_account: row.get(6)?,
            last_trade: row.get(7)?,
            registered: row.get(8)?,
            reward_usd: row.get(9)?,
            rebate_usd: row.get(10)?,
            ..Party::default()
        },
    })
}

fn read_account(row: &Row) -> Result<Part<Account>> {
    Ok(Part {
        id: row.get(0)?,
        customer: row.get(1)?,
        gone: row.get::<Option<i64>>(2)?.is_some(),
        raw: row.get(3)?,
        fields: Account {
            country: row.get(4)?,
            status: row.get(5)?,
            partner_account: row.get(6)?,
            last_trade: row.get(7)?,
            opened: row.get(8)?,
            reward_usd: row.get(9)?,
            number: row.get(10)?,
            volume_lots: row.get(11)?,
            volume_mln_usd: row.get(12)?,
            ..Account::default()
        },
    })
}

/// Writes customers as computed, with what they can be found by.
pub async fn write(tx: &mut Tx, views: Vec<View>) -> Result<()> {
    let mut batch = Batch::new(&VIEW);
    let mut texts = Batch::new(&[("id", Kind::Int), ("text", Kind::Text)]);
    let ids: Vec<i64> = views.iter().map(|view| view.id).collect();
    for v in views {
        batch.push([
            v.id.into(),
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
    }
    bulk::update(tx, "customer", batch).await?;
    bulk::upsert(tx, "customer_text", "id", texts).await?;
    super::search::index(tx, &ids).await
}

/// Takes these customers out of the lists: no record belongs to them.
pub async fn merge_into(tx: &mut Tx, customer: i64, into: i64) -> Result<()> {
    tx.execute(
        "UPDATE customer SET merged_into = $2, hidden = 1 WHERE id = $1",
        [customer.into(), into.into()],
    )
    .await?;
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
        "INSERT INTO customer_summary SELECT system, owner, COALESCE(status, ''), COALESCE(country, ''), gone, COUNT(*), SUM(accounts), SUM(volume_lots), SUM(volume_mln_usd), SUM(reward_usd), SUM(rebate_usd) FROM customer WHERE hidden = 0 AND system = $1 GROUP BY system, owner, COALESCE(status, ''), COALESCE(country, ''), gone",
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

    /// Ids of customers of a system (of all when empty), above `after`, in order.
    pub async fn customer_ids(&self, system: &str, after: i64, limit: i64) -> Result<Vec<i64>> {
        let sql = "SELECT id FROM customer WHERE ($1 = '' OR system = $1) AND id > $2 AND merged_into IS NULL ORDER BY id LIMIT $3";
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
        let sql = "SELECT COALESCE(merged_into, id) FROM customer WHERE system = $1 AND key = $2";
        self.db.row(sql, [system.into(), key.into()]).await?.map(|row| row.get(0)).transpose()
    }
}
