//! The same settings as data, for a configuration file.

use std::time::Duration;

use serde::Deserialize;
use tracklane_http::Secret;

use crate::amplitude::{Amplitude, Region};
use crate::mapping::Products;

/// [`Amplitude`] as a configuration file has it. An unknown member is an error.
///
/// ```
/// use std::time::SystemTime;
/// use tracklane_amplitude::{Amplitude, AmplitudeSettings};
///
/// let settings: AmplitudeSettings =
///     serde_json::from_str(r#"{ "api_key": "AMPLITUDE_API_KEY", "region": "eu", "group_type": "company" }"#)?;
/// let event = tracklane::Track::new("Ping").user_id("u1");
/// let shown = Amplitude::from(settings).explain(event, SystemTime::now())?.to_string();
/// assert!(shown.contains(r#"{"api_key":"…""#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AmplitudeSettings {
    /// See [`Amplitude::new`].
    pub api_key: Secret,
    /// See [`Amplitude::name`].
    pub name: Option<String>,
    /// See [`Amplitude::region`]. A `host` comes before it.
    pub region: Option<Region>,
    /// See [`Amplitude::host`].
    pub host: Option<String>,
    /// See [`Amplitude::allow_plaintext`].
    pub allow_plaintext: Option<bool>,
    /// See [`Amplitude::group_type`].
    pub group_type: Option<String>,
    /// See [`Amplitude::groups_from_context`].
    pub groups_from_context: Option<bool>,
    /// See [`Amplitude::set_once`].
    #[serde(default)]
    pub set_once: Vec<String>,
    /// See [`Amplitude::products`].
    pub products: Option<Products>,
    /// See [`Amplitude::user_mapping`].
    pub user_mapping: Option<bool>,
    /// See [`Amplitude::gzip`].
    pub gzip: Option<bool>,
    /// See [`Amplitude::timeout`], in seconds.
    pub timeout_seconds: Option<u64>,
    /// See [`Amplitude::dry_run`].
    pub dry_run: Option<bool>,
}

impl From<AmplitudeSettings> for Amplitude {
    fn from(settings: AmplitudeSettings) -> Self {
        let amplitude = Amplitude::new(settings.api_key).set_once(settings.set_once);
        let amplitude = set(amplitude, settings.name.as_deref(), Amplitude::name);
        let amplitude = set(amplitude, settings.region, Amplitude::region);
        let amplitude = set(amplitude, settings.host.as_deref(), Amplitude::host);
        let amplitude = set(amplitude, settings.allow_plaintext, Amplitude::allow_plaintext);
        let amplitude = set(amplitude, settings.group_type.as_deref(), Amplitude::group_type);
        let amplitude = set(amplitude, settings.groups_from_context, Amplitude::groups_from_context);
        let amplitude = set(amplitude, settings.products, Amplitude::products);
        let amplitude = set(amplitude, settings.user_mapping, Amplitude::user_mapping);
        let amplitude = set(amplitude, settings.gzip, Amplitude::gzip);
        let amplitude = set(amplitude, settings.timeout_seconds.map(Duration::from_secs), Amplitude::timeout);
        set(amplitude, settings.dry_run, Amplitude::dry_run)
    }
}

fn set<T>(amplitude: Amplitude, value: Option<T>, setter: impl FnOnce(Amplitude, T) -> Amplitude) -> Amplitude {
    match value {
        Some(value) => setter(amplitude, value),
        None => amplitude,
    }
}
