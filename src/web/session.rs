//! Signing in and out: who somebody is, shown once by name and password, or by a one-time link.
//!
//! A session is a random secret in a cookie; the store knows its hash. What is refused is refused
//! alike for known and unknown names, and not oftener than five times in a quarter of an hour per
//! name and per address.

use std::net::{IpAddr, SocketAddr};

use anyhow::Result;
use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use serde::{Deserialize, Serialize};

use super::Web;
use super::access::{COOKIE, Role, SECURE_COOKIE, Viewer, hash, new_secret};
use super::problem::Problem;
use crate::app::App;
use crate::config::value::is_within;
use crate::model::Message;
use crate::store::{Tx, audit, user};
use crate::sync::now;

pub mod password;

pub use password::hash as hash_password;

/// How long a session holds, in seconds.
const SESSION: i64 = 12 * 60 * 60;
/// How long the link for the first administrator holds, in seconds.
const SET_UP: i64 = 24 * 60 * 60;
/// How long a link that signs in holds, in seconds.
const ENTER: i64 = 24 * 60 * 60;
/// Refused sign-ins of a name or an address in a quarter of an hour.
const REFUSALS: i64 = 5;
/// How long to wait after that, in seconds.
const WAIT: &str = "900";
/// Microseconds.
const SECOND: i64 = 1_000_000;
/// Whose sessions the links of a demonstration begin.
const DEMO: &str = "demo";

/// Where a request comes from, seen through the proxies that are trusted.
#[derive(Debug, Clone)]
pub struct Address(pub String);

impl FromRequestParts<Web> for Address {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let Some(mut address) = peer else { return Ok(Address("unknown".to_owned())) };
        let trusted = &web.app.config.server.trusted_proxies;
        let lines = parts.headers.get_all("x-forwarded-for").iter();
        let named: Vec<&str> =
            lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).collect();
        for name in named.iter().rev() {
            if !is_within(address, trusted) {
                break;
            }
            let Ok(before) = name.trim().parse::<IpAddr>() else { break };
            address = before;
        }
        Ok(Address(address.to_canonical().to_string()))
    }
}

/// A session that has begun.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Whose.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The value of `Set-Cookie`.
    pub cookie: HeaderValue,
}

/// Why nobody was signed in.
#[derive(Debug)]
pub enum Refused {
    /// Name and password do not belong together.
    Wrong,
    /// Too often; wait.
    TooOften,
    /// Something of ours broke.
    Internal(anyhow::Error),
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        Refused::Internal(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Refused::Wrong => {
                Problem::new(StatusCode::UNAUTHORIZED, &Message::new("web-sign-in-wrong")).into_response()
            }
            Refused::TooOften => {
                let problem =
                    Problem::new(StatusCode::TOO_MANY_REQUESTS, &Message::new("web-sign-in-too-often"));
                ([(header::RETRY_AFTER, WAIT)], problem).into_response()
            }
            Refused::Internal(error) => Problem::from(error).into_response(),
        }
    }
}

/// Under what the refused sign-ins of a name are counted.
pub fn attempts_of(name: &str) -> String {
    format!("name {}", name.chars().take(100).collect::<String>())
}

/// Signs somebody in.
pub async fn sign_in(app: &App, name: &str, password: String, from: &str) -> Result<Begun, Refused> {
    let now = now();
    let name = name.trim();
    let by_name = attempts_of(name);
    let by_address = format!("address {from}");
    if app.store.refusals(&by_name, now).await? >= REFUSALS
        || app.store.refusals(&by_address, now).await? >= REFUSALS
    {
        return Err(Refused::TooOften);
    }
    // Counted before it is known to be wrong: many attempts at the same time are still many.
    let mut tx = app.store.begin().await?;
    let attempts = user::note_refusal(&mut tx, &by_name, now).await?;
    tx.commit().await?;
    if attempts > REFUSALS {
        return Err(Refused::TooOften);
    }
    let found = app.store.user(name).await?;
    let stored = found.as_ref().filter(|user| !user.disabled).map(|user| user.password_hash.clone());
    let long = password.len() > password::LONGEST;
    let password = if long { String::new() } else { password };
    let fits = password::fits(password, stored).await? && !long;
    let mut tx = app.store.begin().await?;
    let Some((user, role)) = found.as_ref().filter(|_| fits).and_then(|u| Some((u, Role::of(&u.role)?)))
    else {
        user::note_refusal(&mut tx, &by_address, now).await?;
        // A name nobody has may be a password in the wrong field: it is not written down.
        note(&mut tx, found.as_ref().map_or("nobody", |user| &user.name), "login.refused", from, now).await?;
        tx.commit().await?;
        return Err(Refused::Wrong);
    };
    user::forget_refusals(&mut tx, &by_name).await?;
    let begun = begin(app, &mut tx, user, role, now).await?;
    note(&mut tx, &user.name, "login", from, now).await?;
    tx.commit().await?;
    Ok(begun)
}

