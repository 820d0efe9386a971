//! Deliveries as lists show them: by flow, state and record.

use anyhow::{Context, Result};

use super::{DELIVERY, Delivery, OPEN, read};
use crate::model::flow::State;
use crate::store::{Store, Value};

/// Which deliveries are wanted. What is empty does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The flow.
    pub flow: String,
    /// The states.
    pub states: Vec<State>,
    /// The record that is carried.
    pub record: String,
}

impl Wanted {
    fn condition(&self) -> String {
        let words: Vec<String> = self.states.iter().map(|state| format!("'{}'", state.word())).collect();
        let states =
            if words.is_empty() { "1 = 1".to_owned() } else { format!("state IN ({})", words.join(", ")) };
        format!("{states} AND ($1 = '' OR flow = $1) AND ($2 = '' OR record = $2)")
    }

    fn args(&self) -> [Value; 2] {
        [self.flow.as_str().into(), self.record.as_str().into()]
    }
}

impl Store {
    /// Deliveries that are wanted, the newest first, older than `before`.
    pub async fn wanted_deliveries(
        &self,
        wanted: &Wanted,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Delivery>> {
        let sql = format!("{DELIVERY} WHERE {} AND id < $3 ORDER BY id DESC LIMIT $4", wanted.condition());
        let page: [Value; 2] = [before.unwrap_or(i64::MAX).into(), limit.into()];
        let rows = self.db.rows(&sql, wanted.args().into_iter().chain(page)).await?;
        rows.iter().map(read).collect()
    }

    /// How many deliveries are wanted.
    pub async fn count_wanted_deliveries(&self, wanted: &Wanted) -> Result<i64> {
        let sql = format!("SELECT COUNT(*) FROM delivery WHERE {}", wanted.condition());
        self.db.row(&sql, wanted.args()).await?.context("no count")?.get(0)
    }

    /// How many deliveries of a flow (of all when empty) go on by themselves.
    pub async fn open_deliveries(&self, flow: &str) -> Result<i64> {
        let sql = format!("SELECT COUNT(*) FROM delivery WHERE state IN {OPEN} AND ($1 = '' OR flow = $1)");
        self.db.row(&sql, [flow.into()]).await?.context("no count")?.get(0)
    }

    /// Deliveries of a flow (of all when empty) that wait for a person: refused, tried too often, held.
    pub async fn stuck_deliveries(&self, flow: &str) -> Result<[i64; 3]> {
        let sql = "SELECT COUNT(CASE WHEN state = 'rejected' THEN 1 END), COUNT(CASE WHEN state = 'dead' THEN 1 END), COUNT(CASE WHEN state = 'held' THEN 1 END) FROM delivery WHERE state IN ('rejected', 'dead', 'held') AND ($1 = '' OR flow = $1)";
        let row = self.db.row(sql, [flow.into()]).await?.context("no count")?;
        Ok([row.get(0)?, row.get(1)?, row.get(2)?])
    }

    /// The next delivery of the same record one way, with when it was asked for.
    pub async fn delivery_after(&self, delivery: &Delivery) -> Result<Option<(i64, i64)>> {
        let sql = "SELECT id, queued_at FROM delivery WHERE flow = $1 AND record = $2 AND way = $3 AND id > $4 ORDER BY id LIMIT 1";
        let args: [Value; 4] = [
            delivery.flow.as_str().into(),
            delivery.record.as_str().into(),
            delivery.way.word().into(),
            delivery.id.into(),
        ];
        self.db.row(sql, args).await?.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose()
    }
}
