//! Types of documents that a shop never made before: whether they count is for a person to know.

use std::collections::BTreeMap;

use super::super::Stop;
use super::Reading;
use crate::connect::Table;
use crate::model::Message;
use crate::model::amount::{MONEY, show};
use crate::store::Tx;
use crate::store::case::{self, NewCase};

impl Reading<'_> {
    /// Raises a case for each type of document of which this run brought the first movements. Not before
    /// the system was read whole once: until then every type is new.
    pub(super) async fn question_new_documents(&self, tx: &mut Tx, now: i64) -> Result<(), Stop> {
        let (store, system) = (self.turn.store, &self.turn.source.name);
        if self.stream.table != Table::Entry || self.stage.counts.created == 0 {
            return Ok(());
        }
        if store.last_whole_read(system).await?.is_none() {
            return Ok(());
        }
        let mut types: BTreeMap<String, (u64, i128)> = BTreeMap::new();
        for of in store.new_documents(self.stream_id, self.turn.claim.run).await? {
            let (count, amount) = types.entry(of.class).or_default();
            *count += of.count;
            *amount += i128::from(of.amount);
        }
        let currency = self.turn.source.connector.currency().unwrap_or_default();
        for (class, (count, amount)) in types {
            let case = NewCase {
                kind: "new_document",
                system,
                subject: &class,
                run: self.turn.claim.run,
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
