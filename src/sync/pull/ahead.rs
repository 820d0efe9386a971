//! What a read does ahead of its turn: ids taken in blocks, the next pages fetched meanwhile.

use anyhow::Result;
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinHandle;

use crate::connect::{Ask, Connector, Cursor, Error, Stream, Totals};
use crate::model::Fingerprint;
use crate::store::Store;
use crate::sync::map::Arrived;
use crate::sync::{Source, Stop};

/// Pages that are stored together at most. A slow source gives one at a time; a quick one would
/// otherwise wait for a flush of the disk per page.
pub(super) const GROUP: usize = 8;

/// Ids are taken in blocks of this size.
const BLOCK: i64 = 4096;

/// Ids taken from the store ahead of a transaction.
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

    pub(super) async fn reserve(&mut self, store: &Store, count: usize) -> Result<()> {
        if self.end - self.next < count as i64 {
            let size = BLOCK.max(count as i64);
            self.next = store.ids(self.name, size).await?;
            self.end = self.next + size;
        }
        Ok(())
    }

    pub(super) fn take(&mut self) -> Result<i64> {
        anyhow::ensure!(self.next < self.end, "the block of ids of {} is used up", self.name);
        self.next += 1;
        Ok(self.next - 1)
    }
}

/// A page on its way to be stored.
pub(super) struct Fetched {
    /// Its rows, with what could be found out about them without the store.
    pub(super) rows: Vec<Arrived>,
    /// Where the next page starts; `None` when this was the last.
    pub(super) next: Option<Cursor>,
    /// What the source says of the whole list.
    pub(super) totals: Totals,
}

/// Pages fetched in the background, in order. Dropping it ends the fetching.
pub(super) struct Ahead {
    pages: Receiver<Result<Fetched, Error>>,
    task: JoinHandle<()>,
}

impl Ahead {
    /// Begins to fetch at this cursor. With `understand` rows are read as records already: on a
    /// first load every one of them will be needed.
    pub(super) fn start(
        source: &Source,
        stream: &'static Stream,
        ask: Ask,
        at: Option<Cursor>,
        understand: bool,
    ) -> Ahead {
        let source = source.clone();
        let (send, pages) = mpsc::channel(GROUP);
        let task = tokio::spawn(async move {
            let mut at = at;
            loop {
                let page = source.connector.fetch(&source.http, stream, at.as_ref(), &ask).await;
                let page = page.map(|page| Fetched {
                    rows: page
                        .rows
                        .into_iter()
                        .map(|row| Arrived {
                            hash: Fingerprint::of(row.raw.as_bytes()),
                            record: understand.then(|| source.connector.read(stream, &row.raw)),
                            row,
                        })
                        .collect(),
                    next: page.next,
                    totals: page.totals,
                });
                at = page.as_ref().ok().and_then(|page| page.next.clone());
                if send.send(page).await.is_err() || at.is_none() {
                    return;
                }
            }
        });
        Ahead { pages, task }
    }

    /// The next page and those that are there already; an error is the last of its group.
    pub(super) async fn group(&mut self) -> Result<Vec<Result<Fetched, Error>>, Stop> {
        let Some(first) = self.pages.recv().await else {
            return Err(Stop::Internal(anyhow::anyhow!("the fetching of pages ended without the last one")));
        };
        let mut group = vec![first];
        while group.len() < GROUP {
            match self.pages.try_recv() {
                Ok(page) => group.push(page),
                Err(_) => break,
            }
        }
        Ok(group)
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.task.abort();
    }
}
