//! What must change on the side that follows: the three-way comparison of what was agreed last, what the
//! master says and what the other side has. Pure.

use serde::{Deserialize, Serialize};

use crate::model::flow::{Authority, Who};
use crate::model::{Contact, Field};

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The field.
    pub name: Field,
    /// What both had when they agreed last.
    pub agreed: Option<String>,
    /// What the master says.
    pub source: Option<String>,
    /// What the other side has.
    pub destination: Option<String>,
    /// What it becomes there; `None` = it is emptied.
    pub to: Option<String>,
}

/// What is to be done about the fields that differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// These are written.
    pub changes: Vec<Difference>,
    /// About these a person must decide: both sides have moved.
    pub questions: Vec<Difference>,
    /// Of the changes, those that undo an edit that was made on the other side only.
    pub overridden: Vec<Field>,
    /// Whether the questions are only about what was overwritten again and again.
    pub again_and_again: bool,
}

/// Compares the fields a flow carries. `source` is what the other side would have if it followed.
pub fn compare(
    fields: &[Field],
    authority: &Authority,
    agreed: Option<&Contact>,
    source: &Contact,
    destination: &Contact,
    region: &str,
) -> Comparison {
    let mut done = Comparison::default();
    for field in fields {
        if source.agrees(destination, *field, region) {
            continue;
        }
        let before = agreed.and_then(|agreed| agreed.get(*field));
        let same = |side: &Contact| agreed.is_some_and(|agreed| agreed.agrees(side, *field, region));
        let (source_moved, destination_moved) = (!same(source), !same(destination));
        let (said, has) = (source.get(*field), destination.get(*field));
        // What the master never said is not its to empty.
        if said.is_none() && before.is_none() {
            continue;
        }
        let difference = Difference {
            name: *field,
            agreed: before.map(str::to_owned),
            source: said.map(str::to_owned),
            destination: has.map(str::to_owned),
            to: said.map(str::to_owned),
        };
        match authority.of(*field) {
            Who::Source => {
                if agreed.is_some() && destination_moved && !source_moved {
                    done.overridden.push(*field);
                }
                done.changes.push(difference);
            }
            Who::Destination if has.is_none() => done.changes.push(difference),
            Who::Destination => {}
            Who::Ask if has.is_none() && agreed.is_none() => done.changes.push(difference),
            Who::Ask if destination_moved => done.questions.push(difference),
            Who::Ask => done.changes.push(difference),
        }
    }
    done
}

/// The other side's content with these changes made.
pub fn changed(destination: &Contact, changes: &[Difference]) -> Contact {
    let mut contact = destination.clone();
    for change in changes {
        contact.set(change.name, change.to.as_deref());
    }
    contact
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(value: &str) -> Contact {
        Contact::default().with(Field::Email, value)
    }

    #[test]
    fn three_values_and_who_is_right_tell_what_is_done() {
        // (agreed, source, destination, who) → (written, asked, overridden)
        for (agreed, source, destination, who, expected) in [
            (Some("a"), "a", "a", Who::Source, (false, false, false)),
            (Some("a"), "b", "a", Who::Source, (true, false, false)),
            (Some("a"), "a", "b", Who::Source, (true, false, true)),
            (Some("a"), "b", "c", Who::Source, (true, false, false)),
            (Some("a"), "", "a", Who::Source, (true, false, false)),
            (Some(""), "", "b", Who::Source, (false, false, false)),
            (None, "b", "a", Who::Source, (true, false, false)),
            (None, "", "a", Who::Source, (false, false, false)),
            (None, "A", " a ", Who::Source, (false, false, false)),
            (Some("a"), "b", "a", Who::Destination, (false, false, false)),
            (Some("a"), "b", "", Who::Destination, (true, false, false)),
            (Some("a"), "b", "a", Who::Ask, (true, false, false)),
            (Some("a"), "a", "b", Who::Ask, (false, true, false)),
            (Some("a"), "b", "c", Who::Ask, (false, true, false)),
            (Some("a"), "b", "b", Who::Ask, (false, false, false)),
            (None, "b", "", Who::Ask, (true, false, false)),
            (None, "b", "a", Who::Ask, (false, true, false)),
        ] {
            let authority = Authority { default: who, ..Authority::default() };
            let agreed_contact = agreed.map(email);
            let done = compare(
                &[Field::Email],
                &authority,
                agreed_contact.as_ref(),
                &email(source),
                &email(destination),
                "IR",
            );
            let found = (!done.changes.is_empty(), !done.questions.is_empty(), !done.overridden.is_empty());
            assert_eq!(found, expected, "{agreed:?} {source} {destination} {who:?}");
            if found.0 {
                let after = changed(&email(destination), &done.changes);
                assert!(after.agrees(&email(source), Field::Email, "IR"));
            }
        }
    }

    #[test]
    fn a_field_may_have_a_side_of_its_own() {
        let mut authority = Authority::default();
        authority.fields.insert(Field::Email, Who::Destination);
        let source = email("a").with(Field::Name, "A");
        let destination = email("b").with(Field::Name, "B");
        let done = compare(&[Field::Name, Field::Email], &authority, None, &source, &destination, "IR");
        assert_eq!(done.changes.iter().map(|change| change.name).collect::<Vec<_>>(), [Field::Name]);
    }
}
