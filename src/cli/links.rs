//! `concord links`: which records of two systems are the same customer.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use super::{Common, End, actor, app, app_and_engine, flow_of, plan, print_json, table, text, usage};
use crate::connect::Connector as _;
use crate::model::flow::Select;
use crate::model::{Flow, Message};
use crate::report;
use crate::store::audit;
use crate::store::link::{self, NewLink, Side};
use crate::sync::flow::forward::{Action as Do, Change};
use crate::sync::now;

/// What `links` takes.
#[derive(Debug, Args)]
pub struct LinksArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The newest links.
    List {
        /// Of this flow [default: all].
        flow: Option<String>,
    },
    /// Take over the links of an earlier engine: a CSV with flow,source_key,destination_key.
    Import {
        /// The file.
        file: PathBuf,
    },
    /// Find lost links again: reads both sides and ties the records that are the same customer. Writes nothing
    /// into either.
    Rebuild {
        /// The flow.
        flow: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// What became of a file of links.
#[derive(Debug, Default, serde::Serialize)]
struct Taken {
    /// Made now.
    linked: u64,
    /// There before.
    already_linked: u64,
    /// Lines where either side is linked otherwise, counted from 1 with the heading.
    refused: Vec<u64>,
}

/// Runs the command.
pub async fn links(common: &Common, args: LinksArgs) -> Result<End> {
    match args.action {
        Action::List { flow } => list(common, flow).await,
        Action::Import { file } => import(common, &file).await,
        Action::Rebuild { flow, yes } => rebuild(common, &flow, yes).await,
    }
}

async fn list(common: &Common, flow: Option<String>) -> Result<End> {
    let app = app(common).await?;
    let flow = flow.map(|name| flow_of(&app, &name)).transpose()?.map(|flow| flow.name).unwrap_or_default();
    let links = app.store.links(&flow, None, 500).await?;
    let documents = report::links(&app, &links).await?;
    if common.json {
        let total = app.store.count_links(&flow).await?;
        print_json(&serde_json::json!({ "items": documents, "total": total, "next": null }))?;
    } else if documents.is_empty() {
        println!("{}", text().text("cli-no-links"));
    } else {
        let titles =
            ["cli-flow", "cli-source-key", "cli-destination-key", "cli-rule"].map(|id| text().text(id));
        let mut shown = table::table(&titles.each_ref().map(|title| title.as_str()));
        for one in documents {
            let cells = [one.flow, one.source_key, one.destination_key, one.rule];
            shown.add_row(cells.map(|cell| table::clean(&cell)));
        }
        println!("{shown}");
    }
    Ok(End::Fine)
}

async fn import(common: &Common, file: &PathBuf) -> Result<End> {
    let app = app(common).await?;
    let taken = take(&app, file).await?;
    if common.json {
        print_json(&taken)?;
    } else {
        let lines = taken.refused.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        let lines = if lines.is_empty() { "none" } else { &lines };
        let counts =
            [taken.linked.to_string(), taken.already_linked.to_string(), taken.refused.len().to_string()];
        let args = [
            ("linked", counts[0].as_str()),
            ("already", &counts[1]),
            ("refused", &counts[2]),
            ("lines", lines),
        ];
        println!("{}", text().with("cli-links-taken", &args));
    }
    Ok(if taken.refused.is_empty() { End::Fine } else { End::Disagree })
}

/// Does of a plan only what ties records, and what has to be asked for that.
async fn rebuild(common: &Common, flow: &str, yes: bool) -> Result<End> {
    let (app, engine) = app_and_engine(common).await?;
    // Also those that would not be carried by themselves: they were tied once.
    let flow = Flow { select: Select::All, ..flow_of(&app, flow)? };
    let Some(changes) = plan::made(common, &app, engine.as_ref(), &flow).await? else {
        return Ok(End::Failed);
    };
    let links: Vec<Change> = changes.into_iter().filter(|change| change.action == Do::Link).collect();
    plan::carry_out(common, &app, engine.as_ref(), &flow, &links, yes).await
}

/// Makes the links of a file, all or, when it cannot be read, none.
async fn take(app: &crate::app::App, file: &PathBuf) -> Result<Taken> {
    let bad = |line: u64| {
        usage(&Message::new("cli-links-bad-line").with("file", file.display()).with("line", line))
    };
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    if reader.headers().ok().is_none_or(|names| names.iter().ne(["flow", "source_key", "destination_key"])) {
        return Err(bad(1));
    }
    let mut taken = Taken::default();
    let mut tx = app.store.begin().await?;
    for (row, line) in reader.records().zip(2..) {
        let row = row.map_err(|_| bad(line))?;
        let [Some(flow), Some(source_key), Some(destination_key)] =
            [0, 1, 2].map(|at| row.get(at).filter(|cell| !cell.is_empty()))
        else {
            return Err(bad(line));
        };
        let flow = flow_of(app, flow)?;
        let spelled = |system: &str, key: &str| {
            app.source(system).map_or_else(|| key.to_owned(), |source| source.connector.spelled(key))
        };
        let keys = [spelled(&flow.from, source_key), spelled(&flow.to, destination_key)];
        let (flow, [source_key, destination_key]) = (flow.name, keys.each_ref().map(String::as_str));
        let by = actor();
        let new = NewLink { flow: &flow, source_key, destination_key, rule: "file", run: None, by: &by };
        if link::make(&mut tx, &new, now()).await? {
            taken.linked += 1;
            let subject = format!("{flow} {source_key} ↔ {destination_key}");
            let entry = audit::NewEntry {
                actor: &by,
                action: "link.made",
                subject: &subject,
                reason: Some("file"),
                ..audit::NewEntry::default()
            };
            audit::write(&mut tx, entry, now()).await?;
            continue;
        }
        match link::of(&mut tx, &flow, Side::Source, source_key).await? {
            Some(there) if there.destination_key == destination_key => taken.already_linked += 1,
            _ => taken.refused.push(line),
        }
    }
    tx.commit().await?;
    Ok(taken)
}
