//! `concord demo`: everything at once, with simulated systems and nothing to set up.

use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;
use tokio::net::TcpListener;

use super::sync::{self, SyncArgs};
use super::verify::VerifyDoc;
use super::{Common, End, print_json, table, text, verify};
use crate::app::App;
use crate::config::Config;
use crate::report::SyncDoc;
use crate::simulate::{self, Options, Simulator};
use crate::store::Store;
use crate::sync::now;
use crate::web::access::Role;
use crate::web::session;
use crate::work::Engine;

/// Requests per second to the simulated systems.
const QUICK: f64 = 1000.0;

/// What `demo` takes.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Port of the dashboard on 127.0.0.1.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// End after the summary.
    #[arg(long)]
    once: bool,
}

#[derive(Serialize)]
struct DemoDoc {
    #[serde(flatten)]
    sync: SyncDoc,
    verify: VerifyDoc,
    url: Option<String>,
    token: Option<String>,
    seconds: f64,
}

/// Runs the command.
pub async fn demo(common: &Common, args: &DemoArgs) -> Result<End> {
    let began = Instant::now();
    let folder = Folder::new()?;
    let listener = match args.once {
        true => None,
        false => Some(
            TcpListener::bind(("127.0.0.1", args.port))
                .await
                .with_context(|| format!("listening on port {} (choose another with --port)", args.port))?,
        ),
    };
    let url = format!("http://127.0.0.1:{}", args.port);
    let simulator = Simulator::start(Options::default(), None).await?;
    let settings = format!(
        "database = \"sqlite:{}\"\n[server]\nlisten = \"127.0.0.1:{}\"\npublic_url = \"{url}\"\n{}",
        folder.0.join("concord.db").display(),
        args.port,
        simulate::config(&simulator.url())
    );
    let mut config = Config::parse(&settings, "demo", &|_| None)?;
    // Real systems are asked a few times a second; these are ours to hurry.
    config.systems.iter_mut().for_each(|system| system.rate = QUICK);
    let store = Store::ready(config.database.url(), now()).await?;
    let app = App::new(config, store).await?;
    let engine = Engine::start(&app).await?.context("the temporary database is in use")?;

    let names = super::systems(&app, &[])?;
    let pulled = sync::pull(&app, Some(&engine), common, &SyncArgs::default(), &names).await?;
    let document = sync::document(&app, &pulled.runs).await?;
    if pulled.interrupted {
        return Ok(End::Interrupted);
    }
    let verified = verify::systems(&app, &names).await;
    let end = sync::end(&app, &pulled).await?.max(if verified.agree { End::Fine } else { End::Disagree });
    let seconds = began.elapsed().as_secs_f64();

    let mut links = None;
    if listener.is_some() {
        links = Some((
            session::enter_link(&app, &url).await?,
            super::people::create(&app, "demo", Role::Admin, Some(1), "demo").await?.1,
        ));
    }
    if common.json {
        print_json(&DemoDoc {
            sync: document,
            verify: verified,
            url: links.as_ref().map(|(url, _)| url.clone()),
            token: links.as_ref().map(|(_, token)| token.clone()),
            seconds,
        })?;
    } else {
        sync::print(&app, &pulled.runs, &document);
        let (clients, accounts) =
            document.owners.iter().fold((0, 0), |sum, o| (sum.0 + o.clients, sum.1 + o.accounts));
        let (customers, cards) =
            document.shops.iter().fold((0, 0), |sum, shop| (sum.0 + shop.customers, sum.1 + shop.cards));
        println!(
            "\n{}",
            text().with(
                "cli-demo-summary",
                &[
                    ("clients", &table::count(clients)),
                    ("accounts", &table::count(accounts)),
                    ("customers", &table::count(customers)),
                    ("cards", &table::count(cards)),
                    ("seconds", &format!("{seconds:.1}")),
                ]
            )
        );
        println!(
            "{}",
            text().text(if end == End::Fine { "cli-in-agreement" } else { "cli-not-in-agreement" })
        );
    }
    if let (Some(listener), Some((link, _))) = (listener, links) {
        eprintln!("\n{}", text().with("cli-demo-enter", &[("url", link.as_str())]));
        super::serve::on(app, engine, listener, true, super::serve::stopped()).await?;
    } else {
        app.store.db.close().await;
    }
    simulator.stop().await;
    Ok(end)
}

/// A folder of our own that goes with the demonstration.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Result<Folder> {
        let name = format!("concord-demo-{}-{}", std::process::id(), crate::web::access::new_secret()?);
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(Folder(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
