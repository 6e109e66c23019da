//! Wakes those who drive a client, wherever they wait.
//!
//! Invariant: a waker is foreign code, so none is called or dropped under the lock. Whoever was woken registers again when
//! it comes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use crate::supervise::{self, log};

/// The wakers of those who drive, by their numbers.
#[derive(Default)]
pub(super) struct Drivers {
    wakers: Mutex<Vec<(u64, Waker)>>,
    woken: AtomicBool,
}

impl Drivers {
    /// Returns whether anybody was to be woken since this was last asked.
    pub(super) fn take_woken(&self) -> bool {
        self.woken.swap(false, Ordering::AcqRel)
    }

    fn wakers(&self) -> MutexGuard<'_, Vec<(u64, Waker)>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn register(&self, id: u64, waker: Waker) {
        let mut wakers = self.wakers();
        let before = take(&mut wakers, id);
        wakers.push((id, waker));
        drop(wakers);
        drop(before);
    }

    pub(super) fn remove(&self, id: u64) -> Option<Waker> {
        take(&mut self.wakers(), id)
    }
}

fn take(wakers: &mut Vec<(u64, Waker)>, id: u64) -> Option<Waker> {
    let at = wakers.iter().position(|(of, _)| *of == id)?;
    Some(wakers.swap_remove(at).1)
}

/// Each comes again and registers anew.
impl Wake for Drivers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        let wakers = std::mem::take(&mut *self.wakers());
        wakers.into_iter().for_each(|(_, waker)| wake(waker));
    }
}

/// Calls a waker, which may be foreign code.
pub(super) fn wake(waker: Waker) {
    if supervise::catch(|| waker.wake()).is_err() {
        log!(ERROR, what = "waker", "panicked; the panic was caught");
    }
}
