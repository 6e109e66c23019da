//! An event as Amplitude's items: pure functions.

mod calls;
mod context;
mod ids;
mod operations;
mod revenue;

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use tracklane::Event;
use tracklane_http::{EventJson, JsonObject, Mapped};

/// The name of the destination, unless another is given; also a name for options in `integrations`.
pub(crate) const NAME: &str = "Amplitude";
/// The name of Segment's newer integration with Amplitude.
pub(crate) const ACTIONS: &str = "Actions Amplitude";

/// Changes an item before it is sent.
pub(crate) type MapEvent = dyn Fn(&Event, &mut Item) + Send + Sync;

/// The target of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// An event, to `/batch`.
    Batch,
    /// A mapping of one user's id to another, to `/usermap`.
    UserMap,
}

impl Target {
    /// Every target, in the order in which requests are made.
    pub const ALL: &'static [Self] = &[Self::Batch, Self::UserMap];
}

/// An item that is sent of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// The target.
    pub target: Target,
    /// The item as Amplitude takes it.
    pub body: Value,
}

/// The same, borrowed from the event.
pub(crate) struct Part<'e> {
    pub(crate) target: Target,
    pub(crate) body: JsonObject<'e>,
}

/// The result of a mapping, or why nothing is sent.
type Made<'e, T> = Result<T, Mapped<Part<'e>>>;

impl From<Part<'_>> for Item {
    fn from(part: Part<'_>) -> Self {
        Self { target: part.target, body: Value::Object(part.body.into()) }
    }
}

/// The treatment of an order's products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Products {
    /// They stay in the event, which has the revenue.
    #[default]
    Keep,
    /// Each is an event `Product Purchased` beside `Order Completed`, and has its part of the revenue, if all have a price.
    /// The order has none then: revenue is never counted twice.
    PerProduct,
}

/// The settings of the mapping.
#[derive(Clone)]
pub(crate) struct Mapping {
    /// The destination's name, for options in `integrations`.
    pub(crate) name: String,
    pub(crate) group_type: String,
    pub(crate) groups_from_context: bool,
    pub(crate) set_once: Vec<String>,
    pub(crate) products: Products,
    pub(crate) user_mapping: bool,
    pub(crate) map_event: Option<Arc<MapEvent>>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            name: NAME.to_owned(),
            group_type: "group".to_owned(),
            groups_from_context: true,
            set_once: Vec::new(),
            products: Products::default(),
            user_mapping: false,
            map_event: None,
        }
    }
}

impl Mapping {
    /// Maps an event without the user's hook.
    pub(crate) fn parts<'e>(&'e self, json: &'e EventJson<'_>) -> Mapped<Part<'e>> {
        self.items(json).map_or_else(|mapped| mapped, Mapped::Items)
    }

    /// The items of an event, or why there are none. `event` makes the event for the user's hook.
    pub(crate) fn apply(&self, json: &EventJson<'_>, event: impl FnOnce() -> Event) -> Mapped<Item> {
        let mut mapped = self.parts(json).map(Item::from);
        if let (Some(map), Mapped::Items(items)) = (&self.map_event, &mut mapped) {
            let event = event();
            items.iter_mut().for_each(|item| map(&event, item));
        }
        mapped
    }

    /// The options that `integrations` has for this destination.
    fn options<'e, 'j>(&self, json: &'e EventJson<'j>) -> Option<&'e JsonObject<'j>> {
        json.options(&[&self.name, NAME, ACTIONS])
    }
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping")
            .field("name", &self.name)
            .field("group_type", &self.group_type)
            .field("maps_events", &self.map_event.is_some())
            .finish_non_exhaustive()
    }
}
