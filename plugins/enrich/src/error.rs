//! The error of a setting that cannot be used.

use std::io;
use std::path::PathBuf;

/// The error of a setting. It names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnrichError {
    /// The database cannot be read.
    #[error("cannot read the GeoIP database {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is no database of places.
    #[error("{} is no GeoIP database of cities or countries: give a .mmdb file of MaxMind, DB-IP or IPinfo", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// The error of the database.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
