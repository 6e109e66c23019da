//! From a table of keys to setters with documentation.
//!
//! One row is `setter: "wireKey" "What it is" kind;`. Under test the table is also a list of its keys, so that tests
//! can compare it with the Spec. The macro writes no logic beyond [`Object::set`](crate::event::Object::set).

use std::fmt::Display;

use serde::{Serialize, Serializer};

/// Written as the string that it displays as. Ids are strings for Segment, whatever they are in a database.
pub(super) struct Displayed<T>(pub(super) T);

impl<T: Display> Serialize for Displayed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Writes the setters of `$section`. The kinds of value:
///
/// `text` (a string), `id` (anything that displays), `number` (a float), `count` (an integer), `flag` (a boolean),
/// `time` (a [`Timestamp`](crate::event::Timestamp)), `ip`, `list` (of anything), `pairs("a", "b")` (a list of
/// objects with these two keys), `any`, or else the name of a section.
macro_rules! setters {
    (
        $section:ident, $keys:ident:
        $($setter:ident: $key:literal $doc:literal $kind:ident $(($($arg:literal),*))?;)+
    ) => {
        impl $section {
            $($crate::event::spec::setters::setters! { @setter $kind ($($($arg),*)?) $setter $key $doc })+
        }

        #[cfg(test)]
        pub(in crate::event::spec) const $keys: &[&str] = &[$($key),+];
    };
    (@setter text () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!($doc, ": `", $key, "`.")]
        #[must_use]
        pub fn $setter(mut self, text: impl AsRef<str>) -> Self {
            self.set($key, text.as_ref());
            self
        }
    };
    (@setter id () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!($doc, ": `", $key, "`. Anything that displays, written as a string.")]
        #[must_use]
        pub fn $setter(mut self, id: impl std::fmt::Display) -> Self {
            self.set($key, $crate::event::spec::setters::Displayed(id));
            self
        }
    };
    (@setter number () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!($doc, ": `", $key, "`.")]
        #[must_use]
        pub fn $setter(mut self, number: f64) -> Self {
            self.set($key, number);
            self
        }
    };
    (@setter count () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!($doc, ": `", $key, "`.")]
        #[must_use]
        pub fn $setter(mut self, count: u64) -> Self {
            self.set($key, count);
            self
        }
    };
    (@setter flag () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!($doc, ": `", $key, "`.")]
        #[must_use]
        pub fn $setter(mut self, flag: bool) -> Self {
            self.set($key, flag);
            self
        }
    };
    (@setter time () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!($doc, ": `", $key, "`, in RFC 3339. Text that is not is refused when the event is sent.")]
        #[must_use]
        pub fn $setter<T>(mut self, time: T) -> Self
        where
            T: TryInto<$crate::event::Timestamp, Error: Into<$crate::event::InvalidTimestamp>>,
        {
            self.set_time($key, time);
            self
        }
    };
    (@setter ip () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!($doc, ": `", $key, "`. Text that is no address goes in using `with`.")]
        #[must_use]
        pub fn $setter(mut self, address: impl Into<std::net::IpAddr>) -> Self {
            self.set($key, address.into());
            self
        }
    };
    (@setter any () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!($doc, ": `", $key, "`. Anything that serializes.")]
        #[must_use]
        pub fn $setter(mut self, value: impl serde::Serialize) -> Self {
            self.set($key, value);
            self
        }
    };
    (@setter list () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!($doc, ": `", $key, "`.")]
        #[must_use]
        pub fn $setter(mut self, items: impl IntoIterator<Item: serde::Serialize>) -> Self {
            self.set($key, items.into_iter().collect::<Vec<_>>());
            self
        }
    };
    (@setter pairs ($first:literal, $second:literal) $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!($doc, ", pairs of `", $first, "` and `", $second, "`: `", $key, "`.")]
        #[must_use]
        pub fn $setter<A: serde::Serialize, B: serde::Serialize>(
            mut self,
            pairs: impl IntoIterator<Item = (A, B)>,
        ) -> Self {
            let objects = pairs.into_iter().map(|(first, second)| {
                let mut object = $crate::event::Object::new();
                object.set($first, first);
                object.set($second, second);
                object
            });
            self.set($key, objects.collect::<Vec<_>>());
            self
        }
    };
    (@setter $inner:ident () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!($doc, ": `", $key, "`. Replaces what was set before, as a whole.")]
        #[must_use]
        pub fn $setter(mut self, section: $inner) -> Self {
            self.set($key, section);
            self
        }
    };
}
pub(super) use setters;
