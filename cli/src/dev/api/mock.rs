//! `GET /messages`, like segment/mock: the events since the last request.

use std::sync::PoisonError;

use axum::extract::State as Shared;
use serde_json::value::RawValue;

use super::{App, Reply, reply};

pub(super) async fn messages(Shared(state): Shared<App>) -> Reply {
    let entries = {
        let mut cursor = state.mock_cursor.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = state.store.after(*cursor, usize::MAX);
        *cursor = entries.last().map_or(*cursor, |entry| entry.seq);
        entries
    };
    let raw: Vec<&RawValue> = entries
        .iter()
        .filter(|entry| entry.has_arrived())
        .filter_map(|entry| serde_json::from_slice(&entry.raw).ok())
        .collect();
    reply(&raw)
}
