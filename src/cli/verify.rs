//! `concord verify`: the mirror held against the sources, now.

use anyhow::Result;
use clap::Args;

use std::sync::Arc;

use super::sync::{SyncArgs, pull};
use super::{Common, End, app, flow_of, no_systems, print_json, table, text, usage};
use crate::app::App;
use crate::model::flow::Way;
use crate::model::{Message, RunStatus};
use crate::report;
use crate::sync::flow::{self, Road};
use crate::sync::parity;
use crate::work::Engine;

pub use crate::sync::parity::VerifyDoc;
use crate::sync::parity::{Item, Line, Unverified};

/// What `verify` takes.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Systems and flows by name [default: all].
    #[arg(value_name = "SYSTEM|FLOW")]
    names: Vec<String>,
    /// Only the customers of shops whose card has this phone, read live.
    #[arg(long)]
    phone: Option<String>,
    /// Only the customer with this number, read live.
    #[arg(long, value_name = "ID", conflicts_with = "phone")]
    customer: Option<i64>,
}

/// Runs the command.
pub async fn verify(common: &Common, args: &VerifyArgs) -> Result<End> {
    let app = app(common).await?;
    let is_flow = |name: &&String| app.config.flow(name).is_some();
    let flows: Vec<String> = match args.names.is_empty() {
        true => app.config.flows.iter().map(|flow| flow.name.clone()).collect(),
        false => args.names.iter().filter(is_flow).cloned().collect(),
    };
    let named: Vec<String> = args.names.iter().filter(|name| !is_flow(name)).cloned().collect();
    let names = match named.is_empty() && !flows.is_empty() && !args.names.is_empty() {
        true => Vec::new(),
        false => super::systems(&app, &named)?,
    };
    if names.is_empty() && flows.is_empty() {
        return Err(usage(&no_systems(&app)));
    }
    let document = match (&args.phone, args.customer) {
        (Some(phone), _) => customers(&app, &names, phone).await?,
        (None, Some(id)) => customer(&app, id).await?,
        (None, None) => {
            let mut document = systems(&app, &names).await;
            of_flows(common, &app, &flows, &mut document).await?;
            document
        }
    };
    if common.json {
        print_json(&document)?;
    } else {
        print(&document);
    }
    Ok(match (document.problems.is_empty(), document.agree) {
        (false, _) => End::Failed,
        (true, false) => End::Disagree,
        (true, true) => End::Fine,
    })
}

fn print(document: &VerifyDoc) {
    for item in &document.items {
        println!("\n{}", item.subject);
        for block in blocks(item) {
            print_lines(block);
        }
        if let Some(silent) = not_compared(item) {
            println!("{silent}");
        }
    }
    for problem in &document.problems {
        println!("\n{}: {}", problem.system, problem.problem);
    }
    println!("\n{}", text().text(summary(document)));
}

/// The figures of one thing as they are read: those of a list together, of a customer money, points and
/// city apart.
fn blocks(item: &Item) -> Vec<&[Line]> {
    let is_list = item.lines.first().is_some_and(|line| line.what == "count");
    item.lines.chunk_by(|one, next| is_list || one.unit == next.unit).collect()
}

fn print_lines(lines: &[Line]) {
    let titles = ["cli-what", "cli-source", "cli-mirror", "cli-difference"];
    let titles: Vec<String> = titles.iter().map(|id| text().text(id)).collect();
    let mut table = table::table(&titles.iter().map(String::as_str).collect::<Vec<_>>());
    for line in lines {
        table.add_row([
            figure(line),
            line.source.clone().unwrap_or_else(|| "–".to_owned()),
            line.mirror.clone().unwrap_or_else(|| "–".to_owned()),
            line.difference.clone().unwrap_or_else(|| "–".to_owned()),
        ]);
        for cause in &line.causes {
            let rule = report::rule(&cause.rule, text());
            table.add_row([
                format!("  {rule}"),
                table::count(cause.count),
                String::new(),
                cause.amount.clone().unwrap_or_default(),
            ]);
        }
    }
    println!("{table}");
}

fn summary(document: &VerifyDoc) -> &'static str {
    match (document.problems.is_empty(), document.agree) {
        (false, _) => "cli-not-all-verified",
        (true, true) => "cli-in-agreement",
        (true, false) => "cli-not-in-agreement",
    }
}

