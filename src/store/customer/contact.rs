//! The customers of CRM and finance systems: what they are made from.

use anyhow::{Context, Result};

use super::{CUT, RECORD, UNIT, bulk, read_name};
use crate::model::customer::{ContactPart, Name};
use crate::store::Store;

/// Customers and their contacts as they are stored, in one text for [`read_parts`].
pub async fn parts(store: &Store, customers: &[i64]) -> Result<String> {
    let ids = bulk::id_list(customers);
    let fields = ["kind", "name", "number", "national_id", "mobile", "telephone", "email"]
        .map(|field| format!("COALESCE({field}, '')"))
        .join(", ");
    let mut text = String::new();
    for (fields, from) in [
        ("'c', id, system, key".to_owned(), "customer_key WHERE id"),
        (
            format!("'k', customer_id, CASE WHEN gone_run IS NULL THEN '' ELSE 'gone' END, {fields}, raw"),
            "contact WHERE customer_id",
        ),
    ] {
        let sql = format!("SELECT string_agg(concat_ws($1, {fields}), $2) FROM {from} IN ({ids})");
        let args = [UNIT, RECORD].map(|separator| separator.to_string().into());
        if let Some(row) = store.db.row(&sql, args).await?
            && let Some(records) = row.get::<Option<String>>(0)?
        {
            text.push_str(&records);
            text.push(RECORD);
        }
    }
    Ok(text)
}

/// What [`parts`] told: the customers, and their contacts.
pub fn read_parts(text: &str) -> Result<(Vec<Name<'_>>, Vec<ContactPart<'_>>)> {
    let (mut names, mut parts) = (Vec::new(), Vec::new());
    for told in text.split_terminator(RECORD) {
        let (kind, fields) = told.split_once(UNIT).context(CUT)?;
        if kind == "c" {
            names.push(read_name(fields)?);
            continue;
        }
        let mut fields = fields.splitn(10, UNIT);
        let mut next = || fields.next().context(CUT);
        parts.push(ContactPart {
            customer: next()?.parse()?,
            gone: next()? == "gone",
            kind: next()?,
            name: next()?,
            number: next()?,
            national_id: next()?,
            mobile: next()?,
            telephone: next()?,
            email: next()?,
            raw: next()?,
        });
    }
    Ok((names, parts))
}
