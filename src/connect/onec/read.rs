//! What the rows of 1C say: cards, counterparties, sales and points by card, products.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::contact::{Contact, contacts};
use super::{Onec, city};
use crate::connect::LeftOut;
use crate::connect::loose::{Loose, fields, first, tokens};
use crate::model::amount::{MONEY, QUANTITY};
use crate::model::record::{Card, Entry, EntryKind, Person, Product};
use crate::model::{Reject, phone};

/// A reference that is not set.
const UNSET: &str = "00000000-0000-0000-0000-000000000000";
/// The first day there is: a date that is not set.
const NEVER: &str = "0001-01-01";
/// Up to this year a date of birth is somebody's default.
const BORN_AFTER: &str = "1900-12-31";

const NOT_AN_OBJECT: LeftOut = LeftOut::Rejected(Reject { rule: "not_an_object", field: "" });

/// The key of an element of a catalog.
pub(super) fn element_key(raw: &str) -> Option<String> {
    reference(&first(raw, "Ref_Key"))
}

/// The key of a row of a register: two equal lines of one document are two rows.
pub(super) fn row_key(raw: &str) -> Option<String> {
    let [kind, document, line] = fields(raw, &["Recorder_Type", "Recorder", "LineNumber"])?;
    let (document, line) = (reference(&document)?, line.id()?);
    Some(joined(document_type(&kind), &document, &line))
}

/// The type of the document that made a row of a register.
pub(super) fn made_by(raw: &str) -> Option<String> {
    document_type(&first(raw, "Recorder_Type")).map(str::to_owned)
}

/// The key of a movement that was read.
pub fn entry_key(entry: &Entry) -> String {
    joined(entry.document_type.as_deref(), &entry.document, &entry.line)
}

fn joined(kind: Option<&str>, document: &str, line: &str) -> String {
    format!("{} {document} {line}", kind.unwrap_or_default())
}

/// How the name of a card begins.
pub const CARD_NAME: &str = "cards ";

/// What the records of a card are named by.
pub fn card_name(card: &str) -> String {
    format!("{CARD_NAME}{card}")
}

/// A reference, `None` when it is not set.
fn reference(value: &Loose<'_>) -> Option<String> {
    value.text().map(str::to_ascii_lowercase).filter(|reference| reference != UNSET)
}

/// A date without its time, `None` when it is not set.
fn date(value: &Loose<'_>, field: &'static str) -> Result<Option<String>, Reject> {
    Ok(value.date_of(field)?.filter(|date| date != NEVER))
}

/// The type of a document, without the prefix that some bases write.
fn document_type<'a>(value: &'a Loose<'_>) -> Option<&'a str> {
    value.text().map(|kind| kind.strip_prefix("StandardODATA.").unwrap_or(kind))
}

impl Onec {
    /// A card of `Catalog_ДисконтныеКарты`.
    pub(super) fn card(&self, raw: &str) -> Result<Card, LeftOut> {
        let names = [
            "Ref_Key",
            "Code",
            "Description",
            "КодКартыШтрихкод",
            "ВладелецКарты_Key",
            "DeletionMark",
            "IsFolder",
        ];
        let [key, code, name, typed, owner, marked, folder] = fields(raw, &names).ok_or(NOT_AN_OBJECT)?;
        if folder.flag() == Some(true) {
            return Err(LeftOut::Excluded("folder"));
        }
        Ok(Card {
            key: reference(&key).ok_or(no_key("Ref_Key"))?,
            client_key: reference(&owner),
            number: code.id().or_else(|| name.id()),
            phone: typed.text().and_then(|typed| phone::e164(typed, &self.region)),
            phone_typed: typed.owned(),
            marked: marked.flag() == Some(true),
        })
    }

    /// A counterparty of `Catalog_Контрагенты`.
    pub(super) fn counterparty(&self, raw: &str) -> Result<Person, LeftOut> {
        let names = [
            "Ref_Key",
            "Description",
            "НаименованиеПолное",
            "ФИО",
            "ДатаРождения",
            "НомерТелефонаДляПоиска",
            "АдресЭПДляПоиска",
            "ОсновныеСведения",
            "IsFolder",
            "DeletionMark",
        ];
        let [key, short, full, own, born, phone_found, email_found, _, folder, marked] =
            fields(raw, &names).ok_or(NOT_AN_OBJECT)?;
        if folder.flag() == Some(true) {
            return Err(LeftOut::Excluded("folder"));
        }
        let [listed, main_info] =
            tokens(raw, &["КонтактнаяИнформация", "ОсновныеСведения"]).ok_or(NOT_AN_OBJECT)?;
        let contacts = listed.map(|listed| contacts(listed.get())).unwrap_or_default();
        // Its lines count, so it is not taken by `fields`, which knows none.
        let main_info: String =
            main_info.and_then(|text| serde_json::from_str(text.get()).ok()).unwrap_or_default();
        let of = |kind: &str, value: fn(&Contact) -> [&str; 2]| {
            let rows = contacts.iter().filter(move |contact| contact.kind == kind);
            let found = rows.flat_map(value).map(str::trim).find(|text| !text.is_empty());
            found.map(|text| text.replace(char::is_control, " "))
        };
        let typed = of("Телефон", |row| [&row.phone, &row.shown]).or_else(|| phone_found.owned());
        let city = city::city(&self.city_rules, &main_info, &contacts);
        Ok(Person {
            client_key: reference(&key).ok_or(no_key("Ref_Key"))?,
            name: [own, full, short].iter().find_map(Loose::owned),
            phone: typed.as_deref().and_then(|typed| phone::e164(typed, &self.region)),
            phone_typed: typed,
            email: of("АдресЭлектроннойПочты", |row| [&row.email, &row.shown])
                .or_else(|| email_found.owned()),
            born: date(&born, "ДатаРождения")?.filter(|born| born.as_str() > BORN_AFTER),
            city_rule: city.as_ref().map(|(_, rule)| rule.word().to_owned()),
            city: city.map(|(city, _)| city.replace(char::is_control, " ")),
            marked: marked.flag() == Some(true),
        })
    }

