//! What each command does. Results go to stdout, progress and log to stderr.
//!
//! A command ends with the worst of: 2 wrong usage or configuration, 1 a run or a login failed,
//! 3 done but not in agreement, 0. One that was stopped by Ctrl-C ends with 130.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use serde::Serialize;

use crate::app::{App, BadSystem};
use crate::config::Config;
use crate::model::Message;
use crate::store::Store;
use crate::store::open::Unusable;
use crate::sync::now;
use crate::words::{Words, words};
use crate::work::Engine;

pub mod audit;
pub mod cases;
pub mod check;
pub mod customers;
pub mod db;
pub mod deliveries;
pub mod demo;
pub mod flow;
pub mod hash;
pub mod import;
pub mod init;
pub mod links;
pub mod overridden;
pub mod pause;
pub mod people;
pub mod plan;
pub mod runs;
pub mod serve;
pub mod simulate;
pub mod sync;
pub mod table;
pub mod verify;

/// How long the database may take to be closed.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Keeps customer data in agreement across the systems a company runs, and proves it.
#[derive(Debug, Parser)]
#[command(name = "concord", version, max_term_width = 100)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
pub struct Common {
    /// Configuration file [default: concord.toml in this folder].
    #[arg(long, global = true, env = "CONCORD_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print one JSON document instead of tables.
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress and no log, only results and errors.
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Log more; three times for everything.
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// The database that the command works on, once it is open.
    #[arg(skip)]
    opened: Arc<OnceLock<Store>>,
}

impl Common {
    /// Notes the database that the command works on, so that it is closed at the end.
    pub fn keep(&self, store: &Store) {
        let _ = self.opened.set(store.clone());
    }

    /// Closes the database. SQLite then folds its log back into the file: whoever copies that has all
    /// of it. Something that is still at work does not keep the command from ending.
    pub async fn close(&self) {
        if let Some(store) = self.opened.get() {
            let _ = tokio::time::timeout(LAST_WORDS, store.db.close()).await;
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Everything at once, with simulated systems: sync, verify, print the summary, serve.
    Demo(demo::DemoArgs),
    /// Ask a few questions and write concord.toml.
    Init(init::InitArgs),
    /// Check configuration, database, log-in and one small read per system.
    Check(SystemArgs),
    /// Read systems into the mirror.
    Sync(sync::SyncArgs),
    /// Bring the customers of the system that follows into the master, once.
    Import(import::ImportArgs),
    /// Show what a flow would write.
    Plan(plan::PlanArgs),
    /// Write what a plan says.
    Apply(plan::ApplyArgs),
    /// Hold the mirror against the sources.
    Verify(verify::VerifyArgs),
    /// List, search and export customers.
    Customers(customers::CustomersArgs),
    /// List, show, cancel or resume runs.
    Runs(runs::RunsArgs),
    /// List, show and decide cases.
    Cases(cases::CasesArgs),
    /// List, retry, undo or settle writes to other systems.
    Deliveries(deliveries::DeliveriesArgs),
    /// List edits that the master overrode, or take one over into it.
    Overridden(overridden::OverriddenArgs),
    /// List links, take over those of an earlier engine, or find lost ones again.
    Links(links::LinksArgs),
    /// Let a flow write by itself, or open its import again.
    Flow(flow::FlowArgs),
    /// List, verify or export the audit.
    Audit(audit::AuditArgs),
    /// Stop systems from being read, and flows from writing.
    Pause(pause::PauseArgs),
    /// Let paused systems be read, and paused flows write, again.
    Unpause(pause::PauseArgs),
    /// Serve dashboard and API, and run the schedules.
    Serve,
    /// Run the simulated systems alone.
    Simulate(simulate::SimulateArgs),
    /// Turn a password into the form that a finance system of Siagh takes (`password_md5`).
    HashPassword(hash::HashArgs),
    /// Add, list, disable or enable people, or set their passwords.
    User(people::UserArgs),
    /// Create, list or revoke API tokens.
    Token(people::TokenArgs),
    /// Migrate, back up, restore or check the database.
    Db(db::DbArgs),
}

/// Which systems.
#[derive(Debug, Clone, Default, Args)]
pub struct SystemArgs {
    /// Systems by name [default: all].
    #[arg(value_name = "SYSTEM")]
    pub systems: Vec<String>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// 0: done, in agreement.
    Fine,
    /// 3: done, not in agreement.
    Disagree,
    /// 1: a run or a login failed.
    Failed,
    /// 2: wrong usage or configuration.
    Usage,
    /// 130: stopped by Ctrl-C.
    Interrupted,
}

/// A mistake of the user's, in words: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// A usage mistake with a text of the catalogue.
pub fn usage(message: &Message) -> anyhow::Error {
    Usage(text().message(message)).into()
}

/// The catalogue of the command line's language.
pub fn text() -> &'static Words {
    words(crate::words::DEFAULT)
}

/// Turns the end of a command into the process's exit code, printing what went wrong.
pub fn exit(done: Result<End>) -> ExitCode {
    let end = match done {
        Ok(end) => end,
        Err(error) => {
            let usage = error.is::<Usage>() || error.is::<crate::config::Error>();
            match error.downcast::<crate::config::Error>() {
                // Each by itself, so that all look alike.
                Ok(error) => {
                    for mistake in error.mistakes() {
                        eprintln!("{:?}", miette::Report::new(mistake.clone()));
                    }
                }
                Err(error) => match in_words(&error) {
                    Some(message) => {
                        eprintln!("concord: {}", text().message(message));
                        return ExitCode::from(2);
                    }
                    None => eprintln!("concord: {}", chain(&error)),
                },
            }
            if usage { End::Usage } else { End::Failed }
        }
    };
    ExitCode::from(match end {
        End::Fine => 0,
        End::Failed => 1,
        End::Usage => 2,
        End::Disagree => 3,
        End::Interrupted => 130,
    })
}

/// What an error of the surroundings says, which somebody can mend.
fn in_words(error: &anyhow::Error) -> Option<&Message> {
    let system = error.downcast_ref::<BadSystem>().map(|bad| &bad.0);
    system.or_else(|| error.downcast_ref::<Unusable>().map(|unusable| &unusable.0))
}

/// An error with its causes, without those that the one before has told already.
fn chain(error: &anyhow::Error) -> String {
    let mut told: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        if !told.last().is_some_and(|before| before.contains(&cause)) {
            told.push(cause);
        }
    }
    told.join(": ")
}

