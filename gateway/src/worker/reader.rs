//! Reads a stream as long as JetStream pins its consumer to this worker.

use std::time::Duration;

use async_nats::jetstream::consumer::pull::{Config, MessagesErrorKind};
use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, PriorityPolicy};
use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracklane::BoxError;

use super::partition::Partition;
use super::reading::Reading;
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
pub(super) async fn run(partition: Partition, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let Err(error) = read(&partition, &mut stopped).await else { continue };
        partition.tell(&*error);
        let _ = timeout(AFTER_ERROR, stopped.wait_for(|stopped| *stopped)).await;
    }
}

async fn read(partition: &Partition, stopped: &mut watch::Receiver<bool>) -> Result<(), BoxError> {
    let stream = partition.log.context().get_stream(&partition.stream).await?;
    let consumer: Consumer<Config> = stream.get_or_create_consumer(CONSUMER, config()).await?;
    let mut messages = consumer
        .stream()
        .group(CONSUMER)
        .max_messages_per_batch(ASK.0)
        .max_bytes_per_batch(ASK.1)
        .expires(EXPIRES)
        .heartbeat(HEARTBEAT)
        .messages()
        .await?;
    let mut reading = Reading::new(partition, stream, consumer);
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = is_stopped(stopped) => break,
            Some(done) = reading.next_done() => reading.finish(done).await?,
            message = messages.next() => match message.ok_or("the consumer ended")? {
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
    }
    drop(messages);
    reading.settle().await
}

async fn is_stopped(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
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
