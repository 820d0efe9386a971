//! Owner rules in force, what a change of them would move, and carrying it out. No source is asked.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use super::now;
use super::settle::compute;
use crate::model::customer::{PointsRule, View};
use crate::model::text::name_key;
use crate::model::{OwnerRules, Sums, SystemRules, amount};
use crate::store::customer;
use crate::store::owner::{self, OwnerRule};
use crate::store::{Store, audit};

/// What the owner rules of every system are made of.
#[derive(Debug, Clone, Default)]
pub struct OwnerSettings {
    /// The map of the configuration: partner account or campaign, owner.
    pub map: Vec<(String, String)>,
    /// What each system says.
    pub systems: BTreeMap<String, SystemSettings>,
}

/// What a system says of whose its customers are, and how they are added up.
#[derive(Debug, Clone, Default)]
pub struct SystemSettings {
    /// Its owner.
    pub owner: Option<String>,
    /// Whether that comes before the map.
    pub whole: bool,
    /// Of a shop: how points add up.
    pub points: Option<PointsRule>,
    /// Whether its customers are contacts.
    pub contacts: bool,
}

impl OwnerSettings {
    /// The rules of a system: rules that people added win over the configuration.
    pub fn rules(&self, system: &str, added: &[OwnerRule]) -> SystemRules {
        let SystemSettings { owner, whole, points, contacts } =
            self.systems.get(system).cloned().unwrap_or_default();
        let configured = self.map.iter().map(|(name, owner)| (name.as_str(), owner.as_str()));
        let added = added.iter().map(|rule| (rule.name.as_str(), rule.owner.as_str()));
        SystemRules { owners: OwnerRules::new(owner, whole, configured.chain(added)), points, contacts }
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

/// An owner as systems and the other rules spell it: "ham" is the "Ham" that is there already.
pub fn spelled(settings: &OwnerSettings, added: &[OwnerRule], name: &str, owner: &str) -> String {
    // The rule that is to be changed must not keep its own spelling alive.
    let others = |rule: &&OwnerRule| name_key(&rule.name) != name_key(name);
    let systems = settings.systems.values().filter_map(|rules| rules.owner.as_deref());
    let mapped = settings.map.iter().filter(|(other, _)| name_key(other) != name_key(name));
    let mut known = systems
        .chain(mapped.map(|(_, owner)| owner.as_str()))
        .chain(added.iter().filter(others).map(|rule| rule.owner.as_str()));
    known.find(|known| name_key(known) == name_key(owner)).unwrap_or(owner).to_owned()
}

/// What would move if `name` belonged to `owner` (`None`: if there were no such rule).
pub async fn preview(
    store: &Store,
    settings: &OwnerSettings,
    name: &str,
    owner: Option<&str>,
) -> Result<Vec<Move>> {
    let mut added = store.owner_rules().await?;
    let owner = owner.map(|owner| spelled(settings, &added, name, owner));
    added.retain(|rule| name_key(&rule.name) != name_key(name));
    added.extend(owner.map(|owner| OwnerRule { name: name.to_owned(), owner }));
    let mut moves = Moves::default();
    for system in settings.systems.keys() {
        replay(store, system, &settings.rules(system, &added), false, &mut moves).await?;
    }
    Ok(moves.list())
}

/// Gives the customers of every system the owners that the rules say now, where they were last given
/// them by other rules: somebody edited the configuration or the map. What moved.
pub async fn catch_up(store: &Store, settings: &OwnerSettings) -> Result<Vec<Move>> {
    let added = store.owner_rules().await?;
    let mut moves = Moves::default();
    for system in settings.systems.keys() {
        let rules = settings.rules(system, &added);
        if store.applied_rules(system).await?.as_deref() != Some(&rules.digest()) {
            replay(store, system, &rules, true, &mut moves).await?;
        }
    }
    Ok(moves.list())
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
    let owner = match owner {
        Some(owner) => Some(spelled(settings, &store.owner_rules().await?, name, owner)),
        None => None,
    };
    let owner = owner.as_deref();
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
    // Should this be cut short, the next start catches up.
    catch_up(store, settings).await
}

/// What moves, by the owners it moves from and to.
#[derive(Default)]
struct Moves(BTreeMap<(String, String), Move>);

impl Moves {
    fn add(&mut self, from: &str, view: &View) {
        let key = (from.to_owned(), view.owner.clone());
        let entry = self.0.entry(key).or_insert_with(|| Move {
            from: from.to_owned(),
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

    fn list(self) -> Vec<Move> {
        self.0.into_values().collect()
    }
}

/// Holds a system's customers against the rules, and with `write` gives them their owners.
async fn replay(
    store: &Store,
    system: &str,
    rules: &SystemRules,
    write: bool,
    moves: &mut Moves,
) -> Result<()> {
    let mut after = 0;
    loop {
        let ids = store.customer_ids(system, after, 2000).await?;
        let Some(last) = ids.last() else { break };
        after = *last;
        let owners = store.customer_owners(&ids).await?;
        let mut changed = Vec::new();
        for view in compute(store, rules, &ids).await? {
            let Some((owner, rule)) = owners.get(&view.id) else { continue };
            if *owner != view.owner && !view.hidden {
                moves.add(owner, &view);
            }
            // Points are the shop's own rule; which one holds is not kept with each customer.
            if *owner != view.owner || *rule != view.owner_rule || view.shop.is_some() {
                changed.push(view);
            }
        }
        if write && !changed.is_empty() {
            let mut tx = store.begin().await?;
            customer::write(&mut tx, changed).await?;
            tx.commit().await?;
        }
    }
    if write {
        let mut tx = store.begin().await?;
        customer::summarize(&mut tx, system).await?;
        customer::set_applied_rules(&mut tx, system, rules.digest()).await?;
        tx.commit().await?;
    }
    Ok(())
}
