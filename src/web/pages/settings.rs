//! Settings: the owners map, with a preview of what a change would move.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::overview::owner_label;
use super::show::{maybe_amount, number};
use super::{Done, Frame, render};
use crate::app::App;
use crate::model::Message;
use crate::model::amount::{REBATE_USD, REWARD_USD};
use crate::model::text::name_key;
use crate::sync::owners::{self, Move};
use crate::web::Web;
use crate::web::access::{Admin, Viewer};
use crate::web::problem::Problem;
use crate::words::Words;

/// The longest name, in characters.
const LONGEST: usize = 200;

/// What the page is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    name: Option<String>,
}

/// What the form sends.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    name: String,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    apply: Option<String>,
    #[serde(default)]
    remove: Option<String>,
}

struct RuleView {
    name: String,
    owner: String,
    added: bool,
    /// Whether a rule that was added says otherwise.
    overruled: bool,
}

struct MoveView {
    from: String,
    to: String,
    clients: String,
    accounts: String,
    reward: String,
    rebate: String,
}

/// A change to be looked at before it is made.
struct Preview {
    name: String,
    owner: String,
    remove: bool,
    moves: Vec<MoveView>,
}

#[derive(Template)]
#[template(path = "settings.html")]
struct Settings {
    f: Frame,
    rules: Vec<RuleView>,
    owners: Vec<String>,
    name: String,
    owner: String,
    wrong: Option<String>,
    preview: Option<Preview>,
}

/// `GET /settings`
pub async fn page(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Query(asked): Query<Asked>,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let f = Frame::new(&web.app, who, "/settings", "web-settings").await?.saying(done.done.as_deref());
    settings(&web.app, f, asked.name.as_deref().unwrap_or_default(), "", None, None).await
}

async fn settings(
    app: &App,
    f: Frame,
    name: &str,
    owner: &str,
    wrong: Option<&str>,
    preview: Option<Preview>,
) -> Result<Response, Problem> {
    let added = app.store.owner_rules().await?;
    let mut rules: Vec<RuleView> = added
        .iter()
        .map(|rule| RuleView {
            name: rule.name.clone(),
            owner: rule.owner.clone(),
            added: true,
            overruled: false,
        })
        .collect();
    rules.extend(app.owners.map.iter().map(|(name, owner)| RuleView {
        name: name.clone(),
        owner: owner.clone(),
        added: false,
        overruled: added.iter().any(|rule| name_key(&rule.name) == name_key(name)),
    }));
    let mut owners: Vec<String> = rules.iter().map(|rule| rule.owner.clone()).collect();
    owners.extend(app.owners.systems.values().filter_map(|rules| rules.owner.clone()));
    owners.sort();
    owners.dedup();
    let wrong = wrong.map(|id| f.t(id));
    render(&Settings { f, rules, owners, name: name.to_owned(), owner: owner.to_owned(), wrong, preview })
}

/// `POST /settings/owners`: shows what a rule would move, and with `apply` makes it.
pub async fn owners(
    State(web): State<Web>,
    Admin(who): Admin,
    Form(wanted): Form<Wanted>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let (name, owner) = (wanted.name.trim(), wanted.owner.trim());
    let remove = wanted.remove.is_some();
    if name.chars().count() > LONGEST || owner.chars().count() > LONGEST {
        return Err(Problem::bad(&Message::new("web-bad-request")));
    }
    let f = Frame::new(app, who.clone(), "/settings", "web-settings").await?;
    if name.is_empty() || (owner.is_empty() && !remove) {
        return settings(app, f, name, owner, Some("web-owner-incomplete"), None).await;
    }
    let owner = owners::spelled(&app.owners, &app.store.owner_rules().await?, name, owner);
    let owner = owner.as_str();
    let chosen = (!remove).then_some(owner);
    if wanted.apply.is_some() {
        owners::set(&app.store, &app.owners, name, chosen, &who.name).await?;
        return Ok(Redirect::to("/settings?done=owner").into_response());
    }
    let moves = owners::preview(&app.store, &app.owners, name, chosen).await?;
    let moves = moves.iter().map(|one| move_view(one, f.words)).collect();
    let preview = Preview { name: name.to_owned(), owner: owner.to_owned(), remove, moves };
    settings(app, f, name, owner, None, Some(preview)).await
}

fn move_view(one: &Move, words: &Words) -> MoveView {
    MoveView {
        from: owner_label(&one.from, words),
        to: owner_label(&one.to, words),
        clients: number(one.clients),
        accounts: number(one.accounts),
        reward: maybe_amount(one.sums.get(REWARD_USD), REWARD_USD),
        rebate: maybe_amount(one.sums.get(REBATE_USD), REBATE_USD),
    }
}
