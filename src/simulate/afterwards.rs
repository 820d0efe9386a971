//! Work that outlives the request it belongs to, and the wait for all of it.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How much work is under way that nobody waits for.
#[derive(Debug, Clone)]
pub(super) struct Afterwards(Arc<watch::Sender<usize>>);

/// Counts one piece of work until it is dropped.
#[derive(Debug)]
pub(super) struct Piece(Afterwards);

impl Default for Afterwards {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Afterwards {
    /// Does the work whether or not anybody still waits for what comes of it.
    pub fn go<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        let piece = self.piece();
        tokio::spawn(async move {
            let _piece = piece;
            work.await
        })
    }

    /// Counts a piece of work until what comes back is dropped.
    pub fn piece(&self) -> Piece {
        self.0.send_modify(|count| *count += 1);
        Piece(self.clone())
    }

    /// Whether nothing is under way.
    pub fn is_settled(&self) -> bool {
        *self.0.borrow() == 0
    }

    /// Waits until nothing is under way.
    pub async fn settled(&self) {
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}
