//! The life of a flow: new, live, paused.

use anyhow::Result;

use crate::store::flow::FlowState;
use crate::store::system::SystemState;
use crate::store::{Store, Tx, audit, flow};
use crate::sync::now;

/// Where a flow is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It only plans.
    New,
    /// It writes by itself.
    Live,
    /// A person stopped it.
    Paused,
}

impl Life {
    /// Where a flow is, by what is remembered of it.
    pub fn of(state: &FlowState, pause: &SystemState) -> Life {
        match (pause.paused_at, state.live_since) {
            (Some(_), _) => Life::Paused,
            (None, Some(_)) => Life::Live,
            (None, None) => Life::New,
        }
    }

    /// The word shown.
    pub fn word(self) -> &'static str {
        match self {
            Life::New => "new",
            Life::Live => "live",
            Life::Paused => "paused",
        }
    }
}

/// Lets a flow write by itself from now on, and puts it on record; nothing happens when it does already.
pub async fn start(store: &Store, name: &str, by: &str) -> Result<()> {
    let mut tx = store.begin().await?;
    if flow::start(&mut tx, name, now()).await? {
        note(&mut tx, "flow.started", name, by).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Lets the import of a flow write into the master again, and puts it on record; nothing happens when it is not
/// closed.
pub async fn reopen_import(store: &Store, name: &str, by: &str) -> Result<()> {
    let mut tx = store.begin().await?;
    if flow::reopen_import(&mut tx, name).await? {
        note(&mut tx, "import.reopened", name, by).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn note(tx: &mut Tx, action: &str, name: &str, by: &str) -> Result<()> {
    let entry = audit::NewEntry { actor: by, action, subject: name, ..audit::NewEntry::default() };
    audit::write(tx, entry, now()).await
}
