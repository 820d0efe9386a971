//! Names that nobody has, and the ways in which people type names and numbers.

pub(super) const FIRST: [&str; 8] = ["کاوه", "علی", "بیژن", "کیان", "پیمان", "یحیی", "آرش", "اکبر"];
pub(super) const FIRST_WOMEN: [&str; 8] =
    ["مریم", "یاسمن", "شکیبا", "نیلوفر", "زهرا", "کتایون", "پریا", "مهری"];
pub(super) const LAST: [&str; 12] = [
    "نمونه\u{200C}زاده",
    "آزمون\u{200C}فر",
    "فرضی\u{200C}نیا",
    "مثالی",
    "ساختگی\u{200C}پور",
    "خیالی\u{200C}کیا",
    "پنداری",
    "آزمایشی",
    "نمایشی\u{200C}راد",
    "انگاره\u{200C}کار",
    "الگویی",
    "کاغذی\u{200C}نمون",
];
pub(super) const TRADES: [&str; 6] = [
    "شرکت نمونه کاوش",
    "بازرگانی مثال کیمیا",
    "گروه آزمون یکتا",
    "صنایع فرضی کویر",
    "تعاونی الگوی کشت",
    "خدمات ساختگی پارسیک",
];
/// Town and its code, province and its code, as the finance system has them.
pub(super) const TOWNS: [(&str, u32, &str, u32); 5] = [
    ("تهران", 2101, "تهران", 21),
    ("کرج", 2602, "البرز", 26),
    ("یزد", 3501, "یزد", 35),
    ("شیراز", 7101, "فارس", 71),
    ("کاشان", 3104, "اصفهان", 31),
];

/// The same in the letters that Arabic keyboards write.
pub(in super::super) fn arabic(text: &str) -> String {
    text.replace('ی', "ي").replace('ک', "ك")
}

/// The same in Persian digits.
pub(in super::super) fn in_persian_digits(text: &str) -> String {
    let digit = |sign: char| sign.to_digit(10).and_then(|digit| char::from_u32(0x06F0 + digit));
    text.chars().map(|sign| digit(sign).unwrap_or(sign)).collect()
}

/// A mobile `0912…` as people type it; way 0 is as it is.
pub(in super::super) fn typed_mobile(mobile: &str, way: u32) -> String {
    let Some(rest) = mobile.strip_prefix('0').filter(|rest| rest.len() == 10) else {
        return mobile.to_owned();
    };
    let (operator, first, last) = (&rest[..3], &rest[3..6], &rest[6..]);
    match way % 6 {
        0 => mobile.to_owned(),
        1 => format!("+98{rest}"),
        2 => in_persian_digits(mobile),
        3 => format!("0{operator}-{first}-{last}"),
        4 => format!("0098{rest}"),
        _ => format!("{operator} {first} {last}"),
    }
}

/// A customer number as people type it, which is never as it is.
pub(in super::super) fn typed_number(number: &str, way: u32) -> String {
    let arabic_indic = |text: &str| {
        let digit = |sign: char| sign.to_digit(10).and_then(|digit| char::from_u32(0x0660 + digit));
        text.chars().map(|sign| digit(sign).unwrap_or(sign)).collect::<String>()
    };
    match way % 4 {
        0 => in_persian_digits(number),
        1 => arabic_indic(number),
        2 => format!(" {number}\u{200C}"),
        _ => number
            .split_once('-')
            .map_or_else(String::new, |(prefix, rest)| format!("{prefix}-{}", in_persian_digits(rest))),
    }
}
