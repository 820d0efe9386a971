//! Concord keeps customer data in agreement across the systems a company runs, and proves it.
//!
//! The road, in the order a row walks it: a system is read page by page ([`connect`]), each page
//! is stored whole with its checkpoint ([`sync`]), every row is tied to a customer and counted,
//! the totals are held against the source's own, and people look at the result ([`web`], [`cli`]).

pub mod config;
pub mod connect;
pub mod model;
pub mod simulate;
pub mod words;
