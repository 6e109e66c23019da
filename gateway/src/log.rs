//! The log that makes events durable: files on this machine, or streams of JetStream.

use std::sync::Arc;

use crate::config::{DiskConfig, LogConfig};
use crate::jetstream::{JetStream, LogError};

/// The log that the configuration asks for, ready to take events.
pub(crate) enum Log {
    Disk(DiskConfig),
    JetStream(Arc<JetStream>),
}

impl Log {
    pub(crate) async fn open(config: &LogConfig) -> Result<Self, LogError> {
        Ok(match config {
            LogConfig::Disk(disk) => Self::Disk(disk.clone()),
            LogConfig::JetStream(streams) => Self::JetStream(JetStream::open(streams).await?),
        })
    }
}
