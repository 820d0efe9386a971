//! Whose record is it on the other side: found by the rules of a flow, never by a guess. Pure.

use crate::model::Field;
use crate::model::contact::Known;
use crate::model::flow::Rule;
use crate::model::text::name_key;

/// What the rules found for a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// Nobody.
    New,
    /// This one.
    One {
        /// Its key.
        key: String,
        /// What it was found by.
        rule: Rule,
    },
    /// More than one: a person must choose.
    Several {
        /// Their keys, in order.
        keys: Vec<String>,
        /// What they were found by.
        rule: Rule,
    },
    /// The number is the same, and something else contradicts it: both systems make numbers of their own.
    Clash {
        /// The other's key.
        key: String,
        /// What contradicts it.
        fields: Vec<Field>,
    },
}

/// Looks for a record among those of the other side, by the first rule that finds anybody.
pub fn find<'a>(wanted: &Known, rules: &[Rule], among: impl IntoIterator<Item = &'a Known>) -> Match {
    let among: Vec<&Known> = among.into_iter().collect();
    for rule in rules {
        let Some(value) = wanted.get(rule.field()) else { continue };
        let mut found: Vec<&Known> =
            among.iter().copied().filter(|other| other.get(rule.field()) == Some(value)).collect();
        found.sort_by(|a, b| a.key.cmp(&b.key));
        found.dedup_by(|a, b| a.key == b.key);
        match found.as_slice() {
            [] => {}
            [one] => {
                let fields = if *rule == Rule::CustomerNumber { against(wanted, one) } else { Vec::new() };
                let key = one.key.clone();
                return if fields.is_empty() {
                    Match::One { key, rule: *rule }
                } else {
                    Match::Clash { key, fields }
                };
            }
            several => {
                let keys = several.iter().map(|one| one.key.clone()).collect();
                return Match::Several { keys, rule: *rule };
            }
        }
    }
    Match::New
}

/// What contradicts that two records with one number are the same customer: another national id,
/// another kind, or another mobile number together with another name.
fn against(one: &Known, other: &Known) -> Vec<Field> {
    let differ = |a: Option<&str>, b: Option<&str>| matches!((a, b), (Some(a), Some(b)) if a != b);
    let names = [one, other].map(|known| known.name.as_deref().map(name_key));
    let mut fields = Vec::new();
    if differ(one.get(Field::NationalId), other.get(Field::NationalId)) {
        fields.push(Field::NationalId);
    }
    if differ(one.kind.as_deref(), other.kind.as_deref()) {
        fields.push(Field::Kind);
    }
    if differ(one.get(Field::Mobile), other.get(Field::Mobile))
        && differ(names[0].as_deref(), names[1].as_deref())
    {
        fields.extend([Field::Mobile, Field::Name]);
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(key: &str, number: &str, national_id: &str, mobile: &str, name: &str) -> Known {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Known {
            key: key.to_owned(),
            number: some(number),
            national_id: some(national_id),
            mobile: some(mobile),
            name: some(name),
            kind: some("person"),
            ..Known::default()
        }
    }

    #[test]
    fn the_first_rule_that_finds_somebody_tells() {
        let rules = [Rule::CustomerNumber, Rule::NationalId, Rule::Mobile];
        let others = [
            known("a", "100-1", "001", "+981", "Ali"),
            known("b", "100-2", "002", "+982", "Sara"),
            known("c", "", "003", "+983", "Reza"),
            known("d", "", "003", "+984", "Reza"),
            known("e", "100-5", "", "+982", "Sara"),
        ];
        let found = |wanted: &Known| find(wanted, &rules, &others);
        let one = |key: &str, rule| Match::One { key: key.to_owned(), rule };
        for (wanted, expected) in [
            (known("1", "100-1", "001", "+981", "Ali"), one("a", Rule::CustomerNumber)),
            // Neither says anything against it.
            (known("1", "100-5", "009", "+989", ""), one("e", Rule::CustomerNumber)),
            // The mobile alone may have changed, so may the name.
            (known("1", "100-1", "001", "+989", "Ali"), one("a", Rule::CustomerNumber)),
            (known("1", "100-1", "001", "+981", "Other"), one("a", Rule::CustomerNumber)),
            (known("1", "100-9", "002", "+989", "X"), one("b", Rule::NationalId)),
            (known("1", "", "", "+984", "X"), one("d", Rule::Mobile)),
            (known("1", "100-9", "009", "+989", "X"), Match::New),
            (known("1", "", "", "", ""), Match::New),
        ] {
            assert_eq!(found(&wanted), expected, "{wanted:?}");
        }
        let several = Match::Several { keys: vec!["c".into(), "d".into()], rule: Rule::NationalId };
        assert_eq!(found(&known("1", "", "003", "+981", "Ali")), several);
        let clash = |fields: &[Field]| Match::Clash { key: "a".into(), fields: fields.to_vec() };
        assert_eq!(found(&known("1", "100-1", "009", "+981", "Ali")), clash(&[Field::NationalId]));
        assert_eq!(found(&known("1", "100-1", "", "+989", "Other")), clash(&[Field::Mobile, Field::Name]));
        let company = Known { kind: Some("organization".into()), ..known("1", "100-1", "", "", "") };
        assert_eq!(found(&company), clash(&[Field::Kind]));
    }
}
