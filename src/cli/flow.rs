//! `concord flow start`: from when on a flow writes by itself.

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{Common, End, actor, app, flow_of, print_json, text};
use crate::store::{audit, flow};
use crate::sync::now;

/// What `flow` takes.
#[derive(Debug, Args)]
pub struct FlowArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Let a flow write by itself from now on. Nothing older is sent.
    Start {
        /// The flow.
        flow: String,
    },
}

/// Runs the command.
pub async fn flow(common: &Common, args: FlowArgs) -> Result<End> {
    let app = app(common).await?;
    let Action::Start { flow: name } = args.action;
    let name = flow_of(&app, &name)?.name;
    let mut tx = app.store.begin().await?;
    if flow::start(&mut tx, &name, now()).await? {
        let by = actor();
        let entry = audit::NewEntry {
            actor: &by,
            action: "flow.started",
            subject: &name,
            ..audit::NewEntry::default()
        };
        audit::write(&mut tx, entry, now()).await?;
        tx.commit().await?;
    }
    if common.json {
        print_json(&serde_json::json!({ "flow": name, "state": "live" }))?;
    } else {
        println!("{}", text().with("cli-flow-is-live", &[("flow", &name)]));
    }
    Ok(End::Fine)
}
