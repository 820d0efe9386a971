//! What the master overrode, as a document.

use serde::Serialize;
use utoipa::ToSchema;

use super::time;
use crate::store::overridden::Overridden;

/// An edit of the system that follows that the master overrode.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OverriddenDoc {
    /// Its number.
    pub id: i64,
    /// The flow.
    pub flow: String,
    /// The master's record.
    pub source_key: String,
    /// The record it stood in.
    pub destination_key: String,
    /// Which value.
    pub field: &'static str,
    /// What both sides had agreed upon before.
    pub agreed: Option<String>,
    /// What somebody had written there.
    pub theirs: Option<String>,
    /// What the master made of it.
    pub became: Option<String>,
    /// By which delivery.
    pub delivery: i64,
    /// When.
    pub at: String,
    /// When it was taken over into the master.
    pub accepted_at: Option<String>,
    /// By whom.
    pub accepted_by: Option<String>,
}

/// An overridden edit as a document.
pub fn overridden(value: &Overridden) -> OverriddenDoc {
    OverriddenDoc {
        id: value.id,
        flow: value.flow.clone(),
        source_key: value.source_key.clone(),
        destination_key: value.destination_key.clone(),
        field: value.field.word(),
        agreed: value.agreed.clone(),
        theirs: value.theirs.clone(),
        became: value.became.clone(),
        delivery: value.delivery,
        at: time(value.at),
        accepted_at: value.accepted_at.map(time),
        accepted_by: value.accepted_by.clone(),
    }
}
