//! `concord db restore`: what it refuses, and that nothing is ever lost.

use std::path::Path;

use crate::support::{World, on_both};

/// What a file holds; empty when there is none.
fn bytes(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap_or_default()
}

/// The files in the program's folder that begin so.
fn files(world: &World, start: &str) -> Vec<String> {
    let entries = std::fs::read_dir(world.home()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with(start)).collect();
    names.sort();
    names
}

/// Restores happen on a database of their own: the world looks at its own all the time.
fn own_database(world: &World) {
    world.configure(|text| text.replace(&world.url, "sqlite:concord.db-own"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_backup_of_ours_is_restored() {
    on_both(async |world| {
        if world.is_postgres() {
            let refused = world.run(&["db", "restore", "any.db", "--yes"]).await;
            assert_eq!((refused.code, refused.out.as_str()), (2, ""));
            assert!(refused.err.contains("pg_restore"), "{}", refused.err);
            return;
        }
        own_database(world);
        world.json(0, &["sync", "xm"]).await;
        let (home, own) = (world.home(), world.home().join("concord.db-own"));
        for made in ["concord.db-newer", "concord.db-good"] {
            assert_eq!(world.run(&["db", "backup", made]).await.code, 0);
        }
        let newer = concord::store::Store::open(&format!("sqlite:{}/concord.db-newer", home.display())).await;
        let newer = newer.unwrap();
        newer.db.execute("INSERT INTO migration (name, at) VALUES ('9999_later', 1)", []).await.unwrap();
        newer.db.close().await;
        std::fs::write(home.join("concord.db-text"), "no database at all, only a text of some length")
            .unwrap();
        std::fs::write(home.join("concord.db-empty"), "").unwrap();
        let before = (bytes(&own), files(world, ""));
        for (from, told) in [
            ("missing.db", "There is no backup missing.db"),
            (".", "There is no backup ."),
            ("concord.db-text", "is no database of Concord"),
            ("concord.db-empty", "is no database of Concord"),
            ("concord.db-newer", "newer version"),
            ("concord.db-own", "is the database itself"),
        ] {
            let refused = world.run(&["db", "restore", from, "--yes"]).await;
            assert_eq!(refused.code, 2, "{from}: {}{}", refused.out, refused.err);
            assert!(refused.err.contains(told), "{from}: {}", refused.err);
            assert_eq!(refused.out, "", "{from}");
        }
        let asked = world.run(&["db", "restore", "concord.db-good"]).await;
        assert_eq!(asked.code, 2, "without a terminal nobody has said yes");
        let mut after = (bytes(&own), files(world, ""));
        after.1.retain(|name| name != "concord.db-own-lock");
        let mut before = before;
        before.1.retain(|name| name != "concord.db-own-lock");
        assert_eq!(before.1, after.1);
        assert!(before.0 == after.0, "the database was changed");
        world.configure(|text| text);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_former_database_is_kept_and_the_restore_is_on_record() {
    on_both(async |world| {
        if world.is_postgres() {
            return;
        }
        own_database(world);
        world.json(0, &["sync", "xm"]).await;
        assert_eq!(world.run(&["db", "backup", "concord.db-good"]).await.code, 0);
        world.json(0, &["sync", "ham"]).await;
        for _ in 0..3 {
            let restored = world.run(&["db", "restore", "concord.db-good", "--yes"]).await;
            assert_eq!(restored.code, 0, "{}", restored.err);
            assert!(restored.out.starts_with("Restored."), "{}", restored.out);
        }
        assert_eq!(files(world, "concord.db-own.before-restore-").len(), 3);
        assert_eq!(files(world, "concord.db-good"), ["concord.db-good"]);
        assert!(files(world, "concord.db-own.restoring").is_empty());
        let runs = world.json(0, &["runs"]).await;
        assert_eq!(runs["total"], 1, "as it was when it was copied");
        let entry = &world.json(0, &["audit"]).await["items"][0];
        assert_eq!((&entry["action"], &entry["actor"]), (&"database.restored".into(), &"cli:tester".into()));
        assert!(entry["after"].as_str().unwrap().contains("concord.db-good"), "{entry}");
        assert_eq!(world.run(&["db", "check"]).await.code, 0);

        // The first of them is whole: it still has what was read after the backup.
        let first = files(world, "concord.db-own.before-restore-").remove(0);
        assert_eq!(world.run(&["db", "restore", &first, "--yes"]).await.code, 0);
        assert_eq!(world.json(0, &["runs"]).await["total"], 2);

        // A database that was lost is restored as well, and there is nothing to keep.
        for file in files(world, "concord.db-own") {
            std::fs::remove_file(world.home().join(file)).unwrap();
        }
        let restored = world.run(&["db", "restore", "concord.db-good", "--yes"]).await;
        assert_eq!(restored.code, 0, "{}", restored.err);
        assert!(restored.out.contains("there was no database before"), "{}", restored.out);
        assert_eq!(world.json(0, &["runs"]).await["total"], 1);
        world.configure(|text| text);
    })
    .await;
}
