//! Holds Concord against the limit program and prints one table. Started by `bench/run`, which
//! builds both, starts PostgreSQL and cleans up.
//!
//! Every figure is a median over rounds. A round begins with empty databases and goes through first
//! load, nothing changed and 1 % changed; in each, Concord and the limit program run in turn against
//! the same simulator, so that their ratio holds whatever else the machine does.

use std::fmt::Display;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use postgres::NoTls;
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Scales of the simulator for 100,000 and a million accounts of its system "ham".
const SCALE: u32 = 74;
const SCALE_MILLION: u32 = 734;
/// The simulator's credentials for "ham"; its list of accounts, and that of clients, as Concord asks for them.
const LOGIN: &str = "partner-ham@example.test";
const PASSWORD: &str = "sim-ham-password";
/// What is asked for in row 7: lists in every order and with every filter, and searches for what is
/// in many, in few and in no records.
const VIEWS: [&str; 12] = [
    "",
    "?sort=reward",
    "?sort=-reward",
    "?sort=-registered",
    "?sort=key",
    "?owner=Ham",
    "?system=ham&sort=-reward",
    "?status=ACTIVE",
    "?status=LEFT&sort=-reward",
    "?country=TH&sort=reward",
    "?country=RU&sort=-registered",
    "?view=accounts",
];
const TEXTS: [&str; 10] = [
    "1400",
    "140012345",
    "standard",
    "1100000000000000001",
    "vip%20desk",
    "%E0%B8%A5%E0%B8%B9%E0%B8%81",
    "a1b2",
    "0f3",
    "2026-06-30",
    "nothing+like+this",
];
/// Times each of them is asked for.
const TIMES: usize = 10;
const LISTS: [&str; 2] =
    ["reports/clients/?ordering=client_account", "v2/reports/clients/?ordering=client_uid"];

#[derive(Parser)]
struct Arguments {
    /// The Concord to be measured.
    #[arg(long)]
    concord: PathBuf,
    /// The limit program.
    #[arg(long)]
    limit: PathBuf,
    /// Concord's lock file.
    #[arg(long)]
    lock: PathBuf,
    /// A folder of our own for databases.
    #[arg(long)]
    scratch: PathBuf,
    /// A PostgreSQL server, `postgres://user@host:port` without a database.
    #[arg(long)]
    postgres: String,
    /// Leaves out the million.
    #[arg(long)]
    quick: bool,
    /// Rounds at 100,000 accounts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Only `sqlite` or `postgres`.
    #[arg(long)]
    only: Option<String>,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let bench = Bench { arguments };
    let mut table = Vec::new();
    let wanted = |name: &str| bench.arguments.only.as_deref().is_none_or(|only| only == name);
    let kinds: Vec<Kind> =
        [Kind::Sqlite, Kind::Postgres].into_iter().filter(|kind| wanted(kind.name())).collect();
    let mut hundred = Vec::new();
    {
        let simulator = Simulator::start(&bench.arguments.concord, SCALE)?;
        for kind in &kinds {
            let rounds = (0..bench.arguments.rounds)
                .map(|round| bench.round(*kind, &simulator, &format!("round {}", round + 1), false))
                .collect::<Result<Vec<Round>, Failure>>()?;
            rows_of(*kind, &rounds, &mut table);
            hundred.push(median(rounds.iter().map(|round| round.steps[0].whole)));
        }
    }
    if bench.arguments.quick {
        table.push(Line::unmeasured("4", "a million accounts", "left out by --quick"));
        table.push(Line::unmeasured("7", "first pages of a million accounts", "left out by --quick"));
    } else {
        let simulator = Simulator::start(&bench.arguments.concord, SCALE_MILLION)?;
        for (kind, hundred) in kinds.iter().zip(&hundred) {
            let round = bench.round(*kind, &simulator, "a million", true)?;
            million(*kind, &round, *hundred, &mut table);
        }
    }
    let demos = (0..3).map(|_| bench.demo()).collect::<Result<Vec<f64>, Failure>>()?;
    table.push(Line::at_most("9", "concord demo --once", "", median(demos), "s", 15.0, 5.0));
    let size = std::fs::metadata(&bench.arguments.concord)?.len() as f64 / 1e6;
    table.push(Line::at_most("10", "release binary", "", size, "MB", 60.0, 40.0));
    let lock = std::fs::read_to_string(&bench.arguments.lock)?;
    let packages = lock.lines().filter(|line| *line == "[[package]]").count() as f64;
    table.push(Line::at_most("10", "packages in Cargo.lock", "", packages, "", 450.0, 300.0));
    table.sort_by_key(|line| line.row.trim_end_matches('a').parse::<u32>().unwrap_or_default());
    print(&table);
    Ok(())
}

