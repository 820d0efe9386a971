//! Records as the business sees them: the fields a connector reads out of one row.

use super::amount::{self, Measure};
use super::fingerprint::Fingerprint;

/// A row of a list, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A person or organization.
    Party(Party),
    /// Something that hangs on one.
    Account(Account),
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

impl Record {
    /// The scaled value of a measure, `None` when unknown or not carried by this kind of record.
    pub fn amount(&self, measure: Measure) -> Option<i64> {
        let [lots, mln, reward, rebate] = match self {
            Record::Party(p) => [p.volume_lots, p.volume_mln_usd, p.reward_usd, p.rebate_usd],
            Record::Account(a) => [a.volume_lots, a.volume_mln_usd, a.reward_usd, None],
        };
        match measure {
            amount::VOLUME_LOTS => lots,
            amount::VOLUME_MLN_USD => mln,
            amount::REWARD_USD => reward,
            amount::REBATE_USD => rebate,
            _ => None,
        }
    }

    /// What names the client within the system.
    pub fn client_key(&self) -> Option<&str> {
        match self {
            Record::Party(party) => Some(&party.client_key),
            Record::Account(account) => account.client_key.as_deref(),
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

/// Why a row cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The reason, a word of the catalogue (`no_key`, `not_an_object`, `amount_not_exact`).
    pub rule: &'static str,
    /// The field at fault.
    pub field: &'static str,
}
