//! Reports foreign code that blocks its thread, while it blocks.
//!
//! A timeout of the runtime works only between two awaits. A plugin that sleeps, locks or computes without end cannot
//! be cut off, and nothing on its thread can report it. So a thread of the watchdog checks twice a second what
//! [runs](Watched). Code in the same call in three checks in a row has blocked for [`LIMIT`] or longer, and is
//! reported, once per call. The thread counts checks and reads no clock. So a process that a debugger or a signal
//! stopped in the middle of a call is not blamed.
//!
//! Invariant: the watchdog only reports. While no foreign code runs, it sleeps. It keeps nothing of the client alive,
//! and ends with it. Listeners and callbacks have threads where they may block, and are not watched.

#[cfg(test)]
mod tests;
mod watched;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::{EVENT_LIMIT, hops};
use watched::{Bell, Call};
pub(crate) use watched::{Stage, Watched};

/// The time for which one call or poll may hold its thread before that is reported: the time of a plugin for an event.
const LIMIT: Duration = EVENT_LIMIT;
/// The time between two checks.
const PAUSE: Duration = Duration::from_millis(500);
/// The number of checks in a row after which a call has lasted for [`LIMIT`].
const LOOKS: u32 = 3;
const _: () = assert!(PAUSE.as_millis() * (LOOKS as u128 - 1) >= LIMIT.as_millis(), "it is given its time");

/// Makes the records that the watchdog checks. The watchdog works while this or any of these exists.
pub(crate) struct Watchdog {
    bell: Bell,
    posts: Posts,
}

type Posts = Arc<Mutex<Vec<Post>>>;

/// A piece of foreign code, and its call at the last check.
struct Post {
    watched: Weak<Watched>,
    seen: Call,
    looks: u32,
}

/// The watchdog on its thread.
pub(crate) struct Watch {
    /// Set while the thread is awake.
    watching: Arc<AtomicBool>,
    rung: Receiver<()>,
    posts: Posts,
    report: Report,
}

/// Called with the name of the code that blocks, and a message.
type Report = Box<dyn Fn(&Arc<str>, String) + Send>;

impl Watchdog {
    /// Makes both sides. Call [run](Watch::run) of the second on a thread.
    pub(crate) fn new(report: impl Fn(&Arc<str>, String) + Send + 'static) -> (Self, Watch) {
        let (ring, rung) = mpsc::sync_channel(1);
        let (watching, posts) = (Arc::new(AtomicBool::new(false)), Posts::default());
        let watch = Watch { watching: watching.clone(), rung, posts: posts.clone(), report: Box::new(report) };
        (Self { bell: Bell { watching, ring }, posts }, watch)
    }

    /// Makes a record to check, until it is dropped.
    pub(crate) fn watch(&self, name: impl Into<Arc<str>>, stage: Stage) -> Arc<Watched> {
        let watched = Arc::new(Watched::new(name.into(), stage, self.bell.clone()));
        lock(&self.posts).push(Post { watched: Arc::downgrade(&watched), seen: Call::default(), looks: 0 });
        watched
    }
}

impl Watch {
    /// Checks until there is nothing to watch, and never will be.
    pub(crate) fn run(self) {
        let mut in_vain = 0_u32;
        loop {
            let rung = match in_vain {
                // A call that began while this thread was about to sleep may have seen it awake, and not woken it. One
                // more check finds that call.
                0 | 1 => self.rung.recv_timeout(PAUSE),
                _ => self.rung.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match rung {
                Ok(()) => in_vain = 0,
                Err(RecvTimeoutError::Timeout) if self.look() => in_vain = 0,
                Err(RecvTimeoutError::Timeout) => in_vain += 1,
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.watching.store(in_vain == 0, Ordering::Relaxed);
        }
    }

    /// Checks once, and reports what blocks. Returns whether anything runs.
    fn look(&self) -> bool {
        let Seen { anybody, blocked } = look(&mut lock(&self.posts));
        // No lock is held, because this runs the host's code when it logs.
        blocked.iter().for_each(|(watched, call)| self.report(watched, *call));
        anybody
    }

    #[cold]
    fn report(&self, watched: &Watched, call: Call) {
        let message = format!(
            "{} blocks its thread: a single call has not come back for {LIMIT:?}; it cannot be cut off, and what is \
             behind it waits until it returns",
            watched.stage
        );
        let _scope = hops::set(call.hops());
        (self.report)(&watched.name, message);
    }
}

/// The result of one check.
struct Seen {
    /// Set if foreign code runs.
    anybody: bool,
    /// The code that was in the same call for exactly [`LOOKS`] checks.
    blocked: Vec<(Arc<Watched>, Call)>,
}

fn look(posts: &mut Vec<Post>) -> Seen {
    posts.retain(|post| post.watched.strong_count() > 0);
    let in_plugin = posts.iter().any(Post::is_in_plugin);
    let mut seen = Seen { anybody: false, blocked: Vec::new() };
    for post in posts {
        let Some(watched) = post.watched.upgrade() else { continue };
        let call = watched.call();
        seen.anybody |= call.is_running();
        // While a plugin runs inside the middleware, only the plugin is checked.
        let waits = watched.stage == Stage::Middleware && in_plugin;
        if post.sees(if waits { Call::default() } else { call }) {
            seen.blocked.push((watched, call));
        }
    }
    seen
}

impl Post {
    fn is_in_plugin(&self) -> bool {
        let watched = self.watched.upgrade();
        watched.is_some_and(|watched| watched.stage != Stage::Middleware && watched.call().is_running())
    }

    /// Records the current call. Returns whether it is time to report it.
    fn sees(&mut self, call: Call) -> bool {
        if !call.is_running() || call != self.seen {
            (self.seen, self.looks) = (call, 0);
        }
        self.looks = self.looks.saturating_add(u32::from(call.is_running()));
        self.looks == LOOKS
    }
}

fn lock(posts: &Posts) -> MutexGuard<'_, Vec<Post>> {
    posts.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stage::Middleware => f.write_str("source middleware"),
            Stage::Plugin(role) => write!(f, "{role} plugin"),
        }
    }
}
