//! `concord serve`: dashboard, API, schedules and workers in one process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::{Common, End, app_and_engine, text, usage};
use crate::app::App;
use crate::model::Message;
use crate::web::access::Role;
use crate::web::{self, Web, session};
use crate::work::Engine;

/// How long running requests may take to finish when the server stops.
const LAST_CALL: Duration = Duration::from_secs(8);

/// Runs the command.
pub async fn serve(common: &Common) -> Result<End> {
    let (app, engine) = app_and_engine(common).await?;
    let Some(engine) = engine else {
        return Err(usage(&Message::new("cli-second-engine")));
    };
    let address = app.config.server.listen.to_string();
    let listener = TcpListener::bind(app.config.server.listen).await.map_err(|error| {
        let file = app.config.file.display().to_string();
        let args = [("address", address.as_str()), ("problem", &error.to_string()), ("file", &file)];
        anyhow::anyhow!(text().with("cli-cannot-listen", &args))
    })?;
    // Whoever reads that it serves may ask it to stop at once.
    let asked_to_stop = stopped();
    if !common.quiet {
        eprintln!("{}", text().with("cli-serving", &[("url", app.config.server.public_url.as_str())]));
    }
    tell_way_in(&app).await?;
    on(app, engine, listener, true, asked_to_stop).await?;
    Ok(End::Fine)
}

/// Says how somebody becomes an administrator where there is none, however quiet it shall be: without
/// that nobody gets in.
async fn tell_way_in(app: &App) -> Result<()> {
    if let Some(link) = session::set_up_link(app).await? {
        eprintln!("{}", text().with("cli-set-up", &[("url", link.as_str())]));
        return Ok(());
    }
    let admin = Role::Admin.word();
    if !app.store.users().await?.iter().any(|user| user.role == admin && !user.disabled) {
        eprintln!("{}", text().text("cli-no-administrator"));
    }
    Ok(())
}

/// Serves on this listener until `asked_to_stop` ends. `schedules` says whether runs are
/// started by themselves.
pub async fn on(
    app: Arc<App>,
    engine: Arc<Engine>,
    listener: TcpListener,
    schedules: bool,
    asked_to_stop: impl Future<Output = ()>,
) -> Result<()> {
    let (stop, stopping) = watch::channel(false);
    let working = tokio::spawn(engine.clone().work(stopping.clone(), schedules));
    let sealing = tokio::spawn(engine.clone().seal(stopping.clone()));
    let delivering = tokio::spawn(engine.clone().deliver(stopping.clone()));
    let telling = tokio::spawn(engine.clone().tell(stopping.clone()));
    let router = web::router(Web { app: app.clone(), engine: Some(engine) });
    let mut asked = stopping.clone();
    let server = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async move {
            let _ = asked.wait_for(|stop| *stop).await;
        });
    let serving = tokio::spawn(server.into_future());
    asked_to_stop.await;
    let _ = stop.send(true);
    // Streams of events never end by themselves: after the last call they are dropped.
    let _ = tokio::time::timeout(LAST_CALL, serving).await;
    working.await??;
    delivering.await?;
    telling.await?;
    sealing.await?;
    app.store.db.close().await;
    Ok(())
}

/// Waits until the process is asked to stop: Ctrl-C or SIGTERM. It listens from the call on, not only
/// once it is awaited.
pub fn stopped() -> impl Future<Output = ()> {
    let interrupted = signal(SignalKind::interrupt());
    let terminated = signal(SignalKind::terminate());
    async move {
        match (interrupted, terminated) {
            (Ok(mut interrupted), Ok(mut terminated)) => {
                tokio::select! {
                    _ = interrupted.recv() => {}
                    _ = terminated.recv() => {}
                }
            }
            (Ok(mut one), Err(_)) | (Err(_), Ok(mut one)) => {
                one.recv().await;
            }
            (Err(_), Err(_)) => std::future::pending().await,
        }
    }
}
