//! What is in the way of a command: a pause, a source out of reach, Ctrl-C, a process that died.

use concord::simulate::{Action, Fault, OfficeTrap, Trap};

use super::{late, met};
use crate::pull::{counts, run, stage};
use crate::support::{PATIENCE, World, on_both, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_system_does_not_keep_the_others_from_being_read() {
    on_both(async |world| {
        world.run(&["pause", "ham"]).await;
        let output = world.run(&["sync", "--json"]).await;
        assert!(output.err.contains("ham is paused and left out"), "{}", output.err);
        let document = output.json(0);
        let read = document["runs"].as_array().unwrap().iter().map(|run| run["system"].as_str().unwrap());
        assert_eq!(read.collect::<Vec<_>>(), ["janischa", "xm"]);
        let named = world.run(&["sync", "xm", "ham"]).await;
        assert_eq!(named.code, 2);
        assert!(
            named.err.contains("`concord unpause ham`") && !named.err.contains("button"),
            "{}",
            named.err
        );
        assert_eq!(world.number("SELECT COUNT(*) FROM run").await, 2, "nothing was asked for");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_goes_on_where_one_system_cannot_be_read() {
    on_both(async |world| {
        world.sync(0, &[]).await;
        world.configure(|text| text.replace("sim-ham-password", "wrong"));
        let output = world.run(&["verify"]).await;
        assert_eq!(output.code, 1, "{}", output.err);
        for told in [
            "janischa/accounts",
            "ham: ham refused the login",
            "states no sums of this list",
            "states no sum of it: rebate USD",
            "Not everything could be compared",
        ] {
            assert!(output.out.contains(told), "{told} in {}", output.out);
        }
        let document = world.json(1, &["verify"]).await;
        assert_eq!((&document["agree"], document["items"].as_array().unwrap().len()), (&false.into(), 3));
        assert_eq!(document["problems"][0]["system"], "ham");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_out_of_reach_is_named_and_nothing_is_made_up() {
    on_both(async |world| {
        world.sync(0, &["janischa"]).await;
        // A port that nobody listens at.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let there = free.local_addr().unwrap();
        drop(free);
        let url = format!("{}/exness-janischa", world.sim.url());
        world.configure(|text| text.replace(&url, &format!("http://{there}/secret-path")));
        let document = world.sync(3, &["janischa"]).await;
        let run = run(&document, "janischa");
        assert_eq!((&run["status"], &run["progress"]), (&"incomplete".into(), &0.into()));
        let told = run["error"].as_str().unwrap();
        assert!(told.contains(&format!("reached at http://{there} (")), "{told}");
        assert!(!told.contains("secret-path") && !told.contains("by itself"), "{told}");
        for (stream, stored) in [("clients", 259), ("accounts", 357)] {
            assert_eq!(stage(&document, "janischa", stream)["stored"]["count"], stored);
        }
    })
    .await;
}

/// Starts a sync of ham that waits for its third page.
async fn waiting(world: &World) -> crate::support::program::Running {
    world.configure_systems("page_size = 300");
    world.sim.set_faults(vec![late("ham", "/api/reports/clients/?limit=300&offset=600", 60_000)]);
    let reading = world.start(&["sync", "ham", "--json"]);
    met(world).await;
    let stored = "SELECT COUNT(*) FROM page WHERE position = 1";
    until("two pages are stored", PATIENCE, async || (world.number(stored).await == 2).then_some(())).await;
    reading
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_stops_a_read_and_the_next_one_goes_on() {
    on_both(async |world| {
        let stopped = waiting(world).await.interrupt().await;
        assert!(stopped.err.contains("ham: run 1 was stopped"), "{}", stopped.err);
        assert_eq!(run(&stopped.json(130), "ham")["status"], "cancelled");
        let output = world.run(&["sync", "ham", "--json"]).await;
        assert!(output.err.contains("run 1 was left unfinished and is taken up again"), "{}", output.err);
        let document = output.json(0);
        assert_eq!(run(&document, "ham")["id"], 1);
        assert_eq!(counts(&document, "ham", "accounts")["read"], 1363);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_was_stopped_long_ago_is_not_gone_on_with() {
    on_both(async |world| {
        let stopped = waiting(world).await.interrupt().await;
        assert_eq!(run(&stopped.json(130), "ham")["id"], 1);
        world.execute("UPDATE run SET finished_at = finished_at - 7200000000", []).await;
        assert_eq!(run(&world.sync(0, &["ham"]).await, "ham")["id"], 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_left_is_taken_up_not_joined() {
    on_both(async |world| {
        waiting(world).await.kill();
        let output = world.run(&["sync", "ham"]).await;
        assert_eq!(output.code, 0, "{}", output.err);
        assert!(output.err.contains("run 1 was left unfinished and is taken up again"), "{}", output.err);
        assert!(!output.err.contains("under way"), "{}", output.err);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rehearsals_of_the_readme_show_something() {
    on_both(async |world| {
        let post = async |path: &str, body: &str| {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            let answer = http.post(format!("{}{path}", world.sim.url())).body(body.to_owned());
            let answer = answer.send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let readme = include_str!("../../../README.md");
        let bodies = readme.lines().filter_map(|line| line.trim().strip_prefix("-d '")?.strip_suffix('\''));
        let [change, fault] = bodies.collect::<Vec<_>>()[..] else { panic!("two bodies in the README") };
        world.sync(0, &["ham", "xm"]).await;
        let found = world.run(&["customers", "--search", "pay u"]).await;
        assert!(!found.out.contains("0 of 0"), "{}", found.out);
        assert!(readme.contains("concord customers --search \"pay u\""));

        assert_eq!(post("/_sim/change", change).await, (200, "{\"changed\":14}".to_owned()));
        let document = world.sync(0, &["ham"]).await;
        assert_eq!(counts(&document, "ham", "accounts")["updated"], 14);
        assert_eq!(post("/_sim/faults", fault).await.0, 200);
        let told = world.run(&["sync", "ham"]).await;
        assert_eq!(told.code, 3);
        assert!(
            told.out.contains("ham/accounts came back empty where 1363 records are stored"),
            "{}",
            told.out
        );

        for (fault, names) in [
            (r#"[{"system":"hamm","do":"empty"}]"#, "ham, janischa, xm"),
            (r#"[{"system":"ham","path":"/nothing/","do":"empty"}]"#, "/exness-ham/api/v2/reports/clients/"),
        ] {
            let (status, why) = post("/_sim/faults", fault).await;
            assert_eq!(status, 400);
            assert!(why.contains(names), "{why}");
            std::fs::write(world.home().join("concord.db.faults"), fault).unwrap();
            let refused = world.run(&["simulate", "--faults", "concord.db.faults"]).await;
            assert_eq!(refused.code, 2);
            assert!(refused.err.contains(names), "{}", refused.err);
        }
        let known = Fault::new("xm", "/traders/1", Action::Status);
        assert_eq!(world.sim.never(&[known]), None);

        let refused = world.run(&["simulate", "--traps", "bom,nothing"]).await;
        assert_eq!(refused.code, 2);
        let help = world.run(&["simulate", "--help"]).await.out;
        for name in Trap::ALL.map(Trap::name).into_iter().chain(OfficeTrap::ALL.map(OfficeTrap::name)) {
            assert!(refused.err.contains(&name), "{name}: {}", refused.err);
            assert!(help.contains(&format!("\n            {name} ")), "{name}: {help}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_read_is_no_agreement() {
    on_both(async |world| {
        world.configure_systems("enabled = false");
        for command in ["sync", "verify"] {
            let all_off = world.run(&[command]).await;
            assert_eq!((all_off.code, all_off.out.as_str()), (2, ""), "{}", all_off.err);
            assert!(all_off.err.contains("is switched off (ham, janischa, xm)"), "{}", all_off.err);
            let named = world.run(&[command, "ham"]).await;
            assert_eq!(named.code, 2);
            assert!(named.err.contains("ham is switched off"), "{}", named.err);
        }
        world.configure(|text| text.split("[systems.").next().unwrap().to_owned());
        for command in ["sync", "verify"] {
            let none = world.run(&[command]).await;
            assert_eq!(none.code, 2);
            assert!(none.err.contains("No system is configured"), "{}", none.err);
        }
        world.configure(|text| text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn short_commands_print_documents() {
    on_both(async |world| {
        let paused = world.json(0, &["pause", "all"]).await;
        assert_eq!((&paused["total"], &paused["items"][0]["paused"]), (&3.into(), &true.into()));
        let unpaused = world.json(0, &["unpause", "ham"]).await;
        assert_eq!(unpaused["items"], serde_json::json!([{ "name": "ham", "paused": false }]));
        let migrated = world.json(0, &["db", "migrate"]).await;
        assert_eq!(migrated["has"], migrated["knows"]);
        let checked = world.json(0, &["db", "check"]).await;
        assert_eq!((&checked["ok"], &checked["integrity"]), (&true.into(), &"ok".into()));
        assert_eq!(checked["audit"]["ok"], true);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_of_a_limited_read_are_no_difference() {
    on_both(async |world| {
        let limited = world.run(&["sync", "ham", "--limit", "5"]).await;
        let sums = limited.out.split("source").nth(2).unwrap().split("owner").next().unwrap();
        assert!(sums.contains("read") && !sums.contains("mirror"), "{}", limited.out);
        for line in sums.lines().filter(|line| line.contains("ham/")) {
            assert!(line.trim_end_matches(['│', ' ']).ends_with('–'), "{line}");
        }
        assert!(sums.contains("ham/"), "{}", limited.out);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_accounts_were_not_read_has_no_sums() {
    on_both(async |world| {
        world.sim.set_faults(vec![Fault::new("ham", "/api/reports/", Action::Status).value(503).times(0)]);
        world.sync(3, &["ham"]).await;
        let clients = world.number("SELECT COUNT(*) FROM customer WHERE hidden = 0").await;
        assert_eq!((clients, world.number("SELECT COUNT(*) FROM account").await), (664, 0));
        let zero = world.number("SELECT COUNT(*) FROM party WHERE reward_usd = 0").await;
        assert!(zero < clients);
        assert_eq!(world.number("SELECT COUNT(*) FROM customer WHERE reward_usd = 0").await, zero);
        assert_eq!(
            world.number("SELECT COUNT(*) FROM customer WHERE reward_usd IS NULL").await,
            clients - zero
        );
        assert_eq!(world.number("SELECT COUNT(*) FROM customer WHERE activity = 'INACTIVE'").await, zero);
    })
    .await;
}
