//! The city of a customer: an ordered list of places to look, because no field is kept for it alone.

use serde::Deserialize;

use super::contact::Contact;

/// Where a city is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CityRule {
    /// The third line of the main information, if it looks like no e-mail address or phone.
    #[serde(rename = "main_info_line_3")]
    MainInfoLine3,
    /// The city of an address' structure.
    AddressCity,
    /// The street of an address' structure: cashiers type the city there.
    AddressStreet,
    /// The city field of an address.
    ContactCity,
    /// `г. Name` in an address as it is shown.
    Presentation,
}

/// What is longer is a note and no city.
const LONGEST: usize = 100;

/// The rules in their usual order.
pub const USUAL: [CityRule; 5] = [
    CityRule::MainInfoLine3,
    CityRule::AddressCity,
    CityRule::AddressStreet,
    CityRule::ContactCity,
    CityRule::Presentation,
];

impl CityRule {
    /// The word in the configuration, the store and reports.
    pub fn word(self) -> &'static str {
        match self {
            CityRule::MainInfoLine3 => "main_info_line_3",
            CityRule::AddressCity => "address_city",
            CityRule::AddressStreet => "address_street",
            CityRule::ContactCity => "contact_city",
            CityRule::Presentation => "presentation",
        }
    }

    fn look(self, main_info: &str, contacts: &[Contact]) -> Option<String> {
        let addresses = || contacts.iter().filter(|contact| contact.kind == "Адрес");
        let found = match self {
            CityRule::MainInfoLine3 => third_line(main_info).map(str::to_owned),
            CityRule::AddressCity => addresses().find_map(|a| a.structure.city.clone()),
            CityRule::AddressStreet => addresses().find_map(|a| a.structure.street.clone()),
            CityRule::ContactCity => addresses().find_map(|a| some(&a.city).map(str::to_owned)),
            CityRule::Presentation => addresses().find_map(|a| after_abbreviation(&a.shown)),
        };
        let is_name = |city: &String| !city.is_empty() && city.chars().count() <= LONGEST;
        found.map(|city| bare(&city).to_owned()).filter(is_name)
    }
}

/// The city and the rule that found it, the first of `rules` that fires.
pub fn city(rules: &[CityRule], main_info: &str, contacts: &[Contact]) -> Option<(String, CityRule)> {
    rules.iter().find_map(|rule| Some((rule.look(main_info, contacts)?, *rule)))
}

fn some(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn third_line(main_info: &str) -> Option<&str> {
    let line = some(main_info.lines().nth(2)?)?;
    let digits = line.chars().filter(char::is_ascii_digit).count();
    (!line.contains('@') && digits < 5 && line.chars().any(char::is_alphabetic)).then_some(line)
}

/// The name after `г.` or `г `, up to the next comma.
fn after_abbreviation(shown: &str) -> Option<String> {
    shown.split(',').map(str::trim).find_map(|part| {
        let name = part
            .strip_prefix("г.")
            .or_else(|| part.strip_prefix("г "))
            .or_else(|| part.strip_suffix(" г"))?;
        some(name).map(str::to_owned)
    })
}

/// A name without the abbreviation for "city" before or after it.
fn bare(name: &str) -> &str {
    let name = name.trim();
    let name = name.strip_prefix("г.").or_else(|| name.strip_prefix("г ")).unwrap_or(name);
    name.strip_suffix(" г.").or_else(|| name.strip_suffix(" г")).unwrap_or(name).trim()
}

#[cfg(test)]
mod tests {
    use super::super::contact::Structure;
    use super::*;

    fn address(contact: Contact) -> Vec<Contact> {
        vec![
            Contact { kind: "Телефон".into(), ..Contact::default() },
            Contact { kind: "Адрес".into(), ..contact },
        ]
    }

    #[test]
    fn each_rule_fires_in_its_turn() {
        let structure = |city: Option<&str>, street: Option<&str>| Structure {
            city: city.map(str::to_owned),
            street: street.map(str::to_owned),
        };
        let full = Contact {
            structure: structure(Some("г Алушта"), Some("Керчь")),
            city: "Ялта".into(),
            shown: "Крым, г. Саки, ул. Мира".into(),
            ..Contact::default()
        };
        let without_city = Contact { structure: structure(None, Some("Керчь")), ..full.clone() };
        let without_structure = Contact { structure: Structure::default(), ..full.clone() };
        let shown_only = Contact { city: " ".into(), ..without_structure.clone() };
        let nothing = Contact { shown: "ул. Мира".into(), ..Contact::default() };
        let note = format!("Имя\nx\n{}", "ж".repeat(101));
        for (main_info, contact, expected) in [
            ("Имя\n+7 978\nСимферополь\n", &full, Some(("Симферополь", CityRule::MainInfoLine3))),
            ("Имя\nx\nr@example.test\n", &full, Some(("Алушта", CityRule::AddressCity))),
            ("Имя\nx\n+7 (978) 000-00-01", &full, Some(("Алушта", CityRule::AddressCity))),
            ("Имя\nx", &without_city, Some(("Керчь", CityRule::AddressStreet))),
            ("", &without_structure, Some(("Ялта", CityRule::ContactCity))),
            ("", &shown_only, Some(("Саки", CityRule::Presentation))),
            ("", &nothing, None),
            // A note is no city: the next rule finds one.
            (note.as_str(), &full, Some(("Алушта", CityRule::AddressCity))),
        ] {
            let found = city(&USUAL, main_info, &address(contact.clone()));
            let found = found.as_ref().map(|(city, rule)| (city.as_str(), *rule));
            assert_eq!(found, expected, "{main_info:?}");
        }
        let order = [CityRule::Presentation, CityRule::MainInfoLine3];
        let found = city(&order, "a\nb\nСимферополь", &address(full));
        assert_eq!(found, Some(("Саки".to_owned(), CityRule::Presentation)));
    }
}
