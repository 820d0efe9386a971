//! One configuration, read once and checked once: what `concord.toml` says.
//!
//! Every mistake is found here, with line, column and what to do about it; whoever holds a
//! [`Config`] need not check again. `concord.default.toml` explains every setting.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

mod flow;
mod guess;
mod initial;
mod mask;
mod mistake;
mod reference;
mod schedule;
mod shape;
mod syntax;
mod system;
#[cfg(test)]
mod tests;
pub mod value;

pub use initial::{Answers, NewSystem, initial};
pub use mistake::{Error, Mistake};
pub use schedule::Schedule;
pub use system::{SystemConfig, is_name};

use crate::model::text::name_key;
use crate::model::{Flow, Message};
use mistake::Faults;
use shape::Section;
use value::Network;

/// Every setting with its default and what it does.
pub const MANUAL: &str = include_str!("../concord.default.toml");

/// The configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// Where everything is kept.
    pub database: Database,
    /// The web server.
    pub server: Server,
    /// Partner account or campaign → owner, in the file's order.
    pub owners: Vec<(String, String)>,
    /// The systems, in the file's order.
    pub systems: Vec<SystemConfig>,
    /// What keeps systems in agreement, in the file's order.
    pub flows: Vec<Flow>,
    /// How writes are repeated.
    pub delivery: Delivery,
    /// Who is told when something needs a person.
    pub alerts: Alerts,
    /// How long things are kept.
    pub retention: Retention,
}

/// `[server]`: the web server.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Where it listens.
    #[serde(deserialize_with = "value::listen")]
    pub listen: SocketAddr,
    /// The address people use, without a trailing slash.
    #[serde(deserialize_with = "value::url")]
    pub public_url: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    #[serde(deserialize_with = "value::networks")]
    pub trusted_proxies: Vec<Network>,
}

/// `[delivery]`: how writes are repeated.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delivery {
    /// Attempts before a delivery waits for a person.
    #[serde(deserialize_with = "value::count")]
    pub attempts: u32,
    /// The first pause, doubled with each attempt.
    #[serde(deserialize_with = "value::duration")]
    pub backoff: Duration,
    /// The longest pause.
    #[serde(deserialize_with = "value::duration")]
    pub backoff_max: Duration,
}

/// `[alerts]`: who is told when something needs a person.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alerts {
    /// The mail server, with its credentials.
    #[serde(deserialize_with = "value::smtp")]
    pub smtp: Option<SecretString>,
    /// Mail addresses.
    #[serde(deserialize_with = "value::mails")]
    pub to: Vec<String>,
    /// Where a JSON message is posted; such addresses are often secrets themselves.
    #[serde(deserialize_with = "value::secret_url")]
    pub webhook: Option<SecretString>,
    /// Who mails are from; by default the first they go to.
    pub from: Option<String>,
    /// Networks that are not public in which the webhook may be.
    #[serde(deserialize_with = "value::networks")]
    pub allow_networks: Vec<Network>,
    /// Whether both may be reached without encryption.
    pub allow_plaintext: bool,
}

/// `[retention]`: how long things are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Former versions of records; `None` = forever.
    #[serde(deserialize_with = "value::duration_or_forever")]
    pub versions: Option<Duration>,
    /// Requests and their answers.
    #[serde(deserialize_with = "value::duration")]
    pub requests: Duration,
}

impl Default for Server {
    fn default() -> Server {
        Server {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: "http://localhost:8080".to_owned(),
            trusted_proxies: Vec::new(),
        }
    }
}

impl Default for Delivery {
    fn default() -> Delivery {
        Delivery { attempts: 8, backoff: Duration::from_secs(2), backoff_max: Duration::from_secs(15 * 60) }
    }
}

impl Default for Retention {
    fn default() -> Retention {
        Retention { versions: None, requests: Duration::from_secs(30 * 86_400) }
    }
}

/// The address of the database. It may hold a password, so it is shown without.
#[derive(Clone, PartialEq, Eq)]
pub struct Database(String);

