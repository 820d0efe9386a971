//! Deliveries: writes to other systems as a state machine. Every transition is a compare-and-set on
//! (id, state, epoch), so that a process that was taken over changes nothing more.

use anyhow::{Context, Result};

use super::{Row, Store, Tx, Value, bulk};
use crate::model::flow::{State, Way};
use crate::model::{Contact, Content, Field, Fingerprint, Message};

mod list;

pub use list::Wanted;

/// A delivery. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its number.
    pub id: i64,
    /// The flow.
    pub flow: String,
    /// Which way it goes.
    pub way: Way,
    /// The record that is carried, in the system it comes from.
    pub record: String,
    /// `create` or `update`.
    pub action: String,
    /// The record it is written to; `None` while it is not there.
    pub target: Option<String>,
    /// Where it stands.
    pub state: State,
    /// Counts the times it was claimed.
    pub epoch: i64,
    /// The process that works on it.
    pub engine: Option<i64>,
    /// Until when that process has it without a sign of life.
    pub lease_until: i64,
    /// How often it was sent.
    pub attempt: i64,
    /// Not to be looked at before.
    pub not_before: i64,
    /// What is written.
    pub payload: Option<Content>,
    /// What was there before.
    pub before: Option<Content>,
    /// What was there afterwards.
    pub after: Option<Content>,
    /// The highest key that was seen there just before.
    pub mark: Option<i64>,
    /// What became of it, or why it waits.
    pub message: Option<Message>,
    /// Why it was asked for (`import`, `edit`, `reconcile`, `apply`, `undo`).
    pub reason: String,
    /// The run it was asked for in.
    pub run: Option<i64>,
    /// Who asked for it.
    pub asked_by: String,
    /// When.
    pub queued_at: i64,
    /// When it was sent last.
    pub sent_at: Option<i64>,
    /// When it came to its end.
    pub ended_at: Option<i64>,
    /// What the record said when it was asked for, later when it was prepared.
    pub said: Option<Fingerprint>,
    /// What the target has to say still; else it is left out.
    pub expects: Option<Fingerprint>,
    /// What the record's system wished for when this was sent.
    pub wished: Option<Contact>,
    /// The fields that were written; empty for a new record, of which all were.
    pub fields: Vec<Field>,
    /// The customer it waits for: nothing is done before that is linked.
    pub waits_for: Option<String>,
    /// How often a person said that it was not done.
    pub round: i64,
}

impl Delivery {
    /// Whether it wrote something, or may have: then nobody but a person may have the same written again.
    pub fn may_have_written(&self) -> bool {
        match self.state {
            State::Sent | State::Uncertain | State::Confirmed | State::Verified => true,
            State::Held => self.message.as_ref().is_some_and(|message| message.id.starts_with(UNCERTAIN)),
            _ => false,
        }
    }

    /// Whether it goes on by itself as soon as its turn comes.
    pub fn is_under_way(&self) -> bool {
        self.state.is_open() && self.waits_for.is_none()
    }
}

/// How the messages begin of deliveries that stand still because their outcome is not known.
const UNCERTAIN: &str = "case-uncertain-";

/// A delivery to be made.
#[derive(Debug, Clone)]
pub struct NewDelivery<'a> {
    /// See [`Delivery::flow`].
    pub flow: &'a str,
    /// See [`Delivery::way`].
    pub way: Way,
    /// See [`Delivery::record`].
    pub record: &'a str,
    /// See [`Delivery::action`].
    pub action: &'a str,
    /// See [`Delivery::reason`].
    pub reason: &'a str,
    /// See [`Delivery::run`].
    pub run: Option<i64>,
    /// See [`Delivery::asked_by`].
    pub asked_by: &'a str,
    /// See [`Delivery::said`].
    pub said: Option<Fingerprint>,
    /// See [`Delivery::expects`].
    pub expects: Option<Fingerprint>,
}

