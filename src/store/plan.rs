//! Plans of flows: what would be done about each record, kept to be shown and applied later.

use anyhow::{Context, Result};

use super::bulk::{self, Batch, Kind};
use super::{Row, Store, Tx, Value};
use crate::model::Message;

/// Plans kept of a flow; older ones go when a new one is asked for.
const KEPT: i64 = 50;

/// A plan. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its number.
    pub id: i64,
    /// The flow.
    pub flow: String,
    /// Where it stands.
    pub state: PlanState,
    /// The runs that read both sides for it.
    pub runs: Vec<i64>,
    /// Why it could not be made.
    pub message: Option<Message>,
    /// Who asked for it.
    pub asked_by: String,
    /// When.
    pub asked_at: i64,
    /// When it was made.
    pub made_at: Option<i64>,
}

/// Where a plan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanState {
    /// Both sides are being read.
    Reading,
    /// It can be shown and applied.
    Ready,
    /// A side could not be read.
    Failed,
}

impl PlanState {
    /// The word stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            PlanState::Reading => "reading",
            PlanState::Ready => "ready",
            PlanState::Failed => "failed",
        }
    }

    fn of(word: &str) -> PlanState {
        let all = [PlanState::Reading, PlanState::Ready];
        all.into_iter().find(|state| state.word() == word).unwrap_or(PlanState::Failed)
    }
}

/// What a plan says of one record, with its place in the plan.
#[derive(Debug, Clone)]
pub struct PlannedRow {
    /// Its place in the plan, from 1.
    pub position: i64,
    /// The change, as JSON.
    pub content: String,
    /// When it was asked for.
    pub applied_at: Option<i64>,
    /// When it was found to have moved, and left out.
    pub left_out_at: Option<i64>,
}

/// How many changes of an action a plan has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanCount {
    /// `create`, `update`, `link` or `case`.
    pub action: String,
    /// Changes.
    pub all: i64,
    /// Asked for already.
    pub applied: i64,
    /// Found to have moved, and left out.
    pub left_out: i64,
}

const PLAN: &str = "SELECT id, flow, state, runs, message, asked_by, asked_at, made_at FROM plan";
const CHANGE: &str = "SELECT position, content, applied_at, left_out_at FROM plan_change";

/// Keeps that a plan of a flow is asked for, which is made when these runs are over; its number. The oldest
/// plans of the flow go.
pub async fn ask(tx: &mut Tx, flow: &str, runs: &[i64], by: &str, now: i64) -> Result<i64> {
    let sql = "INSERT INTO plan (flow, state, runs, asked_by, asked_at) VALUES ($1, 'reading', $2, $3, $4) RETURNING id";
    let args: [Value; 4] = [flow.into(), serde_json::to_string(runs)?.into(), by.into(), now.into()];
    let id = tx.row(sql, args).await?.context("no plan")?.get(0)?;
    let old = format!("SELECT id FROM plan WHERE flow = $1 ORDER BY id DESC LIMIT 1000 OFFSET {KEPT}");
    tx.execute(&format!("DELETE FROM plan_change WHERE plan_id IN ({old})"), [flow.into()]).await?;
    tx.execute(&format!("DELETE FROM plan WHERE id IN ({old})"), [flow.into()]).await?;
    Ok(id)
}

/// Keeps what a plan came to, (action, record of the master, change as JSON) each; `false` when somebody else
/// has done so.
pub async fn made(tx: &mut Tx, id: i64, changes: Vec<(&str, String, String)>, now: i64) -> Result<bool> {
    let sql = "UPDATE plan SET state = 'ready', made_at = $2 WHERE id = $1 AND state = 'reading'";
    if tx.execute(sql, [id.into(), now.into()]).await? == 0 {
        return Ok(false);
    }
    let mut batch = Batch::new(&[
        ("plan_id", Kind::Int),
        ("position", Kind::Int),
        ("action", Kind::Text),
        ("source", Kind::Text),
        ("content", Kind::Text),
    ]);
    for ((action, source, content), position) in changes.into_iter().zip(1_i64..) {
        batch.push([id.into(), position.into(), action.into(), source.into(), content.into()]);
    }
    bulk::insert(tx, "plan_change", batch).await?;
    Ok(true)
}

/// Keeps why a plan could not be made; `false` when it was made meanwhile.
pub async fn failed(tx: &mut Tx, id: i64, message: &Message, now: i64) -> Result<bool> {
    let sql =
        "UPDATE plan SET state = 'failed', message = $2, made_at = $3 WHERE id = $1 AND state = 'reading'";
    Ok(tx.execute(sql, [id.into(), serde_json::to_string(message)?.into(), now.into()]).await? == 1)
}

