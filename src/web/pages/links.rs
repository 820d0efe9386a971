//! The links: which records of two systems are the same customer.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::show::{self, Time, number};
use super::state::State as Look;
use super::{Frame, link, render};
use crate::report::LinkDoc;
use crate::sync::now;
use crate::web::Web;
use crate::web::access::Viewer;
use crate::web::api::links::found;
use crate::web::problem::Problem;
use crate::words::Words;

/// Links on a page.
const PAGE: i64 = 100;

/// What the list is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    flow: Option<String>,
    search: Option<String>,
    before: Option<i64>,
}

/// A flow to choose.
pub struct Choice {
    /// Its name.
    pub name: String,
    /// Whether it is chosen.
    pub chosen: bool,
}

struct LinkRow {
    flow: String,
    source: Side,
    destination: Side,
    rule: String,
    made: Time,
    agreed: Option<Time>,
    verified: Option<Time>,
    state: Look,
}

/// One record of a link.
struct Side {
    key: String,
    name: Option<String>,
    href: Option<String>,
}

#[derive(Template)]
#[template(path = "links.html")]
struct Links {
    f: Frame,
    flows: Vec<Choice>,
    search: String,
    filtered: bool,
    total: String,
    /// What the two sides are called.
    sides: [String; 2],
    rows: Vec<LinkRow>,
    first: Option<String>,
    next: Option<String>,
}

/// `GET /links`
pub async fn page(
    State(web): State<Web>,
    Viewer(who): Viewer,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let app = &web.app;
    let f = Frame::new(app, who, "/flows", "web-links").await?;
    let words = f.words;
    let named = asked.flow.as_deref().filter(|name| app.config.flow(name).is_some());
    // No text of ours holds a NUL, and PostgreSQL takes none.
    let search = asked.search.as_deref().map(|text| text.replace('\0', " "));
    let search = search.as_deref().filter(|text| !text.trim().is_empty());
    let list = found(&web, named, search, asked.before, PAGE).await?;
    let flow = named.and_then(|name| app.config.flow(name)).or(match app.config.flows.as_slice() {
        [only] => Some(only),
        _ => None,
    });
    let query = [("flow", named), ("search", search)];
    let at = now();
    render(&Links {
        flows: choices(app, named),
        filtered: named.is_some() || search.is_some(),
        total: number(list.total.unwrap_or(0)),
        sides: match flow {
            Some(flow) => [flow.from.clone(), flow.to.clone()],
            None => [words.text("web-link-source"), words.text("web-link-destination")],
        },
        rows: list.items.into_iter().map(|doc| row(doc, at, words)).collect(),
        first: asked.before.map(|_| link::to("/links", &query)),
        next: list.next.map(|next| {
            let mut query = query.to_vec();
            query.push(("before", Some(next.as_str())));
            link::to("/links", &query)
        }),
        search: search.unwrap_or_default().to_owned(),
        f,
    })
}

/// The flows to choose from.
pub fn choices(app: &crate::app::App, chosen: Option<&str>) -> Vec<Choice> {
    let choice = |flow: &crate::model::Flow| Choice {
        name: flow.name.clone(),
        chosen: chosen == Some(flow.name.as_str()),
    };
    app.config.flows.iter().map(choice).collect()
}

/// What a link was found by, in words.
pub fn rule(rule: &str, words: &Words) -> String {
    let id = format!("link-rule-{rule}");
    if words.knows(&id) { words.text(&id) } else { rule.to_owned() }
}

fn row(doc: LinkDoc, at: i64, words: &Words) -> LinkRow {
    let ago = |text: &str| Some(show::ago(text.parse::<jiff::Timestamp>().ok()?.as_microsecond(), at, words));
    let href = |customer: Option<i64>| customer.map(|id| format!("/customers/{id}"));
    LinkRow {
        state: Look::link(&doc, words),
        source: Side { key: doc.source_key, name: doc.source_name, href: href(doc.source_customer) },
        destination: Side {
            key: doc.destination_key,
            name: doc.destination_name,
            href: href(doc.destination_customer),
        },
        rule: rule(&doc.rule, words),
        made: ago(&doc.made_at).unwrap_or_else(|| show::moment(0)),
        agreed: doc.agreed_at.as_deref().and_then(ago),
        verified: doc.verified_at.as_deref().and_then(ago),
        flow: doc.flow,
    }
}

impl Look {
    /// How a link is.
    pub fn link(doc: &LinkDoc, words: &Words) -> Look {
        match (doc.state, &doc.verified_at, &doc.agreed_at) {
            ("source_gone", ..) => Look::new(words, "web-link-gone", "warn", "gap"),
            (_, Some(_), _) => Look::new(words, "web-link-verified", "good", "check"),
            (_, None, Some(_)) => Look::new(words, "web-link-agreed", "good", "check"),
            _ => Look::new(words, "web-link-linked", "calm", "check"),
        }
    }
}