/// Fields of a linked record that are put back, by a person's word.
#[derive(Debug, Clone)]
pub struct Restore<'a> {
    /// See [`Delivery::flow`].
    pub flow: &'a str,
    /// See [`Delivery::way`].
    pub way: Way,
    /// See [`Delivery::record`].
    pub record: &'a str,
    /// `undo` or `accept`.
    pub reason: &'a str,
    /// Who asks for it.
    pub asked_by: &'a str,
    /// Which fields.
    pub fields: &'a [Field],
    /// What they shall be.
    pub wished: &'a Contact,
    /// What they have to be there still.
    pub expected: &'a Contact,
}

/// The right to go on with a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The delivery.
    pub id: i64,
    /// Its epoch when it was claimed.
    pub epoch: i64,
}

/// What is on record before something is sent.
#[derive(Debug, Clone)]
pub struct Prepared<'a> {
    /// `create` or `update`.
    pub action: &'a str,
    /// The record it is written to.
    pub target: Option<&'a str>,
    /// What is written.
    pub payload: &'a Content,
    /// What is there now.
    pub before: Option<&'a Content>,
    /// The highest key that is there now.
    pub mark: Option<i64>,
    /// What the record's system wishes for, of a customer.
    pub wished: Option<&'a Contact>,
    /// The fields that are written; empty for a new record.
    pub fields: &'a [Field],
    /// What the record says, as a fingerprint.
    pub said: Option<Fingerprint>,
}

/// How a step of a delivery ends.
#[derive(Debug, Clone)]
pub struct Step<'a> {
    /// The state it is left in.
    pub from: State,
    /// The state it goes to.
    pub to: State,
    /// The record it was written to, if that is known now.
    pub target: Option<&'a str>,
    /// What is there now.
    pub after: Option<&'a Content>,
    /// What became of it.
    pub message: Option<&'a Message>,
    /// Not to be looked at before.
    pub not_before: i64,
}

impl Step<'_> {
    /// A step that says nothing more.
    pub fn new(from: State, to: State) -> Self {
        Step { from, to, target: None, after: None, message: None, not_before: 0 }
    }
}

/// What of a flow's deliveries waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Refused or given up, and not followed by another of the same record.
    pub failed: i64,
    /// Go on by themselves.
    pub open: i64,
    /// When the oldest of these was asked for.
    pub oldest: Option<i64>,
}

/// How long a claim holds without a sign of life, in microseconds.
pub const LEASE: i64 = 45_000_000;

const DELIVERY: &str = "SELECT id, flow, way, record, action, target, state, epoch, engine, lease_until, attempt, not_before, payload, before_value, after_value, mark, message, reason, run_id, asked_by, queued_at, sent_at, ended_at, said, expects, wished, fields, waits_for, round FROM delivery";
const OPEN: &str = "('pending', 'claimed', 'prepared', 'sent', 'uncertain')";

/// Asks for a delivery; `false` when one of the same record waits already, which will carry what the
/// record says when its turn comes.
pub async fn queue(tx: &mut Tx, new: &NewDelivery<'_>, now: i64) -> Result<bool> {
    let sql = "INSERT INTO delivery (flow, way, record, action, state, reason, run_id, asked_by, queued_at, said, expects) VALUES ($1, $2, $3, $4, 'pending', $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
    let bytes = |print: Option<Fingerprint>| print.map(|print| print.0.to_vec());
    let args: [Value; 10] = [
        new.flow.into(),
        new.way.word().into(),
        new.record.into(),
        new.action.into(),
        new.reason.into(),
        new.run.into(),
        new.asked_by.into(),
        now.into(),
        bytes(new.said).into(),
        bytes(new.expects).into(),
    ];
    Ok(tx.execute(sql, args).await? == 1)
}

