//! Exports: exactly the filtered set, in its order, exact to the cent, without formulas.

use calamine::{Data, Reader as _, Xlsx};
use concord::model::amount::parse;
use serde_json::Value;

use super::server::Server;
use crate::support::on_both;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_holds_exactly_the_filtered_set() {
    on_both(async |world| {
        // Sources may send anything; a spreadsheet must not calculate it.
        let mut rows = world.sim.rows("xm", "traders");
        for (row, campaign) in
            rows.iter_mut().zip(["=1+1", "+2", "-3", "@SUM(A1)", "\t=4", "＝5", "x\"y,\nz"])
        {
            row["campaign"] = Value::from(campaign);
        }
        world.sim.replace_rows("xm", "traders", rows);
        world.sync(0, &[]).await;
        let server = Server::start(world).await;
        for query in [
            "sort=-reward",
            "owner=Ham&sort=key",
            "system=xm&sort=partner_account&view=accounts",
            "search=th&view=accounts",
            "owner=Nobody",
        ] {
            let expected = listed(&server, query).await;
            let answer = server
                .call("viewer", "GET", &format!("/api/v1/customers/export?format=csv&{query}"), None)
                .await;
            assert_eq!(answer.status, 200);
            assert!(answer.body.starts_with("\u{feff}Client UID,Client account,".as_bytes()));
            let mut reader = csv::Reader::from_reader(&answer.body[3..]);
            let columns = reader.headers().unwrap().len();
            assert_eq!(columns, if query.contains("accounts") { 12 } else { 8 });
            let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            let cells: Vec<Vec<String>> =
                records.iter().map(|record| record.iter().map(str::to_owned).collect()).collect();
            assert_eq!(cells.len(), expected.len(), "{query}");
            for (cells, row) in cells.iter().zip(&expected) {
                let unguarded: Vec<&str> =
                    cells.iter().map(|cell| cell.strip_prefix('\'').unwrap_or(cell)).collect();
                assert_eq!(unguarded[..8], texts(row), "{query}");
            }
            let bad = |cell: &String| cell.starts_with(['=', '+', '@', '\t', '\r', '＝', '＋', '－', '＠']);
            assert!(!cells.iter().flatten().any(bad));
            let negative = cells.iter().flatten().filter(|cell| cell.starts_with('-'));
            assert!(negative.clone().all(|cell| parse(cell, 8).is_ok()));

            let answer = server
                .call("viewer", "GET", &format!("/api/v1/customers/export?format=xlsx&{query}"), None)
                .await;
            let mut book: Xlsx<_> =
                calamine::open_workbook_from_rs(std::io::Cursor::new(answer.body)).unwrap();
            let sheet = book.sheet_names()[0].clone();
            assert!(book.worksheet_formula(&sheet).unwrap().is_empty(), "no formula");
            let range = book.worksheet_range(&sheet).unwrap();
            let mut shown = Vec::new();
            for row in range.rows().skip(1) {
                shown.push((0..8).map(|at| row.get(at).map_or_else(String::new, cell)).collect::<Vec<_>>());
            }
            let wanted: Vec<Vec<String>> = expected.iter().map(texts).collect();
            assert_eq!(shown, wanted, "{query}");
        }
        let entries = server.get("/api/v1/audit?action=export").await;
        assert_eq!(entries["total"], 10);
        let last = &entries["items"][0];
        assert_eq!(last["actor"], "viewer");
        let after: Value = serde_json::from_str(last["after"].as_str().unwrap()).unwrap();
        assert_eq!(
            (after["format"].as_str(), after["owner"].as_str(), after["rows"].as_i64()),
            (Some("xlsx"), Some("Nobody"), Some(0))
        );
        server.end().await;
    })
    .await;
}

async fn listed(server: &Server, query: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = server.get(&format!("/api/v1/customers?limit=500&{query}{cursor}")).await;
        rows.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { return rows };
        cursor = format!("&cursor={next}");
    }
}

/// The first eight columns of a row.
fn texts(row: &Value) -> Vec<String> {
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let numbers = row["accounts"].as_array().unwrap().iter().filter_map(Value::as_str);
    vec![
        text("client_uid"),
        numbers.collect::<Vec<_>>().join(" "),
        text("country"),
        text("status"),
        text("reward_usd"),
        text("rebate_usd"),
        text("owner"),
        text("partner_account"),
    ]
}

fn cell(data: &Data) -> String {
    match data {
        Data::Empty => String::new(),
        Data::Float(number) => format!("{number:.2}"),
        Data::String(text) => text.clone(),
        other => panic!("neither text nor number: {other:?}"),
    }
}
