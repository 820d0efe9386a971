//! `concord audit`: the entries, and whether the chain holds.

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{Common, End, app, print_json, table, text};
use crate::report;

/// What `audit` takes.
#[derive(Debug, Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The latest entries (this is the default).
    List {
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=500))]
        limit: i64,
    },
    /// Check every link of the chain and every digest.
    Verify,
    /// Every entry as a line of JSON, newest first.
    Export,
}

/// Runs the command.
pub async fn audit(common: &Common, args: AuditArgs) -> Result<End> {
    let app = app(common).await?;
    match args.action.unwrap_or(Action::List { limit: 50 }) {
        Action::List { limit } => {
            let entries = app.store.audit(None, None, limit).await?;
            if common.json {
                let total = app.store.count_audit(None).await?;
                let items: Vec<_> = entries.iter().map(report::audit_entry).collect();
                print_json(&serde_json::json!({ "items": items, "total": total, "next": null }))?;
            } else {
                for entry in &entries {
                    let line = format!(
                        "{}  {}  {}  {}  {}",
                        report::time(entry.at),
                        entry.actor,
                        entry.action,
                        entry.subject,
                        entry.after.as_deref().unwrap_or_default(),
                    );
                    println!("{}", table::clean(&line));
                }
            }
            Ok(End::Fine)
        }
        Action::Verify => {
            let checked = app.store.verify_audit().await?;
            if common.json {
                print_json(&report::audit_check(&checked))?;
            } else {
                let number = |n: u64| table::count(n);
                println!(
                    "{}",
                    text().with(
                        "cli-audit-checked",
                        &[
                            ("sealed", &number(checked.sealed)),
                            ("unsealed", &number(checked.unsealed)),
                            ("erased", &number(checked.erased)),
                        ]
                    )
                );
                for (entry, problem) in &checked.broken {
                    let problem = text().text(&format!("cli-audit-{problem}"));
                    println!(
                        "{}",
                        text().with(
                            "cli-audit-broken",
                            &[("entry", &entry.to_string()), ("problem", &problem),]
                        )
                    );
                }
            }
            Ok(if checked.broken.is_empty() { End::Fine } else { End::Disagree })
        }
        Action::Export => {
            let mut before = None;
            loop {
                let entries = app.store.audit(None, before, 500).await?;
                let Some(last) = entries.last() else { return Ok(End::Fine) };
                before = Some(last.id);
                for entry in &entries {
                    println!("{}", serde_json::to_string(&report::audit_entry(entry))?);
                }
            }
        }
    }
}
