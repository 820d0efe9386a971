//! Customers: what is computed of one from its records.

/// Everything of a customer that is computed from its records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The customer.
    pub id: i64,
    /// No record belongs to it: it is not shown.
    pub hidden: bool,
    /// All its records are gone.
    pub gone: bool,
    /// Owner.
    pub owner: String,
    /// The rule that gave the owner.
    pub owner_rule: String,
    /// The source's own status.
    pub status: Option<String>,
    /// `ACTIVE` or `INACTIVE`, derived from what was traded; `None` = unknown.
    pub activity: Option<String>,
    /// ISO alpha-2 country.
    pub country: Option<String>,
    /// Partner accounts and campaigns, joined by ", ".
    pub partner_account: Option<String>,
    /// Registration date.
    pub registered: Option<String>,
    /// Last trade over all accounts.
    pub last_trade: Option<String>,
    /// Accounts that are not gone.
    pub accounts: i64,
    /// Their numbers, joined by spaces.
    pub account_numbers: String,
    /// Sums over the accounts; `None` = unknown.
    pub volume_lots: Option<i64>,
    /// Sums over the accounts; `None` = unknown.
    pub volume_mln_usd: Option<i64>,
    /// Sums over the accounts, in US cents; `None` = unknown.
    pub reward_usd: Option<i64>,
    /// The client's rebate in US cents; `None` = unknown.
    pub rebate_usd: Option<i64>,
    /// What it can be found by.
    pub text: String,
}

/// A stored record with what a customer is computed from.
#[derive(Debug, Clone)]
pub struct Part<T> {
    /// The record's id.
    pub id: i64,
    /// Whose it is.
    pub customer: i64,
    /// Whether it is marked gone.
    pub gone: bool,
    /// Its fields.
    pub fields: T,
    /// The payload.
    pub raw: String,
}
