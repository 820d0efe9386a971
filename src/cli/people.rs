//! `concord user` and `concord token`: people and API tokens.

use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};

use super::{Common, End, actor, app, print_json, table, text, usage};
use crate::app::App;
use crate::model::Message;
use crate::report;
use crate::store::{audit, user};
use crate::sync::now;
use crate::web::access::{Role, hash, new_secret};
use crate::web::session;

/// The shortest password a person may have.
const SHORTEST: usize = 12;

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
    /// Let a person in no more.
    Disable {
        /// Their name.
        name: String,
    },
}

/// Runs `concord user`.
pub async fn user(common: &Common, args: UserArgs) -> Result<End> {
    let app = app(common).await?;
    match args.action {
        UserAction::Add { name, role } => {
            let password = password()?;
            if password.chars().count() < SHORTEST {
                return Err(usage(&Message::new("cli-password-short").with("least", SHORTEST)));
            }
            let password_hash = session::password::hash(password).await?;
            let mut tx = app.store.begin().await?;
            if !user::add(&mut tx, &name, &password_hash, role.role().word(), now()).await? {
                return Err(usage(&Message::new("cli-user-exists").with("name", &name)));
            }
            note(&mut tx, "user.added", &name, Some(role.role().word())).await?;
            tx.commit().await?;
            println!("{}", text().with("cli-user-added", &[("name", name.as_str())]));
        }
        UserAction::List => {
            let users = app.store.users().await?;
            if common.json {
                let items: Vec<_> = users
                    .iter()
                    .map(|u| serde_json::json!({ "name": u.name, "role": u.role, "disabled": u.disabled }))
                    .collect();
                print_json(&serde_json::json!({ "total": items.len(), "items": items, "next": null }))?;
            } else {
                for user in users {
                    let state = if user.disabled { text().text("cli-disabled") } else { String::new() };
                    println!("{:24} {:10} {state}", table::clean(&user.name), user.role);
                }
            }
        }
        UserAction::Disable { name } => {
            let mut tx = app.store.begin().await?;
            if !user::disable(&mut tx, &name).await? {
                return Err(usage(&Message::new("cli-user-unknown").with("name", &name)));
            }
            note(&mut tx, "user.disabled", &name, None).await?;
            tx.commit().await?;
            println!("{}", text().with("cli-user-disabled", &[("name", name.as_str())]));
        }
    }
    Ok(End::Fine)
}

async fn note(tx: &mut crate::store::Tx, action: &str, subject: &str, after: Option<&str>) -> Result<()> {
    let actor = actor();
    let after = after.map(str::to_owned);
    let entry = audit::NewEntry { actor: &actor, action, subject, after, ..audit::NewEntry::default() };
    audit::write(tx, entry, now()).await
}

/// Asks for a password twice, or reads one line where there is no terminal.
fn password() -> Result<String> {
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
}

/// Runs `concord token`.
pub async fn token(common: &Common, args: TokenArgs) -> Result<End> {
    let app = app(common).await?;
    let TokenAction::Create { role, name, days } = args.action;
    let (id, token, expires) = create(&app, &name, role.role(), days, &actor()).await?;
    if common.json {
        print_json(&serde_json::json!({
            "id": id, "token": token, "role": role.role().word(), "expires_at": expires.map(report::time),
        }))?;
    } else {
        println!("{token}");
    }
    Ok(End::Fine)
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
