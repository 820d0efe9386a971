//! Lists as files: CSV and spreadsheet, of exactly the filtered set in its order.
//!
//! Rows come page by page and leave as they come, so that a million of them need no more memory
//! than a thousand. Texts from outside can never become formulas; amounts are exact.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

use crate::model::amount;
use crate::store::link::Tie;
use crate::store::listing::{Filter, Item, Linked, Order, Shape};
use crate::store::{Store, audit};
use crate::sync::now;
use crate::words::Words;

mod csv;
pub mod document;
mod xlsx;

pub use csv::{Csv, table as csv_table};

/// Rows fetched at once.
const PAGE: i64 = 1000;

/// What is written: the list, and the words of its header.
#[derive(Debug, Clone)]
pub struct Export {
    /// Which customers.
    pub filter: Filter,
    /// One row per customer or per account.
    pub shape: Shape,
    /// In which order.
    pub order: Order,
    /// Which systems are tied together, for lists that show links.
    pub ties: Vec<Tie>,
}

/// A cell before it has a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Text, mostly from outside.
    Text(String),
    /// A scaled amount with its decimals.
    Amount(i64, u32),
    /// A number of things.
    Count(i64),
    /// Unknown.
    Empty,
}

impl Cell {
    fn text(value: Option<&str>) -> Cell {
        value.map_or(Cell::Empty, |text| Cell::Text(text.to_owned()))
    }

    fn amount(value: Option<i64>, scale: u32) -> Cell {
        value.map_or(Cell::Empty, |value| Cell::Amount(value, scale))
    }
}

/// The headers of a list, as catalogue keys.
fn columns(shape: Shape) -> &'static [&'static str] {
    const COLUMNS: [&str; 12] = [
        "export-client-uid",
        "export-client-account",
        "export-country",
        "export-status",
        "export-reward-usd",
        "export-rebate-usd",
        "export-owner",
        "export-partner-account",
        "export-account-type",
        "export-currency",
        "export-lots",
        "export-reward",
    ];
    const SHOP: [&str; 7] = [
        "export-name",
        "export-phone",
        "export-city",
        "export-points",
        "export-purchases",
        "export-spent",
        "export-last-purchase",
    ];
    const CONTACTS: [&str; 7] = [
        "export-number",
        "export-name",
        "export-kind",
        "export-national-id",
        "export-mobile",
        "export-systems",
        "export-link",
    ];
    match shape {
        Shape::Customers => &COLUMNS[..8],
        Shape::Accounts => &COLUMNS,
        Shape::Shop => &SHOP,
        Shape::Contacts => &CONTACTS,
    }
}

/// The header in words.
pub fn header(shape: Shape, words: &Words) -> Vec<String> {
    columns(shape).iter().map(|id| words.text(id)).collect()
}

/// The columns of a list that hold amounts, from 0.
pub fn amounts(shape: Shape) -> &'static [usize] {
    match shape {
        Shape::Customers | Shape::Accounts => &[4, 5],
        Shape::Shop => &[3, 4, 5],
        Shape::Contacts => &[],
    }
}

/// A row of the list as cells. The source pays rebates to clients: per account they are unknown.
pub fn cells(item: &Item, shape: Shape) -> Vec<Cell> {
    let text = |value: &Option<String>| Cell::text(value.as_deref());
    if shape == Shape::Shop {
        let shop = &item.shop;
        return vec![
            text(&shop.name),
            text(&shop.phone),
            text(&shop.city),
            Cell::amount(shop.points, amount::MONEY),
            shop.purchases.map_or(Cell::Empty, Cell::Count),
            Cell::amount(shop.spent, amount::MONEY),
            text(&shop.last_purchase),
        ];
    }
    if shape == Shape::Contacts {
        let contact = &item.contact;
        return vec![
            text(&contact.number),
            text(&item.shop.name),
            text(&contact.kind),
            text(&contact.national_id),
            text(&item.shop.phone),
            Cell::text(Some(&systems(item).join(", "))),
            Cell::text(contact.linked.as_ref().map(Linked::word)),
        ];
    }
    let Some(account) = &item.account else {
        return vec![
            Cell::text(Some(&item.key)),
            Cell::text(Some(&item.account_numbers)),
            text(&item.country),
            text(&item.status),
            Cell::amount(item.reward_usd, amount::MONEY),
            Cell::amount(item.rebate_usd, amount::MONEY),
            Cell::text(Some(&item.owner)),
            text(&item.partner_account),
        ];
    };
    vec![
        Cell::text(Some(&item.key)),
        Cell::text(Some(&account.number)),
        Cell::text(account.country.as_deref().or(item.country.as_deref())),
        Cell::text(account.status.as_deref().or(item.status.as_deref())),
        Cell::amount(account.reward_usd, amount::MONEY),
        Cell::Empty,
        Cell::text(Some(&item.owner)),
        text(&account.partner_account),
        text(&account.kind),
        text(&account.currency),
        Cell::amount(account.volume_lots, amount::QUANTITY),
        Cell::amount(account.reward, amount::MONEY),
    ]
}

