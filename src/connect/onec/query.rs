//! Addresses of OData as 1C takes them, written by hand: a space must be `%20` (with `+` a base
//! refuses the filter, or ignores it without a word), `$` stays as it is.

use std::fmt::Write as _;

/// Appends `name=value` to a query, the value percent-encoded.
pub(super) fn add(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(name);
    query.push('=');
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => query.push(byte as char),
            // What literals, functions and lists are written with, and nothing that ends a value.
            b'-' | b'.' | b'_' | b'~' | b'\'' | b'(' | b')' | b',' | b':' | b';' | b'=' | b'/' => {
                query.push(byte as char);
            }
            _ => {
                let _ = write!(query, "%{byte:02X}");
            }
        }
    }
}

/// A text as a literal.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A reference as a literal.
pub(super) fn guid(guid: &str) -> String {
    format!("guid'{guid}'")
}

/// One of these, as a condition over `field`.
pub(super) fn one_of(field: &str, literals: impl IntoIterator<Item = String>) -> String {
    literals.into_iter().map(|literal| format!("{field} eq {literal}")).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_hold_no_plus_and_end_nothing() {
        let mut query = String::new();
        add(&mut query, "$filter", "Код eq 'a+b&c#d%' and Period ge datetime'2025-01-02T00:00:00'");
        add(&mut query, "$top", "50");
        assert_eq!(
            query,
            "$filter=%D0%9A%D0%BE%D0%B4%20eq%20'a%2Bb%26c%23d%25'%20and%20Period%20ge%20datetime'2025-01-02T00:00:00'&$top=50"
        );
    }

    #[test]
    fn literals_keep_what_they_hold() {
        assert_eq!(text("О'Нил"), "'О''Нил'");
        let keys = ["a", "b"].map(guid);
        assert_eq!(one_of("Ref_Key", keys), "Ref_Key eq guid'a' or Ref_Key eq guid'b'");
    }
}
