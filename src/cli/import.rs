//! `concord import`: the customers of the system that follows, brought into the master once.

use anyhow::Result;
use clap::Args;

use super::sync::{SyncArgs, carry_out, pull};
use super::{Common, End, app_and_engine, confirm, flow_of, print_json, table, text, usage};
use crate::model::flow::{Entity, Way};
use crate::model::{Message, Run, RunRequest, RunStatus};
use crate::report;
use crate::sync::flow::Road;
use crate::sync::flow::import::{self, Summary};

/// What `import` takes.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// The flow.
    pub flow: String,
    /// Only tell what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// Take the first N rows.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub limit: Option<i64>,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

/// Runs the command.
pub async fn import(common: &Common, args: &ImportArgs) -> Result<End> {
    let (app, engine) = app_and_engine(common).await?;
    let flow = flow_of(&app, &args.flow)?;
    if flow.entity != Entity::Customer {
        return Err(usage(&Message::new("flow-no-import").with("flow", &flow.name)));
    }
    let Some(road) = Road::new(&app, &flow, Way::Import) else {
        return Err(usage(&Message::new("flow-system-off").with("flow", &flow.name)));
    };
    let sides = [flow.to.clone(), flow.from.clone()];
    let pulled = pull(&app, engine.as_ref(), common, &SyncArgs::default(), &sides).await?;
    if pulled.interrupted {
        return Ok(End::Interrupted);
    }
    if pulled.runs.len() < sides.len() || pulled.runs.iter().any(|run| run.status != RunStatus::Succeeded) {
        let message = Message::new("cli-import-not-read").with("flow", &flow.name);
        eprintln!("{}", text().message(&message));
        for error in pulled.runs.iter().filter_map(|run| run.error.as_ref()) {
            eprintln!("{}", text().message(error));
        }
        let failed = pulled.runs.iter().any(|run| run.status == RunStatus::Failed);
        return Ok(if failed { End::Failed } else { End::Disagree });
    }
    let rehearsed = import::rehearse(&road).await?;
    if args.dry_run {
        print(common, &flow.name, None, &rehearsed)?;
        return Ok(End::Fine);
    }
    let closed = app.store.flow_state(&flow.name).await?.import_closed_at.is_some();
    let rest = rehearsed.created + rehearsed.linked;
    if closed && rest > 0 {
        let message = Message::new("import-closed-rest").with("flow", &flow.name).with("count", rest);
        eprintln!("{}", text().message(&message));
    }
    if rest > 0 && !closed && !args.yes {
        if !common.json {
            print(common, &flow.name, None, &rehearsed)?;
        }
        let question = Message::new("cli-import-confirm")
            .with("created", rehearsed.created)
            .with("linked", rehearsed.linked)
            .with("system", &road.target.name);
        if !confirm(&text().message(&question), false)? {
            return Ok(End::Fine);
        }
    }
    let request =
        RunRequest { system: flow.name.clone(), limit: args.limit, import: true, ..RunRequest::default() };
    let Some(run) = carry_out(&app, engine.as_ref(), common, &[request]).await?.runs.pop() else {
        return Err(usage(&Message::new("cli-flow-is-paused").with("flow", &flow.name)));
    };
    let summary = import::summary(&road, run.id).await?;
    print(common, &flow.name, Some(&run), &summary)?;
    if let Some(error) = &run.error {
        eprintln!("{}", text().message(error));
    }
    Ok(match run.status {
        RunStatus::Cancelled => End::Interrupted,
        RunStatus::Failed => End::Failed,
        RunStatus::Succeeded if summary.errors + summary.cases == 0 => End::Fine,
        _ => End::Disagree,
    })
}

fn print(common: &Common, flow: &str, run: Option<&Run>, summary: &Summary) -> Result<()> {
    if common.json {
        return print_json(&report::import(flow, run, summary));
    }
    let counts = [
        ("created", summary.created),
        ("linked", summary.linked),
        ("already-linked", summary.already_linked),
        ("excluded", summary.excluded),
        ("cases", summary.cases),
        ("errors", summary.errors),
    ];
    let rows = counts.map(|(word, count)| [text().text(&format!("import-{word}")), count.to_string()]);
    println!("{}", table::pairs(&rows));
    let told = match (run, summary.closed) {
        (None, _) => "import-rehearsed",
        (_, true) => "import-is-closed",
        (_, false) => "import-is-open",
    };
    println!("{}", text().with(told, &[("flow", flow)]));
    Ok(())
}
