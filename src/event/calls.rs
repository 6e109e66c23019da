//! The six calls, as builders with consuming setters.
//!
//! A setter never fails: what is wrong with an event is said once, by the call that sends it.

use serde::Serialize;

use super::{Event, IntoId, IntoText, IntoTimestamp, Kind, MessageId};

macro_rules! call {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        #[must_use = "an event does nothing until it is sent"]
        pub struct $name(pub(crate) Event);

        impl $name {
            /// The id of the user in your database: a string, an integer, a UUID, anything that displays, or an
            /// `Option` of it. `None` and an empty one are the same as none.
            pub fn user_id<Form>(mut self, id: impl IntoId<Form>) -> Self {
                self.0.set_user_id(&text(id));
                self
            }

            /// The id of a user who is not known, or an `Option` of it. `None` and an empty one are the same as none.
            pub fn anonymous_id<Form>(mut self, id: impl IntoId<Form>) -> Self {
                self.0.set_anonymous_id(&text(id));
                self
            }

            /// When it happened; the time of the call, if it is not set, or `None`. For imports from the past.
            ///
            /// A [`Timestamp`](super::Timestamp), a [`SystemTime`](std::time::SystemTime), text in RFC 3339, or an
            /// `Option` of these; with the features `chrono`, `time` and `jiff` also the types of these crates. Text
            /// goes in as it is, without `parse()`; what is not RFC 3339 is refused at the call
            /// ([`InvalidField::Timestamp`](super::InvalidField::Timestamp)).
            pub fn timestamp<Form>(mut self, timestamp: impl IntoTimestamp<Form>) -> Self {
                self.0.put_timestamp(timestamp.into_timestamp());
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
            pub fn integration(mut self, name: impl AsRef<str>, setting: impl Serialize) -> Self {
                let mine = self.0.integrations_mut();
                mine.set(name.as_ref(), setting);
                mine.normalise();
                self
            }

            /// The id by which Segment tells this event from another; a UUID, if it is not set, or `None`. At most 99
            /// characters, and unique across all workspaces: set it only if you have such an id, as for an import that
            /// is run twice.
            pub fn message_id<Form>(mut self, id: impl IntoId<Form>) -> Self {
                let id = text(id);
                self.0.write().message_id =
                    if id.is_empty() { MessageId::Unset } else { MessageId::Given(id) };
                self
            }
        }
    };
}

/// The text of an id; an empty one without one.
fn text<Form>(id: impl IntoId<Form>) -> String {
    id.into_id().map(|id| id.to_string()).unwrap_or_default()
}

macro_rules! sent_as_it_is {
    ($($name:ident),+) => {
        $(impl From<$name> for Event {
            fn from(call: $name) -> Event {
                call.0
            }
        })+
    };
}

/// A view has its category among its properties, too, where it does not have another one there: that is what
/// analytics-node sends, and what destinations read.
macro_rules! sent_with_category {
    ($($name:ident),+) => {
        $(impl From<$name> for Event {
            fn from(call: $name) -> Event {
                let mut event = call.0;
                if let Some(category) = event.category().map(|category| category.into_owned())
                    && !event.section().contains_key("category")
                {
                    event.section_mut().set("category", category);
                }
                event
            }
        })+
    };
}

sent_as_it_is!(Track, Identify, Group, Alias);
sent_with_category!(Page, Screen);

macro_rules! with_properties {
    ($name:ident) => {
        impl $name {
            /// Sets one property to anything that serializes. A key that is set again is replaced.
            pub fn property(mut self, key: impl AsRef<str>, value: impl Serialize) -> Self {
                self.0.section_mut().set(key.as_ref(), value);
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
            pub fn with_trait(mut self, key: impl AsRef<str>, value: impl Serialize) -> Self {
                self.0.section_mut().set(key.as_ref(), value);
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
    ///
    /// ```
    /// use tracklane::{Identify, Traits};
    ///
    /// let event = Identify::new().user_id("019mr8mf4r").traits(Traits::new().plan("Enterprise"));
    /// ```
    Identify
}

call! {
    /// A page that was viewed ([Spec: Page](https://segment.com/docs/connections/spec/page/)).
    ///
    /// ```
    /// use tracklane::Page;
    ///
    /// let event = Page::new("Pricing").category("Docs").anonymous_id("a-17").property("path", "/pricing");
    /// ```
    Page
}

call! {
    /// A screen of an app that was viewed ([Spec: Screen](https://segment.com/docs/connections/spec/screen/)).
    ///
    /// ```
    /// use tracklane::Screen;
    ///
    /// let event = Screen::new("Welcome").user_id("019mr8mf4r").property("variation", "blue");
    /// ```
    Screen
}

call! {
    /// The group that a user belongs to ([Spec: Group](https://segment.com/docs/connections/spec/group/)).
    ///
    /// ```
    /// use tracklane::Group;
    ///
    /// let event = Group::new(56).user_id("019mr8mf4r").with_trait("name", "Initech");
    /// ```
    Group
}

call! {
    /// Two identities of one user ([Spec: Alias](https://segment.com/docs/connections/spec/alias/)).
    ///
    /// ```
    /// use tracklane::Alias;
    ///
    /// let event = Alias::new("old_id", "new_id");
    /// ```
    Alias
}

with_properties!(Track);
with_properties!(Page);
with_properties!(Screen);
with_traits!(Identify);
with_traits!(Group);

impl Track {
    /// The event called `event`. Segment recommends names like "Item Purchased"; an empty one is refused.
    pub fn new(event: impl AsRef<str>) -> Self {
        let mut track = Event::new(Kind::Track);
        track.set_name(event.as_ref());
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
    /// The page called `name`; `""` or `None::<&str>` for a page without a name.
    pub fn new<Form>(name: impl IntoText<Form>) -> Self {
        let mut page = Event::new(Kind::Page);
        page.set_name(name.into_text().as_ref().map_or("", AsRef::as_ref));
        Self(page)
    }

    /// The category of the page. It is sent as the property `category`, too, unless that is set to something else.
    pub fn category<Form>(mut self, category: impl IntoText<Form>) -> Self {
        self.0.set_category(category.into_text().as_ref().map_or("", AsRef::as_ref));
        self
    }
}

impl Screen {
    /// The screen called `name`; `""` or `None::<&str>` for a screen without a name.
    pub fn new<Form>(name: impl IntoText<Form>) -> Self {
        let mut screen = Event::new(Kind::Screen);
        screen.set_name(name.into_text().as_ref().map_or("", AsRef::as_ref));
        Self(screen)
    }

    /// The category of the screen. It is sent as the property `category`, too, unless that is set to something else.
    pub fn category<Form>(mut self, category: impl IntoText<Form>) -> Self {
        self.0.set_category(category.into_text().as_ref().map_or("", AsRef::as_ref));
        self
    }
}

impl Group {
    /// The group `group_id`; an empty one is refused, and so is `None`.
    pub fn new<Form>(group_id: impl IntoId<Form>) -> Self {
        let mut group = Event::new(Kind::Group);
        group.set_group_id(&text(group_id));
        Self(group)
    }
}

impl Alias {
    /// The user `user_id`, who was `previous_id` before; an empty one is refused.
    pub fn new<Form, UserForm>(previous_id: impl IntoId<Form>, user_id: impl IntoId<UserForm>) -> Self {
        let mut alias = Event::new(Kind::Alias);
        alias.set_previous_id(&text(previous_id));
        alias.set_user_id(&text(user_id));
        Self(alias)
    }
}
