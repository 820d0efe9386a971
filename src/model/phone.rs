//! Phone numbers made comparable: as E.164 where they can be read, else as they were typed.

use super::text::ascii_digits;

/// How the numbers of a region are made.
struct Plan {
    region: &'static str,
    /// Country code.
    country: &'static str,
    /// What is dialled before a national number within the country.
    trunk: &'static str,
    /// How many digits a national number has.
    national: &'static [usize],
}

const PLANS: [Plan; 3] = [
    Plan { region: "RU", country: "7", trunk: "8", national: &[10] },
    Plan { region: "IR", country: "98", trunk: "0", national: &[10] },
    Plan { region: "TH", country: "66", trunk: "0", national: &[8, 9] },
];

/// A number in E.164 (`+77000000001`); `None` when the text is none that can be told for certain.
/// Numbers without a country are read as those of `region` (ISO alpha-2): `RU`, `IR` or `TH`.
pub fn e164(text: &str, region: &str) -> Option<String> {
    let plan = PLANS.iter().find(|plan| plan.region == region)?;
    let text = ascii_digits(text);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let fits = |national: &str| plan.national.contains(&national.len()) && !national.starts_with('0');
    // As dialled from abroad, with the country, as dialled within it, or bare.
    let prefixes = [format!("00{}", plan.country), plan.country.to_owned(), plan.trunk.to_owned()];
    let national = prefixes.iter().filter_map(|prefix| digits.strip_prefix(prefix.as_str()));
    let national = national.chain([digits.as_str()]).find(|national| fits(national))?;
    Some(format!("+{}{national}", plan.country))
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
        for (typed, region, number) in [
            ("09120000001", "IR", Some("+989120000001")),
            ("9120000001", "IR", Some("+989120000001")),
            ("+98 912 000 00 01", "IR", Some("+989120000001")),
            ("0098-912-0000001", "IR", Some("+989120000001")),
            ("۰۲۱۰۰۰۰۰۰۰۱", "IR", Some("+982100000001")),
            ("0912000001", "IR", None),
            ("02 000 0001", "TH", Some("+6620000001")),
            ("+66 2 000 0001", "TH", Some("+6620000001")),
        ] {
            assert_eq!(e164(typed, region).as_deref(), number, "{typed}");
        }
    }
}
