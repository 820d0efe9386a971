//! The guards of the write protocol, held against the database itself: whoever was taken over, comes too late
//! or from another state changes nothing.

use concord::model::flow::{State, Way};
use concord::model::{Contact, Content, Field, Message};
use concord::store::delivery::{self, Delivery, LEASE, Lease, NewDelivery, Prepared, Step};

use crate::support::{World, on_both};

/// Some moment.
const NOW: i64 = 1_000_000_000;

/// A delivery of this record that waits.
async fn waiting(world: &World, record: &str) -> Delivery {
    let new = NewDelivery {
        flow: "customers",
        way: Way::Forward,
        record,
        action: "create",
        reason: "edit",
        run: None,
        asked_by: "flow",
        said: None,
        expects: None,
    };
    let mut tx = world.store.begin().await.unwrap();
    assert!(delivery::queue(&mut tx, &new, NOW).await.unwrap());
    tx.commit().await.unwrap();
    world.store.deliveries_of("customers", Way::Forward, record).await.unwrap().pop().unwrap()
}

async fn seen(world: &World, id: i64) -> Delivery {
    world.store.delivery(id).await.unwrap().unwrap()
}

async fn claim(world: &World, id: i64, engine: i64, now: i64) -> Lease {
    let seen = seen(world, id).await;
    world.store.claim_delivery(&seen, engine, now).await.unwrap().unwrap()
}

/// Something that is done with a delivery.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Try {
    Prepare,
    Send,
    PutBack,
    Step(State, State),
}

/// Tries it with this right; whether it was done.
async fn done(world: &World, lease: Lease, what: Try, now: i64) -> bool {
    let payload = Content::from(Contact::default().with(Field::Name, "Sample"));
    let message = Message::new("push-moved");
    let mut tx = world.store.begin().await.unwrap();
    let done = match what {
        Try::Prepare => {
            let prepared = Prepared {
                action: "create",
                target: None,
                payload: &payload,
                before: None,
                mark: None,
                wished: None,
                fields: &[],
                said: None,
            };
            delivery::prepare(&mut tx, lease, &prepared, now).await
        }
        Try::Send => delivery::send(&mut tx, lease, now, now + LEASE).await,
        Try::PutBack => delivery::put_back(&mut tx, lease, None, &message, 0, now).await,
        Try::Step(from, to) => delivery::step(&mut tx, lease, &Step::new(from, to), now).await,
    };
    tx.commit().await.unwrap();
    done.unwrap()
}

/// Everything that can be tried.
fn everything() -> Vec<Try> {
    let from = [State::Pending, State::Claimed, State::Prepared, State::Sent, State::Uncertain];
    let to =
        [State::Pending, State::Prepared, State::Uncertain, State::Confirmed, State::Rejected, State::Held];
    let steps = from.into_iter().flat_map(|from| to.map(|to| Try::Step(from, to)));
    [Try::Prepare, Try::Send, Try::PutBack].into_iter().chain(steps).collect()
}

/// Nothing of what may not be done is done with this right, and nothing changes.
async fn refused(world: &World, lease: Lease, may: &[Try], now: i64, what: &str) {
    let before = seen(world, lease.id).await;
    for one in everything() {
        let from_here = matches!(one, Try::Step(from, _) if may.contains(&Try::Step(from, from)));
        if !may.contains(&one) && !from_here {
            assert!(!done(world, lease, one, now).await, "{what}: {one:?} was done");
            assert_eq!(seen(world, lease.id).await, before, "{what}: {one:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_taken_over_changes_nothing() {
    on_both(async |world| {
        let first = waiting(world, "one").await;
        let id = first.id;
        let stale = claim(world, id, 1, NOW).await;
        assert_eq!(world.store.claim_delivery(&first, 2, NOW).await.unwrap(), None, "claimed by the first");
        let later = NOW + LEASE + 1;
        let lease = claim(world, id, 2, later).await;
        let here = |state| Try::Step(state, state);

        // In each state: the first may do nothing any more, the second only what follows.
        for (may, next) in [
            (vec![Try::Prepare, Try::PutBack, here(State::Claimed)], Try::Prepare),
            (vec![Try::Send, here(State::Prepared)], Try::Send),
            (vec![here(State::Sent)], Try::Step(State::Sent, State::Uncertain)),
            (vec![here(State::Uncertain)], Try::Step(State::Uncertain, State::Confirmed)),
            (Vec::new(), Try::Prepare),
        ] {
            refused(world, stale, &[], later, &format!("taken over, before {next:?}")).await;
            refused(world, lease, &may, later, &format!("before {next:?}")).await;
            assert_eq!(done(world, lease, next, later).await, !may.is_empty(), "{next:?}");
        }
        let end = seen(world, id).await;
        assert_eq!((end.state, end.epoch, end.attempt), (State::Confirmed, lease.epoch, 1));
        assert!(!world.store.orphan_delivery(&first, later).await.unwrap());

        // Nothing is sent by whoever has waited until the lease ran out.
        let id = waiting(world, "two").await.id;
        let lease = claim(world, id, 1, NOW).await;
        assert!(done(world, lease, Try::Prepare, NOW).await);
        assert!(!done(world, lease, Try::Send, NOW + LEASE).await, "the lease has run out");
        assert!(done(world, lease, Try::Send, NOW + LEASE - 1).await);
        // It is an orphan's as it was seen, and nobody else's.
        let as_sent = seen(world, id).await;
        assert!(world.store.orphan_delivery(&as_sent, later).await.unwrap());
        assert!(!world.store.orphan_delivery(&as_sent, later).await.unwrap());
        refused(world, lease, &[], NOW, "an orphan").await;
    })
    .await;
}
