//! Events that were never taken, kept with the reason so that an operator can find them.
//!
//! They are kept like dead letters, in a folder of the source, up to a bound, so that a broken sender cannot fill the
//! disk. Beyond it they are only counted and named in the answer.

use std::path::PathBuf;

use tokio::sync::{mpsc, oneshot};
use tracklane_spool::{DeadLetter, DeadLetters};

/// Bytes of one source that are kept.
const MAX_BYTES: u64 = 64 << 20;
/// Requests that wait for their rejects to be written.
const WAITING: usize = 256;
/// Requests whose rejects are written at once.
const AT_ONCE: usize = 64;

/// The folder for the rejects of one source.
#[derive(Clone, Debug)]
pub(crate) struct Rejects {
    tell: mpsc::Sender<Batch>,
}

#[derive(Debug)]
struct Batch {
    letters: Vec<DeadLetter>,
    done: oneshot::Sender<()>,
}

impl Rejects {
    /// Starts the task that writes to this folder. It ends with the last handle.
    pub(crate) fn start(directory: PathBuf) -> Self {
        let (tell, told) = mpsc::channel(WAITING);
        tokio::spawn(write(DeadLetters::of(directory), told));
        Self { tell }
    }

    /// Keeps these. Returns once they are on the disk, or cannot be kept.
    pub(crate) async fn keep(&self, letters: Vec<DeadLetter>) {
        let (done, is_done) = oneshot::channel();
        if self.tell.send(Batch { letters, done }).await.is_ok() {
            let _ = is_done.await;
        }
    }
}

async fn write(dead: DeadLetters, mut told: mpsc::Receiver<Batch>) {
    let mut batches = Vec::with_capacity(AT_ONCE);
    let mut warned = false;
    while told.recv_many(&mut batches, AT_ONCE).await > 0 {
        let (mut letters, mut done) = (Vec::new(), Vec::new());
        for batch in batches.drain(..) {
            letters.extend(batch.letters);
            done.push(batch.done);
        }
        let store = dead.clone();
        let written = tokio::task::spawn_blocking(move || store.write(&letters, MAX_BYTES)).await;
        match written {
            Ok(Ok(())) => warned = false,
            Ok(Err(error)) if !std::mem::replace(&mut warned, true) => {
                tracing::warn!(target: "tracklane", %error, "rejected events are not kept");
            }
            _ => {}
        }
        for done in done {
            let _ = done.send(());
        }
    }
}
