//! The Xm connector.
use super::{Ask, Connector, Cursor, Error, Page, Stream, http};
use crate::model::{Record, Reject};
/// Settings.
#[derive(Debug, Clone)]
pub struct Xm {}
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
    fn read(&self, _: &Stream, _: &str) -> Result<Record, Reject> {
        Err(Reject { rule: "", field: "" })
    }
}
