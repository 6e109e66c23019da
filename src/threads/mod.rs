//! A pool of threads for work that may block. Threads are started on demand, up to a limit.
//!
//! Invariant: work begins in the order in which it was given. While work waits and the limit is not reached, another
//! thread is started. If none can be started, that is an error; `tokio::task::spawn_blocking` would panic. A thread
//! without work ends after [`IDLE`], and all end with the last handle.

mod park;
mod spawn;

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub(crate) use park::block_until;
pub(crate) use spawn::{block_sigpipe, spawn};

use crate::supervise;

/// The time for which a thread without work is kept.
const IDLE: Duration = Duration::from_secs(10);

pub(crate) type Task = Box<dyn FnOnce() + Send>;

/// Starts a thread of that name. Tests replace it by one that fails.
type Spawn = fn(&'static str, Task) -> io::Result<()>;

/// A pool of threads. Cheap to clone.
pub(crate) struct Threads(Arc<Shared>);

struct Shared {
    name: &'static str,
    most: usize,
    spawn: Spawn,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Task>,
    threads: usize,
    /// The number of those that have nothing to do.
    idle: usize,
    /// Nobody hands out work any more.
    closed: bool,
}

/// No thread runs, and none can be started: the reason, and the work that did not begin.
pub(crate) struct NoThread {
    pub(crate) source: io::Error,
    pub(crate) work: Task,
}

impl Threads {
    /// Makes a pool of at most `most` threads called `name`. No thread is started yet.
    pub(crate) fn new(name: &'static str, most: usize) -> Self {
        Self::with(name, most, spawn)
    }

    fn with(name: &'static str, most: usize, spawn: Spawn) -> Self {
        Self(Arc::new(Shared { name, most, spawn, state: Mutex::default(), changed: Condvar::new() }))
    }

    /// Has a thread do the work, after all earlier work.
    pub(crate) fn run(&self, work: Task) -> Result<(), NoThread> {
        let mut state = self.0.state();
        if !state.needs_thread(self.0.most) {
            self.0.put(state, work);
            return Ok(());
        }
        state.threads += 1;
        drop(state);
        let Err((source, work)) = Shared::start(&self.0, Some(work)) else { return Ok(()) };
        let mut state = self.0.state();
        state.threads -= 1;
        match work {
            Some(work) if state.threads == 0 => return Err(NoThread { source, work }),
            Some(work) => self.0.put(state, work),
            None => {}
        }
        Ok(())
    }

    /// Lets the work wait without a thread, until [`start`](Self::start) or other work brings one. Returns whether it
    /// is the first that does.
    pub(crate) fn keep(&self, work: Task) -> bool {
        let state = self.0.state();
        let first = state.waiting.is_empty();
        self.0.put(state, work);
        first
    }

    /// Starts a thread, if work waits and there is none.
    pub(crate) fn start(&self) -> io::Result<()> {
        let mut state = self.0.state();
        if state.waiting.is_empty() || state.threads > 0 {
            return Ok(());
        }
        state.threads += 1;
        drop(state);
        Shared::start(&self.0, None).map_err(|(source, _)| {
            self.0.state().threads -= 1;
            source
        })
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // The last chance for work that has waited for a thread.
        let _ = self.start();
        let mut state = self.0.state();
        state.closed = true;
        let never_begun = if state.threads == 0 { std::mem::take(&mut state.waiting) } else { VecDeque::new() };
        drop(state);
        self.0.changed.notify_all();
        never_begun.into_iter().for_each(supervise::discard);
    }
}

impl State {
    /// Returns whether other work needs another thread.
    fn needs_thread(&self, most: usize) -> bool {
        self.threads < most && self.waiting.len() >= self.idle
    }
}

impl Shared {
    /// Starts a thread that is counted already, with the work `first`. Without a thread: returns the reason, and the
    /// work.
    fn start(this: &Arc<Self>, first: Option<Task>) -> Result<(), (io::Error, Option<Task>)> {
        // A thread that cannot be started drops its closure, so the work is handed over beside it.
        let first = Arc::new(Mutex::new(first));
        let (shared, handed_over) = (this.clone(), first.clone());
        let started = (this.spawn)(this.name, Box::new(move || shared.work(take(&handed_over))));
        started.map_err(|source| (source, take(&first)))
    }

    fn put(&self, mut state: MutexGuard<'_, State>, work: Task) {
        state.waiting.push_back(work);
        drop(state);
        self.changed.notify_one();
    }

    /// Does work until there is none for a while.
    fn work(&self, first: Option<Task>) {
        let mut next = first;
        let mut state = self.state();
        loop {
            if let Some(work) = next.take().or_else(|| state.waiting.pop_front()) {
                drop(state);
                // Foreign code is caught where it is called, and its panics are counted there. This is for the code
                // around it.
                let _ = supervise::catch(work);
                state = self.state();
                continue;
            }
            if state.closed {
                break;
            }
            state.idle += 1;
            let (woken, waited) = self.changed.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if waited.timed_out() && state.waiting.is_empty() {
                break;
            }
        }
        state.threads -= 1;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take(work: &Mutex<Option<Task>>) -> Option<Task> {
    work.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    use std::thread;

    use super::*;

    #[test]
    fn no_more_threads_than_allowed_do_all_of_the_work() {
        let (threads, (done, told)) = (Threads::new("t", 3), mpsc::channel());
        for number in 0..100 {
            let done = done.clone();
            let work = move || done.send((number, thread::current().id())).unwrap();
            assert!(threads.run(Box::new(work)).is_ok());
        }
        let (numbers, by): (HashSet<u32>, HashSet<_>) = told.iter().take(100).unzip();
        assert_eq!(numbers.len(), 100);
        assert!(by.len() <= 3, "{by:?}");
    }

    #[test]
    fn work_that_waits_is_done_when_the_last_handle_is_gone_and_the_threads_end() {
        let (threads, (done, told)) = (Threads::new("t", 1), mpsc::channel());
        let (release, held) = mpsc::channel::<()>();
        assert!(threads.run(Box::new(move || assert!(held.recv().is_err()))).is_ok());
        assert!(threads.run(Box::new(|| panic!("on purpose"))).is_ok());
        assert!(threads.run(Box::new(move || done.send(()).unwrap())).is_ok());
        let left = Arc::downgrade(&threads.0);
        drop(threads);
        drop(release);
        assert_eq!(told.recv_timeout(Duration::from_secs(20)), Ok(()));
        while left.strong_count() > 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn without_a_thread_the_work_comes_back_or_waits_for_one() {
        static THERE_ARE_SOME: AtomicBool = AtomicBool::new(false);
        let spawn: Spawn = |_, work| {
            if THERE_ARE_SOME.load(Ordering::SeqCst) {
                return thread::Builder::new().spawn(work).map(drop);
            }
            Err(io::ErrorKind::WouldBlock.into())
        };
        let (threads, (done, told)) = (Threads::with("t", 2, spawn), mpsc::channel());
        let work = |number: u32| -> Task {
            let done = done.clone();
            Box::new(move || done.send(number).unwrap())
        };
        let Err(NoThread { source, work: first }) = threads.run(work(1)) else { panic!("there is no thread") };
        assert_eq!(source.kind(), io::ErrorKind::WouldBlock);
        threads.keep(first);
        assert!(threads.start().is_err());
        let Err(NoThread { work: second, .. }) = threads.run(work(2)) else { panic!("there is no thread") };
        threads.keep(second);
        assert!(told.try_recv().is_err());
        THERE_ARE_SOME.store(true, Ordering::SeqCst);
        assert!(threads.start().is_ok());
        assert_eq!(told.iter().take(2).collect::<Vec<_>>(), [1, 2], "in the order in which it was given");

        THERE_ARE_SOME.store(false, Ordering::SeqCst);
        let never = Threads::with("t", 2, spawn);
        never.keep(work(3));
        drop((never, done));
        drop(threads);
        assert!(told.iter().next().is_none(), "what is never begun is dropped");
    }
}
