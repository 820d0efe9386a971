//! Transport for every connector: sign-in, budgets, retries and limits.

/// Where a system lives and how to sign in.
#[derive(Debug, Clone)]
pub struct Door {}

/// One client of one upstream account.
#[derive(Debug, Clone)]
pub struct Http {}
