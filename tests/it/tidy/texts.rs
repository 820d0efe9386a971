//! Files as text: their size, how they open, and what must not be written in them.

use super::none;
use super::scan::{Text, texts};

/// The longest file, in lines.
const LONGEST: usize = 600;

/// Hosts that may be named: the systems' own addresses, licences, name spaces, documentation.
const HOSTS: [&str; 25] = [
    "my.exnessaffiliates.com",
    "mypartners.xm.com",
    "crates.io",
    "creativecommons.org",
    "developer.mozilla.org",
    "doc.rust-lang.org",
    "docs.oasis-open.org",
    "docs.rs",
    "github.com",
    "htmx.org",
    "json-schema.org",
    "keepachangelog.com",
    "opensource.org",
    "openfontlicense.org",
    "owasp.org",
    "rustup.rs",
    "schemas.microsoft.com",
    "schemas.openxmlformats.org",
    "semver.org",
    "spdx.org",
    "www.apache.org",
    "www.postgresql.org",
    "www.sqlite.org",
    "www.v8.1c.ru",
    "www.w3.org",
];

#[test]
fn files_are_short() {
    none(long(&texts()));
}

#[test]
fn rust_files_say_what_they_are_for() {
    let files = texts().into_iter().filter(|file| file.path.ends_with(".rs"));
    let silent = files.filter(|file| !file.text.starts_with("//!"));
    none(silent.map(|file| format!("{}:1: opens with a line of //! that says what it does", file.path)));
}

#[test]
fn modules_are_named_files() {
    let files = texts().into_iter().filter(|file| file.path.ends_with("/mod.rs"));
    none(files.map(|file| format!("{}:1: write x.rs beside x/", file.path)));
}

#[test]
fn nothing_is_left_for_later() {
    none(left_overs(&texts()));
}

#[test]
fn no_path_of_somebodys_machine() {
    none(machine_paths(&texts()));
}

#[test]
fn hosts_and_addresses_are_invented() {
    none(addresses(&texts()));
}

/// Fixtures are data and may be as long as they need.
fn long(texts: &[Text]) -> Vec<String> {
    let ours = |path: &str| ["src/", "tests/", "templates/"].iter().any(|top| path.starts_with(top));
    let data = |path: &str| path.starts_with("tests/fixtures/") || path.ends_with("package-lock.json");
    let files = texts.iter().filter(|file| ours(&file.path) && !data(&file.path));
    files
        .map(|file| (file, file.text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .map(|(file, lines)| format!("{}:{lines}: longer than {LONGEST} lines", file.path))
        .collect()
}

fn left_overs(texts: &[Text]) -> Vec<String> {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let mut offenders = Vec::new();
    for file in texts.iter().filter(|file| file.path != "Cargo.lock") {
        for (line, text) in file.lines() {
            let whole = |word: &&str| text.split(|c: char| !c.is_alphanumeric()).any(|part| part == *word);
            offenders.extend(
                marks.iter().find(|word| whole(word)).map(|word| format!("{}:{line}: {word}", file.path)),
            );
        }
    }
    offenders
}

fn machine_paths(texts: &[Text]) -> Vec<String> {
    let homes = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];
    let mut offenders = Vec::new();
    for file in texts {
        for (line, text) in file.lines() {
            // `src/work/queue.rs` is a relative path, `$HOME/work/` is nobody's.
            let inner = |before: char| before.is_alphanumeric() || "._-})*".contains(before);
            let found = homes
                .iter()
                .flat_map(|home| text.match_indices(home))
                .find(|(at, _)| !text[..*at].ends_with(inner));
            offenders.extend(found.map(|(_, home)| format!("{}:{line}: a path under {home}", file.path)));
        }
    }
    offenders
}

/// Hosts of URLs and of e-mail addresses, in files we write by hand.
fn addresses(texts: &[Text]) -> Vec<String> {
    let mut offenders = Vec::new();
    for file in texts.iter().filter(|file| !file.path.ends_with(".lock")) {
        for (line, text) in file.lines() {
            let urls = text
                .match_indices("://")
                .filter(|(at, _)| text[..*at].ends_with("http") || text[..*at].ends_with("https"));
            let mails = text.match_indices('@').filter(|(at, _)| {
                text[..*at].ends_with(|c: char| c.is_ascii_alphanumeric() || "._+-".contains(c))
            });
            for (at, mark) in urls.chain(mails) {
                let host = host(&text[at + mark.len()..]);
                if !invented(host) && !HOSTS.contains(&host) {
                    offenders.push(format!(
                        "{}:{line}: the host {host}: use a name under example.test",
                        file.path
                    ));
                }
            }
        }
    }
    offenders
}

fn host(rest: &str) -> &str {
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-.".contains(c)).unwrap_or(rest.len());
    rest[..end].trim_end_matches('.')
}

/// A name reserved for examples, a bare name of a local network, a number, or none at all.
fn invented(host: &str) -> bool {
    let Some((rest, last)) = host.rsplit_once('.') else { return true };
    let reserved = ["test", "example", "invalid", "localhost"].contains(&last);
    reserved
        || rest.rsplit('.').next() == Some("example")
        || !last.starts_with(|c: char| c.is_ascii_alphabetic())
}

#[test]
fn offences_are_found() {
    let one = |text: &str| [Text::new("docs/x.md", text)];
    assert_eq!(left_overs(&one(concat!("a\n// TO", "DO: b"))).len(), 1);
    assert!(left_overs(&one("the todo list, TODOS")).is_empty());
    assert_eq!(machine_paths(&one(concat!("see /ho", "me/me/x"))).len(), 1);
    assert!(machine_paths(&one("src/work/queue.rs and $HOME/work/x")).is_empty());
    assert_eq!(addresses(&one(concat!("me@some", "where.org https://some", "where.net/x"))).len(), 2);
    let fine = "https://crm.example.test/x partner@example.test https://my.exnessaffiliates.com http://127.0.0.1:1 \
                postgres://user:pass@host/db https://{host} http://example.com https://docs.rs.";
    assert!(addresses(&one(fine)).is_empty(), "{:?}", addresses(&one(fine)));
    assert_eq!(long(&[Text::new("src/a.rs", &"\n".repeat(LONGEST + 1))]).len(), 1);
}
