//! What follows when events have their outcome: after plugins see them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc as queue;
use tokio::sync::mpsc::error::TrySendError;

use super::guard::{self, EVENT_LIMIT, Mishap};
use super::plan::{Plan, Registered};
use super::seldom;
use crate::clock::Clock;
use crate::emitter::Emitter;
use crate::emitter::signal::Failure;
use crate::event::Message;
use crate::ledger::Settlement;
use crate::plugin::AfterPlugin;
use crate::reentry::{self, Because};

/// Ended events that wait for after plugins; those beyond are not shown, which `error` says once.
const QUEUE: usize = 10_000;
/// How often whoever waits tries to get a place in a full queue.
const TRY_EVERY: Duration = Duration::from_millis(1);

/// The way to the after plugins. They only look on, so it is bounded and never waited for.
pub(crate) struct AfterQueue {
    sender: queue::Sender<Item>,
    /// Read while events have their outcome and are not in the queue yet.
    settling: RwLock<()>,
    missing: AtomicBool,
    emitter: Emitter,
}

enum Item {
    Ended(Arc<Message>, Settlement),
    /// Answered when everything before it was shown.
    Mark(mpsc::SyncSender<()>),
}

/// Calls after plugins; runs beside the pipeline.
pub(crate) struct AfterWorker {
    receiver: queue::Receiver<Item>,
}

impl AfterQueue {
    pub(crate) fn new(emitter: Emitter) -> (Self, AfterWorker) {
        let (sender, receiver) = queue::channel(QUEUE);
        (
            Self { sender, settling: RwLock::default(), missing: AtomicBool::new(false), emitter },
            AfterWorker { receiver },
        )
    }

    /// Held from before events have their outcome until they were [shown](Self::show): whoever [waits](Self::wait)
    /// because they ended misses none of them.
    pub(super) fn settling(&self) -> RwLockReadGuard<'_, ()> {
        self.settling.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows those of the messages that have ended to the after plugins.
    pub(super) fn show(&self, messages: &[Arc<Message>]) {
        for message in messages {
            let Some(settlement) = message.ticket.take_settlement() else { continue };
            let shown = self.sender.try_send(Item::Ended(message.clone(), settlement)).is_ok();
            if !shown && !self.missing.swap(true, Ordering::Relaxed) {
                let message = format!("after plugins are too slow: {QUEUE} events wait for them, and they miss others");
                self.emitter.fail(Failure::new("tracklane", message, 0));
            }
        }
    }

    /// Blocks until the after plugins have seen everything that has ended, at most `timeout`.
    pub(super) fn wait(&self, timeout: Duration) {
        let start = Instant::now();
        drop(self.settling.write());
        let (mark, seen) = mpsc::sync_channel(1);
        while let Err(TrySendError::Full(_)) = self.sender.try_send(Item::Mark(mark.clone())) {
            if start.elapsed() >= timeout {
                return;
            }
            thread::sleep(TRY_EVERY);
        }
        drop(mark);
        // What they have not seen by then they do not see.
        let _ = seen.recv_timeout(timeout.saturating_sub(start.elapsed()));
    }
}

impl AfterWorker {
    pub(crate) async fn run(mut self, plan: impl Fn() -> Option<Arc<Plan>>, clock: Clock, emitter: Emitter) {
        while let Some(item) = self.receiver.recv().await {
            let (message, settlement) = match item {
                Item::Ended(message, settlement) => (message, settlement),
                Item::Mark(mark) => {
                    let _ = mark.send(());
                    continue;
                }
            };
            let Some(plan) = plan() else { return };
            let depth = message.ticket.depth();
            for plugin in plan.after.iter().filter(|plugin| plugin.wants(message.kind())) {
                let outcome = guard::run(&plugin.watched, &clock, EVENT_LIMIT, || {
                    let _scope = reentry::because_of(depth);
                    Because::of(depth, plugin.call.after(&message, &settlement))
                });
                match outcome.await {
                    Ok(()) => plugin.worked(),
                    Err(mishap) => {
                        let _scope = reentry::because_of(depth);
                        report(plugin, mishap, clock.now(), &emitter);
                    }
                }
            }
        }
    }
}

#[cold]
fn report(plugin: &Registered<AfterPlugin>, mishap: Mishap, now: Duration, emitter: &Emitter) {
    let quarantined = mishap.is_breakdown() && plugin.broke_down();
    let Some(events) = plugin.record.failed(now, quarantined) else { return };
    let consequence = if quarantined { "; it is not called any more" } else { "" };
    let message = format!("after plugin {mishap}{consequence}{}", seldom::said_for(events));
    let mut failure = Failure::new(plugin.name.clone(), message, events);
    failure.error = mishap.into_error().map(Arc::from);
    emitter.fail(failure);
}
