//! The external systems as servers, for rehearsals and tests.
//!
//! One server holds them all, each under its own base path, with invented data made from a seed.
//! It answers as the systems' public documents say they do, goes wrong as it is told (`/_sim/faults`),
//! changes its data on request (`/_sim/change`) and keeps a ledger of what it was asked
//! (`/_sim/ledger`). It shares no code with the connectors, so that one mistake cannot hide another.

mod afterwards;
mod at_work;
mod broker;
mod change;
mod control;
mod exness;
mod faults;
mod gate;
mod ledger;
mod mutations;
mod onec;
mod payamgostar;
mod people;
mod record;
mod server;
mod siagh;
mod table;
#[cfg(test)]
mod tests;
mod traps;
mod xm;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::serve::ListenerExt as _;
use jiff::civil::Date;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use faults::{Action, Fault, Pending};
pub use ledger::Entry;
pub use mutations::{By, Kind, Mutation};
pub use onec::{City, PointsRule, Shop, Sum, Sums, Trap};
pub use payamgostar::{Crm, SentWebhook, Webhooks};
pub use people::Match;
pub use siagh::{Expected, Finance};
pub use traps::{AnyTrap, OfficeTrap};

/// What the systems hold and how they behave from the start.
#[derive(Debug, Clone)]
pub struct Options {
    /// Decides every invented value; the same seed serves the same bytes.
    pub seed: u64,
    /// Multiplies all counts; 1 is 2,139 clients with 2,936 accounts, and a shop of
    /// `shop_customers`.
    pub scale: u32,
    /// What goes wrong from the start.
    pub faults: Vec<Fault>,
    /// Gives some XM clients several traders.
    pub xm_several: bool,
    /// Keeps every list page waiting.
    pub page_delay: Option<Duration>,
    /// How long a token of Exness or of the CRM is good for.
    pub token_life: Duration,
    /// Buyers of the shop at scale 1; they are made when the shop is first looked at.
    pub shop_customers: u32,
    /// How the shop's base behaves worse than others.
    pub shop_traps: Vec<Trap>,
    /// How long the shop's base waits with its first answer, when that trap is on.
    pub shop_wake: Duration,
    /// The day the shop's purchases lead up to; the day of the start when not given.
    pub shop_today: Option<Date>,
    /// How CRM and finance differ from what one hopes for.
    pub office_traps: Vec<OfficeTrap>,
    /// Whether two contacts of the finance system are each two identities of the CRM; without them
    /// there are 150 contacts instead of 152, at scale 1.
    pub crm_ambiguous: bool,
    /// Identities of the CRM without a customer number that the finance system has never heard of,
    /// at scale 1.
    pub crm_leads: u32,
    /// How long the finance system takes to save a form.
    pub save_delay: Duration,
}

/// The running systems; they stop when this is dropped.
#[derive(Debug)]
pub struct Simulator {
    url: String,
    world: Arc<server::World>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            scale: 1,
            faults: Vec::new(),
            xm_several: false,
            page_delay: None,
            token_life: Duration::from_secs(6 * 60 * 60),
            shop_customers: 5_000,
            shop_traps: Vec::new(),
            shop_wake: Duration::from_secs(10),
            shop_today: None,
            office_traps: Vec::new(),
            crm_ambiguous: true,
            crm_leads: 30,
            save_delay: Duration::ZERO,
        }
    }
}

impl Options {
    fn makeup(&self) -> people::Makeup {
        people::Makeup {
            seed: self.seed,
            scale: self.scale,
            ambiguous: self.crm_ambiguous,
            leads: self.crm_leads,
        }
    }
}

