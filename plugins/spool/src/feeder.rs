//! The feeder: sends the files to the destination, the oldest first, and deletes those that are done.
//!
//! Invariant: a file is deleted only when the destination has each of its events or has refused it for good. This
//! process does not send an event again once it is done, even if its file must wait for others. A file that cannot be
//! read delays no other. After a panic, sending goes on with the next file.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};
use tracklane::{Analytics, DropReason, Event, Outcome, Settlement, text_with_causes};

use crate::disk_thread::DiskThread;
use crate::disposition::{Disposition, disposition_of};
use crate::ended::{Ended, Fate, Refusal};
use crate::frame::Unreadable;
use crate::running::Running;
use crate::stats::count;
use crate::store::{Opened, Store};
use crate::waiting::{Found, Waiting};

/// Limits what is read from the disk and has no outcome yet: events, and bytes of their files.
const WINDOW_EVENTS: usize = 5_000;
const WINDOW_BYTES: u64 = 4 * 1024 * 1024;
/// The wait before a file that was not taken is sent again. It doubles each time that none was taken.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// The number of unreadable lines of one file that are reported one by one.
const SHOWN_LINES: usize = 10;
/// The time for the end: the client gives a plugin ten seconds.
const DRAIN: Duration = Duration::from_secs(8);
/// The time for which the end goes on with a destination that only fails.
const PATIENCE: Duration = Duration::from_secs(1);
/// The time for the client behind the spool to close, once nothing is waited for, and for the slot after it.
const CLOSE: Duration = Duration::from_millis(500);
/// The wait after a panic.
const AFTER_PANIC: Duration = Duration::from_secs(1);

pub(crate) struct Feeder {
    running: Arc<Running>,
    client: Analytics,
    /// Set if the last attempt at the destination failed.
    failing: watch::Receiver<bool>,
    store: Arc<Store>,
    found: mpsc::UnboundedReceiver<Found>,
    adopt_every: Duration,
    reader: Arc<DiskThread>,
    /// The directory is being looked after.
    looking_after: Option<oneshot::Receiver<()>>,
    waiting: VecDeque<Waiting>,
    /// Files that could not be read: looked at again each time that abandoned files are looked for.
    unreadable: Vec<Waiting>,
    /// Set once unreadable files were reported, until one can be read again.
    told_unreadable: bool,
    under_way: FuturesUnordered<BoxFuture<'static, Waiting>>,
    events_under_way: usize,
    bytes_under_way: u64,
    /// Rounds in a row that failed.
    failures: u32,
    /// The events between two failures are one round, which fails once.
    round: u64,
    paused_until: Option<Instant>,
    /// The place of the next file.
    next_place: u64,
}

impl Feeder {
    pub(crate) fn new(
        running: Arc<Running>,
        failing: watch::Receiver<bool>,
        found: mpsc::UnboundedReceiver<Found>,
        adopt_every: Duration,
        reader: Arc<DiskThread>,
    ) -> Self {
        let (client, store) = (running.client.clone(), running.store.clone());
        Self {
            running,
            client,
            failing,
            store,
            found,
            adopt_every,
            reader,
            looking_after: None,
            waiting: VecDeque::new(),
            unreadable: Vec::new(),
            told_unreadable: false,
            under_way: FuturesUnordered::new(),
            events_under_way: 0,
            bytes_under_way: 0,
            failures: 0,
            round: 0,
            paused_until: None,
            next_place: 0,
        }
    }

