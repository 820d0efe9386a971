//! After the reading: customers brought up to date whose records changed, and names that more than
//! one client answers to separated.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::matching::view;
use super::{Stop, Turn, now, seen};
use crate::connect::{Connector, Table};
use crate::model::customer::View;
use crate::model::{Message, OwnerRules};
use crate::store::case::{self, NewCase};
use crate::store::customer;
use crate::store::{Store, run, search};

/// Customers brought up to date per transaction.
const CHUNK: usize = 2000;
/// So many touched customers make a load: it is worth a look at the tables first.
const MANY: usize = 5000;

/// How long this may take after somebody asked the run to stop. What is left then is for the next
/// run of the system.
const LAST_CALL: Duration = Duration::from_secs(1);

/// Brings every customer up to date whose records changed since that was last done.
pub async fn customers(turn: &Turn<'_>, rules: &OwnerRules) -> Result<(), Stop> {
    let (store, system) = (turn.store, turn.source.name.as_str());
    let mut pages = store.touched(system).await?;
    if pages.is_empty() {
        return Ok(());
    }
    separate_collisions(turn).await?;
    // Separating may have touched more.
    pages = store.touched(system).await?;
    let touched: BTreeSet<i64> = pages.iter().flat_map(|(_, packed)| seen::unpack(packed)).collect();
    let touched: Vec<i64> = touched.into_iter().collect();
    let began = Instant::now();
    if touched.len() >= MANY {
        store.look_at_tables().await?;
    }
    let mut done = 0;
    let mut ahead = Some(views(store, rules, touched.chunks(CHUNK).next()));
    for (index, chunk) in touched.chunks(CHUNK).enumerate() {
        let Some(computing) = ahead.take() else { break };
        if turn.is_cancelled() && began.elapsed() > LAST_CALL {
            return Err(Stop::Cancelled);
        }
        let computed = computing.await;
        // The next customers are added up while these are written.
        let next = touched.chunks(CHUNK).nth(index + 1);
        ahead = next.map(|next| views(store, rules, Some(next)));
        let computed = computed.map_err(|error| Stop::Internal(error.into()))??;
        done += chunk.len();
        let mut tx = store.begin().await?;
        customer::write(&mut tx, computed).await?;
        let progress = 90 + (done * 9 / touched.len()) as i64;
        run::touch(&mut tx, turn.claim, progress, now()).await?;
        tx.commit().await?;
    }
    let mut tx = store.begin().await?;
    run::touch(&mut tx, turn.claim, 99, now()).await?;
    customer::summarize(&mut tx).await?;
    tx.commit().await?;
    search::tidy_up(&store.db).await?;
    let pages: Vec<[i64; 4]> = pages.into_iter().map(|(page, _)| page).collect();
    Ok(store.untouch(&pages).await?)
}

fn views(
    store: &Store,
    rules: &OwnerRules,
    customers: Option<&[i64]>,
) -> tokio::task::JoinHandle<Result<Vec<View>>> {
    let (store, rules) = (store.clone(), rules.clone());
    let customers = customers.unwrap_or_default().to_vec();
    tokio::spawn(async move { compute(&store, &rules, &customers).await })
}

/// These customers as their records make them.
pub async fn compute(store: &Store, rules: &OwnerRules, customers: &[i64]) -> Result<Vec<View>> {
    let (parties, accounts) = customer::parts(store, customers).await?;
    let mut parts: HashMap<i64, (Vec<_>, Vec<_>)> = HashMap::with_capacity(customers.len());
    for party in parties {
        parts.entry(party.customer).or_default().0.push(party);
    }
    for account in accounts {
        parts.entry(account.customer).or_default().1.push(account);
    }
    let none = (Vec::new(), Vec::new());
    Ok(customers
        .iter()
        .map(|id| {
            let (parties, accounts) = parts.get(id).unwrap_or(&none);
            view(*id, parties, accounts, rules)
        })
        .collect())
}

/// Two clients whose names for their accounts are the same: each becomes a customer of its own, the
/// accounts stay with neither, and a case asks whose they are. Never a guess.
async fn separate_collisions(turn: &Turn<'_>) -> Result<(), Stop> {
    let (store, system) = (turn.store, turn.source.name.as_str());
    for stream in turn.source.connector.streams().iter().filter(|s| s.table == Table::Party) {
        let stream_id = store.stream(system, stream.name).await?;
        let mut named = BTreeMap::<String, Vec<(i64, String, i64)>>::new();
        for (name, id, key, customer) in store.collisions(stream_id).await? {
            named.entry(name).or_default().push((id, key, customer));
        }
        for (name, clients) in named {
            let shared = store.customer_by_key(system, &name).await?;
            let mut separated = true;
            for (_, key, customer) in &clients {
                separated &= store.customer_by_key(system, key).await? == Some(*customer);
            }
            if separated {
                continue;
            }
            let first = store.ids("customer", clients.len() as i64).await?;
            let now = now();
            let mut tx = store.begin().await?;
            let mut touched: Vec<i64> = shared.into_iter().collect();
            for (index, (party, key, _)) in clients.iter().enumerate() {
                let own = customer::find(&mut tx, system, &[key]).await?.remove(key);
                let own = match own {
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
                .with("name", &name)
                .with("clients", keys.join(", "));
            let case = NewCase {
                kind: "uid_collision",
                system,
                subject: &name,
                run: turn.claim.run,
                message,
                detail: serde_json::json!({ "stream": stream.name, "clients": keys }),
                choices: &keys,
            };
            case::raise(&mut tx, &case, now).await?;
            let checkpoint = crate::store::page::Checkpoint {
                position: i64::MAX,
                pass: 0,
                number: first,
                rows: 0,
                digest: None,
                seen: Vec::new(),
                touched: Some(seen::pack(touched)),
            };
            crate::store::page::store(&mut tx, turn.claim, checkpoint, now).await?;
            run::touch(&mut tx, turn.claim, 0, now).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}
