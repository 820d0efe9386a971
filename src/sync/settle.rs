//! After the reading: customers brought up to date whose records changed, and names that more than
//! one client answers to separated.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinHandle;

use super::matching::{contact, shop, view};
use super::owners::OwnerSettings;
use super::seen::{self, Seen};
use super::{Stop, Turn, now};
use crate::connect::{Connector, Table};
use crate::model::customer::{ContactPart, Moved, Name, Part, ShopPart, View};
use crate::model::{Message, SystemRules};
use crate::store::case::{self, NewCase};
use crate::store::customer;
use crate::store::indexes::{self, Of};
use crate::store::{Store, run};

/// Customers brought up to date per transaction.
const CHUNK: usize = 2000;
/// So many touched customers make a load: it is worth a look at the tables first.
const MANY: usize = 5000;

/// How long this may take after somebody asked the run to stop. What is left then is for the next
/// run of the system.
const LAST_CALL: Duration = Duration::from_secs(1);

/// Brings every customer of the run's system up to date. When somebody asks the run to stop it gives
/// way, and what is left is for the next run.
pub async fn customers(turn: &Turn<'_>, rules: &SystemRules) -> Result<(), Stop> {
    separate_collisions(turn).await?;
    place_ownerless_cards(turn).await?;
    bring_up_to_date(turn.store, &turn.source.name, rules, Some(turn)).await
}

/// Adds up every customer of a system again whose records changed since that was last done: within a
/// run, which sees its progress and may stop it, or after a person's decision. What is not done keeps
/// its note.
pub async fn bring_up_to_date(
    store: &Store,
    system: &str,
    rules: &SystemRules,
    turn: Option<&Turn<'_>>,
) -> Result<(), Stop> {
    let began = Instant::now();
    let notes = store.touched(system).await?;
    let touched = unpacked(&notes);
    if touched.is_empty() {
        return Ok(());
    }
    indexes::make(&store.db, Of::Records).await?;
    if touched.len() >= MANY {
        store.look_at_tables().await?;
        indexes::make_way_for_customers(&store.db, touched.len()).await?;
    }
    let mut done = 0;
    let mut chunks = touched.chunks(CHUNK);
    let mut ahead = chunks.next().map(|chunk| views(store, rules, chunk));
    while let Some(computing) = ahead.take() {
        let computed = computing.await.map_err(|error| Stop::Internal(error.into()))??;
        // The next customers are added up while these are written.
        ahead = chunks.next().map(|chunk| views(store, rules, chunk));
        done += computed.len();
        let mut tx = store.begin().await?;
        if let Some(turn) = turn {
            if turn.is_cancelled() && began.elapsed() > LAST_CALL {
                return Err(Stop::Cancelled);
            }
            let progress = turn.progress_of_customers(done, touched.len());
            run::touch(&mut tx, turn.claim, progress, now()).await?;
        }
        customer::write(&mut tx, computed).await?;
        tx.commit().await?;
        crate::failpoint("customers after commit");
    }
    // Before the notes go: an index that is not there is made by whoever finds them.
    tokio::try_join!(indexes::make(&store.db, Of::Lists), indexes::make(&store.db, Of::Searches))?;
    let mut tx = store.begin().await?;
    customer::summarize(&mut tx, system).await?;
    customer::untouch(&mut tx, &notes.into_iter().map(|(note, _)| note).collect::<Vec<_>>()).await?;
    Ok(tx.commit().await?)
}

/// Brings customers up to date whose balance of points has changed by itself: a row that lay in the
/// future counts now.
pub async fn points_due(store: &Store, owners: &OwnerSettings) -> Result<()> {
    for (system, _) in owners.systems.iter().filter(|(_, rules)| rules.points.is_some()) {
        let due = store.points_due(system, now()).await?;
        if due.is_empty() {
            continue;
        }
        let mut tx = store.begin().await?;
        customer::touch(&mut tx, system, seen::pack(due)).await?;
        tx.commit().await?;
        let rules = owners.rules(system, &store.owner_rules().await?);
        if let Err(Stop::Internal(error)) = bring_up_to_date(store, system, &rules, None).await {
            return Err(error);
        }
    }
    Ok(())
}

/// The customers of these notes, each once, in order.
fn unpacked(notes: &[(i64, Vec<u8>)]) -> Vec<i64> {
    let mut customers = Seen::default();
    notes.iter().for_each(|(_, packed)| customers.add_packed(packed));
    customers.ids()
}

fn views(store: &Store, rules: &SystemRules, customers: &[i64]) -> JoinHandle<Result<Vec<View>>> {
    let (store, rules, customers) = (store.clone(), rules.clone(), customers.to_vec());
    tokio::spawn(async move { compute(&store, &rules, &customers).await })
}

