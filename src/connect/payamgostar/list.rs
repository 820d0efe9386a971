//! Reading the identities: by its search, persons first; where that is refused, name by name.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::identity::{self, row};
use super::{Kind, Payamgostar};
use crate::connect::http::{Http, NotWhole, Request};
use crate::connect::loose::{Loose, listed};
use crate::connect::object::Object;
use crate::connect::{Cursor, Error, Page, Row, Stream, Totals};
use crate::model::Message;

/// Rows of a page, where the settings ask for more.
const LARGEST_PAGE: u32 = 100;

/// Identities that are asked for at once, as far as the budget allows.
const AT_ONCE: usize = 8;

const SEARCH: &str = "/api/v2/crmobject/identity/search";

/// Where a read stands, and the way it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    /// By the search.
    Found {
        /// Whether the persons are behind it.
        organizations: bool,
        /// The number of its page.
        page: u32,
        /// Rows of this kind before it.
        read: u64,
        /// How many of each kind there are, as the CRM said last.
        totals: [Option<u64>; 2],
    },
    /// Name by name.
    Listed {
        /// The number of its page, from 0.
        page: u32,
    },
}

/// A page of a search.
pub(super) struct Found {
    pub said: Vec<String>,
    pub total: Option<u64>,
}

impl Payamgostar {
    /// The page at `at`.
    pub(super) async fn page(
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
            None if self.find => match self.totals(http).await {
                Ok(totals) => Place::Found { organizations: false, page: self.first_page, read: 0, totals },
                Err(error) if is_refused(&error) => Place::Listed { page: 0 },
                Err(error) => return Err(error),
            },
            None => Place::Listed { page: 0 },
        };
        match place {
            Place::Listed { page } => self.listed_page(http, page, size).await,
            found @ Place::Found { .. } => self.found_page(http, found, size).await,
        }
    }

    /// How many of each kind there are.
    async fn totals(&self, http: &Http) -> Result<[Option<u64>; 2], Error> {
        let mut totals = [None; 2];
        for (kind, total) in Kind::BOTH.into_iter().zip(&mut totals) {
            *total = self.found(http, kind, None, self.first_page, 1).await?.total;
        }
        Ok(totals)
    }

    /// A page of the search, or the next one where it has none.
    async fn found_page(&self, http: &Http, mut place: Place, size: u32) -> Result<Page, Error> {
        loop {
            let Place::Found { organizations, page, read, mut totals } = place else {
                return Ok(Page::default());
            };
            let kind = if organizations { Kind::Organization } else { Kind::Person };
            let found = self.found(http, kind, None, page, size).await?;
            let rows = self.whole(http, kind, &found.said).await?;
            let (count, read) = (rows.len() as u64, read + rows.len() as u64);
            totals[usize::from(organizations)] = found.total;
            let more = match found.total {
                Some(total) => count > 0 && read < total,
                None => count == u64::from(size),
            };
            let next = if more {
                Some(Place::Found { organizations, page: page + 1, read, totals })
            } else if organizations {
                // What was counted at the beginning may be another number now.
                totals[0] = self.found(http, Kind::Person, None, self.first_page, 1).await?.total;
                None
            } else {
                Some(Place::Found { organizations: true, page: self.first_page, read: 0, totals })
            };
            match next {
                Some(next) if rows.is_empty() => place = next,
                next => {
                    let count = totals[0].zip(totals[1]).map(|(persons, others)| persons + others);
                    let totals = Totals { count, ..Totals::default() };
                    return Ok(Page { rows, next: next.as_ref().map(cursor), totals, way: None });
                }
            }
        }
    }

    /// A page of the search: those of a kind, or of these the ones whose field has this value. What is
    /// asked with a condition is tried once: a name that is not known there is refused like a fault.
    async fn found(
        &self,
        http: &Http,
        kind: Kind,
        condition: Option<(&str, &str)>,
        page: u32,
        size: u32,
    ) -> Result<Found, Error> {
        let query = condition.map(|(field, value)| {
            json!({
                "logicalOperator": 0, "operator": 0, "field": field, "value": value,
                "leafNegate": false, "leafLogicalOperator": null, "leafs": [],
            })
        });
        let body = Object::default()
            .with("typeKey", &self.subtype(kind).type_key)
            .with("queries", query.as_slice())
            .with("orders", [json!({ "field": self.fields.order, "order": 1 })])
            .with("pageNumber", page)
            .with("pageSize", size);
        let request = Request::post(kind.path("find"), body.text());
        let request = if condition.is_some() { request.once() } else { request };
        http.get_parsed(&request, found).await
    }

    /// Those of a kind for which a field has this value; at most a page of them.
    pub(super) async fn found_by(
        &self,
        http: &Http,
        kind: Kind,
        field: &str,
        value: &str,
    ) -> Result<Vec<Row>, Error> {
        let found = self.found(http, kind, Some((field, value)), self.first_page, LARGEST_PAGE).await?;
        self.whole(http, kind, &found.said).await
    }

    /// Every identity that the search has and that passes.
    pub(super) async fn sift(
        &self,
        http: &Http,
        stream: &Stream,
        passes: impl Fn(&Row) -> bool + Send,
    ) -> Result<Vec<Row>, Error> {
        let (mut rows, mut at) = (Vec::new(), None);
        loop {
            let page = self.page(http, stream, at.as_ref(), LARGEST_PAGE).await?;
            rows.extend(page.rows.into_iter().filter(|row| passes(row)));
            match page.next {
                Some(next) => at = Some(next),
                None => return Ok(rows),
            }
        }
    }

    /// Rows of what a search gave.
    async fn whole(&self, http: &Http, kind: Kind, said: &[String]) -> Result<Vec<Row>, Error> {
        let asked: Vec<_> = said.iter().map(|said| whole(http, kind, said)).collect();
        stream::iter(asked).buffered(AT_ONCE).try_collect().await
    }

    /// A page of the list of names, each asked for.
    async fn listed_page(&self, http: &Http, page: u32, size: u32) -> Result<Page, Error> {
        let names = names(http, page, size).await?;
        let next = (names.len() == size as usize).then(|| cursor(&Place::Listed { page: page + 1 }));
        let rows = by_name(http, &names).await?;
        Ok(Page { rows, next, totals: Totals::default(), way: Some("listed") })
    }

    pub(super) fn subtype(&self, kind: Kind) -> &super::Subtype {
        match kind {
            Kind::Person => &self.persons,
            Kind::Organization => &self.organizations,
        }
    }
}

