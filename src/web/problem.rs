//! Errors as they leave the server: RFC 9457, in words the reader knows, nothing internal.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::model::Message;
use crate::words::words;

/// An error answer.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    /// What kind, as a catalogue key; also the key of the text.
    #[serde(rename = "type")]
    pub kind: String,
    /// One line.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What to do about it, if there is more to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Problem {
    /// A problem with this status and text.
    pub fn new(status: StatusCode, message: &Message) -> Problem {
        let words = words(crate::words::DEFAULT);
        Problem {
            kind: message.id.clone(),
            title: words.message(message),
            status: status.as_u16(),
            detail: words.aside(message, "help"),
        }
    }

    /// 401.
    pub fn not_signed_in() -> Problem {
        Problem::new(StatusCode::UNAUTHORIZED, &Message::new("web-not-signed-in"))
    }

    /// 403, naming the role that is needed.
    pub fn role_needed(role: &str) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, &Message::new("web-role-needed").with("role", role))
    }

    /// 404.
    pub fn not_found() -> Problem {
        Problem::new(StatusCode::NOT_FOUND, &Message::new("web-not-found"))
    }

    /// 404 about one thing that is not there: `web-no-…` with its number.
    pub fn missing(id: &str, number: impl std::fmt::Display) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, &Message::new(id).with("id", number))
    }

    /// 400 with this text.
    pub fn bad(message: &Message) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, message)
    }

    /// 409 with this text.
    pub fn conflict(message: &Message) -> Problem {
        Problem::new(StatusCode::CONFLICT, message)
    }
}

/// Something of ours broke: logged here, once, and told without its inside.
impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Problem {
        tracing::error!(error = format!("{error:#}"), "a request failed");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, &Message::new("web-broken"))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let kind = header::HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}
