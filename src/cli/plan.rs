//! `concord plan` and `concord apply`: what a flow would do, shown, and then done.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::sync::{SyncArgs, pull};
use super::{Common, End, actor, app_and_engine, confirm, flow_of, print_json, table, text, usage};
use crate::app::App;
use crate::model::flow::Way;
use crate::model::{Flow, Message, RunStatus};
use crate::report;
use crate::sync::flow::forward::{self, Action, Change};
use crate::sync::flow::{Road, applied};
use crate::sync::{Stop, now};

/// What `plan` takes.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The flow.
    flow: String,
    /// Save it there, to be applied later.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What `apply` takes.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The flow; a new plan is made, shown and applied.
    #[arg(required_unless_present = "plan")]
    flow: Option<String>,
    /// A saved plan.
    #[arg(long, value_name = "FILE", conflicts_with = "flow")]
    plan: Option<PathBuf>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// A plan in a file.
#[derive(Serialize, Deserialize)]
struct Saved {
    flow: String,
    changes: Vec<Change>,
}

/// Runs `plan`.
pub async fn plan(common: &Common, args: &PlanArgs) -> Result<End> {
    let (app, engine) = app_and_engine(common).await?;
    let flow = flow_of(&app, &args.flow)?;
    let Some(changes) = made(common, &app, engine.as_ref(), &flow).await? else { return Ok(End::Failed) };
    if let Some(file) = &args.out {
        let saved =
            serde_json::to_string_pretty(&Saved { flow: flow.name.clone(), changes: changes.clone() })?;
        crate::store::open::make(file).map_err(|error| crate::store::open::not_made(file, &error))?;
        std::fs::write(file, saved).with_context(|| file.display().to_string())?;
    }
    show(common, &flow, &changes)?;
    Ok(End::Fine)
}

/// Runs `apply`.
pub async fn apply(common: &Common, args: &ApplyArgs) -> Result<End> {
    let (app, engine) = app_and_engine(common).await?;
    let (flow, changes) = match (&args.flow, &args.plan) {
        (Some(name), _) => {
            let flow = flow_of(&app, name)?;
            let made = made(common, &app, engine.as_ref(), &flow).await?;
            let Some(changes) = made else { return Ok(End::Failed) };
            (flow, changes)
        }
        (None, Some(file)) => {
            let bad = || usage(&Message::new("cli-plan-unreadable").with("file", file.display()));
            let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
            let saved: Saved = serde_json::from_str(&text).map_err(|_| bad())?;
            (flow_of(&app, &saved.flow)?, saved.changes)
        }
        (None, None) => return Ok(End::Usage),
    };
    carry_out(common, &app, engine.as_ref(), &flow, &changes, args.yes).await
}

/// Shows changes, asks, and has them done; also those of a part of a plan.
pub(super) async fn carry_out(
    common: &Common,
    app: &Arc<App>,
    engine: Option<&Arc<crate::work::Engine>>,
    flow: &Flow,
    changes: &[Change],
    yes: bool,
) -> Result<End> {
    let writes =
        changes.iter().filter(|change| !matches!(change.action, Action::Case | Action::Skip)).count();
    if writes > 0 && !yes {
        if !common.json {
            show(common, flow, changes)?;
        }
        let question = Message::new("cli-apply-confirm").with("count", writes).with("system", &flow.to);
        if !confirm(&text().message(&question), false)? {
            return Ok(End::Fine);
        }
    }
    let Some(road) = Road::new(app, flow, Way::Forward) else {
        return Err(usage(&Message::new("flow-system-off").with("flow", &flow.name)));
    };
    if app.store.system_state(&flow.name).await?.paused_at.is_some() {
        return Err(usage(&Message::new("cli-flow-is-paused").with("flow", &flow.name)));
    }
    let began = now();
    forward::apply(&road, changes, &actor()).await?;
    let mut stopped = None;
    if let Some(engine) = engine {
        stopped = engine.work_off(&road).await.err();
        while app.store.seal().await? > 0 {}
    } else {
        // A server on this database works them off.
        while applied::is_under_way(&app.store, flow, changes).await? {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    }
    let applied = applied::of(&app.store, flow, changes, began).await?;
    if common.json {
        print_json(&applied)?;
    } else {
        let counts = [
            ("written", applied.written),
            ("unchanged", applied.unchanged),
            ("left-out", applied.left_out),
            ("cases", applied.cases),
            ("errors", applied.errors),
            ("open", applied.open),
        ];
        println!(
            "{}",
            table::pairs(
                &counts.map(|(word, count)| [text().text(&format!("apply-{word}")), count.to_string()])
            )
        );
    }
    match stopped {
        None if applied.cases + applied.errors + applied.open == 0 => Ok(End::Fine),
        None => Ok(End::Disagree),
        Some(Stop::Incomplete(message)) => {
            eprintln!("{}", text().message(&message));
            Ok(End::Disagree)
        }
        Some(Stop::Failed(message)) => {
            eprintln!("{}", text().message(&message));
            Ok(End::Failed)
        }
        Some(Stop::Internal(error)) => Err(error),
        Some(Stop::Cancelled | Stop::Lost) => Ok(End::Interrupted),
    }
}

/// A new plan, after both sides were read; `None` when they could not be.
pub(super) async fn made(
    common: &Common,
    app: &Arc<App>,
    engine: Option<&Arc<crate::work::Engine>>,
    flow: &Flow,
) -> Result<Option<Vec<Change>>> {
    let Some(road) = Road::new(app, flow, Way::Forward) else {
        return Err(usage(&Message::new("flow-system-off").with("flow", &flow.name)));
    };
    let sides = [flow.from.clone(), flow.to.clone()];
    let pulled = pull(app, engine, common, &SyncArgs::default(), &sides).await?;
    if pulled.runs.len() < sides.len() || pulled.runs.iter().any(|run| run.status != RunStatus::Succeeded) {
        eprintln!("{}", text().with("cli-plan-not-read", &[("flow", &flow.name)]));
        for error in pulled.runs.iter().filter_map(|run| run.error.as_ref()) {
            eprintln!("{}", text().message(error));
        }
        return Ok(None);
    }
    Ok(Some(forward::plan(&road).await?))
}

fn show(common: &Common, flow: &Flow, changes: &[Change]) -> Result<()> {
    let document = report::plan(None, &flow.name, changes, text());
    if common.json {
        return print_json(&document);
    }
    if changes.is_empty() {
        println!("{}", text().with("cli-plan-empty", &[("flow", &flow.name)]));
        return Ok(());
    }
    for change in &document.changes {
        let there = change.destination.as_deref().unwrap_or("–");
        let line = format!("{:<7} {} → {there}: {}", change.action, change.source, change.reason);
        println!("{}", table::clean(&line));
        for field in &change.fields {
            let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
            let line =
                format!("        {}: {} → {}", field.name, shown(&field.destination), shown(&field.to));
            println!("{}", table::clean(&line));
        }
    }
    let counts = document.counts.iter().map(|(word, count)| format!("{word} {count}"));
    println!("\n{}", counts.collect::<Vec<_>>().join(" · "));
    Ok(())
}
