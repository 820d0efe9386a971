//! The customers: searched, filtered, sorted, page by page, with everything in the address.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::overview::{self, Owners, ShopRow, owner_label};
use super::show::{self, maybe, maybe_amount, number};
use super::state::State as Look;
use super::{Done, Frame, link, render};
use crate::app::{App, Currency};
use crate::export::systems;
use crate::model::amount::{OPENING, POINTS, PURCHASED, REBATE_USD, REWARD_USD, SPENT, VOLUME_LOTS};
use crate::model::text::name_key;
use crate::store::facets::Facets;
use crate::store::listing::{BadCursor, Filter, Item, Linked, Listed, Matches, Order, Shape, Sort};
use crate::web::Web;
use crate::web::access::Viewer;
use crate::web::problem::Problem;
use crate::words::Words;

const SIZES: [i64; 4] = [25, 50, 100, 200];
const SIZE: i64 = 50;
/// Account numbers shown of a customer; the rest is counted.
const NUMBERS: usize = 2;

/// The address's query.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    search: Option<String>,
    owner: Option<String>,
    system: Option<String>,
    status: Option<String>,
    country: Option<String>,
    city: Option<String>,
    sort: Option<String>,
    view: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
    sums: Option<String>,
}

impl Asked {
    fn filter(&self) -> Filter {
        let some = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        Filter {
            search: some(&self.search),
            owner: some(&self.owner),
            system: some(&self.system),
            status: some(&self.status),
            country: some(&self.country),
            city: some(&self.city),
            ..Filter::default()
        }
    }

    fn order(&self, shape: Shape) -> Order {
        // Who earns, or spends, most comes first; numbers are in their own order.
        let usual = match shape {
            Shape::Contacts => Order { by: Sort::Number, descending: false },
            Shape::Shop => Order { by: Sort::Spent, descending: true },
            Shape::Customers | Shape::Accounts => Order { by: Sort::Reward, descending: true },
        };
        self.sort.as_deref().and_then(Order::of).unwrap_or(usual)
    }

    fn shape(&self, app: &App) -> Shape {
        let asked = self.view.as_deref().and_then(Shape::of);
        asked.unwrap_or_else(|| app.usual_shape(self.system.as_deref()))
    }

    fn size(&self) -> i64 {
        let asked = self.limit.as_deref().and_then(|limit| limit.parse().ok());
        asked.filter(|size| SIZES.contains(size)).unwrap_or(SIZE)
    }

    /// The filter as pairs of a query, without what only says which part is shown.
    fn pairs(&self) -> Vec<(&'static str, Option<&str>)> {
        vec![
            ("search", self.search.as_deref()),
            ("owner", self.owner.as_deref()),
            ("system", self.system.as_deref()),
            ("status", self.status.as_deref()),
            ("country", self.country.as_deref()),
            ("city", self.city.as_deref()),
        ]
    }

