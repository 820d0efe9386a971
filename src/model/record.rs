//! Records as the business sees them: the fields a connector reads out of one row.

use super::amount::{self, Measure};
use super::contact::{Contact, Field};
use super::document::Document;
use super::fingerprint::Fingerprint;

/// A row of a list, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A person or organization.
    Party(Party),
    /// Something that hangs on one.
    Account(Account),
    /// A person or organization that buys.
    Person(Person),
    /// A card of a loyalty programme.
    Card(Card),
    /// A movement of money or points by a card.
    Entry(Entry),
    /// What is bought.
    Product(Product),
    /// A customer as a CRM or a finance system describes it.
    Contact(Described),
    /// A quote or an invoice.
    Document(Document),
}

/// A client of a broker (later also counterparties, identities and contacts).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// What accounts name it by, within its system (`3f9a01bc`).
    pub client_key: String,
    /// ISO alpha-2 country.
    pub country: Option<String>,
    /// The source's own status, upper case.
    pub status: Option<String>,
    /// Words that apply (`kyc_passed`, `ftd_received`, `ftt_made`), joined by spaces.
    pub flags: Option<String>,
    /// Partner account the client came by.
    pub partner_account: Option<String>,
    /// Registration, `YYYY-MM-DD`.
    pub registered: Option<String>,
    /// Last trade, `YYYY-MM-DD`.
    pub last_trade: Option<String>,
    /// Lots, scaled by [`amount::QUANTITY`].
    pub volume_lots: Option<i64>,
    /// Turnover in millions of USD, scaled by [`amount::QUANTITY`].
    pub volume_mln_usd: Option<i64>,
    /// Reward in US cents.
    pub reward_usd: Option<i64>,
    /// Rebate in US cents.
    pub rebate_usd: Option<i64>,
}

/// A trading account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// What its client is named by, within the system; `None` when the source does not say.
    pub client_key: Option<String>,
    /// The account number people know.
    pub number: String,
    /// The source's account type.
    pub kind: Option<String>,
    /// ISO code of the account's currency.
    pub currency: Option<String>,
    /// ISO alpha-2 country.
    pub country: Option<String>,
    /// Partner account or campaign.
    pub partner_account: Option<String>,
    /// Status where the source has one per account.
    pub status: Option<String>,
    /// Opened, `YYYY-MM-DD`.
    pub opened: Option<String>,
    /// Last trade, `YYYY-MM-DD`; `None` = never or unknown.
    pub last_trade: Option<String>,
    /// Lots, scaled by [`amount::QUANTITY`]; `None` = unknown.
    pub volume_lots: Option<i64>,
    /// Turnover in millions of USD, scaled by [`amount::QUANTITY`].
    pub volume_mln_usd: Option<i64>,
    /// Reward in minor units of the account's currency.
    pub reward: Option<i64>,
    /// Reward in US cents.
    pub reward_usd: Option<i64>,
}

/// A person or organization that buys (a counterparty of 1C).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// What cards name it by, within its system.
    pub client_key: String,
    /// Name.
    pub name: Option<String>,
    /// Phone in E.164.
    pub phone: Option<String>,
    /// Phone as typed.
    pub phone_typed: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Date of birth, `YYYY-MM-DD`.
    pub born: Option<String>,
    /// City.
    pub city: Option<String>,
    /// The rule that found it.
    pub city_rule: Option<String>,
    /// The source has marked it for deletion.
    pub marked: bool,
}

/// A card of a loyalty programme.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Card {
    /// Its key.
    pub key: String,
    /// Its owner's key; `None` when it has none.
    pub client_key: Option<String>,
    /// The number people know.
    pub number: Option<String>,
    /// Its phone in E.164.
    pub phone: Option<String>,
    /// Its phone as typed.
    pub phone_typed: Option<String>,
    /// The source has marked it for deletion.
    pub marked: bool,
}

/// What a movement is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EntryKind {
    /// What was bought in the old system.
    Opening,
    /// Something bought.
    #[default]
    Purchase,
    /// Something brought back.
    Return,
    /// Points earned or spent.
    Points,
}

impl EntryKind {
    /// The word of the store and of reports.
    pub fn word(self) -> &'static str {
        match self {
            EntryKind::Opening => "opening_balance",
            EntryKind::Purchase => "purchase",
            EntryKind::Return => "return",
            EntryKind::Points => "points",
        }
    }
}

