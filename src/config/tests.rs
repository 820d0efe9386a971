//! What a configuration means, and how its mistakes look.

use insta::assert_snapshot;
use miette::{GraphicalReportHandler, GraphicalTheme, NarratableReportHandler};

use super::*;
use crate::connect::System;

const MINIMAL: &str = r#"
[systems.ham]
kind = "exness"
login = "ham@example.test"
password = "${HAM_PASSWORD}"
"#;

fn env(name: &str) -> Option<String> {
    let known = ["HAM_LOGIN", "HAM_PASSWORD", "XM_TOKEN", "ONEC_USER", "ONEC_PASSWORD"];
    let known = known.contains(&name) || name.starts_with("CRM_") || name.starts_with("FINANCE_");
    known.then(|| format!("canary-{}", name.to_lowercase()))
}

fn parse(text: &str) -> Result<Config, Error> {
    Config::parse(text, "concord.toml", &env)
}

/// The mistakes as a person reads them, headline by headline with place and help.
fn mistakes(text: &str) -> String {
    let error = parse(text).expect_err("a mistake");
    let mut report = String::new();
    NarratableReportHandler::new().render_report(&mut report, &error).unwrap();
    assert!(!report.contains("canary"), "a secret in {report}");
    assert!(!report.contains("config-"), "a text is missing in {report}");
    report.replace("    Diagnostic severity: error\n", "")
}

/// The first mistake only: its line and column, headline, label and help.
fn brief(text: &str) -> String {
    mistakes(text);
    let error = parse(text).expect_err("a mistake");
    let first = &error.mistakes()[0];
    let (line, column) = first.position().unwrap();
    let label = miette::Diagnostic::labels(first).unwrap().next().unwrap().label().unwrap_or("").to_owned();
    let help = miette::Diagnostic::help(first).map(|help| help.to_string()).unwrap_or_default();
    format!("{line}:{column} {first} [{label}] {help}").trim_end().to_owned()
}

/// The manual with its examples switched on.
fn examples() -> String {
    let is_setting = |rest: &str| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '"' || c == '[');
    let lines = MANUAL.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if is_setting(rest) => rest,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_manual_states_the_defaults() {
    let manual = parse(MANUAL).unwrap();
    let nothing = parse("").unwrap();
    assert_eq!(format!("{manual:?}"), format!("{nothing:?}"));
}

#[test]
fn the_manual_explains_every_setting_with_its_default() {
    let all = Config::parse(&examples(), "concord.toml", &|name| match name {
        "SMTP_URL" => Some("smtps://me:canary@mail.example.test".to_owned()),
        _ => env(name),
    })
    .unwrap();
    let mut ham = all.system("ham").unwrap().clone();
    let minimal = parse(MINIMAL).unwrap();
    let minimal = minimal.system("ham").unwrap();
    assert!(ham.schedule.take().is_some() && ham.timezone.take().is_some());
    assert_eq!(ham.owner.take().as_deref(), Some("Ham"));
    ham.connector = minimal.connector.clone();
    assert_eq!(format!("{ham:?}"), format!("{minimal:?}"));
    for key in system::COMMON {
        assert!(MANUAL.contains(&format!("#{key} = ")), "{key} is not in the manual");
    }
    for section in SECTIONS.iter().filter(|section| !["flows", "database", "systems"].contains(section)) {
        assert!(MANUAL.contains(&format!("\n[{section}]\n")), "{section} is not in the manual");
    }
    assert_eq!(all.owners.len(), 5);
    assert_eq!(all.alerts.to, ["ops@example.test"]);
}

#[test]
fn the_manual_names_every_key_of_every_section() {
    // Serde's own refusal lists the keys of a section.
    let systems = ["systems.exness", "systems.xm", "systems.onec", "systems.payamgostar", "systems.siagh"];
    for section in ["server", "delivery", "alerts", "retention"].into_iter().chain(systems) {
        let kind = section.strip_prefix("systems.");
        let kind = kind.map(|kind| format!("kind = \"{kind}\"")).unwrap_or_default();
        let error = parse(&format!("[{section}]\n{kind}\nzzzzzzzzzz = 1")).unwrap_err();
        let known = &error.mistakes()[0].message().args["known"];
        for key in known.split(", ") {
            let is_there = MANUAL.contains(&format!("{key} = ")) || MANUAL.contains(&format!(".{key}]\n"));
            assert!(is_there, "{key} of [{section}] is not in the manual");
        }
    }
}

