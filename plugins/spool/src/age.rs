//! The age of a file, measured so that no jump of the wall clock deletes acknowledged events.
//!
//! The rule: only time in which a spool was running counts. While a process knows a file, its age grows by the
//! monotonic clock. Its age before that follows from the directory: the newest time in its slot, that of the lock
//! included, less the file's time. The lock's time is renewed while a spool runs there, so that is when the last one
//! did. Time in which none ran does not count, because it cannot be distinguished from a moved clock.
//!
//! A moved clock would falsify the times in the directory while files wait. So the times of files are moved with it.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The difference of the wall clock from which on the times of files follow it.
pub(crate) const TOLERANCE: Duration = Duration::from_secs(60 * 60);

/// The age of a file that this process knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Age {
    known: Instant,
    before: Duration,
}

impl Age {
    /// Makes the age of a file that has that age now.
    pub(crate) fn of(before: Duration) -> Self {
        Self { known: Instant::now(), before }
    }

    pub(crate) fn now(self) -> Duration {
        self.before.saturating_add(self.known.elapsed())
    }
}

/// A move of the wall clock: how far, and to which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Jump {
    Forward(Duration),
    Back(Duration),
}

impl Jump {
    /// Returns the time of a file that has followed the clock to `now`, if it has to. A file that was written after the
    /// jump cannot be distinguished from an older one. It may become younger by this, never older.
    pub(crate) fn follow(self, written: SystemTime, now: SystemTime) -> Option<SystemTime> {
        match self {
            Jump::Forward(by) => Some(written.checked_add(by)?.min(now)),
            Jump::Back(by) => (written > now).then(|| written.checked_sub(by))?,
        }
    }
}

/// Notices jumps of the wall clock by the monotonic one.
#[derive(Debug, Default)]
pub(crate) struct WallClock {
    /// The times of both clocks at the last call.
    last: Mutex<Option<(Instant, SystemTime)>>,
}

impl WallClock {
    /// Returns whether the wall clock, which shows `wall`, was moved since the last call.
    pub(crate) fn moved(&self, wall: SystemTime) -> Option<Jump> {
        let now = Instant::now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (then, shown) = last.replace((now, wall))?;
        let expected = shown.checked_add(now.saturating_duration_since(then))?;
        match wall.duration_since(expected) {
            Ok(ahead) => (ahead > TOLERANCE).then_some(Jump::Forward(ahead)),
            Err(behind) => (behind.duration() > TOLERANCE).then_some(Jump::Back(behind.duration())),
        }
    }
}

/// Sets the time at which a file was last written.
pub(crate) fn set_written(path: &Path, at: SystemTime) -> io::Result<()> {
    open(path)?.set_modified(at)
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);
    const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

    #[test]
    fn a_file_follows_a_jump_and_never_becomes_older_by_it() {
        let now = SystemTime::now();
        let before = |by: Duration| now - by;
        for (jump, written, follows, what) in [
            (Jump::Forward(MONTH), before(MONTH + HOUR), Some(before(HOUR)), "an hour old before a jump ahead"),
            (Jump::Forward(MONTH), before(HOUR), Some(now), "written after a jump ahead"),
            (Jump::Back(MONTH), now + MONTH - HOUR, Some(before(HOUR)), "an hour old before a jump back"),
            (Jump::Back(MONTH), before(HOUR), None, "written after a jump back"),
        ] {
            assert_eq!(jump.follow(written, now), follows, "{what}");
        }
    }

    #[test]
    fn only_jumps_are_noticed() {
        let (clock, start) = (WallClock::default(), SystemTime::now());
        assert_eq!(clock.moved(start), None, "the first time there is nothing to compare with");
        assert_eq!(clock.moved(start + HOUR / 2), None, "within the tolerance");
        assert!(matches!(clock.moved(start + MONTH), Some(Jump::Forward(by)) if by > MONTH - HOUR));
        assert_eq!(clock.moved(start + MONTH), None, "it is said once");
        assert!(matches!(clock.moved(start), Some(Jump::Back(by)) if by >= MONTH));
    }
}
