//! Carrying out what a person decided about a case.

use anyhow::Result;

use super::owners::OwnerSettings;
use super::seen::{Seen, pack};
use super::{Source, Stop, flow, gone, now, settle, stream_of};
use crate::model::Message;
use crate::store::case::{self, Case};
use crate::store::{Store, audit, customer};

/// Why a decision was not carried out.
#[derive(Debug)]
pub enum Refused {
    /// The reader is told this.
    Because(Message),
    /// Something of ours broke.
    Internal(anyhow::Error),
}

impl From<Stop> for Refused {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Incomplete(message) | Stop::Failed(message) => Refused::Because(message),
            Stop::Internal(error) => Refused::Internal(error),
            Stop::Cancelled | Stop::Lost => Refused::Internal(anyhow::anyhow!("stopped")),
        }
    }
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        Refused::Internal(error)
    }
}

/// Decides a case and carries the decision out.
pub async fn decide(
    store: &Store,
    sources: &[Source],
    owners: &OwnerSettings,
    id: i64,
    choice: &str,
    by: &str,
) -> Result<Case, Refused> {
    let refuse = |key: &str| Refused::Because(Message::new(key).with("case", id));
    let Some(case) = store.case(id).await? else { return Err(refuse("case-unknown")) };
    if case.state != "open" {
        return Err(refuse("case-not-open"));
    }
    if !case.choices.iter().any(|known| known == choice) {
        return Err(Refused::Because(
            Message::new("case-choice-unknown").with("case", id).with("choices", case.choices.join(", ")),
        ));
    }
    let now = now();
    let mut tx = store.begin().await?;
    if !case::decide(&mut tx, id, choice, by, now).await? {
        return Err(refuse("case-not-open"));
    }
    let subject = format!("case {id} {} {}/{}", case.kind, case.system, case.subject);
    let entry = audit::NewEntry {
        actor: by,
        action: "case.decided",
        subject: &subject,
        run: case.run,
        after: Some(choice.to_owned()),
        ..audit::NewEntry::default()
    };
    audit::write(&mut tx, entry, now).await?;
    match (case.kind.as_str(), choice) {
        ("held_deletion" | "empty_answer", "mark_gone") => {
            // What the run saw must still be known, and be the newest there is.
            let latest = store.last_run(&case.system).await?.map(|run| run.id);
            if latest != case.run || store.active_run(&case.system).await?.is_some() {
                return Err(refuse("case-newer-run"));
            }
            let Some(source) = sources.iter().find(|source| source.name == case.system) else {
                return Err(refuse("case-unknown-system"));
            };
            let Some(stream) = stream_of(source, &case.subject) else {
                return Err(refuse("case-unknown-system"));
            };
            let stream_id = store.stream(&case.system, stream.name).await?;
            let mut saw = Seen::default();
            let number = |name: &str| case.detail[name].as_i64().unwrap_or(0);
            let run = case.run.unwrap_or(0);
            for packed in store.seen(run, number("position"), number("pass")).await? {
                saw.add_packed(&packed);
            }
            let since = case.detail["since"].as_str();
            let missing = gone::missing_ids(store, stream, stream_id, since, &saw).await?;
            gone::mark_gone(&mut tx, &case.system, stream, run, &missing, by, now).await?;
        }
        ("uid_collision", client) => {
            let name = customer::find(&mut tx, &case.system, &[&case.subject, client]).await?;
            if let (Some(shared), Some(chosen)) = (name.get(case.subject.as_str()), name.get(client)) {
                if shared != chosen {
                    customer::merge_into(&mut tx, *shared, *chosen).await?;
                }
                customer::touch(&mut tx, &case.system, pack(vec![*shared, *chosen])).await?;
            }
        }
        _ if case.detail.get("way").is_none() => {}
        _ => {
            if let Err(why) = flow::decide::decide(store, &mut tx, &case, choice, by).await? {
                return Err(refuse(why));
            }
        }
    }
    tx.commit().await?;
    let rules = owners.rules(&case.system, &store.owner_rules().await?);
    settle::bring_up_to_date(store, &case.system, &rules, None).await?;
    store.case(id).await?.ok_or_else(|| refuse("case-unknown"))
}
