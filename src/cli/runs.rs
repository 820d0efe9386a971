//! `concord runs`: what was done, and stopping or resuming it.

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{Common, End, actor, app, print_json, sync, table, text, usage};
use crate::model::{Message, Run};
use crate::report;
use crate::sync::now;

/// What `runs` takes.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct RunsArgs {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only of this system.
    #[arg(long)]
    system: Option<String>,
    /// So many, 500 at the most.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=500))]
    limit: i64,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The latest runs (this is the default).
    List(ListArgs),
    /// One run, whole.
    Show {
        /// Its number.
        id: i64,
    },
    /// Ask a run to stop.
    Cancel {
        /// Its number.
        id: i64,
    },
    /// Take a cancelled or failed run up again where it stopped.
    Resume {
        /// Its number.
        id: i64,
    },
}

/// Runs the command.
pub async fn runs(common: &Common, args: RunsArgs) -> Result<End> {
    let app = app(common).await?;
    match args.action.unwrap_or(Action::List(args.list)) {
        Action::List(ListArgs { system, limit }) => {
            let runs = app.store.runs(system.as_deref(), None, limit).await?;
            if common.json {
                let total = app.store.count_runs(system.as_deref()).await?;
                let items: Vec<_> = runs.iter().map(|run| report::run(&app, run, text())).collect();
                print_json(&serde_json::json!({ "items": items, "total": total, "next": null }))?;
            } else if runs.is_empty() {
                println!("{}", text().text("cli-no-runs"));
            } else {
                let titles = ["cli-run", "cli-system", "cli-status", "cli-progress", "cli-started", "cli-by"];
                let titles: Vec<String> = titles.iter().map(|id| text().text(id)).collect();
                let mut table = table::table(&titles.iter().map(String::as_str).collect::<Vec<_>>());
                for run in &runs {
                    table.add_row([
                        run.id.to_string(),
                        run.system.clone(),
                        status(run),
                        format!("{} %", run.progress),
                        run.started_at.map_or_else(|| "–".to_owned(), report::time),
                        table::clean(&run.requested_by),
                    ]);
                }
                println!("{table}");
            }
            Ok(End::Fine)
        }
        Action::Show { id } => {
            let run = app.store.run(id).await?.ok_or_else(|| unknown(id))?;
            if common.json {
                print_json(&report::run(&app, &run, text()))?;
            } else {
                println!("{} {} · {} · {}\n", text().text("cli-run"), run.id, run.system, status(&run));
                let document = sync::document(&app, std::slice::from_ref(&run)).await?;
                sync::print(&app, std::slice::from_ref(&run), &document);
                for mishap in app.store.mishaps(id).await? {
                    let problem = serde_json::from_str::<Message>(&mishap.problem)
                        .map_or(mishap.problem.clone(), |message| text().message(&message));
                    println!(
                        "{}  {} ({}): {problem}",
                        report::time(mishap.at),
                        mishap.request,
                        mishap.attempt
                    );
                }
            }
            Ok(End::Fine)
        }
        Action::Cancel { id } => {
            if !app.store.cancel_run(id, &actor(), now()).await? {
                let run = app.store.run(id).await?.ok_or_else(|| unknown(id))?;
                let status = text().text(&format!("run-status-{}", run.status.word()));
                return Err(usage(&Message::new("cli-run-over").with("run", id).with("status", status)));
            }
            println!("{}", text().with("cli-run-cancelled", &[("run", &id.to_string())]));
            Ok(End::Fine)
        }
        Action::Resume { id } => {
            if !app.store.resume_run(id, &actor(), now()).await? {
                return Err(usage(&Message::new("cli-run-not-resumable").with("run", id)));
            }
            println!("{}", text().with("cli-run-resumed", &[("run", &id.to_string())]));
            Ok(End::Fine)
        }
    }
}

/// How a run stands, and whether it reads some clients only.
fn status(run: &Run) -> String {
    let status = text().text(&format!("run-status-{}", run.status.word()));
    match run.limit {
        Some(limit) => format!("{status} {}", text().with("cli-limited", &[("n", &limit.to_string())])),
        None => status,
    }
}

fn unknown(id: i64) -> anyhow::Error {
    usage(&Message::new("cli-run-unknown").with("run", id))
}
