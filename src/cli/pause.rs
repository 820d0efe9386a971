//! `concord pause` and `concord unpause`: when systems may be read.

use anyhow::Result;
use clap::Args;

use super::{Common, End, actor, app, print_json, systems, text};
use crate::export::document::ListDoc;
use crate::work::pause as system;

/// What `pause` and `unpause` take.
#[derive(Debug, Args)]
pub struct PauseArgs {
    /// A system, or `all`.
    #[arg(value_name = "SYSTEM|all")]
    what: String,
}

/// Runs the command.
pub async fn pause(common: &Common, args: &PauseArgs, pause: bool) -> Result<End> {
    let app = app(common).await?;
    let named = if args.what == "all" { Vec::new() } else { vec![args.what.clone()] };
    let names = systems(&app, &named)?;
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
