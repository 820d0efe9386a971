//! Putting a backup in the place of an SQLite database: everything is checked and copied before
//! anything is moved, and what was there is kept.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::db::{Db, Hold, hold_file};
use super::{Store, audit, migrate};
use crate::model::Message;

/// Why a backup is not restored.
#[derive(Debug)]
pub enum Refused {
    /// It cannot be done with this file, or not now; nothing was touched.
    Because(Message),
    /// Something broke.
    Internal(anyhow::Error),
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        Refused::Internal(error)
    }
}

/// A backup that has been found good, and the database it is to replace, which nobody works on.
pub struct Restore {
    from: PathBuf,
    backup: Store,
    file: PathBuf,
    _alone: Hold,
}

impl Restore {
    /// Looks at the backup `from` and at the database `file`, without changing either.
    pub async fn prepare(from: &Path, file: &Path) -> Result<Restore, Refused> {
        let because = |id: &str| Refused::Because(Message::new(id).with("file", from.display()));
        let Some(there) = fs::metadata(from).ok().filter(fs::Metadata::is_file) else {
            return Err(because("cli-db-no-backup"));
        };
        if fs::metadata(file).is_ok_and(|own| (own.dev(), own.ino()) == (there.dev(), there.ino())) {
            return Err(because("cli-db-itself"));
        }
        let backup = Store { db: Db::open_to_read(from).await.map_err(|_| because("cli-db-not-concord"))? };
        let schema = migrate::schema(&backup.db).await.map_err(|_| because("cli-db-not-concord"))?;
        if schema.has == 0 {
            return Err(because("cli-db-not-concord"));
        }
        if schema.has > schema.knows {
            return Err(because("cli-db-newer"));
        }
        let whole = backup.integrity().await?;
        if whole != "ok" {
            let message = Message::new("cli-db-damaged").with("file", from.display());
            return Err(Refused::Because(message.with("problem", whole)));
        }
        let Some(alone) = hold_file(file)? else {
            return Err(Refused::Because(Message::new("cli-db-in-use")));
        };
        Ok(Restore { from: from.to_owned(), backup, file: file.to_owned(), _alone: alone })
    }

    /// Replaces the database; where the former one is kept, if there was one.
    pub async fn carry_out(self, actor: &str, now: i64) -> Result<Option<PathBuf>> {
        let copy = beside(&self.file, ".restoring");
        // Left by a restore that was killed: only the holder of the lock makes such a file.
        remove(&copy)?;
        self.backup.backup(&copy).await.with_context(|| format!("copying {}", self.from.display()))?;
        self.backup.db.close().await;
        note(&copy, &self.from, actor, now).await?;
        fold(&self.file).await;
        let placed = place(&copy, &self.file, now / 1_000_000);
        if placed.is_err() {
            let _ = fs::remove_file(&copy);
        }
        placed
    }
}

/// Writes into the restored database that it is one, and whose doing that is.
async fn note(copy: &Path, from: &Path, actor: &str, now: i64) -> Result<()> {
    let store = Store::open(&format!("sqlite:{}", copy.display())).await?;
    let mut tx = store.begin().await?;
    let after = Some(serde_json::json!({ "from": from.display().to_string() }).to_string());
    let entry = audit::NewEntry {
        actor,
        action: "database.restored",
        subject: "database",
        after,
        ..audit::NewEntry::default()
    };
    audit::write(&mut tx, entry, now).await?;
    tx.commit().await?;
    store.db.close().await;
    Ok(())
}

/// Lets SQLite fold the log of the database back into its file, so that the file alone is all of it. A
/// database too broken for that keeps its log beside it.
async fn fold(file: &Path) {
    if !file.exists() {
        return;
    }
    if let Ok(store) = Store::open(&format!("sqlite:{}", file.display())).await {
        store.db.close().await;
    }
}

/// Moves the database out of the way and the copy into its place; when that fails, the database goes
/// back to where it was.
fn place(copy: &Path, file: &Path, second: i64) -> Result<Option<PathBuf>> {
    if !file.exists() {
        // A log without its database is no use to anybody, and would spoil the new one.
        remove(&beside(file, "-wal"))?;
        remove(&beside(file, "-shm"))?;
        fs::rename(copy, file).with_context(|| format!("writing {}", file.display()))?;
        return Ok(None);
    }
    let kept = reserve(file, second)?;
    let replaced = shift(file, &kept).and_then(|()| fs::rename(copy, file));
    let Err(error) = replaced else { return Ok(Some(kept)) };
    let back = shift(&kept, file);
    let whole = if back.is_ok() { "it is as it was" } else { "it could not be moved back" };
    Err(error).with_context(|| {
        format!("replacing {} (the database was moved to {}; {whole})", file.display(), kept.display())
    })
}

/// A name for the former database that nothing has, taken at once so that nothing else gets it.
fn reserve(file: &Path, second: i64) -> Result<PathBuf> {
    for number in 1_u32.. {
        let more = if number == 1 { String::new() } else { format!("-{number}") };
        let kept = beside(file, &format!(".before-restore-{second}{more}"));
        match fs::File::create_new(&kept) {
            Ok(_) => return Ok(kept),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("writing {}", kept.display())),
        }
    }
    anyhow::bail!("no name is free beside {}", file.display())
}

/// Moves a database together with its log, which belongs to it by its name.
fn shift(from: &Path, to: &Path) -> std::io::Result<()> {
    match fs::rename(beside(from, "-wal"), beside(to, "-wal")) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let _ = fs::remove_file(beside(from, "-shm"));
    fs::rename(from, to)
}

fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", file.display()))
        }
        _ => Ok(()),
    }
}

fn beside(file: &Path, tail: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(tail);
    PathBuf::from(name)
}
