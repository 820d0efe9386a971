//! People are told once when something needs them, and once when it does no more.

use std::sync::{Arc, Mutex};

use concord::simulate::{Action, Fault};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{PATIENCE, World, on_both, until};

/// What came, in order.
type Heard = Arc<Mutex<Vec<String>>>;

/// Listens for posted messages, and for mail; where both are.
async fn ears() -> (Heard, Heard, u16, u16) {
    let (posted, mailed) = (Heard::default(), Heard::default());
    let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let post = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ports = (web.local_addr().unwrap().port(), post.local_addr().unwrap().port());
    let heard = posted.clone();
    let hook = axum::routing::post(move |body: String| async move { heard.lock().unwrap().push(body) });
    let router = axum::Router::new().route("/hook", hook);
    tokio::spawn(async move { axum::serve(web, router).await });
    let heard = mailed.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = post.accept().await {
            tokio::spawn(take_mail(stream, heard.clone()));
        }
    });
    (posted, mailed, ports.0, ports.1)
}

/// Speaks as much SMTP as it takes to be sent a mail (RFC 5321).
async fn take_mail(stream: TcpStream, heard: Heard) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let _ = write.write_all(b"220 mail.example.test\r\n").await;
    let mut letter: Option<String> = None;
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match &mut letter {
            Some(text) if line == "." => {
                heard.lock().unwrap().push(std::mem::take(text));
                letter = None;
                "250 taken"
            }
            Some(text) => {
                text.push_str(&line);
                text.push('\n');
                continue;
            }
            None if line == "DATA" => {
                letter = Some(String::new());
                "354 go on"
            }
            None if line == "QUIT" => "221 bye",
            None => "250 yes",
        };
        let _ = write.write_all(format!("{answer}\r\n").as_bytes()).await;
    }
}

fn states(posted: &Heard) -> Vec<String> {
    let news = posted.lock().unwrap().clone();
    let news = news.iter().map(|one| serde_json::from_str::<Value>(one).unwrap());
    news.filter(|one| one["name"] == "ham").map(|one| one["state"].as_str().unwrap().to_owned()).collect()
}

async fn told(world: &World, posted: &Heard, mailed: &Heard, expected: &[&str]) {
    let serving = world.serve().await;
    until("somebody is told", PATIENCE, async || {
        (states(posted) == expected && mailed.lock().unwrap().len() == expected.len()).then_some(())
    })
    .await;
    assert_eq!(serving.terminate().await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_told_once_when_a_system_fails_and_once_when_it_is_well_again() {
    on_both(async |world| {
        let (posted, mailed, web, post) = ears().await;
        world.configure(|text| {
            let systems = text.split("[systems.janischa]").next().unwrap().to_owned();
            format!(
                "{systems}\n[alerts]\nsmtp = \"smtp://127.0.0.1:{post}\"\nto = [\"ops@example.test\"]\nwebhook = \"http://127.0.0.1:{web}/hook?key=planted-key\"\nallow_plaintext = true\nallow_networks = [\"127.0.0.0/8\"]\n"
            )
        });
        world.sim.set_faults(vec![Fault { times: 0, value: json!(404), ..Fault::new("ham", "reports", Action::Status) }]);
        world.sync(1, &["ham"]).await;
        told(world, &posted, &mailed, &["failing"]).await;
        // The same again is no news.
        world.sync(1, &["ham"]).await;
        world.sim.set_faults(Vec::new());
        world.sync(0, &["ham"]).await;
        told(world, &posted, &mailed, &["failing", "well"]).await;

        let news: Value = serde_json::from_str(&posted.lock().unwrap()[0]).unwrap();
        assert_eq!(
            news,
            json!({
                "kind": "system", "name": "ham", "state": "failing", "before": "well",
                "text": "ham: the last run failed. The page of runs says why.",
                "url": "http://concord.example.test/",
            })
        );
        let letter = mailed.lock().unwrap()[0].clone();
        for part in ["To: ops@example.test", "Subject: Concord: ham: the last run failed.", "http://concord.example.test/"] {
            assert!(letter.contains(part), "{letter}");
        }
        let entries = world.texts("SELECT subject || ' ' || reason || ' ' || after_value FROM audit WHERE action = 'alert.sent' ORDER BY 1").await;
        assert_eq!(
            entries,
            ["system ham mail failing", "system ham mail well", "system ham webhook failing", "system ham webhook well"]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_be_told_is_told_later_and_the_address_stays_secret() {
    on_both(async |world| {
        world.configure(|text| {
            let systems = text.split("[systems.janischa]").next().unwrap().to_owned();
            format!("{systems}\n[alerts]\nwebhook = \"http://127.0.0.1:9/hook?key=planted-key\"\nallow_plaintext = true\nallow_networks = [\"127.0.0.0/8\"]\n")
        });
        world.sim.set_faults(vec![Fault { times: 0, value: json!(404), ..Fault::new("ham", "reports", Action::Status) }]);
        world.sync(1, &["ham"]).await;
        let serving = world.serve().await;
        until("it was tried", PATIENCE, async || serving.err().contains("nobody could be told").then_some(())).await;
        let ended = serving.terminate().await;
        assert!(ended.err.contains("http://127.0.0.1:9") && !ended.err.contains("planted-key"), "{}", ended.err);
        assert_eq!(world.texts("SELECT told FROM alert").await, ["well"]);
        assert_eq!(world.number("SELECT COUNT(*) FROM audit WHERE action = 'alert.sent'").await, 0);
    })
    .await;
}
