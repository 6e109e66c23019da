//! The acceptor: takes batches off the caller's client and answers when they are safe.
//!
//! Invariant: it reports events as delivered only when they are on the disk or, while the disk cannot be written, when
//! the destination has them. With `refuse_unwritten` only the former counts. Batches are written one after the other,
//! in the order in which they came.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::watch;
use tower_service::Service;
use tracklane::BoxError;
use tracklane::plugin::{Answer, Batch, Verdict};

use crate::memory::answer;
use crate::running::Running;
use crate::stats::count;

#[derive(Clone)]
pub(crate) struct Acceptor {
    pub(crate) running: watch::Receiver<Option<Arc<Running>>>,
    pub(crate) refuse_unwritten: bool,
}

impl Service<Batch> for Acceptor {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let (mut running, refuse_unwritten) = (self.running.clone(), self.refuse_unwritten);
        Box::pin(async move {
            let begun = running.wait_for(Option::is_some).await.ok().and_then(|running| running.clone());
            let begun = begun.ok_or("the spool ended before it could begin")?;
            if refuse_unwritten { begun.write_or_refuse(batch).await } else { begun.accept(batch).await }
        })
    }
}

impl Running {
    /// On the disk or not taken at all.
    async fn write_or_refuse(self: Arc<Self>, batch: Batch) -> Result<Answer, BoxError> {
        let whole = batch.clone();
        match self.write(move |store| store.write(whole.into_iter())).await {
            Ok(()) => Ok(Verdict::Delivered.into()),
            Err(error) => {
                let text = error.to_string();
                self.report(batch.len(), error);
                Err(text.into())
            }
        }
    }

    async fn accept(self: Arc<Self>, batch: Batch) -> Result<Answer, BoxError> {
        // Parts of a batch are further attempts at it.
        if batch.attempt() > 1
            && let Some(answer) = answer(&batch, &mut self.unanswered())
        {
            return Ok(answer);
        }
        let whole = batch.clone();
        let written = self.write(move |store| store.write(whole.into_iter())).await;
        let Err(error) = written else { return Ok(Verdict::Delivered.into()) };
        self.report(batch.len(), error);
        count(&self.store.counters.in_memory, batch.len());
        let mut ended = self.deliver_from_memory(&batch).await?;
        let answer = answer(&batch, &mut ended).ok_or("an event has no end")?;
        self.unanswered().extend(ended);
        Ok(answer)
    }
}