/// Asks for fields to be put back; `false` when something else of the record waits already.
pub async fn queue_restore(tx: &mut Tx, new: &Restore<'_>, now: i64) -> Result<bool> {
    let sql = "INSERT INTO delivery (flow, way, record, action, state, reason, asked_by, queued_at, wished, fields, before_value) VALUES ($1, $2, $3, 'update', 'pending', $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    let args: [Value; 9] = [
        new.flow.into(),
        new.way.word().into(),
        new.record.into(),
        new.reason.into(),
        new.asked_by.into(),
        now.into(),
        serde_json::to_string(new.wished)?.into(),
        serde_json::to_string(new.fields)?.into(),
        serde_json::to_string(new.expected)?.into(),
    ];
    Ok(tx.execute(sql, args).await? == 1)
}

/// Lets a restore that found something else go on, whatever is there: what it would have to be is forgotten.
pub async fn restore_anyway(tx: &mut Tx, id: i64, now: i64) -> Result<bool> {
    if !settle(tx, id, State::Pending, None, None, now).await? {
        return Ok(false);
    }
    let sql = "UPDATE delivery SET before_value = NULL WHERE id = $1 AND state = 'pending'";
    Ok(tx.execute(sql, [id.into()]).await? == 1)
}

/// Puts on record what will be written and what it replaces.
pub async fn prepare(tx: &mut Tx, lease: Lease, prepared: &Prepared<'_>, now: i64) -> Result<bool> {
    let sql = "UPDATE delivery SET state = 'prepared', action = $3, target = $4, payload = $5, before_value = $6, mark = $7, lease_until = $8, wished = COALESCE($9, wished), fields = $10, said = $11 WHERE id = $1 AND epoch = $2 AND state = 'claimed'";
    let args: [Value; 11] = [
        lease.id.into(),
        lease.epoch.into(),
        prepared.action.into(),
        prepared.target.map(str::to_owned).into(),
        serde_json::to_string(prepared.payload)?.into(),
        prepared.before.map(serde_json::to_string).transpose()?.into(),
        prepared.mark.into(),
        (now + LEASE).into(),
        prepared.wished.map(serde_json::to_string).transpose()?.into(),
        serde_json::to_string(prepared.fields)?.into(),
        prepared.said.map(|said| said.0.to_vec()).into(),
    ];
    Ok(tx.execute(sql, args).await? == 1)
}

/// Notes that the request goes out now, which whoever sends it may wait for `until`; not when the lease has
/// run out meanwhile.
pub async fn send(tx: &mut Tx, lease: Lease, now: i64, until: i64) -> Result<bool> {
    let sql = "UPDATE delivery SET state = 'sent', sent_at = $3, attempt = attempt + 1, lease_until = $4 WHERE id = $1 AND epoch = $2 AND state = 'prepared' AND lease_until > $3";
    let args = [lease.id.into(), lease.epoch.into(), now.into(), until.into()];
    Ok(tx.execute(sql, args).await? == 1)
}

/// Goes from one state to another. Whoever had it lets go of it.
pub async fn step(tx: &mut Tx, lease: Lease, step: &Step<'_>, now: i64) -> Result<bool> {
    let sql = "UPDATE delivery SET state = $4, target = COALESCE($5, target), after_value = COALESCE($6, after_value), message = $7, not_before = $8, ended_at = $9, engine = NULL, lease_until = 0 WHERE id = $1 AND epoch = $2 AND state = $3";
    let ended = (!step.to.is_open()).then_some(now);
    let args: [Value; 9] = [
        lease.id.into(),
        lease.epoch.into(),
        step.from.word().into(),
        step.to.word().into(),
        step.target.map(str::to_owned).into(),
        step.after.map(serde_json::to_string).transpose()?.into(),
        step.message.map(serde_json::to_string).transpose()?.into(),
        step.not_before.into(),
        ended.into(),
    ];
    Ok(tx.execute(sql, args).await? == 1)
}

