//! Addresses within the site.

use std::fmt::Write as _;

/// A path with a query; what is `None` or empty is left out.
pub fn to(path: &str, query: &[(&str, Option<&str>)]) -> String {
    let mut out = path.to_owned();
    let mut sign = '?';
    for (name, value) in query {
        let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
        out.push(sign);
        sign = '&';
        let _ = write!(out, "{name}={}", encoded(value));
    }
    out
}

/// A value of a query or a segment of a path.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// The address if it is a path on this site, else the first page. A browser reads `//host`, `/\host`
/// and addresses with control signs in them as other sites.
pub fn local(address: Option<&str>) -> &str {
    match address {
        Some(path)
            if path.starts_with('/')
                && !path.starts_with("//")
                && !path.contains('\\')
                && !path.chars().any(|c| c.is_control() || c.is_whitespace()) =>
        {
            path
        }
        _ => "/",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_encoded_and_stay_here() {
        assert_eq!(to("/x", &[("a", Some("б &")), ("b", None), ("c", Some(""))]), "/x?a=%D0%B1%20%26");
        for (asked, answer) in [
            (Some("/runs?x=1"), "/runs?x=1"),
            (None, "/"),
            (Some("https://evil.example.test/"), "/"),
            (Some("//evil.example.test"), "/"),
            (Some("/\\evil.example.test"), "/"),
            (Some("/\t/evil.example.test"), "/"),
            (Some("javascript:alert(1)"), "/"),
            (Some(""), "/"),
        ] {
            assert_eq!(local(asked), answer, "{asked:?}");
        }
    }
}
