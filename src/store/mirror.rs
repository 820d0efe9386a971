//! Mirrored records: which are known, which are new, which changed, which left.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context, Result};

use super::bulk::{self, Batch, Columns, Kind};
use super::{Row, Store, Tx, Value};
use crate::connect::{Stream, Table};
use crate::model::{Fingerprint, Known, Record, Sums};

/// A record to be written.
#[derive(Debug)]
pub struct Fresh {
    /// Its id: a new one, or the known record's.
    pub id: i64,
    /// Its key.
    pub key: String,
    /// The payload, byte for byte.
    pub raw: Box<str>,
    /// Its fingerprint.
    pub hash: Fingerprint,
    /// The run that first saw it.
    pub first_run: i64,
    /// Whose it is.
    pub customer: i64,
    /// Its fields.
    pub record: Record,
}

impl Table {
    /// The table's name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Table::Party => "party",
            Table::Account => "account",
        }
    }

    fn columns(self) -> Columns {
        match self {
            Table::Party => &PARTY,
            Table::Account => &ACCOUNT,
        }
    }
}

const PARTY: [(&str, Kind); 21] = [
    ("id", Kind::Int),
    ("stream_id", Kind::Int),
    ("key", Kind::Text),
    ("raw_hash", Kind::Bytes),
    ("first_run", Kind::Int),
    ("changed_run", Kind::Int),
    ("gone_run", Kind::Int),
    ("valid_from", Kind::Int),
    ("customer_id", Kind::Int),
    ("client_key", Kind::Text),
    ("country", Kind::Text),
    ("status", Kind::Text),
    ("flags", Kind::Text),
    ("partner_account", Kind::Text),
    ("registered", Kind::Text),
    ("last_trade", Kind::Text),
    ("volume_lots", Kind::Int),
    ("volume_mln_usd", Kind::Int),
    ("reward_usd", Kind::Int),
    ("rebate_usd", Kind::Int),
    ("raw", Kind::Text),
];

const ACCOUNT: [(&str, Kind); 23] = [
    ("id", Kind::Int),
    ("stream_id", Kind::Int),
    ("key", Kind::Text),
    ("raw_hash", Kind::Bytes),
    ("first_run", Kind::Int),
    ("changed_run", Kind::Int),
    ("gone_run", Kind::Int),
    ("valid_from", Kind::Int),
    ("customer_id", Kind::Int),
    ("client_key", Kind::Text),
    ("number", Kind::Text),
    ("kind", Kind::Text),
    ("currency", Kind::Text),
    ("country", Kind::Text),
    ("partner_account", Kind::Text),
    ("status", Kind::Text),
    ("opened", Kind::Text),
    ("last_trade", Kind::Text),
    ("volume_lots", Kind::Int),
    ("volume_mln_usd", Kind::Int),
    ("reward", Kind::Int),
    ("reward_usd", Kind::Int),
    ("raw", Kind::Text),
];

/// Of the given rows (position in the page, key, fingerprint) those that are stored already with
/// the same payload and were not touched by this run, as (position, id). One statement, one row of
/// answer: a page in which nothing changed costs little more than the comparison.
pub async fn same(
    tx: &mut Tx,
    stream: &Stream,
    stream_id: i64,
    run: i64,
    rows: &[(usize, &str, Fingerprint)],
) -> Result<(Vec<(usize, i64)>, Sums)> {
    let table = stream.table.name();
    let sums: String =
        stream.measures.iter().map(|m| format!(", CAST(SUM(r.{}) AS BIGINT)", m.name)).collect();
    // SQLite takes the order of a CROSS JOIN as given: for each row of the page one look into the
    // index of keys. Left to itself it walks the whole stream for every 500 rows.
    let (pair, join) = if tx.is_postgres() {
        ("string_agg(u.at || ':' || r.id, ',')", "JOIN")
    } else {
        ("group_concat(u.at || ':' || r.id)", "CROSS JOIN")
    };
    let sql = format!(
        "SELECT {pair}{sums} FROM u {join} {table} r ON r.stream_id = {stream_id} AND r.key = u.key \
         WHERE r.raw_hash = u.hash AND r.gone_run IS NULL AND r.changed_run <> {run}"
    );
    let mut found = Vec::with_capacity(rows.len());
    let mut total = Sums::default();
    for (first, answer) in bulk::join(tx, &sql, rows).await? {
        for pair in answer.get::<Option<String>>(0)?.as_deref().unwrap_or_default().split(',') {
            if let Some((at, id)) = pair.split_once(':') {
                found.push((rows[first + at.parse::<usize>()?].0, id.parse()?));
            }
        }
        for (index, measure) in stream.measures.iter().enumerate() {
            total.add(*measure, answer.get::<Option<i64>>(index + 1)?);
        }
    }
    Ok((found, total))
}