/// A reader that closes its end of the pipe (`concord runs | head`) ends the command, quietly.
fn end_with_the_pipe() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload_as_str().unwrap_or_default();
        if said.starts_with("failed printing to std") {
            std::process::exit(0);
        }
        usual(panic);
    }));
}

/// Standard output for what is written piece by piece: ends the command as `end_with_the_pipe` does.
pub struct Out(pub std::io::Stdout);

impl std::io::Write for Out {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        unless_closed(self.0.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        unless_closed(self.0.flush())
    }
}

fn unless_closed<T>(done: std::io::Result<T>) -> std::io::Result<T> {
    match done {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        done => done,
    }
}

/// Sets up logging to stderr. `CONCORD_LOG` takes filters as `tracing` reads them.
pub fn log(common: &Common) {
    end_with_the_pipe();
    let level = match (common.quiet, common.verbose) {
        (true, _) => "off",
        (_, 0) => "warn",
        (_, 1) => "concord=info,warn",
        (_, 2) => "concord=debug,info",
        _ => "trace",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("CONCORD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}

/// Reads the configuration.
pub fn config(common: &Common) -> Result<Config> {
    let file = Config::find(common.config.as_deref());
    if !file.exists() {
        return Err(usage(&Message::new("cli-no-config").with("file", file.display())));
    }
    Ok(Config::load(&file)?)
}

/// Reads the configuration and opens its database, brought up to date.
pub async fn app(common: &Common) -> Result<Arc<App>> {
    let config = config(common)?;
    let store = Store::ready(config.database.url(), now()).await?;
    common.keep(&store);
    App::new(config, store).await
}

/// The program together with its engine; `None` for the engine when a server works on this database.
pub async fn app_and_engine(common: &Common) -> Result<(Arc<App>, Option<Arc<Engine>>)> {
    let app = app(common).await?;
    let engine = Engine::start(&app).await?;
    Ok((app, engine))
}

/// The named systems, all when none is named; an unknown name is a mistake of usage.
pub fn systems(app: &App, named: &[String]) -> Result<Vec<String>> {
    if named.is_empty() {
        return Ok(app.sources.iter().map(|source| source.name.clone()).collect());
    }
    for name in named {
        if app.source(name).is_none() {
            if app.config.system(name).is_some() {
                return Err(usage(&Message::new("cli-system-is-off").with("system", name)));
            }
            let known = app.sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", ");
            let message = Message::new("cli-unknown-system").with("system", name).with("known", known);
            return Err(usage(&message));
        }
    }
    Ok(named.to_vec())
}

/// The flow of that name; an unknown one is a mistake of usage.
pub fn flow_of(app: &App, name: &str) -> Result<crate::model::Flow> {
    app.config.flow(name).cloned().ok_or_else(|| {
        let known = app.config.flows.iter().map(|flow| flow.name.as_str()).collect::<Vec<_>>().join(", ");
        usage(&Message::new("cli-unknown-flow").with("flow", name).with("known", known))
    })
}

/// That no system is there to be read, and what to do about it.
pub fn no_systems(app: &App) -> Message {
    let off = app.config.systems.iter().map(|system| system.name.as_str()).collect::<Vec<_>>().join(", ");
    let id = if off.is_empty() { "cli-no-systems" } else { "cli-all-off" };
    Message::new(id).with("file", app.config.file.display()).with("systems", off)
}

/// Prints a document as JSON.
pub fn print_json(document: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(document)?);
    Ok(())
}

/// Who runs the command, for the audit.
pub fn actor() -> String {
    let user = std::env::var("SUDO_USER").or_else(|_| std::env::var("USER"));
    user.map_or_else(|_| "cli".to_owned(), |user| format!("cli:{user}"))
}

/// Asks for a yes. Without a terminal and without `--yes` nothing is done: a mistake of usage.
pub fn confirm(question: &str, yes: bool) -> Result<bool> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        return Err(usage(&Message::new("cli-needs-yes")));
    }
    Ok(dialoguer::Confirm::new().with_prompt(question).default(false).interact()?)
}
