//! The log of gateways in JetStream, for the commands that look at it or change it.

use std::path::Path;

use tokio::runtime::Runtime;
use tracklane_gateway::{DeadEntry, JetStreamLog, LogError, OperatorError, PartitionLag};

use crate::exit::Failure;

/// The log of a configuration, where that is in JetStream.
pub(crate) struct StreamLog {
    runtime: Runtime,
    pub(crate) log: JetStreamLog,
}

impl StreamLog {
    /// `None` if the log is on the disk.
    pub(crate) fn of(config: &Path) -> Result<Option<Self>, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(|error| Failure::cannot_run(format!("cannot start: {error}")))?;
        let log = runtime.block_on(JetStreamLog::of(config)).map_err(|error| match error {
            OperatorError::Config(error) => Failure::cannot_run(error.to_string()),
            error => Failure::cannot_run(tracklane::text_with_causes(&error)),
        })?;
        Ok(log.map(|log| Self { runtime, log }))
    }

    /// Waits for what is asked of the log.
    pub(crate) fn wait<T>(&self, asked: impl Future<Output = Result<T, LogError>>) -> Result<T, Failure> {
        self.runtime.block_on(asked).map_err(|error| Failure::cannot_run(tracklane::text_with_causes(&error)))
    }

    pub(crate) fn lag(&self) -> Result<Vec<PartitionLag>, Failure> {
        self.wait(self.log.lag())
    }

    pub(crate) fn dead(&self) -> Result<Vec<DeadEntry>, Failure> {
        self.wait(self.log.dead())
    }
}
