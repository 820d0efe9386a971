//! The contract of connectors that write contacts: what is written is found again and says the same,
//! and what becomes of a write is told as it is.

use concord::app::App;
use concord::config::Config;
use concord::connect::{Connector, Lookup, Outcome, Row, Stream, Write};
use concord::model::{Contact, Field, Record};
use concord::simulate::{self, Action, Fault, Options, Simulator};
use concord::store::Store;
use concord::sync::Source;

use std::sync::Arc;

struct Bench {
    sim: Simulator,
    app: Arc<App>,
    _folder: tempfile::TempDir,
}

/// The two systems that are written to, with places that both know.
async fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let sim = Simulator::start(Options::default(), None).await.unwrap();
    let database = format!("sqlite:{}", folder.path().join("concord.db").display());
    let systems = simulate::crm_config(&sim.url()) + &simulate::finance_config(&sim.url());
    let systems = systems.replace("every = \"1h\"", "rate = 10000.0\ntimeout = \"20s\"");
    let config = Config::parse(&format!("database = \"{database}\"\n{systems}"), "test", &|_| None).unwrap();
    let app = App::new(config, Store::ready(&database, 0).await.unwrap()).await.unwrap();
    Bench { sim, app, _folder: folder }
}

impl Bench {
    fn system(&self, name: &str) -> (&Source, &'static Stream) {
        let source = self.app.source(name).unwrap();
        (source, source.connector.contacts().unwrap())
    }
}

async fn find(source: &Source, stream: &'static Stream, by: &Lookup) -> Vec<Row> {
    source.connector.find(&source.http, stream, by).await.unwrap()
}

fn contact(source: &Source, stream: &'static Stream, row: &Row) -> Contact {
    match source.connector.read(stream, &row.raw).unwrap() {
        Record::Contact(described) => described.contact,
        other => panic!("{other:?}"),
    }
}

/// Whether all that was sent is there.
#[track_caller]
fn agree(what: &str, sent: &Contact, there: &Contact) {
    for (field, value) in sent.iter() {
        assert!(sent.agrees(there, field, "IR"), "{what}: {field:?} {value} {:?}", there.get(field));
    }
}

fn wished(number: u32) -> Contact {
    Contact::default()
        .with(Field::Number, &format!("100-{number}"))
        .with(Field::Kind, if number.is_multiple_of(2) { "person" } else { "organization" })
        .with(Field::Name, "نمونه آزمایشی | یک\nدو")
        .with(Field::Mobile, &format!("+98 912 000 {number:04}"))
        .with(Field::Telephone, &format!("021-0000{number:04}"))
        .with(Field::NationalId, &format!("۰۰۱۲۳۴{number:04}"))
        .with(Field::Email, &format!("sample{number}@example.test"))
        .with(Field::Address, "خیابان نمونه، پلاک ۵")
        .with(Field::PostalCode, "1234567890")
        .with(Field::Notes, "یادداشت = یک")
}

async fn create(source: &Source, contact: &Contact) -> Outcome {
    source.connector.write(&source.http, &Write::Create { contact, mark: "100-9000" }).await
}

