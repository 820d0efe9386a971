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

/// Customers looked at to learn how common a text is, in runs of [`RUN`] neighbours.
const SAMPLE: i64 = 512;
const RUN: i64 = 8;
/// Among so many customers everything is found in no time.
const SMALL: i64 = 50_000;
/// Hits in the sample below which nothing is said about the whole.
const TELLING: usize = 4;
/// Trigrams that SQLite is asked for. The rarest tell nearly everything; each more costs the reading
/// of its list.
const TRIGRAMS: usize = 3;

/// How a folded text is looked for: what a look at some customers has told.
pub struct Search<'a> {
    db: &'a Db,
    folded: &'a str,
    texts: Vec<String>,
    of: i64,
}

impl<'a> Search<'a> {
    /// Takes a look.
    pub async fn new(db: &'a Db, folded: &'a str) -> Result<Search<'a>> {
        let row = db.row("SELECT MAX(id) FROM customer_text", []).await?;
        let of = row.context("no answer")?.get::<Option<i64>>(0)?.unwrap_or(0);
        let mut texts = Vec::new();
        if of > SAMPLE * RUN {
            let step = of / (SAMPLE / RUN);
            let runs = (0..SAMPLE / RUN).flat_map(|at| (1..=RUN).map(move |next| at * step + next));
            let ids = bulk::id_list(&runs.collect::<Vec<i64>>());
            let sql = format!("SELECT text FROM customer_text WHERE id IN ({ids})");
            texts = db.rows(&sql, []).await?.iter().map(|row| row.get(0)).collect::<Result<_>>()?;
        }
        Ok(Search { db, folded, texts, of })
    }

    /// The text.
    pub fn folded(&self) -> &str {
        self.folded
    }

    /// Customers there are, about.
    pub fn of(&self) -> i64 {
        self.of
    }

    /// How many customers it hits, as far as the look told; 0 when it told nothing.
    pub fn expected(&self) -> i64 {
        let hits = self.texts.iter().filter(|text| text.contains(self.folded)).count();
        if hits < TELLING { 0 } else { hits as i64 * self.of / self.texts.len().max(1) as i64 }
    }

    /// Whether all it hits are found sooner than a page of `limit` of them by looking at one customer
    /// after the other. To look at one costs about as much either way, and of the second way there are
    /// as many as it takes to come upon `limit`. Of few customers all are found at once, and counted too.
    pub fn is_soon_gathered(&self, limit: i64) -> bool {
        let expected = self.expected();
        let few = self.of <= SMALL || expected.saturating_mul(expected) <= limit.saturating_mul(self.of);
        !is_short(self.folded) && few
    }

    /// The customers it hits, if they are at most `few`; whoever is shown of them.
    pub async fn hits(&self, few: i64) -> Result<Option<Vec<i64>>> {
        let (sql, [first, second]) = self.statement(1);
        let sql = format!("{sql} LIMIT $3");
        let rows = self.db.rows(&sql, [first, second, few.saturating_add(1).into()]).await?;
        if rows.len() as i64 > few {
            return Ok(None);
        }
        let mut ids = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<i64>>>()?;
        ids.sort_unstable();
        Ok(Some(ids))
    }

    /// A statement for the ids it hits, and the two arguments it takes as `$<argument>` and the next.
    pub fn statement(&self, argument: usize) -> (String, [Value; 2]) {
        let (one, two) = (argument, argument + 1);
        let folded = Value::from(self.folded);
        if self.db.is_postgres() {
            // Each half has an index of its own.
            let half = |of| {
                format!(
                    "SELECT t.id FROM customer_text t WHERE t.id % 2 = {of} AND t.text LIKE ${one} ESCAPE '\\' AND strpos(t.text, ${two}) > 0"
                )
            };
            return (format!("{} UNION ALL {}", half(0), half(1)), [like(self.folded).into(), folded]);
        }
        if is_short(self.folded) {
            let sql =
                format!("SELECT t.id FROM customer_text t WHERE ${one} <> '' AND instr(t.text, ${two}) > 0");
            return (sql, [folded.clone(), folded]);
        }
        let sql = format!(
            "SELECT t.id FROM customer_search CROSS JOIN customer_text t ON t.id = customer_search.rowid WHERE customer_search MATCH ${one} AND instr(t.text, ${two}) > 0"
        );
        (sql, [self.rarest().into(), folded])
    }

    /// The rarest trigrams of the text that narrow one another, as a query of SQLite's index.
    fn rarest(&self) -> String {
        let chars: Vec<char> = self.folded.chars().collect();
        let trigrams: BTreeSet<String> = chars.windows(3).map(|three| three.iter().collect()).collect();
        let mut left: Vec<&String> = self.texts.iter().collect();
        let mut trigrams: Vec<String> = trigrams.into_iter().collect();
        trigrams.sort_by_cached_key(|trigram| left.iter().filter(|text| text.contains(trigram)).count());
        let mut chosen = Vec::new();
        for trigram in trigrams {
            let within: Vec<&String> = left.iter().copied().filter(|text| text.contains(&trigram)).collect();
            // One that hardly narrows is only read in vain.
            if chosen.is_empty() || (chosen.len() < TRIGRAMS && within.len() * 2 <= left.len()) {
                left = within;
                chosen.push(trigram);
            }
        }
        // Each a phrase of the full-text language: quotes doubled, nothing else has a meaning in it.
        let quoted = chosen.iter().map(|trigram| format!("\"{}\"", trigram.replace('"', "\"\"")));
        quoted.collect::<Vec<_>>().join(" AND ")
    }
}

/// The condition that a customer holds the folded text bound to `argument`, looked at row by row.
pub fn holds(postgres: bool, id: &str, argument: &str) -> String {
    let place = if postgres { "strpos" } else { "instr" };
    // Not a join: it must never be turned into a walk of the whole text.
    format!("{place}((SELECT t.text FROM customer_text t WHERE t.id = {id}), {argument}) > 0")
}

/// The pattern of `LIKE … ESCAPE '\'` that a text with this folded part fits.
fn like(folded: &str) -> String {
    format!("%{}%", folded.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

/// Too short for a trigram.
pub fn is_short(folded: &str) -> bool {
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
