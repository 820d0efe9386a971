//! PostgreSQL: one array per column, spread out on the server.

use std::borrow::Cow;
use std::collections::HashMap;

use postgres::{Client, NoTls, Statement};

use super::{COLUMNS, TABLE, on_conflict};
use crate::Failure;
use crate::page::Row;

/// Rows per statement.
const GROUP: usize = 500;

pub struct Postgres {
    client: Client,
    fingerprints: Statement,
    upsert: Statement,
}

impl Postgres {
    pub fn open(url: &str) -> Result<Self, Failure> {
        let mut client = Client::connect(url, NoTls)?;
        client.batch_execute(TABLE)?;
        let fingerprints = client.prepare("SELECT id, fingerprint FROM account WHERE id = ANY($1)")?;
        let upsert = client.prepare(&format!(
            "INSERT INTO account ({}) SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], \
             $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], \
             $12::bigint[]) {}",
            COLUMNS.join(", "),
            on_conflict()
        ))?;
        Ok(Self { client, fingerprints, upsert })
    }

    pub fn store(&mut self, page: &[Row]) -> Result<usize, Failure> {
        let mut transaction = self.client.transaction()?;
        let keys: Vec<i64> = page.iter().map(|row| row.id).collect();
        let known = transaction.query(&self.fingerprints, &[&keys])?;
        let known: HashMap<i64, i64> = known.iter().map(|row| (row.get(0), row.get(1))).collect();
        let changed: Vec<&Row> =
            page.iter().filter(|row| known.get(&row.id) != Some(&row.fingerprint)).collect();
        for group in changed.chunks(GROUP) {
            transaction.execute(
                &self.upsert,
                &[
                    &column(group, |row| row.id),
                    &column(group, |row| &*row.client_uid),
                    &column(group, |row| row.client_account),
                    &column(group, |row| text(&row.country)),
                    &column(group, |row| text(&row.currency)),
                    &column(group, |row| text(&row.reg_date)),
                    &column(group, |row| row.lots),
                    &column(group, |row| row.mln),
                    &column(group, |row| row.reward),
                    &column(group, |row| row.reward_usd),
                    &column(group, |row| text(&row.partner_account)),
                    &column(group, |row| row.fingerprint),
                ],
            )?;
        }
        transaction.commit()?;
        Ok(changed.len())
    }
}

fn column<'a, T>(group: &[&'a Row<'a>], of: impl Fn(&'a Row<'a>) -> T) -> Vec<T> {
    group.iter().map(|row| of(row)).collect()
}

fn text<'a>(text: &'a Option<Cow<'a, str>>) -> Option<&'a str> {
    text.as_deref()
}
