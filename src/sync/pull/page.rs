//! Writing pages: their rows, the customers of these, checkpoints and counts.

use std::collections::HashSet;

use anyhow::Result;

use super::super::map::{self, Change, Choice, Held, Sorted};
use super::super::{Stop, now, verdict};
use super::ahead::{Fetched, Rows};
use super::{Reading, totals_text};
use crate::connect::{Cursor, Totals};
use crate::model::disposition::Reasons;
use crate::model::{Disposition, Incoming, Message, Stage, Sums};
use crate::store::Tx;
use crate::store::mirror;

mod write;

/// A page that was held against the store.
struct Looked {
    /// Rows it sent.
    sent: u64,
    /// The rows that need a look, and what became of the others.
    rows: Vec<Incoming>,
    sorted: Sorted,
    /// Those of them that are stored as they came: position and id.
    same: Vec<(usize, i64)>,
    sums: Sums,
    next: Option<Cursor>,
    totals: Totals,
    way: Option<&'static str>,
}

impl Looked {
    /// The keys of the rows that are not stored as they came.
    fn others(&self) -> impl Iterator<Item = &str> {
        // Positions come in any order.
        let same: HashSet<usize> = self.same.iter().map(|(at, _)| *at).collect();
        let others = self.rows.iter().enumerate().filter(move |(at, _)| !same.contains(at));
        others.map(|(_, row)| row.key.as_str())
    }
}

/// A page as it will be written.
struct Ready {
    sorted: Sorted,
    /// Its number in the pass.
    number: i64,
    /// Digest over the old and new fingerprints of what changed; `None` when nothing did.
    digest: Option<Vec<u8>>,
}

