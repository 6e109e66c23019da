//! After plugins, and the queue in front of them.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::{mpsc as queue, oneshot};

use super::stack::Registered;
use crate::clock::{Clock, Instant};
use crate::emitter::Emitter;
use crate::emitter::signal::Failure;
use crate::event::Message;
use crate::ledger::{Envelope, Settlement};
use crate::plugin::AfterPlugin;
use crate::supervise::hops::{self, WithHops};
use crate::supervise::{self, EVENT_LIMIT, Fault, Repeats, Topic};
use crate::threads;

/// The origin of the failures that are reported here.
const CLIENT: &str = "tracklane";

/// The queue in front of the after plugins. They only observe. So the queue is bounded by how much may be under way,
/// and nobody waits for it.
pub(crate) struct AfterQueue {
    sender: queue::UnboundedSender<Item>,
    load: Arc<Load>,
    max_events: u64,
    max_bytes: u64,
    /// Locked for reading while events have their outcome and are not in the queue yet. No user code runs meanwhile.
    settling: RwLock<()>,
    emitter: Emitter,
}

/// The load of the queue, events that plugins are looking at included.
#[derive(Default)]
struct Load {
    events: AtomicU64,
    bytes: AtomicU64,
}

enum Item {
    Ended(QueuedEvent, Settlement),
    /// Answered when the plugins have seen everything before it.
    Mark(oneshot::Sender<()>),
}

/// An event in the queue. It takes room there until this is dropped.
struct QueuedEvent {
    message: Arc<Envelope<Message>>,
    load: Arc<Load>,
}

/// Calls the after plugins. Runs beside the pipeline.
pub(crate) struct AfterWorker {
    receiver: queue::UnboundedReceiver<Item>,
}

impl AfterQueue {
    /// Makes a queue of at most `max_events` of `max_bytes` of JSON.
    pub(crate) fn new(emitter: Emitter, max_events: u64, max_bytes: u64) -> (Self, AfterWorker) {
        let (sender, receiver) = queue::unbounded_channel();
        let (load, settling) = (Arc::default(), RwLock::default());
        (Self { sender, load, max_events, max_bytes, settling, emitter }, AfterWorker { receiver })
    }

    /// Locks out [`wait`](Self::wait). Hold it from before events get their outcome until they were
    /// [shown](Self::show), so that a caller that waits for their end misses none of them.
    pub(super) fn settling(&self) -> RwLockReadGuard<'_, ()> {
        self.settling.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows those of the messages that have ended to the after plugins. Returns the settlements that the plugins miss.
    /// [Report](Self::report) and drop these when nobody waits for that, because their errors are user code.
    pub(super) fn show(&self, messages: &[Arc<Envelope<Message>>]) -> Vec<Settlement> {
        let ended = messages.iter().filter_map(|message| Some((message, message.ticket.take_settlement()?)));
        ended.filter_map(|(message, end)| self.show_one(message, end).err()).collect()
    }

    fn show_one(&self, message: &Arc<Envelope<Message>>, end: Settlement) -> Result<(), Settlement> {
        let shown = QueuedEvent::new(message.clone(), self.load.clone());
        let fits = self.load.events.load(Ordering::Relaxed) <= self.max_events
            && self.load.bytes.load(Ordering::Relaxed) <= self.max_bytes;
        if !fits {
            return Err(end);
        }
        match self.sender.send(Item::Ended(shown, end)) {
            Err(queue::error::SendError(Item::Ended(_, end))) => Err(end),
            _ => Ok(()),
        }
    }

    /// Reports that after plugins have missed events, at most once a minute.
    pub(super) fn report(&self, missed: &[Settlement]) {
        if missed.is_empty() {
            return;
        }
        let Self { max_events, max_bytes, .. } = *self;
        self.emitter.fail_throttled(Topic::Missed, CLIENT, (missed.len(), false), move |Repeats { events, .. }| {
            let message = format!(
                "after plugins are too slow: more than {max_events} events or {max_bytes} bytes wait for them, and \
                 they missed {events} others"
            );
            Failure::new(CLIENT, message, events)
        });
    }

    /// Blocks until the after plugins have seen everything that has ended, at most until `deadline`.
    pub(super) fn wait(&self, deadline: Instant) {
        // What they have not seen by then they do not see.
        let _ = threads::block_until(pin!(self.seen()), Some(deadline));
    }

    /// Ends when the after plugins have seen everything that has ended, or see nothing any more.
    pub(super) async fn seen(&self) {
        drop(self.settling.write());
        let (mark, seen) = oneshot::channel();
        let _ = self.sender.send(Item::Mark(mark));
        // Without a worker nobody answers.
        let _ = seen.await;
    }
}

impl QueuedEvent {
    fn new(message: Arc<Envelope<Message>>, load: Arc<Load>) -> Self {
        load.events.fetch_add(1, Ordering::Relaxed);
        load.bytes.fetch_add(message.json().len() as u64, Ordering::Relaxed);
        Self { message, load }
    }
}

impl Drop for QueuedEvent {
    fn drop(&mut self) {
        self.load.events.fetch_sub(1, Ordering::Relaxed);
        self.load.bytes.fetch_sub(self.message.json().len() as u64, Ordering::Relaxed);
    }
}

impl AfterWorker {
    pub(crate) async fn run(
        mut self,
        plugins: impl Fn() -> Option<Arc<[Registered<AfterPlugin>]>>,
        clock: Clock,
        emitter: Emitter,
    ) {
        while let Some(item) = self.receiver.recv().await {
            let (shown, settlement) = match item {
                Item::Ended(shown, settlement) => (shown, settlement),
                Item::Mark(mark) => {
                    let _ = mark.send(());
                    continue;
                }
            };
            let Some(plugins) = plugins() else { return };
            let message = &shown.message;
            let depth = message.ticket.depth();
            for plugin in plugins.iter().filter(|plugin| plugin.wants(message.kind())) {
                let outcome = supervise::run(&plugin.watched, &clock, EVENT_LIMIT, || {
                    let _scope = hops::follow(depth);
                    WithHops::follow(depth, plugin.call.after(message, &settlement))
                });
                match outcome.await {
                    Ok(()) => plugin.worked(),
                    Err(fault) => {
                        let _scope = hops::follow(depth);
                        report(plugin, fault, &emitter);
                    }
                }
            }
        }
    }
}

#[cold]
fn report(plugin: &Registered<AfterPlugin>, fault: Fault, emitter: &Emitter) {
    let cut_off = fault.is_crash() && plugin.crashed();
    plugin.record.failed();
    let name = plugin.name.clone();
    emitter.fail_throttled(Topic::Plugin, &plugin.name, (1, cut_off), move |repeats| {
        let consequence = if cut_off { "; it is not called any more" } else { "" };
        let message = format!("after plugin {fault}{consequence}{}", repeats.suffix());
        let mut failure = Failure::new(name, message, repeats.events);
        failure.error = fault.into_error().map(Arc::from);
        failure
    });
}
