//! What insights are made of: counts and sums by day, by class and by group, read from the summary or
//! from indexes that hold all that is asked.

use anyhow::Result;

use super::{Row, Store};

/// A system that has customers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peopled {
    /// Its name.
    pub system: String,
    /// Whether its customers are a shop's.
    pub is_shop: bool,
}

/// What was bought in a month. Amounts in minor units, `None` where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bought {
    /// `YYYY-MM` on the source's own calendar.
    pub month: String,
    /// What purchases come to.
    pub amount: Option<i64>,
    /// Documents of purchases.
    pub receipts: i64,
    /// What returns come to, below zero.
    pub returned: Option<i64>,
    /// Documents of returns.
    pub returns: i64,
}

/// Customers of a shop whose points lie in one class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holders {
    /// The place of the class among those asked for; `None`: no points are on record.
    pub class: Option<i64>,
    /// How many.
    pub clients: i64,
    /// Their points together, scaled.
    pub points: Option<i64>,
}

/// The customers of a city; of nowhere when its name is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CityOf {
    /// The city.
    pub city: String,
    /// How many.
    pub clients: i64,
    /// Lines they bought.
    pub purchases: Option<i64>,
    /// What they spent in all, in minor units.
    pub spent: Option<i64>,
    /// Their points, scaled.
    pub points: Option<i64>,
}

/// Brokers' clients by owner or country, and what they come to. Scaled integers, `None` = unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traded {
    /// The owner or country; empty when it is not known.
    pub name: String,
    /// Clients.
    pub clients: i64,
    /// Their accounts.
    pub accounts: i64,
    /// Lots.
    pub volume_lots: Option<i64>,
    /// Turnover in millions of US dollars.
    pub volume_mln_usd: Option<i64>,
    /// Reward in US cents.
    pub reward_usd: Option<i64>,
    /// Rebate in US cents.
    pub rebate_usd: Option<i64>,
}

/// By what brokers' clients are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Owner.
    Owner,
    /// Country.
    Country,
}

/// Clients by the day of their last trade over all accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastTraded {
    /// `YYYY-MM-DD`; `None` when the source says none.
    pub day: Option<String>,
    /// How many.
    pub clients: i64,
    /// Those of them of whom it is known that nothing was ever traded.
    pub idle: i64,
    /// The reward these brought, in US cents.
    pub idle_reward_usd: Option<i64>,
    /// The reward the others brought.
    pub reward_usd: Option<i64>,
}

/// Above this a class of points ends, in the order of the classes; the last has no end.
pub type Bounds<'a> = &'a [i64];

impl Store {
    /// The systems that have customers, in the order of their names.
    pub async fn peopled(&self) -> Result<Vec<Peopled>> {
        let sql = "SELECT system, CAST(SUM(CASE WHEN purchases IS NULL THEN 0 ELSE 1 END) AS BIGINT) FROM customer_summary WHERE gone = 0 GROUP BY system ORDER BY system";
        let rows = self.db.rows(sql, []).await?;
        rows.iter().map(|row| Ok(Peopled { system: row.get(0)?, is_shop: row.get::<i64>(1)? > 0 })).collect()
    }

    /// What was bought from a system by month, in order. A document counts once for its purchases and
    /// once for its returns.
    pub async fn bought(&self, system: &str) -> Result<Vec<Bought>> {
        let streams = self.db.rows("SELECT id FROM stream WHERE system = $1 ORDER BY id", [system.into()]);
        let mut bought = Vec::new();
        for stream in streams.await? {
            // Documents are put together in the order of the index that has all of it.
            let documents = "SELECT substr(day, 1, 7) AS month, SUM(CASE WHEN kind = 'purchase' THEN amount END) AS amount, MAX(CASE WHEN kind = 'purchase' THEN 1 ELSE 0 END) AS receipt, SUM(CASE WHEN kind = 'return' THEN amount END) AS returned, MAX(CASE WHEN kind = 'return' THEN 1 ELSE 0 END) AS is_return FROM entry WHERE stream_id = $1 AND gone_run IS NULL AND kind IN ('purchase', 'return') GROUP BY day, document";
            let sql = format!(
                "SELECT month, CAST(SUM(amount) AS BIGINT), CAST(SUM(receipt) AS BIGINT), CAST(SUM(returned) AS BIGINT), CAST(SUM(is_return) AS BIGINT) FROM ({documents}) AS documents GROUP BY month ORDER BY month"
            );
            for row in self.db.rows(&sql, [stream.get::<i64>(0)?.into()]).await? {
                bought.push(Bought {
                    month: row.get(0)?,
                    amount: row.get(1)?,
                    receipts: row.get(2)?,
                    returned: row.get(3)?,
                    returns: row.get(4)?,
                });
            }
        }
        Ok(bought)
    }

