//! The API from outside: over real HTTP, on databases filled by real reads.

mod million;
