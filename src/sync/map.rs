//! Sorting a page: what each row becomes, held against what is stored. Pure.

use std::collections::{HashMap, HashSet};

use crate::connect::{Connector, Row, Stream};
use crate::model::disposition::Reasons;
use crate::model::{
    Counts, Disposition, Fingerprint, Incoming, Known, LeftOut, Oddity, Record, Reject, Sums,
};

use super::seen::Seen;

/// Rows of a page left out by rule that are kept for people: a base that takes no conditions sends
/// thousands.
const EXAMPLES: u64 = 20;

/// A row as it came, with what was found out about it on the way.
#[derive(Debug)]
pub struct Arrived {
    /// The row.
    pub row: Row,
    /// The fingerprint of its payload.
    pub hash: Fingerprint,
}

/// A row that will be written.
#[derive(Debug)]
pub struct Change {
    /// The row.
    pub row: Incoming,
    /// Its fields.
    pub record: Record,
    /// The record as it was; `None` for a new one.
    pub known: Option<Known>,
}

impl Change {
    /// The id of the record, if there is one already.
    pub fn stored(&self) -> Option<i64> {
        self.known.as_ref().map(|known| known.id)
    }
}

/// What pages that are written together are held against.
#[derive(Debug, Default)]
pub struct Held {
    /// The records as they are stored, by key.
    pub known: HashMap<String, Known>,
    /// Keys that one of these pages writes, and with what.
    written: HashMap<String, Fingerprint>,
}

impl Held {
    /// What a row with this key was on an earlier page, if there was one.
    fn earlier(&self, key: &str, seen: &Seen) -> Option<Fingerprint> {
        let known = || self.known.get(key).filter(|known| seen.has(known.id)).map(|known| known.hash);
        self.written.get(key).copied().or_else(known)
    }
}

/// A page, sorted.
#[derive(Debug, Default)]
pub struct Sorted {
    /// Rows to be written.
    pub changes: Vec<Change>,
    /// Stored records that the page saw.
    pub saw: Vec<i64>,
    /// Rows by disposition.
    pub counts: Counts,
    /// Why rows were left out.
    pub reasons: Reasons,
    /// Sums over the different rows that are stored.
    pub sums: Sums,
    /// Rows left out, to be kept for people.
    pub oddities: Vec<Oddity>,
}

/// The clients that a limited run takes: the first so many, and whatever hangs on them.
#[derive(Debug, Clone)]
pub struct Choice {
    names: HashSet<String>,
    /// Where cards are counted: what their movements name them by.
    cards: HashSet<String>,
    limit: usize,
    /// Whether the stream being read still adds clients, or only follows those that were taken.
    pub choosing: bool,
}

impl Choice {
    /// None taken yet, at most `limit`.
    pub fn first(limit: usize) -> Choice {
        Choice { names: HashSet::new(), cards: HashSet::new(), limit, choosing: true }
    }

    /// Takes clients that an earlier part of the run has taken.
    pub fn recall(&mut self, names: impl IntoIterator<Item = String>) {
        self.names.extend(names);
    }

    /// Takes cards that an earlier part of the run has taken, by what movements name them by.
    pub fn recall_cards(&mut self, cards: impl IntoIterator<Item = String>) {
        self.cards.extend(cards);
    }

    /// Whether no more rows can be taken of a stream that lists clients.
    pub fn is_full(&self) -> bool {
        let taken = if self.cards.is_empty() { self.names.len() } else { self.cards.len() };
        self.choosing && taken >= self.limit
    }

    fn takes(&mut self, row: &Row, record: Option<&Record>, stream: &Stream) -> bool {
        let named = record.and_then(Record::client_key).or(row.key.as_deref()).unwrap_or_default();
        if self.choosing && !self.is_full() {
            if let Some(Record::Card(card)) = record {
                self.cards.insert(stream.own_name(&card.key));
            }
            self.names.insert(named.to_owned());
            return true;
        }
        self.names.contains(named) || self.cards.contains(named)
    }
}

/// Splits off the rows that need no look into the store: without a key, or twice in this page.
/// With a choice only the rows it takes are read at all.
pub fn first_look(
    rows: impl ExactSizeIterator<Item = Arrived>,
    stream: &Stream,
    connector: &impl Connector,
    mut choice: Option<&mut Choice>,
) -> (Vec<Incoming>, Sorted) {
    let mut sorted = Sorted::default();
    let mut incoming: Vec<Incoming> = Vec::with_capacity(rows.len());
    let mut keys = HashSet::with_capacity(rows.len());
    for Arrived { row, hash } in rows {
        if let Some(rule) = row.unasked {
            let sums = connector.amounts(stream, &row.raw);
            let rule = Reject { rule, field: "" };
            sorted.leave_out(Disposition::Excluded, &rule, row.key.as_deref(), &row.raw, &sums);
            continue;
        }
        if let Some(choice) = &mut choice {
            let record = connector.read(stream, &row.raw).ok();
            if !choice.takes(&row, record.as_ref(), stream) {
                continue;
            }
        }
        let Some(key) = row.key else {
            let no_key = Reject { rule: "no_key", field: "" };
            let why = connector.read(stream, &row.raw).err().unwrap_or(no_key.into());
            let (disposition, why) = parts(why);
            let sums = connector.amounts(stream, &row.raw);
            sorted.leave_out(disposition, &why, None, &row.raw, &sums);
            continue;
        };
        if keys.contains(&key) {
            let raw = row.raw;
            let rule = Reject { rule: "same_page", field: "" };
            let sums = connector.amounts(stream, &raw);
            sorted.leave_out(Disposition::Duplicate, &rule, Some(&key), &raw, &sums);
            continue;
        }
        keys.insert(key.clone());
        incoming.push(Incoming { key, raw: row.raw, hash });
    }
    (incoming, sorted)
}

