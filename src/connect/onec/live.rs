//! One customer read live, as a person with the 1C screen would look: by phone, then everything that
//! hangs on its cards.

use std::collections::HashSet;

use super::{CARDS, CUSTOMERS, KEYS, OPENING, Onec, POINTS, PURCHASES, Place, Set, place, query, stream};
use crate::connect::http::Http;
use crate::connect::{Ask, Connector, Error, LeftOut};
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
}

/// Register rows of a card name it in this field.
const SOLD_BY: &str = "ДисконтнаяКарта_Key";
const POINTS_OF: &str = "БонуснаяКарта_Key";

impl Onec {
    /// The customers whose cards have this phone.
    pub async fn by_phone(&self, http: &Http, typed: &str) -> Result<Vec<Live>, Error> {
        let wanted = phone::e164(typed, &self.region);
        let forms = match &wanted {
            Some(number) => {
                let national = number.strip_prefix("+7").unwrap_or(number);
                ["7", "8", "+7", ""].iter().map(|prefix| format!("{prefix}{national}")).collect()
            }
            None => vec![typed.trim().to_owned()],
        };
        let condition = query::one_of("КодКартыШтрихкод", forms.iter().map(|form| query::text(form)));
        let has = |card: &Card| match &wanted {
            Some(number) => card.phone.as_ref() == Some(number),
            None => card.phone_typed.as_ref().is_some_and(|typed| forms.contains(typed)),
        };
        let with_phone = self.cards(http, condition, has).await?;
        let mut owners: Vec<String> = with_phone.iter().filter_map(|card| card.client_key.clone()).collect();
        owners.sort_unstable();
        owners.dedup();
        let nobodys: Vec<Card> = with_phone.into_iter().filter(|card| card.client_key.is_none()).collect();
        let mut found = Vec::new();
        for owner in &owners {
            let condition = format!("ВладелецКарты_Key eq {}", query::guid(owner));
            let mut cards =
                self.cards(http, condition, |card| card.client_key.as_ref() == Some(owner)).await?;
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

    async fn cards(
        &self,
        http: &Http,
        condition: String,
        wanted: impl Fn(&Card) -> bool,
    ) -> Result<Vec<Card>, Error> {
        self.all(http, CARDS, condition, |raw| self.card(raw).ok().filter(&wanted)).await
    }

    /// Adds the person and the movements of its cards.
    async fn complete(&self, http: &Http, live: &mut Live) -> Result<(), Error> {
        if let Some(owner) = live.owner.clone() {
            let person = |raw: &str| self.counterparty(raw).ok().filter(|person| person.client_key == owner);
            let condition = query::one_of("Ref_Key", [query::guid(&owner)]);
            live.person = self.all(http, CUSTOMERS, condition, person).await?.pop();
        }
        let keys: Vec<String> = live.cards.iter().map(|card| card.key.clone()).collect();
        for keys in keys.chunks(KEYS) {
            for (list, field) in [(PURCHASES, SOLD_BY), (POINTS, POINTS_OF)] {
                let condition = query::one_of(field, keys.iter().map(|key| query::guid(key)));
                let entry =
                    |raw: &str| self.entry_of(list, raw).filter(|entry| keys.contains(&entry.card_key));
                live.entries.extend(self.all(http, list, condition, entry).await?);
            }
        }
        Ok(())
    }

    /// A movement that counts, opening balances among the purchases.
    fn entry_of(&self, list: &str, raw: &str) -> Option<Entry> {
        let read = match self.read(stream(list), raw) {
            Err(LeftOut::Excluded("opening_balance")) => self.read(stream(OPENING), raw),
            other => other,
        };
        match read {
            Ok(Record::Entry(entry)) => Some(entry),
            _ => None,
        }
    }

    /// What `wanted` makes of the rows of a list under a condition, of each row once. A base that takes no
    /// conditions sends every row there is: none is kept that is not wanted.
    async fn all<T>(
        &self,
        http: &Http,
        list: &str,
        condition: String,
        wanted: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let set = Set { filter: Some(condition), ..self.set(stream(list), &Ask::default()) };
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        let mut at = Place::first(0);
        loop {
            match self.page(http, &set, &at, false).await {
                Ok(page) => {
                    for row in page.rows {
                        if let Some(it) = wanted(&row.raw)
                            && row.key.is_some_and(|key| seen.insert(key))
                        {
                            found.push(it);
                        }
                    }
                    match page.next {
                        Some(next) => at = place(&next, list)?,
                        None => return Ok(found),
                    }
                }
                // Rows that come again on another way are known.
                Err(error) => at = at.plainer(error, true)?,
            }
        }
    }
}
