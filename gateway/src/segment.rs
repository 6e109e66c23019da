//! Segment's destination as a configuration file has it.

use std::fmt;

use serde::Deserialize;
use tracklane::SettingsError;
use tracklane::plugin::Destination;
use tracklane::segment::{Region, Segment};

/// The settings of the destination `segment`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SegmentSettings {
    write_key: String,
    name: Option<String>,
    host: Option<String>,
    region: Option<Region>,
    #[serde(default)]
    allow_plaintext: bool,
    flush_at: Option<usize>,
    #[serde(default)]
    gzip: bool,
    proxy: Option<String>,
}

impl SegmentSettings {
    pub(crate) fn build(self) -> Result<Destination, SettingsError> {
        let mut segment = Segment::new(self.write_key).allow_plaintext(self.allow_plaintext).gzip(self.gzip);
        if let Some(host) = self.host {
            segment = segment.host(host);
        }
        if let Some(region) = self.region {
            segment = segment.region(region);
        }
        // Waiting events are on the disk, so small batches gain nothing.
        segment = segment.flush_at(self.flush_at.unwrap_or(100));
        if let Some(name) = self.name {
            segment = segment.name(&name);
        }
        if let Some(proxy) = self.proxy {
            segment = segment.proxy(proxy);
        }
        segment.build()
    }
}

impl fmt::Debug for SegmentSettings {
    /// Hides the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SegmentSettings").field("name", &self.name).finish_non_exhaustive()
    }
}
