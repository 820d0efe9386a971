//! From the CRM on: an edit there becomes at most one write in the finance system.

use serde_json::json;

use super::{QUICK, configure, nothing_twice, plain, written};
use crate::support::{PATIENCE, World, on_both_with, until};

/// The identity and the contact of some link.
async fn linked(world: &World) -> (String, i64) {
    let links = world.json(0, &["links", "list", "customers"]).await;
    let link = &links["items"][0];
    (
        link["source_key"].as_str().unwrap().to_owned(),
        link["destination_key"].as_str().unwrap().parse().unwrap(),
    )
}

/// Imported, and in agreement.
async fn live(world: &World) {
    configure(world, QUICK);
    world.json(0, &["import", "customers", "--yes"]).await;
    world.json(0, &["apply", "customers", "--yes"]).await;
    world.sim.clear_mutations();
}

/// A flow that writes nothing by itself: its links come from an earlier engine.
async fn new(world: &World) -> (String, i64) {
    configure(world, QUICK);
    let known = world.sim.finance().expected().into_iter();
    let known: Vec<(String, i64)> =
        known.filter_map(|one| Some((one.identities.first()?.clone(), one.code))).collect();
    let lines = known.iter().map(|(crm, finance)| format!("customers,{crm},{finance}\n"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("links.csv");
    std::fs::write(&file, format!("flow,source_key,destination_key\n{}", lines.collect::<String>())).unwrap();
    let taken = world.json(0, &["links", "import", file.to_str().unwrap()]).await;
    assert_eq!(taken["linked"], known.len(), "{taken:#}");
    world.json(0, &["apply", "customers", "--yes"]).await;
    world.sim.clear_mutations();
    known[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_each_field_and_is_applied_to_nothing_else() {
    on_both_with(&plain(), async |world| {
        let (crm, finance) = new(world).await;
        let empty = world.json(0, &["plan", "customers"]).await;
        assert_eq!(empty["changes"], json!([]), "{empty:#}");

        assert!(world.sim.crm().edit(&crm, &json!({ "email": "sample@example.test" })));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plan.json");
        let plan = world.json(0, &["plan", "customers", "--out", file.to_str().unwrap()]).await;
        let change = &plan["changes"][0];
        assert_eq!((&change["action"], &change["source"]), (&json!("update"), &json!(crm)), "{plan:#}");
        assert_eq!(change["fields"][0]["name"], "email");
        assert_eq!(change["fields"][0]["to"], "sample@example.test");
        assert!(written(world, "finance").is_empty());

        let done = world.json(0, &["apply", "--plan", file.to_str().unwrap(), "--yes"]).await;
        assert_eq!((&done["written"], &done["left_out"]), (&json!(1), &json!(0)), "{done:#}");
        let contact = world.sim.finance().contact(finance).unwrap();
        assert_eq!(contact["Email"], "sample@example.test");
        assert_eq!(written(world, "finance").len(), 1);
        nothing_twice(world).await;

        // Applied once more, or after somebody edited the other side, it writes nothing.
        let done = world.json(0, &["apply", "--plan", file.to_str().unwrap(), "--yes"]).await;
        assert_eq!(done["written"], 0, "{done:#}");
        assert!(world.sim.crm().edit(&crm, &json!({ "email": "other@example.test" })));
        let file = folder.path().join("second.json");
        world.json(0, &["plan", "customers", "--out", file.to_str().unwrap()]).await;
        assert!(world.sim.finance().edit(finance, &json!({ "Email": "third@example.test" })));
        let done = world.json(0, &["apply", "--plan", file.to_str().unwrap(), "--yes"]).await;
        assert_eq!((&done["written"], &done["left_out"]), (&json!(0), &json!(1)), "{done:#}");
        assert_eq!(written(world, "finance").len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_carried_over_once_by_polling() {
    on_both_with(&plain(), async |world| {
        live(world).await;
        configure(world, &format!("{QUICK}\nevery = \"1s\""));
        let (crm, finance) = linked(world).await;
        let serving = world.serve().await;
        assert!(world.sim.crm().edit(&crm, &json!({ "email": "one@example.test" })));
        assert!(world.sim.crm().edit(&crm, &json!({ "email": "two@example.test" })));
        let email = || world.sim.finance().contact(finance).unwrap()["Email"].clone();
        until("the edit is there", PATIENCE, async || (email() == "two@example.test").then_some(())).await;
        // Both are read a few times more: nothing else happens.
        let runs = world.number("SELECT COUNT(*) FROM run").await;
        until("four more reads", PATIENCE, async || {
            (world.number("SELECT COUNT(*) FROM run WHERE finished_at IS NOT NULL").await >= runs + 4)
                .then_some(())
        })
        .await;
        assert_eq!(serving.terminate().await.code, 0);
        assert_eq!(written(world, "finance").len(), 1);
        assert!(written(world, "crm").is_empty());
        nothing_twice(world).await;
    })
    .await;
}
