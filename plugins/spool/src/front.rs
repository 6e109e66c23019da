//! What stands in front: it takes batches off the caller's client and answers when they are safe.
//!
//! Always: "delivered" is said of events that are on the disk, or, when the disk cannot be written, that the
//! destination itself has. Batches are written one after the other, in the order in which they came.
//!
//! A batch has one verdict. When the destination took a part of it from memory and refused the rest, the verdict is to
//! split it, and the parts are answered from what is known, down to the single event: nothing is sent twice for it.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::Mutex;
use tower_service::Service;
use tracklane::emitter::signal::Failure;
use tracklane::event::Message;
use tracklane::plugin::{Answer, Batch, Verdict};
use tracklane::{Analytics, BoxError, Event};

use crate::ending::{Ending, end_of};
use crate::stats::count;
use crate::store::{NotWritten, Store};

/// How long one flush of events in memory waits.
const FLUSH: Duration = Duration::from_secs(10);
/// How long to wait before events that neither the disk nor the destination takes are tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// An event that is not on the disk, under the `messageId` that its batch has it by.
type InMemory = (String, Event);

/// How events ended, by their `messageId`.
type Endings = HashMap<String, Ending>;

/// What there is once the plugin has loaded.
pub(crate) struct Running {
    pub(crate) store: Arc<Store>,
    pub(crate) client: Analytics,
    /// The last batch could not be written, or there is no slot to write the first to.
    pub(crate) degraded: AtomicBool,
    /// Held by the one batch that is being written.
    pub(crate) turn: Mutex<()>,
    /// What is known of the parts of batches that are being split.
    pub(crate) unanswered: std::sync::Mutex<Endings>,
}

#[derive(Clone)]
pub(crate) struct Front {
    pub(crate) running: Arc<OnceLock<Arc<Running>>>,
}

impl Service<Batch> for Front {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let running = self.running.get().cloned();
        Box::pin(async move {
            match running {
                Some(running) => running.take(batch).await,
                None => Err("the spool has not loaded".into()),
            }
        })
    }
}

impl Running {
    async fn take(self: Arc<Self>, batch: Batch) -> Result<Answer, BoxError> {
        // Parts of a batch are further attempts at it.
        if batch.attempt() > 1
            && let Some(answer) = answer(&batch, &mut self.unanswered())
        {
            return Ok(answer);
        }
        let whole = batch.clone();
        let written = self.write(move |store| store.write(whole.messages().map(|message| message.json()))).await?;
        let Err(error) = written else { return Ok(Verdict::Delivered.into()) };
        self.report(batch.len(), error);
        count(&self.store.counters.in_memory, batch.len());
        let in_memory =
            |message: &Message| Ok((message.message_id().into_owned(), serde_json::from_slice(message.json())?));
        let events = batch.messages().map(in_memory).collect::<Result<_, BoxError>>()?;
        let mut ended = self.deliver_from_memory(events).await?;
        let answer = answer(&batch, &mut ended).ok_or("an event has no end")?;
        self.unanswered().extend(ended);
        Ok(answer)
    }

    fn unanswered(&self) -> MutexGuard<'_, Endings> {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes in turn, on a blocking thread.
    async fn write(
        &self,
        write: impl FnOnce(&Store) -> Result<(), NotWritten> + Send + 'static,
    ) -> Result<Result<(), NotWritten>, BoxError> {
        let _turn = self.turn.lock().await;
        let store = self.store.clone();
        let written = tokio::task::spawn_blocking(move || write(&store)).await?;
        if written.is_ok() && self.degraded.swap(false, Ordering::AcqRel) {
            tracing::info!(target: "tracklane", destination = %self.store.name, "the spool writes to the disk again");
        }
        Ok(written)
    }

    /// Once per episode.
    pub(crate) fn report(&self, events: usize, error: NotWritten) {
        if self.degraded.swap(true, Ordering::AcqRel) {
            return;
        }
        let message = format!("not on the disk, because {}; until it is, events wait in memory", with_causes(&error));
        let mut failure = Failure::new(self.store.name.clone(), message, events);
        failure.error = Some(Arc::new(error));
        self.store.emitter.fail(failure);
    }

    /// Ends when each of the events is with the destination, refused by it for good, or on the disk after all.
    async fn deliver_from_memory(&self, mut events: Vec<InMemory>) -> Result<Endings, BoxError> {
        let mut ended = Endings::new();
        loop {
            let mut left = Vec::new();
            for ((id, event), ending) in self.try_once(events).await? {
                match ending {
                    Ending::Later => left.push((id, event)),
                    ending => {
                        ended.insert(id, ending);
                    }
                }
            }
            if left.is_empty() {
                return Ok(ended);
            }
            tokio::time::sleep(AGAIN).await;
            let lines: Vec<Vec<u8>> =
                left.iter().map(|(_, event)| serde_json::to_vec(event)).collect::<Result<_, _>>()?;
            if self.write(move |store| store.write(lines.iter().map(Vec::as_slice))).await?.is_ok() {
                ended.extend(left.into_iter().map(|(id, _)| (id, Ending::Delivered)));
                return Ok(ended);
            }
            events = left;
        }
    }

    async fn try_once(&self, events: Vec<InMemory>) -> Result<Vec<(InMemory, Ending)>, BoxError> {
        let mut sent = Vec::with_capacity(events.len());
        for event in events {
            match self.client.deliver(event.1.clone()) {
                Ok(receipt) => sent.push((event, Ok(receipt))),
                Err(refused) if refused.is_closed() => return Err(refused.into()),
                Err(refused) if refused.is_invalid() => {
                    self.store.fail(1, format!("an event is dropped: {refused}"));
                    sent.push((event, Err(Ending::Refused)));
                }
                Err(_) => sent.push((event, Err(Ending::Later))),
            }
        }
        let ended = async {
            let mut ended = Vec::with_capacity(sent.len());
            for (event, receipt) in sent {
                let ending = match receipt {
                    Ok(receipt) => end_of(receipt.await.outcome),
                    Err(ending) => ending,
                };
                ended.push((event, ending));
            }
            ended
        };
        tokio::select! {
            ended = ended => Ok(ended),
            () = keep_flushing(&self.client) => Err("flushing ended".into()),
        }
    }
}

/// The answer to a batch, if each of its events has its end. They are taken out, unless the batch is to be split.
fn answer(batch: &Batch, ended: &mut Endings) -> Option<Answer> {
    let ending = |message: &Message| ended.get(&*message.message_id()).copied();
    let endings: Vec<Ending> = batch.messages().map(ending).collect::<Option<_>>()?;
    let refused = endings.iter().filter(|ending| matches!(ending, Ending::Refused)).count();
    if refused > 0 && refused < batch.len() {
        return Some(Verdict::Split.into());
    }
    for message in batch.messages() {
        ended.remove(&*message.message_id());
    }
    Some(match refused {
        0 => Verdict::Delivered.into(),
        _ => Answer::new(Verdict::Reject).error("the destination behind the spool has refused them"),
    })
}

/// What has been a batch once gains nothing by waiting for another.
async fn keep_flushing(client: &Analytics) {
    loop {
        client.flush(FLUSH).await;
        tokio::time::sleep(AGAIN).await;
    }
}

/// An error in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}
