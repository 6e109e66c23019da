//! The streams: one for each partition, so that the sequence of a stream has no gaps between the messages of one.
//!
//! Invariant: only [`create_streams`] makes streams. A missing stream has been deleted with its events, and making it
//! again in silence would hide that.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, RetentionPolicy, StorageType};
use async_nats::jetstream::{Context, ErrorCode, context::GetStreamErrorKind};

use super::connect;
use super::trouble::LogError;
use crate::config::JetStreamConfig;

/// The time in which JetStream recognises a repeat: its own default.
const DUPLICATES: Duration = Duration::from_secs(120);

/// The result of [`Gateway::create_streams`](crate::Gateway::create_streams).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreatedStreams {
    /// Streams that were made.
    pub created: Vec<String>,
    /// Streams that were there.
    pub found: Vec<String>,
}

/// The stream of a partition.
pub(crate) fn stream_name(log: &str, partition: u16) -> String {
    format!("{log}-{partition:02}")
}

/// The subject of a pipeline's events.
pub(super) fn subject(log: &str, partition: u16, pipeline: &str) -> String {
    format!("{log}.{partition:02}.{pipeline}")
}

/// Returns the stream of the events that destinations refused permanently.
pub(crate) fn dead_stream(log: &str) -> String {
    format!("{log}-dead")
}

/// The subject of a pipeline's dead events.
pub(super) fn dead_subject(log: &str, pipeline: &str) -> String {
    format!("{log}.dead.{pipeline}")
}

/// Returns the stream of the parked events of a destination.
pub(crate) fn park_stream(log: &str, pipeline: &str, destination: &str) -> String {
    format!("{}{pipeline}-{}", park_prefix(log), token(destination))
}

/// The beginning of their names.
pub(super) fn park_prefix(log: &str) -> String {
    format!("{log}-park-")
}

/// The subject of a destination's parked events.
pub(super) fn park_subject(log: &str, pipeline: &str, destination: &str) -> String {
    format!("{log}.park.{}.{pipeline}", token(destination))
}

/// The subject on which workers hear that what is parked is to be tried at once. No stream has it.
pub(crate) fn release_subject(log: &str) -> String {
    format!("{log}.release")
}

/// The subject on which workers tell each other that they are there. No stream has it.
pub(crate) fn workers_subject(log: &str) -> String {
    format!("{log}.workers")
}

/// A name as a part of a subject and of a stream's name: letters, digits, `-` and `_` as they are.
fn token(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("={byte:02X}") }).collect()
}

/// A stream that the log needs.
struct Needed {
    name: String,
    subject: String,
}

/// A destination, by its pipeline and its name.
pub(crate) type Place = (String, String);

/// Makes the missing streams of the log, with one for the parked events of each destination.
pub(crate) async fn create_streams(
    config: &JetStreamConfig,
    destinations: &[Place],
) -> Result<CreatedStreams, LogError> {
    let (client, context) = connect::connect(config).await?;
    connect::await_connected(&client, config).await?;
    connect::check_server(&client, config)?;
    let mut made = CreatedStreams::default();
    for needed in log_streams(config).chain(parks(config, destinations)) {
        let name = needed.name.clone();
        match info(&context, &name).await {
            Ok(info) => {
                check(&info, config)?;
                made.found.push(name);
            }
            Err(LogError::Missing { .. }) => {
                let created = context.create_stream(wanted(config, needed)).await;
                created.map_err(|error| LogError::Refused { stream: name.clone(), source: Arc::new(error) })?;
                made.created.push(name);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(made)
}

/// Checks that every stream of the log is there and is as it must be.
pub(super) async fn check_all(context: &Context, config: &JetStreamConfig) -> Result<(), LogError> {
    check_each(context, config, log_streams(config)).await
}

/// Checks the streams of parked events likewise.
pub(super) async fn check_parks(
    context: &Context,
    config: &JetStreamConfig,
    destinations: &[Place],
) -> Result<(), LogError> {
    check_each(context, config, parks(config, destinations)).await
}

async fn check_each(
    context: &Context,
    config: &JetStreamConfig,
    streams: impl Iterator<Item = Needed>,
) -> Result<(), LogError> {
    for needed in streams {
        check(&info(context, &needed.name).await?, config)?;
    }
    Ok(())
}

/// The partitions, and the dead.
fn log_streams(config: &JetStreamConfig) -> impl Iterator<Item = Needed> {
    let log = &config.name;
    let partitions = (0..config.partitions)
        .map(move |partition| Needed { name: stream_name(log, partition), subject: format!("{log}.{partition:02}.>") });
    partitions.chain([Needed { name: dead_stream(log), subject: format!("{log}.dead.>") }])
}

fn parks(config: &JetStreamConfig, destinations: &[Place]) -> impl Iterator<Item = Needed> {
    destinations.iter().map(|(pipeline, destination)| Needed {
        name: park_stream(&config.name, pipeline, destination),
        subject: park_subject(&config.name, pipeline, destination),
    })
}

pub(super) async fn info(context: &Context, name: &str) -> Result<Info, LogError> {
    let refused = |source| LogError::Refused { stream: name.to_owned(), source };
    match context.get_stream(name).await {
        Ok(stream) => Ok(stream.cached_info().clone()),
        Err(error) => match error.kind() {
            GetStreamErrorKind::JetStream(said) if said.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                Err(LogError::Missing { stream: name.to_owned() })
            }
            _ => Err(refused(Arc::new(error))),
        },
    }
}

/// Checks whether a 200 can be built on this stream.
fn check(info: &Info, config: &JetStreamConfig) -> Result<(), LogError> {
    let found = &info.config;
    let differs = |setting, found: String, needed: String| {
        Err(LogError::Differs { stream: info.config.name.clone(), setting, found, needed })
    };
    if found.storage != StorageType::File {
        return differs("storage", format!("{:?}", found.storage), "File".to_owned());
    }
    if found.retention != RetentionPolicy::Limits {
        return differs("retention", format!("{:?}", found.retention), "Limits".to_owned());
    }
    if found.discard != DiscardPolicy::New {
        return differs("discard", format!("{:?}", found.discard), "New".to_owned());
    }
    if found.num_replicas < usize::from(config.replicas) {
        return differs("num_replicas", found.num_replicas.to_string(), format!("at least {}", config.replicas));
    }
    if found.max_age > Duration::ZERO {
        return differs("max_age", format!("{:?}", found.max_age), "none, so that nothing unread goes".to_owned());
    }
    Ok(())
}

fn wanted(config: &JetStreamConfig, needed: Needed) -> Config {
    Config {
        name: needed.name,
        subjects: vec![needed.subject],
        description: Some("the log of tracklane's gateway".to_owned()),
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        num_replicas: usize::from(config.replicas),
        max_bytes: i64::try_from(config.max_bytes / u64::from(config.partitions.max(1))).unwrap_or(i64::MAX),
        duplicate_window: DUPLICATES,
        allow_direct: true,
        ..Config::default()
    }
}
