//! The limit: how fast a minimal program loads a list of accounts into one table.
//!
//! It reads the v1 accounts list page by page and keeps the mapped columns and a fingerprint: no raw
//! payload, no history, no audit, no index beyond the primary key, no retries. A second run fetches
//! the fingerprints of a page by key and writes only what differs. What a real program reaches is
//! given as a ratio to this one, measured in the same minute, because absolute figures move from machine to machine.
//!
//! `limit --url http://127.0.0.1:9000/exness-ham --login L --password P --database sqlite:limit.db`
//!
//! The next pages are fetched and read while one is stored; each page is one durable transaction.

mod database;
mod page;
mod source;

use std::time::Instant;

use clap::Parser;
use serde::Serialize;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
struct Arguments {
    /// Where the list is served, without `/api`.
    #[arg(long)]
    url: String,
    #[arg(long)]
    login: String,
    #[arg(long)]
    password: String,
    /// `sqlite:FILE` or `postgres://…`; the table is made when it is missing.
    #[arg(long)]
    database: String,
    /// Rows per page.
    #[arg(long, default_value_t = 1000)]
    limit: usize,
    /// The order that rows are asked for in.
    #[arg(long, default_value = "client_account")]
    ordering: String,
}

#[derive(Debug, Serialize)]
struct Report {
    rows: usize,
    written: usize,
    seconds: f64,
    rows_per_second: f64,
    peak_mib: f64,
}

fn main() -> Result<(), Failure> {
    let report = run(&Arguments::parse())?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

fn run(arguments: &Arguments) -> Result<Report, Failure> {
    let started = Instant::now();
    let mut database = database::open(&arguments.database)?;
    let (mut rows, mut written) = (0, 0);
    for page in source::pages(arguments) {
        let page = page?;
        rows += page.rows.len();
        written += database.store(&page)?;
    }
    let seconds = started.elapsed().as_secs_f64();
    Ok(Report { rows, written, seconds, rows_per_second: rows as f64 / seconds, peak_mib: peak_mib() })
}

/// The largest resident size so far; 0 where the system does not tell.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

#[cfg(test)]
mod tests;
