//! Chooses the next reply: the queue, then the fallback.
//!
//! It returns a function rather than calling it, because the caller holds a lock.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Reply, Request};

#[derive(Default)]
pub(super) struct Script {
    queue: VecDeque<Reply>,
    fallback: Source,
}

#[derive(Clone)]
pub(super) enum Source {
    Fixed(Reply),
    Function(Arc<dyn Fn(&Request) -> Reply + Send + Sync>),
}

impl Default for Source {
    fn default() -> Self {
        Source::Fixed(Reply::as_segment())
    }
}

impl Source {
    /// A function may return a reset at any time.
    pub(super) fn may_reset(&self) -> bool {
        match self {
            Source::Fixed(reply) => reply.resets(),
            Source::Function(_) => true,
        }
    }
}

impl Script {
    pub(super) fn extend(&mut self, replies: Vec<Reply>) {
        self.queue.extend(replies);
    }

    /// Returns the earlier one, because the drop of its captured values may be a caller's code.
    pub(super) fn set_fallback(&mut self, fallback: Source) -> Source {
        std::mem::replace(&mut self.fallback, fallback)
    }

    pub(super) fn next(&mut self) -> Source {
        match self.queue.pop_front() {
            Some(reply) => Source::Fixed(reply),
            None => self.fallback.clone(),
        }
    }
}
