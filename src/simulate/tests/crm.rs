//! The CRM over real HTTP: this file holds its visitor, who has the login of the API.

mod data;
mod door;
mod identities;
mod questions;
mod sales;
mod webhooks;

use super::super::payamgostar::{PASSWORD, USER};
use super::super::{By, Crm, Kind, Match, Mutation, OfficeTrap, Webhooks, crm_config, flows_config};
use super::*;

const LOGIN: &str = "auth/login";
const SEARCH: &str = "crmobject/identity/search";

/// One who has signed in to the CRM.
struct Seller {
    simulator: Simulator,
    http: Client,
    token: String,
    renewal: String,
}

impl Seller {
    async fn new() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let mut seller = Self::stranger(options).await;
        let (status, answer) = seller.login().await;
        assert_eq!(status, 200, "{answer}");
        seller.simulator.clear_ledger();
        seller
    }

    /// One who has not signed in.
    async fn stranger(options: Options) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let simulator = Simulator::start(options, None).await.unwrap();
        let http = Client::builder().user_agent("test").no_proxy().build().unwrap();
        Self { simulator, http, token: String::new(), renewal: String::new() }
    }

    async fn login(&mut self) -> (u16, Value) {
        let (status, answer) = self.ask(LOGIN, credentials(USER, PASSWORD)).await;
        self.keep(&answer);
        (status, answer)
    }

    fn keep(&mut self, answer: &Value) {
        if let (Some(token), Some(renewal)) =
            (answer["accessToken"].as_str(), answer["refreshToken"].as_str())
        {
            (self.token, self.renewal) = (token.to_owned(), renewal.to_owned());
        }
    }

    async fn send(&self, path: &str, body: String) -> reqwest::Result<Response> {
        let request = self.http.post(format!("{}/crm/api/v2/{path}", self.simulator.url()));
        request.bearer_auth(&self.token).body(body).send().await
    }

    /// Status and JSON of an answer.
    async fn ask(&self, path: &str, body: Value) -> (u16, Value) {
        let response = self.send(path, body.to_string()).await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn good(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// The message of a refusal with this status.
    async fn refused(&self, status: u16, path: &str, body: Value) -> String {
        let (given, answer) = self.ask(path, body).await;
        assert_eq!(given, status, "{path}: {answer}");
        assert!(answer["code"].is_string() && answer["errorDetails"].is_array(), "{answer}");
        answer["message"].as_str().unwrap().to_owned()
    }

    /// A person or an organization, whichever it is.
    async fn get(&self, id: &str) -> Value {
        let (status, answer) = self.ask("crmobject/person/get", json!({ "id": id })).await;
        if status == 200 {
            answer
        } else {
            self.good("crmobject/organization/get", json!({ "id": id })).await
        }
    }

    /// All identities, page by page until one is short.
    async fn search(&self, size: usize) -> Vec<Value> {
        let mut rows = Vec::new();
        for page in 0.. {
            let body = json!({ "pageNumber": page, "pageSize": size, "searchTerm": "" });
            let answer = self.good(SEARCH, body).await;
            let found = answer.as_array().unwrap();
            rows.extend(found.iter().cloned());
            if found.len() < size {
                break;
            }
        }
        rows
    }

    fn mutations(&self) -> Vec<Mutation> {
        self.simulator.mutations("crm")
    }

    fn crm(&self) -> &Crm {
        self.simulator.crm()
    }
}

fn credentials(name: &str, password: &str) -> Value {
    json!({ "username": name, "password": password, "deviceId": "ConcordSync-Server", "platformType": 1 })
}

/// A person as one is created.
fn person(number: &str) -> Value {
    json!({
        "crmObjectTypeCode": Crm::PERSON_TYPE,
        "firstName": "کیان",
        "lastName": "نمونه",
        "customerNumber": number,
        "categories": [{ "key": Crm::CATEGORY }],
    })
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_default()
}
