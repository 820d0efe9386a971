//! Concord keeps customer data in agreement across the systems a company runs, and proves it.
//!
//! The road, in the order a row walks it: a system is read page by page (`connect`), each page is
//! stored whole with its checkpoint, tied to customers and held against the source's own totals
//! (`sync`), runs are asked for, claimed and scheduled (`work`), and people look at the result
//! (`web`, `cli`). `model` is what all of them talk about, `store` is all that is remembered.

pub mod app;
pub mod cli;
pub mod config;
pub mod connect;
pub mod export;
pub mod failpoint;
pub mod insights;
pub mod model;
pub mod report;
pub mod simulate;
pub mod store;
pub mod sync;
pub mod web;
pub mod words;
pub mod work;

pub use failpoint::failpoint;
