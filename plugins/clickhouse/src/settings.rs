//! The same settings as data, for a configuration file.

use std::time::Duration;

use serde::Deserialize;
use tracklane_http::Secret;

use crate::clickhouse::ClickHouse;
use crate::row::Sections;

/// [`ClickHouse`] as a configuration file has it. An unknown member is an error.
///
/// ```
/// use std::time::SystemTime;
/// use tracklane_clickhouse::{ClickHouse, ClickHouseSettings};
///
/// let settings: ClickHouseSettings = serde_json::from_str(
///     r#"{ "url": "https://clickhouse.example:8443", "table": "events", "user": "writer", "password": "secret" }"#,
/// )?;
/// let event = tracklane::Track::new("Signed Up").user_id("u1");
/// println!("{}", ClickHouse::from(settings).explain(event, SystemTime::now())?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClickHouseSettings {
    /// See [`ClickHouse::new`]. It may have a user name and a password, which `Debug` does not show.
    pub url: Secret,
    /// See [`ClickHouse::new`].
    pub table: String,
    /// See [`ClickHouse::name`].
    pub name: Option<String>,
    /// See [`ClickHouse::database`].
    pub database: Option<String>,
    /// See [`ClickHouse::credentials`].
    pub user: Option<Secret>,
    /// See [`ClickHouse::credentials`].
    pub password: Option<Secret>,
    /// See [`ClickHouse::allow_plaintext`].
    pub allow_plaintext: Option<bool>,
    /// See [`ClickHouse::sections`].
    pub sections: Option<Sections>,
    /// See [`ClickHouse::async_insert`].
    pub async_insert: Option<bool>,
    /// See [`ClickHouse::gzip`].
    pub gzip: Option<bool>,
    /// See [`ClickHouse::timeout`], in seconds.
    pub timeout_seconds: Option<u64>,
    /// See [`ClickHouse::dry_run`].
    pub dry_run: Option<bool>,
}

impl From<ClickHouseSettings> for ClickHouse {
    fn from(settings: ClickHouseSettings) -> Self {
        let clickhouse = ClickHouse::new(settings.url.expose(), &settings.table);
        let credentials = (settings.user.is_some() || settings.password.is_some())
            .then(|| (settings.user.unwrap_or_else(|| "default".into()), settings.password.unwrap_or_default()));
        let clickhouse = set(clickhouse, credentials, |clickhouse, (user, password)| {
            clickhouse.credentials(user.expose(), password.expose())
        });
        let clickhouse = set(clickhouse, settings.name.as_deref(), ClickHouse::name);
        let clickhouse = set(clickhouse, settings.database.as_deref(), ClickHouse::database);
        let clickhouse = set(clickhouse, settings.allow_plaintext, ClickHouse::allow_plaintext);
        let clickhouse = set(clickhouse, settings.sections, ClickHouse::sections);
        let clickhouse = set(clickhouse, settings.async_insert, ClickHouse::async_insert);
        let clickhouse = set(clickhouse, settings.gzip, ClickHouse::gzip);
        let clickhouse = set(clickhouse, settings.timeout_seconds.map(Duration::from_secs), ClickHouse::timeout);
        set(clickhouse, settings.dry_run, ClickHouse::dry_run)
    }
}

fn set<T>(clickhouse: ClickHouse, value: Option<T>, setter: impl FnOnce(ClickHouse, T) -> ClickHouse) -> ClickHouse {
    match value {
        Some(value) => setter(clickhouse, value),
        None => clickhouse,
    }
}
