//! The same settings as data, for a configuration file.

use std::path::PathBuf;

use serde::Deserialize;

use crate::enrich::Enrich;

/// [`Enrich`] as a configuration file has it. An unknown member is an error.
///
/// ```
/// use tracklane_enrich::{Enrich, EnrichSettings};
///
/// let settings: EnrichSettings = serde_json::from_str(r#"{ "user_agent": false, "metadata": true }"#)?;
/// let plugin = Enrich::from(settings).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct EnrichSettings {
    /// See [`Enrich::campaign`].
    pub campaign: Option<bool>,
    /// See [`Enrich::referrer`].
    pub referrer: Option<bool>,
    /// See [`Enrich::user_agent`].
    pub user_agent: Option<bool>,
    /// The file of the database. See [`Enrich::geoip`].
    pub geoip: Option<PathBuf>,
    /// See [`Enrich::metadata`].
    pub metadata: bool,
}

impl From<EnrichSettings> for Enrich {
    fn from(settings: EnrichSettings) -> Self {
        let enrich = Enrich::new()
            .campaign(settings.campaign.unwrap_or(true))
            .referrer(settings.referrer.unwrap_or(true))
            .user_agent(settings.user_agent.unwrap_or(true))
            .metadata(settings.metadata);
        match settings.geoip {
            Some(path) => enrich.geoip(path),
            None => enrich,
        }
    }
}
