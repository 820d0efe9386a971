//! Owner rules: which there are, what a change would move, and changing them.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Sent, text};
use crate::model::text::name_key;
use crate::model::{Message, Sums};
use crate::report::{self, OwnerDoc};
use crate::sync::owners::{self, Move};
use crate::web::Web;
use crate::web::access::{Admin, Viewer};
use crate::web::problem::Problem;

/// The longest name or owner, in characters.
const LONGEST: usize = 200;

/// A rule: this partner account or campaign belongs to this owner.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RuleDoc {
    /// Partner account or campaign.
    name: String,
    /// The owner.
    owner: String,
    /// `configuration`, or `added` by a person: those win.
    from: &'static str,
}

/// A partner account or campaign that the map does not know.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UnmappedDoc {
    /// The system.
    system: String,
    /// Partner account or campaign; null: clients that name none.
    partner_account: Option<String>,
    /// Clients.
    clients: i64,
    /// Their accounts.
    accounts: i64,
    /// Their sums.
    #[schema(value_type = Object)]
    sums: Sums,
}

/// Owners and their rules.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OwnersDoc {
    /// What each owner has, of clients and accounts; shops are told by the status.
    owners: Vec<OwnerDoc>,
    /// The map, in the order of the configuration, then what people added.
    rules: Vec<RuleDoc>,
    /// What the map does not know.
    unmapped: Vec<UnmappedDoc>,
}

/// Partner accounts and campaigns of every system that the map does not know.
pub(super) async fn unmapped(web: &Web) -> Result<Vec<UnmappedDoc>, Problem> {
    let app = &web.app;
    let mut found = Vec::new();
    // Customers of CRM and finance systems have no owner.
    for (system, _) in app.owners.systems.iter().filter(|(_, settings)| !settings.contacts) {
        for row in app.store.unmapped(system, &app.rules(system).await?.owners).await? {
            found.push(UnmappedDoc {
                system: row.system,
                partner_account: row.partner_account,
                clients: row.clients,
                accounts: row.accounts,
                sums: row.sums,
            });
        }
    }
    Ok(found)
}

/// Owners, the rules that give them, and what no rule knows.
#[utoipa::path(get, path = "/api/v1/owners",
    responses((status = 200, body = OwnersDoc)), extensions(("x-role" = json!("viewer"))))]
pub(super) async fn list(State(web): State<Web>, Viewer(_): Viewer) -> Result<Json<OwnersDoc>, Problem> {
    let app = &web.app;
    let added = app.store.owner_rules().await?;
    let configured = app.owners.map.iter().filter(|(name, _)| {
        // What a person added under the same name has replaced it.
        !added.iter().any(|rule| name_key(&rule.name) == name_key(name))
    });
    let configured = configured.map(|(name, owner)| RuleDoc {
        name: name.clone(),
        owner: owner.clone(),
        from: "configuration",
    });
    let people = added.iter().map(|rule| RuleDoc {
        name: rule.name.clone(),
        owner: rule.owner.clone(),
        from: "added",
    });
    Ok(Json(OwnersDoc {
        owners: report::owners(app, text()).await?,
        rules: configured.chain(people).collect(),
        unmapped: unmapped(&web).await?,
    }))
}

/// A change of the rules.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// Partner account or campaign.
    name: String,
    /// The owner; null takes away what a person added.
    owner: Option<String>,
}

/// What a change of rules moves.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MovesDoc {
    /// Per pair of owners: clients, accounts, sums.
    #[schema(value_type = Vec<Object>)]
    moves: Vec<Move>,
}

/// What a change of the rules would move. Nothing is changed.
#[utoipa::path(post, path = "/api/v1/owners/preview", request_body = Change,
    responses((status = 200, body = MovesDoc)), extensions(("x-role" = json!("admin"))))]
pub(super) async fn preview(
    State(web): State<Web>,
    Admin(_): Admin,
    Sent(change): Sent<Change>,
) -> Result<Json<MovesDoc>, Problem> {
    let name = word("name", &change.name)?;
    let owner = change.owner.as_deref().map(|owner| word("owner", owner)).transpose()?;
    let moves = owners::preview(&web.app.store, &web.app.owners, name, owner).await?;
    Ok(Json(MovesDoc { moves }))
}

/// An owner for a partner account or campaign.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewOwner {
    /// The owner.
    owner: String,
}

/// Adds or changes a rule and replays the rules over the stored records.
#[utoipa::path(put, path = "/api/v1/owners/rules/{name}", params(("name" = String, Path)),
    request_body = NewOwner,
    responses((status = 200, body = MovesDoc)), extensions(("x-role" = json!("admin"))))]
pub(super) async fn set(
    State(web): State<Web>,
    Admin(who): Admin,
    Path(name): Path<String>,
    Sent(change): Sent<NewOwner>,
) -> Result<Json<MovesDoc>, Problem> {
    let (name, owner) = (word("name", &name)?, word("owner", &change.owner)?);
    let moves = owners::set(&web.app.store, &web.app.owners, name, Some(owner), &who.name).await?;
    Ok(Json(MovesDoc { moves }))
}

/// Takes away a rule that a person added and replays the rules over the stored records.
#[utoipa::path(delete, path = "/api/v1/owners/rules/{name}", params(("name" = String, Path)),
    responses((status = 200, body = MovesDoc)), extensions(("x-role" = json!("admin"))))]
pub(super) async fn remove(
    State(web): State<Web>,
    Admin(who): Admin,
    Path(name): Path<String>,
) -> Result<Json<MovesDoc>, Problem> {
    let added = web.app.store.owner_rules().await?;
    if !added.iter().any(|rule| name_key(&rule.name) == name_key(&name)) {
        return Err(Problem::missing("web-no-owner-rule", &name));
    }
    let moves = owners::set(&web.app.store, &web.app.owners, &name, None, &who.name).await?;
    Ok(Json(MovesDoc { moves }))
}

fn word<'a>(name: &str, value: &'a str) -> Result<&'a str, Problem> {
    let value = value.trim();
    if value.is_empty() || value.chars().count() > LONGEST || value.chars().any(char::is_control) {
        return Err(Problem::bad(&Message::new("api-bad-value").with("name", name).with("value", value)));
    }
    Ok(value)
}