/// Ends the standstill of a delivery by a person's word; `false` when it does not stand still, may yet be
/// done by itself, was never sent and is said to be done, or a newer one of the same record waits.
pub async fn settle(
    tx: &mut Tx,
    id: i64,
    to: State,
    target: Option<&str>,
    after: Option<&Content>,
    now: i64,
) -> Result<bool> {
    let sql = "UPDATE delivery SET state = $2, target = COALESCE($3, target), after_value = COALESCE($4, after_value), epoch = epoch + 1, attempt = 0, not_before = 0, round = round + CASE WHEN $2 = 'pending' THEN 1 ELSE 0 END, ended_at = $5 WHERE id = $1 AND (state IN ('held', 'rejected', 'dead') OR (state = 'uncertain' AND not_before <= $6)) AND ($2 <> 'confirmed' OR sent_at IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM delivery w WHERE w.flow = delivery.flow AND w.way = delivery.way AND w.record = delivery.record AND w.state = 'pending')";
    let args: [Value; 6] = [
        id.into(),
        to.word().into(),
        target.map(str::to_owned).into(),
        after.map(serde_json::to_string).transpose()?.into(),
        (!to.is_open()).then_some(now).into(),
        now.into(),
    ];
    Ok(tx.execute(sql, args).await? == 1)
}

/// Lets go of one that was claimed and of which nothing was sent, to be taken up again: not before
/// `not_before`, or, where it waits for a customer, when that is linked. It ends instead when a newer one of
/// the same record waits already.
pub async fn put_back(
    tx: &mut Tx,
    lease: Lease,
    waits_for: Option<&str>,
    message: &Message,
    not_before: i64,
    now: i64,
) -> Result<bool> {
    let newer = "EXISTS (SELECT 1 FROM delivery w WHERE w.flow = delivery.flow AND w.way = delivery.way AND w.record = delivery.record AND w.state = 'pending')";
    let sql = format!(
        "UPDATE delivery SET state = CASE WHEN {newer} THEN 'superseded' ELSE 'pending' END, ended_at = CASE WHEN {newer} THEN CAST($6 AS BIGINT) END, waits_for = $3, message = $4, not_before = $5, engine = NULL, lease_until = 0 WHERE id = $1 AND epoch = $2 AND state = 'claimed'"
    );
    let args: [Value; 6] = [
        lease.id.into(),
        lease.epoch.into(),
        waits_for.map(str::to_owned).into(),
        serde_json::to_string(message)?.into(),
        not_before.into(),
        now.into(),
    ];
    Ok(tx.execute(&sql, args).await? == 1)
}

/// Lets one go on that stood still and has written nothing: what hindered it has gone away by itself.
pub async fn resume(tx: &mut Tx, seen: &Delivery) -> Result<bool> {
    let sql = "UPDATE delivery SET state = 'pending', epoch = epoch + 1, not_before = 0, ended_at = NULL WHERE id = $1 AND epoch = $2 AND state = 'held' AND NOT EXISTS (SELECT 1 FROM delivery w WHERE w.flow = delivery.flow AND w.way = delivery.way AND w.record = delivery.record AND w.state IN ('pending', 'claimed', 'prepared', 'sent', 'uncertain'))";
    Ok(tx.execute(sql, [seen.id.into(), seen.epoch.into()]).await? == 1)
}

/// Ends deliveries of a record, but for one, that stand still and have written nothing.
pub async fn supersede_held(tx: &mut Tx, flow: &str, record: &str, but: Option<i64>, now: i64) -> Result<()> {
    let sql = "UPDATE delivery SET state = 'superseded', epoch = epoch + 1, ended_at = $4 WHERE flow = $1 AND record = $2 AND id <> $3 AND state = 'held' AND COALESCE(message, '') NOT LIKE $5";
    let uncertain = format!("%\"{UNCERTAIN}%");
    let args = [flow.into(), record.into(), but.unwrap_or(0).into(), now.into(), uncertain.into()];
    tx.execute(sql, args).await?;
    Ok(())
}

