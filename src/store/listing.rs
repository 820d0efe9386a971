//! The customers list: filtered, sorted, searched, page by page, quick on a million of them.
//!
//! Two ways lead to a page. Where few customers match, they are gathered and sorted; where many do,
//! the index of the sort column is walked until the page is full, one walk per system, because the
//! systems differ most from one another. How many match comes from `customer_summary` and, for a
//! text, from the search index. NULLs come last in every order, ties are broken by id.

use std::collections::HashMap;

use anyhow::Result;

use super::search::Search;
use super::{Row, Store, Value, bulk};
use crate::model::amount::{PAID, Sums};
use crate::store::facets::as_stored;

mod account;
mod ask;
mod cursor;
pub mod lineage;
mod plan;
mod purchase;
mod record;

pub use account::AccountRow;
pub use ask::{Filter, Order, Shape, Sort};
pub use cursor::BadCursor;
pub use purchase::EntryRow;
pub(super) use record::record;
pub use record::{RecordRow, VersionRow, matched_in};

use cursor::Cursor;
use plan::{Counted, Found, Query};

/// The largest page that may be asked for from outside.
pub const LARGEST_PAGE: i64 = 500;

/// The largest page there is; exports take such.
const LARGEST_FETCH: i64 = 1000;

/// Up to so many matches are gathered and sorted; more are found by walking the sort index. Where
/// the two cost the same for a page of 100 out of a million.
pub const FEW: i64 = 10_000;

/// Customers looked at in one go when many hold a text: first, and at most.
const STRETCH: i64 = 500;
const LONGEST_STRETCH: i64 = 8_000;
/// How many times as many are looked at as would be needed if those who hold it were anywhere.
const STRAY: i64 = 4;
/// More than this is never looked at before all who hold the text are gathered.
const MOST_LOOKED_AT: i64 = 30_000;

/// A row of the list. Amounts are scaled integers, `None` = unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// The customer's number.
    pub id: i64,
    /// The system it is from.
    pub system: String,
    /// What the source names it by (the client uid's first group, XM's client id).
    pub key: String,
    /// Owner.
    pub owner: String,
    /// The rule that gave the owner.
    pub owner_rule: String,
    /// The source's own status.
    pub status: Option<String>,
    /// `ACTIVE` or `INACTIVE`, derived.
    pub activity: Option<String>,
    /// ISO alpha-2 country.
    pub country: Option<String>,
    /// Partner accounts and campaigns, joined by ", ".
    pub partner_account: Option<String>,
    /// Registration, `YYYY-MM-DD`.
    pub registered: Option<String>,
    /// Last trade over all accounts, `YYYY-MM-DD`.
    pub last_trade: Option<String>,
    /// How many accounts.
    pub accounts: i64,
    /// Their numbers, joined by spaces.
    pub account_numbers: String,
    /// Lots.
    pub volume_lots: Option<i64>,
    /// Turnover in millions of US dollars.
    pub volume_mln_usd: Option<i64>,
    /// Reward in US cents.
    pub reward_usd: Option<i64>,
    /// Rebate in US cents.
    pub rebate_usd: Option<i64>,
    /// All its records are gone.
    pub gone: bool,
    /// What only customers of shops have; nothing is known of others.
    pub shop: ShopRow,
    /// What only customers of CRM and finance systems have.
    pub contact: ContactRow,
    /// The account, in a list of accounts.
    pub account: Option<AccountRow>,
}

/// What a list shows of a shop's customer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShopRow {
    /// Name.
    pub name: Option<String>,
    /// Phone in E.164, else as typed.
    pub phone: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Balance of points, scaled by [`MONEY`](crate::model::amount::MONEY).
    pub points: Option<i64>,
    /// Lines bought.
    pub purchases: Option<i64>,
    /// What was bought in all, opening balance included, in minor units.
    pub spent: Option<i64>,
    /// The day of the last purchase.
    pub last_purchase: Option<String>,
}

/// What a list shows of a customer of a CRM or finance system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactRow {
    /// `person` or `organization`.
    pub kind: Option<String>,
    /// The customer number people know.
    pub number: Option<String>,
    /// National id.
    pub national_id: Option<String>,
    /// Whom it is linked with, as far as that was asked for.
    pub linked: Option<Linked>,
}

/// Whom a customer of a CRM or finance system is linked with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Linked {
    /// The other systems.
    pub systems: Vec<String>,
    /// The master's record is gone.
    pub gone: bool,
}

impl Linked {
    /// The word of lists: `linked`, `source_gone` or `none`.
    pub fn word(&self) -> &'static str {
        match (self.systems.is_empty(), self.gone) {
            (true, _) => "none",
            (false, true) => "source_gone",
            (false, false) => "linked",
        }
    }
}

