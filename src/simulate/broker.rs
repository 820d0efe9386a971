//! Invented brokers: clients, accounts and traders made from a seed, as JSON text.
//!
//! All amounts are whole minor units until they are written, so that every sum is exact. A client's
//! volumes and rewards are the sums of the client's accounts.

use std::fmt::Write as _;

use fastrand::Rng;
use jiff::ToSpan as _;
use jiff::civil::{Date, date};

const FIRST_DAY: Date = date(2018, 3, 1);
const LAST_DAY: Date = date(2026, 6, 30);
const MOST_ACCOUNTS: u8 = 9;

const COUNTRIES: [&str; 16] =
    ["TH", "TH", "TH", "TH", "VN", "VN", "MY", "MY", "ID", "ID", "IN", "ZA", "NG", "AE", "IR", "RU"];
const TYPES: [&str; 8] =
    ["Standard", "Standard", "Standard", "Standard Cent", "Standard Cent", "Standard Plus", "Pro", "Zero"];
const COMMENTS: [&str; 5] = ["VIP desk", "moved from \"old\" link", "ลูกค้าใหม่", "=1+1", "فارسی"];
const TRADER_COUNTRIES: [Option<&str>; 14] = [
    Some("TH"),
    Some("TH"),
    Some("TH"),
    Some("VN"),
    Some("MY"),
    Some("ID"),
    Some("Thailand"),
    Some("THAILAND"),
    Some("thailand"),
    Some("Viet Nam"),
    Some("malaysia"),
    Some("my"),
    Some(""),
    None,
];
const CAMPAIGNS: [Option<&str>; 12] = [
    Some("low"),
    Some("low"),
    Some("low"),
    Some("pay U"),
    Some("pay U"),
    Some("RB you"),
    Some("RB you"),
    Some("K.kan"),
    Some("K.kan"),
    Some("low"),
    None,
    Some(""),
];

/// A partner of the Exness kind and how much hangs on it at scale 1.
pub(super) struct Partner {
    /// Position among the partners; keeps their ids apart.
    pub index: u32,
    /// Clients.
    pub clients: u32,
    /// Accounts, at least one per client.
    pub accounts: u32,
    /// The partner's own accounts, 19 digits each.
    pub partner_accounts: &'static [&'static str],
}

/// A partner's rows.
pub(super) struct Book {
    /// One row per client.
    pub clients: Vec<String>,
    /// One row per account.
    pub accounts: Vec<String>,
}

/// What an account has earned: volumes in ten-thousandths, rewards in cents.
#[derive(Default, Clone, Copy)]
struct Earned {
    lots: i64,
    mln: i64,
    reward_usd: i64,
    traded: Option<Date>,
}

struct Client<'a> {
    uid: String,
    partner_account: &'a str,
    country: &'a str,
    registered: Date,
}

/// The rows of a partner.
pub(super) fn book(seed: u64, scale: u32, partner: &Partner) -> Book {
    let mut rng = Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(u64::from(partner.index)));
    let counts = spread(&mut rng, partner.clients * scale, partner.accounts * scale);
    let mut serial = partner.index * 100_000_000;
    let mut book = Book { clients: Vec::new(), accounts: Vec::new() };
    for (index, count) in (0_u32..).zip(counts) {
        let client = Client {
            uid: uid(&mut rng, seed, partner.index * 50_000_000 + index),
            partner_account: pick(&mut rng, partner.partner_accounts),
            country: pick(&mut rng, &COUNTRIES),
            registered: day(&mut rng, FIRST_DAY, LAST_DAY),
        };
        let mut total = Earned::default();
        for _ in 0..count {
            let (row, earned) = account(&mut rng, &client, serial);
            book.accounts.push(row);
            serial += 1;
            total.lots += earned.lots;
            total.mln += earned.mln;
            total.reward_usd += earned.reward_usd;
            total.traded = total.traded.max(earned.traded);
        }
        book.clients.push(client_row(&mut rng, &client, total));
    }
    rng.shuffle(&mut book.accounts);
    rng.shuffle(&mut book.clients);
    book
}

