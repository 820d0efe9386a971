//! People, their sessions, API tokens and one-time links. Secrets are stored only as hashes.

use anyhow::{Context, Result};

use super::{Row, Store, Tx};

/// A person who may sign in.
#[derive(Debug, Clone)]
pub struct User {
    /// Number.
    pub id: i64,
    /// Name to sign in with.
    pub name: String,
    /// Argon2id hash of the password.
    pub password_hash: String,
    /// `viewer`, `operator` or `admin`.
    pub role: String,
    /// May not sign in any more.
    pub disabled: bool,
}

/// An API token, without its secret.
#[derive(Debug, Clone)]
pub struct Token {
    /// Number.
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// `viewer`, `operator` or `admin`.
    pub role: String,
    /// When it was made, in microseconds.
    pub created_at: i64,
    /// When it ends by itself.
    pub expires_at: Option<i64>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
}

const USER: &str = "SELECT id, name, password_hash, role, disabled FROM users";
const TOKEN: &str = "SELECT id, name, role, created_at, expires_at, revoked_at FROM token";

/// Adds a person. `false` when the name is taken.
pub async fn add(tx: &mut Tx, name: &str, password_hash: &str, role: &str, now: i64) -> Result<bool> {
    let added = tx
        .execute(
            "INSERT INTO users (name, password_hash, role, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING",
            [name.into(), password_hash.into(), role.into(), now.into()],
        )
        .await?;
    Ok(added == 1)
}

/// What became of the wish to let a person in no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disabled {
    /// It is done.
    Done,
    /// There is no such person.
    Unknown,
    /// Nobody else is an administrator who may sign in: nothing was changed.
    LastAdministrator,
}

/// Lets a person in no more, and ends their sessions, unless nobody could let anybody in again.
pub async fn disable(tx: &mut Tx, name: &str) -> Result<Disabled> {
    let sql = "UPDATE users SET disabled = 1 WHERE name = $1 AND (role <> 'admin' OR disabled = 1 OR EXISTS (SELECT 1 FROM users o WHERE o.role = 'admin' AND o.disabled = 0 AND o.name <> $1))";
    if tx.execute(sql, [name.into()]).await? == 0 {
        let there = tx.row("SELECT 1 FROM users WHERE name = $1", [name.into()]).await?;
        return Ok(if there.is_some() { Disabled::LastAdministrator } else { Disabled::Unknown });
    }
    tx.execute("DELETE FROM session WHERE user_id IN (SELECT id FROM users WHERE name = $1)", [name.into()])
        .await?;
    Ok(Disabled::Done)
}

/// Lets a person in again. `false` when there is no such person.
pub async fn enable(tx: &mut Tx, name: &str) -> Result<bool> {
    let changed = tx.execute("UPDATE users SET disabled = 0 WHERE name = $1", [name.into()]).await?;
    Ok(changed == 1)
}

/// Gives a person another password, and ends their sessions: somebody else may have begun them.
/// `false` when there is no such person.
pub async fn set_password(tx: &mut Tx, name: &str, password_hash: &str) -> Result<bool> {
    let sql = "UPDATE users SET password_hash = $2 WHERE name = $1";
    let changed = tx.execute(sql, [name.into(), password_hash.into()]).await?;
    tx.execute("DELETE FROM session WHERE user_id IN (SELECT id FROM users WHERE name = $1)", [name.into()])
        .await?;
    Ok(changed == 1)
}

/// Begins a session under the hash of its secret.
pub async fn begin_session(tx: &mut Tx, hash: &[u8], user: i64, now: i64, expires: i64) -> Result<()> {
    tx.execute("DELETE FROM session WHERE expires_at < $1", [now.into()]).await?;
    tx.execute(
        "INSERT INTO session (hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
        [hash.to_vec().into(), user.into(), now.into(), expires.into()],
    )
    .await?;
    Ok(())
}

/// Adds an API token under the hash of its secret; its number.
pub async fn add_token(
    tx: &mut Tx,
    hash: &[u8],
    name: &str,
    role: &str,
    now: i64,
    expires: Option<i64>,
) -> Result<i64> {
    let row = tx
        .row(
            "INSERT INTO token (hash, name, role, created_at, expires_at) VALUES ($1, $2, $3, $4, $5) RETURNING id",
            [hash.to_vec().into(), name.into(), role.into(), now.into(), expires.into()],
        )
        .await?;
    row.context("the token was not stored")?.get(0)
}

/// Takes a token's power for good. `false` when there is none of that number, or it has none already.
pub async fn revoke_token(tx: &mut Tx, id: i64, now: i64) -> Result<bool> {
    let sql = "UPDATE token SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
    Ok(tx.execute(sql, [id.into(), now.into()]).await? == 1)
}

