//! Who the company deals with, and which of its two office systems knows them, and by what.
//!
//! CRM and finance make their rows from the same people, each for itself, when first looked at.

mod names;

use fastrand::Rng;
use serde::Serialize;

use names::{FIRST, FIRST_WOMEN, LAST, TOWNS, TRADES};
pub(super) use names::{arabic, in_persian_digits, typed_mobile, typed_number};

/// Contacts of the finance system that the CRM knows, by what alone it can be told.
const KNOWN: [(Match, u32); 4] =
    [(Match::Number, 30), (Match::FoldedNumber, 8), (Match::NationalId, 6), (Match::Mobile, 6)];
/// Contacts of the finance system that the CRM has never heard of.
const UNKNOWN: u32 = 100;
/// The first code of a customer in the finance system.
const FIRST_CODE: u32 = 1001;
/// The code of the finance system's own user.
pub(super) const ADMIN: i64 = 1;
/// Invented numbers of four digits: mobiles from here downwards, so that the lowest are free for
/// whoever adds somebody; telephones from 9999 downwards, to here.
const MOBILES: u32 = 8_000;

/// By what a contact of the finance system can be found in the CRM, at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// By its customer number as it is.
    Number,
    /// By its customer number once digits of other scripts and spaces are folded.
    FoldedNumber,
    /// By its national id alone.
    NationalId,
    /// By its mobile alone, typed in one way or another.
    Mobile,
    /// Two identities answer to its national id, or to its mobile.
    Ambiguous,
    /// By nothing: the CRM does not have it.
    Unknown,
    /// It is the finance system's own user, and no customer.
    Admin,
}

/// What the two systems hold in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Makeup {
    /// Decides every invented value.
    pub seed: u64,
    /// Multiplies all counts, but those of oddities.
    pub scale: u32,
    /// Whether two contacts are ambiguous; otherwise they are not there.
    pub ambiguous: bool,
    /// People who are only in the CRM and have no customer number, at scale 1.
    pub leads: u32,
}

/// A person or an organization.
#[derive(Debug, Clone)]
pub(super) struct Party {
    /// Position among all; keeps ids and phones apart.
    pub serial: u32,
    /// The code in the finance system, if it is there.
    pub code: Option<i64>,
    /// By what the CRM can be told to have it; `None` for leads.
    pub found: Option<Match>,
    /// Whether it is an organization.
    pub organization: bool,
    /// First name; empty for an organization.
    pub first: String,
    /// Family name; the whole name of an organization.
    pub last: String,
    /// Whether the person is a woman; `None` for organizations and where nobody wrote it down.
    pub woman: Option<bool>,
    /// National id; empty if unknown.
    pub national: String,
    /// Mobile as `0912000NNNN`; empty if there is none.
    pub mobile: String,
    /// Telephone in the same form; empty if there is none.
    pub telephone: String,
    /// Address of mail; empty if there is none.
    pub mail: String,
    /// Town and its code, province and its code.
    pub town: (&'static str, u32, &'static str, u32),
}

impl Party {
    /// The whole name.
    pub fn name(&self) -> String {
        format!("{} {}", self.first, self.last).trim().to_owned()
    }

    /// The customer number that belongs to its code.
    pub fn number(&self) -> String {
        self.code.map(|code| format!("100-{}", code + 1000)).unwrap_or_default()
    }

    /// Whether the finance system has an accounting party for it.
    pub fn has_accounts(&self) -> bool {
        self.serial % 23 != 11
    }

    /// The ids of its identities in the CRM: none, one, or two.
    pub fn identities(&self, seed: u64) -> Vec<String> {
        let count = match self.found {
            None => 1,
            Some(Match::Unknown | Match::Admin) => 0,
            Some(Match::Ambiguous) => 2,
            Some(_) => 1,
        };
        (0..count).map(|twin| id(seed, 1, self.serial * 2 + twin)).collect()
    }
}

