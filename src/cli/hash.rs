//! `concord hash-password`: what Siagh is sent instead of a password.

use anyhow::Result;
use clap::Args;

use super::{Common, End, people, print_json};
use crate::connect::siagh::password_hash;

/// What `hash-password` takes.
#[derive(Debug, Args)]
pub struct HashArgs {
    /// The password; asked for, or read from standard input, when it is not given. What is typed here may be
    /// kept by the shell.
    password: Option<String>,
}

/// Runs the command. What it prints opens the finance system like the password itself.
pub fn hash(common: &Common, args: HashArgs) -> Result<End> {
    let password = match args.password {
        Some(password) => password,
        None => people::read_password()?,
    };
    let hash = password_hash(&password);
    if common.json {
        print_json(&serde_json::json!({ "password_md5": hash }))?;
    } else {
        println!("{hash}");
    }
    Ok(End::Fine)
}
