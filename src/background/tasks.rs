//! The work of a driven client, and who drives it.
//!
//! Nothing runs by itself here: whoever awaits the client polls its tasks with a [`Driver`], on the caller's task and by
//! the caller's executor, and waits for its timers with a sleep of the host's. Invariant: one driver polls at a time. The
//! others are woken when it goes away, so that one of them takes over, and what is under way when nobody drives stays as
//! it is. A driver within a task of the client (a plugin that awaits its own client) polls nothing: the one around it does.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Notify;

use super::drivers::{Drivers, wake};
use crate::clock::Timers;
use crate::supervise::{self, CatchDrop, log};

type BoxedFuture = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Makes a future of the host's that ends after a time.
pub(crate) type HostSleep = Box<dyn Fn(Duration) -> BoxedFuture + Send + Sync>;

/// The longest time that the host is asked to wait for at once: timers of browsers cannot be set for a month.
const LONGEST_SLEEP: Duration = Duration::from_secs(60 * 60);
/// How often the tasks are polled at most where nobody may do so again.
const LAST_POLLS: usize = 32;

/// The tasks of one client. Clones are the same.
#[derive(Clone)]
pub(crate) struct Tasks(Arc<Shared>);

struct Shared {
    running: Mutex<FuturesUnordered<BoxedFuture>>,
    /// Not polled yet.
    spawned: Mutex<Vec<BoxedFuture>>,
    drivers: Arc<Drivers>,
    next_driver: AtomicU64,
    /// Whoever waits for something in the client is to look again.
    changed: Notify,
    timers: Timers,
    sleep: CatchDrop<HostSleep>,
    ended: AtomicBool,
}

impl Tasks {
    pub(crate) fn new(sleep: HostSleep) -> Self {
        Self(Arc::new(Shared {
            running: Mutex::default(),
            spawned: Mutex::default(),
            drivers: Arc::default(),
            next_driver: AtomicU64::new(0),
            changed: Notify::new(),
            timers: Timers::default(),
            sleep: CatchDrop::new(sleep),
            ended: AtomicBool::new(false),
        }))
    }

    /// The timers for which drivers wait.
    pub(crate) fn timers(&self) -> &Timers {
        &self.0.timers
    }

    /// Adds a task. Its panic ends it and nothing else.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut work = Box::pin(work);
        let task: BoxedFuture = Box::pin(async move {
            if supervise::catch_future(work.as_mut()).await.is_err() {
                log!(ERROR, "a task of the client panicked; the panic was caught");
            }
            supervise::discard(work);
        });
        if self.0.ended.load(Ordering::Acquire) {
            return supervise::discard(task);
        }
        self.0.spawned().push(task);
        self.0.drivers.wake_by_ref();
    }

    /// Drives the tasks until `future` ends.
    pub(crate) async fn run<F: Future>(&self, future: F) -> F::Output {
        let (mut driver, mut future) = (self.driver(), pin!(future));
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(output);
            }
            driver.drive(cx);
            future.as_mut().poll(cx)
        })
        .await
    }

    /// Waits until `holds`, which is asked again whenever something may have changed. Drives nothing.
    pub(crate) async fn until(&self, mut holds: impl FnMut() -> bool) {
        loop {
            let mut changed = pin!(self.0.changed.notified());
            changed.as_mut().enable();
            if holds() {
                return;
            }
            changed.await;
        }
    }

    /// Has those who [wait](Self::until) look again. No lock may be held: their wakers are foreign code.
    pub(crate) fn set_changed(&self) {
        self.0.set_changed();
    }

    pub(crate) fn driver(&self) -> Driver {
        let id = self.0.next_driver.fetch_add(1, Ordering::Relaxed);
        Driver { tasks: self.clone(), id, sleep: None }
    }

    /// Polls the tasks as long as they have something to do without waiting.
    pub(crate) fn poll_to_rest(&self) {
        for _ in 0..LAST_POLLS {
            self.0.drivers.take_woken();
            self.0.poll();
            if !self.0.drivers.take_woken() {
                break;
            }
        }
    }

    /// Polls the tasks [to rest](Self::poll_to_rest), and drops them: nobody will drive them any more.
    pub(crate) fn end(&self) {
        self.poll_to_rest();
        self.0.ended.store(true, Ordering::Release);
        // A driver that is at it drops them itself.
        if let Some(running) = self.0.try_running() {
            self.0.discard_all(running);
        }
    }
}

