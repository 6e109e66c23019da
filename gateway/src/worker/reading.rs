//! The state of a stream that is read.
//!
//! Invariant: messages are handed over in the order of the stream, from the acknowledged floor on, and acknowledged in
//! that order, each when all of its events have their outcome. What is under way is kept alive, so that it is not
//! delivered to another worker meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::jetstream::consumer::Consumer;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::stream::{RawMessageErrorKind, Stream};
use async_nats::jetstream::{AckKind, Message};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesOrdered;
use tokio::time::timeout;
use tracklane::BoxError;

use super::order::InOrder;
use super::partition::{Done, Partition};
use super::purge::purge;
use super::suspect::{Handling, handling};

/// Looks between two signs of life.
const ALIVE_EVERY: u64 = 3;
/// The number of looks between two deletions of finished messages.
const PURGE_EVERY: u64 = 10;
/// Messages that are handed over at once.
const UNDER_WAY: usize = 256;
/// The time that the end waits for outcomes and acknowledgements.
const SETTLE: Duration = Duration::from_secs(15);

/// A stream that is read.
pub(super) struct Reading {
    partition: Arc<Partition>,
    stream: Stream,
    consumer: Consumer<Config>,
    /// The state from the first message on.
    state: Option<State>,
    looks: u64,
}

struct State {
    order: InOrder<Message>,
    /// Set if the last message is a suspect. No other message of this stream is in progress with it.
    is_alone: bool,
    handed_over: FuturesOrdered<BoxFuture<'static, Done>>,
    /// Messages by their sequence.
    unacknowledged: BTreeMap<u64, Arc<Message>>,
    acknowledging: FuturesOrdered<BoxFuture<'static, ()>>,
}

impl Reading {
    pub(super) fn new(partition: Arc<Partition>, stream: Stream, consumer: Consumer<Config>) -> Self {
        Self { partition, stream, consumer, state: None, looks: 0 }
    }

    /// The next message in order that is done with. Drives the acknowledgements meanwhile.
    pub(super) async fn next_done(&mut self) -> Option<Done> {
        let Some(state) = &mut self.state else { return std::future::pending().await };
        loop {
            tokio::select! {
                Some(done) = state.handed_over.next() => return Some(done),
                Some(()) = state.acknowledging.next() => {}
                else => std::future::pending().await,
            }
        }
    }

    pub(super) async fn arrive(&mut self, message: Message) -> Result<(), BoxError> {
        let sequence = message.info()?.stream_sequence;
        if self.state.is_none() {
            close_gates(&self.partition).await?;
            let order = InOrder::behind(floor(&self.consumer).await?);
            let (handed_over, acknowledging) = (FuturesOrdered::new(), FuturesOrdered::new());
            let unacknowledged = BTreeMap::new();
            self.state = Some(State { order, is_alone: false, handed_over, unacknowledged, acknowledging });
        }
        let Some(state) = &mut self.state else { return Ok(()) };
        if let Some(repeat) = state.order.arrive(sequence, message) {
            self.partition.counts.repeats.fetch_add(1, Ordering::Relaxed);
            // It is under way, or its acknowledgement was lost.
            if !state.unacknowledged.contains_key(&sequence) {
                state.acknowledging.push_back(acknowledgement(Arc::new(repeat)));
            }
        }
        self.hand_over();
        Ok(())
    }

    fn hand_over(&mut self) {
        let Some(state) = &mut self.state else { return };
        while let Some(next) = state.order.next() {
            let deliveries = deliveries(next);
            let is_suspect = handling(deliveries, None) != Handling::WithOthers;
            let limit = if is_suspect || state.is_alone { 1 } else { UNDER_WAY };
            if state.handed_over.len() >= limit {
                return;
            }
            // A message that waits for a gate is tried again at the next look.
            let Some(passes) = self.partition.targets.enter() else { return };
            let Some((sequence, message)) = state.order.take_next() else { return };
            let message = Arc::new(message);
            state.is_alone = is_suspect;
            state.unacknowledged.insert(sequence, Arc::clone(&message));
            let handed_over = if is_suspect {
                let partition = Arc::clone(&self.partition);
                Box::pin(partition.hand_over_alone(self.stream.clone(), sequence, message, deliveries, passes))
            } else {
                self.partition.hand_over(sequence, message, passes, false)
            };
            state.handed_over.push_back(handed_over);
        }
    }

