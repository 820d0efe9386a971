//! `concord user` and `concord token`: people and API tokens.

use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};

use super::{Common, End, actor, app, print_json, table, text, usage};
use crate::app::App;
use crate::model::Message;
use crate::model::text::name_key;
use crate::report;
use crate::store::user::Disabled;
use crate::store::{Tx, audit, user};
use crate::sync::now;
use crate::web::access::{Role, hash, new_secret};
use crate::web::session;
use crate::web::session::password::{LONGEST, SHORTEST};

/// What somebody may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleArg {
    /// Look.
    Viewer,
    /// Also start and stop runs, decide cases.
    Operator,
    /// Also change settings and people.
    Admin,
}

impl RoleArg {
    fn role(self) -> Role {
        match self {
            RoleArg::Viewer => Role::Viewer,
            RoleArg::Operator => Role::Operator,
            RoleArg::Admin => Role::Admin,
        }
    }
}

/// What `user` takes.
#[derive(Debug, Args)]
pub struct UserArgs {
    #[command(subcommand)]
    action: UserAction,
}

#[derive(Debug, Subcommand)]
enum UserAction {
    /// Add a person; the password is asked for, or read from standard input.
    Add {
        /// Name to sign in with.
        name: String,
        /// What they may do.
        #[arg(long, value_enum, default_value = "viewer")]
        role: RoleArg,
    },
    /// Everybody.
    List,
    /// Give a person another password; it is asked for, or read from standard input.
    Password {
        /// Their name.
        name: String,
    },
    /// Let a person in no more.
    Disable {
        /// Their name.
        name: String,
    },
    /// Let a disabled person in again.
    Enable {
        /// Their name.
        name: String,
    },
}

/// Runs `concord user`.
pub async fn user(common: &Common, args: UserArgs) -> Result<End> {
    let app = app(common).await?;
    match args.action {
        UserAction::Add { name, role } => {
            add(&app, &name, role.role()).await?;
            tell(common, &app, &name, "cli-user-added").await?;
        }
        UserAction::List => list_users(common, &app.store.users().await?)?,
        UserAction::Password { name } => {
            set_password(&app, &name).await?;
            tell(common, &app, &name, "cli-user-password").await?;
        }
        UserAction::Disable { name } => {
            let mut tx = app.store.begin().await?;
            let done = match user::disable(&mut tx, &name).await? {
                Disabled::Done => true,
                Disabled::Unknown => false,
                Disabled::LastAdministrator => {
                    return Err(usage(&Message::new("cli-user-last-admin").with("name", name)));
                }
            };
            finish(tx, done, &name, "user.disabled").await?;
            tell(common, &app, &name, "cli-user-disabled").await?;
        }
        UserAction::Enable { name } => {
            let mut tx = app.store.begin().await?;
            let done = user::enable(&mut tx, &name).await?;
            finish(tx, done, &name, "user.enabled").await?;
            tell(common, &app, &name, "cli-user-enabled").await?;
        }
    }
    Ok(End::Fine)
}

async fn add(app: &App, name: &str, role: Role) -> Result<()> {
    let taken = || usage(&Message::new("cli-user-exists").with("name", name));
    if app.store.user(name).await?.is_some() {
        return Err(taken());
    }
    // Nobody can tell "eve" from "Eve" in a list of who did what.
    if let Some(other) = app.store.users().await?.iter().find(|user| name_key(&user.name) == name_key(name)) {
        return Err(usage(&Message::new("cli-user-alike").with("name", name).with("other", &other.name)));
    }
    let password_hash = session::password::hash(password()?).await?;
    let mut tx = app.store.begin().await?;
    if !user::add(&mut tx, name, &password_hash, role.word(), now()).await? {
        return Err(taken());
    }
    note(&mut tx, "user.added", name, Some(role.word())).await?;
    tx.commit().await
}

async fn set_password(app: &App, name: &str) -> Result<()> {
    // Whoever mistyped the name is told before a password is asked for.
    if app.store.user(name).await?.is_none() {
        return Err(unknown_user(name));
    }
    let password_hash = session::password::hash(password()?).await?;
    let mut tx = app.store.begin().await?;
    let done = user::set_password(&mut tx, name, &password_hash).await?;
    // Whoever guessed wrongly too often need not wait with the new one.
    user::forget_refusals(&mut tx, &session::attempts_of(name)).await?;
    finish(tx, done, name, "user.password").await
}

/// Commits a change of a person with its entry in the audit; nothing is changed when there is no such
/// person.
async fn finish(mut tx: Tx, done: bool, name: &str, action: &str) -> Result<()> {
    if !done {
        return Err(unknown_user(name));
    }
    note(&mut tx, action, name, None).await?;
    tx.commit().await
}

/// Tells what became of a person.
async fn tell(common: &Common, app: &App, name: &str, told: &str) -> Result<()> {
    match app.store.user(name).await? {
        Some(user) if common.json => print_json(&user_document(&user)),
        _ => {
            println!("{}", text().with(told, &[("name", name)]));
            Ok(())
        }
    }
}

fn user_document(user: &user::User) -> serde_json::Value {
    serde_json::json!({ "name": user.name, "role": user.role, "disabled": user.disabled })
}

fn unknown_user(name: &str) -> anyhow::Error {
    usage(&Message::new("cli-user-unknown").with("name", name))
}

fn list_users(common: &Common, users: &[user::User]) -> Result<()> {
    if common.json {
        let items: Vec<_> = users.iter().map(user_document).collect();
        return print_json(&serde_json::json!({ "total": items.len(), "items": items, "next": null }));
    }
    if users.is_empty() {
        println!("{}", text().text("cli-no-users"));
        return Ok(());
    }
    let mut rows = titled(&["cli-name", "cli-role", "cli-status"]);
    for user in users {
        let state = if user.disabled { "cli-disabled" } else { "cli-active" };
        rows.add_row([table::clean(&user.name), user.role.clone(), text().text(state)]);
    }
    println!("{rows}");
    Ok(())
}

