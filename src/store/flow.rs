//! Where flows stand.

use anyhow::Result;

use super::{Row, Store, Tx};

/// Where a flow stands. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlowState {
    /// Since when it writes by itself; `None` = it only plans.
    pub live_since: Option<i64>,
    /// When its import was closed: every row was linked, created, excluded or decided.
    pub import_closed_at: Option<i64>,
    /// When both sides were last held against each other whole.
    pub reconciled_at: Option<i64>,
}

impl Store {
    /// Where a flow stands.
    pub async fn flow_state(&self, flow: &str) -> Result<FlowState> {
        let sql = "SELECT live_since, import_closed_at, reconciled_at FROM flow_state WHERE flow = $1";
        let row = self.db.row(sql, [flow.into()]).await?;
        let read = |row: &Row| {
            Ok(FlowState {
                live_since: row.get(0)?,
                import_closed_at: row.get(1)?,
                reconciled_at: row.get(2)?,
            })
        };
        row.as_ref().map_or_else(|| Ok(FlowState::default()), read)
    }
}

/// Closes a flow's import, from when on the flow is live; `false` when it is closed already.
pub async fn close_import(tx: &mut Tx, flow: &str, now: i64) -> Result<bool> {
    let sql = "INSERT INTO flow_state (flow, live_since, import_closed_at) VALUES ($1, $2, $2) ON CONFLICT (flow) DO UPDATE SET live_since = COALESCE(flow_state.live_since, excluded.live_since), import_closed_at = excluded.import_closed_at WHERE flow_state.import_closed_at IS NULL";
    Ok(tx.execute(sql, [flow.into(), now.into()]).await? == 1)
}

/// Opens a flow's import again; `false` when it is not closed.
pub async fn reopen_import(tx: &mut Tx, flow: &str) -> Result<bool> {
    let sql =
        "UPDATE flow_state SET import_closed_at = NULL WHERE flow = $1 AND import_closed_at IS NOT NULL";
    Ok(tx.execute(sql, [flow.into()]).await? == 1)
}

/// Lets a flow write by itself from now on; `false` when it does already.
pub async fn start(tx: &mut Tx, flow: &str, now: i64) -> Result<bool> {
    let sql = "INSERT INTO flow_state (flow, live_since) VALUES ($1, $2) ON CONFLICT (flow) DO UPDATE SET live_since = excluded.live_since WHERE flow_state.live_since IS NULL";
    Ok(tx.execute(sql, [flow.into(), now.into()]).await? == 1)
}

/// Notes that a live flow is held against both sides whole now; `false` when somebody else has just done so.
pub async fn reconcile(tx: &mut Tx, flow: &str, last: Option<i64>, now: i64) -> Result<bool> {
    let sql = "UPDATE flow_state SET reconciled_at = $2 WHERE flow = $1 AND COALESCE(reconciled_at, 0) = $3";
    Ok(tx.execute(sql, [flow.into(), now.into(), last.unwrap_or(0).into()]).await? == 1)
}
