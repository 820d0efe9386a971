//! What the running program is made of: configuration, database, systems.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Result;

use crate::config::{Config, SystemConfig};
use crate::connect::http::{Gate, Http, Limits};
use crate::connect::{Connector, Stream};
use crate::model::{Message, SystemRules};
use crate::store::Store;
use crate::store::link::Tie;
use crate::store::listing::Shape;
use crate::sync::Source;
use crate::sync::owners::{OwnerSettings, SystemSettings};

/// The program: cheap to clone parts, shared behind an [`Arc`].
#[derive(Debug)]
pub struct App {
    /// The configuration, read once.
    pub config: Config,
    /// The database.
    pub store: Store,
    /// The systems that are switched on, in the order of the configuration.
    pub sources: Vec<Source>,
    /// What owner rules are made of.
    pub owners: OwnerSettings,
}

/// In what amounts are that would be added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Currency<'a> {
    /// One currency, by its ISO code if it is known.
    One(Option<&'a str>),
    /// Different ones, or some that are not known: such amounts have no sum.
    Several,
}

impl<'a> Currency<'a> {
    /// The currency, if it is one and known.
    pub fn code(self) -> Option<&'a str> {
        match self {
            Currency::One(code) => code,
            Currency::Several => None,
        }
    }
}

/// A system whose settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadSystem(pub Message);

impl App {
    /// Puts the program together on a database that is ready.
    pub async fn new(config: Config, store: Store) -> Result<Arc<App>> {
        let mut sources = Vec::new();
        let mut systems = BTreeMap::new();
        for system in config.systems.iter().filter(|system| system.enabled) {
            let state = store.system_state(&system.name).await?;
            let not_before = state.not_before.and_then(|at| u64::try_from(at).ok());
            let not_before = not_before.map(|at| SystemTime::UNIX_EPOCH + Duration::from_micros(at));
            let gate = Gate::new(not_before, u32::try_from(state.refused_logins).unwrap_or(0));
            sources.push(Source {
                name: system.name.clone(),
                http: Http::new(&system.name, system.connector.door(), limits(system), gate)
                    .map_err(BadSystem)?,
                connector: system.connector.clone(),
                owner: system.owner.clone(),
                page_size: system.page_size,
                concurrency: system.concurrency as usize,
            });
            let rules = SystemSettings {
                owner: system.owner.clone(),
                whole: system.connector.owns_whole_system(),
                points: system.connector.points_rule(),
                contacts: system.connector.contacts().is_some(),
            };
            systems.insert(system.name.clone(), rules);
        }
        let owners = OwnerSettings { map: config.owners.clone(), systems };
        Ok(Arc::new(App { config, store, sources, owners }))
    }

    /// What is shown of customers (of a system, if named) where it is not said: what a shop knows, if all
    /// of them are a shop's; what CRM and finance systems know, if all are of such.
    pub fn usual_shape(&self, system: Option<&str>) -> Shape {
        let of = |source: &&Source| system.is_none_or(|name| name.is_empty() || name == source.name);
        let all = |is: fn(&Source) -> bool| {
            let mut sources = self.sources.iter().filter(of).peekable();
            sources.peek().is_some() && sources.all(is)
        };
        if all(|source| source.connector.shop().is_some()) {
            Shape::Shop
        } else if all(|source| source.connector.contacts().is_some()) {
            Shape::Contacts
        } else {
            Shape::Customers
        }
    }

    /// The systems that flows tie together.
    pub fn ties(&self) -> Vec<Tie> {
        let tie = |flow: &crate::model::Flow| Tie {
            flow: flow.name.clone(),
            from: flow.from.clone(),
            to: flow.to.clone(),
        };
        self.config.flows.iter().map(tie).collect()
    }

    /// The system of that name.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// The currency of a system's amounts that do not name theirs, whether it is switched on or not.
    pub fn currency(&self, system: &str) -> Option<&str> {
        self.config.system(system).and_then(|system| system.connector.currency())
    }

    /// The currency of what shops' customers paid: of one system's, or of all that there are.
    pub async fn currency_of(&self, system: Option<&str>) -> Result<Currency<'_>> {
        let named = |shop: &str| system.is_none_or(|name| name.is_empty() || name == shop);
        let shops = self.store.shops().await?;
        let mut known = shops.iter().map(|shop| &shop.system).filter(|shop| named(shop));
        let first = known.next().and_then(|shop| self.currency(shop));
        let same = known.all(|shop| first.is_some() && self.currency(shop) == first);
        Ok(if same { Currency::One(first) } else { Currency::Several })
    }

    /// What the customers of a system are added up by, as it is in force.
    pub async fn rules(&self, system: &str) -> Result<SystemRules> {
        Ok(self.owners.rules(system, &self.store.owner_rules().await?))
    }

    /// Every stream of every system, in order.
    pub fn streams(&self) -> impl Iterator<Item = (&Source, &'static Stream)> {
        self.sources.iter().flat_map(|source| source.connector.streams().iter().map(move |s| (source, s)))
    }
}

fn limits(system: &SystemConfig) -> Limits {
    Limits {
        timeout: system.timeout,
        concurrency: system.concurrency as usize,
        rate: Some(system.rate),
        allow_networks: system.allow_networks.clone(),
        allow_plaintext: system.allow_plaintext,
        ..Limits::default()
    }
}