/// The rows of XM: each trader a client of its own, or with `several` up to four to a client.
pub(super) fn traders(seed: u64, scale: u32, several: bool) -> Vec<String> {
    let mut rng = Rng::with_seed(seed.wrapping_mul(1_000_003).wrapping_add(77));
    let mut client = 66_000_001_u32;
    let mut rows = Vec::new();
    for serial in 0..1216 * scale {
        if serial > 0 && !(several && serial % 4 != 0 && rng.u8(..3) > 0) {
            client += 1;
        }
        rows.push(trader(&mut rng, 40_000_001 + serial, client));
    }
    rng.shuffle(&mut rows);
    rows
}

fn account(rng: &mut Rng, client: &Client, serial: u32) -> (String, Earned) {
    let opened = day(rng, client.registered, LAST_DAY);
    let earned = if rng.u8(..10) < 7 { earned(rng, opened) } else { Earned::default() };
    let (currency, reward) = match rng.u8(..20) {
        0 => ("EUR", earned.reward_usd * 92 / 100),
        1 => ("THB", earned.reward_usd * 33),
        _ => ("USD", earned.reward_usd),
    };
    // Eight and nine digits, so that an order by text differs from one by number.
    let number = if serial.is_multiple_of(7) { 41_000_001 } else { 140_000_001 }
        + serial % 100_000_000
        + serial / 100_000_000 * 300_000_000;
    let unknown = earned.traded.is_none() && rng.u8(..12) == 0;
    let money = |cents: i64| {
        if unknown { "\"null\"".to_owned() } else { format!("\"{}\"", fixed(cents, 2)) }
    };
    let row = format!(
        "{{\"id\":{},\"partner_account\":\"{}\",\"partner_account_name\":\"partner\",\"client_uid\":\"{}\",\
         \"country\":\"{}\",\"currency\":\"{currency}\",\"reg_date\":\"{opened}\",\"volume_lots\":{},\
         \"volume_mln_usd\":{},\"trade_fn\":{},\"reward\":{},\"reward_usd\":{},\"comment\":{},\
         \"client_account\":\"{number}\",\"client_account_type\":\"{}\"}}",
        801_000_001 + serial,
        client.partner_account,
        &client.uid[..8],
        client.country,
        short(earned.lots),
        short(earned.mln),
        quoted(earned.traded),
        money(reward),
        money(earned.reward_usd),
        comment(rng),
        pick(rng, &TYPES),
    );
    (row, earned)
}

fn client_row(rng: &mut Rng, client: &Client, total: Earned) -> String {
    let traded = total.traded.is_some();
    let deposited = traded || rng.bool();
    let known = deposited || rng.bool();
    let status = match rng.u8(..40) {
        0 => pick(rng, &["LEFT", "Left"]),
        1 => pick(rng, &["CHANGING", "changing"]),
        _ if traded => pick(rng, &["ACTIVE", "ACTIVE", "Active", "active"]),
        _ => pick(rng, &["INACTIVE", "INACTIVE", "Inactive"]),
    };
    let rebate = if traded && rng.bool() { total.reward_usd * rng.i64(5..40) / 100 } else { 0 };
    let reward = if !traded && rng.u8(..20) == 0 { "null".to_owned() } else { fixed(total.reward_usd, 2) };
    let mut range = |known: bool| if known { rng.u8(1..7) } else { 0 };
    let (balance, equity, deposit, first) =
        (range(deposited), range(deposited), range(deposited), range(deposited));
    let shared = rng.u8(..6) == 0;
    let at = shared.then(|| format!("{}T10:{:02}:00", day(rng, client.registered, LAST_DAY), rng.u8(..60)));
    format!(
        "{{\"client_uid\":\"{}\",\"partner_account\":\"{}\",\"reg_date\":\"{}\",\"client_country\":\"{}\",\
         \"volume_lots\":{},\"volume_mln_usd\":{},\"reward_usd\":\"{reward}\",\"rebate_amount_usd\":{},\
         \"trade_fn\":{},\"client_status\":\"{status}\",\"kyc_passed\":{known},\"ftd_received\":{deposited},\
         \"ftt_made\":{traded},\"client_balance\":{balance},\"client_equity\":{equity},\
         \"deposit_amount\":{deposit},\"ftd_amount\":{first},\"client_contact_sharing_status\":{},\
         \"last_partner_contact_sharing_dt\":null,\"last_client_contact_sharing_dt\":{},\"comment\":{}}}",
        client.uid,
        client.partner_account,
        client.registered,
        client.country,
        short(total.lots),
        short(total.mln),
        fixed(rebate, 2),
        quoted(total.traded),
        quoted(shared.then_some("SHARED")),
        quoted(at),
        comment(rng),
    )
}

