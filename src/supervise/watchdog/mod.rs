//! Reports foreign code that blocks its thread, while it blocks.
//!
//! A timeout of the runtime works only between two awaits. A plugin that sleeps, locks or computes without end cannot be
//! cut off, and nothing on its thread can report it. So a thread of its own looks twice a second at what
//! [runs](Watched). Code that it finds in the same call in three looks in a row has blocked for [`LIMIT`] or longer, and
//! is reported, once per call. The thread counts looks and reads no clock: a process that was stopped in the middle of a
//! call, by a debugger or a signal, is not blamed.
//!
//! Invariant: the watchdog only reports. While no foreign code runs, it sleeps. It keeps nothing of the client alive, and
//! ends with it. Listeners and callbacks have threads where they may block, and are not watched.

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

/// The time for which one call or poll may hold its thread before that is reported: that of a plugin for an event.
const LIMIT: Duration = EVENT_LIMIT;
/// The time from one look to the next.
const PAUSE: Duration = Duration::from_millis(500);
/// The number of looks in a row after which a call has lasted for [`LIMIT`].
const LOOKS: u32 = 3;
const _: () = assert!(PAUSE.as_millis() * (LOOKS as u128 - 1) >= LIMIT.as_millis(), "it is given its time");

/// Makes what the watchdog looks at. The watchdog works while this or any of these exists.
pub(crate) struct Watchdog {
    bell: Bell,
    posts: Posts,
}

type Posts = Arc<Mutex<Vec<Post>>>;

/// A piece of foreign code, and its call when it was last looked at.
struct Post {
    watched: Weak<Watched>,
    seen: Call,
    looks: u32,
}

/// The side of the thread.
pub(crate) struct Watch {
    /// The thread is awake.
    watching: Arc<AtomicBool>,
    rung: Receiver<()>,
    posts: Posts,
    report: Report,
}

/// Called with the name of what blocks, and a message.
type Report = Box<dyn Fn(&Arc<str>, String) + Send>;

impl Watchdog {
    /// Makes both sides. A thread is to [run](Watch::run) the second.
    pub(crate) fn new(report: impl Fn(&Arc<str>, String) + Send + 'static) -> (Self, Watch) {
        let (ring, rung) = mpsc::sync_channel(1);
        let (watching, posts) = (Arc::new(AtomicBool::new(false)), Posts::default());
        let watch = Watch { watching: watching.clone(), rung, posts: posts.clone(), report: Box::new(report) };
        (Self { bell: Bell { watching, ring }, posts }, watch)
    }

    /// Makes something to look at, until it is dropped.
    pub(crate) fn watch(&self, name: impl Into<Arc<str>>, stage: Stage) -> Arc<Watched> {
        let watched = Arc::new(Watched::new(name.into(), stage, self.bell.clone()));
        lock(&self.posts).push(Post { watched: Arc::downgrade(&watched), seen: Call::default(), looks: 0 });
        watched
    }
}

impl Watch {
    /// Looks until there is nothing to watch, and never will be.
    pub(crate) fn run(self) {
        let mut in_vain = 0_u32;
        loop {
            let rung = match in_vain {
                // A call that began while this thread was about to sleep may have seen it awake, and rung no bell. One
                // more look finds it.
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

    /// Looks once, and reports what blocks. Returns whether anything runs.
    fn look(&self) -> bool {
        let Seen { anybody, blocked } = look(&mut lock(&self.posts));
        // No lock is held: this runs the host's code where it logs.
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

/// The result of one look.
struct Seen {
    /// Foreign code runs.
    anybody: bool,
    /// What has been in the same call for exactly [`LOOKS`] looks.
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
        // While a plugin runs inside of the middleware, the plugin is looked at.
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

    /// Notes the call that runs now. Returns whether it is time to report it.
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
