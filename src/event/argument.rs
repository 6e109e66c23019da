//! The arguments of setters: a value, or an `Option` of one. A value that may be missing needs no `if`.
//!
//! `None` removes what was set before. Each trait has a parameter `Form`, which tells a value from an `Option`. The
//! compiler infers it, and nobody writes it.

use std::fmt::Display;
use std::net::IpAddr;

use serde::Serialize;

use super::{InvalidTimestamp, Timestamp};

/// The form of a plain value.
#[derive(Debug)]
pub struct Plain;

/// The form of an `Option`.
#[derive(Debug)]
pub struct Optional;

/// The form of a reference to an `Option`.
#[derive(Debug)]
pub struct OptionalRef;

/// The form of an iterator.
#[derive(Debug)]
pub struct Iterable;

/// An id: any type that implements `Display` (a string, an integer, a UUID), or an `Option` of one.
///
/// ```
/// use tracklane::event::Page;
///
/// struct Session { user_id: Option<u64>, cookie: String }
///
/// let session = Session { user_id: None, cookie: "a-17".into() };
/// let event = Page::new("Login").user_id(session.user_id).anonymous_id(&session.cookie);
/// assert_eq!(serde_json::to_value(tracklane::Event::from(event))?["anonymousId"], "a-17");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an id",
    note = "an id implements `Display`, as strings, integers and UUIDs do, or is an `Option` of such a type"
)]
pub trait IntoId<Form> {
    /// The type that is written.
    type Id: Display;

    /// The id, if there is one.
    fn into_id(self) -> Option<Self::Id>;
}

impl<T: Display> IntoId<Plain> for T {
    type Id = T;

    fn into_id(self) -> Option<T> {
        Some(self)
    }
}

impl<T: Display> IntoId<Optional> for Option<T> {
    type Id = T;

    fn into_id(self) -> Option<T> {
        self
    }
}

impl<'o, T: Display> IntoId<OptionalRef> for &'o Option<T> {
    type Id = &'o T;

    fn into_id(self) -> Option<&'o T> {
        self.as_ref()
    }
}

/// Text: any type of string, or an `Option` of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not text",
    note = "text implements `AsRef<str>`, or is an `Option` of such a type"
)]
pub trait IntoText<Form> {
    /// The type that is written.
    type Text: AsRef<str>;

    /// The text, if there is one.
    fn into_text(self) -> Option<Self::Text>;
}

impl<T: AsRef<str>> IntoText<Plain> for T {
    type Text = T;

    fn into_text(self) -> Option<T> {
        Some(self)
    }
}

impl<T: AsRef<str>> IntoText<Optional> for Option<T> {
    type Text = T;

    fn into_text(self) -> Option<T> {
        self
    }
}

impl<'o, T: AsRef<str>> IntoText<OptionalRef> for &'o Option<T> {
    type Text = &'o T;

    fn into_text(self) -> Option<&'o T> {
        self.as_ref()
    }
}

/// A point in time: a [`Timestamp`], a [`SystemTime`](std::time::SystemTime), text in RFC 3339, or an `Option` of
/// these. With the features `chrono`, `time` and `jiff` also the types of these crates.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a point in time",
    note = "use a `Timestamp`, a `SystemTime`, text in RFC 3339 or an `Option` of one; with the features `chrono`, `time` and `jiff` also the types of these crates"
)]
pub trait IntoTimestamp<Form> {
    /// The time, if there is one, or what is wrong with its text.
    fn into_timestamp(self) -> Option<Result<Timestamp, InvalidTimestamp>>;
}

impl<T> IntoTimestamp<Plain> for T
where
    T: TryInto<Timestamp, Error: Into<InvalidTimestamp>>,
{
    fn into_timestamp(self) -> Option<Result<Timestamp, InvalidTimestamp>> {
        Some(self.try_into().map_err(Into::into))
    }
}

impl<T> IntoTimestamp<Optional> for Option<T>
where
    T: TryInto<Timestamp, Error: Into<InvalidTimestamp>>,
{
    fn into_timestamp(self) -> Option<Result<Timestamp, InvalidTimestamp>> {
        self.map(|time| time.try_into().map_err(Into::into))
    }
}

impl<T> IntoTimestamp<OptionalRef> for &Option<T>
where
    T: TryInto<Timestamp, Error: Into<InvalidTimestamp>> + Clone,
{
    fn into_timestamp(self) -> Option<Result<Timestamp, InvalidTimestamp>> {
        self.clone().into_timestamp()
    }
}

/// An IP address, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an IP address",
    note = "use an `IpAddr` or a type that converts into one; set text with `with`"
)]
pub trait IntoIpAddr<Form> {
    /// The address, if there is one.
    fn into_ip_addr(self) -> Option<IpAddr>;
}

impl<T: Into<IpAddr>> IntoIpAddr<Plain> for T {
    fn into_ip_addr(self) -> Option<IpAddr> {
        Some(self.into())
    }
}

impl<T: Into<IpAddr>> IntoIpAddr<Optional> for Option<T> {
    fn into_ip_addr(self) -> Option<IpAddr> {
        self.map(Into::into)
    }
}

impl<T: Into<IpAddr> + Copy> IntoIpAddr<OptionalRef> for &Option<T> {
    fn into_ip_addr(self) -> Option<IpAddr> {
        self.map(Into::into)
    }
}

/// A list: a value that serializes as one (an array, a slice, a `Vec`, a set), an `Option` of it, or an iterator.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list",
    note = "use a type that serializes as a list, or an iterator over values that serialize"
)]
pub trait IntoList<Form> {
    /// The type that is written.
    type List: Serialize;

    /// The list.
    fn into_list(self) -> Self::List;
}

impl<T: Serialize> IntoList<Plain> for T {
    type List = T;

    fn into_list(self) -> T {
        self
    }
}

impl<I: Iterator<Item: Serialize>> IntoList<Iterable> for I {
    type List = Vec<I::Item>;

    fn into_list(self) -> Vec<I::Item> {
        self.collect()
    }
}

/// Pairs: an iterator over tuples of two, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of pairs",
    note = "use an array, a `Vec` or an iterator of tuples of two, or an `Option` of one"
)]
pub trait IntoPairs<Form> {
    /// The type of the first values.
    type First: Serialize;
    /// The type of the second values.
    type Second: Serialize;

    /// The pairs, if there are any.
    fn into_pairs(self) -> Option<impl Iterator<Item = (Self::First, Self::Second)>>;
}

impl<I: IntoIterator<Item = (A, B)>, A: Serialize, B: Serialize> IntoPairs<Plain> for I {
    type First = A;
    type Second = B;

    fn into_pairs(self) -> Option<impl Iterator<Item = (A, B)>> {
        Some(self.into_iter())
    }
}

impl<I: IntoIterator<Item = (A, B)>, A: Serialize, B: Serialize> IntoPairs<Optional> for Option<I> {
    type First = A;
    type Second = B;

    fn into_pairs(self) -> Option<impl Iterator<Item = (A, B)>> {
        self.map(IntoIterator::into_iter)
    }
}
