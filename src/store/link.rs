//! Links: which records of two systems are the same customer. One to one, always.

use anyhow::Result;

use super::bulk;
use super::{Row, Store, Tx, Value};
use crate::connect::Stream;
use crate::model::{Contact, Fingerprint};

mod list;

pub use list::{Ends, Tie};

/// A link. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub id: i64,
    /// The master's record.
    pub source_key: String,
    /// The record in the system that follows.
    pub destination_key: String,
    /// What it was found by (`customer_number`, …), `created`, `file` or `decided`.
    pub rule: String,
    /// The master's record is gone.
    pub source_gone: bool,
    /// What both sides agreed upon last; `None` = they were never compared.
    pub agreed: Option<Contact>,
    /// What the master said then, as a fingerprint.
    pub source_said: Option<Fingerprint>,
    /// When it was made.
    pub made_at: i64,
    /// When both agreed last.
    pub agreed_at: Option<i64>,
    /// When both were seen to be there and equal.
    pub verified_at: Option<i64>,
}

/// A link to be made.
#[derive(Debug, Clone)]
pub struct NewLink<'a> {
    /// The flow.
    pub flow: &'a str,
    /// See [`Link::source_key`].
    pub source_key: &'a str,
    /// See [`Link::destination_key`].
    pub destination_key: &'a str,
    /// See [`Link::rule`].
    pub rule: &'a str,
    /// The run it is made in.
    pub run: Option<i64>,
    /// Who makes it.
    pub by: &'a str,
}

/// How many links have both their records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Partners {
    /// All links.
    pub links: i64,
    /// Whose record of the master is gone, or was never seen.
    pub without_source: i64,
    /// Whose record on the other side is, while the master's is there.
    pub without_destination: i64,
    /// Records of the other side that are there and have a link.
    pub tied_there: i64,
}

/// Which side of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The master's.
    Source,
    /// The system's that follows.
    Destination,
}

impl Side {
    fn column(self) -> &'static str {
        match self {
            Side::Source => "source_key",
            Side::Destination => "destination_key",
        }
    }
}

const LINK: &str = "SELECT id, source_key, destination_key, rule, source_gone, agreed, source_said, made_at, agreed_at, verified_at FROM link";

/// Makes a link; `false` when either side has one already.
pub async fn make(tx: &mut Tx, link: &NewLink<'_>, now: i64) -> Result<bool> {
    let sql = "INSERT INTO link (flow, source_key, destination_key, rule, run_id, made_by, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    let args: [Value; 7] = [
        link.flow.into(),
        link.source_key.into(),
        link.destination_key.into(),
        link.rule.into(),
        link.run.into(),
        link.by.into(),
        now.into(),
    ];
    Ok(tx.execute(sql, args).await? == 1)
}

/// Keeps what both sides agree upon, and what the master said when they did.
pub async fn agree(
    tx: &mut Tx,
    flow: &str,
    source_key: &str,
    agreed: &Contact,
    said: Option<Fingerprint>,
    now: i64,
) -> Result<()> {
    let sql = "UPDATE link SET agreed = $3, source_said = COALESCE($4, source_said), agreed_at = $5 WHERE flow = $1 AND source_key = $2";
    let said = said.map(|said| said.0.to_vec());
    let agreed = serde_json::to_string(agreed)?;
    tx.execute(sql, [flow.into(), source_key.into(), agreed.into(), said.into(), now.into()]).await?;
    Ok(())
}

/// Keeps what the master's record said when it was sent for the last time.
pub async fn sent(tx: &mut Tx, flow: &str, source_key: &str, said: Fingerprint, now: i64) -> Result<()> {
    let sql = "UPDATE link SET source_said = $3, agreed_at = $4 WHERE flow = $1 AND source_key = $2";
    tx.execute(sql, [flow.into(), source_key.into(), said.0.to_vec().into(), now.into()]).await?;
    Ok(())
}

/// Notes that both records of a link were seen to be there and equal.
pub async fn verified(tx: &mut Tx, flow: &str, source_key: &str, now: i64) -> Result<()> {
    let sql = "UPDATE link SET verified_at = $3 WHERE flow = $1 AND source_key = $2";
    tx.execute(sql, [flow.into(), source_key.into(), now.into()]).await?;
    Ok(())
}

/// The link of a key of one side, within a transaction.
pub async fn of(tx: &mut Tx, flow: &str, side: Side, key: &str) -> Result<Option<Link>> {
    let sql = format!("{LINK} WHERE flow = $1 AND {} = $2", side.column());
    tx.row(&sql, [flow.into(), key.into()]).await?.as_ref().map(read).transpose()
}

