//! The search index over customers: trigrams in both databases, each in its own way.
//!
//! Both search the same folded text (`customer_text`); a text shorter than three characters has no
//! trigram and is looked for by scanning it.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::bulk;
use super::{Db, Tx, Value};

/// Brings the index up to date for these customers, whose texts have just been written.
/// PostgreSQL keeps its index itself.
pub async fn index(tx: &mut Tx, customers: &[i64]) -> Result<()> {
    if tx.is_postgres() {
        return Ok(());
    }
    let ids = bulk::id_list(customers);
    tx.execute(
        &format!(
            "INSERT OR REPLACE INTO customer_search (rowid, text) SELECT id, text FROM customer_text WHERE id IN ({ids}) ORDER BY id"
        ),
        [],
    )
    .await?;
    Ok(())
}

/// What a text hits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hits {
    /// Nothing was looked for: everything.
    All,
    /// These customers, whoever is shown of them.
    These(Vec<i64>),
    /// More than were wanted, or too short to be looked up.
    Many,
}

/// Customers looked at to learn how common a text is, in runs of [`RUN`] neighbours.
const SAMPLE: i64 = 512;
const RUN: i64 = 8;
/// Hits in the sample below which nothing is said about the whole.
const TELLING: i64 = 5;
/// Trigrams that SQLite is asked for. The rarest tell nearly everything; each more costs the reading
/// of its list.
const TRIGRAMS: usize = 4;

/// The customers that a folded text hits, if they are at most `few`.
pub async fn hits(db: &Db, folded: &str, few: i64) -> Result<Hits> {
    if is_short(folded) {
        return Ok(Hits::Many);
    }
    let sample = sample(db).await?;
    let hit = sample.texts.iter().filter(|text| text.contains(folded)).count() as i64;
    if hit >= TELLING && hit * sample.of / SAMPLE > few {
        return Ok(Hits::Many);
    }
    let like = Value::from(like(folded));
    let limit = Value::from(few + 1);
    let rows = if db.is_postgres() {
        let sql = "SELECT id FROM customer_text WHERE text LIKE $1 ESCAPE '\\' LIMIT $2";
        db.rows(sql, [like, limit]).await?
    } else {
        let sql = "SELECT t.id FROM customer_search CROSS JOIN customer_text t ON t.id = customer_search.rowid WHERE customer_search MATCH $1 AND t.text LIKE $2 ESCAPE '\\' LIMIT $3";
        db.rows(sql, [sample.rarest(folded).into(), like, limit]).await?
    };
    if rows.len() as i64 > few {
        return Ok(Hits::Many);
    }
    let mut ids = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<i64>>>()?;
    ids.sort_unstable();
    Ok(Hits::These(ids))
}

/// Texts of customers from everywhere in the table.
struct Sample {
    texts: Vec<String>,
    /// Customers there are, about.
    of: i64,
}

async fn sample(db: &Db) -> Result<Sample> {
    let row = db.row("SELECT MAX(id) FROM customer_text", []).await?;
    let of = row.context("no answer")?.get::<Option<i64>>(0)?.unwrap_or(0);
    if of <= SAMPLE * RUN {
        return Ok(Sample { texts: Vec::new(), of });
    }
    let step = of / (SAMPLE / RUN);
    let ids: Vec<i64> =
        (0..SAMPLE / RUN).flat_map(|at| (1..=RUN).map(move |next| at * step + next)).collect();
    let sql = format!("SELECT text FROM customer_text WHERE id IN ({})", bulk::id_list(&ids));
    let texts = db.rows(&sql, []).await?.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
    Ok(Sample { texts, of })
}

impl Sample {
    /// The rarest trigrams of a text, as a query of SQLite's index.
    fn rarest(&self, folded: &str) -> String {
        let chars: Vec<char> = folded.chars().collect();
        let trigrams: BTreeSet<String> = chars.windows(3).map(|three| three.iter().collect()).collect();
        let count =
            |trigram: &String| self.texts.iter().filter(|text| text.contains(trigram.as_str())).count();
        let mut trigrams: Vec<String> = trigrams.into_iter().collect();
        trigrams.sort_by_cached_key(count);
        // Each a phrase of the full-text language: quotes doubled, nothing else has a meaning in it.
        let quoted =
            trigrams.iter().take(TRIGRAMS).map(|trigram| format!("\"{}\"", trigram.replace('"', "\"\"")));
        quoted.collect::<Vec<_>>().join(" AND ")
    }
}

/// The condition that a customer's folded text holds what [`like`] was made of, looked at row by row.
pub fn holds(id: &str, argument: &str) -> String {
    // Not a join: it must never be turned into a walk of the whole text.
    format!("(SELECT t.text FROM customer_text t WHERE t.id = {id}) LIKE {argument} ESCAPE '\\'")
}

/// The pattern of `LIKE … ESCAPE '\'` that a text with this folded part fits.
pub fn like(folded: &str) -> String {
    format!("%{}%", folded.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

fn is_short(folded: &str) -> bool {
    folded.chars().nth(2).is_none()
}

/// Fails when the database's locale gives no trigrams for scripts other than Latin.
pub async fn check(db: &Db) -> Result<()> {
    if !db.is_postgres() {
        return Ok(());
    }
    let row = db.row("SELECT CASE WHEN show_trgm('ж') <> '{}' THEN 1 ELSE 0 END::bigint", []).await?;
    let works: i64 = row.context("no answer")?.get(0)?;
    anyhow::ensure!(
        works == 1,
        "this PostgreSQL database cannot search Cyrillic, Thai or Persian text: its LC_CTYPE is C. Create it with a UTF-8 locale: CREATE DATABASE concord TEMPLATE template0 LOCALE 'C.UTF-8'"
    );
    Ok(())
}