/// Gives the waiting deliveries of a flow one way to the run that works them off now.
pub async fn adopt(tx: &mut Tx, flow: &str, way: Way, run: i64) -> Result<()> {
    let sql = "UPDATE delivery SET run_id = $3 WHERE flow = $1 AND way = $2 AND state = 'pending'";
    tx.execute(sql, [flow.into(), way.word().into(), run.into()]).await?;
    Ok(())
}

/// Notes that what was confirmed was seen to be there, once and equal.
pub async fn verified(tx: &mut Tx, id: i64) -> Result<bool> {
    let sql = "UPDATE delivery SET state = 'verified' WHERE id = $1 AND state = 'confirmed'";
    Ok(tx.execute(sql, [id.into()]).await? == 1)
}

impl Store {
    /// Deliveries of a flow one way that are open and due, in order; a record's next waits for the one
    /// that is under way.
    pub async fn due_deliveries(&self, flow: &str, way: Way, now: i64, limit: i64) -> Result<Vec<Delivery>> {
        let sql = format!(
            "{DELIVERY} d WHERE d.flow = $1 AND d.way = $2 AND d.state IN {OPEN} AND d.waits_for IS NULL AND d.not_before <= $3 AND (d.state <> 'pending' OR NOT EXISTS (SELECT 1 FROM delivery o WHERE o.flow = d.flow AND o.way = d.way AND o.record = d.record AND o.state IN ('claimed', 'prepared', 'sent', 'uncertain'))) ORDER BY d.id LIMIT $4"
        );
        let rows = self.db.rows(&sql, [flow.into(), way.word().into(), now.into(), limit.into()]).await?;
        rows.iter().map(read).collect()
    }

    /// Claims a delivery as it was seen; `None` when somebody was quicker. One whose outcome is not known
    /// stays as it is, any other is begun anew: nothing of it was sent.
    pub async fn claim_delivery(&self, seen: &Delivery, engine: i64, now: i64) -> Result<Option<Lease>> {
        let to = if seen.state == State::Uncertain { State::Uncertain } else { State::Claimed };
        let sql = "UPDATE delivery SET state = $4, epoch = epoch + 1, engine = $5, lease_until = $6 WHERE id = $1 AND epoch = $2 AND state = $3 RETURNING epoch";
        let args: [Value; 6] = [
            seen.id.into(),
            seen.epoch.into(),
            seen.state.word().into(),
            to.word().into(),
            engine.into(),
            (now + LEASE).into(),
        ];
        let mut tx = self.begin().await?;
        let row = match tx.row(sql, args).await {
            // One of the same record has just been claimed elsewhere.
            Err(error) if super::is_conflict(&error) => return Ok(None),
            row => row?,
        };
        tx.commit().await?;
        row.map(|row| Ok(Lease { id: seen.id, epoch: row.get(0)? })).transpose()
    }

    /// Of a delivery that was sent by a process that is there no more: its outcome is not known, and is
    /// looked for from `not_before` on.
    pub async fn orphan_delivery(&self, seen: &Delivery, not_before: i64) -> Result<bool> {
        let sql = "UPDATE delivery SET state = 'uncertain', epoch = epoch + 1, engine = NULL, lease_until = 0, not_before = $3 WHERE id = $1 AND epoch = $2 AND state = 'sent'";
        Ok(self.db.execute(sql, [seen.id.into(), seen.epoch.into(), not_before.into()]).await? == 1)
    }

    /// When the next delivery of a flow one way is due; `None` when none is open.
    pub async fn next_delivery(&self, flow: &str, way: Way) -> Result<Option<i64>> {
        let sql = format!(
            "SELECT MIN(not_before) FROM delivery WHERE flow = $1 AND way = $2 AND state IN {OPEN} AND waits_for IS NULL"
        );
        let row = self.db.row(&sql, [flow.into(), way.word().into()]).await?.context("no answer")?;
        row.get(0)
    }

