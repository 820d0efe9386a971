//! Every test that looks at Concord from outside, in one binary: it links once.
//!
//! One module per theme; helpers that several themes need live in a module of their own.

// A test that cannot get its own material has failed, and the panic says where.
#![allow(clippy::unwrap_used)]

mod alerts;
mod api;
mod cli;
mod connect;
mod crash;
mod faults;
mod flows;
mod pages;
mod pull;
mod secrecy;
mod shop;
mod support;
mod tidy;
