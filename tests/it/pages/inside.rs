//! The pages themselves: what they show, and that nothing from outside is believed.

use super::*;

/// Every page there is, of a database that was read once.
const PAGES: [&str; 25] = [
    "/",
    "/customers",
    "/customers?view=accounts",
    "/customers?search=%3Cimg",
    "/customers?search=nobody-has-this",
    "/customers?cursor=rubbish&sort=rubbish&limit=7",
    "/customers?sums=now&owner=Ham&sort=-reward",
    "/customers/1",
    "/insights",
    "/insights?owner=Ham&system=ham",
    "/insights?system=none",
    "/runs",
    "/runs?system=ham",
    "/runs/1",
    "/runs/1/rows?stage=0&disposition=rejected",
    "/runs/1/rows?stage=1&disposition=created",
    "/flows",
    "/links",
    "/links?search=nobody&flow=none",
    "/deliveries?state=stuck",
    "/cases",
    "/cases?state=all",
    "/audit",
    "/audit?action=page",
    "/settings",
];

/// The text of a page as it is read, without isolating marks.
pub fn read(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            '\u{2068}' | '\u{2069}' => {}
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What the content security policy forbids, and what would show a hole in the catalogue.
pub fn check(path: &str, html: &str) {
    assert!(!html.contains("<img"), "{path}: text of a source became markup");
    for (at, _) in html.match_indices('<') {
        let tag = &html[at..at + html[at..].find('>').unwrap()];
        let name = tag[1..].split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap();
        // Attributes without their values, which are text.
        let attributes: String = tag.split('"').step_by(2).collect();
        assert!(!attributes.contains(" style="), "{path}: {tag}");
        assert!(
            !attributes.split_whitespace().any(|part| part.starts_with("on") && part.contains('=')),
            "{path}: {tag}"
        );
        assert!(name != "style" && (name != "script" || tag.contains(" src=\"/assets/")), "{path}: {tag}");
    }
    let text = read(html);
    for word in text.split(|c: char| c.is_whitespace() || ".,:;()".contains(c)) {
        let starts = [
            "web-",
            "case-",
            "health-",
            "stage-",
            "disposition-",
            "measure-",
            "run-",
            "owner-",
            "audit-",
            "insight-",
            "field-",
            "delivery-",
            "story-",
            "link-rule-",
            "contact-kind-",
        ];
        assert!(!starts.iter().any(|start| word.starts_with(start)), "{path}: {word} has no text");
    }
    assert!(!text.contains("{$") && !text.contains("{ $"), "{path}: an argument is missing");
    assert!(html.contains("lang=\"en\" dir=\"ltr\"") && html.contains("<h1"), "{path}");
}

#[tokio::test]
async fn every_page_is_there_and_shows_what_was_read() {
    on_each(async |server| {
    let site = Site::full(server).await;
    let admin = site.cookie(Role::Admin).await;
    for path in PAGES {
        let answer = site.get(path, &admin).await;
        let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        check(path, &site.page(path, &admin).await);
    }

    let overview = read(&site.page("/", &admin).await);
    for figure in ["Ham (incl. XM) 1,880", "Janischa 259", "2,139", "2,936", "Clients 664 663 0 0 0 1 0"] {
        assert!(overview.contains(figure), "{figure} in {overview}");
    }

    // Where there are no flows, nobody is led to them.
    assert!(!site.page("/", &admin).await.contains("href=\"/deliveries\""));

    let customers = site.page("/customers", &admin).await;
    let heads: Vec<_> = customers.split("class=\"customers\"").nth(1).unwrap().split("</thead>").collect();
    assert_eq!(
        read(&format!("<{}", heads[0])),
        "Customers Client UID Client account Country Status Reward (USD) Rebate (USD) Owner Partner account"
    );
    assert_eq!(customers.matches("aria-sort=").count(), 1);
    let found = site.page("/customers?search=onerror", &admin).await;
    assert!(read(&found).contains("matched in partner_account"), "{}", read(&found));
    assert!(found.contains("&#60;img src=x") || found.contains("&lt;img src=x"));

    let rows = read(&site.page("/runs/1/rows?stage=0&disposition=rejected", &admin).await);
    assert!(rows.contains("1 of 1 rows") && rows.contains("not a date"), "{rows}");
    let run = read(&site.page("/runs/1", &admin).await);
    // A rejected row is accounted for: the run is done, and the row is there to be looked at.
    assert!(run.contains("succeeded") && run.contains("rejected"), "{run}");
    assert!(run.contains("Control sums"), "{run}");
    site.end().await;
    })
    .await;
}

#[tokio::test]
async fn the_list_is_walked_and_summed() {
    on_each(async |server| {
        let site = Site::full(server).await;
        let viewer = site.cookie(Role::Viewer).await;
        let mut path = "/customers?owner=Janischa&limit=100".to_owned();
        let mut seen = 0;
        loop {
            let page = site.page(&path, &viewer).await;
            assert!(read(&page).contains("259 clients"));
            seen += page
                .split("<tfoot id=\"sums\"")
                .next()
                .unwrap()
                .matches("<th scope=\"row\"><a href=\"/customers/")
                .count();
            let Some(at) = page.find("rel=\"next\" href=\"") else { break };
            let rest = &page[at + 17..];
            path = rest[..rest.find('"').unwrap()].replace("&amp;", "&").replace("&#38;", "&");
        }
        assert_eq!(seen, 259);
        let sums = read(&site.page("/customers/sums?owner=Janischa", &viewer).await);
        assert!(sums.contains("259 clients · 357 accounts 104,162.15"), "{sums}");
        site.end().await;
    })
    .await;
}

#[tokio::test]
async fn buttons_do_what_they_say() {
    on_each(async |server| {
        let site = Site::full(server).await;
        let admin = site.cookie(Role::Admin).await;
        let asked = site.post("/systems/ham/sync", &admin, &[]).await;
        let run = location(&asked).to_owned();
        assert!(run.starts_with("/runs/"), "{run}");
        let waiting = site.page(&run, &admin).await;
        assert!(waiting.contains("hx-trigger=\"every 1s\"") && waiting.contains("http-equiv=\"refresh\""));
        let cancelled = site.post(&format!("{run}/cancel"), &admin, &[]).await;
        assert_eq!(cancelled.status(), StatusCode::SEE_OTHER);
        let again = site.post(&format!("{run}/cancel"), &admin, &[]).await;
        assert_eq!(again.status(), StatusCode::CONFLICT);
        assert!(!site.page(&format!("{run}/fragment"), &admin).await.contains("hx-trigger"));
        let resumed = site.post(&format!("{run}/resume"), &admin, &[]).await;
        assert_eq!(resumed.status(), StatusCode::SEE_OTHER);

        site.post("/systems/all/pause", &admin, &[("back", "/")]).await;
        let paused = site.page("/?done=pause", &admin).await;
        assert_eq!(read(&paused).matches("was paused by a person").count(), 3, "{}", read(&paused));
        let refused = site.post("/systems/janischa/sync", &admin, &[]).await;
        assert_eq!(refused.status(), StatusCode::CONFLICT, "a paused system is not read");
        let refused = read(&refused.text().await.unwrap());
        assert!(refused.contains("janischa is paused. Let it be read again"), "{refused}");
        assert!(!refused.contains("Go back"), "{refused}");
        assert!(!paused.contains("/systems/janischa/sync"), "what would be refused is not offered");
        site.post("/systems/all/unpause", &admin, &[("back", "/")]).await;
        assert!(!read(&site.page("/", &admin).await).contains("was paused"));
        assert_eq!(site.post("/systems/none/sync", &admin, &[]).await.status(), StatusCode::NOT_FOUND);
        // Whatever a person did is on record, once, with their name.
        let entries = site.app.store.audit(None, None, 500).await.unwrap();
        for (action, count) in
            [("run.requested", 1), ("run.cancelled", 1), ("run.resumed", 1), ("system.paused", 3)]
        {
            let by = entries.iter().filter(|entry| entry.action == action && entry.actor == "admin");
            assert_eq!(by.count(), count, "{action}");
        }
        site.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_limited_run_leaves_the_figures_of_the_last_whole_read() {
    on_each(async |server| {
        let site = Site::full(server).await;
        let viewer = site.cookie(Role::Viewer).await;
        let wanted = RunRequest { system: "xm".to_owned(), limit: Some(10), ..RunRequest::default() };
        let asked = work::request(&site.app, Some(&site.engine), &wanted, "test").await.unwrap();
        let Requested::Begun(run) = asked else { panic!("the run did not begin: {asked:?}") };
        site.engine.execute(run).await.unwrap();
        let overview = read(&site.page("/", &viewer).await);
        for told in ["2,139 2,936 2,936 0 adds up", "Traders 1,216 1,216", "read the first 10 clients only"] {
            assert!(overview.contains(told), "{told} in {overview}");
        }
        assert!(read(&site.page("/runs", &viewer).await).contains("normal, first 10"));
        assert!(read(&site.page(&format!("/runs/{run}"), &viewer).await).contains("First clients only 10"));
        site.end().await;
    })
    .await;
}

#[tokio::test]
async fn owners_are_previewed_then_moved() {
    on_each(async |server| {
        let site = Site::full(server).await;
        let admin = site.cookie(Role::Admin).await;
        let form = [("name", HOSTILE), ("owner", "Janischa")];
        let preview = site.post("/settings/owners", &admin, &form).await.text().await.unwrap();
        check("preview", &preview);
        assert!(read(&preview).contains("Ham Janischa 1 "), "{}", read(&preview));
        assert!(read(&site.page("/customers?owner=Janischa", &admin).await).contains("259 clients"));
        // Letter case makes no other owner, neither of a rule nor of a filter.
        let same = site.post("/settings/owners", &admin, &[form[0], ("owner", "HAM")]).await;
        let same = read(&same.text().await.unwrap());
        assert!(same.contains("→ Ham") && same.contains("No client would move"), "{same}");
        assert!(read(&site.page("/customers?owner=janischa", &admin).await).contains("259 clients"));
        assert!(site.page("/settings", &admin).await.contains("href=\"/api/docs\""));
        let overview = read(&site.page("/", &admin).await);
        assert!(overview.contains("Ham, the system’s owner"), "{overview}");
        let applied = site.post("/settings/owners", &admin, &[form[0], form[1], ("apply", "yes")]).await;
        assert_eq!(applied.status(), StatusCode::SEE_OTHER);
        assert!(read(&site.page("/customers?owner=Janischa", &admin).await).contains("260 clients"));
        let removal = site.post("/settings/owners", &admin, &[form[0], ("remove", "yes")]).await;
        assert!(read(&removal.text().await.unwrap()).contains("Janischa Ham 1 "));
        site.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_held_deletion_is_decided_on_its_page() {
    on_each(async |server| {
        let site = Site::full(server).await;
        let operator = site.cookie(Role::Operator).await;
        let rows = site.simulator.rows("janischa", "accounts");
        site.simulator.replace_rows("janischa", "accounts", rows[..200].to_vec());
        site.read().await;
        let overview = read(&site.page("/", &operator).await);
        assert!(overview.contains("needs you") && overview.contains("One case waits"), "{overview}");
        let cases = site.page("/cases", &operator).await;
        check("/cases", &cases);
        let page = site.page("/cases/1", &operator).await;
        check("/cases/1", &page);
        assert!(read(&page).contains("157 of 357 records"), "{}", read(&page));
        assert!(page.contains("value=\"mark_gone\"") && page.contains("value=\"keep\""));
        let unknown = site.post("/cases/1", &operator, &[("choice", "explode")]).await;
        assert_eq!(unknown.status(), StatusCode::CONFLICT);
        let decided = site.post("/cases/1", &operator, &[("choice", "mark_gone")]).await;
        assert_eq!(location(&decided), "/cases/1?done=decided");
        let page = read(&site.page("/cases/1?done=decided", &operator).await);
        assert!(page.contains("Decided and carried out") && page.contains("mark them gone"), "{page}");
        assert!(read(&site.page("/audit?action=case", &operator).await).contains("case decided"));
        site.end().await;
    })
    .await;
}

#[tokio::test]
async fn an_edit_at_the_source_is_seen_in_the_history() {
    on_each(async |server| {
        let site = Site::full(server).await;
        let viewer = site.cookie(Role::Viewer).await;
        let mut rows = site.simulator.rows("janischa", "clients");
        let uid = rows[0]["client_uid"].as_str().unwrap().to_owned();
        rows[0]["client_country"] = "LA".into();
        site.simulator.replace_rows("janischa", "clients", rows);
        site.read().await;
        let found = site.page(&format!("/customers?search={uid}"), &viewer).await;
        let at = found.find("<a href=\"/customers/").unwrap() + 9;
        let page = site.page(&found[at..at + found[at..].find('"').unwrap()], &viewer).await;
        check("history", &page);
        let history = page.split(">History<").nth(1).unwrap();
        assert!(
            history.contains("client_country") && history.contains("LA") && !history.contains("reg_date")
        );
        site.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_is_said_in_a_page() {
    on_each(async |server| {
        let site = Site::empty(server, "http://concord.example.test").await;
        let admin = site.cookie(Role::Admin).await;
        for path in [
            "/nothing",
            "/customers/999999",
            "/customers/abc",
            "/runs/abc",
            "/cases/abc",
            "/runs/999",
            "/runs/999/rows?stage=0",
            "/cases/999",
        ] {
            let answer = site.get(path, &admin).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
            let page = answer.text().await.unwrap();
            check(path, &page);
            assert!(page.contains("<nav"), "{path}: whoever is signed in keeps the navigation");
        }
        let lost = site.get("/customers/abc", &admin).await.text().await.unwrap();
        assert!(read(&lost).contains("There is no customer abc. To the overview"), "{}", read(&lost));
        let stranger = site.post("/set-up", "", &[("key", "x"), ("name", "x"), ("password", PASSWORD)]).await;
        let stranger = stranger.text().await.unwrap();
        assert!(!stranger.contains("<nav") && !stranger.contains("Go back"), "{}", read(&stranger));
        let unclear = site.get("/runs?before=x", &admin).await;
        assert_eq!(unclear.status(), StatusCode::BAD_REQUEST);
        let unclear = unclear.text().await.unwrap();
        check("/runs?before=x", &unclear);
        assert!(read(&unclear).contains("Go back and try it once more"), "{}", read(&unclear));
        for path in ["/", "/customers", "/insights", "/runs", "/cases", "/audit", "/settings"] {
            check(path, &site.page(path, &admin).await);
        }
        let api = site.get("/api/nothing", &admin).await;
        assert_eq!(api.status(), StatusCode::NOT_FOUND);
        assert_eq!(api.headers()["content-type"], "application/problem+json");
        let lost = site.ask(Method::GET, "/", "").header("hx-request", "true").send().await.unwrap();
        assert_eq!(
            (lost.status(), &lost.headers()["hx-redirect"]),
            (StatusCode::UNAUTHORIZED, &"/sign-in".parse().unwrap())
        );
        site.end().await;
    })
    .await;
}

#[tokio::test]
async fn files_are_kept_and_packed() {
    on_each(async |server| {
        let site = Site::empty(server, "http://concord.example.test").await;
        let page = site.page("/sign-in", "").await;
        for name in ["concord.css", "concord.js", "htmx.js", "icon.svg"] {
            let at = page.find("\"/assets/").unwrap();
            let address = page[at..].split('"').nth(1).unwrap().rsplit_once('/').unwrap().0;
            let request =
                site.ask(Method::GET, &format!("{address}/{name}"), "").header("accept-encoding", "gzip");
            let answer = request.send().await.unwrap();
            assert_eq!(answer.headers()["cache-control"], "public, max-age=31536000, immutable", "{name}");
            assert_eq!(answer.status(), StatusCode::OK);
        }
        let vendored = include_str!("../../../assets/vendor/README.md");
        let htmx = include_bytes!("../../../assets/vendor/htmx-4.0.1.min.js");
        let digest = {
            use std::io::Write as _;
            let mut child = std::process::Command::new("sha256sum")
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(htmx).unwrap();
            String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
        };
        assert!(vendored.contains(digest.split_whitespace().next().unwrap()), "{digest}");
        site.end().await;
    })
    .await;
}

#[tokio::test]
async fn accounts_missing_from_an_answer_add_up() {
    on_each(async |server| {
        let site = Site::full(server).await;
        let viewer = site.cookie(Role::Viewer).await;
        let rows = site.simulator.raw_rows("xm", "traders");
        let missing = rows.len() / 4;
        site.simulator.replace_raw_rows("xm", "traders", rows[missing..].to_vec());
        let wanted = RunRequest { system: "xm".to_owned(), ..RunRequest::default() };
        let Requested::Begun(run) =
            work::request(&site.app, Some(&site.engine), &wanted, "test").await.unwrap()
        else {
            panic!("the run did not begin");
        };
        site.engine.execute(run).await.unwrap();
        let overview = read(&site.page("/", &viewer).await);
        let (stored, source) = (1363 + 1216, 1363 + 1216 - missing);
        let figures =
            format!("Ham (incl. XM) 1,880 2,579 {},{:03} {missing} 0 adds up", source / 1000, source % 1000);
        assert_eq!(stored, 2579);
        assert!(overview.contains(&figures), "{figures} in {overview}");
        assert!(!overview.contains("does not add up"), "{overview}");
        let shown = read(&site.page(&format!("/runs/{run}"), &viewer).await);
        assert!(shown.contains("Absent"), "{shown}");
        site.end().await;
    })
    .await;
}

#[tokio::test]
async fn rows_of_accounts_say_only_what_is_theirs() {
    on_each(async |server| {
        let site = Site::full(server).await;
        let viewer = site.cookie(Role::Viewer).await;
        // A client with more than one account, found by the number of one of them.
        let sql = "SELECT a.number FROM account a JOIN customer c ON c.id = a.customer_id WHERE c.system = 'ham' AND c.accounts > 1 ORDER BY a.id LIMIT 1";
        let row = site.app.store.db.row(sql, []).await.unwrap().unwrap();
        let number: String = row.get(0).unwrap();
        let html = site.page(&format!("/customers?view=accounts&search={number}&sums=now"), &viewer).await;
        let list = html.split("class=\"customers\"").nth(1).unwrap();
        let (body, sums) = list.split_once("<tfoot id=\"sums\"").unwrap();
        let rows: Vec<&str> = body.split("<tr").filter(|row| row.contains("/customers/")).collect();
        assert!(rows.len() > 1, "{body}");
        for row in rows {
            assert_eq!(row.contains("matched in"), row.contains(&number), "{row}");
        }
        let sums = read(&format!("<tfoot{sums}"));
        assert!(sums.contains(" – "), "nobody knows the rebate of an account: {sums}");
        let clients = read(&site.page("/customers/sums?owner=Janischa", &viewer).await);
        assert!(!clients.contains(" – "), "{clients}");
        site.end().await;
    })
    .await;
}
