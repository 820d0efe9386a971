//! A shop's customer as its person, cards and movements make it. Pure.

use super::add_values;
use crate::model::SystemRules;
use crate::model::customer::{Moved, Name, PointsRule, ShopPart, ShopView, View};

/// Adds up a customer of a shop. A card that is gone or a person that is gone says nothing, unless all
/// are; movements count all the same.
pub fn view(name: Name<'_>, parts: &[ShopPart<'_>], moved: Option<&Moved<'_>>, rules: &SystemRules) -> View {
    let gone = parts.iter().all(|part| part.gone) && !parts.is_empty();
    let mut told: Vec<&ShopPart<'_>> = parts.iter().filter(|part| gone || !part.gone).collect();
    // Not in the order they came in, which is another each time where a base orders nothing.
    told.sort_by_key(|part| (part.is_card, part.name, part.phone, part.raw));
    let (persons, cards) = told.split_at(told.partition_point(|part| !part.is_card));
    let (owner, rule) = rules.owners.owner([]);
    let first = |parts: &[&ShopPart<'_>], what: fn(&ShopPart<'_>) -> String| {
        parts.iter().map(|part| what(part)).find(|said| !said.is_empty())
    };
    // The card's phone is the one that people are looked up by.
    let phone = first(cards, |part| part.phone.to_owned())
        .or_else(|| first(persons, |part| part.phone.to_owned()))
        .or_else(|| first(cards, |part| part.phone_typed.to_owned()))
        .or_else(|| first(persons, |part| part.phone_typed.to_owned()));
    let nothing = Moved::default();
    let moved = moved.unwrap_or(&nothing);
    let spent = match (moved.opening, moved.purchased) {
        (None, None) => None,
        (opening, purchased) => Some(opening.unwrap_or(0) + purchased.unwrap_or(0)),
    };
    let shop = ShopView {
        name: first(persons, |part| part.name.to_owned())
            .or_else(|| first(cards, |part| part.name.to_owned())),
        email: first(persons, |part| part.email.to_owned()),
        born: first(persons, |part| part.born.to_owned()),
        city: first(persons, |part| part.city.to_owned()),
        city_rule: first(persons, |part| part.city_rule.to_owned()),
        opening: moved.opening,
        purchased: moved.purchased,
        spent,
        purchases: Some(moved.purchases),
        last_purchase: Some(moved.last_purchase.to_owned()).filter(|day| !day.is_empty()),
        points: match rules.points.unwrap_or_default() {
            PointsRule::Movements => moved.movements.map(|points| points.max(0)),
            PointsRule::LastRecord => moved.last_record,
        },
        points_until: moved.until,
        phone,
        ..ShopView::default()
    };
    View {
        id: name.id,
        system: name.system.to_owned(),
        key: name.key.to_owned(),
        // A supplier is in the same catalog; a customer has a card, or has bought with one.
        hidden: parts.iter().all(|part| !part.is_card) && spent.is_none() && shop.points.is_none(),
        gone,
        owner: owner.to_owned(),
        owner_rule: rule.word(),
        accounts: cards.len() as i64,
        account_numbers: cards.iter().map(|card| card.name).collect::<Vec<_>>().join(" "),
        text: search_text(&told, &shop),
        shop: Some(shop),
        ..View::default()
    }
}

/// Everything the records say, and phones the way people type them.
fn search_text(parts: &[&ShopPart<'_>], shop: &ShopView) -> String {
    let mut text = String::new();
    add_values(&mut text, parts.iter().map(|part| part.raw));
    let phones = parts.iter().map(|part| part.phone).filter_map(|phone| phone.strip_prefix("+7"));
    let phones: Vec<String> =
        phones.flat_map(|national| [format!("+7{national}"), format!("8{national}")]).collect();
    for value in phones.iter().chain(&shop.city).chain(&shop.name) {
        super::add_value(&mut text, value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_its_person_its_cards_and_what_moved() {
        let person = ShopPart {
            name: "Имя", city: "Ялта", raw: r#"{"ФИО":"Имя"}"#, ..ShopPart::default()
        };
        let card = ShopPart { is_card: true, phone: "+77000000001", raw: "{}", ..ShopPart::default() };
        let lost =
            ShopPart { is_card: true, gone: true, phone: "+77000000002", raw: "{}", ..ShopPart::default() };
        let moved = Moved {
            opening: Some(23_236_000),
            purchased: Some(13_269_400),
            movements: Some(-5),
            last_record: Some(4500),
            ..Moved::default()
        };
        let rules = SystemRules::default();
        let view = |parts: &[ShopPart<'_>], moved| view(Name::default(), parts, moved, &rules);
        let whole = view(&[person.clone(), card, lost], Some(&moved));
        let shop = whole.shop.unwrap();
        assert_eq!((shop.spent, shop.points, whole.accounts), (Some(36_505_400), Some(0), 1));
        assert_eq!(shop.phone.as_deref(), Some("+77000000001"));
        assert_eq!(whole.text, "имя\n+77000000001\n87000000001\nялта\n");
        // Nothing is known of what a customer without movements has spent: that is not zero.
        let alone = view(&[person], None);
        assert!(alone.hidden);
        let shop = alone.shop.unwrap();
        assert_eq!((shop.spent, shop.points), (None, None));
        let rules = SystemRules { points: Some(PointsRule::LastRecord), ..SystemRules::default() };
        assert_eq!(super::view(Name::default(), &[], Some(&moved), &rules).shop.unwrap().points, Some(4500));
    }
}