#[test]
fn a_configuration_is_read() {
    let config = parse(
        r#"
database = "sqlite:data/c.db"
[server]
listen = "0.0.0.0:80"
public_url = "https://concord.example.test/"
trusted_proxies = ["10.0.0.0/8", "::1"]
[owners]
"zz" = "Ham"
"RB you" = "Ham"
[systems.xm]
kind = "xm"
token = "Bearer-${XM_TOKEN}"
start = "2020-02-03"
cron = "0 3 * * *"
timezone = "Asia/Bangkok"
region = "th"
rate = 0.5
timeout = "2m"
enabled = false
[systems.ham]
kind = "exness"
base_url = "http://127.0.0.1:9000"
allow_plaintext = true
login = "a"
password = "b"
"#,
    )
    .unwrap();
    assert_eq!(config.database.url(), "sqlite:data/c.db");
    assert_eq!(config.server.public_url, "https://concord.example.test");
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert_eq!(config.owners[0], ("zz".to_owned(), "Ham".to_owned()));
    assert_eq!(config.systems.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["xm", "ham"]);
    let xm = config.system("xm").unwrap();
    assert!(matches!(xm.connector, System::Xm(_)));
    assert_eq!(xm.region.as_deref(), Some("TH"));
    assert_eq!(xm.settle, Duration::from_secs(240));
    assert_eq!(format!("{:?}", xm.schedule), "Some(cron 0 3 * * * Asia/Bangkok)");
    assert!(!xm.enabled);
}

