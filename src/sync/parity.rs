//! The mirror held against a source, now: counts and control sums side by side, differences named.

mod kinds;
pub mod shop;

use std::collections::HashSet;

use anyhow::Result;
use serde::Serialize;
use utoipa::ToSchema;

use super::owners::OwnerSettings;
use super::{Source, today};
use crate::connect::{Absence, Ask, Connector, Error, LeftOut, Stream, Table, Totals};
use crate::model::amount::{self, AMOUNT, Measure};
use crate::model::{Disposition, Reason, Record, Sums};
use crate::store::Store;
use kinds::Kinds;

/// What a verification found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VerifyDoc {
    /// Whether every line is equal.
    pub agree: bool,
    /// What was compared.
    pub items: Vec<Item>,
    /// Systems that could not be compared.
    pub problems: Vec<Unread>,
}

impl VerifyDoc {
    /// Nothing compared yet.
    pub fn new() -> VerifyDoc {
        VerifyDoc { agree: true, items: Vec::new(), problems: Vec::new() }
    }

    /// Takes what was compared.
    pub fn add(&mut self, items: Vec<Item>) {
        self.agree &= items.iter().flat_map(|item| &item.lines).all(|line| line.equal);
        self.items.extend(items);
    }

    /// Notes that a system could not be compared, and why.
    pub fn fail(&mut self, system: &str, problem: String) {
        self.agree = false;
        self.problems.push(Unread { system: system.to_owned(), problem });
    }
}

impl Default for VerifyDoc {
    fn default() -> VerifyDoc {
        VerifyDoc::new()
    }
}

/// A system that could not be compared.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Unread {
    /// Its name.
    pub system: String,
    /// Why, in words.
    pub problem: String,
}

/// One thing that was compared.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Item {
    /// What (`ham/accounts`).
    pub subject: String,
    /// Its figures.
    pub lines: Vec<Line>,
    /// Sums that the mirror keeps and the source does not state.
    pub not_compared: Vec<&'static str>,
}

/// One figure on both sides. Difference = mirror − source.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Line {
    /// `count` or a measure.
    pub what: String,
    /// At the source.
    pub source: Option<String>,
    /// In the mirror.
    pub mirror: Option<String>,
    /// Mirror − source.
    pub difference: Option<String>,
    /// `rows`, `lots`, `USD` …
    pub unit: String,
    /// Whether they are equal, but for records that the answer need not have (`absent`).
    pub equal: bool,
    /// What is known of the difference.
    pub causes: Vec<Cause>,
}

/// A part of a difference that is explained.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Cause {
    /// The rule or reason; `absent`: the mirror has them, and the answer need not.
    pub rule: String,
    /// Rows.
    pub count: u64,
    /// Their sum.
    pub amount: Option<String>,
}

/// Why a verification could not be made.
#[derive(Debug)]
pub enum Unverified {
    /// The source could not be read.
    Source(Error),
    /// Its systems cannot be asked for one customer.
    NotAlone,
    /// Something of ours broke.
    Internal(anyhow::Error),
}

impl Unverified {
    /// What happened, for people.
    pub fn message(&self) -> crate::model::Message {
        match self {
            Unverified::Source(error) => error.message().clone(),
            Unverified::NotAlone => crate::model::Message::new("verify-not-alone"),
            Unverified::Internal(error) => crate::model::Message::new("run-broke")
                .with("system", "")
                .with("problem", format!("{error:#}")),
        }
    }
}

impl From<Error> for Unverified {
    fn from(error: Error) -> Self {
        Unverified::Source(error)
    }
}

impl From<anyhow::Error> for Unverified {
    fn from(error: anyhow::Error) -> Self {
        Unverified::Internal(error)
    }
}

/// Holds one customer of the mirror against its source, read now. Nothing is written.
pub async fn customer(
    store: &Store,
    owners: &OwnerSettings,
    source: &Source,
    id: i64,
    name: &str,
) -> Result<VerifyDoc, Unverified> {
    let Some(shop) = source.connector.shop() else { return Err(Unverified::NotAlone) };
    let mut document = VerifyDoc::new();
    document.add(shop::by_name(store, owners, source, shop, (id, name)).await?);
    Ok(document)
}