/// Notes that these changes of a plan were asked for.
pub async fn applied(tx: &mut Tx, id: i64, positions: &[i64], now: i64) -> Result<()> {
    for some in positions.chunks(1000) {
        let sql = format!(
            "UPDATE plan_change SET applied_at = $2, left_out_at = NULL WHERE plan_id = $1 AND position IN ({})",
            bulk::id_list(some)
        );
        tx.execute(&sql, [id.into(), now.into()]).await?;
    }
    Ok(())
}

/// Notes that these changes of a plan were left out: what they were made of has moved.
pub async fn left_out(tx: &mut Tx, id: i64, positions: &[i64], now: i64) -> Result<()> {
    for some in positions.chunks(1000) {
        let sql = format!(
            "UPDATE plan_change SET left_out_at = $2 WHERE plan_id = $1 AND position IN ({})",
            bulk::id_list(some)
        );
        tx.execute(&sql, [id.into(), now.into()]).await?;
    }
    Ok(())
}

impl Store {
    /// A plan.
    pub async fn plan(&self, id: i64) -> Result<Option<Plan>> {
        let row = self.db.row(&format!("{PLAN} WHERE id = $1"), [id.into()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// The newest plan of a flow.
    pub async fn last_plan(&self, flow: &str) -> Result<Option<Plan>> {
        let sql = format!("{PLAN} WHERE flow = $1 ORDER BY id DESC LIMIT 1");
        self.db.row(&sql, [flow.into()]).await?.as_ref().map(read).transpose()
    }

    /// Plans that are still to be made, the oldest first.
    pub async fn plans_to_make(&self) -> Result<Vec<Plan>> {
        let sql = format!("{PLAN} WHERE state = 'reading' ORDER BY id");
        self.db.rows(&sql, []).await?.iter().map(read).collect()
    }

    /// How many changes of each action a plan has.
    pub async fn plan_counts(&self, id: i64) -> Result<Vec<PlanCount>> {
        let sql = "SELECT action, COUNT(*), COUNT(applied_at), COUNT(left_out_at) FROM plan_change WHERE plan_id = $1 GROUP BY action ORDER BY action";
        let rows = self.db.rows(sql, [id.into()]).await?;
        let count = |row: &Row| {
            Ok(PlanCount {
                action: row.get(0)?,
                all: row.get(1)?,
                applied: row.get(2)?,
                left_out: row.get(3)?,
            })
        };
        rows.iter().map(count).collect()
    }

    /// Changes of a plan (of one action, if named) behind the place `after`, in order.
    pub async fn plan_changes(
        &self,
        id: i64,
        action: Option<&str>,
        after: i64,
        limit: i64,
    ) -> Result<Vec<PlannedRow>> {
        let sql = format!(
            "{CHANGE} WHERE plan_id = $1 AND ($2 = '' OR action = $2) AND position > $3 ORDER BY position LIMIT $4"
        );
        let args: [Value; 4] = [id.into(), action.unwrap_or("").into(), after.into(), limit.into()];
        self.db.rows(&sql, args).await?.iter().map(change).collect()
    }

    /// What a plan says of these records of the master.
    pub async fn plan_changes_of(&self, id: i64, sources: &[&str]) -> Result<Vec<PlannedRow>> {
        let mut tx = self.look().await?;
        let sql = format!("{CHANGE} WHERE plan_id = $1");
        let rows = bulk::rows_by_text(&mut tx, &sql, id.into(), "source", sources).await?;
        rows.iter().map(change).collect()
    }
}

fn read(row: &Row) -> Result<Plan> {
    let message: Option<String> = row.get(4)?;
    Ok(Plan {
        id: row.get(0)?,
        flow: row.get(1)?,
        state: PlanState::of(&row.get::<String>(2)?),
        runs: serde_json::from_str(&row.get::<String>(3)?)?,
        message: message.map(|text| serde_json::from_str(&text)).transpose()?,
        asked_by: row.get(5)?,
        asked_at: row.get(6)?,
        made_at: row.get(7)?,
    })
}

fn change(row: &Row) -> Result<PlannedRow> {
    Ok(PlannedRow {
        position: row.get(0)?,
        content: row.get(1)?,
        applied_at: row.get(2)?,
        left_out_at: row.get(3)?,
    })
}
