//! Texts as data: a key of the message catalogue with its arguments.
//!
//! Errors and reasons are stored and passed on in this form, so that each reader gets them in
//! their own language. Arguments never hold a secret or unmasked personal data.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A message: which text, and what goes into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Key of the catalogue, in the form `area-what-happened`.
    pub id: String,
    /// Arguments by the names the text uses.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
}

impl Message {
    /// A message without arguments.
    pub fn new(id: &str) -> Message {
        Message { id: id.to_owned(), args: BTreeMap::new() }
    }

    /// The message with one more argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Message {
        self.args.insert(name.to_owned(), value.to_string());
        self
    }
}

/// For logs: the key and its arguments. People read the catalogue's text instead.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        self.args.iter().try_for_each(|(name, value)| write!(f, " {name}={value:?}"))
    }
}
