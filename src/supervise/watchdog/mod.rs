//! Reports foreign code that blocks its thread, while it blocks.
//!
//! A timeout of the runtime works only between two awaits. A plugin that sleeps, locks or computes without end cannot
//! be cut off, and nothing on its thread can report it. So a thread of the watchdog checks what [runs](Watched): twice a
//! second while something does, and every [`LONG_PAUSE`] while calls come and end. Code in the same call in three checks
//! in a row has blocked for [`LIMIT`] or longer, and is reported, once per call. The thread counts checks and reads no
//! clock. So a process that a debugger or a signal stopped in the middle of a call is not blamed.
//!
//! Invariant: the watchdog only reports. While no calls come, it sleeps, and the next call wakes it, which costs that
//! call a system call. It keeps nothing of the client alive, and ends with it. Listeners and callbacks have threads where they may block, and are not watched.

#[cfg(test)]
mod tests;
mod watched;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::{EVENT_LIMIT, hops};
use watched::{CallState, WakeHandle};
pub(crate) use watched::{CodeKind, Watched};

/// The time for which one call or poll may hold its thread before that is reported: the time of a plugin for an event.
const LIMIT: Duration = EVENT_LIMIT;
/// The time between two checks while foreign code runs.
const PAUSE: Duration = Duration::from_millis(500);
/// The time between two checks while calls come and end.
const LONG_PAUSE: Duration = Duration::from_secs(2);
/// The number of checks in a row after which a call has lasted for [`LIMIT`].
const CHECKS: u32 = 3;
const _: () = assert!(PAUSE.as_millis() * (CHECKS as u128 - 1) >= LIMIT.as_millis(), "it is given its time");

/// Makes the records that the watchdog checks. The watchdog works while this or any of these exists.
pub(crate) struct Watchdog {
    wake_handle: WakeHandle,
    records: Records,
}

type Records = Arc<Mutex<Vec<Record>>>;

/// A piece of foreign code, and its call at the last check.
struct Record {
    watched: Weak<Watched>,
    last: CallState,
    checks: u32,
}

/// The watchdog on its thread.
pub(crate) struct WatchdogThread {
    /// Set while the thread is awake.
    awake: Arc<AtomicBool>,
    wakes: Receiver<()>,
    records: Records,
    report: Report,
}

/// Called with the name of the code that blocks, and a message.
type Report = Box<dyn Fn(&Arc<str>, String) + Send>;

impl Watchdog {
    /// Makes both sides. Call [run](WatchdogThread::run) of the second on a thread.
    pub(crate) fn new(report: impl Fn(&Arc<str>, String) + Send + 'static) -> (Self, WatchdogThread) {
        let (sender, wakes) = mpsc::sync_channel(1);
        let (awake, records) = (Arc::new(AtomicBool::new(false)), Records::default());
        let watch = WatchdogThread { awake: awake.clone(), wakes, records: records.clone(), report: Box::new(report) };
        (Self { wake_handle: WakeHandle { awake, sender }, records }, watch)
    }

    /// Makes a record to check, until it is dropped.
    pub(crate) fn watch(&self, name: impl Into<Arc<str>>, kind: CodeKind) -> Arc<Watched> {
        let watched = Arc::new(Watched::new(name.into(), kind, self.wake_handle.clone()));
        lock(&self.records).push(Record { watched: Arc::downgrade(&watched), last: CallState::default(), checks: 0 });
        watched
    }
}

impl WatchdogThread {
    /// Checks until there is nothing to watch, and never will be.
    pub(crate) fn run(self) {
        // The time until the next check. `None`: the next call wakes this thread.
        let mut pause = None;
        loop {
            let wake = match pause {
                Some(pause) => self.wakes.recv_timeout(pause),
                None => self.wakes.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            pause = match wake {
                Ok(()) => Some(PAUSE),
                Err(RecvTimeoutError::Timeout) => self.next_pause(self.check()),
                Err(RecvTimeoutError::Disconnected) => return,
            };
        }
    }

    /// Returns the time until the next check. `None`: the next call wakes this thread.
    fn next_pause(&self, found: Activity) -> Option<Duration> {
        let was_awake = self.awake.swap(found != Activity::None, Ordering::Relaxed);
        match found {
            Activity::Running => Some(PAUSE),
            Activity::Calls => Some(LONG_PAUSE),
            // A call that has just begun may have seen this thread awake, and not woken it. One more check finds that
            // call.
            Activity::None => was_awake.then_some(PAUSE),
        }
    }

    /// Checks once, and reports what blocks.
    fn check(&self) -> Activity {
        let CheckResult { activity, blocked } = check(&mut lock(&self.records));
        // No lock is held, because this runs the host's code when it logs.
        blocked.iter().for_each(|(watched, call)| self.report(watched, *call));
        activity
    }

    #[cold]
    fn report(&self, watched: &Watched, call: CallState) {
        let message = format!(
            "{} blocks its thread: a single call has not returned for {LIMIT:?}; it cannot be cut off, and the events \
             behind it wait until it returns",
            watched.kind
        );
        let _scope = hops::set(call.hops());
        (self.report)(&watched.name, message);
    }
}

/// What foreign code does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Activity {
    /// Nothing since the last check.
    #[default]
    None,
    /// It was called since the last check.
    Calls,
    /// It runs.
    Running,
}

/// The result of one check.
struct CheckResult {
    activity: Activity,
    /// The code that was in the same call for exactly [`CHECKS`] checks.
    blocked: Vec<(Arc<Watched>, CallState)>,
}

fn check(records: &mut Vec<Record>) -> CheckResult {
    records.retain(|record| record.watched.strong_count() > 0);
    let in_plugin = records.iter().any(Record::is_in_plugin);
    let mut seen = CheckResult { activity: Activity::None, blocked: Vec::new() };
    for record in records {
        let Some(watched) = record.watched.upgrade() else { continue };
        let call = watched.call();
        seen.activity = seen.activity.max(record.activity(call));
        // While a plugin runs inside the middleware, only the plugin is checked.
        let waits = watched.kind == CodeKind::Middleware && in_plugin;
        if record.update(if waits { CallState::default() } else { call }) {
            seen.blocked.push((watched, call));
        }
    }
    seen
}

impl Record {
    fn is_in_plugin(&self) -> bool {
        let watched = self.watched.upgrade();
        watched.is_some_and(|watched| watched.kind != CodeKind::Middleware && watched.call().is_running())
    }

    fn activity(&self, call: CallState) -> Activity {
        match call {
            call if call.is_running() => Activity::Running,
            call if call != self.last => Activity::Calls,
            _ => Activity::None,
        }
    }

    /// Records the current call. Returns whether it is time to report it.
    fn update(&mut self, call: CallState) -> bool {
        if !call.is_running() || call != self.last {
            (self.last, self.checks) = (call, 0);
        }
        self.checks = self.checks.saturating_add(u32::from(call.is_running()));
        self.checks == CHECKS
    }
}

fn lock(records: &Records) -> MutexGuard<'_, Vec<Record>> {
    records.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Display for CodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CodeKind::Middleware => f.write_str("source middleware"),
            CodeKind::Plugin(role) => write!(f, "{role} plugin"),
        }
    }
}
