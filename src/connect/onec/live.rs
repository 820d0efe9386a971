//! One customer read live, as a person with the 1C screen would look: by phone, then everything that
//! hangs on its cards.

use super::{CUSTOMERS, KEYS, OPENING, Onec, POINTS, PURCHASES, Place, Set, query, stream};
use crate::connect::http::Http;
use crate::connect::{Ask, Connector, Error, LeftOut, Row};
use crate::model::phone;
use crate::model::record::{Card, Entry, Person, Record};

/// A customer as it is in the base now.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// Its key as an owner of cards; `None` of cards that name no owner.
    pub owner: Option<String>,
    /// Its cards.
    pub cards: Vec<Card>,
    /// Itself.
    pub person: Option<Person>,
    /// Opening balances, purchases and points of its cards, as far as they count.
    pub entries: Vec<Entry>,
    /// Rows of its cards that a rule leaves out, or that cannot be read.
    pub left_out: Vec<LeftOut>,
}

/// Register rows of a card name it in this field.
const SOLD_BY: &str = "ДисконтнаяКарта_Key";
const POINTS_OF: &str = "БонуснаяКарта_Key";

impl Onec {
    /// The customers whose cards have this phone.
    pub async fn by_phone(&self, http: &Http, typed: &str) -> Result<Vec<Live>, Error> {
        let forms = match phone::e164(typed, &self.region) {
            Some(number) => {
                let national = number.strip_prefix("+7").unwrap_or(&number);
                ["7", "8", "+7", ""].iter().map(|prefix| format!("{prefix}{national}")).collect()
            }
            None => vec![typed.trim().to_owned()],
        };
        let wanted = phone::e164(typed, &self.region);
        let condition = query::one_of("КодКартыШтрихкод", forms.iter().map(|form| query::text(form)));
        let has = |card: &Card| match &wanted {
            Some(number) => card.phone.as_ref() == Some(number),
            None => card.phone_typed.as_ref().is_some_and(|typed| forms.contains(typed)),
        };
        let with_phone: Vec<Card> = self.cards(http, condition).await?.into_iter().filter(has).collect();
        let mut owners: Vec<String> = with_phone.iter().filter_map(|card| card.client_key.clone()).collect();
        owners.sort_unstable();
        owners.dedup();
        let nobodys: Vec<Card> = with_phone.into_iter().filter(|card| card.client_key.is_none()).collect();
        let mut found = Vec::new();
        for owner in &owners {
            let condition = format!("ВладелецКарты_Key eq {}", query::guid(owner));
            let mut cards = self.cards(http, condition).await?;
            cards.retain(|card| card.client_key.as_ref() == Some(owner));
            if let [_] = owners.as_slice() {
                // A card without an owner belongs to the one customer that has its phone.
                cards.extend(nobodys.iter().cloned());
            }
            found.push(Live { owner: Some(owner.clone()), cards, ..Live::default() });
        }
        if owners.len() != 1 {
            found.extend(nobodys.into_iter().map(|card| Live { cards: vec![card], ..Live::default() }));
        }
        for live in &mut found {
            self.complete(http, live).await?;
        }
        Ok(found)
    }

    async fn cards(&self, http: &Http, condition: String) -> Result<Vec<Card>, Error> {
        let set = Set { filter: Some(condition), ..self.set(stream(super::CARDS), &Ask::default()) };
        let rows = self.all(http, &set).await?;
        Ok(rows.iter().filter_map(|row| self.card(&row.raw).ok()).collect())
    }

    /// Adds the person and the movements of its cards.
    async fn complete(&self, http: &Http, live: &mut Live) -> Result<(), Error> {
        if let Some(owner) = &live.owner {
            let rows = self.fetch_by_keys(http, stream(CUSTOMERS), std::slice::from_ref(owner)).await?;
            live.person = rows.iter().find_map(|row| self.counterparty(&row.raw).ok());
        }
        let keys: Vec<String> = live.cards.iter().map(|card| card.key.clone()).collect();
        for keys in keys.chunks(KEYS) {
            for (list, field) in [(PURCHASES, SOLD_BY), (POINTS, POINTS_OF)] {
                let condition = query::one_of(field, keys.iter().map(|key| query::guid(key)));
                let set = Set { filter: Some(condition), ..self.set(stream(list), &Ask::default()) };
                for row in self.all(http, &set).await? {
                    self.add(live, list, keys, &row.raw);
                }
            }
        }
        Ok(())
    }

    fn add(&self, live: &mut Live, list: &str, keys: &[String], raw: &str) {
        let read = match self.read(stream(list), raw) {
            Err(LeftOut::Excluded("opening_balance")) => self.read(stream(OPENING), raw),
            other => other,
        };
        match read {
            // A base that takes no conditions sends the rows of every card.
            Ok(Record::Entry(entry)) if keys.contains(&entry.card_key) => live.entries.push(entry),
            Ok(_) => {}
            Err(why) => {
                live.left_out.extend(keys.iter().any(|key| raw.contains(key.as_str())).then_some(why))
            }
        }
    }

    /// Every row of a set, each once.
    async fn all(&self, http: &Http, set: &Set) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::<Row>::new();
        let mut place = Place::first(0);
        loop {
            match self.page(http, set, &place, false).await {
                Ok(page) => {
                    rows.extend(page.rows);
                    match page.next {
                        Some(next) => place = super::place(&next, CUSTOMERS)?,
                        None => break,
                    }
                }
                Err(error) => {
                    let from = place.skip;
                    place = place.plainer(error, set.filter.is_some())?;
                    if place.skip < from {
                        rows.clear();
                    }
                }
            }
        }
        let mut seen = std::collections::HashSet::new();
        rows.retain(|row| row.key.as_ref().is_none_or(|key| seen.insert(key.clone())));
        Ok(rows)
    }
}
