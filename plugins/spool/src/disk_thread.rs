//! A thread for work on the disk, which may block.
//!
//! Invariant: each piece of work is done once and in order, and its panic is caught. The thread starts and ends with
//! the spool, so no thread has to be started later, which could fail.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;

use tokio::sync::oneshot;

type Work = Box<dyn FnOnce() + Send>;

/// Ends, once its work is done, when this is dropped.
pub(crate) struct DiskThread {
    work: mpsc::Sender<Work>,
}

/// Work had no answer.
#[derive(Debug, thiserror::Error)]
#[error("work on the disk has panicked")]
pub(crate) struct Panicked;

impl DiskThread {
    pub(crate) fn start(name: &str) -> io::Result<Self> {
        let (work, given) = mpsc::channel::<Work>();
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            for work in given {
                if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
                    // Its drop may panic, too.
                    std::mem::forget(panic);
                }
            }
        })?;
        Ok(Self { work })
    }

    /// Gives it work, which is done whether or not anybody waits for the answer.
    pub(crate) fn give<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> oneshot::Receiver<T> {
        let (reply, answer) = oneshot::channel();
        // The caller may not wait. The thread lives as long as this handle.
        let _ = self.work.send(Box::new(move || drop(reply.send(work()))));
        answer
    }

    /// Gives it work and waits for the answer.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        self.give(work).await.map_err(|_| Panicked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_costs_its_own_work_only() {
        let thread = DiskThread::start("test").unwrap();
        let (first, second) = (thread.give(|| panic!("on purpose")), thread.give(|| 2));
        assert!(first.await.is_err() as u8 == 1 && second.await == Ok(2));
        assert!(thread.run(|| std::panic::panic_any(PanicsInDrop)).await.is_err(), "and in the drop of the panic");
        assert_eq!(thread.run(|| 3).await.unwrap(), 3);
    }

    struct PanicsInDrop;

    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            panic!("in the drop");
        }
    }
}
