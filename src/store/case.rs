//! Cases: what a person must decide.

use std::collections::HashMap;

use anyhow::{Context, Result};

use super::{Row, Store, Tx};
use crate::model::Message;

/// Something a person must decide. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its number.
    pub id: i64,
    /// `held_deletion`, `empty_answer`, `uid_collision`, …
    pub kind: String,
    /// The system.
    pub system: String,
    /// What it is about within the system: a stream or a key.
    pub subject: String,
    /// The run that raised it.
    pub run: Option<i64>,
    /// `open`, `decided` or `settled` (what it was about has gone away by itself).
    pub state: String,
    /// What happened and what to do.
    pub message: Message,
    /// What is needed to carry the decision out, as JSON.
    pub detail: serde_json::Value,
    /// What may be chosen.
    pub choices: Vec<String>,
    /// What was chosen.
    pub choice: Option<String>,
    /// When it was raised.
    pub opened_at: i64,
    /// When it was decided or settled.
    pub decided_at: Option<i64>,
    /// By whom.
    pub decided_by: Option<String>,
}

/// A case to be raised.
#[derive(Debug, Clone)]
pub struct NewCase<'a> {
    /// See [`Case::kind`].
    pub kind: &'a str,
    /// See [`Case::system`].
    pub system: &'a str,
    /// See [`Case::subject`].
    pub subject: &'a str,
    /// See [`Case::run`].
    pub run: Option<i64>,
    /// See [`Case::message`].
    pub message: Message,
    /// See [`Case::detail`].
    pub detail: serde_json::Value,
    /// See [`Case::choices`].
    pub choices: &'a [&'a str],
}

const CASE: &str = "SELECT id, kind, system, subject, run_id, state, message, detail, choices, choice, opened_at, decided_at, decided_by FROM cases";

