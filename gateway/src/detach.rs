//! A future whose work goes on when nobody waits for it any more.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// The same future. Dropped before its end, it goes on in a task of its own. While it is awaited it needs no task, and no
/// switch to one.
pub(crate) struct DetachOnDrop<F: Future<Output: Send> + Send + 'static> {
    /// Empty once it has ended or panicked.
    work: Option<Pin<Box<F>>>,
}

impl<F: Future<Output: Send> + Send + 'static> DetachOnDrop<F> {
    pub(crate) fn new(work: F) -> Self {
        Self { work: Some(Box::pin(work)) }
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for DetachOnDrop<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Some(mut work) = self.work.take() else { return Poll::Pending };
        let polled = work.as_mut().poll(cx);
        if polled.is_pending() {
            self.work = Some(work);
        }
        polled
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for DetachOnDrop<F> {
    fn drop(&mut self) {
        // Without a runtime the process ends.
        if let (Some(work), Ok(runtime)) = (self.work.take(), Handle::try_current()) {
            drop(runtime.spawn(work));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use futures_util::FutureExt;
    use tokio::sync::Notify;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn what_was_begun_goes_on_when_nobody_waits() {
        for polls in [0, 1] {
            let (go, done) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
            let (wait, tell) = (Arc::clone(&go), Arc::clone(&done));
            let mut work = DetachOnDrop::new(async move {
                wait.notified().await;
                tell.notify_one();
            });
            for _ in 0..polls {
                assert!((&mut work).now_or_never().is_none());
            }
            drop(work);
            go.notify_one();
            let went_on = timeout(Duration::from_secs(10), done.notified()).await;
            assert!(went_on.is_ok(), "polled {polls} times");
        }
    }

    #[tokio::test]
    async fn its_end_is_that_of_its_work() {
        assert_eq!(DetachOnDrop::new(async { 7 }).await, 7);
    }
}
