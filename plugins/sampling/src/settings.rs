//! The same rules as data, for a configuration file.

use serde::Deserialize;
use tracklane::Kind;

use crate::sampling::{SampleKey, Sampling};

/// Rules as a configuration file has them. An unknown member is an error.
///
/// ```
/// use tracklane_sampling::{Sampling, SamplingSettings};
///
/// let settings: SamplingSettings = serde_json::from_str(
///     r#"{
///         "rate": 0.1,
///         "events": [{ "name": "Order *", "rate": 1 }],
///         "destinations": [{ "name": "PostHog", "rate": 0.2 }],
///         "by": ["anonymousId", "userId"]
///     }"#,
/// )?;
/// let plugin = Sampling::from(settings).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SamplingSettings {
    /// The share of all events, from 0 to 1.
    pub rate: f64,
    /// Other rates by kind.
    #[serde(default)]
    pub kinds: Vec<KindRate>,
    /// Other rates by name.
    #[serde(default)]
    pub events: Vec<EventRate>,
    /// Shares of single destinations.
    #[serde(default)]
    pub destinations: Vec<DestinationRate>,
    /// The keys of the share.
    #[serde(default)]
    pub by: Option<Vec<SampleKey>>,
    /// Selects one of the shares of this size.
    #[serde(default)]
    pub seed: String,
    /// Writes the rate into `context.sampling`.
    #[serde(default)]
    pub mark: Option<bool>,
}

/// A rate for calls of a kind.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindRate {
    /// `track`, `page` or `screen`.
    #[serde(deserialize_with = "kind")]
    pub kind: Kind,
    /// The share, from 0 to 1.
    pub rate: f64,
}

/// A rate for events of a name.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventRate {
    /// The name; `*` stands for any letters.
    pub name: String,
    /// The share, from 0 to 1.
    pub rate: f64,
}

/// A rate for one destination.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestinationRate {
    /// The destination's name, as in `integrations`.
    pub name: String,
    /// The share, from 0 to 1.
    pub rate: f64,
}

impl From<SamplingSettings> for Sampling {
    fn from(settings: SamplingSettings) -> Self {
        let mut sampling = Sampling::new(settings.rate).seed(&settings.seed);
        sampling = settings.kinds.iter().fold(sampling, |sampling, rule| sampling.kind(rule.kind, rule.rate));
        sampling = settings.events.iter().fold(sampling, |sampling, rule| sampling.event(&rule.name, rule.rate));
        sampling =
            settings.destinations.iter().fold(sampling, |sampling, rule| sampling.destination(&rule.name, rule.rate));
        if let Some(keys) = settings.by {
            sampling = sampling.by(keys);
        }
        match settings.mark {
            Some(mark) => sampling.mark(mark),
            None => sampling,
        }
    }
}

fn kind<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
    let name = String::deserialize(deserializer)?;
    let known = Kind::ALL.iter().find(|kind| kind.to_string() == name);
    known.copied().ok_or_else(|| serde::de::Error::custom(format!("unknown kind {name:?}: use track, page or screen")))
}
