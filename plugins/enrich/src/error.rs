//! The error of a setting that cannot be used.

use std::io;
use std::path::PathBuf;

/// Why a setting cannot be used. It names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnrichError {
    /// The database cannot be read.
    #[error("cannot read the GeoIP database {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file is no database of places.
    #[error("{} is no GeoIP database of cities or countries: give a .mmdb file of MaxMind, DB-IP or IPinfo", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
