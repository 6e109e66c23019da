//! One round: a client with random settings, senders, plugins that come and go, and a close at a random moment.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tracklane::plugin::{
    Answer, Batch, Batching, Destination, Flow, Plugin, Transform, Verdict, enrichment, enrichment_fn,
};
use tracklane::{Analytics, BoxError, CloseReport, Event, Outcome, Track};

use crate::support::quick_retries;

/// Longer than anything here takes on a busy machine.
pub(super) const SOON: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Speed {
    Fast,
    Slow,
    Hung,
    /// Fails, and is tried again.
    Failing,
    /// Refuses permanently.
    Refusing,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    None,
    /// Computes for some microseconds.
    Spins(u64),
    Yields,
    /// Awaits for some milliseconds.
    Awaits(u64),
    /// Awaits for about some milliseconds, with so many events at once.
    Together(usize, u64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Close,
    TwoCloses,
    /// The future of a close is dropped, then another close asks.
    CancelledClose,
    Drop,
    /// The future of a close is dropped, then the client.
    CancelledCloseThenDrop,
    CloseAndDrop,
}

#[derive(Debug)]
pub(crate) struct Round {
    pub(crate) seed: u64,
    pub(crate) queue: usize,
    pub(crate) events: usize,
    pub(crate) senders: usize,
    pub(crate) work: Work,
    pub(crate) destinations: Vec<Speed>,
    /// Plugins and destinations come and go meanwhile.
    pub(crate) changes: bool,
    /// From the last call to the end.
    pub(crate) delay: Duration,
    pub(crate) limit: Duration,
    pub(crate) end: End,
}

/// The outcomes of the events of several rounds.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    pub(super) accepted: usize,
    pub(super) delivered: usize,
    pub(super) handed_back: usize,
    pub(super) dropped: usize,
}

impl Ended {
    pub(crate) fn add(&mut self, other: &Ended) {
        self.accepted += other.accepted;
        self.delivered += other.delivered;
        self.handed_back += other.handed_back;
        self.dropped += other.dropped;
    }
}

fn one_of<T: Copy>(random: &mut fastrand::Rng, choices: &[T]) -> T {
    choices[random.usize(..choices.len())]
}

impl Round {
    /// One destination that works, and a close without time.
    pub(crate) fn plain(seed: u64) -> Self {
        Self {
            seed,
            queue: 10_000,
            events: 10_000,
            senders: 1,
            work: Work::None,
            destinations: vec![Speed::Fast],
            changes: false,
            delay: Duration::ZERO,
            limit: Duration::ZERO,
            end: End::Close,
        }
    }

    pub(crate) fn random(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let random = &mut random;
        let queue = one_of(random, &[1, 2, 10, 100, 1_000, 10_000, 10_000, 200_000]);
        let most = one_of(random, &[100, 1_000, 3_000, 10_000]);
        let all = [Speed::Fast, Speed::Fast, Speed::Slow, Speed::Hung, Speed::Failing, Speed::Refusing];
        let end = one_of(
            random,
            &[
                End::Close,
                End::Close,
                End::TwoCloses,
                End::CancelledClose,
                End::Drop,
                End::CancelledCloseThenDrop,
                End::CloseAndDrop,
            ],
        );
        let mut destinations: Vec<Speed> = (0..random.usize(1..4)).map(|_| one_of(random, &all)).collect();
        if matches!(end, End::Drop | End::CancelledCloseThenDrop) && random.usize(..8) > 0 {
            // Or each such round takes two seconds.
            destinations = vec![one_of(random, &[Speed::Fast, Speed::Refusing]); destinations.len()];
        }
        Self {
            seed,
            queue,
            events: random.usize(1..=most.min(2 * queue.max(50))),
            senders: random.usize(1..4),
            work: one_of(
                random,
                &[
                    Work::None,
                    Work::None,
                    Work::Spins(5),
                    Work::Spins(50),
                    Work::Yields,
                    Work::Awaits(1),
                    Work::Together(3, 1),
                    Work::Together(64, 3),
                ],
            ),
            destinations,
            changes: random.bool(),
            delay: Duration::from_micros(one_of(random, &[0, 0, 50, 300, 1_000, 3_000])),
            limit: Duration::from_millis(one_of(random, &[0, 0, 1, 5, 20])),
            end,
        }
    }

