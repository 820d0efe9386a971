//! Quotes and invoices: two lists of one form, each read by its search.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Payamgostar;
use super::list::{found, get_said};
use crate::connect::http::{Http, Request};
use crate::connect::loose::{Loose, date_time};
use crate::connect::object::Object;
use crate::connect::{Cursor, Error, LeftOut, Lookup, Page, Row, Stream, Totals};
use crate::model::amount::{MONEY, NotExact};
use crate::model::document::{Line, SCALE, exact};
use crate::model::record::Reject;
use crate::model::{Document, Message};

/// Rows of a page, where the settings ask for more.
const LARGEST_PAGE: u32 = 100;

/// Where a read stands.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    /// The number of its page.
    page: u32,
    /// Rows before it.
    read: u64,
}

/// The address of a call about documents of a stream.
fn path(stream: &Stream, call: &str) -> String {
    let kind = if stream.name == "invoices" { "invoice" } else { "quote" };
    format!("/api/v2/crmobject/{kind}/sales/{call}")
}

impl Payamgostar {
    /// The page of documents at `at`.
    pub(super) async fn bills(
        &self,
        http: &Http,
        stream: &Stream,
        at: Option<&Cursor>,
        page_size: u32,
    ) -> Result<Page, Error> {
        let size = if page_size == 0 { LARGEST_PAGE } else { page_size.min(LARGEST_PAGE) };
        let place = match at {
            Some(cursor) => serde_json::from_str(&cursor.0).map_err(|_| {
                Error::Unexpected(Message::new("connect-cursor-unreadable").with("stream", stream.name))
            })?,
            None => Place { page: self.first_page, read: 0 },
        };
        let of_invoices = stream.name == "invoices";
        let type_key = if of_invoices { &self.invoice_type_key } else { &self.quote_type_key };
        let body = Object::default()
            .with("typeKey", type_key)
            .with("queries", json!([]))
            .with("orders", [json!({ "field": self.fields.order, "order": 1 })])
            .with("pageNumber", place.page)
            .with("pageSize", size);
        let said = http.get_parsed(&Request::post(path(stream, "find"), body.text()), found).await?;
        let mut rows = Vec::with_capacity(said.said.len());
        for text in said.said {
            rows.push(whole(http, stream, text).await?);
        }
        let read = place.read + rows.len() as u64;
        let more = match said.total {
            Some(total) => !rows.is_empty() && read < total,
            None => rows.len() == size as usize,
        };
        let next = more.then(|| Cursor(json!(Place { page: place.page + 1, read }).to_string()));
        Ok(Page { rows, next, totals: Totals { count: said.total, ..Totals::default() }, way: None })
    }

    /// The document of a key, as it is now. There is no other way to ask for one.
    pub(super) async fn bill(&self, http: &Http, stream: &Stream, by: &Lookup) -> Result<Vec<Row>, Error> {
        let Lookup::Key(key) = by else {
            return Err(Error::Rejected(Message::new("run-no-keys").with("stream", stream.name)));
        };
        match get_said(http, path(stream, "get"), key, false).await {
            Ok(said) => Ok(vec![row(said)]),
            // It is not there any more.
            Err(Error::Rejected(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Understands a document.
    pub(super) fn document(&self, raw: &str) -> Result<Document, LeftOut> {
        let said = Object::read(raw).ok_or(Reject { rule: "not_an_object", field: "" })?;
        let key = bill_key(&said).ok_or(Reject { rule: "no_key", field: "crmId" })?;
        let id = |name: &str| said.get(name).id().map(|id| id.to_lowercase());
        let number = |name: &str| amount(&said.get(name));
        let dates = ["creatDate", "quoteDate", "invoiceDate"];
        Ok(Document {
            key,
            customer: id("identityId"),
            number: said.get("number").owned(),
            state: said.get("billableObjectStateIndex").id().and_then(|state| state.parse().ok()),
            subtype: said.get("crmObjectTypeCode").owned(),
            notes: said.get("description").owned(),
            made: dates.iter().find_map(|name| date_time(said.get(name).text()?)),
            quote: (!self.quote_field.is_empty()).then(|| id(&self.quote_field)).flatten(),
            discount: number("discount"),
            toll: number("toll"),
            costs: number("additionalCosts"),
            net: said.get("finalValue").amount_of("finalValue", MONEY)?,
            lines: said.objects("details").iter().map(line).collect(),
        })
    }
}

fn line(said: &Object) -> Line {
    let number = |name: &str| amount(&said.get(name));
    Line {
        product: said.get("productCode").id(),
        unit: said.get("productUnitTypeName").owned(),
        count: number("count"),
        price: number("baseUnitPrice"),
        discount: number("totalDiscount"),
        vat: rounded(&said.get("totalVat")),
        toll: number("totalToll"),
    }
}

/// A number that is kept exactly, or not at all.
fn amount(value: &Loose<'_>) -> Option<i128> {
    exact(value.text()?).ok()
}

/// A number that is only compared by: what it has too much of is cut off.
fn rounded(value: &Loose<'_>) -> Option<i128> {
    let text = value.id()?;
    match exact(&text) {
        Err(NotExact::TooPrecise) => {
            let (whole, fraction) = text.split_once('.')?;
            exact(&format!("{whole}.{}", fraction.get(..SCALE as usize)?)).ok()
        }
        read => read.ok(),
    }
}

/// The row of what a search gave. One that comes without its lines is asked for.
async fn whole(http: &Http, stream: &Stream, text: String) -> Result<Row, Error> {
    let object = Object::read(&text);
    let brief = object.as_ref().is_some_and(|object| object.token("details").is_none());
    let Some(key) = object.as_ref().filter(|_| brief).and_then(bill_key) else { return Ok(row(text)) };
    match get_said(http, path(stream, "get"), &key, false).await {
        Ok(said) => Ok(row(said)),
        Err(Error::Rejected(_)) => Ok(row(text)),
        Err(error) => Err(error),
    }
}

fn row(said: String) -> Row {
    let key = Object::read(&said).as_ref().and_then(bill_key);
    Row { key, raw: said.into(), version: None, brief: false, unasked: None }
}

/// Its own id: `identityId` is its customer's.
fn bill_key(object: &Object) -> Option<String> {
    object.get("crmId").id().map(|id| id.to_lowercase())
}
