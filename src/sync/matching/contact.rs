//! A customer as its contact in a CRM or a finance system describes it. Pure.

use super::add_values;
use crate::model::SystemRules;
use crate::model::customer::{ContactPart, Name, ShopView, View};

/// What lists show of a contact; hidden when no record makes it.
pub fn view(name: Name<'_>, part: Option<&ContactPart<'_>>, rules: &SystemRules) -> View {
    let (owner, rule) = rules.owners.owner([]);
    let empty = View {
        id: name.id,
        system: name.system.to_owned(),
        key: name.key.to_owned(),
        hidden: true,
        owner: owner.to_owned(),
        owner_rule: rule.word(),
        ..View::default()
    };
    let Some(part) = part else { return empty };
    let said = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let mut text = String::new();
    add_values(&mut text, std::iter::once(part.raw));
    for phone in [part.mobile, part.telephone] {
        // Also the way it is dialled from abroad, whatever was typed.
        super::add_value(&mut text, phone);
    }
    View {
        hidden: false,
        gone: part.gone,
        text,
        shop: Some(ShopView {
            name: said(part.name),
            phone: said(part.mobile).or_else(|| said(part.telephone)),
            email: said(part.email),
            kind: said(part.kind),
            number: said(part.number),
            national_id: said(part.national_id),
            ..ShopView::default()
        }),
        ..empty
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_shown_as_it_describes_itself() {
        let part = ContactPart {
            kind: "person",
            name: "Sample",
            number: "100-2045",
            telephone: "+982100000001",
            raw: r#"{"Name":"Sample","Code":1045}"#,
            ..ContactPart::default()
        };
        let shown = view(Name::default(), Some(&part), &SystemRules::default());
        assert_eq!(shown.text, "sample\n1045\n+982100000001\n");
        let named = shown.shop.unwrap();
        assert_eq!((named.phone.as_deref(), named.purchases), (Some("+982100000001"), None));
        assert!(view(Name::default(), None, &SystemRules::default()).hidden);
    }
}
