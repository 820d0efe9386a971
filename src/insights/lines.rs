//! The lines of insights: as the API answers them, and as the cells that pages and files show.

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::export::Cell;
use crate::model::amount::{MONEY, QUANTITY, show};
use crate::words::Words;

/// An amount of money or of points, in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money(pub i64);

/// A quantity, in hundred-millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lots(pub i64);

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&show(i128::from(self.0), MONEY))
    }
}

impl Serialize for Lots {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&show(i128::from(self.0), QUANTITY))
    }
}

/// New clients of a day or month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NewLine {
    /// `YYYY-MM-DD` or `YYYY-MM` as the source gives it; null: no day is known.
    pub period: Option<String>,
    /// How many.
    pub clients: i64,
}

/// What was bought in a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BoughtLine {
    /// `YYYY-MM` on the source's own calendar.
    pub month: String,
    /// ISO code of the amounts; null: it is not known.
    pub currency: Option<String>,
    /// Decimal: what purchases come to, returns apart.
    #[schema(value_type = String)]
    pub purchases: Money,
    /// Documents of purchases.
    pub receipts: i64,
    /// Decimal: purchases over receipts, rounded to the nearest; null without receipts.
    #[schema(value_type = Option<String>)]
    pub average_bill: Option<Money>,
    /// Decimal, below zero: what returns come to.
    #[schema(value_type = String)]
    pub returned: Money,
    /// Documents of returns.
    pub returns: i64,
}

/// Customers of a shop by their points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PointsLine {
    /// `0`, `1-100`, `101-500`, `501-1000`, `1001-5000`, `5001-10000`, `over-10000` or
    /// `none-on-record`. A class holds everything above the end of the one before.
    pub class: &'static str,
    /// How many customers.
    pub clients: i64,
    /// Decimal: their points together; null: none are on record.
    #[schema(value_type = Option<String>)]
    pub points: Option<Money>,
}

/// The customers of a city.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CityLine {
    /// The city; null: it is not known.
    pub city: Option<String>,
    /// ISO code of what was spent; null: it is not known.
    pub currency: Option<String>,
    /// How many customers.
    pub clients: i64,
    /// Lines they bought.
    pub purchases: Option<i64>,
    /// Decimal: what they spent, opening balances included.
    #[schema(value_type = Option<String>)]
    pub spent: Option<Money>,
    /// Decimal: their points.
    #[schema(value_type = Option<String>)]
    pub points: Option<Money>,
}

/// Brokers' clients of an owner or country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TradedLine {
    /// The owner or country; null: it is not known.
    pub name: Option<String>,
    /// Clients.
    pub clients: i64,
    /// Their accounts.
    pub accounts: i64,
    /// Decimal, lots.
    #[schema(value_type = Option<String>)]
    pub volume_lots: Option<Lots>,
    /// Decimal, millions of US dollars.
    #[schema(value_type = Option<String>)]
    pub volume_mln_usd: Option<Lots>,
    /// Decimal, US dollars.
    #[schema(value_type = Option<String>)]
    pub reward_usd: Option<Money>,
    /// Decimal, US dollars.
    #[schema(value_type = Option<String>)]
    pub rebate_usd: Option<Money>,
}

/// Brokers' clients by the days since their last trade over all accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RestingLine {
    /// `0-30`, `31-90`, `91-180`, `over-180`, `never`, or `unknown` where the source does not say.
    pub class: &'static str,
    /// How many.
    pub clients: i64,
    /// Decimal, US dollars: what they brought so far.
    #[schema(value_type = Option<String>)]
    pub reward_usd: Option<Money>,
}

/// One line of any insight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Line {
    /// Of `new-by-day` and `new-by-month`.
    New(NewLine),
    /// Of `purchases`.
    Bought(BoughtLine),
    /// Of `points`.
    Points(PointsLine),
    /// Of `cities`.
    City(CityLine),
    /// Of `owners` and `countries`.
    Traded(TradedLine),
    /// Of `inactive`.
    Resting(RestingLine),
}

/// The lines of an insight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lines {
    /// New clients.
    New(Vec<NewLine>),
    /// What was bought.
    Bought(Vec<BoughtLine>),
    /// Points.
    Points(Vec<PointsLine>),
    /// Cities.
    Cities(Vec<CityLine>),
    /// Owners or countries.
    Traded(Vec<TradedLine>),
    /// Resting clients.
    Resting(Vec<RestingLine>),
}

/// A column of an insight's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name, a word of the catalogue after `insight-`.
    pub name: &'static str,
    /// Whether it is added up below the table.
    pub summed: bool,
    /// Whether it is money in the currency of its line.
    pub paid: bool,
}

impl Lines {
    /// One by one, for the API.
    pub fn items(self) -> Vec<Line> {
        match self {
            Lines::New(lines) => lines.into_iter().map(Line::New).collect(),
            Lines::Bought(lines) => lines.into_iter().map(Line::Bought).collect(),
            Lines::Points(lines) => lines.into_iter().map(Line::Points).collect(),
            Lines::Cities(lines) => lines.into_iter().map(Line::City).collect(),
            Lines::Traded(lines) => lines.into_iter().map(Line::Traded).collect(),
            Lines::Resting(lines) => lines.into_iter().map(Line::Resting).collect(),
        }
    }

