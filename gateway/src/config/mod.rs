//! One TOML file: where to listen, who may send, what happens to events, and where they go.
//!
//! Invariant: what is not known is an error that names the line and what would be right. A setting is checked before
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
pub(crate) use read::{PipelineTables, PluginTable, Read, read};
pub(crate) use schema::{
    Config, DiskConfig, IpPolicy, JetStreamConfig, LogConfig, PipelineConfig, ServerConfig, SourceConfig,
};
