//! The file as types.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::units::{bytes, duration};

/// The file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    #[serde(default)]
    pub(crate) server: ServerConfig,
    #[serde(default)]
    pub(crate) worker: WorkerConfig,
    pub(crate) log: LogConfig,
    pub(crate) sources: BTreeMap<String, SourceConfig>,
    pub(crate) pipelines: BTreeMap<String, PipelineConfig>,
}

/// Where it listens, and what clients may take of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerConfig {
    pub(crate) listen: Vec<SocketAddr>,
    /// Health and metrics; on this machine only by default.
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) trusted_proxies: Vec<String>,
    #[serde(deserialize_with = "bytes")]
    pub(crate) max_body: u64,
    /// Of all connections, bodies, and events on their way to the log.
    #[serde(deserialize_with = "bytes")]
    pub(crate) max_memory: u64,
    pub(crate) max_connections: usize,
    /// How long it still takes events when it is told to end, while `ready` says no.
    #[serde(deserialize_with = "duration")]
    pub(crate) drain_delay: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8080))],
            admin: Some(SocketAddr::from(([127, 0, 0, 1], 9090))),
            trusted_proxies: Vec::new(),
            max_body: 4 << 20,
            max_memory: 512 << 20,
            max_connections: 10_240,
            drain_delay: Duration::ZERO,
        }
    }
}

impl ServerConfig {
    /// The most that a connection takes by itself: hyper's buffers, the task, the socket.
    pub(crate) const CONNECTION_BYTES: u64 = 24 << 10;

    /// What bodies may take: a third of what connections leave. Another third is for the events that are made of them,
    /// and one for what the allocator does not give back at once.
    pub(crate) fn body_bytes(&self) -> u64 {
        let connections = Self::CONNECTION_BYTES.saturating_mul(self.max_connections as u64);
        self.max_memory.saturating_sub(connections) / 3
    }
}

/// What concerns workers alone.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WorkerConfig {
    /// Health and metrics; on this machine only by default.
    pub(crate) admin: Option<SocketAddr>,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self { admin: Some(SocketAddr::from(([127, 0, 0, 1], 9091))) }
    }
}

/// What makes an event durable.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogConfig {
    /// Files on this machine.
    Disk(DiskConfig),
    /// Streams of NATS JetStream, which several gateways and workers share.
    JetStream(JetStreamConfig),
}

impl LogConfig {
    /// Where the files of this machine are.
    pub(crate) fn directory(&self) -> &Path {
        match self {
            Self::Disk(disk) => &disk.directory,
            Self::JetStream(streams) => &streams.directory,
        }
    }
}

/// The log on this machine's disk.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiskConfig {
    pub(crate) directory: PathBuf,
    /// That may wait in front of each destination, and again as dead letters.
    #[serde(default = "max_bytes", deserialize_with = "bytes")]
    pub(crate) max_bytes: u64,
    /// How long an event may wait before it is dead.
    #[serde(default = "max_age", deserialize_with = "duration")]
    pub(crate) max_age: Duration,
}

/// The log in streams of NATS JetStream.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JetStreamConfig {
    /// Addresses of servers, such as `nats://10.0.0.1:4222`; one of a cluster tells the others.
    pub(crate) servers: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// A PEM file, for servers whose certificate this machine does not trust.
    pub(crate) root_certificates: Option<PathBuf>,
    /// Of which the names of the streams and of their subjects begin.
    #[serde(default = "log_name")]
    pub(crate) name: String,
    /// Servers that have each event: it decides what a 200 survives.
    pub(crate) replicas: u8,
    /// Streams that the events are spread over. It cannot be changed while events wait.
    #[serde(default = "partitions")]
    pub(crate) partitions: u16,
    /// That all streams together may take on each server.
    #[serde(default = "max_stream_bytes", deserialize_with = "bytes")]
    pub(crate) max_bytes: u64,
    /// For what is on this machine's disk: events while NATS is away, and rejected ones.
    pub(crate) directory: PathBuf,
    /// That may wait on this machine's disk, in each pipeline.
    #[serde(default = "max_bytes", deserialize_with = "bytes")]
    pub(crate) max_spill_bytes: u64,
    /// How long an event may wait before it is dead.
    #[serde(default = "max_age", deserialize_with = "duration")]
    pub(crate) max_age: Duration,
    /// How long a destination may take nothing before its events are parked, and no other waits for it.
    #[serde(default = "park_after", deserialize_with = "duration")]
    pub(crate) park_after: Duration,
    /// How long events stay in the streams after every destination is done with them, while these are not half full.
    #[serde(default = "keep", deserialize_with = "duration")]
    pub(crate) keep: Duration,
}

fn park_after() -> Duration {
    Duration::from_secs(60)
}

fn keep() -> Duration {
    Duration::from_secs(24 * 60 * 60)
}

fn log_name() -> String {
    "tracklane".to_owned()
}

fn partitions() -> u16 {
    16
}

fn max_stream_bytes() -> u64 {
    10 << 30
}

fn max_bytes() -> u64 {
    1 << 30
}

fn max_age() -> Duration {
    Duration::from_secs(7 * 24 * 60 * 60)
}

/// Who sends.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceConfig {
    pub(crate) keys: Vec<String>,
    pub(crate) pipeline: String,
    /// Pages that may send; all if there is none.
    #[serde(default)]
    pub(crate) origins: Vec<String>,
    #[serde(default)]
    pub(crate) ip: IpPolicy,
    /// No limit if there is none.
    pub(crate) events_per_second: Option<u32>,
    /// Events at once; those of two seconds if it is not said.
    pub(crate) burst: Option<u32>,
}

/// What becomes of the sender's address in `context.ip`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum IpPolicy {
    /// As the client sent it.
    #[default]
    Keep,
    /// That of the connection, if the client sent none.
    Add,
    /// As `add`, without its last part: 8 bits of IPv4, 80 of IPv6.
    Truncate,
    /// None, whatever the client sent.
    Remove,
}

/// What happens to events, and where they go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PipelineConfig {
    #[serde(default)]
    pub(crate) plugins: Vec<PluginConfig>,
    pub(crate) destinations: Vec<DestinationConfig>,
}

/// A plugin by its name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PluginConfig {
    pub(crate) plugin: String,
}

/// A destination by the name of its plugin.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DestinationConfig {
    pub(crate) plugin: String,
    /// Whether the events of a user arrive in the order in which they were taken.
    #[serde(default = "yes")]
    pub(crate) in_order: bool,
}

fn yes() -> bool {
    true
}

impl std::fmt::Debug for SourceConfig {
    /// Without the keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceConfig").field("pipeline", &self.pipeline).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for JetStreamConfig {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JetStreamConfig")
            .field("servers", &self.servers)
            .field("name", &self.name)
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}
