//! What keeps two systems in agreement: which records answer to each other, which side is right, and
//! what became of each write. Plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::contact::Field;
use super::text::search_fold;

/// A flow, as the configuration describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Its name.
    pub name: String,
    /// The master: the system it goes out from.
    pub from: String,
    /// The system that follows.
    pub to: String,
    /// What it carries.
    pub entity: Entity,
    /// Of documents: which, and how.
    pub bills: Option<Bills>,
    /// Which of the master's customers it carries.
    pub select: Select,
    /// By what records of both sides are found to be the same customer, the strongest first.
    pub rules: Vec<Rule>,
    /// How the master's numbers follow from the keys of the other system.
    pub number: Option<NumberRule>,
    /// Which side is right.
    pub authority: Authority,
    /// The fields it carries.
    pub fields: Vec<Field>,
    /// The time of the nightly comparison of both sides.
    pub reconcile: Option<jiff::civil::Time>,
}

/// What a flow carries, in the order things come into being.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entity {
    /// Customers, both ways.
    Customer,
    /// Quotes, from the master on.
    Quote,
    /// Invoices, from the master on.
    Invoice,
}

impl Entity {
    /// The entity of this word.
    pub fn of(word: &str) -> Option<Entity> {
        match word {
            "customer" => Some(Entity::Customer),
            "quote" => Some(Entity::Quote),
            "invoice" => Some(Entity::Invoice),
            _ => None,
        }
    }

    /// The word of the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Entity::Customer => "customer",
            Entity::Quote => "quote",
            Entity::Invoice => "invoice",
        }
    }

    /// The name of the master's list of documents; of customers, whose list is found otherwise, none.
    pub fn stream(self) -> &'static str {
        match self {
            Entity::Customer => "",
            Entity::Quote => "quotes",
            Entity::Invoice => "invoices",
        }
    }
}

/// Which documents a flow carries, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bills {
    /// The flow their customers go by.
    pub after: String,
    /// The states in which they are sent.
    pub states: Vec<i64>,
    /// Those made before are left out, on the master's clock; `None` = before the flow went live.
    pub since: Option<jiff::civil::DateTime>,
    /// By how much the net amount may differ for each line, with
    /// [`SCALE`](super::document::SCALE) decimals.
    pub tolerance: i128,
    /// Subtype → sale model, where that does not follow from its digits.
    pub sale_models: BTreeMap<String, String>,
    /// Columns that are the same on every document, where not the usual value.
    pub constants: BTreeMap<String, String>,
}

/// Which customers a flow carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Select {
    /// Those that have a customer number.
    #[default]
    Numbered,
    /// All.
    All,
}

/// By what two records are found to be the same customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The customer number.
    CustomerNumber,
    /// The national id.
    NationalId,
    /// The mobile number.
    Mobile,
    /// The telephone number.
    Telephone,
    /// The e-mail address.
    Email,
}

impl Rule {
    /// The field it compares.
    pub fn field(self) -> Field {
        match self {
            Rule::CustomerNumber => Field::Number,
            Rule::NationalId => Field::NationalId,
            Rule::Mobile => Field::Mobile,
            Rule::Telephone => Field::Telephone,
            Rule::Email => Field::Email,
        }
    }

    /// The word of the configuration and of links.
    pub fn word(self) -> &'static str {
        match self {
            Rule::CustomerNumber => "customer_number",
            Rule::NationalId => "national_id",
            Rule::Mobile => "mobile",
            Rule::Telephone => "telephone",
            Rule::Email => "email",
        }
    }
}

/// The master's customer number = prefix + (key of the other system + offset).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberRule {
    /// What stands before the figure.
    #[serde(default)]
    pub prefix: String,
    /// What is added to the key.
    #[serde(default)]
    pub offset: i64,
}

impl NumberRule {
    /// The number of the customer with this key; `None` when the key is no whole number.
    pub fn number(&self, key: &str) -> Option<String> {
        let code: i64 = key.parse().ok()?;
        Some(format!("{}{}", self.prefix, code.checked_add(self.offset)?))
    }

