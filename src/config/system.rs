//! A system's section: what every system takes, and what its kind takes.
//!
//! The settings of the kind *are* the connector; this file splits the two and checks what can be
//! checked without knowing the kind.

use std::time::Duration;

use croner::Cron;
use jiff::tz::TimeZone;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::guess::guess;
use super::mistake::Faults;
use super::schedule::Schedule;
use super::shape::Section;
use super::value::{self, Network};
use crate::connect::System;
use crate::model::Message;

/// One system and how it is read.
#[derive(Debug, Clone)]
pub struct SystemConfig {
    /// Its name in commands, reports and addresses.
    pub name: String,
    /// The connector with the settings of its kind.
    pub connector: System,
    /// Whose clients these are where no other rule says so.
    pub owner: Option<String>,
    /// When it is read by itself; `None` = only when asked.
    pub schedule: Option<Schedule>,
    /// The zone of times that come without one; also the schedule's. `None` = UTC.
    pub timezone: Option<TimeZone>,
    /// Default region of phone numbers, two capitals.
    pub region: Option<String>,
    /// The longest a single request may take.
    pub timeout: Duration,
    /// Requests at the same time.
    pub concurrency: u32,
    /// Rows asked for at once.
    pub page_size: u32,
    /// Requests per second.
    pub rate: f64,
    /// How long after a write of unknown outcome it is looked for.
    pub settle: Duration,
    /// Private networks this connection may reach.
    pub allow_networks: Vec<Network>,
    /// Whether plain http is allowed.
    pub allow_plaintext: bool,
    /// Whether it takes part at all.
    pub enabled: bool,
}

/// The keys every system takes, with their defaults.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Common {
    #[serde(deserialize_with = "value::word")]
    owner: Option<String>,
    #[serde(deserialize_with = "value::interval")]
    every: Option<Duration>,
    #[serde(deserialize_with = "value::cron")]
    cron: Option<Box<Cron>>,
    #[serde(deserialize_with = "value::timezone")]
    timezone: Option<TimeZone>,
    #[serde(deserialize_with = "value::region")]
    region: Option<String>,
    #[serde(deserialize_with = "value::some_duration")]
    timeout: Option<Duration>,
    #[serde(deserialize_with = "value::count")]
    concurrency: u32,
    #[serde(deserialize_with = "value::count")]
    page_size: u32,
    #[serde(deserialize_with = "value::positive")]
    rate: f64,
    #[serde(deserialize_with = "value::some_duration")]
    settle: Option<Duration>,
    #[serde(deserialize_with = "value::networks")]
    allow_networks: Vec<Network>,
    allow_plaintext: bool,
    enabled: bool,
}

impl Default for Common {
    fn default() -> Common {
        Common {
            owner: None,
            every: None,
            cron: None,
            timezone: None,
            region: None,
            timeout: None,
            concurrency: 2,
            page_size: 1000,
            rate: 10.0,
            settle: None,
            allow_networks: Vec::new(),
            allow_plaintext: false,
            enabled: true,
        }
    }
}

/// The keys of [`Common`], to tell them from the kind's own.
pub(super) const COMMON: &[&str] = &[
    "owner",
    "every",
    "cron",
    "timezone",
    "region",
    "timeout",
    "concurrency",
    "page_size",
    "rate",
    "settle",
    "allow_networks",
    "allow_plaintext",
    "enabled",
    "kind",
];

type ReadKind = fn(Section<'_>, &mut Faults<'_>) -> Option<System>;

/// The kinds there are, and how the rest of their section is read.
const KINDS: &[(&str, ReadKind)] = &[
    ("exness", |section, faults| section.read(faults).map(System::Exness)),
    ("xm", |section, faults| section.read(faults).map(System::Xm)),
    ("onec", |section, faults| section.read(faults).map(|shop| System::Onec(Box::new(shop)))),
    ("payamgostar", |section, faults| section.read(faults).map(|crm| System::Payamgostar(Box::new(crm)))),
    ("siagh", |section, faults| section.read(faults).map(|finance| System::Siagh(Box::new(finance)))),
];

/// Names that mean something else on the command line.
const RESERVED: [&str; 1] = ["all"];

