//! Goes through a JSON value leaf by leaf, without making a tree of it.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};

/// The place of a leaf. Written only on demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    name: &'a str,
    index: Option<usize>,
}

/// The value at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Leaf<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A string.
    Text(&'a str),
}

impl Leaf<'_> {
    /// The name of its type, with an article.
    #[must_use]
    pub const fn type_name(self) -> &'static str {
        match self {
            Leaf::Null => "null",
            Leaf::Bool(_) => "a boolean",
            Leaf::Number(_) => "a number",
            Leaf::Text(_) => "text",
        }
    }
}

impl<'a> Path<'a> {
    /// The name of the innermost member.
    #[must_use]
    pub fn name(&self) -> &'a str {
        match (self.index, self.parent) {
            (Some(_), Some(parent)) => parent.name(),
            _ => self.name,
        }
    }

    const fn member(parent: Option<&'a Path<'a>>, name: &'a str) -> Self {
        Self { parent, name, index: None }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}.")?;
        }
        match self.index {
            Some(index) => write!(f, "{index}"),
            None => f.write_str(self.name),
        }
    }
}

/// Calls `visit` for each leaf of `json`, which is the member `name`. Stops at text that is not JSON or too deep.
pub fn walk(name: &str, json: &str, mut visit: impl FnMut(&Path<'_>, Leaf<'_>)) {
    let path = Path::member(None, name);
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let _ = Walk { path: &path, visit: &mut visit }.deserialize(&mut deserializer);
}

struct Walk<'a, F> {
    path: &'a Path<'a>,
    visit: &'a mut F,
}

impl<'de, F: FnMut(&Path<'_>, Leaf<'_>)> DeserializeSeed<'de> for Walk<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(&Path<'_>, Leaf<'_>)> Visitor<'de> for Walk<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        (self.visit)(self.path, Leaf::Null);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        (self.visit)(self.path, Leaf::Bool(value));
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        (self.visit)(self.path, Leaf::Number(value));
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        (self.visit)(self.path, Leaf::Text(text));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let mut index = 0;
        loop {
            let path = Path { parent: Some(self.path), name: "", index: Some(index) };
            if elements.next_element_seed(Walk { path: &path, visit: &mut *self.visit })?.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(Key(name)) = members.next_key()? {
            let path = Path::member(Some(self.path), &name);
            members.next_value_seed(Walk { path: &path, visit: &mut *self.visit })?;
        }
        Ok(())
    }
}

#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
