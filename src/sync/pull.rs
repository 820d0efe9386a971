//! Reading one stream: page after page, each stored whole with its checkpoint.
//!
//! The next pages are fetched while some are stored; those that are there together are stored
//! together. What is kept in memory is one bit per record seen.

use anyhow::Result;

use super::map::Choice;
use super::seen::{self, Seen};
use super::{Stop, Turn, now};
use crate::connect::{Absence, Ask, Connector, Cursor, Stream, Table, Totals};
use crate::model::{Counts, Stage, StageStatus, Sums};
use crate::store::{self, indexes, page as pages, run};

mod ahead;
mod documents;
mod end;
mod page;

use ahead::{Ahead, Block, Expect, Fetched};

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
    choice: Option<Choice>,
}

/// Reads the stream of `stage` to its end, from where it stands, and judges the result.
pub async fn stream(
    turn: &Turn<'_>,
    stream: &'static Stream,
    stage: Stage,
    mut choice: Option<Choice>,
) -> Result<(Stage, Option<Choice>), Stop> {
    let store = turn.store;
    if let Some(choice) = &mut choice {
        // Accounts hang on the clients that were taken; where accounts are all a system lists
        // (XM), the clients are taken from them.
        let lists = turn.source.connector.streams();
        choice.choosing = matches!(stream.table, Table::Party | Table::Card) || lists.len() == 1;
    }
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
        choice,
        stage,
    };
    reading.take_up().await?;
    while reading.stage.status == StageStatus::Running {
        reading.pass().await?;
    }
    Ok((reading.stage, reading.choice))
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
        self.fresh = store.live_ids(self.stream, self.stream_id, None, 0, 1).await?.is_empty();
        if self.fresh {
            indexes::make_way_for_records(&store.db, self.stream.table).await?;
        }
        if let Some(choice) = &mut self.choice {
            recall(self.turn, self.stream, &self.stage, choice).await?;
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
        stage.counts = Counts::default();
        stage.reasons = Vec::new();
        stage.read_sums = Sums::default();
        let mut tx = self.turn.store.begin().await?;
        pages::new_pass(&mut tx, self.turn.claim, stage.position).await?;
        run::save(&mut tx, self.turn.claim, stage, self.turn.progress(stage), now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// One pass over the list, from the checkpoint to the end.
    async fn pass(&mut self) -> Result<(), Stop> {
        while !self.at_end() {
            let ask = self.ask();
            let at = self.stage.next_cursor.clone().map(Cursor);
            let expect = Expect { fresh: self.fresh, limited: self.choice.is_some() };
            let stream = (self.stream, self.stream_id);
            let mut ahead = Ahead::start(self.turn.source, self.turn.store, stream, ask, at, expect);
            while !self.at_end() {
                let group = self.turn.unless_stopped(ahead.group()).await??;
                let before = self.fresh.then(|| (self.stage.clone(), self.choice.clone(), self.seen.clone()));
                match self.store(group).await {
                    Err(Stop::Internal(error)) if store::is_conflict(&error) && before.is_some() => {
                        // A row came twice: these pages are undone and read again, and each row is
                        // looked for from now on.
                        if let Some(before) = before {
                            (self.stage, self.choice, self.seen) = before;
                        }
                        self.fresh = false;
                        break;
                    }
                    other => other?,
                }
            }
        }
        let last = Totals { count: self.stage.source_count, sums: self.stage.source_sums.clone() };
        self.finish_pass(&last).await
    }

    /// What is asked of the list beyond where to begin. Versions will do where rows are stored already.
    fn ask(&self) -> Ask {
        Ask {
            page_size: self.turn.source.page_size,
            today: self.turn.today,
            days: self.turn.days,
            brief: !self.fresh && self.choice.is_none(),
        }
    }

    /// The first day that the read is about, where it is not about all.
    fn since(&self) -> Option<String> {
        let window = self.turn.source.connector.window(self.stream, &self.ask());
        window.filter(|_| self.stream.absence == Absence::Gone).map(|(first, _)| first.to_string())
    }

    /// Whether the last page of the pass is stored.
    fn at_end(&self) -> bool {
        self.stage.pages > 0 && self.stage.next_cursor.is_none()
    }

    /// Stores pages, each with its checkpoint, in one transaction. A page that is refused, or could
    /// not be had, ends the run; those before it are stored.
    async fn store(&mut self, group: Vec<Result<Fetched, Stop>>) -> Result<(), Stop> {
        if self.fresh {
            let rows = group.iter().flatten().map(|page| page.sent as usize).sum();
            self.records.reserve(self.turn.store, rows).await?;
            self.customers.reserve(self.turn.store, rows).await?;
        }
        let (mut pages, mut stopped) = (Vec::with_capacity(group.len()), None);
        for page in group {
            match page {
                Ok(page) => pages.push(page),
                Err(stop) => stopped = Some(stop),
            }
        }
        let mut tx = self.turn.store.begin().await?;
        let (stored, refused) = self.store_pages(&mut tx, pages).await?;
        stopped = refused.or(stopped).filter(|_| !self.at_end());
        if stored > 0 {
            run::save(&mut tx, self.turn.claim, &self.stage, self.turn.progress(&self.stage), now()).await?;
            crate::failpoint("page before commit");
            tx.commit().await?;
            crate::failpoint("page after commit");
        }
        stopped.map_or(Ok(()), Err)
    }
}

/// Takes the clients that a stage of a limited run took before it was interrupted.
pub async fn recall(
    turn: &Turn<'_>,
    stream: &Stream,
    stage: &Stage,
    choice: &mut Choice,
) -> Result<(), Stop> {
    for packed in turn.store.seen(turn.claim.run, stage.position, stage.passes).await? {
        let ids = seen::unpack(&packed);
        choice.recall(turn.store.client_keys(stream.table, &ids).await?);
        if stream.table == Table::Card {
            let keys = turn.store.keys(stream.table, &ids).await?;
            choice.recall_cards(keys.iter().map(|key| stream.own_name(key)));
        }
    }
    Ok(())
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
