//! When each system is read again, and when it is not.

use anyhow::Result;

use super::{Engine, request};
use crate::model::{Message, RunRequest};
use crate::store::system::SystemState;
use crate::store::{Store, audit};
use crate::sync::now;

/// Refused logins in a row that pause a system.
pub const REFUSALS: i64 = 3;
/// How long a system rests after a refused login, in microseconds.
pub const REST_AFTER_REFUSAL: i64 = 60_000_000;

/// Asks for every run that is due.
pub async fn tick(engine: &Engine) -> Result<()> {
    let app = &engine.app;
    for system in &app.config.systems {
        let Some(schedule) = system.schedule.as_ref().filter(|_| system.enabled) else { continue };
        let mut state = app.store.system_state(&system.name).await?;
        if state.paused_at.is_some() {
            continue;
        }
        let at = now();
        let timestamp = jiff::Timestamp::from_microsecond(at)?;
        let next = schedule.next(timestamp).map(jiff::Timestamp::as_microsecond);
        match state.next_run_at {
            // A system that was never read is read at once.
            None => {}
            Some(due) if due > at => continue,
            Some(_) => {}
        }
        let busy = app.store.active_run(&system.name).await?.is_some();
        state.note = busy.then(|| {
            serde_json::to_string(&Message::new("schedule-skipped").with("system", &system.name))
                .unwrap_or_default()
        });
        state.next_run_at = next;
        if !busy {
            let wanted = RunRequest { system: system.name.clone(), ..RunRequest::default() };
            request(app, Some(engine), &wanted, "schedule").await?;
        }
        app.store.set_system_state(&system.name, &state).await?;
    }
    Ok(())
}

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
