//! The audit: an append-only list of every change, chained by hash.
//!
//! Entries are written in the transaction of the change they tell of. A single sealer chains them
//! afterwards, so that writers never wait for one another. The chain runs over digests of the
//! before and after values: erasing one person's values leaves it intact.

use anyhow::{Context, Result};

use super::{Row, Store, Tx};

/// One entry. Times are microseconds since 1970 UTC.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: i64,
    /// Who or what (`sync`, `cli`, a user's name).
    pub actor: String,
    /// What was done, as a word (`page.stored`, `records.gone`, `case.decided`, `login`).
    pub action: String,
    /// To what (`ham/accounts`, `case 3`).
    pub subject: String,
    /// In which run.
    pub run: Option<i64>,
    /// Why.
    pub reason: Option<String>,
    /// The value before, if it is kept.
    pub before: Option<String>,
    /// The value after, if it is kept.
    pub after: Option<String>,
    /// Its link of the chain, once sealed.
    pub seal: Option<Vec<u8>>,
}

/// An entry to be written.
#[derive(Debug, Clone, Default)]
pub struct NewEntry<'a> {
    /// See [`Entry::actor`].
    pub actor: &'a str,
    /// See [`Entry::action`].
    pub action: &'a str,
    /// See [`Entry::subject`].
    pub subject: &'a str,
    /// See [`Entry::run`].
    pub run: Option<i64>,
    /// See [`Entry::reason`].
    pub reason: Option<&'a str>,
    /// See [`Entry::before`].
    pub before: Option<String>,
    /// See [`Entry::after`].
    pub after: Option<String>,
}

/// Writes an entry in the transaction of the change it tells of.
pub async fn write(tx: &mut Tx, entry: NewEntry<'_>, now: i64) -> Result<()> {
    let before_digest = entry.before.as_deref().map(digest);
    let after_digest = entry.after.as_deref().map(digest);
    tx.execute(
        "INSERT INTO audit (at, actor, action, subject, run_id, reason, before_value, before_digest, after_value, after_digest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        [
            now.into(),
            entry.actor.into(),
            entry.action.into(),
            entry.subject.into(),
            entry.run.into(),
            entry.reason.into(),
            entry.before.into(),
            before_digest.into(),
            entry.after.into(),
            after_digest.into(),
        ],
    )
    .await?;
    Ok(())
}

fn digest(value: &str) -> Vec<u8> {
    blake3::hash(value.as_bytes()).as_bytes().to_vec()
}

/// What a check of the chain found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Entries whose seal fits.
    pub sealed: u64,
    /// Entries not sealed yet, the newest.
    pub unsealed: u64,
    /// Entries whose values were erased; their digests stay.
    pub erased: u64,
    /// Entries that do not fit, with what is wrong: `changed`, `missing` or `value`.
    pub broken: Vec<(i64, &'static str)>,
}

const CHAINED: &str = "a.id, a.at, a.actor, a.action, a.subject, a.run_id, a.reason, a.before_digest, a.after_digest, a.before_value, a.after_value";

impl Store {
    /// Seals entries that are not yet; how many. Of two sealers on one database one is quicker, by the chain's
    /// own key; the other has sealed nothing, and what is left is for the first.
    pub async fn seal(&self) -> Result<u64> {
        match self.seal_next().await {
            Err(error) if super::is_conflict(&error) => Ok(0),
            sealed => sealed,
        }
    }

    async fn seal_next(&self) -> Result<u64> {
        let mut tx = self.begin().await?;
        let last = tx.row("SELECT position, hash FROM seal ORDER BY position DESC LIMIT 1", []).await?;
        let (mut position, mut hash): (i64, Vec<u8>) = match &last {
            Some(row) => (row.get(0)?, row.get(1)?),
            None => (0, Vec::new()),
        };
        let sql = format!(
            "SELECT {CHAINED} FROM audit a WHERE NOT EXISTS (SELECT 1 FROM seal s WHERE s.entry_id = a.id) AND a.id > (SELECT COALESCE(MAX(entry_id), 0) - 10000 FROM seal) ORDER BY a.id LIMIT 2000"
        );
        let rows = tx.rows(&sql, []).await?;
        for row in &rows {
            position += 1;
            hash = link(&hash, row)?;
            // The position is written out: a second sealer fails on its key instead of forking.
            tx.execute(
                "INSERT INTO seal (position, entry_id, hash) VALUES ($1, $2, $3)",
                [position.into(), row.get::<i64>(0)?.into(), hash.clone().into()],
            )
            .await?;
        }
        tx.commit().await?;
        Ok(rows.len() as u64)
    }

