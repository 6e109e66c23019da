//! Starts the client's own threads.
//!
//! Invariant: SIGPIPE is blocked on them. A write to a connection that the server has closed raises this signal on the
//! thread that writes. If the host has left it at its default (command-line programs, Rust in a program in C), it ends
//! the host. With the signal blocked, the write fails with an error like any other. The host's own threads are not
//! changed.

use std::io;
use std::thread;

/// Starts the thread `name`.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let work = move || {
        block_sigpipe();
        work();
    };
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

/// Blocks SIGPIPE on this thread and those that it starts.
#[cfg(unix)]
pub(crate) fn block_sigpipe() {
    use nix::sys::signal::{SigSet, Signal};

    let mut signals = SigSet::empty();
    signals.add(Signal::SIGPIPE);
    // It fails only for a wrong way of changing the mask.
    let _ = signals.thread_block();
}

#[cfg(not(unix))]
pub(crate) fn block_sigpipe() {}
