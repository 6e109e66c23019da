//! The six calls, as builders with consuming setters.
//!
//! A setter never fails: what is wrong with an event is said once, by the call that sends it.

use std::fmt::Display;

use serde::Serialize;

use super::{Event, InvalidTimestamp, Kind, MessageId, Timestamp};
use crate::ledger::Settlement;

macro_rules! call {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        #[must_use = "an event does nothing until it is sent"]
        pub struct $name(Event);

        impl $name {
            /// The id of the user in your database: a string, an integer, a UUID, anything that displays. An empty
            /// one is the same as none.
            pub fn user_id(mut self, id: impl Display) -> Self {
                self.0.set_user_id(&id.to_string());
                self
            }

            /// The id of a user who is not known. An empty one is the same as none.
            pub fn anonymous_id(mut self, id: impl Display) -> Self {
                self.0.set_anonymous_id(&id.to_string());
                self
            }

            /// When it happened; the time of the call, if it is not set. For imports from the past.
            ///
            /// A [`Timestamp`], a [`SystemTime`](std::time::SystemTime), or text in RFC 3339; with the features
            /// `chrono`, `time` and `jiff` also the types of these crates. Text that is not RFC 3339 is refused at the
            /// call ([`InvalidField::Timestamp`](super::InvalidField::Timestamp)).
            pub fn timestamp<T>(mut self, timestamp: T) -> Self
            where
                T: TryInto<Timestamp, Error: Into<InvalidTimestamp>>,
            {
                self.0.set_timestamp(timestamp);
                self
            }

            /// Context of this event: a [`Context`](super::Context), a `serde_json` object or anything that serializes
            /// as an object. Merged over the default context of the settings, deeply.
            pub fn context(mut self, context: impl Serialize) -> Self {
                self.0.context_mut().insert_all(context);
                self
            }

            /// Which destinations get the event: [`Integrations`](super::Integrations), or anything that serializes as
            /// such an object.
            pub fn integrations(mut self, integrations: impl Serialize) -> Self {
                let mine = self.0.integrations_mut();
                mine.insert_all(integrations);
                mine.normalise();
                self
            }

            /// Switches one destination on or off (`true`, `false`), or hands it options (an object). The name is
            /// case sensitive; `All` stands for those that are not named.
            pub fn integration(mut self, name: &str, setting: impl Serialize) -> Self {
                let mine = self.0.integrations_mut();
                mine.set(name, setting);
                mine.normalise();
                self
            }

            /// The id by which Segment tells this event from another; a UUID, if it is not set. At most 99 characters,
            /// and unique across all workspaces: set it only if you have such an id, as for an import that is run
            /// twice.
            pub fn message_id(mut self, id: impl Into<String>) -> Self {
                let id = id.into();
                self.0.write().message_id =
                    if id.is_empty() { MessageId::Unset } else { MessageId::Given(id) };
                self
            }

            /// Calls `callback` once with the end of this event: delivered, or dropped and why. It runs on a thread
            /// where it may block, and cannot disturb delivery. Until it returns the event keeps its room in the
            /// queue: while callbacks block, calls may be refused, and one that waits for room itself
            /// ([`send_when_ready`](crate::Analytics::send_when_ready)) may wait for ever.
            pub fn on_delivery(mut self, callback: impl FnOnce(&Settlement) + Send + Sync + 'static) -> Self {
                self.0.attached.watch.get_or_insert_default().callbacks.push(Box::new(callback));
                self
            }
        }

        impl From<$name> for Event {
            fn from(call: $name) -> Event {
                call.0
            }
        }
    };
}