/// Holds every stream of a system against what the source says of it now. Nothing is written.
pub async fn system(store: &Store, source: &Source) -> Result<Vec<Item>, Unverified> {
    let last = store.last_whole_read(&source.name).await?;
    let mut items = Vec::new();
    let (mut there, mut ours) = (Kinds::default(), Kinds::default());
    for stream in source.connector.streams() {
        let stream_id = store.stream(&source.name, stream.name).await?;
        let (count, sums) = store.stored(stream, stream_id, None).await?;
        let days = days_kept(store, source, stream).await?;
        let said = totals(source, stream, days, &mut there).await?;
        if has_money(stream) {
            ours.add_stored(store.documents(stream_id).await?);
        }
        let absent = match &said.keys {
            Some(keys) if stream.absence == Absence::Counted => {
                let ours = store.live_keys(stream, stream_id).await?;
                ours.iter().filter(|key| !keys.contains(*key)).count() as u64
            }
            _ => 0,
        };
        let said = said.totals;
        let stages = last.as_ref().map(|run| run.stages.as_slice()).unwrap_or_default();
        let reasons = stages.iter().find(|stage| stage.name == stream.name).map(|stage| &stage.reasons);
        items.push(Item {
            subject: format!("{}/{}", source.name, stream.name),
            not_compared: unstated(stream, &said),
            lines: lines(
                &said,
                count,
                absent,
                &sums,
                reasons.map_or(&[], Vec::as_slice),
                source.connector.currency(),
            ),
        });
    }
    if let Some(shop) = source.connector.shop() {
        unread(store, source, &mut there, &ours).await?;
        items.extend(kinds::items(&source.name, &shop.currency, &there, &ours));
    }
    Ok(items)
}

/// Whether the movements of a stream are of money.
fn has_money(stream: &Stream) -> bool {
    stream.table == Table::Entry && stream.measures.contains(&AMOUNT)
}

/// Adds what the source has before the days that are kept, of types of documents that the mirror lacks.
async fn unread(store: &Store, source: &Source, there: &mut Kinds, ours: &Kinds) -> Result<(), Unverified> {
    let Some(shop) = source.connector.shop() else { return Ok(()) };
    for stream in source.connector.streams() {
        let Some(days) = days_kept(store, source, stream).await? else { continue };
        let ask = Ask { today: today(), days: Some(days), ..Ask::default() };
        let Some((first, _)) = source.connector.window(stream, &ask) else { continue };
        for (class, count) in shop.documents_before(&source.http, first, &ours.classes()).await {
            there.add_unread(&class, count);
        }
    }
    Ok(())
}

/// The measures of a stream that the source states no sum of.
fn unstated(stream: &Stream, said: &Totals) -> Vec<&'static str> {
    let stated = |measure: &&Measure| said.sums.get(**measure).is_some();
    stream.measures.iter().filter(|measure| !stated(measure)).map(|measure| measure.name).collect()
}

/// What a source says of a stream now.
struct Said {
    totals: Totals,
    /// What came, where it had to be counted.
    keys: Option<HashSet<String>>,
}

/// What the source says of a stream now: its totals where it states them, else its rows counted and
/// added up, without those that a rule leaves out. Movements of money are added to `kinds`.
async fn totals(
    source: &Source,
    stream: &'static Stream,
    days: Option<u32>,
    kinds: &mut Kinds,
) -> Result<Said, Error> {
    let mut ask = Ask { page_size: 1, today: today(), days, brief: false };
    let (connector, http) = (&source.connector, &source.http);
    let page = connector.fetch(http, stream, None, &ask).await?;
    let stated = stream.measures.iter().any(|measure| page.totals.sums.get(*measure).is_some());
    if page.totals.count.is_some() && stated {
        return Ok(Said { totals: page.totals, keys: None });
    }
    ask.page_size = source.page_size;
    let (mut keys, mut sums) = (HashSet::new(), Sums::default());
    // A list without pages has come whole.
    let mut page = if page.next.is_some() { connector.fetch(http, stream, None, &ask).await? } else { page };
    loop {
        for row in page.rows {
            let read = connector.read(stream, &row.raw);
            let Some(key) = row.key else { continue };
            if row.unasked.is_some() || matches!(read, Err(LeftOut::Excluded(_))) || !keys.insert(key) {
                continue;
            }
            for measure in stream.measures {
                sums.add(*measure, read.as_ref().ok().and_then(|record| record.amount(*measure)));
            }
            if let Ok(Record::Entry(entry)) = &read
                && has_money(stream)
            {
                kinds.add(entry);
            }
        }
        let Some(next) = page.next else { break };
        page = connector.fetch(http, stream, Some(&next), &ask).await?;
    }
    let totals = Totals { count: Some(keys.len() as u64), sums };
    Ok(Said { totals, keys: Some(keys) })
}

