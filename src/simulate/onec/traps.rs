//! What differs from base to base, to be switched on and off by plain names.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A way in which some bases of 1C behave worse than others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trap {
    /// A `+` in a query answers 500 «Операция не разрешена в предложении "ГДЕ"» instead of 400.
    PlusFails,
    /// A `+` in a query makes the base ignore the filter without a word.
    PlusIgnored,
    /// Every filter is answered 403.
    FilterForbidden,
    /// Every filter is answered 500 «Операция не разрешена».
    FilterRefused,
    /// `isof` and `cast` are answered 400 «Сегмент пути».
    TypedFilterRefused,
    /// Every order is answered 403.
    OrderForbidden,
    /// Every order is answered 400 `AUTOORDER`.
    OrderRefused,
    /// `desc` is ignored.
    DescIgnored,
    /// Rows come in another order at each request that asks for none.
    Unordered,
    /// A register's page of more than 250 rows that reaches beyond the 1,000th breaks off half-way.
    LongPages,
    /// Bodies of errors begin with a byte order mark.
    Bom,
    /// One who may not enter sees an HTML page with status 200.
    HtmlLogin,
    /// Errors come with status 200.
    DisguisedErrors,
    /// The first request after a minute's rest waits, see [`crate::simulate::Options::shop_wake`].
    SlowFirst,
    /// `Количество` is a string.
    QuantityText,
    /// `$inlinecount` disables `$top`.
    CountUnlimits,
    /// Catalogs have no `Code`.
    NoCode,
    /// The virtual table of balances is not published.
    NoBalance,
    /// The registers answer 500 with the code of a business error.
    BusinessError,
}

/// The traps that are on.
#[derive(Debug, Clone, Default)]
pub(super) struct Traps(BTreeSet<Trap>);

impl Trap {
    /// Every trap.
    pub const ALL: [Self; 19] = [
        Self::PlusFails,
        Self::PlusIgnored,
        Self::FilterForbidden,
        Self::FilterRefused,
        Self::TypedFilterRefused,
        Self::OrderForbidden,
        Self::OrderRefused,
        Self::DescIgnored,
        Self::Unordered,
        Self::LongPages,
        Self::Bom,
        Self::HtmlLogin,
        Self::DisguisedErrors,
        Self::SlowFirst,
        Self::QuantityText,
        Self::CountUnlimits,
        Self::NoCode,
        Self::NoBalance,
        Self::BusinessError,
    ];

    /// Its name in `--traps` and `/_sim/traps`, such as `filter_forbidden`.
    pub fn name(self) -> String {
        serde_json::to_string(&self).unwrap_or_default().trim_matches('"').to_owned()
    }
}

impl std::str::FromStr for Trap {
    type Err = String;

    /// The error names every trap there is.
    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|trap| trap.name() == name).ok_or_else(|| {
            let names: Vec<String> = Self::ALL.into_iter().map(Self::name).collect();
            format!("there is no trap {name:?}; there are {}", names.join(", "))
        })
    }
}

impl Traps {
    /// These and no others.
    pub fn new(traps: impl IntoIterator<Item = Trap>) -> Self {
        Self(traps.into_iter().collect())
    }

    /// Whether one of them is on.
    pub fn set(&self, trap: Trap) -> bool {
        self.0.contains(&trap)
    }

    /// Those that are on.
    pub fn list(&self) -> Vec<Trap> {
        self.0.iter().copied().collect()
    }
}
