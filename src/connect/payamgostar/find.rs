//! Looking identities up in the CRM itself.

use super::list::{by_name, get_either, names};
use super::{Kind, Payamgostar};
use crate::connect::http::Http;
use crate::connect::object::Object;
use crate::connect::{Error, Lookup, Row, Stream};
use crate::model::Message;
use crate::model::contact::Field;
use crate::model::phone::spellings;
use crate::model::text::ascii_digits;

/// Names of a page, as the CRM's own pages ask for them.
const NAMES: u32 = 500;

impl Payamgostar {
    /// The identities that answer to a look-up. What comes is looked through again here.
    pub(super) async fn look_up(&self, http: &Http, stream: &Stream, by: &Lookup) -> Result<Vec<Row>, Error> {
        let (field, value) = match by {
            Lookup::Key(key) => return Ok(get_either(http, key).await?.into_iter().collect()),
            Lookup::Field(field, value) => (*field, value.as_str()),
            // Its keys are no numbers.
            Lookup::After(_) => {
                return Err(Error::Rejected(Message::new("run-no-keys").with("stream", stream.name)));
            }
        };
        if field.canonical(value, &self.region).is_empty() {
            return Ok(Vec::new());
        }
        let rows = match self.search(http, field, value).await {
            Ok(Some(rows)) => rows,
            Err(error @ Error::Login(_)) => return Err(error),
            // Refused, or not now: what is certain is asked for with patience.
            Ok(None) | Err(_) => self.walk(http, stream, field, value).await?,
        };
        let mut found: Vec<Row> = Vec::new();
        for row in rows {
            if self.says(&row, field, value) && !found.iter().any(|other| other.key == row.key) {
                found.push(row);
            }
        }
        Ok(found)
    }

    /// What the search gives; `None` where it is not used, or has no name for the field.
    async fn search(&self, http: &Http, field: Field, value: &str) -> Result<Option<Vec<Row>>, Error> {
        let name = match field {
            Field::Number => &self.fields.number,
            Field::NationalId => &self.fields.national_id,
            Field::Mobile | Field::Telephone => &self.fields.phone,
            Field::Email => &self.fields.email,
            _ => return Ok(None),
        };
        if !self.find || name.is_empty() {
            return Ok(None);
        }
        let mut rows = Vec::new();
        for way in self.ways(field, value) {
            for kind in Kind::BOTH {
                rows.extend(self.found_by(http, kind, name, &way).await?);
            }
        }
        Ok(Some(rows))
    }

    /// The ways a value may be written there.
    fn ways(&self, field: Field, value: &str) -> Vec<String> {
        let mut ways = match field {
            Field::Mobile | Field::Telephone => spellings(value, &self.region),
            _ => vec![value.trim().to_owned(), ascii_digits(value.trim()).into_owned()],
        };
        ways.dedup();
        ways
    }

    /// Looks through everything: slow, and certain. The list of names is enough for customer numbers,
    /// which it shows.
    async fn walk(&self, http: &Http, stream: &Stream, field: Field, value: &str) -> Result<Vec<Row>, Error> {
        if field != Field::Number {
            return self.sift(http, stream, |row| self.says(row, field, value)).await;
        }
        let number = field.canonical(value, &self.region);
        let is_it = |said: &String| {
            let shown = Object::read(said).and_then(|name| name.get("customerNo").owned());
            shown.is_some_and(|shown| field.canonical(&shown, &self.region) == number)
        };
        let mut hits = Vec::new();
        for page in 0.. {
            let names = names(http, page, NAMES).await?;
            let is_last = names.len() < NAMES as usize;
            hits.extend(names.into_iter().filter(is_it));
            if is_last {
                break;
            }
        }
        by_name(http, &hits).await
    }

    fn says(&self, row: &Row, field: Field, value: &str) -> bool {
        let described = self.described(&row.raw).ok();
        let said = described.and_then(|described| described.canonical(field));
        said.is_some_and(|said| said == field.canonical(value, &self.region))
    }
}
