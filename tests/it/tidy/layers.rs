//! Who may use whom, and what may be said where.

use super::none;
use super::scan::{Rust, Text, sources};

/// Computations that take values and give values: whatever they need to know is an argument.
const PURE: [&str; 4] =
    ["src/sync/map.rs", "src/sync/matching.rs", "src/sync/flow/compare.rs", "src/work/schedule.rs"];

const IMPURE: [&str; 8] = [
    "tokio",
    "sqlx",
    "reqwest",
    "SystemTime::now",
    "Timestamp::now",
    "Instant::now",
    "crate::store",
    "crate::connect::http",
];

#[test]
fn model_uses_nothing_of_ours() {
    none(strangers(&sources(), "model", &["model"], "the model is plain data that everything else may use"));
}

#[test]
fn connectors_use_only_the_model() {
    none(strangers(
        &sources(),
        "connect",
        &["connect", "model"],
        "a connector knows its system, not the engine",
    ));
}

#[test]
fn simulators_share_nothing_with_the_program() {
    let why = "a simulator that shares code with what it tests shares its mistakes";
    let sources = sources();
    let mut offenders = strangers(&sources, "simulate", &["simulate"], why);
    offenders.extend(words(&sources, |file| file.within("connect"), &["simulate"], why));
    none(offenders);
}

#[test]
fn pure_files_take_everything_as_an_argument() {
    none(words(
        &sources(),
        |file| PURE.contains(&file.path.as_str()),
        &IMPURE,
        "no clock, network or database here",
    ));
}

#[test]
fn only_the_transport_speaks_http_to_other_systems() {
    let transport = |file: &Rust| {
        let tests = file.path.ends_with("/tests.rs") || file.path.contains("/tests/");
        file.path == "src/connect/http.rs" || file.path.starts_with("src/connect/http/") || tests
    };
    none(words(
        &sources(),
        |file| !transport(file),
        &["reqwest"],
        "requests leave through connect/http alone",
    ));
}

#[test]
fn sql_lives_under_store() {
    none(statements(&sources()));
}

/// Files of module `of` that name a module of ours beyond `allowed`.
fn strangers(sources: &[Rust], of: &str, allowed: &[&str], why: &str) -> Vec<String> {
    let files = sources.iter().filter(|file| file.within(of));
    files
        .flat_map(|file| file.names().into_iter().map(move |(line, name)| (file, line, name)))
        .filter(|(_, _, name)| !allowed.contains(&name.as_str()))
        .map(|(file, line, name)| format!("{}:{line}: uses {name}: {why}", file.path))
        .collect()
}

/// Code that holds one of the words in the chosen files.
fn words(sources: &[Rust], chosen: impl Fn(&Rust) -> bool, words: &[&str], why: &str) -> Vec<String> {
    let mut offenders = Vec::new();
    for file in sources.iter().filter(|file| chosen(file)) {
        for word in words {
            offenders
                .extend(file.finds(word).iter().map(|line| format!("{}:{line}: {word}: {why}", file.path)));
        }
    }
    offenders
}

/// String literals with SQL outside the store.
fn statements(sources: &[Rust]) -> Vec<String> {
    let sql = |text: &str| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ") + " ";
        let update = text.find("UPDATE ").is_some_and(|at| text[at..].contains(" SET "));
        update || ["SELECT ", "INSERT INTO ", "DELETE FROM "].iter().any(|word| text.contains(word))
    };
    let mut offenders = Vec::new();
    for file in sources.iter().filter(|file| !file.within("store")) {
        let found = file.literals.iter().filter(|(_, text)| sql(text));
        offenders.extend(found.map(|(line, _)| format!("{}:{line}: SQL outside store", file.path)));
    }
    offenders
}

#[test]
fn offences_are_found() {
    let rust = |path: &str, text: &str| Rust::new(&Text::new(path, text));
    let sources = [
        rust("src/model/a.rs", "use crate::store::Store;"),
        rust("src/connect.rs", "use super::sync;\nuse crate::model::Row;"),
        rust("src/simulate/b.rs", "use crate::connect;"),
        rust("src/sync/map.rs", "let now = jiff::Timestamp::now();"),
        rust(
            "src/web.rs",
            "const A: &str = \"UPDATE t\n SET x\";\nconst B: &str = \"SELECT\";\nconst C: &str = \"Select a view\";",
        ),
        rust("src/store.rs", "const D: &str = \"DELETE FROM t\";"),
    ];
    assert_eq!(strangers(&sources, "model", &["model"], ""), ["src/model/a.rs:1: uses store: "]);
    assert_eq!(strangers(&sources, "connect", &["connect", "model"], ""), ["src/connect.rs:1: uses sync: "]);
    assert_eq!(strangers(&sources, "simulate", &["simulate"], "").len(), 1);
    assert_eq!(words(&sources, |file| PURE.contains(&file.path.as_str()), &IMPURE, "").len(), 1);
    assert_eq!(statements(&sources), ["src/web.rs:1: SQL outside store", "src/web.rs:3: SQL outside store"]);
}
