//! Phone numbers made comparable: as E.164 where they can be read, else as they were typed.

use super::text::ascii_digits;

/// A number in E.164 (`+77000000001`); `None` when the text is none that can be told for certain.
/// Numbers without a country are read as those of `region` (ISO alpha-2); only `RU` is known.
pub fn e164(text: &str, region: &str) -> Option<String> {
    let digits: String = ascii_digits(text).chars().filter(char::is_ascii_digit).collect();
    let national = match (region, digits.len()) {
        ("RU", 11) if digits.starts_with(['7', '8']) => &digits[1..],
        ("RU", 10) => &digits,
        _ => return None,
    };
    Some(format!("+7{national}"))
}

/// The digits of a piece of a phone number as people type it (`8 (978) 12`, `+7 978-12`), for a search
/// among numbers written without anything between. `None` when the text is something else.
pub fn digits_of(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let phone_like = text.chars().all(|c| c.is_ascii_digit() || " ()-+.".contains(c));
    // A number with a point or a sign is an amount, three groups of digits with hyphens are a date.
    let typed = text.contains(['(', ')', ' ', '+']) || text.matches('-').count() > 2;
    (phone_like && typed && digits.len() >= 3 && !text.contains('.')).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_of_a_number_is_its_digits() {
        for (typed, digits) in [
            ("8 (978) 12", Some("897812")),
            ("+7978", Some("7978")),
            ("(978)", Some("978")),
            ("978-12-34-5", Some("97812345")),
            ("2025-01-01", None),
            ("12.40", None),
            ("978", None),
            ("+7", None),
            ("RB you", None),
        ] {
            assert_eq!(digits_of(typed).as_deref(), digits, "{typed}");
        }
    }

    #[test]
    fn numbers_are_read_however_they_are_typed() {
        for (typed, number) in [
            ("77000000001", Some("+77000000001")),
            ("+7 (700) 000-00-01", Some("+77000000001")),
            ("8 700 000 00 01", Some("+77000000001")),
            ("7000000001", Some("+77000000001")),
            ("۸ ۷۰۰ ۰۰۰ ۰۰ ۰۱", Some("+77000000001")),
            ("97000000001", None),
            ("700000001", None),
            ("7700000000112", None),
            ("phone", None),
            ("", None),
        ] {
            assert_eq!(e164(typed, "RU").as_deref(), number, "{typed}");
        }
        assert_eq!(e164("7000000001", "XX"), None);
    }
}