    /// The key that a number was made of; `None` when it was made otherwise.
    pub fn key(&self, number: &str) -> Option<String> {
        let number = search_fold(number);
        let code: i64 = number.strip_prefix(&search_fold(&self.prefix))?.parse().ok()?;
        let key = code.checked_sub(self.offset).filter(|key| *key > 0)?.to_string();
        // `100-02045` is not how this rule writes.
        (self.number(&key).map(|own| search_fold(&own)) == Some(number)).then_some(key)
    }
}

/// Which side is right about a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The master, always.
    #[default]
    Source,
    /// The system that follows, once it has a value.
    Destination,
    /// A person, where both have moved.
    Ask,
}

/// Which side is right: in general, and about some fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authority {
    /// Where nothing else is said.
    pub default: Who,
    /// Exceptions.
    pub fields: BTreeMap<Field, Who>,
}

impl Authority {
    /// Who is right about a field.
    pub fn of(&self, field: Field) -> Who {
        self.fields.get(&field).copied().unwrap_or(self.default)
    }
}

/// Which way a delivery goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// From the system that follows into the master: the import, once.
    Import,
    /// From the master.
    Forward,
    /// Back into the master, by a person's word: an edit of the system that follows was right.
    Back,
}

impl Way {
    /// The word stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Way::Import => "import",
            Way::Forward => "forward",
            Way::Back => "back",
        }
    }

    /// The way of that word.
    pub fn of(word: &str) -> Option<Way> {
        [Way::Import, Way::Forward, Way::Back].into_iter().find(|way| way.word() == word)
    }

    /// Whether it goes out from the master.
    pub fn is_forward(self) -> bool {
        self == Way::Forward
    }
}

/// Where a delivery stands; see the write protocol in `sync/flow/push`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for its turn.
    Pending,
    /// A process works on it; nothing has been sent.
    Claimed,
    /// What will be written and what it replaces are on record.
    Prepared,
    /// The request may have gone out.
    Sent,
    /// It may have been done or not.
    Uncertain,
    /// The other system said it was done.
    Confirmed,
    /// It was seen there later, once and equal.
    Verified,
    /// The other system refused it; waits for a person.
    Rejected,
    /// Tried as often as it may be; waits for a person.
    Dead,
    /// There was nothing left to do.
    Superseded,
    /// Stands still until a case is decided.
    Held,
}

impl State {
    /// All there are.
    pub const ALL: [State; 11] = [
        State::Pending,
        State::Claimed,
        State::Prepared,
        State::Sent,
        State::Uncertain,
        State::Confirmed,
        State::Verified,
        State::Rejected,
        State::Dead,
        State::Superseded,
        State::Held,
    ];

    /// The word stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Claimed => "claimed",
            State::Prepared => "prepared",
            State::Sent => "sent",
            State::Uncertain => "uncertain",
            State::Confirmed => "confirmed",
            State::Verified => "verified",
            State::Rejected => "rejected",
            State::Dead => "dead",
            State::Superseded => "superseded",
            State::Held => "held",
        }
    }

    /// The state of that word.
    pub fn of(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether it goes on by itself.
    pub fn is_open(self) -> bool {
        matches!(self, State::Pending | State::Claimed | State::Prepared | State::Sent | State::Uncertain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_from_keys_and_back() {
        let rule = NumberRule { prefix: "100-".to_owned(), offset: 1000 };
        assert_eq!(rule.number("1045").as_deref(), Some("100-2045"));
        for (number, key) in [
            ("100-2045", Some("1045")),
            ("۱۰۰-۲۰۴۵", Some("1045")),
            (" 100-2045 ", Some("1045")),
            ("100-02045", None),
            ("101-2045", None),
            ("100-900", None),
            ("100-", None),
            ("2045", None),
        ] {
            assert_eq!(rule.key(number).as_deref(), key, "{number}");
        }
        assert_eq!(rule.number("x"), None);
        assert_eq!(rule.number("9223372036854775807"), None);
        for state in State::ALL {
            assert_eq!(State::of(state.word()), Some(state));
        }
    }
}
