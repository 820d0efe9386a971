//! A world for one test: simulated systems, a database of its own, a configuration, and the real
//! program to run against them.
//!
//! [`on_both`] plays a scenario on SQLite and, where `CONCORD_TEST_POSTGRES` names a server, on
//! PostgreSQL. When it is over, what must always hold is checked ([`checks`]), and nothing may be
//! left: no process, no temporary file, no database.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use concord::simulate::{self, Options, Simulator};
use concord::store::{Store, Value as Arg};

pub mod checks;
pub mod dump;
pub mod program;

pub use program::Output;

/// The longest a command may take.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Everything one scenario plays with.
pub struct World {
    /// The simulated systems.
    pub sim: Simulator,
    /// The database, for looks behind the program's back.
    pub store: Store,
    /// Its URL.
    pub url: String,
    folder: tempfile::TempDir,
    database: Option<String>,
    left: Mutex<Vec<u32>>,
}

/// Plays a scenario on each database.
pub async fn on_both(scenario: impl AsyncFn(&World)) {
    on_both_with(&Options::default(), scenario).await;
}

/// Plays a scenario on each database, with systems that hold something else.
pub async fn on_both_with(options: &Options, scenario: impl AsyncFn(&World)) {
    for server in servers() {
        eprintln!("── on {}", if server.is_some() { "PostgreSQL" } else { "SQLite" });
        let world = World::new(server.as_deref(), options).await;
        scenario(&world).await;
        world.end().await;
    }
}

/// Where worlds may have their databases: `None` is a file.
pub fn servers() -> impl Iterator<Item = Option<String>> {
    std::iter::once(None).chain(std::env::var("CONCORD_TEST_POSTGRES").ok().map(Some))
}

/// An empty database on this server, or in this file: its URL, and its name on the server.
pub async fn database(server: Option<&str>, file: &std::path::Path) -> (String, Option<String>) {
    let Some(server) = server else { return (format!("sqlite:{}", file.display()), None) };
    let name = format!("concord_{}_{:016x}", std::process::id(), fastrand::u64(..));
    let admin = Store::open(&format!("{server}/postgres")).await.unwrap();
    admin.db.script(&format!("CREATE DATABASE {name} TEMPLATE template0 LOCALE 'C.UTF-8'")).await.unwrap();
    admin.db.close().await;
    (format!("{server}/{name}"), Some(name))
}

impl World {
    /// A world of its own on a database server, or with a file.
    pub async fn new(server: Option<&str>, options: &Options) -> World {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "tmp", "logs"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let (url, database) = database(server, &folder.path().join("home/concord.db")).await;
        let sim = Simulator::start(options.clone(), None).await.unwrap();
        let store = Store::ready(&url, concord::sync::now()).await.unwrap();
        let world = World { sim, store, url, folder, database, left: Mutex::default() };
        world.configure(|text| text);
        world
    }

    /// Writes `concord.toml`: no schedules, no brake on requests, and what `edit` makes of it.
    pub fn configure(&self, edit: impl FnOnce(String) -> String) {
        let systems = simulate::broker_config(&self.sim.url()).replace("every = \"1h\"\n", "rate = 10000\n");
        let head = format!(
            "database = \"{}\"\n\n[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"http://concord.example.test\"\n\n",
            self.url
        );
        std::fs::write(self.config(), edit(head + &systems)).unwrap();
    }

    /// As [`World::configure`], with a line added to every system.
    pub fn configure_systems(&self, line: &str) {
        self.configure(|text| text.replace("rate = 10000\n", &format!("rate = 10000\n{line}\n")));
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.home().join("concord.toml")
    }

    /// The folder the program runs in.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    pub fn is_postgres(&self) -> bool {
        self.database.is_some()
    }

    /// A number that a statement gives.
    pub async fn number(&self, sql: &str) -> i64 {
        let row = self.store.db.row(sql, []).await.unwrap().unwrap();
        row.get::<Option<i64>>(0).unwrap().unwrap_or(0)
    }

    /// Numbers or texts that a statement gives as text, one per row.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let rows = self.store.db.rows(sql, []).await.unwrap();
        rows.iter().map(|row| row.get::<Option<String>>(0).unwrap().unwrap_or_default()).collect()
    }

    /// Changes the database behind the program's back.
    pub async fn execute(&self, sql: &str, args: impl IntoIterator<Item = Arg>) -> u64 {
        self.store.db.execute(sql, args).await.unwrap()
    }

    /// Checks what must always hold, and that nothing is left.
    pub async fn end(self) {
        checks::all(&self).await;
        self.close().await;
    }

    /// Ends it without the checks, for scenarios that spoil something on purpose.
    async fn close(self) {
        let World { sim, store, folder, database, left, .. } = self;
        store.db.close().await;
        sim.stop().await;
        if let (Some(name), Ok(server)) = (database, std::env::var("CONCORD_TEST_POSTGRES")) {
            let admin = Store::open(&format!("{server}/postgres")).await.unwrap();
            admin
                .db
                .script(&format!("DROP DATABASE {name}"))
                .await
                .expect("nobody uses the database any more");
            admin.db.close().await;
        }
        let running = left.into_inner().unwrap().into_iter().filter(|pid| is_alive(*pid));
        assert_eq!(running.collect::<Vec<_>>(), Vec::<u32>::new(), "processes left");
        assert_eq!(names(&folder.path().join("tmp")), Vec::<String>::new(), "temporary files left");
        let known = |name: &String| name == "concord.toml" || name.starts_with("concord.db");
        let strange: Vec<String> =
            names(&folder.path().join("home")).into_iter().filter(|n| !known(n)).collect();
        assert_eq!(strange, Vec::<String>::new(), "files left");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

/// Whether the process is there and not only waiting to be buried.
fn is_alive(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    !stat.rsplit(") ").next().unwrap_or_default().starts_with('Z')
}

/// Asks again and again until there is an answer; fails when there is none in time.
pub async fn until<T>(what: &str, within: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + within;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < end, "{what}: not within {within:?}");
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}
