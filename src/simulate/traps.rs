//! What differs from site to site in CRM and finance, to be switched on and off by plain names.

use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use super::onec::Trap;

/// A way in which some sites of the CRM or of the finance system differ from what one hopes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfficeTrap {
    /// The CRM answers 402 to a login: the module is not licensed.
    CrmUnlicensed,
    /// The CRM refuses to renew a token.
    CrmNoRefresh,
    /// The CRM answers with Arabic letters (ي, ك) whatever was written.
    CrmArabicLetters,
    /// The CRM answers a get of the wrong kind, or of nothing, with 200 and an error in the body.
    CrmErrorAsSuccess,
    /// Errors of the CRM have the other form, `{"error":{"message"}}`.
    CrmErrorObject,
    /// The CRM cannot compare `ModifyDate`: 500.
    CrmNoModifyDate,
    /// An update of the CRM leaves alone what the body does not name, instead of blanking it.
    CrmKeepsAbsent,
    /// Rows of the CRM's lists come in another order at each request.
    CrmUnordered,
    /// The finance system says `TowardType` the other way about: true is a person.
    FinanceTowardFlipped,
    /// Contacts that the finance system makes get no accounting party by themselves.
    FinanceNoParty,
    /// A save that works comes with a warning.
    FinanceWarns,
    /// What the finance system has to say of a document stands in `FinalMessages`.
    FinanceFinalMessages,
    /// Every figure in what it says of a document is Persian; otherwise those of every third are.
    FinancePersianDigits,
    /// The script that writes a document crashes after it was written, not before.
    FinanceCrashAfter,
    /// A second document with the same `_In_Suid` is not written; the first is answered again.
    FinanceKnowsSuid,
    /// Documents come out five thousand Rials dearer than their lines.
    FinanceNetDiffers,
}

/// The traps that are on.
#[derive(Debug, Default)]
pub(super) struct OfficeTraps(RwLock<BTreeSet<OfficeTrap>>);

/// A trap of any system, as the command line and `/_sim/traps` name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnyTrap {
    /// One of the shop.
    Shop(Trap),
    /// One of CRM or finance.
    Office(OfficeTrap),
}

impl OfficeTrap {
    /// Every trap.
    pub const ALL: [Self; 16] = [
        Self::CrmUnlicensed,
        Self::CrmNoRefresh,
        Self::CrmArabicLetters,
        Self::CrmErrorAsSuccess,
        Self::CrmErrorObject,
        Self::CrmNoModifyDate,
        Self::CrmKeepsAbsent,
        Self::CrmUnordered,
        Self::FinanceTowardFlipped,
        Self::FinanceNoParty,
        Self::FinanceWarns,
        Self::FinanceFinalMessages,
        Self::FinancePersianDigits,
        Self::FinanceCrashAfter,
        Self::FinanceKnowsSuid,
        Self::FinanceNetDiffers,
    ];

    /// Its name in `--traps` and `/_sim/traps`, such as `crm_arabic_letters`.
    pub fn name(self) -> String {
        serde_json::to_string(&self).unwrap_or_default().trim_matches('"').to_owned()
    }
}

impl AnyTrap {
    /// Traps by where they belong: those of the shop, and those of CRM and finance.
    pub fn apart(traps: impl IntoIterator<Item = Self>) -> (Vec<Trap>, Vec<OfficeTrap>) {
        let (mut shop, mut office) = (Vec::new(), Vec::new());
        for trap in traps {
            match trap {
                Self::Shop(trap) => shop.push(trap),
                Self::Office(trap) => office.push(trap),
            }
        }
        (shop, office)
    }
}

impl std::str::FromStr for AnyTrap {
    type Err = String;

    /// The error names every trap there is.
    fn from_str(name: &str) -> Result<Self, String> {
        let office = || OfficeTrap::ALL.into_iter().find(|trap| trap.name() == name).map(Self::Office);
        name.parse().map(Self::Shop).or_else(|why: String| {
            office().ok_or_else(|| {
                let names = OfficeTrap::ALL.into_iter().map(|trap| format!(", {}", trap.name()));
                why + &names.collect::<String>()
            })
        })
    }
}

impl OfficeTraps {
    /// Switches these on and all others off.
    pub fn set(&self, traps: impl IntoIterator<Item = OfficeTrap>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = traps.into_iter().collect();
    }

    /// Whether one of them is on.
    pub fn on(&self, trap: OfficeTrap) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(&trap)
    }

    /// Those that are on.
    pub fn list(&self) -> Vec<OfficeTrap> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}
