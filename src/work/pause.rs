//! Stopping a system from being read, and letting it be read again.

use anyhow::Result;

use crate::model::Message;
use crate::store::system::SystemState;
use crate::store::{Store, audit};
use crate::sync::now;

/// Stops a system from being read until somebody says otherwise. `reason` is a catalogue key.
pub async fn pause(
    store: &Store,
    system: &str,
    by: &str,
    reason: &str,
    state: &mut SystemState,
) -> Result<()> {
    state.paused_at = Some(now());
    state.paused_by = Some(by.to_owned());
    state.paused_reason = Some(serde_json::to_string(&Message::new(reason).with("system", system))?);
    set(store, system, by, "system.paused", Some(reason), state).await
}

/// Lets a system be read again, with a clean slate of refused logins.
pub async fn unpause(store: &Store, system: &str, by: &str, state: &mut SystemState) -> Result<()> {
    (state.paused_at, state.paused_by, state.paused_reason) = (None, None, None);
    state.refused_logins = 0;
    state.next_run_at = None;
    set(store, system, by, "system.unpaused", None, state).await
}

async fn set(
    store: &Store,
    system: &str,
    by: &str,
    action: &str,
    reason: Option<&str>,
    state: &SystemState,
) -> Result<()> {
    store.set_system_state(system, state).await?;
    let mut tx = store.begin().await?;
    let entry = audit::NewEntry { actor: by, action, subject: system, reason, ..audit::NewEntry::default() };
    audit::write(&mut tx, entry, now()).await?;
    tx.commit().await
}
