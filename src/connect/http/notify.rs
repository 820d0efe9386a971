//! Telling somebody of something: one JSON message, posted once.

use tokio::time::timeout;

use super::{CONTENT_TYPE, JSON, Limits, client, guard};
use crate::model::Message;

/// Posts `body` to an address of the configuration. Such addresses are often secrets themselves, so that
/// nothing of them but the host is in the message that says why it could not be done.
pub async fn post(address: &str, limits: &Limits, body: String) -> Result<(), Message> {
    let base = guard::base("alerts", &guard::host(address), limits)?;
    let told = |problem: String| {
        Message::new("alert-not-posted").with("host", guard::host(address)).with("problem", problem)
    };
    let client = client(&base, limits, 0).map_err(|_| told("client".to_owned()))?;
    let request = client.post(address).header(CONTENT_TYPE, JSON).body(body);
    match timeout(limits.timeout, request.send()).await {
        Err(_) => Err(told("time-out".to_owned())),
        // Its own words would hold the address.
        Ok(Err(error)) if error.is_connect() => Err(told("no connection".to_owned())),
        Ok(Err(_)) => Err(told("the connection broke off".to_owned())),
        Ok(Ok(answer)) if answer.status().is_success() => Ok(()),
        Ok(Ok(answer)) => Err(told(format!("status {}", answer.status().as_u16()))),
    }
}
