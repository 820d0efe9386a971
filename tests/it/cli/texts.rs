//! What people read, word by word.

use concord::simulate::{Action, Fault};
use concord::words::words;

use crate::support::{World, on_both};

/// A text without what differs from run to run.
fn plain(world: &World, text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.replace(&world.url, "DATABASE").replace(&world.sim.url(), "SIMULATOR").lines() {
        let stamp = line.len() > 20 && line.as_bytes()[4] == b'-' && line.as_bytes()[19] == b'Z';
        lines.push(if stamp { format!("TIME{}", &line[20..]) } else { line.trim_end().to_owned() });
    }
    lines.join("\n")
}

#[test]
fn every_message_has_a_text() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut missing) = (vec![root], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            let source = source.split("#[cfg(test)]").next().unwrap();
            for call in [
                "Message::new(\"",
                "text().text(\"",
                "text().with(\"",
                ".message(\"",
                "message_at(\"",
                "about(\"",
                "at(\"run-",
            ] {
                let skipped = if call.ends_with("run-") { 4 } else { 0 };
                for (at, _) in source.match_indices(call) {
                    let id = source[at + call.len() - skipped..].split('"').next().unwrap();
                    if !words("en").knows(id) {
                        missing.push(format!("{}: {id}", path.display()));
                    }
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_is_wrong_and_what_to_do() {
    on_both(async |world| {
        let output = world.run(&["check"]).await;
        assert_eq!(output.code, 0);
        insta::assert_snapshot!(plain(world, &output.out), @"");
        world.configure(|text| text.replace("sim-ham-password", "wrong").replace("sim-xm-token", "wrong"));
        world
            .sim
            .set_faults(vec![Fault::new("janischa", "/api/v2/reports/", Action::Status).value(404).times(0)]);
        let output = world.run(&["check"]).await;
        assert_eq!(output.code, 1);
        insta::assert_snapshot!(plain(world, &output.out), @"");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_shown_whole() {
    on_both(async |world| {
        world
            .sim
            .set_faults(vec![Fault::new("janischa", "/api/reports/clients/", Action::Truncate).times(1)]);
        let synced = world.run(&["sync", "janischa"]).await;
        assert_eq!(synced.code, 0);
        insta::assert_snapshot!(plain(world, &synced.err), @"");
        let shown = world.run(&["runs", "show", "1"]).await;
        insta::assert_snapshot!(plain(world, &shown.out), @"");
        world.sim.set_faults(vec![Fault::new("janischa", "/api/reports/clients/", Action::Empty).times(0)]);
        let synced = world.run(&["sync", "janischa", "--quiet"]).await;
        assert_eq!((synced.code, synced.err.as_str()), (3, ""));
        let told: Vec<&str> = synced.out.lines().filter(|line| line.starts_with("janischa: ")).collect();
        insta::assert_snapshot!(told.join("\n"), @"");
        let cases = world.run(&["cases"]).await;
        insta::assert_snapshot!(plain(world, &cases.out), @"");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_explain_themselves() {
    on_both(async |world| {
        let help = world.run(&["--help"]).await;
        insta::assert_snapshot!(plain(world, &help.out), @"");
        let help = world.run(&["sync", "--help"]).await;
        insta::assert_snapshot!(plain(world, &help.out), @"");
        let help = world.run(&["cases", "decide", "--help"]).await;
        insta::assert_snapshot!(plain(world, &help.out), @"");
    })
    .await;
}