/// The columns of an [`Item`], in the order [`read`] takes them.
const ITEM: &str = "id, system, key, owner, owner_rule, status, activity, country, partner_account, registered, last_trade, accounts, account_numbers, volume_lots, volume_mln_usd, reward_usd, rebate_usd, gone, name, phone, city, points, purchases, spent, last_purchase, kind, number, national_id";

/// A page of the list.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// The rows.
    pub items: Vec<Item>,
    /// How many there are in all; `None` when only [`Store::customer_sums`] can say.
    pub total: Option<i64>,
    /// Where the next page starts; `None` after the last.
    pub next: Option<String>,
}

/// Counts and sums over everything a filter matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Customers.
    pub clients: i64,
    /// Their accounts.
    pub accounts: i64,
    /// Lines bought by those of shops; `None` when none of them is of a shop.
    pub purchases: Option<i64>,
    /// Their sums.
    pub sums: Sums,
}

/// The payload fields that a search was found in.
#[derive(Debug, Clone, Default)]
pub struct Matches {
    /// By customer: of its own record, else of an account's.
    pub customers: HashMap<i64, String>,
    /// By account.
    pub accounts: HashMap<i64, String>,
}

impl Totals {
    /// Without the sums of what shops' customers paid: in different currencies they have none.
    #[must_use]
    pub fn without_payments(mut self) -> Totals {
        PAID.into_iter().for_each(|measure| self.sums.forget(measure));
        self
    }

    /// How many rows a list of this shape has.
    pub fn rows(&self, shape: Shape) -> i64 {
        match shape {
            Shape::Customers | Shape::Shop | Shape::Contacts => self.clients,
            Shape::Accounts => self.accounts,
        }
    }
}

impl Store {
    /// A page of customers or of their accounts. A cursor of another list is [`BadCursor`].
    pub async fn customers(
        &self,
        filter: &Filter,
        shape: Shape,
        order: Order,
        cursor: Option<&str>,
        limit: i64,
    ) -> Result<Listed> {
        let limit = limit.clamp(1, LARGEST_FETCH);
        let filter = &self.spelled(filter).await?;
        let at = cursor.map(|text| Cursor::read(text, order, shape).ok_or(BadCursor)).transpose()?;
        let folded = filter.folded();
        let search = match &folded {
            Some(folded) => Some(Search::new(&self.db, folded).await?),
            None => None,
        };
        // The few that a text hits are found first; of many, the next in order are looked for.
        let ids = match &search {
            Some(search) if search.is_soon_gathered(limit) => search.hits(FEW).await?,
            _ => None,
        };
        let found = match (&ids, &search) {
            (Some(ids), _) => Some(Found::Ids(ids)),
            (None, Some(search)) => Some(Found::Many(search)),
            (None, None) => None,
        };
        let inclusive = shape == Shape::Accounts;
        let postgres = self.db.is_postgres();
        let at = at.as_ref();
        let query = Query { filter, shape, order, at, inclusive, limit: limit + 1, postgres, holding: None };
        let mut items = match shape {
            Shape::Customers | Shape::Shop | Shape::Contacts => self.page(&query, found).await?,
            Shape::Accounts => self.accounts_page(&query, found).await?,
        };
        let more = items.len() as i64 > limit;
        items.truncate(usize::try_from(limit)?);
        let next =
            if more { items.last().map(|last| Cursor::after(last, order, shape).write()) } else { None };
        let total = match found {
            Some(Found::Many(_)) => None,
            Some(Found::Ids(_)) if cursor.is_none() && next.is_none() => Some(items.len() as i64),
            found => Some(self.totals(filter, found).await?.rows(shape)),
        };
        Ok(Listed { items, total, next })
    }

    /// The filter with its owner and city as they are stored: people write names in any letter case.
    async fn spelled(&self, filter: &Filter) -> Result<Filter> {
        let mut filter = filter.clone();
        if filter.owner.is_none() && filter.city.is_none() {
            return Ok(filter);
        }
        let facets = self.facets().await?;
        for (name, stored) in [(&mut filter.owner, &facets.owners), (&mut filter.city, &facets.cities)] {
            if let Some(name) = name {
                *name = as_stored(name, stored);
            }
        }
        Ok(filter)
    }

    async fn page(&self, query: &Query<'_>, found: Option<Found<'_>>) -> Result<Vec<Item>> {
        match found {
            Some(Found::Ids([])) => return Ok(Vec::new()),
            Some(few @ Found::Ids(_)) => return self.items(query.gather(few)).await,
            Some(many @ Found::Many(search)) => {
                let counted = self.count_by_system(query.filter).await?;
                if plan::is_narrow(query.filter, &counted) {
                    // The filter leaves few: whether these hold the text is soon seen.
                    let narrow = Query { holding: Some(search.folded()), ..*query };
                    return self.walked(&narrow, &counted).await;
                }
                if let Some(items) = self.stretches(query, search, &counted).await? {
                    return Ok(items);
                }
                // They are at the far end of this order.
                return self.items(query.gather(many)).await;
            }
            None => {}
        }
        let counted = self.count_by_system(query.filter).await?;
        self.walked(query, &counted).await
    }

