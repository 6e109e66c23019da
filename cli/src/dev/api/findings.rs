//! Findings, grouped by rule, event and property.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State as Shared;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tracklane::Kind;
use tracklane_ingest::rules::{Finding, Level};

use super::query::Query;
use super::{App, Reply, filter, reply, search};
use crate::dev::state::State;
use crate::filter::Filter;

#[derive(Deserialize)]
pub(super) struct Wanted {
    q: Option<String>,
}

#[derive(Serialize)]
struct Group {
    rule: &'static str,
    level: Level,
    kind: Option<&'static str>,
    name: Option<String>,
    property: Option<String>,
    count: u64,
    first: u64,
    last: u64,
    message: String,
    fix: &'static str,
}

pub(super) async fn list(Shared(state): Shared<App>, Query(wanted): Query<Wanted>) -> Reply {
    let filter = match filter(wanted.q.as_deref()) {
        Ok(filter) => filter,
        Err(invalid) => return *invalid,
    };
    let searched = Arc::clone(&state);
    match search(move || groups(&searched, &filter)).await {
        Ok(groups) => reply(&json!({ "groups": groups })),
        Err(failed) => *failed,
    }
}

/// The key of a group of findings: rule, type and name of the event, property.
type Key = (&'static str, Option<Kind>, Option<String>, Option<String>);

/// The gravest first, and of these the most frequent.
fn groups(state: &State, filter: &Filter) -> Vec<Group> {
    let mut groups: HashMap<Key, Group> = HashMap::new();
    state.store.each(filter, |entry| {
        if entry.findings.is_empty() {
            return true;
        }
        let name = entry.subject().name().map(std::borrow::Cow::into_owned);
        for finding in &entry.findings {
            // The elements of an array are one property.
            let property = finding.property.as_deref().map(without_indices);
            let key = (finding.rule, entry.kind, name.clone(), property.clone());
            let group = groups.entry(key).or_insert_with(|| group(finding, entry.kind, name.clone(), property));
            group.count += 1;
            group.first = group.first.min(entry.seq);
            group.last = group.last.max(entry.seq);
        }
        true
    });
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by(|a, b| (a.level, b.count, a.first, a.rule).cmp(&(b.level, a.count, b.first, b.rule)));
    groups
}

fn group(finding: &Finding, kind: Option<Kind>, name: Option<String>, property: Option<String>) -> Group {
    Group {
        rule: finding.rule,
        level: finding.level,
        kind: kind.map(Kind::as_str),
        name,
        property,
        count: 0,
        first: u64::MAX,
        last: 0,
        message: finding.message.clone(),
        fix: finding.fix,
    }
}

fn without_indices(path: &str) -> String {
    let part = |part: &str| if part.parse::<usize>().is_ok() { "[]".to_owned() } else { part.to_owned() };
    path.split('.').map(part).collect::<Vec<_>>().join(".")
}
