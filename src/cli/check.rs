//! `concord check`: configuration, database, log-in and one small read per system.

use anyhow::Result;
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::{Common, End, SystemArgs, app, no_systems, print_json, systems, text};
use crate::app::App;
use crate::connect::{Ask, Connector};
use crate::sync::{Source, today};

/// What `check` prints as JSON.
#[derive(Debug, Serialize)]
struct CheckDoc {
    ok: bool,
    database: String,
    systems: Vec<CheckedDoc>,
}

/// How one system was found.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CheckedDoc {
    /// Its name.
    pub name: String,
    /// Whether it can be read.
    pub ok: bool,
    /// What is wrong.
    pub problem: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
}

/// Runs the command.
pub async fn check(common: &Common, args: &SystemArgs) -> Result<End> {
    let app = app(common).await?;
    crate::store::search::check(&app.store.db).await?;
    let mut found = Vec::new();
    for name in systems(&app, &args.systems)? {
        if let Some(source) = app.source(&name) {
            found.push(system(source).await);
        }
    }
    let ok = found.iter().all(|system| system.ok);
    let document = CheckDoc { ok, database: database(&app), systems: found };
    if common.json {
        print_json(&document)?;
    } else {
        println!("{}", text().with("cli-check-database", &[("database", document.database.as_str())]));
        if app.sources.is_empty() {
            println!("{}", text().message(&no_systems(&app)));
        }
        for system in &document.systems {
            match &system.problem {
                None => {
                    println!("{}", text().with("cli-check-fine", &[("system", system.name.as_str())]));
                    if let Some(webhook) = webhook(&app, &system.name) {
                        println!("  {webhook}");
                    }
                }
                Some(problem) => {
                    println!("{}: {problem}", system.name);
                    if let Some(remedy) = &system.remedy {
                        println!("  {remedy}");
                    }
                }
            }
        }
    }
    Ok(if ok { End::Fine } else { End::Failed })
}

/// Where a CRM sends its webhooks, to be pasted there. The address lets whoever knows it say that something
/// changed, so it is printed here and nowhere else.
fn webhook(app: &App, system: &str) -> Option<String> {
    let crm = app.source(system)?.connector.crm().filter(|crm| crm.webhooks)?;
    let url = &app.config.server.public_url;
    Some(match &crm.webhook_token {
        Some(token) => text().with("cli-check-webhook", &[("url", url), ("token", token.expose_secret())]),
        None if !crm.webhook_secret.is_empty() => text().with("cli-check-webhook-signed", &[("url", url)]),
        None => text().with("cli-check-no-webhook", &[("system", system)]),
    })
}

fn database(app: &App) -> String {
    app.config.database.to_string()
}

/// Signs in to a system and reads one row of its first list.
pub async fn system(source: &Source) -> CheckedDoc {
    let ask = Ask { page_size: 1, today: today(), ..Ask::default() };
    let mut problem = None;
    if let Some(stream) = source.connector.streams().first()
        && let Err(error) = source.connector.fetch(&source.http, stream, None, &ask).await
    {
        problem = Some(error.message().clone());
    }
    CheckedDoc {
        name: source.name.clone(),
        ok: problem.is_none(),
        remedy: problem.as_ref().and_then(|message| text().aside(message, "help")),
        problem: problem.map(|message| text().message(&message)),
    }
}
