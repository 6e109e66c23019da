//! The free-form sections of an event. Each is a type of its own, so that traits cannot be taken for properties.
//!
//! The keys of the Spec are in [`spec`](super::spec). A section takes any other key as well.

macro_rules! section {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name($crate::event::Object);

        impl $name {
            /// Makes an empty section. Allocates nothing.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }

            /// Sets one member. A key that is set again is replaced. See
            /// [`Object::insert`](crate::event::Object::insert).
            #[must_use]
            pub fn with(mut self, key: impl AsRef<str>, value: impl serde::Serialize) -> Self {
                self.0.set(key.as_ref(), value);
                self
            }

            /// Sets every member of `members`, which must serialize as a JSON object. A key that is set again is
            /// replaced. See [`Object::insert_all`](crate::event::Object::insert_all).
            #[must_use]
            pub fn with_all(mut self, members: impl serde::Serialize) -> Self {
                self.0.insert_all(members);
                self
            }
        }

        /// A section is an [`Object`]($crate::event::Object), which has the methods to read and edit it.
        impl std::ops::Deref for $name {
            type Target = $crate::event::Object;

            fn deref(&self) -> &$crate::event::Object {
                &self.0
            }
        }

        impl std::ops::DerefMut for $name {
            fn deref_mut(&mut self) -> &mut $crate::event::Object {
                &mut self.0
            }
        }

        impl From<$crate::event::Object> for $name {
            fn from(object: $crate::event::Object) -> Self {
                Self(object)
            }
        }

        impl From<$name> for $crate::event::Object {
            fn from(section: $name) -> Self {
                section.0
            }
        }

        impl From<serde_json::Map<String, serde_json::Value>> for $name {
            fn from(map: serde_json::Map<String, serde_json::Value>) -> Self {
                Self(map.into())
            }
        }

        /// Converts a `serde_json` object. Any other value, null included, is refused when the event is sent.
        impl From<serde_json::Value> for $name {
            fn from(value: serde_json::Value) -> Self {
                Self(value.into())
            }
        }

        impl<K: AsRef<str>, V: serde::Serialize> FromIterator<(K, V)> for $name {
            fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
                Self(members.into_iter().collect())
            }
        }

        impl<K: AsRef<str>, V: serde::Serialize> Extend<(K, V)> for $name {
            fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, members: I) {
                self.0.extend(members);
            }
        }

        impl<'o> IntoIterator for &'o $name {
            type Item = (std::borrow::Cow<'o, str>, serde_json::Value);
            type IntoIter = $crate::event::Iter<'o>;

            fn into_iter(self) -> Self::IntoIter {
                self.0.iter()
            }
        }

        impl IntoIterator for $name {
            type Item = (String, serde_json::Value);
            type IntoIter = serde_json::map::IntoIter;

            fn into_iter(self) -> Self::IntoIter {
                self.0.into_iter()
            }
        }
    };
}
pub(super) use section;

section! {
    /// The properties of an event (`track`) or a view (`page`, `screen`): [Spec: Track,
    /// properties](https://segment.com/docs/connections/spec/track/#properties).
    ///
    /// ```
    /// use tracklane::event::Properties;
    ///
    /// let properties = Properties::new().revenue(39.95).currency("EUR").with("gift", true);
    /// let json = r#"{"revenue":39.95,"currency":"EUR","gift":true}"#;
    /// assert_eq!(serde_json::to_string(&properties)?, json);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Properties
}

section! {
    /// The traits of a user (`identify`) or a group (`group`): [Spec: Identify,
    /// traits](https://segment.com/docs/connections/spec/identify/#traits).
    ///
    /// ```
    /// use tracklane::event::{Address, Traits};
    ///
    /// let user = Traits::new().first_name("Peter").address(Address::new().city("Austin"));
    /// let json = r#"{"firstName":"Peter","address":{"city":"Austin"}}"#;
    /// assert_eq!(serde_json::to_string(&user)?, json);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Traits
}

section! {
    /// The context of an event: app, device, page, locale, … [Spec: Common fields,
    /// context](https://segment.com/docs/connections/spec/common/#context).
    ///
    /// ```
    /// use tracklane::event::{Context, context};
    ///
    /// let context = Context::new()
    ///     .ip([203, 0, 113, 7])
    ///     .page(context::Page::new().path("/academy/"))
    ///     .with_all(serde_json::json!({"Google Analytics": {"clientId": "1033501218.1368477899"}}));
    /// assert_eq!(context.len(), 3);
    /// ```
    Context
}

section! {
    /// The destinations that get an event: [Spec: Common fields,
    /// integrations](https://segment.com/docs/connections/spec/common/#integrations).
    ///
    /// Names are case sensitive, as in the Spec. Only `all` stands for `All`, because two of Segment's own libraries
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
    /// Sets whether destinations that are not named get the event. By default they do.
    #[must_use]
    pub fn all(mut self, enabled: bool) -> Self {
        self.0.discard("all");
        self.with("All", enabled)
    }

    /// Switches the destination `name` on.
    #[must_use]
    pub fn enable(self, name: impl AsRef<str>) -> Self {
        self.with(name, true)
    }

    /// Switches the destination `name` off.
    #[must_use]
    pub fn disable(self, name: impl AsRef<str>) -> Self {
        self.with(name, false)
    }

    /// Returns the options that an event has for the destination `name`, if they are an object. `true` selects the
    /// destination and is not an option.
    ///
    /// ```
    /// use tracklane::event::Integrations;
    ///
    /// let integrations = Integrations::new().with("Amplitude", serde_json::json!({"session_id": 1_700_000_000_000_i64}));
    /// let options = integrations.options("Amplitude").ok_or("there are some")?;
    /// assert_eq!(options.get("session_id"), Some(serde_json::json!(1_700_000_000_000_i64)));
    /// assert_eq!(integrations.enable("Vero").options("Vero"), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn options(&self, name: &str) -> Option<super::Object> {
        match self.0.get(name)? {
            serde_json::Value::Object(options) => Some(options.into()),
            _ => None,
        }
    }

    /// Writes `All` in place of `all`.
    pub(crate) fn normalise(&mut self) {
        if let Some(enabled) = self.0.remove("all") {
            self.0.set("All", enabled);
        }
    }
}
