//! Record ids, taken from the store in blocks ahead of the transactions that use them.

use anyhow::Result;

use crate::store::Store;

/// Ids are taken in blocks of this size.
const BLOCK: i64 = 4096;

/// Ids taken from the store ahead of a transaction.
#[derive(Clone)]
pub struct Block {
    name: &'static str,
    next: i64,
    end: i64,
}

impl Block {
    /// An empty block of ids of this name.
    pub fn new(name: &'static str) -> Block {
        Block { name, next: 0, end: 0 }
    }

    /// Makes sure that `count` ids are at hand.
    pub async fn reserve(&mut self, store: &Store, count: usize) -> Result<()> {
        if self.end - self.next < count as i64 {
            let size = BLOCK.max(count as i64);
            self.next = store.ids(self.name, size).await?;
            self.end = self.next + size;
        }
        Ok(())
    }

    /// The next id.
    pub fn take(&mut self) -> Result<i64> {
        anyhow::ensure!(self.next < self.end, "the block of ids of {} is used up", self.name);
        self.next += 1;
        Ok(self.next - 1)
    }
}
