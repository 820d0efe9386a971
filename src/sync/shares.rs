//! What of each owner is stored, and what of it the sources have: shares that add up. Pure.
//!
//! A source does not know owners. What it has beyond what is stored counts for the owner set on the
//! system, so that the shares of all owners make up exactly what the sources say. So do the rows that
//! were missing from an answer which need not have them.

use std::collections::BTreeMap;

use crate::model::owner::UNKNOWN;

/// One system: what its source says, and what of it is stored for whom.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// The owner set on the system.
    pub owner: Option<String>,
    /// Rows the source says it has; `None` when it was not read yet.
    pub source: Option<i64>,
    /// Rows stored that were missing from the last answer, which means nothing for such a list.
    pub absent: i64,
    /// Rows stored, by owner.
    pub stored: Vec<(String, i64)>,
}

/// The share of an owner, or of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Rows stored.
    pub stored: i64,
    /// Rows the sources have; `None` when one of them was not read yet.
    pub source: Option<i64>,
    /// Rows stored that the sources' last answers did not have and need not have.
    pub absent: i64,
}

impl Share {
    /// stored − absent − source: what nobody can explain. `None` as long as a source was not read.
    pub fn difference(&self) -> Option<i64> {
        self.source.map(|source| self.stored - self.absent - source)
    }
}

/// The share of each owner, and their sum.
pub fn shares(parts: &[Part]) -> (BTreeMap<String, Share>, Share) {
    let mut shares = BTreeMap::<String, Share>::new();
    let none = Share { source: Some(0), ..Share::default() };
    let mut all = none;
    let mut add = |owner: &str, stored: i64, source: Option<i64>, absent: i64| {
        let share = shares.entry(owner.to_owned()).or_insert(none);
        for share in [share, &mut all] {
            share.stored += stored;
            share.absent += absent;
            share.source = share.source.zip(source).map(|(sum, more)| sum + more);
        }
    };
    for part in parts {
        let stored: i64 = part.stored.iter().map(|(_, rows)| rows).sum();
        for (owner, rows) in &part.stored {
            add(owner, *rows, part.source.map(|_| *rows), 0);
        }
        let rest = part.source.map(|source| source - stored);
        if rest != Some(0) || part.absent != 0 {
            add(part.owner.as_deref().unwrap_or(UNKNOWN), 0, rest, part.absent);
        }
    }
    (shares, all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_make_up_what_the_sources_say() {
        let part = |owner: &str, source, stored: &[(&str, i64)]| Part {
            owner: Some(owner.to_owned()),
            source,
            absent: 0,
            stored: stored.iter().map(|(owner, rows)| ((*owner).to_owned(), *rows)).collect(),
        };
        let parts = [
            part("Ham", Some(10), &[("Ham", 7), ("Janischa", 2)]),
            part("Ham", Some(5), &[("Ham", 5)]),
            part("Janischa", Some(3), &[("Janischa", 3)]),
        ];
        let (by_owner, all) = shares(&parts);
        assert_eq!(by_owner["Ham"], Share { stored: 12, source: Some(13), absent: 0 });
        assert_eq!(by_owner["Janischa"], Share { stored: 5, source: Some(5), absent: 0 });
        assert_eq!(all, Share { stored: 17, source: Some(18), absent: 0 });
        let (by_owner, all) =
            shares(&[part("Ham", None, &[]), part("Janischa", Some(3), &[("Janischa", 3)])]);
        assert_eq!((by_owner["Ham"].source, by_owner["Janischa"].source, all.source), (None, Some(3), None));
    }
    #[test]
    fn rows_missing_from_an_answer_that_may_lack_them_add_up() {
        let part = Part {
            owner: Some("Ham".to_owned()),
            source: Some(7),
            absent: 3,
            stored: vec![("Ham".to_owned(), 10)],
        };
        let (by_owner, all) = shares(&[part]);
        assert_eq!(by_owner["Ham"], Share { stored: 10, source: Some(7), absent: 3 });
        assert_eq!((by_owner["Ham"].difference(), all.difference()), (Some(0), Some(0)));
    }
}