async fn begin(app: &App, tx: &mut Tx, user: &user::User, role: Role, now: i64) -> Result<Begun> {
    let secret = new_secret()?;
    user::begin_session(tx, &hash(&secret), user.id, now, now + SESSION * SECOND).await?;
    Ok(Begun { name: user.name.clone(), role, cookie: cookie(app, &secret, SESSION)? })
}

/// Ends the session of a request, if it has one; the `Set-Cookie` that forgets it.
pub async fn sign_out(app: &App, headers: &HeaderMap) -> Result<HeaderValue> {
    let jar = CookieJar::from_headers(headers);
    if let Some(cookie) = jar.get(SECURE_COOKIE).or_else(|| jar.get(COOKIE)) {
        let hash = hash(cookie.value());
        if let Some(user) = app.store.session(&hash, now()).await? {
            let mut tx = app.store.begin().await?;
            let entry = audit::NewEntry {
                actor: &user.name,
                action: "logout",
                subject: &user.name,
                ..audit::NewEntry::default()
            };
            audit::write(&mut tx, entry, now()).await?;
            tx.commit().await?;
        }
        app.store.end_session(&hash).await?;
    }
    cookie(app, "", 0)
}

/// Whether the browser can be told to send the cookie over https only.
pub fn is_secure(app: &App) -> bool {
    app.config.server.public_url.starts_with("https://")
}

/// Whether people come over a network without encryption: plain http, and not on this machine.
pub fn is_readable_on_the_way(app: &App) -> bool {
    let local = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
    !is_secure(app) && !local.iter().any(|start| app.config.server.public_url.starts_with(start))
}

