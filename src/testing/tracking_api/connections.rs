//! The open connections, and how they all end at once.
//!
//! After `stop` no connection can be entered, every socket is shut down, which wakes a thread
//! that reads or writes, and every pause ends, which wakes the others.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Default)]
pub(super) struct Connections {
    register: Mutex<Register>,
    stopping: Condvar,
}

#[derive(Default)]
struct Register {
    stopped: bool,
    accepted: usize,
    open: HashMap<usize, Arc<TcpStream>>,
}

impl Connections {
    fn register(&self) -> MutexGuard<'_, Register> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a connection and numbers it; `None` once the server has stopped.
    pub(super) fn enter(&self, stream: &Arc<TcpStream>) -> Option<usize> {
        let mut register = self.register();
        if register.stopped {
            return None;
        }
        let number = register.accepted;
        register.accepted += 1;
        register.open.insert(number, Arc::clone(stream));
        Some(number)
    }

    pub(super) fn leave(&self, number: usize) {
        self.register().open.remove(&number);
    }

    pub(super) fn stop(&self) {
        let mut register = self.register();
        register.stopped = true;
        for stream in register.open.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(register);
        self.stopping.notify_all();
    }

    /// Sleeps, if there is anything to sleep; `false` if the server has stopped meanwhile.
    pub(super) fn pause(&self, duration: Duration) -> bool {
        if duration.is_zero() {
            return true;
        }
        let register = self.register();
        let (register, _) = self
            .stopping
            .wait_timeout_while(register, duration, |register| !register.stopped)
            .unwrap_or_else(PoisonError::into_inner);
        !register.stopped
    }

    pub(super) fn accepted(&self) -> usize {
        self.register().accepted
    }

    pub(super) fn open(&self) -> usize {
        self.register().open.len()
    }
}
