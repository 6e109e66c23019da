//! Publishes batches: the partitions side by side, in each the messages one after the other.
//!
//! Invariant: once a message of a partition is not acknowledged, none behind it is sent. So nothing overtakes.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::join_all;
use tower_service::Service;
use tracklane::BoxError;
use tracklane::plugin::{Answer, Batch, Verdict};

use super::connection::JetStream;
use super::message::{LogMessage, messages};
use super::trouble::LogError;

/// Puts the events of one pipeline into the streams.
#[derive(Clone)]
pub(super) struct Publisher {
    pub(super) log: Arc<JetStream>,
    pub(super) pipeline: Arc<str>,
}

/// Events of a batch that are in no stream for sure, by their places.
pub(super) struct Unpublished {
    pub(super) events: Vec<usize>,
    error: LogError,
}

impl Publisher {
    /// Publishes as many messages as it can.
    pub(super) async fn publish(&self, batch: &Batch) -> Vec<Unpublished> {
        let events = batch.messages().map(|message| message.json());
        let partitions = self.log.config().partitions;
        let cut = messages(&self.pipeline, partitions, self.log.max_payload(), events);
        let publishing = cut.into_iter().map(|(partition, messages)| self.publish_in_turn(partition, messages));
        join_all(publishing).await.into_iter().flatten().collect()
    }

    async fn publish_in_turn(&self, partition: u16, messages: Vec<LogMessage>) -> Option<Unpublished> {
        let mut messages = messages.into_iter();
        while let Some(message) = messages.next() {
            let mut events = message.events.clone();
            if let Err(error) = self.log.publish(partition, &self.pipeline, message).await {
                events.extend(messages.flat_map(|message| message.events));
                return Some(Unpublished { events, error });
            }
        }
        None
    }
}

/// Returns the answer to a batch of which these events were not published: they must come again, the others are
/// delivered.
pub(super) fn answer(unpublished: Vec<Unpublished>) -> Answer {
    let again = unpublished.into_iter().flat_map(|part| {
        let answer = Answer::new(Verdict::Retry).with_error(part.error);
        part.events.into_iter().map(move |event| (event, answer.clone()))
    });
    Answer::each(Verdict::Delivered, again.collect::<Vec<_>>())
}

impl Service<Batch> for Publisher {
    type Response = Answer;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, batch: Batch) -> Self::Future {
        let publisher = self.clone();
        Box::pin(async move { Ok(answer(publisher.publish(&batch).await)) })
    }
}
