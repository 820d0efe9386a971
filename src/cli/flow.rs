//! `concord flow`: from when on a flow writes by itself, and whether its import may write again.

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{Common, End, actor, app, confirm, flow_of, print_json, text, usage};
use crate::model::Message;
use crate::sync::flow::life::{self, Life};

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
    /// Open a closed import again: `concord import` then writes into the master once more.
    Reopen {
        /// The flow.
        flow: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// Runs the command.
pub async fn flow(common: &Common, args: FlowArgs) -> Result<End> {
    let app = app(common).await?;
    let (name, told) = match args.action {
        Action::Start { flow } => {
            let name = flow_of(&app, &flow)?.name;
            life::start(&app.store, &name, &actor()).await?;
            (name, "cli-flow-is-live")
        }
        Action::Reopen { flow, yes } => {
            let name = flow_of(&app, &flow)?.name;
            if app.store.flow_state(&name).await?.import_closed_at.is_none() {
                return Err(usage(&Message::new("cli-import-not-closed").with("flow", &name)));
            }
            if !confirm(&text().with("cli-import-reopen-confirm", &[("flow", &name)]), yes)? {
                return Ok(End::Fine);
            }
            life::reopen_import(&app.store, &name, &actor()).await?;
            (name, "cli-import-reopened")
        }
    };
    if common.json {
        let state = app.store.flow_state(&name).await?;
        let life = Life::of(&state, &app.store.system_state(&name).await?);
        let closed = state.import_closed_at.is_some();
        print_json(&serde_json::json!({ "flow": name, "state": life.word(), "import_closed": closed }))?;
    } else {
        println!("{}", text().with(told, &[("flow", &name)]));
    }
    Ok(End::Fine)
}
