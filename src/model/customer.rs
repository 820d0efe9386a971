//! Customers: what is computed of one from its records.

use serde::Deserialize;

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
    /// What customers with a name have, of shops and of CRM and finance systems.
    pub shop: Option<ShopView>,
}

/// What is computed of a shop's customer beyond what every customer has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShopView {
    /// Name.
    pub name: Option<String>,
    /// Phone in E.164, else as typed.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Date of birth.
    pub born: Option<String>,
    /// City.
    pub city: Option<String>,
    /// The rule that found it.
    pub city_rule: Option<String>,
    /// What was bought in the old system, in minor units; `None` = nothing is known of it.
    pub opening: Option<i64>,
    /// What was bought since, less what was brought back.
    pub purchased: Option<i64>,
    /// Both together.
    pub spent: Option<i64>,
    /// Lines bought since; `None` = nobody of a shop.
    pub purchases: Option<i64>,
    /// The day of the last of them.
    pub last_purchase: Option<String>,
    /// Balance of points; `None` = there are none, which is not zero.
    pub points: Option<i64>,
    /// When that changes by itself, in microseconds since 1970 UTC.
    pub points_until: Option<i64>,
    /// `person` or `organization`.
    pub kind: Option<String>,
    /// The customer number people know.
    pub number: Option<String>,
    /// National id.
    pub national_id: Option<String>,
}

/// How points add up to a balance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointsRule {
    /// Everything earned minus everything spent up to now, at least nothing.
    #[default]
    Movements,
    /// What the latest row says is to be spent.
    LastRecord,
}

impl PointsRule {
    /// The word of the configuration and of reports.
    pub fn word(self) -> &'static str {
        match self {
            PointsRule::Movements => "movements",
            PointsRule::LastRecord => "last_record",
        }
    }
}

/// A stored person or card of a shop. Texts that say nothing are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShopPart<'a> {
    /// Whose it is.
    pub customer: i64,
    /// Whether it is a card, and not a person.
    pub is_card: bool,
    /// The record's id.
    pub id: i64,
    /// Whether it is marked gone.
    pub gone: bool,
    /// A person's name, a card's number.
    pub name: &'a str,
    /// Phone in E.164.
    pub phone: &'a str,
    /// Phone as typed.
    pub phone_typed: &'a str,
    /// E-mail address.
    pub email: &'a str,
    /// Date of birth.
    pub born: &'a str,
    /// City.
    pub city: &'a str,
    /// The rule that found it.
    pub city_rule: &'a str,
    /// The payload.
    pub raw: &'a str,
}

/// A stored contact of a CRM or a finance system. Texts that say nothing are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactPart<'a> {
    /// Whose it is.
    pub customer: i64,
    /// Whether it is marked gone.
    pub gone: bool,
    /// `person` or `organization`.
    pub kind: &'a str,
    /// Name.
    pub name: &'a str,
    /// Customer number.
    pub number: &'a str,
    /// National id.
    pub national_id: &'a str,
    /// Mobile number in E.164, else as typed.
    pub mobile: &'a str,
    /// Telephone number, likewise.
    pub telephone: &'a str,
    /// E-mail address.
    pub email: &'a str,
    /// The payload.
    pub raw: &'a str,
}

/// The movements of a shop's customer, added up. `None` where there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved<'a> {
    /// Whose they are.
    pub customer: i64,
    /// Opening balances.
    pub opening: Option<i64>,
    /// Purchases less returns.
    pub purchased: Option<i64>,
    /// Lines bought.
    pub purchases: i64,
    /// The day of the last of them.
    pub last_purchase: &'a str,
    /// Points earned minus points spent up to now.
    pub movements: Option<i64>,
    /// What the latest row says is to be spent.
    pub last_record: Option<i64>,
    /// When the next row that lies in the future begins to count.
    pub until: Option<i64>,
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
