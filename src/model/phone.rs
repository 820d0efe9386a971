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

/// The number as it is dialled within its region (`09120000001`); `None` when it cannot be told for
/// certain, or is one of another country.
pub fn national(text: &str, region: &str) -> Option<String> {
    let plan = PLANS.iter().find(|plan| plan.region == region)?;
    let number = e164(text, region)?;
    Some(format!("{}{}", plan.trunk, &number[1 + plan.country.len()..]))
}

/// The ways a number may be typed where nothing stands between its digits: as it is here, within the
/// region, bare, and from abroad.
pub fn spellings(text: &str, region: &str) -> Vec<String> {
    let mut ways = vec![text.trim().to_owned(), ascii_digits(text.trim()).into_owned()];
    if let (Some(number), Some(national)) = (e164(text, region), national(text, region)) {
        let trunk = PLANS.iter().find(|plan| plan.region == region).map_or("", |plan| plan.trunk);
        let bare = national[trunk.len()..].to_owned();
        ways.extend([national, bare, format!("00{}", &number[1..]), number[1..].to_owned(), number]);
    }
    let mut seen = std::collections::BTreeSet::new();
    ways.retain(|way| !way.is_empty() && seen.insert(way.clone()));
    ways
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

    #[test]
    fn numbers_are_written_as_people_of_the_region_do() {
        assert_eq!(national("+98 912 000 00 01", "IR").as_deref(), Some("09120000001"));
        assert_eq!(national("+66 2 000 0001", "TH").as_deref(), Some("020000001"));
        assert_eq!(national("+1 202 000 0001", "IR"), None);
        let ways =
            ["۰۹۱۲۰۰۰۰۰۰۱", "09120000001", "9120000001", "00989120000001", "989120000001", "+989120000001"];
        assert_eq!(spellings(" ۰۹۱۲۰۰۰۰۰۰۱", "IR"), ways);
        assert_eq!(spellings("123", "IR"), ["123"]);
        assert!(spellings(" ", "IR").is_empty());
    }
}
