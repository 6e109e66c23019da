//! One stream of events, of a partition or of a destination's parked events: how its messages are delivered, and their
//! outcomes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_nats::jetstream::Message;
use async_nats::jetstream::stream::Stream;
use futures_util::future::BoxFuture;
use tokio::time::{sleep, timeout};
use tracklane::{BoxError, text_with_causes};

use super::dead;
use super::gate::Pass;
use super::suspect::{Handling, SURVIVAL, Suspects, handling};
use super::targets::{Ended, SharedTargets, Targets, hand_over, outcomes, set_aside};
use super::trouble::Trouble;
use crate::jetstream::{DESTINATION_HEADER, JetStream, ParkedMessage};

/// The wait before the next attempt to store events.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// One stream.
pub(super) struct Partition {
    pub(super) log: Arc<JetStream>,
    pub(super) stream: String,
    pub(super) targets: SharedTargets,
    /// The time that finished events stay.
    pub(super) keep: Duration,
    pub(super) counts: Arc<Counts>,
    pub(super) suspects: Arc<Suspects>,
    pub(super) trouble: Mutex<Trouble>,
}

/// Counts of all partitions of a worker.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) messages: AtomicU64,
    /// Messages that came again after they were handed over.
    pub(super) repeats: AtomicU64,
}

/// A message whose outcomes are known.
pub(super) struct Done {
    pub(super) sequence: u64,
    pub(super) message: Arc<Message>,
    pub(super) ended: Result<(), BoxError>,
    parked: Parcels,
    /// Passes, held until parked events are stored.
    passes: Vec<Pass>,
}

/// Events to be parked: the pipeline, the destination, and their places in the message.
type Parcels = Vec<(String, String, Vec<usize>)>;

impl Partition {
    /// Logs an error, if it lasts and is not the same as the last one.
    pub(super) fn tell(&self, error: &(dyn std::error::Error + Send + Sync + 'static)) {
        let text = text_with_causes(error);
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.note(&text, Instant::now()) {
            tracing::warn!(target: "tracklane", stream = self.stream, error = %text, "something is wrong with a stream of the log; it is tried again");
        }
    }

    /// Delivers the events of a message, or sets them aside if they are deadly. The future ends when all outcomes are
    /// known and the dead events are stored.
    pub(super) fn hand_over(
        &self,
        sequence: u64,
        message: Arc<Message>,
        passes: Vec<Pass>,
        is_deadly: bool,
    ) -> BoxFuture<'static, Done> {
        self.counts.messages.fetch_add(1, Ordering::Relaxed);
        let (log, targets) = (Arc::clone(&self.log), Arc::clone(&self.targets));
        // The last token of the subject.
        let pipeline = message.subject.as_str().rsplit('.').next().unwrap_or_default().to_owned();
        let only = message.headers.as_ref().and_then(|headers| headers.get(DESTINATION_HEADER));
        let only = only.map(|name| name.as_str().to_owned());
        let mut ended = Ended::default();
        let lines = lines(&message.payload);
        let Some(of_pipeline) = targets.of(&pipeline) else {
            let unknown = format!("{pipeline:?} has events in the log, and is no pipeline of the configuration");
            let parked = Parcels::new();
            return Box::pin(async move { Done { sequence, message, ended: Err(unknown.into()), parked, passes } });
        };
        let waiting = if is_deadly {
            ended.dead = set_aside(of_pipeline, only.as_deref(), lines.len());
            Vec::new()
        } else {
            hand_over(of_pipeline, only.as_deref(), &lines, &mut ended)
        };
        Box::pin(async move {
            let ended = outcomes(&targets, &pipeline, waiting, ended).await;
            while dead::store(&log, &pipeline, &self::lines(&message.payload), &ended.dead).await.is_err() {
                sleep(AFTER_ERROR).await;
            }
            let parked = parcels(&targets, &pipeline, &ended);
            let ended = match ended.unfinished {
                0 => Ok(()),
                events => Err(format!("{events} events of a message have no outcome").into()),
            };
            Done { sequence, message, ended, parked, passes }
        })
    }

    /// The same for a suspect: in its turn, and noted before.
    pub(super) async fn hand_over_alone(
        self: Arc<Self>,
        stream: Stream,
        sequence: u64,
        message: Arc<Message>,
        deliveries: i64,
        passes: Vec<Pass>,
    ) -> Done {
        let turn = self.suspects.turn().await;
        let note = loop {
            match self.suspects.note(&stream, sequence).await {
                Ok(note) => break note,
                // Without a note the end of this worker would count for nothing.
                Err(error) => self.tell(&*error),
            }
            sleep(AFTER_ERROR).await;
        };
        let is_deadly = handling(deliveries, Some(&note)) == Handling::SetAside;
        let mut handed_over = self.hand_over(sequence, message, passes, is_deadly);
        if let Ok(done) = timeout(SURVIVAL, &mut handed_over).await {
            return done;
        }
        if let Err(error) = self.suspects.forget(&stream).await {
            self.tell(&*error);
        }
        drop(turn);
        handed_over.await
    }
}

fn parcels(targets: &Targets, pipeline: &str, ended: &Ended) -> Parcels {
    let of_pipeline = targets.of(pipeline).unwrap_or_default();
    let parcel = |(number, places): (&usize, &Vec<usize>)| {
        Some((pipeline.to_owned(), of_pipeline.get(*number)?.name.clone(), places.clone()))
    };
    ended.parked.iter().filter_map(parcel).collect()
}

impl Done {
    /// Parks events. Tries again until they are stored.
    pub(super) async fn park(&mut self, log: &JetStream) {
        let lines = lines(&self.message.payload);
        for (pipeline, destination, places) in &self.parked {
            let events: Vec<&[u8]> = places.iter().filter_map(|place| lines.get(*place).copied()).collect();
            let parked = || ParkedMessage { pipeline, destination, events: events.clone() };
            while log.publish_parked(parked()).await.is_err() {
                sleep(AFTER_ERROR).await;
            }
        }
        self.passes.clear();
    }
}

fn lines(payload: &[u8]) -> Vec<&[u8]> {
    payload.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect()
}
