//! What the objects of the CRM have, and how its clock on the wall writes time.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// Teheran is so many seconds ahead of UTC, in summer as in winter.
const AHEAD: i32 = 3 * 3600 + 1800;

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A natural person.
    Person,
    /// An organization.
    Organization,
    /// A quote.
    Quote,
    /// An invoice.
    Invoice,
}

/// Fields of an identity in the order they are served.
pub(super) const IDENTITY: [&str; 26] = [
    "crmId",
    "crmObjectTypeCode",
    "identityId",
    "refId",
    "creatDate",
    "modifyDate",
    "description",
    "nickName",
    "firstName",
    "lastName",
    "birthDate",
    "gender",
    "nationalCode",
    "economicCode",
    "registerNumber",
    "phoneContacts",
    "addressContacts",
    "email",
    "alternativeEmail",
    "website",
    "customerNumber",
    "customerDate",
    "balance",
    "categories",
    "tags",
    "extendedProperties",
];

/// Fields of an identity that a request may set, with the two that say which one is meant.
pub(super) const WRITTEN: [&str; 24] = [
    "id",
    "crmId",
    "crmObjectTypeCode",
    "refId",
    "description",
    "nickName",
    "firstName",
    "lastName",
    "birthDate",
    "gender",
    "nationalCode",
    "economicCode",
    "registerNumber",
    "phoneContacts",
    "addressContacts",
    "email",
    "alternativeEmail",
    "website",
    "customerNumber",
    "customerDate",
    "categories",
    "tags",
    "extendedProperties",
    "typeKey",
];

/// Fields of a quote, and but for the name of its date those of an invoice.
pub(super) const BILL: [&str; 20] = [
    "crmId",
    "crmObjectTypeCode",
    "identityId",
    "number",
    "subject",
    "description",
    "quoteDate",
    "expireDate",
    "discount",
    "vat",
    "toll",
    "additionalCosts",
    "totalValue",
    "finalValue",
    "vatPercent",
    "tollPercent",
    "billableObjectStateIndex",
    "creatDate",
    "modifyDate",
    "details",
];

/// Subtypes of identities: code, kind, and what people call them.
pub(super) const SUBTYPES: [(&str, Sort, &str); 3] = [
    ("person", Sort::Person, "مشتری حقیقی"),
    ("lead", Sort::Person, "سرنخ حقیقی"),
    ("organization", Sort::Organization, "مشتری حقوقی"),
];

/// Categories of identities: key, id and name.
pub(super) const CATEGORIES: [(&str, &str, &str); 3] = [
    ("customers", "5a0c1d6e-0000-4000-8000-000000000001", "مشتریان"),
    ("leads", "5a0c1d6e-0000-4000-8000-000000000002", "سرنخ\u{200C}ها"),
    ("vip", "5a0c1d6e-0000-4000-8000-000000000003", "مشتریان ویژه"),
];

impl Sort {
    /// Name of the stream that its objects are in.
    pub fn stream(self) -> &'static str {
        match self {
            Self::Person | Self::Organization => "identities",
            Self::Quote => "quotes",
            Self::Invoice => "invoices",
        }
    }

    /// The fields that may be asked for, as the wire spells them.
    pub fn fields(self) -> Vec<&'static str> {
        match self {
            Self::Person | Self::Organization => IDENTITY.to_vec(),
            Self::Quote => BILL.to_vec(),
            Self::Invoice => {
                let names = BILL.iter().map(|name| if *name == "quoteDate" { "invoiceDate" } else { *name });
                names.chain(["refId"]).collect()
            }
        }
    }

    /// What people call an object of this kind with this subtype.
    pub fn display(self, subtype: &str) -> String {
        let known = SUBTYPES.iter().find(|(code, ..)| *code == subtype);
        match self {
            Self::Person => known.map_or("شخص حقیقی", |(_, _, name)| name).to_owned(),
            Self::Organization => known.map_or("شخص حقوقی", |(_, _, name)| name).to_owned(),
            Self::Quote => format!("پیش فاکتور فروش {}", subtype.trim_start_matches("PI_")),
            Self::Invoice => "فاکتور فروش".to_owned(),
        }
    }
}

/// What the CRM's clock on the wall shows, to a ten-millionth of a second.
pub(super) fn wall_clock() -> DateTime {
    let now = TimeZone::fixed(ahead()).to_datetime(Timestamp::now());
    let ticks = now.subsec_nanosecond() / 100 * 100;
    now.with().subsec_nanosecond(ticks).build().unwrap_or(now)
}

/// A moment as it is written: without offset, with no more digits than it needs.
pub(super) fn written(at: DateTime) -> String {
    let seconds = at.strftime("%Y-%m-%dT%H:%M:%S");
    let fraction = format!("{:07}", at.subsec_nanosecond() / 100);
    format!("{seconds}.{}", fraction.trim_end_matches('0')).trim_end_matches('.').to_owned()
}

/// A moment that was written so.
pub(super) fn moment(text: &str) -> Option<DateTime> {
    text.parse().ok()
}

/// When a token of this life expires, with all digits and the offset.
pub(super) fn expiry(life: Duration) -> String {
    let seconds = i64::try_from(life.as_secs()).unwrap_or(0);
    let at = Timestamp::now().as_second().saturating_add(seconds);
    let at = Timestamp::from_second(at).unwrap_or(Timestamp::MAX);
    format!("{}.1234567+03:30", TimeZone::fixed(ahead()).to_datetime(at).strftime("%Y-%m-%dT%H:%M:%S"))
}

fn ahead() -> Offset {
    Offset::from_seconds(AHEAD).unwrap_or(Offset::UTC)
}
