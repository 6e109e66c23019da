//! An event as Amplitude's items: pure functions.

mod calls;
mod context;
mod ids;
mod operations;
mod revenue;

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};
use tracklane::Event;
use tracklane_http::{EventJson, Mapped};

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
    /// The items of an event, or why there are none. `event` makes the event for the user's hook.
    pub(crate) fn apply(&self, json: &EventJson, event: impl FnOnce() -> Event) -> Mapped<Item> {
        let mut items = match self.items(json) {
            Ok(items) => items,
            Err(mapped) => return mapped,
        };
        if let Some(map) = &self.map_event {
            let event = event();
            items.iter_mut().for_each(|item| map(&event, item));
        }
        Mapped::Items(items)
    }

    /// The options that `integrations` has for this destination.
    fn options<'m>(&'m self, json: &'m EventJson) -> Option<&'m Map<String, Value>> {
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
