//! Everything in which bases differ, alone and together: the mirror ends the same, or says why not.

use concord::simulate::Trap;

use super::{configure, of};
use crate::api::server::Server;
use crate::pull::{run, stage};
use crate::support::{World, servers};

/// What a base that denies this leaves a mirror without; the run says so.
const DENIES: [Trap; 1] = [Trap::BusinessError];

/// Those that make rows come another way: whole, in no order, in small pages.
const WAYS: [Trap; 3] = [Trap::FilterForbidden, Trap::Unordered, Trap::LongPages];

#[tokio::test(flavor = "multi_thread")]
async fn every_trap_alone_and_all_together_end_in_the_same_state() {
    for server in servers() {
        let alone = World::new(server.as_deref(), &of(60)).await;
        configure(&alone, "page_size = 500");
        alone.sync(0, &["shop"]).await;
        let expected = alone.dump().await;
        alone.end().await;
        let together: Vec<Trap> = Trap::ALL.into_iter().filter(|trap| !DENIES.contains(trap)).collect();
        // What a base refuses is the connector's business: the other database sees the ways that
        // rows come in, not each trap.
        let alone = Trap::ALL.into_iter().filter(|trap| server.is_none() || WAYS.contains(trap));
        for traps in alone.map(|trap| vec![trap]).chain([together]) {
            let names: Vec<String> = traps.iter().map(|trap| trap.name()).collect();
            eprintln!("── with {}", names.join(", "));
            let world = World::new(server.as_deref(), &of(60)).await;
            configure(&world, "page_size = 500\ntimeout = \"20s\"");
            world.sim.set_shop_traps(traps.iter().copied());
            if traps.iter().any(|trap| DENIES.contains(trap)) {
                let document = world.sync(3, &["shop"]).await;
                assert_eq!(run(&document, "shop")["status"], "incomplete");
                let told = run(&document, "shop")["error"].as_str().unwrap().to_owned();
                assert!(told.contains("shop") && told.contains("500"), "{names:?}: {told}");
                world.end().await;
                continue;
            }
            if traps.len() > 1 {
                // Rows that change places with every request and may not be ordered: nobody can prove
                // that all of them were seen.
                let document = world.sync(3, &["shop"]).await;
                assert_eq!(run(&document, "shop")["status"], "incomplete", "{names:?}");
                let told = run(&document, "shop")["error"].as_str().unwrap().to_owned();
                assert!(told.contains("shop"), "{told}");
                world.end().await;
                continue;
            }
            let document = world.sync(0, &["shop"]).await;
            assert_eq!(run(&document, "shop")["status"], "succeeded", "{names:?}");
            if traps == [Trap::FilterForbidden] {
                let way = "read whole and chosen here, because the source refused the condition";
                assert_eq!(stage(&document, "shop", "purchases")["source"]["way"], "unfiltered");
                let told = world.run(&["sync", "shop"]).await;
                assert!(told.out.contains(&format!("shop/purchases: {way}")), "{}", told.out);
                world.json(0, &["verify", "--phone", world.sim.shop().reference_phone()]).await;
                let server = Server::start(&world).await;
                let page = server.call("viewer", "GET", "/runs/1", None).await;
                assert!(String::from_utf8(page.body).unwrap().contains(way));
                server.end().await;
            }
            let mut dump = world.dump().await;
            if traps.contains(&Trap::NoCode) {
                // Another number is on the cards then; people, money and points are the same.
                dump.retain(|table, _| ["person", "entry"].contains(table));
                let same = dump.iter().all(|(table, rows)| expected.get(table) == Some(rows));
                assert!(same, "{names:?}");
            } else {
                crate::support::dump::same(&names.join(", "), &expected, &dump);
            }
            world.end().await;
        }
    }
}