/// The sums of the records with these ids.
pub async fn sums_of(tx: &mut Tx, stream: &Stream, ids: &[i64]) -> Result<Sums> {
    let mut total = Sums::default();
    for ids in ids.chunks(1000) {
        let sql = format!(
            "SELECT {} FROM {} WHERE id IN ({})",
            sum_columns(stream),
            stream.table.name(),
            bulk::id_list(ids)
        );
        let row = tx.row(&sql, []).await?.context("no sums")?;
        total.merge(&read_sums(stream, &row, 1)?);
    }
    Ok(total)
}

fn sum_columns(stream: &Stream) -> String {
    let sums = stream.measures.iter().map(|m| format!(", CAST(SUM({}) AS BIGINT)", m.name));
    format!("COUNT(*){}", sums.collect::<String>())
}

fn read_sums(stream: &Stream, row: &Row, from: usize) -> Result<Sums> {
    let mut sums = Sums::default();
    for (index, measure) in stream.measures.iter().enumerate() {
        sums.add(*measure, row.get::<Option<i64>>(from + index)?);
    }
    Ok(sums)
}

/// The stored records with these keys, by key.
pub async fn known(
    tx: &mut Tx,
    stream: &Stream,
    stream_id: i64,
    keys: &[&str],
) -> Result<HashMap<String, Known>> {
    let amounts: String = stream.measures.iter().map(|m| format!(", {}", m.name)).collect();
    let sql = format!(
        "SELECT key, id, raw_hash, first_run, changed_run, gone_run, customer_id, client_key{amounts} FROM {} WHERE stream_id = $1",
        stream.table.name()
    );
    let mut known = HashMap::with_capacity(keys.len());
    for row in bulk::rows_by_text(tx, &sql, stream_id.into(), "key", keys).await? {
        let hash: Vec<u8> = row.get(2)?;
        let mut amounts = Vec::with_capacity(stream.measures.len());
        for index in 0..stream.measures.len() {
            amounts.push(row.get(8 + index)?);
        }
        let record = Known {
            id: row.get(1)?,
            hash: Fingerprint::stored(&hash).context("a stored fingerprint is damaged")?,
            first_run: row.get(3)?,
            changed_run: row.get(4)?,
            gone: row.get::<Option<i64>>(5)?.is_some(),
            customer: row.get(6)?,
            client_key: row.get(7)?,
            amounts,
        };
        known.insert(row.get(0)?, record);
    }
    Ok(known)
}

/// Writes new records.
pub async fn insert(
    tx: &mut Tx,
    stream: &Stream,
    stream_id: i64,
    run: i64,
    now: i64,
    fresh: Vec<Fresh>,
) -> Result<()> {
    bulk::insert(tx, stream.table.name(), batch(stream, stream_id, run, now, fresh)).await
}

/// Writes changed records, keeping their former versions with the time they were valid.
pub async fn update(
    tx: &mut Tx,
    stream: &Stream,
    stream_id: i64,
    run: i64,
    now: i64,
    fresh: Vec<Fresh>,
) -> Result<()> {
    let table = stream.table.name();
    let ids: Vec<i64> = fresh.iter().map(|f| f.id).collect();
    for ids in ids.chunks(1000) {
        // Also of a record that only came back from being gone: that was another time.
        let sql = format!(
            "INSERT INTO version (stream_id, record_id, valid_from, valid_to, run_id, raw) SELECT stream_id, id, valid_from, $1, $2, raw FROM {table} WHERE id IN ({})",
            bulk::id_list(ids)
        );
        tx.execute(&sql, [now.into(), run.into()]).await?;
    }
    bulk::update(tx, table, batch(stream, stream_id, run, now, fresh)).await
}

fn batch(stream: &Stream, stream_id: i64, run: i64, now: i64, fresh: Vec<Fresh>) -> Batch {
    let mut batch = Batch::new(stream.table.columns());
    for f in fresh {
        batch.begin_row([
            f.id.into(),
            stream_id.into(),
            f.key.into(),
            f.hash.0.to_vec().into(),
            f.first_run.into(),
            run.into(),
            Value::Int(None),
            now.into(),
            f.customer.into(),
        ]);
        match f.record {
            Record::Party(p) => batch.end_row([
                p.client_key.into(),
                p.country.into(),
                p.status.into(),
                p.flags.into(),
                p.partner_account.into(),
                p.registered.into(),
                p.last_trade.into(),
                p.volume_lots.into(),
                p.volume_mln_usd.into(),
                p.reward_usd.into(),
                p.rebate_usd.into(),
                String::from(f.raw).into(),
            ]),
            Record::Account(a) => batch.end_row([
                a.client_key.into(),
                a.number.into(),
                a.kind.into(),
                a.currency.into(),
                a.country.into(),
                a.partner_account.into(),
                a.status.into(),
                a.opened.into(),
                a.last_trade.into(),
                a.volume_lots.into(),
                a.volume_mln_usd.into(),
                a.reward.into(),
                a.reward_usd.into(),
                String::from(f.raw).into(),
            ]),
        }
    }
    batch
}