struct Bench {
    arguments: Arguments,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Sqlite => "sqlite",
            Kind::Postgres => "postgres",
        }
    }

    fn shown(self) -> &'static str {
        match self {
            Kind::Sqlite => "SQLite",
            Kind::Postgres => "PostgreSQL",
        }
    }
}

/// First load, nothing changed, 1 % changed.
struct Round {
    steps: [Step; 3],
    /// The 95th percentile of a first page of lists, and of searches, in milliseconds.
    pages: Option<[f64; 2]>,
}

/// Concord and the limit program, one after the other, on the same list.
struct Step {
    accounts: f64,
    /// Accounts and the clients they hang on.
    records: f64,
    /// Seconds from the first request for accounts until the last page of them is durable.
    stage: f64,
    /// Seconds of the whole process: clients, accounts, and all of them searchable.
    whole: f64,
    /// Of Concord, in MiB.
    peak: f64,
    /// Records written, as the run counts them.
    written: u64,
    /// The limit program.
    limit: Limit,
}

struct Limit {
    seconds: f64,
    peak: f64,
}

impl Step {
    /// How fast Concord is, the limit being 1.
    fn ratio(&self) -> f64 {
        self.limit.seconds / self.stage
    }
}

impl Bench {
    fn round(&self, kind: Kind, simulator: &Simulator, name: &str, pages: bool) -> Result<Round, Failure> {
        let ours = Database::create(self, kind, "concord")?;
        let limits = Database::create(self, kind, "limit")?;
        let config = self.arguments.scratch.join("concord.toml");
        std::fs::write(&config, settings(&ours.url, &simulator.url))?;
        let step = |what: &str| -> Result<Step, Failure> {
            simulator.warm()?;
            ours.rest()?;
            let mut command = Command::new(&self.arguments.concord);
            command.args(["--quiet", "--json", "--config"]).arg(&config).args(["sync", "ham"]);
            let (whole, peak) = watched(&mut command)?;
            let (records, accounts, written, stage) = ours.stage()?;
            limits.rest()?;
            let limit = self.limit(simulator, &limits)?;
            let step = Step { accounts, records, stage, whole, peak, written, limit };
            eprintln!(
                "{:10} {name}, {what}: {:.2} s of {:.2} s, {} written, {:.0} MiB; limit {:.2} s, {:.0} MiB; ratio {:.2}",
                kind.shown(),
                step.stage,
                step.whole,
                step.written,
                step.peak,
                step.limit.seconds,
                step.limit.peak,
                step.ratio()
            );
            Ok(step)
        };
        let first = step("first load")?;
        let same = step("nothing changed")?;
        simulator.change()?;
        let changed = step("1 % changed")?;
        let pages = if pages { Some(self.pages(&config)?) } else { None };
        ours.remove()?;
        limits.remove()?;
        Ok(Round { steps: [first, same, changed], pages })
    }

    fn limit(&self, simulator: &Simulator, database: &Database) -> Result<Limit, Failure> {
        let mut command = Command::new(&self.arguments.limit);
        command.args(["--login", LOGIN, "--password", PASSWORD, "--database", &database.url]);
        command.args(["--url", &format!("{}/exness-ham", simulator.url)]);
        let output = command.stderr(Stdio::inherit()).output()?;
        let report: Value = serde_json::from_slice(&output.stdout)?;
        let number = |name: &str| report[name].as_f64().ok_or_else(|| format!("the limit said: {report}"));
        Ok(Limit { seconds: number("seconds")?, peak: number("peak_mib")? })
    }

