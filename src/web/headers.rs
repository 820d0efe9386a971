//! What every answer and every request has to do with: security headers, requests from other
//! sites, sizes, times, compression.

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower_http::compression::CompressionLayer;
use tower_http::csrf::{CsrfLayer, ProtectionError};
use tower_http::timeout::TimeoutLayer;

use super::problem::Problem;
use crate::model::Message;

/// The largest request, in bytes.
const LARGEST: usize = 1024 * 1024;
/// The longest a request may take until its answer begins.
const LONGEST: Duration = Duration::from_secs(60);

/// Pages load nothing from elsewhere and run no script that is written into them.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                   font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
                   frame-ancestors 'none'";

const FIXED: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, CSP),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Keeps from the routes what they should not see: requests of other sites, huge and endless ones.
/// `public_url` is the address people use.
pub fn guard(routes: Router, public_url: &str) -> Router {
    let csrf = CsrfLayer::new();
    // An address that is no origin was refused with the configuration; then the host alone counts.
    let csrf = csrf.clone().add_trusted_origin(origin(public_url)).unwrap_or(csrf);
    routes
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST))
        .layer(csrf.with_rejection_response(|_: ProtectionError| {
            Problem::new(StatusCode::FORBIDDEN, &Message::new("web-other-site")).into_response()
        }))
        .layer(middleware::from_fn(tokens_are_no_cookies))
}

/// Gives every answer its headers, and packs it. Event streams are left as they are.
pub fn dress(routes: Router, public_url: &str) -> Router {
    let secure = public_url.starts_with("https://");
    routes.layer(CompressionLayer::new().gzip(true)).layer(middleware::from_fn(
        move |request: Request, next: Next| async move {
            let mut response = next.run(request).await;
            add(response.headers_mut(), secure);
            response
        },
    ))
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    let end = url[after..].find('/').map_or(url.len(), |at| after + at);
    &url[..end]
}

/// A call with a token proves itself: no browser adds that header by itself, and the cookie of such
/// a call is not looked at. So it may come from anywhere.
async fn tokens_are_no_cookies(mut request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::AUTHORIZATION) {
        request.headers_mut().remove(header::ORIGIN);
        request.headers_mut().remove("sec-fetch-site");
    }
    next.run(request).await
}

fn add(headers: &mut HeaderMap, secure: bool) {
    for (name, value) in FIXED {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_an_address_without_its_path() {
        assert_eq!(origin("https://c.example.test/x/y"), "https://c.example.test");
        assert_eq!(origin("http://localhost:8080"), "http://localhost:8080");
    }
}