    /// Walks the index of the order, or gathers what the filter's own index has, system by system.
    async fn walked(&self, query: &Query<'_>, counted: &[Counted]) -> Result<Vec<Item>> {
        let mut items = match query.walk(counted) {
            Some(sql) => self.items(sql).await?,
            None => Vec::new(),
        };
        let left = query.limit - items.len() as i64;
        if left > 0
            && let Some(sql) = query.walk_unknown(counted, left)
        {
            items.extend(self.items(sql).await?);
        }
        Ok(items)
    }

    /// Looks at customers in the order of the list until the page is full; `None` when that takes
    /// much longer than it would if those who are wanted were anywhere among them.
    async fn stretches(
        &self,
        query: &Query<'_>,
        search: &Search<'_>,
        counted: &[Counted],
    ) -> Result<Option<Vec<Item>>> {
        let budget = STRETCH + STRAY * query.limit * search.of() / search.expected().max(1);
        let budget = budget.min(MOST_LOOKED_AT);
        let mut at = query.at.cloned();
        let mut unknown = at.as_ref().is_some_and(|at| at.value.is_none());
        let (mut found, mut looked, mut rows) = (Vec::new(), 0, STRETCH);
        loop {
            let inclusive = query.inclusive && looked == 0;
            let stretch = Query { at: at.as_ref(), inclusive, ..*query };
            let seen = match stretch.stretch(counted, search.folded(), rows, unknown) {
                Some((sql, args)) => self.db.rows(&sql, args).await?,
                None => Vec::new(),
            };
            for row in &seen {
                if row.get::<Option<i64>>(2)? == Some(1) {
                    found.push(row.get(1)?);
                }
            }
            if found.len() as i64 >= query.limit {
                break;
            }
            if (seen.len() as i64) < rows {
                if unknown || !query.order.by.nullable() {
                    break;
                }
                unknown = true;
                continue;
            }
            looked += rows;
            if looked > budget {
                return Ok(None);
            }
            at = seen.last().map(|last| Cursor::at(last, query.order)).transpose()?;
            rows = (rows * 2).min(LONGEST_STRETCH);
        }
        if found.is_empty() {
            return Ok(Some(Vec::new()));
        }
        found.truncate(usize::try_from(query.limit)?);
        let sql = format!("SELECT {ITEM} FROM customer WHERE id IN ({})", bulk::id_list(&found));
        let mut items = self.items((sql, Vec::new())).await?;
        let place: HashMap<i64, usize> = found.into_iter().enumerate().map(|(at, id)| (id, at)).collect();
        items.sort_by_key(|item| place.get(&item.id).copied());
        Ok(Some(items))
    }

    async fn items(&self, (sql, args): (String, Vec<Value>)) -> Result<Vec<Item>> {
        self.db.rows(&sql, args).await?.iter().map(read).collect()
    }

    /// How many customers each part of the filter leaves in each system, from the summary.
    async fn count_by_system(&self, filter: &Filter) -> Result<Vec<Counted>> {
        let (sql, args) = plan::count(filter);
        self.db.rows(&sql, args).await?.iter().map(Counted::read).collect()
    }

    /// One row per account, from the one behind the cursor.
    async fn accounts_page(&self, query: &Query<'_>, found: Option<Found<'_>>) -> Result<Vec<Item>> {
        let limit = query.limit;
        let mut at = query.at.cloned();
        let mut rows = Vec::new();
        loop {
            // A customer whose accounts begin on the page before comes once more: one more of them
            // fills the page.
            let more = Query { at: at.as_ref(), limit: limit + 1, ..*query };
            let customers = self.page(&more, found).await?;
            let last = (customers.len() as i64 > limit).then(|| customers.last().cloned()).flatten();
            let ids: Vec<i64> = customers.iter().map(|item| item.id).collect();
            let mut accounts: HashMap<i64, Vec<AccountRow>> = HashMap::new();
            for account in self.accounts_of_all(&ids).await? {
                accounts.entry(account.customer).or_default().push(account);
            }
            for customer in customers {
                for account in accounts.remove(&customer.id).unwrap_or_default() {
                    let before =
                        at.as_ref().is_some_and(|at| at.id == customer.id && Some(account.id) <= at.account);
                    if !before && (customer.gone || !account.gone) {
                        rows.push(Item { account: Some(account), ..customer.clone() });
                    }
                }
            }
            let Some(last) = last.filter(|_| (rows.len() as i64) < limit) else { break };
            at = Some(Cursor {
                account: Some(i64::MAX),
                ..Cursor::after(&last, query.order, Shape::Accounts)
            });
        }
        rows.truncate(usize::try_from(limit)?);
        Ok(rows)
    }