    /// Plays the round, and checks the outcome of each event.
    pub(crate) fn play(&self) -> Result<Ended, String> {
        let seen = Arc::new(Seen::default());
        let client = self.client(&seen);
        let over = AtomicBool::new(false);
        let (accepted, reports, watching) = thread::scope(|scope| {
            let senders: Vec<_> = (0..self.senders).map(|sender| (sender, client.clone(), seen.clone())).collect();
            let senders: Vec<_> = senders
                .into_iter()
                .map(|(sender, client, seen)| scope.spawn(move || self.send(sender, &client, &seen)))
                .collect();
            if self.changes {
                let (client, over) = (client.clone(), &over);
                scope.spawn(move || self.change(client, over));
            }
            let mut random = fastrand::Rng::with_seed(self.seed ^ 1);
            if random.bool() {
                // In the middle of the calls.
                let some = random.usize(..self.events.min(self.queue).max(1));
                let give_up = Instant::now() + Duration::from_millis(100);
                while client.stats().accepted < some as u64 && Instant::now() < give_up {
                    thread::yield_now();
                }
            } else {
                let give_up = Instant::now() + Duration::from_millis(100);
                while senders.iter().any(|sender| !sender.is_finished()) && Instant::now() < give_up {
                    thread::yield_now();
                }
            }
            thread::sleep(self.delay);
            // The last handle, where the end is a drop: those of the others go as soon as calls are refused.
            let watching = (!matches!(self.end, End::Drop | End::CancelledCloseThenDrop)).then(|| client.clone());
            let drops = watching.is_none();
            if drops {
                over.store(true, Ordering::Release);
            }
            let reports = self.end(client);
            over.store(true, Ordering::Release);
            let accepted: Vec<String> = senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect();
            (accepted, reports, watching)
        });
        self.check(&seen, &accepted, reports, watching)
    }

    fn client(&self, seen: &Arc<Seen>) -> Analytics {
        let settings = Analytics::builder().max_queue_size(self.queue).max_queue_bytes(512 * 1024 * 1024);
        let settings = match self.work {
            Work::None => settings,
            Work::Spins(micros) => settings.plugin(enrichment_fn("work", move |_: &mut Event| {
                let until = Instant::now() + Duration::from_micros(micros);
                while Instant::now() < until {}
            })),
            Work::Yields | Work::Awaits(_) | Work::Together(..) => {
                let hands = NonZeroUsize::new(self.hands()).unwrap();
                settings.plugin(enrichment(Waits(self.work)).concurrency(hands))
            }
        };
        let destinations = self.destinations.iter().enumerate();
        let destinations = destinations.map(|(at, speed)| destination(&format!("d{at}"), *speed, seen));
        destinations.fold(settings, |settings, destination| settings.plugin(destination)).build().unwrap()
    }

    /// Sends until all were sent or the client is closed. Returns the ids that were accepted.
    fn send(&self, sender: usize, client: &Analytics, seen: &Arc<Seen>) -> Vec<String> {
        let mut accepted = Vec::new();
        for number in 0..self.events / self.senders {
            let id = format!("{sender}/{number}");
            let (calls, called) = (seen.clone(), id.clone());
            let event = Track::new("e").user_id("u").message_id(&id).on_delivery(move |end| {
                calls
                    .calls
                    .lock()
                    .unwrap()
                    .entry(called.clone())
                    .or_default()
                    .push((end.message_id.clone(), end.outcome));
            });
            let sent = if number % 16 == 3 && !self.is_dropped() {
                pollster::block_on(client.send_when_ready(event))
            } else {
                client.track(event)
            };
            match sent {
                Ok(()) => accepted.push(id),
                Err(refused) if refused.is_closed() => break,
                Err(_) => thread::yield_now(),
            }
        }
        accepted
    }

    /// Returns how many events a plugin can hold.
    pub(super) fn hands(&self) -> usize {
        if let Work::Together(events, _) = self.work { events } else { 1 }
    }

    pub(super) fn is_dropped(&self) -> bool {
        matches!(self.end, End::Drop | End::CancelledCloseThenDrop)
    }