impl Simulator {
    /// Makes the data and serves it on this machine only, at a free port when none is given.
    pub async fn start(options: Options, port: Option<u16>) -> anyhow::Result<Self> {
        let port = port.unwrap_or(0);
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .with_context(|| format!("cannot listen on port {port}"))?;
        let url = format!("http://{}", listener.local_addr()?);
        let listener = listener.tap_io(|stream| {
            // Answers are written at once; waiting for more to send would only slow tests down.
            let _ = stream.set_nodelay(true);
        });
        let (stop, stopping) = watch::channel(false);
        let (outbox, due) = payamgostar::Outbox::new();
        let outbox = Arc::new(outbox);
        let world = Arc::new(server::World::new(options, Arc::clone(&outbox), stopping.clone()));
        let end = stopping.clone();
        tokio::spawn(async move { outbox.deliver(due, end).await });
        let router = server::router(&world);
        let task = tokio::spawn(async move {
            let mut stopping = stopping;
            let stopped = async move {
                let _ = stopping.wait_for(|stop| *stop).await;
            };
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
                tracing::error!(%error, "the simulator stopped");
            }
        });
        Ok(Self { url, world, stop, task })
    }

    /// Where the server is, without a slash at the end.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Ends all waiting and stops the server, within five seconds.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = tokio::time::timeout(Duration::from_secs(5), self.settled()).await;
        let abort = self.task.abort_handle();
        if tokio::time::timeout(Duration::from_secs(5), self.task).await.is_err() {
            abort.abort();
        }
    }

    /// Waits until every request that was taken has been processed, also those whose sender is gone.
    pub async fn settled(&self) {
        self.world.afterwards.settled().await;
    }

    /// Whether that is so now.
    pub fn is_settled(&self) -> bool {
        self.world.afterwards.is_settled()
    }

    /// What really changed in an office system, in order; in all of them for `*` or an empty name.
    /// The data that is there at the start is no change.
    pub fn mutations(&self, system: &str) -> Vec<Mutation> {
        self.world.mutations.of(system)
    }

    /// Forgets what changed.
    pub fn clear_mutations(&self) {
        self.world.mutations.clear();
    }

    /// The CRM: what it holds, and what people do to it.
    pub fn crm(&self) -> &Crm {
        &self.world.crm
    }

    /// Says where the CRM sends webhooks from now on, and how badly; `None` switches them off.
    ///
    /// # Panics
    /// When the address is not like `http://127.0.0.1:8080/path`.
    pub fn set_webhooks(&self, webhooks: Option<Webhooks>) {
        let unfit = webhooks.as_ref().filter(|webhooks| webhooks.parts().is_none());
        assert!(unfit.is_none(), "webhooks cannot be sent to {unfit:?}");
        self.world.outbox.set(webhooks);
    }

    /// Waits until every webhook that is due has been sent.
    pub async fn webhooks_sent(&self) {
        self.world.outbox.settled().await;
    }

    /// The webhooks that were sent, in order.
    pub fn webhooks(&self) -> Vec<SentWebhook> {
        self.world.outbox.sent()
    }

    /// The finance system: what it holds, and what accountants do to it.
    pub fn finance(&self) -> &Finance {
        &self.world.finance
    }

    /// Switches these traps of CRM and finance on and all others of theirs off.
    pub fn set_office_traps(&self, traps: impl IntoIterator<Item = OfficeTrap>) {
        self.world.office_traps.set(traps);
    }

    /// Replaces all faults; their counting starts anew.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.world.faults.set(faults);
    }

    /// Why one of these faults can never happen, if that is so.
    pub fn never(&self, faults: &[Fault]) -> Option<String> {
        faults.iter().find_map(|fault| self.world.never(fault))
    }

    /// Every fault with what is left of it.
    pub fn faults(&self) -> Vec<Pending> {
        self.world.faults.pending()
    }

    /// Changes so many percent of a stream's rows (rounded up) and says how many these were.
    ///
    /// # Panics
    /// When there is no such system or stream.
    pub fn change(&self, system: &str, stream: &str, percent: f64) -> u64 {
        let changed = self.world.change(system, stream, percent);
        changed.unwrap_or_else(|| unknown(system, stream))
    }

    /// What a system was asked, in order; all of them for `*` or an empty name.
    pub fn ledger(&self, system: &str) -> Vec<Entry> {
        self.world.ledger.of(system)
    }

    /// Forgets what was asked, and how much of it at once.
    pub fn clear_ledger(&self) {
        self.world.systems.iter().for_each(|system| system.at_work.forget());
        self.world.ledger.clear();
    }

    /// The shop: what it holds, its traps, and what tests do to it.
    pub fn shop(&self) -> &Shop {
        &self.world.shop
    }

    /// The most requests a system worked on at the same time since the ledger was cleared.
    ///
    /// # Panics
    /// When there is no such system.
    pub fn most_at_once(&self, system: &str) -> usize {
        let found = self.world.systems.iter().find(|candidate| candidate.name == system);
        found.unwrap_or_else(|| panic!("the simulator has no system {system:?}")).at_work.most()
    }

    /// Switches these traps of the shop on and all others off.
    pub fn set_shop_traps(&self, traps: impl IntoIterator<Item = Trap>) {
        self.world.shop.set_traps(traps);
    }

    /// Counts and sums as they are now:
    /// `{"ham":{"accounts":{"count","clients","sums":{"reward_usd":"12.40",…}},…},…}`; for the shop
    /// `{"cards":{"count"},"customers":{"count","folders","buyers","cities"},"products","sales",
    /// "opening_balances":{"rows","count","sum"},"purchases","returns","no_card","inactive",
    /// "points":{"count","cards","movements","last_record","virtual_balance"}}`.
    pub fn truth(&self) -> Value {
        self.world.truth()
    }

    /// The rows of a stream in the order of creation; a row that is not JSON comes as a string.
    ///
    /// # Panics
    /// When there is no such system or stream.
    pub fn rows(&self, system: &str, stream: &str) -> Vec<Value> {
        let value = |row: String| serde_json::from_str(&row).unwrap_or(Value::String(row));
        self.raw_rows(system, stream).into_iter().map(value).collect()
    }

    /// The rows of a stream as the JSON text they are served as.
    ///
    /// # Panics
    /// When there is no such system or stream.
    pub fn raw_rows(&self, system: &str, stream: &str) -> Vec<String> {
        let texts = match system {
            onec::NAME => self.world.shop.texts(stream),
            payamgostar::NAME => self.world.crm.texts(stream),
            siagh::NAME => self.world.finance.texts(stream),
            _ => Some(self.stream(system, stream).table().rows.clone()),
        };
        texts.unwrap_or_else(|| unknown(system, stream))
    }

    /// Replaces the rows of a stream; totals follow.
    ///
    /// # Panics
    /// When there is no such system or stream.
    pub fn replace_rows(&self, system: &str, stream: &str, rows: Vec<Value>) {
        self.replace_raw_rows(system, stream, rows.into_iter().map(|row| row.to_string()).collect());
    }

    /// Replaces the rows of a stream by text that is served as it is, such as numbers too large
    /// for a float, or no JSON at all; amounts that are none count nothing in the totals. The shop,
    /// CRM and finance take only rows that are JSON objects, the shop only its own fields of these.
    ///
    /// # Panics
    /// When there is no such system or stream.
    pub fn replace_raw_rows(&self, system: &str, stream: &str, rows: Vec<String>) {
        let replaced = match system {
            onec::NAME => self.world.shop.replace(stream, &rows),
            payamgostar::NAME => self.world.crm.replace(stream, &rows),
            siagh::NAME => self.world.finance.replace(stream, &rows),
            _ => {
                self.stream(system, stream).edit(|_| rows);
                Some(())
            }
        };
        replaced.unwrap_or_else(|| unknown(system, stream));
    }

    fn stream(&self, system: &str, stream: &str) -> &server::Stream {
        self.world.stream(system, stream).unwrap_or_else(|| unknown(system, stream))
    }
}