/// Adds a one-time link under the hash of its secret.
pub async fn invite(tx: &mut Tx, hash: &[u8], role: &str, expires: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO invitation (hash, role, expires_at) VALUES ($1, $2, $3)",
        [hash.to_vec().into(), role.into(), expires.into()],
    )
    .await?;
    Ok(())
}

/// Uses a one-time link up; its role, `None` when it is unknown, used or expired.
pub async fn use_invitation(tx: &mut Tx, hash: &[u8], now: i64) -> Result<Option<String>> {
    let row = tx
        .row(
            "UPDATE invitation SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING role",
            [hash.to_vec().into(), now.into()],
        )
        .await?;
    row.map(|row| row.get(0)).transpose()
}

/// Counts a refused sign-in for a name or address; how many there were in the last quarter hour.
pub async fn note_refusal(tx: &mut Tx, who: &str, now: i64) -> Result<i64> {
    let row = tx
        .row(
            "INSERT INTO login_attempt (who, failures, last_at) VALUES ($1, 1, $2) ON CONFLICT (who) DO UPDATE SET failures = CASE WHEN login_attempt.last_at < $3 THEN 1 ELSE login_attempt.failures + 1 END, last_at = $2 RETURNING failures",
            [who.into(), now.into(), (now - QUARTER_HOUR).into()],
        )
        .await?;
    row.context("not counted")?.get(0)
}

/// Forgets refused sign-ins after one that was accepted.
pub async fn forget_refusals(tx: &mut Tx, who: &str) -> Result<()> {
    tx.execute("DELETE FROM login_attempt WHERE who = $1", [who.into()]).await?;
    Ok(())
}

const QUARTER_HOUR: i64 = 15 * 60 * 1_000_000;

impl Store {
    /// The person of that name.
    pub async fn user(&self, name: &str) -> Result<Option<User>> {
        let row = self.db.row(&format!("{USER} WHERE name = $1"), [name.into()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Everybody, by name.
    pub async fn users(&self) -> Result<Vec<User>> {
        self.db.rows(&format!("{USER} ORDER BY name"), []).await?.iter().map(read).collect()
    }

    /// The person whose session this is.
    pub async fn session(&self, hash: &[u8], now: i64) -> Result<Option<User>> {
        let sql = "SELECT u.id, u.name, u.password_hash, u.role, u.disabled FROM session s JOIN users u ON u.id = s.user_id WHERE s.hash = $1 AND s.expires_at > $2 AND u.disabled = 0";
        let row = self.db.row(sql, [hash.to_vec().into(), now.into()]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Ends a session.
    pub async fn end_session(&self, hash: &[u8]) -> Result<()> {
        self.db.execute("DELETE FROM session WHERE hash = $1", [hash.to_vec().into()]).await?;
        Ok(())
    }

    /// The API token with this hash, if it may be used.
    pub async fn token(&self, hash: &[u8], now: i64) -> Result<Option<Token>> {
        let sql = format!(
            "{TOKEN} WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)"
        );
        let row = self.db.row(&sql, [hash.to_vec().into(), now.into()]).await?;
        row.as_ref().map(read_token).transpose()
    }

    /// Whether a one-time link can be used still.
    pub async fn is_invited(&self, hash: &[u8], now: i64) -> Result<bool> {
        let sql = "SELECT 1 FROM invitation WHERE hash = $1 AND used_at IS NULL AND expires_at > $2";
        Ok(self.db.row(sql, [hash.to_vec().into(), now.into()]).await?.is_some())
    }

    /// Every API token there was, by its number.
    pub async fn tokens(&self) -> Result<Vec<Token>> {
        self.db.rows(&format!("{TOKEN} ORDER BY id"), []).await?.iter().map(read_token).collect()
    }

    /// Refused sign-ins of a name or address in the last quarter hour.
    pub async fn refusals(&self, who: &str, now: i64) -> Result<i64> {
        let sql = "SELECT failures FROM login_attempt WHERE who = $1 AND last_at >= $2";
        let row = self.db.row(sql, [who.into(), (now - QUARTER_HOUR).into()]).await?;
        row.map_or(Ok(0), |row| row.get(0))
    }
}

fn read_token(row: &Row) -> Result<Token> {
    Ok(Token {
        id: row.get(0)?,
        name: row.get(1)?,
        role: row.get(2)?,
        created_at: row.get(3)?,
        expires_at: row.get(4)?,
        revoked_at: row.get(5)?,
    })
}

fn read(row: &Row) -> Result<User> {
    Ok(User {
        id: row.get(0)?,
        name: row.get(1)?,
        password_hash: row.get(2)?,
        role: row.get(3)?,
        disabled: row.get::<i64>(4)? != 0,
    })
}
