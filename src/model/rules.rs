//! What the customers of a system are added up by.

use super::OwnerRules;
use super::customer::PointsRule;

/// The rules of one system: equal records and equal rules make equal customers.
#[derive(Debug, Clone, Default)]
pub struct SystemRules {
    /// Whose its customers are.
    pub owners: OwnerRules,
    /// Of a shop: how points add up to a balance.
    pub points: Option<PointsRule>,
    /// Its customers are contacts of a CRM or a finance system.
    pub contacts: bool,
}

impl SystemRules {
    /// A digest of the rules: equal rules, equal digest.
    pub fn digest(&self) -> Vec<u8> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.owners.digest());
        hasher.update(self.points.map_or("", PointsRule::word).as_bytes());
        hasher.finalize().as_bytes().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_either_rule_changes_the_digest() {
        let rules = |owner: Option<&str>, points| {
            let owners = OwnerRules::new(owner.map(str::to_owned), false, []);
            SystemRules { owners, points, contacts: false }.digest()
        };
        let plain = rules(None, Some(PointsRule::Movements));
        assert_eq!(plain, rules(None, Some(PointsRule::Movements)));
        for other in [
            rules(Some("Ham"), Some(PointsRule::Movements)),
            rules(None, Some(PointsRule::LastRecord)),
            rules(None, None),
        ] {
            assert_ne!(plain, other);
        }
    }
}
