//! The events of one user, and the ids that were joined to theirs.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State as Shared;
use serde::Deserialize;
use serde_json::json;

use super::query::Query;
use super::{App, Reply, heads, reply, search};
use crate::dev::state::State;
use crate::dev::store::Entry;
use crate::filter::{Filter, Needle};

/// Events that are shown of one user.
const MAX_EVENTS: usize = 500;
/// The largest number of rounds in which joined ids are searched.
const MAX_ROUNDS: usize = 8;

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    id: String,
}

pub(super) async fn one(Shared(state): Shared<App>, Query(Wanted { id }): Query<Wanted>) -> Reply {
    let (searched, wanted) = (Arc::clone(&state), id.clone());
    let found = search(move || {
        let ids = joined(&searched, &wanted);
        let (mut events, mut matched) = (Vec::new(), 0_u64);
        searched.store.each(&Filter::default(), |entry| {
            if ids_of(entry).iter().any(|id| ids.contains(id)) {
                matched += 1;
                if events.len() < MAX_EVENTS {
                    events.push(Arc::clone(entry));
                }
            }
            true
        });
        (ids, events, matched)
    });
    match found.await {
        Ok((mut ids, events, matched)) => {
            ids.remove(&id);
            reply(&json!({ "id": id, "joined": ids, "events": heads(&state, &events), "matched": matched }))
        }
        Err(failed) => *failed,
    }
}

/// The id, and all that stand beside it on an event, in turn.
fn joined(state: &State, id: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::from([id.to_owned()]);
    let mut fresh = ids.clone();
    for _ in 0..MAX_ROUNDS {
        let needles: Vec<Needle> = fresh.iter().map(|id| Needle::new(id)).collect();
        let mut next = BTreeSet::new();
        state.store.each(&Filter::default(), |entry| {
            if needles.iter().any(|needle| needle.is_in(&entry.raw)) {
                let found = ids_of(entry);
                if found.iter().any(|id| fresh.contains(id)) {
                    next.extend(found.into_iter().filter(|id| !ids.contains(id)));
                }
            }
            true
        });
        if next.is_empty() {
            break;
        }
        ids.extend(next.iter().cloned());
        fresh = next;
    }
    ids
}

fn ids_of(entry: &Entry) -> Vec<String> {
    let fields = entry.fields();
    let ids = [fields.user_id, fields.anonymous_id, fields.previous_id];
    ids.into_iter().filter_map(|id| id.id()).filter(|id| !id.is_empty()).map(Into::into).collect()
}
