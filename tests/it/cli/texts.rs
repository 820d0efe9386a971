//! What people read, word by word.

use concord::simulate::{Action, Fault};
use concord::words::words;

use crate::support::{World, on_both};

/// A text without what differs from run to run.
fn plain(world: &World, text: &str) -> String {
    let mut lines = Vec::new();
    let masked = world.url.replace("concord@", "");
    let text = text.replace(&world.url, "DATABASE").replace(&masked, "DATABASE");
    for line in text.replace(&world.sim.url(), "SIMULATOR").lines() {
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
        insta::allow_duplicates! { insta::assert_snapshot!(plain(world, &output.out), @r#"
Database DATABASE: fine
ham: fine
janischa: fine
xm: fine
"#); }
        world.configure(|text| text.replace("sim-ham-password", "wrong").replace("sim-xm-token", "wrong"));
        world
            .sim
            .set_faults(vec![Fault::new("janischa", "/api/v2/reports/", Action::Status).value(404).times(0)]);
        let output = world.run(&["check"]).await;
        assert_eq!(output.code, 1);
        insta::allow_duplicates! { insta::assert_snapshot!(plain(world, &output.out), @r#"
Database DATABASE: fine
ham: ham refused the login: AuthenticationFailed. Check login and password of [systems.ham]; Concord does not try again by itself at once, so that the account is not locked.
janischa: janischa refused /api/v2/reports/clients/ with status 404: Not Found. Check base_url of [systems.janischa] and what the account may read.
xm: xm answered 401 to /trader-statistics/trader-list: it does not accept this sign-in. Check the token, or login and password, of [systems.xm] and what the account may read.
"#); }
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
        assert!(synced.err.ends_with("janischa: accounts …\njanischa: succeeded\n"), "{}", synced.err);
        let shown = world.run(&["runs", "show", "1"]).await;
        insta::allow_duplicates! { insta::assert_snapshot!(plain(world, &shown.out), @r#"
run 1 · janischa · succeeded

┌────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────┐
│ stream              read   created   updated   unchanged   duplicate   excluded   rejected   source   stored   unexplained │
╞════════════════════════════════════════════════════════════════════════════════════════════════════════════════════════════╡
│ janischa/clients     259       259         0           0           0          0          0      259      259             0 │
│ janischa/accounts    357       357         0           0           0          0          0      357      357             0 │
└────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────┘

┌────────────────────────────────────────────────────────────────────────┐
│ stream              sum               source         read   difference │
╞════════════════════════════════════════════════════════════════════════╡
│ janischa/clients    reward USD     104162.15    104162.15         0.00 │
│ janischa/clients    lots          19767.4648   19767.4648         0.00 │
│ janischa/clients    million USD    1976.9591    1976.9591         0.00 │
│ janischa/accounts   reward USD     104162.15    104162.15         0.00 │
│ janischa/accounts   lots          19767.4648   19767.4648         0.00 │
│ janischa/accounts   million USD    1976.9591    1976.9591         0.00 │
└────────────────────────────────────────────────────────────────────────┘

┌─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────┐
│ owner      clients   accounts   sums                                                                                │
╞═════════════════════════════════════════════════════════════════════════════════════════════════════════════════════╡
│ Janischa       259        357   rebate USD 7889.28 · reward USD 104162.15 · lots 19767.4648 · million USD 1976.9591 │
└─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────┘
TIME  GET /api/reports/clients/ (1): The answer of janischa to /api/reports/clients/ is not whole JSON. Tried once; nothing of it was stored.
"#); }
        world.sim.set_faults(vec![Fault::new("janischa", "/api/reports/clients/", Action::Empty).times(0)]);
        let synced = world.run(&["sync", "janischa", "--quiet"]).await;
        assert_eq!((synced.code, synced.err.as_str()), (3, ""));
        let told: Vec<&str> = synced.out.lines().filter(|line| line.starts_with("janischa: ")).collect();
        insta::allow_duplicates! { insta::assert_snapshot!(told.join("\n"), @r#"janischa: janischa/accounts came back empty where 357 records are stored. Nothing was marked gone."#); }
        let cases = world.run(&["cases"]).await;
        insta::allow_duplicates! { insta::assert_snapshot!(plain(world, &cases.out), @r#"   1  janischa/accounts came back empty where 357 records are stored. Nothing was marked gone.  [open: keep | mark_gone]"#); }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_explain_themselves() {
    on_both(async |world| {
        let help = world.run(&["--help"]).await;
        insta::allow_duplicates! { insta::assert_snapshot!(plain(world, &help.out), @r#"
Keeps customer data in agreement across the systems a company runs, and proves it

Usage: concord [OPTIONS] <COMMAND>

Commands:
  demo           Everything at once, with simulated systems: sync, verify, print the summary, serve
  init           Ask a few questions and write concord.toml
  check          Check configuration, database, log-in and one small read per system
  sync           Read systems into the mirror
  import         Bring the customers of the system that follows into the master, once
  plan           Show what a flow would write
  apply          Write what a plan says
  verify         Hold the mirror against the sources
  customers      List, search and export customers
  runs           List, show, cancel or resume runs
  cases          List, show and decide cases
  deliveries     List, retry, undo or settle writes to other systems
  overridden     List edits that the master overrode, or take one over into it
  links          List links, take over those of an earlier engine, or find lost ones again
  flow           Let a flow write by itself, or open its import again
  audit          List, verify or export the audit
  pause          Stop systems from being read, and flows from writing
  unpause        Let paused systems be read, and paused flows write, again
  serve          Serve dashboard and API, and run the schedules
  simulate       Run the simulated systems alone
  hash-password  Turn a password into the form that a finance system of Siagh takes (`password_md5`)
  user           Add, list, disable or enable people, or set their passwords
  token          Create, list or revoke API tokens
  db             Migrate, back up, restore or check the database
  help           Print this message or the help of the given subcommand(s)

Options:
      --config <FILE>  Configuration file [default: concord.toml in this folder] [env: CONCORD_CONFIG=]
      --json           Print one JSON document instead of tables
  -q, --quiet          No progress and no log, only results and errors
  -v, --verbose...     Log more; three times for everything
  -h, --help           Print help
  -V, --version        Print version
"#); }
        let help = world.run(&["sync", "--help"]).await;
        insta::allow_duplicates! { insta::assert_snapshot!(plain(world, &help.out), @r#"
Read systems into the mirror

Usage: concord sync [OPTIONS] [SYSTEM]...

Arguments:
  [SYSTEM]...  Systems by name [default: all]

Options:
      --config <FILE>  Configuration file [default: concord.toml in this folder] [env: CONCORD_CONFIG=]
      --full           Start anew and read everything, instead of taking up an interrupted run
      --days <N>       Read so many days of dated lists
      --json           Print one JSON document instead of tables
      --limit <N>      Take the first N clients and what hangs on them
  -q, --quiet          No progress and no log, only results and errors
  -v, --verbose...     Log more; three times for everything
  -h, --help           Print help
"#); }
        let help = world.run(&["cases", "decide", "--help"]).await;
        insta::allow_duplicates! { insta::assert_snapshot!(plain(world, &help.out), @r#"
Decide a case

Usage: concord cases decide [OPTIONS] --choose <VALUE> <ID>

Arguments:
  <ID>  Its number

Options:
      --choose <VALUE>  One of the case's choices
      --config <FILE>   Configuration file [default: concord.toml in this folder] [env: CONCORD_CONFIG=]
      --json            Print one JSON document instead of tables
  -q, --quiet           No progress and no log, only results and errors
  -v, --verbose...      Log more; three times for everything
  -h, --help            Print help
"#); }
    })
    .await;
}
