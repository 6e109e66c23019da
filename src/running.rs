//! Which callbacks or listeners are still running, so that closing can wait for them.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Hands out tokens, and can wait until all of them are gone.
#[derive(Debug)]
pub(crate) struct Running {
    open: Mutex<(Sender<()>, Receiver<()>)>,
}

/// Held while user code waits for its thread or runs.
#[derive(Debug)]
pub(crate) struct Busy(#[expect(dead_code, reason = "its drop is what counts")] Sender<()>);

impl Running {
    pub(crate) fn enter(&self) -> Busy {
        Busy(self.open.lock().unwrap_or_else(PoisonError::into_inner).0.clone())
    }

    /// Blocks until every token handed out so far is gone, at most `timeout`.
    pub(crate) fn wait(&self, timeout: Duration) {
        let fresh = mpsc::channel();
        let (sender, tokens) = std::mem::replace(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner), fresh);
        drop(sender);
        // Nothing is ever sent: it ends when the last sender is gone, or the time is over.
        let _ = tokens.recv_timeout(timeout);
    }
}

impl Default for Running {
    fn default() -> Self {
        Self { open: Mutex::new(mpsc::channel()) }
    }
}