impl Reading<'_> {
    /// Writes pages into the transaction, those of a group with the same few statements: what a page
    /// changes is little, and asking costs more than answering. How many, and why not the others.
    ///
    /// On a fresh stream rows are inserted without looking for them first; if one is there already the
    /// error is a conflict and nothing may be kept.
    pub(super) async fn store_pages(
        &mut self,
        tx: &mut Tx,
        pages: Vec<Fetched>,
    ) -> Result<(usize, Option<Stop>), Stop> {
        if !self.fresh {
            return self.store_together(tx, pages).await;
        }
        // Each by itself: what is held in memory of rows that are all new would be several times as much.
        let mut stored = 0;
        for page in pages {
            let (one, stopped) = self.store_together(tx, vec![page]).await?;
            stored += one;
            if stopped.is_some() || self.at_end() {
                return Ok((stored, stopped));
            }
        }
        Ok((stored, None))
    }

    async fn store_together(
        &mut self,
        tx: &mut Tx,
        pages: Vec<Fetched>,
    ) -> Result<(usize, Option<Stop>), Stop> {
        let now = now();
        let looked = self.look(tx, pages).await?;
        let mut held = Held::default();
        if !self.fresh {
            let keys: Vec<&str> = looked.iter().flat_map(Looked::others).collect();
            held.known = mirror::known(tx, self.stream, self.stream_id, &keys).await?;
        }
        let (mut ready, mut stopped) = (Vec::with_capacity(looked.len()), None);
        for page in looked {
            match self.sort(tx, page, &mut held, now).await {
                Ok(page) => ready.push(page),
                Err(stop @ Stop::Failed(_)) => stopped = Some(stop),
                Err(stop) => return Err(stop),
            }
            if stopped.is_some() || self.at_end() {
                break;
            }
        }
        let stored = ready.len();
        self.write(tx, ready, now).await?;
        Ok((stored, stopped))
    }

    /// Sorts off what needs no look, and finds out which rows are stored as they came.
    async fn look(&mut self, tx: &mut Tx, pages: Vec<Fetched>) -> Result<Vec<Looked>, Stop> {
        let (run, stream) = (self.turn.claim.run, self.stream);
        let mut looked = Vec::with_capacity(pages.len());
        for page in pages {
            let Fetched { mut sent, mut rows, mut next, totals, way } = page;
            if self.choice.as_ref().is_some_and(Choice::is_full) {
                (sent, rows, next) = (0, Rows::Arrived(Vec::new()), None);
            }
            let connector = &self.turn.source.connector;
            let (rows, sorted) = match rows {
                Rows::Arrived(rows) => {
                    map::first_look(rows.into_iter(), stream, connector, self.choice.as_mut())
                }
                Rows::Sorted(rows, sorted) => (rows, sorted),
            };
            let (same, sums) = if self.fresh {
                (Vec::new(), Sums::default())
            } else {
                let asked: Vec<_> = rows.iter().map(|row| (row.key.as_str(), row.hash)).collect();
                mirror::same(tx, stream, self.stream_id, run, &asked).await?
            };
            looked.push(Looked { sent, rows, sorted, same, sums, next, totals, way });
        }
        Ok(looked)
    }

    /// Sorts a page; the stage is what it is after it. A page of another form than before is refused.
    async fn sort(&mut self, tx: &mut Tx, page: Looked, held: &mut Held, now: i64) -> Result<Ready, Stop> {
        let stream = self.stream;
        let Looked { sent, rows, mut sorted, same, sums, next, totals, way } = page;
        // A record seen on an earlier page is no unchanged row but a duplicate: sorted with the others.
        let (again, new): (Vec<_>, Vec<_>) = same.into_iter().partition(|(_, id)| self.seen.has(*id));
        let ids: Vec<i64> = new.iter().map(|(_, id)| *id).collect();
        let sums = if again.is_empty() { sums } else { mirror::sums_of(tx, stream, &ids).await? };
        if !again.is_empty() {
            let keys: Vec<&str> = again.iter().map(|(at, _)| rows[*at].key.as_str()).collect();
            held.known.extend(mirror::known(tx, stream, self.stream_id, &keys).await?);
        }
        let done: HashSet<usize> = new.iter().map(|(at, _)| *at).collect();
        sorted.unchanged(ids, &sums);
        let rest = rows.into_iter().enumerate().filter(|(at, _)| !done.contains(at)).map(|(_, row)| row);
        let connector = &self.turn.source.connector;
        sorted.sort(rest.collect(), held, &self.seen, self.turn.claim.run, stream, connector);
        self.refuse_other_form(&sorted, sent)?;
        for id in sorted.saw.iter().copied().chain(sorted.changes.iter().filter_map(Change::stored)) {
            self.seen.add(id);
        }
        self.stage = self.after(&sorted, &totals, next.as_ref(), now);
        self.stage.way = way.map(str::to_owned).or(self.stage.way.take());
        Ok(Ready { sorted, number: self.stage.pages, digest: None })
    }

    /// A page of another form than before is not stored.
    fn refuse_other_form(&self, sorted: &Sorted, rows: u64) -> Result<(), Stop> {
        let about = |id: &str| {
            Message::new(id)
                .with("system", &self.turn.source.name)
                .with("stream", self.stream.name)
                .with("page", self.stage.pages + 1)
        };
        if verdict::too_many_rejected(sorted.counts.rejected, rows) {
            let rule = sorted.reasons.list().into_iter().find(|r| r.disposition == Disposition::Rejected);
            return Err(Stop::Failed(
                about("run-too-many-rejected")
                    .with("rejected", sorted.counts.rejected)
                    .with("rows", rows)
                    .with("rule", rule.map_or_else(String::new, |r| r.rule)),
            ));
        }
        if let Some(field) = sorted.lost_field(self.stream) {
            return Err(Stop::Failed(about("run-field-lost").with("field", field)));
        }
        Ok(())
    }

    /// The stage as it is after this page.
    fn after(&self, sorted: &Sorted, totals: &Totals, next: Option<&Cursor>, now: i64) -> Stage {
        let mut stage = self.stage.clone();
        stage.pages += 1;
        stage.done += sorted.counts.read;
        stage.total = totals.count.or(stage.total);
        stage.next_cursor = next.map(|cursor| cursor.0.clone());
        stage.counts.merge(&sorted.counts);
        let mut reasons = Reasons::default();
        reasons.merge(&stage.reasons);
        reasons.merge(&sorted.reasons.list());
        stage.reasons = reasons.list();
        stage.read_sums.merge(&sorted.sums);
        stage.source_count = totals.count;
        stage.source_sums = totals.sums.clone();
        if stage.first_totals.is_none() {
            stage.first_totals = Some(totals_text(totals));
        }
        if next.is_none() {
            stage.read_at = Some(now);
        }
        stage
    }
}
