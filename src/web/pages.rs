//! The dashboard: pages made on the server, which work without any script and are made lively by
//! htmx where there is one. What they show is decided elsewhere.

use axum::Router;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::post;

use super::{Web, assets, session};

pub mod show;

/// The routes of pages, their files and sessions.
pub fn routes() -> Router<Web> {
    Router::new()
        .route("/api/v1/session", post(session::post).delete(session::delete))
        .merge(assets::routes())
}

/// Shows problems of pages as pages.
pub async fn problems(request: Request, next: Next) -> Response {
    next.run(request).await
}