    /// Lets deliveries of a flow go on whose customers are linked in the flow these go by; how many.
    pub async fn wake_deliveries(&self, flow: &str, after: &str) -> Result<u64> {
        let sql = "UPDATE delivery SET waits_for = NULL WHERE flow = $1 AND state = 'pending' AND waits_for IS NOT NULL AND EXISTS (SELECT 1 FROM link l WHERE l.flow = $2 AND l.source_key = delivery.waits_for)";
        self.db.execute(sql, [flow.into(), after.into()]).await
    }

    /// Deliveries of a flow that wait for a customer, or stand still.
    pub async fn still_deliveries(&self, flow: &str) -> Result<Vec<Delivery>> {
        let sql = format!(
            "{DELIVERY} WHERE flow = $1 AND (state = 'held' OR (state = 'pending' AND waits_for IS NOT NULL)) ORDER BY id"
        );
        self.db.rows(&sql, [flow.into()]).await?.iter().map(read).collect()
    }

    /// All deliveries of a record one way, in order.
    pub async fn deliveries_of(&self, flow: &str, way: Way, record: &str) -> Result<Vec<Delivery>> {
        let sql = format!("{DELIVERY} WHERE flow = $1 AND way = $2 AND record = $3 ORDER BY id");
        let rows = self.db.rows(&sql, [flow.into(), way.word().into(), record.into()]).await?;
        rows.iter().map(read).collect()
    }

