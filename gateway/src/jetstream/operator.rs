//! An operator's commands for the log in JetStream: show waiting and dead events, and send events again.

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use async_nats::RequestErrorKind;
use async_nats::jetstream::Context;
use async_nats::jetstream::context::ConsumerInfoErrorKind;
use async_nats::jetstream::message::{PublishMessage, StreamMessage};
use async_nats::jetstream::stream::{RawMessageErrorKind, State, Stream};
use bytes::Bytes;
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use tracklane_spool::DeadLetter;

use super::connection::JetStream;
use super::message::{DESTINATION_HEADER, FORMAT, FORMAT_HEADER};
use super::partition::partition_of;
use super::streams::{dead_stream, park_prefix, release_subject, stream_name, subject};
use super::trouble::LogError;
use crate::config::{self, ConfigError, LogConfig};

/// The consumer of each partition, and the group in which one worker is pinned.
pub(crate) const CONSUMER: &str = "workers";

/// The log of a configuration, if it is in JetStream.
#[derive(Clone, Debug)]
pub struct JetStreamLog {
    log: Arc<JetStream>,
}

/// The messages that wait in the stream of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionLag {
    /// The stream's name.
    pub stream: String,
    /// Messages that no worker has acknowledged.
    pub messages: u64,
    /// The number of these that a worker has at the moment.
    pub under_way: u64,
    /// When the oldest of them was stored.
    pub oldest: Option<SystemTime>,
}

/// The parked messages of a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParkedLag {
    /// The pipeline and the destination, as `main/Segment.io`.
    pub place: String,
    /// Messages of events that wait apart.
    pub messages: u64,
    /// When the oldest of them was parked.
    pub oldest: Option<SystemTime>,
    pipeline: String,
    destination: String,
}

/// The request to workers to try what is parked of a destination at once.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ReleaseRequest {
    pub(crate) pipeline: String,
    pub(crate) destination: String,
}

/// A dead event in the log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeadEntry {
    /// The pipeline and the destination, as `main/Segment.io`; the pipeline alone if it was no event for any.
    pub place: String,
    /// The event, with the reason.
    pub letter: DeadLetter,
    sequence: u64,
    pipeline: String,
    destination: Option<String>,
}

impl JetStreamLog {
    /// Connects to the log of a configuration file; `None` if that is not JetStream.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be used, or the log is missing or wrong.
    pub async fn of(path: impl AsRef<Path>) -> Result<Option<Self>, OperatorError> {
        match config::read(path.as_ref())?.config.log {
            LogConfig::JetStream(config) => Ok(Some(Self { log: JetStream::open_for_reading(&config, &[]).await? })),
            LogConfig::Disk(_) => Ok(None),
        }
    }

    /// The version of the server.
    #[must_use]
    pub fn server_version(&self) -> String {
        self.context().client().server_info().version
    }

    /// Returns how many servers have each event, at least.
    #[must_use]
    pub fn replicas(&self) -> u8 {
        self.log.config().replicas
    }

    /// Returns the number of waiting messages for each partition.
    ///
    /// # Errors
    ///
    /// If NATS does not answer.
    pub async fn lag(&self) -> Result<Vec<PartitionLag>, LogError> {
        let mut lag = Vec::new();
        for partition in 0..self.log.config().partitions {
            let name = stream_name(&self.log.config().name, partition);
            lag.push(self.lag_of(&name).await?);
        }
        Ok(lag)
    }

    async fn lag_of(&self, name: &str) -> Result<PartitionLag, LogError> {
        let stream = self.stream(name).await?;
        let state = &stream.cached_info().state;
        let (messages, under_way, first) = match stream.consumer_info(CONSUMER).await {
            Ok(info) => {
                let under_way = info.num_ack_pending as u64;
                (info.num_pending + under_way, under_way, info.ack_floor.stream_sequence + 1)
            }
            Err(error) if error.kind() == ConsumerInfoErrorKind::NotFound => (state.messages, 0, 0),
            Err(error) => return Err(refused(name, error)),
        };
        let oldest = match messages {
            0 => None,
            _ => self.message(&stream, name, first.max(state.first_sequence)).await?.map(|oldest| oldest.time.into()),
        };
        Ok(PartitionLag { stream: name.to_owned(), messages, under_way, oldest })
    }

