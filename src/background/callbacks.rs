//! Callbacks that wait for a thread, of which they take a bounded number.
//!
//! Always: whoever finds a callback waiting while fewer threads than allowed call them asks for one more. A callback
//! that will never be called is dropped.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Threads that call back at once, at most: the runtime has 512, which delivery needs, too.
const MOST_THREADS: usize = 64;

pub(super) type Callback = Box<dyn FnOnce() + Send>;

#[derive(Default)]
pub(super) struct Callbacks(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    callbacks: VecDeque<Callback>,
    /// Threads that call them, or are asked for.
    threads: usize,
}

/// One of the threads. It may be dropped before it has begun, if the runtime ends.
pub(super) struct Caller {
    callbacks: Arc<Callbacks>,
    done: bool,
}

impl Callbacks {
    /// Puts a callback last. What another thread is to do, if one is needed.
    pub(super) fn push(this: &Arc<Self>, callback: Callback) -> Option<Caller> {
        let mut waiting = this.waiting();
        waiting.callbacks.push_back(callback);
        if waiting.threads == MOST_THREADS {
            return None;
        }
        waiting.threads += 1;
        Some(Caller { callbacks: this.clone(), done: false })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The callbacks, one after the other; after the last one the thread is none of theirs any more.
impl Iterator for Caller {
    type Item = Callback;

    fn next(&mut self) -> Option<Callback> {
        let mut waiting = self.callbacks.waiting();
        let next = waiting.callbacks.pop_front();
        if next.is_none() && !std::mem::replace(&mut self.done, true) {
            waiting.threads -= 1;
        }
        next
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let never_called = {
            let mut waiting = self.callbacks.waiting();
            waiting.threads -= 1;
            std::mem::take(&mut waiting.callbacks)
        };
        drop(never_called);
    }
}
