//! `concord sync`: reads systems into the mirror, and says whether it adds up.

use std::sync::Arc;

use anyhow::Result;
use clap::Args;
use indicatif::MultiProgress;
use tokio::task::JoinHandle;

use super::{Common, End, actor, app_and_engine, no_systems, print_json, serve, systems, table, text, usage};
use crate::app::App;
use crate::model::{Message, Run, RunRequest, RunStatus};
use crate::report::{self, SyncDoc};
use crate::store::run::Requested;
use crate::sync::now;
use crate::work::{self, Engine};

mod progress;

use progress::Progress;

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
    if engine.is_none() && !common.quiet {
        eprintln!("{}", text().text("cli-server-works"));
    }
    let pulled = pull(&app, engine.as_ref(), common, args, &names).await?;
    let document = document(&app, &pulled.runs).await?;
    if common.json {
        print_json(&document)?;
    } else if !pulled.runs.is_empty() {
        print(&app, &pulled.runs, &document);
    }
    end(&app, &pulled).await
}

/// What became of the systems that were to be read.
pub struct Pulled {
    /// The runs as they ended.
    pub runs: Vec<Run>,
    /// Whether Ctrl-C cut them short.
    pub interrupted: bool,
}

/// A run that this command follows.
struct Followed {
    run: i64,
    system: String,
    /// Whether another process works on it for somebody else: then it is not ours to stop.
    foreign: bool,
    task: JoinHandle<Result<Run>>,
}

/// Reads these systems, each in its own run, side by side; the runs as they ended. Without names in
/// `args` a system that is paused is left out. Ctrl-C stops them.
pub async fn pull(
    app: &Arc<App>,
    engine: Option<&Arc<Engine>>,
    common: &Common,
    args: &SyncArgs,
    names: &[String],
) -> Result<Pulled> {
    if !args.systems.is_empty() {
        refuse_paused(app, names).await?;
    }
    let wanted = names.iter().map(|name| RunRequest {
        system: name.clone(),
        full: args.full,
        days: args.days,
        limit: args.limit,
        import: false,
    });
    carry_out(app, engine, common, &wanted.collect::<Vec<_>>()).await
}

/// Works on these runs side by side, or follows them where another process does; the runs as they ended.
/// Ctrl-C stops them.
pub async fn carry_out(
    app: &Arc<App>,
    engine: Option<&Arc<Engine>>,
    common: &Common,
    requests: &[RunRequest],
) -> Result<Pulled> {
    let own = Arc::new(tokio::sync::Mutex::new(engine.cloned()));
    let bars = MultiProgress::new();
    let mut followed = Vec::new();
    for request in requests {
        let name = &request.system;
        let Some((run, foreign)) = ask(app, engine, common, request).await? else { continue };
        let shown = (!common.quiet).then(|| Progress::new(&bars, name));
        let task = tokio::spawn(see_through(app.clone(), own.clone(), run, shown));
        followed.push(Followed { run, system: name.clone(), foreign, task });
    }
    let pulled = tokio::select! {
        runs = ended(&mut followed) => Pulled { runs: runs?, interrupted: false },
        () = serve::stopped() => stop(app, common, followed).await?,
    };
    // Whoever reads the audit next finds it sealed.
    if own.lock().await.is_some() {
        while app.store.seal().await? > 0 {}
    }
    Ok(pulled)
}

/// A system that is named must not be paused, before any other is read.
async fn refuse_paused(app: &App, names: &[String]) -> Result<()> {
    for name in names {
        let paused = app.store.system_state(name).await?.paused_at.is_some();
        if paused && app.store.active_run(name).await?.is_none() {
            return Err(usage(&Message::new("cli-system-is-paused").with("system", name)));
        }
    }
    Ok(())
}

