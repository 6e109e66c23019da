//! An event as a hit: pure functions.

mod calls;
mod device;
mod ecommerce;
mod hit;
mod notes;
mod params;
mod rules;
mod user;
mod who;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};
use tracklane::Event;
use tracklane_http::{EventJson, JsonObject, Mapped};

use params::Params;
pub(crate) use rules::is_currency;
pub use user::Consent;
pub(crate) use user::problem_of_properties;

/// The name of the destination, unless another is given; also a name for options in `integrations`.
pub(crate) const NAME: &str = "Google Analytics 4";
/// The name of one of Segment's own integrations with it.
pub(crate) const CLOUD: &str = "Google Analytics 4 Cloud";

/// Changes a hit before it is sent.
pub(crate) type MapEvent = dyn Fn(&Event, &mut Hit) + Send + Sync;

/// The hit that is sent of an event.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// The members of the request that say who it was: `client_id`, `user_id`, `user_properties`, `ip_override`, … Events
    /// of the same are sent together.
    pub who: Map<String, Value>,
    /// The event: `name`, `params`, `timestamp_micros`.
    pub event: Value,
}

/// The same, borrowed from the event.
pub(crate) struct HitParts<'e> {
    pub(crate) who: JsonObject<'e>,
    pub(crate) name: Cow<'e, str>,
    pub(crate) params: Params<'e>,
    pub(crate) timestamp_micros: Option<i64>,
}

/// The result of a mapping, or why nothing is sent.
type Made<'e, T> = Result<T, Mapped<HitParts<'e>>>;

impl From<HitParts<'_>> for Hit {
    fn from(parts: HitParts<'_>) -> Self {
        let params: Map<String, Value> = parts.params.into();
        let mut event = Map::new();
        event.insert("name".to_owned(), parts.name.into());
        event.insert("params".to_owned(), params.into());
        if let Some(micros) = parts.timestamp_micros {
            event.insert("timestamp_micros".to_owned(), micros.into());
        }
        Self { who: parts.who.into(), event: event.into() }
    }
}

/// The settings of the mapping.
#[derive(Clone)]
pub(crate) struct Mapping {
    /// The destination's name, for options in `integrations`.
    pub(crate) name: String,
    /// Whether the stream is an app's, and not a web stream.
    pub(crate) is_app: bool,
    pub(crate) user_properties: Vec<String>,
    pub(crate) ad_user_data: Option<Consent>,
    pub(crate) ad_personalization: Option<Consent>,
    pub(crate) currency: Option<String>,
    pub(crate) screens: bool,
    pub(crate) debug: bool,
    pub(crate) map_event: Option<Arc<MapEvent>>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            name: NAME.to_owned(),
            is_app: false,
            user_properties: Vec::new(),
            ad_user_data: None,
            ad_personalization: None,
            currency: None,
            screens: false,
            debug: false,
            map_event: None,
        }
    }
}

impl Mapping {
    /// The hit of an event, or why there is none. `event` makes the event for the user's hook.
    pub(crate) fn apply(&self, json: &EventJson<'_>, event: impl FnOnce() -> Event) -> Mapped<Hit> {
        let mut mapped = self.hit(json).map_or_else(|mapped| mapped.map(Hit::from), |parts| Mapped::one(parts.into()));
        if let (Some(map), Mapped::Items(hits)) = (&self.map_event, &mut mapped) {
            let event = event();
            hits.iter_mut().for_each(|hit| map(&event, hit));
        }
        mapped
    }

    /// The options that `integrations` has for this destination.
    fn options<'e, 'j>(&self, json: &'e EventJson<'j>) -> Option<&'e JsonObject<'j>> {
        json.options(&[&self.name, NAME, CLOUD])
    }
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping")
            .field("name", &self.name)
            .field("is_app", &self.is_app)
            .field("currency", &self.currency)
            .field("maps_events", &self.map_event.is_some())
            .finish_non_exhaustive()
    }
}
