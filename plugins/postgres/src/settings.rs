//! The same settings as data, for a configuration file.

use std::path::PathBuf;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use tracklane::plugin::Batching;
use tracklane_http::Secret;

use crate::postgres::{MOST_BYTES, Postgres};

/// [`Postgres`] as a configuration file has it. An unknown member is an error.
///
/// ```
/// use tracklane_postgres::{Postgres, PostgresSettings};
///
/// let settings: PostgresSettings = serde_json::from_str(
///     r#"{
///         "url": "postgres://tracklane:secret@localhost/analytics",
///         "table": "product.events",
///         "batch": { "events": 500, "interval_seconds": 2 }
///     }"#,
/// )?;
/// let destination = Postgres::from(settings).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PostgresSettings {
    /// See [`Postgres::new`].
    pub url: Secret,
    /// See [`Postgres::name`].
    pub name: Option<String>,
    /// See [`Postgres::table`].
    pub table: Option<String>,
    /// See [`Postgres::create_table`].
    pub create_table: Option<bool>,
    /// See [`Postgres::allow_plaintext`].
    #[serde(default)]
    pub allow_plaintext: bool,
    /// See [`Postgres::root_certificate`].
    pub root_certificate: Option<PathBuf>,
    /// See [`Postgres::batching`].
    pub batch: Option<BatchSettings>,
    /// See [`Postgres::timeout`], in seconds.
    pub timeout_seconds: Option<u64>,
    /// See [`Postgres::dry_run`].
    #[serde(default)]
    pub dry_run: bool,
}

/// When a batch is due.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BatchSettings {
    /// Events of a batch at most, with which it is due. At least 1.
    #[serde(deserialize_with = "events")]
    pub events: usize,
    /// The longest time that an event waits for its batch, in seconds.
    pub interval_seconds: u64,
}

/// Reads a number of events, of which a batch has at least one.
fn events<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    match usize::deserialize(deserializer)? {
        0 => Err(D::Error::custom("events is 0: use at least 1")),
        events => Ok(events),
    }
}

impl From<PostgresSettings> for Postgres {
    fn from(settings: PostgresSettings) -> Self {
        let mut postgres =
            Postgres::new(settings.url).allow_plaintext(settings.allow_plaintext).dry_run(settings.dry_run);
        if let Some(name) = settings.name {
            postgres = postgres.name(&name);
        }
        if let Some(table) = settings.table {
            postgres = postgres.table(&table);
        }
        if let Some(create) = settings.create_table {
            postgres = postgres.create_table(create);
        }
        if let Some(path) = settings.root_certificate {
            postgres = postgres.root_certificate(path);
        }
        if let Some(batch) = settings.batch {
            let interval = Duration::from_secs(batch.interval_seconds);
            let batching = Batching::every(batch.events, interval).max_events(batch.events).max_bytes(MOST_BYTES);
            postgres = postgres.batching(batching);
        }
        match settings.timeout_seconds {
            Some(seconds) => postgres.timeout(Duration::from_secs(seconds)),
            None => postgres,
        }
    }
}
