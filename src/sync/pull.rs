//! Reading one stream: page after page, each stored whole with its checkpoint.
//!
//! The next page is fetched while one is stored. What is kept in memory is one bit per record seen.

use anyhow::Result;

use super::map::Choice;
use super::seen::{self, Seen};
use super::{Source, Stop, Turn, now};
use crate::connect::{Ask, Connector, Cursor, Error, Page, Stream, Table, Totals};
use crate::model::{Counts, Stage, StageStatus, Sums};
use crate::store::{self, page as pages, run};

mod ahead;
mod end;
mod page;

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
        choice.choosing = stream.table == Table::Party || turn.source.connector.streams().len() == 1;
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
        self.fresh = store.live_ids(self.stream, self.stream_id, 0, 1).await?.is_empty()
            && store.live_count(self.stream, self.stream_id).await? == 0;
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
        let mut ahead = Some(self.fetch(self.stage.next_cursor.clone().map(Cursor)));
        let mut last = Totals::default();
        while let Some(fetching) = ahead.take() {
            let mut page = self.turn.unless_stopped(fetching).await???;
            if self.choice.as_ref().is_some_and(Choice::is_full) {
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
}

/// Takes the clients that a stage of a limited run took before it was interrupted.
pub async fn recall(
    turn: &Turn<'_>,
    stream: &Stream,
    stage: &Stage,
    choice: &mut Choice,
) -> Result<(), Stop> {
    for packed in turn.store.seen(turn.claim.run, stage.position, stage.passes).await? {
        choice.recall(turn.store.client_keys(stream.table, &seen::unpack(&packed)).await?);
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