macro_rules! with_properties {
    ($name:ident) => {
        impl $name {
            /// Sets one property to anything that serializes. A key that is set again is replaced.
            pub fn property(mut self, key: &str, value: impl Serialize) -> Self {
                self.0.section_mut().set(key, value);
                self
            }

            /// Sets all members of [`Properties`](super::Properties), a `serde_json` object or anything that
            /// serializes as an object; what was set before and is not in it stays. Anything else, `()` included, is refused at the
            /// call.
            pub fn properties(mut self, properties: impl Serialize) -> Self {
                self.0.section_mut().insert_all(properties);
                self
            }
        }
    };
}

macro_rules! with_traits {
    ($name:ident) => {
        impl $name {
            /// Sets one trait to anything that serializes. A key that is set again is replaced.
            pub fn with_trait(mut self, key: &str, value: impl Serialize) -> Self {
                self.0.section_mut().set(key, value);
                self
            }

            /// Sets all members of [`Traits`](super::Traits), a `serde_json` object or anything that serializes as an
            /// object; what was set before and is not in it stays. Anything else, `()` included, is refused at the
            /// call.
            pub fn traits(mut self, traits: impl Serialize) -> Self {
                self.0.section_mut().insert_all(traits);
                self
            }
        }
    };
}

call! {
    /// What a user did ([Spec: Track](https://segment.com/docs/connections/spec/track/)).
    ///
    /// ```
    /// use tracklane::event::Track;
    ///
    /// let event = Track::new("Item Purchased").user_id("019mr8mf4r").property("revenue", 39.95);
    /// ```
    Track
}

call! {
    /// Who a user is ([Spec: Identify](https://segment.com/docs/connections/spec/identify/)).
    Identify
}

call! {
    /// A page that was viewed ([Spec: Page](https://segment.com/docs/connections/spec/page/)).
    Page
}

call! {
    /// A screen of an app that was viewed ([Spec: Screen](https://segment.com/docs/connections/spec/screen/)).
    Screen
}

call! {
    /// The group that a user belongs to ([Spec: Group](https://segment.com/docs/connections/spec/group/)).
    Group
}

call! {
    /// Two identities of one user ([Spec: Alias](https://segment.com/docs/connections/spec/alias/)).
    Alias
}

with_properties!(Track);
with_properties!(Page);
with_properties!(Screen);
with_traits!(Identify);
with_traits!(Group);

impl Track {
    /// The event called `event`. Segment recommends names like "Item Purchased"; an empty one is refused.
    pub fn new(event: &str) -> Self {
        let mut track = Event::new(Kind::Track);
        track.set_name(event);
        Self(track)
    }
}

impl Identify {
    /// An identify call; set a user id, an anonymous id or both.
    pub fn new() -> Self {
        Self(Event::new(Kind::Identify))
    }
}

impl Default for Identify {
    fn default() -> Self {
        Self::new()
    }
}

impl Page {
    /// The page called `name`; `""` for a page without a name.
    pub fn new(name: &str) -> Self {
        let mut page = Event::new(Kind::Page);
        page.set_name(name);
        Self(page)
    }

    /// The category of the page.
    pub fn category(mut self, category: &str) -> Self {
        self.0.set_category(category);
        self
    }
}

impl Screen {
    /// The screen called `name`; `""` for a screen without a name.
    pub fn new(name: &str) -> Self {
        let mut screen = Event::new(Kind::Screen);
        screen.set_name(name);
        Self(screen)
    }

    /// The category of the screen.
    pub fn category(mut self, category: &str) -> Self {
        self.0.set_category(category);
        self
    }
}

impl Group {
    /// The group `group_id`; an empty one is refused.
    pub fn new(group_id: impl Display) -> Self {
        let mut group = Event::new(Kind::Group);
        group.set_group_id(&group_id.to_string());
        Self(group)
    }
}

impl Alias {
    /// The user `user_id`, who was `previous_id` before; an empty one is refused.
    pub fn new(previous_id: impl Display, user_id: impl Display) -> Self {
        let mut alias = Event::new(Kind::Alias);
        alias.set_previous_id(&previous_id.to_string());
        alias.set_user_id(&user_id.to_string());
        Self(alias)
    }
}
