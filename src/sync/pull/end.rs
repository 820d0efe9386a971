//! The end of a pass: is the read complete, what is missing from it, and what that means.

use anyhow::Result;

use super::super::gone::{mark_gone, missing_ids};
use super::super::verdict::{self, Verdict};
use super::super::{Stop, now};
use super::{Reading, totals_of};
use crate::connect::{Absence, Totals};
use crate::model::{Message, Stage, StageStatus};
use crate::store::case::{self, NewCase};
use crate::store::{Tx, run};

impl Reading<'_> {
    /// Judges a pass and ends the stage, or begins another pass.
    pub(super) async fn finish_pass(&mut self, last: &Totals) -> Result<(), Stop> {
        let store = self.turn.store;
        let system = self.turn.source.name.clone();
        let mut stage = self.stage.clone();
        if self.turn.limit.is_some() {
            stage.not_read = last.count.map_or(0, |count| count.saturating_sub(stage.counts.distinct()));
        }
        match (last.count, self.turn.limit) {
            (Some(_), _) => stage.proof = Some("total".to_owned()),
            (None, None) => {
                stage.proof = Some("end_of_list".to_owned());
                stage.source_count = Some(stage.counts.distinct());
            }
            // What was taken of a list says nothing about how long the list is.
            (None, Some(_)) => {}
        }
        let since = self.since();
        let live = store.live_count(self.stream, self.stream_id, since.as_deref()).await?;
        let first = stage.first_totals.as_deref().map_or_else(Totals::default, totals_of);
        let same = self.before.as_ref() == Some(&self.seen);
        let verdict = verdict::judge(&system, &stage, &first, last, same);
        if let Verdict::Again(why) = &verdict
            && stage.counts.read > 0
        {
            tracing::info!(system, stream = self.stream.name, pass = stage.passes, %why, "read once more");
            self.before = Some(std::mem::take(&mut self.seen));
            self.fresh = false;
            return self.begin_pass().await;
        }
        let now = now();
        let missing = live.saturating_sub(self.seen.len());
        let empty = stage.counts.read == 0 && live > 0;
        let new_documents = self.new_documents().await?;
        let mut tx = store.begin().await?;
        stage.status = StageStatus::Succeeded;
        match verdict {
            Verdict::Complete if self.turn.limit.is_some() => {}
            _ if empty => {
                let message = Message::new("case-empty-answer")
                    .with("system", &system)
                    .with("stream", self.stream.name)
                    .with("stored", live);
                self.hold(&mut tx, "empty_answer", message.clone(), live, now).await?;
                stage.status = StageStatus::Incomplete;
                stage.error = Some(message);
            }
            Verdict::Complete => {
                // A row that has lost its key may be any record that is missing.
                let nameless = store.nameless_rows(self.turn.claim.run, stage.position).await?;
                if self.stream.absence == Absence::Counted || nameless > 0 {
                    stage.absent = missing;
                } else if missing > 0 {
                    self.mark_missing(&mut tx, &mut stage, missing, live, now).await?;
                } else {
                    case::settle(&mut tx, "held_deletion", &system, self.stream.name, now).await?;
                }
                case::settle(&mut tx, "empty_answer", &system, self.stream.name, now).await?;
            }
            Verdict::Incomplete(message) | Verdict::Again(message) => {
                stage.status = StageStatus::Incomplete;
                stage.error = Some(message);
            }
        }
        self.question_documents(&mut tx, new_documents, now).await?;
        stage.stored_count = Some(live - stage.gone);
        stage.stored_sums = stage.read_sums.clone();
        stage.next_cursor = None;
        stage.read_at.get_or_insert(now);
        stage.finished_at = Some(now);
        run::save(&mut tx, self.turn.claim, &stage, self.turn.progress(&stage), now).await?;
        tx.commit().await?;
        if stage.gone > 0 || missing > 0 || stage.counts.rejected > 0 || self.turn.limit.is_some() {
            // What is in the mirror is more than what was just read: add it up afresh.
            let (count, sums) = store.stored(self.stream, self.stream_id, since.as_deref()).await?;
            (stage.stored_count, stage.stored_sums) = (Some(count), sums);
            let mut tx = store.begin().await?;
            run::save(&mut tx, self.turn.claim, &stage, self.turn.progress(&stage), now).await?;
            tx.commit().await?;
        }
        self.stage = stage;
        Ok(())
    }

    /// Marks what a complete read no longer contains as gone, or asks a person when it is too much.
    async fn mark_missing(
        &self,
        tx: &mut Tx,
        stage: &mut Stage,
        missing: u64,
        live: u64,
        now: i64,
    ) -> Result<(), Stop> {
        let system = &self.turn.source.name;
        if verdict::too_many_gone(missing, live) {
            let message = Message::new("case-held-deletion")
                .with("system", system)
                .with("stream", self.stream.name)
                .with("missing", missing)
                .with("stored", live);
            self.hold(tx, "held_deletion", message.clone(), missing, now).await?;
            stage.status = StageStatus::Incomplete;
            stage.error = Some(message);
            return Ok(());
        }
        let since = self.since();
        let store = self.turn.store;
        let gone = missing_ids(store, self.stream, self.stream_id, since.as_deref(), &self.seen).await?;
        mark_gone(tx, system, self.stream, self.turn.claim.run, &gone, "sync", now).await?;
        stage.gone = gone.len() as u64;
        case::settle(tx, "held_deletion", system, self.stream.name, now).await?;
        Ok(())
    }

    async fn hold(
        &self,
        tx: &mut Tx,
        kind: &str,
        message: Message,
        count: u64,
        now: i64,
    ) -> Result<(), Stop> {
        let case = NewCase {
            kind,
            system: &self.turn.source.name,
            subject: self.stream.name,
            run: Some(self.turn.claim.run),
            message,
            detail: serde_json::json!({ "count": count, "position": self.stage.position, "pass": self.stage.passes, "since": self.since() }),
            choices: &["keep", "mark_gone"],
        };
        Ok(case::raise(tx, &case, now).await?)
    }
}