#[tokio::test]
async fn what_is_written_is_found_again_and_says_the_same() {
    let bench = bench().await;
    for (name, number) in [("crm", 9000), ("crm", 9001), ("finance", 9002), ("finance", 9003)] {
        let (source, stream) = bench.system(name);
        let sent = source.connector.holds(&wished(number));
        let trace = source.connector.trace(&sent, None).unwrap();
        assert!(find(source, stream, &trace).await.is_empty(), "{name}");
        let Outcome::Confirmed { key, .. } = create(source, &sent).await else {
            panic!("{name}: not written")
        };
        let by = |field| Lookup::Field(field, wished(number).get(field).unwrap().to_owned());
        for by in [trace, Lookup::Key(key.clone()), by(Field::NationalId), by(Field::Mobile)] {
            let rows = find(source, stream, &by).await;
            assert_eq!(rows.len(), 1, "{name}: {by:?}");
            assert_eq!(rows[0].key.as_deref(), Some(key.as_str()), "{name}: {by:?}");
            agree(name, &sent, &contact(source, stream, &rows[0]));
        }
        let row = find(source, stream, &Lookup::Key(key.clone())).await.remove(0);
        let before = contact(source, stream, &row);
        let after =
            before.clone().with(Field::Mobile, "09120009999").with(Field::Email, "other@example.test");
        let write = Write::Update {
            key: &key,
            now: &row.raw,
            contact: &after,
            fields: &[Field::Mobile, Field::Email],
            mark: "100-9000",
        };
        let outcome = source.connector.write(&source.http, &write).await;
        assert!(
            matches!(&outcome, Outcome::Confirmed { key: same, .. } if *same == key),
            "{name}: {outcome:?}"
        );
        let there = contact(source, stream, &find(source, stream, &Lookup::Key(key.clone())).await[0]);
        agree(name, &after, &there);
        agree(name, &there, &after);
        // The next one may have this number again.
        let write =
            Write::Update { contact: &before, now: &row.raw, key: &key, fields: &[Field::Mobile], mark: "" };
        assert!(
            matches!(source.connector.write(&source.http, &write).await, Outcome::Confirmed { .. }),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_second_one_is_refused_in_words_that_name_nobody() {
    let bench = bench().await;
    for name in ["crm", "finance"] {
        let (source, _) = bench.system(name);
        let sent = source.connector.holds(&wished(9000));
        assert!(matches!(create(source, &sent).await, Outcome::Confirmed { .. }), "{name}");
        let Outcome::Rejected(message) = create(source, &sent).await else { panic!("{name}: not refused") };
        assert_eq!(message.id, "connect-write-refused");
        assert!(message.args["reason"].starts_with(": "), "{message}");
        for told in ["09120009000", "نمونه", "sample9000"] {
            assert!(!message.to_string().contains(told), "{name}: {message}");
        }
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_uncertain_and_can_be_traced() {
    let bench = bench().await;
    for (name, path) in [("crm", "person/create"), ("finance", "SaveFormData")] {
        for (number, action, is_there) in
            [(9000, Action::DropAfter, 1), (9002, Action::DropBefore, 0), (9004, Action::HtmlAfter, 1)]
        {
            let (source, stream) = bench.system(name);
            let sent = source.connector.holds(&wished(number));
            bench.sim.clear_ledger();
            bench.sim.set_faults(vec![Fault::new(name, path, action)]);
            let outcome = create(source, &sent).await;
            bench.sim.set_faults(Vec::new());
            assert!(matches!(outcome, Outcome::Uncertain(_)), "{name} {number}: {outcome:?}");
            let writes = bench.sim.ledger(name).iter().filter(|entry| entry.path.contains(path)).count();
            assert_eq!(writes, 1, "{name} {number}: sent once");
            let trace = source.connector.trace(&sent, None).unwrap();
            assert_eq!(find(source, stream, &trace).await.len(), is_there, "{name} {number}");
        }
    }
}

#[tokio::test]
async fn a_session_that_ends_is_no_write_and_what_is_for_later_says_so() {
    let bench = bench().await;
    for (name, path) in [("crm", "person/create"), ("finance", "SaveFormData")] {
        let (source, _) = bench.system(name);
        bench.sim.set_faults(vec![Fault::new(name, path, Action::Expire)]);
        let outcome = create(source, &source.connector.holds(&wished(9000))).await;
        assert!(matches!(outcome, Outcome::Confirmed { .. }), "{name}: {outcome:?}");
        let busy = serde_json::json!({ "code": 429, "retry_after": "0" });
        bench.sim.set_faults(vec![Fault::new(name, path, Action::Status).value(busy)]);
        let outcome = create(source, &source.connector.holds(&wished(9002))).await;
        assert!(matches!(outcome, Outcome::Later(..)), "{name}: {outcome:?}");
        bench.sim.set_faults(Vec::new());
    }
}
