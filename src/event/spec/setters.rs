//! Makes documented setters from a table of keys.
//!
//! One row is `setter: "wireKey" "What it is" kind;`. Under test the table is also a list of its keys, so that tests
//! can compare it with the Spec. The macro writes no logic beyond [`Object::set`](crate::event::Object::set).

/// Writes the setters of `$section`. The kinds of value:
///
/// `text` (a string), `id` (anything that displays), `number` (of any type, also as text), `flag` (a boolean), `time` (a
/// [`Timestamp`](crate::event::Timestamp)), `ip`, `list` (of anything), `pairs("a", "b")` (a list of objects with these
/// two keys), `any`, or else the name of a section. Each takes an `Option`, too.
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
        #[doc = concat!($doc, ": `", $key, "`. `None` is the same as not set.")]
        #[must_use]
        pub fn $setter<Form>(mut self, text: impl $crate::event::IntoText<Form>) -> Self {
            self.set_if($key, text.into_text().as_ref().map(AsRef::as_ref));
            self
        }
    };
    (@setter id () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!($doc, ": `", $key, "`. Anything that displays, written as a string. `None` is the same as not set.")]
        #[must_use]
        pub fn $setter<Form>(mut self, id: impl $crate::event::IntoId<Form>) -> Self {
            self.set_if($key, id.into_id().map($crate::event::spec::setters::Displayed));
            self
        }
    };
    (@setter number () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!(
            $doc, ": `", $key, "`. A number of any type, also a decimal or text that is one, such as `\"39.95\"`; it is \
            written as a number. `None` is the same as not set; anything else is refused when the event is sent."
        )]
        #[must_use]
        pub fn $setter(mut self, number: impl serde::Serialize) -> Self {
            self.set_number($key, number);
            self
        }
    };
    (@setter flag () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!($doc, ": `", $key, "`. `None` is the same as not set.")]
        #[must_use]
        pub fn $setter(mut self, flag: impl Into<Option<bool>>) -> Self {
            self.set_if($key, flag.into());
            self
        }
    };
    (@setter time () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!(
            $doc, ": `", $key, "`, in RFC 3339. Text that is not is refused when the event is sent. `None` is the same \
            as not set."
        )]
        #[must_use]
        pub fn $setter<Form>(mut self, time: impl $crate::event::IntoTimestamp<Form>) -> Self {
            self.set_time($key, time.into_timestamp());
            self
        }
    };
    (@setter ip () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!($doc, ": `", $key, "`. Text that is no address goes in using `with`. `None` is the same as not set.")]
        #[must_use]
        pub fn $setter<Form>(mut self, address: impl $crate::event::IntoIpAddr<Form>) -> Self {
            self.set_if($key, address.into_ip_addr());
            self
        }
    };
    (@setter any () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!($doc, ": `", $key, "`. Anything that serializes. `None` is the same as not set.")]
        #[must_use]
        pub fn $setter(mut self, value: impl serde::Serialize) -> Self {
            self.set_any($key, value);
            self
        }
    };
    (@setter list () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!(
            $doc, ": `", $key, "`. `None` is the same as not set; what is no list is refused when the event is sent."
        )]
        #[must_use]
        pub fn $setter<Form>(mut self, items: impl $crate::event::IntoList<Form>) -> Self {
            self.set_list($key, items.into_list());
            self
        }
    };
    (@setter pairs ($first:literal, $second:literal) $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!(
            $doc, ", pairs of `", $first, "` and `", $second, "`: `", $key, "`. `None` is the same as not set."
        )]
        #[must_use]
        pub fn $setter<Form>(mut self, pairs: impl $crate::event::IntoPairs<Form>) -> Self {
            let object = |(first, second)| {
                let mut object = $crate::event::Object::new();
                object.set($first, first);
                object.set($second, second);
                object
            };
            self.set_if($key, pairs.into_pairs().map(|pairs| pairs.map(object).collect::<Vec<_>>()));
            self
        }
    };
    (@setter $inner:ident () $setter:ident $key:literal $doc:literal) => {
        #[doc = concat!($doc, ": `", $key, "`. Replaces what was set before, as a whole. `None` is the same as not set.")]
        #[must_use]
        pub fn $setter(mut self, section: impl Into<Option<$inner>>) -> Self {
            self.set_if($key, section.into());
            self
        }
    };
}

/// Written as the string that it displays as. For Segment ids are strings, whatever their type in a database.
pub(super) struct Displayed<T>(pub(super) T);

impl<T: std::fmt::Display> serde::Serialize for Displayed<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

pub(super) use setters;
