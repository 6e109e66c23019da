//! The reports of an inspector about events: the changes of each plugin, and every attempt of every destination.
//!
//! The words of the inspector are kept and shown as they came. Only the parts for a list are read.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The largest size of all reports, in bytes. The oldest are forgotten first.
const MAX_BYTES: usize = 64 << 20;
/// The memory of an event beside the words of its reports, in bytes.
const OVERHEAD: usize = 300;

/// The largest number of ids in the order that have no report any more.
const FORGET_AT: usize = 1_000;

const PENDING: &str = "pending";
const DELIVERED: &str = "delivered";
const DROPPED: &str = "dropped";

/// The reports about one event. Later reports are added.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trace {
    pub(crate) message_id: String,
    #[serde(default)]
    steps: Vec<Box<RawValue>>,
    #[serde(default)]
    destinations: Vec<Destination>,
    #[serde(default)]
    outcome: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    /// As it was at its end, for an event that does not arrive here.
    #[serde(default)]
    event: Option<Box<RawValue>>,
}

/// What is said of an event at one destination.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Destination {
    name: String,
    #[serde(default)]
    outcome: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    attempts: Vec<Box<RawValue>>,
}

/// What a list reads of an attempt.
#[derive(Deserialize)]
struct Attempt {
    #[serde(default)]
    ms: f64,
    status: Option<u16>,
    error: Option<String>,
}

/// What a list reads of a step.
#[derive(Deserialize)]
struct Step {
    #[serde(default)]
    us: f64,
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

/// All of it.
#[derive(Debug, Serialize)]
pub(crate) struct Way<'t> {
    steps: &'t [Box<RawValue>],
    destinations: &'t [Destination],
    outcome: &'t str,
    reason: Option<String>,
}

impl Destination {
    fn outcome(&self) -> &str {
        self.outcome.as_deref().unwrap_or(PENDING)
    }

    /// Attempts are added, and all else is what was said last.
    fn extend(&mut self, later: Destination) {
        self.outcome = later.outcome.or(self.outcome.take());
        self.reason = later.reason.or(self.reason.take());
        self.attempts.extend(later.attempts);
    }

    fn cost(&self) -> usize {
        self.name.len() + self.attempts.iter().map(|attempt| attempt.get().len()).sum::<usize>()
    }
}

impl Trace {
    fn attempts(&self) -> impl Iterator<Item = Attempt> {
        self.destinations
            .iter()
            .flat_map(|destination| &destination.attempts)
            .filter_map(|attempt| serde_json::from_str(attempt.get()).ok())
    }

    /// What became of it: as it was said, or as it follows from its destinations.
    fn outcome(&self) -> &str {
        if let Some(outcome) = self.outcome.as_deref().filter(|outcome| *outcome != PENDING) {
            return outcome;
        }
        let ended = |outcome| self.destinations.iter().any(|destination| destination.outcome() == outcome);
        match () {
            () if self.destinations.is_empty() || ended(PENDING) => PENDING,
            () if ended(DELIVERED) => DELIVERED,
            () => DROPPED,
        }
    }

    fn reason(&self) -> Option<String> {
        if self.reason.is_some() || self.outcome() != DROPPED {
            return self.reason.clone();
        }
        let destination = self.destinations.last()?;
        Some(match &destination.reason {
            Some(reason) => format!("{}: {reason}", destination.name),
            None => destination.name.clone(),
        })
    }

    /// Returns how far the event came.
    pub(crate) fn state(&self) -> &'static str {
        let is_tried = || self.destinations.iter().any(|destination| !destination.attempts.is_empty());
        match self.outcome() {
            DELIVERED => DELIVERED,
            DROPPED => DROPPED,
            _ if is_tried() => "retrying",
            _ => PENDING,
        }
    }

    /// Whether it goes no further.
    pub(super) fn is_ended(&self) -> bool {
        self.outcome() != PENDING
    }

    /// The event itself, if it was said. It is kept once.
    pub(super) fn take_event(&mut self) -> Option<Bytes> {
        self.event.take().map(|event| String::from(Box::<str>::from(event)).into())
    }

    pub(crate) fn summary(&self) -> Summary {
        let steps = self.steps.iter().filter_map(|step| serde_json::from_str::<Step>(step.get()).ok());
        let state = self.state();
        let reason = match state {
            "retrying" => self.attempts().last().and_then(|last| match last.status {
                Some(status) => Some(status.to_string()),
                None => last.error,
            }),
            _ => self.reason(),
        };
        Summary {
            state,
            ms: steps.map(|step| step.us).sum::<f64>() / 1_000.0
                + self.attempts().map(|attempt| attempt.ms).sum::<f64>(),
            destinations: self.destinations.len(),
            attempts: self.destinations.iter().map(|destination| destination.attempts.len()).sum(),
            reason,
        }
    }

    pub(crate) fn way(&self) -> Way<'_> {
        let Self { steps, destinations, .. } = self;
        Way { steps, destinations, outcome: self.outcome(), reason: self.reason() }
    }

    fn extend(&mut self, later: Trace) {
        self.steps.extend(later.steps);
        for destination in later.destinations {
            match self.destinations.iter_mut().find(|known| known.name == destination.name) {
                Some(known) => known.extend(destination),
                None => self.destinations.push(destination),
            }
        }
        self.outcome = later.outcome.or(self.outcome.take());
        self.reason = later.reason.or(self.reason.take());
        self.event = later.event.or(self.event.take());
    }

    fn cost(&self) -> usize {
        let steps: usize = self.steps.iter().map(|step| step.get().len()).sum();
        let destinations: usize = self.destinations.iter().map(Destination::cost).sum();
        OVERHEAD + steps + destinations + self.event.as_ref().map_or(0, |event| event.get().len())
    }
}

/// All of them, by `messageId`.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    by_id: HashMap<String, Trace>,
    order: VecDeque<String>,
    bytes: usize,
}

impl Traces {
    pub(crate) fn get(&self, message_id: &str) -> Option<&Trace> {
        self.by_id.get(message_id)
    }

    /// Adds what is said of an event. Returns the event itself if it has ended and is not known: it did not arrive here.
    pub(super) fn add(&mut self, trace: Trace, is_known: bool) -> Option<Bytes> {
        let id = trace.message_id.clone();
        if let Some(known) = self.by_id.get_mut(&id) {
            self.bytes -= known.cost();
            known.extend(trace);
        } else {
            self.order.push_back(id.clone());
            self.by_id.insert(id.clone(), trace);
        }
        let known = self.by_id.get_mut(&id)?;
        // Of an event that is here its words are not needed, and of one that may come they are not needed yet.
        let event = if is_known || known.is_ended() { known.take_event() } else { None };
        self.bytes += known.cost();
        while self.bytes > MAX_BYTES
            && let Some(oldest) = self.order.pop_front()
        {
            self.remove(&oldest);
        }
        // Those of events that made room are in the order still.
        if self.order.len() > 2 * self.by_id.len() + FORGET_AT {
            let known = &self.by_id;
            self.order.retain(|id| known.contains_key(id));
        }
        event.filter(|_| !is_known)
    }

    pub(super) fn remove(&mut self, message_id: &str) {
        if let Some(trace) = self.by_id.remove(message_id) {
            self.bytes -= trace.cost();
        }
    }
}