impl Sorted {
    fn leave_out(
        &mut self,
        disposition: Disposition,
        why: &Reject,
        key: Option<&str>,
        raw: &str,
        sums: &Sums,
    ) {
        self.counts.add(disposition);
        self.reasons.add(disposition, why.rule, 1, sums);
        if disposition == Disposition::Excluded && self.counts.excluded > EXAMPLES {
            return;
        }
        self.oddities.push(Oddity {
            disposition,
            rule: why.rule.to_owned(),
            field: why.field.to_owned(),
            key: key.map(str::to_owned),
            raw: raw.to_owned(),
        });
    }

    /// Counts rows that are stored with the same payload, whose sums the store has added up.
    pub fn unchanged(&mut self, ids: Vec<i64>, sums: &Sums) {
        for _ in &ids {
            self.counts.add(Disposition::Unchanged);
        }
        self.sums.merge(sums);
        self.saw.extend(ids);
    }

    /// Sorts the rows that are not simply unchanged. `run` is the run that reads: what an earlier
    /// pass of it created or updated counts as that, not as unchanged.
    pub fn sort(
        &mut self,
        rows: Vec<Incoming>,
        held: &mut Held,
        seen: &Seen,
        run: i64,
        stream: &Stream,
        connector: &impl Connector,
    ) {
        for row in rows {
            if let Some(earlier) = held.earlier(&row.key, seen) {
                let rule = if earlier == row.hash { "other_page" } else { "other_page_changed" };
                let rule = Reject { rule, field: "" };
                let sums = connector.amounts(stream, &row.raw);
                self.leave_out(Disposition::Duplicate, &rule, Some(&row.key), &row.raw, &sums);
                continue;
            }
            let known = held.known.get(&row.key);
            if let Some(k) = known.filter(|k| k.hash == row.hash && !k.gone) {
                self.counts.add(disposition_in(run, k));
                for (measure, amount) in stream.measures.iter().zip(&k.amounts) {
                    self.sums.add(*measure, *amount);
                }
                self.saw.push(k.id);
                continue;
            }
            match connector.read(stream, &row.raw) {
                Err(why) => {
                    let (disposition, why) = parts(why);
                    let sums = connector.amounts(stream, &row.raw);
                    self.leave_out(disposition, &why, Some(&row.key), &row.raw, &sums);
                    // It is there, only not in a form we can store: its last good values stay. One that
                    // a rule leaves out now is not there for us.
                    let stays = known.filter(|k| !k.gone && disposition == Disposition::Rejected);
                    self.saw.extend(stays.map(|k| k.id));
                }
                Ok(record) => {
                    let known = held.known.remove(&row.key);
                    held.written.insert(row.key.clone(), row.hash);
                    let disposition = match &known {
                        Some(k) if k.first_run != run => Disposition::Updated,
                        _ => Disposition::Created,
                    };
                    self.counts.add(disposition);
                    for measure in stream.measures {
                        self.sums.add(*measure, record.amount(*measure));
                    }
                    self.changes.push(Change { row, record, known });
                }
            }
        }
    }

    /// A money or quantity field that records of this page had before and none has now: the source
    /// has changed its form.
    pub fn lost_field(&self, stream: &Stream) -> Option<&'static str> {
        stream.measures.iter().enumerate().find_map(|(index, measure)| {
            let mut had = self
                .changes
                .iter()
                .filter(|c| c.known.as_ref().is_some_and(|k| k.amounts[index].is_some()))
                .peekable();
            had.peek()?;
            let lost = had.clone().count();
            let all_lost = had.all(|change| change.record.amount(*measure).is_none());
            // A single row may lose a value; a whole page of them does not.
            (all_lost && lost > 20).then_some(measure.name)
        })
    }
}

fn parts(why: LeftOut) -> (Disposition, Reject) {
    match why {
        LeftOut::Rejected(reject) => (Disposition::Rejected, reject),
        LeftOut::Excluded(rule) => (Disposition::Excluded, Reject { rule, field: "" }),
    }
}

/// What an unchanged record counts as within this run.
fn disposition_in(run: i64, known: &Known) -> Disposition {
    if known.first_run == run {
        Disposition::Created
    } else if known.changed_run == run {
        Disposition::Updated
    } else {
        Disposition::Unchanged
    }
}
