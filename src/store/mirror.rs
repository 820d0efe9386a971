//! Mirrored records: which are known, which are new, which changed, which left.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Context, Result};

use super::bulk::{self, Batch, Columns, Kind};
use super::{Row, Store, Tx, Value};
use crate::connect::{Stream, Table};
use crate::model::{Field, Fingerprint, Incoming, Known, Record, Sums};

impl Table {
    /// The table's name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Table::Party => "party",
            Table::Account => "account",
            Table::Person => "person",
            Table::Card => "card",
            Table::Entry => "entry",
            Table::Product => "product",
            Table::Contact => "contact",
            Table::Document => "document",
        }
    }

    /// The columns of its own, read out of the payload, and the payload.
    fn fields(self) -> Columns {
        match self {
            Table::Party => &PARTY,
            Table::Account => &ACCOUNT,
            Table::Person => &PERSON,
            Table::Card => &CARD,
            Table::Entry => &ENTRY,
            Table::Product => &PRODUCT,
            Table::Contact => &CONTACT,
            Table::Document => &DOCUMENT,
        }
    }
}

const PARTY: [(&str, Kind); 12] = [
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

const ACCOUNT: [(&str, Kind); 14] = [
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

const PERSON: [(&str, Kind); 10] = [
    ("client_key", Kind::Text),
    ("name", Kind::Text),
    ("phone", Kind::Text),
    ("phone_typed", Kind::Text),
    ("email", Kind::Text),
    ("born", Kind::Text),
    ("city", Kind::Text),
    ("city_rule", Kind::Text),
    ("marked", Kind::Int),
    ("raw", Kind::Text),
];

const CARD: [(&str, Kind); 6] = [
    ("client_key", Kind::Text),
    ("number", Kind::Text),
    ("phone", Kind::Text),
    ("phone_typed", Kind::Text),
    ("marked", Kind::Int),
    ("raw", Kind::Text),
];

const ENTRY: [(&str, Kind); 14] = [
    ("client_key", Kind::Text),
    ("card_key", Kind::Text),
    ("kind", Kind::Text),
    ("at", Kind::Int),
    ("day", Kind::Text),
    ("document", Kind::Text),
    ("document_type", Kind::Text),
    ("line", Kind::Text),
    ("product_key", Kind::Text),
    ("quantity", Kind::Int),
    ("amount", Kind::Int),
    ("points_in", Kind::Int),
    ("points_out", Kind::Int),
    ("raw", Kind::Text),
];

const PRODUCT: [(&str, Kind); 5] = [
    ("client_key", Kind::Text),
    ("name", Kind::Text),
    ("article", Kind::Text),
    ("code", Kind::Text),
    ("raw", Kind::Text),
];

const CONTACT: [(&str, Kind); 10] = [
    ("client_key", Kind::Text),
    ("kind", Kind::Text),
    ("name", Kind::Text),
    ("number", Kind::Text),
    ("national_id", Kind::Text),
    ("mobile", Kind::Text),
    ("telephone", Kind::Text),
    ("email", Kind::Text),
    ("said", Kind::Bytes),
    ("raw", Kind::Text),
];

const DOCUMENT: [(&str, Kind); 8] = [
    ("client_key", Kind::Text),
    ("number", Kind::Text),
    ("state", Kind::Int),
    ("subtype", Kind::Text),
    ("made", Kind::Text),
    ("net", Kind::Int),
    ("said", Kind::Bytes),
    ("raw", Kind::Text),
];

/// Of the given rows (key, fingerprint) those that are stored already with the same payload and were
/// not touched by this run, as (position, id). One statement, one row of answer: a page in which
/// nothing changed costs little more than the comparison.
pub async fn same(
    tx: &mut Tx,
    stream: &Stream,
    stream_id: i64,
    run: i64,
    rows: &[(&str, Fingerprint)],
) -> Result<(Vec<(usize, i64)>, Sums)> {
    let table = stream.table.name();
    let sums: String =
        stream.measures.iter().map(|m| format!(", CAST(SUM(r.{}) AS BIGINT)", m.name)).collect();
    // For each row of the page one look into the index of keys. Left to themselves both databases walk
    // the whole stream for a page, now and then: SQLite takes the order of a CROSS JOIN as given,
    // PostgreSQL does not look into what an OFFSET closes.
    let record = if tx.is_postgres() {
        format!(
            "JOIN LATERAL (SELECT * FROM {table} WHERE stream_id = {stream_id} AND key = u.key OFFSET 0) r ON true"
        )
    } else {
        format!("CROSS JOIN {table} r ON r.stream_id = {stream_id} AND r.key = u.key")
    };
    let sql = format!(
        "SELECT string_agg(u.at || ':' || r.id, ','){sums} FROM u {record} WHERE r.raw_hash = u.hash AND r.gone_run IS NULL AND r.changed_run <> {run}"
    );
    let mut total = Sums::default();
    let Some(answer) = bulk::join(tx, &sql, rows).await? else { return Ok((Vec::new(), total)) };
    for (index, measure) in stream.measures.iter().enumerate() {
        total.add(*measure, answer.get::<Option<i64>>(index + 1)?);
    }
    Ok((bulk::pairs(answer.get::<Option<String>>(0)?.as_deref().unwrap_or_default())?, total))
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

/// The condition of a window that begins on the day bound to `argument`.
fn from_day(since: Option<&str>, argument: usize) -> String {
    since.map_or_else(String::new, |_| format!(" AND day >= ${argument}"))
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

/// New records, to be written in one go.
#[derive(Debug)]
pub struct Created {
    table: Table,
    batch: Batch,
}

impl Created {
    /// None yet, of this stream, first seen by this run now, with room for `count`.
    pub fn new(stream: &Stream, stream_id: i64, run: i64, now: i64, count: usize) -> Created {
        let columns = [
            &[("id", Kind::Int), ("key", Kind::Text), ("customer_id", Kind::Int), ("raw_hash", Kind::Bytes)],
            stream.table.fields(),
        ];
        let same = [
            ("stream_id", Some(stream_id)),
            ("first_run", Some(run)),
            ("changed_run", Some(run)),
            ("valid_from", Some(now)),
        ];
        Created { table: stream.table, batch: Batch::with_room(&columns, count, &same) }
    }

    /// Adds one: its id, whose it is, the row as it came and its fields.
    pub fn add(&mut self, id: i64, customer: i64, row: Incoming, record: Record) {
        self.batch.begin_row([id.into(), row.key.into(), customer.into(), row.hash.0.to_vec().into()]);
        end_row(&mut self.batch, record, row.raw);
    }

    /// Writes them.
    pub async fn write(self, tx: &mut Tx) -> Result<()> {
        bulk::insert(tx, self.table.name(), self.batch).await
    }
}

/// Records that came with another payload, to be written in one go.
#[derive(Debug)]
pub struct Changed {
    table: Table,
    run: i64,
    now: i64,
    ids: Vec<i64>,
    batch: Batch,
    moved: Batch,
}

impl Changed {
    /// None yet, of this stream, changed by this run now.
    pub fn new(stream: &Stream, run: i64, now: i64) -> Changed {
        let columns = [&[("id", Kind::Int), ("raw_hash", Kind::Bytes)], stream.table.fields()];
        let same = [("changed_run", Some(run)), ("gone_run", None), ("valid_from", Some(now))];
        let batch = Batch::with_room(&columns, 0, &same);
        let moved = Batch::new(&[("id", Kind::Int), ("customer_id", Kind::Int)]);
        Changed { table: stream.table, run, now, ids: Vec::new(), batch, moved }
    }

    /// Adds one: what is stored, whose it is now, the row as it came and its fields.
    pub fn add(&mut self, known: &Known, customer: i64, row: Incoming, record: Record) {
        self.ids.push(known.id);
        // What is rarely another is not written again: there is an index over it.
        if known.customer != customer {
            self.moved.push([known.id.into(), customer.into()]);
        }
        self.batch.begin_row([known.id.into(), row.hash.0.to_vec().into()]);
        end_row(&mut self.batch, record, row.raw);
    }

    /// Writes them, keeping their former versions with the time they were valid.
    pub async fn write(self, tx: &mut Tx) -> Result<()> {
        let table = self.table.name();
        for ids in self.ids.chunks(1000) {
            // Also of a record that only came back from being gone: that was another time.
            let sql = format!(
                "INSERT INTO version (stream_id, record_id, valid_from, valid_to, run_id, raw) SELECT stream_id, id, valid_from, $1, $2, raw FROM {table} WHERE id IN ({})",
                bulk::id_list(ids)
            );
            tx.execute(&sql, [self.now.into(), self.run.into()]).await?;
        }
        bulk::update(tx, table, self.batch).await?;
        bulk::update(tx, table, self.moved).await
    }
}

fn end_row(batch: &mut Batch, record: Record, raw: Box<str>) {
    match record {
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
            String::from(raw).into(),
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
            String::from(raw).into(),
        ]),
        Record::Person(p) => batch.end_row([
            p.client_key.into(),
            p.name.into(),
            p.phone.into(),
            p.phone_typed.into(),
            p.email.into(),
            p.born.into(),
            p.city.into(),
            p.city_rule.into(),
            p.marked.into(),
            String::from(raw).into(),
        ]),
        Record::Card(c) => batch.end_row([
            c.client_key.into(),
            c.number.into(),
            c.phone.into(),
            c.phone_typed.into(),
            c.marked.into(),
            String::from(raw).into(),
        ]),
        Record::Entry(e) => batch.end_row([
            e.client_key.into(),
            e.card_key.into(),
            e.kind.word().into(),
            e.at.into(),
            e.day.into(),
            e.document.into(),
            e.document_type.into(),
            e.line.into(),
            e.product_key.into(),
            e.quantity.into(),
            e.amount.into(),
            e.points_in.into(),
            e.points_out.into(),
            String::from(raw).into(),
        ]),
        Record::Product(p) => batch.end_row([
            Value::Text(None),
            p.name.into(),
            p.article.into(),
            p.code.into(),
            String::from(raw).into(),
        ]),
        Record::Contact(c) => {
            let [number, national_id, mobile, telephone, email] =
                [Field::Number, Field::NationalId, Field::Mobile, Field::Telephone, Field::Email]
                    .map(|field| c.canonical(field));
            let said = c.contact.fingerprint(&c.region).0.to_vec();
            let typed = |field| c.contact.get(field).map(str::to_owned);
            let (kind, name) = (typed(Field::Kind), typed(Field::Name));
            batch.end_row([
                c.key.into(),
                kind.into(),
                name.into(),
                number.into(),
                national_id.into(),
                mobile.into(),
                telephone.into(),
                email.into(),
                said.into(),
                String::from(raw).into(),
            ]);
        }
        Record::Document(d) => batch.end_row([
            d.customer.clone().into(),
            d.number.clone().into(),
            d.state.into(),
            d.subtype.clone().into(),
            d.made.clone().into(),
            d.net.into(),
            d.said().0.to_vec().into(),
            String::from(raw).into(),
        ]),
    }
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
    /// Records of the stream that are not gone, of a windowed one from a day on. Two index counts, no row
    /// is read.
    pub async fn live_count(&self, stream: &Stream, stream_id: i64, since: Option<&str>) -> Result<u64> {
        let table = stream.table.name();
        if let Some(since) = since {
            let sql = format!(
                "SELECT COUNT(*) FROM {table} WHERE stream_id = $1 AND gone_run IS NULL AND day >= $2"
            );
            let row = self.db.row(&sql, [stream_id.into(), since.into()]).await?.context("no count")?;
            return Ok(u64::try_from(row.get::<i64>(0)?)?);
        }
        let sql = format!(
            "SELECT (SELECT COUNT(*) FROM {table} WHERE stream_id = $1) - (SELECT COUNT(*) FROM {table} WHERE stream_id = $1 AND gone_run IS NOT NULL)"
        );
        let row = self.db.row(&sql, [stream_id.into()]).await?.context("no count")?;
        Ok(u64::try_from(row.get::<i64>(0)?)?)
    }

    /// The ids of records that are not gone (of a windowed stream from a day on), above `after`, in order, at most `limit`.
    pub async fn live_ids(
        &self,
        stream: &Stream,
        stream_id: i64,
        since: Option<&str>,
        after: i64,
        limit: i64,
    ) -> Result<Vec<i64>> {
        let (table, from) = (stream.table.name(), from_day(since, 4));
        let sql = format!(
            "SELECT id FROM {table} WHERE stream_id = $1 AND gone_run IS NULL AND id > $2{from} ORDER BY id LIMIT $3"
        );
        let args = [stream_id.into(), after.into(), limit.into()].into_iter();
        let rows = self.db.rows(&sql, args.chain(since.map(Value::from))).await?;
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Count and sums of a stream's records that are not gone (of a windowed one from a day on), added up
    /// afresh from the rows.
    pub async fn stored(&self, stream: &Stream, stream_id: i64, since: Option<&str>) -> Result<(u64, Sums)> {
        let (sums, table, from) = (sum_columns(stream), stream.table.name(), from_day(since, 2));
        let sql = format!("SELECT {sums} FROM {table} WHERE stream_id = $1 AND gone_run IS NULL{from}");
        let args = [stream_id.into()].into_iter().chain(since.map(Value::from));
        let row = self.db.row(&sql, args).await?.context("no sums")?;
        Ok((u64::try_from(row.get::<i64>(0)?)?, read_sums(stream, &row, 1)?))
    }

    /// The first day of the movements kept of a stream.
    pub async fn oldest_day(&self, stream_id: i64) -> Result<Option<String>> {
        let sql = "SELECT MIN(day) FROM entry WHERE stream_id = $1 AND gone_run IS NULL";
        self.db.row(sql, [stream_id.into()]).await?.context("no answer")?.get(0)
    }

    /// Lets PostgreSQL look at tables that have just been filled: without figures of its own it reads
    /// them whole for every few customers. SQLite seeks by key whatever their size.
    pub async fn look_at_tables(&self) -> Result<()> {
        if self.db.is_postgres() {
            self.db.script("ANALYZE party (stream_id, key, customer_id); ANALYZE account (stream_id, key, customer_id); ANALYZE customer_key (system, key)").await?;
        }
        Ok(())
    }

    /// Names that more than one live record of a party stream may answer to, among the records of
    /// these customers (of all, when these are about as many): two of them share a customer, or the
    /// name was in question before.
    pub async fn names_in_question(
        &self,
        system: &str,
        stream_id: i64,
        customers: &[i64],
    ) -> Result<BTreeSet<String>> {
        let row = self.db.row("SELECT COUNT(*) FROM party WHERE stream_id = $1", [stream_id.into()]).await?;
        let all = row.context("no count")?.get::<i64>(0)? / 4;
        let mut names = BTreeSet::new();
        if customers.len() as i64 > all {
            self.add_names_in_question(system, stream_id, "stream_id = $1", &mut names).await?;
        } else {
            for ids in customers.chunks(2000) {
                // The plus keeps SQLite from walking the whole stream by its index for these few.
                let of = format!("+stream_id = $1 AND customer_id IN ({})", bulk::id_list(ids));
                self.add_names_in_question(system, stream_id, &of, &mut names).await?;
            }
        }
        Ok(names)
    }

    async fn add_names_in_question(
        &self,
        system: &str,
        stream_id: i64,
        of: &str,
        names: &mut BTreeSet<String>,
    ) -> Result<()> {
        let shared = format!(
            "SELECT client_key FROM party WHERE {of} AND gone_run IS NULL GROUP BY customer_id, client_key HAVING COUNT(*) > 1"
        );
        let asked_before = format!(
            "SELECT client_key FROM party WHERE {of} AND gone_run IS NULL AND client_key IN (SELECT subject FROM cases WHERE kind = 'uid_collision' AND system = $2)"
        );
        for row in self.db.rows(&shared, [stream_id.into()]).await? {
            names.insert(row.get(0)?);
        }
        for row in self.db.rows(&asked_before, [stream_id.into(), system.into()]).await? {
            names.insert(row.get(0)?);
        }
        Ok(())
    }

    /// The live records of a party stream that answer to a name: (record id, record key, customer).
    pub async fn named(&self, stream_id: i64, name: &str) -> Result<Vec<(i64, String, i64)>> {
        let sql = "SELECT id, key, customer_id FROM party WHERE stream_id = $1 AND client_key = $2 AND gone_run IS NULL ORDER BY key";
        let rows = self.db.rows(sql, [stream_id.into(), name.into()]).await?;
        rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect()
    }

    /// The client keys of these records (of a party stream).
    pub async fn client_keys(&self, table: Table, ids: &[i64]) -> Result<Vec<String>> {
        self.column_of("client_key", table, ids).await
    }

    /// The keys of these records.
    pub async fn keys(&self, table: Table, ids: &[i64]) -> Result<Vec<String>> {
        self.column_of("key", table, ids).await
    }

    async fn column_of(&self, column: &str, table: Table, ids: &[i64]) -> Result<Vec<String>> {
        let mut keys = Vec::with_capacity(ids.len());
        for ids in ids.chunks(1000) {
            let sql = format!("SELECT {column} FROM {} WHERE id IN ({})", table.name(), bulk::id_list(ids));
            for row in self.db.rows(&sql, []).await? {
                keys.extend(row.get::<Option<String>>(0)?);
            }
        }
        Ok(keys)
    }
}
