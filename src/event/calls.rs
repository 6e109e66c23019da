//! The six calls, as builders with consuming setters.
//!
//! A setter never fails. The call that sends the event reports an error of a setter, once.

use serde::Serialize;

use super::{Event, IntoId, IntoText, IntoTimestamp, Kind, MessageId};

macro_rules! call {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[must_use = "an event does nothing until it is sent"]
        pub struct $name(pub(crate) Event);

        impl $name {
            /// The id of the user in your database: a string, an integer, a UUID, any type that implements `Display`,
            /// or an `Option` of one. `None` and an empty id stand for no id.
            pub fn user_id<Form>(mut self, id: impl IntoId<Form>) -> Self {
                self.0.set_user_id(&text(id));
                self
            }

            /// The id of a user who is not known, or an `Option` of it. `None` and an empty id stand for no id.
            pub fn anonymous_id<Form>(mut self, id: impl IntoId<Form>) -> Self {
                self.0.set_anonymous_id(&text(id));
                self
            }

            /// The time when it happened, for imports from the past. Without one, or with `None`, it is the time of the
            /// call.
            ///
            /// Takes a [`Timestamp`](super::Timestamp), a [`SystemTime`](std::time::SystemTime), text in RFC 3339, or
            /// an `Option` of these. With the features `chrono`, `time` and `jiff` it also takes the types of these
            /// crates. Text needs no `parse()`: if it is not RFC 3339, the call refuses the event
            /// ([`InvalidField::Timestamp`](super::InvalidField::Timestamp)).
            pub fn timestamp<Form>(mut self, timestamp: impl IntoTimestamp<Form>) -> Self {
                self.0.put_timestamp(timestamp.into_timestamp());
                self
            }

            /// The context of this event: a [`Context`](super::Context), a `serde_json` object or anything else that
            /// serializes as an object. It is merged deeply over the default context of the settings.
            pub fn context(mut self, context: impl Serialize) -> Self {
                self.0.context_mut().insert_all(context);
                self
            }

            /// The destinations that get the event: [`Integrations`](super::Integrations), or anything else that
            /// serializes as such an object.
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

            /// The id by which Segment recognises an event that arrives twice. Without one, or with `None`, it is a
            /// UUID. At most 99 characters, and unique across all workspaces. Set it only if you have such an id, for
            /// example for an import that is run twice.
            pub fn message_id<Form>(mut self, id: impl IntoId<Form>) -> Self {
                let id = text(id);
                self.0.write().message_id =
                    if id.is_empty() { MessageId::Unset } else { MessageId::Given(id) };
                self
            }
        }
    };
}

/// Returns the text of an id. No id is an empty text.
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

/// The category of a view is also one of its properties, unless that property is set to something else. Analytics-node
/// sends it so, and destinations read it there.
macro_rules! sent_with_category {
    ($($name:ident),+) => {
        $(impl From<$name> for Event {
            fn from(call: $name) -> Event {
                let mut event = call.0;
                if let Some(category) = event.category().map(|category| category.into_owned())
                    && !event.section().contains_key("category")
                {
                    event.write().section_mut().set("category", category);
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
            /// Sets one property to a value that serializes. A key that is set again is replaced.
            pub fn property(mut self, key: impl AsRef<str>, value: impl Serialize) -> Self {
                self.0.write().section_mut().set(key.as_ref(), value);
                self
            }

            /// Sets all members of [`Properties`](super::Properties), a `serde_json` object or anything else that
            /// serializes as an object. Members that were set before and are not in it stay. Anything else, `()`
            /// included, is refused at the call.
            pub fn properties(mut self, properties: impl Serialize) -> Self {
                self.0.write().section_mut().insert_all(properties);
                self
            }
        }
    };
}

macro_rules! with_traits {
    ($name:ident) => {
        impl $name {
            /// Sets one trait to a value that serializes. A key that is set again is replaced.
            pub fn with_trait(mut self, key: impl AsRef<str>, value: impl Serialize) -> Self {
                self.0.write().section_mut().set(key.as_ref(), value);
                self
            }

            /// Sets all members of [`Traits`](super::Traits), a `serde_json` object or anything else that serializes as
            /// an object. Members that were set before and are not in it stay. Anything else, `()` included, is refused
            /// at the call.
            pub fn traits(mut self, traits: impl Serialize) -> Self {
                self.0.write().section_mut().insert_all(traits);
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
    /// Makes the event called `event`. Segment recommends names like "Item Purchased". An empty name is refused.
    pub fn new(event: impl AsRef<str>) -> Self {
        let mut track = Event::new(Kind::Track);
        track.set_name(event.as_ref());
        Self(track)
    }
}

impl Identify {
    /// Makes an identify call. Set a user id, an anonymous id or both.
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
    /// Makes a view of the page called `name`; `""` or `None::<&str>` for a page without a name.
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
    /// Makes a view of the screen called `name`; `""` or `None::<&str>` for a screen without a name.
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
    /// Makes a call for the group `group_id`. An empty id and `None` are refused.
    pub fn new<Form>(group_id: impl IntoId<Form>) -> Self {
        let mut group = Event::new(Kind::Group);
        group.set_group_id(&text(group_id));
        Self(group)
    }
}

impl Alias {
    /// Makes a call for the user `user_id`, who was `previous_id` before. An empty id is refused.
    pub fn new<Form, UserForm>(previous_id: impl IntoId<Form>, user_id: impl IntoId<UserForm>) -> Self {
        let mut alias = Event::new(Kind::Alias);
        alias.set_previous_id(&text(previous_id));
        alias.set_user_id(&text(user_id));
        Self(alias)
    }
}
