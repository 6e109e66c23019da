//! `POST expect`: waits until the expected events are there, or cannot come any more.

use std::time::Duration;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};
use tracklane::testing::{Expectation, Judge, Verdict};

use super::{App, Json, Reply, error, gone, heads, reply, with_status};
use crate::dev::state::State;
use crate::dev::store::Entry;

/// Longest wait.
const MAX_WITHIN: Duration = Duration::from_secs(600);
/// Events that are looked at between two locks.
const BLOCK: usize = 1_024;

pub(super) async fn expect(Shared(state): Shared<App>, body: Json) -> Reply {
    let expectation = match Expectation::from_json(&body) {
        Ok(expectation) => expectation,
        Err(problem) => return error(StatusCode::BAD_REQUEST, &problem.to_string()),
    };
    let deadline = Instant::now() + expectation.time().min(MAX_WITHIN);
    let scope = expectation.write_key().map(str::to_owned);
    let mut cursor = expectation.cursor();
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
            // What an inspector told of has not arrived.
            let arrived_here = block.iter().filter(|entry| entry.has_arrived());
            for entry in arrived_here.filter(|entry| scope.is_none() || entry.key() == scope.as_deref()) {
                judge.see(entry.seq, &event(entry));
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
fn event(entry: &Entry) -> Value {
    let mut event: Value = serde_json::from_slice(&entry.raw).unwrap_or_default();
    if let (Some(members), Some(kind)) = (event.as_object_mut(), entry.kind) {
        members.insert("type".to_owned(), kind.as_str().into());
    }
    event
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
