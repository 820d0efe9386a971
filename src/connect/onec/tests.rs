//! What 1C says is understood as its wire page tells: keys, absence, money, time, and the way it is
//! asked.

use super::envelope;
use super::*;
use crate::connect::http::NotWhole;
use crate::model::Reject;
use crate::model::record::EntryKind;

const CARD: &str = "0a000000-0000-4000-8000-000000000001";
const ZERO: &str = "00000000-0000-0000-0000-000000000000";
const DOCUMENT: &str = "0D000000-0000-4000-8000-000000000001";

fn shop() -> Onec {
    let text = "base_url = \"https://1c.example.test/odata\"\nusername = \"a\"\npassword = \"b\"";
    let mut shop: Onec = toml::from_str(text).unwrap();
    shop.zone = TimeZone::get("Europe/Simferopol").unwrap();
    shop
}

/// A JSON object with one field replaced, by its text.
fn with(json: &str, field: &str, value: &str) -> String {
    let mut row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(json).unwrap();
    row.insert(field.to_owned(), serde_json::from_str(value).unwrap());
    serde_json::to_string(&row).unwrap()
}

fn sale() -> String {
    format!(
        r#"{{"Period":"2025-03-30T23:30:00","Recorder":"{DOCUMENT}","Recorder_Type":"StandardODATA.Document_ЧекККМ","LineNumber":"2","Active":true,"ДисконтнаяКарта_Key":"{CARD}","Номенклатура_Key":"{ZERO}","Количество":"1.5","Сумма":1240.5}}"#
    )
}

fn entry(json: &str) -> Result<crate::model::record::Entry, LeftOut> {
    match shop().read(stream(PURCHASES), json)? {
        Record::Entry(entry) => Ok(entry),
        other => panic!("no movement: {other:?}"),
    }
}

#[test]
fn a_sale_is_read() {
    let sold = entry(&sale()).unwrap();
    assert_eq!(
        (sold.kind, sold.amount, sold.quantity),
        (EntryKind::Purchase, Some(124_050), Some(150_000_000))
    );
    assert_eq!((sold.client_key, sold.card_key), (format!("cards {CARD}"), CARD.to_owned()));
    assert_eq!(sold.product_key, None);
    assert_eq!(sold.document_type.as_deref(), Some("Document_ЧекККМ"));
    // The wall clock of the base, three hours ahead of UTC; its day is the base's own.
    assert_eq!((sold.at, sold.day.as_str()), (1_743_366_600_000_000, "2025-03-30"));
    assert_eq!(entry(&with(&sale(), "Сумма", "\"-5\"")).unwrap().kind, EntryKind::Return);
    assert_eq!(
        read::row_key(&sale()).unwrap(),
        format!("Document_ЧекККМ {} 2", DOCUMENT.to_lowercase()),
        "two lines of a document are two rows"
    );
}

#[test]
fn rows_that_do_not_count_are_left_out_by_rule() {
    let opening = "\"Document_ВводНачальныхОстатков\"";
    for (field, value, why) in [
        ("Active", "false", LeftOut::Excluded("inactive")),
        ("ДисконтнаяКарта_Key", &format!("\"{ZERO}\""), LeftOut::Excluded("no_card")),
        ("Recorder_Type", opening, LeftOut::Excluded("opening_balance")),
        ("Period", "\"soon\"", LeftOut::Rejected(Reject { rule: "bad_date", field: "Period" })),
        ("Сумма", "\"1.234\"", LeftOut::Rejected(Reject { rule: "amount_not_exact", field: "Сумма" })),
        ("Сумма", "null", LeftOut::Rejected(Reject { rule: "no_amount", field: "Сумма" })),
    ] {
        assert_eq!(entry(&with(&sale(), field, value)).unwrap_err(), why, "{field} {value}");
    }
    let read = |json: &str| shop().read(stream(OPENING), json);
    assert_eq!(read(&sale()).unwrap_err(), LeftOut::Excluded("other_document"));
    let Record::Entry(balance) = read(&with(&sale(), "Recorder_Type", opening)).unwrap() else { panic!() };
    assert_eq!(balance.kind, EntryKind::Opening);
    let sums = shop().amounts(stream(PURCHASES), &with(&sale(), "Active", "false"));
    assert_eq!(sums.get(AMOUNT), Some(124_050));
}

#[test]
fn a_card_is_read() {
    let json = format!(
        r#"{{"Ref_Key":"{CARD}","Code":"000000012","Description":"x","КодКартыШтрихкод":"87000000001","ВладелецКарты_Key":"{ZERO}","DeletionMark":true}}"#
    );
    let Record::Card(card) = shop().read(stream(CARDS), &json).unwrap() else { panic!() };
    assert_eq!((card.client_key, card.number.as_deref()), (None, Some("000000012")));
    assert_eq!((card.phone.as_deref(), card.marked), (Some("+77000000001"), true));
    let folder = with(&json, "IsFolder", "true");
    assert_eq!(shop().read(stream(CARDS), &folder).unwrap_err(), LeftOut::Excluded("folder"));
    let nameless = with(&json, "Ref_Key", &format!("\"{ZERO}\""));
    assert!(matches!(shop().read(stream(CARDS), &nameless), Err(LeftOut::Rejected(_))));
}