    /// Checks every link of the chain and every digest.
    pub async fn verify_audit(&self) -> Result<Checked> {
        let mut checked = Checked::default();
        let (mut position, mut hash) = (0_i64, Vec::new());
        loop {
            let sql = format!(
                "SELECT {CHAINED}, s.position, s.hash, s.entry_id FROM seal s LEFT JOIN audit a ON a.id = s.entry_id WHERE s.position > $1 ORDER BY s.position LIMIT 5000"
            );
            let rows = self.db.rows(&sql, [position.into()]).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let entry: i64 = row.get(13)?;
                let sealed: Vec<u8> = row.get(12)?;
                let expected_position = position + 1;
                position = row.get(11)?;
                if row.get::<Option<i64>>(0)?.is_none() || position != expected_position {
                    checked.broken.push((entry, "missing"));
                    hash = sealed;
                    continue;
                }
                if link(&hash, row)? != sealed {
                    checked.broken.push((entry, "changed"));
                } else if values_fit(row, &mut checked)? {
                    checked.sealed += 1;
                } else {
                    checked.broken.push((entry, "value"));
                }
                hash = sealed;
            }
        }
        let sql =
            "SELECT COUNT(*) FROM audit a WHERE NOT EXISTS (SELECT 1 FROM seal s WHERE s.entry_id = a.id)";
        checked.unsealed = u64::try_from(self.db.row(sql, []).await?.context("no count")?.get::<i64>(0)?)?;
        Ok(checked)
    }

    /// Entries, newest first, below the number `before`; of one action if named (a prefix).
    pub async fn audit(&self, action: Option<&str>, before: Option<i64>, limit: i64) -> Result<Vec<Entry>> {
        let sql = "SELECT a.id, a.at, a.actor, a.action, a.subject, a.run_id, a.reason, a.before_value, a.after_value, s.hash FROM audit a LEFT JOIN seal s ON s.entry_id = a.id WHERE ($1 = '' OR a.action LIKE $1 || '%') AND ($2 = 0 OR a.id < $2) ORDER BY a.id DESC LIMIT $3";
        let args = [action.unwrap_or("").into(), before.unwrap_or(0).into(), limit.into()];
        self.db.rows(sql, args).await?.iter().map(read).collect()
    }

    /// The newest entries about these subjects, newest first.
    pub async fn audit_about(&self, subjects: &[String], limit: i64) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for some in subjects.chunks(500) {
            let places: Vec<String> = (2..some.len() + 2).map(|at| format!("${at}")).collect();
            let sql = format!(
                "SELECT a.id, a.at, a.actor, a.action, a.subject, a.run_id, a.reason, a.before_value, a.after_value, s.hash FROM audit a LEFT JOIN seal s ON s.entry_id = a.id WHERE a.subject IN ({}) ORDER BY a.id DESC LIMIT $1",
                places.join(", ")
            );
            let args = std::iter::once(limit.into()).chain(some.iter().map(|one| one.as_str().into()));
            for row in self.db.rows(&sql, args.collect::<Vec<_>>()).await? {
                entries.push(read(&row)?);
            }
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.id));
        entries.truncate(usize::try_from(limit)?);
        Ok(entries)
    }

    /// How many entries there are; of one action if named (a prefix).
    pub async fn count_audit(&self, action: Option<&str>) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM audit WHERE ($1 = '' OR action LIKE $1 || '%')";
        self.db.row(sql, [action.unwrap_or("").into()]).await?.context("no count")?.get(0)
    }
}

fn read(row: &Row) -> Result<Entry> {
    Ok(Entry {
        id: row.get(0)?,
        at: row.get(1)?,
        actor: row.get(2)?,
        action: row.get(3)?,
        subject: row.get(4)?,
        run: row.get(5)?,
        reason: row.get(6)?,
        before: row.get(7)?,
        after: row.get(8)?,
        seal: row.get(9)?,
    })
}

/// The next link: a hash over the last one and everything the entry says, each part with its length
/// so that no two entries read alike.
fn link(last: &[u8], row: &Row) -> Result<Vec<u8>> {
    let mut hasher = blake3::Hasher::new();
    let mut part = |bytes: Option<&[u8]>| match bytes {
        Some(bytes) => {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        }
        None => {
            hasher.update(&u64::MAX.to_le_bytes());
        }
    };
    part(Some(last));
    for index in [0, 1] {
        part(Some(&row.get::<i64>(index)?.to_le_bytes()));
    }
    for index in [2, 3, 4] {
        part(Some(row.get::<String>(index)?.as_bytes()));
    }
    part(row.get::<Option<i64>>(5)?.map(i64::to_le_bytes).as_ref().map(<[u8; 8]>::as_slice));
    part(row.get::<Option<String>>(6)?.as_deref().map(str::as_bytes));
    for index in [7, 8] {
        part(row.get::<Option<Vec<u8>>>(index)?.as_deref());
    }
    Ok(hasher.finalize().as_bytes().to_vec())
}

/// Whether the kept values are those the digests were made of. An erased value has a digest only.
fn values_fit(row: &Row, checked: &mut Checked) -> Result<bool> {
    let mut erased = false;
    for (digest_at, value_at) in [(7, 9), (8, 10)] {
        let kept: Option<Vec<u8>> = row.get(digest_at)?;
        match row.get::<Option<String>>(value_at)? {
            Some(value) if kept.as_deref() != Some(digest(&value).as_slice()) => return Ok(false),
            Some(_) => {}
            None => erased |= kept.is_some(),
        }
    }
    checked.erased += u64::from(erased);
    Ok(true)
}
