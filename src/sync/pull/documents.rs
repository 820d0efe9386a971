//! Types of documents that a shop never made before: whether they count is for a person to know.

use std::collections::BTreeMap;

use super::super::Stop;
use super::Reading;
use crate::connect::Table;
use crate::model::Message;
use crate::model::amount::{AMOUNT, MONEY, show};
use crate::store::Tx;
use crate::store::case::{self, NewCase};

impl Reading<'_> {
    /// The types of documents whose first movements of money came since this list was last read to its
    /// end. None before that happened once: until then every type is new.
    pub(super) async fn new_documents(&self) -> Result<BTreeMap<String, (u64, i128)>, Stop> {
        let (store, system) = (self.turn.store, &self.turn.source.name);
        let mut types = BTreeMap::new();
        if self.stream.table != Table::Entry || !self.stream.measures.contains(&AMOUNT) {
            return Ok(types);
        }
        let Some(ended) = store.last_read_to_end(system, self.stream.name).await? else { return Ok(types) };
        // A read between that broke off may have brought them.
        let between = store.last_run(system).await?.is_some_and(|run| run.id != ended);
        if self.stage.counts.created == 0 && !between {
            return Ok(types);
        }
        for of in store.new_documents(self.stream_id, ended).await? {
            let (count, amount): &mut (u64, i128) = types.entry(of.class).or_default();
            *count += of.count;
            *amount += i128::from(of.amount);
        }
        Ok(types)
    }

    /// Raises a case for each of these types.
    pub(super) async fn question_documents(
        &self,
        tx: &mut Tx,
        types: BTreeMap<String, (u64, i128)>,
        now: i64,
    ) -> Result<(), Stop> {
        let system = &self.turn.source.name;
        let currency = self.turn.source.connector.currency().unwrap_or_default();
        for (class, (count, amount)) in types {
            let case = NewCase {
                kind: "new_document",
                system,
                subject: &class,
                run: Some(self.turn.claim.run),
                message: Message::new("case-new-document")
                    .with("system", system)
                    .with("stream", self.stream.name)
                    .with("type", &class)
                    .with("count", count)
                    .with("amount", format!("{} {currency}", show(amount, MONEY))),
                detail: serde_json::json!({ "count": count, "stream": self.stream.name }),
                choices: &["counts"],
            };
            case::raise(tx, &case, now).await?;
        }
        Ok(())
    }
}
