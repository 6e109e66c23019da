//! The destinations behind the log: a client for each, so that none waits for another.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tower_layer::layer_fn;
use tracklane::emitter::signal::Failure;
use tracklane::plugin::{Destination, QueueLimits};
use tracklane::{Analytics, DropReason, Event, Outcome, Receipt, SettingsError, Settlement, text_with_causes};

use super::dead::DeadEvent;
use super::gate::{Gate, GateService, Parked, Pass};
use super::pause::{Pause, PauseService};
use crate::pipeline::{patient, persistent};

/// No bound, because the read-ahead of a partition bounds the events in progress.
const UNBOUNDED: usize = usize::MAX / 2;

/// The destinations of every pipeline.
#[derive(Debug, Default)]
pub(super) struct Targets(BTreeMap<String, Vec<Target>>);

/// The targets, shared by the partitions.
pub(super) type SharedTargets = Arc<Targets>;

/// A destination.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: String,
    client: Analytics,
    /// The gate that parks events. Without one the destination is tried for ever.
    pub(super) gate: Option<Arc<Gate>>,
    /// The waits of a destination without a gate.
    pub(super) pause: Arc<Pause>,
    pub(super) counts: Counts,
}

/// Events of one destination, since the process began.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) delivered: AtomicU64,
    /// The destination has no use for them, or they are not for it.
    pub(super) skipped: AtomicU64,
    pub(super) dead: AtomicU64,
    pub(super) parked: AtomicU64,
}

/// An event that a destination has, until its outcome is known.
pub(super) struct Waiting {
    place: usize,
    target: usize,
    receipt: Receipt,
}

/// The outcomes of the events of a message.
#[derive(Debug, Default)]
pub(super) struct Ended {
    pub(super) dead: Vec<DeadEvent>,
    /// Places of the events to be parked, by the number of the target.
    pub(super) parked: BTreeMap<usize, Vec<usize>>,
    /// Events without an outcome, because the worker ends. The message must come again.
    pub(super) unfinished: usize,
}

impl Targets {
    /// Starts a client for each destination, on this runtime. With `park_after`, each has a gate.
    pub(super) fn start(
        pipelines: impl IntoIterator<Item = (String, Vec<(Destination, bool)>)>,
        max_age: Duration,
        park_after: Option<Duration>,
    ) -> Result<Self, SettingsError> {
        let mut targets = BTreeMap::new();
        for (pipeline, destinations) in pipelines {
            let started = destinations.into_iter().map(|(destination, in_order)| {
                let destination =
                    if in_order { patient(destination, max_age) } else { persistent(destination, max_age) };
                Target::start(destination, park_after)
            });
            targets.insert(pipeline, started.collect::<Result<Vec<Target>, _>>()?);
        }
        Ok(Self(targets))
    }

    pub(super) fn of(&self, pipeline: &str) -> Option<&[Target]> {
        self.0.get(pipeline).map(Vec::as_slice)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Target)> {
        self.0.iter().flat_map(|(pipeline, targets)| targets.iter().map(move |target| (pipeline.as_str(), target)))
    }

    /// A pass for each gate; `None` while one lets nothing in.
    pub(super) fn enter(&self) -> Option<Vec<Pass>> {
        self.all().filter_map(|(_, target)| target.gate.as_ref()).map(|gate| gate.enter()).collect()
    }

    /// Ends every client, within that time. An event that has no outcome by then is in a message that is not
    /// acknowledged, so it is delivered again: no loss, as the clients would log it.
    pub(super) async fn close(&self, limit: Duration) {
        let close = |client: Analytics| tokio::task::spawn_blocking(move || client.close_blocking(limit).pending);
        let closing = self.all().map(|(_, target)| close(target.client.clone()));
        let events: u64 = futures_util::future::join_all(closing).await.into_iter().flatten().sum();
        if events > 0 {
            tracing::info!(target: "tracklane", events, "closed; what was not delivered of these is sent again by the next worker");
        }
    }
}

impl Target {
    fn start(destination: Destination, park_after: Option<Duration>) -> Result<Self, SettingsError> {
        let name = destination.name().to_owned();
        let gate = park_after.map(|park_after| Arc::new(Gate::new(park_after)));
        let pause = Arc::new(Pause::default());
        let (behind, waits) = (gate.clone(), Arc::clone(&pause));
        let destination = match behind {
            Some(gate) => destination.layer(layer_fn(move |inner| GateService { gate: Arc::clone(&gate), inner })),
            None => destination.layer(layer_fn(move |inner| PauseService { pause: Arc::clone(&waits), inner })),
        };
        let client = Analytics::builder()
            .without_library()
            .runtime(Handle::current())
            .max_queue_size(UNBOUNDED)
            .max_queue_bytes(UNBOUNDED)
            .map_failure(as_the_log_has_it)
            .plugin(destination.queue(QueueLimits::new(UNBOUNDED, UNBOUNDED)))
            .build()?;
        Ok(Self { name, client, gate, pause, counts: Counts::default() })
    }
}

