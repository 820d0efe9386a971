//! What the customers list can be filtered by, and which records a run made or changed.

use anyhow::Result;

use super::Store;
use super::listing::RecordRow;
use crate::model::text::name_key;

/// The values that customers have, for choosing a filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// Systems.
    pub systems: Vec<String>,
    /// Owners.
    pub owners: Vec<String>,
    /// Statuses of the sources.
    pub statuses: Vec<String>,
    /// Countries, ISO alpha-2.
    pub countries: Vec<String>,
    /// Cities.
    pub cities: Vec<String>,
}

/// A name as it is stored, where it is, in whatever letter case it was typed.
pub fn as_stored(name: &str, stored: &[String]) -> String {
    let same = |known: &&String| name_key(known) == name_key(name);
    let known = stored.iter().find(|known| *known == name).or_else(|| stored.iter().find(same));
    known.map_or_else(|| name.to_owned(), Clone::clone)
}

impl Store {
    /// The values there are, from the summary: a handful of rows, whatever the number of customers.
    pub async fn facets(&self) -> Result<Facets> {
        let sql = "SELECT CAST(1 AS BIGINT), system FROM customer_summary UNION SELECT CAST(2 AS BIGINT), owner FROM customer_summary UNION SELECT CAST(3 AS BIGINT), status FROM customer_summary UNION SELECT CAST(4 AS BIGINT), country FROM customer_summary UNION SELECT CAST(5 AS BIGINT), city FROM customer_summary ORDER BY 1, 2";
        let mut facets = Facets::default();
        for row in self.db.rows(sql, []).await? {
            let value: String = row.get(1)?;
            if value.is_empty() {
                continue;
            }
            let list = match row.get::<i64>(0)? {
                1 => &mut facets.systems,
                2 => &mut facets.owners,
                3 => &mut facets.statuses,
                4 => &mut facets.countries,
                _ => &mut facets.cities,
            };
            list.push(value);
        }
        Ok(facets)
    }

    /// Records of a stream that a run saw for the first time (`created`) or changed, in order.
    pub async fn records_by_run(
        &self,
        run: i64,
        stream: i64,
        created: bool,
        limit: i64,
    ) -> Result<Vec<RecordRow>> {
        let which = if created { "r.first_run = $1" } else { "r.changed_run = $1 AND r.first_run <> $1" };
        let of = |table: &str| {
            format!(
                "SELECT r.id, s.system, s.name, r.key, r.customer_id, r.raw, r.raw_hash, r.first_run, r.changed_run, r.gone_run, r.valid_from FROM {table} r JOIN stream s ON s.id = r.stream_id WHERE r.stream_id = $2 AND {which}"
            )
        };
        let tables =
            ["party", "account", "person", "card", "entry", "product", "contact", "document"].map(of);
        let sql = format!("{} ORDER BY 1 LIMIT $3", tables.join(" UNION ALL "));
        let rows = self.db.rows(&sql, [run.into(), stream.into(), limit.into()]).await?;
        rows.iter().map(super::listing::record).collect()
    }
}