    /// A row of sales by card: of the opening balances, or (`opening` false) of everything else.
    pub(super) fn sale(&self, raw: &str, opening: bool) -> Result<Entry, LeftOut> {
        let names = [
            "Period",
            "Recorder",
            "Recorder_Type",
            "LineNumber",
            "Active",
            "ДисконтнаяКарта_Key",
            "Номенклатура_Key",
            "Количество",
            "Сумма",
        ];
        let [period, document, kind, line, active, card, product, quantity, sum] =
            fields(raw, &names).ok_or(NOT_AN_OBJECT)?;
        let is_opening = document_type(&kind) == Some(self.entities.opening.as_str());
        if is_opening != opening {
            return Err(LeftOut::Excluded(if is_opening { "opening_balance" } else { "other_document" }));
        }
        let amount = sum.amount_of("Сумма", MONEY)?;
        let card = self.counted(&active, &card)?;
        Ok(Entry {
            kind: match (opening, amount) {
                (true, _) => EntryKind::Opening,
                (false, Some(amount)) if amount < 0 => EntryKind::Return,
                (false, _) => EntryKind::Purchase,
            },
            product_key: reference(&product),
            quantity: quantity.amount_of("Количество", QUANTITY)?,
            amount: Some(amount.ok_or(Reject { rule: "no_amount", field: "Сумма" })?),
            ..self.entry(card, &period, &document, &kind, &line)?
        })
    }

    /// A row of the register of points.
    pub(super) fn points(&self, raw: &str) -> Result<Entry, LeftOut> {
        let names = [
            "Period",
            "Recorder",
            "Recorder_Type",
            "LineNumber",
            "Active",
            "БонуснаяКарта_Key",
            "Начислено",
            "КСписанию",
        ];
        let [period, document, kind, line, active, card, earned, spent] =
            fields(raw, &names).ok_or(NOT_AN_OBJECT)?;
        let (points_in, points_out) =
            (earned.amount_of("Начислено", MONEY)?, spent.amount_of("КСписанию", MONEY)?);
        let card = self.counted(&active, &card)?;
        Ok(Entry {
            kind: EntryKind::Points,
            points_in,
            points_out,
            ..self.entry(card, &period, &document, &kind, &line)?
        })
    }

    /// A product of `Catalog_Номенклатура`.
    pub(super) fn product(&self, raw: &str) -> Result<Product, LeftOut> {
        let names = ["Ref_Key", "Description", "Артикул", "Code", "IsFolder"];
        let [key, name, article, code, folder] = fields(raw, &names).ok_or(NOT_AN_OBJECT)?;
        if folder.flag() == Some(true) {
            return Err(LeftOut::Excluded("folder"));
        }
        reference(&key).ok_or(no_key("Ref_Key"))?;
        Ok(Product { name: name.owned(), article: article.id(), code: code.id() })
    }

    /// The card of a row that counts: an inactive row does not, and one without a card is nobody's.
    fn counted(&self, active: &Loose<'_>, card: &Loose<'_>) -> Result<String, LeftOut> {
        if active.flag() == Some(false) {
            return Err(LeftOut::Excluded("inactive"));
        }
        reference(card).ok_or(LeftOut::Excluded("no_card"))
    }

    fn entry(
        &self,
        card: String,
        period: &Loose<'_>,
        document: &Loose<'_>,
        kind: &Loose<'_>,
        line: &Loose<'_>,
    ) -> Result<Entry, LeftOut> {
        let bad_date = Reject { rule: "bad_date", field: "Period" };
        let clock = period.text().and_then(|text| text.parse::<DateTime>().ok()).ok_or(bad_date)?;
        Ok(Entry {
            client_key: card_name(&card),
            card_key: card,
            at: instant(clock, &self.zone).ok_or(Reject { rule: "bad_date", field: "Period" })?,
            day: clock.date().to_string(),
            document: reference(document).ok_or(no_key("Recorder"))?,
            document_type: document_type(kind).map(str::to_owned),
            line: line.id().ok_or(no_key("LineNumber"))?,
            ..Entry::default()
        })
    }
}

/// The wall clock of the base as microseconds since 1970 UTC.
fn instant(clock: DateTime, zone: &TimeZone) -> Option<i64> {
    Some(clock.to_zoned(zone.clone()).ok()?.timestamp().as_microsecond())
}

fn no_key(field: &'static str) -> Reject {
    Reject { rule: "no_key", field }
}
