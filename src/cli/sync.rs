//! `concord sync`: reads systems into the mirror, and says whether it adds up.

use std::io::IsTerminal;
use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{Common, End, actor, app_and_engine, no_systems, print_json, systems, table, text, usage};
use crate::app::App;
use crate::model::{Message, Run, RunRequest, RunStatus};
use crate::report::{self, SyncDoc};
use crate::store::run::Requested;
use crate::work::{self, Engine};

/// What `sync` takes.
#[derive(Debug, Clone, Default, Args)]
pub struct SyncArgs {
    /// Systems by name [default: all].
    #[arg(value_name = "SYSTEM")]
    pub systems: Vec<String>,
    /// Start anew and read everything, instead of taking up an interrupted run.
    #[arg(long)]
    pub full: bool,
    /// Read so many days of dated lists.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub days: Option<i64>,
    /// Take the first N clients and what hangs on them.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub limit: Option<i64>,
}

/// Runs the command.
pub async fn sync(common: &Common, args: &SyncArgs) -> Result<End> {
    let (app, engine) = app_and_engine(common).await?;
    let names = systems(&app, &args.systems)?;
    if names.is_empty() {
        return Err(usage(&no_systems(&app)));
    }
    let runs = pull(&app, engine.as_ref(), common, args, &names).await?;
    let document = document(&app, &runs).await?;
    if common.json {
        print_json(&document)?;
    } else {
        print(&runs, &document);
    }
    end(&app, &runs).await
}

/// Reads these systems, each in its own run, side by side; the runs as they ended.
pub async fn pull(
    app: &Arc<App>,
    engine: Option<&Arc<Engine>>,
    common: &Common,
    args: &SyncArgs,
    names: &[String],
) -> Result<Vec<Run>> {
    let own = Arc::new(tokio::sync::Mutex::new(engine.cloned()));
    let bars = MultiProgress::new();
    let mut tasks = Vec::new();
    for name in names {
        let request =
            RunRequest { system: name.clone(), full: args.full, days: args.days, limit: args.limit };
        let asked = work::request(app, engine.map(Arc::as_ref), &request, &actor()).await?;
        let id = match asked {
            Requested::Begun(id) | Requested::Joined(id) => id,
            Requested::Paused => return Err(usage(&Message::new("system-is-paused").with("system", name))),
        };
        if matches!(asked, Requested::Joined(_)) && !common.quiet {
            eprintln!(
                "{}",
                text().with("cli-joined", &[("system", name.as_str()), ("run", &id.to_string())])
            );
        }
        let (app, own) = (app.clone(), own.clone());
        let shown = (!common.quiet).then(|| Progress::new(&bars, name));
        tasks.push(tokio::spawn(async move {
            // With a server on this database the run is the server's; here it is only followed,
            // unless the server goes away.
            let worker = app.clone();
            let working = tokio::spawn(async move { work::see_through(&worker, &own, id).await });
            let mut shown = shown;
            let following = work::follow(&app, id, |run| {
                if let Some(shown) = &mut shown {
                    shown.show(run);
                }
            });
            let (run, ()) = tokio::try_join!(following, async { working.await? })?;
            anyhow::Ok(run)
        }));
    }
    let mut runs = Vec::new();
    for task in tasks {
        runs.push(task.await??);
    }
    // Whoever reads the audit next finds it sealed.
    if own.lock().await.is_some() {
        while app.store.seal().await? > 0 {}
    }
    Ok(runs)
}

/// What `sync` prints as JSON.
pub async fn document(app: &App, runs: &[Run]) -> Result<SyncDoc> {
    Ok(SyncDoc {
        runs: runs.iter().map(|run| report::run(run, text())).collect(),
        owners: report::owners(app, text()).await?,
    })
}

/// Prints runs and owners for people.
pub fn print(runs: &[Run], document: &SyncDoc) {
    println!("{}", table::streams(runs));
    let control = table::control(runs);
    if !control.is_empty() {
        println!("\n{control}");
    }
    println!("\n{}", table::owners(&document.owners));
    for run in runs {
        if let Some(error) = &run.error {
            println!("\n{}: {}", run.system, text().message(error));
        }
        for stage in run.stages.iter().filter(|stage| stage.error.is_some() && stage.error != run.error) {
            if let Some(error) = &stage.error {
                println!("\n{}/{}: {}", run.system, stage.name, text().message(error));
            }
        }
    }
}

/// How a command that ran these runs ends.
pub async fn end(app: &App, runs: &[Run]) -> Result<End> {
    let mut end = End::Fine;
    for run in runs {
        let rejected = run.stages.iter().any(|stage| stage.counts.rejected > 0);
        let open = app.store.count_cases(Some("open"), Some(&run.system)).await? > 0;
        end = end.max(match run.status {
            RunStatus::Failed | RunStatus::Cancelled => End::Failed,
            RunStatus::Incomplete => End::Disagree,
            _ if rejected || open => End::Disagree,
            _ => End::Fine,
        });
    }
    Ok(end)
}

/// Progress of one run: a bar on a terminal, a line per stage elsewhere.
struct Progress {
    bar: Option<ProgressBar>,
    system: String,
    stage: String,
}

impl Progress {
    fn new(bars: &MultiProgress, system: &str) -> Progress {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = bars.add(ProgressBar::new(100));
            let style = ProgressStyle::with_template("{prefix:12} {bar:30} {pos:>3} % {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(system.to_owned());
            bar
        });
        Progress { bar, system: system.to_owned(), stage: String::new() }
    }

    fn show(&mut self, run: &Run) {
        let stage = run.stages.iter().rev().find(|stage| stage.passes > 0);
        let line = stage.map_or_else(String::new, |stage| {
            let done = table::count(stage.done);
            match stage.total {
                Some(total) => format!("{} {done} / {}", stage.name, table::count(total)),
                None => format!("{} {done}", stage.name),
            }
        });
        match &self.bar {
            Some(bar) => {
                bar.set_position(run.progress.unsigned_abs());
                bar.set_message(line);
                if run.status.is_over() {
                    bar.finish_with_message(text().text(&format!("run-status-{}", run.status.word())));
                }
            }
            None => {
                let now = stage.map_or_else(String::new, |stage| stage.name.clone());
                if run.status.is_over() {
                    let status = text().text(&format!("run-status-{}", run.status.word()));
                    eprintln!("{}: {status}", self.system);
                } else if now != self.stage {
                    eprintln!("{}: {now} …", self.system);
                    self.stage = now;
                }
            }
        }
    }
}
