//! The answers of OData: a list of rows, a number, or an error that may come with status 200.

use crate::connect::Row;
use crate::connect::http::NotWhole;
use crate::connect::loose::{first, listed};

/// The rows of a list, with their keys and, where a set has them, versions.
pub(super) fn rows(
    text: &str,
    key: fn(&str) -> Option<String>,
    versioned: bool,
) -> Result<Vec<Row>, NotWhole> {
    let (list, [error]) = listed(text, "value", &["odata.error"])?;
    if error.is_some() {
        return Err(NotWhole::Refused);
    }
    let list = list.ok_or(NotWhole::Shape("value"))?;
    let row = |raw: &str| Row {
        key: key(raw),
        raw: raw.into(),
        version: if versioned { first(raw, "DataVersion").owned() } else { None },
        brief: false,
        unasked: None,
    };
    Ok(list.into_iter().map(|raw| row(raw.get())).collect())
}

/// The number that a count is answered with.
pub(super) fn count(text: &str) -> Result<u64, NotWhole> {
    let text = text.trim().trim_matches('"');
    text.parse()
        .map_err(|_| if text.starts_with('{') { NotWhole::Refused } else { NotWhole::Shape("$count") })
}