/// These customers, all of one system, as their records make them now.
pub async fn compute(store: &Store, rules: &SystemRules, customers: &[i64]) -> Result<Vec<View>> {
    if rules.points.is_some() {
        let text = customer::shop::parts(store, customers, now()).await?;
        let (names, parts, moved) = customer::shop::read_parts(&text)?;
        let of: HashMap<i64, &[ShopPart<'_>]> =
            parts.chunk_by(|a, b| a.customer == b.customer).map(|own| (own[0].customer, own)).collect();
        let moved: HashMap<i64, &Moved<'_>> = moved.iter().map(|moved| (moved.customer, moved)).collect();
        let own = |name: &Name<'_>| {
            let parts = of.get(&name.id).copied().unwrap_or_default();
            shop::view(*name, parts, moved.get(&name.id).copied(), rules)
        };
        return Ok(names.iter().map(own).collect());
    }
    if rules.contacts {
        let text = customer::contact::parts(store, customers).await?;
        let (names, parts) = customer::contact::read_parts(&text)?;
        let of: HashMap<i64, &ContactPart<'_>> = parts.iter().map(|part| (part.customer, part)).collect();
        return Ok(names.iter().map(|name| contact::view(*name, of.get(&name.id).copied(), rules)).collect());
    }
    let text = customer::parts(store, customers).await?;
    let (names, parts) = customer::read_parts(&text)?;
    let of: HashMap<i64, &[Part<'_>]> =
        parts.chunk_by(|a, b| a.customer == b.customer).map(|own| (own[0].customer, own)).collect();
    Ok(names
        .iter()
        .map(|name| view(*name, of.get(&name.id).copied().unwrap_or_default(), &rules.owners))
        .collect())
}

/// Cards that name no owner belong to the one customer that has their phone, else to nobody but
/// themselves.
async fn place_ownerless_cards(turn: &Turn<'_>) -> Result<(), Stop> {
    let (store, system) = (turn.store, turn.source.name.as_str());
    for stream in turn.source.connector.streams().iter().filter(|s| s.table == Table::Card) {
        let stream_id = store.stream(system, stream.name).await?;
        for card in store.ownerless_cards(system, stream.name, stream_id).await? {
            let to = card.by_phone.unwrap_or(card.own);
            if to == card.customer {
                continue;
            }
            let name = stream.own_name(&card.key);
            let mut tx = store.begin().await?;
            customer::move_card(&mut tx, system, &name, &card.key, card.customer, to).await?;
            customer::shop::give_card(&mut tx, card.id, to).await?;
            customer::touch(&mut tx, system, seen::pack(vec![card.customer, to])).await?;
            run::touch(&mut tx, turn.claim, 0, now()).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

/// Two clients whose names for their accounts are the same: each becomes a customer of its own, the
/// accounts stay with neither, and a case asks whose they are. Never a guess.
async fn separate_collisions(turn: &Turn<'_>) -> Result<(), Stop> {
    let (store, system) = (turn.store, turn.source.name.as_str());
    let touched = unpacked(&store.touched(system).await?);
    if touched.is_empty() {
        return Ok(());
    }
    indexes::make(&store.db, Of::Records).await?;
    for stream in turn.source.connector.streams().iter().filter(|s| s.table == Table::Party) {
        let stream_id = store.stream(system, stream.name).await?;
        for name in store.names_in_question(system, stream_id, &touched).await? {
            let clients = store.named(stream_id, &name).await?;
            let mut separated = true;
            for (_, key, customer) in &clients {
                separated &= store.customer_by_key(system, key).await? == Some(*customer);
            }
            if clients.len() > 1 && !separated {
                separate(turn, stream.name, &name, &clients).await?;
            }
        }
    }
    Ok(())
}

/// Gives each of these clients a customer of its own.
async fn separate(
    turn: &Turn<'_>,
    stream: &str,
    name: &str,
    clients: &[(i64, String, i64)],
) -> Result<(), Stop> {
    let (store, system) = (turn.store, turn.source.name.as_str());
    let shared = store.customer_by_key(system, name).await?;
    let first = store.ids("customer", clients.len() as i64).await?;
    let now = now();
    let mut tx = store.begin().await?;
    let mut touched: Vec<i64> = shared.into_iter().collect();
    for (index, (party, key, _)) in clients.iter().enumerate() {
        let own = match customer::find(&mut tx, system, &[key]).await?.remove(key.as_str()) {
            Some(own) => own,
            None => {
                let own = first + index as i64;
                customer::create(&mut tx, system, &[(own, key)]).await?;
                own
            }
        };
        customer::move_party(&mut tx, *party, own).await?;
        touched.push(own);
    }
    let keys: Vec<&str> = clients.iter().map(|(_, key, _)| key.as_str()).collect();
    let message = Message::new("case-uid-collision")
        .with("system", system)
        .with("name", name)
        .with("clients", keys.join(", "));
    let case = NewCase {
        kind: "uid_collision",
        system,
        subject: name,
        run: Some(turn.claim.run),
        message,
        detail: serde_json::json!({ "stream": stream, "clients": keys }),
        choices: &keys,
    };
    case::raise(&mut tx, &case, now).await?;
    customer::touch(&mut tx, system, seen::pack(touched)).await?;
    run::touch(&mut tx, turn.claim, 0, now).await?;
    tx.commit().await?;
    Ok(())
}
