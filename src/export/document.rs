//! The customers list as the document that commands print and the API answers.

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Currency;
use crate::model::amount::{self, MONEY, QUANTITY, Sums, show};
use crate::store::listing::{AccountRow, Item, Linked, Totals};

/// A list: its rows, how many there are in all, and where the next page starts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ListDoc<T> {
    /// The rows.
    pub items: Vec<T>,
    /// How many there are in all; null when counting them would take long (the sums say it).
    pub total: Option<i64>,
    /// The `cursor` of the next page; null after the last.
    pub next: Option<String>,
}

impl<T> ListDoc<T> {
    /// The same list with other rows.
    pub fn map<U>(self, row: impl FnMut(T) -> U) -> ListDoc<U> {
        ListDoc { items: self.items.into_iter().map(row).collect(), total: self.total, next: self.next }
    }

    /// A list that is whole.
    pub fn whole(items: Vec<T>) -> ListDoc<T> {
        let total = i64::try_from(items.len()).ok();
        ListDoc { items, total, next: None }
    }
}

/// A customer. What its systems do not know is null.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct CustomerDoc {
    /// Its number.
    pub id: i64,
    /// Name.
    pub name: Option<String>,
    /// Owner as stored.
    pub owner: String,
    /// The rule that gave the owner.
    pub owner_rule: String,
    /// The systems it is in.
    pub systems: Vec<String>,
    /// What the broker names the client by.
    pub client_uid: Option<String>,
    /// Account numbers.
    pub accounts: Vec<String>,
    /// ISO alpha-2.
    pub country: Option<String>,
    /// The source's own status.
    pub status: Option<String>,
    /// `ACTIVE` or `INACTIVE`, derived from what was traded.
    pub activity: Option<String>,
    /// Decimal, US dollars.
    pub reward_usd: Option<String>,
    /// Decimal, US dollars; paid to clients, so unknown per account.
    pub rebate_usd: Option<String>,
    /// Partner accounts and campaigns.
    pub partner_account: Option<String>,
    /// Phone.
    pub phone: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Points.
    pub points: Option<String>,
    /// Purchases.
    pub purchases: Option<i64>,
    /// Money spent, decimal.
    pub spent: Option<String>,
    /// ISO code of what was spent in; null where that is not known.
    pub currency: Option<String>,
    /// The day of the last purchase, `YYYY-MM-DD`.
    pub last_purchase: Option<String>,
    /// Of CRM and finance systems: `person` or `organization`.
    pub kind: Option<String>,
    /// Whether it is linked with another system's: `linked`, `source_gone` or `none`; null where no flow
    /// could.
    pub link: Option<&'static str>,
    /// Customer number.
    pub number: Option<String>,
    /// National id.
    pub national_id: Option<String>,
    /// Registration, `YYYY-MM-DD`.
    pub registered: Option<String>,
    /// Last trade over all accounts, `YYYY-MM-DD`.
    pub last_trade: Option<String>,
    /// Decimal, lots.
    pub volume_lots: Option<String>,
    /// Decimal, millions of US dollars.
    pub volume_mln_usd: Option<String>,
    /// All its records left the source.
    pub gone: bool,
    /// The account, in a list of accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountDoc>,
    /// The payload field that the search was found in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched: Option<String>,
}

/// An account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AccountDoc {
    /// Its number in the store.
    pub id: i64,
    /// The system it is from.
    pub system: String,
    /// The account number people know.
    pub number: String,
    /// The source's account type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// ISO code.
    pub currency: Option<String>,
    /// ISO alpha-2.
    pub country: Option<String>,
    /// Partner account or campaign.
    pub partner_account: Option<String>,
    /// The source's status of it.
    pub status: Option<String>,
    /// Opened, `YYYY-MM-DD`.
    pub opened: Option<String>,
    /// Last trade, `YYYY-MM-DD`.
    pub last_trade: Option<String>,
    /// Decimal, lots.
    pub volume_lots: Option<String>,
    /// Decimal, millions of US dollars.
    pub volume_mln_usd: Option<String>,
    /// Decimal, in `currency`.
    pub reward: Option<String>,
    /// Decimal, US dollars.
    pub reward_usd: Option<String>,
    /// Left the source.
    pub gone: bool,
}