/// The row of what a search gave. One that comes without its phones is only in brief.
async fn whole(http: &Http, kind: Kind, said: &str) -> Result<Row, Error> {
    let object = Object::read(said);
    let brief = object.as_ref().is_some_and(|object| object.token("phoneContacts").is_none());
    let Some(key) = object.as_ref().filter(|_| brief).and_then(identity::key) else {
        return Ok(row(Some(kind), said));
    };
    match get(http, kind, &key, false).await {
        Ok(said) => Ok(row(Some(kind), &said)),
        Err(Error::Rejected(_)) => Ok(row(None, said)),
        Err(error) => Err(error),
    }
}

/// The rows of names, each asked for.
pub(super) async fn by_name(http: &Http, names: &[String]) -> Result<Vec<Row>, Error> {
    let asked: Vec<_> = names.iter().map(|said| named(http, said)).collect();
    stream::iter(asked).buffered(AT_ONCE).try_collect().await
}

async fn named(http: &Http, said: &str) -> Result<Row, Error> {
    let Some(key) = Object::read(said).as_ref().and_then(identity::key) else { return Ok(row(None, said)) };
    Ok(get_either(http, &key).await?.unwrap_or_else(|| row(None, said)))
}

/// A page of the list of names, from 0.
pub(super) async fn names(http: &Http, page: u32, size: u32) -> Result<Vec<String>, Error> {
    let body = Object::default().with("pageNumber", page).with("pageSize", size).with("searchTerm", "");
    let list = |text: &str| {
        let list: Vec<&RawValue> =
            serde_json::from_str(text).map_err(|_| NotWhole::other_than("[…]", text))?;
        Ok(list.into_iter().map(|item| item.get().to_owned()).collect())
    };
    http.get_parsed(&Request::post(SEARCH, body.text()), list).await
}

/// An identity of whatever kind; `None` when both calls refuse it. They are tried once each before
/// either is repeated: what is not of its kind may be refused with a status that says "later".
pub(super) async fn get_either(http: &Http, id: &str) -> Result<Option<Row>, Error> {
    let mut last = None;
    for once in [true, false] {
        let mut refused = 0;
        for kind in Kind::BOTH {
            match get(http, kind, id, once).await {
                Ok(said) => return Ok(Some(row(Some(kind), &said))),
                Err(error @ Error::Login(_)) => return Err(error),
                Err(Error::Rejected(_)) => refused += 1,
                Err(error) => last = Some(error),
            }
        }
        if refused == Kind::BOTH.len() {
            return Ok(None);
        }
    }
    last.map_or(Ok(None), Err)
}

/// What an identity of this kind says of itself.
async fn get(http: &Http, kind: Kind, id: &str, once: bool) -> Result<String, Error> {
    get_said(http, kind.path("get"), id, once).await
}

/// What an object says of itself, at the address of its kind.
pub(super) async fn get_said(http: &Http, path: String, id: &str, once: bool) -> Result<String, Error> {
    let request = Request::post(path, Object::default().with("id", id).text());
    let request = if once { request.once() } else { request };
    let said = |text: &str| {
        let said = Object::read(text);
        let Some(object) = said else {
            let none = text.trim() == "null";
            return Err(if none { NotWhole::Refused } else { NotWhole::other_than("{…}", text) });
        };
        // Nothing, or an error that came with status 200: it is not of this kind.
        identity::key(&object).map(|_| text.trim().to_owned()).ok_or(NotWhole::Refused)
    };
    http.get_parsed(&request, said).await
}

/// Splits the answer of a search.
pub(super) fn found(text: &str) -> Result<Found, NotWhole> {
    let (list, [total]) = listed(text, "data", &["total"])?;
    let list = list.ok_or(NotWhole::Shape("data"))?;
    let total = Loose::of(total).id().and_then(|total| total.parse().ok());
    Ok(Found { said: list.into_iter().map(|row| row.get().to_owned()).collect(), total })
}

/// Whether this is how the CRM says that it does not do what was asked: its answer to a wrong name is 500.
fn is_refused(error: &Error) -> bool {
    let status = error.message().args.get("status").map(String::as_str);
    match error {
        Error::Rejected(_) => true,
        Error::Unavailable(..) | Error::Unexpected(_) => status == Some("500"),
        Error::Login(_) => false,
    }
}

fn cursor(place: &Place) -> Cursor {
    Cursor(json!(place).to_string())
}
