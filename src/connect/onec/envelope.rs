//! The answers of OData: a list of rows, a number, or an error that may come with status 200.

use serde_json::value::RawValue;

use crate::connect::Row;
use crate::connect::http::NotWhole;
use crate::connect::loose::{fields, tokens};

/// The rows of a list, with their keys and, where a set has them, versions.
pub(super) fn rows(
    text: &str,
    key: fn(&str) -> Option<String>,
    versioned: bool,
) -> Result<Vec<Row>, NotWhole> {
    let [list, error] =
        tokens(text, &["value", "odata.error"]).ok_or_else(|| NotWhole::other_than("{…}", text))?;
    if error.is_some() {
        return Err(NotWhole::Refused);
    }
    let list = list.ok_or(NotWhole::Shape("value"))?.get();
    let list: Vec<&RawValue> = serde_json::from_str(list).map_err(|_| NotWhole::Shape("value"))?;
    let row = |raw: &str| Row {
        key: key(raw),
        raw: raw.into(),
        version: if versioned {
            fields(raw, &["DataVersion"]).and_then(|[version]| version.owned())
        } else {
            None
        },
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