    /// Counts and sums of everything the filter matches.
    pub async fn customer_sums(&self, filter: &Filter) -> Result<Totals> {
        let filter = &self.spelled(filter).await?;
        let folded = filter.folded();
        let search = match &folded {
            Some(folded) => Some(Search::new(&self.db, folded).await?),
            None => None,
        };
        self.totals(filter, search.as_ref().map(Found::Many)).await
    }

    async fn totals(&self, filter: &Filter, found: Option<Found<'_>>) -> Result<Totals> {
        if matches!(found, Some(Found::Ids([]))) {
            return Ok(Totals::default());
        }
        let (sql, args) = match found {
            Some(Found::Many(search)) => {
                let counted = self.count_by_system(filter).await?;
                let holding = Some(search.folded());
                let among = Query { holding, ..Query::all(filter, self.db.is_postgres()) };
                match plan::is_narrow(filter, &counted).then(|| among.totals_among(&counted)) {
                    Some(Some(narrow)) => narrow,
                    Some(None) => return Ok(Totals::default()),
                    None => plan::totals(filter, found, self.db.is_postgres()),
                }
            }
            found => plan::totals(filter, found, self.db.is_postgres()),
        };
        let rows = self.db.rows(&sql, args).await?;
        let mut totals = Totals::default();
        for row in &rows {
            totals.clients += row.get::<i64>(0)?;
            totals.accounts += row.get::<i64>(1)?;
            if let Some(lines) = row.get::<Option<i64>>(2)? {
                totals.purchases = Some(totals.purchases.unwrap_or(0) + lines);
            }
            for (index, measure) in plan::summed().enumerate() {
                let sum: Option<i64> = row.get(index + 3)?;
                if sum.is_some() {
                    totals.sums.add(measure, sum);
                }
            }
        }
        Ok(totals)
    }

    /// The customer of that number as the list shows it; `None` when there is none to be shown.
    pub async fn customer_item(&self, id: i64) -> Result<Option<Item>> {
        let sql = format!(
            "SELECT {ITEM} FROM customer WHERE hidden = 0 AND id = (SELECT COALESCE(merged_into, id) FROM customer_key WHERE id = $1)"
        );
        self.db.row(&sql, [id.into()]).await?.as_ref().map(read).transpose()
    }

    /// In which payload field of customers and of their accounts the folded text was found.
    pub async fn matches(&self, customers: &[i64], folded: &str) -> Result<Matches> {
        let mut found = Matches::default();
        if customers.is_empty() {
            return Ok(found);
        }
        let ids = bulk::id_list(customers);
        let sql = format!(
            "SELECT customer_id, CAST(0 AS BIGINT), raw FROM party WHERE customer_id IN ({ids}) UNION ALL SELECT customer_id, id, raw FROM account WHERE customer_id IN ({ids}) UNION ALL SELECT customer_id, CAST(0 AS BIGINT), raw FROM person WHERE customer_id IN ({ids}) UNION ALL SELECT customer_id, CAST(0 AS BIGINT), raw FROM card WHERE customer_id IN ({ids}) UNION ALL SELECT customer_id, CAST(0 AS BIGINT), raw FROM contact WHERE customer_id IN ({ids})"
        );
        for row in self.db.rows(&sql, []).await? {
            let Some(field) = matched_in(&row.get::<String>(2)?, folded) else { continue };
            found.customers.entry(row.get(0)?).or_insert_with(|| field.clone());
            found.accounts.insert(row.get(1)?, field);
        }
        Ok(found)
    }
}

fn read(row: &Row) -> Result<Item> {
    Ok(Item {
        id: row.get(0)?,
        system: row.get(1)?,
        key: row.get(2)?,
        owner: row.get(3)?,
        owner_rule: row.get(4)?,
        status: row.get(5)?,
        activity: row.get(6)?,
        country: row.get(7)?,
        partner_account: row.get(8)?,
        registered: row.get(9)?,
        last_trade: row.get(10)?,
        accounts: row.get(11)?,
        account_numbers: row.get(12)?,
        volume_lots: row.get(13)?,
        volume_mln_usd: row.get(14)?,
        reward_usd: row.get(15)?,
        rebate_usd: row.get(16)?,
        gone: row.get::<i64>(17)? != 0,
        shop: ShopRow {
            name: row.get(18)?,
            phone: row.get(19)?,
            city: row.get(20)?,
            points: row.get(21)?,
            purchases: row.get(22)?,
            spent: row.get(23)?,
            last_purchase: row.get(24)?,
        },
        contact: ContactRow {
            kind: row.get(25)?,
            number: row.get(26)?,
            national_id: row.get(27)?,
            linked: None,
        },
        account: None,
    })
}