impl Database {
    /// The whole address, password included: for opening it, not for showing.
    pub fn url(&self) -> &str {
        &self.0
    }

    /// An address; `None` when it is neither SQLite's nor PostgreSQL's. A relative SQLite file
    /// starts at `folder`.
    pub fn new(url: &str, folder: &Path) -> Option<Database> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Some(Database(url.to_owned()));
        }
        let file = url.strip_prefix("sqlite:")?;
        let file = file.strip_prefix("//").unwrap_or(file);
        if file.is_empty() {
            return None;
        }
        let absolute = file.starts_with(['/', ':', '?']) || Path::new(file).is_absolute();
        if absolute || folder.as_os_str().is_empty() {
            return Some(Database(format!("sqlite:{file}")));
        }
        // The folder is no part of what was written as an address, so its own signs are escaped.
        let folder = folder.to_str()?.replace('%', "%25").replace('?', "%3F");
        Some(Database(format!("sqlite:{}/{file}", folder.trim_end_matches('/'))))
    }
}

/// Without user name and password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.0.split('?').next().unwrap_or_default();
        match (url.split_once("://"), url.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, rest))) => write!(f, "{scheme}://{rest}"),
            _ => f.write_str(url),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

const SECTIONS: [&str; 8] =
    ["database", "server", "owners", "systems", "flows", "delivery", "alerts", "retention"];
const DATABASE: &str = "sqlite:concord.db";

impl Config {
    /// Where the configuration is: `explicit`, else `CONCORD_CONFIG`, else `concord.toml` here.
    pub fn find(explicit: Option<&Path>) -> PathBuf {
        let named = std::env::var_os("CONCORD_CONFIG").filter(|name| !name.is_empty());
        match (explicit, named) {
            (Some(path), _) => path.to_owned(),
            (None, Some(path)) => path.into(),
            (None, None) => "concord.toml".into(),
        }
    }

    /// Reads and checks the file, with references from the environment.
    pub fn load(file: &Path) -> Result<Config, Error> {
        let text = std::fs::read_to_string(file).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::of_file("config-not-found", file, None),
            kind => Error::of_file("config-not-readable", file, Some(reference::why(kind))),
        })?;
        Config::parse(&text, &file.display().to_string(), &|name| std::env::var(name).ok())
    }

    /// Checks a configuration's text. `name` is the file's path: errors show it, and relative paths
    /// start at its folder. `env` gives the variables.
    pub fn parse(text: &str, name: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, Error> {
        let file = Path::new(name);
        let folder = file.parent().unwrap_or(Path::new(""));
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut table = table.into_inner();
        let masked = mask::Masked::new(text, &table);
        let mut faults = Faults::new(name, text, masked);
        for error in &errors {
            let (span, message) = syntax::mistake(text, error);
            faults.add(span, message);
        }
        if !errors.is_empty() {
            // What was recovered is a guess: mistakes in it would only follow from the syntax.
            table.clear();
        }
        reference::fill(&mut table, &reference::Sources { env, folder }, &mut faults);
        let config = read(table, file, folder, &mut faults);
        faults.finish().map(|()| config)
    }

    /// The flow of that name.
    pub fn flow(&self, name: &str) -> Option<&Flow> {
        self.flows.iter().find(|flow| flow.name == name)
    }

    /// The system of that name.
    pub fn system(&self, name: &str) -> Option<&SystemConfig> {
        self.systems.iter().find(|system| system.name == name)
    }
}

