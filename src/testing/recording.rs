//! A destination that records its events, for tests without a network.

use std::fmt;
use std::future::ready;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::event::Event;
use crate::plugin::{Answer, Batch, Destination, Verdict};

/// A destination that records its events, and answers as a test wants.
///
/// ```
/// use std::time::Duration;
/// use tracklane::testing::RecordingDestination;
/// use tracklane::{Analytics, Track};
///
/// let recording = RecordingDestination::new("recording");
/// let analytics = Analytics::builder().plugin(recording.destination()).build()?;
/// analytics.track(Track::new("Item Purchased").user_id("019mr8mf4r"))?;
/// analytics.close_blocking(Duration::from_secs(5));
/// assert_eq!(recording.events()[0].name().as_deref(), Some("Item Purchased"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Clones share one recording.
#[derive(Clone)]
pub struct RecordingDestination {
    name: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    record: Mutex<Record>,
    changed: Condvar,
}

#[derive(Default)]
struct Record {
    events: Vec<Event>,
    batches: Vec<Batch>,
    answer: Option<AnswerFn>,
}

type AnswerFn = Arc<dyn Fn(&Batch) -> Answer + Send + Sync>;

impl RecordingDestination {
    /// Makes a recording destination `name`. It takes every batch.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), shared: Arc::default() }
    }

    /// Sets the answer to every batch from now on. Events that it does not take are recorded only in their batch.
    pub fn answer_with(&self, answer: impl Fn(&Batch) -> Answer + Send + Sync + 'static) {
        self.record().answer = Some(Arc::new(answer));
    }

    /// Returns the destination to register. Each event goes to it alone and at once; its settings can be changed.
    pub fn destination(&self) -> Destination {
        let recording = self.clone();
        Destination::from_fn(&self.name, move |batch| ready(Ok::<_, std::convert::Infallible>(recording.take(batch))))
    }

    fn take(&self, batch: Batch) -> Answer {
        let answer = self.record().answer.clone();
        // Without the lock, because the function may look at the recording.
        let answer = answer.map_or(Answer::new(Verdict::Delivered), |answer| answer(&batch));
        let mut record = self.record();
        let taken = batch.messages().enumerate().filter(|(index, _)| answer.verdict_of(*index) == Verdict::Delivered);
        record.events.extend(taken.map(|(_, message)| message.event()));
        record.batches.push(batch);
        drop(record);
        self.shared.changed.notify_all();
        answer
    }

    /// Returns the events that were taken, in order.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.record().events.clone()
    }

    /// Returns every batch in order, repeated attempts included.
    #[must_use]
    pub fn batches(&self) -> Vec<Batch> {
        self.record().batches.clone()
    }

    /// Blocks until `count` events were taken, at most `timeout` of real time. Returns the events that were.
    #[must_use]
    pub fn wait_for_events(&self, count: usize, timeout: Duration) -> Vec<Event> {
        let give_up = Instant::now() + timeout;
        let mut record = self.record();
        while record.events.len() < count {
            let left = give_up.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            record = self.shared.changed.wait_timeout(record, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        record.events.clone()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.shared.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RecordingDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingDestination").field("name", &self.name).finish_non_exhaustive()
    }
}