    /// The columns of the table after the first, which says what a line is about.
    pub fn columns(&self) -> Vec<Column> {
        let summed = |name| Column { name, summed: true, paid: false };
        let other = |name| Column { summed: false, ..summed(name) };
        let paid = |name| Column { paid: true, ..summed(name) };
        match self {
            Lines::New(_) => vec![summed("clients")],
            Lines::Bought(_) => vec![
                other("currency"),
                paid("purchases-of"),
                summed("receipts"),
                Column { summed: false, ..paid("average-bill") },
                paid("returned"),
                summed("returns"),
            ],
            Lines::Points(_) => vec![summed("customers"), summed("points-of")],
            Lines::Cities(_) => vec![
                other("currency"),
                summed("customers"),
                summed("lines"),
                paid("spent"),
                summed("points-of"),
            ],
            Lines::Traded(_) => vec![
                summed("clients"),
                summed("accounts"),
                summed("volume-lots"),
                summed("volume-mln-usd"),
                summed("reward-usd"),
                summed("rebate-usd"),
            ],
            Lines::Resting(_) => vec![summed("clients"), summed("reward-usd")],
        }
    }

    /// The table's rows: what each is about, then its cells.
    pub fn rows(&self, words: &Words) -> Vec<(String, Vec<Cell>)> {
        let named = |name: &Option<String>| name.clone().unwrap_or_else(|| words.text("insight-unknown"));
        let class = |of: &str, class: &str| words.text(&format!("insight-{of}-{class}"));
        let code = |code: &Option<String>| code.clone().map_or(Cell::Empty, Cell::Text);
        let count = Cell::Count;
        let money =
            |amount: Option<Money>| amount.map_or(Cell::Empty, |Money(value)| Cell::Amount(value, MONEY));
        let lots = |lots: Option<Lots>| lots.map_or(Cell::Empty, |Lots(value)| Cell::Amount(value, QUANTITY));
        match self {
            Lines::New(lines) => {
                lines.iter().map(|line| (named(&line.period), vec![count(line.clients)])).collect()
            }
            Lines::Bought(lines) => lines
                .iter()
                .map(|line| {
                    let cells = vec![
                        code(&line.currency),
                        money(Some(line.purchases)),
                        count(line.receipts),
                        money(line.average_bill),
                        money(Some(line.returned)),
                        count(line.returns),
                    ];
                    (line.month.clone(), cells)
                })
                .collect(),
            Lines::Points(lines) => lines
                .iter()
                .map(|line| (class("points", line.class), vec![count(line.clients), money(line.points)]))
                .collect(),
            Lines::Cities(lines) => lines
                .iter()
                .map(|line| {
                    let bought = line.purchases.map_or(Cell::Empty, Cell::Count);
                    (
                        named(&line.city),
                        vec![
                            code(&line.currency),
                            count(line.clients),
                            bought,
                            money(line.spent),
                            money(line.points),
                        ],
                    )
                })
                .collect(),
            Lines::Traded(lines) => lines
                .iter()
                .map(|line| {
                    let cells = vec![
                        count(line.clients),
                        count(line.accounts),
                        lots(line.volume_lots),
                        lots(line.volume_mln_usd),
                        money(line.reward_usd),
                        money(line.rebate_usd),
                    ];
                    (named(&line.name), cells)
                })
                .collect(),
            Lines::Resting(lines) => lines
                .iter()
                .map(|line| (class("resting", line.class), vec![count(line.clients), money(line.reward_usd)]))
                .collect(),
        }
    }

    /// The currencies of the lines, each once, where amounts may be in different ones.
    pub fn currencies(&self) -> Vec<Option<&str>> {
        let mut codes: Vec<Option<&str>> = match self {
            Lines::Bought(lines) => lines.iter().map(|line| line.currency.as_deref()).collect(),
            Lines::Cities(lines) => lines.iter().map(|line| line.currency.as_deref()).collect(),
            _ => Vec::new(),
        };
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// The lines in one currency.
    #[must_use]
    pub fn in_currency(&self, code: Option<&str>) -> Lines {
        let mut own = self.clone();
        match &mut own {
            Lines::Bought(lines) => lines.retain(|line| line.currency.as_deref() == code),
            Lines::Cities(lines) => lines.retain(|line| line.currency.as_deref() == code),
            _ => {}
        }
        own
    }

    /// What the rows come to, by column; unknown where no row knows it, or where adding up says nothing,
    /// as with amounts in different currencies.
    pub fn totals(&self, rows: &[(String, Vec<Cell>)]) -> Vec<Cell> {
        let columns = self.columns();
        let mixed = self.currencies().len() > 1;
        let total = |(at, column): (usize, &Column)| {
            let cells = rows
                .iter()
                .filter_map(|(_, cells)| cells.get(at))
                .filter(|_| column.summed && !(mixed && column.paid));
            cells.fold(Cell::Empty, |sum, cell| match (sum, cell) {
                (Cell::Empty, cell) => cell.clone(),
                (Cell::Count(sum), Cell::Count(more)) => Cell::Count(sum.saturating_add(*more)),
                (Cell::Amount(sum, scale), Cell::Amount(more, _)) => {
                    Cell::Amount(sum.saturating_add(*more), scale)
                }
                (sum, _) => sum,
            })
        };
        columns.iter().enumerate().map(total).collect()
    }
}