    /// Returns the parked events, for each destination that has any.
    ///
    /// # Errors
    ///
    /// If NATS does not answer.
    pub async fn parked(&self) -> Result<Vec<ParkedLag>, LogError> {
        let prefix = park_prefix(&self.log.config().name);
        let mut names: Vec<String> =
            self.context().stream_names().try_collect().await.map_err(|error| refused(&prefix, error))?;
        names.retain(|name| name.starts_with(&prefix));
        names.sort();
        let mut parked = Vec::new();
        for name in names {
            let stream = self.stream(&name).await?;
            let state = &stream.cached_info().state;
            let Some(oldest) = sequences(state).next() else { continue };
            let Some(first) = self.message(&stream, &name, oldest).await? else { continue };
            let (messages, oldest) = (state.messages, Some(first.time.into()));
            let Some((place, pipeline, Some(destination))) = place_of(&first) else { continue };
            parked.push(ParkedLag { place, messages, oldest, pipeline, destination });
        }
        Ok(parked)
    }

    /// Has the workers try the parked events of a destination at once, however long it asked them to wait. The events
    /// keep their order. Returns `false` if no worker has heard it.
    ///
    /// # Errors
    ///
    /// If NATS does not answer.
    pub async fn release(&self, parked: &ParkedLag) -> Result<bool, LogError> {
        let ParkedLag { pipeline, destination, .. } = parked.clone();
        let subject = release_subject(&self.log.config().name);
        // Texts always become JSON.
        let request = serde_json::to_vec(&ReleaseRequest { pipeline, destination }).unwrap_or_default();
        match self.context().client().request(subject.clone(), request.into()).await {
            Ok(_) => Ok(true),
            Err(error) => match error.kind() {
                RequestErrorKind::NoResponders | RequestErrorKind::TimedOut => Ok(false),
                _ => Err(refused(&subject, error)),
            },
        }
    }

    /// Returns every dead event, the oldest first.
    ///
    /// # Errors
    ///
    /// If NATS does not answer.
    pub async fn dead(&self) -> Result<Vec<DeadEntry>, LogError> {
        let name = dead_stream(&self.log.config().name);
        let stream = self.stream(&name).await?;
        let state = &stream.cached_info().state;
        let mut dead = Vec::new();
        for sequence in sequences(state) {
            let message = self.message(&stream, &name, sequence).await?;
            dead.extend(message.and_then(|message| DeadEntry::read(&message)));
        }
        Ok(dead)
    }

    /// Puts dead events into the log again, for the destination that refused them alone; those without one stay. Says how
    /// many.
    ///
    /// # Errors
    ///
    /// If NATS does not take them. What is in the log by then is no longer dead.
    pub async fn replay_dead(&self, entries: &[DeadEntry]) -> Result<u64, LogError> {
        let mut replayed = 0;
        for entry in entries {
            let Some(destination) = &entry.destination else { continue };
            let event = entry.letter.event.get();
            let config = self.log.config();
            let partition = partition_of(&entry.pipeline, event.as_bytes(), config.partitions);
            let message = PublishMessage::build()
                .header(FORMAT_HEADER, FORMAT)
                .header(DESTINATION_HEADER, destination.as_str())
                // Each death of an event is sent again once.
                .message_id(format!("dead-{}", entry.sequence))
                .payload(Bytes::copy_from_slice(event.as_bytes()));
            let stream = stream_name(&config.name, partition);
            let subject = subject(&config.name, partition, &entry.pipeline);
            self.log.send(stream, subject, message).await?;
            self.drop_dead(std::slice::from_ref(entry)).await?;
            replayed += 1;
        }
        Ok(replayed)
    }

