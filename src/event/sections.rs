//! The free-form sections of an event: objects with a name each, so that traits are not taken for properties.

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Object;

macro_rules! section {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Object);

        impl $name {
            /// An empty section. Allocates nothing.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }

            /// Sets one member; a key that is there already is replaced. See [`Object::insert`].
            #[must_use]
            pub fn with(mut self, key: &str, value: impl Serialize) -> Self {
                self.0.insert(key, value);
                self
            }

            /// Adds every member of `members`, which must serialize as a JSON object (null is an empty one).
            ///
            /// It replaces nothing: a key that is set already to another value is a conflict, and the event is
            /// refused at the call ([`InvalidField::Conflict`](crate::event::InvalidField::Conflict)). A setter that
            /// is called later replaces, as always.
            #[must_use]
            pub fn extra(mut self, members: impl Serialize) -> Self {
                self.0.add(members);
                self
            }
        }

        impl Deref for $name {
            type Target = Object;

            fn deref(&self) -> &Object {
                &self.0
            }
        }

        impl DerefMut for $name {
            fn deref_mut(&mut self) -> &mut Object {
                &mut self.0
            }
        }

        impl From<Object> for $name {
            fn from(object: Object) -> Self {
                Self(object)
            }
        }

        impl From<$name> for Object {
            fn from(section: $name) -> Self {
                section.0
            }
        }

        impl From<Map<String, Value>> for $name {
            fn from(map: Map<String, Value>) -> Self {
                Self(map.into())
            }
        }

        /// From a `serde_json` object. Any other value but null is refused when the event is sent.
        impl From<Value> for $name {
            fn from(value: Value) -> Self {
                Self(value.into())
            }
        }

        impl<K: AsRef<str>, V: Serialize> FromIterator<(K, V)> for $name {
            fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
                Self(members.into_iter().collect())
            }
        }
    };
}

section! {
    /// What is known of an event (`track`) or a view (`page`, `screen`):
    /// [Spec: Track, properties](https://segment.com/docs/connections/spec/track/#properties).
    Properties
}

section! {
    /// What is known of a user (`identify`) or a group (`group`):
    /// [Spec: Identify, traits](https://segment.com/docs/connections/spec/identify/#traits).
    Traits
}

section! {
    /// What surrounds an event: app, device, page, locale, …
    /// [Spec: Common fields, context](https://segment.com/docs/connections/spec/common/#context).
    Context
}

section! {
    /// Which destinations get an event:
    /// [Spec: Common fields, integrations](https://segment.com/docs/connections/spec/common/#integrations).
    ///
    /// Names are case sensitive, as in the Spec; `all` is taken for `All`, because two of Segment's own libraries
    /// write it so.
    ///
    /// ```
    /// use tracklane::event::Integrations;
    ///
    /// // Only to Vero (and to Segment, which `All` does not switch off).
    /// let integrations = Integrations::new().all(false).enable("Vero");
    /// assert_eq!(serde_json::to_string(&integrations)?, r#"{"All":false,"Vero":true}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Integrations
}

impl Integrations {
    /// Whether destinations that are not named get the event. They do if this is not called.
    #[must_use]
    pub fn all(mut self, enabled: bool) -> Self {
        self.0.remove("all");
        self.with("All", enabled)
    }

    /// Switches the destination `name` on.
    #[must_use]
    pub fn enable(self, name: &str) -> Self {
        self.with(name, true)
    }

    /// Switches the destination `name` off.
    #[must_use]
    pub fn disable(self, name: &str) -> Self {
        self.with(name, false)
    }

    /// Writes `All` where the member came in as `all`.
    pub(crate) fn normalise(&mut self) {
        if let Some(enabled) = self.0.get("all") {
            self.0.remove("all");
            self.0.insert("All", enabled);
        }
    }
}