    /// Deliveries of a flow one way that were confirmed before `until`, above `after`, in order.
    pub async fn confirmed_deliveries(
        &self,
        flow: &str,
        way: Way,
        until: i64,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Delivery>> {
        let sql = format!(
            "{DELIVERY} WHERE flow = $1 AND way = $2 AND state = 'confirmed' AND ended_at < $3 AND id > $4 ORDER BY id LIMIT $5"
        );
        let args: [Value; 5] = [flow.into(), way.word().into(), until.into(), after.into(), limit.into()];
        self.db.rows(&sql, args).await?.iter().map(read).collect()
    }

    /// A delivery.
    pub async fn delivery(&self, id: i64) -> Result<Option<Delivery>> {
        let row = self.db.row(&format!("{DELIVERY} WHERE id = $1"), [id.into()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Deliveries (in a state, if named), the newest first, older than `before`.
    pub async fn deliveries(
        &self,
        state: Option<State>,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<Delivery>> {
        let sql = format!("{DELIVERY} WHERE ($1 = '' OR state = $1) AND id < $2 ORDER BY id DESC LIMIT $3");
        let state = state.map_or("", State::word);
        let rows =
            self.db.rows(&sql, [state.into(), before.unwrap_or(i64::MAX).into(), limit.into()]).await?;
        rows.iter().map(read).collect()
    }

    /// How many deliveries there are in a state (in any, if none is named).
    pub async fn count_deliveries(&self, state: Option<State>) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM delivery WHERE ($1 = '' OR state = $1)";
        let row = self.db.row(sql, [state.map_or("", State::word).into()]).await?.context("no count")?;
        row.get(0)
    }

    /// Deliveries of a flow one way by state; of one run, if it is named.
    pub async fn delivery_counts(&self, flow: &str, way: Way, run: Option<i64>) -> Result<Vec<(State, i64)>> {
        let sql = "SELECT state, COUNT(*) FROM delivery WHERE flow = $1 AND way = $2 AND (CAST($3 AS BIGINT) IS NULL OR run_id = $3) GROUP BY state ORDER BY state";
        let rows = self.db.rows(sql, [flow.into(), way.word().into(), run.into()]).await?;
        let count = |row: &Row| Ok((state(&row.get::<String>(0)?)?, row.get(1)?));
        rows.iter().map(count).collect()
    }

    /// Whether something waits to be put back, of a flow one way.
    pub async fn due_restores(&self, flow: &str, way: Way) -> Result<bool> {
        let sql = "SELECT COUNT(*) FROM delivery WHERE flow = $1 AND way = $2 AND state = 'pending' AND reason IN ('undo', 'accept')";
        let row = self.db.row(sql, [flow.into(), way.word().into()]).await?.context("no count")?;
        Ok(row.get::<i64>(0)? > 0)
    }

    /// What of a flow's deliveries one way waits, for whom and how long.
    pub async fn backlog(&self, flow: &str, way: Way) -> Result<Backlog> {
        let sql = format!(
            "SELECT COUNT(CASE WHEN state IN ('rejected', 'dead') THEN 1 END), COUNT(CASE WHEN state IN {OPEN} THEN 1 END), MIN(CASE WHEN state IN {OPEN} THEN queued_at END) FROM delivery d WHERE flow = $1 AND way = $2 AND (state IN {OPEN} OR (state IN ('rejected', 'dead') AND NOT EXISTS (SELECT 1 FROM delivery l WHERE l.flow = d.flow AND l.way = d.way AND l.record = d.record AND l.id > d.id)))"
        );
        let row = self.db.row(&sql, [flow.into(), way.word().into()]).await?.context("no answer")?;
        Ok(Backlog { failed: row.get(0)?, open: row.get(1)?, oldest: row.get(2)? })
    }

    /// The latest delivery of each of these records one way.
    pub async fn latest_deliveries(&self, flow: &str, way: Way, records: &[&str]) -> Result<Vec<Delivery>> {
        let mut tx = self.look().await?;
        let sql = format!(
            "{DELIVERY} d WHERE d.flow = $1 AND d.way = '{}' AND d.id = (SELECT MAX(l.id) FROM delivery l WHERE l.flow = d.flow AND l.way = d.way AND l.record = d.record)",
            way.word()
        );
        let rows = bulk::rows_by_text(&mut tx, &sql, flow.into(), "d.record", records).await?;
        rows.iter().map(read).collect()
    }
}

fn state(word: &str) -> Result<State> {
    State::of(word).with_context(|| format!("a delivery is stored as {word}"))
}

fn read(row: &Row) -> Result<Delivery> {
    let content = |index: usize| -> Result<Option<Content>> {
        row.get::<Option<String>>(index)?.map(|text| Ok(serde_json::from_str(&text)?)).transpose()
    };
    let print = |index: usize| -> Result<Option<Fingerprint>> {
        Ok(row.get::<Option<Vec<u8>>>(index)?.and_then(|bytes| Fingerprint::stored(&bytes)))
    };
    let message: Option<String> = row.get(16)?;
    let fields: Option<String> = row.get(26)?;
    Ok(Delivery {
        id: row.get(0)?,
        flow: row.get(1)?,
        way: Way::of(&row.get::<String>(2)?).context("a delivery goes no known way")?,
        record: row.get(3)?,
        action: row.get(4)?,
        target: row.get(5)?,
        state: state(&row.get::<String>(6)?)?,
        epoch: row.get(7)?,
        engine: row.get(8)?,
        lease_until: row.get(9)?,
        attempt: row.get(10)?,
        not_before: row.get(11)?,
        payload: content(12)?,
        before: content(13)?,
        after: content(14)?,
        mark: row.get(15)?,
        message: message.map(|text| serde_json::from_str(&text)).transpose()?,
        reason: row.get(17)?,
        run: row.get(18)?,
        asked_by: row.get(19)?,
        queued_at: row.get(20)?,
        sent_at: row.get(21)?,
        ended_at: row.get(22)?,
        said: print(23)?,
        expects: print(24)?,
        wished: content(25)?.map(|wished| wished.contact()),
        fields: fields.map_or_else(|| Ok(Vec::new()), |text| serde_json::from_str(&text))?,
        waits_for: row.get(27)?,
        round: row.get(28)?,
    })
}
