//! The settings, as a builder.

use std::path::PathBuf;

use tracklane::plugin::{Registration, before_fn};
use tracklane::{Context, Event};

use crate::error::EnrichError;
use crate::geoip::GeoIp;
use crate::metadata;
use crate::plugin::{Additions, NAME, OrderCheck};

/// The settings: the data that is added to events. By default campaign, referrer and user agent, which need only the
/// event.
///
/// ```no_run
/// use tracklane::Analytics;
/// use tracklane_enrich::Enrich;
///
/// let enrich = Enrich::new().geoip("/var/lib/GeoIP/GeoLite2-City.mmdb").metadata(true);
/// let analytics = Analytics::builder_for("WRITE_KEY").plugin(enrich.build()?).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "settings do nothing until they are built and registered"]
pub struct Enrich {
    campaign: bool,
    referrer: bool,
    user_agent: bool,
    geoip: Option<Source>,
    metadata: bool,
}

#[derive(Clone, Debug)]
enum Source {
    Path(PathBuf),
    Open(GeoIp),
}

impl Default for Enrich {
    fn default() -> Self {
        Self::new()
    }
}

impl Enrich {
    /// Adds data derived from `context.page`, `context.userAgent` and `context.userAgentData`.
    pub fn new() -> Self {
        Self { campaign: true, referrer: true, user_agent: true, geoip: None, metadata: false }
    }

    /// Sets whether `utm_…` and click ids of the page's URL become `context.campaign`. On by default.
    pub fn campaign(mut self, on: bool) -> Self {
        self.campaign = on;
        self
    }

    /// Sets whether the page's referrer becomes `context.page.referring_domain` and `context.referrer`. On by default.
    pub fn referrer(mut self, on: bool) -> Self {
        self.referrer = on;
        self
    }

    /// Sets whether the user agent, or its client hints, become `context.browser`, `context.os`, `context.device.type`
    /// and `context.bot`. On by default.
    pub fn user_agent(mut self, on: bool) -> Self {
        self.user_agent = on;
        self
    }

    /// Looks `context.ip` up in a database of places for `context.location`. It is read by [`build`](Self::build), and
    /// again when its file changes.
    pub fn geoip(mut self, path: impl Into<PathBuf>) -> Self {
        self.geoip = Some(Source::Path(path.into()));
        self
    }

    /// [`geoip`](Self::geoip), with a database that is open, to be shared or reloaded by hand.
    pub fn geoip_database(mut self, database: &GeoIp) -> Self {
        self.geoip = Some(Source::Open(database.clone()));
        self
    }

    /// Sets whether `context.host`, `context.cloud` and `context.kubernetes` describe where this process runs, from its
    /// environment at the time of [`build`](Self::build). Off by default, because in a gateway it would be added to the
    /// events of others.
    pub fn metadata(mut self, on: bool) -> Self {
        self.metadata = on;
        self
    }

    /// Makes the plugin. It is a before plugin, so that it can come before one that removes the data it reads. It fails
    /// at no event.
    ///
    /// # Errors
    ///
    /// Returns an error if the database cannot be read. The error names the file.
    pub fn build(&self) -> Result<Registration, EnrichError> {
        let geoip = match &self.geoip {
            None => None,
            Some(Source::Path(path)) => Some(GeoIp::open(path)?),
            Some(Source::Open(database)) => Some(database.clone()),
        };
        let metadata = if self.metadata { metadata::of_this_process() } else { Context::new() };
        let (campaign, referrer, user_agent) = (self.campaign, self.referrer, self.user_agent);
        let additions = Additions { campaign, referrer, user_agent, geoip, metadata };
        Ok(before_fn(NAME, move |event: &mut Event| additions.add_to(event)).lifecycle(OrderCheck))
    }
}
