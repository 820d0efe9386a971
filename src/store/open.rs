//! Opening a database where that can go wrong for reasons of its surroundings: a folder that is not
//! there, a file that cannot be written, a server that does not answer. Each is told in words.

use std::io::{Error, ErrorKind};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::model::Message;

/// How long PostgreSQL may take to let us in at the start.
const PATIENCE: Duration = Duration::from_secs(5);

/// A database, or a copy of one, that cannot be used or made: why, and what to do. Nothing of ours broke.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(pub Message);

impl Unusable {
    fn about(id: &str, file: &Path) -> Unusable {
        Unusable(Message::new(id).with("file", file.display()))
    }
}

/// Makes a new, empty file that nobody but its owner can read: customers are in it. SQLite gives the
/// files it puts beside a database the same rights.
pub fn make(file: &Path) -> Result<(), Error> {
    std::fs::File::options().write(true).create_new(true).mode(0o600).open(file).map(drop)
}

/// Why a file could not be made.
pub fn not_made(file: &Path, error: &Error) -> Unusable {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let message = match error.kind() {
        ErrorKind::NotFound if !folder.exists() => Message::new("cli-database-no-folder"),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Message::new("cli-database-folder-closed")
        }
        ErrorKind::AlreadyExists => Message::new("cli-database-exists"),
        _ => Message::new("cli-database-not-made").with("problem", error),
    };
    Unusable(message.with("file", file.display()).with("folder", folder.display()))
}

/// Makes the file of an SQLite database unless it is there.
pub fn make_database(file: &Path) -> Result<(), Unusable> {
    if file.is_dir() {
        return Err(Unusable::about("cli-database-is-folder", file));
    }
    // One that is there is not opened: closing it again would take away the locks that SQLite holds on it.
    if file.exists() {
        return Ok(());
    }
    match make(file) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(not_made(file, &error)),
        _ => Ok(()),
    }
}

/// Why SQLite cannot work with a file that is there.
pub fn not_opened(file: &Path, error: &sqlx::Error) -> Unusable {
    let said = error.as_database_error();
    // The lowest byte is the kind of error, see https://www.sqlite.org/rescode.html.
    let code = said.and_then(|said| said.code()?.parse::<u32>().ok()).map(|code| code & 0xff);
    match code {
        Some(8) => Unusable::about("cli-database-read-only", file),
        Some(14) => Unusable::about("cli-database-closed", file),
        Some(26) => Unusable::about("cli-database-strange", file),
        _ => {
            let problem = said.map_or_else(|| error.to_string(), |said| said.message().to_owned());
            let message = Message::new("cli-database-not-opened").with("file", file.display());
            Unusable(message.with("problem", problem))
        }
    }
}

/// Sees whether PostgreSQL lets us in. A pool would try in silence until its patience is at an end.
pub async fn reach(options: &PgConnectOptions) -> Result<(), Unusable> {
    let address = format!("{}:{}", options.get_host(), options.get_port());
    let name = options.get_database().unwrap_or(options.get_username());
    let about = |id: &str| Message::new(id).with("address", &address).with("database", name);
    let options = options.clone().disable_statement_logging();
    let error = match tokio::time::timeout(PATIENCE, PgConnection::connect_with(&options)).await {
        Ok(Ok(connection)) => {
            let _ = connection.close().await;
            return Ok(());
        }
        Ok(Err(error)) => error,
        Err(_) => return Err(Unusable(about("cli-database-silent").with("seconds", PATIENCE.as_secs()))),
    };
    let said = error.as_database_error();
    Err(Unusable(match (said.and_then(|said| said.code()).as_deref(), &error) {
        (Some("28000" | "28P01"), _) => about("cli-database-login").with("user", options.get_username()),
        (Some("3D000"), _) => about("cli-database-missing"),
        (Some(_), _) => {
            let problem = said.map(|said| said.message().to_owned()).unwrap_or_default();
            about("cli-database-refuses").with("problem", problem)
        }
        (None, sqlx::Error::Io(error)) => about("cli-database-unreachable").with("problem", error),
        (None, error) => about("cli-database-refuses").with("problem", error),
    }))
}
