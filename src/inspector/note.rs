//! The notes of the pipeline about events: cheap to make, and not yet JSON.

use std::sync::{Arc, mpsc};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::StatusCode;

use crate::ledger::{DropReason, Outcome};

/// One step of one event, or of the events of one batch.
pub(crate) enum Note {
    Step(Step),
    Stop(Stop),
    Chosen(Chosen),
    Attempted(Attempted),
    Ended(Ended),
    /// Answered when all notes before it are sent or lost.
    Mark(mpsc::SyncSender<()>),
}

/// The work of a plugin, or of the middleware at one place, on an event.
pub(crate) struct Step {
    pub(crate) message_id: String,
    pub(crate) plugin: Arc<str>,
    /// `before`, `enrichment` or `middleware`.
    pub(crate) stage: &'static str,
    pub(crate) took: Duration,
    pub(crate) outcome: StepOutcome,
    /// The event's JSON before and after, if the plugin changed it.
    pub(crate) change: Option<[Vec<u8>; 2]>,
    /// The event ended here.
    pub(crate) end: Option<End>,
}

/// The outcome of that work.
pub(crate) enum StepOutcome {
    Kept,
    /// Dropped on purpose, with the reason.
    Dropped(String),
    /// Failed, with the reason.
    Failed(String),
}

/// The end of an event that no plugin stopped.
pub(crate) struct Stop {
    pub(crate) message_id: String,
    /// Details, if there are more than the reason.
    pub(crate) why: Option<String>,
    pub(crate) end: End,
}

/// The end of an event before the destinations.
pub(crate) struct End {
    pub(crate) reason: DropReason,
    /// Its JSON, if the event still exists.
    pub(crate) event: Option<Vec<u8>>,
}

/// The destinations of an event.
pub(crate) struct Chosen {
    pub(crate) message_id: String,
    pub(crate) destinations: Vec<Arc<str>>,
    /// Destinations that should have it, but failed to load.
    pub(crate) missing: Vec<Arc<str>>,
}

/// One attempt of a destination.
pub(crate) struct Attempted {
    pub(crate) destination: Arc<str>,
    /// The number of the attempt, from 1.
    pub(crate) number: u32,
    /// Its beginning.
    pub(crate) at: SystemTime,
    pub(crate) took: Duration,
    pub(crate) verdict: &'static str,
    /// The time from the end of the attempt to the next one.
    pub(crate) again_in: Option<Duration>,
    /// For each event its id and the destination's answer.
    pub(crate) events: Vec<(String, Reply)>,
}

/// The answer of a destination about one event.
#[derive(Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: Option<StatusCode>,
    /// Without the body of the response, which may repeat what was sent.
    pub(crate) error: Option<Arc<str>>,
}

/// The outcome of events at a destination.
pub(crate) struct Ended {
    pub(crate) destination: Arc<str>,
    pub(crate) outcome: Outcome,
    /// For each event its id, its final JSON, and the error that it was dropped for.
    pub(crate) events: Vec<(String, Bytes, Option<Arc<str>>)>,
}

impl Note {
    /// Counts the events that it is about.
    pub(super) fn events(&self) -> usize {
        match self {
            Note::Step(_) | Note::Stop(_) | Note::Chosen(_) => 1,
            Note::Attempted(Attempted { events, .. }) => events.len(),
            Note::Ended(Ended { events, .. }) => events.len(),
            Note::Mark(_) => 0,
        }
    }

    /// Estimates its memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let event = |end: &End| end.event.as_ref().map_or(0, Vec::len);
        let more = match self {
            Note::Step(step) => {
                let change = step.change.iter().flatten().map(Vec::len).sum::<usize>();
                change + step.end.as_ref().map_or(0, event)
            }
            Note::Stop(stop) => event(&stop.end),
            Note::Ended(Ended { events, .. }) => events.iter().map(|(_, json, _)| json.len()).sum(),
            Note::Chosen(_) | Note::Attempted(_) | Note::Mark(_) => 0,
        };
        more + self.events() * EVENT_BYTES
    }
}

/// The memory of an event in a note beside its JSON, in bytes.
const EVENT_BYTES: usize = 200;