/// Which sums could not be compared, if any.
fn not_compared(item: &Item) -> Option<String> {
    if let [line] = item.lines.as_slice()
        && line.what == "count"
    {
        return Some(text().text("cli-verify-no-sums"));
    }
    let names =
        item.not_compared.iter().map(|name| table::measure(name, None)).collect::<Vec<_>>().join(", ");
    (!names.is_empty()).then(|| text().with("cli-verify-not-compared", &[("sums", &names)]))
}

/// A figure in words, with its currency; a type of document is called as its source calls it.
fn figure(line: &Line) -> String {
    let known = text().knows(&format!("measure-{}", line.what.replace('_', "-")));
    let what = if known { table::measure(&line.what, Some(&line.unit)) } else { line.what.clone() };
    let is_currency = line.unit.len() == 3 && line.unit.bytes().all(|b| b.is_ascii_uppercase());
    if is_currency && !what.ends_with(&line.unit) {
        return text().with("cli-figure-in", &[("what", &what), ("currency", &line.unit)]);
    }
    what
}

/// Holds the customers of these systems' shops that have a phone against their sources.
async fn customers(app: &App, names: &[String], phone: &str) -> Result<VerifyDoc> {
    let shops = names.iter().filter_map(|name| app.source(name));
    let shops: Vec<_> = shops.filter_map(|source| Some((source, source.connector.shop()?))).collect();
    if shops.is_empty() {
        return Err(usage(&Message::new("cli-no-shop")));
    }
    let mut document = VerifyDoc::new();
    for (source, shop) in shops {
        match parity::shop::by_phone(&app.store, &app.owners, source, shop, phone).await {
            Ok(items) => document.add(items),
            Err(error) => document.fail(&source.name, problem(&source.name, &error)),
        }
    }
    if document.items.is_empty() && document.problems.is_empty() {
        return Err(usage(&Message::new("cli-no-such-phone")));
    }
    Ok(document)
}

/// Holds the customer of this number against its source.
async fn customer(app: &App, id: i64) -> Result<VerifyDoc> {
    let missing = || usage(&Message::new("web-no-customer").with("id", id));
    let item = app.store.customer_item(id).await?.ok_or_else(missing)?;
    let unknown = || usage(&Message::new("case-unknown-system"));
    let source = app.source(&item.system).ok_or_else(unknown)?;
    match parity::customer(&app.store, &app.owners, source, item.id, &item.key).await {
        Ok(document) => Ok(document),
        Err(error @ Unverified::NotAlone) => Err(usage(&error.message().with("system", &item.system))),
        Err(error) => {
            let mut document = VerifyDoc::new();
            document.fail(&item.system, problem(&item.system, &error));
            Ok(document)
        }
    }
}

fn problem(system: &str, error: &Unverified) -> String {
    text().message(&error.message().with("system", system))
}

/// Holds both sides of these flows against each other, after they were read.
async fn of_flows(common: &Common, app: &Arc<App>, names: &[String], document: &mut VerifyDoc) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let engine = Engine::start(app).await?;
    for name in names {
        let flow = flow_of(app, name)?;
        let road = Road::new(app, &flow, Way::Forward);
        let off = || usage(&Message::new("flow-system-off").with("flow", &flow.name));
        let road = road.ok_or_else(off)?;
        let quiet = Common { quiet: true, ..common.clone() };
        let pulled =
            pull(app, engine.as_ref(), &quiet, &SyncArgs::default(), &[flow.from.clone(), flow.to.clone()])
                .await?;
        match pulled.runs.iter().find(|run| run.status != RunStatus::Succeeded) {
            Some(run) => {
                let why = run.error.as_ref().map(|error| text().message(error)).unwrap_or_default();
                document.fail(&flow.name, why);
            }
            None if pulled.runs.len() < 2 => document.fail(&flow.name, text().text("verify-flow-paused")),
            None => document.add(vec![flow::verify::verify(&road).await?]),
        }
    }
    Ok(())
}

/// Holds these systems against their sources. One that cannot be read does not keep the others from
/// being compared.
pub async fn systems(app: &App, names: &[String]) -> VerifyDoc {
    let mut document = VerifyDoc::new();
    for name in names {
        let Some(source) = app.source(name) else { continue };
        match parity::system(&app.store, source).await {
            Ok(items) => document.add(items),
            Err(error) => document.fail(name, problem(name, &error)),
        }
    }
    document
}