/// Reads `[systems.<key>]`.
pub(super) fn read(
    key: &Spanned<String>,
    value: Spanned<DeValue<'_>>,
    faults: &mut Faults<'_>,
) -> Option<SystemConfig> {
    let name = key.get_ref().clone();
    if !is_name(&name) {
        faults.add(key.span(), Message::new("config-bad-name").with("name", &name));
    }
    let section = Section::new(&format!("systems.{name}"), value, faults)?;
    let (kind, common, own) = split(section);

    check_schedule(&common, faults);
    let zone = common.table.get("cron").map(Spanned::span);
    let url = own.table.get("base_url").cloned();
    let plaintext = common.table.get("allow_plaintext").and_then(|value| value.get_ref().as_bool());
    let place = own.name.clone();
    // Both halves are read before giving up, so that the mistakes of both are found.
    let common = common.read::<Common>(faults);
    if let Some(url) = url {
        check_base_url(&place, &url, plaintext == Some(true), faults);
    }
    let span = own.span.clone();
    let connector = connector(&name, kind, own, faults);
    let (common, mut connector) = (common?, connector?);
    match &mut connector {
        System::Onec(shop) => match &common.timezone {
            Some(zone) => shop.zone = zone.clone(),
            None => faults.add(span, Message::new("config-missing-timezone").with("place", &place)),
        },
        System::Siagh(finance) if finance.password.is_none() && finance.password_md5.is_none() => {
            let message = Message::new("config-missing-key").with("place", &place).with("key", "password");
            faults.add(span, message);
        }
        System::Exness(_) | System::Xm(_) | System::Payamgostar(_) | System::Siagh(_) => {}
    }
    if let (Some(region), Some(own)) = (&common.region, connector.region_mut()) {
        own.clone_from(region);
    }
    let timeout = common.timeout.unwrap_or_else(|| connector.patience());

    let schedule = match (common.every, common.cron) {
        (Some(every), _) => Some(Schedule::Every(every)),
        (None, Some(cron)) => Some(Schedule::Cron(cron, common.timezone.clone().unwrap_or(TimeZone::UTC))),
        (None, None) => None,
    };
    if let (Some(schedule @ Schedule::Cron(..)), Some(span)) = (&schedule, zone)
        && schedule.next(jiff::Timestamp::UNIX_EPOCH).is_none()
    {
        let message = Message::new("config-cron-never").with("value", faults.shown(&span));
        faults.add(span, message);
    }
    Some(SystemConfig {
        name,
        connector,
        owner: common.owner,
        schedule,
        timezone: common.timezone,
        region: common.region,
        timeout,
        concurrency: common.concurrency,
        page_size: common.page_size,
        rate: common.rate,
        settle: common.settle.unwrap_or_else(|| (2 * timeout).max(Duration::from_secs(60))),
        allow_networks: common.allow_networks,
        allow_plaintext: common.allow_plaintext,
        enabled: common.enabled,
    })
}

/// The kind, what every system takes, and the kind's own settings.
fn split(section: Section<'_>) -> (Option<Spanned<DeValue<'_>>>, Section<'_>, Section<'_>) {
    let mut kind = None;
    let (mut common, mut own) = (DeTable::new(), DeTable::new());
    for (key, value) in section.table {
        match key.get_ref().as_ref() {
            "kind" => kind = Some(value),
            name if COMMON.contains(&name) => {
                common.insert(key, value);
            }
            _ => {
                own.insert(key, value);
            }
        }
    }
    let (name, span) = (section.name, section.span);
    let common = Section { name: name.clone(), span: span.clone(), table: common, also: &[] };
    (kind, common, Section { name, span, table: own, also: COMMON })
}

fn connector(
    name: &str,
    kind: Option<Spanned<DeValue<'_>>>,
    own: Section<'_>,
    faults: &mut Faults<'_>,
) -> Option<System> {
    let known = || KINDS.iter().map(|(kind, _)| *kind);
    let list = known().collect::<Vec<_>>().join(", ");
    let Some(kind) = kind else {
        let message = Message::new("config-missing-kind").with("name", name).with("known", list);
        faults.add(own.span, message);
        return None;
    };
    let span = kind.span();
    let Some(word) = kind.get_ref().as_str() else {
        faults.add(span, super::shape::wrong_type("kind", "text", kind.get_ref()));
        return None;
    };
    if let Some((_, read)) = KINDS.iter().find(|(known, _)| *known == word) {
        return read(own, faults);
    }
    let message = Message::new("config-unknown-kind")
        .with("value", faults.shown(&span))
        .with("guess", guess(word, known()).unwrap_or("none"))
        .with("known", list);
    faults.add(span, message);
    None
}

fn check_schedule(common: &Section<'_>, faults: &mut Faults<'_>) {
    let key = |name: &str| common.table.get_key_value(name).map(|(key, _)| key.span());
    if let (Some(every), Some(cron)) = (key("every"), key("cron")) {
        let second = if every.start > cron.start { every } else { cron };
        faults.add(second, Message::new("config-two-schedules").with("place", &common.name));
    }
}

fn check_base_url(place: &str, url: &Spanned<DeValue<'_>>, plaintext: bool, faults: &mut Faults<'_>) {
    let Some(text) = url.get_ref().as_str() else { return };
    let id = match value::check_url(text.trim()) {
        Err(id) => id,
        Ok(()) if value::is_plaintext(text.trim()) && !plaintext => "config-plaintext",
        Ok(()) => return,
    };
    let message = Message::new(id).with("place", place).with("value", faults.shown(&url.span()));
    faults.add(url.span(), message);
}

/// Names stand in addresses and on the command line.
pub fn is_name(name: &str) -> bool {
    name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
        && !RESERVED.contains(&name)
}
