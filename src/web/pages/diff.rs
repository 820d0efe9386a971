//! What differs between two JSON values, field by field; what they share is left out.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub name: String,
    /// The value before, as written; `None` when there was none.
    pub before: Option<String>,
    /// The value after.
    pub after: Option<String>,
}

/// The fields of a JSON object, by name, as they are written; a text without its quotes. Anything
/// else is one field without a name.
pub fn fields(json: &str) -> BTreeMap<String, String> {
    match serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(json) {
        Ok(fields) => fields.into_iter().map(|(name, value)| (name, plain(value.get()))).collect(),
        Err(_) => BTreeMap::from([(String::new(), json.to_owned())]),
    }
}

fn plain(value: &str) -> String {
    serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned())
}

/// The fields that differ, by name.
pub fn changes(before: Option<&str>, after: Option<&str>) -> Vec<Change> {
    let mut before = before.map(fields).unwrap_or_default();
    let mut changes = Vec::new();
    for (name, after) in after.map(fields).unwrap_or_default() {
        let before = before.remove(&name);
        if before.as_ref() != Some(&after) {
            changes.push(Change { name, before, after: Some(after) });
        }
    }
    changes.extend(before.into_iter().map(|(name, value)| Change { name, before: Some(value), after: None }));
    changes.sort_by(|a, b| a.name.cmp(&b.name));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let change = |name: &str, before: Option<&str>, after: Option<&str>| Change {
            name: name.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        assert_eq!(
            changes(Some(r#"{"a":1.50,"b":"x","c":null}"#), Some(r#"{"a":1.5,"b":"x","d":true}"#)),
            [
                change("a", Some("1.50"), Some("1.5")),
                change("c", Some("null"), None),
                change("d", None, Some("true"))
            ]
        );
        assert_eq!(changes(None, Some("keep")), [change("", None, Some("keep"))]);
    }
}
