//! The accounts of customers as lists show them.

use anyhow::Result;

use crate::store::{Row, Store, bulk};

/// An account. Amounts are scaled integers, `None` = unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountRow {
    /// The record's number.
    pub id: i64,
    /// Whose it is.
    pub customer: i64,
    /// The system it is from.
    pub system: String,
    /// The account number people know.
    pub number: String,
    /// The source's account type.
    pub kind: Option<String>,
    /// ISO code of its currency.
    pub currency: Option<String>,
    /// ISO alpha-2 country.
    pub country: Option<String>,
    /// Partner account or campaign.
    pub partner_account: Option<String>,
    /// The source's status of it.
    pub status: Option<String>,
    /// Opened, `YYYY-MM-DD`.
    pub opened: Option<String>,
    /// Last trade, `YYYY-MM-DD`.
    pub last_trade: Option<String>,
    /// Lots.
    pub volume_lots: Option<i64>,
    /// Turnover in millions of US dollars.
    pub volume_mln_usd: Option<i64>,
    /// Reward in minor units of its currency.
    pub reward: Option<i64>,
    /// Reward in US cents.
    pub reward_usd: Option<i64>,
    /// No longer in the source.
    pub gone: bool,
}

impl Store {
    /// The accounts of a customer, those that are gone as well, in a fixed order.
    pub async fn accounts_of(&self, customer: i64) -> Result<Vec<AccountRow>> {
        self.accounts_of_all(&[customer]).await
    }

    /// The accounts of these customers.
    pub(super) async fn accounts_of_all(&self, customers: &[i64]) -> Result<Vec<AccountRow>> {
        if customers.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT a.id, a.customer_id, s.system, a.number, a.kind, a.currency, a.country, a.partner_account, a.status, a.opened, a.last_trade, a.volume_lots, a.volume_mln_usd, a.reward, a.reward_usd, a.gone_run FROM account a JOIN stream s ON s.id = a.stream_id WHERE a.customer_id IN ({}) ORDER BY a.customer_id, a.id",
            bulk::id_list(customers)
        );
        self.db.rows(&sql, []).await?.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<AccountRow> {
    Ok(AccountRow {
        id: row.get(0)?,
        customer: row.get(1)?,
        system: row.get(2)?,
        number: row.get(3)?,
        kind: row.get(4)?,
        currency: row.get(5)?,
        country: row.get(6)?,
        partner_account: row.get(7)?,
        status: row.get(8)?,
        opened: row.get(9)?,
        last_trade: row.get(10)?,
        volume_lots: row.get(11)?,
        volume_mln_usd: row.get(12)?,
        reward: row.get(13)?,
        reward_usd: row.get(14)?,
        gone: row.get::<Option<i64>>(15)?.is_some(),
    })
}
