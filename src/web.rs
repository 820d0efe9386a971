//! The dashboard, the API and the old addresses: every route on one page.

use std::sync::Arc;

use crate::app::App;
use crate::work::Engine;

pub mod access;
pub mod api;
pub mod assets;
pub mod headers;
mod legacy;
pub mod pages;
pub mod problem;
pub mod session;
mod webhook;

/// What handlers share. Cheap to clone.
#[derive(Clone)]
pub struct Web {
    /// The program.
    pub app: Arc<App>,
    /// This process's engine; requests queue runs that it takes up.
    pub engine: Option<Arc<Engine>>,
}

impl axum::extract::FromRef<Web> for Arc<App> {
    fn from_ref(web: &Web) -> Arc<App> {
        web.app.clone()
    }
}

/// All routes.
pub fn router(web: Web) -> axum::Router {
    let app = web.app.clone();
    let public_url = app.config.server.public_url.clone();
    if session::is_readable_on_the_way(&app) {
        tracing::warn!(public_url, "passwords and sessions travel unencrypted: use https");
    }
    let routes = axum::Router::new()
        .merge(pages::routes())
        .merge(api::routes())
        .merge(webhook::routes())
        .with_state(web);
    let guarded = headers::guard(routes, &public_url);
    let problems = axum::middleware::from_fn_with_state(app, pages::problems);
    headers::dress(guarded.layer(problems), &public_url)
}
