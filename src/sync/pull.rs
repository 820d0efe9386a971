//! Reading one stream: page after page, each stored whole with its checkpoint.
//!
//! The next page is fetched while one is stored. What is kept in memory is one bit per record seen.

use std::collections::HashSet;

use anyhow::Result;

use super::gone::{mark_gone, missing_ids};
use super::map::{self, Change, Sorted};
use super::seen::{self, Seen};
use super::verdict::{self, Verdict};
use super::{Source, Stop, Turn, now};
use crate::connect::{Absence, Ask, Connector, Cursor, Error, Page, Row, Stream, Table, Totals};
use crate::model::{Disposition, Message, Record, Stage, StageStatus, Sums};
use crate::store::case::{self, NewCase};
use crate::store::mirror::{self, Fresh};
use crate::store::page::{self, Checkpoint};
use crate::store::{self, Store, Tx, audit, customer, run};

mod ahead;

use ahead::{Abandoned, Block};

/// One stream being read.
pub struct Reading<'a> {
    turn: &'a Turn<'a>,
    stream: &'static Stream,
    stream_id: i64,
    stage: Stage,
    seen: Seen,
    before: Option<Seen>,
    records: Block,
    customers: Block,
    /// Nothing of this stream is stored yet: rows are inserted without looking for them first.
    fresh: bool,
    /// With `--limit`: the clients that are taken.
    chosen: Option<HashSet<String>>,
}

/// Reads the stream of `stage` to its end, from where it stands, and judges the result.
pub async fn stream(
    turn: &Turn<'_>,
    stream: &'static Stream,
    stage: Stage,
    chosen: Option<HashSet<String>>,
) -> Result<(Stage, Option<HashSet<String>>), Stop> {
    let store = turn.store;
    let stream_id = store.stream(&turn.source.name, stream.name).await?;
    let mut reading = Reading {
        turn,
        stream,
        stream_id,
        seen: Seen::default(),
        before: None,
        records: Block::new(stream.table.name()),
        customers: Block::new("customer"),
        fresh: false,
        chosen,
        stage,
    };
    reading.take_up().await?;
    while reading.stage.status == StageStatus::Running {
        reading.pass().await?;
    }
    Ok((reading.stage, reading.chosen))
}

