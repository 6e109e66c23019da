//! The connection to NATS, and whether the log there can be trusted.
//!
//! Invariant: nothing is published before the server's version and every stream are checked, nor while a check has
//! failed. A problem is reported once when it begins, and once when it is over.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use async_nats::Client;
use async_nats::connection::State;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, Context, ErrorCode};

use super::connect::{PATIENCE, await_connected, away, check_server, connect};
use super::message::{DeadMessage, LogMessage, ParkedMessage};
use super::streams::{self, Place, dead_stream, dead_subject, park_stream, park_subject, stream_name, subject};
use super::trouble::LogError;
use crate::config::JetStreamConfig;

/// The time that the start waits for NATS. Events that come earlier than NATS go to the disk.
const START: Duration = Duration::from_secs(1);
/// The time from one check of the log to the next: while something is wrong, and while nothing is.
const LOOK: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// The log in JetStream.
pub(crate) struct JetStream {
    config: JetStreamConfig,
    client: Client,
    context: Context,
    /// The version and the streams were once found to be as they must be, and are not known to be otherwise.
    is_fit: AtomicBool,
    trouble: Mutex<Option<LogError>>,
    counts: Counts,
}

/// Counts since the process began.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) messages: AtomicU64,
    pub(crate) events: AtomicU64,
    /// Messages that JetStream had already.
    pub(crate) repeats: AtomicU64,
    /// Messages that were not acknowledged.
    pub(crate) failures: AtomicU64,
}

impl JetStream {
    /// Connects. That NATS is away, or a stream missing, is no error: events go to the disk until it is there.
    ///
    /// # Errors
    ///
    /// If the configuration cannot work: a server that is too old, or streams that are no log.
    pub(crate) async fn open(config: &JetStreamConfig) -> Result<Arc<Self>, LogError> {
        let log = Self::connect(config).await?;
        let _ = tokio::time::timeout(START, await_connected(&log.client, config)).await;
        match log.check().await {
            Err(unfit) if unfit.is_unfit() => return Err(unfit),
            found => log.note(found),
        }
        tokio::spawn(watch(Arc::downgrade(&log)));
        Ok(log)
    }

    /// Connects to a log that must exist and be correct, with the parked events of these destinations.
    pub(crate) async fn open_for_reading(
        config: &JetStreamConfig,
        destinations: &[Place],
    ) -> Result<Arc<Self>, LogError> {
        let log = Self::connect(config).await?;
        await_connected(&log.client, config).await?;
        log.check().await?;
        streams::check_parks(&log.context, config, destinations).await?;
        log.note(Ok(()));
        tokio::spawn(watch(Arc::downgrade(&log)));
        Ok(log)
    }

    async fn connect(config: &JetStreamConfig) -> Result<Arc<Self>, LogError> {
        let (client, context) = connect(config).await?;
        Ok(Arc::new(Self {
            config: config.clone(),
            client,
            context,
            is_fit: AtomicBool::new(false),
            trouble: Mutex::new(None),
            counts: Counts::default(),
        }))
    }

    /// Returns the context that asks JetStream.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    pub(crate) fn config(&self) -> &JetStreamConfig {
        &self.config
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Returns the current problem.
    pub(crate) fn trouble(&self) -> Option<LogError> {
        self.last_trouble().clone()
    }

    fn last_trouble(&self) -> MutexGuard<'_, Option<LogError>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how many bytes of one message the server takes.
    pub(super) fn max_payload(&self) -> usize {
        self.client.max_payload()
    }

    /// Publishes a message. When this returns, as many servers have stored it as the stream's settings say.
    pub(super) async fn publish(&self, partition: u16, pipeline: &str, message: LogMessage) -> Result<(), LogError> {
        let events = message.events.len() as u64;
        let published = self.try_publish(partition, pipeline, message).await;
        match &published {
            Ok(is_repeat) => {
                self.counts.messages.fetch_add(1, Ordering::Relaxed);
                self.counts.events.fetch_add(events, Ordering::Relaxed);
                self.counts.repeats.fetch_add(u64::from(*is_repeat), Ordering::Relaxed);
                if self.is_full() {
                    self.note(Ok(()));
                }
            }
            Err(error) => {
                self.counts.failures.fetch_add(1, Ordering::Relaxed);
                self.note(Err(error.clone()));
            }
        }
        published.map(drop)
    }

    async fn try_publish(&self, partition: u16, pipeline: &str, message: LogMessage) -> Result<bool, LogError> {
        if self.client.connection_state() != State::Connected {
            return Err(away(&self.config));
        }
        if !self.is_fit.load(Ordering::Acquire) {
            return Err(self.trouble().unwrap_or_else(|| away(&self.config)));
        }
        let stream = stream_name(&self.config.name, partition);
        let subject = subject(&self.config.name, partition, pipeline);
        let message = message.into_publish(&stream);
        self.send(stream, subject, message).await
    }