/// The first day that the mirror keeps of a windowed list: that of its oldest record, or the first that the
/// last whole read asked for.
async fn first_kept(store: &Store, source: &Source, stream: &Stream) -> Result<Option<jiff::civil::Date>> {
    let last = store.last_whole_read(&source.name).await?;
    let days = last.and_then(|run| run.days).and_then(|days| u32::try_from(days).ok());
    let ask = Ask { today: today(), days, ..Ask::default() };
    let Some((asked, _)) = source.connector.window(stream, &ask).filter(|_| stream.table == Table::Entry)
    else {
        return Ok(None);
    };
    let stream_id = store.stream(&source.name, stream.name).await?;
    Ok(Some(match store.oldest_day(stream_id).await? {
        Some(oldest) => asked.min(oldest.parse()?),
        None => asked,
    }))
}

/// The days back to the first that is kept of a windowed list.
async fn days_kept(store: &Store, source: &Source, stream: &Stream) -> Result<Option<u32>> {
    let first = first_kept(store, source, stream).await?;
    Ok(first.and_then(|first| u32::try_from((today() - first).get_days()).ok()))
}

fn lines(
    source: &Totals,
    count: u64,
    absent: u64,
    sums: &Sums,
    reasons: &[Reason],
    currency: Option<&str>,
) -> Vec<Line> {
    let left_out: Vec<&Reason> = reasons.iter().filter(|r| r.disposition != Disposition::Duplicate).collect();
    let there = source.count.unwrap_or(0);
    let equal = count - absent.min(count) == there;
    let mut causes = Vec::new();
    if absent > 0 {
        causes.push(Cause { rule: "absent".to_owned(), count: absent, amount: None });
    }
    if !equal {
        let cause = |r: &&Reason| Cause { rule: r.rule.clone(), count: r.count, amount: None };
        causes.extend(left_out.iter().map(cause));
    }
    let mut lines = vec![Line {
        what: "count".to_owned(),
        source: Some(there.to_string()),
        mirror: Some(count.to_string()),
        difference: Some((i128::from(count) - i128::from(there)).to_string()),
        unit: "rows".to_owned(),
        equal,
        causes,
    }];
    for (measure, said) in source.sums.iter() {
        let ours = sums.get(measure).unwrap_or(0);
        lines.push(Line {
            what: measure.name.to_owned(),
            source: Some(amount::show(said, measure.scale)),
            mirror: Some(amount::show(ours, measure.scale)),
            difference: Some(amount::show(ours - said, measure.scale)),
            unit: unit(measure, currency).to_owned(),
            equal: ours == said,
            causes: if ours == said {
                Vec::new()
            } else {
                left_out
                    .iter()
                    .map(|r| Cause {
                        rule: r.rule.clone(),
                        count: r.count,
                        amount: r.sums.get(measure).map(|value| amount::show(value, measure.scale)),
                    })
                    .collect()
            },
        });
    }
    lines
}

/// The unit of a measure; `currency` is that of amounts that do not name theirs.
fn unit(measure: Measure, currency: Option<&str>) -> &str {
    match measure {
        amount::VOLUME_LOTS => "lots",
        amount::VOLUME_MLN_USD => "million USD",
        amount::AMOUNT => currency.unwrap_or_default(),
        amount::POINTS_IN | amount::POINTS_OUT => "points",
        _ => "USD",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::amount::REWARD_USD;

    #[test]
    fn differences_carry_what_is_known_of_them() {
        let mut source = Totals { count: Some(3), sums: Sums::default() };
        source.sums.set(REWARD_USD, 1500);
        let (mut ours, mut lost) = (Sums::default(), Sums::default());
        ours.set(REWARD_USD, 1000);
        lost.set(REWARD_USD, 500);
        let reason =
            Reason { disposition: Disposition::Rejected, rule: "bad_date".to_owned(), count: 1, sums: lost };
        let lines = lines(&source, 2, 0, &ours, &[reason], None);
        assert_eq!((lines[0].difference.as_deref(), lines[0].equal), (Some("-1"), false));
        assert_eq!(lines[1].difference.as_deref(), Some("-5.00"));
        assert_eq!(lines[1].causes[0].amount.as_deref(), Some("5.00"));
    }
    #[test]
    fn what_an_answer_need_not_have_is_a_cause_and_no_difference() {
        let judged = |there, count, absent| {
            let source = Totals { count: Some(there), sums: Sums::default() };
            let line = lines(&source, count, absent, &Sums::default(), &[], None).remove(0);
            (line.equal, line.causes.first().map(|cause| (cause.rule.clone(), cause.count)))
        };
        let absent = |rows| Some(("absent".to_owned(), rows));
        assert_eq!(judged(7, 10, 3), (true, absent(3)));
        // A new row at the source does not make up for one that is absent.
        assert_eq!(judged(10, 10, 3), (false, absent(3)));
        assert_eq!(judged(9, 10, 0), (false, None));
    }
}
