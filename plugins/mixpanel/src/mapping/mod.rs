//! An event as Mixpanel's items: pure functions.

mod calls;
mod context;
mod ids;
mod profiles;
mod track;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};
use tracklane::Event;
use tracklane_http::{EventJson, Mapped, Secret};

/// The name of the destination, unless another is given.
pub(crate) const NAME: &str = "Mixpanel";

/// Changes an item before it is sent.
pub(crate) type MapEvent = dyn Fn(&Event, &mut Item) + Send + Sync;

/// The target of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// An event, to `/import`.
    Import,
    /// A change of a user's profile, to `/engage`.
    Engage,
    /// A change of a group's profile, to `/groups`.
    Groups,
}

impl Target {
    /// Every target, in the order in which requests are made.
    pub const ALL: &'static [Self] = &[Self::Engage, Self::Groups, Self::Import];
}

/// An item that is sent of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Item {
    /// The target.
    pub target: Target,
    /// The item in Mixpanel's form. Profiles lack their `$token`.
    pub body: Value,
}

impl Item {
    fn new(target: Target, body: impl Into<Map<String, Value>>) -> Self {
        Self { target, body: Value::Object(body.into()) }
    }

    /// Returns the body as it is sent. Profiles have the token in it.
    pub(crate) fn with_token(&self, token: &Secret) -> Cow<'_, Value> {
        match (self.target, &self.body) {
            (Target::Engage | Target::Groups, Value::Object(body)) => {
                let mut body = body.clone();
                body.insert("$token".to_owned(), token.expose().into());
                Cow::Owned(body.into())
            }
            _ => Cow::Borrowed(&self.body),
        }
    }
}

/// The way in which a project merges identities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IdMerge {
    /// The way of new projects: the first event with both ids merges. An alias has no effect, and is skipped.
    #[default]
    Simplified,
    /// The way of older projects: `$identify`, `$merge` and `$create_alias` merge.
    Original,
}

/// The treatment of an order's products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Products {
    /// They stay in the event.
    #[default]
    Keep,
    /// Each is an event `Product Purchased` beside `Order Completed`, with an `$insert_id` that follows from the order's.
    PerProduct,
}

/// The settings of the mapping.
#[derive(Clone)]
pub(crate) struct Mapping {
    /// The destination's name, for options in `integrations`.
    pub(crate) name: String,
    pub(crate) id_merge: IdMerge,
    pub(crate) group_key: String,
    pub(crate) groups_from_context: bool,
    pub(crate) products: Products,
    pub(crate) track_charges: bool,
    pub(crate) map_event: Option<Arc<MapEvent>>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            name: NAME.to_owned(),
            id_merge: IdMerge::default(),
            group_key: "$group_id".to_owned(),
            groups_from_context: true,
            products: Products::default(),
            track_charges: false,
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
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapping")
            .field("name", &self.name)
            .field("id_merge", &self.id_merge)
            .field("group_key", &self.group_key)
            .field("maps_events", &self.map_event.is_some())
            .finish_non_exhaustive()
    }
}
