//! `concord db`: the database itself.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use super::{Common, End, config, text, usage};
use crate::model::Message;
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
            let schema = migrate::schema(&store.db).await?;
            println!("{}", text().with("cli-db-migrated", &[("steps", &schema.has.to_string())]));
        }
        Action::Backup { to } => {
            let store = Store::open(config.database.url()).await?;
            store.backup(&to).await?;
            println!("{}", text().with("cli-db-backed-up", &[("file", &to.display().to_string())]));
        }
        Action::Restore { from, yes } => {
            let Some(file) = config.database.url().strip_prefix("sqlite:") else {
                return Err(usage(&Message::new("cli-db-sqlite-only")));
            };
            let file = PathBuf::from(file);
            // Opened before anything is moved: a file that is no database replaces nothing.
            let backup = Store::open(&format!("sqlite:{}", from.display())).await?;
            let whole = integrity(&backup).await?;
            backup.db.close().await;
            anyhow::ensure!(whole == "ok", "{} is damaged: {whole}", from.display());
            if !super::confirm(&text().with("cli-db-restore", &[("file", &file.display().to_string())]), yes)?
            {
                return Ok(End::Fine);
            }
            let store = Store::open(config.database.url()).await?;
            if store.db.hold(0).await?.is_none() {
                return Err(usage(&Message::new("cli-db-in-use")));
            }
            store.db.close().await;
            let kept = file.with_extension(format!("before-restore-{}", now() / 1_000_000));
            std::fs::rename(&file, &kept).with_context(|| format!("moving {}", file.display()))?;
            for tail in ["-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{tail}", file.display()));
            }
            std::fs::copy(&from, &file).with_context(|| format!("copying {}", from.display()))?;
            println!("{}", text().with("cli-db-restored", &[("kept", &kept.display().to_string())]));
        }
        Action::Check => {
            let store = Store::open(config.database.url()).await?;
            crate::store::search::check(&store.db).await?;
            let schema = migrate::schema(&store.db).await?;
            let whole = if store.db.is_postgres() { "ok".to_owned() } else { integrity(&store).await? };
            let audit = store.verify_audit().await?;
            let steps = format!("{} / {}", schema.has, schema.knows);
            println!("{}", text().with("cli-db-checked", &[("steps", &steps), ("whole", &whole)]));
            if whole != "ok" || !audit.broken.is_empty() || schema.has != schema.knows {
                return Ok(End::Disagree);
            }
        }
    }
    Ok(End::Fine)
}

async fn integrity(store: &Store) -> Result<String> {
    store.db.row("PRAGMA integrity_check", []).await?.context("no answer")?.get(0)
}
