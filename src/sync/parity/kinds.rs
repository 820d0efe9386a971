//! The money of a shop by kind and by type of document, on both sides: a type that one side lacks is
//! named, however small it is.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cause, Item, Line};
use crate::model::amount::{MONEY, show};
use crate::model::record::Entry;
use crate::store::entry::Documents;

/// How many movements, and their money in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Figure {
    count: u64,
    amount: i128,
}

/// Movements of money by type of document and kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Kinds {
    figures: BTreeMap<(String, String), Figure>,
    /// Those of the source that lie before the days that are kept, by type of document.
    unread: BTreeMap<String, u64>,
}

impl Kinds {
    /// Counts a movement of the source.
    pub(super) fn add(&mut self, entry: &Entry) {
        let class = entry.document_type.clone().unwrap_or_default();
        self.figure(class, entry.kind.word(), 1, entry.amount.unwrap_or(0).into());
    }

    /// Counts movements of the mirror.
    pub(super) fn add_stored(&mut self, stored: Vec<Documents>) {
        for of in stored {
            self.figure(of.class, &of.kind, of.count, of.amount.into());
        }
    }

    /// Counts movements of the source that the mirror does not keep, for they lie before its days.
    pub(super) fn add_unread(&mut self, class: &str, count: u64) {
        *self.unread.entry(class.to_owned()).or_default() += count;
    }

    /// The types of documents there are.
    pub(super) fn classes(&self) -> BTreeSet<&str> {
        self.figures.keys().map(|(class, _)| class.as_str()).collect()
    }

    fn figure(&mut self, class: String, kind: &str, count: u64, amount: i128) {
        let figure = self.figures.entry((class, kind.to_owned())).or_default();
        figure.count += count;
        figure.amount += amount;
    }

    fn sum(&self, wanted: impl Fn(&str, &str) -> bool) -> Figure {
        let of = self.figures.iter().filter(|((class, kind), _)| wanted(class, kind));
        of.fold(Figure::default(), |sum, (_, figure)| Figure {
            count: sum.count + figure.count,
            amount: sum.amount + figure.amount,
        })
    }
}

/// Both sides by kind, with the types of documents that make a difference, and by type of document.
pub(super) fn items(system: &str, currency: &str, source: &Kinds, mirror: &Kinds) -> Vec<Item> {
    let classes: BTreeSet<&str> = source.classes().union(&mirror.classes()).copied().collect();
    let money = |what: &str, wanted: &dyn Fn(&str, &str) -> bool| {
        let (there, ours) = (source.sum(wanted), mirror.sum(wanted));
        let by_class = classes.iter().filter_map(|class| {
            let of = |side: &Kinds| side.sum(|c, kind| c == *class && wanted(c, kind));
            difference(class, of(source), of(mirror))
        });
        line(what, currency, there, ours, by_class.collect())
    };
    let kinds = ["opening_balance", "purchase", "return"];
    let mut by_kind: Vec<Line> = kinds.iter().map(|kind| money(kind, &|_, k| k == *kind)).collect();
    by_kind.push(money("total", &|_, _| true));
    let mut by_document: Vec<Line> = Vec::new();
    for class in &classes {
        let (there, ours) = (source.sum(|c, _| c == *class), mirror.sum(|c, _| c == *class));
        let rule = match (there.count, ours.count) {
            (_, 0) => "class_not_in_mirror",
            (0, _) => "class_not_in_source",
            _ => "class_differs",
        };
        by_document.push(line(
            class,
            currency,
            there,
            ours,
            difference(rule, there, ours).into_iter().collect(),
        ));
    }
    for (class, count) in source.unread.iter().filter(|(class, _)| !classes.contains(class.as_str())) {
        let cause = Cause { rule: "before_window".to_owned(), count: *count, amount: None };
        by_document.push(Line {
            what: class.clone(),
            source: None,
            mirror: None,
            difference: None,
            unit: currency.to_owned(),
            equal: true,
            causes: vec![cause],
        });
    }
    let item = |subject: &str, lines| Item {
        subject: format!("{system}/{subject}"),
        lines,
        not_compared: Vec::new(),
    };
    vec![item("kinds", by_kind), item("documents", by_document)]
}

/// Mirror − source as a cause, where there is a difference of rows or money.
fn difference(rule: &str, there: Figure, ours: Figure) -> Option<Cause> {
    let amount = ours.amount - there.amount;
    (there != ours).then(|| Cause {
        rule: rule.to_owned(),
        count: ours.count.abs_diff(there.count),
        amount: Some(show(amount, MONEY)),
    })
}

fn line(what: &str, currency: &str, there: Figure, ours: Figure, causes: Vec<Cause>) -> Line {
    Line {
        what: what.to_owned(),
        source: Some(show(there.amount, MONEY)),
        mirror: Some(show(ours.amount, MONEY)),
        difference: Some(show(ours.amount - there.amount, MONEY)),
        unit: currency.to_owned(),
        equal: there == ours,
        causes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::EntryKind;

    fn side(rows: &[(&str, EntryKind, i64)]) -> Kinds {
        let mut kinds = Kinds::default();
        for (class, kind, amount) in rows {
            let class = Some((*class).to_owned());
            kinds.add(&Entry {
                kind: *kind,
                document_type: class,
                amount: Some(*amount),
                ..Entry::default()
            });
        }
        kinds
    }

    #[test]
    fn a_type_of_document_that_one_side_lacks_is_named() {
        let mut source = side(&[
            ("Document_A", EntryKind::Opening, 500),
            ("Document_B", EntryKind::Purchase, 300),
            ("Document_B", EntryKind::Return, -100),
        ]);
        source.add_unread("Document_B", 3);
        source.add_unread("Document_C", 4);
        let mirror = side(&[
            ("Document_B", EntryKind::Purchase, 300),
            ("Document_B", EntryKind::Return, -100),
            ("Document_D", EntryKind::Purchase, 0),
        ]);
        let items = items("shop", "RUB", &source, &mirror);
        let told = |item: &Item| -> Vec<String> {
            let line = |l: &Line| {
                let causes: Vec<String> = l
                    .causes
                    .iter()
                    .map(|c| format!("{} {} {}", c.rule, c.count, c.amount.as_deref().unwrap_or("–")))
                    .collect();
                let difference = l.difference.as_deref().unwrap_or("–");
                format!("{} {difference} {} [{}]", l.what, l.equal, causes.join(", "))
            };
            item.lines.iter().map(line).collect()
        };
        let by_kind = [
            "opening_balance -5.00 false [Document_A 1 -5.00]",
            // A row without money is a row all the same.
            "purchase 0.00 false [Document_D 1 0.00]",
            "return 0.00 true []",
            "total -5.00 false [Document_A 1 -5.00, Document_D 1 0.00]",
        ];
        assert_eq!(told(&items[0]), by_kind);
        let by_document = [
            "Document_A -5.00 false [class_not_in_mirror 1 -5.00]",
            "Document_B 0.00 true []",
            "Document_D 0.00 false [class_not_in_source 1 0.00]",
            "Document_C – true [before_window 4 –]",
        ];
        assert_eq!(told(&items[1]), by_document);
    }
}
