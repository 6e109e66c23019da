//! The configuration: one TOML file with the server, the log, the sources and the pipelines.
//!
//! Invariant: an unknown name is an error with the line and the names that are allowed. All settings are checked before
//! anything starts.

mod checks;
mod error;
mod file;
mod read;
mod schema;
#[cfg(test)]
mod tests;
mod units;

pub use error::ConfigError;
pub(crate) use error::{ConfigErrors, there_is_no};
pub(crate) use read::{PipelineTables, PluginTable, Read, read};
pub(crate) use schema::{
    Config, DiskConfig, IpPolicy, JetStreamConfig, LogConfig, PipelineConfig, ServerConfig, SourceConfig,
};
