//! Writing one page: its rows, their customers, its checkpoint and counts.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use anyhow::Result;

use super::super::map::{self, Change, Choice, Sorted};
use super::super::{Stop, now, seen, verdict};
use super::ahead::{Fetched, Rows};
use super::{Reading, totals_text};
use crate::connect::{Cursor, Totals};
use crate::model::disposition::Reasons;
use crate::model::record::Whose;
use crate::model::{Disposition, Message, Record, Stage};
use crate::store::mirror;
use crate::store::page::{self, Checkpoint};
use crate::store::{Tx, audit, customer};

impl Reading<'_> {
    /// Writes a page into the transaction. On a fresh stream rows are inserted without looking for
    /// them first; if one is there already the error is a conflict and nothing may be kept.
    pub(super) async fn store_page(&mut self, tx: &mut Tx, mut page: Fetched) -> Result<(), Stop> {
        let now = now();
        if self.choice.as_ref().is_some_and(Choice::is_full) {
            page.rows = Rows::Arrived(Vec::new());
            (page.sent, page.next) = (0, None);
        }
        let (claim, stream) = (self.turn.claim, self.stream);
        let connector = self.turn.source.connector.clone();
        let (incoming, mut sorted) = match page.rows {
            Rows::Arrived(rows) => {
                map::first_look(rows.into_iter(), stream, &connector, self.choice.as_mut())
            }
            Rows::Sorted(incoming, sorted) => (incoming, sorted),
        };
        let mut rest = incoming;
        if !self.fresh {
            let asked: Vec<_> = rest.iter().map(|row| (row.key.as_str(), row.hash)).collect();
            let (same, sums) = mirror::same(tx, stream, self.stream_id, claim.run, &asked).await?;
            // A record seen on an earlier page is no unchanged row but a duplicate: sorted below.
            let new: Vec<(usize, i64)> = same.iter().copied().filter(|(_, id)| !self.seen.has(*id)).collect();
            let ids: Vec<i64> = new.iter().map(|(_, id)| *id).collect();
            let sums = if new.len() == same.len() { sums } else { mirror::sums_of(tx, stream, &ids).await? };
            let done: HashSet<usize> = new.iter().map(|(at, _)| *at).collect();
            sorted.unchanged(ids, &sums);
            rest =
                rest.into_iter().enumerate().filter(|(at, _)| !done.contains(at)).map(|(_, r)| r).collect();
        }
        let keys: Vec<&str> = rest.iter().map(|row| row.key.as_str()).collect();
        let known = if self.fresh {
            HashMap::new()
        } else {
            mirror::known(tx, stream, self.stream_id, &keys).await?
        };
        sorted.sort(rest, known, &self.seen, claim.run, stream, &connector);
        self.refuse_other_form(&sorted, page.sent)?;

        let written = self.write(tx, &mut sorted, now).await?;
        let mut stage = self.after(&sorted, &page.totals, page.next.as_ref(), now);
        stage.way = page.way.map(str::to_owned).or(stage.way);
        let mut saw = std::mem::take(&mut sorted.saw);
        saw.extend(&written.ids);
        if written.digest.is_some() {
            let subject = format!("{}/{}", self.turn.source.name, stream.name);
            audit::write(
                tx,
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
        page::keep_oddities(tx, claim, stage.position, stage.passes, &sorted.oddities).await?;
        let checkpoint = Checkpoint {
            position: stage.position,
            pass: stage.passes,
            number: stage.pages,
            rows: sorted.counts.read,
            digest: written.digest,
            seen: seen::pack(saw.clone()),
        };
        if !written.customers.is_empty() {
            customer::touch(tx, &self.turn.source.name, seen::pack(written.customers)).await?;
        }
        page::store(tx, claim, checkpoint, now).await?;
        self.stage = stage;
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
        let new = changes.iter().filter(|change| change.known.is_none()).count();
        self.records.need(tx, new).await?;
        let mut digest = blake3::Hasher::new();
        let mut created = mirror::Created::new(stream, self.stream_id, run, now, new);
        let mut changed = mirror::Changed::new(stream, run, now);
        let mut cards = Vec::new();
        for (change, customer) in changes.into_iter().zip(customers) {
            let Change { row, record, known } = change;
            if let Record::Card(card) = &record {
                cards.push((card.key.clone(), customer));
            }
            digest.update(row.key.as_bytes());
            digest.update(known.as_ref().map_or(&[0; 16], |k| &k.hash.0));
            digest.update(&row.hash.0);
            written.customers.push(customer);
            match &known {
                Some(known) => {
                    written.customers.push(known.customer);
                    written.ids.push(known.id);
                    changed.add(known, customer, row, record);
                }
                None => {
                    let id = self.records.take()?;
                    written.ids.push(id);
                    created.add(id, customer, row, record);
                }
            }
        }
        created.write(tx).await?;
        changed.write(tx).await?;
        let left = self.lead_cards(tx, &cards).await?;
        written.customers.extend(left);
        written.customers.retain(|customer| *customer != NOBODY);
        written.digest = Some(digest.finalize().as_bytes().to_vec());
        Ok(written)
    }

    /// Whose each change is: the customer its records name, made where there is none.
    async fn customers_of(&mut self, tx: &mut Tx, changes: &[Change]) -> Result<Vec<i64>, Stop> {
        let system = &self.turn.source.name;
        let named: Vec<Cow<'_, str>> = changes
            .iter()
            .map(|change| match change.record.whose() {
                Whose::Named(key) => key.into(),
                // An account that names no client is its own.
                Whose::Own => self.stream.own_name(&change.row.key).into(),
                Whose::Nobodys => "".into(),
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
            .map(|(_, name)| name.as_ref())
            .filter(|name| !name.is_empty())
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut found = customer::find(tx, system, &wanted).await?;
        wanted.retain(|name| !found.contains_key(*name));
        self.customers.need(tx, wanted.len()).await?;
        let mut new = Vec::with_capacity(wanted.len());
        for name in wanted {
            let id = self.customers.take()?;
            found.insert(name, id);
            new.push((id, name));
        }
        customer::create(tx, system, &new).await?;
        Ok(changes
            .iter()
            .zip(&named)
            .map(|(change, name)| {
                stays(change).unwrap_or_else(|| found.get(name.as_ref()).copied().unwrap_or(NOBODY))
            })
            .collect())
    }

    /// Lets the names that movements call these cards by lead to the customers the cards belong to.
    /// Customers that movements were taken from.
    async fn lead_cards(&mut self, tx: &mut Tx, cards: &[(String, i64)]) -> Result<Vec<i64>, Stop> {
        let system = &self.turn.source.name;
        let names: Vec<String> = cards.iter().map(|(key, _)| self.stream.own_name(key)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = customer::find(tx, system, &names).await?;
        self.customers.need(tx, cards.len() - found.len()).await?;
        let (mut new, mut left) = (Vec::new(), Vec::new());
        for ((card, customer), name) in cards.iter().zip(names) {
            match found.get(name) {
                None => new.push((self.customers.take()?, name, *customer)),
                Some(led) if led == customer => {}
                Some(led) => {
                    customer::move_card(tx, system, name, card, *led, *customer).await?;
                    left.push(*led);
                }
            }
        }
        customer::create_names(tx, system, &new).await?;
        Ok(left)
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

/// The customer of records that are no client's.
const NOBODY: i64 = 0;

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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
