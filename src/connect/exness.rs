//! The Exness connector.
use super::{Ask, Connector, Cursor, Error, Page, Stream, http};
use crate::model::{Record, Reject};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
/// Settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exness {
    /// Where the API lives.
    #[serde(default = "base_url")]
    pub base_url: String,
    /// E-mail address of the partner login.
    pub login: String,
    /// Its password.
    #[serde(deserialize_with = "secret")]
    pub password: SecretString,
}
fn secret<'de, D: Deserializer<'de>>(d: D) -> Result<SecretString, D::Error> {
    String::deserialize(d).map(SecretString::from)
}
fn base_url() -> String {
    "https://my.exnessaffiliates.com".to_owned()
}
impl Connector for Exness {
    fn streams(&self) -> &'static [Stream] {
        &[]
    }
    fn door(&self) -> http::Door {
        http::Door {}
    }
    async fn fetch(&self, _: &http::Http, _: &Stream, _: Option<&Cursor>, _: &Ask) -> Result<Page, Error> {
        Ok(Page::default())
    }
    fn read(&self, _: &Stream, _: &str) -> Result<Record, Reject> {
        Err(Reject { rule: "", field: "" })
    }
}
