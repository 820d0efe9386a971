//! The addresses under `/_sim`, by which the simulator is steered and looked at while it runs.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::server::World;
use super::{AnyTrap, Crm, Fault, Finance, Shop, Webhooks};
use super::{onec, payamgostar, siagh};

/// All of them.
pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/_sim/faults", get(pending).post(set_faults))
        .route("/_sim/change", post(change_rows))
        .route("/_sim/edit", post(edit))
        .route("/_sim/ledger", get(ledger))
        .route("/_sim/mutations", get(mutations))
        .route("/_sim/webhooks", get(webhooks).post(set_webhooks))
        .route("/_sim/traps", get(traps).post(set_traps))
}

async fn pending(State(world): State<Arc<World>>) -> Response {
    Json(world.faults.pending()).into_response()
}

async fn set_faults(State(world): State<Arc<World>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Vec<Fault>>(&body) {
        Ok(faults) => {
            if let Some(why) = faults.iter().find_map(|fault| world.never(fault)) {
                return refused(&why);
            }
            world.faults.set(faults);
            Json(world.faults.pending()).into_response()
        }
        Err(error) => refused(&error.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    system: String,
    stream: String,
    percent: f64,
}

async fn change_rows(State(world): State<Arc<World>>, body: Bytes) -> Response {
    let change: Change = match serde_json::from_slice(&body) {
        Ok(change) => change,
        Err(error) => return refused(&error.to_string()),
    };
    match world.change(&change.system, &change.stream, change.percent) {
        Some(changed) => Json(json!({ "changed": changed })).into_response(),
        None => {
            let streams = world.systems.iter().flat_map(|system| {
                system.streams.iter().map(|stream| format!("{}/{}", system.name, stream.shape.name))
            });
            let lists = Shop::STREAMS.iter().map(|stream| format!("{}/{stream}", onec::NAME));
            let objects = Crm::STREAMS.iter().map(|stream| format!("{}/{stream}", payamgostar::NAME));
            let contacts = Finance::STREAMS.iter().map(|stream| format!("{}/{stream}", siagh::NAME));
            let streams = streams.chain(lists).chain(objects).chain(contacts);
            refused(&format!(
                "no such system or stream; there are {}",
                streams.collect::<Vec<_>>().join(", ")
            ))
        }
    }
}

async fn traps(State(world): State<Arc<World>>) -> Response {
    let shop = world.shop.traps().into_iter().map(|trap| trap.name());
    let office = world.office_traps.list().into_iter().map(|trap| trap.name());
    Json(shop.chain(office).collect::<Vec<_>>()).into_response()
}

async fn set_traps(State(world): State<Arc<World>>, body: Bytes) -> Response {
    let names: Vec<String> = match serde_json::from_slice(&body) {
        Ok(names) => names,
        Err(error) => return refused(&error.to_string()),
    };
    match names.iter().map(|name| name.parse()).collect::<Result<Vec<AnyTrap>, String>>() {
        Ok(wanted) => {
            let (shop, office) = AnyTrap::apart(wanted);
            world.shop.set_traps(shop);
            world.office_traps.set(office);
            traps(State(world)).await
        }
        Err(why) => refused(&why),
    }
}

#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    system: String,
}

async fn ledger(State(world): State<Arc<World>>, Query(which): Query<Which>) -> Response {
    Json(world.ledger.of(&which.system)).into_response()
}

async fn mutations(State(world): State<Arc<World>>, Query(which): Query<Which>) -> Response {
    Json(world.mutations.of(&which.system)).into_response()
}

async fn webhooks(State(world): State<Arc<World>>) -> Response {
    Json(world.outbox.sent()).into_response()
}

async fn set_webhooks(State(world): State<Arc<World>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Option<Webhooks>>(&body) {
        Ok(Some(webhooks)) if webhooks.parts().is_none() => {
            refused("url is not like http://127.0.0.1:8080/path")
        }
        Ok(webhooks) => {
            world.outbox.set(webhooks);
            Json(json!({})).into_response()
        }
        Err(error) => refused(&error.to_string()),
    }
}

/// What somebody who works in CRM or finance does: with a key something that is there is changed, or
/// deleted, without one something is added.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    system: String,
    stream: String,
    #[serde(default)]
    key: Value,
    #[serde(default)]
    fields: Value,
    #[serde(default)]
    delete: bool,
}

async fn edit(State(world): State<Arc<World>>, body: Bytes) -> Response {
    let edit: Edit = match serde_json::from_slice(&body) {
        Ok(edit) => edit,
        Err(error) => return refused(&error.to_string()),
    };
    let key = match &edit.key {
        Value::Null => None,
        Value::String(key) => Some(key.clone()),
        key => Some(key.to_string()),
    };
    let done = match (edit.system.as_str(), edit.stream.as_str()) {
        (payamgostar::NAME, "identities") => match key {
            Some(key) if edit.delete => world.crm.delete(&key).then_some(key),
            Some(key) => world.crm.edit(&key, &edit.fields).then_some(key),
            None if edit.fields["crmObjectTypeCode"] == Crm::ORGANIZATION_TYPE => {
                Some(world.crm.create_organization(&edit.fields))
            }
            None => Some(world.crm.create_person(&edit.fields)),
        },
        (payamgostar::NAME, stream @ ("quotes" | "invoices")) => match key {
            Some(key) if edit.delete => world.crm.delete(&key).then_some(key),
            Some(key) => world.crm.edit_quote(&key, &edit.fields).then_some(key),
            None if stream == "quotes" => Some(world.crm.add_quote(&edit.fields)),
            None => Some(world.crm.add_invoice(&edit.fields)),
        },
        (siagh::NAME, "contacts") => match key {
            Some(key) => {
                let code = key.parse().unwrap_or_default();
                let done = match edit.delete {
                    true => world.finance.remove(code),
                    false => world.finance.edit(code, &edit.fields),
                };
                done.then_some(key)
            }
            None => Some(world.finance.add(&edit.fields).to_string()),
        },
        _ => return refused("people edit crm/identities, crm/quotes, crm/invoices and finance/contacts"),
    };
    match done {
        Some(key) => Json(json!({ "key": key })).into_response(),
        None => refused("there is no such key"),
    }
}

fn refused(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "detail": why }))).into_response()
}
