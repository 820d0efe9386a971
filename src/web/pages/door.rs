//! Coming in and going out: the sign-in page, the first administrator's page, one-time links.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::{Frame, link, problem_page, render};
use crate::web::Web;
use crate::web::problem::Problem;
use crate::web::session::{self, Address, Begun, Refused, SetUpRefused};

/// `?next=…`, where to go afterwards.
#[derive(Debug, Default, Deserialize)]
pub struct Next {
    next: Option<String>,
}

/// What the sign-in form sends.
#[derive(Deserialize)]
pub struct SignIn {
    name: String,
    password: String,
    next: Option<String>,
}

/// `?key=…`, the secret of a one-time link.
#[derive(Deserialize)]
pub struct Key {
    #[serde(default)]
    key: String,
}

/// What the first administrator's form sends.
#[derive(Deserialize)]
pub struct SetUp {
    key: String,
    name: String,
    password: String,
}

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage {
    f: Frame,
    name: String,
    next: String,
    wrong: Option<String>,
    insecure: bool,
}

#[derive(Template)]
#[template(path = "set-up.html")]
struct SetUpPage {
    f: Frame,
    key: String,
    name: String,
    wrong: Option<String>,
    shortest: usize,
}

fn sign_in_page(web: &Web, name: &str, next: Option<&str>, wrong: Option<&str>) -> Result<Response, Problem> {
    let f = Frame::stranger("web-sign-in");
    let wrong = wrong.map(|id| f.t(id));
    let insecure = session::is_readable_on_the_way(&web.app);
    render(&SignInPage { f, name: name.to_owned(), next: link::local(next).to_owned(), wrong, insecure })
}

/// `GET /sign-in`
pub async fn sign_in_form(State(web): State<Web>, Query(asked): Query<Next>) -> Result<Response, Problem> {
    sign_in_page(&web, "", asked.next.as_deref(), None)
}

/// `POST /sign-in`
pub async fn sign_in(
    State(web): State<Web>,
    Address(from): Address,
    Form(form): Form<SignIn>,
) -> Result<Response, Problem> {
    match session::sign_in(&web.app, &form.name, form.password, &from).await {
        Ok(begun) => Ok(inside(&begun, link::local(form.next.as_deref()))),
        Err(Refused::Wrong) => {
            let mut page = sign_in_page(&web, &form.name, form.next.as_deref(), Some("web-sign-in-wrong"))?;
            *page.status_mut() = StatusCode::UNAUTHORIZED;
            Ok(page)
        }
        Err(too_often_or_broken) => Ok(too_often_or_broken.into_response()),
    }
}

fn inside(begun: &Begun, to: &str) -> Response {
    ([(header::SET_COOKIE, begun.cookie.clone())], Redirect::to(to)).into_response()
}

/// `POST /sign-out`
pub async fn sign_out(State(web): State<Web>, headers: HeaderMap) -> Result<Response, Problem> {
    let forget = session::sign_out(&web.app, &headers).await?;
    Ok(([(header::SET_COOKIE, forget)], Redirect::to("/sign-in")).into_response())
}

fn set_up_page(key: &str, name: &str, wrong: Option<&str>) -> Result<Response, Problem> {
    let f = Frame::stranger("web-set-up");
    let shortest = session::password::SHORTEST;
    let wrong = wrong.map(|id| f.t1(id, "n", shortest));
    render(&SetUpPage { f, key: key.to_owned(), name: name.to_owned(), wrong, shortest })
}

fn over() -> Response {
    let f = Frame::stranger("web-problem");
    let text = f.t("web-link-over");
    problem_page(f, StatusCode::GONE, text, None)
}

/// `GET /set-up?key=…`
pub async fn set_up_form(State(web): State<Web>, Query(asked): Query<Key>) -> Result<Response, Problem> {
    if !session::may_set_up(&web.app, &asked.key).await? {
        return Ok(over());
    }
    set_up_page(&asked.key, "", None)
}

/// `POST /set-up`
pub async fn set_up(
    State(web): State<Web>,
    Address(from): Address,
    Form(form): Form<SetUp>,
) -> Result<Response, Problem> {
    let wrong = match session::set_up(&web.app, &form.key, &form.name, form.password, &from).await {
        Ok(begun) => return Ok(inside(&begun, "/")),
        Err(SetUpRefused::Link) => return Ok(over()),
        Err(SetUpRefused::Internal(error)) => return Err(error.into()),
        Err(SetUpRefused::Name) => "web-set-up-name",
        Err(SetUpRefused::Password) => "web-set-up-password",
    };
    let mut page = set_up_page(&form.key, &form.name, Some(wrong))?;
    *page.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(page)
}

/// `GET /enter?key=…`: signs in by being opened. Looking at its head only does not use it up.
pub async fn enter(
    State(web): State<Web>,
    Address(from): Address,
    method: Method,
    Query(asked): Query<Key>,
) -> Result<Response, Problem> {
    if method != Method::GET {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let begun = session::enter(&web.app, &asked.key, &from).await?;
    Ok(begun.map_or_else(over, |begun| inside(&begun, "/")))
}
