//! Text made comparable: digits, letters that look alike, letter case, direction marks.
//!
//! What people see is always the text as the source sent it; these foldings serve keys and search.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizerBorrowed;

/// The ASCII digit for a Persian, Arabic-Indic or Thai one.
fn ascii_digit(c: char) -> Option<char> {
    let zero = match c {
        '\u{6f0}'..='\u{6f9}' => 0x6f0,
        '\u{660}'..='\u{669}' => 0x660,
        '\u{e50}'..='\u{e59}' => 0xe50,
        _ => return None,
    };
    char::from_digit(c as u32 - zero, 10)
}

/// The text with Persian, Arabic-Indic and Thai digits written as ASCII ones.
pub fn ascii_digits(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(|c| ascii_digit(c).is_some()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| ascii_digit(c).unwrap_or(c)).collect())
}

/// Folds text for search: compatibility forms unified, letter case folded, ك→ک and ي→ی, digits to
/// ASCII, joiners, direction marks and Arabic vowel signs dropped, white space collapsed.
/// A query folded the same way finds the text in any script, letter case and digits.
pub fn search_fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    search_fold_into(text, &mut folded);
    folded
}

/// Like [`search_fold`], appending to `out`.
pub fn search_fold_into(text: &str, out: &mut String) {
    if text.is_ascii() {
        // Nearly all payload text; the general path costs ten times as much.
        let start = out.len();
        if text.bytes().all(|byte| byte.is_ascii_graphic()) {
            out.push_str(text);
            out[start..].make_ascii_lowercase();
            return;
        }
        for c in text.chars() {
            push_folded(c.to_ascii_lowercase(), start, out);
        }
    } else {
        let start = out.len();
        let composed = ComposingNormalizerBorrowed::new_nfkc().normalize(text);
        for c in CaseMapper::new().fold_string(&composed).chars() {
            push_folded(c, start, out);
        }
    }
    if out.ends_with(' ') {
        out.pop();
    }
}

fn push_folded(c: char, start: usize, out: &mut String) {
    match c {
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {}
        '\u{64b}'..='\u{65f}' | '\u{670}' | '\u{640}' => {}
        'ك' => out.push('ک'),
        'ي' | 'ى' => out.push('ی'),
        c if c.is_whitespace() || c.is_control() => {
            if out.len() > start && !out.ends_with(' ') {
                out.push(' ');
            }
        }
        c => out.push(ascii_digit(c).unwrap_or(c)),
    }
}

/// A name to compare by: trimmed, inner white space single, letter case folded. For owner maps.
pub fn name_key(text: &str) -> String {
    search_fold(text)
}

/// The text with absent-looking values (`""`, `"null"`, white space) as `None`, else trimmed.
pub fn present(text: &str) -> Option<&str> {
    let text = text.trim();
    (!text.is_empty() && !text.eq_ignore_ascii_case("null")).then_some(text)
}

/// Masks personal data for logs: the first and last character stay, the rest are dots.
pub fn masked(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next_back()) {
        (Some(first), Some(last)) if chars.next().is_some() => format!("{first}…{last}"),
        _ => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn folds_scripts_and_digits() {
        for (text, folded) in [
            ("  RB   You ", "rb you"),
            ("۱۴۰", "140"),
            ("๑๔๐", "140"),
            ("٣٤", "34"),
            ("Симферополь", "симферополь"),
            ("علي كريمي", "علی کریمی"),
            ("می\u{200c}روم", "میروم"),
            ("ＡＢＣ", "abc"),
            ("Straße", "strasse"),
        ] {
            assert_eq!(search_fold(text), folded, "{text}");
        }
    }

    #[test]
    fn absent_looking_values_are_absent() {
        for text in ["", " ", "null", "NULL"] {
            assert_eq!(present(text), None);
        }
        assert_eq!(present(" low "), Some("low"));
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,60}") {
            let once = search_fold(&text);
            prop_assert_eq!(search_fold(&once), once);
        }
    }
}
