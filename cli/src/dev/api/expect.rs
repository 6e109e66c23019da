//! `POST expect`: waits until the expected events are there, or cannot come any more.

use std::time::Duration;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::{App, Json, Reply, error, gone, heads, reply, with_status};
use crate::dev::state::State;
use crate::dev::store::Entry;
use crate::expect::{Arrived, Expectation, Judge, Verdict};

/// Longest wait.
const MAX_WITHIN: Duration = Duration::from_secs(600);
/// Events that are looked at between two locks.
const BLOCK: usize = 1_024;

pub(super) async fn expect(Shared(state): Shared<App>, body: Json) -> Reply {
    let expectation = match Expectation::parse(&body) {
        Ok(expectation) => expectation,
        Err(problem) => return error(StatusCode::BAD_REQUEST, &problem),
    };
    let deadline = Instant::now() + Duration::from_millis(expectation.within_ms).min(MAX_WITHIN);
    let scope = expectation.scope.clone();
    let mut cursor = expectation.after;
    // Only a cursor that was given can have fallen out before anything was looked at.
    let mut looked = cursor > 0;
    let mut judge = Judge::new(expectation);
    let mut watch = state.store.watch();
    loop {
        // Marked before the look, so that an event that arrives meanwhile wakes the wait.
        watch.mark_unchanged();
        loop {
            if looked && cursor < state.store.evicted_through() {
                return gone(&state);
            }
            looked = true;
            let block = state.store.after(cursor, BLOCK);
            let Some(last) = block.last() else { break };
            cursor = last.seq;
            for entry in block.iter().filter(|entry| scope.is_none() || entry.key() == scope.as_deref()) {
                judge.see(&arrived(entry));
                if let Some(verdict) = judge.early() {
                    return answer(&state, &verdict);
                }
            }
        }
        if let Some(verdict) = judge.early() {
            return answer(&state, &verdict);
        }
        match timeout_at(deadline, watch.changed()).await {
            Ok(Ok(())) => {}
            _ => return answer(&state, &judge.late()),
        }
    }
}

/// The event, with the type that its path gave it.
fn arrived(entry: &Entry) -> Arrived {
    let mut event: Value = serde_json::from_slice(&entry.raw).unwrap_or_default();
    if let (Some(members), Some(kind)) = (event.as_object_mut(), entry.kind) {
        members.insert("type".to_owned(), kind.as_str().into());
    }
    Arrived { seq: entry.seq, event }
}

/// Answers 200 if it is met, otherwise 417.
fn answer(state: &State, verdict: &Verdict) -> Reply {
    let mut json = json!(verdict);
    for missing in json["missing"].as_array_mut().into_iter().flatten() {
        for near in missing["nearest"].as_array_mut().into_iter().flatten() {
            let entry = near["seq"].as_u64().and_then(|seq| state.store.get(seq));
            near["head"] = json!(entry.and_then(|entry| heads(state, &[entry]).pop()));
        }
    }
    json["newest"] = json!(state.store.bounds().1);
    if verdict.met { reply(&json) } else { with_status(StatusCode::EXPECTATION_FAILED, &json) }
}