/// Raises a case; one that is open for the same thing is brought up to date instead.
pub async fn raise(tx: &mut Tx, case: &NewCase<'_>, now: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO cases (kind, system, subject, run_id, state, message, detail, choices, opened_at) VALUES ($1, $2, $3, $4, 'open', $5, $6, $7, $8) ON CONFLICT (kind, system, subject) WHERE state = 'open' DO UPDATE SET run_id = excluded.run_id, message = excluded.message, detail = excluded.detail, choices = excluded.choices",
        [
            case.kind.into(),
            case.system.into(),
            case.subject.into(),
            case.run.into(),
            serde_json::to_string(&case.message)?.into(),
            case.detail.to_string().into(),
            serde_json::to_string(case.choices)?.into(),
            now.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Closes an open case whose cause has gone away by itself.
pub async fn settle(tx: &mut Tx, kind: &str, system: &str, subject: &str, now: i64) -> Result<u64> {
    tx.execute(
        "UPDATE cases SET state = 'settled', decided_at = $4 WHERE kind = $1 AND system = $2 AND subject = $3 AND state = 'open'",
        [kind.into(), system.into(), subject.into(), now.into()],
    )
    .await
}

/// Notes a decision. `false` when the case is not open any more.
pub async fn decide(tx: &mut Tx, id: i64, choice: &str, by: &str, now: i64) -> Result<bool> {
    let changed = tx
        .execute(
            "UPDATE cases SET state = 'decided', choice = $2, decided_by = $3, decided_at = $4 WHERE id = $1 AND state = 'open'",
            [id.into(), choice.into(), by.into(), now.into()],
        )
        .await?;
    Ok(changed == 1)
}

impl Store {
    /// The case of that number.
    pub async fn case(&self, id: i64) -> Result<Option<Case>> {
        let row = self.db.row(&format!("{CASE} WHERE id = $1"), [id.into()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Cases, newest first, below the number `before`; in one state if named.
    pub async fn cases(&self, state: Option<&str>, before: Option<i64>, limit: i64) -> Result<Vec<Case>> {
        let sql =
            format!("{CASE} WHERE ($1 = '' OR state = $1) AND ($2 = 0 OR id < $2) ORDER BY id DESC LIMIT $3");
        let args = [state.unwrap_or("").into(), before.unwrap_or(0).into(), limit.into()];
        self.db.rows(&sql, args).await?.iter().map(read).collect()
    }

    /// The cases of a system (or flow) about these things, newest first.
    pub async fn cases_about(&self, system: &str, subjects: &[&str]) -> Result<Vec<Case>> {
        let mut tx = self.look().await?;
        let sql = format!("{CASE} WHERE system = $1");
        let rows = super::bulk::rows_by_text(&mut tx, &sql, system.into(), "subject", subjects).await?;
        let mut cases = rows.iter().map(read).collect::<Result<Vec<Case>>>()?;
        cases.sort_by_key(|case| std::cmp::Reverse(case.id));
        Ok(cases)
    }

    /// How many cases there are in a state (in any when `None`), of one system if named.
    pub async fn count_cases(&self, state: Option<&str>, system: Option<&str>) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM cases WHERE ($1 = '' OR state = $1) AND ($2 = '' OR system = $2)";
        let args = [state.unwrap_or("").into(), system.unwrap_or("").into()];
        self.db.row(sql, args).await?.context("no count")?.get(0)
    }

    /// What was decided last about the things of a system (or flow), by kind of case: thing → choice.
    pub async fn decided_cases(&self, system: &str, kinds: &[&str]) -> Result<HashMap<String, String>> {
        let sql =
            "SELECT kind, subject, choice FROM cases WHERE system = $1 AND state = 'decided' ORDER BY id";
        let mut decided = HashMap::new();
        for row in self.db.rows(sql, [system.into()]).await? {
            if kinds.contains(&row.get::<String>(0)?.as_str()) {
                decided.insert(row.get(1)?, row.get::<Option<String>>(2)?.unwrap_or_default());
            }
        }
        Ok(decided)
    }

    /// How many cases of these kinds are open about a system or flow.
    pub async fn open_cases(&self, system: &str, kinds: &[&str]) -> Result<i64> {
        let sql = "SELECT kind, COUNT(*) FROM cases WHERE system = $1 AND state = 'open' GROUP BY kind";
        let mut open = 0;
        for row in self.db.rows(sql, [system.into()]).await? {
            if kinds.contains(&row.get::<String>(0)?.as_str()) {
                open += row.get::<i64>(1)?;
            }
        }
        Ok(open)
    }

    /// How many cases about a system or flow are open since before that time.
    pub async fn cases_open_since(&self, system: &str, before: i64) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM cases WHERE system = $1 AND state = 'open' AND opened_at < $2";
        self.db.row(sql, [system.into(), before.into()]).await?.context("no count")?.get(0)
    }

    /// Whether an earlier case of this kind about this thing was decided with this choice, in a run
    /// not before `since`.
    pub async fn decided(&self, kind: &str, system: &str, subject: &str) -> Result<Option<Case>> {
        let sql = format!(
            "{CASE} WHERE kind = $1 AND system = $2 AND subject = $3 AND state = 'decided' ORDER BY id DESC LIMIT 1"
        );
        let row = self.db.row(&sql, [kind.into(), system.into(), subject.into()]).await?;
        row.as_ref().map(read).transpose()
    }
}

fn read(row: &Row) -> Result<Case> {
    let json = |index| -> Result<serde_json::Value> { Ok(serde_json::from_str(&row.get::<String>(index)?)?) };
    Ok(Case {
        id: row.get(0)?,
        kind: row.get(1)?,
        system: row.get(2)?,
        subject: row.get(3)?,
        run: row.get(4)?,
        state: row.get(5)?,
        message: serde_json::from_value(json(6)?)?,
        detail: json(7)?,
        choices: serde_json::from_value(json(8)?)?,
        choice: row.get(9)?,
        opened_at: row.get(10)?,
        decided_at: row.get(11)?,
        decided_by: row.get(12)?,
    })
}
