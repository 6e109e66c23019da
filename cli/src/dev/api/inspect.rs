//! Takes the reports of an inspector in a client about its events.

use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{App, Json, Reply, error, reply};
use crate::dev::store::Trace;
use crate::dev::take;

#[derive(Deserialize)]
struct Posted {
    traces: Vec<Trace>,
    /// Of so many events something could not be told.
    #[serde(default)]
    missed: u64,
}

pub(super) async fn trace(Shared(state): Shared<App>, body: Json) -> Reply {
    match serde_json::from_slice::<Posted>(&body) {
        Ok(Posted { traces, missed }) => {
            let count = traces.len();
            state.store.trace(traces, missed, |event| take::told(&state, event));
            reply(&json!({ "taken": count }))
        }
        Err(problem) => error(StatusCode::BAD_REQUEST, &format!("no traces: {problem}")),
    }
}
