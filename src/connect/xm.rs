//! The Xm connector.
use super::{Ask, Connector, Cursor, Error, Page, Stream, http};
use crate::model::{Record, Reject};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
/// Settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Xm {
    /// Where the API lives.
    #[serde(default = "base_url")]
    pub base_url: String,
    /// The static token.
    #[serde(deserialize_with = "secret")]
    pub token: SecretString,
    /// The first day asked for.
    #[serde(default = "start")]
    pub start: jiff::civil::Date,
}
fn secret<'de, D: Deserializer<'de>>(d: D) -> Result<SecretString, D::Error> {
    String::deserialize(d).map(SecretString::from)
}
fn base_url() -> String {
    "https://mypartners.xm.com/api".to_owned()
}
fn start() -> jiff::civil::Date {
    jiff::civil::date(2010, 1, 1)
}
impl Connector for Xm {
    fn streams(&self) -> &'static [Stream] {
        &[]
    }
    fn door(&self) -> http::Door {
        http::Door {}
    }
    async fn fetch(&self, _: &http::Http, _: &Stream, _: Option<&Cursor>, _: &Ask) -> Result<Page, Error> {
        Ok(Page::default())
    }
    fn owns_whole_system(&self) -> bool {
        true
    }
    fn read(&self, _: &Stream, _: &str) -> Result<Record, Reject> {
        Err(Reject { rule: "", field: "" })
    }
}
