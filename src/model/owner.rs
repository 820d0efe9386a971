//! Whose client it is: an ordered set of rules, and which of them fired.

use std::collections::BTreeMap;

use super::text::name_key;

/// The owner of clients that no rule catches.
pub const UNKNOWN: &str = "Unknown";

/// Which rule gave the owner; stored with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Every client of this system has the system's owner, whatever its campaign.
    WholeSystem,
    /// The partner account or campaign is on the owner map.
    Map,
    /// Not on the map: the owner set on the system.
    System,
    /// Nothing says whose it is.
    Nothing,
}

impl Rule {
    /// The word stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Rule::WholeSystem => "whole_system",
            Rule::Map => "map",
            Rule::System => "system",
            Rule::Nothing => "none",
        }
    }
}

/// The owner rules of one system: its own owner and the map that all systems share.
#[derive(Debug, Clone, Default)]
pub struct OwnerRules {
    /// Owner set on the system.
    pub system_owner: Option<String>,
    /// Whether the system's owner comes before the map (XM) or after it.
    pub whole_system: bool,
    map: BTreeMap<String, String>,
}

impl OwnerRules {
    /// Rules from the map of partner accounts and campaigns to owners.
    pub fn new<'a>(
        system_owner: Option<String>,
        whole_system: bool,
        map: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> OwnerRules {
        let map = map.into_iter().map(|(name, owner)| (name_key(name), owner.to_owned())).collect();
        OwnerRules { system_owner, whole_system, map }
    }

    /// The owner for these partner accounts (the client's own first, then its accounts'), and the
    /// rule that fired.
    pub fn owner<'a>(&'a self, partner_accounts: impl IntoIterator<Item = &'a str>) -> (&'a str, Rule) {
        if let (true, Some(owner)) = (self.whole_system, &self.system_owner) {
            return (owner, Rule::WholeSystem);
        }
        for name in partner_accounts {
            if let Some(owner) = self.map.get(&name_key(name)) {
                return (owner, Rule::Map);
            }
        }
        match &self.system_owner {
            Some(owner) => (owner, Rule::System),
            None => (UNKNOWN, Rule::Nothing),
        }
    }

    /// A digest of the rules: equal rules, equal digest.
    pub fn digest(&self) -> Vec<u8> {
        let mut hasher = blake3::Hasher::new();
        let mut part = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        part(self.system_owner.as_deref().unwrap_or_default());
        part(if self.whole_system { "whole" } else { "" });
        for (name, owner) in &self.map {
            part(name);
            part(owner);
        }
        hasher.finalize().as_bytes().to_vec()
    }

    /// Whether the map knows this partner account or campaign.
    pub fn maps(&self, partner_account: &str) -> bool {
        self.map.contains_key(&name_key(partner_account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_fires_wins() {
        let map = [("RB you", "Ham"), ("1100000000000000001", "Janischa")];
        let xm = OwnerRules::new(Some("Ham".into()), true, map);
        let ham = OwnerRules::new(Some("Ham".into()), false, map);
        let nobody = OwnerRules::new(None, false, map);
        assert_eq!(xm.owner(["1100000000000000001"]), ("Ham", Rule::WholeSystem));
        assert_eq!(ham.owner(["1100000000000000001"]), ("Janischa", Rule::Map));
        assert_eq!(nobody.owner(["  rb   YOU "]), ("Ham", Rule::Map));
        assert_eq!(ham.owner(["new"]), ("Ham", Rule::System));
        assert_eq!(nobody.owner(["new"]), (UNKNOWN, Rule::Nothing));
    }

    #[test]
    fn a_change_of_any_rule_changes_the_digest() {
        let rules = |owner: Option<&str>, whole, map: &[(&'static str, &'static str)]| {
            OwnerRules::new(owner.map(str::to_owned), whole, map.iter().copied()).digest()
        };
        let plain = rules(Some("Ham"), false, &[("low", "Ham"), ("rb", "Ham")]);
        assert_eq!(plain, rules(Some("Ham"), false, &[("RB", "Ham"), ("low", "Ham")]));
        for other in [
            rules(None, false, &[("low", "Ham"), ("rb", "Ham")]),
            rules(Some("Ham"), true, &[("low", "Ham"), ("rb", "Ham")]),
            rules(Some("Ham"), false, &[("low", "Ham")]),
            rules(Some("Ham"), false, &[("low", "Ham"), ("rb", "Janischa")]),
        ] {
            assert_ne!(plain, other);
        }
    }
}
