//! Webhooks of a CRM: hints that something may have changed. Who may give one is told by a token in the
//! address, or by a signature; what changed is told by reading the CRM.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::Web;
use super::problem::Problem;
use crate::connect::payamgostar::Payamgostar;
use crate::model::Message;
use crate::store::hint::Noted;
use crate::sync::now;

/// What hints are about.
const WHAT: [&str; 3] = ["identity", "quote", "invoice"];
/// How far a signed timestamp may be from our clock, in seconds.
const TOLERANCE: i64 = 300;
/// The longest key or event id that is taken.
const LONGEST: usize = 200;

/// The addresses.
pub(super) fn routes() -> Router<Web> {
    Router::new().route("/webhook/crm", post(signed)).route("/webhook/crm/{token}/{what}", any(by_token))
}

/// What the CRM sends in the query; the rest of it says nothing that is believed.
#[derive(Deserialize)]
struct Told {
    id: Option<String>,
}

/// A hint whose address holds the token.
async fn by_token(
    State(web): State<Web>,
    Path((token, what)): Path<(String, String)>,
    Query(told): Query<Told>,
) -> Result<Response, Problem> {
    let known = |crm: &&(&str, &Payamgostar)| {
        let same = |own: &SecretString| same(own.expose_secret().as_bytes(), token.as_bytes());
        crm.1.webhook_token.as_ref().is_some_and(same)
    };
    let listening = listening(&web);
    let Some((system, _)) = listening.iter().find(known) else { return Err(refused()) };
    if !WHAT.contains(&what.as_str()) {
        return Err(Problem::not_found());
    }
    let id = told.id.as_deref().map(str::trim).filter(|id| !id.is_empty() && id.len() <= LONGEST);
    let Some(id) = id else { return Err(Problem::bad(&Message::new("webhook-no-id"))) };
    note(&web, system, &what, id, None).await
}

/// A generic event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    event_id: String,
    event_type: String,
    #[serde(default)]
    entity_id: String,
}

/// A hint whose body is signed.
async fn signed(State(web): State<Web>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let seconds = now() / 1_000_000;
    let listening = listening(&web);
    let known = |crm: &&(&str, &Payamgostar)| {
        crm.1.webhook_secret.iter().any(|secret| is_signed(secret.expose_secret(), &headers, &body, seconds))
    };
    let Some((system, _)) = listening.iter().find(known) else { return Err(refused()) };
    let bad = || Problem::bad(&Message::new("webhook-no-id"));
    let event: Event = serde_json::from_slice(&body).map_err(|_| bad())?;
    if event.event_id.is_empty() || event.event_id.len() > LONGEST || event.entity_id.len() > LONGEST {
        return Err(bad());
    }
    let of = event.event_type.split('.').next().unwrap_or_default();
    let what = if WHAT.contains(&of) { of } else { "identity" };
    note(&web, system, what, &event.entity_id, Some(&event.event_id)).await
}

/// The systems that listen.
fn listening(web: &Web) -> Vec<(&str, &Payamgostar)> {
    let crms =
        web.app.sources.iter().filter_map(|source| Some((source.name.as_str(), source.connector.crm()?)));
    crms.filter(|(_, crm)| crm.webhooks).collect()
}

fn refused() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, &Message::new("webhook-refused"))
}

/// The answer comes after the commit: what was answered with 200 survives.
async fn note(
    web: &Web,
    system: &str,
    what: &str,
    key: &str,
    event: Option<&str>,
) -> Result<Response, Problem> {
    match web.app.store.hint(system, what, key, event, now()).await? {
        Noted::Yes | Noted::Before => Ok(StatusCode::OK.into_response()),
        Noted::Full => {
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, &Message::new("webhook-full"));
            Ok(([(header::RETRY_AFTER, "60")], problem).into_response())
        }
    }
}

/// Whether both are the same, told in a time that says nothing of where they differ.
fn same(own: &[u8], given: &[u8]) -> bool {
    blake3::hash(own) == blake3::hash(given)
}

/// Whether a body is signed with a secret: by the Standard Webhooks headers with a timestamp of now, or by
/// `x-webhook-signature: sha256=<hex HMAC of the body>`.
fn is_signed(secret: &str, headers: &HeaderMap, body: &[u8], now: i64) -> bool {
    let decoded = secret.strip_prefix("whsec_").and_then(|secret| STANDARD.decode(secret).ok());
    let bytes = decoded.unwrap_or_else(|| secret.as_bytes().to_vec());
    if bytes.is_empty() {
        return false;
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let (Some(id), Some(at), Some(signatures)) =
        (text("webhook-id"), text("webhook-timestamp"), text("webhook-signature"))
    {
        let fresh = at.parse::<i64>().is_ok_and(|at| (now - at).abs() <= TOLERANCE);
        let content = [id.as_bytes(), b".", at.as_bytes(), b".", body].concat();
        let given = signatures.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
        return fresh && given.into_iter().any(|given| hmac::verify(&key, &content, &given).is_ok());
    }
    let hex = text("x-webhook-signature").and_then(|value| value.strip_prefix("sha256="));
    hex.and_then(unhex).is_some_and(|given| hmac::verify(&key, body, &given).is_ok())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let pairs = bytes.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    bytes.len().is_multiple_of(2).then(|| pairs.collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, String)]) -> HeaderMap {
        all.iter().map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn sign(secret: &[u8], content: &[u8]) -> Vec<u8> {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), content).as_ref().to_vec()
    }

    #[test]
    fn only_what_is_signed_now_is_believed() {
        let body = br#"{"eventId":"1","eventType":"customer.updated"}"#;
        let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let plain = |secret: &[u8]| {
            headers(&[("x-webhook-signature", format!("sha256={}", hex(sign(secret, body))))])
        };
        assert!(is_signed("secret", &plain(b"secret"), body, 0));
        assert!(!is_signed("secret", &plain(b"other"), body, 0));
        assert!(!is_signed("secret", &plain(b"secret"), b"{}", 0));
        assert!(!is_signed("", &plain(b""), body, 0));
        assert!(!is_signed("secret", &HeaderMap::new(), body, 0));
        for odd in ["sha256=", "sha256=zz", "sha256=abc", "abc", "sha256=é"] {
            assert!(
                !is_signed("secret", &headers(&[("x-webhook-signature", odd.to_owned())]), body, 0),
                "{odd}"
            );
        }
        let standard = |at: &str| {
            let content = [b"msg_1.", at.as_bytes(), b".", body].concat();
            let signature = format!("v1,{} v2,abc", STANDARD.encode(sign(b"secret", &content)));
            headers(&[
                ("webhook-id", "msg_1".to_owned()),
                ("webhook-timestamp", at.to_owned()),
                ("webhook-signature", signature),
            ])
        };
        assert!(is_signed(&format!("whsec_{}", STANDARD.encode("secret")), &standard("1000"), body, 1200));
        assert!(!is_signed("secret", &standard("1000"), body, 1301), "stale");
        assert!(!is_signed("secret", &standard("1000"), body, 699), "from the future");
        assert!(!is_signed("secret", &standard("now"), body, 1000));
    }
}
