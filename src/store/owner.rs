//! Owner rules that people added in the dashboard; they win over the configuration's map.

use anyhow::Result;

use super::{Store, Tx};
use crate::model::text::name_key;

/// A rule: this partner account or campaign belongs to this owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerRule {
    /// Partner account or campaign, as typed.
    pub name: String,
    /// The owner.
    pub owner: String,
}

/// Adds or changes a rule; `None` removes it. The former owner.
pub async fn set(tx: &mut Tx, name: &str, owner: Option<&str>, by: &str, now: i64) -> Result<Option<String>> {
    let key = name_key(name);
    let former = tx.row("SELECT owner FROM owner_rule WHERE name_key = $1", [key.as_str().into()]).await?;
    match owner {
        Some(owner) => {
            tx.execute(
                "INSERT INTO owner_rule (name_key, name, owner, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name_key) DO UPDATE SET name = excluded.name, owner = excluded.owner, changed_by = excluded.changed_by, changed_at = excluded.changed_at",
                [key.into(), name.into(), owner.into(), by.into(), now.into()],
            )
            .await?;
        }
        None => {
            tx.execute("DELETE FROM owner_rule WHERE name_key = $1", [key.into()]).await?;
        }
    }
    former.map(|row| row.get(0)).transpose()
}

impl Store {
    /// The rules that people added, by name.
    pub async fn owner_rules(&self) -> Result<Vec<OwnerRule>> {
        let rows = self.db.rows("SELECT name, owner FROM owner_rule ORDER BY name_key", []).await?;
        rows.iter().map(|row| Ok(OwnerRule { name: row.get(0)?, owner: row.get(1)? })).collect()
    }
}
