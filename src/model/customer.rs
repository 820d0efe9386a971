//! Customers: what is computed of one from its records.

/// Everything of a customer that is computed from its records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The customer.
    pub id: i64,
    /// Its system.
    pub system: String,
    /// What the records of the system name it by.
    pub key: String,
    /// No record belongs to it: it is not shown.
    pub hidden: bool,
    /// All its records are gone.
    pub gone: bool,
    /// Owner.
    pub owner: String,
    /// The rule that gave the owner.
    pub owner_rule: &'static str,
    /// The source's own status.
    pub status: Option<String>,
    /// `ACTIVE` or `INACTIVE`, derived from what was traded; `None` = unknown.
    pub activity: Option<&'static str>,
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

/// A customer to be added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Name<'a> {
    /// The customer.
    pub id: i64,
    /// Its system.
    pub system: &'a str,
    /// What the records of the system name it by.
    pub key: &'a str,
}

/// A stored record, with what a customer is computed from. Texts that say nothing are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part<'a> {
    /// Whose it is.
    pub customer: i64,
    /// What it hangs on a customer as.
    pub kind: PartKind,
    /// The record's id.
    pub id: i64,
    /// Whether it is marked gone.
    pub gone: bool,
    /// Account number; a client has none.
    pub number: &'a str,
    /// ISO alpha-2 country.
    pub country: &'a str,
    /// The source's own status.
    pub status: &'a str,
    /// Partner account or campaign.
    pub partner_account: &'a str,
    /// Registered or opened, `YYYY-MM-DD`.
    pub since: &'a str,
    /// Last trade, `YYYY-MM-DD`.
    pub last_trade: &'a str,
    /// Lots, scaled by [`amount::QUANTITY`](super::amount::QUANTITY); `None` = unknown.
    pub volume_lots: Option<i64>,
    /// Turnover in millions of USD, scaled likewise.
    pub volume_mln_usd: Option<i64>,
    /// Reward in US cents.
    pub reward_usd: Option<i64>,
    /// Rebate in US cents.
    pub rebate_usd: Option<i64>,
    /// The payload.
    pub raw: &'a str,
}

/// What a record is to its customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartKind {
    /// The client itself.
    #[default]
    Party,
    /// One of its accounts.
    Account,
}