impl Store {
    /// The links of these keys of one side.
    pub async fn links_of(&self, flow: &str, side: Side, keys: &[&str]) -> Result<Vec<Link>> {
        let mut tx = self.look().await?;
        let sql = format!("{LINK} WHERE flow = $1");
        let rows = bulk::rows_by_text(&mut tx, &sql, flow.into(), side.column(), keys).await?;
        rows.iter().map(read).collect()
    }

    /// Marks the links whose record of the master is gone, and unmarks those whose record came back. The
    /// other side keeps what it has.
    pub async fn mark_source_gone(&self, flow: &str, system: &str, stream: &Stream) -> Result<()> {
        let table = stream.table.name();
        let gone = format!(
            "EXISTS (SELECT 1 FROM {table} c JOIN stream s ON s.id = c.stream_id WHERE s.system = $2 AND s.name = $3 AND c.key = link.source_key AND c.gone_run IS NOT NULL)"
        );
        let gone = format!("CASE WHEN {gone} THEN 1 ELSE 0 END");
        let sql = format!("UPDATE link SET source_gone = {gone} WHERE flow = $1 AND source_gone <> {gone}");
        self.db.execute(&sql, [flow.into(), system.into(), stream.name.into()]).await?;
        Ok(())
    }

    /// The link of a key of one side.
    pub async fn link_of(&self, flow: &str, side: Side, key: &str) -> Result<Option<Link>> {
        let sql = format!("{LINK} WHERE flow = $1 AND {} = $2", side.column());
        self.db.row(&sql, [flow.into(), key.into()]).await?.as_ref().map(read).transpose()
    }

    /// Links of a flow (of all when empty), the newest first, older than `before`: (flow, link).
    pub async fn links(&self, flow: &str, before: Option<i64>, limit: i64) -> Result<Vec<(String, Link)>> {
        let columns = LINK.trim_start_matches("SELECT ").trim_end_matches(" FROM link");
        let sql = format!(
            "SELECT {columns}, flow FROM link WHERE ($1 = '' OR flow = $1) AND id < $2 ORDER BY id DESC LIMIT $3"
        );
        let rows = self.db.rows(&sql, [flow.into(), before.unwrap_or(i64::MAX).into(), limit.into()]).await?;
        rows.iter().map(|row| Ok((row.get(10)?, read(row)?))).collect()
    }

    /// How many links of a flow a run made, and how many were there before it.
    pub async fn links_made(&self, flow: &str, run: i64) -> Result<(i64, i64)> {
        let sql = "SELECT COUNT(CASE WHEN run_id = $2 THEN 1 END), COUNT(CASE WHEN run_id IS NULL OR run_id < $2 THEN 1 END) FROM link WHERE flow = $1";
        match self.db.row(sql, [flow.into(), run.into()]).await? {
            Some(row) => Ok((row.get(0)?, row.get(1)?)),
            None => Ok((0, 0)),
        }
    }

    /// How many links of a flow have both their records, in these streams of the two sides.
    pub async fn partners(&self, flow: &str, from: i64, to: i64) -> Result<Partners> {
        let there = |stream: &str, key: &str| {
            format!(
                "EXISTS (SELECT 1 FROM contact c WHERE c.stream_id = {stream} AND c.key = link.{key} AND c.gone_run IS NULL)"
            )
        };
        let (here, there) = (there("$2", "source_key"), there("$3", "destination_key"));
        let sql = format!(
            "SELECT COUNT(*), COUNT(CASE WHEN NOT {here} THEN 1 END), COUNT(CASE WHEN {here} AND NOT {there} THEN 1 END), COUNT(CASE WHEN {there} THEN 1 END) FROM link WHERE flow = $1"
        );
        let row = self.db.row(&sql, [flow.into(), from.into(), to.into()]).await?;
        row.map_or(Ok(Partners::default()), |row| {
            Ok(Partners {
                links: row.get(0)?,
                without_source: row.get(1)?,
                without_destination: row.get(2)?,
                tied_there: row.get(3)?,
            })
        })
    }

    /// How many links a flow has (all flows when empty).
    pub async fn count_links(&self, flow: &str) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM link WHERE ($1 = '' OR flow = $1)";
        let row = self.db.row(sql, [flow.into()]).await?;
        row.map_or(Ok(0), |row| row.get(0))
    }
}

fn read(row: &Row) -> Result<Link> {
    let agreed: Option<String> = row.get(5)?;
    let said: Option<Vec<u8>> = row.get(6)?;
    Ok(Link {
        id: row.get(0)?,
        source_key: row.get(1)?,
        destination_key: row.get(2)?,
        rule: row.get(3)?,
        source_gone: row.get::<i64>(4)? != 0,
        agreed: agreed.map(|agreed| serde_json::from_str(&agreed)).transpose()?,
        source_said: said.and_then(|said| Fingerprint::stored(&said)),
        made_at: row.get(7)?,
        agreed_at: row.get(8)?,
        verified_at: row.get(9)?,
    })
}
