//! How the base words its answers: lists, single objects and errors, as JSON or as Atom.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::super::gate::Rows;
use super::value::{Field, Row, Style, escaped, object, properties};

/// A request the base does not do, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Code of the protocol, `-1` for what the business logic refuses.
    pub code: &'static str,
    /// Words for a person.
    pub words: String,
}

/// How an answer is to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// As JSON; as Atom otherwise.
    pub json: bool,
    /// Errors begin with a byte order mark.
    pub bom: bool,
    /// Errors come with the status of success.
    pub disguised: bool,
    /// What is written differently from base to base.
    pub style: Style,
}

/// Rows of a set that are ready to be sent.
#[derive(Debug)]
pub(super) struct Rowset<'a> {
    /// Name of the set.
    pub set: &'a str,
    /// Its columns.
    pub fields: &'static [Field],
    /// The rows.
    pub rows: Vec<Row>,
    /// The columns that were asked for.
    pub chosen: Option<Vec<usize>>,
    /// How many there are on all pages, when that was asked.
    pub count: Option<usize>,
}

impl Refusal {
    /// A refusal in these words.
    pub fn new(status: u16, code: &'static str, words: &str) -> Self {
        Self { status, code, words: words.to_owned() }
    }

    /// A query that cannot be read.
    pub fn syntax(why: &str) -> Self {
        Self::new(400, "14", &format!("Ошибка синтаксиса запроса: {why}"))
    }

    /// A name in a path that means nothing.
    pub fn segment(name: &str) -> Self {
        Self::new(400, "6", &format!("Сегмент пути '{name}' не найден"))
    }

    /// A set that the base does not have or does not publish.
    pub fn set(name: &str) -> Self {
        Self::new(404, "8", &format!("Сущность '{name}' не найдена"))
    }

    /// The answer that says so.
    pub fn answer(&self, form: Form) -> Response {
        let body = if form.json {
            json!({ "odata.error": {
                "code": self.code, "message": { "lang": "ru", "value": self.words } } })
            .to_string()
        } else {
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><m:error xmlns:m=\"{METADATA}\"><m:code>{}</m:code>\
                 <m:message xml:lang=\"ru\">{}</m:message></m:error>",
                self.code,
                escaped(&self.words)
            )
        };
        let mark = if form.bom { "\u{FEFF}" } else { "" };
        let status = if form.disguised { 200 } else { self.status };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = if form.json { JSON } else { "application/xml;charset=utf-8" };
        (status, [(header::CONTENT_TYPE, kind)], format!("{mark}{body}")).into_response()
    }
}

const JSON: &str = "application/json;charset=utf-8";
const METADATA: &str = "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata";
const DATA: &str = "http://schemas.microsoft.com/ado/2007/08/dataservices";

impl Rowset<'_> {
    /// A page of rows; `base` is the address of the publication.
    pub fn page(&self, base: &str, form: Form) -> Response {
        let body = if form.json { self.json_page(base, form.style) } else { self.feed(base) };
        self.sent(body, form)
    }

    /// The first row by itself, as a single object comes.
    pub fn single(&self, base: &str, form: Form) -> Response {
        let mut body = String::new();
        if let Some(row) = self.rows.first() {
            if form.json {
                object(&mut body, self.fields, row, self.chosen.as_deref(), form.style);
                let metadata = json!(format!("{base}/$metadata#{}/@Element", self.set));
                body.insert_str(1, &format!("\"odata.metadata\":{metadata},"));
            } else {
                body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{}", self.entry(row, true));
            }
        }
        self.sent(body, form)
    }

    fn sent(&self, body: String, form: Form) -> Response {
        let kind = if form.json { JSON } else { "application/atom+xml;type=feed;charset=utf-8" };
        let mut response = ([(header::CONTENT_TYPE, kind)], body).into_response();
        response.headers_mut().insert("DataServiceVersion", HeaderValue::from_static("3.0"));
        response.extensions_mut().insert(Rows(self.rows.len()));
        response
    }

    fn json_page(&self, base: &str, style: Style) -> String {
        let mut body = format!("{{\"odata.metadata\":{},", json!(format!("{base}/$metadata#{}", self.set)));
        if let Some(count) = self.count {
            body += &format!("\"odata.count\":\"{count}\",");
        }
        body.push_str("\"value\":[");
        for (index, row) in self.rows.iter().enumerate() {
            if index > 0 {
                body.push(',');
            }
            object(&mut body, self.fields, row, self.chosen.as_deref(), style);
        }
        body.push_str("]}");
        body
    }

    fn feed(&self, base: &str) -> String {
        let mut body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><feed xmlns=\"{ATOM}\" xmlns:d=\"{DATA}\" \
             xmlns:m=\"{METADATA}\"><id>{base}/{0}</id><title type=\"text\">{0}</title>",
            self.set
        );
        if let Some(count) = self.count {
            body += &format!("<m:count>{count}</m:count>");
        }
        body.extend(self.rows.iter().map(|row| self.entry(row, false)));
        body + "</feed>"
    }

    fn entry(&self, row: &Row, alone: bool) -> String {
        let spaces = if alone {
            format!(" xmlns=\"{ATOM}\" xmlns:d=\"{DATA}\" xmlns:m=\"{METADATA}\"")
        } else {
            String::new()
        };
        format!(
            "<entry{spaces}><category term=\"StandardODATA.{}\"/><content type=\"application/xml\">\
             <m:properties>{}</m:properties></content></entry>",
            self.set,
            properties(self.fields, row, self.chosen.as_deref())
        )
    }
}

const ATOM: &str = "http://www.w3.org/2005/Atom";
