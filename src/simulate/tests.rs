//! Drives the simulator over real HTTP, as its users will: this file holds the visitor.

#![allow(clippy::unwrap_used)]

mod answers;
mod crm;
mod failures;
mod finance;
mod shop;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use base64::Engine as _;
use reqwest::{Client, Method, Response, StatusCode};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Action, Fault, Options, Simulator, config};

const V1: &str = "/exness-ham/api/reports/clients/";
const V2: &str = "/exness-ham/api/v2/reports/clients/";
const XM: &str = "/xm/api/trader-statistics/trader-list?startTime=2010-01-01&endTime=2026-12-31";

/// One who has signed in to Ham and has the token of XM.
struct Visitor {
    simulator: Simulator,
    http: Client,
    token: String,
}

impl Visitor {
    async fn new() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let simulator = Simulator::start(options, None).await.unwrap();
        let http = Client::builder().user_agent("test").no_proxy().build().unwrap();
        let mut visitor = Self { simulator, http, token: String::new() };
        visitor.login().await;
        visitor.simulator.clear_ledger();
        visitor
    }

    async fn login(&mut self) {
        let answer: Value = self.try_login("ham", "sim-ham-password").await.json_value().await;
        self.token = answer["token"].as_str().unwrap().strip_prefix("JWT ").unwrap().to_owned();
    }

    async fn try_login(&self, name: &str, password: &str) -> Response {
        let url = format!("{}/exness-{name}/api/v2/auth/", self.simulator.url());
        let body = json!({ "login": format!("partner-{name}@example.test"), "password": password });
        self.http.post(url).body(body.to_string()).send().await.unwrap()
    }

    async fn send(&self, path: &str) -> reqwest::Result<Response> {
        let authorization = if path.starts_with("/xm") {
            "Bearer sim-xm-token".to_owned()
        } else {
            format!("JWT {}", self.token)
        };
        let request = self.http.request(Method::GET, format!("{}{path}", self.simulator.url()));
        request.header("authorization", authorization).send().await
    }

    async fn get(&self, path: &str) -> Response {
        self.send(path).await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    /// Reads a list page by page to its announced count, and gives the keys in the order they came.
    async fn pages(&self, path: &str, ordering: &str, key: &str) -> Vec<String> {
        let (mut keys, mut offset) = (Vec::new(), 0);
        loop {
            let page = self.json(&format!("{path}?limit=100&offset={offset}{ordering}")).await;
            let rows = page["data"].as_array().unwrap();
            keys.extend(rows.iter().map(|row| row[key].to_string()));
            offset += 100;
            if offset >= page["totals"]["count"].as_u64().unwrap() {
                return keys;
            }
        }
    }

    fn fault(&self, fault: Fault) {
        self.simulator.set_faults(vec![fault]);
    }
}

/// Reads an answer as JSON.
trait JsonValue {
    async fn json_value(self) -> Value;
}

impl JsonValue for Response {
    async fn json_value(self) -> Value {
        serde_json::from_str(&self.text().await.unwrap()).unwrap()
    }
}