    /// The customers of a shop by how many points they have.
    pub async fn holders(&self, system: &str, bounds: Bounds<'_>) -> Result<Vec<Holders>> {
        let whens: String = bounds
            .iter()
            .enumerate()
            .map(|(at, bound)| format!(" WHEN points <= {bound} THEN {at}"))
            .collect();
        // A customer of a shop has a number of purchases; behind a plus SQLite looks up no index by it.
        let sql = format!(
            "SELECT class, COUNT(*), CAST(SUM(points) AS BIGINT) FROM (SELECT points, CAST(CASE WHEN points IS NULL THEN NULL{whens} ELSE {} END AS BIGINT) AS class FROM customer WHERE hidden = 0 AND +purchases >= 0 AND system = $1 AND gone = 0) AS classed GROUP BY class ORDER BY class",
            bounds.len()
        );
        let rows = self.db.rows(&sql, [system.into()]).await?;
        let holders =
            |row: &Row| Ok(Holders { class: row.get(0)?, clients: row.get(1)?, points: row.get(2)? });
        rows.iter().map(holders).collect()
    }

    /// The cities of the customers of a shop.
    pub async fn cities(&self, system: &str) -> Result<Vec<CityOf>> {
        let sql = "SELECT city, CAST(SUM(clients) AS BIGINT), CAST(SUM(purchases) AS BIGINT), CAST(SUM(spent) AS BIGINT), CAST(SUM(points) AS BIGINT) FROM customer_summary WHERE gone = 0 AND purchases IS NOT NULL AND system = $1 GROUP BY city ORDER BY city";
        let rows = self.db.rows(sql, [system.into()]).await?;
        let city = |row: &Row| {
            Ok(CityOf {
                city: row.get(0)?,
                clients: row.get(1)?,
                purchases: row.get(2)?,
                spent: row.get(3)?,
                points: row.get(4)?,
            })
        };
        rows.iter().map(city).collect()
    }

    /// Brokers' clients by owner or country (of one system, of one owner, if these are named).
    pub async fn traded(&self, by: Group, system: Option<&str>, owner: Option<&str>) -> Result<Vec<Traded>> {
        let column = match by {
            Group::Owner => "owner",
            Group::Country => "country",
        };
        let sql = format!(
            "SELECT {column}, CAST(SUM(clients) AS BIGINT), CAST(SUM(accounts) AS BIGINT), CAST(SUM(volume_lots) AS BIGINT), CAST(SUM(volume_mln_usd) AS BIGINT), CAST(SUM(reward_usd) AS BIGINT), CAST(SUM(rebate_usd) AS BIGINT) FROM customer_summary WHERE gone = 0 AND purchases IS NULL AND ($1 = '' OR system = $1) AND ($2 = '' OR owner = $2) GROUP BY {column} ORDER BY {column}"
        );
        let args = [system.unwrap_or_default().into(), owner.unwrap_or_default().into()];
        let traded = |row: &Row| {
            Ok(Traded {
                name: row.get(0)?,
                clients: row.get(1)?,
                accounts: row.get(2)?,
                volume_lots: row.get(3)?,
                volume_mln_usd: row.get(4)?,
                reward_usd: row.get(5)?,
                rebate_usd: row.get(6)?,
            })
        };
        self.db.rows(&sql, args).await?.iter().map(traded).collect()
    }

    /// How many clients of a system registered on each day, in order, those of no known day first or
    /// last.
    pub async fn registered(&self, system: &str, owner: Option<&str>) -> Result<Vec<(Option<String>, i64)>> {
        let sql = "SELECT registered, COUNT(*) FROM customer WHERE hidden = 0 AND system = $1 AND gone = 0 AND ($2 = '' OR owner = $2) GROUP BY registered ORDER BY registered";
        let rows = self.db.rows(sql, [system.into(), owner.unwrap_or_default().into()]).await?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
    }

    /// When the clients of a system last traded, by day.
    pub async fn last_traded(&self, system: &str, owner: Option<&str>) -> Result<Vec<LastTraded>> {
        let sql = "SELECT last_trade, COUNT(*), CAST(SUM(CASE WHEN activity = 'INACTIVE' THEN 1 ELSE 0 END) AS BIGINT), CAST(SUM(CASE WHEN activity = 'INACTIVE' THEN reward_usd END) AS BIGINT), CAST(SUM(CASE WHEN activity = 'INACTIVE' THEN NULL ELSE reward_usd END) AS BIGINT) FROM customer WHERE hidden = 0 AND system = $1 AND gone = 0 AND ($2 = '' OR owner = $2) GROUP BY last_trade ORDER BY last_trade";
        let rows = self.db.rows(sql, [system.into(), owner.unwrap_or_default().into()]).await?;
        let last = |row: &Row| {
            Ok(LastTraded {
                day: row.get(0)?,
                clients: row.get(1)?,
                idle: row.get(2)?,
                idle_reward_usd: row.get(3)?,
                reward_usd: row.get(4)?,
            })
        };
        rows.iter().map(last).collect()
    }
}
