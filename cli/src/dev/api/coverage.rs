//! The plan, and which of its events were seen.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use tracklane::Kind;

use super::{App, Reply, error, reply, search};
use crate::dev::state::State;
use crate::filter::Filter;

const NO_PLAN: &str = "there is no plan: start with --plan FILE";

#[derive(Serialize)]
struct Seen {
    kind: &'static str,
    name: String,
    count: u64,
    first: u64,
    last: u64,
    violations: u64,
}

pub(super) async fn plan(Shared(state): Shared<App>) -> Reply {
    match &state.plan {
        Some(plan) => reply(&json!({ "name": plan.name(), "events": names(plan.events().into_iter()) })),
        None => error(StatusCode::NOT_FOUND, NO_PLAN),
    }
}

pub(super) async fn coverage(Shared(state): Shared<App>) -> Reply {
    let Some(plan) = &state.plan else { return error(StatusCode::NOT_FOUND, NO_PLAN) };
    let searched = Arc::clone(&state);
    let all = match search(move || seen(&searched)).await {
        Ok(all) => all,
        Err(failed) => return *failed,
    };
    let events = plan.events();
    let is = |(kind, name): &(Kind, &str), seen: &Seen| kind.as_str() == seen.kind && *name == seen.name;
    let never_seen = names(events.iter().filter(|event| !all.iter().any(|seen| is(event, seen))).copied());
    let (seen, unknown): (Vec<Seen>, Vec<Seen>) =
        all.into_iter().partition(|seen| events.iter().any(|event| is(event, seen)));
    reply(&json!({ "seen": seen, "neverSeen": never_seen, "unknown": unknown }))
}

fn names<'a>(events: impl Iterator<Item = (Kind, &'a str)>) -> Vec<serde_json::Value> {
    events.map(|(kind, name)| json!({ "kind": kind.as_str(), "name": name })).collect()
}

fn seen(state: &State) -> Vec<Seen> {
    let mut all: BTreeMap<(&'static str, String), Seen> = BTreeMap::new();
    state.store.each(&Filter::default(), |entry| {
        let Some(kind) = entry.kind else { return true };
        let name = match kind {
            Kind::Track => entry.subject().name().unwrap_or_default().into_owned(),
            _ => String::new(),
        };
        let kind = kind.as_str();
        let seen = all.entry((kind, name.clone())).or_insert(Seen {
            kind,
            name,
            count: 0,
            first: entry.seq,
            last: entry.seq,
            violations: 0,
        });
        seen.count += 1;
        seen.last = entry.seq;
        seen.violations += u64::from(entry.findings.iter().any(|finding| finding.rule == "plan-violation"));
        true
    });
    all.into_values().collect()
}