impl Reading<'_> {
    /// Restores what memory held when the stage was interrupted, or begins it.
    async fn take_up(&mut self) -> Result<(), Stop> {
        let store = self.turn.store;
        let (run, position) = (self.turn.claim.run, self.stage.position);
        if self.stage.passes == 0 {
            self.begin_pass().await?;
        }
        for packed in store.seen(run, position, self.stage.passes).await? {
            self.seen.add_packed(&packed);
        }
        if self.stage.passes > 1 {
            let mut before = Seen::default();
            for packed in store.seen(run, position, self.stage.passes - 1).await? {
                before.add_packed(&packed);
            }
            self.before = Some(before);
        }
        self.fresh = store.live_ids(self.stream, self.stream_id, 0, 1).await?.is_empty()
            && store.live_count(self.stream, self.stream_id).await? == 0;
        if let (Some(chosen), Table::Party) = (&mut self.chosen, self.stream.table) {
            let ids = store.seen(run, position, self.stage.passes).await?;
            let ids: Vec<i64> = ids.iter().flat_map(|packed| seen::unpack(packed)).collect();
            chosen.extend(store.client_keys(self.stream.table, &ids).await?);
        }
        Ok(())
    }

    async fn begin_pass(&mut self) -> Result<(), Stop> {
        let now = now();
        let stage = &mut self.stage;
        stage.passes += 1;
        stage.status = StageStatus::Running;
        stage.started_at.get_or_insert(now);
        stage.done = 0;
        stage.pages = 0;
        stage.next_cursor = None;
        stage.first_totals = None;
        stage.counts = crate::model::Counts::default();
        stage.reasons = Vec::new();
        stage.read_sums = Sums::default();
        let mut tx = self.turn.store.begin().await?;
        page::new_pass(&mut tx, self.turn.claim, stage.position).await?;
        run::save(&mut tx, self.turn.claim, stage, self.turn.progress(stage), now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// One pass over the list, from the checkpoint to the end.
    async fn pass(&mut self) -> Result<(), Stop> {
        let mut ahead = Some(self.fetch(self.stage.next_cursor.clone().map(Cursor)));
        let mut last = Totals::default();
        while let Some(fetching) = ahead.take() {
            let mut page = self.turn.unless_stopped(fetching).await???;
            if self.chosen.is_some() && self.taken_enough() {
                page.rows.clear();
                page.next = None;
            }
            let next = page.next.take();
            // Fetch the next page while this one is stored.
            ahead = next.clone().map(|cursor| self.fetch(Some(cursor)));
            last = page.totals.clone();
            self.page(page, next).await?;
        }
        self.finish_pass(&last).await
    }

    fn fetch(&self, at: Option<Cursor>) -> Abandoned<Result<Page, Error>> {
        let source: Source = self.turn.source.clone();
        let stream = self.stream;
        let ask = Ask { page_size: source.page_size, today: self.turn.today };
        Abandoned(tokio::spawn(async move {
            source.connector.fetch(&source.http, stream, at.as_ref(), &ask).await
        }))
    }

    fn taken_enough(&self) -> bool {
        self.stream.table == Table::Party
            && self.chosen.as_ref().is_some_and(|chosen| chosen.len() as i64 >= self.turn.limit.unwrap_or(0))
    }

    /// Stores one page with its checkpoint, in one transaction.
    async fn page(&mut self, page: Page, next: Option<Cursor>) -> Result<(), Stop> {
        self.records.reserve(self.turn.store, page.rows.len()).await?;
        self.customers.reserve(self.turn.store, page.rows.len()).await?;
        let Page { rows, totals, .. } = page;
        if self.fresh {
            match self.store_page(rows.clone(), &totals, next.as_ref(), true).await {
                // A row came twice: that page is undone, and each row is looked for from now on.
                Err(Stop::Internal(error)) if store::is_conflict(&error) => self.fresh = false,
                other => return other,
            }
        }
        self.store_page(rows, &totals, next.as_ref(), false).await
    }

    async fn store_page(
        &mut self,
        rows: Vec<Row>,
        totals: &Totals,
        next: Option<&Cursor>,
        fresh: bool,
    ) -> Result<(), Stop> {
        let now = now();
        let rows_sent = rows.len() as u64;
        let (claim, stream) = (self.turn.claim, self.stream);
        let connector = self.turn.source.connector.clone();
        let read = |raw: &str| connector.read(stream, raw);
        let mut chosen = self.chosen.clone();
        let (incoming, mut sorted) = {
            let limit = self.turn.limit.unwrap_or(i64::MAX);
            let table = stream.table;
            // Only accounts of systems that list clients hang on chosen clients; where accounts are
            // all there is (XM), the first so many of them are taken.
            let choosing = table == Table::Party || self.turn.source.connector.streams().len() == 1;
            let mut take = |key: &str, record: Option<&Record>| {
                let Some(chosen) = chosen.as_mut() else { return true };
                let name = match record.and_then(Record::client_key) {
                    Some(name) => name.to_owned(),
                    None => key.to_owned(),
                };
                if choosing && (chosen.len() as i64) < limit {
                    chosen.insert(name);
                    return true;
                }
                chosen.contains(&name)
            };
            let limited = self.chosen.is_some();
            let take: Option<&mut dyn FnMut(&str, Option<&Record>) -> bool> =
                if limited { Some(&mut take) } else { None };
            map::first_look(rows, stream, &read, take)
        };

        let mut tx = self.turn.store.begin().await?;
        let mut rest = incoming;
        if !fresh {
            let asked: Vec<_> =
                rest.iter().enumerate().map(|(at, row)| (at, row.key.as_str(), row.hash)).collect();
            let (same, sums) = mirror::same(&mut tx, stream, self.stream_id, claim.run, &asked).await?;
            // A record seen on an earlier page is no unchanged row but a duplicate: sorted below.
            let new: Vec<(usize, i64)> = same.iter().copied().filter(|(_, id)| !self.seen.has(*id)).collect();
            let ids: Vec<i64> = new.iter().map(|(_, id)| *id).collect();
            let sums =
                if new.len() == same.len() { sums } else { mirror::sums_of(&mut tx, stream, &ids).await? };
            let done: HashSet<usize> = new.iter().map(|(at, _)| *at).collect();
            sorted.unchanged(ids, &sums);
            rest =
                rest.into_iter().enumerate().filter(|(at, _)| !done.contains(at)).map(|(_, r)| r).collect();
        }
        let keys: Vec<&str> = rest.iter().map(|row| row.key.as_str()).collect();
        let known = if fresh {
            std::collections::HashMap::new()
        } else {
            mirror::known(&mut tx, stream, self.stream_id, &keys).await?
        };
        sorted.sort(rest, known, &self.seen, claim.run, stream, &read);
        self.refuse_other_form(&sorted, rows_sent)?;

        let written = self.write(&mut tx, &mut sorted, now).await?;
        let stage = self.after(&sorted, totals, next, now);
        let mut saw = std::mem::take(&mut sorted.saw);
        saw.extend(&written.ids);
        if written.digest.is_some() {
            let subject = format!("{}/{}", self.turn.source.name, stream.name);
            audit::write(
                &mut tx,
                audit::NewEntry {
                    actor: "sync",
                    action: "page.stored",
                    subject: &subject,
                    run: Some(claim.run),
                    after: Some(
                        serde_json::to_string(&PageEntry {
                            page: stage.pages,
                            created: sorted.counts.created,
                            updated: sorted.counts.updated,
                            digest: written.digest.as_deref().map(hex).unwrap_or_default(),
                        })
                        .map_err(anyhow::Error::from)?,
                    ),
                    ..audit::NewEntry::default()
                },
                now,
            )
            .await?;
        }
        page::keep_oddities(&mut tx, claim, stage.position, stage.passes, &sorted.oddities).await?;
        let checkpoint = Checkpoint {
            position: stage.position,
            pass: stage.passes,
            number: stage.pages,
            rows: sorted.counts.read,
            digest: written.digest,
            seen: seen::pack(saw.clone()),
            touched: (!written.customers.is_empty()).then(|| seen::pack(written.customers)),
        };
        page::store(&mut tx, claim, checkpoint, now).await?;
        run::save(&mut tx, claim, &stage, self.turn.progress(&stage), now).await?;
        crate::failpoint("page before commit");
        tx.commit().await?;
        crate::failpoint("page after commit");
        self.stage = stage;
        self.chosen = chosen;
        for id in saw {
            self.seen.add(id);
        }
        Ok(())
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

    /// Writes the changes of a page and the customers they need.
    async fn write(&mut self, tx: &mut Tx, sorted: &mut Sorted, now: i64) -> Result<Written, Stop> {
        let (stream, run) = (self.stream, self.turn.claim.run);
        let changes = std::mem::take(&mut sorted.changes);
        let mut written = Written::default();
        if changes.is_empty() {
            return Ok(written);
        }
        let customers = self.customers_of(tx, &changes).await?;
        let mut digest = blake3::Hasher::new();
        let (mut created, mut updated) = (Vec::new(), Vec::new());
        for (change, customer) in changes.into_iter().zip(customers) {
            let Change { row, record, known } = change;
            digest.update(row.key.as_bytes());
            digest.update(known.as_ref().map_or(&[0; 16], |k| &k.hash.0));
            digest.update(&row.hash.0);
            written.customers.push(customer);
            let (id, first_run) = match &known {
                Some(k) => {
                    written.customers.push(k.customer);
                    (k.id, k.first_run)
                }
                None => (self.records.take()?, run),
            };
            written.ids.push(id);
            let fresh = Fresh { id, key: row.key, raw: row.raw, hash: row.hash, first_run, customer, record };
            if known.is_some() { updated.push(fresh) } else { created.push(fresh) }
        }
        mirror::insert(tx, stream, self.stream_id, run, now, created).await?;
        mirror::update(tx, stream, self.stream_id, run, now, updated).await?;
        written.digest = Some(digest.finalize().as_bytes().to_vec());
        Ok(written)
    }

    /// Whose each change is: the customer its records name, made where there is none.
    async fn customers_of(&mut self, tx: &mut Tx, changes: &[Change]) -> Result<Vec<i64>, Stop> {
        let system = &self.turn.source.name;
        let named: Vec<String> = changes
            .iter()
            .map(|change| match change.record.client_key() {
                Some(key) => key.to_owned(),
                // An account that names no client is its own.
                None => format!("{} {}", self.stream.name, change.row.key),
            })
            .collect();
        let stays = |change: &Change| {
            let known = change.known.as_ref()?;
            (known.client_key.as_deref() == change.record.client_key()).then_some(known.customer)
        };
        let mut wanted: Vec<&str> = changes
            .iter()
            .zip(&named)
            .filter(|(change, _)| stays(change).is_none())
            .map(|(_, name)| name.as_str())
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut found = customer::find(tx, system, &wanted).await?;
        let mut new = Vec::new();
        for name in wanted {
            if !found.contains_key(name) {
                let id = self.customers.take()?;
                found.insert(name.to_owned(), id);
                new.push((id, name));
            }
        }
        customer::create(tx, system, &new).await?;
        Ok(changes
            .iter()
            .zip(&named)
            .map(|(change, name)| stays(change).unwrap_or_else(|| found[name.as_str()]))
            .collect())
    }

    /// The stage as it is after this page.
    fn after(&self, sorted: &Sorted, totals: &Totals, next: Option<&Cursor>, now: i64) -> Stage {
        let mut stage = self.stage.clone();
        stage.pages += 1;
        stage.done += sorted.counts.read;
        stage.total = totals.count.or(stage.total);
        stage.next_cursor = next.map(|cursor| cursor.0.clone());
        stage.counts.merge(&sorted.counts);
        let mut reasons = crate::model::disposition::Reasons::default();
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

    /// Judges a pass and ends the stage, or begins another pass.
    async fn finish_pass(&mut self, last: &Totals) -> Result<(), Stop> {
        let store = self.turn.store;
        let system = self.turn.source.name.clone();
        let mut stage = self.stage.clone();
        if self.turn.limit.is_some() {
            stage.not_read = last.count.map_or(0, |count| count.saturating_sub(stage.counts.distinct()));
        }
        stage.proof = Some(if last.count.is_some() { "total" } else { "end_of_list" }.to_owned());
        if last.count.is_none() {
            stage.source_count = Some(stage.counts.distinct() + stage.not_read);
        }
        let live = store.live_count(self.stream, self.stream_id).await?;
        let first = stage.first_totals.as_deref().map_or_else(Totals::default, totals_of);
        let same = self.before.as_ref() == Some(&self.seen);
        let verdict = verdict::judge(&system, &stage, &first, last, same);
        if verdict == Verdict::Again && stage.counts.read > 0 {
            self.before = Some(std::mem::take(&mut self.seen));
            self.fresh = false;
            return self.begin_pass().await;
        }
        let now = now();
        let missing = live.saturating_sub(self.seen.len());
        let empty = stage.counts.read == 0 && live > 0;
        let mut touched = Vec::new();
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
                if self.stream.absence == Absence::Counted {
                    stage.absent = missing;
                } else if missing > 0 {
                    touched = self.mark_missing(&mut tx, &mut stage, missing, live, now).await?;
                } else {
                    case::settle(&mut tx, "held_deletion", &system, self.stream.name, now).await?;
                }
                case::settle(&mut tx, "empty_answer", &system, self.stream.name, now).await?;
            }
            Verdict::Incomplete(message) => {
                stage.status = StageStatus::Incomplete;
                stage.error = Some(message);
            }
            Verdict::Again => stage.status = StageStatus::Incomplete,
        }
        stage.stored_count = Some(live - stage.gone);
        stage.stored_sums = stage.read_sums.clone();
        stage.next_cursor = None;
        stage.read_at.get_or_insert(now);
        stage.finished_at = Some(now);
        if !touched.is_empty() {
            let checkpoint = Checkpoint {
                position: stage.position,
                pass: stage.passes,
                number: stage.pages + 1,
                rows: 0,
                digest: None,
                seen: Vec::new(),
                touched: Some(seen::pack(touched)),
            };
            page::store(&mut tx, self.turn.claim, checkpoint, now).await?;
        }
        run::save(&mut tx, self.turn.claim, &stage, self.turn.progress(&stage), now).await?;
        tx.commit().await?;
        if stage.gone > 0 || missing > 0 || self.turn.limit.is_some() {
            // What is in the mirror is more than what was just read: add it up afresh.
            let (count, sums) = store.stored(self.stream, self.stream_id).await?;
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
    ) -> Result<Vec<i64>, Stop> {
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
            return Ok(Vec::new());
        }
        let gone = missing_ids(self.turn.store, self.stream, self.stream_id, &self.seen).await?;
        let touched = mark_gone(tx, system, self.stream, self.turn.claim.run, &gone, "sync", now).await?;
        stage.gone = gone.len() as u64;
        case::settle(tx, "held_deletion", system, self.stream.name, now).await?;
        Ok(touched)
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
            run: self.turn.claim.run,
            message,
            detail: serde_json::json!({ "count": count, "position": self.stage.position, "pass": self.stage.passes }),
            choices: &["keep", "mark_gone"],
        };
        Ok(case::raise(tx, &case, now).await?)
    }
}

/// Adds the clients that an earlier, finished stage of a limited run took.
pub async fn recall_chosen(
    turn: &Turn<'_>,
    stream: &Stream,
    stage: &Stage,
    chosen: &mut HashSet<String>,
) -> Result<(), Stop> {
    for packed in turn.store.seen(turn.claim.run, stage.position, stage.passes).await? {
        chosen.extend(turn.store.client_keys(stream.table, &seen::unpack(&packed)).await?);
    }
    Ok(())
}

#[derive(serde::Serialize)]
struct PageEntry {
    page: i64,
    created: u64,
    updated: u64,
    digest: String,
}

#[derive(Default)]
struct Written {
    ids: Vec<i64>,
    customers: Vec<i64>,
    digest: Option<Vec<u8>>,
}

fn totals_text(totals: &Totals) -> String {
    serde_json::json!({ "count": totals.count, "sums": totals.sums }).to_string()
}

fn totals_of(text: &str) -> Totals {
    #[derive(serde::Deserialize)]
    struct Stored {
        count: Option<u64>,
        sums: Sums,
    }
    serde_json::from_str::<Stored>(text)
        .map_or_else(|_| Totals::default(), |stored| Totals { count: stored.count, sums: stored.sums })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
