//! Where a page starts: the sort value and number of the last row before it.

use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::{Item, Order, Shape, Sort};
use crate::store::{Row, Value};

/// The cursor is none of this list's.
#[derive(Debug, thiserror::Error)]
#[error("the cursor does not belong to this list")]
pub struct BadCursor;

/// A sort value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum At {
    Number(i64),
    Text(String),
}

/// The row before the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The list it belongs to.
    #[serde(rename = "o")]
    pub order: String,
    /// Its sort value; `None` = unknown, which sorts last.
    #[serde(rename = "v")]
    pub value: Option<At>,
    /// The customer.
    #[serde(rename = "i")]
    pub id: i64,
    /// The account, in a list of accounts.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub account: Option<i64>,
}

impl Cursor {
    /// The cursor behind this row.
    pub fn after(item: &Item, order: Order, shape: Shape) -> Cursor {
        let text = |value: &Option<String>| value.clone().map(At::Text);
        let value = match order.by {
            Sort::Id => Some(At::Number(item.id)),
            Sort::Key => Some(At::Text(item.key.clone())),
            Sort::Country => text(&item.country),
            Sort::Status => text(&item.status),
            Sort::Reward => item.reward_usd.map(At::Number),
            Sort::Rebate => item.rebate_usd.map(At::Number),
            Sort::Owner => Some(At::Text(item.owner.clone())),
            Sort::PartnerAccount => text(&item.partner_account),
            Sort::Registered => text(&item.registered),
            Sort::Accounts => Some(At::Number(item.accounts)),
            Sort::LastTrade => text(&item.last_trade),
            Sort::City => text(&item.shop.city),
            Sort::Points => item.shop.points.map(At::Number),
            Sort::Spent => item.shop.spent.map(At::Number),
            Sort::Purchases => item.shop.purchases.map(At::Number),
            Sort::LastPurchase => text(&item.shop.last_purchase),
            Sort::Number => text(&item.contact.number),
        };
        Cursor {
            order: name(order, shape),
            value,
            id: item.id,
            account: item.account.as_ref().map(|account| account.id),
        }
    }

    /// The cursor behind a row of sort value and id.
    pub fn at(row: &Row, order: Order) -> Result<Cursor> {
        let value = if order.by.is_number() {
            row.get::<Option<i64>>(0)?.map(At::Number)
        } else {
            row.get::<Option<String>>(0)?.map(At::Text)
        };
        Ok(Cursor { order: String::new(), value, id: row.get(1)?, account: None })
    }

    /// Its text, safe in addresses.
    pub fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads a cursor of a list in this order and shape; `None` when it is none.
    pub fn read(text: &str, order: Order, shape: Shape) -> Option<Cursor> {
        let cursor: Cursor = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let number = order.by.is_number();
        let fits = match &cursor.value {
            Some(At::Number(_)) => number,
            // No text of ours holds a NUL, and PostgreSQL takes none.
            Some(At::Text(text)) => !number && !text.contains('\0'),
            None => order.by.nullable(),
        };
        let accounts = cursor.account.is_some() == (shape == Shape::Accounts);
        (fits && accounts && cursor.order == name(order, shape)).then_some(cursor)
    }
}

impl From<At> for Value {
    fn from(at: At) -> Value {
        match at {
            At::Number(number) => number.into(),
            At::Text(text) => text.into(),
        }
    }
}

fn name(order: Order, shape: Shape) -> String {
    format!("{}{}", order.word(), if shape == Shape::Accounts { "/a" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::listing::ShopRow;

    #[test]
    fn a_cursor_reads_back_in_its_own_list_only() {
        let shop = ShopRow { city: Some("Ялта".to_owned()), spent: Some(0), ..ShopRow::default() };
        let item = Item { id: 7, reward_usd: Some(-5), country: None, shop, ..Item::default() };
        let by = |word: &str| Order::of(word).unwrap();
        for word in ["reward", "-reward", "country", "id", "key", "city", "-spent", "points"] {
            let cursor = Cursor::after(&item, by(word), Shape::Customers);
            let text = cursor.write();
            assert_eq!(Cursor::read(&text, by(word), Shape::Customers), Some(cursor));
            assert_eq!(Cursor::read(&text, by("rebate"), Shape::Customers), None);
            assert_eq!(Cursor::read(&text, by(word), Shape::Accounts), None);
        }
        for text in ["", "x", "e30", "%%%"] {
            assert_eq!(Cursor::read(text, by("id"), Shape::Customers), None);
        }
    }
}
