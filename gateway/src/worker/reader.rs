//! Reads a stream while it is this worker's turn, and as long as JetStream pins its consumer to this worker.
//!
//! When the turn ends, the reader asks for nothing more, and finishes what it has. The next worker waits for that.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::{Config, MessagesError, MessagesErrorKind, Stream as Messages};
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, PriorityPolicy};
use futures_util::StreamExt;
use tokio::time::{MissedTickBehavior, interval};
use tracklane::BoxError;

use super::partition::Partition;
use super::reading::Reading;
use super::share::Turn;
use crate::jetstream::CONSUMER;

/// The time after which a worker that no longer asks loses its partitions. It asks every [`EXPIRES`] at least.
const PIN: Duration = Duration::from_secs(5);
const EXPIRES: Duration = Duration::from_millis(1_500);
const HEARTBEAT: Duration = Duration::from_millis(500);
/// The time without a sign of life after which a message is delivered again.
const ACK_WAIT: Duration = Duration::from_secs(10);
/// The time from one look at gaps, gates and finished messages to the next.
const LOOK: Duration = Duration::from_secs(1);
/// The most messages without an acknowledgement, and the number that is requested at once.
const MAX_UNACKNOWLEDGED: i64 = 512;
const ASK: (usize, usize) = (256, 4 << 20);
/// The wait after an error.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// Works until it is stopped. It reports errors and starts again from the floor.
pub(super) async fn run(partition: Arc<Partition>, mut turn: Turn) {
    while turn.begins().await {
        let Err(error) = read(&partition, &mut turn).await else { continue };
        partition.tell(&*error);
        turn.rest(AFTER_ERROR).await;
    }
}

async fn read(partition: &Arc<Partition>, turn: &mut Turn) -> Result<(), BoxError> {
    let stream = partition.log.context().get_stream(&partition.stream).await?;
    let consumer: Consumer<Config> = stream.get_or_create_consumer(CONSUMER, config()).await?;
    let messages = consumer
        .stream()
        .group(CONSUMER)
        .max_messages_per_batch(ASK.0)
        .max_bytes_per_batch(ASK.1)
        .expires(EXPIRES)
        .heartbeat(HEARTBEAT)
        .messages()
        .await?;
    let mut reading = Reading::new(Arc::clone(partition), stream, consumer);
    let (mut messages, stopped) = (Some(messages), turn.clone());
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stopped.is_stopped() => break,
            () = turn.ends(), if messages.is_some() => messages = None,
            Some(done) = reading.next_done() => reading.finish(done).await?,
            message = next(&mut messages) => match message.ok_or("the consumer ended")? {
                Ok(message) => reading.arrive(message).await?,
                Err(error) if is_fatal(error.kind()) => return Err(error.into()),
                // NATS is away. The messages in progress continue.
                Err(error) => partition.tell(&error),
            },
            _ = look.tick() => {
                if let Err(error) = reading.look().await {
                    partition.tell(&*error);
                }
            }
        }
        if messages.is_none() && reading.is_idle() {
            return Ok(());
        }
    }
    drop(messages);
    reading.settle().await
}

/// The next message, as long as any are asked for.
async fn next(messages: &mut Option<Messages>) -> Option<Result<Message, MessagesError>> {
    match messages {
        Some(messages) => messages.next().await,
        None => std::future::pending().await,
    }
}

/// Returns whether the messages have ended, and not only the connection.
fn is_fatal(kind: MessagesErrorKind) -> bool {
    use MessagesErrorKind::{ConsumerDeleted, PushBasedConsumer, RequestLimitExceeded};
    matches!(kind, ConsumerDeleted | PushBasedConsumer | RequestLimitExceeded)
}

fn config() -> Config {
    Config {
        durable_name: Some(CONSUMER.to_owned()),
        description: Some("what destinations have had of the log".to_owned()),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        max_ack_pending: MAX_UNACKNOWLEDGED,
        priority_policy: PriorityPolicy::PinnedClient,
        priority_groups: vec![CONSUMER.to_owned()],
        priority_timeout: PIN,
        ..Config::default()
    }
}
