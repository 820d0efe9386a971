//! What of a foreign answer may appear in our messages: little, and nothing secret or personal.

use crate::connect::loose::{Loose, fields, tokens};

/// The reason an answer gives (`detail`, else `message`, that of OData's `odata.error`, else the
/// beginning of a plain text), made safe. Other JSON is left out: it may hold anything.
pub(super) fn reason(body: &str, secrets: &[&str]) -> String {
    safe(&told(body), secrets)
}

/// The same, as it was told.
pub(super) fn told(body: &str) -> String {
    let body = body.trim_start_matches('\u{feff}').trim();
    if body.starts_with('<') {
        return String::new();
    }
    if !body.starts_with(['{', '[', '"']) {
        return body.to_owned();
    }
    let odata = odata_error(body).and_then(|[_, message]| message.owned());
    let plain = || fields(body, &["detail", "message", "error"])?.iter().find_map(Loose::owned);
    odata.or_else(plain).unwrap_or_default()
}

/// Code and message of an `odata.error`, if a body is one.
pub(super) fn odata_error(body: &str) -> Option<[Loose<'_>; 2]> {
    let [error] = tokens(body.trim_start_matches('\u{feff}').trim(), &["odata.error"])?;
    let [code, message] = tokens(error?.get(), &["code", "message"])?;
    let [value] = fields(message?.get(), &["value"])?;
    Some([Loose::of(code), value])
}

/// A shorter secret cannot be told from ordinary text: covering every "ab" makes a message unreadable,
/// and the gaps would tell the secret.
const SHORTEST_SECRET: usize = 4;

/// The first 200 characters without control characters, with the given secrets and whatever looks
/// like a token, an e-mail address or a personal number masked.
pub(super) fn safe(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.chars().count() >= SHORTEST_SECRET) {
        text = text.replace(secret, "…");
    }
    let text: String = text.chars().take(2_000).map(|c| if invisible(c) { ' ' } else { c }).collect();
    let mut out = String::new();
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        mask_into(word, &mut out);
    }
    match out.char_indices().nth(200) {
        Some((at, _)) => format!("{}…", &out[..at]),
        None => out,
    }
}

fn invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Appends `word`, each of its parts masked that tells too much.
fn mask_into(word: &str, out: &mut String) {
    let parts = word.split_inclusive(|c: char| "\"'{}[]()<>,;:=".contains(c));
    for part in parts {
        let bare = part.trim_end_matches(|c: char| "\"'{}[]()<>,;:=".contains(c));
        let digits = bare.chars().filter(|c| c.is_numeric()).count();
        let length = bare.chars().count();
        let tokenish = length >= 20 && !bare.chars().all(char::is_alphabetic) || length > 32;
        if bare.contains('@') || digits >= 6 || tokenish {
            out.push('…');
        } else {
            out.push_str(bare);
        }
        out.push_str(&part[bare.len()..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_error_of_odata_is_read_however_it_is_set() {
        let body = "\u{feff}{\n \"odata.error\": {\n  \"code\": \"-1\",\n  \"message\": { \"lang\": \"ru\", \"value\": \"Нельзя\" }\n }\n}";
        let [code, message] = odata_error(body).unwrap();
        assert_eq!((code.text(), message.text()), (Some("-1"), Some("Нельзя")));
        assert!(odata_error("{\"value\":[]}").is_none() && odata_error("-1").is_none());
    }

    #[test]
    fn tells_the_reason_and_no_more() {
        for (body, told) in [
            (r#"{"detail":"Request was throttled."}"#, "Request was throttled."),
            (r#"{"message":"No such period"}"#, "No such period"),
            (
                "\u{feff}{\"odata.error\":{\"code\":\"14\",\"message\":{\"lang\":\"ru\",\"value\":\"Нет поля\"}}}",
                "Нет поля",
            ),
            ("<html>secret</html>", ""),
            ("plain words", "plain words"),
            (r#"{"detail":"User partner@example.test is locked"}"#, "User … is locked"),
            (r#"{"detail":"call +77000000000 now"}"#, "call … now"),
            (r#"{"detail":"bad token eyJhbGciOi.eyJleHAiOjF9.c2ln"}"#, "bad token …"),
            (r#"{"detail":"password hunter2 is wrong"}"#, "password … is wrong"),
            ("{\"detail\":\"a\\u0007b\\u202ec\"}", "a b c"),
            (r#"{"error":"x","user":"partner@example.test"}"#, "x"),
            (r#"{"user":"partner"}"#, ""),
            (r#"user={"partner@example.test"}"#, r#"user={"…"}"#),
        ] {
            assert_eq!(reason(body, &["hunter2", ""]), told, "{body}");
        }
        assert!(safe(&"ab ".repeat(200), &[]).chars().count() <= 201);
        assert_eq!(safe("not a known word: 1234", &["o", "kn", "not", "1234"]), "not a known word: …");
    }

    proptest! {
        #[test]
        fn no_secret_gets_through(before in ".{0,30}", after in ".{0,30}") {
            let text = reason(&format!("{before}s3cr#t{after}"), &["s3cr#t"]);
            prop_assert!(!text.contains("s3cr#t"));
        }
    }
}
