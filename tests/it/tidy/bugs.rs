//! The planted bugs fit the sources: each says what is wrong and which tests notice, can be planted still, and
//! names tests that are there.

use std::path::Path;
use std::process::Command;

use super::none;
use super::scan::{Text, texts};

/// So many bugs at least are planted.
const LEAST: usize = 12;

fn bugs(texts: &[Text]) -> impl Iterator<Item = &Text> {
    texts.iter().filter(|file| file.path.starts_with("tests/bugs/") && file.path.ends_with(".patch"))
}

/// What a line of its head says.
fn told<'a>(bug: &'a Text, word: &str) -> Option<&'a str> {
    let head = bug.text.lines().take_while(|line| line.starts_with("# "));
    head.filter_map(|line| line[2..].split_once(": ")).find(|(name, _)| *name == word).map(|(_, text)| text)
}

#[test]
fn every_bug_can_be_planted() {
    let texts = texts();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(bugs(&texts).count() >= LEAST);
    none(bugs(&texts).filter_map(|bug| {
        // Also in a copy that lies in another repository, where git would pass over what is not of that one.
        let tried = Command::new("git")
            .args(["apply", "--check", &bug.path])
            .env("GIT_CEILING_DIRECTORIES", root.parent().unwrap_or(root))
            .current_dir(root)
            .output()
            .expect("git looks at a patch");
        let said = String::from_utf8_lossy(&tried.stderr).trim().replace('\n', "; ");
        (!tried.status.success()).then(|| format!("{}: {said}", bug.path))
    }));
}

#[test]
fn every_bug_says_what_it_is_and_who_notices() {
    let texts = texts();
    let tests: String = texts.iter().filter(|file| file.path.ends_with(".rs")).map(|f| &*f.text).collect();
    none(bugs(&texts).filter_map(|bug| {
        let Some(filter) = told(bug, "test").filter(|_| told(bug, "bug").is_some()) else {
            return Some(format!("{}:1: opens with `# bug: …` and `# test: …`", bug.path));
        };
        let named = filter.split("test(").skip(1).filter_map(|rest| rest.split(')').next());
        let gone: Vec<&str> =
            named.filter(|name| !name.starts_with('/') && !tests.contains(&format!("fn {name}()"))).collect();
        (!gone.is_empty()).then(|| format!("{}:2: there is no test {}", bug.path, gone.join(", ")))
    }));
}
