//! `concord pause` and `concord unpause`: when systems may be read, and flows may write.

use anyhow::Result;
use clap::Args;

use super::{Common, End, actor, app, print_json, systems, text};
use crate::export::document::ListDoc;
use crate::work::pause as system;

/// What `pause` and `unpause` take.
#[derive(Debug, Args)]
pub struct PauseArgs {
    /// A system, a flow, or `all`.
    #[arg(value_name = "SYSTEM|FLOW|all")]
    what: String,
}

/// Runs the command.
pub async fn pause(common: &Common, args: &PauseArgs, pause: bool) -> Result<End> {
    let app = app(common).await?;
    let flows = app.config.flows.iter().map(|flow| flow.name.clone());
    let names = match args.what.as_str() {
        "all" => systems(&app, &[])?.into_iter().chain(flows).collect(),
        flow if app.config.flow(flow).is_some() => vec![flow.to_owned()],
        system => systems(&app, &[system.to_owned()])?,
    };
    for name in &names {
        if pause {
            system::pause(&app.store, name, &actor(), system::BY_HAND).await?;
        } else {
            system::unpause(&app.store, name, &actor()).await?;
        }
        if !common.json {
            let id = if pause { "cli-paused" } else { "cli-unpaused" };
            println!("{}", text().with(id, &[("system", name.as_str())]));
        }
    }
    if common.json {
        let item = |name: &String| serde_json::json!({ "name": name, "paused": pause });
        print_json(&ListDoc::whole(names.iter().map(item).collect()))?;
    }
    Ok(End::Fine)
}
