//! Each vendor as a [`Segment`].

use http::StatusCode;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use tracklane::event::Context;
use tracklane::plugin::{Registration, Verdict, enrichment_fn};
use tracklane::segment::{Segment, WriteKey, verdict};
use tracklane::{Event, Kind};

/// RudderStack, at the URL of a data plane such as `https://example.dataplane.rudderstack.com`.
///
/// It answers 404 for a source that is disabled, which is refused credentials here. Events of users that are suppressed are
/// dropped there with 200. Many of its destinations read traits in the context alone: see [`traits_in_context`].
pub fn rudderstack(data_plane: &str, write_key: impl Into<WriteKey>) -> Segment {
    Segment::new(write_key).name("RudderStack").host(data_plane).verdict(|status, headers, now| match status {
        StatusCode::NOT_FOUND => Verdict::Unauthorized,
        _ => verdict(status, headers, now),
    })
}

/// Copies the traits of identify calls into their context, where RudderStack's destinations look for them, as its own
/// libraries do. A trait that the context has stays.
pub fn traits_in_context() -> Registration {
    enrichment_fn("traits in context", |event: &mut Event| {
        if let Some(traits) = event.traits().cloned() {
            event.add_context(&Context::new().with("traits", traits));
        }
    })
    .only([Kind::Identify])
}

/// The region of a workspace of Customer.io: `us` or `eu` in settings, where capitals do not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CustomerIoRegion {
    /// `https://cdp.customer.io`
    #[default]
    Us,
    /// `https://cdp-eu.customer.io`
    Eu,
}

impl<'de> Deserialize<'de> for CustomerIoRegion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        match name.to_ascii_lowercase().as_str() {
            "us" => Ok(Self::Us),
            "eu" => Ok(Self::Eu),
            _ => Err(D::Error::custom(format!("unknown region {name:?}: use us or eu"))),
        }
    }
}

/// Customer.io Pipelines, with the API key of a source.
///
/// It is asked to be strict (`X-Strict-Mode`): without that it answers 200 to invalid events, and drops them.
pub fn customer_io(region: CustomerIoRegion, api_key: impl Into<WriteKey>) -> Segment {
    let host = match region {
        CustomerIoRegion::Us => "https://cdp.customer.io",
        CustomerIoRegion::Eu => "https://cdp-eu.customer.io",
    };
    Segment::new(api_key).name("Customer.io").host(host).header("X-Strict-Mode", "1")
}

/// Hightouch Events, with the write key of an event source, in the region us-east-1. Another region is another
/// [`host`](Segment::host).
pub fn hightouch(write_key: impl Into<WriteKey>) -> Segment {
    Segment::new(write_key).name("Hightouch").host("https://us-east-1.hightouch-events.com")
}

/// Jitsu, at the host that its site settings show, such as `https://example.d.jitsu.com` or one of your own. The write key
/// is that for servers, `id:secret`.
pub fn jitsu(host: &str, write_key: impl Into<WriteKey>) -> Segment {
    Segment::new(write_key).name("Jitsu").host(host)
}
