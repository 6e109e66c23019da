//! Sends events at a rate, and reports their outcomes in the order of their lines.

use std::collections::VecDeque;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tracklane::{Analytics, Event, Receipt, Settlement};

/// Events under way at most. Fewer than the client's queue takes.
const WINDOW: usize = 8_000;
/// The largest size of what is kept of them, in bytes.
const WINDOW_BYTES: usize = 8 << 20;
/// The wait for the oldest event before the sender checks whether to stop.
const LOOK: Duration = Duration::from_millis(100);
/// Events between two looks at what has ended. To look sends the batch of the oldest event, full or not.
const STRIDE: usize = 1_000;

/// A line that has ended.
pub(crate) struct End<K> {
    pub(crate) line: u64,
    /// What was kept of it.
    pub(crate) kept: K,
    /// The reason, if it was not sent or not delivered.
    pub(crate) problem: Option<Problem>,
}

/// Why an event was not taken.
pub(crate) enum Problem {
    Invalid(String),
    Undelivered(String),
}

/// Something that takes memory as long as its event is under way.
pub(crate) trait Kept {
    /// Its size in bytes.
    fn size(&self) -> usize;
}

/// The name of a file, which all of its lines share.
impl Kept for Rc<Path> {
    fn size(&self) -> usize {
        0
    }
}

impl Kept for Vec<u8> {
    fn size(&self) -> usize {
        self.capacity()
    }
}

/// Events a second.
pub(crate) struct Rate {
    per_second: u32,
    start: Instant,
    sent: u64,
}

impl Rate {
    /// Limits the rate; 0 stands for no limit.
    pub(crate) fn new(per_second: u32) -> Self {
        Self { per_second, start: Instant::now(), sent: 0 }
    }

    /// Waits until the next one is due.
    fn wait(&mut self) {
        if self.per_second == 0 {
            return;
        }
        let due = Duration::from_secs_f64(self.sent as f64 / f64::from(self.per_second));
        self.sent += 1;
        if let Some(early) = due.checked_sub(self.start.elapsed()) {
            thread::sleep(early);
        }
    }
}

/// A client, and the events under way.
pub(crate) struct Sender<K> {
    client: Analytics,
    rate: Rate,
    window: VecDeque<Sent<K>>,
    /// The size of what is kept.
    bytes: usize,
    /// Events since the last look at what has ended.
    unseen: usize,
    last_look: Instant,
    delivered: u64,
}

struct Sent<K> {
    line: u64,
    state: State,
    kept: K,
}

enum State {
    Waiting(Receipt),
    Invalid(String),
}

impl<K: Kept> Sender<K> {
    pub(crate) fn new(client: Analytics, rate: Rate) -> Self {
        let window = VecDeque::new();
        Self { client, rate, window, bytes: 0, unseen: 0, last_look: Instant::now(), delivered: 0 }
    }

    pub(crate) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Events whose end is not known.
    pub(crate) fn open(&self) -> usize {
        self.window.len()
    }

    /// Sends the event of a line, and waits while too many are under way. A line without one ends like one with an event
    /// that the client refuses: when all before it have.
    pub(crate) fn send(
        &mut self,
        line: u64,
        event: Result<Event, String>,
        kept: K,
        mut ended: impl FnMut(End<K>) -> Result<(), String>,
    ) -> Result<(), String> {
        while self.window.len() >= WINDOW || self.bytes >= WINDOW_BYTES {
            self.settle(LOOK, &mut ended)?;
        }
        self.unseen += 1;
        if self.unseen >= STRIDE || self.last_look.elapsed() >= LOOK {
            self.settle_ended(&mut ended)?;
        }
        let state = match event {
            Ok(event) => self.accept(event, &mut ended)?,
            Err(problem) => State::Invalid(problem),
        };
        self.bytes += kept.size();
        self.window.push_back(Sent { line, state, kept });
        Ok(())
    }

    /// Hands the event to the client when it is due.
    fn accept(
        &mut self,
        mut event: Event,
        ended: &mut impl FnMut(End<K>) -> Result<(), String>,
    ) -> Result<State, String> {
        self.rate.wait();
        loop {
            match self.client.send_with_receipt(event) {
                Ok(receipt) => return Ok(State::Waiting(receipt)),
                Err(refused) if refused.is_queue_full() => {
                    event = refused.into_event();
                    if !self.settle(LOOK, ended)? {
                        thread::sleep(Duration::from_millis(1));
                    }
                }
                Err(refused) => return Ok(State::Invalid(refused.to_string())),
            }
        }
    }

    /// Settles those that have ended, up to the first that has not.
    fn settle_ended(&mut self, ended: &mut impl FnMut(End<K>) -> Result<(), String>) -> Result<(), String> {
        (self.unseen, self.last_look) = (0, Instant::now());
        while self.settle(Duration::ZERO, ended)? {}
        Ok(())
    }

    /// Waits for the oldest; whether it has ended.
    fn settle(
        &mut self,
        patience: Duration,
        ended: &mut impl FnMut(End<K>) -> Result<(), String>,
    ) -> Result<bool, String> {
        let Some(Sent { line, state, kept }) = self.window.pop_front() else { return Ok(false) };
        let problem = match state {
            State::Invalid(problem) => Some(Problem::Invalid(problem)),
            State::Waiting(receipt) => match end(receipt, patience) {
                Err(receipt) => {
                    self.window.push_front(Sent { line, state: State::Waiting(receipt), kept });
                    return Ok(false);
                }
                Ok(end) if end.is_delivered() => {
                    self.delivered += 1;
                    None
                }
                Ok(end) => Some(Problem::Undelivered(reason(&end))),
            },
        };
        self.bytes -= kept.size();
        ended(End { line, kept, problem })?;
        Ok(true)
    }

    /// Waits for all that is under way, at most this long.
    pub(crate) fn finish(
        &mut self,
        patience: Duration,
        mut ended: impl FnMut(End<K>) -> Result<(), String>,
    ) -> Result<(), String> {
        let start = Instant::now();
        while !self.window.is_empty() {
            let left = patience.saturating_sub(start.elapsed());
            if !self.settle(left.min(LOOK), &mut ended)? && left.is_zero() {
                break;
            }
        }
        self.client.close_blocking(Duration::from_millis(if self.window.is_empty() { 1_000 } else { 0 }));
        Ok(())
    }
}

/// The end of the event, if it comes in time.
fn end(mut receipt: Receipt, patience: Duration) -> Result<Settlement, Receipt> {
    // To poll is cheaper than to wait for no time.
    match Pin::new(&mut receipt).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(end) => Ok(end),
        Poll::Pending if patience.is_zero() => Err(receipt),
        Poll::Pending => receipt.wait_timeout(patience),
    }
}

fn reason(end: &Settlement) -> String {
    let error = end.destinations.iter().find_map(|destination| destination.error.as_ref());
    error.map_or_else(|| end.outcome.to_string(), |error| format!("{}: {error:#}", end.outcome))
}

/// Set when the user wants it to end.
#[derive(Clone)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on, on a thread of its own.
    pub(crate) fn listen() -> Self {
        let interrupt = Self(Arc::new(AtomicBool::new(false)));
        let set = interrupt.clone();
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return interrupt };
        let ended = {
            let _inside = runtime.enter();
            crate::signals::ended()
        };
        thread::spawn(move || {
            runtime.block_on(ended);
            set.0.store(true, Ordering::Release);
        });
        interrupt
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