fn trader(rng: &mut Rng, number: u32, client: u32) -> String {
    let signed = day(rng, FIRST_DAY, LAST_DAY);
    let signed_at = match rng.u8(..10) {
        0 => signed.to_string(),
        _ => format!("{signed}T{:02}:{:02}:00", rng.u8(..24), rng.u8(..60)),
    };
    let activated = (rng.u8(..5) > 0).then(|| format!("{}T09:30:00", day(rng, signed, LAST_DAY)));
    let mut either = |number: u32| {
        if rng.u8(..10) == 0 { format!("\"{number}\"") } else { number.to_string() }
    };
    let (number, client) = (either(number), either(client));
    let archived = rng.u8(..15) == 0;
    format!(
        "{{\"traderId\":{number},\"clientId\":{client},\"country\":{},\"accountType\":\"{}\",\"campaign\":{},\
         \"tradingPlatform\":\"{}\",\"signUpDate\":\"{signed_at}\",\"activationDate\":{},\"archived\":{archived},\
         \"valid\":{}}}",
        quoted(pick(rng, &TRADER_COUNTRIES)),
        pick(rng, &["Standard", "Standard", "Micro", "Ultra Low"]),
        quoted(pick(rng, &CAMPAIGNS)),
        pick(rng, &["MT5", "MT5", "MT4"]),
        quoted(activated),
        !archived && rng.u8(..5) > 0,
    )
}

fn earned(rng: &mut Rng, opened: Date) -> Earned {
    // Cubed, so that most trade little and a few much.
    let lots = rng.i64(1..=150).pow(3) + rng.i64(0..100);
    Earned {
        lots,
        mln: lots / 10 + rng.i64(0..20),
        reward_usd: lots * rng.i64(2..9) / 100 + rng.i64(0..100),
        traded: Some(day(rng, opened, LAST_DAY)),
    }
}

/// How many accounts each client has: one at least, nine at most, and nine at least once.
fn spread(rng: &mut Rng, clients: u32, accounts: u32) -> Vec<u8> {
    let mut counts = vec![1; clients as usize];
    let mut left = accounts.saturating_sub(clients);
    let first = left.min(u32::from(MOST_ACCOUNTS) - 1);
    if let Some(count) = counts.first_mut() {
        *count += u8::try_from(first).unwrap_or(0);
        left -= first;
    }
    while left > 0 {
        let client = rng.usize(..counts.len());
        if counts[client] < MOST_ACCOUNTS {
            counts[client] += 1;
            left -= 1;
        }
    }
    counts
}

/// A UUID whose first eight digits belong to one serial only: they come from a reversible mixing.
fn uid(rng: &mut Rng, seed: u64, serial: u32) -> String {
    let mut first = serial ^ u32::try_from(seed & 0xFFFF_FFFF).unwrap_or(0);
    first = (first ^ (first >> 16)).wrapping_mul(0x85EB_CA6B);
    first = (first ^ (first >> 13)).wrapping_mul(0xC2B2_AE35);
    first ^= first >> 16;
    let (b, c, d, e) = (rng.u16(..), rng.u16(..0x1000), rng.u16(..0x4000), rng.u64(..1 << 48));
    format!("{first:08x}-{b:04x}-4{c:03x}-{:04x}-{e:012x}", 0x8000 | d)
}

fn day(rng: &mut Rng, from: Date, to: Date) -> Date {
    let days = (to - from).get_days();
    from.saturating_add(rng.i32(0..=days.max(0)).days())
}

fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

fn comment(rng: &mut Rng) -> String {
    quoted((rng.u8(..25) == 0).then(|| pick(rng, &COMMENTS)))
}

/// A JSON string, or `null`.
fn quoted(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| serde_json::Value::String(value.to_string()).to_string())
}

/// Minor units as a decimal with so many places.
pub(super) fn fixed(minor: i64, places: usize) -> String {
    let unit = 10_i64.pow(u32::try_from(places).unwrap_or(0));
    let mut text = String::new();
    let _ = write!(text, "{}.{:0places$}", minor / unit, minor % unit);
    text
}

/// Ten-thousandths as a decimal without needless zeros, as brokers write their numbers (`3.0`).
fn short(minor: i64) -> String {
    let text = fixed(minor, 4);
    let text = text.trim_end_matches('0');
    if text.ends_with('.') { format!("{text}0") } else { text.to_owned() }
}
