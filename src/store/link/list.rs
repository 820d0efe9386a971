//! Links as lists show them: searched by what either side says, page by page.

use std::collections::HashMap;

use anyhow::{Context, Result};

use super::{LINK, Link, Side, read};
use crate::store::listing::{Item, Linked};
use crate::store::search::Search;
use crate::store::{Store, Value};

/// Where the records of a flow's links are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ends {
    /// The flow.
    pub flow: String,
    /// The master's list of contacts.
    pub source: i64,
    /// That of the system that follows.
    pub destination: i64,
}

/// The systems that a flow ties together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tie {
    /// The flow.
    pub flow: String,
    /// The master.
    pub from: String,
    /// The system that follows.
    pub to: String,
}

/// Links asked for, as a condition with its arguments.
struct Asked {
    condition: String,
    args: Vec<Value>,
}

impl Store {
    /// Links of these flows, the newest first, older than `before`: (flow, link). With a text, those one of
    /// whose records has that key, or holds the text, folded, anywhere.
    pub async fn found_links(
        &self,
        ends: &[Ends],
        text: Option<(&str, &str)>,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<(String, Link)>> {
        let Asked { condition, mut args } = self.asked(ends, text).await?;
        args.extend([before.unwrap_or(i64::MAX).into(), limit.into()]);
        let columns = LINK.trim_start_matches("SELECT ").trim_end_matches(" FROM link");
        let at = args.len();
        let sql = format!(
            "SELECT {columns}, flow FROM link WHERE {condition} AND id < ${} ORDER BY id DESC LIMIT ${at}",
            at - 1
        );
        let rows = self.db.rows(&sql, args).await?;
        rows.iter().map(|row| Ok((row.get(10)?, read(row)?))).collect()
    }

    /// How many those are.
    pub async fn count_found_links(&self, ends: &[Ends], text: Option<(&str, &str)>) -> Result<i64> {
        let Asked { condition, args } = self.asked(ends, text).await?;
        let sql = format!("SELECT COUNT(*) FROM link WHERE {condition}");
        self.db.row(&sql, args).await?.context("no count")?.get(0)
    }

    /// Finds whom customers of systems that are tied together are linked with.
    pub async fn tie(&self, items: &mut [Item], ties: &[Tie]) -> Result<()> {
        let is_tied = |item: &&mut Item| ties.iter().any(|tie| [&tie.from, &tie.to].contains(&&item.system));
        for item in items.iter_mut().filter(is_tied) {
            item.contact.linked = Some(Linked::default());
        }
        for tie in ties {
            for (own, other, side) in
                [(&tie.from, &tie.to, Side::Source), (&tie.to, &tie.from, Side::Destination)]
            {
                let keys: Vec<&str> =
                    items.iter().filter(|item| item.system == *own).map(|item| item.key.as_str()).collect();
                let links = self.links_of(&tie.flow, side, &keys).await?;
                let links: HashMap<String, bool> = links
                    .into_iter()
                    .map(|link| match side {
                        Side::Source => (link.source_key, link.source_gone),
                        Side::Destination => (link.destination_key, link.source_gone),
                    })
                    .collect();
                for item in items.iter_mut().filter(|item| item.system == *own) {
                    if let (Some(gone), Some(linked)) = (links.get(&item.key), &mut item.contact.linked) {
                        linked.systems.push(other.clone());
                        linked.gone |= gone;
                    }
                }
            }
        }
        Ok(())
    }

    async fn asked(&self, ends: &[Ends], text: Option<(&str, &str)>) -> Result<Asked> {
        let mut args: Vec<Value> = Vec::new();
        let mut add = |value: Value| {
            args.push(value);
            format!("${}", args.len())
        };
        let Some((typed, folded)) = text else {
            let flows: Vec<String> = ends.iter().map(|end| add(end.flow.as_str().into())).collect();
            let condition =
                if flows.is_empty() { "1 = 0".to_owned() } else { format!("flow IN ({})", flows.join(", ")) };
            return Ok(Asked { condition, args });
        };
        let key = add(typed.into());
        let (hits, found) = Search::new(&self.db, folded).await?.statement(2);
        found.into_iter().for_each(|value| drop(add(value)));
        let mut parts = Vec::new();
        for end in ends {
            let flow = add(end.flow.as_str().into());
            let mut of = |column: &str, stream: i64| {
                let stream = add(stream.into());
                format!(
                    "{column} = {key} OR {column} IN (SELECT c.key FROM contact c WHERE c.stream_id = {stream} AND c.customer_id IN ({hits}))"
                )
            };
            let (source, destination) =
                (of("source_key", end.source), of("destination_key", end.destination));
            parts.push(format!("(flow = {flow} AND ({source} OR {destination}))"));
        }
        let condition =
            if parts.is_empty() { "1 = 0".to_owned() } else { format!("({})", parts.join(" OR ")) };
        Ok(Asked { condition, args })
    }
}
