//! Signing in, and staying so.

use super::*;

type Login = fn(usize) -> Response;

/// The door, with what it answers to a login and to a renewal, asked for two things.
async fn doors(login: Login, renewal: fn() -> Response) -> (Vec<String>, Vec<String>, Vec<String>) {
    let server = serve(move |number, seen| async move {
        match seen.line.as_str() {
            "POST /api/v2/auth/login" => login(number),
            "POST /api/v2/auth/token/refresh" => renewal(),
            _ => json("[]"),
        }
    })
    .await;
    let mut crm = crm(&server.url);
    crm.find = false;
    let http = Http::new("crm", crm.door(), brisk(), Gate::default()).unwrap();
    let mut told = Vec::new();
    for _ in 0..2 {
        told.push(match crm.fetch(&http, &STREAMS[0], None, &Ask::default()).await {
            Ok(_) => "read".to_owned(),
            Err(error) => error.message().id.clone(),
        });
        http.spend_token().await;
    }
    (told, server.lines(), server.bodies())
}

const LOGIN: &str = "POST /api/v2/auth/login";
const REFRESH: &str = "POST /api/v2/auth/token/refresh";
const LIST: &str = "POST /api/v2/crmobject/identity/search";

fn granted(_: usize) -> Response {
    json(LOGGED_IN)
}

#[tokio::test]
async fn a_token_that_is_spent_is_renewed_or_taken_anew() {
    let renewed: fn() -> Response = || {
        json(r#"{"expiresAt":"2999-01-02T10:20:30+03:30","accessToken":"t0ken2","refreshToken":"r3fresh2"}"#)
    };
    let (told, lines, bodies) = doors(granted, renewed).await;
    assert_eq!(
        (told, lines),
        (vec!["read".to_owned(); 2], [LOGIN, LIST, REFRESH, LIST].map(str::to_owned).to_vec())
    );
    assert_eq!(
        bodies[0],
        r#"{"username":"sample","password":"hunter2","deviceId":"ConcordSync-Server","platformType":1}"#
    );
    assert_eq!(
        bodies[2],
        r#"{"refreshToken":"r3fresh","accessToken":"t0ken","deviceId":"ConcordSync-Server"}"#
    );
    let refusals: [fn() -> Response; 4] =
        [|| status(400, "{}"), || status(500, ""), || json("{}"), || json("")];
    for refused in refusals {
        let (told, lines, _) = doors(granted, refused).await;
        let expected = [LOGIN, LIST, REFRESH, LOGIN, LIST].map(str::to_owned).to_vec();
        assert_eq!((told, lines), (vec!["read".to_owned(); 2], expected));
    }
}

#[tokio::test]
async fn refused_logins_say_what_to_do_and_are_not_repeated() {
    let cases: [(Login, &str); 3] = [
        (|_| status(401, r#"{"message":"bad"}"#), "connect-login-refused"),
        (|_| status(402, "{}"), "connect-login-unlicensed"),
        (|_| status(403, "{}"), "connect-login-locked"),
    ];
    for (login, id) in cases {
        let (told, lines, _) = doors(login, || status(500, "")).await;
        assert_eq!((told, lines), (vec![id.to_owned(); 2], vec![LOGIN.to_owned()]), "{id}");
    }
}
