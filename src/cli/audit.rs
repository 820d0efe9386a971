//! `concord audit`: the entries, and whether the chain holds.

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{Common, End, app, print_json, table, text};
use crate::report;

/// What `audit` takes.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct AuditArgs {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// So many, 500 at the most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=500))]
    limit: i64,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The latest entries (this is the default).
    List(ListArgs),
    /// Check every link of the chain and every digest.
    Verify,
    /// Every entry as a line of JSON, newest first.
    Export,
}

/// Runs the command.
pub async fn audit(common: &Common, args: AuditArgs) -> Result<End> {
    let app = app(common).await?;
    match args.action.unwrap_or(Action::List(args.list)) {
        Action::List(ListArgs { limit }) => {
            let entries = app.store.audit(None, None, limit).await?;
            if common.json {
                let total = app.store.count_audit(None).await?;
                let items: Vec<_> = entries.iter().map(report::audit_entry).collect();
                print_json(&serde_json::json!({ "items": items, "total": total, "next": null }))?;
            } else {
                for entry in &entries {
                    let line = format!(
                        "{:>6}  {}  {}  {}  {}  {}",
                        entry.id,
                        report::time(entry.at),
                        entry.actor,
                        entry.action,
                        entry.subject,
                        readable(entry.after.as_deref().unwrap_or_default()),
                    );
                    println!("{}", table::clean(line.trim_end()));
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

/// A value as people read it: the fields of a document by name, without those that say nothing.
fn readable(value: &str) -> String {
    let Ok(fields) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(value) else {
        return value.to_owned();
    };
    let told = fields.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| match value {
        serde_json::Value::String(text) => format!("{name}: {text}"),
        other => format!("{name}: {other}"),
    });
    told.collect::<Vec<_>>().join(", ")
}
