//! Writes notes as the JSON of `POST /__tracklane/trace`.
//!
//! The server joins the reports about one event.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::value::RawValue;

use super::note::{Attempted, Chosen, End, Ended, Note, Reply, Step, StepOutcome, Stop};
use super::patch::{Change, patch};
use crate::event::Timestamp;
use crate::ledger::Outcome;

const PENDING: &str = "pending";
const DELIVERED: &str = "delivered";
const DROPPED: &str = "dropped";

#[derive(Serialize)]
struct Traces<'n> {
    traces: Vec<Trace<'n>>,
    /// The number of events with lost reports since the last time.
    missed: u64,
}

/// The report about one event.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Trace<'n> {
    message_id: &'n str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<PluginStep<'n>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    destinations: Vec<Destination<'n>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'n, str>>,
    /// The event at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'n RawValue>,
}

#[derive(Serialize)]
struct PluginStep<'n> {
    plugin: &'n str,
    stage: &'static str,
    /// Microseconds.
    us: f64,
    outcome: &'static str,
    reason: Option<&'n str>,
    patch: Vec<Change<'n>>,
}

#[derive(Default, Serialize)]
struct Destination<'n> {
    name: &'n str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'n, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<Attempt<'n>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attempt<'n> {
    n: u32,
    at: String,
    ms: f64,
    status: Option<u16>,
    verdict: &'static str,
    error: Option<&'n str>,
    /// Milliseconds from the end of this attempt to the next one.
    again_in_ms: Option<f64>,
}

/// Writes notes as JSON.
pub(super) fn to_json(notes: &[Note], missed: u64) -> Vec<u8> {
    let traces = notes.iter().flat_map(traces).collect();
    // Text and numbers can always be written.
    serde_json::to_vec(&Traces { traces, missed }).unwrap_or_default()
}

fn traces(note: &Note) -> Vec<Trace<'_>> {
    match note {
        Note::Step(step) => vec![of_step(step)],
        Note::Stop(stop) => vec![of_stop(stop)],
        Note::Chosen(chosen) => vec![of_choice(chosen)],
        Note::Attempted(attempted) => of_attempt(attempted),
        Note::Ended(ended) => of_end(ended),
        Note::Mark(_) => Vec::new(),
    }
}

fn of_step(step: &Step) -> Trace<'_> {
    let Step { message_id, plugin, stage, took, outcome, change, end } = step;
    let (outcome, reason) = match outcome {
        StepOutcome::Kept => ("kept", None),
        StepOutcome::Dropped(reason) => (DROPPED, Some(reason.as_str())),
        StepOutcome::Failed(reason) => ("failed", Some(reason.as_str())),
    };
    let patch = change.as_ref().map_or_else(Vec::new, |[before, after]| patch(before, after));
    let trace = Trace {
        message_id,
        steps: vec![PluginStep { plugin, stage, us: micros(*took), outcome, reason, patch }],
        ..Trace::default()
    };
    let Some(End { event, .. }) = end else { return trace };
    let separator = if outcome == DROPPED { ": " } else { " " };
    let reason = format!("{plugin}{separator}{}", reason.unwrap_or_default());
    Trace { outcome: Some(DROPPED), reason: Some(reason.into()), event: event.as_deref().and_then(raw), ..trace }
}

fn of_stop(Stop { message_id, why, end: End { reason, event } }: &Stop) -> Trace<'_> {
    Trace {
        message_id,
        outcome: Some(DROPPED),
        reason: Some(why.as_deref().unwrap_or(reason.as_str()).into()),
        event: event.as_deref().and_then(raw),
        ..Trace::default()
    }
}

fn of_choice(Chosen { message_id, destinations, missing }: &Chosen) -> Trace<'_> {
    let offered =
        destinations.iter().map(|name| Destination { name, outcome: Some(PENDING), ..Destination::default() });
    let missing = missing.iter().map(|name| Destination {
        name,
        outcome: Some(DROPPED),
        reason: Some("it failed to load".into()),
        ..Destination::default()
    });
    Trace { message_id, destinations: offered.chain(missing).collect(), ..Trace::default() }
}

fn of_attempt(attempted: &Attempted) -> Vec<Trace<'_>> {
    let Attempted { destination: name, number: n, at, took, verdict, again_in, events } = attempted;
    events
        .iter()
        .map(|(message_id, Reply { status, error })| {
            let attempt = Attempt {
                n: *n,
                at: time(*at),
                ms: millis(*took),
                status: status.map(|status| status.as_u16()),
                verdict,
                error: error.as_deref(),
                again_in_ms: again_in.map(millis),
            };
            let destination = Destination { name, attempts: vec![attempt], ..Destination::default() };
            Trace { message_id, destinations: vec![destination], ..Trace::default() }
        })
        .collect()
}

fn of_end(Ended { destination: name, outcome, events }: &Ended) -> Vec<Trace<'_>> {
    events
        .iter()
        .map(|(message_id, json, why)| {
            let (outcome, reason) = match outcome {
                Outcome::Delivered => (DELIVERED, None),
                Outcome::Dropped(reason) => (DROPPED, Some(dropped(reason.as_str(), why.as_deref()))),
            };
            let destination = Destination { name, outcome: Some(outcome), reason, ..Destination::default() };
            Trace { message_id, destinations: vec![destination], event: raw(json), ..Trace::default() }
        })
        .collect()
}

fn dropped<'n>(reason: &'n str, why: Option<&'n str>) -> Cow<'n, str> {
    why.map_or(reason.into(), |why| format!("{reason}: {why}").into())
}

fn raw(json: &[u8]) -> Option<&RawValue> {
    serde_json::from_slice(json).ok()
}

fn micros(took: Duration) -> f64 {
    took.as_nanos() as f64 / 1e3
}

fn millis(took: Duration) -> f64 {
    took.as_micros() as f64 / 1e3
}

fn time(at: SystemTime) -> String {
    Timestamp::from(at).to_string()
}
