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

/// The server: its addresses and its limits.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServerConfig {
    pub(crate) listen: Vec<SocketAddr>,
    /// Health and metrics; on this machine only by default.
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) trusted_proxies: Vec<String>,
    #[serde(deserialize_with = "bytes")]
    pub(crate) max_body: u64,
    /// The memory of all connections, bodies, and events on their way to the log.
    #[serde(deserialize_with = "bytes")]
    pub(crate) max_memory: u64,
    pub(crate) max_connections: usize,
    /// How long the server accepts requests after SIGTERM, while `ready` answers 503.
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

    /// Returns the bytes for bodies: a third of what the connections leave. Another third is for the events that are
    /// made from them, and the last for memory that the allocator does not return at once. The thirds are estimates; a
    /// test with bombs and slow clients on many connections holds what they add up to.
    pub(crate) fn body_bytes(&self) -> u64 {
        let connections = Self::CONNECTION_BYTES.saturating_mul(self.max_connections as u64);
        self.max_memory.saturating_sub(connections) / 3
    }
}

/// The settings of workers.
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

/// The log, which makes events durable.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogConfig {
    /// Files on this machine.
    Disk(DiskConfig),
    /// Streams of NATS JetStream, which several gateways and workers share.
    JetStream(JetStreamConfig),
}

impl LogConfig {
    /// Returns the directory of this machine's files.
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
    /// The most bytes that may wait for each destination, and again as dead letters.
    #[serde(default = "max_bytes", deserialize_with = "bytes")]
    pub(crate) max_bytes: u64,
    /// The time that an event may wait before it is dead.
    #[serde(default = "max_age", deserialize_with = "duration")]
    pub(crate) max_age: Duration,
}

/// The log in streams of NATS JetStream.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JetStreamConfig {
    /// Addresses of servers, such as `nats://10.0.0.1:4222`. One server of a cluster is enough.
    pub(crate) servers: Vec<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// A PEM file, for servers whose certificate this machine does not trust.
    pub(crate) root_certificates: Option<PathBuf>,
    /// The prefix of the names of streams and subjects.
    #[serde(default = "log_name")]
    pub(crate) name: String,
    /// The number of servers that store each event. It decides what a 200 survives.
    pub(crate) replicas: u8,
    /// The number of streams for the events. It cannot be changed while events wait.
    #[serde(default = "partitions")]
    pub(crate) partitions: u16,
    /// The most bytes of all streams together on each server.
    #[serde(default = "max_stream_bytes", deserialize_with = "bytes")]
    pub(crate) max_bytes: u64,
    /// The directory on this machine: events while NATS is away, and rejected events.
    pub(crate) directory: PathBuf,
    /// The most bytes that may wait on this machine's disk, for each pipeline.
    #[serde(default = "max_bytes", deserialize_with = "bytes")]
    pub(crate) max_spill_bytes: u64,
    /// The time that an event may wait before it is dead.
    #[serde(default = "max_age", deserialize_with = "duration")]
    pub(crate) max_age: Duration,
    /// The time that a destination may accept nothing before its events are parked, so that no other destination waits.
    #[serde(default = "park_after", deserialize_with = "duration")]
    pub(crate) park_after: Duration,
    /// The time that finished events stay in the streams, while these are less than half full.
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

/// A source: its keys and its limits.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceConfig {
    pub(crate) keys: Vec<String>,
    pub(crate) pipeline: String,
    /// Pages that may send. All may if this is empty.
    #[serde(default)]
    pub(crate) origins: Vec<String>,
    #[serde(default)]
    pub(crate) ip: IpPolicy,
    /// No limit if this is missing.
    pub(crate) events_per_second: Option<u32>,
    /// The most events at once. By default the events of two seconds.
    pub(crate) burst: Option<u32>,
}

/// What the gateway does with the sender's address in `context.ip`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum IpPolicy {
    /// Leaves the address as the client sent it.
    #[default]
    Keep,
    /// Sets the address of the connection if the client sent none.
    Add,
    /// Like `add`, without the last 8 bits of IPv4 or 80 bits of IPv6.
    Truncate,
    /// Removes the address.
    Remove,
}

/// A pipeline: its plugins and its destinations.
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
    /// Whether the events of a user arrive in the order in which they were accepted.
    #[serde(default = "yes")]
    pub(crate) in_order: bool,
}

fn yes() -> bool {
    true
}

impl std::fmt::Debug for SourceConfig {
    /// Leaves out the keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceConfig").field("pipeline", &self.pipeline).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for JetStreamConfig {
    /// Leaves out the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JetStreamConfig")
            .field("servers", &self.servers)
            .field("name", &self.name)
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}
