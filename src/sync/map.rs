//! Sorting a page: what each row becomes, held against what is stored. Pure.

use std::collections::{HashMap, HashSet};

use crate::connect::{Row, Stream};
use crate::model::disposition::Reasons;
use crate::model::{Counts, Disposition, Fingerprint, Record, Reject, Sums};
use crate::store::mirror::Known;
use crate::store::page::Oddity;

use super::seen::Seen;

/// A row with its fingerprint.
#[derive(Debug)]
pub struct Incoming {
    /// Its key.
    pub key: String,
    /// The payload.
    pub raw: Box<str>,
    /// Its fingerprint.
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

/// Splits off the rows that need no look into the store: without a key, or twice in this page.
/// With `take` only rows it accepts are read at all.
pub fn first_look(
    rows: Vec<Row>,
    stream: &Stream,
    read: &impl Fn(&str) -> Result<Record, Reject>,
    mut take: Option<&mut dyn FnMut(&str, Option<&Record>) -> bool>,
) -> (Vec<Incoming>, Sorted) {
    let mut sorted = Sorted::default();
    let mut incoming: Vec<Incoming> = Vec::with_capacity(rows.len());
    let mut keys = HashSet::with_capacity(rows.len());
    for row in rows {
        if let Some(take) = take.as_mut() {
            let record = read(&row.raw).ok();
            if !take(row.key.as_deref().unwrap_or_default(), record.as_ref()) {
                continue;
            }
        }
        let Some(key) = row.key else {
            let reject = read(&row.raw).err().unwrap_or(Reject { rule: "no_key", field: "" });
            sorted.leave_out(Disposition::Rejected, reject.rule, reject.field, None, &row.raw, stream, read);
            continue;
        };
        if keys.contains(&key) {
            let raw = row.raw;
            sorted.leave_out(Disposition::Duplicate, "same_page", "", Some(&key), &raw, stream, read);
            continue;
        }
        keys.insert(key.clone());
        incoming.push(Incoming { hash: Fingerprint::of(row.raw.as_bytes()), key, raw: row.raw });
    }
    (incoming, sorted)
}

impl Sorted {
    fn leave_out(
        &mut self,
        disposition: Disposition,
        rule: &str,
        field: &str,
        key: Option<&str>,
        raw: &str,
        stream: &Stream,
        read: &impl Fn(&str) -> Result<Record, Reject>,
    ) {
        self.counts.add(disposition);
        let mut sums = Sums::default();
        if let Ok(record) = read(raw) {
            for measure in stream.measures {
                sums.add(*measure, record.amount(*measure));
            }
        }
        self.reasons.add(disposition, rule, 1, &sums);
        self.oddities.push(Oddity {
            disposition,
            rule: rule.to_owned(),
            field: field.to_owned(),
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
        mut known: HashMap<String, Known>,
        seen: &Seen,
        run: i64,
        stream: &Stream,
        read: &impl Fn(&str) -> Result<Record, Reject>,
    ) {
        for row in rows {
            let known = known.remove(&row.key);
            if let Some(k) = known.as_ref().filter(|k| seen.has(k.id)) {
                let same = k.hash == row.hash;
                let rule = if same { "other_page" } else { "other_page_changed" };
                self.leave_out(Disposition::Duplicate, rule, "", Some(&row.key), &row.raw, stream, read);
                continue;
            }
            if let Some(k) = known.as_ref().filter(|k| k.hash == row.hash && !k.gone) {
                self.counts.add(disposition_in(run, k));
                for (measure, amount) in stream.measures.iter().zip(&k.amounts) {
                    self.sums.add(*measure, *amount);
                }
                self.saw.push(k.id);
                continue;
            }
            match read(&row.raw) {
                Err(reject) => {
                    let (rule, field) = (reject.rule, reject.field);
                    self.leave_out(
                        Disposition::Rejected,
                        rule,
                        field,
                        Some(&row.key),
                        &row.raw,
                        stream,
                        read,
                    );
                    // It is there, only not in a form we can store: its last good values stay.
                    self.saw.extend(known.map(|k| k.id));
                }
                Ok(record) => {
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
