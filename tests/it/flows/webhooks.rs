//! Webhooks under attack: nobody is believed who cannot show it, nothing counts twice, what was acknowledged
//! survives, and a flood stays outside.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use concord::store::hint::MOST;
use reqwest::{Client, Response};
use ring::hmac;
use serde_json::json;

use super::forward::{linked, live};
use super::{QUICK, configure, nothing_twice, plain, written};
use crate::support::{PATIENCE, World, on_both_with, until};

/// What events are signed with.
const SECRET: &str = "sim-webhook-secret";
/// Requests of a flood that are under way at a time.
const AT_ONCE: usize = 20;

/// What the CRM calls, and a client to do so.
struct Caller {
    base: String,
    http: Client,
}

impl Caller {
    /// Has the program listen on an address that is free.
    fn of(world: &World) -> Caller {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let text = std::fs::read_to_string(world.config()).unwrap();
        let token = "webhook_token = \"sim-webhook-token\"\n";
        let text = text.replace(token, &format!("{token}webhook_secret = [\"{SECRET}\"]\n"));
        std::fs::write(world.config(), text.replace("127.0.0.1:0", &address)).unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().build().unwrap();
        Caller { base: format!("http://{address}/webhook/crm"), http }
    }

    /// A hint about an identity, by token.
    async fn hint(&self, token: &str, id: &str) -> Response {
        let address = format!("{}/{token}/identity?event=Update&id={id}", self.base);
        self.http.get(address).send().await.unwrap()
    }

    /// An event that was signed so many seconds ago.
    async fn event(&self, secret: &str, id: &str, signed: &str, sent: &str, ago: i64) -> u16 {
        let at = (concord::sync::now() / 1_000_000 - ago).to_string();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let signature = hmac::sign(&key, format!("{id}.{at}.{signed}").as_bytes());
        let headers = [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", at),
            ("webhook-signature", format!("v1,{}", STANDARD.encode(signature.as_ref()))),
        ];
        let mut request = self.http.post(&self.base).body(sent.to_owned());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.send().await.unwrap().status().as_u16()
    }
}

fn body(event: &str) -> String {
    json!({ "eventId": event, "eventType": "identity.updated", "entityId": "id-1" }).to_string()
}

/// Hints that wait, and events that are remembered.
async fn noted(world: &World) -> (i64, i64) {
    (world.number("SELECT COUNT(*) FROM hint").await, world.number("SELECT COUNT(*) FROM event").await)
}