/// Counts and sums of everything a filter matches.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SumsDoc {
    /// Rows of the list.
    pub total: i64,
    /// Customers.
    pub clients: i64,
    /// Their accounts.
    pub accounts: i64,
    /// Lines bought by customers of shops; null when there are none.
    pub purchases: Option<i64>,
    /// ISO code of what shops' customers paid; null when there are none, or when shops keep their books in
    /// different currencies: then these sums are left out.
    pub currency: Option<String>,
    /// Decimal sums by measure; what is not known of anybody is left out.
    #[schema(value_type = Object)]
    pub sums: Sums,
}

/// A row of the list as a document; `currency` is that of what was spent.
pub fn customer(item: &Item, currency: Option<&str>) -> CustomerDoc {
    let money = |value: Option<i64>| decimal(value, MONEY);
    let mut doc = CustomerDoc {
        id: item.id,
        owner: item.owner.clone(),
        owner_rule: item.owner_rule.clone(),
        systems: super::systems(item),
        client_uid: Some(item.key.clone()),
        accounts: item.account_numbers.split_whitespace().map(str::to_owned).collect(),
        country: item.country.clone(),
        status: item.status.clone(),
        activity: item.activity.clone(),
        reward_usd: money(item.reward_usd),
        rebate_usd: money(item.rebate_usd),
        partner_account: item.partner_account.clone(),
        registered: item.registered.clone(),
        last_trade: item.last_trade.clone(),
        volume_lots: decimal(item.volume_lots, QUANTITY),
        volume_mln_usd: decimal(item.volume_mln_usd, QUANTITY),
        gone: item.gone,
        name: item.shop.name.clone(),
        phone: item.shop.phone.clone(),
        city: item.shop.city.clone(),
        points: money(item.shop.points),
        purchases: item.shop.purchases,
        spent: money(item.shop.spent),
        currency: currency.map(str::to_owned),
        last_purchase: item.shop.last_purchase.clone(),
        kind: item.contact.kind.clone(),
        number: item.contact.number.clone(),
        national_id: item.contact.national_id.clone(),
        link: item.contact.linked.as_ref().map(Linked::word),
        ..CustomerDoc::default()
    };
    if let Some(row) = &item.account {
        doc.accounts = vec![row.number.clone()];
        doc.reward_usd = money(row.reward_usd);
        doc.rebate_usd = None;
        doc.partner_account.clone_from(&row.partner_account);
        doc.last_trade.clone_from(&row.last_trade);
        doc.volume_lots = decimal(row.volume_lots, QUANTITY);
        doc.volume_mln_usd = decimal(row.volume_mln_usd, QUANTITY);
        doc.account = Some(account(row));
    }
    doc
}

/// An account as a document.
pub fn account(row: &AccountRow) -> AccountDoc {
    AccountDoc {
        id: row.id,
        system: row.system.clone(),
        number: row.number.clone(),
        kind: row.kind.clone(),
        currency: row.currency.clone(),
        country: row.country.clone(),
        partner_account: row.partner_account.clone(),
        status: row.status.clone(),
        opened: row.opened.clone(),
        last_trade: row.last_trade.clone(),
        volume_lots: decimal(row.volume_lots, amount::QUANTITY),
        volume_mln_usd: decimal(row.volume_mln_usd, amount::QUANTITY),
        reward: decimal(row.reward, amount::MONEY),
        reward_usd: decimal(row.reward_usd, amount::MONEY),
        gone: row.gone,
    }
}

/// Counts and sums as a document; `rows` of the list they belong to, `currency` of what was paid.
pub fn sums(totals: Totals, rows: i64, currency: Currency<'_>) -> SumsDoc {
    let totals = if currency == Currency::Several { totals.without_payments() } else { totals };
    SumsDoc {
        total: rows,
        clients: totals.clients,
        accounts: totals.accounts,
        purchases: totals.purchases,
        currency: totals.purchases.and(currency.code()).map(str::to_owned),
        sums: totals.sums,
    }
}

fn decimal(value: Option<i64>, scale: u32) -> Option<String> {
    value.map(|value| show(i128::from(value), scale))
}
