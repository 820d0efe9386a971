//! What the mirror tells over time and by group: what was bought by month, new and resting clients,
//! cities, owners, countries. Computed when it is asked for; pages, files and the API show the same
//! lines.

use anyhow::Result;
use jiff::civil::Date;

use crate::app::App;
use crate::store::Store;
use crate::store::facets::as_stored;
use crate::store::insights::{Group, Peopled};

mod classes;
mod lines;
mod months;

pub use lines::{Column, Line, Lines};

/// Days that new clients are shown of, one by one.
pub const DAYS: i64 = 60;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insight {
    /// New clients of brokers by day.
    NewByDay,
    /// New clients of brokers by month.
    NewByMonth,
    /// Volume, reward and rebate by owner.
    Owners,
    /// Volume, reward and rebate by country.
    Countries,
    /// Brokers' clients by how long ago they last traded.
    Inactive,
    /// What was bought in a shop by month, receipts, returns, the average bill.
    Purchases,
    /// The points of a shop's customers.
    Points,
    /// The cities of a shop's customers.
    Cities,
}

/// What is asked of an insight.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Of this system only.
    pub system: Option<String>,
    /// Of this owner's clients only, in any letter case; for insights of brokers.
    pub owner: Option<String>,
}

impl Insight {
    /// Every one, in the order in which they are shown.
    pub const ALL: [Insight; 8] = [
        Insight::NewByDay,
        Insight::NewByMonth,
        Insight::Owners,
        Insight::Countries,
        Insight::Inactive,
        Insight::Purchases,
        Insight::Points,
        Insight::Cities,
    ];

    /// The word of addresses and of the catalogue.
    pub fn word(self) -> &'static str {
        match self {
            Insight::NewByDay => "new-by-day",
            Insight::NewByMonth => "new-by-month",
            Insight::Owners => "owners",
            Insight::Countries => "countries",
            Insight::Inactive => "inactive",
            Insight::Purchases => "purchases",
            Insight::Points => "points",
            Insight::Cities => "cities",
        }
    }

    /// The one of that word.
    pub fn of(word: &str) -> Option<Insight> {
        Insight::ALL.into_iter().find(|insight| insight.word() == word)
    }

    /// Whether it is about the customers of shops; the others are about brokers' clients.
    pub fn is_of_shops(self) -> bool {
        matches!(self, Insight::Purchases | Insight::Points | Insight::Cities)
    }
}

/// Whose insights there are: the systems that have customers, of those that are asked for.
pub async fn systems(store: &Store, asked: &Asked) -> Result<Vec<Peopled>> {
    let mut systems = store.peopled().await?;
    if let Some(system) = &asked.system {
        systems.retain(|peopled| peopled.system == *system);
    }
    Ok(systems)
}

/// The lines of an insight, as of `today`.
pub async fn lines(app: &App, insight: Insight, asked: &Asked, today: Date) -> Result<Lines> {
    let store = &app.store;
    let systems = systems(store, asked).await?;
    let names = systems.iter().filter(|peopled| peopled.is_shop == insight.is_of_shops());
    let names: Vec<&str> = names.map(|peopled| peopled.system.as_str()).collect();
    let owner = spelled(store, asked.owner.as_deref()).await?;
    let owner = owner.as_deref();
    Ok(match insight {
        Insight::NewByDay | Insight::NewByMonth => {
            let mut registered = Vec::new();
            for name in names {
                registered.extend(store.registered(name, owner).await?);
            }
            Lines::New(match insight {
                Insight::NewByDay => months::by_day(&registered, today, DAYS),
                _ => months::by_month(&registered, today),
            })
        }
        Insight::Owners => {
            Lines::Traded(classes::traded(store.traded(Group::Owner, asked.system.as_deref(), owner).await?))
        }
        Insight::Countries => Lines::Traded(classes::traded(
            store.traded(Group::Country, asked.system.as_deref(), owner).await?,
        )),
        Insight::Inactive => {
            let mut last = Vec::new();
            for name in names {
                last.extend(store.last_traded(name, owner).await?);
            }
            Lines::Resting(classes::resting(&last, today))
        }
        Insight::Purchases => {
            let mut bought = Vec::new();
            for name in names {
                bought.push((app.currency(name).map(str::to_owned), store.bought(name).await?));
            }
            Lines::Bought(months::bought(bought, today))
        }
        Insight::Points => {
            let mut holders = Vec::new();
            for name in names {
                holders.extend(store.holders(name, &classes::POINTS).await?);
            }
            Lines::Points(classes::points(&holders))
        }
        Insight::Cities => {
            let mut cities = Vec::new();
            for name in names {
                cities.push((app.currency(name).map(str::to_owned), store.cities(name).await?));
            }
            Lines::Cities(classes::cities(cities))
        }
    })
}

/// The owner as it is stored: people write names in any letter case.
async fn spelled(store: &Store, owner: Option<&str>) -> Result<Option<String>> {
    let Some(owner) = owner else { return Ok(None) };
    Ok(Some(as_stored(owner, &store.facets().await?.owners)))
}
