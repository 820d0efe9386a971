//! The whole program against a small server of its own: first load, nothing changed, a little changed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Arguments, run};

const ROWS: usize = 2345;

/// Serves the list on a free port; rows whose number is below `changed` carry another reward.
fn serve(changed: Arc<AtomicUsize>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let changed = changed.clone();
            std::thread::spawn(move || answer_all(stream.expect("a connection"), &changed));
        }
    });
    url
}

/// Answers one connection until the other side closes it.
fn answer_all(stream: TcpStream, changed: &AtomicUsize) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut writer = stream;
    loop {
        let (mut head, mut length) = (Vec::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().expect("a length");
            }
            head.push(line);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("the body");
        let answer = answer(&head, &body, changed.load(Ordering::SeqCst));
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{answer}",
            answer.len()
        );
        writer.write_all(answer.as_bytes()).expect("the answer is taken");
    }
}

fn answer(head: &[String], body: &[u8], changed: usize) -> String {
    if head[0].starts_with("post /api/v2/auth/ ") {
        let sent: serde_json::Value = serde_json::from_slice(body).expect("JSON");
        assert_eq!((&sent["login"], &sent["password"]), (&"partner@example.test".into(), &"secret".into()));
        return r#"{"token":"JWT a.b.c"}"#.into();
    }
    assert!(head.iter().any(|line| line == "authorization: jwt a.b.c"), "{head:?}");
    let query = head[0].strip_prefix("get /api/reports/clients/?ordering=client_account&").expect("the list");
    let number = |name: &str| {
        let value = query.split(['&', ' ']).find_map(|part| part.strip_prefix(name)).expect("both numbers");
        value.parse::<usize>().expect("a number")
    };
    let (limit, offset) = (number("limit="), number("offset="));
    let rows: Vec<String> = (offset..ROWS.min(offset + limit)).map(|n| row(n, n < changed)).collect();
    format!(r#"{{"data":[{}],"totals":{{"count":{ROWS},"reward":"1.00"}}}}"#, rows.join(","))
}

fn row(n: usize, changed: bool) -> String {
    let reward = if changed { "13.00" } else { "12.40" };
    format!(
        r#"{{"id":{},"partner_account":"1100000000000000001","partner_account_name":"partner","client_uid":"{:08x}","country":"TH","currency":"USD","reg_date":"2025-07-01","volume_lots":1.25,"volume_mln_usd":0.1432,"trade_fn":null,"reward":"{reward}","reward_usd":"null","comment":"a \"word\"","client_account":"{}","client_account_type":"Standard"}}"#,
        801_000_000 + n,
        n / 2,
        140_000_000 + n
    )
}

fn three_runs(database: &str) {
    let changed = Arc::new(AtomicUsize::new(0));
    let url = serve(changed.clone());
    let written = |now: usize| {
        changed.store(now, Ordering::SeqCst);
        let arguments = Arguments {
            url: url.clone(),
            login: "partner@example.test".into(),
            password: "secret".into(),
            database: database.into(),
            limit: 1000,
            ordering: "client_account".into(),
        };
        let report = run(&arguments).expect("a run");
        assert_eq!(report.rows, ROWS);
        report.written
    };
    assert_eq!(written(0), ROWS);
    assert_eq!(written(0), 0);
    assert_eq!(written(23), 23);
    assert_eq!(written(23), 0);
}

#[test]
fn sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("limit.db");
    three_runs(&format!("sqlite:{}", file.display()));
    let connection = rusqlite::Connection::open(file).expect("the file");
    let sums = connection.query_row(
        "SELECT count(*), sum(reward), sum(lots), max(client_account) FROM account",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
    );
    let expected =
        (ROWS as i64, (ROWS * 1240 + 23 * 60) as i64, (ROWS * 12_500) as i64, "140002344".to_owned());
    assert_eq!(sums.expect("sums"), expected);
}

/// Runs where a server is offered, as `./test` does.
#[test]
fn postgres() {
    let Ok(base) = std::env::var("CONCORD_TEST_POSTGRES") else { return };
    let name = format!("limit_{}", std::process::id());
    let mut client =
        postgres::Client::connect(&format!("{base}/postgres"), postgres::NoTls).expect("the server");
    client.batch_execute(&format!("CREATE DATABASE {name}")).expect("a database");
    three_runs(&format!("{base}/{name}"));
    let mut own =
        postgres::Client::connect(&format!("{base}/{name}"), postgres::NoTls).expect("the database");
    let row = own.query_one("SELECT count(*), sum(reward)::bigint FROM account", &[]).expect("sums");
    assert_eq!((row.get(0), row.get(1)), (ROWS as i64, (ROWS * 1240 + 23 * 60) as i64));
    drop(own);
    client.batch_execute(&format!("DROP DATABASE {name}")).expect("nothing left behind");
}