/// An id as the CRM has them, different for every kind and serial.
pub(super) fn id(seed: u64, kind: u32, serial: u32) -> String {
    let mut rng =
        Rng::with_seed(seed ^ (u64::from(kind) << 40) ^ (u64::from(serial) << 4) ^ 0x00C2_0000_0000_0001);
    let (a, b, c, d) = (rng.u16(..), rng.u16(..), rng.u16(..0x1000), rng.u64(..1 << 48));
    // The serial itself stands in front, so that no two are ever the same.
    format!(
        "{:08x}-{a:04x}-4{c:03x}-{:04x}-{d:012x}",
        serial.wrapping_mul(0x9E37_79B1) ^ (kind << 28),
        0x8000 | (b >> 2)
    )
}

/// Everybody: first the contacts of the finance system in the order of their codes, then the leads.
pub(super) fn parties(makeup: &Makeup) -> Vec<Party> {
    let mut rng = Rng::with_seed(makeup.seed.wrapping_mul(1_000_003).wrapping_add(501));
    let mut found: Vec<Match> = Vec::new();
    for (rule, count) in KNOWN.into_iter().chain([(Match::Unknown, UNKNOWN)]) {
        found.extend(std::iter::repeat_n(rule, (count * makeup.scale) as usize));
    }
    if makeup.ambiguous {
        found.extend([Match::Ambiguous; 2]);
    }
    rng.shuffle(&mut found);
    let contacts = u32::try_from(found.len()).unwrap_or(0);
    let leads = makeup.leads * makeup.scale;
    let found = found.into_iter().map(Some).chain(std::iter::repeat_n(None, leads as usize));
    (0..contacts + leads).zip(found).map(|(serial, found)| party(&mut rng, serial, found)).collect()
}

fn party(rng: &mut Rng, serial: u32, found: Option<Match>) -> Party {
    let organization = rng.u8(..5) == 0;
    let woman = rng.bool();
    let serial_in_persian = in_persian_digits(&(serial + 1).to_string());
    let (first, last) = if organization {
        (String::new(), format!("{} {serial_in_persian}", TRADES[rng.usize(..TRADES.len())]))
    } else {
        let names = if woman { &FIRST_WOMEN } else { &FIRST };
        (names[rng.usize(..names.len())].to_owned(), LAST[rng.usize(..LAST.len())].to_owned())
    };
    // Some have neither phone, so that nothing unique is known of them.
    let bare = matches!(found, Some(Match::Number | Match::Unknown)) && serial % 13 == 5;
    let mobile = !bare && serial < MOBILES && (found != Some(Match::NationalId) || rng.bool());
    let telephone = !bare && serial < 10_000 - MOBILES && rng.u8(..3) == 0;
    // The ambiguous are two: one by national id, one by mobile.
    let national = match found {
        Some(Match::NationalId | Match::Ambiguous) => true,
        Some(Match::Mobile) => rng.bool(),
        _ => rng.u8(..10) < 7,
    };
    Party {
        serial,
        code: found.is_some().then(|| i64::from(FIRST_CODE + serial + serial / 10)),
        found,
        organization,
        first,
        last,
        woman: (!organization && rng.u8(..6) > 0).then_some(woman),
        national: if national { national_id(serial, organization) } else { String::new() },
        mobile: if mobile { format!("0912000{:04}", MOBILES - 1 - serial) } else { String::new() },
        telephone: if telephone { format!("0912000{:04}", 9_999 - serial) } else { String::new() },
        mail: if rng.bool() { format!("contact{serial}@mail.example.test") } else { String::new() },
        town: TOWNS[rng.usize(..TOWNS.len())],
    }
}

/// A national id that passes the check and is nobody's: no such district was ever given out. Every
/// fourth one begins with zeros.
fn national_id(serial: u32, organization: bool) -> String {
    if organization {
        return format!("1999{serial:07}");
    }
    let district = if serial.is_multiple_of(4) { 0 } else { 999 };
    let body = format!("{district:03}{serial:06}");
    let sum: u32 =
        body.bytes().zip((2..=10).rev()).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let rest = sum % 11;
    format!("{body}{}", if rest < 2 { rest } else { 11 - rest })
}
