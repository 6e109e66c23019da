//! Segment's regions.

use serde::Deserialize;

/// The region where a workspace keeps its data ([Segment: Regional
/// Segment](https://segment.com/docs/guides/regional-segment/)).
///
/// For Dublin, Segment's pages name two hosts. This is the one of the regional guide. Set the other as `host`.
///
/// Non-exhaustive, because Segment may open another region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Region {
    /// `https://api.segment.io`
    #[default]
    Oregon,
    /// `https://events.eu1.segmentapis.com`
    Dublin,
}

impl Region {
    /// Returns the base URL of the region's API.
    #[must_use]
    pub const fn host(self) -> &'static str {
        match self {
            Region::Oregon => "https://api.segment.io",
            Region::Dublin => "https://events.eu1.segmentapis.com",
        }
    }

    /// Returns the base URL of the region's token server, for OAuth.
    #[cfg(feature = "oauth")]
    #[must_use]
    pub const fn auth_server(self) -> &'static str {
        match self {
            Region::Oregon => "https://oauth2.segment.io",
            Region::Dublin => "https://oauth2.eu1.segmentapis.com",
        }
    }
}
