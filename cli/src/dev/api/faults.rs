//! Faults: list, set, remove.

use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use serde_json::json;

use super::{App, Json, Reply, error, reply};

pub(super) async fn list(Shared(state): Shared<App>) -> Reply {
    reply(&json!({ "faults": state.faults.list() }))
}

pub(super) async fn put(Shared(state): Shared<App>, Path(name): Path<String>, body: Json) -> Reply {
    match state.faults.put(&name, &body) {
        Ok(rule) => reply(&rule),
        Err(problem) => error(StatusCode::BAD_REQUEST, &problem),
    }
}

pub(super) async fn remove(Shared(state): Shared<App>, Path(name): Path<String>) -> Reply {
    if !state.faults.remove(&name) {
        return error(StatusCode::NOT_FOUND, "there is no fault of this name");
    }
    let mut response = Reply::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
