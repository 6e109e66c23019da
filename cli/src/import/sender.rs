//! Sends events at a rate, and reports their outcomes in the order of their lines.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tracklane::{Analytics, Event, Receipt};

/// Events under way at most.
const WINDOW: usize = 20_000;
/// The wait for the oldest event before the sender checks whether to stop.
const LOOK: Duration = Duration::from_millis(100);

/// A line that has ended.
pub(crate) struct End<'a> {
    pub(crate) line: u64,
    /// The event and the reason, if it was not delivered.
    pub(crate) undelivered: Option<(&'a str, &'a str)>,
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
pub(crate) struct Sender {
    client: Analytics,
    rate: Rate,
    window: VecDeque<Sent>,
    delivered: u64,
}

struct Sent {
    line: u64,
    /// `None` for a line that was passed over.
    receipt: Option<Receipt>,
    json: Box<str>,
}

impl Sender {
    pub(crate) fn new(client: Analytics, rate: Rate) -> Self {
        Self { client, rate, window: VecDeque::new(), delivered: 0 }
    }

    pub(crate) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Events whose end is not known.
    pub(crate) fn open(&self) -> usize {
        self.window.len()
    }

    /// Sends one, and waits while too many are under way. The inner error is the event's, the outer one that of `ended`.
    pub(crate) fn send(
        &mut self,
        line: u64,
        event: Event,
        mut ended: impl FnMut(End<'_>) -> Result<(), String>,
    ) -> Result<Result<(), String>, String> {
        self.rate.wait();
        while self.window.len() >= WINDOW {
            self.settle(LOOK, &mut ended)?;
        }
        while self.settle(Duration::ZERO, &mut ended)? {}
        let json = serde_json::to_string(&event).unwrap_or_default().into_boxed_str();
        let mut event = event;
        loop {
            match self.client.send_with_receipt(event) {
                Ok(receipt) => {
                    self.window.push_back(Sent { line, receipt: Some(receipt), json });
                    return Ok(Ok(()));
                }
                Err(refused) if refused.is_queue_full() => {
                    event = refused.into_event();
                    if !self.settle(LOOK, &mut ended)? {
                        thread::sleep(Duration::from_millis(1));
                    }
                }
                Err(refused) => return Ok(Err(refused.to_string())),
            }
        }
    }

    /// A line that has no event; it is done when all before it are.
    pub(crate) fn pass(&mut self, line: u64) {
        self.window.push_back(Sent { line, receipt: None, json: Box::default() });
    }

    /// Waits for the oldest; whether it has ended.
    fn settle(
        &mut self,
        patience: Duration,
        ended: &mut impl FnMut(End<'_>) -> Result<(), String>,
    ) -> Result<bool, String> {
        let Some(Sent { line, receipt, json }) = self.window.pop_front() else { return Ok(false) };
        let Some(receipt) = receipt else {
            ended(End { line, undelivered: None })?;
            return Ok(true);
        };
        match receipt.wait_timeout(patience) {
            Err(receipt) => {
                self.window.push_front(Sent { line, receipt: Some(receipt), json });
                Ok(false)
            }
            Ok(end) if end.is_delivered() => {
                self.delivered += 1;
                ended(End { line, undelivered: None })?;
                Ok(true)
            }
            Ok(end) => {
                let error = end.destinations.iter().find_map(|destination| destination.error.as_ref());
                let problem =
                    error.map_or_else(|| end.outcome.to_string(), |error| format!("{}: {error:#}", end.outcome));
                ended(End { line, undelivered: Some((&problem, &json)) })?;
                Ok(true)
            }
        }
    }

    /// Waits for all that is under way, at most this long.
    pub(crate) fn finish(
        &mut self,
        patience: Duration,
        mut ended: impl FnMut(End<'_>) -> Result<(), String>,
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
