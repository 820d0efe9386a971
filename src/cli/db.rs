//! `concord db`: the database itself.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand};

use super::{Common, End, actor, config, print_json, text, usage};
use crate::config::Config;
use crate::model::Message;
use crate::report;
use crate::store::db::file_of;
use crate::store::restore::{Refused, Restore};
use crate::store::{Store, migrate};
use crate::sync::now;

/// What `db` takes.
#[derive(Debug, Args)]
pub struct DbArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Bring the database to this version's schema.
    Migrate,
    /// Copy an SQLite database, also while it is in use.
    Backup {
        /// Where to; must not exist.
        to: PathBuf,
    },
    /// Put a backup in the place of the SQLite database, which is kept beside it.
    Restore {
        /// The backup.
        from: PathBuf,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Check that the database can be relied on.
    Check,
}

/// Runs the command.
pub async fn db(common: &Common, args: DbArgs) -> Result<End> {
    let config = config(common)?;
    match args.action {
        Action::Migrate => {
            let store = Store::ready(config.database.url(), now()).await?;
            common.keep(&store);
            let schema = migrate::schema(&store.db).await?;
            if common.json {
                print_json(&serde_json::json!({ "has": schema.has, "knows": schema.knows }))?;
            } else {
                println!("{}", text().with("cli-db-migrated", &[("steps", &schema.has.to_string())]));
            }
        }
        Action::Backup { to } => {
            let store = Store::open(config.database.url()).await?;
            common.keep(&store);
            store.backup(&to).await?;
            println!("{}", text().with("cli-db-backed-up", &[("file", &to.display().to_string())]));
        }
        Action::Restore { from, yes } => restore(&config, &from, yes).await?,
        Action::Check => {
            let store = Store::open(config.database.url()).await?;
            common.keep(&store);
            crate::store::search::check(&store.db).await?;
            let schema = migrate::schema(&store.db).await?;
            let whole = if store.db.is_postgres() { "ok".to_owned() } else { store.integrity().await? };
            let audit = store.verify_audit().await?;
            let steps = format!("{} / {}", schema.has, schema.knows);
            let ok = whole == "ok" && audit.broken.is_empty() && schema.has == schema.knows;
            if common.json {
                print_json(&serde_json::json!({
                    "ok": ok, "has": schema.has, "knows": schema.knows, "integrity": whole,
                    "audit": report::audit_check(&audit),
                }))?;
            } else {
                println!("{}", text().with("cli-db-checked", &[("steps", &steps), ("whole", &whole)]));
            }
            if !ok {
                return Ok(End::Disagree);
            }
        }
    }
    Ok(End::Fine)
}

/// Restores a backup, once it is known to be one and the answer is yes.
async fn restore(config: &Config, from: &Path, yes: bool) -> Result<()> {
    let Some(file) = file_of(config.database.url()) else {
        return Err(usage(&Message::new("cli-db-sqlite-only")));
    };
    let restore = match Restore::prepare(from, &file).await {
        Ok(restore) => restore,
        Err(Refused::Because(message)) => return Err(usage(&message)),
        Err(Refused::Internal(error)) => return Err(error),
    };
    let file = file.display().to_string();
    if !super::confirm(&text().with("cli-db-restore", &[("file", &file)]), yes)? {
        return Ok(());
    }
    match restore.carry_out(&actor(), now()).await? {
        Some(kept) => {
            println!("{}", text().with("cli-db-restored", &[("kept", &kept.display().to_string())]));
        }
        None => println!("{}", text().with("cli-db-restored-anew", &[("file", &file)])),
    }
    Ok(())
}
