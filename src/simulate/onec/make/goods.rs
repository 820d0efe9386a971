//! What the shop sells, and what it packs it in.

use super::super::value::{Guid, Row, Value};
use super::{Maker, version};

const THINGS: [&str; 8] = ["Кольцо", "Серьги", "Подвеска", "Браслет", "Цепь", "Брошь", "Часы", "Колье"];
const STONES: [&str; 6] = ["с фианитом", "с топазом", "с жемчугом", "без вставок", "с агатом", "с янтарём"];

const PACKAGING: [&str; 11] = [
    "Пакет подарочный малый",
    "ПАКЕТ бумажный, синий",
    "Мешочек бархатный",
    "Мешок (большой)",
    "Коробка для кольца",
    "Упаковка праздничная",
    "Конверт открытка",
    "Салфетка для серебра",
    "Футляр-книжка",
    "Чехол для часов",
    "Gift bag / box",
];

/// Goods whose names only begin like packaging, or hold such a word inside another one.
const DECEIVERS: [&str; 6] = [
    "Подвеска «Пакетбот»",
    "Брошь Коробкина",
    "Кольцо «Конвертация»",
    "Браслет Bagheera",
    "Часы Boxer 40 мм",
    "Салфетница серебряная",
];

impl Maker {
    /// Makes the products.
    pub(super) fn goods(&mut self) {
        for name in ["Украшения", "Упаковка", "Услуги"] {
            self.product(name, "", true, false);
        }
        for index in 0..96 {
            let (thing, stone) = (THINGS[index % 8], STONES[index / 8 % 6]);
            let size = 15 + index % 9;
            let deleted = index == 40;
            let guid =
                self.product(&format!("{thing} {stone} {size}"), &format!("ЮВ-{index:04}"), false, deleted);
            self.goods.push(guid);
        }
        for (index, name) in DECEIVERS.into_iter().enumerate() {
            let guid = self.product(name, &format!("ЮВ-9{index:03}"), false, false);
            self.goods.push(guid);
        }
        for (index, name) in PACKAGING.into_iter().enumerate() {
            let article = if index % 3 == 0 { String::new() } else { format!("УП-{index:04}") };
            let guid = self.product(name, &article, false, false);
            self.packaging.push(guid);
        }
        // Packaging that only its article tells.
        let ribbon = self.product("Лента атласная", "УП-0099", false, false);
        self.packaging.push(ribbon);
        self.product("<b>Кольцо</b> «О'Тест» \"проба\" & Co\u{200F}", "=1+1", false, false);
    }

    fn product(&mut self, name: &str, article: &str, folder: bool, deleted: bool) -> Guid {
        let guid = self.guid();
        let row: Row = [
            Value::Guid(guid),
            version(1),
            Value::Flag(deleted),
            Value::text(&format!("НФ-{:08}", self.products.len() + 1)),
            Value::text(name),
            Value::Flag(folder),
            Value::text(article),
        ]
        .into();
        self.products.push(row);
        guid
    }
}