/// Marks records gone; their last values stay. The customers they belong to.
pub async fn mark_gone(tx: &mut Tx, stream: &Stream, run: i64, ids: &[i64]) -> Result<Vec<i64>> {
    let table = stream.table.name();
    let mut customers = Vec::new();
    for ids in ids.chunks(1000) {
        let sql = format!(
            "UPDATE {table} SET gone_run = $1 WHERE gone_run IS NULL AND id IN ({}) RETURNING customer_id",
            bulk::id_list(ids)
        );
        for row in tx.rows(&sql, [run.into()]).await? {
            customers.push(row.get(0)?);
        }
    }
    Ok(customers)
}

impl Store {
    /// Records of the stream that are not gone. Two index counts, no row is read.
    pub async fn live_count(&self, stream: &Stream, stream_id: i64) -> Result<u64> {
        let table = stream.table.name();
        let sql = format!(
            "SELECT (SELECT COUNT(*) FROM {table} WHERE stream_id = $1) - (SELECT COUNT(*) FROM {table} WHERE stream_id = $1 AND gone_run IS NOT NULL)"
        );
        let row = self.db.row(&sql, [stream_id.into()]).await?.context("no count")?;
        Ok(u64::try_from(row.get::<i64>(0)?)?)
    }

    /// The ids of records that are not gone, above `after`, in order, at most `limit`.
    pub async fn live_ids(
        &self,
        stream: &Stream,
        stream_id: i64,
        after: i64,
        limit: i64,
    ) -> Result<Vec<i64>> {
        let sql = format!(
            "SELECT id FROM {} WHERE stream_id = $1 AND gone_run IS NULL AND id > $2 ORDER BY id LIMIT $3",
            stream.table.name()
        );
        let rows = self.db.rows(&sql, [stream_id.into(), after.into(), limit.into()]).await?;
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Count and sums of a stream's records that are not gone, added up afresh from the rows.
    pub async fn stored(&self, stream: &Stream, stream_id: i64) -> Result<(u64, Sums)> {
        let sql = format!(
            "SELECT {} FROM {} WHERE stream_id = $1 AND gone_run IS NULL",
            sum_columns(stream),
            stream.table.name()
        );
        let row = self.db.row(&sql, [stream_id.into()]).await?.context("no sums")?;
        Ok((u64::try_from(row.get::<i64>(0)?)?, read_sums(stream, &row, 1)?))
    }

    /// Lets PostgreSQL look at tables that have just been filled: without figures of its own it reads
    /// them whole for every few customers. SQLite seeks by key whatever their size.
    pub async fn look_at_tables(&self) -> Result<()> {
        if self.db.is_postgres() {
            self.db.script("ANALYZE party; ANALYZE account; ANALYZE customer").await?;
        }
        Ok(())
    }

    /// Names that more than one live record of a party stream may answer to, among the records of
    /// these customers: two of them share a customer, or the name was in question before.
    pub async fn names_in_question(
        &self,
        system: &str,
        stream_id: i64,
        customers: &[i64],
    ) -> Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        for ids in customers.chunks(2000) {
            let ids = bulk::id_list(ids);
            let sql = format!(
                "SELECT client_key FROM party WHERE stream_id = $1 AND gone_run IS NULL AND customer_id IN ({ids}) GROUP BY customer_id, client_key HAVING COUNT(*) > 1 UNION SELECT p.client_key FROM party p JOIN cases c ON c.subject = p.client_key WHERE c.kind = 'uid_collision' AND c.system = $2 AND p.stream_id = $1 AND p.gone_run IS NULL AND p.customer_id IN ({ids})"
            );
            for row in self.db.rows(&sql, [stream_id.into(), system.into()]).await? {
                names.insert(row.get(0)?);
            }
        }
        Ok(names)
    }

    /// The live records of a party stream that answer to a name: (record id, record key, customer).
    pub async fn named(&self, stream_id: i64, name: &str) -> Result<Vec<(i64, String, i64)>> {
        let sql = "SELECT id, key, customer_id FROM party WHERE stream_id = $1 AND client_key = $2 AND gone_run IS NULL ORDER BY key";
        let rows = self.db.rows(sql, [stream_id.into(), name.into()]).await?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
    }

    /// The client keys of these records (of a party stream).
    pub async fn client_keys(&self, table: Table, ids: &[i64]) -> Result<Vec<String>> {
        let mut keys = Vec::with_capacity(ids.len());
        for ids in ids.chunks(1000) {
            let sql = format!("SELECT client_key FROM {} WHERE id IN ({})", table.name(), bulk::id_list(ids));
            for row in self.db.rows(&sql, []).await? {
                keys.extend(row.get::<Option<String>>(0)?);
            }
        }
        Ok(keys)
    }
}
