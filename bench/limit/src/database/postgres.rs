//! PostgreSQL: one array per column, spread out on the server.

use std::collections::HashMap;

use postgres::types::ToSql;
use postgres::{Client, NoTls, Statement};

use super::{COLUMNS, TABLE, on_conflict};
use crate::Failure;
use crate::page::{Read, Row};

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
             $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], \
             $12::bigint[]) {}",
            COLUMNS.join(", "),
            on_conflict()
        ))?;
        Ok(Self { client, fingerprints, upsert })
    }

    pub fn store(&mut self, page: &Read) -> Result<usize, Failure> {
        let mut transaction = self.client.transaction()?;
        let keys: Vec<i64> = page.rows.iter().map(|row| row.id).collect();
        let known = transaction.query(&self.fingerprints, &[&keys])?;
        let known: HashMap<i64, i64> = known.iter().map(|row| (row.get(0), row.get(1))).collect();
        let changed: Vec<&Row> =
            page.rows.iter().filter(|row| known.get(&row.id) != Some(&row.fingerprint)).collect();
        for group in changed.chunks(GROUP) {
            let text = |index| column(group, |row| page.text(row, index));
            let number = |index: usize| column(group, |row| row.numbers[index]);
            let (id, fingerprint) = (column(group, |row| row.id), column(group, |row| row.fingerprint));
            let texts = [text(0), text(1), text(2), text(3), text(4), text(5)];
            let numbers = [number(0), number(1), number(2), number(3)];
            let mut values: Vec<&(dyn ToSql + Sync)> = vec![&id];
            values.extend(texts.iter().map(|column| column as &(dyn ToSql + Sync)));
            values.extend(numbers.iter().map(|column| column as &(dyn ToSql + Sync)));
            values.push(&fingerprint);
            transaction.execute(&self.upsert, &values)?;
        }
        transaction.commit()?;
        Ok(changed.len())
    }
}

fn column<'a, T>(group: &[&'a Row], of: impl Fn(&'a Row) -> T) -> Vec<T> {
    group.iter().map(|row| of(row)).collect()
}
