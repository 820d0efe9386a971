//! The API's description, and a page made from it that needs no script.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use utoipa::OpenApi;

use super::{
    audit, cases, customers, deliveries, documents, entries, export, flows, health, insights, links,
    overridden, owners, plans, runs, systems, text, verify,
};
use crate::web::access::Viewer;
use crate::web::{legacy, session};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Concord",
        description = "Lists take `limit` (1 to 500) and `cursor`. Times are RFC 3339 in UTC, amounts decimal \
            strings, unknown is null. Errors are application/problem+json. Sign in with a session cookie or \
            `Authorization: Bearer <token>`; `x-role` names the least role that may call."
    ),
    paths(
        health::alive,
        health::ready,
        health::metrics,
        systems::status,
        systems::list,
        systems::check,
        systems::hold,
        systems::release,
        runs::list,
        runs::start,
        runs::one,
        runs::cancel,
        runs::resume,
        runs::events,
        customers::list,
        customers::sums,
        export::export,
        customers::one,
        customers::accounts,
        entries::purchases,
        entries::points,
        documents::documents,
        customers::history,
        customers::explain,
        verify::customer,
        insights::one,
        insights::export,
        flows::list,
        flows::one,
        flows::import,
        flows::plan,
        flows::start,
        flows::hold,
        flows::release,
        plans::one,
        plans::apply,
        links::list,
        deliveries::list,
        deliveries::one,
        deliveries::retry,
        deliveries::resolve,
        deliveries::undo,
        overridden::list,
        overridden::accept,
        cases::list,
        cases::decide,
        audit::list,
        audit::verify,
        owners::list,
        owners::preview,
        owners::set,
        owners::remove,
        sign_in,
        sign_out,
        legacy::sync_data,
    )
)]
struct Api;

/// Signs in; the cookie that is set is the session.
#[utoipa::path(post, path = "/api/v1/session", request_body = session::Credentials,
    responses((status = 200, body = session::SignedIn)), extensions(("x-role" = json!("nobody"))))]
#[expect(dead_code, reason = "stands in the description for a handler that lives elsewhere")]
fn sign_in() {}

/// Signs out.
#[utoipa::path(delete, path = "/api/v1/session", responses((status = 204, description = "signed out")),
    extensions(("x-role" = json!("viewer"))))]
#[expect(dead_code, reason = "stands in the description for a handler that lives elsewhere")]
fn sign_out() {}

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let mut api = serde_json::to_value(Api::openapi()).unwrap_or_default();
    api["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    // The problem that any call may answer with.
    for operations in api["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut()) {
        for operation in operations.as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
            let role = operation["x-role"].as_str().unwrap_or_default().to_owned();
            operation["responses"]["default"] = serde_json::json!({
                "description": "a problem (RFC 9457)",
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } }
            });
            if role != "nobody" {
                operation["security"] = serde_json::json!([{ "session": [] }, { "token": [] }]);
            }
        }
    }
    api["components"]["schemas"]["Problem"] = serde_json::json!({
        "type": "object", "required": ["type", "title", "status"],
        "properties": {
            "type": { "type": "string" }, "title": { "type": "string" },
            "status": { "type": "integer" }, "detail": { "type": "string" }
        }
    });
    api["components"]["securitySchemes"] = serde_json::json!({
        "session": { "type": "apiKey", "in": "cookie", "name": crate::web::access::COOKIE },
        "token": { "type": "http", "scheme": "bearer" }
    });
    api
});

/// The API's description (OpenAPI 3.1), with the role each operation needs as `x-role`.
pub fn description() -> &'static Value {
    &DESCRIPTION
}

/// Hands out the description.
pub(super) async fn json(_: Viewer) -> Json<&'static Value> {
    Json(description())
}

/// Shows the description.
pub(super) async fn page(_: Viewer) -> Response {
    static PAGE: LazyLock<String> = LazyLock::new(|| render(description()));
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], PAGE.as_str()).into_response()
}

fn render(api: &Value) -> String {
    let mut html = String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    let _ = write!(
        html,
        "<meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title></head><body><main><h1>{title}</h1><p>{about}</p><p><a href=\"/api/openapi.json\">openapi.json</a></p>",
        title = escape(&text().text("api-docs-title")),
        about = escape(api["info"]["description"].as_str().unwrap_or_default()),
    );
    let mut paths: Vec<_> = api["paths"].as_object().into_iter().flatten().collect();
    paths.sort_by_key(|(path, _)| place(path));
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            operation_html(&mut html, path, method, operation);
        }
    }
    html.push_str("<h2>Schemas</h2>");
    for (name, schema) in api["components"]["schemas"].as_object().into_iter().flatten() {
        let _ = write!(html, "<section id=\"{0}\"><h3>{0}</h3><dl>", escape(name));
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let about = property["description"].as_str().unwrap_or_default();
            let _ = write!(
                html,
                "<dt><code>{}</code> {}</dt><dd>{}</dd>",
                escape(field),
                kind(property),
                escape(about)
            );
        }
        html.push_str("</dl></section>");
    }
    html.push_str("</main></body></html>\n");
    html
}

