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
use crate::filter::{Filter, Subject};
use crate::plan::{Plan, Planned};

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
        Some(plan) => reply(&json!({ "name": plan.name, "events": names(plan.events.iter()) })),
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
    let planned = |plan: &Plan, kind: &str, name: &str| {
        plan.events.iter().any(|planned| planned.kind.as_str() == kind && planned.name == name)
    };
    let never_seen = plan
        .events
        .iter()
        .filter(|planned| !all.iter().any(|seen| seen.kind == planned.kind.as_str() && seen.name == planned.name));
    let never_seen = names(never_seen);
    let (seen, unknown): (Vec<Seen>, Vec<Seen>) =
        all.into_iter().partition(|seen| planned(plan, seen.kind, &seen.name));
    reply(&json!({ "seen": seen, "neverSeen": never_seen, "unknown": unknown }))
}

fn names<'a>(planned: impl Iterator<Item = &'a Planned>) -> Vec<serde_json::Value> {
    planned.map(|planned| json!({ "kind": planned.kind.as_str(), "name": planned.name })).collect()
}

fn seen(state: &State) -> Vec<Seen> {
    let mut all: BTreeMap<(&'static str, String), Seen> = BTreeMap::new();
    state.store.each(&Filter::default(), |entry| {
        let Some(kind) = entry.kind else { return true };
        let name = match kind {
            Kind::Track => Subject::new(&entry.raw, entry.kind).name().unwrap_or_default().into_owned(),
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
