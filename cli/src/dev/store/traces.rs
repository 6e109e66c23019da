//! The reports of an inspector about events: the changes of each plugin, and every attempt of every destination.
//!
//! The words of the inspector are kept and shown as they came. Only the parts for a list are read.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The largest number of events with reports. The oldest are forgotten first.
const MAX_TRACES: usize = 100_000;

/// The reports about one event. Later reports are added.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trace {
    pub(crate) message_id: String,
    #[serde(default)]
    steps: Vec<Value>,
    #[serde(default)]
    destinations: Vec<Value>,
    #[serde(default)]
    outcome: Option<String>,
    #[serde(default)]
    reason: Option<String>,
}

/// The part that a row shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Summary {
    state: &'static str,
    ms: f64,
    destinations: usize,
    attempts: usize,
    reason: Option<String>,
}

impl Trace {
    fn attempts(&self) -> impl Iterator<Item = &Value> {
        self.destinations.iter().filter_map(|destination| destination["attempts"].as_array()).flatten()
    }

    /// Returns how far the event came.
    pub(crate) fn state(&self) -> &'static str {
        match self.outcome.as_deref() {
            Some("delivered") => "delivered",
            Some("dropped") => "dropped",
            _ if self.attempts().next().is_some() => "retrying",
            _ => "pending",
        }
    }

    pub(crate) fn summary(&self) -> Summary {
        let steps: f64 = self.steps.iter().filter_map(|step| step["us"].as_f64()).sum();
        let attempts: f64 = self.attempts().filter_map(|attempt| attempt["ms"].as_f64()).sum();
        Summary {
            state: self.state(),
            ms: steps / 1_000.0 + attempts,
            destinations: self.destinations.len(),
            attempts: self.attempts().count(),
            reason: self.reason.clone(),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "steps": self.steps,
            "destinations": self.destinations,
            "outcome": self.outcome.as_deref().unwrap_or("pending"),
            "reason": self.reason,
        })
    }

    fn extend(&mut self, later: Trace) {
        self.steps.extend(later.steps);
        for destination in later.destinations {
            let known = self.destinations.iter_mut().find(|known| known["name"] == destination["name"]);
            match known {
                Some(known) => extend_destination(known, destination),
                None => self.destinations.push(destination),
            }
        }
        self.outcome = later.outcome.or(self.outcome.take());
        self.reason = later.reason.or(self.reason.take());
    }
}

/// Adds attempts, and replaces everything else by the last report.
fn extend_destination(known: &mut Value, later: Value) {
    let (Value::Object(known), Value::Object(later)) = (known, later) else { return };
    for (name, value) in later {
        match (known.get_mut(&name), value) {
            (Some(Value::Array(attempts)), Value::Array(more)) if name == "attempts" => attempts.extend(more),
            (_, value) => drop(known.insert(name, value)),
        }
    }
}

/// All of them, by `messageId`.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    by_id: HashMap<String, Trace>,
    order: VecDeque<String>,
}

impl Traces {
    pub(crate) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(crate) fn get(&self, message_id: &str) -> Option<&Trace> {
        self.by_id.get(message_id)
    }

    pub(super) fn add(&mut self, trace: Trace) {
        if let Some(known) = self.by_id.get_mut(&trace.message_id) {
            return known.extend(trace);
        }
        self.order.push_back(trace.message_id.clone());
        self.by_id.insert(trace.message_id.clone(), trace);
        if self.order.len() > MAX_TRACES
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }

    pub(super) fn remove(&mut self, message_id: &str) {
        self.by_id.remove(message_id);
    }
}
