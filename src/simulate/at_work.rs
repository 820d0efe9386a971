//! How many requests a system works on at the same time.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many requests are at work on a system, and how many there were at most.
#[derive(Debug, Default)]
pub(super) struct AtWork {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// A request at work, until it is dropped.
#[derive(Debug)]
pub(super) struct Work<'a>(&'a AtWork);

impl AtWork {
    /// Counts a request until what comes back is dropped.
    pub fn begin(&self) -> Work<'_> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        Work(self)
    }

    /// Begins to look for the most anew.
    pub fn forget(&self) {
        self.most.store(self.now.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// The most requests that were at work at the same time.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}
