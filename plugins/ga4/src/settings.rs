//! The same settings as data, for a configuration file.

use std::time::Duration;

use serde::Deserialize;
use tracklane_http::Secret;

use crate::ga4::{Ga4, Region};
use crate::mapping::Consent;
use crate::stream::Stream;

/// [`Ga4`] as a configuration file has it. An unknown member is an error.
///
/// ```
/// use tracklane_ga4::{Ga4, Ga4Settings};
///
/// let settings: Ga4Settings = serde_json::from_str(
///     r#"{ "measurement_id": "G-ABC123", "api_secret": "secret", "region": "eu", "currency": "EUR" }"#,
/// )?;
/// let event = tracklane::Track::new("Signed Up").user_id("u1");
/// println!("{}", Ga4::from(settings).explain(event, std::time::SystemTime::now())?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Ga4Settings {
    /// See [`Ga4::new`]. This or `firebase_app_id`.
    pub measurement_id: Option<String>,
    /// See [`Ga4::firebase`].
    pub firebase_app_id: Option<String>,
    /// See [`Ga4::new`].
    pub api_secret: Secret,
    /// See [`Ga4::name`].
    pub name: Option<String>,
    /// See [`Ga4::region`]. A `host` comes before it.
    pub region: Option<Region>,
    /// See [`Ga4::host`].
    pub host: Option<String>,
    /// See [`Ga4::allow_plaintext`].
    pub allow_plaintext: Option<bool>,
    /// See [`Ga4::user_properties`].
    #[serde(default)]
    pub user_properties: Vec<String>,
    /// See [`Ga4::ad_user_data`].
    pub ad_user_data: Option<Consent>,
    /// See [`Ga4::ad_personalization`].
    pub ad_personalization: Option<Consent>,
    /// See [`Ga4::currency`].
    pub currency: Option<String>,
    /// See [`Ga4::screens`].
    pub screens: Option<bool>,
    /// See [`Ga4::debug`].
    pub debug: Option<bool>,
    /// See [`Ga4::retry_unknown`].
    pub retry_unknown: Option<bool>,
    /// See [`Ga4::timeout`], in seconds.
    pub timeout_seconds: Option<u64>,
    /// See [`Ga4::dry_run`].
    pub dry_run: Option<bool>,
}

impl From<Ga4Settings> for Ga4 {
    fn from(settings: Ga4Settings) -> Self {
        let stream = Stream::of(settings.measurement_id, settings.firebase_app_id);
        let ga4 = Ga4::with_stream(stream, settings.api_secret).user_properties(settings.user_properties);
        let ga4 = set(ga4, settings.ad_user_data, Ga4::ad_user_data);
        let ga4 = set(ga4, settings.ad_personalization, Ga4::ad_personalization);
        let ga4 = set(ga4, settings.name.as_deref(), Ga4::name);
        let ga4 = set(ga4, settings.region, Ga4::region);
        let ga4 = set(ga4, settings.host.as_deref(), Ga4::host);
        let ga4 = set(ga4, settings.allow_plaintext, Ga4::allow_plaintext);
        let ga4 = set(ga4, settings.currency.as_deref(), Ga4::currency);
        let ga4 = set(ga4, settings.screens, Ga4::screens);
        let ga4 = set(ga4, settings.debug, Ga4::debug);
        let ga4 = set(ga4, settings.retry_unknown, Ga4::retry_unknown);
        let ga4 = set(ga4, settings.timeout_seconds.map(Duration::from_secs), Ga4::timeout);
        set(ga4, settings.dry_run, Ga4::dry_run)
    }
}

fn set<T>(ga4: Ga4, value: Option<T>, setter: impl FnOnce(Ga4, T) -> Ga4) -> Ga4 {
    match value {
        Some(value) => setter(ga4, value),
        None => ga4,
    }
}
