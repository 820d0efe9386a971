//! What the business talks about: amounts, texts, records, dispositions. Plain data, no IO.
//!
//! Nothing in here knows a database, a network or a clock; the rest of the program is built on it.

pub mod amount;
pub mod contact;
pub mod content;
pub mod customer;
pub mod disposition;
pub mod document;
pub mod fingerprint;
pub mod flow;
pub mod message;
pub mod owner;
pub mod phone;
pub mod record;
pub mod rules;
pub mod run;
pub mod text;

pub use amount::{Measure, Sums};
pub use contact::{Contact, Field};
pub use content::Content;
pub use disposition::{Counts, Disposition, Oddity, Reason};
pub use document::Document;
pub use fingerprint::Fingerprint;
pub use flow::Flow;
pub use message::Message;
pub use owner::OwnerRules;
pub use record::{Account, Incoming, Known, LeftOut, Party, Record, Reject};
pub use rules::SystemRules;
pub use run::{Run, RunRequest, RunStatus, Stage, StageStatus};
