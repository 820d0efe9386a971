//! The dashboard from outside: its pages, its door, and what it refuses, over real HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use concord::app::App;
use concord::config::Config;
use concord::model::RunRequest;
use concord::simulate::{self, Options, Simulator};
use concord::store::run::Requested;
use concord::store::{Store, user};
use concord::sync::now;
use concord::web::access::Role;
use concord::web::{self, Web, session};
use concord::work::{self, Engine};
use reqwest::header::{CONTENT_SECURITY_POLICY, LOCATION, RETRY_AFTER, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};

use crate::support::{database, servers};

mod door;
pub mod inside;

/// A name as a hostile source would send it.
const HOSTILE: &str = "<img src=x onerror=alert(1)>\"'&";
const PASSWORD: &str = "correct horse battery";

/// The dashboard, served.
struct Site {
    app: Arc<App>,
    engine: Arc<Engine>,
    url: String,
    http: Client,
    simulator: Simulator,
    server: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Site {
    /// With nothing read yet.
    async fn empty(server: Option<&str>, public_url: &str) -> Site {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let simulator = Simulator::start(Options::default(), None).await.unwrap();
        let systems = simulate::broker_config(&simulator.url()).replace("every = \"1h\"\n", "rate = 10000\n");
        let (database, _) = database(server, &folder.path().join("concord.db")).await;
        let text = format!("database = \"{database}\"\n[server]\npublic_url = \"{public_url}\"\n{systems}");
        let config = Config::parse(&text, "test", &|_| None).unwrap();
        let store = Store::ready(config.database.url(), now()).await.unwrap();
        let app = App::new(config, store).await.unwrap();
        let engine = Engine::start(&app).await.unwrap().unwrap();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = web::router(Web { app: app.clone(), engine: Some(engine.clone()) });
        let server = tokio::spawn(async move {
            axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await.unwrap();
        });
        let http = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        Site { app, engine, url, http, simulator, server, _folder: folder }
    }

    /// With every system read, one row of which was rejected and one that names a hostile campaign.
    async fn full(server: Option<&str>) -> Site {
        let site = Site::empty(server, "http://concord.example.test").await;
        let mut rows = site.simulator.rows("ham", "clients");
        rows[0]["partner_account"] = HOSTILE.into();
        rows[1]["reg_date"] = "not a date".into();
        site.simulator.replace_rows("ham", "clients", rows);
        site.read().await;
        site
    }

    /// Reads every system once.
    async fn read(&self) {
        for system in ["ham", "janischa", "xm"] {
            let wanted = RunRequest { system: system.to_owned(), ..RunRequest::default() };
            let asked = work::request(&self.app, Some(&self.engine), &wanted, "test").await.unwrap();
            let Requested::Begun(run) = asked else { panic!("the run did not begin: {asked:?}") };
            self.engine.execute(run).await.unwrap();
        }
    }

    async fn user(&self, name: &str, role: Role) {
        let hash = session::hash_password(PASSWORD.to_owned()).await.unwrap();
        let mut tx = self.app.store.begin().await.unwrap();
        assert!(user::add(&mut tx, name, &hash, role.word(), now()).await.unwrap());
        tx.commit().await.unwrap();
    }

    /// The cookie of a session of somebody with this role.
    async fn cookie(&self, role: Role) -> String {
        self.user(role.word(), role).await;
        let answer = self.sign_in(role.word(), PASSWORD).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        cookie(&answer)
    }

    async fn sign_in(&self, name: &str, password: &str) -> Response {
        self.post("/sign-in", "", &[("name", name), ("password", password)]).await
    }

    fn ask(&self, method: Method, path: &str, cookie: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).header("cookie", cookie)
    }

    async fn get(&self, path: &str, cookie: &str) -> Response {
        self.ask(Method::GET, path, cookie).send().await.unwrap()
    }

    async fn post(&self, path: &str, cookie: &str, form: &[(&str, &str)]) -> Response {
        let body: Vec<String> =
            form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let request = self.ask(Method::POST, path, cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(body.join("&")).send().await.unwrap()
    }

    /// The text of a page that must be there.
    async fn page(&self, path: &str, cookie: &str) -> String {
        let answer = self.get(path, cookie).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
        answer.text().await.unwrap()
    }

    async fn actions(&self) -> Vec<String> {
        let entries = self.app.store.audit(None, None, 500).await.unwrap();
        entries.into_iter().map(|entry| entry.action).collect()
    }

    async fn end(self) {
        self.server.abort();
        drop(self.engine);
        self.app.store.db.close().await;
        self.simulator.stop().await;
    }
}

/// What a browser would send back.
fn cookie(answer: &Response) -> String {
    let set = answer.headers()[SET_COOKIE].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

fn location(answer: &Response) -> &str {
    answer.headers()[LOCATION].to_str().unwrap()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Plays a scenario on each database, given the server that is to hold it.
async fn on_each(scenario: impl AsyncFn(Option<&str>)) {
    for server in servers() {
        eprintln!("── on {}", if server.is_some() { "PostgreSQL" } else { "SQLite" });
        scenario(server.as_deref()).await;
    }
}
