//! The rules of the tree, held against the source text: what ARCHITECTURE.md promises and the
//! compiler cannot check. Each rule is one test that lists every offender with its line and reason.
//!
//! `scan` reads the files, `layers` knows who may use whom, `texts` looks at files as text,
//! `packages` at what is linked in, `guides` at what the guides quote,
//! `bugs` at the bugs that are planted to try the tests.

mod bugs;
mod guides;
mod layers;
mod packages;
mod scan;
mod texts;

/// Fails with all offenders at once, so that one run shows the whole work.
#[track_caller]
fn none(offenders: impl IntoIterator<Item = String>) {
    let offenders: Vec<String> = offenders.into_iter().collect();
    assert!(offenders.is_empty(), "{} offences:\n  {}\n", offenders.len(), offenders.join("\n  "));
}
