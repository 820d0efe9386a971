//! What a group of pages changes, written with as few statements as one page would take.

use std::borrow::Cow;

use anyhow::Result;

use super::super::Reading;
use super::Ready;
use crate::model::Record;
use crate::model::record::Whose;
use crate::store::mirror;
use crate::store::page::{self, Checkpoint};
use crate::store::{Tx, audit, customer};
use crate::sync::map::{Change, Sorted};
use crate::sync::{Stop, seen};

impl Reading<'_> {
    /// Writes what pages change, and each with its checkpoint.
    pub(super) async fn write(&mut self, tx: &mut Tx, mut pages: Vec<Ready>, now: i64) -> Result<(), Stop> {
        let system = &self.turn.source.name;
        let customers = self.write_changes(tx, &mut pages, now).await?;
        if !customers.is_empty() {
            customer::touch(tx, system, seen::pack(customers)).await?;
        }
        let (claim, position, pass) = (self.turn.claim, self.stage.position, self.stage.passes);
        for Ready { sorted, number, digest } in pages {
            if let Some(digest) = &digest {
                self.note(tx, &sorted, number, digest, now).await?;
            }
            page::keep_oddities(tx, claim, position, pass, &sorted.oddities).await?;
            for id in &sorted.saw {
                self.seen.add(*id);
            }
            let seen = seen::pack(sorted.saw);
            let rows = sorted.counts.read;
            page::store(tx, claim, Checkpoint { position, pass, number, rows, digest, seen }, now).await?;
        }
        Ok(())
    }

    /// The audit's entry of a page that changed something.
    async fn note(&self, tx: &mut Tx, sorted: &Sorted, page: i64, digest: &[u8], now: i64) -> Result<()> {
        let subject = format!("{}/{}", self.turn.source.name, self.stream.name);
        let entry = PageEntry {
            page,
            created: sorted.counts.created,
            updated: sorted.counts.updated,
            digest: hex(digest),
        };
        let entry = audit::NewEntry {
            actor: "sync",
            action: "page.stored",
            subject: &subject,
            run: Some(self.turn.claim.run),
            after: Some(serde_json::to_string(&entry)?),
            ..audit::NewEntry::default()
        };
        audit::write(tx, entry, now).await
    }

    /// Writes the changes of pages and the customers they need; the customers that are touched.
    async fn write_changes(&mut self, tx: &mut Tx, pages: &mut [Ready], now: i64) -> Result<Vec<i64>, Stop> {
        let (stream, run) = (self.stream, self.turn.claim.run);
        let changes: Vec<&Change> = pages.iter().flat_map(|page| &page.sorted.changes).collect();
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let new = changes.iter().filter(|change| change.known.is_none()).count();
        let mut whose = self.customers_of(tx, &changes).await?.into_iter();
        self.records.need(tx, new).await?;
        let mut created = mirror::Created::new(stream, self.stream_id, run, now, new);
        let mut changed = mirror::Changed::new(stream, run, now);
        let (mut touched, mut cards) = (Vec::new(), Vec::new());
        for page in pages.iter_mut().filter(|page| !page.sorted.changes.is_empty()) {
            let mut digest = blake3::Hasher::new();
            for change in std::mem::take(&mut page.sorted.changes) {
                let customer = whose.next().unwrap_or(NOBODY);
                let Change { row, record, known } = change;
                if let Record::Card(card) = &record {
                    cards.push((card.key.clone(), customer));
                }
                digest.update(row.key.as_bytes());
                digest.update(known.as_ref().map_or(&[0; 16], |k| &k.hash.0));
                digest.update(&row.hash.0);
                touched.push(customer);
                match &known {
                    Some(known) => {
                        touched.push(known.customer);
                        page.sorted.saw.push(known.id);
                        changed.add(known, customer, row, record);
                    }
                    None => {
                        let id = self.records.take()?;
                        page.sorted.saw.push(id);
                        created.add(id, customer, row, record);
                    }
                }
            }
            page.digest = Some(digest.finalize().as_bytes().to_vec());
        }
        created.write(tx).await?;
        changed.write(tx).await?;
        touched.extend(self.lead_cards(tx, &cards).await?);
        touched.retain(|customer| *customer != NOBODY);
        Ok(touched)
    }

    /// Whose each change is: the customer its records name, made where there is none.
    async fn customers_of(&mut self, tx: &mut Tx, changes: &[&Change]) -> Result<Vec<i64>, Stop> {
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