#[test]
fn nothing_shows_a_secret() {
    let config = parse(
        r#"
database = "postgres://me:canary-db@host/db"
[alerts]
smtp = "smtps://me:canary-mail@host"
to = ["a@example.test"]
webhook = "https://hooks.example.test/canary-hook"
[systems.ham]
kind = "exness"
login = "${HAM_LOGIN}"
password = "canary-literal"
[systems.xm]
kind = "xm"
token = "${XM_TOKEN}"
"#,
    )
    .unwrap();
    assert!(config.database.url().contains("canary-db"));
    assert_eq!(config.database.to_string(), "postgres://host/db");
    let shown = format!("{config:?}").replace("canary-ham_login", "a login is no secret");
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn mistakes_never_show_a_secret() {
    // `mistakes` looks for the canary.
    for text in [
        "[systems.ham]\nkind = \"exness\"\nlogin = 5\npassword = \"canary\"",
        "[systems.ham]\nkind = \"exness\"\nlogin = \"a\"\npasword = \"canary\"",
        "[systems.xm]\nkind = \"xm\"\ntokn = 'canary'",
        "[systems.xm]\nkind = \"xm\"\ntoken = [\"canary\"]",
        "[systems.xm]\nkind = \"xm\"\nstart = 1\ntoken = \"\"\"\ncanary\n\"\"\"",
        "[systems.xm]\nkind = \"xm\"\ntoken = \"\"\"\ncanary\ncanary",
        "[systems.xm]\nkind = \"xm\"\ntoken = \"canary",
        "[systems.xm]\nkind = \"xm\"\ntoken = canary",
        "systems = { xm = { kind = \"xm\", token = \"canary\", start = 1 } }",
        "systems = { xm = { kind = \"xm\", token = \"canary\", start =  } }",
        "[systems.a]\nkind = \"onec\"\nusername = \"u\"\nwebhook_secret = [\"canary\", \"canary\"]",
        "database = \"mysql://me:canary@host/db\"",
        "databse = \"postgres://me:canary@host/db\"",
        "[systems.ham]\nkind = \"exness\"\nbase_url = \"https://me:canary@host\"\nlogin = \"\"\npassword = \"x\"",
        "[systems.ham]\nkind = \"exness\"\nbase_url = \"${HAM_PASSWORD}\"\nlogin = \"\"\npassword = \"x\"",
        "[systems.ham]\nkind = \"exness\"\nlogin = \"a\"\npassword = \"x\"\nevery = \"${HAM_PASSWORD}\"",
        "[alerts]\nsmtp = \"http://canary\"",
        "#password = \"canary\"\nx = 1",
        "#db = \"postgres://me:canary/@host\"\nx = 1",
        "[systems.xm]\nkind = \"xm\"\ntoken = \"a\"canary\"",
        "[systems.xm]\nkind = \"xm\"\ntoken = \"a\" canary\"",
        "[systems.xm]\nkind = \"xm\"\ntoken = \"a\"#canary\"\nstart = 5",
        "[systems.xm]\nkind = \"xm\"\ntoken = \"a\\\"canary\"\nx = 1",
        "[systems.xm]\nkind = \"xm\"\nwebhook_secret = [\n\"${A}\",\n\"canary\"\n]",
    ] {
        mistakes(text);
    }
    let secret = "[systems.xm]\nkind = \"xm\"\ntoken = 98765432";
    let error = parse(secret).unwrap_err();
    assert!(!format!("{error:?}{error}").contains("9876"));
}

#[test]
fn an_unknown_key_is_shown_at_its_line() {
    let text = "# mine\n[server]\nlisten = \"127.0.0.1:1\"\npublik_url = \"https://x.test\"\n";
    let report = miette::Report::from(parse(text).unwrap_err());
    let mut shown = String::new();
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
    handler.render_report(&mut shown, &*report).unwrap();
    assert_snapshot!(shown, @r#"
     × [server] has no setting `publik_url`
      ╭─[concord.toml:4:1]
    3 │ listen = "127.0.0.1:1"
    4 │ publik_url = "https://x.test"
      · ─────┬────
      ·      ╰── not known here
      ╰────
     help: Did you mean `public_url`?
    "#);
}

#[test]
fn several_mistakes_are_found_at_once() {
    let text = r#"
[systems.ham]
kind = "exness"
login = "a"
pasword = "canary"
evry = "1h"
timeout = "5 parsecs"
[systems.xm]
kind = "xm"
token = "${TOKEN_OF_XM}"
"#;
    assert_snapshot!(mistakes(text), @r#"
    [systems.ham] has no setting `pasword`
    Begin snippet for concord.toml starting at line 4, column 1

    snippet line 4: login = "••••••"
    snippet line 5: pasword = "••••••"
        label at line 5, columns 1 to 7: not known here
    snippet line 6: evry = "1h"
    diagnostic help: Did you mean `password`?

    Error: [systems.ham] has no setting `evry`

    Begin snippet for concord.toml starting at line 5, column 1

    snippet line 5: pasword = "••••••"
    snippet line 6: evry = "1h"
        label at line 6, columns 1 to 4: not known here
    snippet line 7: timeout = "5 parsecs"
    diagnostic help: Did you mean `every`?
    Error: "5 parsecs" is not a length of time

    Begin snippet for concord.toml starting at line 6, column 1

    snippet line 6: evry = "1h"
    snippet line 7: timeout = "5 parsecs"
        label at line 7, columns 11 to 21: this
    snippet line 8: [systems.xm]
    diagnostic help: Write a number with its unit: "30s", "5m", "1h", "30d".
    Error: The environment variable TOKEN_OF_XM is not set

    Begin snippet for concord.toml starting at line 9, column 1

    snippet line 9: kind = "xm"
    snippet line 10: token = "${TOKEN_OF_XM}"
        label at line 10, columns 10 to 23: named here
    diagnostic help: Set TOKEN_OF_XM before starting Concord (export TOKEN_OF_XM=…, or the service's environment file).
    "#);
}

#[test]
fn each_mistake_says_what_to_do() {
    let ham = |line: &str| format!("{MINIMAL}{line}\n");
    let flows = |lines: &str| {
        let user = "username = \"u\"\npassword = \"p\"";
        let crm = "[systems.crm]\nkind = \"payamgostar\"\nbase_url = \"https://crm.example.test\"";
        let finance = "[systems.finance]\nkind = \"siagh\"\nbase_url = \"https://finance.example.test\"";
        let sides = "from = \"crm\"\nto = \"finance\"";
        format!(
            "{crm}\n{user}\n{finance}\n{user}\n[flows.bills]\n{sides}\n{lines}\n[flows.customers]\n{sides}"
        )
    };
    let cases = [
        ham("concurrency = \"4\""),
        ham("every = 60"),
        ham("every = \"60\""),
        ham("every = \"1h\"\ncron = \"0 * * * *\""),
        ham("cron = \"every hour\""),
        ham("cron = \"0 0 30 2 *\""),
        ham("base_url = \"ftp://my.exnessaffiliates.com\""),
        ham("base_url = \"http://my.exnessaffiliates.com\""),
        ham("timezone = \"Teheran\""),
        ham("region = \"Iran\""),
        ham("rate = 0"),
        ham("allow_networks = [\"10.0.0.0/8\", \"172.16.0.0/40\"]"),
        ham("allow_networks = \"10.0.0.0/8\""),
        ham("enabled = \"yes\""),
        "[systems.ham]\nkind = \"exness\"\nlogin = \"a\"\n".to_owned(),
        "[systems.ham]\nlogin = \"a\"\n".to_owned(),
        "[systems.a]\nkind = \"exnes\"".to_owned(),
        "[systems.finance]\nkind = \"siagh\"\nbase_url = \"https://finance.example.test\"\nusername = \"u\"".to_owned(),
        "[systems.finance]\nkind = \"siagh\"\nbase_url = \"https://finance.example.test\"\nusername = \"u\"\npassword_md5 = \"${FINANCE_PASSWORD}\"".to_owned(),
        "[systems.shop]\nkind = \"onec\"\nbase_url = \"https://1c.example.test/odata\"\nusername = \"u\"\npassword = \"p\""
            .to_owned(),
        "[systems.shop]\nkind = \"onec\"\nbase_url = \"https://1c.example.test/odata\"\nusername = \"u\"\npassword = \"p\"\ntimezone = \"UTC\"\ncurrency = \"rub\""
            .to_owned(),
        "[systems.all]\nkind = \"xm\"\ntoken = \"${XM_TOKEN}\"".to_owned(),
        "[flows.customers]\nfrom = \"crm\"".to_owned(),
        "[flows.customers]\nfrom = \"crm\"\nto = \"xm\"".to_owned(),
        "[flows.quotes]\nfrom = \"crm\"\nto = \"crm\"\nentity = \"offer\"".to_owned(),
        flows("entity = \"quote\"\nafter = \"customer\""),
        flows("entity = \"quote\"\nnet_tolerance = \"-1\""),
        flows("entity = \"quote\"\nsince = \"1 November\""),
        flows("entity = \"invoice\"\nconstants = { codevasete = 31 }"),
        flows("entity = \"quote\"\nselect = \"all\""),
        "[flows.all]\nfrom = \"crm\"\nto = \"finance\"\nreconcile = \"3 o'clock\"\nfields = [\"nam\"]".to_owned(),
        "[owners]\n\"RB you\" = \"Ham\"\n\"rb  YOU\" = \"Janischa\"".to_owned(),
        "[systems.xm]\nkind = \"xm\"\ntoken = \"${file:no/such/file}\"".to_owned(),
        "[systems.xm]\nkind = \"xm\"\ntoken = \"${XM_TOKEN\"".to_owned(),
        "server = 8080".to_owned(),
        "[server]\nlisten = \"localhost\"".to_owned(),
        "database = concord.db".to_owned(),
        "[retention]\nversions = \"always\"".to_owned(),
    ];
    let report: Vec<_> = cases.iter().map(|text| brief(text)).collect();
    assert_snapshot!(report.join("\n"), @r#"
    6:15 `concurrency` must be a whole number [this is a text] Write concurrency = 4, without quotes.
    6:9 `every` must be a text in quotes [this is a whole number] Write every = "…".
    6:9 "60" is not a length of time [this] Write a number with its unit: "30s", "5m", "1h", "30d".
    7:1 [systems.ham] has both `every` and `cron` [the second schedule] Keep one of the two.
    6:8 "every hour" is not a schedule [this] Five fields: minute, hour, day, month, weekday. "0 * * * *" is every full hour, "30 2 * * *" daily at 02:30.
    6:8 The schedule "0 0 30 2 *" never comes [no date fits this]
    6:12 "ftp://my.exnessaffiliates.com" is not a web address [this] It starts with https:// and names a host: "https://host.example".
    6:12 [systems.ham] would send its password unencrypted [http, not https] Use https, or write allow_plaintext = true in this section if the network is your own.
    6:12 "Teheran" is not a time zone [this] Use a name like "Asia/Tehran", "Europe/Simferopol" or "UTC". On a minimal system the package tzdata may be missing.
    6:10 "Iran" is not a region [this] Two letters: "IR", "RU", "TH".
    6:8 `rate` must be more than zero [this]
    6:33 "172.16.0.0/40" is not a network [this] Write an address, or one with the number of fixed bits: "172.16.0.0/12".
    6:18 `allow_networks` must be a list in square brackets [this is a text] Write allow_networks = ["…"].
    6:11 `enabled` must be true or false [this is a text] Write enabled = true or enabled = false, without quotes.
    1:1 [systems.ham] needs `password` [`password` is missing in this section] Add a line password = …; concord.default.toml explains each setting.
    1:1 [systems.ham] does not say what kind of system it is [`kind` is missing in this section] Add kind = "…": exness, xm, onec, payamgostar, siagh.
    2:8 There is no kind of system "exnes" [not known] Did you mean "exness"? Known kinds: exness, xm, onec, payamgostar, siagh.
    1:1 [systems.finance] needs `password` [`password` is missing in this section] Add a line password = …; concord.default.toml explains each setting.
    5:16 `password_md5` is not the MD5 form of a password [this] 32 hexadecimal digits; or give the password itself as `password`.
    1:1 [systems.shop] needs `timezone` [the times of this system come without a zone] Add timezone = "Europe/Simferopol", or wherever its clock is read.
    7:12 "rub" is not a currency [this] Three capital letters: "RUB", "KZT", "EUR".
    1:10 `all` cannot name a system [this name] Small letters, digits, - and _, at most 40, starting with a letter; not `all`.
    1:1 [flows.customers] needs `to` [`to` is missing in this section] Add a line to = …; concord.default.toml explains each setting.
    2:8 [flows.customers] goes between systems that hold customers; crm is none of them [this system] Write the name of a system of kind payamgostar or siagh, as it stands in [systems.NAME].
    4:10 "offer" is nothing that a flow carries [this entity] Write "customer", "quote" or "invoice".
    15:9 [flows.bills] needs a flow of customers that it goes after [no such flow] Write after = "customers", or the name of your flow with entity = "customer" from and to the same two systems.
    15:17 net_tolerance is no amount [this] Write a number like "1" or "0.5", not less than nothing.
    15:9 "1 November" is not a date [this] Write a date like "2010-01-31": year, month, day.
    15:13 constants has no setting `codevasete` [not known here] Did you mean `codevaseteh`?
    15:1 [flows.bills] has no setting `select` [not known here] Settings here: from, to, entity, after, states, since, net_tolerance, sale_models, constants.
    1:8 `all` cannot name a flow [this name] Small letters, digits, - and _, at most 40, starting with a letter; not `all`, and not the name of a system.
    3:1 `rb  YOU` has two owners [the second] Upper and lower case and spaces do not tell names apart. Keep one of the two.
    3:10 The file no/such/file cannot be read: there is no such file [named here] A relative path starts at the folder of the configuration file.
    3:10 This reference is not complete [here] ${NAME} takes an environment variable, ${file:PATH} the content of a file; a plain ${ is written $${.
    1:10 `server` must be a section of settings [this is a whole number] Write [server] on a line of its own, and its settings below.
    2:10 "localhost" is not an address to listen on [this] Write address and port: "127.0.0.1:8080", or "0.0.0.0:8080" for every interface.
    1:12 This is not valid TOML: string values must be quoted, expected literal string [here] Texts stand in quotes: key = "value". A section starts with [name].
    2:12 "always" is not a length of time [this] Write a number with its unit: "30s", "5m", "1h", "30d".
    "#);
}

#[test]
fn references_are_filled_from_variables_and_files() {
    use secrecy::ExposeSecret;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "  from-a-file\n").unwrap();
    let name = folder.path().join("concord.toml");
    let token = |value: &str| {
        let text = format!("[systems.xm]\nkind = \"xm\"\ntoken = \"{value}\"");
        let config = Config::parse(&text, name.to_str().unwrap(), &env).unwrap();
        match &config.systems[0].connector {
            System::Xm(xm) => xm.token.expose_secret().to_owned(),
            _ => unreachable!(),
        }
    };
    assert_eq!(token("${file:token}"), "from-a-file");
    assert_eq!(token("a${XM_TOKEN}b${file:token}"), "acanary-xm_tokenbfrom-a-file");
    assert_eq!(token("$${XM_TOKEN} $5"), "${XM_TOKEN} $5");
}

#[test]
fn a_file_that_is_not_there_names_the_way_out() {
    let error = Config::load(Path::new("/no/such/concord.toml")).unwrap_err();
    assert_eq!(error.to_string(), "There is no configuration file /no/such/concord.toml");
    assert!(miette::Diagnostic::help(&error).unwrap().to_string().contains("concord init"));
    assert_eq!(error.mistakes()[0].position(), None);
}

#[test]
fn a_relative_database_lies_beside_the_file() {
    let at = |url: &str, folder: &str| Database::new(url, Path::new(folder)).map(|db| db.url().to_owned());
    for (url, folder, expected) in [
        ("sqlite:concord.db", "/etc/concord", Some("sqlite:/etc/concord/concord.db")),
        ("sqlite://concord.db?mode=ro", "/etc/100%", Some("sqlite:/etc/100%25/concord.db?mode=ro")),
        ("sqlite:concord.db", "", Some("sqlite:concord.db")),
        ("sqlite:/var/c.db", "/etc", Some("sqlite:/var/c.db")),
        ("sqlite:///var/c.db", "/etc", Some("sqlite:/var/c.db")),
        ("sqlite::memory:", "/etc", Some("sqlite::memory:")),
        ("postgres://host/db", "/etc", Some("postgres://host/db")),
        ("mysql://host/db", "/etc", None),
        ("concord.db", "/etc", None),
    ] {
        assert_eq!(at(url, folder).as_deref(), expected, "{url}");
    }
}

#[test]
fn a_first_configuration_is_valid_and_commented() {
    let text = |text: &str| toml::Value::String(text.to_owned());
    let system = |name: &str, kind: &str, settings: &[(&str, &str)]| NewSystem {
        name: name.to_owned(),
        kind: kind.to_owned(),
        settings: settings.iter().map(|(key, value)| ((*key).to_owned(), text(value))).collect(),
    };
    let mut xm = system("xm", "xm", &[("token", "${XM_TOKEN}"), ("owner", "Ham"), ("region", "TH")]);
    xm.settings.push(("allow_plaintext".to_owned(), toml::Value::Boolean(true)));
    let answers = Answers {
        database: Some("sqlite:other.db".to_owned()),
        owners: vec![("a \"b\" \\c".to_owned(), "Ham".to_owned())],
        systems: vec![
            system(
                "ham",
                "exness",
                &[("login", "${HAM_LOGIN}"), ("password", "${HAM_PASSWORD}"), ("every", "1h")],
            ),
            system("two", "exness", &[("login", "x"), ("password", "${HAM_PASSWORD}")]),
            xm,
        ],
    };
    let written = initial(&answers);
    let config = parse(&written).unwrap();
    assert_eq!(config.systems.len(), 3);
    assert_eq!(config.database.url(), "sqlite:other.db");
    assert_eq!(config.owners, answers.owners);
    assert!(config.system("xm").unwrap().allow_plaintext);
    assert!(written.contains("# The longest a request may take.\n#timeout = \"60s\""));
    assert!(written.contains("[systems.two]\nkind = \"exness\"\nlogin = \"x\"\n"));
    assert_eq!(parse(&initial(&Answers::default())).unwrap().systems.len(), 0);
}

proptest::proptest! {
    /// Whatever stands in the file, it is refused or read, and what is shown shows no secret.
    #[test]
    fn any_text_is_read_or_refused(at in 0.0..1.0f64, cut in 0usize..4, put in "[\"'=\\[\\]{}#\n$.:@a€]{0,4}") {
        let secrets = "[systems.xm]\nkind = \"xm\"\ntoken = \"canary\"\nstart = 5\n[alerts]\nto = [\"é\", \"b\"]\nwebhook = 'canary'\n";
        let mut text = secrets.to_owned();
        let from = text.floor_char_boundary((at * text.len() as f64) as usize);
        let to = text.floor_char_boundary((from + cut).min(text.len()));
        // A secret whose key itself is broken cannot be told from another value.
        let line = text[..from].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[to..].find('\n').map_or(text.len(), |len| to + len);
        let hits_secret_line = text[line..line_end].contains("canary");
        text.replace_range(from..to, &put);
        if let Err(error) = parse(&text) {
            let mut report = String::new();
            NarratableReportHandler::new().render_report(&mut report, &error).unwrap();
            proptest::prop_assert!(hits_secret_line || !report.contains("canary"), "{}", report);
        }
    }
}
