//! Where everything stands, and what may be done to a system as a whole.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::{owners, text};
use crate::cli::check::{CheckedDoc, system as check_system};
use crate::export::document::ListDoc;
use crate::model::Message;
use crate::report::{self, OwnerDoc, PausedDoc, RunDoc, ShopDoc, time};
use crate::store::audit;
use crate::store::system::SystemState;
use crate::sync::now;
use crate::web::Web;
use crate::web::access::{Operator, Viewer};
use crate::web::problem::Problem;
use crate::work::pause;

/// A system as it is configured and remembered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SystemDoc {
    /// Its name.
    name: String,
    /// Its kind (`exness`, `xm`).
    kind: String,
    /// Whether it is switched on.
    enabled: bool,
    /// The owner set on it.
    owner: Option<String>,
    /// Who paused it, when and why; null when it is not paused.
    paused: Option<PausedDoc>,
    /// When its schedule wants the next run.
    next_run_at: Option<String>,
    /// Refused logins in a row.
    refused_logins: i64,
    /// What there is to say of its schedule.
    note: Option<String>,
}

/// Where a system stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StandingDoc {
    /// The system.
    #[serde(flatten)]
    system: SystemDoc,
    /// The run under way.
    running: Option<RunDoc>,
    /// The last run that is over: per stream what the source said, what is stored, what became of
    /// each row, and what is unexplained.
    last_run: Option<RunDoc>,
    /// What each owner has in it, of clients and accounts; a shop has none of these.
    owners: Vec<OwnerDoc>,
    /// Of a shop: what its customers have.
    shop: Option<ShopDoc>,
}

/// Where everything stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StatusDoc {
    /// The systems, in the order of the configuration.
    systems: Vec<StandingDoc>,
    /// What each owner has in all of them, of clients and accounts.
    owners: Vec<OwnerDoc>,
    /// What each shop has.
    shops: Vec<ShopDoc>,
    /// Partner accounts and campaigns that the owner map does not know.
    unmapped: Vec<owners::UnmappedDoc>,
    /// Cases that wait for a person.
    open_cases: i64,
}

/// A stored message in words.
fn said(json: Option<&str>) -> Option<String> {
    let json = json?;
    Some(serde_json::from_str(json).map_or_else(|_| json.to_owned(), |message| text().message(&message)))
}

fn document(system: &crate::config::SystemConfig, state: &SystemState) -> SystemDoc {
    SystemDoc {
        name: system.name.clone(),
        kind: system.connector.kind().to_owned(),
        enabled: system.enabled,
        owner: system.owner.clone(),
        paused: report::paused(state, text()),
        next_run_at: state.next_run_at.filter(|_| system.enabled).map(time),
        refused_logins: state.refused_logins,
        note: said(state.note.as_deref()),
    }
}

/// Where everything stands: per system, stream and owner.
#[utoipa::path(get, path = "/api/v1/status",
    responses((status = 200, body = StatusDoc)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn status(State(web): State<Web>, Viewer(_): Viewer) -> Result<Json<StatusDoc>, Problem> {
    let store = &web.app.store;
    let shops = report::shops(&web.app).await?;
    let mut systems = Vec::new();
    for system in &web.app.config.systems {
        let state = store.system_state(&system.name).await?;
        let running = store.active_run(&system.name).await?;
        let last = store.last_run(&system.name).await?;
        let parts = store.owners_of(&system.name).await?;
        systems.push(StandingDoc {
            shop: shops.iter().find(|shop| shop.system == system.name).cloned(),
            system: document(system, &state),
            running: running.map(|run| report::run(&web.app, &run, text())),
            last_run: last.map(|run| report::run(&web.app, &run, text())),
            owners: parts
                .into_iter()
                .map(|part| OwnerDoc {
                    label: part.owner.clone(),
                    owner: part.owner,
                    clients: part.clients,
                    accounts: part.accounts,
                    sums: part.sums,
                })
                .collect(),
        });
    }
    let document = StatusDoc {
        systems,
        owners: report::owners(&web.app, text()).await?,
        shops,
        unmapped: owners::unmapped(&web).await?,
        open_cases: store.count_cases(Some("open"), None).await?,
    };
    Ok(Json(document))
}

/// Lists the systems.
#[utoipa::path(get, path = "/api/v1/systems",
    responses((status = 200, body = ListDoc<SystemDoc>)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn list(
    State(web): State<Web>,
    Viewer(_): Viewer,
) -> Result<Json<ListDoc<SystemDoc>>, Problem> {
    let mut items = Vec::new();
    for system in &web.app.config.systems {
        items.push(document(system, &web.app.store.system_state(&system.name).await?));
    }
    Ok(Json(ListDoc::whole(items)))
}

/// Signs in to a system and reads a little; says what is wrong and what to do.
#[utoipa::path(post, path = "/api/v1/systems/{name}/check", params(("name" = String, Path)),
    responses((status = 200, body = CheckedDoc)), extensions(("x-role" = json!("operator"))))]
pub(super) async fn check(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(name): Path<String>,
) -> Result<Json<CheckedDoc>, Problem> {
    let source = web.app.source(&name).ok_or_else(|| unknown(&name))?;
    let found = check_system(source).await;
    let mut tx = web.app.store.begin().await?;
    let entry = audit::NewEntry {
        actor: &who.name,
        action: "system.checked",
        subject: &name,
        after: Some(serde_json::json!({ "ok": found.ok }).to_string()),
        ..audit::NewEntry::default()
    };
    audit::write(&mut tx, entry, now()).await?;
    tx.commit().await?;
    Ok(Json(found))
}

/// Stops a system from being read until somebody says otherwise.
#[utoipa::path(post, path = "/api/v1/systems/{name}/pause", params(("name" = String, Path)),
    responses((status = 200, body = SystemDoc)), extensions(("x-role" = json!("operator"))))]
pub(super) async fn hold(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(name): Path<String>,
) -> Result<Json<SystemDoc>, Problem> {
    let system = web.app.config.system(&name).ok_or_else(|| unknown(&name))?;
    pause::pause(&web.app.store, &name, &who.name, pause::BY_HAND).await?;
    Ok(Json(document(system, &web.app.store.system_state(&name).await?)))
}

/// Lets a system be read again.
#[utoipa::path(post, path = "/api/v1/systems/{name}/unpause", params(("name" = String, Path)),
    responses((status = 200, body = SystemDoc)), extensions(("x-role" = json!("operator"))))]
pub(super) async fn release(
    State(web): State<Web>,
    Operator(who): Operator,
    Path(name): Path<String>,
) -> Result<Json<SystemDoc>, Problem> {
    let system = web.app.config.system(&name).ok_or_else(|| unknown(&name))?;
    pause::unpause(&web.app.store, &name, &who.name).await?;
    Ok(Json(document(system, &web.app.store.system_state(&name).await?)))
}

fn unknown(system: &str) -> Problem {
    let message = Message::new("api-unknown-system").with("system", system);
    Problem::new(axum::http::StatusCode::NOT_FOUND, &message)
}
