//! What clients can ask for.

mod refusal;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Query, State};
use axum::http::header::{AUTHORIZATION, CONTENT_SECURITY_POLICY, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use seaworthy_service::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Version;
use crate::database::Database;
use crate::page::page;
use crate::store::{Draft, Note, Written};
use refusal::Refusal;

/// Bytes of a request's body.
const MAX_BODY: usize = 64 * 1024;
/// Characters of a note.
const MAX_TEXT: usize = 16 * 1024;
/// Characters of a note's id.
const MAX_ID: usize = 64;
/// The page needs nothing but its own style.
const POLICY: (HeaderName, HeaderValue) =
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"));

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) database: Database,
    pub(crate) token: Secret,
    pub(crate) version: &'static Version,
}

pub(crate) fn routes(api: Api) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/notes", get(list))
        .route("/notes/{id}", get(read).put(write).delete(delete))
        .route("/summary", get(summary))
        .route("/version", get(version))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(api)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    text: String,
    pinned: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
struct Filter {
    #[serde(default)]
    search: String,
}

/// Proof that the client knows the token.
struct Writer;

impl FromRequestParts<Api> for Writer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Refusal> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let offered = header.and_then(|header| header.strip_prefix("Bearer "));
        offered.filter(|offered| api.token.matches(offered)).map(|_| Self).ok_or(Refusal::Unauthorized)
    }
}

async fn front(State(api): State<Api>) -> Result<impl IntoResponse, Refusal> {
    let version = api.version;
    let (notes, summary) =
        api.database.run(move |store| Ok((store.notes(version, "")?, store.summary()?))).await?;
    Ok(([POLICY], Html(page(&notes, summary.as_ref(), version.number))))
}

async fn list(State(api): State<Api>, Query(filter): Query<Filter>) -> Result<Json<Vec<Note>>, Refusal> {
    let version = api.version;
    if !filter.search.is_empty() && !version.pins {
        return Err(Refusal::NoSearch);
    }
    Ok(Json(api.database.run(move |store| store.notes(version, &filter.search)).await?))
}

async fn read(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Note>, Refusal> {
    let version = api.version;
    let note = api.database.run(move |store| store.note(version, &id)).await?;
    note.map(Json).ok_or(Refusal::NotFound)
}

async fn write(
    _: Writer,
    State(api): State<Api>,
    Path(id): Path<String>,
    body: Result<Json<Body>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(body) = body.map_err(Refusal::Body)?;
    if !is_id(&id) {
        return Err(Refusal::BadId);
    }
    if body.text.chars().count() > MAX_TEXT {
        return Err(Refusal::TooLong);
    }
    if body.pinned.is_some() && !api.version.pins {
        return Err(Refusal::NoPins);
    }
    let answer = json!({ "id": id, "text": body.text });
    let draft = Draft { id, text: body.text, pinned: body.pinned };
    let written = api.database.run(move |store| store.write(&draft)).await?;
    let status = if written == Written::New { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(answer)).into_response())
}

async fn delete(_: Writer, State(api): State<Api>, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    let deleted = api.database.run(move |store| store.delete(&id)).await?;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(Refusal::NotFound) }
}

async fn summary(State(api): State<Api>) -> Result<Json<Value>, Refusal> {
    let summary = api.database.run(|store| store.summary()).await?;
    Ok(Json(json!(summary)))
}

async fn version(State(api): State<Api>) -> Json<Value> {
    Json(json!({ "version": api.version.number }))
}

fn is_id(id: &str) -> bool {
    (1..=MAX_ID).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