    /// Serves the database and asks for first pages.
    fn pages(&self, config: &Path) -> Result<[f64; 2], Failure> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let server =
            format!("[server]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"http://127.0.0.1:{port}\"\n");
        std::fs::write(config, format!("{}{server}", std::fs::read_to_string(config)?))?;
        let mut command = Command::new(&self.arguments.concord);
        command.args(["--quiet", "--config"]).arg(config);
        let output = command.args(["token", "create", "--role", "viewer"]).output()?;
        let token = format!("Bearer {}", String::from_utf8(output.stdout)?.trim());
        let mut command = Command::new(&self.arguments.concord);
        command.args(["--quiet", "--config"]).arg(config).arg("serve");
        let _server = Ended(command.spawn()?);
        let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
        let ask = |query: &str| -> Result<f64, Failure> {
            let started = Instant::now();
            let url = format!("http://127.0.0.1:{port}/customers{query}");
            agent.get(url).header("Authorization", &token).call()?.body_mut().read_to_vec()?;
            Ok(started.elapsed().as_secs_f64() * 1000.0)
        };
        let started = Instant::now();
        while let Err(failure) = ask("") {
            if started.elapsed() > Duration::from_secs(30) {
                return Err(failure);
            }
            wait(100);
        }
        let slow = |queries: Vec<String>| -> Result<f64, Failure> {
            let mut times = Vec::new();
            for query in &queries {
                let own = (0..TIMES).map(|_| ask(query)).collect::<Result<Vec<f64>, Failure>>()?;
                eprintln!("           /customers{query}: {:.0} ms", median(own.iter().copied()));
                times.extend(own);
            }
            times.sort_by(f64::total_cmp);
            Ok(times[times.len() * 95 / 100])
        };
        let views = slow(VIEWS.map(str::to_owned).to_vec())?;
        let searches = slow(TEXTS.map(|text| format!("?search={text}")).to_vec())?;
        Ok([views, searches])
    }

    fn demo(&self) -> Result<f64, Failure> {
        let mut command = Command::new(&self.arguments.concord);
        command.args(["--quiet", "--json", "demo", "--once"]);
        Ok(watched(&mut command)?.0)
    }
}

/// Runs a command; how many seconds it took and its largest size in MiB. Concord ends with 3 where
/// a person has something to decide, which at a million invented clients happens.
fn watched(command: &mut Command) -> Result<(f64, f64), Failure> {
    let started = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0_f64;
    let ended = loop {
        if let Some(ended) = child.try_wait()? {
            break ended;
        }
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let size = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        peak = peak.max(size.unwrap_or_default() / 1024.0);
        wait(10);
    };
    let seconds = started.elapsed().as_secs_f64();
    match ended.code() {
        Some(0 | 3) => Ok((seconds, peak)),
        _ => Err(format!("{command:?} ended with {ended}").into()),
    }
}

#[expect(clippy::disallowed_methods, reason = "there is no runtime here that it could hold up")]
fn wait(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

/// What Concord is told: the defaults, without the brake on requests.
fn settings(database: &str, simulator: &str) -> String {
    format!(
        "database = \"{database}\"\n[systems.ham]\nkind = \"exness\"\nbase_url = \"{simulator}/exness-ham\"\n\
         login = \"{LOGIN}\"\npassword = \"{PASSWORD}\"\nowner = \"Ham\"\nrate = 1000000\npage_size = 1000\n\
         allow_plaintext = true\nallow_networks = [\"127.0.0.0/8\"]\n"
    )
}

/// A database that nobody else uses.
struct Database {
    url: String,
    kind: Kind,
    name: String,
    server: String,
}

impl Database {
    fn create(bench: &Bench, kind: Kind, name: &str) -> Result<Self, Failure> {
        let server = format!("{}/postgres", bench.arguments.postgres);
        let name = format!("bench_{name}");
        let url = match kind {
            Kind::Sqlite => format!("sqlite:{}", bench.arguments.scratch.join(&name).display()),
            Kind::Postgres => format!("{}/{name}", bench.arguments.postgres),
        };
        let database = Self { url, kind, name, server };
        database.remove()?;
        if kind == Kind::Postgres {
            let create = format!(
                "CREATE DATABASE {} TEMPLATE template0 LOCALE 'C.UTF-8' ENCODING 'UTF8'",
                database.name
            );
            postgres::Client::connect(&database.server, NoTls)?.batch_execute(&create)?;
        }
        Ok(database)
    }

    fn remove(&self) -> Result<(), Failure> {
        match self.url.strip_prefix("sqlite:") {
            Some(file) => {
                for end in ["", "-wal", "-shm", "-lock"] {
                    let file = format!("{file}{end}");
                    if Path::new(&file).exists() {
                        std::fs::remove_file(&file)?;
                    }
                }
            }
            None => {
                let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
                postgres::Client::connect(&self.server, NoTls)?.batch_execute(&drop)?;
            }
        }
        Ok(())
    }

    /// Lets the server finish what earlier runs left it, so that nobody pays for another.
    fn rest(&self) -> Result<(), Failure> {
        if self.kind == Kind::Postgres {
            postgres::Client::connect(&self.server, NoTls)?.batch_execute("CHECKPOINT")?;
        }
        Ok(())
    }

    /// Of the last read: how many records there are, how many of them are accounts, how many accounts
    /// were written, and the seconds until the last page of them was durable.
    fn stage(&self) -> Result<(f64, f64, u64, f64), Failure> {
        const QUERY: &str = "SELECT name, status, counts, started_at, finished_at FROM stage \
                             WHERE run_id = (SELECT MAX(run_id) FROM stage)";
        type Stage = (String, String, String, i64, i64);
        let stages: Vec<Stage> = match self.url.strip_prefix("sqlite:") {
            Some(file) => rusqlite::Connection::open(file)?
                .prepare(QUERY)?
                .query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?)))?
                .collect::<Result<_, _>>()?,
            None => postgres::Client::connect(&self.url, NoTls)?
                .query(QUERY, &[])?
                .iter()
                .map(|r| (r.get(0), r.get(1), r.get(2), r.get(3), r.get(4)))
                .collect(),
        };
        let (mut records, mut of_accounts) = (0, None);
        for (name, status, counts, started, finished) in stages {
            if status != "succeeded" {
                return Err(format!("{name} are {status}").into());
            }
            let counts: Value = serde_json::from_str(&counts)?;
            let count = |name: &str| counts[name].as_u64().unwrap_or_default();
            records += count("read");
            if name == "accounts" {
                let written = count("created") + count("updated");
                of_accounts =
                    Some((count("read") as f64, written, (finished - started) as f64 / 1_000_000.0));
            }
        }
        let (accounts, written, seconds) = of_accounts.ok_or("no accounts were read")?;
        Ok((records as f64, accounts, written, seconds))
    }
}

