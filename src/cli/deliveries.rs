//! `concord deliveries`: writes to other systems, and those that wait for a person.

use std::sync::Arc;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{Common, End, actor, app, print_json, table, text, usage};
use crate::app::App;
use crate::model::Message;
use crate::model::flow::{State, Way};
use crate::report;
use crate::sync::Stop;
use crate::sync::flow::{Road, decide, restore};
use crate::work::Engine;

/// What `deliveries` takes.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct DeliveriesArgs {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Only those in this state.
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<State>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The newest deliveries (this is the default).
    List(ListArgs),
    /// Try one again that was refused, tried too often or stands still.
    Retry {
        /// Its number.
        id: i64,
    },
    /// Put back what one has changed, unless somebody has changed it since.
    Undo {
        /// Its number.
        id: i64,
    },
    /// Say what became of one that nobody could tell of.
    Resolve {
        /// Its number.
        id: i64,
        /// It was done.
        #[arg(long, conflicts_with = "not_applied", required_unless_present = "not_applied")]
        applied: bool,
        /// It was not done: it is tried again.
        #[arg(long)]
        not_applied: bool,
        /// The key or number of what was written.
        #[arg(long, value_name = "NUMBER", requires = "applied")]
        r#ref: Option<String>,
    },
}

fn state(word: &str) -> Result<State, String> {
    let known = || State::ALL.map(State::word).join(", ");
    State::of(word).ok_or_else(|| text().with("cli-unknown-state", &[("states", &known())]))
}

/// Runs the command.
pub async fn deliveries(common: &Common, args: DeliveriesArgs) -> Result<End> {
    let app = app(common).await?;
    match args.action.unwrap_or(Action::List(args.list)) {
        Action::List(ListArgs { state }) => {
            let found = app.store.deliveries(state, None, 500).await?;
            let documents = report::deliveries(&app, &found, text()).await?;
            if common.json {
                let total = app.store.count_deliveries(state).await?;
                print_json(&serde_json::json!({ "items": documents, "total": total, "next": null }))?;
            } else if documents.is_empty() {
                println!("{}", text().text("cli-no-deliveries"));
            } else {
                let titles = [
                    "cli-number",
                    "cli-flow",
                    "cli-what",
                    "cli-record",
                    "cli-written-to",
                    "cli-state",
                    "cli-attempts",
                ];
                let titles = titles.map(|id| text().text(id));
                let mut shown = table::table(&titles.each_ref().map(|title| title.as_str()));
                for one in documents {
                    let state = match &one.message {
                        Some(message) => format!("{}: {message}", one.state),
                        None => one.state.to_owned(),
                    };
                    let target = one.target.unwrap_or_default();
                    let cells = [
                        one.id.to_string(),
                        one.flow,
                        one.action,
                        one.record,
                        target,
                        state,
                        one.attempt.to_string(),
                    ];
                    shown.add_row(cells.map(|cell| table::clean(&cell)));
                }
                println!("{shown}");
            }
            Ok(End::Fine)
        }
        Action::Retry { id } => settle(common, &app, id, true, false, None).await,
        Action::Undo { id } => {
            let done = restore::undo(&app.store, id, &actor()).await?;
            asked(common, &app, id, done, "cli-undo-asked").await
        }
        Action::Resolve { id, applied, r#ref, .. } => {
            settle(common, &app, id, false, applied, r#ref.as_deref()).await
        }
    }
}

/// Says that something is being put back, and does it where no server is there to do it; else why not.
pub(super) async fn asked(
    common: &Common,
    app: &Arc<App>,
    id: i64,
    done: Result<(), &'static str>,
    told: &str,
) -> Result<End> {
    if let Err(why) = done {
        return Err(usage(&Message::new(why).with("delivery", id)));
    }
    if let Some(engine) = Engine::start(app).await? {
        for flow in &app.config.flows {
            for way in [Way::Forward, Way::Back] {
                let Some(road) = Road::new(app, flow, way) else { continue };
                if app.store.due_restores(&flow.name, way).await? {
                    engine.work_off(&road).await.map_err(|stop| anyhow::anyhow!(in_words(&stop)))?;
                }
            }
        }
        while app.store.seal().await? > 0 {}
    }
    if common.json {
        print_json(&serde_json::json!({ "id": id, "asked": true }))?;
    } else {
        println!("{}", text().with(told, &[("delivery", &id.to_string())]));
    }
    Ok(End::Fine)
}

fn in_words(stop: &Stop) -> String {
    match stop {
        Stop::Incomplete(message) | Stop::Failed(message) => text().message(message),
        Stop::Internal(error) => format!("{error:#}"),
        Stop::Cancelled | Stop::Lost => text().text("run-status-cancelled"),
    }
}

async fn settle(
    common: &Common,
    app: &crate::app::App,
    id: i64,
    retried: bool,
    applied: bool,
    key: Option<&str>,
) -> Result<End> {
    let unknown = || usage(&Message::new("delivery-unknown").with("delivery", id));
    let delivery = app.store.delivery(id).await?.ok_or_else(unknown)?;
    if applied && key.is_none() && delivery.target.is_none() {
        return Err(usage(&Message::new("delivery-needs-ref").with("delivery", id)));
    }
    if retried && !decide::may_be_retried(&delivery) {
        return Err(usage(&Message::new("delivery-say-which").with("delivery", id)));
    }
    let mut tx = app.store.begin().await?;
    if !decide::resolve(&mut tx, &delivery, applied, key, &actor()).await? {
        return Err(usage(&Message::new("delivery-not-still").with("delivery", id)));
    }
    tx.commit().await?;
    let delivery = app.store.delivery(id).await?.ok_or_else(unknown)?;
    if common.json {
        print_json(&report::delivery(&delivery, text()))?;
    } else {
        let told = if applied { "cli-delivery-applied" } else { "cli-delivery-retried" };
        println!("{}", text().with(told, &[("delivery", &id.to_string())]));
    }
    Ok(End::Fine)
}