/// What is meant for programs comes first, then what watches the server, then the old addresses.
fn place(path: &str) -> u8 {
    match path {
        path if path.starts_with("/api/") => 0,
        path if path.starts_with("/admin/") => 2,
        _ => 1,
    }
}

fn operation_html(html: &mut String, path: &str, method: &str, operation: &Value) {
    let say = |name: &str| escape(operation[name].as_str().unwrap_or_default());
    let _ = write!(
        html,
        "<section><h2><code>{} {}</code></h2><p>{} {}</p><p>Role: <strong>{}</strong></p>",
        method.to_uppercase(),
        escape(path),
        say("summary"),
        say("description"),
        say("x-role")
    );
    if let Some(parameters) = operation["parameters"].as_array() {
        html.push_str("<dl>");
        for parameter in parameters {
            let word = |name: &str| escape(parameter[name].as_str().unwrap_or_default());
            let _ = write!(
                html,
                "<dt><code>{}</code> ({}) {}</dt><dd>{}</dd>",
                word("name"),
                word("in"),
                kind(&parameter["schema"]),
                word("description")
            );
        }
        html.push_str("</dl>");
    }
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        let _ = write!(html, "<p>Body: {}</p>", kind(body));
    }
    html.push_str("<ul>");
    for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
        let schema = &answer["content"]["application/json"]["schema"];
        let about = escape(answer["description"].as_str().unwrap_or_default());
        let _ = write!(html, "<li>{} {} {about}</li>", escape(status), kind(schema));
    }
    html.push_str("</ul></section>");
}

/// What a schema is, in a word or as a link to it.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|target| target.rsplit('/').next()) {
        return format!("<a href=\"#{0}\">{0}</a>", escape(name));
    }
    if let Some(parts) = schema["oneOf"].as_array() {
        let kinds: Vec<String> = parts.iter().map(kind).collect();
        return kinds.join(" or ");
    }
    if !schema["items"].is_null() {
        return format!("list of {}", kind(&schema["items"]));
    }
    match &schema["type"] {
        Value::String(word) => escape(word),
        Value::Array(words) => {
            words.iter().filter_map(Value::as_str).map(escape).collect::<Vec<_>>().join(" or ")
        }
        _ => String::new(),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_names_its_role() {
        let paths = description()["paths"].as_object().unwrap();
        assert!(paths.len() > 25);
        for (path, operations) in paths {
            for (method, operation) in operations.as_object().unwrap() {
                let role = operation["x-role"].as_str();
                let known = ["nobody", "viewer", "operator", "admin"];
                assert!(role.is_some_and(|role| known.contains(&role)), "{method} {path}: {role:?}");
                assert!(operation["summary"].is_string(), "{method} {path}");
            }
        }
    }

    #[test]
    fn every_answer_is_described() {
        let paths = &description()["paths"];
        for (method, path, body) in [
            ("post", "/api/v1/systems/{name}/check", "CheckedDoc"),
            ("post", "/api/v1/systems/{name}/pause", "SystemDoc"),
            ("get", "/api/v1/audit/verify", "AuditCheckDoc"),
            ("post", "/api/v1/cases/{id}/decide", "CaseDoc"),
            ("get", "/api/v1/plans/{id}", "PlanDoc"),
            ("post", "/api/v1/flows/{name}/pause", "FlowDoc"),
            ("post", "/api/v1/deliveries/{id}/resolve", "DeliveryDoc"),
            ("post", "/admin/sync-data", "SyncDataDoc"),
        ] {
            let schema = &paths[path][method]["responses"]["200"]["content"]["application/json"]["schema"];
            assert_eq!(schema["$ref"], format!("#/components/schemas/{body}"), "{method} {path}");
            assert!(description()["components"]["schemas"][body]["properties"].is_object(), "{body}");
        }
        let fields = |name: &str| description()["components"]["schemas"][name]["properties"].clone();
        assert!(fields("CheckedDoc")["remedy"].is_object() && fields("SystemDoc")["paused"].is_object());
        for (path, item) in [("/api/v1/audit", "EntryDoc"), ("/api/v1/cases", "CaseDoc")] {
            let schema =
                paths[path]["get"]["responses"]["200"]["content"]["application/json"]["schema"].to_string();
            assert!(schema.contains(item), "{path}: {schema}");
        }
    }

    #[test]
    fn the_page_holds_every_operation_and_no_script() {
        let page = render(description());
        for path in description()["paths"].as_object().unwrap().keys() {
            assert!(page.contains(&escape(path)), "{path}");
        }
        assert!(!page.contains("<script") && !page.contains("style="));
        let hostile = serde_json::json!({ "paths": { "/<b>": { "get": { "summary": "<script>" } } } });
        assert!(!render(&hostile).contains("<script>"));
    }
}