/// A table whose titles are these texts.
fn titled(ids: &[&str]) -> comfy_table::Table {
    let titles: Vec<String> = ids.iter().map(|id| text().text(id)).collect();
    table::table(&titles.iter().map(String::as_str).collect::<Vec<_>>())
}

async fn note(tx: &mut Tx, action: &str, subject: &str, after: Option<&str>) -> Result<()> {
    let actor = actor();
    let after = after.map(str::to_owned);
    let entry = audit::NewEntry { actor: &actor, action, subject, after, ..audit::NewEntry::default() };
    audit::write(tx, entry, now()).await
}

/// A password that may be one.
fn password() -> Result<String> {
    let password = read_password()?;
    if password.chars().count() < SHORTEST {
        return Err(usage(&Message::new("cli-password-short").with("least", SHORTEST)));
    }
    if password.len() > LONGEST {
        return Err(usage(&Message::new("cli-password-long").with("most", LONGEST)));
    }
    Ok(password)
}

/// Asks for a password twice, or reads one line where there is no terminal.
pub(super) fn read_password() -> Result<String> {
    use std::io::IsTerminal;
    if std::io::stdin().is_terminal() {
        return Ok(dialoguer::Password::new()
            .with_prompt(text().text("cli-password"))
            .with_confirmation(text().text("cli-password-again"), text().text("cli-password-differs"))
            .interact()?);
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("reading the password")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// What `token` takes.
#[derive(Debug, Args)]
pub struct TokenArgs {
    #[command(subcommand)]
    action: TokenAction,
}

#[derive(Debug, Subcommand)]
enum TokenAction {
    /// Create a token; it is shown once.
    Create {
        /// What it may do.
        #[arg(long, value_enum)]
        role: RoleArg,
        /// What it is for.
        #[arg(long, default_value = "api")]
        name: String,
        /// Ends after so many days.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=3650))]
        days: Option<i64>,
    },
    /// Every token, without its secret.
    List,
    /// Take a token's power for good.
    Revoke {
        /// Its number.
        id: i64,
    },
}

/// Runs `concord token`.
pub async fn token(common: &Common, args: TokenArgs) -> Result<End> {
    let app = app(common).await?;
    match args.action {
        TokenAction::Create { role, name, days } => {
            let (id, token, expires) = create(&app, &name, role.role(), days, &actor()).await?;
            if common.json {
                let expires = expires.map(report::time);
                print_json(&serde_json::json!({
                    "id": id, "token": token, "role": role.role().word(), "expires_at": expires,
                }))?;
            } else {
                println!("{token}");
            }
        }
        TokenAction::List => list_tokens(common, &app.store.tokens().await?)?,
        TokenAction::Revoke { id } => revoke(&app, id).await?,
    }
    Ok(End::Fine)
}

async fn revoke(app: &App, id: i64) -> Result<()> {
    let mut tx = app.store.begin().await?;
    if !user::revoke_token(&mut tx, id, now()).await? {
        return Err(usage(&Message::new("cli-token-unknown").with("token", id)));
    }
    note(&mut tx, "token.revoked", &format!("token {id}"), None).await?;
    tx.commit().await?;
    println!("{}", text().with("cli-token-revoked", &[("token", &id.to_string())]));
    Ok(())
}

fn list_tokens(common: &Common, tokens: &[user::Token]) -> Result<()> {
    if common.json {
        let items: Vec<_> = tokens.iter().map(token_document).collect();
        return print_json(&serde_json::json!({ "total": items.len(), "items": items, "next": null }));
    }
    if tokens.is_empty() {
        println!("{}", text().text("cli-no-tokens"));
        return Ok(());
    }
    let mut rows = titled(&["cli-token", "cli-name", "cli-role", "cli-created", "cli-ends", "cli-status"]);
    for token in tokens {
        rows.add_row([
            token.id.to_string(),
            table::clean(&token.name),
            token.role.clone(),
            report::time(token.created_at),
            token.expires_at.map_or_else(|| "–".to_owned(), report::time),
            text().text(token_state(token)),
        ]);
    }
    println!("{rows}");
    Ok(())
}

fn token_state(token: &user::Token) -> &'static str {
    match token {
        token if token.revoked_at.is_some() => "cli-revoked",
        token if token.expires_at.is_some_and(|at| at <= now()) => "cli-expired",
        _ => "cli-active",
    }
}

fn token_document(token: &user::Token) -> serde_json::Value {
    serde_json::json!({
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "created_at": report::time(token.created_at),
        "expires_at": token.expires_at.map(report::time),
        "revoked_at": token.revoked_at.map(report::time),
    })
}

/// Makes an API token: its number, its secret (never to be had again), and when it ends.
pub async fn create(
    app: &App,
    name: &str,
    role: Role,
    days: Option<i64>,
    by: &str,
) -> Result<(i64, String, Option<i64>)> {
    let now = now();
    let expires = days.map(|days| now + days * 86_400_000_000);
    let secret = new_secret()?;
    let mut tx = app.store.begin().await?;
    let id = user::add_token(&mut tx, &hash(&secret), name, role.word(), now, expires).await?;
    let subject = format!("token {id}");
    let entry = audit::NewEntry {
        actor: by,
        action: "token.created",
        subject: &subject,
        after: Some(role.word().to_owned()),
        ..audit::NewEntry::default()
    };
    audit::write(&mut tx, entry, now).await?;
    tx.commit().await?;
    Ok((id, secret, expires))
}