    /// Registers and deregisters until it is over.
    fn change(&self, client: Analytics, over: &AtomicBool) {
        let mut number = 0;
        while !over.load(Ordering::Acquire) {
            number += 1;
            let name = format!("d{}", number % self.destinations.len().max(1));
            let (client, name) = (&client, &name);
            let _ = within(client.deregister(name), over);
            let other = Destination::from_fn("other", |_: Batch| async { Ok::<(), std::io::Error>(()) });
            let _ = within(client.register(other), over);
            let _ = within(client.deregister("other"), over);
            if number > 2 {
                thread::sleep(Duration::from_micros(200));
            }
        }
    }

    fn end(&self, client: Analytics) -> Vec<CloseReport> {
        let limit = self.limit;
        let cancelled = |client: &Analytics| {
            let mut close = Box::pin(client.close(limit.max(Duration::from_millis(2))));
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            let early = close.as_mut().poll(&mut cx);
            thread::sleep(limit / 2);
            drop(close);
            match early {
                std::task::Poll::Ready(report) => vec![report],
                std::task::Poll::Pending => Vec::new(),
            }
        };
        match self.end {
            End::Close => vec![client.close_blocking(limit)],
            End::TwoCloses => thread::scope(|scope| {
                let other = scope.spawn(|| client.close_blocking(limit));
                let one = client.close_blocking(limit + Duration::from_millis(1));
                vec![one, other.join().unwrap()]
            }),
            End::CancelledClose => {
                let mut reports = cancelled(&client);
                reports.push(client.close_blocking(limit));
                reports
            }
            End::Drop => {
                drop(client);
                Vec::new()
            }
            End::CancelledCloseThenDrop => {
                let reports = cancelled(&client);
                drop(client);
                reports
            }
            End::CloseAndDrop => {
                let other = client.clone();
                let closing = thread::spawn(move || other.close_blocking(limit));
                drop(client);
                vec![closing.join().unwrap()]
            }
        }
    }
}

/// Polls until the future is ready or no caller waits any more.
fn within<T>(future: impl Future<Output = T>, over: &AtomicBool) -> Option<T> {
    let mut future = std::pin::pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    while !over.load(Ordering::Acquire) {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut cx) {
            return Some(value);
        }
        thread::sleep(Duration::from_micros(100));
    }
    None
}

/// The reported end of each event, and where it arrived.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) calls: Mutex<HashMap<String, Vec<(String, Outcome)>>>,
    pub(super) arrived: Mutex<HashSet<String>>,
}

fn destination(name: &str, speed: Speed, seen: &Arc<Seen>) -> Destination {
    let seen = seen.clone();
    let mut turn = 0_u32;
    let destination = Destination::from_fn(name, move |batch: Batch| {
        turn += 1;
        let verdict = match speed {
            Speed::Fast | Speed::Slow => Verdict::Delivered,
            Speed::Hung => Verdict::Retry,
            Speed::Failing if turn.is_multiple_of(4) => Verdict::Delivered,
            Speed::Failing => Verdict::Retry,
            Speed::Refusing => Verdict::Reject,
        };
        if verdict == Verdict::Delivered {
            let mut arrived = seen.arrived.lock().unwrap();
            arrived.extend(batch.messages().map(|message| message.message_id().into_owned()));
        }
        async move {
            match speed {
                Speed::Slow => tokio::time::sleep(Duration::from_millis(2)).await,
                Speed::Hung => std::future::pending().await,
                _ => {}
            }
            Ok::<Answer, BoxError>(verdict.into())
        }
    });
    destination.batching(Batching::every(50, Duration::from_millis(2))).retry(quick_retries(3))
}

/// Awaits with each event.
struct Waits(Work);

impl Plugin for Waits {
    fn name(&self) -> &str {
        "work"
    }
}

impl Transform for Waits {
    async fn transform(&self, _: &mut Event) -> Result<Flow, BoxError> {
        match self.0 {
            Work::Awaits(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
            // Not all of them the same, so that they are done in another order.
            Work::Together(_, millis) => tokio::time::sleep(Duration::from_millis(fastrand::u64(..=millis))).await,
            _ => tokio::task::yield_now().await,
        }
        Ok(Flow::Continue)
    }
}