/// A world whose CRM is paused: what is noted waits.
async fn paused(world: &World) -> Caller {
    configure(world, QUICK);
    let caller = Caller::of(world);
    let paused = world.run(&["pause", "crm"]).await;
    assert_eq!(paused.code, 0, "{}", paused.err);
    caller
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_stale_and_replayed_events_have_no_effect() {
    on_both_with(&plain(), async |world| {
        let caller = paused(world).await;
        let serving = world.serve().await;
        let one = body("evt-1");
        for token in ["wrong", "sim-webhook-toke", "sim-webhook-token2", "%20", "SIM-WEBHOOK-TOKEN"] {
            assert_eq!(caller.hint(token, "id-1").await.status(), 401, "{token}");
        }
        for (what, secret, signed, ago) in [
            ("another secret", "other-secret", one.as_str(), 0),
            ("another body", SECRET, "{}", 0),
            ("stale", SECRET, &one, 400),
            ("of the future", SECRET, &one, -400),
        ] {
            assert_eq!(caller.event(secret, "evt-1", signed, &one, ago).await, 401, "{what}");
        }
        let bare = caller.http.post(&caller.base).body(one.clone()).send().await.unwrap();
        assert_eq!(bare.status(), 401, "without a signature");
        assert_eq!(noted(world).await, (0, 0));

        assert_eq!(caller.event(SECRET, "evt-1", &one, &one, 0).await, 200);
        assert_eq!(noted(world).await, (1, 1));
        // As if the CRM had been read since.
        world.execute("DELETE FROM hint", []).await;
        for ago in [0, 1, 100] {
            assert_eq!(caller.event(SECRET, "evt-1", &one, &one, ago).await, 200);
            assert_eq!(noted(world).await, (0, 1), "replayed");
        }
        serving.kill();
        let serving = world.serve().await;
        assert_eq!(caller.event(SECRET, "evt-1", &one, &one, 0).await, 200);
        assert_eq!(noted(world).await, (0, 1), "replayed after a restart");
        let two = body("evt-2");
        assert_eq!(caller.event(SECRET, "evt-2", &two, &two, 0).await, 200);
        assert_eq!(noted(world).await, (1, 2));
        assert_eq!(serving.terminate().await.code, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_stored_is_not_acknowledged() {
    on_both_with(&plain(), async |world| {
        let caller = paused(world).await;
        let serving = world.serve().await;
        let one = body("evt-1");
        world.execute("ALTER TABLE hint RENAME TO away", []).await;
        assert!(caller.hint("sim-webhook-token", "id-1").await.status().is_server_error());
        assert!(caller.event(SECRET, "evt-1", &one, &one, 0).await >= 500);
        world.execute("ALTER TABLE away RENAME TO hint", []).await;
        assert_eq!(noted(world).await, (0, 0));
        // The CRM tries again, and now it counts.
        assert_eq!(caller.event(SECRET, "evt-1", &one, &one, 0).await, 200);
        assert_eq!(noted(world).await, (1, 1));
        assert_eq!(serving.terminate().await.code, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_hints_is_for_later_and_the_table_stays_small() {
    on_both_with(&plain(), async |world| {
        let caller = paused(world).await;
        let serving = world.serve().await;
        // Nearly as many as may wait.
        let room = 5;
        let many = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) \
             INSERT INTO hint (system, what, key, at) SELECT 'crm', 'identity', 'old-' || i, 1 FROM n",
            MOST - room
        );
        world.execute(&many, []).await;
        let (mut taken, mut later) = (0, 0);
        for wave in 0..5 {
            let ids: Vec<String> = (0..AT_ONCE).map(|at| format!("new-{wave}-{at}")).collect();
            let asked = ids.iter().map(|id| caller.hint("sim-webhook-token", id));
            for answer in futures_util::future::join_all(asked).await {
                match answer.status().as_u16() {
                    200 => taken += 1,
                    503 => {
                        let wait = answer.headers()["retry-after"].to_str().unwrap();
                        assert!(wait.parse::<u32>().unwrap() > 0, "{wait}");
                        later += 1;
                    }
                    other => panic!("{other}"),
                }
            }
        }
        // Those that came at one moment may all have seen the last room.
        assert!(taken >= room && taken < room + AT_ONCE as i64, "{taken} were taken");
        assert_eq!(taken + later, 5 * AT_ONCE as i64);
        let one = body("evt-1");
        assert_eq!(caller.event(SECRET, "evt-1", &one, &one, 0).await, 503);
        assert_eq!(noted(world).await, (MOST - room + taken, 0));
        // With room again, it counts as if it had come for the first time.
        world.execute("DELETE FROM hint", []).await;
        assert_eq!(caller.event(SECRET, "evt-1", &one, &one, 0).await, 200);
        assert_eq!(noted(world).await, (1, 1));
        assert_eq!(serving.terminate().await.code, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_kill_and_is_written() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        let (crm, finance) = linked(world).await;
        let caller = Caller::of(world);
        let serving = world.serve().await;
        assert!(world.sim.crm().edit(&crm, &json!({ "email": "one@example.test" })));
        assert_eq!(caller.hint("sim-webhook-token", &crm).await.status(), 200);
        serving.kill();
        let serving = world.serve().await;
        let email = || world.sim.finance().contact(finance).unwrap()["Email"].clone();
        until("the edit is there", PATIENCE, async || (email() == "one@example.test").then_some(())).await;
        until("nothing is open", PATIENCE, async || {
            let open = "SELECT (SELECT COUNT(*) FROM hint) + (SELECT COUNT(*) FROM run WHERE status IN ('queued', 'running')) + (SELECT COUNT(*) FROM delivery WHERE state IN ('pending', 'claimed', 'prepared', 'sent', 'uncertain'))";
            (world.number(open).await == 0).then_some(())
        })
        .await;
        assert_eq!(serving.terminate().await.code, 0);
        assert_eq!(written(world, "finance").len(), 1);
        nothing_twice(world).await;
    })
    .await;
}
