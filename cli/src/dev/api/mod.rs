//! Everything below `/__tracklane/`: the data of the page, and the questions of tests.

mod coverage;
mod events;
mod expect;
mod faults;
mod findings;
mod inspect;
mod mock;
mod query;
mod stream;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::header::{self, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::routing::{delete, get, post, put};
use serde::Serialize;
use serde_json::json;

use super::code;
use super::state::State;
use super::store::{Entry, Head};
use crate::filter::{Filter, Invalid};

type App = Arc<State>;
type Reply = Response<Body>;

/// The routes. The caller adds the guard.
pub(crate) fn router(state: App) -> Router {
    let api = Router::new()
        .route("/info", get(info))
        .route("/readyz", get(async || "ok"))
        .route("/events", get(events::list).delete(events::remove))
        .route("/events/{seq}", get(events::one))
        .route("/events/{seq}/raw", get(events::raw))
        .route("/events/{seq}/as/{language}", get(events::as_code))
        .route("/stream", get(stream::stream))
        .route("/findings", get(findings::list))
        .route("/users", get(users::one))
        .route("/faults", get(faults::list))
        .route("/faults/{name}", put(faults::put).delete(faults::remove))
        .route("/plan", get(coverage::plan))
        .route("/coverage", get(coverage::coverage))
        .route("/connect", get(connect))
        .route("/scopes/{key}", delete(events::remove_scope))
        .route("/expect", post(expect::expect))
        .route("/trace", post(inspect::trace))
        .fallback(async || error(StatusCode::NOT_FOUND, "there is nothing at this path"));
    let mut router = Router::new().nest("/__tracklane", api);
    if state.mock_compat {
        router = router.route("/health", get(async || "ok")).route("/messages", get(mock::messages));
    }
    router.with_state(state)
}

async fn info(Shared(state): Shared<App>) -> Reply {
    let keys = state.write_keys.clone();
    let keys = if keys.is_empty() { vec![state.example_key().to_owned()] } else { keys };
    reply(&json!({
        "schema": 1,
        "version": env!("CARGO_PKG_VERSION"),
        "start": state.start,
        "port": state.port,
        "url": state.url,
        "answer": state.answer.as_str(),
        "forward": state.outlets.forwards(),
        "plan": state.plan.as_ref().map(|plan| json!({ "name": plan.name() })),
        "keepBytes": state.keep_bytes,
        "keys": keys,
    }))
}

async fn connect(Shared(state): Shared<App>) -> Reply {
    reply(&json!({ "snippets": code::snippets(&state.url, state.example_key()) }))
}

/// 200 with JSON.
fn reply(value: &impl Serialize) -> Reply {
    typed("application/json", serde_json::to_vec(value).unwrap_or_default())
}

fn typed(content_type: &'static str, body: impl Into<Body>) -> Reply {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn error(status: StatusCode, message: &str) -> Reply {
    with_status(status, &json!({ "error": message }))
}

fn with_status(status: StatusCode, value: &impl Serialize) -> Reply {
    let mut response = reply(value);
    *response.status_mut() = status;
    response
}

fn invalid_filter(invalid: &Invalid) -> Reply {
    with_status(StatusCode::BAD_REQUEST, &json!({ "error": invalid.problem, "at": invalid.at }))
}

/// Answers 410: the events that were asked for had to make room for newer ones.
fn gone(state: &State) -> Reply {
    let (oldest, _) = state.store.bounds();
    let body = json!({
        "error": "the events behind this cursor had to make room for newer ones: start anew, or keep more with --keep",
        "oldest": oldest,
        "evicted": state.store.counters().evicted,
    });
    with_status(StatusCode::GONE, &body)
}

/// Reads a filter from a query, or makes the answer with its error.
fn filter(text: Option<&str>) -> Result<Filter, Box<Reply>> {
    Filter::parse(text.unwrap_or_default()).map_err(|invalid| Box::new(invalid_filter(&invalid)))
}

/// Rows of the list.
fn heads(state: &State, entries: &[Arc<Entry>]) -> Vec<serde_json::Value> {
    state.store.with_traces(|traces| {
        entries.iter().filter_map(|entry| serde_json::to_value(Head::new(entry, traces)).ok()).collect()
    })
}

/// A search that may take milliseconds, away from the threads that receive.
async fn search<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Box<Reply>> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Box::new(error(StatusCode::INTERNAL_SERVER_ERROR, "the search failed")))
}

/// The body of a request as it came.
type Json = Bytes;
