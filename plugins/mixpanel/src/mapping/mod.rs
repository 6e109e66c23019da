//! An event as Mixpanel's items: pure functions.

mod calls;
mod context;
mod ids;
mod profiles;
mod track;

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use tracklane::Event;
use tracklane_http::{EventJson, Json, JsonObject, Mapped, Secret};

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
    /// Every target, in the order in which requests are made. Changes of a user's profile that count each time they are
    /// sent (`$append`, `$add`) come after all of them.
    pub const ALL: &'static [Self] = &[Self::Engage, Self::Groups, Self::Import];
}

/// Operations that count each time they are sent. Mixpanel de-duplicates events, and no operations.
const COUNTED: &[&str] = &["$append", "$add"];

/// The requests of a batch, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Changes of users that may be sent twice.
    Users,
    /// Changes of groups.
    Groups,
    /// Events.
    Events,
    /// Changes of users that count each time, such as charges.
    Charges,
}

impl Turn {
    pub(crate) const ALL: &'static [Self] = &[Self::Users, Self::Groups, Self::Events, Self::Charges];

    fn of(target: Target, has: impl Fn(&str) -> bool) -> Self {
        match target {
            Target::Engage if COUNTED.iter().any(|operation| has(operation)) => Self::Charges,
            Target::Engage => Self::Users,
            Target::Groups => Self::Groups,
            Target::Import => Self::Events,
        }
    }
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

/// The same, borrowed from the event.
pub(crate) struct Part<'e> {
    target: Target,
    body: JsonObject<'e>,
}

/// The result of a mapping, or why nothing is sent.
type Made<'e, T> = Result<T, Mapped<Part<'e>>>;

impl<'e> Part<'e> {
    fn new(target: Target, body: JsonObject<'e>) -> Self {
        Self { target, body }
    }

    pub(crate) fn turn(&self) -> Turn {
        Turn::of(self.target, |operation| self.body.contains_key(operation))
    }

    /// Returns the body as it is sent: that of a profile has the token.
    pub(crate) fn with_token(mut self, token: &'e Secret) -> Json<'e> {
        if matches!(self.target, Target::Engage | Target::Groups) {
            self.body.insert("$token", token.expose());
        }
        self.body.into()
    }
}

impl From<Part<'_>> for Item {
    fn from(part: Part<'_>) -> Self {
        Self { target: part.target, body: Value::Object(part.body.into()) }
    }
}

impl Item {
    pub(crate) fn turn(&self) -> Turn {
        Turn::of(self.target, |operation| self.body.get(operation).is_some())
    }

    /// Returns the body as it is sent. A hook may have made it something else than an object.
    pub(crate) fn with_token(self, token: &Secret) -> Value {
        match self.body {
            Value::Object(body) => Part { target: self.target, body: body.into() }.with_token(token).into(),
            body => body,
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
