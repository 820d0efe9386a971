//! Whether the program is alive and ready, and its figures for Prometheus.

use std::fmt::Write as _;
use std::net::SocketAddr;

use anyhow::Result;
use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::model::Message;
use crate::model::flow::Way;
use crate::store::Store;
use crate::sync::now;
use crate::web::Web;
use crate::web::access::Viewer;
use crate::web::problem::Problem;

/// The program runs.
#[utoipa::path(get, path = "/healthz", responses((status = 200, body = String)),
    extensions(("x-role" = json!("nobody"))))]
pub(super) async fn alive() -> &'static str {
    "ok"
}

/// The database answers and has the schema this version needs.
#[utoipa::path(get, path = "/readyz",
    responses((status = 200, body = String), (status = 503, description = "not ready")),
    extensions(("x-role" = json!("nobody"))))]
pub(super) async fn ready(State(web): State<Web>) -> Result<&'static str, Response> {
    match crate::store::migrate::schema(&web.app.store.db).await {
        Ok(schema) if schema.has == schema.knows => Ok("ready"),
        Ok(_) => Err(not_ready()),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the database does not answer");
            Err(not_ready())
        }
    }
}

fn not_ready() -> Response {
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, &Message::new("api-not-ready"));
    ([(header::RETRY_AFTER, "5")], problem).into_response()
}

/// Somebody on this machine, or somebody who may look.
pub(super) struct Near;

impl FromRequestParts<Web> for Near {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical());
        // A proxy on this machine brings people from everywhere, and says so.
        let brought = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];
        let direct = !brought.iter().any(|name| parts.headers.contains_key(*name));
        if direct && peer.is_some_and(|peer| peer.is_loopback()) {
            return Ok(Near);
        }
        Viewer::from_request_parts(parts, web).await.map(|_| Near)
    }
}

/// Figures for Prometheus; from this machine without a token.
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = String)),
    extensions(("x-role" = json!("viewer"))))]
pub(super) async fn metrics(State(web): State<Web>, _: Near) -> Result<Response, Problem> {
    let mut text = figures(&web.app.store, now()).await?;
    text += &flow_figures(&web.app, now()).await?;
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

async fn figures(store: &Store, now: i64) -> Result<String> {
    let mut out = String::new();
    head(&mut out, "concord_runs", "gauge", "Runs by status.");
    for (status, count) in store.run_counts().await? {
        writeln!(out, "concord_runs{{status=\"{}\"}} {count}", label(&status))?;
    }
    head(&mut out, "concord_records", "gauge", "Stored records that are not gone.");
    for stored in store.stored_counts().await? {
        let (system, stream) = (label(&stored.system), label(&stored.stream));
        writeln!(out, "concord_records{{system=\"{system}\",stream=\"{stream}\"}} {}", stored.count)?;
    }
    head(&mut out, "concord_cases_open", "gauge", "Cases that wait for a person.");
    writeln!(out, "concord_cases_open {}", store.count_cases(Some("open"), None).await?)?;
    head(
        &mut out,
        "concord_unexplained_rows",
        "gauge",
        "Rows that a list's last whole read cannot account for.",
    );
    for (system, _) in store.last_successes().await? {
        let stages = store.last_whole_read(&system).await?.map(|run| run.stages).unwrap_or_default();
        for stage in stages {
            let Some(unexplained) = stage.unexplained() else { continue };
            let (system, stream) = (label(&system), label(&stage.name));
            writeln!(
                out,
                "concord_unexplained_rows{{system=\"{system}\",stream=\"{stream}\"}} {unexplained}"
            )?;
        }
    }
    head(&mut out, "concord_audit_unsealed", "gauge", "Audit entries that are not chained yet.");
    writeln!(out, "concord_audit_unsealed {}", store.unsealed().await?)?;
    head(&mut out, "concord_last_success_age_seconds", "gauge", "Since the last complete read of a system.");
    for (system, at) in store.last_successes().await? {
        let age = (now - at).max(0) / 1_000_000;
        writeln!(out, "concord_last_success_age_seconds{{system=\"{}\"}} {age}", label(&system))?;
    }
    Ok(out)
}

/// What flows have written, and what waits.
async fn flow_figures(app: &App, now: i64) -> Result<String> {
    let mut out = String::new();
    if app.config.flows.is_empty() {
        return Ok(out);
    }
    let store = &app.store;
    let names: Vec<(String, &str)> =
        app.config.flows.iter().map(|f| (label(&f.name), f.name.as_str())).collect();
    head(&mut out, "concord_deliveries", "gauge", "Writes to other systems by where they stand.");
    for (flow, name) in &names {
        for way in [Way::Import, Way::Forward, Way::Back] {
            for (state, count) in store.delivery_counts(name, way, None).await? {
                let (way, state) = (way.word(), state.word());
                writeln!(
                    out,
                    "concord_deliveries{{flow=\"{flow}\",way=\"{way}\",state=\"{state}\"}} {count}"
                )?;
            }
        }
    }
    head(
        &mut out,
        "concord_delivery_queue_age_seconds",
        "gauge",
        "Since the oldest open write was asked for.",
    );
    for (flow, name) in &names {
        let oldest = store.backlog(name, Way::Forward).await?.oldest;
        let age = oldest.map_or(0, |asked| (now - asked).max(0) / 1_000_000);
        writeln!(out, "concord_delivery_queue_age_seconds{{flow=\"{flow}\"}} {age}")?;
    }
    head(&mut out, "concord_flow_cases_open", "gauge", "Cases of a flow that wait for a person.");
    for (flow, name) in &names {
        let open = store.count_cases(Some("open"), Some(name)).await?;
        writeln!(out, "concord_flow_cases_open{{flow=\"{flow}\"}} {open}")?;
    }
    head(&mut out, "concord_links", "gauge", "Records of both sides that are tied.");
    for (flow, name) in &names {
        writeln!(out, "concord_links{{flow=\"{flow}\"}} {}", store.count_links(name).await?)?;
    }
    Ok(out)
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// A label's value as Prometheus reads it.
fn label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
