//! Who is asking, and what they may do. Denied by default: a handler names the role it needs by
//! taking a [`Viewer`], [`Operator`] or [`Admin`], and is not called without it.

use std::sync::Arc;

use anyhow::Result;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::problem::Problem;
use crate::app::App;
use crate::sync::now;

/// The session cookie's name over plain http.
pub const COOKIE: &str = "concord";
/// The session cookie's name over https, where the browser guards it by this prefix.
pub const SECURE_COOKIE: &str = "__Host-concord";

/// What somebody may do; each role may do what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Look.
    Viewer,
    /// Also start and stop runs, decide cases.
    Operator,
    /// Also change settings and people.
    Admin,
}

impl Role {
    /// The word stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }

    /// The role of that word.
    pub fn of(word: &str) -> Option<Role> {
        [Role::Viewer, Role::Operator, Role::Admin].into_iter().find(|role| role.word() == word)
    }
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Who {
    /// Their name, or their token's.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether a browser session, rather than a token.
    pub session: bool,
}

/// Somebody who may look.
#[derive(Debug, Clone)]
pub struct Viewer(pub Who);
/// Somebody who may work on runs and cases.
#[derive(Debug, Clone)]
pub struct Operator(pub Who);
/// Somebody who may change settings and people.
#[derive(Debug, Clone)]
pub struct Admin(pub Who);

async fn allowed(parts: &mut Parts, app: &Arc<App>, needed: Role) -> Result<Who, Problem> {
    let who = identify(parts, app).await?.ok_or_else(Problem::not_signed_in)?;
    if who.role < needed {
        return Err(Problem::role_needed(needed.word()));
    }
    Ok(who)
}

/// Who is asking, by token or session; `None` when nobody we know.
pub async fn identify(parts: &Parts, app: &App) -> Result<Option<Who>, Problem> {
    if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
        let Some(token) = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")) else {
            return Ok(None);
        };
        let found = app.store.token(&hash(token.trim()), now()).await?;
        return Ok(found
            .and_then(|token| Some(Who { name: token.name, role: Role::of(&token.role)?, session: false })));
    }
    let jar = CookieJar::from_headers(&parts.headers);
    let Some(cookie) = jar.get(SECURE_COOKIE).or_else(|| jar.get(COOKIE)) else { return Ok(None) };
    let found = app.store.session(&hash(cookie.value()), now()).await?;
    Ok(found.and_then(|user| Some(Who { name: user.name, role: Role::of(&user.role)?, session: true })))
}

impl<S> FromRequestParts<S> for Viewer
where
    Arc<App>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        allowed(parts, &Arc::from_ref(state), Role::Viewer).await.map(Viewer)
    }
}

impl<S> FromRequestParts<S> for Operator
where
    Arc<App>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        allowed(parts, &Arc::from_ref(state), Role::Operator).await.map(Operator)
    }
}

impl<S> FromRequestParts<S> for Admin
where
    Arc<App>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        allowed(parts, &Arc::from_ref(state), Role::Admin).await.map(Admin)
    }
}

/// A new secret for a session, token or link: 256 random bits, safe in addresses and headers.
pub fn new_secret() -> Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What of a secret is stored. The secrets are random, so a plain hash cannot be guessed back.
pub fn hash(secret: &str) -> Vec<u8> {
    blake3::hash(secret.as_bytes()).as_bytes().to_vec()
}