fn cookie(app: &App, secret: &str, seconds: i64) -> Result<HeaderValue> {
    let (name, secure) = if is_secure(app) { (SECURE_COOKIE, "; Secure") } else { (COOKIE, "") };
    let text = format!("{name}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    Ok(HeaderValue::from_str(&text)?)
}

async fn note(tx: &mut Tx, who: &str, action: &str, from: &str, now: i64) -> Result<()> {
    let after = Some(serde_json::json!({ "address": from }).to_string());
    let entry = audit::NewEntry { actor: who, action, subject: who, after, ..audit::NewEntry::default() };
    audit::write(tx, entry, now).await
}

/// The link that makes the first administrator; `None` when there is somebody already. Holds a day
/// and works once.
pub async fn set_up_link(app: &App) -> Result<Option<String>> {
    if !app.store.users().await?.is_empty() {
        return Ok(None);
    }
    let key = invite(app, "set-up", SET_UP).await?;
    Ok(Some(format!("{}/set-up?key={key}", app.config.server.public_url.trim_end_matches('/'))))
}

/// Whether a link of [`set_up_link`] with this key can be used still.
pub async fn may_set_up(app: &App, key: &str) -> Result<bool> {
    Ok(app.store.users().await?.is_empty() && app.store.is_invited(&link_hash("set-up", key), now()).await?)
}

/// A link that signs its opener in as an administrator of a demonstration. Works once.
pub async fn enter_link(app: &App, base_url: &str) -> Result<String> {
    let key = invite(app, "enter", ENTER).await?;
    Ok(format!("{}/enter?key={key}", base_url.trim_end_matches('/')))
}

async fn invite(app: &App, purpose: &str, seconds: i64) -> Result<String> {
    let key = new_secret()?;
    let mut tx = app.store.begin().await?;
    user::invite(&mut tx, &link_hash(purpose, &key), Role::Admin.word(), now() + seconds * SECOND).await?;
    tx.commit().await?;
    Ok(key)
}

/// The purpose is part of what is hashed: a link of one kind is none of the other.
fn link_hash(purpose: &str, key: &str) -> Vec<u8> {
    hash(&format!("{purpose}:{key}"))
}

/// Uses a link of [`enter_link`] up; `None` when it is unknown, used or expired.
pub async fn enter(app: &App, key: &str, from: &str) -> Result<Option<Begun>> {
    let now = now();
    let mut tx = app.store.begin().await?;
    let Some(role) = user::use_invitation(&mut tx, &link_hash("enter", key), now).await? else {
        return Ok(None);
    };
    // No password hash is "!": with a password nobody is this person.
    user::add(&mut tx, DEMO, "!", &role, now).await?;
    note(&mut tx, DEMO, "login.link", from, now).await?;
    tx.commit().await?;
    let Some(user) = app.store.user(DEMO).await?.filter(|user| !user.disabled) else { return Ok(None) };
    let Some(role) = Role::of(&user.role) else { return Ok(None) };
    let mut tx = app.store.begin().await?;
    let begun = begin(app, &mut tx, &user, role, now).await?;
    tx.commit().await?;
    Ok(Some(begun))
}

/// Why the first administrator was not made.
#[derive(Debug)]
pub enum SetUpRefused {
    /// The link is unknown, used or expired, or there is an administrator already.
    Link,
    /// The name is empty or too long.
    Name,
    /// The password is too short or too long.
    Password,
    /// Something of ours broke.
    Internal(anyhow::Error),
}

impl From<anyhow::Error> for SetUpRefused {
    fn from(error: anyhow::Error) -> Self {
        SetUpRefused::Internal(error)
    }
}

/// Uses a link of [`set_up_link`] up: makes the first administrator and signs them in.
pub async fn set_up(
    app: &App,
    key: &str,
    name: &str,
    password: String,
    from: &str,
) -> Result<Begun, SetUpRefused> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
        return Err(SetUpRefused::Name);
    }
    if password.chars().count() < password::SHORTEST || password.len() > password::LONGEST {
        return Err(SetUpRefused::Password);
    }
    if !app.store.users().await?.is_empty() {
        return Err(SetUpRefused::Link);
    }
    let now = now();
    let mut tx = app.store.begin().await?;
    let Some(role) = user::use_invitation(&mut tx, &link_hash("set-up", key), now).await? else {
        return Err(SetUpRefused::Link);
    };
    tx.commit().await?;
    // Hashing takes a while, and the database has one writer: not within the transaction.
    let hashed = password::hash(password).await?;
    let mut tx = app.store.begin().await?;
    if !user::add(&mut tx, name, &hashed, &role, now).await? {
        return Err(SetUpRefused::Link);
    }
    note(&mut tx, name, "user.set_up", from, now).await?;
    tx.commit().await?;
    let user = app.store.user(name).await?.ok_or(SetUpRefused::Link)?;
    let role = Role::of(&user.role).ok_or(SetUpRefused::Link)?;
    let mut tx = app.store.begin().await?;
    let begun = begin(app, &mut tx, &user, role, now).await?;
    tx.commit().await?;
    Ok(begun)
}

/// What is sent to sign in.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Credentials {
    /// Name.
    pub name: String,
    /// Password.
    pub password: String,
}

/// Who was signed in.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SignedIn {
    /// Name.
    pub name: String,
    /// `viewer`, `operator` or `admin`.
    pub role: String,
}

/// `POST /api/v1/session`: signs in; the cookie is the session.
pub async fn post(
    State(web): State<Web>,
    Address(from): Address,
    Json(credentials): Json<Credentials>,
) -> Result<Response, Refused> {
    let begun = sign_in(&web.app, &credentials.name, credentials.password, &from).await?;
    let body = SignedIn { name: begun.name, role: begun.role.word().to_owned() };
    Ok(([(header::SET_COOKIE, begun.cookie)], Json(body)).into_response())
}

/// `DELETE /api/v1/session`: signs out.
pub async fn delete(
    State(web): State<Web>,
    Viewer(_): Viewer,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let forget = sign_out(&web.app, &headers).await?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, forget)]).into_response())
}