    /// Deletes dead events, and returns their number.
    ///
    /// # Errors
    ///
    /// If NATS does not answer.
    pub async fn drop_dead(&self, entries: &[DeadEntry]) -> Result<u64, LogError> {
        let name = dead_stream(&self.log.config().name);
        let stream = self.stream(&name).await?;
        let mut dropped = 0;
        for entry in entries {
            dropped += u64::from(stream.delete_message(entry.sequence).await.map_err(|error| refused(&name, error))?);
        }
        Ok(dropped)
    }

    /// Puts the messages that the log accepted between two times into it again, as far as `keep` has left them: for
    /// every destination, or for the one of this name. Returns the number of messages.
    ///
    /// # Errors
    ///
    /// If NATS does not take them. What is in the log by then goes out again.
    pub async fn replay(&self, from: SystemTime, to: SystemTime, destination: Option<&str>) -> Result<u64, LogError> {
        let mut replayed = 0;
        let run = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        for partition in 0..self.log.config().partitions {
            let name = stream_name(&self.log.config().name, partition);
            let stream = self.stream(&name).await?;
            let state = &stream.cached_info().state;
            for sequence in sequences(state) {
                let Some(message) = self.message(&stream, &name, sequence).await? else { continue };
                let stored = SystemTime::from(message.time);
                if stored < from {
                    continue;
                }
                if stored >= to {
                    break;
                }
                self.publish_again(&name, message, run, destination).await?;
                replayed += 1;
            }
        }
        Ok(replayed)
    }

    async fn publish_again(
        &self,
        stream: &str,
        message: StreamMessage,
        run: u128,
        destination: Option<&str>,
    ) -> Result<(), LogError> {
        let id = format!("replay-{run}-{}", message.sequence);
        let before = message.headers.get(DESTINATION_HEADER).map(|name| name.as_str());
        let mut again =
            PublishMessage::build().header(FORMAT_HEADER, FORMAT).message_id(id).payload(message.payload.clone());
        if let Some(only) = destination.or(before) {
            again = again.header(DESTINATION_HEADER, only);
        }
        self.log.send(stream.to_owned(), message.subject.to_string(), again).await.map(drop)
    }

    fn context(&self) -> &Context {
        self.log.context()
    }

    async fn stream(&self, name: &str) -> Result<Stream, LogError> {
        self.context().get_stream(name).await.map_err(|error| refused(name, error))
    }

    /// `None` if it was deleted.
    async fn message(&self, stream: &Stream, name: &str, sequence: u64) -> Result<Option<StreamMessage>, LogError> {
        match stream.get_raw_message(sequence).await {
            Ok(message) => Ok(Some(message)),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(refused(name, error)),
        }
    }
}

impl DeadEntry {
    fn read(message: &StreamMessage) -> Option<Self> {
        let (place, pipeline, destination) = place_of(message)?;
        let letter = serde_json::from_slice(&message.payload).ok()?;
        Some(Self { place, letter, sequence: message.sequence, pipeline, destination })
    }
}

/// The reason why the log in JetStream cannot be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The log cannot be used.
    #[error("the log in JetStream cannot be used")]
    Log(#[from] LogError),
}

/// The pipeline of a message, and the destination that it is for alone; before these how both are shown.
fn place_of(message: &StreamMessage) -> Option<(String, String, Option<String>)> {
    let pipeline = message.subject.as_str().rsplit('.').next()?.to_owned();
    let destination = message.headers.get(DESTINATION_HEADER).map(|name| name.as_str().to_owned());
    let place = match &destination {
        Some(destination) => format!("{pipeline}/{destination}"),
        None => pipeline.clone(),
    };
    Some((place, pipeline, destination))
}

/// Returns the sequences that a stream may have. One that never had a message says 0 for both ends.
fn sequences(state: &State) -> RangeInclusive<u64> {
    state.first_sequence.max(1)..=state.last_sequence
}

fn refused(stream: &str, error: impl std::error::Error + Send + Sync + 'static) -> LogError {
    LogError::Refused { stream: stream.to_owned(), source: Arc::new(error) }
}
