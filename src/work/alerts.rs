//! Telling people when a system or a flow needs them, once per change of state, by mail and by webhook.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use tokio::sync::watch;

use super::Engine;
use crate::app::App;
use crate::connect::http::{self, Limits};
use crate::connect::mail::Post;
use crate::model::Message;
use crate::model::flow::Way;
use crate::store::{alert, audit};
use crate::sync::alarm::{self, Alarm, FlowFacts};
use crate::sync::health::Facts;
use crate::sync::now;
use crate::words::{DEFAULT, words};

/// How often it is looked whether there is something to tell.
const LOOK: Duration = Duration::from_secs(2);
/// How long nobody else tells of what this process is about to, and how long it rests when it could not be
/// told, in microseconds.
const REST: i64 = 60_000_000;

/// What is told, as it is posted.
#[derive(Serialize)]
struct News<'a> {
    kind: &'a str,
    name: &'a str,
    state: &'a str,
    before: &'a str,
    text: String,
    url: String,
}

impl Engine {
    /// Tells people of changes until `stop` says so.
    pub async fn tell(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let alerts = &self.app.config.alerts;
        let mut channels = Vec::new();
        channels.extend(alerts.smtp.as_ref().map(|_| "mail"));
        channels.extend(alerts.webhook.as_ref().map(|_| "webhook"));
        if channels.is_empty() {
            return;
        }
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            if let Err(error) = tell_all(&self.app, &channels).await {
                tracing::error!(error = format!("{error:#}"), "alerts could not be looked at");
            }
        }
    }
}

async fn tell_all(app: &App, channels: &[&'static str]) -> Result<()> {
    let mut states = Vec::new();
    for system in app.config.systems.iter().filter(|system| system.enabled) {
        states.extend(system_state(app, &system.name).await?.map(|state| ("system", &system.name, state)));
    }
    for flow in &app.config.flows {
        states.push(("flow", &flow.name, flow_state(app, &flow.name).await?));
    }
    for channel in channels {
        let told = app.store.told(channel).await?;
        for (kind, name, state) in &states {
            let subject = format!("{kind} {name}");
            let before = told.get(&subject).map_or(Alarm::Well.word(), String::as_str);
            let at = now();
            if before == state.word()
                || !app.store.take_alert(channel, &subject, before, at, at + REST).await?
            {
                continue;
            }
            match send(app, channel, kind, name, *state, before).await {
                Err(why) => tracing::warn!(channel, subject, why = %why, "nobody could be told"),
                Ok(()) => {
                    let mut tx = app.store.begin().await?;
                    alert::told(&mut tx, channel, &subject, state.word(), now()).await?;
                    let entry = audit::NewEntry {
                        actor: "alerts",
                        action: "alert.sent",
                        subject: &subject,
                        reason: Some(channel),
                        before: Some(before.to_owned()),
                        after: Some(state.word().to_owned()),
                        ..audit::NewEntry::default()
                    };
                    audit::write(&mut tx, entry, now()).await?;
                    tx.commit().await?;
                }
            }
        }
    }
    Ok(())
}

async fn send(
    app: &App,
    channel: &str,
    kind: &str,
    name: &str,
    state: Alarm,
    before: &str,
) -> Result<(), Message> {
    let alerts = &app.config.alerts;
    let words = words(DEFAULT);
    let text = words.with(&format!("alert-{kind}-{}", state.word()), &[("name", name)]);
    let url = format!("{}/", app.config.server.public_url);
    match (channel, &alerts.smtp, &alerts.webhook) {
        ("mail", Some(server), _) => {
            let post = Post {
                server: server.expose_secret(),
                allow_plaintext: alerts.allow_plaintext,
                from: alerts.from.as_deref(),
                to: &alerts.to,
            };
            post.send(&words.with("alert-subject", &[("text", &text)]), format!("{text}\n\n{url}\n")).await
        }
        (_, _, Some(address)) => {
            let limits = Limits {
                timeout: Duration::from_secs(20),
                allow_networks: alerts.allow_networks.clone(),
                allow_plaintext: alerts.allow_plaintext,
                ..Limits::default()
            };
            let news = News { kind, name, state: state.word(), before, text, url };
            let body = serde_json::to_string(&news).unwrap_or_default();
            http::post(address.expose_secret(), &limits, body).await
        }
        _ => Ok(()),
    }
}

/// How a system is; `None` while it is being read.
async fn system_state(app: &App, system: &str) -> Result<Option<Alarm>> {
    let store = &app.store;
    let state = store.system_state(system).await?;
    let last = store.last_run(system).await?;
    let read = store.last_whole_read(system).await?;
    let at = now();
    let facts = Facts {
        paused: state.paused_at.is_some(),
        active: store.active_run(system).await?.is_some(),
        // A part of a system that was read says nothing about the rest.
        last: last.filter(|run| run.limit.is_none()).map(|run| run.status).filter(|status| status.is_over()),
        last_read: read.and_then(|run| run.finished_at),
        schedule: app.config.system(system).and_then(|system| system.schedule.as_ref()),
        open_cases: store.cases_open_since(system, at - alarm::PATIENCE).await?,
    };
    Ok(alarm::of_system(&facts, state.paused_reason.is_some(), at))
}

async fn flow_state(app: &App, flow: &str) -> Result<Alarm> {
    let store = &app.store;
    let at = now();
    let paused = store.system_state(flow).await?.paused_at.is_some();
    let backlog = store.backlog(flow, Way::Forward).await?;
    let facts = FlowFacts {
        idle: paused || store.flow_state(flow).await?.live_since.is_none(),
        failed: backlog.failed,
        oldest: backlog.oldest,
        old_cases: store.cases_open_since(flow, at - alarm::PATIENCE).await?,
    };
    Ok(alarm::of_flow(&facts, at))
}