impl Shared {
    fn spawned(&self) -> MutexGuard<'_, Vec<BoxedFuture>> {
        self.spawned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_running(&self) -> Option<MutexGuard<'_, FuturesUnordered<BoxedFuture>>> {
        match self.running.try_lock() {
            Ok(running) => Some(running),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Polls the tasks that were woken, unless another driver does.
    fn poll(&self) {
        let Some(mut running) = self.try_running() else { return };
        let waker = Waker::from(self.drivers.clone());
        let (mut cx, mut some_ended) = (Context::from_waker(&waker), false);
        loop {
            let spawned = std::mem::take(&mut *self.spawned());
            running.extend(spawned);
            match running.poll_next_unpin(&mut cx) {
                Poll::Ready(Some(())) => some_ended = true,
                _ if self.spawned().is_empty() => break,
                _ => {}
            }
        }
        if self.ended.load(Ordering::Acquire) {
            self.discard_all(running);
        } else {
            drop(running);
        }
        if some_ended {
            self.set_changed();
        }
    }

    fn set_changed(&self) {
        if supervise::catch(|| self.changed.notify_waiters()).is_err() {
            log!(ERROR, what = "waker", "panicked; the panic was caught");
        }
    }

    /// Drops all tasks when the lock is free again: they hold what is foreign.
    fn discard_all(&self, mut running: MutexGuard<'_, FuturesUnordered<BoxedFuture>>) {
        let all = std::mem::take(&mut *running);
        drop(running);
        supervise::discard((all, std::mem::take(&mut *self.spawned())));
    }
}

/// One who drives the tasks by polling.
pub(crate) struct Driver {
    tasks: Tasks,
    id: u64,
    sleep: Option<Sleep>,
}

/// A sleep of the host's, until that time.
struct Sleep {
    until: Duration,
    future: CatchDrop<BoxedFuture>,
}

impl Driver {
    /// Polls what can go on. The task of `cx` is woken when more can.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        let shared = &self.tasks.0;
        shared.drivers.register(self.id, cx.waker().clone());
        shared.timers.take_due().into_iter().for_each(wake);
        shared.poll();
        let Some(next) = shared.timers.next() else {
            self.sleep = None;
            return;
        };
        if self.sleep.as_ref().is_none_or(|sleep| sleep.until > next) {
            self.sleep = shared.sleep_until(next);
        }
        let Some(sleep) = &mut self.sleep else { return };
        let until = sleep.until;
        match supervise::catch(|| Pin::new(&mut sleep.future).poll(cx)) {
            Ok(Poll::Pending) => return,
            Ok(Poll::Ready(())) => {
                shared.timers.reach(until);
                // Not at once: a sleep that never waits must not keep its caller's thread for ever.
                cx.waker().wake_by_ref();
            }
            Err(panicked) => log!(ERROR, "the host's sleep panicked: {}", panicked.0),
        }
        self.sleep = None;
    }
}

impl Shared {
    fn sleep_until(&self, next: Duration) -> Option<Sleep> {
        let now = self.timers.now();
        let until = next.min(now.saturating_add(LONGEST_SLEEP));
        match supervise::catch(|| (self.sleep)(until.saturating_sub(now))) {
            Ok(future) => Some(Sleep { until, future: CatchDrop::new(future) }),
            Err(panicked) => {
                log!(ERROR, "the host's sleep panicked: {}", panicked.0);
                None
            }
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let own = self.tasks.0.drivers.remove(self.id);
        drop(own);
        self.tasks.0.drivers.wake_by_ref();
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").finish_non_exhaustive()
    }
}
