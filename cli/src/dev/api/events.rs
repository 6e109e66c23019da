//! Lists of events, and one event in full.

use std::sync::Arc;

use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::query::Query;
use super::{App, Reply, error, filter, gone, heads, reply, search, typed};
use crate::dev::code;
use crate::dev::state::State;
use crate::dev::store::{Entry, Trace};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 500;

#[derive(Deserialize)]
pub(super) struct Window {
    q: Option<String>,
    after: Option<u64>,
    before: Option<u64>,
    limit: Option<usize>,
}

/// The newest events that match, or those before or after a cursor.
pub(super) async fn list(Shared(state): Shared<App>, Query(window): Query<Window>) -> Reply {
    let filter = match filter(window.q.as_deref()) {
        Ok(filter) => filter,
        Err(invalid) => return *invalid,
    };
    let limit = window.limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
    if window.before.is_some_and(|before| before <= state.store.evicted_through()) {
        return gone(&state);
    }
    let searched = Arc::clone(&state);
    let page = search(move || match window.after {
        Some(after) => searched.store.page_after(after, limit, &filter),
        None => Ok(searched.store.page_before(window.before.unwrap_or(u64::MAX), limit, &filter)),
    });
    let page = match page.await {
        Ok(Ok(page)) => page,
        Ok(Err(_)) => return gone(&state),
        Err(failed) => return *failed,
    };
    let (oldest, newest) = state.store.bounds();
    reply(&json!({
        "events": heads(&state, &page.events),
        "matched": page.matched,
        "oldest": oldest,
        "newest": newest,
        "counters": state.store.counters(),
    }))
}

/// Removes the events that match; without a filter all of them.
pub(super) async fn remove(Shared(state): Shared<App>, Query(window): Query<Window>) -> Reply {
    let filter = match filter(window.q.as_deref()) {
        Ok(filter) => filter,
        Err(invalid) => return *invalid,
    };
    let removed = state.store.remove(|entry, traces| filter.matches(&entry.subject_with_path(traces)));
    reply(&json!({ "removed": removed }))
}

/// Removes the events of one write key.
pub(super) async fn remove_scope(Shared(state): Shared<App>, Path(key): Path<String>) -> Reply {
    let removed = state.store.remove(|entry, _| entry.key() == Some(key.as_str()));
    reply(&json!({ "removed": removed }))
}

/// The event of this number, or why there is none.
fn find(state: &State, seq: &str) -> Result<Arc<Entry>, Box<Reply>> {
    let Ok(seq) = seq.parse::<u64>() else {
        return Err(Box::new(error(StatusCode::NOT_FOUND, "events have numbers, from 1")));
    };
    state.store.get(seq).ok_or_else(|| {
        Box::new(match seq <= state.store.evicted_through() && seq > 0 {
            true => gone(state),
            false => error(StatusCode::NOT_FOUND, "there is no event of this number"),
        })
    })
}

pub(super) async fn one(Shared(state): Shared<App>, Path(seq): Path<String>) -> Reply {
    let entry = match find(&state, &seq) {
        Ok(entry) => entry,
        Err(missing) => return *missing,
    };
    let seq = entry.seq;
    let event: Option<&RawValue> = serde_json::from_slice(&entry.raw).ok();
    let text = String::from_utf8_lossy(&entry.raw);
    let id = entry.message_id();
    let path = state.store.with_traces(|traces| {
        let trace = id.and_then(|id| traces.get(&id));
        serde_json::to_string(&trace.map(Trace::way)).unwrap_or_default()
    });
    // Put together as text: the event stays as it was sent.
    let body = format!(
        r#"{{"head":{},"event":{},"findings":{},"request":{},"path":{},"older":{},"newer":{}}}"#,
        json!(heads(&state, &[Arc::clone(&entry)]).pop()),
        event.map_or_else(|| json!(text).to_string(), |raw| raw.get().to_owned()),
        serde_json::to_string(&entry.findings).unwrap_or_default(),
        serde_json::to_string(&entry.request.as_deref()).unwrap_or_default(),
        path,
        json!(state.store.before(seq, 1).first().map(|entry| entry.seq)),
        json!(state.store.after(seq, 1).first().map(|entry| entry.seq)),
    );
    typed("application/json", body)
}

pub(super) async fn raw(Shared(state): Shared<App>, Path(seq): Path<String>) -> Reply {
    match find(&state, &seq) {
        Ok(entry) => typed("application/json", entry.raw.clone()),
        Err(missing) => *missing,
    }
}

pub(super) async fn as_code(Shared(state): Shared<App>, Path((seq, language)): Path<(String, String)>) -> Reply {
    let entry = match find(&state, &seq) {
        Ok(entry) => entry,
        Err(missing) => return *missing,
    };
    match code::of_event(&entry, &language, &state.url, state.example_key()) {
        Some(text) => typed("text/plain; charset=utf-8", text),
        None => error(StatusCode::NOT_FOUND, "the languages are rust, js, curl and expect"),
    }
}
