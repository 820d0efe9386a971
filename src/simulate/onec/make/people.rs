//! Customers and their cards. All names, phones and addresses are invented.

mod contacts;

use std::sync::Arc;

use jiff::civil::{DateTime, date};

use super::super::shop::City;
use super::super::value::{Guid, Row, Value, unset_date};
use super::{Maker, REFERENCE_PHONE, TELLING_PHONE, version};
use contacts::typed;

const SURNAMES: [&str; 12] = [
    "Примеров",
    "Образцов",
    "Пробников",
    "Тестов",
    "Макетов",
    "Черновиков",
    "Шаблонов",
    "Эскизов",
    "Условнов",
    "Вымыслов",
    "Заглушкин",
    "Набросков",
];
const NAMES: [(&str, &str); 6] = [
    ("Андрей", "Тестович"),
    ("Борис", "Примерович"),
    ("Виктор", "Образцович"),
    ("Григорий", "Шаблонович"),
    ("Дмитрий", "Макетович"),
    ("Егор", "Эскизович"),
];
const TOWNS: [&str; 9] =
    ["Ялта", "Севастополь", "Евпатория", "Керчь", "Феодосия", "Алушта", "Джанкой", "Саки", "Судак"];

/// Names and remarks that break whoever does not treat text as text.
const HOSTILE: [&str; 7] = [
    "О'Тестов \"Кавычкин\" «Ёлочкин»",
    "<img src=x onerror=alert(1)>",
    "Образцов\u{202E}вортем\u{202C} \u{200F}Примеров",
    "=1+1",
    "'; DROP TABLE customer; --",
    "Тестов\tТаб\r\nПереносов \u{1F48D}",
    "&amp; ]]> %D0 {{7*7}}",
];

/// A customer to be made.
#[derive(Default)]
struct Person<'a> {
    phone: String,
    city: Option<(&'a str, &'static str)>,
    supplier: bool,
    index: u32,
}

impl Maker {
    /// Makes so many customers, folders and suppliers beside them, and the cards of all.
    pub(super) fn people(&mut self, count: u32) {
        for index in 0..(count / 50).max(3) {
            self.folder(&format!("Группа контрагентов {}", index + 1));
        }
        let remarkable = self.remarkable();
        for index in remarkable..count {
            let phone = phone(1_000 + index);
            let owner =
                self.person(&Person { city: town(index), index, phone: phone.clone(), supplier: false });
            // A card in thirty has no phone, some have it as it was typed.
            let code = match index % 30 {
                7 => String::new(),
                11 => typed(&phone, 1),
                17 => typed(&phone, 2),
                _ => phone,
            };
            self.card(&code, owner, index % 151 == 3);
            if index % 10 == 4 {
                self.card(&typed(&self::phone(600_000 + index), 3), owner, false);
            }
        }
        for index in 0..(count / 50).max(3) {
            self.person(&Person { phone: phone(900_000 + index), supplier: true, index, city: None });
        }
    }

    /// Those who tell the rules apart; says how many customers they are.
    fn remarkable(&mut self) -> u32 {
        let reference = Some(("Симферополь", "main_info_line_3"));
        let owner =
            self.person(&Person { phone: REFERENCE_PHONE.to_owned(), city: reference, ..Person::default() });
        let card = self.card(REFERENCE_PHONE, owner, false);
        self.roles.insert("reference", card);
        let owner =
            self.person(&Person { phone: TELLING_PHONE.to_owned(), city: town(1), ..Person::default() });
        let card = self.card(TELLING_PHONE, owner, false);
        self.roles.insert("telling", card);

        // Two owners with one phone stay two customers.
        for role in ["shared_phone_a", "shared_phone_b"] {
            let owner = self.person(&Person { phone: phone(10), city: town(2), ..Person::default() });
            let card = self.card(&phone(10), owner, false);
            self.roles.insert(role, card);
        }
        let owner = self.person(&Person { phone: phone(11), city: town(3), ..Person::default() });
        for role in ["two_of_one_a", "two_of_one_b"] {
            let card = self.card(&phone(11), owner, false);
            self.roles.insert(role, card);
        }
        // Cards without an owner, whose phone says who it is, or does not.
        self.person(&Person { phone: typed(&phone(12), 2), city: town(4), ..Person::default() });
        for _ in 0..2 {
            self.person(&Person { phone: phone(13), city: town(5), ..Person::default() });
        }
        for (role, number) in [("phone_of_one", 12), ("phone_of_two", 13), ("phone_of_nobody", 14)] {
            let card = self.card(&phone(number), Guid::default(), false);
            self.roles.insert(role, card);
        }
        for (role, number, deleted) in
            [("deleted_with_money", 15, true), ("overdrawn", 16, false), ("no_points", 17, false)]
        {
            let owner =
                self.person(&Person { phone: phone(number), city: town(number), ..Person::default() });
            let card = self.card(&phone(number), owner, deleted);
            self.roles.insert(role, card);
        }
        let owner = self.person(&Person { phone: String::new(), city: town(0), ..Person::default() });
        let card = self.card("", owner, false);
        self.roles.insert("no_phone", card);
        12
    }