/// Declares all events of a message dead, because workers died that had it.
pub(super) fn set_aside(targets: &[Target], only: Option<&str>, events: usize) -> Vec<DeadEvent> {
    let chosen = targets.iter().filter(|target| only.is_none_or(|only| only == target.name));
    let dead = |target: &Target| {
        target.counts.dead.fetch_add(events as u64, Ordering::Relaxed);
        let name = target.name.clone();
        (0..events).map(move |place| {
            let error = "workers ended without an outcome, again and again, while they had the message that it was in";
            DeadEvent::new(place, Some(&name), "crashed", Some(error.to_owned()))
        })
    };
    chosen.flat_map(dead).collect()
}

/// Hands the events of a message to every destination of a pipeline, in their order. `only` is the one destination that
/// is to have them, if it is one.
pub(super) fn hand_over(targets: &[Target], only: Option<&str>, lines: &[&[u8]], ended: &mut Ended) -> Vec<Waiting> {
    let mut waiting = Vec::with_capacity(lines.len() * targets.len());
    let chosen = |target: &Target| only.is_none_or(|only| only == target.name);
    for (place, line) in lines.iter().enumerate() {
        let event = match Event::from_json(line) {
            Ok(event) => event,
            Err(error) => {
                ended.dead.push(DeadEvent::new(place, None, "invalid-event", Some(error.to_string())));
                continue;
            }
        };
        for (at, target) in targets.iter().enumerate().filter(|(_, target)| chosen(target)) {
            match target.client.send_with_receipt(event.clone()) {
                Ok(receipt) => waiting.push(Waiting { place, target: at, receipt }),
                Err(refused) if refused.is_invalid() => {
                    let error = Some(text_with_causes(&refused));
                    ended.dead.push(DeadEvent::new(place, Some(&target.name), DropReason::Invalid.as_str(), error));
                }
                Err(_) => ended.unfinished += 1,
            }
        }
    }
    waiting
}

/// Waits for the outcome of each.
pub(super) async fn outcomes(targets: &Targets, pipeline: &str, waiting: Vec<Waiting>, mut ended: Ended) -> Ended {
    let of_pipeline = targets.of(pipeline).unwrap_or_default();
    for Waiting { place, target: number, receipt } in waiting {
        let settlement = receipt.await;
        let Some(target) = of_pipeline.get(number) else { continue };
        match settlement.outcome {
            Outcome::Delivered => count(&target.counts.delivered),
            Outcome::Dropped(DropReason::Skipped) if is_parked(&settlement) => {
                count(&target.counts.parked);
                ended.parked.entry(number).or_default().push(place);
            }
            Outcome::Dropped(reason) if reason.is_deliberate() => count(&target.counts.skipped),
            Outcome::Dropped(reason) if is_no_outcome(reason) => ended.unfinished += 1,
            Outcome::Dropped(reason) => {
                count(&target.counts.dead);
                let error = error(&settlement).map(text_with_causes);
                ended.dead.push(DeadEvent::new(place, Some(&target.name), reason.as_str(), error));
            }
        }
    }
    ended
}

/// Rewrites a failure for the log behind the client. What has no outcome is not lost: its message is not acknowledged, and
/// the next worker sends it.
fn as_the_log_has_it(failure: &Failure) -> Failure {
    let mut failure = failure.clone();
    if failure.dropped.is_some_and(is_no_outcome) {
        (failure.dropped, failure.retried) = (None, true);
    }
    failure
}

/// Returns whether the reason means nothing for the event and the destination.
fn is_no_outcome(reason: DropReason) -> bool {
    use DropReason::{Cancelled, Closed, Internal, QueueFull};
    matches!(reason, Cancelled | Closed | Internal | QueueFull)
}

fn is_parked(settlement: &Settlement) -> bool {
    let mut cause = error(settlement);
    while let Some(error) = cause {
        if error.is::<Parked>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn error(settlement: &Settlement) -> Option<&(dyn Error + 'static)> {
    let error = settlement.destinations.iter().find_map(|destination| destination.error.as_deref())?;
    Some(error)
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use tracing_subscriber::fmt::MakeWriter;
    use tracklane::Track;
    use tracklane::plugin::Batch;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Log {
        type Writer = Self;

        fn make_writer(&self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn a_close_calls_nothing_lost_that_the_next_worker_sends() {
        let log = Log::default();
        // For all threads: a client closes on one of its own.
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
        tracing::subscriber::set_global_default(subscriber).expect("nobody else listens in this process");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let left = runtime.block_on(async {
            let hangs = |_: Batch| std::future::pending::<Result<(), io::Error>>();
            let destinations = vec![(Destination::from_fn("hangs", hangs), true)];
            let targets = Targets::start([("main".to_owned(), destinations)], Duration::from_secs(60), None).unwrap();
            let json = serde_json::to_vec(&Event::from(Track::new("Tested").user_id("u1"))).unwrap();
            let mut ended = Ended::default();
            let waiting = hand_over(targets.of("main").unwrap(), None, &[&json, &json], &mut ended);
            targets.close(Duration::from_millis(200)).await;
            outcomes(&targets, "main", waiting, ended).await.unfinished
        });
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert_eq!(left, 2, "they have no outcome");
        assert!(!log.contains("closed before") && log.contains("is sent again by the next worker"), "{log}");
    }
}