    /// Works until `stop` ends, then ends within ten seconds.
    pub(crate) async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop.fuse());
        while AssertUnwindSafe(self.work(stop.as_mut())).catch_unwind().await.is_err() {
            self.store.fail(0, "sending from the disk has panicked; it goes on with the next file".to_owned());
            tokio::time::sleep(AFTER_PANIC).await;
        }
        if AssertUnwindSafe(self.drain()).catch_unwind().await.is_err() {
            self.store.fail(0, "sending from the disk has panicked; what is left stays there".to_owned());
        }
        self.close().await;
    }

    async fn work(&mut self, mut stop: Pin<&mut impl Future<Output = ()>>) {
        let mut look = tokio::time::interval(self.adopt_every);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => return,
                () = self.fill() => {}
            }
            let pause = self.paused_until;
            tokio::select! {
                biased;
                () = &mut stop => return,
                Some(waiting) = self.under_way.next() => self.follow(waiting),
                Some(found) = self.found.recv() => self.arrive(found),
                () = tokio::time::sleep_until(pause.unwrap_or_else(Instant::now)), if pause.is_some() => {
                    self.paused_until = None;
                }
                _ = look.tick() => self.look_after(),
            }
        }
    }

    /// Sends files while there is room for them. A file stays in its place until its events are there.
    async fn fill(&mut self) {
        while self.paused_until.is_none() && self.has_room() {
            let Some(first) = self.waiting.front_mut() else { return };
            // One that is too old is read, and expires.
            if let Some(copy) = first.copy.take().filter(|_| !self.store.is_too_old(&first.file)) {
                let Some(mut waiting) = self.waiting.pop_front() else { return };
                waiting.open(copy.len(), 0..copy.len());
                self.send(waiting, copy.events());
                continue;
            }
            let (file, ended, store) = (first.file.clone(), first.ended.clone(), self.store.clone());
            let read = self.reader.run(move || store.read(&file, &ended)).await;
            let Some(mut waiting) = self.waiting.pop_front() else { return };
            match read {
                Ok(Opened::Contents(contents)) => {
                    self.told_unreadable &= !std::mem::take(&mut waiting.skipped);
                    self.note_unreadable(&mut waiting, &contents.unreadable);
                    waiting.open(contents.lines, contents.events.iter().map(|(at, _)| *at));
                    self.send(waiting, contents.events.into_iter());
                }
                Ok(Opened::Nothing) => {}
                Ok(Opened::Later(error)) => self.skip(waiting, &error),
                Err(panicked) => self.skip(waiting, &panicked),
            }
        }
    }

    /// The others go on. One report covers all files that cannot be read at the time.
    fn skip(&mut self, mut waiting: Waiting, error: &dyn std::error::Error) {
        if !std::mem::replace(&mut self.told_unreadable, true) {
            let (path, every) = (waiting.file.path(), self.adopt_every);
            let message =
                format!("{path:?} cannot be read: {error}; such files are skipped, and tried every {every:?}");
            self.store.fail(waiting.file.events as usize, message);
        }
        waiting.skipped = true;
        self.unreadable.push(waiting);
    }

    fn try_the_unreadable(&mut self) {
        for waiting in std::mem::take(&mut self.unreadable) {
            self.put_in_place(waiting);
        }
    }

    fn has_room(&self) -> bool {
        let empty = self.under_way.is_empty();
        empty || (self.events_under_way < WINDOW_EVENTS && self.bytes_under_way < WINDOW_BYTES)
    }

    /// What is no event costs itself: the file is set aside once the others are done with.
    fn note_unreadable(&self, waiting: &mut Waiting, unreadable: &[Unreadable]) {
        if !unreadable.is_empty() && matches!(waiting.fate, Fate::Deleted) {
            waiting.fate = Fate::Quarantine;
            let lines: Vec<String> = unreadable.iter().take(SHOWN_LINES).map(ToString::to_string).collect();
            let (path, lines) = (waiting.file.path(), lines.join("; "));
            let message = format!("in {path:?}, {lines}; the other events are sent, then the file is set aside");
            self.store.lose(unreadable.len(), DropReason::Invalid, message);
        }
    }

    /// Hands those events of the file that have no end to the client.
    fn send(&mut self, mut waiting: Waiting, events: impl Iterator<Item = (usize, Event)>) {
        let mut receipts = Vec::with_capacity(waiting.ended.len());
        for (at, event) in events {
            if waiting.has_ended(at) {
                continue;
            }
            match self.client.send_with_receipt(event) {
                Ok(receipt) => receipts.push((at, receipt)),
                Err(refused) if refused.is_invalid() => {
                    waiting.end(at, true);
                    let error = Some(text_with_causes(&refused));
                    waiting.refused.push(Refusal { at, reason: DropReason::Invalid, error });
                    count(&self.store.counters.refused, 1);
                    let message = format!("an event from {:?} is dropped: {refused}", waiting.file.path());
                    self.store.lose(1, DropReason::Invalid, message);
                }
                // The file waits.
                Err(_) => {}
            }
        }
        (waiting.sent, waiting.round) = (receipts.len(), self.round);
        self.events_under_way += waiting.sent;
        self.bytes_under_way += waiting.file.bytes;
        let (store, reader, unchanged) = (self.store.clone(), self.reader.clone(), waiting.clone());
        let under_way = async move {
            for (at, receipt) in receipts {
                let settlement = receipt.await;
                let ending = disposition_of(settlement.outcome);
                waiting.refused.extend(refusal(at, &settlement).filter(|_| ending == Disposition::Refused));
                if let Some(counter) = store.counter_of(ending, settlement.outcome) {
                    count(counter, 1);
                    waiting.end(at, true);
                }
            }
            if waiting.is_done() {
                let ended = Ended::new(waiting.file.clone(), waiting.fate);
                let ended = ended.with_refused(std::mem::take(&mut waiting.refused));
                // Its only error is a panic, and then the next process sends the file again.
                let _ = reader.run(move || store.end(ended)).await;
            }
            waiting
        };
        // After a panic the file is sent again.
        let under_way = AssertUnwindSafe(under_way).catch_unwind();
        self.under_way.push(Box::pin(async move { under_way.await.unwrap_or(unchanged) }));
    }

    fn follow(&mut self, waiting: Waiting) {
        self.events_under_way -= waiting.sent;
        self.bytes_under_way -= waiting.file.bytes;
        if waiting.is_done() {
            self.failures = 0;
        } else {
            self.put_back(waiting);
        }
    }

    fn arrive(&mut self, found: Found) {
        self.waiting.push_back(Waiting::new(found, self.next_place));
        self.next_place += 1;
    }

    /// The file goes before those that came later when the destination is tried again.
    fn put_back(&mut self, waiting: Waiting) {
        // A batch from before the last failure says nothing new.
        if waiting.round == self.round {
            self.pause();
        }
        self.put_in_place(waiting);
    }

    fn put_in_place(&mut self, waiting: Waiting) {
        let place = self.waiting.partition_point(|other| other.place < waiting.place);
        self.waiting.insert(place, waiting);
    }

    fn pause(&mut self) {
        let (base, cap) = BACKOFF;
        let wait = base.saturating_mul(1 << self.failures.min(16)).min(cap);
        self.failures = self.failures.saturating_add(1);
        self.round += 1;
        self.paused_until = Some(Instant::now() + wait);
    }

    /// However long that takes, it is not waited for.
    fn look_after(&mut self) {
        self.try_the_unreadable();
        self.running.open_if_need_be();
        let under_way = self.looking_after.as_mut().is_some_and(|answer| answer.try_recv() == Err(TryRecvError::Empty));
        if !under_way {
            let store = self.store.clone();
            self.looking_after = Some(self.reader.give(move || store.look_after()));
        }
    }

    /// Sends what it can in the remaining time, one attempt for each file. The rest stays on the disk. When the
    /// destination fails, all of it may stay there.
    async fn drain(&mut self) {
        let (client, failing) = (self.client.clone(), self.failing.clone());
        // Events that are sent now do not wait for a full batch.
        let flushing = tokio::spawn(async move {
            loop {
                client.flush(DRAIN).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let emptied = async {
            loop {
                while let Ok(found) = self.found.try_recv() {
                    self.arrive(found);
                }
                self.fill().await;
                match self.under_way.next().await {
                    Some(waiting) => self.follow(waiting),
                    None => return,
                }
            }
        };
        tokio::select! {
            _ = timeout(DRAIN, emptied) => {}
            () = fails_on(failing) => {}
        }
        flushing.abort();
    }

    async fn close(&self) {
        let client = self.client.clone();
        // Does not wait for work that hangs on the disk.
        let _ = timeout(CLOSE * 2, self.reader.run(move || client.close_blocking(CLOSE))).await;
        let store = self.store.clone();
        let _ = timeout(CLOSE, self.running.writer.run(move || store.close())).await;
    }
}

/// Returns why the destination will never have the event, if that is a loss.
fn refusal(at: usize, settlement: &Settlement) -> Option<Refusal> {
    let Outcome::Dropped(reason) = settlement.outcome else { return None };
    if reason.is_deliberate() {
        return None;
    }
    let error = settlement.destinations.iter().find_map(|destination| destination.error.as_ref());
    Some(Refusal { at, reason, error: error.map(|error| text_with_causes(&**error)) })
}

/// Ends when the destination has taken nothing for a while and failed instead.
async fn fails_on(mut failing: watch::Receiver<bool>) {
    while failing.wait_for(|failing| *failing).await.is_ok() {
        if timeout(PATIENCE, failing.wait_for(|failing| !failing)).await.is_err() {
            return;
        }
    }
    // The destination is gone, and the waiting side notices that.
    std::future::pending().await
}

impl Store {
    /// Returns the counter of an ending, if the disposition is one.
    fn counter_of(&self, ending: Disposition, outcome: Outcome) -> Option<&AtomicU64> {
        match ending {
            Disposition::Delivered => Some(&self.counters.delivered),
            Disposition::Refused if !outcome.is_failed() => Some(&self.counters.skipped),
            Disposition::Refused => Some(&self.counters.refused),
            Disposition::Later => None,
        }
    }
}
