//! Stopping a system from being read, and letting it be read again: on record, and only once.

use anyhow::Result;

use crate::model::Message;
use crate::store::{Store, audit, system};
use crate::sync::now;

/// Why systems are paused, as catalogue keys.
pub const BY_HAND: &str = "system-paused-by-hand";
/// See [`BY_HAND`].
pub const LOGINS_REFUSED: &str = "system-paused-logins";

/// Stops a system from being read until somebody says otherwise.
pub async fn pause(store: &Store, system: &str, by: &str, reason: &str) -> Result<()> {
    let message = serde_json::to_string(&Message::new(reason).with("system", system))?;
    let mut tx = store.begin().await?;
    if system::pause(&mut tx, system, by, &message, now()).await? {
        let action = "system.paused";
        let reason = Some(reason);
        let entry =
            audit::NewEntry { actor: by, action, subject: system, reason, ..audit::NewEntry::default() };
        audit::write(&mut tx, entry, now()).await?;
    }
    tx.commit().await
}

/// Lets a system be read again, with a clean slate of refused logins.
pub async fn unpause(store: &Store, system: &str, by: &str) -> Result<()> {
    let mut tx = store.begin().await?;
    if system::unpause(&mut tx, system).await? {
        let action = "system.unpaused";
        let entry = audit::NewEntry { actor: by, action, subject: system, ..audit::NewEntry::default() };
        audit::write(&mut tx, entry, now()).await?;
    }
    tx.commit().await
}
