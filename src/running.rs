//! Which callbacks or listeners are still running, so that flushing and closing can wait for them.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Hands out tokens, and can wait until all of them are gone. Any number may wait. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Running(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    tokens: Mutex<Tokens>,
    changed: Condvar,
}

/// Tokens are numbered, so that who waits does so for those that were there before, and not for ever new ones.
#[derive(Debug, Default)]
struct Tokens {
    next: u64,
    open: BTreeSet<u64>,
}

/// Held while user code waits for its thread or runs.
#[derive(Debug)]
pub(crate) struct Busy {
    running: Running,
    number: u64,
}

impl Running {
    pub(crate) fn enter(&self) -> Busy {
        let mut tokens = self.tokens();
        let number = tokens.next;
        tokens.next += 1;
        tokens.open.insert(number);
        drop(tokens);
        Busy { running: self.clone(), number }
    }

    /// How many tokens there are.
    pub(crate) fn count(&self) -> u64 {
        self.tokens().open.len() as u64
    }

    /// Blocks until every token handed out so far is gone, at most `timeout`.
    pub(crate) fn wait(&self, timeout: Duration) {
        let start = Instant::now();
        let mut tokens = self.tokens();
        let later = tokens.next;
        while tokens.open.first().is_some_and(|oldest| *oldest < later) {
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return;
            }
            tokens = self.0.changed.wait_timeout(tokens, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.0.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.running.tokens().open.remove(&self.number);
        self.running.0.changed.notify_all();
    }
}