/// A program that ends with this.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The simulated systems.
struct Simulator {
    _child: Ended,
    url: String,
}

impl Simulator {
    fn start(concord: &Path, scale: u32) -> Result<Self, Failure> {
        let mut command = Command::new(concord);
        command.args(["--json", "--quiet", "simulate", "--scale", &scale.to_string()]);
        let mut child = Ended(command.stdout(Stdio::piped()).spawn()?);
        let mut text = String::new();
        let mut reader = BufReader::new(child.0.stdout.take().ok_or("no output")?);
        let url = loop {
            if reader.read_line(&mut text)? == 0 {
                return Err("the simulator ended".into());
            }
            if let Ok(document) = serde_json::from_str::<Value>(&text) {
                break document["url"].as_str().ok_or("no address")?.to_owned();
            }
        };
        Ok(Self { _child: child, url })
    }

    /// Changes 1 % of the accounts.
    fn change(&self) -> Result<(), Failure> {
        let change = json!({ "system": "ham", "stream": "accounts", "percent": 1.0 });
        ureq::post(format!("{}/_sim/change", self.url)).send(change.to_string())?;
        Ok(())
    }

    /// Has both lists put in order, so that the first to ask does not wait for that.
    fn warm(&self) -> Result<(), Failure> {
        let agent: ureq::Agent = ureq::Agent::config_builder().user_agent("bench").build().into();
        let base = format!("{}/exness-ham/api", self.url);
        let credentials = json!({ "login": LOGIN, "password": PASSWORD }).to_string();
        let answer = agent.post(format!("{base}/v2/auth/")).send(credentials)?.body_mut().read_to_string()?;
        let token: Value = serde_json::from_str(&answer)?;
        let token = token["token"].as_str().ok_or("no token")?;
        for list in LISTS {
            agent.get(format!("{base}/{list}&limit=1")).header("Authorization", token).call()?;
        }
        Ok(())
    }
}

/// A line of the table.
struct Line {
    row: &'static str,
    what: &'static str,
    database: &'static str,
    measured: String,
    limit: String,
    value: String,
    floor: String,
    goal: String,
    verdict: &'static str,
}

impl Line {
    fn new(row: &'static str, what: &'static str, database: &'static str) -> Self {
        let none = String::new;
        Self {
            row,
            what,
            database,
            measured: none(),
            limit: none(),
            value: none(),
            floor: none(),
            goal: none(),
            verdict: "",
        }
    }

    fn unmeasured(row: &'static str, what: &'static str, why: &'static str) -> Self {
        Self { verdict: why, ..Self::new(row, what, "") }
    }

    fn bounds(mut self, floor: impl Display, goal: impl Display, reached: [bool; 2]) -> Self {
        (self.floor, self.goal) = (floor.to_string(), goal.to_string());
        self.verdict = match reached {
            [_, true] => "OK, goal reached",
            [true, _] => "OK",
            _ => "below",
        };
        self
    }

