//! What an administrator is told while setting a flow up.

use super::{QUICK, configure, plain};
use crate::support::on_both_with;

#[tokio::test(flavor = "multi_thread")]
async fn a_check_says_what_the_crm_has_to_call() {
    on_both_with(&plain(), async |world| {
        configure(world, QUICK);
        let checked = world.run(&["check"]).await;
        assert_eq!(checked.code, 0, "{}", checked.err);
        let address = "http://concord.example.test/webhook/crm/sim-webhook-token/identity";
        assert_eq!(checked.out.matches(address).count(), 1, "{}", checked.out);
        // Documents are kept and sent on; the address is not for them.
        let document = world.run(&["check", "--json"]).await;
        assert!(!document.out.contains("sim-webhook-token"), "{}", document.out);

        let text = std::fs::read_to_string(world.config()).unwrap();
        std::fs::write(world.config(), text.replace("webhook_token = \"sim-webhook-token\"\n", "")).unwrap();
        let bare = world.run(&["check", "crm"]).await;
        assert_eq!(bare.code, 0, "{}", bare.err);
        assert!(bare.out.contains("webhook_token"), "{}", bare.out);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_turned_into_what_the_finance_system_takes() {
    on_both_with(&plain(), async |world| {
        let hash = "900150983CD24FB0D6963F7D28E17F72";
        assert_eq!(world.run(&["hash-password", "abc"]).await.out.trim(), hash);
        assert_eq!(world.run_told(&["hash-password"], "abc\n").await.out.trim(), hash);
        assert_eq!(world.json(0, &["hash-password", "abc"]).await["password_md5"], hash);
    })
    .await;
}
