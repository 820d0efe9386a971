//! What became of each row that was read: exactly one disposition, and counts that add up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::amount::Sums;

/// What became of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Disposition {
    /// Seen for the first time; stored.
    Created,
    /// Stored before with another payload (or marked gone); the former version is kept.
    Updated,
    /// Stored before with the same payload; nothing written.
    Unchanged,
    /// Came a second time within one pass.
    Duplicate,
    /// Left out by a rule.
    Excluded,
    /// Cannot be stored, for a reason.
    Rejected,
}

impl Disposition {
    /// The disposition of that word.
    pub fn of(word: &str) -> Option<Disposition> {
        use Disposition::{Created, Duplicate, Excluded, Rejected, Unchanged, Updated};
        [Created, Updated, Unchanged, Duplicate, Excluded, Rejected].into_iter().find(|d| d.word() == word)
    }

    /// The word of reports and of the API.
    pub fn word(self) -> &'static str {
        match self {
            Disposition::Created => "created",
            Disposition::Updated => "updated",
            Disposition::Unchanged => "unchanged",
            Disposition::Duplicate => "duplicate",
            Disposition::Excluded => "excluded",
            Disposition::Rejected => "rejected",
        }
    }
}

/// Rows by disposition. `read` is their sum, always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows the source sent.
    pub read: u64,
    /// See [`Disposition::Created`].
    pub created: u64,
    /// See [`Disposition::Updated`].
    pub updated: u64,
    /// See [`Disposition::Unchanged`].
    pub unchanged: u64,
    /// See [`Disposition::Duplicate`].
    pub duplicate: u64,
    /// See [`Disposition::Excluded`].
    pub excluded: u64,
    /// See [`Disposition::Rejected`].
    pub rejected: u64,
}

impl Counts {
    /// Counts one row.
    pub fn add(&mut self, disposition: Disposition) {
        self.read += 1;
        match disposition {
            Disposition::Created => self.created += 1,
            Disposition::Updated => self.updated += 1,
            Disposition::Unchanged => self.unchanged += 1,
            Disposition::Duplicate => self.duplicate += 1,
            Disposition::Excluded => self.excluded += 1,
            Disposition::Rejected => self.rejected += 1,
        }
    }

    /// Adds the counts of another page.
    pub fn merge(&mut self, other: &Counts) {
        self.read += other.read;
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.duplicate += other.duplicate;
        self.excluded += other.excluded;
        self.rejected += other.rejected;
    }

    /// Different rows read: what is held against the source's count.
    pub fn distinct(&self) -> u64 {
        self.read - self.duplicate
    }
}

/// Rows of one disposition and rule, with the money that went with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// `duplicate`, `excluded` or `rejected`.
    pub disposition: Disposition,
    /// The rule or reason, a word of the message catalogue (`no_key`, `amount_not_exact`).
    pub rule: String,
    /// Rows.
    pub count: u64,
    /// Their sums, as far as they could be read.
    pub sums: Sums,
}

/// A row that was not stored, or came twice.
#[derive(Debug, Clone)]
pub struct Oddity {
    /// What became of it.
    pub disposition: Disposition,
    /// The rule or reason.
    pub rule: String,
    /// The field at fault.
    pub field: String,
    /// Its key, if it has one.
    pub key: Option<String>,
    /// The payload.
    pub raw: String,
}

/// Reasons gathered over rows and pages.
#[derive(Debug, Clone, Default)]
pub struct Reasons(BTreeMap<(Disposition, String), (u64, Sums)>);

impl Reasons {
    /// Adds `count` rows with their sums.
    pub fn add(&mut self, disposition: Disposition, rule: &str, count: u64, sums: &Sums) {
        let entry = self.0.entry((disposition, rule.to_owned())).or_default();
        entry.0 += count;
        entry.1.merge(sums);
    }

    /// Adds reasons of another page.
    pub fn merge(&mut self, others: &[Reason]) {
        for other in others {
            self.add(other.disposition, &other.rule, other.count, &other.sums);
        }
    }

    /// The reasons as a list, by disposition and rule.
    pub fn list(&self) -> Vec<Reason> {
        self.0
            .iter()
            .map(|((disposition, rule), (count, sums))| Reason {
                disposition: *disposition,
                rule: rule.clone(),
                count: *count,
                sums: sums.clone(),
            })
            .collect()
    }
}
