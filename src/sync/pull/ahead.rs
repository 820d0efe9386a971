//! What a read does ahead of its turn: ids taken in blocks, the next page fetched meanwhile.

use anyhow::Result;
use tokio::task::JoinHandle;

use crate::store::Store;
use crate::sync::Stop;

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

/// A task that ends when nobody waits for it any more.
pub(super) struct Abandoned<T>(pub(super) JoinHandle<T>);

impl<T> Drop for Abandoned<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T> Future for Abandoned<T> {
    type Output = Result<T, Stop>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0)
            .poll(cx)
            .map(|done| done.map_err(|error| Stop::Internal(anyhow::anyhow!("fetching a page: {error}"))))
    }
}