#[test]
fn a_counterparty_is_read() {
    let xml = r#"<КонтактнаяИнформация xmlns=\"http://www.v8.1c.ru/ssl/contactinfo\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><Состав xsi:type=\"Адрес\" Страна=\"РОССИЯ\"><Состав xsi:type=\"АдресРФ\"><Город/><Улица>Керчь</Улица></Состав></Состав></КонтактнаяИнформация>"#;
    let json = format!(
        r#"{{"Ref_Key":"{CARD}","DataVersion":"AAAAAQ==","Description":"Коротко","НаименованиеПолное":"Полное имя","ФИО":"","ДатаРождения":"1900-01-01T00:00:00","ОсновныеСведения":"Имя\r\n+7 700\r\nr@example.test","IsFolder":false,"КонтактнаяИнформация":[{{"Тип":"Телефон","Представление":"8 (700) 000-00-02","НомерТелефона":""}},{{"Тип":"АдресЭлектроннойПочты","АдресЭП":"r@example.test"}},{{"Тип":"Адрес","Представление":"г. Саки","Город":"","ЗначенияПолей":"{xml}"}}]}}"#
    );
    let Record::Person(person) = shop().read(stream(CUSTOMERS), &json).unwrap() else { panic!() };
    assert_eq!(person.name.as_deref(), Some("Полное имя"));
    assert_eq!(
        (person.phone.as_deref(), person.email.as_deref()),
        (Some("+77000000002"), Some("r@example.test"))
    );
    assert_eq!(
        (person.city.as_deref(), person.city_rule.as_deref()),
        (Some("Керчь"), Some("address_street"))
    );
    assert_eq!(person.born, None, "a date of birth up to 1900 is nobody's");
    let born = with(&json, "ДатаРождения", "\"1985-05-09T00:00:00\"");
    let third = with(&born, "ОсновныеСведения", "\"Имя\\n+7 700\\nСимферополь\\n\"");
    let Record::Person(person) = shop().read(stream(CUSTOMERS), &third).unwrap() else { panic!() };
    assert_eq!(person.born.as_deref(), Some("1985-05-09"));
    assert_eq!(
        (person.city.as_deref(), person.city_rule.as_deref()),
        (Some("Симферополь"), Some("main_info_line_3"))
    );
    let json = format!(
        r#"{{"Ref_Key":"{CARD}","КонтактнаяИнформация":[{{"Тип":"Адрес","ЗначенияПолей":"{{\"city\":\"Ялта\"}}"}},{{"Тип":7}},null]}}"#
    );
    let Record::Person(person) = shop().read(stream(CUSTOMERS), &json).unwrap() else { panic!() };
    assert_eq!((person.name, person.city.as_deref()), (None, Some("Ялта")));
}

#[test]
fn an_error_with_status_200_is_no_list() {
    let error = r#"{"odata.error":{"code":"-1","message":{"lang":"ru","value":"Нельзя"}}}"#;
    let rows = |text: &str| envelope::rows(text, read::element_key, true);
    assert_eq!(rows(error).unwrap_err(), NotWhole::Refused);
    assert_eq!(rows("{}").unwrap_err(), NotWhole::Shape("value"));
    assert_eq!(rows(r#"{"value":[{"#).unwrap_err(), NotWhole::Broken);
    let whole =
        rows(&format!(r#"{{"value":[{{"Ref_Key":"{CARD}","DataVersion":"AAAAAQ=="}},{{}}]}}"#)).unwrap();
    assert_eq!((whole[0].key.as_deref(), whole[0].version.as_deref()), (Some(CARD), Some("AAAAAQ==")));
    assert_eq!(whole[1].key, None);
    assert_eq!(envelope::count("\"12\""), Ok(12));
    assert_eq!(envelope::count(error), Err(NotWhole::Refused));
    assert_eq!(envelope::count("many"), Err(NotWhole::Shape("$count")));
}

#[test]
fn what_is_refused_is_asked_for_in_a_plainer_way() {
    let refused = || Error::Rejected(Message::new("connect-rejected"));
    let broken = || Error::Unavailable(Message::new("connect-broken-body"), None);
    let there = Place { skip: 2000, ..Place::first(0) };
    let unordered = there.clone().plainer(refused(), true).unwrap();
    assert_eq!((unordered.skip, unordered.way()), (2000, Some("unordered")));
    let unfiltered = unordered.clone().plainer(refused(), true).unwrap();
    assert_eq!((unfiltered.skip, unfiltered.way()), (0, Some("unfiltered")));
    assert_eq!(unfiltered.plainer(refused(), true).unwrap().way(), Some("unordered_unfiltered"));
    assert!(unordered.plainer(refused(), false).is_err(), "there is no condition to leave out");
    let mut place = there;
    for top in [500, 250, 125, 62, 50] {
        place = place.plainer(broken(), true).unwrap();
        assert_eq!((place.top, place.skip), (top, 2000));
    }
    assert!(place.clone().plainer(broken(), true).is_err(), "it is not made smaller than that");
    assert!(place.plainer(Error::Login(Message::new("connect-login-refused")), true).is_err());
}

#[test]
fn purchases_have_a_window_and_opening_balances_none() {
    let ask = Ask { today: Date::constant(2026, 3, 1), days: Some(30), ..Ask::default() };
    let filter = |name: &str| shop().set(stream(name), &ask).filter;
    let opening = "isof(Recorder,'Document_ВводНачальныхОстатков')";
    assert_eq!(filter(OPENING).as_deref(), Some(opening));
    let purchases = format!("Period ge datetime'2026-01-30T00:00:00' and not {opening}");
    assert_eq!(filter(PURCHASES), Some(purchases));
    assert_eq!(filter(POINTS), None);
    assert_eq!(shop().window(stream(PURCHASES), &ask).unwrap().0, Date::constant(2026, 1, 30));
    assert_eq!(shop().window(stream(OPENING), &ask), None);
    // However many days: from the first one there is.
    let ever = Ask { days: Some(u32::MAX), ..ask };
    assert_eq!(shop().window(stream(PURCHASES), &ever).unwrap().0, FIRST_DAY);
}