/// A movement of money or points by a card.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// What the customer of its card is named by.
    pub client_key: String,
    /// Its card's key.
    pub card_key: String,
    /// What it is.
    pub kind: EntryKind,
    /// When, in microseconds since 1970 UTC.
    pub at: i64,
    /// The day on the source's calendar, `YYYY-MM-DD`.
    pub day: String,
    /// The document that made it.
    pub document: String,
    /// That document's type.
    pub document_type: Option<String>,
    /// Its line in the document.
    pub line: String,
    /// What was bought.
    pub product_key: Option<String>,
    /// How much of it, scaled by [`amount::QUANTITY`].
    pub quantity: Option<i64>,
    /// What was paid, in minor units.
    pub amount: Option<i64>,
    /// Points earned, scaled by [`amount::MONEY`].
    pub points_in: Option<i64>,
    /// Points to be spent, likewise.
    pub points_out: Option<i64>,
}

/// What is bought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product {
    /// Name.
    pub name: Option<String>,
    /// Article.
    pub article: Option<String>,
    /// Code.
    pub code: Option<String>,
}

/// A customer as a CRM or a finance system describes it, with what it is compared by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Described {
    /// Its key: such records are customers by themselves.
    pub key: String,
    /// What is said of it.
    pub contact: Contact,
    /// The region of its phone numbers, ISO alpha-2.
    pub region: String,
}

impl Described {
    /// What a field is compared by; `None` when nothing is said.
    pub fn canonical(&self, field: Field) -> Option<String> {
        self.contact.canonical(field, &self.region)
    }
}

/// Whose a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose<'a> {
    /// The client of this name.
    Named(&'a str),
    /// It names no client: a customer of its own.
    Own,
    /// No client's.
    Nobodys,
}

impl Record {
    /// The scaled value of a measure, `None` when unknown or not carried by this kind of record.
    pub fn amount(&self, measure: Measure) -> Option<i64> {
        match (self, measure) {
            (Record::Party(p), amount::VOLUME_LOTS) => p.volume_lots,
            (Record::Party(p), amount::VOLUME_MLN_USD) => p.volume_mln_usd,
            (Record::Party(p), amount::REWARD_USD) => p.reward_usd,
            (Record::Party(p), amount::REBATE_USD) => p.rebate_usd,
            (Record::Account(a), amount::VOLUME_LOTS) => a.volume_lots,
            (Record::Account(a), amount::VOLUME_MLN_USD) => a.volume_mln_usd,
            (Record::Account(a), amount::REWARD_USD) => a.reward_usd,
            (Record::Entry(e), amount::AMOUNT) => e.amount,
            (Record::Entry(e), amount::POINTS_IN) => e.points_in,
            (Record::Entry(e), amount::POINTS_OUT) => e.points_out,
            (Record::Document(d), amount::NET) => d.net,
            _ => None,
        }
    }

    /// Whose it is.
    pub fn whose(&self) -> Whose<'_> {
        match self {
            Record::Product(_) => Whose::Nobodys,
            Record::Document(document) if document.customer.is_none() => Whose::Nobodys,
            record => record.client_key().map_or(Whose::Own, Whose::Named),
        }
    }

    /// What names the client within the system.
    pub fn client_key(&self) -> Option<&str> {
        match self {
            Record::Party(party) => Some(&party.client_key),
            Record::Account(account) => account.client_key.as_deref(),
            Record::Person(person) => Some(&person.client_key),
            Record::Card(card) => card.client_key.as_deref(),
            Record::Entry(entry) => Some(&entry.client_key),
            Record::Product(_) => None,
            Record::Contact(described) => Some(&described.key),
            Record::Document(document) => document.customer.as_deref(),
        }
    }
}

/// A row of a list, with its key.
#[derive(Debug)]
pub struct Incoming {
    /// Its key.
    pub key: String,
    /// The payload.
    pub raw: Box<str>,
    /// Its fingerprint.
    pub hash: Fingerprint,
}

/// A record as it was before the page that is being stored.
#[derive(Debug, Clone)]
pub struct Known {
    /// Its id.
    pub id: i64,
    /// The fingerprint of its payload.
    pub hash: Fingerprint,
    /// The run that first saw it.
    pub first_run: i64,
    /// The run that last changed it.
    pub changed_run: i64,
    /// Whether it was marked gone.
    pub gone: bool,
    /// Whose it is.
    pub customer: i64,
    /// What the source names its client by.
    pub client_key: Option<String>,
    /// Its amounts, in the order of the stream's measures.
    pub amounts: Vec<Option<i64>>,
}

/// Why a row is not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOut {
    /// It cannot be, for a reason.
    Rejected(Reject),
    /// A rule leaves it out; a word of the catalogue (`inactive`, `no_card`).
    Excluded(&'static str),
}

impl From<Reject> for LeftOut {
    fn from(reject: Reject) -> LeftOut {
        LeftOut::Rejected(reject)
    }
}

/// Why a row cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The reason, a word of the catalogue (`no_key`, `not_an_object`, `amount_not_exact`).
    pub rule: &'static str,
    /// The field at fault.
    pub field: &'static str,
}
