//! Signs in and fetches pages on a thread of its own, and reads them on another, both a page or two
//! ahead of the storing.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use serde::Deserialize;

use crate::page::{self, Envelope, Read};
use crate::{Arguments, Failure};

/// All pages in order; ends after the last, or after the first failure.
pub fn pages(arguments: &Arguments) -> Receiver<Result<Read, Failure>> {
    let (sender, bodies) = sync_channel(1);
    let source = (
        arguments.url.clone(),
        arguments.login.clone(),
        arguments.password.clone(),
        arguments.ordering.clone(),
        arguments.limit,
    );
    std::thread::spawn(move || {
        let (url, login, password, ordering, limit) = source;
        if let Err(failure) = fetch(&url, &login, &password, &ordering, limit, &sender) {
            // Whoever no longer listens has failed already.
            let _ = sender.send(Err(failure));
        }
    });
    let (sender, pages) = sync_channel(1);
    std::thread::spawn(move || {
        for body in bodies {
            let page = body.and_then(|body: Vec<u8>| page::read(&body));
            if sender.send(page).is_err() {
                break;
            }
        }
    });
    pages
}

fn fetch(
    url: &str,
    login: &str,
    password: &str,
    ordering: &str,
    limit: usize,
    sender: &SyncSender<Result<Vec<u8>, Failure>>,
) -> Result<(), Failure> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .user_agent("limit")
        .accept("application/json")
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into();

    #[derive(Deserialize)]
    struct Token {
        token: String,
    }
    let credentials = serde_json::to_vec(&serde_json::json!({ "login": login, "password": password }))?;
    let mut answer =
        agent.post(format!("{url}/api/v2/auth/")).content_type("application/json").send(&credentials[..])?;
    let token: Token = serde_json::from_slice(&answer.body_mut().read_to_vec()?)?;
    let authorization = format!("JWT {}", token.token.trim_start_matches("JWT "));

    let (mut offset, mut count) = (0, usize::MAX);
    while offset < count {
        let page = format!("{url}/api/reports/clients/?ordering={ordering}&limit={limit}&offset={offset}");
        let mut answer = agent.get(page).header("Authorization", &authorization).call()?;
        let body = answer.body_mut().with_config().limit(32 << 20).read_to_vec()?;
        // Rows are numbered by the request: the next one need not wait for this page to be parsed.
        if count == usize::MAX {
            count = serde_json::from_slice::<Envelope>(&body)?.totals.count;
        }
        offset += limit;
        if sender.send(Ok(body)).is_err() {
            break;
        }
    }
    Ok(())
}
