//! What is linked in: how much, from where, under which licences, and the version of SQLite.
//!
//! `cargo deny` (deny.toml) checks the same and more where it is installed; these tests need nothing
//! but cargo, so they run for everyone.

use std::process::Command;

use serde_json::Value;

use super::none;

const LOCK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock"));

const MOST: usize = 450;

/// Crates whose build or licence we do not want: TLS is rustls on ring.
const BANNED: [&str; 6] =
    ["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys", "aws-lc-fips-sys"];

/// Licences that ask for no more than a notice. The same list stands in deny.toml.
const LICENCES: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];

struct Locked<'a> {
    name: &'a str,
    version: &'a str,
    source: Option<&'a str>,
}

fn locked() -> Vec<Locked<'static>> {
    let field = |block: &'static str, name: &str| {
        block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"'))
    };
    let blocks = LOCK.split("[[package]]").skip(1);
    let package = |block| {
        Some(Locked {
            name: field(block, "name")?,
            version: field(block, "version")?,
            source: field(block, "source"),
        })
    };
    blocks.map(|block| package(block).expect("a package has a name and a version")).collect()
}

#[test]
fn few_packages() {
    let count = locked().len();
    assert!(count <= MOST, "{count} packages in Cargo.lock, at most {MOST}");
}

#[test]
fn no_banned_packages() {
    let found = locked().into_iter().filter(|package| BANNED.contains(&package.name));
    none(found.map(|package| format!("{} {}: TLS is rustls on ring here", package.name, package.version)));
}

#[test]
fn packages_come_from_one_registry() {
    let home = Some("registry+https://github.com/rust-lang/crates.io-index");
    let found = locked().into_iter().filter(|package| package.source != home && package.name != "concord");
    none(found.map(|package| format!("{}: comes from {:?}", package.name, package.source)));
}

/// SQLite 3.7.0 to 3.51.2 can, rarely, corrupt a database in WAL mode.
#[test]
fn sqlite_is_sound() {
    let numbers =
        |version: &str| version.split('.').map_while(|part| part.parse().ok()).collect::<Vec<u32>>();
    let package =
        locked().into_iter().find(|package| package.name == "libsqlite3-sys").expect("SQLite is linked in");
    assert!(
        numbers(package.version) >= vec![0, 37, 0],
        "libsqlite3-sys {} bundles an older SQLite",
        package.version
    );

    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let manifest =
        packages.iter().find(|package| package["name"] == "libsqlite3-sys").expect("SQLite is linked in");
    let manifest = manifest["manifest_path"].as_str().expect("a path");
    let header = manifest.replace("Cargo.toml", "sqlite3/sqlite3.h");
    let header = std::fs::read_to_string(&header).expect("the bundled header");
    let version =
        header.lines().find_map(|line| line.strip_prefix("#define SQLITE_VERSION ")).expect("its version");
    let version = version.trim().trim_matches('"');
    assert!(numbers(version) >= vec![3, 51, 3], "SQLite {version} is bundled");
}

#[test]
fn licences_are_permissive() {
    let metadata = metadata();
    let mut offenders = Vec::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let licence = package["license"].as_str().unwrap_or("none stated");
        if !permitted(licence) {
            offenders.push(format!("{} {}: {licence}", package["name"], package["version"]));
        }
    }
    none(offenders);
}

/// Everything that is linked or run on this platform.
fn metadata() -> Value {
    let verbose = Command::new("rustc").arg("-vV").output().expect("rustc tells its host");
    let verbose = String::from_utf8(verbose.stdout).expect("UTF-8");
    let host = verbose.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--locked", "--offline", "--format-version", "1", "--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

/// An SPDX expression: every part of an AND, one part of an OR. The old `A/B` means OR.
fn permitted(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    either(&words, &mut at) && at == words.len()
}

fn either(words: &[&str], at: &mut usize) -> bool {
    let mut good = both(words, at);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        good |= both(words, at);
    }
    good
}

fn both(words: &[&str], at: &mut usize) -> bool {
    let mut good = one(words, at);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        good &= one(words, at);
    }
    good
}

fn one(words: &[&str], at: &mut usize) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let good = either(words, at);
        *at += 1;
        return good;
    }
    let mut name = (*word).to_owned();
    if words.get(*at) == Some(&"WITH") {
        name = format!("{name} WITH {}", words.get(*at + 1).copied().unwrap_or_default());
        *at += 2;
    }
    LICENCES.contains(&name.as_str())
}

#[test]
fn licence_expressions_are_read() {
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-2.0-only OR MIT",
        "(GPL-3.0 OR MIT) AND ISC",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(permitted(good), "{good}");
    }
    for bad in ["none stated", "GPL-3.0-only", "MIT AND GPL-3.0-only", "(MIT OR ISC) AND LGPL-2.1", "MIT ISC"]
    {
        assert!(!permitted(bad), "{bad}");
    }
}

/// A dependency whose name stands nowhere in the code costs everybody who builds.
#[test]
fn every_dependency_is_used() {
    let manifest: toml::Table =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).parse().expect("Cargo.toml");
    let code: Vec<String> =
        super::scan::texts().into_iter().filter(|t| t.path.ends_with(".rs")).map(|t| t.text).collect();
    let mut unused = Vec::new();
    for section in ["dependencies", "dev-dependencies"] {
        let Some(names) = manifest.get(section).and_then(toml::Value::as_table) else { continue };
        for name in names.keys() {
            let path = name.replace('-', "_");
            let uses = [format!("{path}::"), format!("use {path};"), format!("use {path} as")];
            if !code.iter().any(|text| uses.iter().any(|usage| text.contains(usage))) {
                unused.push(format!("Cargo.toml: {name} ({section}) is used nowhere"));
            }
        }
    }
    none(unused);
}
