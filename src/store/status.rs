//! Where everything stands: what each system's last read said, and whose the customers are.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::Store;
use crate::connect::Stream;
use crate::model::amount::{self, Sums};
use crate::model::{Counts, OwnerRules, Run};

/// What belongs to an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// The owner.
    pub owner: String,
    /// The systems its clients are in, by name.
    pub systems: Vec<String>,
    /// Clients that are not gone.
    pub clients: i64,
    /// Their accounts.
    pub accounts: i64,
    /// Their sums.
    pub sums: Sums,
}

/// A partner account or campaign that the owner map does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmapped {
    /// The system.
    pub system: String,
    /// The partner account or campaign; `None`: accounts that name none.
    pub partner_account: Option<String>,
    /// Clients with an account under it.
    pub clients: i64,
    /// Accounts.
    pub accounts: i64,
    /// Their sums.
    pub sums: Sums,
}

/// Records of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The system.
    pub system: String,
    /// The stream.
    pub stream: String,
    /// Records that are not gone.
    pub count: i64,
}

const SUMS: [amount::Measure; 4] = amount::TRADED;

fn sums(row: &super::Row, from: usize) -> Result<Sums> {
    let mut sums = Sums::default();
    for (index, measure) in SUMS.into_iter().enumerate() {
        let sum: Option<i64> = row.get(from + index)?;
        if sum.is_some() {
            sums.add(measure, sum);
        }
    }
    Ok(sums)
}

impl Store {
    /// What belongs to each owner, by name, in all systems but these. Shops are told apart: see
    /// [`Store::shops`].
    pub async fn owners(&self, except: &[&str]) -> Result<Vec<Owned>> {
        let sql = "SELECT owner, system, CAST(SUM(clients) AS BIGINT), CAST(SUM(accounts) AS BIGINT), CAST(SUM(volume_lots) AS BIGINT), CAST(SUM(volume_mln_usd) AS BIGINT), CAST(SUM(reward_usd) AS BIGINT), CAST(SUM(rebate_usd) AS BIGINT) FROM customer_summary WHERE gone = 0 AND purchases IS NULL GROUP BY owner, system ORDER BY owner, system";
        let mut owners = BTreeMap::<String, Owned>::new();
        for row in self.db.rows(sql, []).await? {
            let (owner, system): (String, String) = (row.get(0)?, row.get(1)?);
            if except.contains(&system.as_str()) {
                continue;
            }
            let owned = owners.entry(owner.clone()).or_insert_with(|| Owned {
                owner,
                systems: Vec::new(),
                clients: 0,
                accounts: 0,
                sums: Sums::default(),
            });
            owned.systems.push(system);
            owned.clients += row.get::<i64>(2)?;
            owned.accounts += row.get::<i64>(3)?;
            owned.sums.merge(&sums(&row, 4)?);
        }
        Ok(owners.into_values().collect())
    }

    /// What belongs to each owner within one system that is no shop.
    pub async fn owners_of(&self, system: &str) -> Result<Vec<Owned>> {
        let sql = "SELECT owner, CAST(SUM(clients) AS BIGINT), CAST(SUM(accounts) AS BIGINT), CAST(SUM(volume_lots) AS BIGINT), CAST(SUM(volume_mln_usd) AS BIGINT), CAST(SUM(reward_usd) AS BIGINT), CAST(SUM(rebate_usd) AS BIGINT) FROM customer_summary WHERE gone = 0 AND system = $1 AND purchases IS NULL GROUP BY owner ORDER BY owner";
        let rows = self.db.rows(sql, [system.into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(Owned {
                    owner: row.get(0)?,
                    systems: vec![system.to_owned()],
                    clients: row.get(1)?,
                    accounts: row.get(2)?,
                    sums: sums(row, 3)?,
                })
            })
            .collect()
    }

    /// Partner accounts and campaigns of a system's customers that `rules` do not map: those that
    /// only the system's own owner caught, or nothing. Shops have none of these.
    pub async fn unmapped(&self, system: &str, rules: &OwnerRules) -> Result<Vec<Unmapped>> {
        if rules.whole_system && rules.system_owner.is_some() {
            return Ok(Vec::new());
        }
        // One row per combination; a customer under several partner accounts counts under its own.
        let sql = "SELECT partner_account, COUNT(*), CAST(SUM(accounts) AS BIGINT), CAST(SUM(volume_lots) AS BIGINT), CAST(SUM(volume_mln_usd) AS BIGINT), CAST(SUM(reward_usd) AS BIGINT), CAST(SUM(rebate_usd) AS BIGINT) FROM customer WHERE hidden = 0 AND gone = 0 AND system = $1 AND purchases IS NULL AND owner_rule IN ('system', 'none') GROUP BY partner_account ORDER BY partner_account";
        let mut unmapped = Vec::new();
        for row in self.db.rows(sql, [system.into()]).await? {
            let partner_account: Option<String> = row.get(0)?;
            if partner_account.as_deref().is_some_and(|name| rules.maps(name)) {
                continue;
            }
            unmapped.push(Unmapped {
                system: system.to_owned(),
                partner_account,
                clients: row.get(1)?,
                accounts: row.get(2)?,
                sums: sums(&row, 3)?,
            });
        }
        Ok(unmapped)
    }

