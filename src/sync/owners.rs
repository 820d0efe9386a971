//! Owner rules in force, what a change of them would move, and carrying it out. No source is asked.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::now;
use super::settle::compute;
use crate::model::{OwnerRules, Sums, amount};
use crate::store::customer;
use crate::store::owner::{self, OwnerRule};
use crate::store::{Store, audit};

/// What the owner rules of every system are made of.
#[derive(Debug, Clone, Default)]
pub struct OwnerSettings {
    /// The map of the configuration: partner account or campaign, owner.
    pub map: Vec<(String, String)>,
    /// By system: its owner, and whether that comes before the map.
    pub systems: BTreeMap<String, (Option<String>, bool)>,
}

impl OwnerSettings {
    /// The rules of a system: rules that people added win over the configuration.
    pub fn rules(&self, system: &str, added: &[OwnerRule]) -> OwnerRules {
        let (owner, whole) = self.systems.get(system).cloned().unwrap_or_default();
        let configured = self.map.iter().map(|(name, owner)| (name.as_str(), owner.as_str()));
        let added = added.iter().map(|rule| (rule.name.as_str(), rule.owner.as_str()));
        OwnerRules::new(owner, whole, configured.chain(added))
    }
}

/// Customers and money that a change of rules moves from one owner to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Move {
    /// The owner now.
    pub from: String,
    /// The owner then.
    pub to: String,
    /// Clients.
    pub clients: u64,
    /// Their accounts.
    pub accounts: u64,
    /// Their sums.
    pub sums: Sums,
}

/// What would move if the rules that people added were `added`.
pub async fn preview(store: &Store, settings: &OwnerSettings, added: &[OwnerRule]) -> Result<Vec<Move>> {
    replay(store, settings, added, false).await
}

/// Gives every customer the owner that the rules say now; what moved.
pub async fn apply(store: &Store, settings: &OwnerSettings) -> Result<Vec<Move>> {
    let added = store.owner_rules().await?;
    replay(store, settings, &added, true).await
}

/// Sets (or with `None` removes) a rule and replays the rules over the stored records.
pub async fn set(
    store: &Store,
    settings: &OwnerSettings,
    name: &str,
    owner: Option<&str>,
    by: &str,
) -> Result<Vec<Move>> {
    let now = now();
    let mut tx = store.begin().await?;
    let former = owner::set(&mut tx, name, owner, by, now).await?;
    let subject = format!("owner of {name}");
    let entry = audit::NewEntry {
        actor: by,
        action: "owner_rule.set",
        subject: &subject,
        before: former,
        after: owner.map(str::to_owned),
        ..audit::NewEntry::default()
    };
    audit::write(&mut tx, entry, now).await?;
    tx.commit().await?;
    apply(store, settings).await
}

async fn replay(
    store: &Store,
    settings: &OwnerSettings,
    added: &[OwnerRule],
    write: bool,
) -> Result<Vec<Move>> {
    let mut moves = BTreeMap::<(String, String), Move>::new();
    for system in settings.systems.keys() {
        let rules = settings.rules(system, added);
        let mut after = 0;
        loop {
            let ids = store.customer_ids(system, after, 2000).await?;
            let Some(last) = ids.last() else { break };
            after = *last;
            let owners = store.customer_owners(&ids).await?;
            let mut changed = Vec::new();
            for view in compute(store, &rules, &ids).await? {
                let Some((owner, rule)) = owners.get(&view.id) else { continue };
                if *owner == view.owner && *rule == view.owner_rule {
                    continue;
                }
                if *owner != view.owner && !view.hidden {
                    let entry = moves.entry((owner.clone(), view.owner.clone())).or_insert_with(|| Move {
                        from: owner.clone(),
                        to: view.owner.clone(),
                        clients: 0,
                        accounts: 0,
                        sums: Sums::default(),
                    });
                    entry.clients += 1;
                    entry.accounts += view.accounts.unsigned_abs();
                    entry.sums.add(amount::REWARD_USD, view.reward_usd);
                    entry.sums.add(amount::REBATE_USD, view.rebate_usd);
                    entry.sums.add(amount::VOLUME_LOTS, view.volume_lots);
                }
                changed.push(view);
            }
            if write && !changed.is_empty() {
                let mut tx = store.begin().await?;
                customer::write(&mut tx, changed).await?;
                tx.commit().await?;
            }
        }
    }
    if write {
        let mut tx = store.begin().await?;
        customer::summarize(&mut tx).await?;
        tx.commit().await?;
    }
    Ok(moves.into_values().collect())
}
