//! People and tokens from the command line: added, locked out, let in again, and all of it on record.

use crate::support::on_both;

const PASSWORD: &str = "correct horse battery\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_person_gets_another_password_and_is_let_in_again() {
    on_both(async |world| {
        let nobody = world.run(&["user", "list"]).await;
        assert!(nobody.out.contains("concord user add NAME --role admin"), "{}", nobody.out);
        let short = world.run_told(&["user", "add", "eve"], "short\n").await;
        assert_eq!(short.code, 2, "{}", short.err);
        assert_eq!(world.run_told(&["user", "add", "eve"], PASSWORD).await.code, 0);
        let again = world.run_told(&["user", "add", "eve"], PASSWORD).await;
        assert_eq!(again.code, 2);
        assert!(again.err.contains("concord user password eve"), "{}", again.err);

        let hash = world.texts("SELECT password_hash FROM users").await;
        let session = "INSERT INTO session (hash, user_id, created_at, expires_at) SELECT name, id, 1, 9000000000000000 FROM users";
        let session = if world.is_postgres() { session.replace("SELECT name", "SELECT name::bytea") } else { session.to_owned() };
        world.execute(&session, []).await;
        let set = world.run_told(&["user", "password", "eve"], "battery horse correct\n").await;
        assert_eq!(set.code, 0, "{}", set.err);
        assert_ne!(world.texts("SELECT password_hash FROM users").await, hash);
        assert_eq!(world.number("SELECT COUNT(*) FROM session").await, 0);

        assert_eq!(world.run(&["user", "disable", "eve"]).await.code, 0);
        assert!(world.run(&["user", "list"]).await.out.contains("disabled"));
        assert_eq!(world.run(&["user", "enable", "eve"]).await.code, 0);
        let listed = world.run(&["user", "list"]).await.out;
        assert!(listed.contains("name") && listed.contains("eve") && !listed.contains("disabled"), "{listed}");
        for action in ["password", "disable", "enable"] {
            let unknown = world.run_told(&["user", action, "adam"], PASSWORD).await;
            assert_eq!(unknown.code, 2, "{action}");
            assert!(unknown.err.contains("There is no user adam"), "{}", unknown.err);
        }
        let actions = world.texts("SELECT action FROM audit WHERE subject = 'eve' ORDER BY id").await;
        assert_eq!(actions, ["user.added", "user.password", "user.disabled", "user.enabled"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_listed_and_revoked() {
    on_both(async |world| {
        assert!(world.run(&["token", "list"]).await.out.contains("There are no tokens"));
        let made = world.json(0, &["token", "create", "--role", "viewer", "--name", "reports"]).await;
        let id = made["id"].to_string();
        let listed = world.run(&["token", "list"]).await.out;
        assert!(
            listed.contains("reports") && listed.contains("viewer") && listed.contains("active"),
            "{listed}"
        );
        assert!(!listed.contains(made["token"].as_str().unwrap()));
        assert_eq!(world.run(&["token", "revoke", &id]).await.code, 0);
        assert!(world.run(&["token", "list"]).await.out.contains("revoked"));
        let twice = world.run(&["token", "revoke", &id]).await;
        assert_eq!(twice.code, 2);
        assert!(twice.err.contains("revoked already"), "{}", twice.err);
        let actions = world.texts("SELECT action FROM audit WHERE action LIKE 'token.%' ORDER BY id").await;
        assert_eq!(actions, ["token.created", "token.revoked"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_stays_and_names_are_told_apart() {
    on_both(async |world| {
        for name in ["eve", "ada"] {
            assert_eq!(world.run_told(&["user", "add", name, "--role", "admin"], PASSWORD).await.code, 0);
        }
        let alike = world.run_told(&["user", "add", "Eve"], PASSWORD).await;
        assert_eq!(alike.code, 2, "{}", alike.out);
        assert!(alike.err.contains("There is a user eve already"), "{}", alike.err);

        let done = world.json(0, &["user", "disable", "eve"]).await;
        assert_eq!(done, serde_json::json!({ "name": "eve", "role": "admin", "disabled": true }));
        for _ in 0..2 {
            let last = world.run(&["user", "disable", "ada"]).await;
            assert_eq!(last.code, 2, "{}", last.out);
            assert!(last.err.contains("`concord user add NAME --role admin`"), "{}", last.err);
        }
        assert_eq!(world.run(&["user", "disable", "eve"]).await.code, 0, "she is disabled already");
        assert_eq!(world.json(0, &["user", "enable", "eve"]).await["disabled"], false);
        assert_eq!(world.run(&["user", "disable", "ada"]).await.code, 0);
    })
    .await;
}
