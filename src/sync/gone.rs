//! Records that a complete read no longer contains: which they are, and marking them.

use anyhow::Result;

use super::seen::{Seen, pack};
use crate::connect::Stream;
use crate::store::{Store, Tx, audit, customer, mirror};

/// The live records of a stream (of a windowed one from a day on) that a read did not see.
pub async fn missing_ids(
    store: &Store,
    stream: &Stream,
    stream_id: i64,
    since: Option<&str>,
    seen: &Seen,
) -> Result<Vec<i64>> {
    let (mut gone, mut after) = (Vec::new(), 0);
    loop {
        let ids = store.live_ids(stream, stream_id, since, after, 10_000).await?;
        let Some(last) = ids.last() else { return Ok(gone) };
        after = *last;
        gone.extend(ids.into_iter().filter(|id| !seen.has(*id)));
    }
}

/// Marks records gone, notes whose they are, and says so in the audit.
pub async fn mark_gone(
    tx: &mut Tx,
    system: &str,
    stream: &Stream,
    run: i64,
    ids: &[i64],
    actor: &str,
    now: i64,
) -> Result<()> {
    let touched = mirror::mark_gone(tx, stream, run, ids).await?;
    customer::touch(tx, system, pack(touched)).await?;
    let subject = format!("{system}/{}", stream.name);
    let entry = audit::NewEntry {
        actor,
        action: "records.gone",
        subject: &subject,
        run: Some(run),
        after: Some(serde_json::json!({ "records": ids }).to_string()),
        ..audit::NewEntry::default()
    };
    audit::write(tx, entry, now).await
}
