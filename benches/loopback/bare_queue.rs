//! Measures a queue alone: it moves an event to another thread, which drops it.
//!
//! Nothing checks, dates or counts the event. So the result is the part of a call that only the queue takes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, mpsc};
use std::thread;

use tracklane::Track;

use super::report::ClientReport;
use super::scenario::Scenario;
use super::{quiet, timing};
use crate::item_purchased::{call, plain};

/// A bounded queue. Its consumer is woken once per batch, and takes everything that waits.
struct Queue<W> {
    state: Mutex<State<W>>,
    wake: Condvar,
    room: usize,
    batch: usize,
}

struct State<W> {
    waiting: W,
    events: usize,
    closed: bool,
}

/// Puts the event itself into the queue.
pub(crate) fn batched_wake_ups<S>(scenario: &Scenario<S>) -> ClientReport {
    let waiting = || VecDeque::with_capacity(scenario.queue);
    through_queue(scenario, [waiting(), waiting()], call, VecDeque::<Track>::push_back, VecDeque::clear)
}

/// Copies the event's finished JSON into a buffer that the queue shares.
pub(crate) fn text_copied<S>(scenario: &Scenario<S>) -> ClientReport {
    let text = |number| serde_json::to_vec(&plain(number)).expect("strings and finite numbers");
    let copy = |waiting: &mut Vec<u8>, text: Vec<u8>| {
        waiting.extend_from_slice(&text);
        text
    };
    through_queue(scenario, [Vec::new(), Vec::new()], text, copy, Vec::clear)
}

fn through_queue<S, W: Send, T: Send, R>(
    scenario: &Scenario<S>,
    [waiting, taken]: [W; 2],
    prepare: impl Fn(u64) -> T + Sync,
    put: impl Fn(&mut W, T) -> R + Sync,
    clear: impl Fn(&mut W) + Send,
) -> ClientReport {
    let state = Mutex::new(State { waiting, events: 0, closed: false });
    let queue = Queue { state, wake: Condvar::new(), room: scenario.queue, batch: scenario.flush_at };
    thread::scope(|scope| {
        scope.spawn(|| queue.drain(taken, clear));
        let push = |event| drop(queue.push(|waiting| put(waiting, event)));
        let report = match scenario.rate {
            Some(_) => quiet::run(scenario, prepare, push),
            None => timing::report(timing::time(scenario, prepare, push)),
        };
        queue.close();
        report
    })
}

impl<W> Queue<W> {
    /// Returns the part of `put` that does not stay in the queue, so that it is dropped without the lock.
    fn push<R>(&self, put: impl FnOnce(&mut W) -> R) -> R {
        let mut state = self.state.lock().expect("no panic");
        assert!(state.events < self.room, "the queue is full");
        let rest = put(&mut state.waiting);
        state.events += 1;
        let due = state.events == self.batch;
        drop(state);
        if due {
            self.wake.notify_one();
        }
        rest
    }

    fn drain(&self, mut taken: W, clear: impl Fn(&mut W)) {
        loop {
            let state = self.state.lock().expect("no panic");
            let too_few = |state: &mut State<W>| state.events < self.batch && !state.closed;
            let mut state = self.wake.wait_while(state, too_few).expect("no panic");
            std::mem::swap(&mut taken, &mut state.waiting);
            state.events = 0;
            let closed = state.closed;
            drop(state);
            clear(&mut taken);
            if closed {
                return;
            }
        }
    }

    fn close(&self) {
        self.state.lock().expect("no panic").closed = true;
        self.wake.notify_one();
    }
}

/// The standard library's bounded channel, which wakes a consumer that sleeps for every event.
pub(crate) fn sync_channel<S>(scenario: &Scenario<S>) -> ClientReport {
    through_channel(scenario, |sender| {
        let calls = timing::time(scenario, call, |event| sender.try_send(event).expect("there is room"));
        timing::report(calls)
    })
}

/// The same at the even pace of a quiet service: what it costs to wake a thread that has slept for a while.
pub(crate) fn quiet_channel<S>(scenario: &Scenario<S>) -> ClientReport {
    through_channel(scenario, |sender| {
        quiet::run(scenario, call, |event| sender.try_send(event).expect("there is room"))
    })
}

fn through_channel<S>(
    scenario: &Scenario<S>,
    measure: impl FnOnce(&mpsc::SyncSender<Track>) -> ClientReport,
) -> ClientReport {
    let (sender, receiver) = mpsc::sync_channel(scenario.queue);
    let consumer = thread::spawn(move || receiver.into_iter().for_each(drop::<Track>));
    let report = measure(&sender);
    drop(sender);
    consumer.join().expect("no panic");
    report
}

/// Does nothing: measures two readings of the clock.
pub(crate) fn nothing<S>(scenario: &Scenario<S>) -> ClientReport {
    timing::report(timing::time(scenario, |_| (), |()| ()))
}

/// No hand-over: loads the event from memory and drops it, on the thread that made it.
pub(crate) fn event_freed<S>(scenario: &Scenario<S>) -> ClientReport {
    timing::report(timing::time(scenario, call, drop))
}