    fn at_most(
        row: &'static str,
        what: &'static str,
        database: &'static str,
        value: f64,
        unit: &str,
        floor: f64,
        goal: f64,
    ) -> Self {
        let mut line = Self::new(row, what, database);
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        line.value =
            if value.fract() == 0.0 { format!("{value}{unit}") } else { format!("{value:.1}{unit}") };
        line.bounds(format!("≤ {floor}{unit}"), format!("≤ {goal}{unit}"), [value <= floor, value <= goal])
    }
}

/// Rows 1, 1a, 2 and 3.
fn rows_of(kind: Kind, rounds: &[Round], table: &mut Vec<Line>) {
    let of = |step: usize, figure: &dyn Fn(&Step) -> f64| {
        median(rounds.iter().map(|round| figure(&round.steps[step])))
    };
    let speed = |step: usize| {
        let mut line = Line::new("", "", kind.shown());
        line.measured = format!("{:.0}k/s", of(step, &|step| step.accounts / step.stage / 1000.0));
        line.limit = format!("{:.0}k/s", of(step, &|step| step.accounts / step.limit.seconds / 1000.0));
        line
    };
    let ratio = |line: Line, row, what, step: usize, floor: f64, goal: f64| {
        let ratio = of(step, &Step::ratio);
        Line { row, what, value: format!("{ratio:.2}"), ..line }.bounds(
            floor,
            goal,
            [ratio >= floor, ratio >= goal],
        )
    };
    let (floor, goal, searchable) = if kind == Kind::Sqlite { (0.3, 0.45, 25.0) } else { (0.4, 0.55, 15.0) };
    table.push(ratio(speed(0), "1", "first load of accounts", 0, floor, goal));

    let rate = of(0, &|step| step.records / step.whole / 1000.0);
    let accounts = of(0, &|step| step.accounts / step.whole / 1000.0);
    let mut line = Line::new("1a", "records until all are searchable", kind.shown());
    line.measured = format!("{rate:.0}k/s ({accounts:.0}k accounts/s)");
    table.push(line.bounds(format!("{searchable}k/s"), "60k/s", [rate >= searchable, rate >= 60.0]));

    let mut line = ratio(speed(1), "2", "nothing changed", 1, 0.35, 0.6);
    if rounds.iter().any(|round| round.steps[1].written > 0) {
        line.verdict = "below: records were written";
    }
    table.push(line);

    let slower = median(rounds.iter().map(|round| round.steps[2].stage / round.steps[1].stage)) - 1.0;
    let mut line = speed(2);
    (line.row, line.what) = ("3", "1 % changed, over row 2");
    line.value = format!("{:+.0} %", slower * 100.0);
    table.push(line.bounds("+25 %", "+10 %", [slower <= 0.25, slower <= 0.1]));
}

/// Rows 4 and 7.
fn million(kind: Kind, round: &Round, hundred: f64, table: &mut Vec<Line>) {
    let first = &round.steps[0];
    let times = first.whole / hundred;
    let mut line =
        Line::at_most("4", "a million, over the time of 100k", kind.shown(), times, "×", 12.0, 11.0);
    line.measured = format!("{:.0}k/s", first.accounts / first.stage / 1000.0);
    line.limit = format!("{:.0}k/s", first.accounts / first.limit.seconds / 1000.0);
    table.push(line);
    let peak = round.steps.iter().map(|step| step.peak).fold(0.0, f64::max);
    let mut line =
        Line::at_most("4", "a million, peak memory", kind.shown(), peak.round(), "MiB", 192.0, 128.0);
    line.limit = format!("{:.0} MiB", round.steps.iter().map(|step| step.limit.peak).fold(0.0, f64::max));
    table.push(line);
    let [views, searches] = round.pages.unwrap_or_default();
    for (what, value, goal) in
        [("first page of a list, p95", views, 30.0), ("first page of a search, p95", searches, 20.0)]
    {
        table.push(Line::at_most("7", what, kind.shown(), value.round(), "ms", 100.0, goal));
    }
}

fn print(table: &[Line]) {
    println!("| row | what | database | Concord | limit | figure | floor | goal | |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for line in table {
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            line.row,
            line.what,
            line.database,
            line.measured,
            line.limit,
            line.value,
            line.floor,
            line.goal,
            line.verdict
        );
    }
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}