    fn card(&mut self, code: &str, owner: Guid, deleted: bool) -> Guid {
        let guid = self.guid();
        let number = self.cards.len() + 1;
        let row: Row = [
            Value::Guid(guid),
            version(1),
            Value::Flag(deleted),
            Value::text(&format!("ДК-{number:07}")),
            Value::text(&format!("Дисконтная карта {number}")),
            Value::text(code),
            Value::Guid(owner),
        ]
        .into();
        self.cards.push(row);
        self.holders.push((guid, owner));
        guid
    }

    fn person(&mut self, person: &Person) -> Guid {
        let guid = self.guid();
        let serial = self.customers.len();
        let name = self.name();
        let index = person.index as usize;
        let hostile = (20..20 + HOSTILE.len()).contains(&index).then(|| HOSTILE[index - 20].to_owned());
        let long = (index == 27).then(|| "Длиннофамильев ".repeat(14).chars().take(200).collect());
        let name = hostile.or(long).unwrap_or(name);
        // The name is in one of three places, and the places before it are empty.
        let (short, full) = match index % 10 {
            8 => ("", name.as_str()),
            9 => ("", ""),
            _ => (name.as_str(), name.as_str()),
        };
        if let Some((town, rule)) = person.city {
            self.cities.insert(guid, City { name: town.to_owned(), rule });
        }
        let mail =
            if index.is_multiple_of(3) { format!("buyer{serial}@example.test") } else { String::new() };
        let contacts = self.contacts(guid, person, &mail);
        let comment = if index % 23 == 5 { HOSTILE[index % HOSTILE.len()] } else { "" };
        let row: Row = [
            Value::Guid(guid),
            version(1 + self.rng.u32(..5)),
            Value::Flag(index % 97 == 50),
            Value::text(&format!("00-{:08}", serial + 1)),
            Value::text(&name),
            Value::Flag(false),
            self.customers[0][0].clone(),
            Value::text(full),
            Value::text(short),
            Value::Date(self.birthday(index)),
            Value::Flag(!person.supplier),
            Value::text(if person.supplier { "0000000000" } else { "" }),
            Value::text(comment),
            Value::text(&typed(&person.phone, serial % 5)),
            Value::text(&mail),
            Value::text(&contacts::main_info(&name, person, &mail)),
            Value::Rows(Arc::new(contacts)),
        ]
        .into();
        self.customers.push(row);
        guid
    }

    fn folder(&mut self, name: &str) {
        let guid = self.guid();
        let serial = self.customers.len();
        let row: Row = [
            Value::Guid(guid),
            version(1),
            Value::Flag(serial == 2),
            Value::text(&format!("00-{:08}", serial + 1)),
            Value::text(name),
            Value::Flag(true),
            Value::Guid(Guid::default()),
            Value::text(""),
            Value::text(""),
            Value::Date(unset_date()),
            Value::Flag(false),
            Value::text(""),
            Value::text(""),
            Value::text(""),
            Value::text(""),
            Value::text(""),
            Value::Rows(Arc::default()),
        ]
        .into();
        self.customers.push(row);
    }

    fn name(&mut self) -> String {
        let surname = SURNAMES[self.rng.usize(..SURNAMES.len())];
        let (name, father) = NAMES[self.rng.usize(..NAMES.len())];
        format!("{surname} {name} {father}")
    }

    /// Unset for some, and what cashiers type instead for others.
    fn birthday(&mut self, index: usize) -> DateTime {
        match index % 7 {
            0 => unset_date(),
            1 => date(1900, 1, 1).at(0, 0, 0, 0),
            2 if index.is_multiple_of(2) => date(1899, 12, 30).at(0, 0, 0, 0),
            _ => date(self.rng.i16(1950..2005), self.rng.i8(1..13), self.rng.i8(1..29)).at(0, 0, 0, 0),
        }
    }
}

/// An invented phone, of a range that belongs to nobody.
fn phone(number: u32) -> String {
    format!("77000{:06}", number % 1_000_000)
}

/// Where the customer of this number lives, and by which rule that is found; some live nowhere.
fn town(index: u32) -> Option<(&'static str, &'static str)> {
    let town = TOWNS[index as usize % TOWNS.len()];
    let rule = match index % 6 {
        0 => "main_info_line_3",
        1 => "address_city",
        2 => "address_street",
        3 => "contact_city",
        4 => "presentation",
        _ => return None,
    };
    Some((town, rule))
}
