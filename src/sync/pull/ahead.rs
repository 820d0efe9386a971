//! What a read does ahead of its turn: ids taken in blocks, the next pages fetched and prepared
//! meanwhile.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinHandle;

use crate::connect::{Ask, Connector, Cursor, Error, LeftOut, Page, Row, Stream, System, Totals};
use crate::model::{Fingerprint, Incoming};
use crate::store::{self, Store, Tx, mirror};
use crate::sync::map::{self, Arrived, Held, Sorted};
use crate::sync::seen::Seen;
use crate::sync::{Source, Stop};

/// Pages that are stored together at most. A slow source gives one at a time; a quick one would
/// otherwise wait for a flush of the disk per page.
pub(super) const GROUP: usize = 4;

/// Ids are taken in blocks of this size while a stream is filled for the first time.
const BLOCK: usize = 8192;

/// Ids of rows to come.
#[derive(Clone)]
pub(super) struct Block {
    name: &'static str,
    next: i64,
    end: i64,
}

impl Block {
    pub(super) fn new(name: &'static str) -> Block {
        Block { name, next: 0, end: 0 }
    }

    /// Takes a block ahead of a transaction that will need up to `count`: runs of other systems would
    /// otherwise wait for its end.
    pub(super) async fn reserve(&mut self, store: &Store, count: usize) -> Result<()> {
        if self.left() < count {
            let size = BLOCK.max(count) as i64;
            self.next = store.ids(self.name, size).await?;
            self.end = self.next + size;
        }
        Ok(())
    }

    /// Takes exactly as many as are needed and not there: hourly reads with a few new rows would
    /// otherwise use numbers up by the block.
    pub(super) async fn need(&mut self, tx: &mut Tx, count: usize) -> Result<()> {
        if self.left() < count {
            self.next = store::ids(tx, self.name, count as i64).await?;
            self.end = self.next + count as i64;
        }
        Ok(())
    }

    fn left(&self) -> usize {
        usize::try_from(self.end - self.next).unwrap_or(0)
    }

    pub(super) fn take(&mut self) -> Result<i64> {
        anyhow::ensure!(self.next < self.end, "the block of ids of {} is used up", self.name);
        self.next += 1;
        Ok(self.next - 1)
    }
}

/// What is known beforehand of the rows that will come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expect {
    /// None of them is stored yet: each is read as a record at once.
    pub(super) fresh: bool,
    /// Only some of them are taken, which is found out in order.
    pub(super) limited: bool,
}

/// A page on its way to be stored.
pub(super) struct Fetched {
    /// Rows the source sent.
    pub(super) sent: u64,
    /// Its rows, as far as they can be sorted without the store.
    pub(super) rows: Rows,
    /// Where the next page starts; `None` when this was the last.
    pub(super) next: Option<Cursor>,
    /// What the source says of the whole list.
    pub(super) totals: Totals,
    /// The way it let itself be read.
    pub(super) way: Option<&'static str>,
}

/// The rows of a page.
pub(super) enum Rows {
    /// As they came.
    Arrived(Vec<Arrived>),
    /// Those still to be held against the store, and what became of the others.
    Sorted(Vec<Incoming>, Sorted),
}

/// Everything about a page that needs no store, so that it is done while others are stored.
fn prepare(connector: &System, stream: &'static Stream, page: Page, expect: Expect) -> Fetched {
    let sent = page.rows.len() as u64;
    let arrived = page.rows.into_iter().map(|row| Arrived { hash: fingerprint(&row), row });
    let rows = if expect.limited {
        Rows::Arrived(arrived.collect())
    } else {
        let (mut incoming, mut sorted) = map::first_look(arrived, stream, connector, None);
        if expect.fresh {
            let rows = std::mem::take(&mut incoming);
            sorted.sort(rows, &mut Held::default(), &Seen::default(), 0, stream, connector);
        }
        Rows::Sorted(incoming, sorted)
    };
    Fetched { sent, rows, next: page.next, totals: page.totals, way: page.way }
}

/// What tells whether a row is the one that is stored.
fn fingerprint(row: &Row) -> Fingerprint {
    Fingerprint::of(row.version.as_deref().unwrap_or(&row.raw).as_bytes())
}

/// Rows of a page that are worth a request each by the dozen; if more are wanted, the page is asked
/// for whole.
const FEW: usize = 200;