    /// Records that are not gone, by system and stream.
    pub async fn stored_counts(&self) -> Result<Vec<Stored>> {
        let mut stored = Vec::new();
        for row in self.db.rows("SELECT id, system, name FROM stream ORDER BY system, name", []).await? {
            let id: i64 = row.get(0)?;
            // A stream's rows are in one table; the other has none of it.
            let sql = "SELECT (SELECT COUNT(*) FROM party WHERE stream_id = $1) - (SELECT COUNT(*) FROM party WHERE stream_id = $1 AND gone_run IS NOT NULL) + (SELECT COUNT(*) FROM account WHERE stream_id = $1) - (SELECT COUNT(*) FROM account WHERE stream_id = $1 AND gone_run IS NOT NULL)";
            let count = self.db.row(sql, [id.into()]).await?.context("no count")?.get(0)?;
            stored.push(Stored { system: row.get(1)?, stream: row.get(2)?, count });
        }
        Ok(stored)
    }

    /// Runs by status.
    pub async fn run_counts(&self) -> Result<Vec<(String, i64)>> {
        let rows =
            self.db.rows("SELECT status, COUNT(*) FROM run GROUP BY status ORDER BY status", []).await?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
    }

    /// When each system was last read without anything missing, in microseconds.
    pub async fn last_successes(&self) -> Result<Vec<(String, i64)>> {
        let sql = "SELECT system, MAX(finished_at) FROM run WHERE status = 'succeeded' AND finished_at IS NOT NULL GROUP BY system ORDER BY system";
        let rows = self.db.rows(sql, []).await?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
    }

    /// Audit entries that are not sealed yet.
    pub async fn unsealed(&self) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM audit a WHERE a.id > COALESCE((SELECT MAX(entry_id) FROM seal), 0) - 10000 AND NOT EXISTS (SELECT 1 FROM seal s WHERE s.entry_id = a.id)";
        self.db.row(sql, []).await?.context("no count")?.get(0)
    }

    /// The last read of a system that was not limited to some clients and came to its end. Only such a
    /// read tells where the whole system stands.
    pub async fn last_whole_read(&self, system: &str) -> Result<Option<Run>> {
        let sql = "SELECT id FROM run WHERE system = $1 AND take IS NULL AND status IN ('succeeded', 'incomplete') ORDER BY id DESC LIMIT 1";
        match self.db.row(sql, [system.into()]).await? {
            Some(row) => self.run(row.get(0)?).await,
            None => Ok(None),
        }
    }

    /// The last run, not limited to some clients, that read a stream to its end, whatever became of the
    /// system's other streams.
    pub async fn last_read_to_end(&self, system: &str, stream: &str) -> Result<Option<i64>> {
        let sql = "SELECT MAX(r.id) FROM stage s JOIN run r ON r.id = s.run_id WHERE r.system = $1 AND s.name = $2 AND r.take IS NULL AND s.status IN ('succeeded', 'incomplete') AND s.read_at IS NOT NULL";
        self.db.row(sql, [system.into(), stream.into()]).await?.map_or(Ok(None), |row| row.get(0))
    }

    /// Rows that the source has in a stream and that count, by the last unlimited read that learnt it, and
    /// how many that are stored its answer did not have.
    pub async fn source_count(&self, system: &str, stream: &str) -> Result<Option<(i64, i64)>> {
        let sql = "SELECT s.source_count, s.absent, s.counts FROM stage s JOIN run r ON r.id = s.run_id WHERE r.system = $1 AND s.name = $2 AND r.take IS NULL AND s.status IN ('succeeded', 'incomplete') AND s.source_count IS NOT NULL ORDER BY r.id DESC LIMIT 1";
        let row = self.db.row(sql, [system.into(), stream.into()]).await?;
        row.map(|row| {
            let counts: Counts = serde_json::from_str(&row.get::<String>(2)?)?;
            Ok((row.get::<i64>(0)? - i64::try_from(counts.excluded)?, row.get(1)?))
        })
        .transpose()
    }

    /// The keys of a stream's records that are not gone.
    pub async fn live_keys(&self, stream: &Stream, stream_id: i64) -> Result<Vec<String>> {
        let table = stream.table.name();
        let sql = format!("SELECT key FROM {table} WHERE stream_id = $1 AND gone_run IS NULL");
        self.db.rows(&sql, [stream_id.into()]).await?.iter().map(|row| row.get(0)).collect()
    }

    /// Whether there ever was a run of this system.
    pub async fn was_read(&self, system: &str) -> Result<bool> {
        if system.contains('\0') {
            return Ok(false);
        }
        let sql = "SELECT 1 FROM run WHERE system = $1 LIMIT 1";
        Ok(self.db.row(sql, [system.into()]).await?.is_some())
    }

    /// The run that says where a system stands: the one under way, else the last that is over.
    pub async fn current_run(&self, system: &str) -> Result<Option<Run>> {
        match self.active_run(system).await? {
            Some(run) => Ok(Some(run)),
            None => self.last_run(system).await,
        }
    }
}