    /// Parks the events of a message that must be parked, and acknowledges the message.
    pub(super) async fn finish(&mut self, mut done: Done) -> Result<(), BoxError> {
        done.park(&self.partition.log).await;
        done.ended?;
        if let Some(state) = &mut self.state {
            state.unacknowledged.remove(&done.sequence);
            state.acknowledging.push_back(acknowledgement(done.message));
        }
        self.hand_over();
        Ok(())
    }

    /// Returns whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.state.as_ref().is_none_or(|state| {
            state.handed_over.is_empty() && state.acknowledging.is_empty() && state.order.next().is_none()
        })
    }

    /// Does the periodic work, once a second.
    pub(super) async fn look(&mut self) -> Result<(), BoxError> {
        self.looks += 1;
        let looks = self.looks;
        if let Some(missing) = self.state.as_ref().and_then(|state| state.order.missing()) {
            self.look_for(missing).await?;
        }
        self.hand_over();
        let Some(state) = &mut self.state else { return Ok(()) };
        if looks.is_multiple_of(ALIVE_EVERY) {
            for message in state.unacknowledged.values().map(|message| &**message).chain(state.order.held()) {
                message.ack_with(AckKind::Progress).await?;
            }
        }
        // Parked messages keep a gate closed until they are deleted.
        if self.partition.keep.is_zero() || looks.is_multiple_of(PURGE_EVERY) {
            purge(&self.stream, floor(&self.consumer).await?, self.partition.keep).await?;
        }
        Ok(())
    }

    /// Looks for a message that others wait for. The worker before has acknowledged it, or it was deleted, or JetStream
    /// delivers it again.
    async fn look_for(&mut self, missing: u64) -> Result<(), BoxError> {
        let mut floor = floor(&self.consumer).await?;
        if floor < missing && is_gone(&self.stream, missing).await? {
            floor = missing;
        }
        if let Some(state) = &mut self.state {
            state.order.skip_to(floor);
        }
        self.hand_over();
        Ok(())
    }

    /// Waits for the messages in progress. A message without an outcome in time is delivered again, to the next worker.
    pub(super) async fn settle(mut self) -> Result<(), BoxError> {
        let settled = async {
            while self.state.as_ref().is_some_and(|state| !state.handed_over.is_empty()) {
                if let Some(mut done) = self.next_done().await {
                    done.park(&self.partition.log).await;
                    let Some(state) = &mut self.state else { return };
                    if done.ended.is_ok() {
                        state.acknowledging.push_back(acknowledgement(done.message));
                    }
                }
            }
            let Some(state) = &mut self.state else { return };
            while state.acknowledging.next().await.is_some() {}
        };
        let _ = timeout(SETTLE, settled).await;
        Ok(())
    }
}

/// Closes the gates of destinations with parked events. An earlier worker has parked them, and they go first.
async fn close_gates(partition: &Partition) -> Result<(), BoxError> {
    for (pipeline, target) in partition.targets.all() {
        if let Some(gate) = &target.gate
            && !partition.log.is_park_empty(pipeline, &target.name).await?
        {
            gate.close();
        }
    }
    Ok(())
}

/// Everything up to this sequence is acknowledged.
async fn floor(consumer: &Consumer<Config>) -> Result<u64, BoxError> {
    Ok(consumer.get_info().await?.ack_floor.stream_sequence)
}

async fn is_gone(stream: &Stream, sequence: u64) -> Result<bool, BoxError> {
    match stream.get_raw_message(sequence).await {
        Ok(_) => Ok(false),
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Returns how often the message was delivered, this time included.
fn deliveries(message: &Message) -> i64 {
    message.info().map_or(1, |info| info.delivered)
}

/// Acknowledges, and waits until the server has stored it. If that fails, the message comes again and is recognised.
fn acknowledgement(message: Arc<Message>) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        let _ = message.double_ack().await;
    })
}
