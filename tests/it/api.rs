//! The API from outside: over real HTTP, on databases filled by real reads.

mod exports;
pub mod insights;
pub mod lists;
mod roles;
mod runs;
pub mod server;
