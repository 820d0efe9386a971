//! `concord overridden`: edits of the system that follows that the master overrode, and taking one over.

use anyhow::Result;
use clap::{Args, Subcommand};

use super::deliveries::asked;
use super::{Common, End, actor, app, flow_of, print_json, table, text};
use crate::report;
use crate::sync::flow::restore;

/// What `overridden` takes.
#[derive(Debug, Args)]
pub struct OverriddenArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The newest overridden edits.
    List {
        /// Of this flow [default: all].
        flow: Option<String>,
    },
    /// Take one over into the master: it was right after all.
    Accept {
        /// Its number.
        id: i64,
    },
}

/// Runs the command.
pub async fn overridden(common: &Common, args: OverriddenArgs) -> Result<End> {
    let app = app(common).await?;
    match args.action {
        Action::List { flow } => {
            let flow = flow.map(|name| flow_of(&app, &name)).transpose()?;
            let flow = flow.map(|flow| flow.name).unwrap_or_default();
            let found = app.store.overridden(&flow, None, 500).await?;
            let documents: Vec<_> = found.iter().map(report::overridden).collect();
            if common.json {
                let total = app.store.count_overridden(&flow).await?;
                print_json(&serde_json::json!({ "items": documents, "total": total, "next": null }))?;
            } else if documents.is_empty() {
                println!("{}", text().text("cli-no-overridden"));
            } else {
                let titles = [
                    "cli-number",
                    "cli-flow",
                    "cli-record",
                    "cli-field",
                    "cli-agreed",
                    "cli-theirs",
                    "cli-became",
                    "cli-accepted",
                ];
                let titles = titles.map(|id| text().text(id));
                let mut shown = table::table(&titles.each_ref().map(|title| title.as_str()));
                for one in documents {
                    let cells = [
                        one.id.to_string(),
                        one.flow,
                        one.source_key,
                        one.field.to_owned(),
                        one.agreed.unwrap_or_default(),
                        one.theirs.unwrap_or_default(),
                        one.became.unwrap_or_default(),
                        one.accepted_by.unwrap_or_default(),
                    ];
                    shown.add_row(cells.map(|cell| table::clean(&cell)));
                }
                println!("{shown}");
            }
            Ok(End::Fine)
        }
        Action::Accept { id } => {
            let done = restore::accept(&app.store, id, &actor()).await?;
            asked(common, &app, id, done, "cli-accept-asked").await
        }
    }
}
