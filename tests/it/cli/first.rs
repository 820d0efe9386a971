//! The first hour with the program: what somebody meets who has read nothing but the README.

use std::process::{Command, Stdio};

use concord::simulate::{Action, Fault};

use crate::support::{PATIENCE, on_both, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_written_in_the_format_its_name_says() {
    on_both(async |world| {
        world.sync(0, &["xm"]).await;
        let out = |name: &str| world.home().join(name);
        for (name, start) in [
            ("concord.db-y.csv", &b"\xef\xbb\xbf"[..]),
            ("concord.db-y.XLSX", b"PK"),
            ("concord.db-y.json", b"{"),
        ] {
            let written = world.run(&["customers", "--out", name]).await;
            assert_eq!((written.code, written.out.as_str()), (0, ""), "{name}: {}", written.err);
            let bytes = std::fs::read(out(name)).unwrap();
            assert!(bytes.starts_with(start), "{name}: {:?}", &bytes[..4]);
            if name.ends_with("csv") {
                let lines = String::from_utf8(bytes).unwrap().lines().count() as i64;
                assert_eq!(lines, 1 + world.number("SELECT COUNT(*) FROM customer").await);
            }
        }
        for name in ["concord.db-y", "concord.db-y.txt"] {
            let refused = world.run(&["customers", "--out", name]).await;
            assert_eq!(refused.code, 2);
            assert!(refused.err.contains(".csv, .xlsx or .json"), "{}", refused.err);
            assert!(!out(name).exists());
        }
        assert_eq!(world.run(&["customers", "--out", "concord.db-y.txt", "--format", "table"]).await.code, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_configuration_says_what_it_needs() {
    on_both(async |world| {
        std::fs::remove_file(world.config()).unwrap();
        let refused = world.run(&["init"]).await;
        assert_eq!(refused.code, 2);
        assert!(refused.err.contains("concord init --yes"), "{}", refused.err);
        let written = world.json(0, &["init", "--yes"]).await;
        assert_eq!(written["file"], "concord.toml");
        let text = std::fs::read_to_string(world.config()).unwrap();
        assert!(
            text.contains("\n#cron = ") && text.contains("\n#region = ") && !text.contains("##"),
            "{text}"
        );

        world.configure(|text| text.split("[systems").next().unwrap().to_owned());
        let checked = world.run(&["check"]).await;
        assert_eq!(checked.code, 0, "{}", checked.err);
        assert!(
            checked.out.contains("No system is configured") && checked.out.contains("concord.toml"),
            "{}",
            checked.out
        );
        let synced = world.run(&["sync"]).await;
        assert_eq!((synced.code, synced.out.as_str()), (2, ""));
        assert!(synced.err.contains("No system is configured"), "{}", synced.err);
        world.configure(|text| text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_server_still_says_how_to_get_in() {
    on_both(async |world| {
        let serving = world.start(&["serve", "-q"]);
        until("the link is printed", PATIENCE, async || serving.err().contains("/set-up?key=").then_some(()))
            .await;
        assert_eq!(serving.terminate().await.code, 0);
        assert_eq!(world.run_told(&["user", "add", "eve"], "correct horse battery\n").await.code, 0);
        let serving = world.start(&["serve", "-q"]);
        until("the way is told", PATIENCE, async || serving.err().contains("--role admin").then_some(()))
            .await;
        assert_eq!(serving.terminate().await.code, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_says_what_to_change() {
    on_both(async |world| {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port().to_string();
        world.configure(|text| text.replace("127.0.0.1:0", &format!("127.0.0.1:{port}")));
        let refused = world.run(&["serve"]).await;
        assert_eq!(refused.code, 1);
        assert!(refused.err.contains("[server] listen") && refused.err.contains(&port), "{}", refused.err);
        let refused = world.run(&["simulate", "--port", &port]).await;
        assert_eq!(refused.code, 1);
        assert!(refused.err.contains("--port"), "{}", refused.err);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_are_shown_with_what_became_of_them() {
    on_both(async |world| {
        world.sync(0, &["janischa"]).await;
        world.sim.set_faults(vec![Fault::new("janischa", "/api/reports/clients/", Action::Empty).times(0)]);
        world.sync(3, &["janischa"]).await;
        let shown = world.run(&["cases", "show", "1"]).await;
        assert_eq!(shown.code, 0);
        assert!(shown.out.contains("came back empty") && shown.out.contains("Most likely"), "{}", shown.out);
        assert!(shown.out.contains("concord cases decide 1 --choose keep   (keep them)"), "{}", shown.out);
        assert_eq!(world.json(0, &["cases", "show", "1"]).await["state"], "open");
        assert_eq!(world.run(&["cases", "decide", "1", "--choose", "keep"]).await.code, 0);
        let all = world.run(&["cases", "--all"]).await;
        assert!(all.out.contains("[decided: keep them, by cli:tester]"), "{}", all.out);
        let shown = world.run(&["cases", "show", "1"]).await;
        assert!(shown.out.contains("decided: keep them, by cli:tester, 20"), "{}", shown.out);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_the_configuration_say_what_to_do() {
    on_both(async |world| {
        world.configure(|text| {
            let own = text.find("[systems.ham]").unwrap();
            let end = text[own + 1..].find("\n[").unwrap() + own + 1;
            let again = text[own..end].to_owned();
            format!("{text}\n{again}")
        });
        let twice = world.run(&["check"]).await;
        assert_eq!(twice.code, 2);
        assert_eq!(
            twice.err.matches("[systems.ham] stands there twice, in lines").count(),
            1,
            "{}",
            twice.err
        );
        assert!(!twice.err.contains("duplicate") && !twice.err.contains("quotes"), "{}", twice.err);

        world.configure(|text| {
            let text = text.replace("start = \"2010-01-01\"\n", "");
            text.replace("token = \"sim-xm-token\"", "start = \"01.01.2010\"\ntoken = \"sim-xm-token\"")
                .replace("rate = 10000", "rate = 0")
        });
        let mistakes = world.run(&["check"]).await;
        assert_eq!(mistakes.code, 2);
        assert!(mistakes.err.contains("Write a date like \"2010-01-31\""), "{}", mistakes.err);
        assert!(
            mistakes.err.matches('×').count() > 2 && !mistakes.err.contains("Error:"),
            "{}",
            mistakes.err
        );
        let login = std::fs::read_to_string(world.config()).unwrap();
        let login = login
            .lines()
            .find_map(|line| line.strip_prefix("login = "))
            .unwrap()
            .trim_matches('"')
            .to_owned();
        assert!(!mistakes.err.contains(&login), "{login} in {}", mistakes.err);
        world.configure(|text| text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_take_their_options_without_their_name() {
    on_both(async |world| {
        world.sync(0, &["xm"]).await;
        assert_eq!(world.json(0, &["audit", "--limit", "1"]).await["items"].as_array().unwrap().len(), 1);
        assert_eq!(world.json(0, &["runs", "--system", "xm"]).await["total"], 1);
        assert_eq!(world.json(0, &["runs", "list", "--system", "ham"]).await["total"], 0);
        let entries = world.run(&["audit"]).await.out;
        let first = world.number("SELECT MIN(id) FROM audit").await.to_string();
        assert!(entries.lines().last().unwrap().trim_start().starts_with(&first), "{entries}");
        assert!(!entries.contains("null") && !entries.contains('{'), "{entries}");
        let over = world.run(&["runs", "cancel", "1"]).await;
        assert_eq!(over.code, 2);
        assert!(over.err.contains("Run 1 is over (succeeded)"), "{}", over.err);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_enough_ends_the_export_quietly() {
    on_both(async |world| {
        world.sync(0, &["xm"]).await;
        let mut exporting = Command::new(env!("CARGO_BIN_EXE_concord"))
            .args(["customers", "--format", "csv"])
            .current_dir(world.home())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(exporting.stdout.take());
        let output = exporting.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    })
    .await;
}