/// A page at this place, whole: of rows that were only told in brief and are not stored with that
/// version, the rest is fetched.
async fn whole(
    source: &Source,
    store: &Store,
    stream: &'static Stream,
    stream_id: i64,
    at: Option<&Cursor>,
    ask: &Ask,
) -> Result<Page, Stop> {
    let (connector, http) = (&source.connector, &source.http);
    let mut page = connector.fetch(http, stream, at, ask).await?;
    let brief =
        |row: &&Row| row.brief && !matches!(connector.read(stream, &row.raw), Err(LeftOut::Excluded(_)));
    let told: Vec<(&str, Fingerprint)> = page
        .rows
        .iter()
        .filter(brief)
        .filter_map(|row| Some((row.key.as_deref()?, fingerprint(row))))
        .collect();
    if told.is_empty() {
        return Ok(page);
    }
    let mut tx = store.look().await?;
    let (same, _) = mirror::same(&mut tx, stream, stream_id, 0, &told).await?;
    drop(tx);
    let stored: HashSet<usize> = same.into_iter().map(|(at, _)| at).collect();
    let wanted: Vec<String> = told
        .iter()
        .enumerate()
        .filter(|(at, _)| !stored.contains(at))
        .map(|(_, (key, _))| (*key).to_owned())
        .collect();
    if wanted.is_empty() {
        return Ok(page);
    }
    let by_keys = match wanted.len() {
        ..=FEW => connector.fetch_by_keys(http, stream, &wanted).await,
        _ => Ok(Vec::new()),
    };
    let by_keys = match by_keys {
        Ok(rows) if !rows.is_empty() => rows,
        // Too many, or the source takes no keys.
        Ok(_) | Err(Error::Rejected(_)) => {
            return Ok(connector.fetch(http, stream, at, &Ask { brief: false, ..ask.clone() }).await?);
        }
        Err(error) => return Err(error.into()),
    };
    let mut by_keys: HashMap<String, Row> =
        by_keys.into_iter().filter_map(|row| Some((row.key.clone()?, row))).collect();
    let wanted: HashSet<String> = wanted.into_iter().collect();
    // One that is not there any more is missing from the page, which the counts will tell.
    page.rows = std::mem::take(&mut page.rows)
        .into_iter()
        .filter_map(|row| match &row.key {
            Some(key) if wanted.contains(key) => by_keys.remove(key),
            _ => Some(row),
        })
        .collect();
    Ok(page)
}

/// Pages fetched in the background, in order. Dropping it ends the fetching.
pub(super) struct Ahead {
    pages: Receiver<Result<JoinHandle<Fetched>, Stop>>,
    task: JoinHandle<()>,
}

impl Ahead {
    /// Begins to fetch at this cursor.
    pub(super) fn start(
        source: &Source,
        store: &Store,
        (stream, stream_id): (&'static Stream, i64),
        ask: Ask,
        at: Option<Cursor>,
        expect: Expect,
    ) -> Ahead {
        let (source, store) = (source.clone(), store.clone());
        let (send, pages) = mpsc::channel(GROUP);
        let task = tokio::spawn(async move {
            let mut at = at;
            loop {
                let page = whole(&source, &store, stream, stream_id, at.as_ref(), &ask).await;
                at = page.as_ref().ok().and_then(|page| page.next.clone());
                let connector = source.connector.clone();
                // The next page is asked for while this one is prepared.
                let page =
                    page.map(|page| tokio::spawn(async move { prepare(&connector, stream, page, expect) }));
                if send.send(page).await.is_err() || at.is_none() {
                    return;
                }
            }
        });
        Ahead { pages, task }
    }

    /// The next page and those that are there already; an error is the last of its group.
    pub(super) async fn group(&mut self) -> Result<Vec<Result<Fetched, Stop>>, Stop> {
        let Some(first) = self.pages.recv().await else {
            return Err(Stop::Internal(anyhow::anyhow!("the fetching of pages ended without the last one")));
        };
        let mut group = vec![prepared(first).await?];
        while group.len() < GROUP {
            match self.pages.try_recv() {
                Ok(page) => group.push(prepared(page).await?),
                Err(_) => break,
            }
        }
        Ok(group)
    }
}

async fn prepared(page: Result<JoinHandle<Fetched>, Stop>) -> Result<Result<Fetched, Stop>, Stop> {
    Ok(match page {
        Ok(page) => Ok(page.await.map_err(|error| Stop::Internal(error.into()))?),
        Err(error) => Err(error),
    })
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}