/// A ready `concord.toml` for the systems of a simulator at `url`.
pub fn config(url: &str) -> String {
    broker_config(url) + &shop_config(url)
}

/// The part of it for the brokers, with their owners.
pub fn broker_config(url: &str) -> String {
    let mut text = String::from("# Concord against its simulator.\n\n[owners]\n");
    for campaign in ["low", "pay U", "RB you", "K.kan", "XM_HAM"] {
        text += &format!("\"{campaign}\" = \"Ham\"\n");
    }
    for (name, owner) in [("ham", "Ham"), ("janischa", "Janischa")] {
        let (login, password) = exness::credentials(name);
        text += &format!(
            "\n[systems.{name}]\nkind = \"exness\"\nbase_url = \"{url}/exness-{name}\"\n\
             login = \"{login}\"\npassword = \"{password}\"\nowner = \"{owner}\"\n{NEARBY}"
        );
    }
    text += &format!(
        "\n[systems.xm]\nkind = \"xm\"\nbase_url = \"{url}/xm/api\"\ntoken = \"{}\"\nowner = \"Ham\"\n\
         start = \"2010-01-01\"\n{NEARBY}",
        xm::TOKEN
    );
    text
}

/// The part of it for the shop.
pub fn shop_config(url: &str) -> String {
    format!(
        "\n[systems.shop]\nkind = \"onec\"\nbase_url = \"{url}/onec/odata/standard.odata\"\n\
         username = \"{}\"\npassword = \"{}\"\ntimezone = \"Europe/Simferopol\"\nregion = \"RU\"\n{NEARBY}",
        onec::LOGIN,
        onec::PASSWORD,
    )
}

