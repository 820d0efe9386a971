//! What is asked of the customers list: which customers, what a row is, in which order.

use crate::model::phone;
use crate::model::text::search_fold;

/// Which customers are wanted. What is `None` does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// A text to be found in any value of their records, as typed.
    pub search: Option<String>,
    /// Owner (`Ham`, `Unknown`), in any letter case.
    pub owner: Option<String>,
    /// System.
    pub system: Option<String>,
    /// The source's own status, in any letter case.
    pub status: Option<String>,
    /// ISO alpha-2 country, in any letter case.
    pub country: Option<String>,
    /// City, in any letter case.
    pub city: Option<String>,
    /// `ACTIVE` or `INACTIVE`, in any letter case.
    pub activity: Option<String>,
    /// `Some(true)`: those whose records are all gone; otherwise those that are there.
    pub gone: Option<bool>,
}

impl Filter {
    /// The text to look for, folded; `None` when nothing of it is left.
    pub fn folded(&self) -> Option<String> {
        let folded = self.search.as_deref().map(search_fold).filter(|folded| !folded.is_empty())?;
        Some(phone::digits_of(&folded).unwrap_or(folded))
    }

    pub(super) fn gone(&self) -> i64 {
        i64::from(self.gone == Some(true))
    }

    /// The columns that must have a value, with it.
    pub(super) fn equals(&self) -> impl Iterator<Item = (&'static str, String)> {
        let upper = |text: &Option<String>| text.as_ref().map(|text| text.trim().to_uppercase());
        [
            ("system", self.system.clone()),
            ("owner", self.owner.clone()),
            ("status", upper(&self.status)),
            ("country", upper(&self.country)),
            ("city", self.city.clone()),
            ("activity", upper(&self.activity)),
        ]
        .into_iter()
        .filter_map(|(column, value)| Some((column, value?)))
    }
}

/// What a row of the list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// A customer.
    #[default]
    Customers,
    /// An account of a customer that matches, in the order of the customers.
    Accounts,
    /// A customer of a shop, with what only such have.
    Shop,
    /// A customer of a CRM or finance system, with what only such have.
    Contacts,
}

/// What the list is sorted by: always a value of the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// The order in which they came to be known.
    #[default]
    Id,
    /// What the source names the client by.
    Key,
    /// Country.
    Country,
    /// The source's status.
    Status,
    /// Reward.
    Reward,
    /// Rebate.
    Rebate,
    /// Owner.
    Owner,
    /// Partner account or campaign.
    PartnerAccount,
    /// Registration.
    Registered,
    /// Number of accounts.
    Accounts,
    /// Last trade.
    LastTrade,
    /// City.
    City,
    /// Balance of points.
    Points,
    /// What was bought in all.
    Spent,
    /// Lines bought.
    Purchases,
    /// The day of the last purchase.
    LastPurchase,
    /// The customer number of CRM and finance systems.
    Number,
}

impl Shape {
    /// The word of addresses.
    pub fn word(self) -> &'static str {
        match self {
            Shape::Customers => "customers",
            Shape::Accounts => "accounts",
            Shape::Shop => "shop",
            Shape::Contacts => "contacts",
        }
    }

    /// The shape of that word.
    pub fn of(word: &str) -> Option<Shape> {
        let all = [Shape::Customers, Shape::Accounts, Shape::Shop, Shape::Contacts];
        all.into_iter().find(|shape| shape.word() == word)
    }
}

impl Sort {
    /// Every sort there is.
    pub const ALL: [Sort; 17] = [
        Sort::Id,
        Sort::Key,
        Sort::Country,
        Sort::Status,
        Sort::Reward,
        Sort::Rebate,
        Sort::Owner,
        Sort::PartnerAccount,
        Sort::Registered,
        Sort::Accounts,
        Sort::LastTrade,
        Sort::City,
        Sort::Points,
        Sort::Spent,
        Sort::Purchases,
        Sort::LastPurchase,
        Sort::Number,
    ];

    /// The word of addresses.
    pub fn word(self) -> &'static str {
        match self {
            Sort::Id => "id",
            Sort::Key => "key",
            Sort::Country => "country",
            Sort::Status => "status",
            Sort::Reward => "reward",
            Sort::Rebate => "rebate",
            Sort::Owner => "owner",
            Sort::PartnerAccount => "partner_account",
            Sort::Registered => "registered",
            Sort::Accounts => "accounts",
            Sort::LastTrade => "last_trade",
            Sort::City => "city",
            Sort::Points => "points",
            Sort::Spent => "spent",
            Sort::Purchases => "purchases",
            Sort::LastPurchase => "last_purchase",
            Sort::Number => "number",
        }
    }

    pub(super) fn column(self) -> &'static str {
        match self {
            Sort::Reward => "reward_usd",
            Sort::Rebate => "rebate_usd",
            other => other.word(),
        }
    }

    /// Whether it may be unknown.
    pub(super) fn nullable(self) -> bool {
        !matches!(self, Sort::Id | Sort::Key | Sort::Owner | Sort::Accounts)
    }

    /// Whether its values are numbers; the others are texts.
    pub(super) fn is_number(self) -> bool {
        let of_brokers = [Sort::Id, Sort::Reward, Sort::Rebate, Sort::Accounts];
        of_brokers.contains(&self) || [Sort::Points, Sort::Spent, Sort::Purchases].contains(&self)
    }

    /// Whether only customers of shops have it.
    pub(super) fn is_of_shops(self) -> bool {
        let of_shops = [Sort::City, Sort::Points, Sort::Spent, Sort::Purchases, Sort::LastPurchase];
        of_shops.contains(&self)
    }
}

/// A sort with its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    /// By what.
    pub by: Sort,
    /// Largest first.
    pub descending: bool,
}

impl Order {
    /// Reads `reward` or, for largest first, `-reward`.
    pub fn of(word: &str) -> Option<Order> {
        let (descending, name) = word.strip_prefix('-').map_or((false, word), |name| (true, name));
        Sort::ALL.into_iter().find(|sort| sort.word() == name).map(|by| Order { by, descending })
    }

    /// The word that [`Order::of`] reads.
    pub fn word(self) -> String {
        format!("{}{}", if self.descending { "-" } else { "" }, self.by.word())
    }
}
