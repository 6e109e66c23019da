//! Takes the reports of an inspector in a client about its events.

use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{App, Json, Reply, error, reply};
use crate::dev::store::Trace;

#[derive(Deserialize)]
struct Posted {
    traces: Vec<Trace>,
}

pub(super) async fn trace(Shared(state): Shared<App>, body: Json) -> Reply {
    match serde_json::from_slice::<Posted>(&body) {
        Ok(Posted { traces }) => {
            let count = traces.len();
            state.store.trace(traces);
            reply(&json!({ "taken": count }))
        }
        Err(problem) => error(StatusCode::BAD_REQUEST, &format!("no traces: {problem}")),
    }
}