/// Asks for the run of a system and says what became of the request: its number, and whether it is
/// somebody else's. `None` when the system is paused.
async fn ask(
    app: &App,
    engine: Option<&Arc<Engine>>,
    common: &Common,
    request: &RunRequest,
) -> Result<Option<(i64, bool)>> {
    let name = request.system.as_str();
    let resumed = app.store.resume_stopped(request, &actor(), now()).await?;
    let asked = match resumed {
        Some(run) => Requested::TakenUp(run),
        None => work::request(app, engine.map(Arc::as_ref), request, &actor()).await?,
    };
    let (told, run) = match asked {
        Requested::Begun(run) => return Ok(Some((run, false))),
        Requested::Joined(run) => ("cli-joined", Some((run, true))),
        Requested::TakenUp(run) => ("cli-taken-up", Some((run, false))),
        Requested::Paused => ("cli-left-out", None),
    };
    if !common.quiet {
        let number = run.map(|(run, _)| run.to_string()).unwrap_or_default();
        eprintln!("{}", text().with(told, &[("system", name), ("run", &number)]));
    }
    Ok(run)
}

/// Works on a run, or follows it where another process does; the run as it ended.
async fn see_through(
    app: Arc<App>,
    own: Arc<tokio::sync::Mutex<Option<Arc<Engine>>>>,
    run: i64,
    mut shown: Option<Progress>,
) -> Result<Run> {
    // With a server on this database the run is the server's; here it is only followed, unless the
    // server goes away.
    let worker = app.clone();
    let working = tokio::spawn(async move { work::see_through(&worker, &own, run).await });
    let following = work::follow(&app, run, |run| {
        if let Some(shown) = &mut shown {
            shown.show(run);
        }
    });
    let (run, ()) = tokio::try_join!(following, async { working.await? })?;
    Ok(run)
}

async fn ended(followed: &mut [Followed]) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    for one in followed {
        runs.push((&mut one.task).await??);
    }
    Ok(runs)
}

/// Asks the runs to stop, waits until they have, and says so; a second Ctrl-C does not wait.
async fn stop(app: &App, common: &Common, followed: Vec<Followed>) -> Result<Pulled> {
    tokio::spawn(async {
        serve::stopped().await;
        std::process::exit(130);
    });
    for one in followed.iter().filter(|one| !one.foreign) {
        app.store.cancel_run(one.run, &actor(), now()).await?;
    }
    let mut runs = Vec::new();
    let mut interrupted = false;
    for one in followed {
        let told = if one.foreign {
            one.task.abort();
            runs.extend(app.store.run(one.run).await?);
            "cli-goes-on-elsewhere"
        } else {
            let run = app.store.run(one.run).await?;
            // One that was over before is not awaited twice.
            let ended = match run.filter(|run| run.status.is_over()) {
                Some(run) => run,
                None => one.task.await??,
            };
            let stopped = ended.status == RunStatus::Cancelled;
            runs.push(ended);
            if !stopped {
                continue;
            }
            "cli-stopped"
        };
        interrupted = true;
        if !common.quiet {
            let number = one.run.to_string();
            eprintln!("{}", text().with(told, &[("system", one.system.as_str()), ("run", &number)]));
        }
    }
    Ok(Pulled { runs, interrupted })
}

/// What `sync` prints as JSON.
pub async fn document(app: &App, runs: &[Run]) -> Result<SyncDoc> {
    Ok(SyncDoc {
        runs: runs.iter().map(|run| report::run(app, run, text())).collect(),
        owners: report::owners(app, text()).await?,
        shops: report::shops(app).await?,
    })
}

/// Prints runs and owners for people.
pub fn print(app: &App, runs: &[Run], document: &SyncDoc) {
    println!("{}", table::streams(runs));
    print!("{}", table::ways(runs));
    let control = table::control(app, runs);
    if !control.is_empty() {
        println!("\n{control}");
    }
    if !document.owners.is_empty() || document.shops.is_empty() {
        println!("\n{}", table::owners(&document.owners));
    }
    if !document.shops.is_empty() {
        println!("\n{}", table::shops(&document.shops));
    }
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
pub async fn end(app: &App, pulled: &Pulled) -> Result<End> {
    let mut end = if pulled.interrupted { End::Interrupted } else { End::Fine };
    for run in &pulled.runs {
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