/// The part of it for the CRM; [`config`] leaves it out.
pub fn crm_config(url: &str) -> String {
    format!(
        "\n[systems.crm]\nkind = \"payamgostar\"\nbase_url = \"{url}/crm\"\nusername = \"{}\"\n\
         password = \"{}\"\ntimezone = \"Asia/Tehran\"\nregion = \"IR\"\n\
         webhook_token = \"sim-webhook-token\"\n{NEARBY}\
         [systems.crm.persons]\ntype_key = \"person\"\ncrm_object_type_code = \"{}\"\ncategory = \"{}\"\n\
         [systems.crm.organizations]\ntype_key = \"organization\"\ncrm_object_type_code = \"{}\"\n\
         category = \"{}\"\n",
        payamgostar::USER,
        payamgostar::PASSWORD,
        Crm::PERSON_TYPE,
        Crm::CATEGORY,
        Crm::ORGANIZATION_TYPE,
        Crm::CATEGORY,
    )
}

/// The part of it for the finance system; [`config`] leaves it out.
pub fn finance_config(url: &str) -> String {
    format!(
        "\n[systems.finance]\nkind = \"siagh\"\nbase_url = \"{url}/finance\"\nusername = \"{}\"\n\
         password = \"{}\"\ntimezone = \"Asia/Tehran\"\nregion = \"IR\"\n{NEARBY}",
        siagh::USER,
        siagh::PASSWORD,
    )
}

/// The part of it for what goes from the CRM to the finance system; [`config`] leaves it out.
pub fn flows_config() -> String {
    "\n[flows.customers]\nfrom = \"crm\"\nto = \"finance\"\nentity = \"customer\"\n\
     match = [\"customer_number\", \"national_id\", \"mobile\"]\n\
     number = { prefix = \"100-\", offset = 1000 }\nauthority = { default = \"source\" }\n\
     reconcile = \"03:00\"\n"
        .to_owned()
}

/// The part of it for the quotes that go the same way; [`config`] leaves it out.
pub fn quotes_config() -> String {
    "\n[flows.quotes]\nfrom = \"crm\"\nto = \"finance\"\nentity = \"quote\"\nafter = \"customers\"\n"
        .to_owned()
}

/// All of it: brokers, shop, CRM and finance system, and the flow of customers between these.
pub fn whole_config(url: &str) -> String {
    config(url) + &crm_config(url) + &finance_config(url) + &flows_config() + &quotes_config()
}

/// What a system on this machine needs in its settings.
const NEARBY: &str = "every = \"1h\"\nallow_plaintext = true\nallow_networks = [\"127.0.0.0/8\"]\n";

fn unknown(system: &str, stream: &str) -> ! {
    panic!("the simulator has no stream {stream:?} in a system {system:?}")
}
