//! Style, script and icon, compiled in. Their addresses carry a digest of their content, so that
//! browsers may keep them for ever and never show a page with those of another version.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::problem::Problem;

/// Name, kind, content.
const FILES: [(&str, &str, &[u8]); 4] = [
    ("concord.css", "text/css; charset=utf-8", include_bytes!("../../assets/css/concord.css")),
    ("concord.js", "text/javascript; charset=utf-8", include_bytes!("../../assets/js/concord.js")),
    ("htmx.js", "text/javascript; charset=utf-8", include_bytes!("../../assets/vendor/htmx-4.0.1.min.js")),
    ("icon.svg", "image/svg+xml", include_bytes!("../../assets/css/icon.svg")),
];

/// One digest over all of them: any change gives all of them new addresses.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = blake3::Hasher::new();
    for (name, _, content) in FILES {
        hasher.update(name.as_bytes()).update(content);
    }
    hasher.finalize().to_hex()[..12].to_owned()
});

/// The address of a file.
pub fn address(name: &str) -> String {
    format!("/assets/{}/{name}", *VERSION)
}

/// The route of the files.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{version}/{name}", get(file))
}

async fn file(Path((version, name)): Path<(String, String)>) -> Response {
    let Some((_, kind, content)) = FILES.iter().find(|(known, ..)| *known == name) else {
        return Problem::not_found().into_response();
    };
    // Another version's address is answered with what there is, but not for keeping.
    let keep = if version == *VERSION { "public, max-age=31536000, immutable" } else { "no-store" };
    ([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, keep)], *content).into_response()
}