/// The systems a customer is in: its own, and those it is linked with.
pub fn systems(item: &Item) -> Vec<String> {
    let others = item.contact.linked.iter().flat_map(|linked| linked.systems.iter().cloned());
    std::iter::once(item.system.clone()).chain(others).collect()
}

/// Writes the list as CSV into `sink`; how many rows.
pub async fn write_csv(
    store: &Store,
    export: &Export,
    words: &Words,
    sink: &mut impl std::io::Write,
) -> Result<u64> {
    let mut csv = Csv::new(export.clone(), words);
    while let Some(bytes) = csv.next(store).await? {
        sink.write_all(&bytes).context("writing the export")?;
    }
    sink.flush().context("writing the export")?;
    Ok(csv.rows)
}

/// Writes the list as a spreadsheet to `path`; how many rows.
pub async fn write_xlsx(
    store: &Store,
    export: &Export,
    words: &Words,
    right_to_left: bool,
    path: &Path,
) -> Result<u64> {
    let file = File::create(path).with_context(|| format!("writing {}", path.display()))?;
    let (rows, _) = write_xlsx_into(store, export, words, right_to_left, file).await?;
    Ok(rows)
}

/// Writes the list as a spreadsheet into an empty file; how many rows, and the file.
pub async fn write_xlsx_into(
    store: &Store,
    export: &Export,
    words: &Words,
    right_to_left: bool,
    file: File,
) -> Result<(u64, File)> {
    let (name, header) = (words.text("export-sheet"), header(export.shape, words));
    let sheet = xlsx::Sheet { name, header, right_to_left };
    // The file is written by a thread of its own while the next page is fetched.
    let (pages, written) = tokio::sync::mpsc::channel::<Vec<Vec<Cell>>>(2);
    let writer = tokio::task::spawn_blocking(move || xlsx::write(&sheet, written, file));
    let mut list = Pages::new(export.clone());
    while let Some(items) = list.next(store).await? {
        let rows = items.iter().map(|item| cells(item, export.shape)).collect();
        if pages.send(rows).await.is_err() {
            break; // the writer has failed and says why
        }
    }
    drop(pages);
    writer.await.context("the writer of the spreadsheet died")?
}

/// Writes a table that is there whole as a spreadsheet into an empty file.
pub async fn write_xlsx_table(
    name: String,
    header: Vec<String>,
    rows: Vec<Vec<Cell>>,
    file: File,
) -> Result<File> {
    let sheet = xlsx::Sheet { name, header, right_to_left: false };
    let (pages, written) = tokio::sync::mpsc::channel(1);
    pages.send(rows).await.context("nobody takes the rows")?;
    drop(pages);
    let writer = tokio::task::spawn_blocking(move || xlsx::write(&sheet, written, file));
    let (_, file) = writer.await.context("the writer of the spreadsheet died")??;
    Ok(file)
}

/// Notes in the audit that somebody takes this list away; how many rows it has. Before the first
/// byte leaves: what cannot be noted does not happen.
pub async fn note(store: &Store, export: &Export, format: &str, by: &str) -> Result<i64> {
    let rows = store.customer_sums(&export.filter).await?.rows(export.shape);
    let filter = &export.filter;
    let after = json!({
        "format": format,
        "view": export.shape.word(),
        "sort": export.order.word(),
        "search": filter.search, "owner": filter.owner, "system": filter.system,
        "status": filter.status, "country": filter.country, "city": filter.city, "activity": filter.activity,
        "gone": filter.gone, "rows": rows,
    });
    note_of(store, "customers", by, &after).await?;
    Ok(rows)
}

/// Notes in the audit that somebody takes something away, and what it is.
pub async fn note_of(store: &Store, subject: &str, by: &str, after: &serde_json::Value) -> Result<()> {
    let mut tx = store.begin().await?;
    let entry = audit::NewEntry {
        actor: by,
        action: "export",
        subject,
        after: Some(after.to_string()),
        ..audit::NewEntry::default()
    };
    audit::write(&mut tx, entry, now()).await?;
    tx.commit().await
}

/// Walks a list to its end.
#[derive(Debug)]
struct Pages {
    export: Export,
    cursor: Option<String>,
    done: bool,
}

impl Pages {
    fn new(export: Export) -> Pages {
        Pages { export, cursor: None, done: false }
    }

    async fn next(&mut self, store: &Store) -> Result<Option<Vec<Item>>> {
        if self.done {
            return Ok(None);
        }
        let Export { filter, shape, order, ties } = &self.export;
        let mut listed = store.customers(filter, *shape, *order, self.cursor.as_deref(), PAGE).await?;
        self.done = listed.next.is_none();
        self.cursor = listed.next;
        if *shape == Shape::Contacts {
            store.tie(&mut listed.items, ties).await?;
        }
        Ok(Some(listed.items))
    }
}
