//! Looking contacts up in Siagh itself: by exact columns where that is enough, else in the whole list.

use futures_util::future::try_join_all;

use super::{CONTACTS, Siagh, read};
use crate::connect::http::{Http, Request};
use crate::connect::object::Object;
use crate::connect::{Error, LeftOut, Lookup, Row};
use crate::model::Contact;
use crate::model::contact::Field;

impl Siagh {
    /// The contacts that answer to a look-up. What comes is looked through again here: a condition that
    /// is not known there may be no condition.
    pub(super) async fn look_up(&self, http: &Http, by: &Lookup) -> Result<Vec<Row>, Error> {
        match by {
            Lookup::Key(key) => {
                // Keys are numbers; a text that is none is nobody's key.
                let Ok(code) = key.parse::<i64>() else { return Ok(Vec::new()) };
                let rows = self.of_column(http, Object::default().with("Code", code)).await?;
                Ok(chosen(rows, |row| row.key.as_deref() == Some(key)))
            }
            Lookup::Field(field @ (Field::Mobile | Field::Telephone), value) => {
                let column = if *field == Field::Mobile { "MobileNo" } else { "TelNo" };
                let ways = self.spellings(value).into_iter();
                let asked = ways.map(|way| self.of_column(http, Object::default().with(column, way)));
                let mut found: Vec<Row> = Vec::new();
                for rows in try_join_all(asked).await? {
                    for row in chosen(rows, |row| self.says(row, *field, value)) {
                        if !found.iter().any(|other| other.key == row.key) {
                            found.push(row);
                        }
                    }
                }
                Ok(found)
            }
            Lookup::Field(field, value) => {
                let rows = http.get_parsed(&Request::new(CONTACTS, ""), read::rows).await?;
                Ok(chosen(rows, |row| self.says(row, *field, value)))
            }
            Lookup::After(mark) => {
                let rows = http.get_parsed(&Request::new(CONTACTS, ""), read::rows).await?;
                let key = |row: &Row| row.key.as_deref()?.parse::<i64>().ok();
                Ok(chosen(rows, |row| key(row).is_some_and(|key| key > *mark)))
            }
        }
    }

    /// The contacts with exactly this in a column; all of them where there are no such conditions.
    async fn of_column(&self, http: &Http, condition: Object) -> Result<Vec<Row>, Error> {
        match http.get_parsed(&Request::post(CONTACTS, condition.text()), read::rows).await {
            Err(Error::Rejected(_)) => http.get_parsed(&Request::new(CONTACTS, ""), read::rows).await,
            answer => answer,
        }
    }

    /// Whether a row says this of a field. Rows of the system's own users count too: a number that one
    /// of them has is taken.
    fn says(&self, row: &Row, field: Field, value: &str) -> bool {
        let said = match self.contact(&row.raw) {
            Ok(described) => described.contact.get(field).map(str::to_owned),
            Err(LeftOut::Excluded(_)) => {
                let columns = super::columns::FIELDS;
                let column = columns.iter().find(|(known, ..)| *known == field).map(|(_, column, _)| *column);
                column.and_then(|column| Object::read(&row.raw)?.get(column).owned())
            }
            Err(LeftOut::Rejected(_)) => None,
        };
        let canonical = |value: &str| Contact::default().with(field, value).canonical(field, &self.region);
        said.is_some_and(|said| canonical(&said).is_some_and(|said| Some(said) == canonical(value)))
    }
}

fn chosen(rows: Vec<Row>, is: impl Fn(&Row) -> bool) -> Vec<Row> {
    rows.into_iter().filter(|row| is(row)).collect()
}
