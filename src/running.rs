//! Which callbacks, listeners or plugins are still busy, so that closing can wait for them.
//!
//! Always: any number may wait at the same time, and each waits for all that was begun before it asked.

use std::collections::VecDeque;
use std::fmt;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use crate::sync::{Arc, Condvar, Mutex, MutexGuard};

/// Hands out tokens, and can wait until those that it has handed out are gone. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Running(Arc<State>);

#[derive(Default)]
struct State {
    generations: Mutex<Generations>,
    changed: Condvar,
}

/// How many tokens there are of each generation. Whoever waits begins a new one.
#[derive(Default)]
struct Generations {
    /// The number of the oldest.
    oldest: u64,
    tokens: VecDeque<u64>,
}

/// Held while user code waits for its thread or runs.
pub(crate) struct Busy {
    running: Arc<State>,
    generation: u64,
}

impl Running {
    pub(crate) fn enter(&self) -> Busy {
        let generation = self.0.generations().enter();
        Busy { running: self.0.clone(), generation }
    }

    /// How many tokens there are.
    pub(crate) fn count(&self) -> u64 {
        self.0.generations().tokens.iter().sum()
    }

    /// Blocks until every token handed out so far is gone, at most `timeout`.
    pub(crate) fn wait(&self, timeout: Duration) {
        let start = Instant::now();
        let mut generations = self.0.generations();
        let next = generations.begin();
        while generations.oldest < next {
            let left = timeout.saturating_sub(start.elapsed());
            if left == Duration::ZERO {
                return;
            }
            generations = self.0.changed.wait_timeout(generations, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl State {
    fn generations(&self) -> MutexGuard<'_, Generations> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn enter(&mut self) -> u64 {
        if self.tokens.is_empty() {
            self.tokens.push_back(0);
        }
        if let Some(newest) = self.tokens.back_mut() {
            *newest += 1;
        }
        self.oldest + self.tokens.len() as u64 - 1
    }

    /// Begins a generation, unless the newest is empty. Returns its number: what was there before is older.
    fn begin(&mut self) -> u64 {
        if self.tokens.back().is_some_and(|newest| *newest > 0) {
            self.tokens.push_back(0);
        }
        self.oldest + self.tokens.len().saturating_sub(1) as u64
    }

    fn leave(&mut self, generation: u64) {
        let at = usize::try_from(generation - self.oldest).unwrap_or(usize::MAX);
        if let Some(tokens) = self.tokens.get_mut(at) {
            *tokens -= 1;
        }
        while self.tokens.front() == Some(&0) {
            self.tokens.pop_front();
            self.oldest += 1;
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.running.generations().leave(self.generation);
        self.running.changed.notify_all();
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}

impl fmt::Debug for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Busy").field("generation", &self.generation).finish_non_exhaustive()
    }
}
