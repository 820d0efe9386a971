//! One customer read live, as a person with the 1C screen would look: by phone, then everything that
//! hangs on its cards.

use std::collections::{BTreeSet, HashSet};

use jiff::civil::Date;

use super::{
    CARDS, CUSTOMERS, KEYS, OPENING, Onec, POINTS, PURCHASES, Place, Set, card_name, count, place, query,
    read, stream,
};
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

/// Types of documents that are looked for at most.
const MOST_TYPES: usize = 20;
/// A condition of so many bytes still fits into an address, where each may take three characters.
const LONGEST_CONDITION: usize = 1_800;

/// Register rows of a card name it in this field.
const SOLD_BY: &str = "ДисконтнаяКарта_Key";
const POINTS_OF: &str = "БонуснаяКарта_Key";

impl Live {
    /// What the mirror names it by; none without a card and an owner.
    pub fn name(&self) -> Option<String> {
        let card = || self.cards.first().map(|card| card_name(&card.key));
        self.owner.clone().or_else(card)
    }
}

impl Onec {
    /// One customer: the owner of cards, if it is one, and these cards, as far as they name no owner.
    pub async fn by_name(&self, http: &Http, owner: Option<&str>, cards: &[String]) -> Result<Live, Error> {
        let mut live = Live { owner: owner.map(str::to_owned), ..Live::default() };
        if let Some(owner) = owner {
            live.cards = self.cards_of(http, owner).await?;
        }
        for keys in cards.chunks(KEYS) {
            let condition = query::one_of("Ref_Key", keys.iter().map(|key| query::guid(key)));
            let nobodys = |card: &Card| card.client_key.is_none() && keys.contains(&card.key);
            live.cards.extend(self.cards(http, condition, nobodys).await?);
        }
        self.complete(http, &mut live).await?;
        Ok(live)
    }

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
            let mut cards = self.cards_of(http, owner).await?;
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

    /// The types of documents that made movements before a day and are none of `known`, with how many
    /// movements there are. Each type costs two requests, whatever the register holds. What a base cannot
    /// be asked for is not told.
    pub async fn documents_before(
        &self,
        http: &Http,
        first: Date,
        known: &BTreeSet<&str>,
    ) -> Vec<(String, u64)> {
        let before = format!("Period lt datetime'{first}T00:00:00'");
        let is = |class: &str| format!("isof(Recorder,{})", query::text(class));
        let mut others = before.clone();
        let mut exclude = |class: &str| others.push_str(&format!(" and not {}", is(class)));
        known.iter().filter(|class| !class.is_empty()).for_each(|class| exclude(class));
        let (mut found, register) = (Vec::new(), self.set(stream(PURCHASES), &Ask::default()));
        while found.len() < MOST_TYPES && others.len() < LONGEST_CONDITION {
            let set = Set { filter: Some(others.clone()), ..register.clone() };
            let one = Place { top: 1, unordered: true, ..Place::first(1) };
            let Ok(page) = self.page(http, &set, &one, false).await else { break };
            let row = page.rows.first();
            let class = row.and_then(|row| read::made_by(&row.raw));
            // The same again: a base that ignores the condition.
            let is_new = |class: &String| {
                !known.contains(class.as_str()) && found.iter().all(|(other, _)| other != class)
            };
            let Some(class) = class.filter(is_new) else { break };
            let of = format!("{before} and {}", is(&class));
            // One was seen.
            let count = count(http, &set, Some(&of)).await.ok().flatten().unwrap_or(1);
            others.push_str(&format!(" and not {}", is(&class)));
            found.push((class, count));
        }
        found
    }

    async fn cards_of(&self, http: &Http, owner: &str) -> Result<Vec<Card>, Error> {
        let condition = format!("ВладелецКарты_Key eq {}", query::guid(owner));
        self.cards(http, condition, |card| card.client_key.as_deref() == Some(owner)).await
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
