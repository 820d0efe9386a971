//! A CRM and a finance system kept in agreement: the import, ongoing changes, writes that fail in every
//! way and processes that die at every step.

use std::collections::{BTreeMap, HashSet};

use concord::simulate::{self, By, Kind, Mutation, Options};
use serde_json::Value;

use crate::support::World;

mod api;
mod forward;
mod guards;
mod import;
mod matrix;
mod pages;
mod quotes;
mod restore;
mod settings;
mod sharing;
mod webhooks;

/// Systems that fail quickly, and are soon looked at again.
pub const QUICK: &str = "rate = 10000\ntimeout = \"2s\"\nsettle = \"1s\"";

/// Writes a configuration of the CRM, the finance system and the flow of customers between them.
pub fn configure(world: &World, lines: &str) {
    world.configure(|text| {
        let head = text.split("[owners]").next().unwrap().to_owned();
        let url = world.sim.url();
        let systems = simulate::crm_config(&url) + &simulate::finance_config(&url);
        let flows = simulate::flows_config();
        let delivery = "\n[delivery]\nbackoff = \"50ms\"\nbackoff_max = \"200ms\"\n";
        head + &systems.replace("every = \"1h\"", lines) + &flows + delivery
    });
}

/// A finance system and a CRM without ambiguities.
pub fn plain() -> Options {
    Options { crm_ambiguous: false, ..Options::default() }
}

/// What really happened to identities or contacts through an API.
pub fn written(world: &World, system: &str) -> Vec<Mutation> {
    let all = world.sim.mutations(system).into_iter();
    all.filter(|mutation| mutation.by == By::Api && mutation.kind != Kind::Document).collect()
}

/// Invariants of writes: nothing twice, nothing that the audit does not know, links one to one.
pub async fn nothing_twice(world: &World) {
    let crm = world.sim.rows("crm", "identities");
    let numbers: Vec<&str> = crm.iter().filter_map(|row| row["customerNumber"].as_str()).collect();
    let numbers: Vec<&&str> = numbers.iter().filter(|number| !number.is_empty()).collect();
    let different: HashSet<&&&str> = numbers.iter().collect();
    assert_eq!(different.len(), numbers.len(), "customer numbers of the CRM");
    for column in ["MobileNo", "TelNo"] {
        let finance = world.sim.rows("finance", "contacts");
        let values: Vec<&str> =
            finance.iter().filter_map(|row| row[column].as_str()).filter(|value| !value.is_empty()).collect();
        let different: HashSet<&&str> = values.iter().collect();
        assert_eq!(different.len(), values.len(), "{column} of the finance system");
    }
    let twice = "SELECT COUNT(*) FROM (SELECT source_key FROM link GROUP BY flow, source_key HAVING COUNT(*) > 1 UNION ALL SELECT destination_key FROM link GROUP BY flow, destination_key HAVING COUNT(*) > 1) twice";
    assert_eq!(world.number(twice).await, 0, "links");
    audited(world).await;
}

/// Each mutation of a system's own ledger has exactly one entry of the audit that says it was done, with
/// what was there before and afterwards.
async fn audited(world: &World) {
    // By system and key: what was there before, and afterwards.
    let mut told: BTreeMap<_, Vec<(Option<Value>, Value)>> = BTreeMap::new();
    let sql = "SELECT d.flow || '|' || d.way || '|' || d.target || '|' || COALESCE(d.before_value, 'null') || '|' || COALESCE(a.after_value, 'null') FROM delivery d JOIN audit a ON a.action = 'delivery.confirmed' AND a.subject LIKE '%/' || d.record || ' → %' AND a.after_value = d.after_value WHERE d.state IN ('confirmed', 'verified')";
    for line in world.texts(sql).await {
        let parts: Vec<&str> = line.splitn(5, '|').collect();
        let system = if parts[1] == "forward" { "finance" } else { "crm" };
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let before = Some(json(parts[3])).filter(|value| !value.is_null());
        told.entry((system.to_owned(), parts[2].to_owned())).or_default().push((before, json(parts[4])));
    }
    for system in ["crm", "finance"] {
        for mutation in written(world, system) {
            let key = (system.to_owned(), mutation.key.clone());
            let entries = told.get(&key).unwrap_or_else(|| panic!("nothing in the audit of {mutation:#?}"));
            let name = if system == "crm" { name_of(&mutation.after) } else { text(&mutation.after["Name"]) };
            let fits = entries.iter().filter(|(before, after)| {
                (mutation.kind == Kind::Create) == before.is_none() && same(&text(&after["name"]), &name)
            });
            assert!(fits.count() > 0, "{mutation:#?}\n{entries:#?}");
        }
    }
    let checked = world.run(&["audit", "verify"]).await;
    assert_eq!(checked.code, 0, "{}{}", checked.out, checked.err);
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn name_of(identity: &Value) -> String {
    let (first, last) = (text(&identity["firstName"]), text(&identity["lastName"]));
    let both = format!("{first} {last}").trim().to_owned();
    if both.is_empty() { text(&identity["nickName"]) } else { both }
}

fn same(one: &str, other: &str) -> bool {
    concord::model::text::name_key(one) == concord::model::text::name_key(other)
}