    /// The address with some values changed. A change begins at the first page again.
    fn link(&self, path: &str, changed: &[(&'static str, Option<&str>)]) -> String {
        let mut pairs = self.pairs();
        pairs.push(("sort", self.sort.as_deref()));
        pairs.push(("view", self.view.as_deref()));
        pairs.push(("limit", self.limit.as_deref()));
        for (name, value) in changed {
            match pairs.iter_mut().find(|(known, _)| known == name) {
                Some(pair) => pair.1 = *value,
                None => pairs.push((name, *value)),
            }
        }
        link::to(path, &pairs)
    }
}

/// A column's head.
struct Head {
    name: String,
    href: Option<String>,
    /// The word of `aria-sort`, on the one column that is sorted by.
    sorted: Option<&'static str>,
    number: bool,
}

struct RowView {
    href: String,
    key: String,
    numbers: Vec<String>,
    more: usize,
    country: String,
    status: String,
    traded: Option<(bool, String)>,
    reward: String,
    rebate: String,
    owner: String,
    partner: String,
    matched: Option<String>,
    gone: bool,
    shop: ShopView,
    contact: ContactView,
}

/// What a list shows of a customer of a CRM or finance system.
struct ContactView {
    number: String,
    kind: String,
    national_id: String,
    systems: String,
    link: Option<Look>,
}

/// What a list shows of a shop's customer.
struct ShopView {
    name: String,
    phone: String,
    city: String,
    points: String,
    purchases: String,
    spent: String,
    last_purchase: String,
}

/// A value to choose, with its label.
struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

struct Totalled {
    clients: String,
    accounts: String,
    reward: String,
    rebate: String,
    lots: String,
    shop: Option<ShopTotals>,
    is_contacts: bool,
}

/// What the customers of a shop come to.
struct ShopTotals {
    points: String,
    purchases: String,
    spent: String,
    opening: String,
    purchased: String,
}

#[derive(Template)]
#[template(path = "customers.html")]
struct Customers {
    f: Frame,
    owners: Option<Owners>,
    shops: Vec<ShopRow>,
    search: String,
    by_owner: Vec<Choice>,
    by_system: Vec<Choice>,
    by_status: Vec<Choice>,
    by_country: Vec<Choice>,
    by_city: Vec<Choice>,
    sizes: Vec<Choice>,
    sort: String,
    view: String,
    filtered: bool,
    is_shop: bool,
    is_contacts: bool,
    heads: Vec<Head>,
    rows: Vec<RowView>,
    total: Option<String>,
    first: Option<String>,
    next: Option<String>,
    sums: Option<Totalled>,
    sums_link: String,
    sums_here: String,
    other_view: String,
    csv: String,
    xlsx: String,
}

#[derive(Template)]
#[template(path = "part/sums.html")]
struct SumsPart {
    f: Frame,
    sums: Totalled,
}

/// `GET /customers`
pub async fn page(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Query(asked): Query<Asked>,
    Query(done): Query<Done>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let f = Frame::new(app, who, "/customers", "web-customers").await?.saying(done.done.as_deref());
    let filter = asked.filter();
    let (shape, size) = (asked.shape(app), asked.size());
    let order = asked.order(shape);
    let listed = app.store.customers(&filter, shape, order, asked.cursor.as_deref(), size).await;
    let listed = match listed {
        // An address of before; the first page is what can be shown.
        Err(error) if error.is::<BadCursor>() => {
            app.store.customers(&filter, shape, order, None, size).await?
        }
        listed => listed?,
    };
    let sums = match asked.sums.as_deref() {
        Some(_) => Some(totalled(app, &filter, shape).await?),
        None => None,
    };
    let mut matched = Matches::default();
    if let Some(folded) = filter.folded() {
        let ids: Vec<i64> = listed.items.iter().map(|item| item.id).collect();
        matched = app.store.matches(&ids, &folded).await?;
    }
    let facets = app.store.facets().await?;
    let owners = overview::owners(app, f.words).await?;
    let shops = overview::shops(app, f.words).await?;
    let mut export = asked.pairs();
    // In the order that is seen, said or not.
    let sort = order.word();
    export.push(("sort", Some(sort.as_str())));
    export.push(("view", (shape != Shape::Customers).then_some(shape.word())));
    let exported = |format: &'static str| {
        let mut pairs = vec![("format", Some(format))];
        pairs.extend(export.iter().copied());
        link::to("/api/v1/customers/export", &pairs)
    };
    let other = if shape == Shape::Customers { Some("accounts") } else { None };
    let Listed { mut items, total, next } = listed;
    app.store.tie(&mut items, &app.ties()).await?;
    let choices = choices(&asked, &facets, owners.as_ref(), f.words);
    let [by_owner, by_system, by_status, by_country, by_city] = choices;
    render(&Customers {
        search: asked.search.clone().unwrap_or_default(),
        by_owner,
        by_system,
        by_status,
        by_country,
        by_city,
        sizes: SIZES
            .iter()
            .map(|n| Choice { value: n.to_string(), label: n.to_string(), chosen: *n == size })
            .collect(),
        sort: asked.sort.clone().unwrap_or_default(),
        view: asked.view.clone().unwrap_or_default(),
        filtered: asked.pairs().iter().any(|(_, value)| value.is_some_and(|value| !value.is_empty())),
        is_shop: shape == Shape::Shop,
        is_contacts: shape == Shape::Contacts,
        heads: heads(&asked, shape, order, f.words),
        rows: items.iter().map(|item| row(item, app.currency(&item.system), &matched, f.words)).collect(),
        total: total.map(number),
        first: asked.cursor.as_ref().map(|_| asked.link("/customers", &[])),
        next: next.map(|next| asked.link("/customers", &[("cursor", Some(next.as_str()))])),
        sums,
        sums_link: asked.link("/customers/sums", &[]),
        sums_here: asked.link("/customers", &[("cursor", asked.cursor.as_deref()), ("sums", Some("now"))]),
        other_view: asked.link("/customers", &[("view", other)]),
        csv: exported("csv"),
        xlsx: exported("xlsx"),
        owners,
        shops,
        f,
    })
}

/// `GET /customers/sums`: the footer, which may take longer than the page.
pub async fn sums(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let f = Frame::new(&web.app, who, "/customers", "web-customers").await?;
    let sums = totalled(&web.app, &asked.filter(), asked.shape(&web.app)).await?;
    render(&SumsPart { f, sums })
}

async fn totalled(app: &App, filter: &Filter, shape: Shape) -> anyhow::Result<Totalled> {
    let totals = app.store.customer_sums(filter).await?;
    let currency = app.currency_of(filter.system.as_deref()).await?;
    let totals = if currency == Currency::Several { totals.without_payments() } else { totals };
    // Rebates are paid to clients: nobody knows which account one is for.
    let rebate = totals.sums.get(REBATE_USD).filter(|_| shape == Shape::Customers);
    Ok(Totalled {
        clients: number(totals.clients),
        accounts: number(totals.accounts),
        reward: maybe_amount(totals.sums.get(REWARD_USD), REWARD_USD),
        rebate: maybe_amount(rebate, REBATE_USD),
        lots: maybe_amount(totals.sums.get(VOLUME_LOTS), VOLUME_LOTS),
        is_contacts: shape == Shape::Contacts,
        shop: (shape == Shape::Shop).then(|| {
            let paid = |measure| show::money(totals.sums.get(measure), currency.code());
            ShopTotals {
                points: maybe_amount(totals.sums.get(POINTS), POINTS),
                purchases: maybe(totals.purchases),
                spent: paid(SPENT),
                opening: paid(OPENING),
                purchased: paid(PURCHASED),
            }
        }),
    })
}

/// Owners, systems, statuses, countries and cities to choose from.
fn choices(asked: &Asked, facets: &Facets, owners: Option<&Owners>, words: &Words) -> [Vec<Choice>; 5] {
    let plain = |values: &[String], chosen: Option<&str>| -> Vec<Choice> {
        let choice = |value: &String| Choice {
            value: value.clone(),
            label: value.clone(),
            chosen: chosen == Some(value.as_str()),
        };
        values.iter().map(choice).collect()
    };
    let mut by_owner = plain(&facets.owners, asked.owner.as_deref());
    for choice in &mut by_owner {
        choice.chosen = asked.owner.as_deref().is_some_and(|own| name_key(own) == name_key(&choice.value));
        let href = link::to("/customers", &[("owner", Some(choice.value.as_str()))]);
        let labelled = owners
            .and_then(|owners| owners.rows.iter().find(|row| row.href == href))
            .map(|row| row.label.clone());
        choice.label = labelled.unwrap_or_else(|| owner_label(&choice.value, words));
    }
    let mut by_city = plain(&facets.cities, None);
    for choice in &mut by_city {
        choice.chosen = asked.city.as_deref().is_some_and(|city| name_key(city) == name_key(&choice.value));
    }
    let upper = |text: &Option<String>| text.as_ref().map(|text| text.trim().to_uppercase());
    [
        by_owner,
        plain(&facets.systems, asked.system.as_deref()),
        plain(&facets.statuses, upper(&asked.status).as_deref()),
        plain(&facets.countries, upper(&asked.country).as_deref()),
        by_city,
    ]
}

/// The eight columns, in the order people know; of a shop, seven.
fn heads(asked: &Asked, shape: Shape, order: Order, words: &Words) -> Vec<Head> {
    let shop = [
        ("export-name", None, false),
        ("export-phone", None, false),
        ("export-city", Some(Sort::City), false),
        ("export-points", Some(Sort::Points), true),
        ("export-purchases", Some(Sort::Purchases), true),
        ("export-spent", Some(Sort::Spent), true),
        ("export-last-purchase", Some(Sort::LastPurchase), false),
    ];
    let broker = [
        ("web-client-uid", Some(Sort::Key), false),
        ("web-client-account", None, false),
        ("web-country", Some(Sort::Country), false),
        ("web-status", Some(Sort::Status), false),
        ("web-reward-usd", Some(Sort::Reward), true),
        ("web-rebate-usd", Some(Sort::Rebate), true),
        ("web-owner", Some(Sort::Owner), false),
        ("web-partner-account", Some(Sort::PartnerAccount), false),
    ];
    let contacts = [
        ("export-number", Some(Sort::Number), false),
        ("export-name", None, false),
        ("export-kind", None, false),
        ("export-national-id", None, false),
        ("export-mobile", None, false),
        ("export-systems", None, false),
        ("export-link", None, false),
    ];
    let columns = match shape {
        Shape::Shop => shop.to_vec(),
        Shape::Contacts => contacts.to_vec(),
        Shape::Customers | Shape::Accounts => broker.to_vec(),
    };
    columns
        .into_iter()
        .map(|(name, sort, number)| {
            let here = sort.is_some_and(|sort| sort == order.by);
            let sorted = here.then_some(if order.descending { "descending" } else { "ascending" });
            let href = sort.map(|by| {
                // Figures are first looked at from the largest, days from the last.
                let descending = if here { !order.descending } else { number || by == Sort::LastPurchase };
                asked.link("/customers", &[("sort", Some(Order { by, descending }.word().as_str()))])
            });
            Head { name: words.text(name), href, sorted, number }
        })
        .collect()
}

fn row(item: &Item, currency: Option<&str>, matched: &Matches, words: &Words) -> RowView {
    let unknown = || show::UNKNOWN.to_owned();
    let account = item.account.as_ref();
    let all: Vec<&str> = match account {
        Some(account) => vec![account.number.as_str()],
        None => item.account_numbers.split(' ').filter(|number| !number.is_empty()).collect(),
    };
    let active = match account {
        Some(account) => (account.volume_lots.is_some() || account.reward_usd.is_some())
            .then(|| account.volume_lots.unwrap_or(0) > 0 || account.reward_usd.unwrap_or(0) > 0),
        None => item.activity.as_deref().map(|activity| activity == "ACTIVE"),
    };
    let status = account.and_then(|a| a.status.clone()).or_else(|| item.status.clone());
    let country = account.and_then(|a| a.country.clone()).or_else(|| item.country.clone());
    let partner = match account {
        Some(account) => account.partner_account.clone(),
        None => item.partner_account.clone(),
    };
    let reward = if let Some(account) = account { account.reward_usd } else { item.reward_usd };
    // Beside an account stands what was found in it; the same note on each would say nothing.
    let matched = match account {
        Some(account) => matched.accounts.get(&account.id),
        None => matched.customers.get(&item.id),
    };
    let rebate = if account.is_some() { None } else { item.rebate_usd };
    RowView {
        href: format!("/customers/{}", item.id),
        key: item.key.clone(),
        more: all.len().saturating_sub(NUMBERS),
        numbers: all.into_iter().take(NUMBERS).map(str::to_owned).collect(),
        country: country.unwrap_or_else(unknown),
        status: status.unwrap_or_else(unknown),
        traded: active.map(|yes| (yes, words.text(if yes { "web-traded" } else { "web-not-traded" }))),
        reward: maybe_amount(reward, REWARD_USD),
        rebate: maybe_amount(rebate, REBATE_USD),
        owner: owner_label(&item.owner, words),
        partner: partner.unwrap_or_else(unknown),
        matched: matched.map(|field| words.with("web-matched-in", &[("field", field)])),
        gone: item.gone,
        shop: shop(item, currency),
        contact: contact(item, words),
    }
}

fn contact(item: &Item, words: &Words) -> ContactView {
    let said = |text: &Option<String>| text.clone().unwrap_or_else(|| show::UNKNOWN.to_owned());
    let row = &item.contact;
    ContactView {
        number: said(&row.number),
        kind: row
            .kind
            .as_deref()
            .map_or_else(|| show::UNKNOWN.to_owned(), |kind| words.text(&format!("contact-kind-{kind}"))),
        national_id: said(&row.national_id),
        systems: systems(item).join(", "),
        link: row.linked.as_ref().map(|linked| Look::linked(linked, words)),
    }
}

impl Look {
    /// Whether a customer is linked with another system's.
    fn linked(linked: &Linked, words: &Words) -> Look {
        match linked.word() {
            "linked" => Look::new(words, "web-link-linked", "good", "check"),
            "source_gone" => Look::new(words, "web-link-gone", "warn", "gap"),
            _ => Look::new(words, "web-link-none", "calm", "dots"),
        }
    }
}

fn shop(item: &Item, currency: Option<&str>) -> ShopView {
    let said = |text: &Option<String>| text.clone().unwrap_or_else(|| show::UNKNOWN.to_owned());
    let row = &item.shop;
    ShopView {
        name: row.name.clone().unwrap_or_else(|| item.key.clone()),
        phone: said(&row.phone),
        city: said(&row.city),
        points: maybe_amount(row.points, POINTS),
        purchases: maybe(row.purchases),
        spent: show::money(row.spent, currency),
        last_purchase: said(&row.last_purchase),
    }
}
