//! Passwords: argon2id, with no more than a few computations at once, because each takes 19 MiB.

use std::sync::LazyLock;

use anyhow::{Result, anyhow};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;

/// The shortest password, in characters.
pub const SHORTEST: usize = 12;
/// The longest, in bytes: hashing takes time by length.
pub const LONGEST: usize = 1024;

static TURNS: Semaphore = Semaphore::const_new(4);

/// What a password is compared with when there is no such person, so that the answer takes as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_now("nobody has this password").unwrap_or_default());

fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(19_456, 2, 1, None).map_err(|error| anyhow!("argon2: {error}"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &str) -> Result<String> {
    let hash = hasher()?.hash_password(password.as_bytes()).map_err(|error| anyhow!("argon2: {error}"))?;
    Ok(hash.to_string())
}

/// The hash to store of a password.
pub async fn hash(password: String) -> Result<String> {
    let _turn = TURNS.acquire().await?;
    tokio::task::spawn_blocking(move || hash_now(&password)).await?
}

/// Whether this is the password behind a stored hash. `None`, and a hash that is none, fit no
/// password and take as long.
pub async fn fits(password: String, stored: Option<String>) -> Result<bool> {
    let _turn = TURNS.acquire().await?;
    tokio::task::spawn_blocking(move || {
        let stored = stored.filter(|stored| PasswordHash::new(stored).is_ok());
        let known = stored.is_some();
        let text = stored.unwrap_or_else(|| NOBODY.clone());
        let parsed = PasswordHash::new(&text).map_err(|error| anyhow!("argon2: {error}"))?;
        Ok(hasher()?.verify_password(password.as_bytes(), &parsed).is_ok() && known)
    })
    .await?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_hash_only() {
        let stored = hash("correct horse battery".to_owned()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(fits("correct horse battery".to_owned(), Some(stored.clone())).await.unwrap());
        assert!(!fits("correct horse batter".to_owned(), Some(stored)).await.unwrap());
        assert!(!fits("nobody has this password".to_owned(), None).await.unwrap());
        assert!(!fits("!".to_owned(), Some("!".to_owned())).await.unwrap());
    }
}
