//! `concord demo`: everything at once, with simulated systems and nothing to set up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use serde::Serialize;
use serde_json::json;
use tokio::net::TcpListener;

use super::sync::{self, SyncArgs};
use super::verify::VerifyDoc;
use super::{Common, End, print_json, table, text, verify};
use crate::app::App;
use crate::config::Config;
use crate::model::flow::Way;
use crate::model::{Flow, RunRequest};
use crate::report::{self, ImportDoc, SyncDoc};
use crate::simulate::{self, Options, Simulator, Webhooks};
use crate::store::Store;
use crate::sync::flow::{self as sync_flow, Road};
use crate::sync::now;
use crate::web::access::Role;
use crate::web::session;
use crate::work::Engine;

/// The token of the simulated CRM's webhooks.
const WEBHOOK_TOKEN: &str = "sim-webhook-token";
/// How much is changed while somebody looks, and how often.
const EDITS: usize = 60;
const BETWEEN_EDITS: Duration = Duration::from_secs(5);
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
    import: ImportDoc,
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
    // Nothing that has to be asked: everybody can be brought into agreement.
    let simulator = Simulator::start(Options { crm_ambiguous: false, ..Options::default() }, None).await?;
    let settings = format!(
        "database = \"sqlite:{}\"\n[server]\nlisten = \"127.0.0.1:{}\"\npublic_url = \"{url}\"\n{}{}{}{}",
        folder.0.join("concord.db").display(),
        args.port,
        simulate::config(&simulator.url()),
        simulate::crm_config(&simulator.url()),
        simulate::finance_config(&simulator.url()),
        simulate::flows_config() + &simulate::quotes_config(),
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
    let flow = app.config.flow("customers").cloned().context("the demonstration has a flow of customers")?;
    let imported = import(&app, &engine, common, &flow).await?;
    let mut verified = verify::systems(&app, &names).await;
    if let Some(road) = Road::new(&app, &flow, Way::Forward) {
        verified.add(vec![sync_flow::verify::verify(&road).await?]);
    }
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
            import: imported,
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
                    ("contacts", &table::count(imported.created + imported.linked)),
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
        let serving = super::serve::on(app, engine, listener, true, super::serve::stopped());
        tokio::select! {
            served = serving => served?,
            never = work_in_the_office(&simulator, &url) => match never {},
        }
    } else {
        app.store.db.close().await;
    }
    simulator.stop().await;
    Ok(end)
}

/// Brings the customers of the finance system into the CRM, and both into agreement.
async fn import(app: &Arc<App>, engine: &Arc<Engine>, common: &Common, flow: &Flow) -> Result<ImportDoc> {
    let request = RunRequest { system: flow.name.clone(), import: true, ..RunRequest::default() };
    let mut runs = sync::carry_out(app, Some(engine), common, &[request]).await?.runs;
    let run = runs.pop().context("the import did not run")?;
    let roads = [Way::Import, Way::Forward].map(|way| Road::new(app, flow, way));
    let [Some(back), Some(road)] = roads else { bail!("the systems of the flow are switched off") };
    let summary = sync_flow::import::summary(&back, run.id).await?;
    let sides = [flow.from.clone(), flow.to.clone()];
    let quiet = Common { quiet: true, ..common.clone() };
    sync::pull(app, Some(engine), &quiet, &SyncArgs::default(), &sides).await?;
    engine.work_off(&road).await.map_err(|stop| anyhow!("{stop:?}"))?;
    sync::pull(app, Some(engine), &quiet, &SyncArgs::default(), &sides).await?;
    Ok(report::import(&flow.name, Some(&run), &summary))
}

/// For some minutes somebody works in the CRM, and it says so by webhooks: what is changed can be seen arriving
/// in the finance system.
async fn work_in_the_office(simulator: &Simulator, url: &str) -> std::convert::Infallible {
    let address = format!("{url}/webhook/crm/{WEBHOOK_TOKEN}");
    simulator.set_webhooks(Some(Webhooks::to(&address)));
    let identities = simulator.rows("crm", "identities");
    let numbered =
        identities.iter().filter(|row| row["customerNumber"].as_str().is_some_and(|n| !n.is_empty()));
    let ids: Vec<String> = numbered.filter_map(|row| row["crmId"].as_str().map(str::to_owned)).collect();
    for (round, id) in ids.iter().take(EDITS).enumerate() {
        tokio::time::sleep(BETWEEN_EDITS).await;
        simulator.crm().edit(id, &json!({ "email": format!("office{round}@example.test") }));
    }
    std::future::pending().await
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
