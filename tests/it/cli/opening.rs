//! The database as a file and as a server: who may read it, what it holds when a command is over, and
//! what is said where it cannot be opened.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use concord::store::Store;

use crate::support::{World, on_both};

fn mode(file: &Path) -> u32 {
    std::fs::metadata(file).unwrap().permissions().mode() & 0o777
}

/// The world looks at its own database all the time: these scenarios have one of their own.
fn database(world: &World, url: &str) {
    world.configure(|text| text.replace(&world.url, url));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_command_the_file_alone_is_the_whole_database() {
    on_both(async |world| {
        if world.is_postgres() {
            return;
        }
        database(world, "sqlite:concord.db-own");
        world.json(0, &["sync", "xm"]).await;
        let home = world.home();
        let log = std::fs::metadata(home.join("concord.db-own-wal")).map_or(0, |log| log.len());
        assert_eq!(log, 0, "what is in the log would be missing from a copy");
        std::fs::copy(home.join("concord.db-own"), home.join("concord.db-copy")).unwrap();
        let copy = Store::open(&format!("sqlite:{}", home.join("concord.db-copy").display())).await.unwrap();
        let row = copy.db.row("SELECT COUNT(*) FROM account", []).await.unwrap().unwrap();
        assert_eq!(row.get::<i64>(0).unwrap(), 1216);
        copy.db.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_and_backups_are_for_their_owner_only() {
    on_both(async |world| {
        if world.is_postgres() {
            return;
        }
        database(world, "sqlite:concord.db-own");
        let serving = world.serve().await;
        let home = world.home();
        for name in ["concord.db-own", "concord.db-own-wal", "concord.db-own-shm"] {
            assert_eq!(mode(&home.join(name)), 0o600, "{name}");
        }
        assert_eq!(serving.terminate().await.code, 0);
        assert_eq!(world.run(&["db", "backup", "concord.db-good"]).await.code, 0);
        assert_eq!(world.run(&["db", "restore", "concord.db-good", "--yes"]).await.code, 0);
        for name in ["concord.db-own", "concord.db-good"] {
            assert_eq!(mode(&home.join(name)), 0o600, "{name}");
        }
        // One that somebody has opened to a group stays so.
        std::fs::set_permissions(home.join("concord.db-own"), PermissionsExt::from_mode(0o640)).unwrap();
        assert_eq!(world.run(&["runs"]).await.code, 0);
        assert_eq!(mode(&home.join("concord.db-own")), 0o640);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_opened_is_told_in_words() {
    on_both(async |world| {
        let told = async |url: &str, words: &str| {
            database(world, url);
            for args in [&["runs"][..], &["db", "check"]] {
                let output = world.run(args).await;
                assert_eq!(output.code, 2, "{url}: {}{}", output.out, output.err);
                assert!(output.err.contains(words), "{url}: {}", output.err);
                assert_eq!(output.err.lines().count(), 1, "{}", output.err);
                assert!(!output.err.contains("secret"), "{}", output.err);
                assert!(output.took < Duration::from_secs(9), "{url}: {:?}", output.took);
            }
        };
        if world.is_postgres() {
            let (server, _) = world.url.rsplit_once('/').unwrap();
            told(&format!("{server}/nowhere"), "has no database nowhere: create it with").await;
            // One port nobody listens at, and one where nobody answers.
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = free.local_addr().unwrap();
            let url = format!("postgres://concord:secret@{address}/concord");
            told(&url, "did not answer within 5 seconds: is it running").await;
            drop(free);
            told(&url, &format!("PostgreSQL at {address} cannot be reached")).await;
            world.configure(|text| text);
            return;
        }
        let home = world.home();
        std::fs::write(home.join("concord.db-text"), "no database, only a text that is long enough").unwrap();
        told("sqlite:nowhere/concord.db", "there is no folder nowhere. Create it").await;
        told("sqlite:/proc/concord.db", "/proc/concord.db cannot be made").await;
        told(&format!("sqlite:{}", home.display()), "is a folder: name a file in it").await;
        told("sqlite:concord.db-text", "concord.db-text is no SQLite database").await;

        database(world, "sqlite:concord.db-own");
        assert_eq!(world.run(&["runs"]).await.code, 0);
        for (to, words) in [
            ("nowhere/copy.db", "there is no folder nowhere. Create it"),
            ("concord.db-text", "concord.db-text exists already; it is not overwritten"),
        ] {
            let refused = world.run(&["db", "backup", to]).await;
            assert_eq!(refused.code, 2, "{}", refused.err);
            assert!(refused.err.contains(words), "{}", refused.err);
        }
        let own = home.join("concord.db-own");
        std::fs::set_permissions(&own, PermissionsExt::from_mode(0o400)).unwrap();
        // Whoever runs the tests as root may write it all the same.
        if std::fs::File::options().write(true).open(&own).is_err() {
            told("sqlite:concord.db-own", "may only be read by this user").await;
        }
        world.configure(|text| text);
    })
    .await;
}