    /// Stores a dead event.
    pub(crate) async fn publish_dead(&self, dead: DeadMessage<'_>) -> Result<(), LogError> {
        let stream = dead_stream(&self.config.name);
        let subject = dead_subject(&self.config.name, dead.pipeline);
        self.send(stream.clone(), subject, dead.into_publish(&stream)).await.map(drop)
    }

    /// Stores events that wait apart for one destination.
    pub(crate) async fn publish_parked(&self, parked: ParkedMessage<'_>) -> Result<(), LogError> {
        let stream = park_stream(&self.config.name, parked.pipeline, parked.destination);
        let subject = park_subject(&self.config.name, parked.pipeline, parked.destination);
        self.send(stream.clone(), subject, parked.into_publish(&stream)).await.map(drop)
    }

    /// Returns whether no event of that destination is parked.
    pub(crate) async fn is_park_empty(&self, pipeline: &str, destination: &str) -> Result<bool, LogError> {
        let name = park_stream(&self.config.name, pipeline, destination);
        Ok(streams::info(&self.context, &name).await?.state.messages == 0)
    }

    /// Publishes, and waits for the acknowledgement. Says whether the stream had the message already.
    pub(super) async fn send(
        &self,
        stream: String,
        subject: String,
        message: PublishMessage,
    ) -> Result<bool, LogError> {
        let sent = self.context.send_publish(subject, message).await;
        let acknowledged = match sent {
            Ok(acknowledgement) => acknowledgement.await,
            Err(error) => Err(error),
        };
        match acknowledged {
            Ok(acknowledgement) => Ok(acknowledgement.duplicate),
            Err(error) => Err(match error.kind() {
                // Nobody answered. Whether the stream is missing is for the check to find out, which looks soon.
                PublishErrorKind::StreamNotFound => LogError::NoLeader { stream },
                PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => {
                    LogError::NotAcknowledged { stream, after: PATIENCE }
                }
                _ if code(&error) == Some(ErrorCode::STREAM_STORE_FAILED) => LogError::Full { stream },
                _ => LogError::Refused { stream, source: Arc::new(error) },
            }),
        }
    }

    /// Returns whether a stream had no room for the last message.
    fn is_full(&self) -> bool {
        matches!(*self.last_trouble(), Some(LogError::Full { .. }))
    }

    /// Checks whether the log can be trusted.
    async fn check(&self) -> Result<(), LogError> {
        check_server(&self.client, &self.config)?;
        streams::check_all(&self.context, &self.config).await
    }

    /// Stores the result of a check, and reports changes.
    fn note(&self, found: Result<(), LogError>) {
        let now = found.err();
        match &now {
            None => self.is_fit.store(true, Ordering::Release),
            Some(error) if error.is_unfit() => self.is_fit.store(false, Ordering::Release),
            Some(_) => {}
        }
        let before = std::mem::replace(&mut *self.last_trouble(), now.clone());
        let is_new = |error: &LogError| {
            before.as_ref().is_none_or(|before| std::mem::discriminant(before) != std::mem::discriminant(error))
        };
        match now {
            Some(error) if is_new(&error) => tell(&error),
            None if before.is_some() => tracing::info!(target: "tracklane", "the log in JetStream takes events again"),
            _ => {}
        }
    }
}

fn tell(error: &LogError) {
    let (text, advice) = (tracklane::text_with_causes(error), "new events go to this machine's disk until it does");
    if error.is_alarm() {
        tracing::error!(target: "tracklane", error = %text, "the log in JetStream takes nothing; {advice}");
    } else {
        tracing::warn!(target: "tracklane", error = %text, "the log in JetStream takes nothing; {advice}");
    }
}

/// Checks the log as long as it exists, more often while there is a problem.
async fn watch(log: Weak<JetStream>) {
    let mut looked = Instant::now();
    loop {
        tokio::time::sleep(LOOK.0).await;
        let Some(log) = log.upgrade() else { return };
        if log.trouble().is_some() || looked.elapsed() >= LOOK.1 {
            looked = Instant::now();
            let found = log.check().await;
            // Only a message that is taken shows that there is room again.
            if found.is_err() || !log.is_full() {
                log.note(found);
            }
        }
    }
}

/// The code of JetStream behind an error of the client.
fn code(error: &(dyn std::error::Error + 'static)) -> Option<ErrorCode> {
    let mut error = Some(error);
    while let Some(cause) = error {
        if let Some(said) = cause.downcast_ref::<jetstream::Error>() {
            return Some(said.error_code());
        }
        error = cause.source();
    }
    None
}

impl std::fmt::Debug for JetStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JetStream").field("config", &self.config).field("counts", &self.counts).finish_non_exhaustive()
    }
}
