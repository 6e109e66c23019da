//! A wait group: counts callbacks, listeners or plugins that run, so that closing can wait for them.
//!
//! Invariant: any number of threads may wait at once. Each waits for all guards that were handed out before.

use std::collections::VecDeque;
use std::fmt;
use std::sync::PoisonError;
use std::time::Duration;

use crate::sync::{Arc, Condvar, Instant, Mutex, MutexGuard};

/// Hands out guards, and waits until they are dropped. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct WaitGroup(Arc<State>);

#[derive(Default)]
struct State {
    generations: Mutex<Generations>,
    changed: Condvar,
}

/// The number of guards of each generation. Each wait begins a new one.
#[derive(Default)]
struct Generations {
    /// The number of the oldest.
    oldest: u64,
    guards: VecDeque<u64>,
}

/// Held while user code waits for its thread or runs. Made by [`WaitGroup::enter`].
pub(crate) struct WaitGuard {
    group: Arc<State>,
    generation: u64,
}

impl WaitGroup {
    pub(crate) fn enter(&self) -> WaitGuard {
        let generation = self.0.generations().enter();
        WaitGuard { group: self.0.clone(), generation }
    }

    /// Returns the number of guards.
    pub(crate) fn count(&self) -> u64 {
        self.0.generations().guards.iter().sum()
    }

    /// Marks the guards handed out so far, for [`has_passed`](Self::has_passed).
    pub(crate) fn mark(&self) -> u64 {
        self.0.generations().begin()
    }

    /// Returns whether every guard handed out before the mark is dropped.
    pub(crate) fn has_passed(&self, mark: u64) -> bool {
        self.0.generations().oldest >= mark
    }

    /// Blocks until every guard handed out so far is dropped, at most `timeout`.
    pub(crate) fn wait(&self, timeout: Duration) {
        let start = Instant::now();
        let next = self.mark();
        let mut generations = self.0.generations();
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
        if self.guards.is_empty() {
            self.guards.push_back(0);
        }
        if let Some(newest) = self.guards.back_mut() {
            *newest += 1;
        }
        self.oldest + self.guards.len() as u64 - 1
    }

    /// Begins a generation, unless the newest is empty. Returns its number. All guards handed out before are older.
    fn begin(&mut self) -> u64 {
        if self.guards.back().is_some_and(|newest| *newest > 0) {
            self.guards.push_back(0);
        }
        self.oldest + self.guards.len().saturating_sub(1) as u64
    }

    fn leave(&mut self, generation: u64) {
        let at = usize::try_from(generation - self.oldest).unwrap_or(usize::MAX);
        if let Some(guards) = self.guards.get_mut(at) {
            *guards -= 1;
        }
        while self.guards.front() == Some(&0) {
            self.guards.pop_front();
            self.oldest += 1;
        }
    }
}

impl Drop for WaitGuard {
    fn drop(&mut self) {
        self.group.generations().leave(self.generation);
        self.group.changed.notify_all();
    }
}

impl fmt::Debug for WaitGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitGroup").finish_non_exhaustive()
    }
}

impl fmt::Debug for WaitGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitGuard").field("generation", &self.generation).finish_non_exhaustive()
    }
}