/// Reads all sections. What has a mistake is at its default; then the configuration is not used.
fn read(table: DeTable<'_>, file: &Path, folder: &Path, faults: &mut Faults<'_>) -> Config {
    let mut config = Config {
        file: file.to_owned(),
        database: Database(DATABASE.to_owned()),
        server: Server::default(),
        owners: Vec::new(),
        systems: Vec::new(),
        flows: Vec::new(),
        delivery: Delivery::default(),
        alerts: Alerts::default(),
        retention: Retention::default(),
    };
    if let Some(database) = Database::new(DATABASE, folder) {
        config.database = database;
    }
    let root = Section { name: "concord.toml".to_owned(), span: 0..0, table, also: &[] };
    let mut flows = None;
    for (key, value) in root.into_entries() {
        match key.get_ref().as_str() {
            "database" => {
                if let Some(database) = read_database(&value, folder, faults) {
                    config.database = database;
                }
            }
            "server" => config.server = section(&key, value, faults).unwrap_or_default(),
            "delivery" => config.delivery = section(&key, value, faults).unwrap_or_default(),
            "alerts" => config.alerts = read_alerts(&key, value, faults),
            "retention" => config.retention = section(&key, value, faults).unwrap_or_default(),
            "owners" => config.owners = read_owners(value, faults),
            "systems" => {
                let entries = Section::new("systems", value, faults).map(Section::into_entries);
                for (key, value) in entries.into_iter().flatten() {
                    config.systems.extend(system::read(&key, value, faults));
                }
            }
            "flows" => flows = Some(value),
            other => faults.add(key.span(), shape::unknown_key("concord.toml", other, &SECTIONS)),
        }
    }
    // They name systems, which may stand behind them.
    let entries = flows.and_then(|value| Section::new("flows", value, faults)).map(Section::into_entries);
    let entries = entries.into_iter().flatten();
    let mut entries: Vec<_> =
        entries.filter_map(|(key, value)| Some((flow::entity(&value, faults)?, key, value))).collect();
    // Customers come before their quotes, and quotes before the invoices made of them.
    entries.sort_by_key(|(entity, ..)| *entity);
    for (entity, key, value) in entries {
        let read = flow::read(&key, entity, value, &config.systems, &config.flows, faults);
        config.flows.extend(read);
    }
    config
}

fn section<T: serde::de::DeserializeOwned>(
    key: &Spanned<String>,
    value: Spanned<DeValue<'_>>,
    faults: &mut Faults<'_>,
) -> Option<T> {
    Section::new(key.get_ref(), value, faults)?.read(faults)
}

fn read_database(value: &Spanned<DeValue<'_>>, folder: &Path, faults: &mut Faults<'_>) -> Option<Database> {
    let Some(text) = value.get_ref().as_str() else {
        faults.add(value.span(), shape::wrong_type("database", "text", value.get_ref()));
        return None;
    };
    let database = Database::new(text.trim(), folder);
    if database.is_none() {
        let message = Message::new("config-bad-database").with("value", faults.shown(&value.span()));
        faults.add(value.span(), message);
    }
    database
}

fn read_alerts(key: &Spanned<String>, value: Spanned<DeValue<'_>>, faults: &mut Faults<'_>) -> Alerts {
    let smtp = value.get_ref().get("smtp").map(Spanned::span);
    let alerts: Alerts = section(key, value, faults).unwrap_or_default();
    if let (Some(_), Some(span), true) = (&alerts.smtp, smtp, alerts.to.is_empty()) {
        faults.add(span, Message::new("config-no-recipient"));
    }
    alerts
}

fn read_owners(value: Spanned<DeValue<'_>>, faults: &mut Faults<'_>) -> Vec<(String, String)> {
    let mut owners: Vec<(String, String)> = Vec::new();
    let entries = Section::new("owners", value, faults).map(Section::into_entries);
    for (key, value) in entries.into_iter().flatten() {
        let name = key.get_ref();
        let Some(owner) = value.get_ref().as_str().map(str::trim) else {
            faults.add(value.span(), shape::wrong_type(name, "text", value.get_ref()));
            continue;
        };
        if owner.is_empty() {
            faults.add(value.span(), Message::new("config-empty").with("key", name));
        }
        let same = |(other, _): &(String, String)| name_key(other) == name_key(name);
        match owners.iter().find(|other| same(other)) {
            Some((_, other)) if other != owner => {
                faults.add(key.span(), Message::new("config-owner-twice").with("name", name));
            }
            Some(_) => {}
            None => owners.push((name.clone(), owner.to_owned())),
        }
    }
    owners
}
