//! The search index over customers: trigrams in both databases, each in its own way.
//!
//! Both search the same folded text (`customer_text`); a text shorter than three characters has no
//! trigram and is looked for by scanning it.

use anyhow::{Context, Result};

use super::bulk;
use super::{Db, Tx};

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

/// The customers that a folded text hits, if they are at most `few`.
pub async fn hits(db: &Db, folded: &str, few: i64) -> Result<Hits> {
    if is_short(folded) {
        return Ok(Hits::Many);
    }
    let postgres = db.is_postgres();
    let found = if postgres {
        "SELECT id FROM customer_text WHERE text LIKE $1 ESCAPE '\\' LIMIT $2"
    } else {
        "SELECT rowid FROM customer_search WHERE customer_search MATCH $1 LIMIT $2"
    };
    let rows = db.rows(found, [pattern(postgres, folded).into(), (few + 1).into()]).await?;
    if rows.len() as i64 > few {
        return Ok(Hits::Many);
    }
    let mut ids = rows.iter().map(|row| row.get(0)).collect::<Result<Vec<i64>>>()?;
    ids.sort_unstable();
    Ok(Hits::These(ids))
}

/// The condition that a customer's id has to meet to be found by the argument `argument`, which must
/// be bound to [`pattern`] of the same folded text.
pub fn condition(postgres: bool, folded: &str, id: &str, argument: &str) -> String {
    if is_short(folded) || postgres {
        format!("{id} IN (SELECT t.id FROM customer_text t WHERE t.text LIKE {argument} ESCAPE '\\')")
    } else {
        format!("{id} IN (SELECT rowid FROM customer_search WHERE customer_search MATCH {argument})")
    }
}

/// What to bind for [`condition`].
pub fn pattern(postgres: bool, folded: &str) -> String {
    if is_short(folded) || postgres {
        like(folded)
    } else {
        // A phrase of the full-text language: quotes doubled, nothing else has a meaning in it.
        format!("\"{}\"", folded.replace('"', "\"\""))
    }
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
