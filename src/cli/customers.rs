//! `concord customers`: list, search, export.

use anyhow::Result;
use clap::Args;

use super::{Common, End};

/// What `customers` takes.
#[derive(Debug, Args)]
pub struct CustomersArgs {}

/// Runs the command.
pub async fn customers(_common: &Common, _args: &CustomersArgs) -> Result<End> {
    Ok(End::Fine)
}
