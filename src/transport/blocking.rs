//! Runs blocking work of this crate, on threads apart from those of listeners and callbacks, which may hang.

use std::io;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::error::BoxError;
use crate::threads::{NoThread, Threads};

/// Threads for such work. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Blocking(Arc<Threads>);

impl Blocking {
    /// Makes a pool of at most `most` threads called `name`.
    pub(crate) fn new(name: &'static str, most: usize) -> Self {
        Self(Arc::new(Threads::new(name, most)))
    }

    /// Runs the work and waits for it. Work that nobody waits for any more does not begin. If there is no thread for
    /// it, that is an error of the attempt, which is then repeated.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, BoxError> {
        let (answer, answered) = oneshot::channel();
        let work = move || {
            if !answer.is_closed() {
                let _ = answer.send(work());
            }
        };
        self.0.run(Box::new(work)).map_err(|NoThread { source, .. }| no_thread(&source))?;
        answered.await.map_err(|_| "the work on another thread panicked".into())
    }
}

fn no_thread(source: &io::Error) -> BoxError {
    format!("no thread can be started for work that may block: {source}").into()
}
